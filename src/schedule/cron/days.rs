//! Which dates do the day fields of a cron expression select?
//!
//! The `cron` crate numbers the days of the week from 1 = Sunday, joins the two
//! day fields with "and", and steps wrongly through repeated hours. So it only
//! ever sees dates, in UTC, and weekdays by name.

use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::CronError;
use super::field::{DAY_OF_MONTH, DAY_OF_WEEK, MONTH, NumberSet, WEEKDAYS, members};
use crate::schedule::dates::day_number;
use crate::schedule::recurring::DAY;

/// The local dates that the fields for the day of month, the month and the day
/// of week select together.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Days {
    /// The dates of any of these, each at midnight UTC: two where the day fields
    /// are joined with "or".
    steppers: Vec<cron::Schedule>,
}

impl Eq for Days {}

impl Days {
    pub(super) fn parse(
        day_of_month: &str,
        month: &str,
        day_of_week: &str,
    ) -> Result<Self, CronError> {
        let days = DAY_OF_MONTH.parse(day_of_month)?;
        let months = MONTH.parse(month)?;
        let weekdays = DAY_OF_WEEK.parse(day_of_week)?;

        // A day field that begins with a star does not restrict (Vixie's star
        // rule); two restricting ones are joined with "or".
        if !day_of_month.starts_with('*') && !day_of_week.starts_with('*') {
            let all_days = DAY_OF_MONTH.parse("*")?;
            let all_weekdays = DAY_OF_WEEK.parse("*")?;
            let steppers = vec![
                stepper(days, months, all_weekdays)?,
                stepper(all_days, months, weekdays)?,
            ];
            return Ok(Self { steppers });
        }
        if !occurs(days, months) {
            return Err(CronError::Never);
        }
        let steppers = vec![stepper(days, months, weekdays)?];
        Ok(Self { steppers })
    }

    /// Whether both day fields restrict.
    pub(super) const fn are_joined_with_or(&self) -> bool {
        self.steppers.len() > 1
    }

    /// Those in `first..=last`, in order, as days since 1970-01-01.
    pub(super) fn between(&self, first: i64, last: i64) -> Vec<i64> {
        let steppers = self.steppers.iter();
        let mut days: Vec<i64> = steppers
            .flat_map(|stepper| steps(stepper, first, last))
            .collect();
        if self.are_joined_with_or() {
            days.sort_unstable();
            days.dedup();
        }
        days
    }
}

/// Days after which the calendar repeats itself, weekdays included: 28 years,
/// from 1901 to 2099.
const CALENDAR: i64 = 28 * 365 + 7;

/// The dates in `first..=last` that a schedule of the crate selects, in order.
/// It knows no year before 1970, but what was open then may have begun earlier;
/// those dates are looked up where the calendar is the same.
fn steps(stepper: &cron::Schedule, first: i64, last: i64) -> impl Iterator<Item = i64> {
    let known = move |first: i64, last: i64| {
        let before = DateTime::<Utc>::from_timestamp(first * DAY - 1, 0).unwrap_or_default();
        stepper
            .after(&before)
            .map(|midnight| day_number(midnight.date_naive()))
            .take_while(move |day| *day <= last)
    };
    let early = (first < 0).then(|| known(first + CALENDAR, last.min(-1) + CALENDAR));
    let early = early.into_iter().flatten().map(|day| day - CALENDAR);
    early.chain(known(first.max(0), last))
}

/// Whether any of the months has any of the days; February counts 29.
fn occurs(days: NumberSet, months: NumberSet) -> bool {
    const LENGTHS: [u16; 13] = [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    members(months).any(|month| {
        let length = LENGTHS.get(usize::from(month)).copied().unwrap_or(0);
        members(days).any(|day| day <= length)
    })
}

/// The crate's schedule for midnight on the selected dates.
fn stepper(
    days: NumberSet,
    months: NumberSet,
    weekdays: NumberSet,
) -> Result<cron::Schedule, CronError> {
    let list = |set: NumberSet| {
        members(set)
            .map(|number| number.to_string())
            .collect::<Vec<_>>()
            .join(",")
    };
    let names: Vec<&str> = members(weekdays)
        .filter_map(|day| WEEKDAYS.get(usize::from(day)).copied())
        .collect();
    // All seven as a star: the crate then skips its weekday test.
    let weekdays = if names.len() == 7 {
        "*".to_owned()
    } else {
        names.join(",")
    };
    let expression = format!("0 0 0 {} {} {weekdays}", list(days), list(months));
    cron::Schedule::from_str(&expression).map_err(|error| CronError::Field {
        field: "day",
        item: expression,
        reason: error.to_string(),
    })
}
