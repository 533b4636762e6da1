//! What does the file say? YAML as a tree whose every part knows its place.
//!
//! The tree is built from the parser's events instead of through serde: so the
//! text of a scalar stays as it was written (`22:00`, `no` and `2026-11-01` are
//! texts, `007` keeps its zeros), every duplicate key is found instead of the
//! first one, and a wrong type is a finding of ours and not the end.

use std::collections::HashMap;
use std::sync::Arc;

use serde_saphyr::granit_parser::{self, Event, Marker, Parser, ScalarStyle, ScanError, Tag};

use super::report::{Position, Report};

/// Nodes of one file, counting the target of every alias again at each use. A
/// file of 1 MiB holds at most 524,288 of its own (a flow sequence spends two
/// bytes on each), and what is left is for aliases. A node is about 80 bytes,
/// so the tree stays below 50 MiB; aliases share what they repeat.
const NODES: usize = 600_000;

/// Collections inside collections. A schedule of 16 levels inside a declaration
/// takes two each, and six lead to it.
const DEPTH: usize = 48;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) at: Position,
    /// How many nodes it is, itself included.
    size: usize,
}

/// What a value is. Clones share their content.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Nothing, or a plain `null` or `~`.
    Null,
    /// Any scalar; `plain` without quotes.
    Scalar { text: Arc<str>, plain: bool },
    /// `- a` or `[a]`.
    Sequence(Arc<Vec<Node>>),
    /// `a: b` or `{a: b}`, without duplicate keys.
    Mapping(Arc<Vec<Entry>>),
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: Arc<str>,
    pub(super) key_at: Position,
    pub(super) value: Node,
}

