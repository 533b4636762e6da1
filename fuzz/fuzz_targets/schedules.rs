//! Does any schedule break its expansion? Drawn from the fuzzer's bytes by the
//! generator of the tests, which have the oracle; here only nothing may panic,
//! take long, or depend on where a range is cut.
#![no_main]
#![allow(dead_code, reason = "the tests use more of their modules")]

mod expected;
#[path = "../../tests/it/time/expression.rs"]
mod expression;
#[path = "../../tests/it/time/random.rs"]
mod random;
#[path = "../../tests/it/time/specification.rs"]
mod specification;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use random::{Generator, Source};
use silenced::schedule::occurrences;
use silenced::timestamp::Timestamp;
use silenced::zone::{Zone, ZoneDatabase};

const DAY: i64 = 86_400;

static ZONES: LazyLock<Vec<Zone>> = LazyLock::new(|| {
    let database = ZoneDatabase::bundled();
    let names = database.names().into_iter();
    names.map(|name| database.zone(name).unwrap()).collect()
});

/// Zeros once the bytes are used up.
struct Bytes<'a>(&'a [u8]);

impl Source for Bytes<'_> {
    fn below(&mut self, limit: u64) -> u64 {
        let mut number = 0;
        let mut range = 1;
        while range < limit {
            let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
            self.0 = rest;
            number = number << 8 | u64::from(*first);
            range <<= 8;
        }
        number % limit
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = Bytes(bytes);
    let zone = &ZONES[bytes.below(ZONES.len() as u64) as usize];
    let changes: Vec<Timestamp> = zone.timeline().changes().collect();
    let middle = match changes.get(bytes.below(300) as usize) {
        Some(change) => change.seconds(),
        None => bytes.below(47_482) as i64 * DAY,
    };
    let (back, ahead) = (bytes.below(20 * 86_400), bytes.below(20 * 86_400));
    let (start, seconds) = (middle - back as i64, 1 + (back + ahead) as i64);
    let cut = bytes.below(seconds as u64) as i64;
    let mut generator = Generator {
        source: &mut bytes,
        zones: &ZONES,
        zone,
        near: Timestamp::from_seconds(middle),
    };
    let Ok(schedule) = generator.specification(3).schedule() else {
        return;
    };
    let whole = expected::expand(&schedule, expected::range(start, seconds));
    let late = expected::expand(&schedule, expected::range(start + cut, seconds - cut));
    if cut > 0 {
        let early = expected::expand(&schedule, expected::range(start, cut));
        assert_eq!(early.union(&late), whole);
    }
    let now = Timestamp::from_seconds(start + cut);
    for occurrence in occurrences(&schedule, now, Timestamp::from_seconds(start + seconds)) {
        assert!(now < occurrence.end && occurrence.start < occurrence.end);
    }
});
