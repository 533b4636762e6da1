//! Does any text break the reader of cron expressions, or what it selects?
#![no_main]

mod expected;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use silenced::schedule::{CronWindows, Form, Schedule};
use silenced::zone::{Zone, ZoneDatabase};

const DAY: i64 = 86_400;

static BERLIN: LazyLock<Zone> =
    LazyLock::new(|| ZoneDatabase::bundled().zone("Europe/Berlin").unwrap());

fuzz_target!(|input: (&str, u32, u16)| {
    let (expression, duration, day) = input;
    let duration = duration % 1_000_000;
    let Ok(windows) = CronWindows::parse(expression, duration, BERLIN.clone(), Vec::new()) else {
        return;
    };
    let schedule: Schedule = Form::Cron(windows).into();
    // From 1970 to beyond the end of schedules.
    let start = i64::from(day) * DAY;
    let whole = expected::expand(&schedule, expected::range(start, 10 * DAY));
    let early = expected::expand(&schedule, expected::range(start, 3 * DAY));
    let late = expected::expand(&schedule, expected::range(start + 3 * DAY, 7 * DAY));
    assert_eq!(early.union(&late), whole);
});
