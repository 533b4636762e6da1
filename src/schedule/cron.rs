//! When does a cron expression open a window? Five fields as Vixie cron reads
//! them, as Debian's cron runs them over clock changes.
//!
//! The `cron` crate numbers the days of the week from 1 = Sunday, joins the two
//! day fields with "and", and steps wrongly through repeated hours. So it only
//! ever sees dates, in UTC, and weekdays by name: it answers which local dates
//! an expression selects, and the times of day and their way to UTC are ours.

use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::dates::{DateRange, date_of, day_number};
use super::recurring::{DAY, days_around, interval};
use crate::interval::{Interval, IntervalSet};
use crate::zone::Zone;

/// Windows of fixed length that start when a cron expression says so.
#[derive(Clone, PartialEq, Debug)]
pub struct CronWindows {
    zone: Zone,
    duration: u32,
    except_dates: Vec<DateRange>,
    /// Minutes after local midnight, in order.
    times: Vec<u16>,
    /// `*` in the minute or hour field: every real match, where a fixed time
    /// happens once a day even when the clock shows it twice or never.
    wildcard: bool,
    /// The selected dates are those of any of these, each at midnight UTC.
    dates: Vec<cron::Schedule>,
    both_days: bool,
}

impl Eq for CronWindows {}

/// Why an expression is not five-field cron; for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// Not five fields.
    #[error(
        "a cron expression has five fields (minute, hour, day of month, month, day of week), but this has {0}"
    )]
    FieldCount(usize),
    /// An `@name` that is not known or has no time.
    #[error(
        "unknown nickname `{0}`, expected one of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually"
    )]
    Nickname(String),
    /// A field with something that Vixie cron does not know.
    #[error("cannot read `{item}` in the {field} field: {reason}")]
    Field {
        /// Which field.
        field: &'static str,
        /// The item of its list.
        item: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The calendar has no such date.
    #[error("no date matches: the day of month never occurs in these months")]
    Never,
}

impl CronWindows {
    /// Reads a five-field expression; windows last `duration` elapsed seconds.
    pub fn parse(
        expression: &str,
        duration: u32,
        zone: Zone,
        except_dates: Vec<DateRange>,
    ) -> Result<Self, CronError> {
        let fields: Vec<&str> = match expression.trim() {
            nickname if nickname.starts_with('@') => nickname_fields(nickname)?.to_vec(),
            line => line.split_ascii_whitespace().collect(),
        };
        let [minute, hour, day_of_month, month, day_of_week] = fields.as_slice() else {
            return Err(CronError::FieldCount(fields.len()));
        };
        let minutes = MINUTE.parse(minute)?;
        let hours = HOUR.parse(hour)?;
        let days = DAY_OF_MONTH.parse(day_of_month)?;
        let months = MONTH.parse(month)?;
        let weekdays = DAY_OF_WEEK.parse(day_of_week)?;

        // A day field that begins with a star does not restrict (Vixie's star
        // rule); two restricting ones are joined with "or".
        let both_days = !day_of_month.starts_with('*') && !day_of_week.starts_with('*');
        let all_days = DAY_OF_MONTH.parse("*")?;
        let all_weekdays = DAY_OF_WEEK.parse("*")?;
        let dates = if both_days {
            vec![
                stepper(days, months, all_weekdays)?,
                stepper(all_days, months, weekdays)?,
            ]
        } else {
            vec![stepper(days, months, weekdays)?]
        };
        if !both_days && !occurs(days, months) {
            return Err(CronError::Never);
        }
        let times = members(hours)
            .flat_map(|hour| members(minutes).map(move |minute| hour * 60 + minute))
            .collect();
        Ok(Self {
            zone,
            duration,
            except_dates,
            times,
            wildcard: minute.starts_with('*') || hour.starts_with('*'),
            dates,
            both_days,
        })
    }

    /// Whether both day fields restrict, which surprises many: cron joins them
    /// with "or".
    #[must_use]
    pub const fn joins_days_with_or(&self) -> bool {
        self.both_days
    }

    /// Whose wall clock.
    #[must_use]
    pub const fn zone(&self) -> &Zone {
        &self.zone
    }

    /// How many windows start on a selected day.
    #[must_use]
    pub fn starts_a_day(&self) -> usize {
        self.times.len()
    }

    /// The same starts with windows of another length.
    #[must_use]
    pub fn with_duration(&self, duration: u32) -> Self {
        Self {
            duration,
            ..self.clone()
        }
    }

