//! Whose silence is this? The marker: the machine-readable last line of a
//! comment, which says which installation made it and for what.
//!
//! ```text
//! [silenced instance=prod-eu silence=nightly-info start=2026-11-22T21:00:00Z source=automation/nightly.yaml commit=1a2b3c4]
//! ```
//!
//! `instance`, `silence` and `start` identify; `source` and `commit` are
//! provenance, and a difference in them alone is no change. People edit
//! comments in user interfaces, so the marker counts on any line that begins
//! with it; one that is quoted inside a line is only spoken of.

use std::fmt::{self, Write as _};

use crate::name::{InstanceName, SilenceName};
use crate::schedule::OccurrenceStart;
use crate::timestamp::Timestamp;

/// Which installation, declaration and occurrence a silence stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Marker {
    /// The installation that made it.
    pub instance: InstanceName,
    /// The declaration that it stands for.
    pub silence: SilenceName,
    /// The occurrence that it stands for.
    pub start: OccurrenceStart,
    /// The file that declared it when it was written.
    pub source: Option<String>,
    /// The commit from which it was written.
    pub commit: Option<String>,
}

/// What a comment says about ownership.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ownership {
    /// No marker: made by people or other programs.
    Unmarked,
    /// Exactly one marker, and the rest of the comment.
    Marked(Box<Marker>, String),
    /// No marker but one inside a line: of somebody who speaks of it, or of a user
    /// interface that joined the lines. The first of them.
    Quoted(Box<Marker>),
    /// More than one marker: a copy of copies, which nobody may touch.
    Contradictory,
}

const OPENING: &str = "[silenced ";

/// Of a marker, in bytes: a comment that grows piece by piece is copied each time.
const USUAL_LENGTH: usize = 160;

impl Ownership {
    /// Reads a comment. Something like a marker that is not well-formed counts
    /// as text, so that a damaged marker makes a silence foreign.
    #[must_use]
    pub fn of(comment: &str) -> Self {
        let mut found: Option<(Marker, String)> = None;
        let mut quoted: Option<Marker> = None;
        let mut position = 0;
        while let Some((start, end)) = next_candidate(comment, position) {
            position = start + OPENING.len();
            let begins_line = comment
                .get(..start)
                .and_then(|before| before.rsplit('\n').next())
                .is_some_and(|before| before.trim().is_empty());
            let Some(marker) = comment.get(start..end).and_then(Marker::parse) else {
                continue;
            };
            if !begins_line {
                quoted.get_or_insert(marker);
                continue;
            }
            if found.is_some() {
                return Self::Contradictory;
            }
            let before = comment.get(..start).unwrap_or_default();
            let after = comment.get(end..).unwrap_or_default();
            found = Some((marker, human_text(before, after)));
            position = end;
        }
        match (found, quoted) {
            (Some((marker, text)), _) => Self::Marked(Box::new(marker), text),
            (None, Some(marker)) => Self::Quoted(Box::new(marker)),
            (None, None) => Self::Unmarked,
        }
    }
}

/// The next `[silenced ...]` from `position` on.
fn next_candidate(comment: &str, position: usize) -> Option<(usize, usize)> {
    let rest = comment.get(position..)?;
    // Most of the time in a pass over many silences would go into the search for
    // the whole of it.
    let opens = |&(at, _): &(usize, &str)| rest.get(at..).is_some_and(|it| it.starts_with(OPENING));
    let start = position + rest.match_indices('[').find(opens)?.0;
    let length = comment.get(start..)?.find(']')? + 1;
    Some((start, start + length))
}

/// What is left of a comment without its marker, the way [`comment`] would
/// have written it: line ends and blanks around the marker do not count.
fn human_text(before: &str, after: &str) -> String {
    let normal = |text: &str| text.replace("\r\n", "\n");
    let (before, after) = (normal(before), normal(after));
    match (before.trim_end(), after.trim()) {
        (before, "") => before.to_owned(),
        ("", after) => after.to_owned(),
        (before, after) => format!("{before}\n{after}"),
    }
}

/// The comment of a silence: the human text, then the marker as the last line.
#[must_use]
pub fn comment(text: &str, marker: &Marker) -> String {
    let text = text.trim_end();
    let mut comment = String::with_capacity(text.len() + USUAL_LENGTH);
    if !text.is_empty() {
        comment.push_str(text);
        comment.push('\n');
    }
    // Writing to a string does not fail.
    let _ = write!(comment, "{marker}");
    comment
}

impl Marker {
    /// Whether both stand for the same thing; provenance does not count.
    #[must_use]
    pub fn same_identity(&self, other: &Self) -> bool {
        self.instance == other.instance
            && self.silence == other.silence
            && self.start == other.start
    }

