//! Which windows does a wall-clock rule open? Dates times times of day.

use chrono::Weekday;

use super::dates::{DateRule, DayNumber, day_of, days_from_monday};
use crate::interval::Interval;
use crate::timestamp::Timestamp;
use crate::zone::Zone;

/// Seconds in a day of 24 hours.
pub const DAY: i64 = 86_400;

/// Windows on the wall clock of a zone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recurring {
    /// Whose wall clock.
    pub zone: Zone,
    /// The local dates on which windows start.
    pub dates: DateRule,
    /// The times of day; at least one.
    pub times: Vec<TimeWindow>,
}

/// A window that starts at a time of day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeWindow {
    /// Seconds after local midnight on the clock's face, below [`DAY`].
    pub start: u32,
    /// When it ends.
    pub end: WindowEnd,
}

/// How the end of a window is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WindowEnd {
    /// At this time on the clock's face, up to and including 24:00; when it is
    /// not after the start, on the next day.
    Clock(u32),
    /// At this time on the first such weekday after the start date.
    Weekday(Weekday, u32),
    /// After this many elapsed seconds.
    After(u32),
}

impl TimeWindow {
    /// From 00:00 to 24:00.
    pub const WHOLE_DAY: Self = Self {
        start: 0,
        end: WindowEnd::Clock(86_400),
    };

    /// The end on the clock in local seconds after midnight of `day`; for
    /// elapsed time, `None`.
    fn clock_end(self, day: DayNumber) -> Option<i64> {
        match self.end {
            WindowEnd::Clock(end) if end > self.start => Some(i64::from(end)),
            WindowEnd::Clock(end) => Some(i64::from(end) + DAY),
            WindowEnd::Weekday(weekday, end) => {
                let ahead =
                    i64::from(weekday.num_days_from_monday()) - i64::from(days_from_monday(day));
                Some(i64::from(end) + if ahead > 0 { ahead } else { ahead + 7 } * DAY)
            }
            WindowEnd::After(_) => None,
        }
    }

    /// The longest that it can be, in seconds on the clock's face.
    #[must_use]
    pub fn longest(self) -> i64 {
        match self.end {
            WindowEnd::Clock(_) => DAY + i64::from(self.start),
            WindowEnd::Weekday(..) => 8 * DAY,
            WindowEnd::After(seconds) => i64::from(seconds),
        }
    }
}

/// UTC offsets run from -12 to +14 hours, so a local day lies within this
/// distance of the UTC day of the same name.
pub(super) const FARTHEST_OFFSET: i64 = 26 * 3600;

/// The local days on which something may start that overlaps `range`.
pub(super) fn days_around(range: Interval, longest: i64) -> std::ops::RangeInclusive<DayNumber> {
    let first = day_of(range.start().seconds() - longest - FARTHEST_OFFSET);
    first..=day_of(range.end().seconds() + FARTHEST_OFFSET)
}

/// `[start, end)` in seconds, if it holds anything.
pub(super) fn interval(start: i64, end: i64) -> Option<Interval> {
    Interval::new(Timestamp::from_seconds(start), Timestamp::from_seconds(end))
}

impl Recurring {
    /// Appends every window that overlaps `range`, whole and in order of their
    /// local dates, and perhaps some that lie just outside.
    pub(super) fn windows(&self, range: Interval, windows: &mut Vec<Interval>) {
        let longest = self
            .times
            .iter()
            .map(|time| time.longest())
            .max()
            .unwrap_or(0);
        let mut walker = self.zone.timeline().walker();
        for day in days_around(range, longest) {
            if !self.dates.contains(day) {
                continue;
            }
            let midnight = day * DAY;
            for time in &self.times {
                let start = midnight + i64::from(time.start);
                if let Some(end) = time.clock_end(day) {
                    let (start, end) = walker.window(start, midnight + end);
                    windows.extend(interval(start, end));
                } else if let WindowEnd::After(seconds) = time.end {
                    // A date that the zone skipped has no time at which anything could start.
                    let (first, last) = walker.window(midnight, midnight + DAY);
                    if first < last {
                        let (opening, _) = walker.window(start, start);
                        windows.extend(interval(opening, opening + i64::from(seconds)));
                    }
                }
            }
        }
    }
}
