//! What will people wonder about? Warnings that depend on the time: windows that
//! are past, that never come, or that are not what they look like.
//!
//! None of them is an error, so that no file breaks by the passing of time.

use std::time::Duration;

use chrono::{Datelike, NaiveDate};

use super::diagnostic::{Diagnostic, Severity};
use super::report::Place;
use super::{Declaration, Declarations};
use crate::interval::{Interval, IntervalSet};
use crate::name::SilenceName;
use crate::schedule::{CronWindows, DAY, Form, Recurring, Schedule, TimeWindow, WindowEnd};
use crate::timestamp::Timestamp;

/// How far a schedule is searched for its next window.
const FIVE_YEARS: i64 = 5 * 366;

/// How far windows are looked at one by one.
const YEAR: i64 = 366;

/// Something in a schedule that is worth a look, with its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    place: Place,
    check: Check,
}

impl Rule {
    pub(super) const fn new(place: Place, check: Check) -> Self {
        Self { place, check }
    }
}

/// What to look at; the large ones apart, so that the many rules of a
/// repository stay small.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Check {
    Once {
        start: Timestamp,
        end: Timestamp,
    },
    Recurring(Box<Recurring>),
    Cron {
        cron: Box<CronWindows>,
        duration: u32,
    },
    AllOf(Box<Schedule>),
    /// The whole.
    Declaration,
}

/// The warnings about valid declarations that depend on `now`, ordered by file
/// and position.
#[must_use]
pub fn review(declarations: &Declarations, now: Timestamp) -> Vec<Diagnostic> {
    let mut diagnostics: Vec<Diagnostic> = declarations
        .silences
        .iter()
        .flat_map(|declaration| review_one(declaration, now))
        .collect();
    diagnostics.sort_by(|left, right| position(left).cmp(&position(right)));
    // What two declarations refer to is looked at twice.
    diagnostics.dedup();
    diagnostics
}

fn position(diagnostic: &Diagnostic) -> (&str, u64, u64, &str) {
    (
        &diagnostic.file,
        diagnostic.line,
        diagnostic.column,
        &diagnostic.message,
    )
}

fn review_one(declaration: &Declaration, now: Timestamp) -> Vec<Diagnostic> {
    let name = &declaration.name;
    let mut found = Vec::new();
    // What concerns the whole comes last: a rule may have explained it.
    for rule in declaration.rules.iter().rev() {
        let findings = match &rule.check {
            Check::Declaration => of_declaration(declaration, &found, now)
                .into_iter()
                .collect(),
            _ if declaration.expires.is_some_and(|expires| expires <= now) => Vec::new(),
            Check::Once { start, end } => once(*start, *end, now).into_iter().collect(),
            Check::Recurring(recurring) => of_recurring(recurring, now),
            Check::Cron { cron, duration } => of_cron(cron, *duration, now).into_iter().collect(),
            Check::AllOf(all) => of_intersection(all, name, now).into_iter().collect(),
        };
        found.extend(findings.into_iter().map(|finding| {
            let Finding {
                code,
                message,
                hint,
            } = finding;
            rule.place
                .diagnostic(Severity::Warning, code, message, hint)
        }));
    }
    found
}

/// Whether the declaration does nothing any more, unless `found` says why.
fn of_declaration(
    declaration: &Declaration,
    found: &[Diagnostic],
    now: Timestamp,
) -> Option<Finding> {
    let name = &declaration.name;
    if let Some(expires) = declaration.expires.filter(|expires| *expires <= now) {
        return Some(Finding {
            code: "expired",
            message: format!("`{name}` expired at {expires} and does nothing any more"),
            hint: "delete it".to_owned(),
        });
    }
    // Of a schedule with several parts, what is wrong with one explains nothing.
    let is_simple = matches!(
        declaration.schedule.form,
        Form::Once(_) | Form::Recurring(_) | Form::AllOf(_)
    );
    let is_explained = is_simple
        && found.iter().any(|finding| {
            matches!(
                finding.code,
                "past-window" | "past-years" | "empty-intersection" | "window-in-gap"
            )
        });
    (!is_explained && !occurs(&declaration.schedule, now, FIVE_YEARS)).then(|| Finding {
        code: "no-occurrence",
        message: format!("`{name}` has no window in the next five years"),
        hint: "delete it, or change its schedule".to_owned(),
    })
}

fn of_cron(cron: &CronWindows, duration: u32, now: Timestamp) -> Option<Finding> {
    cron_overlaps(cron, duration, now).then(|| Finding {
        code: "overlapping-windows",
        message: format!(
            "a window lasts {} and the next one starts before it ends, so they become one",
            spoken(i64::from(duration))
        ),
        hint: "shorten `duration`, or write `always` if it is meant to have no end".to_owned(),
    })
}

fn of_intersection(all: &Schedule, name: &SilenceName, now: Timestamp) -> Option<Finding> {
    (!occurs(all, now, YEAR)).then(|| Finding {
        code: "empty-intersection",
        message: format!(
            "`{name}`: at no moment of the next year do all of these apply, so `all_of` never does"
        ),
        hint: "compare the parts in UTC; for either of them write `any_of`".to_owned(),
    })
}

struct Finding {
    code: &'static str,
    message: String,
    hint: String,
}

fn once(start: Timestamp, end: Timestamp, now: Timestamp) -> Option<Finding> {
    if start >= end {
        return Some(Finding {
            code: "window-in-gap",
            message: "the clocks skip this window when they change, so it never opens".to_owned(),
            hint: "write it with an offset from UTC, or at another time".to_owned(),
        });
    }
    (end <= now).then(|| Finding {
        code: "past-window",
        message: format!("this window is past, it ended at {end}"),
        hint: "delete it".to_owned(),
    })
}

