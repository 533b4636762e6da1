//! What do these names stand for? The named dates, rotations and time intervals
//! of a file, decoded.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::fields::{Fields, line, list, parsed, text, wrong_type};
use super::names::Context;
use super::recurring;
use super::report::{Place, Position};
use super::scalar::{self, mismatch};
use super::timezone::{self, ZoneChoice};
use super::yaml::{Kind, Node};
use crate::schedule::{DateRange, EveryUnit, Recurring, Rotation};

/// Names of one kind in a file: as many as lines of which a 1 MiB file has room.
const NAMES: usize = 10_000;

/// Dates of one list; as many as one form may except.
const DATES: usize = 400;

/// Members of one rotation.
const MEMBERS: usize = 100;

/// Rules of one named time interval: as many as forms in a declaration.
const RULES: usize = 256;

/// A named time interval: it holds where any of its rules does.
#[derive(Debug)]
pub(super) struct TimeInterval {
    pub(super) rules: Vec<(Recurring, Place)>,
}

/// A name with what it stands for, if that is valid.
pub(super) type Definitions<T> = Vec<(String, Option<T>)>;

/// `dates`: a mapping from names to lists, or a list of `{name, dates}`.
pub(super) fn dates(nodes: &[&Node], context: &Context<'_>) -> Definitions<Vec<DateRange>> {
    if let [
        Node {
            kind: Kind::Mapping(entries),
            ..
        },
    ] = nodes
    {
        return entries
            .iter()
            .map(|entry| {
                if scalar::is_date_like(&entry.key) {
                    date_as_name(entry.key_at, context);
                }
                (entry.key.to_string(), date_list(&entry.value, context))
            })
            .collect();
    }
    named(nodes, "a list of dates", &["dates"], context, |fields| {
        if let Some(name) = fields
            .get("name")
            .filter(|name| name.scalar().is_some_and(scalar::is_date_like))
        {
            date_as_name(name.at, context);
        }
        let hint = "write `dates: [2026-12-24, \"2026-12-25:2027-01-01\"]`";
        date_list(fields.required("dates", hint, context.report)?, context)
    })
}

fn date_as_name(at: Position, context: &Context<'_>) {
    context.report.error(
        at,
        "invalid-name",
        "a list of dates cannot have a date as its name",
        "give it a name such as `holidays-de`",
    );
}

fn date_list(node: &Node, context: &Context<'_>) -> Option<Vec<DateRange>> {
    let items = list(node, "a list of dates", DATES, context.report)?;
    let ranges: Vec<DateRange> = items
        .iter()
        .filter_map(|item| recurring::date_range(item, context.report))
        .collect();
    (ranges.len() == items.len()).then(|| recurring::merged(ranges))
}

/// `rotations`: a list of `{name, members, anchor, handoff, timezone, every_weeks}`.
pub(super) fn rotations(
    nodes: &[&Node],
    file_zone: &ZoneChoice,
    context: &Context<'_>,
) -> Definitions<Arc<Rotation>> {
    let keys = [
        "members",
        "anchor",
        "handoff",
        "timezone",
        "location",
        "every_weeks",
        "every_days",
    ];
    named(nodes, "a rotation", &keys, context, |fields| {
        rotation(fields, file_zone, context).map(Arc::new)
    })
}

fn rotation(
    fields: &Fields<'_>,
    file_zone: &ZoneChoice,
    context: &Context<'_>,
) -> Option<Rotation> {
    let report = context.report;
    let members = fields
        .required("members", "write `members: [team-a, team-b]`", report)
        .and_then(|node| {
            let items = list(node, "a list of members", MEMBERS, report)?;
            let members: Vec<String> = items
                .iter()
                .filter_map(|item| line(item, "the name of a member", report).map(str::to_owned))
                .collect();
            (members.len() == items.len()).then_some(members)
        });
    let hint = "write the date of the first member's handoff, such as `anchor: 2026-11-02`";
    let anchor = fields
        .required("anchor", hint, report)
        .and_then(|node| parsed(node, "a date", "invalid-date", report, scalar::date));
    let handoff = fields
        .required("handoff", "write `handoff: \"09:00\"`", report)
        .and_then(|node| {
            parsed(
                node,
                "a time of day as `HH:MM`",
                "invalid-time",
                report,
                |text| match scalar::clock(text)? {
                    86_400 => Err(mismatch("turns cannot change at `24:00`", "write `00:00`")),
                    handoff => Ok(handoff),
                },
            )
        });
    let period = recurring::period(fields, report);
    if period == Ok(None) {
        report.error(
            fields.at,
            "missing-key",
            "the length of a turn is missing, expected `every_weeks` or `every_days`",
            "write `every_weeks: 1`",
        );
    }
    let zone = timezone::of_form(fields, file_zone, context).needed(fields.at, context);
    let days = match period.ok()?? {
        (EveryUnit::Weeks, weeks) => weeks * 7,
        (EveryUnit::Days, days) => days,
    };
    Some(Rotation {
        members: members?,
        anchor: anchor?,
        handoff: handoff?,
        days,
        zone: zone?,
    })
}

