//! What is in this file? Its text as a tree, with everything that is wrong with
//! it, for as long as it takes to decode it.

use std::cell::RefCell;

use super::fields::{Fields, wrong_type};
use super::names::Use;
use super::report::{Position, Report};
use super::yaml::{Composed, Kind, Node, compose};
use crate::snapshot::SnapshotFile;

const FILE_KEYS: [&str; 8] = [
    "owner",
    "timezone",
    "targets",
    "silences",
    "time_intervals",
    "mute_time_intervals",
    "rotations",
    "dates",
];

/// Under these keys a file defines names for other files.
const NAME_KEYS: [&str; 4] = [
    "dates",
    "rotations",
    "time_intervals",
    "mute_time_intervals",
];

/// What begins an escape that can stand for a letter, or for nothing, in a key
/// between double quotes.
const ESCAPES: [&str; 5] = ["\\x", "\\u", "\\U", "\\\n", "\\\r"];

/// Declarations of one file.
const SILENCES: usize = 20_000;

/// A file with what is found in it.
pub(super) struct File<'a> {
    pub(super) source: &'a SnapshotFile,
    pub(super) report: Report<'a>,
    pub(super) uses: RefCell<Vec<Use>>,
    /// `None` when it cannot be had, or is not UTF-8.
    text: Option<&'a str>,
    /// Whether it may define names for other files, by its text alone.
    pub(super) may_define_names: bool,
}

impl<'a> File<'a> {
    /// Reads the text, and no more of it yet.
    pub(super) fn open(source: &'a SnapshotFile) -> Self {
        let (text, fault) = match &source.content {
            Ok(bytes) => decode(bytes),
            Err(reason) => (
                "",
                Some((
                    Position::START,
                    format!("this file cannot be read: {reason}"),
                    "",
                )),
            ),
        };
        let report = Report::new(&source.path, text);
        let text = fault.is_none().then_some(text);
        if let Some((at, message, hint)) = fault {
            let code = if source.content.is_ok() {
                "not-utf8"
            } else {
                "unreadable"
            };
            report.error(at, code, message, hint);
        }
        Self {
            source,
            report,
            uses: RefCell::default(),
            text,
            may_define_names: text.is_none_or(may_define_names),
        }
    }

    /// Reads the text as YAML; `None` with an error, and for an empty file.
    pub(super) fn compose(&self) -> Option<Node> {
        let report = &self.report;
        match compose(self.text?, report) {
            Composed::Tree(tree) if !matches!(tree.kind, Kind::Mapping(_)) => {
                report.error(
                    tree.at,
                    "wrong-type",
                    format!(
                        "expected a mapping with the key `silences`, but found {}",
                        tree.described()
                    ),
                    "put `silences:` above the list of declarations",
                );
                None
            }
            Composed::Tree(tree) => {
                Fields::read(&tree, "a file", &FILE_KEYS, report);
                Some(tree)
            }
            Composed::Broken => None,
            Composed::Empty => {
                report.warning(
                    Position::START,
                    "empty-file",
                    "this file declares nothing",
                    "add `silences:`, or delete it",
                );
                None
            }
        }
    }
}

/// Where no such key stands as a word, and no escape can spell one, no name is
/// defined.
fn may_define_names(text: &str) -> bool {
    let is_part_of_word = |before: char| before.is_alphanumeric() || before == '_';
    let stands = |key: &str| {
        text.match_indices(key)
            .filter_map(|(start, _)| text.get(..start))
            .any(|before| !before.ends_with(is_part_of_word))
    };
    let escapes = || ESCAPES.iter().any(|escape| text.contains(escape));
    NAME_KEYS.into_iter().any(stands) || text.contains('\\') && escapes()
}

/// The text of a file without a byte order mark, or what is wrong with it and where.
fn decode(bytes: &[u8]) -> (&str, Option<(Position, String, &'static str)>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.strip_prefix('\u{feff}').unwrap_or(text), None),
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let text = std::str::from_utf8(valid).unwrap_or_default();
            let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
            let at = Position {
                line: number(text.matches('\n').count()),
                column: number(text.rsplit('\n').next().unwrap_or_default().chars().count()),
            };
            let hint = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
                "it looks like UTF-16; save it as UTF-8"
            } else {
                "save it as UTF-8"
            };
            (
                text,
                Some((
                    at,
                    "this file is not UTF-8 text from here on".to_owned(),
                    hint,
                )),
            )
        }
    }
}

/// What stands under a key of a file.
pub(super) fn get<'n>(tree: Option<&'n Node>, key: &str) -> Option<&'n Node> {
    Fields::unchecked(tree?, "a file")?.get(key)
}

/// The items of `silences:`; a file may do without, for names alone.
pub(super) fn silences<'n>(tree: Option<&'n Node>, report: &Report<'_>) -> &'n [Node] {
    let Some(node) = get(tree, "silences") else {
        return &[];
    };
    match &node.kind {
        Kind::Sequence(items) if items.len() <= SILENCES => items,
        // `silences:` with nothing below it is where a new file begins.
        Kind::Null => &[],
        Kind::Sequence(_) => {
            let message = format!("more than {SILENCES} declarations in one file");
            report.error(node.at, "too-many", message, "split the file");
            &[]
        }
        _ => {
            wrong_type(node, "a list of declarations", report);
            &[]
        }
    }
}