fn of_recurring(recurring: &Recurring, now: Timestamp) -> Vec<Finding> {
    let zone = recurring.zone.timeline();
    let today = now.civil(zone.offset_at(now)).date();
    if let Some(last) = recurring
        .dates
        .years
        .as_ref()
        .and_then(|years| years.iter().map(|(_, last)| *last).max())
        && last < today.year()
    {
        return vec![Finding {
            code: "past-years",
            message: format!("the last of these years, {last}, is past"),
            hint: "delete this rule, or add years".to_owned(),
        }];
    }
    let mut findings = Vec::new();
    if let Some((time, date)) = overlap(recurring, today) {
        findings.push(Finding {
            code: "overlapping-windows",
            message: format!(
                "the window that starts on {date} lasts {} and the next one starts before it ends, so they become one",
                spoken(length(time, date))
            ),
            hint: "shorten it, or select fewer dates".to_owned(),
        });
    }
    if let Some(date) = first_skipped(recurring, now) {
        findings.push(Finding {
            code: "window-in-gap",
            message: format!(
                "on {date} the clocks in {} skip this window, so it does not open",
                recurring.zone.name()
            ),
            hint: "a window of another time, or with `duration`, opens on that day too".to_owned(),
        });
    }
    findings
}

/// The first date within a year whose window the clocks skip.
fn first_skipped(recurring: &Recurring, now: Timestamp) -> Option<NaiveDate> {
    let timeline = recurring.zone.timeline();
    let until = now.plus(days(YEAR));
    timeline
        .changes()
        .skip_while(|change| *change < now)
        .take_while(|change| *change < until)
        .flat_map(|change| {
            // The date on which the clocks begin to jump, and that to which they do.
            let before = timeline.offset_at(change.minus(Duration::from_secs(1)));
            [
                change.civil(before).date(),
                change.civil(timeline.offset_at(change)).date(),
            ]
        })
        .find(|date| {
            recurring.dates.selects(*date)
                && recurring.times.iter().any(|time| match time.end {
                    WindowEnd::After(_) => false,
                    WindowEnd::Clock(_) | WindowEnd::Weekday(..) => {
                        let midnight = date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
                        let start = midnight + i64::from(time.start);
                        timeline.skips(start, start + length(*time, *date))
                    }
                })
        })
}

/// The first window within a year that the next of its kind begins in.
fn overlap(recurring: &Recurring, today: NaiveDate) -> Option<(TimeWindow, NaiveDate)> {
    let longest = recurring.times.iter().map(|time| time.longest()).max()?;
    if longest <= DAY {
        return None;
    }
    let mut dates = today
        .iter_days()
        .take(usize::try_from(2 * YEAR).unwrap_or(0))
        .filter(|date| recurring.dates.selects(*date));
    let mut date = dates.next()?;
    for next in dates {
        let apart = next.signed_duration_since(date).num_seconds();
        if let Some(time) = recurring
            .times
            .iter()
            .find(|time| length(**time, date) > apart)
        {
            return Some((*time, date));
        }
        date = next;
    }
    None
}

/// The length of the window that starts on `date`, on the clock's face.
fn length(time: TimeWindow, date: NaiveDate) -> i64 {
    let start = i64::from(time.start);
    match time.end {
        WindowEnd::After(seconds) => i64::from(seconds),
        WindowEnd::Clock(end) if end > time.start => i64::from(end) - start,
        WindowEnd::Clock(end) => i64::from(end) + DAY - start,
        WindowEnd::Weekday(weekday, end) => {
            let ahead = i64::from(weekday.days_since(date.weekday()));
            i64::from(end) + if ahead > 0 { ahead } else { 7 } * DAY - start
        }
    }
}

/// Whether a window starts while the one before it is open.
fn cron_overlaps(cron: &CronWindows, duration: u32, now: Timestamp) -> bool {
    let starts: Schedule = Form::Cron(cron.with_duration(1)).into();
    // What is frequent shows it in two days, and what is rare opens few windows.
    let near = expand(&starts, now, 2);
    let far = if near.len() > 24 {
        near
    } else {
        expand(&starts, now, 2 * YEAR)
    };
    let overlapping = far
        .as_slice()
        .windows(2)
        .filter(|pair| match pair {
            [first, second] => {
                second.start().seconds() - first.start().seconds() < i64::from(duration)
            }
            _ => false,
        })
        .count();
    // Days of 23 hours, at most two a year, are not what the writer got wrong.
    overlapping > 4 || overlapping > 0 && overlapping + 1 == far.len()
}

/// Whether a schedule applies at any moment of the next `days`.
fn occurs(schedule: &Schedule, now: Timestamp, days: i64) -> bool {
    // Nearly all do within days, which is a thousand times cheaper to see.
    [2, 31, days]
        .into_iter()
        .any(|length| !expand(schedule, now, length.min(days)).is_empty())
}

fn expand(schedule: &Schedule, now: Timestamp, length: i64) -> IntervalSet {
    Interval::new(now, now.plus(days(length)))
        .map_or_else(IntervalSet::empty, |range| schedule.expand(range))
}

fn days(count: i64) -> Duration {
    Duration::from_secs(u64::try_from(count * DAY).unwrap_or(0))
}

/// A length for people: `1d 6h`.
fn spoken(seconds: i64) -> String {
    let units = [("d", DAY), ("h", 3600), ("m", 60), ("s", 1)];
    let mut rest = seconds;
    let mut words = Vec::new();
    for (unit, length) in units {
        if rest >= length {
            words.push(format!("{}{unit}", rest / length));
            rest %= length;
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_said_in_the_units_that_they_have() {
        assert_eq!(spoken(30 * 3600), "1d 6h");
        assert_eq!(spoken(90), "1m 30s");
    }
}
