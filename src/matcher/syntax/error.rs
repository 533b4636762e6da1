//! Why is this string no matcher, and what to write instead?

use thiserror::Error;

use crate::matcher::InvalidMatcher;

/// A string that is not accepted as a matcher.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{kind} (column {}); {hint}", self.column())]
pub struct MatcherSyntaxError {
    /// What is wrong.
    pub kind: MatcherSyntaxErrorKind,
    /// What to write instead.
    pub hint: String,
    /// Where in the string, in bytes.
    pub offset: usize,
    pub(super) column: usize,
}

impl MatcherSyntaxError {
    /// Where in the string, in characters from 1.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.column
    }
}

/// What is wrong with a matcher's string. Much of it Alertmanager would accept
/// with a meaning that depends on its version and mode, or that surprises.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum MatcherSyntaxErrorKind {
    /// Nothing but blanks.
    #[error("empty matcher")]
    Empty,
    /// `{foo="bar"}`
    #[error("braces around a matcher")]
    Braces,
    /// `foo="a",bar="b"`, or a comma at the end.
    #[error("more than one matcher in one string")]
    SeveralMatchers,
    /// `="bar"`
    #[error("no label name before the operator")]
    MissingName,
    /// A character that an unquoted label name cannot contain.
    #[error("`{0}` in a label name without quotes")]
    NameCharacter(char),
    /// `foo`
    #[error("no operator after the label name")]
    MissingOperator,
    /// `foo ~= bar`, `foo ! bar`
    #[error("`{0}` is not an operator")]
    UnknownOperator(&'static str),
    /// `foo==bar`, which Alertmanager reads as the value `=bar`.
    #[error("`==` is not an operator: Alertmanager takes the second `=` as part of the value")]
    DoubleEquals,
    /// `foo=`
    #[error("no value after the operator")]
    MissingValue,
    /// `foo='bar'`, whose value in Alertmanager is `'bar'` with the quotes.
    #[error("single quotes: Alertmanager takes them as part of the value")]
    SingleQuotes,
    /// The raw strings of `PromQL`, which Alertmanager does not know.
    #[error("backquotes: Alertmanager takes them as part of the value")]
    Backquotes,
    /// A character that the two grammars treat differently without quotes.
    #[error("`{0}` in a value without quotes")]
    ValueCharacter(char),
    /// A blank or a control character in a value without quotes.
    #[error("a blank in a value without quotes")]
    ValueBlank,
    /// `foo="bar`
    #[error("no closing quote")]
    MissingQuote,
    /// `foo="bar"x`
    #[error("text after the closing quote")]
    TextAfterQuote,
    /// `foo="a\tb"`: backslash and `t` for the classic grammar, a tab for the
    /// UTF-8 grammar.
    #[error(
        "an escape that servers read in different ways: `{classic}` with its backslashes, or the \
         character that Go means by the escape"
    )]
    DisputedEscape {
        /// What the classic grammar reads, and a server in its default mode.
        classic: String,
        /// What the UTF-8 grammar reads.
        utf8: String,
    },
    /// An escape where only the UTF-8 grammar is left, and it does not know it.
    #[error("an escape that Alertmanager does not know")]
    UnknownEscape,
    /// The string is well-formed, what it says is not.
    #[error(transparent)]
    Invalid(#[from] InvalidMatcher),
}