/// `time_intervals`: a list of `{name, time_intervals: [rule]}`, as in `alertmanager.yml`.
pub(super) fn time_intervals(nodes: &[&Node], context: &Context<'_>) -> Definitions<TimeInterval> {
    named(
        nodes,
        "a time interval",
        &["time_intervals"],
        context,
        |fields| {
            let hint = "write `time_intervals:` with a list of rules, as in `alertmanager.yml`";
            let node = fields.required("time_intervals", hint, context.report)?;
            if is_empty(node) {
                context.report.warning(
                    node.at,
                    "empty-interval",
                    "a time interval without rules never applies, as in Alertmanager",
                    "add a rule, or remove the time interval",
                );
                return Some(TimeInterval { rules: Vec::new() });
            }
            let items = list(node, "a list of rules", RULES, context.report)?;
            let rules: Vec<(Recurring, Place)> = items
                .iter()
                .filter_map(|item| interval_rule(item, context))
                .collect();
            (rules.len() == items.len()).then_some(TimeInterval { rules })
        },
    )
}

fn is_empty(node: &Node) -> bool {
    match &node.kind {
        Kind::Null => true,
        Kind::Sequence(items) => items.is_empty(),
        _ => false,
    }
}

fn interval_rule(node: &Node, context: &Context<'_>) -> Option<(Recurring, Place)> {
    let report = context.report;
    let known: Vec<&str> = recurring::KEYS
        .into_iter()
        .chain(["location", "timezone", "except_dates"])
        .collect();
    let fields = Fields::read(node, "a rule of a time interval", &known, report)?;
    let fields = fields.without_empty(report);
    let dates = recurring::except_dates(&fields, &[], context)
        .and_then(|except_dates| recurring::dates(&fields, except_dates, report));
    let times = recurring::times(&fields, report);
    // An empty location is UTC too, as everywhere in Go.
    let is_blank = |node: &Node| node.scalar().is_some_and(|name| name.trim().is_empty());
    let choice = if fields.get("location").is_some_and(is_blank) {
        ZoneChoice::Unsaid
    } else {
        timezone::of_form(&fields, &ZoneChoice::Unsaid, context)
    };
    let zone = match choice {
        ZoneChoice::Unsaid => {
            report.warning(
                node.at,
                "no-location",
                "without `location` these are times in UTC, as in Alertmanager, whatever the file's `timezone`",
                "write `location: UTC`, or the place that is meant",
            );
            context.zones.get("UTC").ok()
        }
        choice => choice.known().cloned(),
    };
    let rule = Recurring {
        zone: zone?,
        dates: dates?,
        times: times?,
    };
    Some((rule, report.place(node.at)))
}

/// Lists of mappings with a `name` each, unique in the file.
fn named<T>(
    nodes: &[&Node],
    what: &'static str,
    keys: &[&str],
    context: &Context<'_>,
    decode: impl Fn(&Fields<'_>) -> Option<T>,
) -> Definitions<T> {
    let report = context.report;
    let mut items: Vec<&Node> = Vec::new();
    for node in nodes {
        match &node.kind {
            Kind::Sequence(more) => items.extend(more.iter()),
            _ => wrong_type(node, "a list with `name` in each item", report),
        }
        if items.len() > NAMES {
            report.error(
                node.at,
                "too-many",
                format!("more than {NAMES} names"),
                "split the file",
            );
            return Vec::new();
        }
    }
    let known: Vec<&str> = keys.iter().copied().chain(["name"]).collect();
    let mut seen = BTreeSet::new();
    let mut definitions = Vec::with_capacity(items.len());
    for item in items {
        if report.is_full() {
            break;
        }
        let Some(fields) = Fields::read(item, what, &known, report) else {
            continue;
        };
        let value = decode(&fields);
        let name = fields
            .required("name", "write `name: something`", report)
            .and_then(|node| Some((line(node, "a name", report)?, node.at)));
        let Some((name, at)) = name else {
            continue;
        };
        if seen.insert(name) {
            definitions.push((name.to_owned(), value));
        } else {
            report.error(
                at,
                "duplicate-name",
                format!("the name `{name}` stands for {what} twice in this file"),
                "rename one of them",
            );
        }
    }
    definitions
}

/// The text of an optional scalar, such as the owner of a file.
pub(super) fn optional_line(
    fields: &Fields<'_>,
    key: &str,
    what: &str,
    context: &Context<'_>,
) -> Option<String> {
    let node = fields.get(key)?;
    text(node, what, context.report)?;
    line(node, what, context.report).map(str::to_owned)
}
