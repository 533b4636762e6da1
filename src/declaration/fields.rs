//! What is under this key? Mappings and scalars of a tree, checked and with
//! every fault reported.

use super::report::{Position, Report};
use super::scalar::Mismatch;
use super::yaml::{Entry, Kind, Node, shortened};
use crate::nearest::nearest;

/// A mapping whose keys are all known.
pub(super) struct Fields<'n> {
    what: &'static str,
    entries: &'n [Entry],
    /// Whether a key without a value counts as absent.
    skips_empty: bool,
    /// Where the mapping begins.
    pub(super) at: Position,
}

impl<'n> Fields<'n> {
    /// `node` as `what` (such as "a declaration"); reports another type and
    /// every key that is not among `known`.
    pub(super) fn read(
        node: &'n Node,
        what: &'static str,
        known: &[&str],
        report: &Report<'_>,
    ) -> Option<Self> {
        let Kind::Mapping(entries) = &node.kind else {
            wrong_type(node, what, report);
            return None;
        };
        for entry in entries.iter().take_while(|_| !report.is_full()) {
            if !known.contains(&&*entry.key) {
                report.error(
                    entry.key_at,
                    "unknown-key",
                    format!("unknown key `{}` in {what}", shortened(&entry.key)),
                    match nearest_key(&entry.key, known) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("the keys of {what} are {}", quoted(known.iter().copied())),
                    },
                );
            }
        }
        Some(Self {
            what,
            entries,
            skips_empty: false,
            at: node.at,
        })
    }

    /// The same, and a key without a value counts as absent, with a warning:
    /// so Alertmanager reads its configuration.
    pub(super) fn without_empty(self, report: &Report<'_>) -> Self {
        for entry in self.entries {
            if matches!(entry.value.kind, Kind::Null) {
                report.warning(
                    entry.key_at,
                    "empty-key",
                    format!(
                        "`{}` has no value, so it counts as absent, as in Alertmanager",
                        shortened(&entry.key)
                    ),
                    "give it a value, or remove it",
                );
            }
        }
        Self {
            skips_empty: true,
            ..self
        }
    }

    /// `node` when its keys have been checked before.
    pub(super) fn unchecked(node: &'n Node, what: &'static str) -> Option<Self> {
        match &node.kind {
            Kind::Mapping(entries) => Some(Self {
                what,
                entries,
                skips_empty: false,
                at: node.at,
            }),
            _ => None,
        }
    }

    /// The key's place and its value; a key without a value counts as there.
    pub(super) fn entry(&self, key: &str) -> Option<&'n Entry> {
        let mut entries = self.entries.iter();
        let entry = entries.find(|entry| &*entry.key == key)?;
        let is_absent = self.skips_empty && matches!(entry.value.kind, Kind::Null);
        (!is_absent).then_some(entry)
    }

    /// The key's value.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The key's value; its absence is reported.
    pub(super) fn required(&self, key: &str, hint: &str, report: &Report<'_>) -> Option<&'n Node> {
        let value = self.get(key);
        if value.is_none() {
            report.error(
                self.at,
                "missing-key",
                format!("the key `{key}` is missing in {}", self.what),
                hint,
            );
        }
        value
    }
}

/// The key that was meant: `matchers` by `matcher`, and `start_time` by `start`.
fn nearest_key<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    let near = nearest(key, known.iter().copied()).first().copied();
    near.or_else(|| {
        let longer = known
            .iter()
            .find(|known| key.len() > 2 && known.starts_with(key));
        longer.copied()
    })
}

/// `a`, `b` and `c`, for messages.
pub(super) fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words
        .into_iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// "did you mean ...?", or nothing when nothing is near.
pub(super) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = nearest(word, known);
    if near.is_empty() {
        String::new()
    } else {
        format!("did you mean {}?", quoted(near))
    }
}

/// Reports that `node` is not `what`.
pub(super) fn wrong_type(node: &Node, what: &str, report: &Report<'_>) {
    report.error(
        node.at,
        "wrong-type",
        format!("expected {what}, but found {}", node.described()),
        "",
    );
}

/// Any scalar as the text that it is; `123` and `no` are texts where one is wanted.
pub(super) fn text<'n>(node: &'n Node, what: &str, report: &Report<'_>) -> Option<&'n str> {
    let text = node.scalar();
    if text.is_none() {
        wrong_type(node, what, report);
    }
    text
}

/// A text of one line that is not blank.
pub(super) fn line<'n>(node: &'n Node, what: &str, report: &Report<'_>) -> Option<&'n str> {
    let line = text(node, what, report)?.trim();
    if line.is_empty() || line.chars().any(char::is_control) {
        report.error(
            node.at,
            "invalid-text",
            format!("expected {what}: one line that is not blank"),
            "",
        );
        return None;
    }
    Some(line)
}

/// A plain `true` or `false`.
pub(super) fn boolean(node: &Node, report: &Report<'_>) -> Option<bool> {
    let value = node.boolean();
    if value.is_none() {
        wrong_type(node, "`true` or `false`", report);
    }
    value
}

/// A whole number in `least..=most`.
pub(super) fn number(
    node: &Node,
    what: &str,
    least: u32,
    most: u32,
    report: &Report<'_>,
) -> Option<u32> {
    let number = node
        .scalar()
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .filter(|number| (least..=most).contains(number));
    if number.is_none() {
        wrong_type(node, &format!("{what} from {least} to {most}"), report);
    }
    number
}

/// A list that is not empty and not longer than `most`.
pub(super) fn list<'n>(
    node: &'n Node,
    what: &str,
    most: usize,
    report: &Report<'_>,
) -> Option<&'n [Node]> {
    let Kind::Sequence(items) = &node.kind else {
        wrong_type(node, what, report);
        return None;
    };
    if items.is_empty() {
        report.error(
            node.at,
            "empty-list",
            format!("expected {what}, but the list is empty"),
            "add an item, or remove the key if nothing is meant",
        );
        return None;
    }
    if items.len() > most {
        report.error(
            node.at,
            "too-many",
            format!(
                "expected {what} with at most {most} items, but it has {}",
                items.len()
            ),
            "",
        );
        return None;
    }
    Some(items)
}

/// A scalar as `parse` reads it; its complaint is reported under `code`.
pub(super) fn parsed<T>(
    node: &Node,
    what: &str,
    code: &'static str,
    report: &Report<'_>,
    parse: impl FnOnce(&str) -> Result<T, Mismatch>,
) -> Option<T> {
    // Nothing that is parsed here is longer, and messages repeat what they refuse.
    const LONGEST: usize = 128;
    let text = text(node, what, report)?;
    if text.len() > LONGEST || text.chars().any(char::is_control) {
        wrong_type(node, what, report);
        return None;
    }
    match parse(text.trim()) {
        Ok(value) => Some(value),
        Err(mismatch) => {
            report.error(node.at, code, mismatch.message, mismatch.hint);
            None
        }
    }
}
