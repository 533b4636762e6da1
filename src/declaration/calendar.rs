//! On which dates? Weekdays, days of the month, months and years, in
//! Alertmanager's spelling and ours.
//!
//! Every text that Alertmanager accepts means the same here; what it refuses
//! and we accept (`friday:monday`, `mon`, `last friday`) can therefore not be
//! confused with anything, and is accepted in `time_intervals` too.

use chrono::Weekday;

use super::fields::{did_you_mean, list, parsed};
use super::report::Report;
use super::scalar::{Mismatch, mismatch};
use super::yaml::Node;
use crate::schedule::{DayOfMonth, Weekdays};

/// Items of one list of weekdays, days, months or years: each of the 42 ways
/// to count a weekday, or of the 62 days from either end, fits.
const ITEMS: usize = 64;

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const COUNTS: [(&str, i8); 5] = [
    ("first", 1),
    ("second", 2),
    ("third", 3),
    ("fourth", 4),
    ("fifth", 5),
];

/// The full name or its first three letters, in any case.
pub(super) fn weekday(text: &str) -> Result<Weekday, Mismatch> {
    let word = text.to_lowercase();
    WEEKDAYS
        .iter()
        .find(|(name, _)| *name == word || name.get(..3) == Some(&word))
        .map(|(_, weekday)| *weekday)
        .ok_or_else(|| {
            let hint = if word.bytes().all(|byte| byte.is_ascii_digit()) {
                "write the weekday's name; numbers begin with Monday for some and with Sunday for others"
                    .to_owned()
            } else {
                did_you_mean(&word, WEEKDAYS.iter().map(|(name, _)| *name))
            };
            mismatch(format!("unknown weekday `{text}`"), hint)
        })
}

/// `monday`, `mon:fri`, `saturday:monday`, `second tuesday`, `last friday`.
pub(super) fn weekdays(node: &Node, report: &Report<'_>) -> Option<Weekdays> {
    let mut weekdays = Weekdays::default();
    let mut valid = true;
    for item in list(node, "a list of weekdays", ITEMS, report)? {
        let added = parsed(item, "a weekday", "invalid-weekday", report, |text| {
            add_weekdays(text, &mut weekdays)
        });
        valid &= added.is_some();
    }
    valid.then_some(weekdays)
}

fn add_weekdays(text: &str, weekdays: &mut Weekdays) -> Result<(), Mismatch> {
    if let Some((first, last)) = text.split_once(':') {
        if first.trim().contains(' ') || last.trim().contains(' ') {
            return Err(mismatch(
                format!("a counted weekday has no range: `{text}`"),
                "write each one as an item of its own",
            ));
        }
        let (mut day, last) = (weekday(first.trim())?, weekday(last.trim())?);
        weekdays.add(day);
        while day != last {
            day = day.succ();
            weekdays.add(day);
        }
        return Ok(());
    }
    match text.rsplit_once(' ') {
        None => weekdays.add(weekday(text)?),
        Some((count, name)) => weekdays.add_counted(count_within_month(count)?, weekday(name)?),
    }
    Ok(())
}

/// `first` to `fifth`, `last`, `second last` to `fifth last`.
fn count_within_month(text: &str) -> Result<i8, Mismatch> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let count = |word: &str| {
        COUNTS
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, count)| *count)
    };
    match words.as_slice() {
        ["last"] => Some(-1),
        [word] => count(word),
        [word, "last"] => count(word).map(|count| -count),
        _ => None,
    }
    .ok_or_else(|| {
        mismatch(
            format!("unknown count `{text}` before a weekday"),
            "the counts are first, second, third, fourth, fifth, last and second last",
        )
    })
}

/// Days from the begin of the month (`1`, `1:5`) or from its end (`-1`, `-3:-1`).
pub(super) fn days_of_month(node: &Node, report: &Report<'_>) -> Option<Vec<DayOfMonth>> {
    items(
        node,
        "a list of days of the month",
        "a day of the month",
        "invalid-day",
        report,
        |text| {
            let (first, last) = range(text, day_of_month)?;
            let days = DayOfMonth { first, last };
            if (28..=31).any(|length| holds_a_day(days, length)) {
                Ok(days)
            } else {
                Err(mismatch(
                    format!("the range `{text}` holds no day of any month"),
                    "put the earlier day first; negative days count from the end, -1 is the last",
                ))
            }
        },
    )
}

