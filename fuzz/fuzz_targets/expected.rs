//! What must hold of every expansion, whatever the schedule.

use silenced::interval::{Interval, IntervalSet};
use silenced::schedule::Schedule;
use silenced::timestamp::Timestamp;

/// `[start, start + seconds)`.
pub fn range(start: i64, seconds: i64) -> Interval {
    let at = Timestamp::from_seconds;
    Interval::new(at(start), at(start + seconds)).expect("positive seconds")
}

/// Expands; sorted, apart, and inside the range.
pub fn expand(schedule: &Schedule, range: Interval) -> IntervalSet {
    let found = schedule.expand(range);
    let apart = found
        .as_slice()
        .windows(2)
        .all(|pair| pair[0].end() < pair[1].start());
    assert!(apart, "{found:?}");
    assert_eq!(found.clip(range), found);
    found
}
