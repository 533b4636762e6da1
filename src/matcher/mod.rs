//! Which alerts? Matchers in Alertmanager's own words.

mod placeholder;
pub mod regex;
mod semantics;
mod syntax;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

pub use placeholder::{InvalidPlaceholder, MissingLabel};
pub use semantics::{CompiledMatcher, InvalidMatcher, MatcherWarning};
pub use syntax::{MatcherSyntaxError, MatcherSyntaxErrorKind};

/// By an equal matcher on this label Grafana knows the silences of one rule.
pub const RULE_LABEL: &str = "__alert_rule_uid__";

/// How a matcher compares a label's value with its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MatchOperator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`, anchored at both ends
    Regex,
    /// `!~`, anchored at both ends
    NotRegex,
}

impl MatchOperator {
    /// From the two flags of the API; an absent `isEqual` means true there.
    #[must_use]
    pub const fn from_flags(is_regex: bool, is_equal: bool) -> Self {
        match (is_regex, is_equal) {
            (false, true) => Self::Equal,
            (false, false) => Self::NotEqual,
            (true, true) => Self::Regex,
            (true, false) => Self::NotRegex,
        }
    }

    /// The API's `isRegex`.
    #[must_use]
    pub const fn is_regex(self) -> bool {
        matches!(self, Self::Regex | Self::NotRegex)
    }

    /// The API's `isEqual`.
    #[must_use]
    pub const fn is_equal(self) -> bool {
        matches!(self, Self::Equal | Self::Regex)
    }

    /// As it is written between name and value.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Regex => "=~",
            Self::NotRegex => "!~",
        }
    }
}

/// One condition on one label.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Matcher {
    /// The label.
    pub name: String,
    /// How it is compared.
    pub operator: MatchOperator,
    /// The value or the regular expression (Go's RE2 syntax).
    pub value: String,
}

/// A matcher that was read from a string, and what its author should know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParsedMatcher {
    /// What the string says.
    pub matcher: Matcher,
    /// Where servers would disagree about it.
    pub warnings: Vec<MatcherWarning>,
}

impl Matcher {
    /// Reads one matcher in Alertmanager's syntax, such as `severity=~"info|none"`.
    ///
    /// Refused, with what to write instead, are strings that servers read in
    /// different ways and those that mean something other than they seem to.
    pub fn parse(text: &str) -> Result<ParsedMatcher, MatcherSyntaxError> {
        syntax::parse(text)
    }
}

impl fmt::Display for Matcher {
    /// Alertmanager's rendering: the value always quoted, only `\`, `"` and
    /// newline escaped; the name quoted where the grammar needs it. It differs
    /// in control characters beside a quoted name, which Alertmanager escapes.
    /// [`Matcher::parse`] reads it back.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if syntax::needs_quotes(&self.name) {
            syntax::write_quoted(&self.name, formatter)?;
        } else {
            formatter.write_str(&self.name)?;
        }
        formatter.write_str(self.operator.symbol())?;
        syntax::write_quoted(&self.value, formatter)
    }
}

/// Whether the classic string grammar takes this for a label name:
/// `[a-zA-Z_:][a-zA-Z0-9_:]*`.
fn is_classic_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'))
}

/// Matchers that must all hold, in the order in which they were written. Clones
/// share them: every silence that is planned has those of its declaration.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Matchers(Arc<[Matcher]>);

impl Matchers {
    /// Keeps the order given.
    #[must_use]
    pub fn new(matchers: Vec<Matcher>) -> Self {
        Self(matchers.into())
    }

    /// In the order given.
    #[must_use]
    pub fn as_slice(&self) -> &[Matcher] {
        &self.0
    }

    /// Whether both mute the same alerts by construction: the same matchers,
    /// whatever their order and however often each is repeated.
    #[must_use]
    pub fn same_set(&self, other: &Self) -> bool {
        self.0 == other.0 || self.as_set() == other.as_set()
    }

    fn as_set(&self) -> BTreeSet<&Matcher> {
        self.0.iter().collect()
    }
}
