//! On which dates? The calendar part of a rule, in local dates and without a zone.

use std::ops::RangeInclusive;

use chrono::{Datelike, NaiveDate, Weekday};

use super::recurring::DAY;

/// Days since 1970-01-01, on a local calendar.
pub(super) type DayNumber = i64;

/// The day number of a date.
pub(super) fn day_number(date: NaiveDate) -> DayNumber {
    date.signed_duration_since(NaiveDate::default()).num_days()
}

/// The date of a day number; `None` outside chrono's calendar.
pub(super) fn date_of(day: DayNumber) -> Option<NaiveDate> {
    NaiveDate::from_epoch_days(i32::try_from(day).ok()?)
}

/// Days since Monday: 0 is Monday. 1970-01-01 was a Thursday.
pub(super) const fn days_from_monday(day: DayNumber) -> u8 {
    #[expect(clippy::cast_possible_truncation, reason = "0 to 6")]
    let days = (day + 3).rem_euclid(7) as u8;
    days
}

/// The Monday of the week that holds a day.
pub(super) const fn monday_of(day: DayNumber) -> DayNumber {
    day - days_from_monday(day) as DayNumber
}

/// The local day that holds a local second.
pub(super) const fn day_of(local: i64) -> DayNumber {
    local.div_euclid(DAY)
}

/// Both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DateRange {
    /// The first date.
    pub first: NaiveDate,
    /// The last date; not before the first.
    pub last: NaiveDate,
}

impl DateRange {
    pub(super) fn contains(self, date: NaiveDate) -> bool {
        (self.first..=self.last).contains(&date)
    }
}

/// Days of a week: bit 0 is Monday.
pub(super) type WeekdaySet = u8;

const ALL_WEEKDAYS: WeekdaySet = 0b111_1111;

/// Weekdays, plain (`friday`) and counted within the month (`last friday`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Weekdays {
    every: WeekdaySet,
    /// The count within the month: 1 to 5, or -1 (the last) to -5.
    counted: Vec<(i8, Weekday)>,
}

impl Weekdays {
    /// Adds one weekday of every week.
    pub fn add(&mut self, weekday: Weekday) {
        self.every |= 1 << weekday.num_days_from_monday();
    }

    /// Adds the `count`th such weekday of every month, from the end when negative.
    pub fn add_counted(&mut self, count: i8, weekday: Weekday) {
        self.counted.push((count, weekday));
    }

    /// Those that occur at all, plain or counted.
    fn mentioned(&self) -> WeekdaySet {
        let counted = self.counted.iter();
        counted.fold(self.every, |set, (_, weekday)| {
            set | 1 << weekday.num_days_from_monday()
        })
    }

    fn has_counted(&self, date: NaiveDate) -> bool {
        let from_start = (date.day0() / 7) + 1;
        let from_end = (u32::from(date.num_days_in_month()) - date.day()) / 7 + 1;
        self.counted.iter().any(|&(count, weekday)| {
            let position = if count > 0 { from_start } else { from_end };
            weekday == date.weekday() && u32::from(count.unsigned_abs()) == position
        })
    }
}

/// Days of a month, counted from its end when negative: `1..=5`, `-3..=-1`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DayOfMonth {
    /// 1 to 31 or -31 to -1.
    pub first: i8,
    /// 1 to 31 or -31 to -1.
    pub last: i8,
}

impl DayOfMonth {
    /// A month without the first day has none of the range; the last is clamped.
    fn contains(self, date: NaiveDate) -> bool {
        let length = i32::from(date.num_days_in_month());
        let from_start = |day: i8| {
            let day = i32::from(day);
            if day < 0 { length + 1 + day } else { day }
        };
        let (first, last) = (from_start(self.first), from_start(self.last));
        let day = i32::try_from(date.day()).unwrap_or(0);
        // `-31` alone is the 0th day of a month of 30, which is no day; as the
        // begin of a range it means "from the start", as in Alertmanager.
        first <= day && day <= last
    }
}

/// Every nth day or week, counted from an anchor date and from it on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Every {
    /// What is counted.
    pub unit: EveryUnit,
    /// At least 1.
    pub count: u32,
    /// Counting starts here; earlier dates are out.
    pub anchor: NaiveDate,
}

/// What [`Every`] counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EveryUnit {
    /// Local dates.
    Days,
    /// ISO weeks, which begin on Monday.
    Weeks,
}

impl Every {
    fn contains(&self, day: DayNumber) -> bool {
        let anchor = day_number(self.anchor);
        let (passed, period) = match self.unit {
            EveryUnit::Days => (day - anchor, i64::from(self.count)),
            EveryUnit::Weeks => (
                monday_of(day) - monday_of(anchor),
                i64::from(self.count) * 7,
            ),
        };
        day >= anchor && passed % period == 0
    }
}

