//! Which alerts, as it is written? The matchers of a declaration, decoded.

use std::collections::BTreeMap;

use super::fields::{Fields, boolean, list, text, wrong_type};
use super::report::{Position, Report};
use super::yaml::{Kind, Node};
use crate::matcher::{MatchOperator, Matcher, MatcherWarning, Matchers, RULE_LABEL};

/// Matchers of one silence. Alertmanager tests each against every alert.
const MATCHERS: usize = 64;

/// The matchers under `matchers:`.
pub(super) fn matchers(node: &Node, report: &Report<'_>) -> Option<Matchers> {
    let items = list(node, "a list of matchers", MATCHERS, report)?;
    let read: Vec<(Matcher, Position)> = items
        .iter()
        .filter_map(|item| Some((matcher(item, report)?, item.at)))
        .collect();
    if read.len() != items.len() {
        return None;
    }
    warn_of_suspicious(&read, report);
    let matchers = Matchers::new(read.into_iter().map(|(matcher, _)| matcher).collect());
    if matchers.all_count_as_matching_empty() {
        report.error(
            node.at,
            "matches-everything",
            "each of these matchers matches an alert without the label, and servers refuse such a silence",
            "add a matcher that picks out something, such as `alertname=\"...\"`",
        );
        return None;
    }
    Some(matchers)
}

fn matcher(node: &Node, report: &Report<'_>) -> Option<Matcher> {
    let (matcher, warnings) = match &node.kind {
        Kind::Scalar { text, plain } => match Matcher::parse(text) {
            Ok(parsed) => (parsed.matcher, parsed.warnings),
            Err(error) => {
                // The text of a plain scalar stands in the file as it is.
                let offset = if *plain {
                    error.column().saturating_sub(1)
                } else {
                    0
                };
                let at = Position {
                    column: node
                        .at
                        .column
                        .saturating_add(u32::try_from(offset).unwrap_or(0)),
                    ..node.at
                };
                report.error(at, "invalid-matcher", error.kind.to_string(), error.hint);
                return None;
            }
        },
        Kind::Mapping(_) => object(node, report)?,
        _ => {
            wrong_type(node, "a matcher such as `severity=\"info\"`", report);
            return None;
        }
    };
    for warning in warnings {
        report.warning(node.at, "matcher-portability", warning.to_string(), "");
    }
    if matcher.name == RULE_LABEL && matcher.operator != MatchOperator::Equal {
        let what = format!("`{matcher}` does not make this the silence of one rule");
        let hint = "Grafana asks for the rights to all silences, unless you write \
                    `__alert_rule_uid__=\"...\"`";
        report.warning(node.at, "not-rule-specific", what, hint);
    }
    if let Err(error) = matcher.check_placeholders() {
        let hint = "write `${target.LABEL}` in the value, or `$${target.` for the text itself";
        report.error(node.at, "invalid-placeholder", error.to_string(), hint);
        return None;
    }
    if matcher.value.contains("${") && !matcher.value.contains("${target.") {
        let what = format!("`{}` is taken as it is", matcher.value);
        let hint = "only `${target.LABEL}` stands for something else";
        report.warning(node.at, "no-placeholder", what, hint);
    }
    Some(matcher)
}

/// `{name, value, isRegex, isEqual}`, as in the API.
fn object(node: &Node, report: &Report<'_>) -> Option<(Matcher, Vec<MatcherWarning>)> {
    let fields = Fields::read(
        node,
        "a matcher",
        &["name", "value", "isRegex", "isEqual"],
        report,
    )?;
    let name = fields
        .required("name", "write the label's name", report)
        .and_then(|node| text(node, "the name of a label", report));
    let value = fields
        .required(
            "value",
            "write the label's value, or `\"\"` for none",
            report,
        )
        .and_then(|node| text(node, "the value of a label", report));
    let flag = |key, default| {
        fields
            .get(key)
            .map_or(Some(default), |node| boolean(node, report))
    };
    let (is_regex, is_equal) = (flag("isRegex", false), flag("isEqual", true));
    let matcher = Matcher {
        name: name?.to_owned(),
        operator: MatchOperator::from_flags(is_regex?, is_equal?),
        value: value?.to_owned(),
    };
    match matcher.check() {
        Ok(warnings) => Some((matcher, warnings)),
        Err(error) => {
            report.error(node.at, "invalid-matcher", error.to_string(), error.hint());
            None
        }
    }
}

/// Warns of repeated matchers, and of two that no alert can meet together.
fn warn_of_suspicious(matchers: &[(Matcher, Position)], report: &Report<'_>) {
    let mut seen: BTreeMap<&Matcher, Position> = BTreeMap::new();
    let mut values: BTreeMap<&str, &str> = BTreeMap::new();
    for (matcher, at) in matchers {
        if let Some(first) = seen.insert(matcher, *at) {
            report.warning(
                *at,
                "duplicate-matcher",
                format!(
                    "the matcher `{matcher}` stands here twice, first in line {}",
                    first.line
                ),
                "remove one of them",
            );
        }
        if matcher.operator == MatchOperator::Equal
            && let Some(other) = values.insert(&matcher.name, &matcher.value)
            && other != matcher.value
        {
            report.warning(
                *at,
                "contradiction",
                format!(
                    "no alert has both `{name}={other:?}` and `{name}={value:?}`",
                    name = matcher.name,
                    value = matcher.value
                ),
                format!("for either of them write `{}=~\"...|...\"`", matcher.name),
            );
        }
    }
}
