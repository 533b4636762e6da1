//! Which windows does a wall-clock rule describe? Alertmanager's time interval
//! with what silenced adds, as a form of a schedule and as a named one.

use super::calendar;
use super::fields::{Fields, list, number, parsed};
use super::names::Context;
use super::report::{Report, Reported};
use super::scalar::{self, LONGEST_WINDOW, mismatch};
use super::yaml::Node;
use crate::schedule::{DateRange, DateRule, Every, EveryUnit, TimeWindow, WindowEnd};

/// The keys of a rule on the wall clock.
pub(super) const KEYS: [&str; 8] = [
    "times",
    "weekdays",
    "days_of_month",
    "months",
    "years",
    "every_weeks",
    "every_days",
    "anchor",
];

/// Items of one `times`: one for each half hour.
pub(super) const TIMES: usize = 48;

/// Date ranges of one form, after those of the forms around it are added: ten
/// years of forty holidays.
const EXCEPT_DATES: usize = 400;

/// Longest period of `every_days`, and the same in weeks: ten years.
const MOST_DAYS: u32 = 3_660;
const MOST_WEEKS: u32 = 520;

/// The dates that a rule selects, less `except_dates`.
pub(super) fn dates(
    fields: &Fields<'_>,
    except_dates: Vec<DateRange>,
    report: &Report<'_>,
) -> Option<DateRule> {
    fn part<'n, T>(
        fields: &Fields<'n>,
        key: &str,
        read: impl FnOnce(&'n Node) -> Option<T>,
    ) -> Result<Option<T>, Reported> {
        let read = fields.get(key).map(|node| read(node).ok_or(Reported));
        read.transpose()
    }
    let weekdays = part(fields, "weekdays", |node| calendar::weekdays(node, report));
    let days = part(fields, "days_of_month", |node| {
        calendar::days_of_month(node, report)
    });
    let months = part(fields, "months", |node| calendar::months(node, report));
    let years = part(fields, "years", |node| calendar::years(node, report));
    let every = every(fields, report);
    let rule = DateRule {
        weekdays: weekdays.ok()?,
        days_of_month: days.ok()?,
        months: months.ok()?,
        years: years.ok()?,
        every: every.ok()?,
        except_dates,
    };
    if let (Some(days), Some(node)) = (&rule.days_of_month, fields.get("days_of_month"))
        && calendar::is_impossible(days, rule.months, rule.years.as_deref())
    {
        report.error(
            node.at,
            "impossible-date",
            "the calendar has none of these days in these months",
            "use -1 for the last day of a month",
        );
        return None;
    }
    Some(rule)
}

/// `every_weeks` or `every_days`, with its anchor.
fn every(fields: &Fields<'_>, report: &Report<'_>) -> Result<Option<Every>, Reported> {
    match (period(fields, report)?, fields.get("anchor")) {
        (None, None) => Ok(None),
        (None, Some(anchor)) => {
            report.error(
                anchor.at,
                "anchor-alone",
                "`anchor` without `every_weeks` or `every_days` has no meaning",
                "add one of them, or remove `anchor`",
            );
            Err(Reported)
        }
        (Some((unit, count)), _) => {
            let hint = "write the date from which on is counted, such as `anchor: 2026-11-02`";
            let anchor = fields
                .required("anchor", hint, report)
                .and_then(|node| parsed(node, "a date", "invalid-date", report, scalar::date))
                .ok_or(Reported)?;
            Ok(Some(Every {
                unit,
                count,
                anchor,
            }))
        }
    }
}

/// The period of `every_weeks` or `every_days`, if one of them is said.
pub(super) fn period(
    fields: &Fields<'_>,
    report: &Report<'_>,
) -> Result<Option<(EveryUnit, u32)>, Reported> {
    let (unit, count) = match (fields.get("every_weeks"), fields.get("every_days")) {
        (None, None) => return Ok(None),
        (Some(weeks), None) => (
            EveryUnit::Weeks,
            number(weeks, "a number of weeks", 1, MOST_WEEKS, report),
        ),
        (None, Some(days)) => (
            EveryUnit::Days,
            number(days, "a number of days", 1, MOST_DAYS, report),
        ),
        (Some(_), Some(days)) => {
            report.error(
                days.at,
                "two-periods",
                "both `every_weeks` and `every_days` are said",
                "remove one of them",
            );
            return Err(Reported);
        }
    };
    count.map(|count| Some((unit, count))).ok_or(Reported)
}

/// The times of day; without `times` the whole day.
pub(super) fn times(fields: &Fields<'_>, report: &Report<'_>) -> Option<Vec<TimeWindow>> {
    let Some(node) = fields.get("times") else {
        return Some(vec![TimeWindow::WHOLE_DAY]);
    };
    let items = list(node, "a list of times", TIMES, report)?;
    let windows: Vec<TimeWindow> = items
        .iter()
        .filter_map(|item| window(item, report))
        .collect();
    (windows.len() == items.len()).then_some(windows)
}

