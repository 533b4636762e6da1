//! Which windows matter now? The occurrences of a schedule from now on, each
//! with its own start, and the ones that have no end in sight.

use std::fmt;
use std::time::Duration;

use super::{FIRST, LAST, Schedule};
use crate::interval::{Interval, IntervalSet};
use crate::timestamp::Timestamp;

/// An interval that ends later than this from now is kept as a rolling lease
/// instead of one long silence, so that it lapses when nobody renews it.
pub const REACH: Duration = Duration::from_hours(8784);

/// The start of an occurrence, as it identifies the silence that stands for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OccurrenceStart {
    /// It has no end in sight, and its silence is renewed as long as it lasts.
    Lease,
    /// It starts, or started, at this instant.
    At(Timestamp),
}

impl fmt::Display for OccurrenceStart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lease => formatter.write_str("lease"),
            Self::At(start) => start.fmt(formatter),
        }
    }
}

/// One maximal interval of a schedule, unclipped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Occurrence {
    /// Its first instant; never earlier than 1970.
    pub start: Timestamp,
    /// Its end; for a lease, [`LAST`] or the far end that was found.
    pub end: Timestamp,
    /// Whether it ends more than [`REACH`] from now.
    pub is_lease: bool,
}

impl Occurrence {
    /// How a marker names it.
    #[must_use]
    pub const fn marker_start(&self) -> OccurrenceStart {
        if self.is_lease {
            OccurrenceStart::Lease
        } else {
            OccurrenceStart::At(self.start)
        }
    }
}

/// The occurrences that are not over at `now` and start before `until`, in order.
///
/// Starts are the schedule's own: a window that began before `now` keeps its
/// start, however long ago, because that is what identifies its silence.
#[must_use]
pub fn occurrences(schedule: &Schedule, now: Timestamp, until: Timestamp) -> Vec<Occurrence> {
    let last = until.max(now.plus(Duration::from_secs(1)));
    let Some(range) = Interval::new(now, last) else {
        return Vec::new();
    };
    let near = schedule.expand(range);
    let mut occurrences: Vec<Occurrence> = near
        .iter()
        .map(|interval| Occurrence {
            start: interval.start(),
            end: interval.end(),
            is_lease: false,
        })
        .collect();
    // Only the last one can go on beyond the range, and only the first can have
    // begun before it; both may be the same.
    if let Some(open) = occurrences
        .last_mut()
        .filter(|occurrence| occurrence.end >= last)
    {
        open.end = far_end(schedule, last);
    }
    for occurrence in &mut occurrences {
        occurrence.is_lease = occurrence.end > now.plus(REACH);
    }
    if let Some(running) = occurrences
        .first_mut()
        .filter(|occurrence| occurrence.start <= now)
        && !running.is_lease
    {
        running.start = far_start(schedule, now);
    }
    occurrences
}

/// The end of the interval that reaches up to `known`; no more than a reach
/// and a day beyond `known`, where it must be a lease.
fn far_end(schedule: &Schedule, known: Timestamp) -> Timestamp {
    let farthest = known.plus(REACH + SHORTEST_LOOK).min(LAST);
    let mut known = known;
    let mut look = SHORTEST_LOOK;
    while known < farthest {
        let to = known.plus(look).min(farthest);
        let end = expand(schedule, known, to)
            .at(known)
            .map_or(known, Interval::end);
        if end < to {
            return end;
        }
        known = to;
        look = (look * 2).min(LONGEST_LOOK);
    }
    known
}

/// The start of the interval that holds `inside`; 1970 when it has none.
fn far_start(schedule: &Schedule, inside: Timestamp) -> Timestamp {
    let mut known = inside;
    let mut look = SHORTEST_LOOK;
    while known > FIRST {
        let from = known.minus(look).max(FIRST);
        let start = expand(schedule, from, known)
            .at(known.minus(Duration::from_secs(1)))
            .map_or(known, Interval::start);
        if start > from {
            return start;
        }
        known = from;
        look = (look * 2).min(LONGEST_LOOK);
    }
    known
}

/// Most windows are shorter than a day.
const SHORTEST_LOOK: Duration = Duration::from_hours(24);

/// One look holds its windows in memory: of a cron expression for every minute
/// 92 days have 132,480, 2 MB.
const LONGEST_LOOK: Duration = Duration::from_hours(92 * 24);

fn expand(schedule: &Schedule, from: Timestamp, to: Timestamp) -> IntervalSet {
    Interval::new(from, to).map_or_else(IntervalSet::empty, |range| schedule.expand(range))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{Form, Moment, Once};

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    fn once(start: &str, end: &str) -> Schedule {
        let start = Moment::Absolute(at(start)).as_start();
        let date = start.to_datetime().date_naive();
        Form::Once(Once::new(start, at(end), date, Vec::new())).into()
    }

    fn shown(schedule: &Schedule, now: &str, until: &str) -> Vec<String> {
        occurrences(schedule, at(now), at(until))
            .iter()
            .map(|occurrence| {
                format!(
                    "{} {}..{}",
                    occurrence.marker_start(),
                    occurrence.start,
                    occurrence.end
                )
            })
            .collect()
    }

    #[test]
    fn a_running_window_keeps_its_start() {
        let schedule = once("2024-01-01T00:00:00Z", "2026-06-01T00:00:00Z");
        assert_eq!(
            shown(&schedule, "2026-01-10T00:00:00Z", "2026-01-11T00:00:00Z"),
            ["2024-01-01T00:00:00Z 2024-01-01T00:00:00Z..2026-06-01T00:00:00Z"]
        );
    }

    #[test]
    fn what_reaches_more_than_a_year_ahead_is_a_lease() {
        let schedule = once("2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z");
        let soon = shown(&schedule, "2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z");
        assert!(
            soon[0].starts_with("lease 2026-06-01T00:00:00Z.."),
            "{soon:?}"
        );
        assert_eq!(
            shown(&schedule, "2027-06-01T00:00:00Z", "2027-06-02T00:00:00Z"),
            ["2026-01-01T00:00:00Z 2026-01-01T00:00:00Z..2028-01-01T00:00:00Z"]
        );
        let always = shown(
            &Form::Always.into(),
            "2026-06-01T00:00:00Z",
            "2026-06-02T00:00:00Z",
        );
        assert!(always[0].starts_with("lease "), "{always:?}");
    }

    #[test]
    fn without_a_beginning_it_started_in_1970() {
        let end = once("2026-06-05T00:00:00Z", "2026-06-06T00:00:00Z");
        let schedule: Schedule = Form::Not(Box::new(end)).into();
        let found = shown(&schedule, "2026-06-01T00:00:00Z", "2026-06-07T00:00:00Z");
        assert_eq!(
            found[0],
            "1970-01-01T00:00:00Z 1970-01-01T00:00:00Z..2026-06-05T00:00:00Z"
        );
        assert!(
            found[1].starts_with("lease 2026-06-06T00:00:00Z.."),
            "{found:?}"
        );
    }

    #[test]
    fn a_window_over_now_is_gone_and_one_after_until_is_not_yet() {
        let schedule = once("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
        assert!(shown(&schedule, "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z").is_empty());
        assert!(shown(&schedule, "2025-12-30T00:00:00Z", "2026-01-01T00:00:00Z").is_empty());
    }
}