    /// Reads exactly what [`fmt::Display`] writes, in any order of the fields;
    /// fields that this version does not know are allowed, once each.
    fn parse(text: &str) -> Option<Self> {
        let fields = text.strip_prefix(OPENING)?.strip_suffix(']')?;
        let mut seen: Vec<(&str, &str)> = Vec::new();
        for field in fields.split(' ').filter(|field| !field.is_empty()) {
            let (key, value) = field.split_once('=')?;
            if value.is_empty() || seen.iter().any(|&(earlier, _)| earlier == key) {
                return None;
            }
            seen.push((key, value));
        }
        let value = |key: &str| {
            seen.iter()
                .find(|(name, _)| *name == key)
                .map(|(_, value)| *value)
        };
        Some(Self {
            instance: InstanceName::new(value("instance")?).ok()?,
            silence: SilenceName::new(value("silence")?).ok()?,
            start: match value("start")? {
                "lease" => OccurrenceStart::Lease,
                instant => OccurrenceStart::At(Timestamp::parse(instant).ok()?),
            },
            source: value("source").map(decode),
            commit: value("commit").map(str::to_owned),
        })
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            instance,
            silence,
            start,
            source,
            commit,
        } = self;
        write!(
            formatter,
            "{OPENING}instance={instance} silence={silence} start={start}"
        )?;
        if let Some(source) = source {
            write!(formatter, " source={}", encode(source))?;
        }
        if let Some(commit) = commit {
            write!(formatter, " commit={commit}")?;
        }
        formatter.write_str("]")
    }
}

/// Percent-encodes all but what every comment field shows unharmed.
fn encode(path: &str) -> String {
    path.bytes()
        .fold(String::with_capacity(path.len()), |mut encoded, byte| {
            if byte.is_ascii_alphanumeric() || b"-._/".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                // Writing to a string does not fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
            encoded
        })
}

fn decode(encoded: &str) -> String {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => std::str::from_utf8(&[*high, *low])
                .ok()
                .and_then(|digits| u8::from_str_radix(digits, 16).ok()),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() {
            rest.get(3..).unwrap_or_default()
        } else {
            tail
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker() -> Marker {
        Marker {
            instance: InstanceName::new("prod-eu").expect("valid"),
            silence: SilenceName::new("nightly-info").expect("valid"),
            start: OccurrenceStart::At(Timestamp::parse("2026-11-22T21:00:00Z").expect("valid")),
            source: Some("auto mation/[nächtlich] 1=2.yaml".to_owned()),
            commit: Some("1a2b3c4".to_owned()),
        }
    }

    #[test]
    fn it_reads_what_it_writes() {
        let written = comment("Low-severity noise waits.\n", &marker());
        expect_test::expect![[r"
            Low-severity noise waits.
            [silenced instance=prod-eu silence=nightly-info start=2026-11-22T21:00:00Z source=auto%20mation/%5Bn%C3%A4chtlich%5D%201%3D2.yaml commit=1a2b3c4]"]]
        .assert_eq(&written);
        assert_eq!(
            Ownership::of(&written),
            Ownership::Marked(Box::new(marker()), "Low-severity noise waits.".to_owned())
        );
    }

    #[test]
    fn people_may_edit_around_it() {
        let edited = format!("Waits.\r\n  {}  \r\nasked Bob, fine\r\n", marker());
        let Ownership::Marked(found, text) = Ownership::of(&edited) else {
            panic!("not found")
        };
        assert!(found.same_identity(&marker()));
        assert_eq!(text, "Waits.\nasked Bob, fine");
    }

    #[test]
    fn two_markers_contradict_each_other() {
        let twice = format!("{0}\n{0}", marker());
        assert_eq!(Ownership::of(&twice), Ownership::Contradictory);
    }

    #[test]
    fn damaged_markers_are_text() {
        for text in [
            "[silenced instance=a silence=b]",
            "[silenced instance=A silence=b start=lease]",
            "[silenced instance=a silence=b start=soon]",
            "[silenced instance=a instance=a silence=b start=lease]",
            "[silenced instance=a silence=b start=lease",
            "[silencedinstance=a silence=b start=lease]",
        ] {
            assert_eq!(Ownership::of(text), Ownership::Unmarked, "{text}");
        }
    }

    #[test]
    fn a_marker_that_is_only_quoted_owns_nothing() {
        let marker = marker();
        for text in [format!("see {marker} for why"), format!("> {marker}")] {
            let quoted = Ownership::Quoted(Box::new(marker.clone()));
            assert_eq!(Ownership::of(&text), quoted, "{text}");
        }
        let both = format!("as {marker} did\n{marker} and Bob agrees");
        assert!(matches!(Ownership::of(&both), Ownership::Marked(..)));
    }
}