impl Node {
    /// The text of a scalar.
    pub(super) fn scalar(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The truth value of a plain `true` or `false`; `yes` and `on` are texts.
    pub(super) fn boolean(&self) -> Option<bool> {
        match &self.kind {
            Kind::Scalar { text, plain: true } => match text.as_ref() {
                "true" | "True" | "TRUE" => Some(true),
                "false" | "False" | "FALSE" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// What it is, for "expected ..., but found ...".
    pub(super) fn described(&self) -> String {
        match &self.kind {
            Kind::Null => "nothing".to_owned(),
            Kind::Sequence(_) => "a list".to_owned(),
            Kind::Mapping(_) => "a mapping".to_owned(),
            Kind::Scalar { text, .. } if self.boolean().is_some() => {
                format!("the boolean `{text}`")
            }
            Kind::Scalar { text, plain: true } if text.parse::<f64>().is_ok() => {
                format!("the number `{text}`")
            }
            Kind::Scalar { text, .. } => format!("the text `{}`", shortened(text)),
        }
    }
}

/// `text` on one line, and no longer than fits into a message.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = text
        .chars()
        .take(LONGEST)
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

/// What became of a text.
pub(super) enum Composed {
    /// Its one document.
    Tree(Node),
    /// Nothing but comments and blanks.
    Empty,
    /// No YAML; the report says why.
    Broken,
}

/// Reads `text`, and reports what is wrong with it as YAML.
pub(super) fn compose(text: &str, report: &Report<'_>) -> Composed {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: DEPTH,
        block_nesting_limit: DEPTH,
    };
    let mut composer = Composer {
        report,
        open: Vec::new(),
        anchors: HashMap::new(),
        nodes: 0,
        root: None,
    };
    for next in Parser::new_from_str_with_options(text, options) {
        let result = next
            .map_err(|error| Fault::from(&error))
            .and_then(|(event, span)| {
                let at = position(&span.start);
                composer.take(event, at)
            });
        if let Err(fault) = result {
            report.error(fault.at, fault.code, fault.message, fault.hint);
            return Composed::Broken;
        }
    }
    match composer.root {
        Some(Node {
            kind: Kind::Null, ..
        })
        | None => Composed::Empty,
        Some(root) => Composed::Tree(root),
    }
}

fn position(marker: &Marker) -> Position {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Position {
        line: number(marker.line().max(1)),
        column: number(marker.col().saturating_add(1)),
    }
}

/// What ends the reading of a file.
struct Fault {
    at: Position,
    code: &'static str,
    message: String,
    hint: &'static str,
}

impl From<&ScanError> for Fault {
    fn from(error: &ScanError) -> Self {
        let reason = error.kind().to_string();
        Self {
            at: position(error.marker()),
            code: "invalid-yaml",
            hint: if reason.contains("tab") {
                "indent with blanks instead of tabs"
            } else {
                ""
            },
            message: format!("this is not YAML: {reason}"),
        }
    }
}

/// A collection whose end has not come yet.
struct Open {
    at: Position,
    anchor: usize,
    size: usize,
    items: Items,
}

enum Items {
    Sequence(Vec<Node>),
    /// With the key whose value has not come yet.
    Mapping(Vec<Entry>, Option<(Arc<str>, Position)>),
}

struct Composer<'r> {
    report: &'r Report<'r>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    root: Option<Node>,
}

impl Composer<'_> {
    fn take(&mut self, event: Event<'_>, at: Position) -> Result<(), Fault> {
        match event {
            Event::DocumentStart(..) if self.root.is_some() => Err(Fault {
                at,
                code: "second-document",
                message: "a second YAML document begins here, expected one document in a file"
                    .to_owned(),
                hint: "move it into a file of its own",
            }),
            Event::Scalar(text, style, anchor, tag) => {
                let tag = core_tag(tag.as_deref(), at)?;
                let plain = style == ScalarStyle::Plain && tag != Some("str");
                let kind = match text.as_ref() {
                    "" | "~" | "null" | "Null" | "NULL" if plain => Kind::Null,
                    text => Kind::Scalar {
                        text: text.into(),
                        plain,
                    },
                };
                self.count(1, at)?;
                self.place(Node { kind, at, size: 1 }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                core_tag(tag.as_deref(), at)?;
                self.begin(at, anchor, Items::Sequence(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                core_tag(tag.as_deref(), at)?;
                self.begin(at, anchor, Items::Mapping(Vec::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(Fault {
                        at,
                        code: "recursive-alias",
                        message: "this alias stands inside what it repeats".to_owned(),
                        hint: "write the value out",
                    });
                };
                self.count(node.size, at)?;
                self.place(node, 0)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, at: Position, anchor: usize, items: Items) -> Result<(), Fault> {
        if self.open.len() >= DEPTH {
            return Err(Fault {
                at,
                code: "too-deep",
                message: format!("more than {DEPTH} lists and mappings inside one another"),
                hint: "",
            });
        }
        if let Some(Open {
            items: Items::Mapping(_, None),
            ..
        }) = self.open.last()
        {
            return Err(key_is_no_text(at));
        }
        self.count(1, at)?;
        self.open.push(Open {
            at,
            anchor,
            size: 1,
            items,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        let Some(Open {
            at,
            anchor,
            size,
            items,
        }) = self.open.pop()
        else {
            return Ok(());
        };
        let kind = match items {
            Items::Sequence(items) => Kind::Sequence(Arc::new(items)),
            Items::Mapping(entries, _) => Kind::Mapping(Arc::new(self.finish(entries)?)),
        };
        self.place(Node { kind, at, size }, anchor)
    }

    /// Counts nodes, each use of an alias with all that it repeats.
    fn count(&mut self, nodes: usize, at: Position) -> Result<(), Fault> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes <= NODES {
            return Ok(());
        }
        Err(Fault {
            at,
            code: "too-large",
            message: format!(
                "more than {NODES} values in one file, counting those that aliases repeat"
            ),
            hint: "split the file, or repeat less with aliases",
        })
    }

    /// Puts a complete node where it belongs.
    fn place(&mut self, node: Node, anchor: usize) -> Result<(), Fault> {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        parent.size = parent.size.saturating_add(node.size);
        match &mut parent.items {
            Items::Sequence(items) => items.push(node),
            Items::Mapping(entries, pending) => match (pending.take(), &node.kind) {
                (Some((key, key_at)), _) => entries.push(Entry {
                    key,
                    key_at,
                    value: node,
                }),
                (None, Kind::Scalar { text, .. }) => *pending = Some((Arc::clone(text), node.at)),
                (None, Kind::Null) => *pending = Some(("null".into(), node.at)),
                (None, _) => return Err(key_is_no_text(node.at)),
            },
        }
        Ok(())
    }

    /// The entries without duplicates, and with what `<<` merges into them.
    fn finish(&mut self, entries: Vec<Entry>) -> Result<Vec<Entry>, Fault> {
        if are_few_and_different(&entries) {
            return Ok(entries);
        }
        let (merge_keys, entries): (Vec<Entry>, Vec<Entry>) =
            entries.into_iter().partition(|entry| &*entry.key == "<<");
        let mut seen: HashMap<Arc<str>, Position> = HashMap::with_capacity(entries.len());
        let mut kept = Vec::with_capacity(entries.len());
        for entry in entries {
            match seen.get(&entry.key) {
                None => {
                    seen.insert(Arc::clone(&entry.key), entry.key_at);
                    kept.push(entry);
                }
                Some(first) => self.report.error(
                    entry.key_at,
                    "duplicate-key",
                    format!(
                        "the key `{}` stands here for the second time, the first is in line {}",
                        shortened(&entry.key),
                        first.line
                    ),
                    "remove one of them",
                ),
            }
        }
        for merge in merge_keys {
            let sources = match &merge.value.kind {
                Kind::Sequence(items) => items.as_slice(),
                _ => std::slice::from_ref(&merge.value),
            };
            for source in sources {
                let Kind::Mapping(merged) = &source.kind else {
                    return Err(Fault {
                        at: source.at,
                        code: "wrong-type",
                        message: format!(
                            "expected a mapping to merge with `<<`, but found {}",
                            source.described()
                        ),
                        hint: "",
                    });
                };
                // What stands in the mapping itself, or was merged first, wins.
                for entry in merged.iter() {
                    if !seen.contains_key(&entry.key) {
                        seen.insert(Arc::clone(&entry.key), entry.key_at);
                        kept.push(entry.clone());
                    }
                }
            }
        }
        Ok(kept)
    }
}

/// Whether nothing is to be removed or merged, asked only of mappings that are so
/// small that comparing every two keys is quicker than a table of them.
fn are_few_and_different(entries: &[Entry]) -> bool {
    const FEW: usize = 16;
    entries.len() <= FEW
        && entries.iter().enumerate().all(|(index, entry)| {
            let mut earlier = entries.iter().take(index);
            &*entry.key != "<<" && earlier.all(|earlier| earlier.key != entry.key)
        })
}

fn key_is_no_text(at: Position) -> Fault {
    Fault {
        at,
        code: "wrong-type",
        message: "a key of a mapping must be a text, but this is a list or a mapping".to_owned(),
        hint: "quote a text that begins with `[` or `{`",
    }
}

/// The name of one of YAML's own tags; others would ask for something that
/// nobody here does.
fn core_tag(tag: Option<&Tag>, at: Position) -> Result<Option<&str>, Fault> {
    let Some(tag) = tag else {
        return Ok(None);
    };
    match tag.core_suffix() {
        // A lone `!` says "a text".
        None if tag.original() == "!" => Ok(Some("str")),
        None => Err(Fault {
            at,
            code: "unknown-tag",
            message: format!(
                "the tag `{}` has no meaning here",
                shortened(&tag.original())
            ),
            hint: "remove it; quote a text that begins with `!`",
        }),
        core => Ok(core),
    }
}
