//! Which windows does a wall-clock rule open? Dates times times of day.

use chrono::Weekday;

use super::dates::{DateRule, DayNumber, day_of};
use crate::interval::{Interval, IntervalSet};
use crate::timestamp::Timestamp;
use crate::zone::{LocalSeconds, Walker, Zone};

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

    /// The window that starts on that day of a week.
    fn in_week(self, weekday: u8) -> WeekWindow {
        let day = i64::from(weekday);
        let start = day * DAY + i64::from(self.start);
        let end = match self.end {
            WindowEnd::Clock(end) if end > self.start => day * DAY + i64::from(end),
            WindowEnd::Clock(end) => (day + 1) * DAY + i64::from(end),
            WindowEnd::Weekday(last, end) => {
                let last = i64::from(last.num_days_from_monday());
                let week = if last > day { 0 } else { 7 };
                (last + week) * DAY + i64::from(end)
            }
            WindowEnd::After(seconds) => start + i64::from(seconds),
        };
        WeekWindow {
            weekday,
            start,
            end,
            end_is_elapsed: matches!(self.end, WindowEnd::After(_)),
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

/// A window in any week, in local seconds after the Monday's midnight.
struct WeekWindow {
    /// The day on which it starts; 0 is Monday.
    weekday: u8,
    start: i64,
    end: i64,
    /// The end is counted from the start and not read from the clock.
    end_is_elapsed: bool,
}

impl WeekWindow {
    /// The last local time that decides when it is open, or whether there is its day.
    fn last_reading(&self) -> i64 {
        if self.end_is_elapsed {
            (i64::from(self.weekday) + 1) * DAY
        } else {
            self.end
        }
    }

    /// `[start, end)` in the week of `monday`, as the zone's clock has it.
    fn by_clock(&self, monday: LocalSeconds, walker: &mut Walker) -> (i64, i64) {
        if !self.end_is_elapsed {
            return walker.window(monday + self.start, monday + self.end);
        }
        // A date that the zone skipped has no time at which anything could start.
        let midnight = monday + i64::from(self.weekday) * DAY;
        let (first, last) = walker.window(midnight, midnight + DAY);
        if first >= last {
            return (first, first);
        }
        let (opening, _) = walker.window(monday + self.start, monday + self.start);
        (opening, opening + self.end - self.start)
    }
}

impl Recurring {
    /// The instants of its windows inside `range`.
    pub(super) fn expand(&self, range: Interval) -> IntervalSet {
        let week = self.week();
        let earliest = week.first().map_or(0, |window| window.start);
        let latest = week.iter().map(WeekWindow::last_reading).max().unwrap_or(0);
        let longest = self.times.iter().map(|time| time.longest()).max();
        let days = days_around(range, longest.unwrap_or(0));

        let mut set = if self.dates.is_weekly() {
            let weeks = (days.end() - days.start()) / 7 + 2;
            IntervalSet::with_capacity(usize::try_from(weeks).unwrap_or(0) * week.len())
        } else {
            IntervalSet::empty() // Few may be left.
        };
        let mut walker = self.zone.timeline().walker();
        for (monday, weekdays) in self.dates.weeks(days) {
            let monday = monday * DAY;
            let calm = walker.calm_offset(monday + earliest, monday + latest);
            for window in &week {
                if weekdays >> window.weekday & 1 == 0 {
                    continue;
                }
                // Without a change of the clock near, a week is plain arithmetic.
                let (start, end) = match calm {
                    Some(offset) => (monday + window.start - offset, monday + window.end - offset),
                    None => window.by_clock(monday, &mut walker),
                };
                if let Some(inside) = interval(start, end).and_then(|all| all.intersection(range)) {
                    set.append(inside);
                }
            }
        }
        set
    }

    /// The windows of a week that the dates leave whole, in order of their starts.
    fn week(&self) -> Vec<WeekWindow> {
        let mentioned = self.dates.mentioned();
        let days = (0..7).filter(|weekday| mentioned >> weekday & 1 == 1);
        let mut week: Vec<_> = days
            .flat_map(|weekday| self.times.iter().map(move |time| time.in_week(weekday)))
            .collect();
        week.sort_by_key(|window| window.start);
        week
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::dates::{Weekdays, days_from_monday};
    use crate::zone::ZoneDatabase;

    /// The windows as the definition has them, day by day and without a walker.
    fn day_by_day(rule: &Recurring, weekdays: u8, range: Interval) -> IntervalSet {
        let timeline = rule.zone.timeline();
        let window = |day: i64, time: &TimeWindow| {
            let window = time.in_week(days_from_monday(day));
            let monday = day * DAY - i64::from(window.weekday) * DAY;
            let start = timeline.opening(monday + window.start).seconds();
            if !window.end_is_elapsed {
                return interval(start, timeline.closing(monday + window.end).seconds());
            }
            let skipped = timeline.skips(day * DAY, (day + 1) * DAY);
            interval(start, start + window.end - window.start).filter(|_| !skipped)
        };
        let all: IntervalSet = days_around(range, 9 * DAY)
            .filter(|&day| weekdays >> days_from_monday(day) & 1 == 1)
            .flat_map(|day| rule.times.iter().filter_map(move |time| window(day, time)))
            .collect();
        all.clip(range)
    }

    #[test]
    fn week_by_week_agrees_with_day_by_day_round_changes_of_every_zone() {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        let database = ZoneDatabase::bundled();
        for name in database.names() {
            let zone = database.zone(name).expect(name);
            let changes: Vec<_> = zone.timeline().changes().collect();
            for _ in 0..20 {
                let change = random
                    .choice(&changes)
                    .map_or(1_800_000_000, |at| at.seconds());
                let start = (change + random.i64(-20 * DAY..20 * DAY)).max(0);
                let range = interval(start, start + random.i64(1..60 * DAY)).expect("not empty");
                let mask = random.u8(1..128);
                let mut weekdays = Weekdays::default();
                for weekday in (0..7).filter(|weekday| mask >> weekday & 1 == 1) {
                    weekdays.add(Weekday::try_from(weekday).expect("a weekday"));
                }
                let time = |random: &mut fastrand::Rng| TimeWindow {
                    start: random.u32(0..96) * 900,
                    end: match random.u8(0..3) {
                        0 => WindowEnd::Clock(random.u32(1..=96) * 900),
                        1 => {
                            let last = Weekday::try_from(random.u8(0..7)).expect("a weekday");
                            WindowEnd::Weekday(last, random.u32(0..=96) * 900)
                        }
                        _ => WindowEnd::After(random.u32(1..200_000)),
                    },
                };
                let rule = Recurring {
                    zone: zone.clone(),
                    dates: DateRule {
                        weekdays: Some(weekdays),
                        ..DateRule::default()
                    },
                    times: (0..random.u8(1..4)).map(|_| time(&mut random)).collect(),
                };
                assert_eq!(
                    rule.expand(range),
                    day_by_day(&rule, mask, range),
                    "{rule:?} in {range:?}"
                );
            }
        }
    }
}