    /// The instants of its windows inside `range`.
    pub(super) fn expand(&self, range: Interval) -> IntervalSet {
        let duration = i64::from(self.duration);
        let days = days_around(range, duration);
        let timeline = self.zone.timeline();
        let mut walker = timeline.walker();
        let window = |start: i64| interval(start, start + duration)?.intersection(range);
        let mut windows = Vec::new();
        for day in self.days(*days.start(), *days.end()) {
            let midnight = day * DAY;
            let (first, last) = walker.window(midnight, midnight + DAY);
            if first >= last {
                continue; // The zone skipped this date.
            }
            let plain = last - first == DAY;
            for time in &self.times {
                let local = midnight + i64::from(*time) * 60;
                if plain || !self.wildcard {
                    windows.extend(window(walker.window(local, local).0));
                } else {
                    let starts = timeline.instants(local);
                    windows.extend(starts.filter_map(|start| window(start.seconds())));
                }
            }
        }
        windows.into_iter().collect()
    }

    /// The selected local dates in `first..=last`, in order.
    fn days(&self, first: i64, last: i64) -> Vec<i64> {
        let mut days: Vec<i64> = self
            .dates
            .iter()
            .flat_map(|stepper| steps(stepper, first, last))
            .filter(|day| {
                let date = date_of(*day);
                !date.is_some_and(|date| self.except_dates.iter().any(|range| range.contains(date)))
            })
            .collect();
        if self.dates.len() > 1 {
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

/// A set of the numbers 0 to 59.
type NumberSet = u64;

fn members(set: NumberSet) -> impl Iterator<Item = u16> + Clone {
    (0..60).filter(move |number| set >> number & 1 == 1)
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

fn nickname_fields(nickname: &str) -> Result<&'static [&'static str; 5], CronError> {
    Ok(match nickname {
        "@hourly" => &["0", "*", "*", "*", "*"],
        "@daily" | "@midnight" => &["0", "0", "*", "*", "*"],
        "@weekly" => &["0", "0", "*", "*", "0"],
        "@monthly" => &["0", "0", "1", "*", "*"],
        "@yearly" | "@annually" => &["0", "0", "1", "1", "*"],
        _ => return Err(CronError::Nickname(nickname.to_owned())),
    })
}

struct Field {
    name: &'static str,
    least: u64,
    most: u64,
    /// Names for the numbers from `least` on.
    names: &'static [&'static str],
}

const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];

const MINUTE: Field = Field {
    name: "minute",
    least: 0,
    most: 59,
    names: &[],
};
const HOUR: Field = Field {
    name: "hour",
    least: 0,
    most: 23,
    names: &[],
};
const DAY_OF_MONTH: Field = Field {
    name: "day of month",
    least: 1,
    most: 31,
    names: &[],
};
const MONTH: Field = Field {
    name: "month",
    least: 1,
    most: 12,
    names: &MONTHS,
};
/// 0 and 7 are both Sunday, so that `5-7` is Friday to Sunday.
const DAY_OF_WEEK: Field = Field {
    name: "day of week",
    least: 0,
    most: 7,
    names: &WEEKDAYS,
};

impl Field {
    /// A comma list of `*`, `*/n`, `a`, `a-b`, `a-b/n`.
    fn parse(&self, text: &str) -> Result<NumberSet, CronError> {
        let mut set = 0;
        for item in text.split(',') {
            let (first, last, step) = self.item(item).map_err(|reason| CronError::Field {
                field: self.name,
                item: item.to_owned(),
                reason,
            })?;
            for number in (first..=last).step_by(step) {
                set |= 1 << number;
            }
        }
        if self.most == 7 && set >> 7 & 1 == 1 {
            set = set & 0x7f | 1;
        }
        Ok(set)
    }

    fn item(&self, item: &str) -> Result<(u64, u64, usize), String> {
        let (range, step) = match item.split_once('/') {
            None => (item, None),
            Some((range, step)) => {
                let step = step
                    .parse::<usize>()
                    .ok()
                    .filter(|step| (1..=60).contains(step));
                (
                    range,
                    Some(step.ok_or("the step after `/` must be a number from 1 on")?),
                )
            }
        };
        if range == "*" {
            return Ok((
                self.least,
                self.most.min(if self.most == 7 { 6 } else { 59 }),
                step.unwrap_or(1),
            ));
        }
        if let Some((first, last)) = range.split_once('-') {
            let (first, last) = (self.number(first)?, self.number(last)?);
            if first > last {
                return Err(format!("`{range}` runs backwards; write two ranges"));
            }
            return Ok((first, last, step.unwrap_or(1)));
        }
        if step.is_some() {
            return Err(format!(
                "a step needs a range before it: `{range}-{}/n` or `*/n`",
                self.most
            ));
        }
        let number = self.number(range)?;
        Ok((number, number, 1))
    }

