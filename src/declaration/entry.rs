//! What does one entry of `silences:` declare?

use std::collections::BTreeMap;
use std::sync::Arc;

use super::definition::optional_line;
use super::fields::{Fields, boolean, list, parsed, text, wrong_type};
use super::form::{Decoder, Surroundings};
use super::matchers::matchers;
use super::names::Context;
use super::report::Position;
use super::scalar::{self, mismatch};
use super::timezone::{self, ZoneChoice};
use super::yaml::{Kind, Node};
use super::{Declaration, TargetSelector, policy};
use crate::name::{SilenceName, TargetName};
use crate::timestamp::Timestamp;

const KEYS: [&str; 12] = [
    "name",
    "comment",
    "ticket",
    "matchers",
    "schedule",
    "owner",
    "timezone",
    "targets",
    "annotations",
    "suspend",
    "enabled",
    "expires",
];

/// Bytes of a comment. Alertmanager can limit a whole silence
/// (`--silences.max-silence-size-bytes`), and people read it in a list.
const COMMENT: usize = 8 * 1024;

/// Annotations of one declaration, targets of one selector, values of a label.
const ITEMS: usize = 64;

/// What begins our marker; a comment that contains it would claim a silence.
const MARKER: &str = "[silenced ";

/// What a file says for all of its declarations.
pub(super) struct Defaults {
    pub(super) owner: Option<String>,
    pub(super) zone: ZoneChoice,
    pub(super) targets: TargetSelector,
}

/// An entry of `silences:`, as far as it could be read.
#[derive(Debug)]
pub(super) struct Found {
    /// Its name with its place, which counts even when the rest is faulty.
    pub(super) name: Option<(SilenceName, Position)>,
    /// The whole, if it is valid.
    pub(super) declaration: Option<Arc<Declaration>>,
}

/// Decodes one entry, and reports everything that is wrong with it.
pub(super) fn entry(node: &Node, defaults: &Defaults, context: &Context<'_>) -> Found {
    let report = context.report;
    let Some(fields) = Fields::read(node, "a declaration", &KEYS, report) else {
        return Found {
            name: None,
            declaration: None,
        };
    };
    let name = fields
        .required(
            "name",
            "write `name: ...`, unique in the repository",
            report,
        )
        .and_then(|node| {
            let name = parsed(
                node,
                "the name of a silence",
                "invalid-name",
                report,
                |text| SilenceName::new(text).map_err(|error| mismatch(error.to_string(), "")),
            );
            Some((name?, node.at))
        });
    let declaration = declaration(&fields, name.as_ref(), defaults, context);
    Found {
        name,
        declaration: declaration.map(Arc::new),
    }
}

fn declaration(
    fields: &Fields<'_>,
    name: Option<&(SilenceName, Position)>,
    defaults: &Defaults,
    context: &Context<'_>,
) -> Option<Declaration> {
    let report = context.report;
    let comment = fields
        .get("comment")
        .map_or(Some(String::new()), |node| comment(node, context));
    let ticket = ticket(fields, context);
    let owner = optional_line(fields, "owner", "an owner", context);
    let matchers = fields
        .required("matchers", "write `matchers: [alertname=\"...\"]`", report)
        .and_then(|node| matchers(node, report));
    let targets = match fields.get("targets") {
        None => Some(defaults.targets.clone()),
        Some(node) => targets(node, context),
    };
    let annotations = fields
        .get("annotations")
        .map_or(Some(BTreeMap::new()), |node| annotations(node, context));
    let flag = |key, default| {
        fields
            .get(key)
            .map_or(Some(default), |node| boolean(node, report))
    };
    let (suspended, enabled) = (flag("suspend", false), flag("enabled", true));
    let zone = match fields.get("timezone") {
        None => defaults.zone.clone(),
        Some(node) => timezone::read(node, context),
    };
    let expires = fields.get("expires").map_or(Some(None), |node| {
        let date = parsed(node, "a date", "invalid-date", report, scalar::date)?;
        // Midnight after the last day, on the declaration's wall clock.
        let midnight = date
            .succ_opt()?
            .and_time(chrono::NaiveTime::MIN)
            .and_utc()
            .timestamp();
        Some(Some(match zone.known() {
            Some(zone) => zone.timeline().opening(midnight),
            None => Timestamp::from_seconds(midnight),
        }))
    });
    let own_zone = zone.known().cloned();
    let decoder = Decoder::new(context);
    let schedule = fields
        .required("schedule", "write when it applies, such as `schedule: {times: [{start_time: \"22:00\", end_time: \"06:00\"}]}`", report)
        .and_then(|node| decoder.schedule(node, &Surroundings::new(zone)));
    let (name, at) = name?;
    let mut declaration = Declaration {
        name: name.clone(),
        comment: comment?,
        owner: owner.or_else(|| defaults.owner.clone()).unwrap_or_default(),
        ticket,
        matchers: matchers?,
        schedule: match expires? {
            Some(end) => schedule?.until(end),
            None => schedule?,
        },
        zone: own_zone,
        targets: targets?,
        annotations: annotations?,
        suspended: suspended?,
        enabled: enabled?,
        expires: expires?,
        source: report.file().to_owned(),
        line: u64::from(at.line),
        violations: Vec::new(),
        rules: decoder.into_rules(report.place(*at)),
    };
    for violation in policy::violations(&declaration) {
        report.error_in_one(
            *at,
            violation.code,
            format!("`{name}`: {}", violation.message),
            violation.hint,
        );
        declaration.violations.push(violation.message.to_owned());
    }
    Some(declaration)
}