/// `{start_time, end_time}`, with `end_weekday` perhaps, or `{start_time, duration}`.
fn window(node: &Node, report: &Report<'_>) -> Option<TimeWindow> {
    const KEYS: [&str; 4] = ["start_time", "end_time", "end_weekday", "duration"];
    const TIME: &str = "a time of day as `HH:MM`";
    let fields = Fields::read(node, "an item of `times`", &KEYS, report)?;
    let start = fields.required("start_time", "write `start_time: \"22:00\"`", report);
    let start = start.and_then(|node| {
        parsed(
            node,
            TIME,
            "invalid-time",
            report,
            |text| match scalar::clock(text)? {
                86_400 => Err(mismatch(
                    "a window cannot start at `24:00`",
                    "write `00:00`, which is the same of the next day",
                )),
                start => Ok(start),
            },
        )
    });
    let clock = |node| parsed(node, TIME, "invalid-time", report, scalar::clock);
    let weekday = |node| {
        parsed(
            node,
            "a weekday",
            "invalid-weekday",
            report,
            calendar::weekday,
        )
    };
    let end = match end_or_duration(&fields, "end_time", report)? {
        End::Duration(seconds) => {
            if let Some(weekday) = fields.get("end_weekday") {
                report.error(
                    weekday.at,
                    "end-and-duration",
                    "`end_weekday` goes with `end_time`, and not with `duration`",
                    "remove one of them",
                );
                return None;
            }
            WindowEnd::After(seconds)
        }
        End::At(node) => {
            let day = fields.get("end_weekday").map(weekday);
            let end = clock(node)?;
            if day.is_none() && Some(end) == start {
                report.error(
                    node.at,
                    "empty-window",
                    "`end_time` equals `start_time`",
                    "write `00:00` and `24:00` for a whole day, or `duration: 1d`",
                );
                return None;
            }
            match day {
                Some(day) => WindowEnd::Weekday(day?, end),
                None => WindowEnd::Clock(end),
            }
        }
    };
    Some(TimeWindow { start: start?, end })
}

/// How an end is said.
pub(super) enum End<'n> {
    /// By this node.
    At(&'n Node),
    /// So many seconds after the start.
    Duration(u32),
}

/// The end under `key`, or `duration`; both or neither are errors.
pub(super) fn end_or_duration<'n>(
    fields: &Fields<'n>,
    key: &'static str,
    report: &Report<'_>,
) -> Option<End<'n>> {
    match (fields.get(key), fields.get("duration")) {
        (Some(end), None) => Some(End::At(end)),
        (None, Some(node)) => duration(node, report).map(End::Duration),
        (Some(_), Some(duration)) => {
            report.error(
                duration.at,
                "end-and-duration",
                format!("both `{key}` and `duration` are said"),
                "remove one of them",
            );
            None
        }
        (None, None) => {
            report.error(
                fields.at,
                "no-end",
                format!("this window has no end, expected `{key}` or `duration`"),
                "",
            );
            None
        }
    }
}

/// A duration up to the longest window.
pub(super) fn duration(node: &Node, report: &Report<'_>) -> Option<u32> {
    parsed(
        node,
        "a duration such as `2h`",
        "invalid-duration",
        report,
        |text| scalar::duration(text, LONGEST_WINDOW),
    )
}

/// The dates of `except_dates` together with those `inherited`, in order and
/// without overlaps.
pub(super) fn except_dates(
    fields: &Fields<'_>,
    inherited: &[DateRange],
    context: &Context<'_>,
) -> Option<Vec<DateRange>> {
    let report = context.report;
    let Some(node) = fields.get("except_dates") else {
        return Some(inherited.to_vec());
    };
    let items = list(node, "a list of dates", EXCEPT_DATES, report)?;
    let mut dates = inherited.to_vec();
    let mut valid = true;
    for item in items {
        match item.scalar() {
            Some(name) if !scalar::is_date_like(name.trim()) => {
                match context.named.dates.look_up(name.trim(), item.at, context) {
                    Some(named) => dates.extend_from_slice(named),
                    None => valid = false,
                }
            }
            _ => match date_range(item, report) {
                Some(range) => dates.push(range),
                None => valid = false,
            },
        }
    }
    let dates = merged(dates);
    if dates.len() > EXCEPT_DATES {
        report.error(
            node.at,
            "too-many",
            format!("more than {EXCEPT_DATES} dates and ranges of dates are excepted here"),
            "join neighbouring dates to ranges",
        );
        return None;
    }
    valid.then_some(dates)
}

/// `DATE` or `DATE:DATE`.
pub(super) fn date_range(node: &Node, report: &Report<'_>) -> Option<DateRange> {
    parsed(
        node,
        "a date or `DATE:DATE`",
        "invalid-date",
        report,
        scalar::date_range,
    )
}

/// In order, with overlapping and neighbouring ranges joined.
pub(super) fn merged(mut dates: Vec<DateRange>) -> Vec<DateRange> {
    dates.sort_unstable_by_key(|range| range.first);
    dates.dedup_by(|next, before| {
        let joins = before
            .last
            .succ_opt()
            .is_none_or(|after| next.first <= after);
        if joins {
            before.last = before.last.max(next.last);
        }
        joins
    });
    dates
}