    fn number(&self, text: &str) -> Result<u64, String> {
        if let Some(index) = self
            .names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(text))
        {
            return Ok(self.least + u64::try_from(index).unwrap_or(0));
        }
        let number = text
            .parse::<u64>()
            .ok()
            .filter(|number| (self.least..=self.most).contains(number));
        let numeric = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        number.filter(|_| numeric).ok_or_else(|| {
            let names = match (self.names.first(), self.names.last()) {
                (Some(first), Some(last)) => format!(" or {first} to {last}"),
                _ => String::new(),
            };
            format!("expected {} to {}{names}", self.least, self.most)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::ZoneDatabase;

    fn parse(expression: &str) -> Result<CronWindows, CronError> {
        let zone = ZoneDatabase::bundled().zone("UTC").expect("bundled");
        CronWindows::parse(expression, 60, zone, Vec::new())
    }

    fn days(expression: &str) -> Vec<i64> {
        let february = day_number("2026-02-01".parse().expect("a date"));
        let cron = parse(expression).expect("valid");
        cron.days(february, february + 27)
            .into_iter()
            .map(|day| day - february + 1)
            .collect()
    }

    #[test]
    fn weekdays_count_from_sunday_as_zero_and_seven() {
        assert_eq!(days("0 0 * * 0"), [1, 8, 15, 22]);
        assert_eq!(days("0 0 * * 7"), [1, 8, 15, 22]);
        assert_eq!(days("0 0 * * sun"), [1, 8, 15, 22]);
        assert_eq!(
            days("0 0 * * 5-7"),
            [1, 6, 7, 8, 13, 14, 15, 20, 21, 22, 27, 28]
        );
        assert_eq!(days("0 0 * * MON-WED,5"), days("0 0 * * 1,2,3,5"));
        assert_eq!(days("0 0 * * */2"), days("0 0 * * 0,2,4,6"));
    }

    #[test]
    fn day_fields_join_with_or_unless_one_begins_with_a_star() {
        assert_eq!(days("0 0 13 * 5"), [6, 13, 20, 27]);
        assert_eq!(days("0 0 */2 * 1"), [9, 23]);
    }

    #[test]
    fn a_window_that_was_open_as_1970_began_started_on_a_date_of_its_own_year() {
        let cron = parse("0 0 30 * 2")
            .expect("valid")
            .with_duration(4 * 86_400);
        // 1969-12-30 was a Tuesday, 1970-01-01 a Thursday.
        assert_eq!(cron.days(-9, 6), [-9, -2, 5]);
        let range = interval(0, 7 * DAY).expect("not empty");
        let expected = [interval(0, 2 * DAY), interval(5 * DAY, 7 * DAY)];
        let expected: IntervalSet = expected.into_iter().flatten().collect();
        assert_eq!(cron.expand(range), expected);
    }

    #[test]
    fn errors_say_what_is_expected() {
        let error = |expression: &str| {
            parse(expression)
                .map(|_| ())
                .expect_err(expression)
                .to_string()
        };
        let shown = [
            "0 22 * *",
            "0 0 22 * * 1-5",
            "60 * * * *",
            "0 0 * * 5-1",
            "5/15 * * * *",
            "*/0 * * * *",
            "0 0 L * *",
            "0 0 ? * 1",
            "0 0 * foo *",
            "+5 * * * *",
            "0 0 30 2 *",
            "@reboot",
        ]
        .map(error)
        .join("\n");
        expect_test::expect![[r"
            a cron expression has five fields (minute, hour, day of month, month, day of week), but this has 4
            a cron expression has five fields (minute, hour, day of month, month, day of week), but this has 6
            cannot read `60` in the minute field: expected 0 to 59
            cannot read `5-1` in the day of week field: `5-1` runs backwards; write two ranges
            cannot read `5/15` in the minute field: a step needs a range before it: `5-59/n` or `*/n`
            cannot read `*/0` in the minute field: the step after `/` must be a number from 1 on
            cannot read `L` in the day of month field: expected 1 to 31
            cannot read `?` in the day of month field: expected 1 to 31
            cannot read `foo` in the month field: expected 1 to 12 or JAN to DEC
            cannot read `+5` in the minute field: expected 0 to 59
            no date matches: the day of month never occurs in these months
            unknown nickname `@reboot`, expected one of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually"]]
        .assert_eq(&shown);
    }
}