fn day_of_month(text: &str) -> Result<i8, Mismatch> {
    text.parse::<i8>()
        .ok()
        .filter(|day| (1..=31).contains(&day.unsigned_abs()) && !text.starts_with('+'))
        .ok_or_else(|| {
            mismatch(
                format!(
                    "no day of the month is `{text}`, expected 1 to 31, or -1 (the last) to -31"
                ),
                "",
            )
        })
}

/// Whether a month of that length has any of the days.
fn holds_a_day(days: DayOfMonth, length: i32) -> bool {
    let from_start = |day: i8| {
        if day < 0 {
            length + 1 + i32::from(day)
        } else {
            i32::from(day)
        }
    };
    from_start(days.first).max(1) <= from_start(days.last).min(length)
}

/// Months by name or number; bit 1 is January.
pub(super) fn months(node: &Node, report: &Report<'_>) -> Option<u16> {
    let ranges = items(
        node,
        "a list of months",
        "a month",
        "invalid-month",
        report,
        |text| {
            let (first, last) = range(text, month)?;
            if first > last {
                return Err(mismatch(
                    format!("the range `{text}` runs backwards"),
                    "write two ranges, the first until december and the second from january",
                ));
            }
            Ok(first..=last)
        },
    )?;
    Some(
        ranges
            .into_iter()
            .flatten()
            .fold(0, |months, month| months | 1 << month),
    )
}

fn month(text: &str) -> Result<u16, Mismatch> {
    let word = text.to_lowercase();
    let named = MONTHS
        .iter()
        .zip(1..)
        .find(|(name, _)| **name == word || name.get(..3) == Some(&word))
        .map(|(_, number)| number);
    let numbered = || {
        word.parse()
            .ok()
            .filter(|number| (1..=12).contains(number) && !word.starts_with('+'))
    };
    named.or_else(numbered).ok_or_else(|| {
        mismatch(
            format!("unknown month `{text}`, expected a name or 1 to 12"),
            did_you_mean(&word, MONTHS),
        )
    })
}

/// `2026` or `2026:2028`, both ends included.
pub(super) fn years(node: &Node, report: &Report<'_>) -> Option<Vec<(i32, i32)>> {
    items(
        node,
        "a list of years",
        "a year",
        "invalid-year",
        report,
        |text| {
            let (first, last) = range(text, |text| {
                let numeric = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
                text.parse::<i32>().ok().filter(|_| numeric).ok_or_else(|| {
                    mismatch(
                        format!("expected a year of four digits, but found `{text}`"),
                        "",
                    )
                })
            })?;
            if first > last {
                return Err(mismatch(
                    format!("the range `{text}` runs backwards"),
                    "put the earlier year first",
                ));
            }
            Ok((first, last))
        },
    )
}

/// Whether the calendar has none of the days in any of the months, whatever
/// the year; with `years`, in none of these.
pub(super) fn is_impossible(
    days: &[DayOfMonth],
    months: Option<u16>,
    years: Option<&[(i32, i32)]>,
) -> bool {
    let has_leap_year = years.is_none_or(|years| {
        // Any nine years in a row hold a leap year (1896 to 1904 were eight without).
        years.iter().any(|&(first, last)| {
            (first..=last)
                .take(9)
                .any(|year| chrono::NaiveDate::from_ymd_opt(year, 2, 29).is_some())
        })
    });
    let february = if has_leap_year { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let months = months.unwrap_or(u16::MAX);
    !lengths.iter().zip(1..).any(|(&length, month)| {
        let lengths = if month == 2 {
            28..=length
        } else {
            length..=length
        };
        months >> month & 1 == 1
            && lengths
                .into_iter()
                .any(|length| days.iter().any(|&days| holds_a_day(days, length)))
    })
}

/// `a` or `a:b`, each end as `parse` reads it.
fn range<T: Copy>(
    text: &str,
    parse: impl Fn(&str) -> Result<T, Mismatch>,
) -> Result<(T, T), Mismatch> {
    match text.split_once(':') {
        Some((first, last)) => Ok((parse(first.trim())?, parse(last.trim())?)),
        None => parse(text).map(|only| (only, only)),
    }
}

/// Every item of a list as `parse` reads it; `None` if any is wrong.
fn items<T>(
    node: &Node,
    list_of: &str,
    what: &str,
    code: &'static str,
    report: &Report<'_>,
    parse: impl Fn(&str) -> Result<T, Mismatch>,
) -> Option<Vec<T>> {
    let items = list(node, list_of, ITEMS, report)?;
    let values: Vec<T> = items
        .iter()
        .filter_map(|item| parsed(item, what, code, report, &parse))
        .collect();
    (values.len() == items.len()).then_some(values)
}
