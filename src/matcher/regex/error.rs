//! Why does Go refuse this regular expression?

use std::fmt;

use thiserror::Error;

/// Longest part of a pattern that a message quotes, in characters; a label
/// value or a hostname fits, a pattern of 64 KiB does not fill a terminal.
const QUOTED: usize = 80;

/// A pattern that Go's `regexp` refuses, in the words of Go.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{kind}: `{}` (byte {offset} of the pattern)", shortened(fragment))]
pub struct GoRegexError {
    /// What is wrong.
    pub kind: GoRegexErrorKind,
    /// The part of the pattern that Go blames; for a parenthesis without its
    /// partner that is the whole pattern.
    pub fragment: String,
    /// Where in the pattern, in bytes. Go does not tell; for a missing `)` it is
    /// the `(` that stays open.
    pub offset: usize,
}

impl GoRegexError {
    pub(super) fn new(kind: GoRegexErrorKind, fragment: &str, offset: usize) -> Self {
        Self {
            kind,
            fragment: fragment.to_owned(),
            offset,
        }
    }

    /// What to write instead.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self.kind {
            GoRegexErrorKind::MissingRepeatArgument => {
                "this is a regular expression and no glob: write `.*` where a glob has `*`"
            }
            GoRegexErrorKind::InvalidPerlSyntax | GoRegexErrorKind::InvalidNamedCapture => {
                "Go's RE2 has no lookahead, lookbehind or back-references: use a second matcher \
                 with `!~`, or list the values"
            }
            GoRegexErrorKind::OpenQuotation => {
                "write `\\E` at its end: Alertmanager takes the silence without it, and then \
                 applies no silence at all"
            }
            GoRegexErrorKind::InvalidRepeatCount => "repeat at most 1000 times",
            GoRegexErrorKind::NestedRepetition => {
                "keep one of the repetitions, or put the first in `(?:…)`"
            }
            GoRegexErrorKind::NestsTooDeeply
            | GoRegexErrorKind::TooLarge
            | GoRegexErrorKind::TooLong => {
                "split the silence, or match on a label that groups them"
            }
            _ => r"escape what is meant literally with a backslash: `\.`, `\(`, `\[`",
        }
    }

    /// The text of Go's own error, as it appears inside a server's answer.
    #[must_use]
    pub fn go_message(&self) -> String {
        format!("error parsing regexp: {}: `{}`", self.kind, self.fragment)
    }
}

/// The kinds of Go's `syntax.ErrorCode`, and limits of our own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum GoRegexErrorKind {
    /// A class range backwards, or an unknown `[:name:]` or `\p{Name}`.
    InvalidClassRange,
    /// A backslash before something that it does not go with.
    InvalidEscape,
    /// A group name that is not `[A-Za-z0-9_]+`, or lookbehind.
    InvalidNamedCapture,
    /// `(?` with something that Go does not know: lookahead, `(?P=name)`, `(?x)`.
    InvalidPerlSyntax,
    /// Two repetitions in a row, such as `**` or possessive `++`.
    NestedRepetition,
    /// A count over 1000, backwards, or over 1000 multiplied by those around it.
    InvalidRepeatCount,
    /// `[` without `]`.
    MissingBracket,
    /// `(` without `)`.
    MissingParenthesis,
    /// `)` without `(`.
    UnexpectedParenthesis,
    /// A repetition with nothing before it.
    MissingRepeatArgument,
    /// A backslash at the very end.
    TrailingBackslash,
    /// `\Q` without `\E`. Go accepts it alone, and so does Alertmanager when a
    /// silence is created; but inside `^(?:…)$` it swallows the rest, and as long
    /// as one such silence is active Alertmanager applies no silence at all
    /// (0.25 and 0.33 tried).
    OpenQuotation,
    /// More than Go's 1000 levels, or more than 100 without capturing groups,
    /// where silenced is stricter than Go.
    NestsTooDeeply,
    /// More than Go compiles (3,355,443 instructions), or more than
    /// [`COMPILED_LIMIT`](super::COMPILED_LIMIT), where silenced is stricter.
    TooLarge,
    /// Longer than [`PATTERN_LIMIT`](super::PATTERN_LIMIT); Go has no such limit.
    TooLong,
}

impl fmt::Display for GoRegexErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::InvalidClassRange => "invalid character class range",
            Self::InvalidEscape => "invalid escape sequence",
            Self::InvalidNamedCapture => "invalid named capture",
            Self::InvalidPerlSyntax => "invalid or unsupported Perl syntax",
            Self::NestedRepetition => "invalid nested repetition operator",
            Self::InvalidRepeatCount => "invalid repeat count",
            Self::MissingBracket => "missing closing ]",
            Self::MissingParenthesis => "missing closing )",
            Self::UnexpectedParenthesis => "unexpected )",
            Self::MissingRepeatArgument => "missing argument to repetition operator",
            Self::TrailingBackslash => "trailing backslash at end of expression",
            Self::OpenQuotation => r"missing closing \E",
            Self::NestsTooDeeply => "expression nests too deeply",
            Self::TooLarge => "expression too large",
            Self::TooLong => "expression longer than 64 KiB",
        })
    }
}

fn shortened(fragment: &str) -> String {
    match fragment.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", fragment.get(..end).unwrap_or(fragment)),
        None => fragment.to_owned(),
    }
}
