//! Does any zone file break its reader, or an expansion in such a zone?
#![no_main]

mod expected;

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use silenced::schedule::{
    CronWindows, DateRule, Form, Recurring, Schedule, TimeWindow, WindowEnd, occurrences,
};
use silenced::timestamp::Timestamp;
use silenced::zone::ZoneDatabase;

const DAY: i64 = 86_400;

fuzz_target!(|bytes: &[u8]| {
    let files = BTreeMap::from([("Fuzz/Zone".to_owned(), bytes.to_vec())]);
    let database = ZoneDatabase::from_files("2026f".into(), "fuzz".into(), files);
    let Ok(zone) = database.zone("Fuzz/Zone") else {
        return;
    };
    let window = |start, end| TimeWindow { start, end };
    let recurring = Recurring {
        zone: zone.clone(),
        dates: DateRule::default(),
        times: vec![
            window(79_200, WindowEnd::Clock(21_600)),
            window(9_000, WindowEnd::After(3_600)),
        ],
    };
    let cron = CronWindows::parse("*/30 2 * * *", 60, zone.clone(), Vec::new()).unwrap();
    let schedules: [Schedule; 2] = [Form::Recurring(recurring).into(), Form::Cron(cron).into()];
    // Round a change if there is one, and in our years.
    let change = zone.timeline().changes().last();
    let middles = [change.map_or(0, Timestamp::seconds), 1_793_000_000];
    for (schedule, middle) in schedules.iter().zip(middles) {
        expected::expand(schedule, expected::range(middle - 5 * DAY, 10 * DAY));
        let now = Timestamp::from_seconds(middle);
        let _ = occurrences(schedule, now, Timestamp::from_seconds(middle + DAY));
    }
});
