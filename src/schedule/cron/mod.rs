//! When does a cron expression open a window? Five fields as Vixie cron reads
//! them, as Debian's cron runs them over clock changes.

mod days;
mod field;

use super::dates::{DateRange, date_of};
use super::recurring::{DAY, days_around, interval};
use crate::interval::{Interval, IntervalSet};
use crate::zone::Zone;
use days::Days;
use field::{HOUR, MINUTE, members};

/// Windows of fixed length that start when a cron expression says so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CronWindows {
    zone: Zone,
    duration: u32,
    except_dates: Vec<DateRange>,
    /// Minutes after local midnight, in order.
    times: Vec<u16>,
    /// `*` in the minute or hour field: every real match, where a fixed time
    /// happens once a day even when the clock shows it twice or never.
    wildcard: bool,
    days: Days,
}

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
        let days = Days::parse(day_of_month, month, day_of_week)?;
        let times = members(hours)
            .flat_map(|hour| members(minutes).map(move |minute| hour * 60 + minute))
            .collect();
        Ok(Self {
            zone,
            duration,
            except_dates,
            times,
            wildcard: minute.starts_with('*') || hour.starts_with('*'),
            days,
        })
    }

    /// Whether both day fields restrict, which surprises many: cron joins them
    /// with "or".
    #[must_use]
    pub const fn joins_days_with_or(&self) -> bool {
        self.days.are_joined_with_or()
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
        let mut days = self.days.between(first, last);
        days.retain(|day| {
            let date = date_of(*day);
            !date.is_some_and(|date| self.except_dates.iter().any(|range| range.contains(date)))
        });
        days
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::dates::day_number;
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