/// It stands in the silence's comment too, where a second marker would make the
/// silence foreign, and another one be created in every pass.
fn ticket(fields: &Fields<'_>, context: &Context<'_>) -> Option<String> {
    let ticket = optional_line(fields, "ticket", "a ticket", context)?;
    let node = fields.get("ticket")?;
    (!contains_marker(&ticket, node, "invalid-ticket", "a ticket", context)).then_some(ticket)
}

/// Whether `text` holds what only silenced may write, which is reported.
fn contains_marker(
    text: &str,
    node: &Node,
    code: &'static str,
    what: &str,
    context: &Context<'_>,
) -> bool {
    let found = text.contains(MARKER);
    if found {
        context.report.error(
            node.at,
            code,
            format!("{what} must not contain `[silenced `, which marks the silences of silenced"),
            "write it in other words",
        );
    }
    found
}

fn comment(node: &Node, context: &Context<'_>) -> Option<String> {
    let report = context.report;
    let comment = text(node, "a comment", report)?.trim();
    if contains_marker(comment, node, "invalid-comment", "a comment", context) {
        return None;
    }
    let fault = if comment.len() > COMMENT {
        Some((
            "this comment is longer than 8 KiB",
            "shorten it, and link to the rest",
        ))
    } else if comment
        .chars()
        .any(|character| character.is_control() && !matches!(character, '\n' | '\t'))
    {
        Some(("this comment contains a control character", "remove it"))
    } else {
        None
    };
    if let Some((message, hint)) = fault {
        report.error(node.at, "invalid-comment", message, hint);
        return None;
    }
    Some(comment.to_owned())
}

/// `{label: [value, ...]}` or `[name, ...]`.
pub(super) fn targets(node: &Node, context: &Context<'_>) -> Option<TargetSelector> {
    let report = context.report;
    let what = "a list of target names, or a mapping from labels to values";
    let Kind::Mapping(entries) = &node.kind else {
        let items = list(node, what, ITEMS, report)?;
        let names: Vec<TargetName> = items
            .iter()
            .filter_map(|item| {
                parsed(
                    item,
                    "the name of a target",
                    "invalid-name",
                    report,
                    |text| TargetName::new(text).map_err(|error| mismatch(error.to_string(), "")),
                )
            })
            .collect();
        return (names.len() == items.len()).then_some(TargetSelector::Names(names));
    };
    if entries.is_empty() || entries.len() > ITEMS {
        report.error(
            node.at,
            if entries.is_empty() {
                "empty-list"
            } else {
                "too-many"
            },
            format!(
                "expected {what} with 1 to {ITEMS} items, but it has {}",
                entries.len()
            ),
            "remove `targets` for every target",
        );
        return None;
    }
    let mut labels = BTreeMap::new();
    for entry in entries.iter() {
        let values = match entry.value.scalar() {
            Some(only) => Some(vec![only.to_owned()]),
            None => list(&entry.value, "a list of values", ITEMS, report).and_then(|items| {
                let values: Vec<String> = items
                    .iter()
                    .filter_map(|item| {
                        text(item, "the value of a label", report).map(str::to_owned)
                    })
                    .collect();
                (values.len() == items.len()).then_some(values)
            }),
        };
        labels.insert(entry.key.to_string(), values);
    }
    let labels: Option<BTreeMap<String, Vec<String>>> = labels
        .into_iter()
        .map(|(label, values)| Some((label, values?)))
        .collect();
    labels.map(TargetSelector::Labels)
}

fn annotations(node: &Node, context: &Context<'_>) -> Option<BTreeMap<String, String>> {
    let report = context.report;
    let Kind::Mapping(entries) = &node.kind else {
        wrong_type(node, "a mapping from names to texts", report);
        return None;
    };
    if entries.len() > ITEMS {
        report.error(
            node.at,
            "too-many",
            format!("more than {ITEMS} annotations"),
            "",
        );
        return None;
    }
    let texts: Vec<Option<(String, String)>> = entries
        .iter()
        .map(|entry| {
            let text = text(&entry.value, "the text of an annotation", report)?;
            Some((entry.key.to_string(), text.to_owned()))
        })
        .collect();
    texts.into_iter().collect()
}