/// The dates on which windows start. All parts must hold; an absent one always does.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DateRule {
    /// Any of these.
    pub weekdays: Option<Weekdays>,
    /// Any of these.
    pub days_of_month: Option<Vec<DayOfMonth>>,
    /// Bit 1 is January, bit 12 is December.
    pub months: Option<u16>,
    /// Any of these, both ends included.
    pub years: Option<Vec<(i32, i32)>>,
    /// Every nth.
    pub every: Option<Every>,
    /// None of these (`except_dates`).
    pub except_dates: Vec<DateRange>,
}

impl DateRule {
    /// Whether windows start on that local date.
    #[must_use]
    pub fn selects(&self, date: NaiveDate) -> bool {
        self.contains(day_number(date))
    }

    /// The weeks that hold `days`: the Monday of each, and its days on which
    /// windows start.
    pub(super) fn weeks(
        &self,
        days: RangeInclusive<DayNumber>,
    ) -> impl Iterator<Item = (DayNumber, WeekdaySet)> {
        let mentioned = self.mentioned();
        let is_weekly = self.is_weekly();
        let mondays = (monday_of(*days.start())..=*days.end()).step_by(7);
        mondays.map(move |monday| {
            if is_weekly {
                return (monday, mentioned);
            }
            let weekdays = (0..7)
                .filter(|weekday| mentioned >> weekday & 1 == 1)
                .filter(|weekday| self.contains(monday + weekday))
                .fold(0, |set, weekday| set | 1 << weekday);
            (monday, weekdays)
        })
    }

    /// The weekdays on which windows may start.
    pub(super) fn mentioned(&self) -> WeekdaySet {
        self.weekdays
            .as_ref()
            .map_or(ALL_WEEKDAYS, Weekdays::mentioned)
    }

    /// Whether the weekday alone decides, so that no calendar is needed.
    pub(super) fn is_weekly(&self) -> bool {
        self.days_of_month.is_none()
            && self.months.is_none()
            && self.years.is_none()
            && self.every.is_none()
            && self.except_dates.is_empty()
            && self
                .weekdays
                .as_ref()
                .is_none_or(|weekdays| weekdays.counted.is_empty())
    }

    /// Whether windows start on that local date.
    fn contains(&self, day: DayNumber) -> bool {
        self.every.is_none_or(|every| every.contains(day))
            && date_of(day).is_some_and(|date| self.contains_date(day, date))
    }

    fn contains_date(&self, day: DayNumber, date: NaiveDate) -> bool {
        let weekday_fits = self.weekdays.as_ref().is_none_or(|weekdays| {
            weekdays.every >> days_from_monday(day) & 1 == 1 || weekdays.has_counted(date)
        });
        let day_fits = self
            .days_of_month
            .as_ref()
            .is_none_or(|days| days.iter().any(|range| range.contains(date)));
        let month_fits = self
            .months
            .is_none_or(|months| months >> date.month() & 1 == 1);
        let year_fits = self.years.as_ref().is_none_or(|years| {
            years
                .iter()
                .any(|&(first, last)| (first..=last).contains(&date.year()))
        });
        let excepted = self.except_dates.iter().any(|range| range.contains(date));
        weekday_fits && day_fits && month_fits && year_fits && !excepted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn fifth_and_last_weekdays() {
        let rule = |count| {
            let mut weekdays = Weekdays::default();
            weekdays.add_counted(count, Weekday::Fri);
            DateRule {
                weekdays: Some(weekdays),
                ..DateRule::default()
            }
        };
        let days = |count| -> Vec<String> {
            let rule = rule(count);
            (day_number(date("2026-01-01"))..day_number(date("2026-03-01")))
                .filter(|&day| rule.contains(day))
                .filter_map(date_of)
                .map(|date| date.to_string())
                .collect()
        };
        assert_eq!(days(2), ["2026-01-09", "2026-02-13"]);
        assert_eq!(days(5), ["2026-01-30"]);
        assert_eq!(days(-1), ["2026-01-30", "2026-02-27"]);
    }

    #[test]
    fn days_of_month_from_either_end() {
        let in_february = |first, last| {
            (1..=28)
                .filter(|&day| {
                    let date = NaiveDate::from_ymd_opt(2026, 2, day).expect("a date");
                    DayOfMonth { first, last }.contains(date)
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(in_february(-2, -1), [27, 28]);
        assert_eq!(in_february(27, 31), [27, 28]);
        assert_eq!(in_february(31, 31), Vec::<u32>::new());
        assert_eq!(in_february(-31, 2), [1, 2]);
        assert_eq!(in_february(-31, -31), Vec::<u32>::new());
    }

    #[test]
    fn counted_weeks_begin_on_monday_and_at_the_anchor() {
        let anchor = date("2026-03-18");
        let every = Every {
            unit: EveryUnit::Weeks,
            count: 2,
            anchor,
        };
        assert!(
            !every.contains(day_number(date("2026-03-16"))),
            "before the anchor"
        );
        assert!(every.contains(day_number(date("2026-03-22"))), "same week");
        assert!(!every.contains(day_number(date("2026-03-23"))), "next week");
        assert!(
            every.contains(day_number(date("2026-03-30"))),
            "the week after"
        );
    }
}
