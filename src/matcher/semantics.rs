//! What does a matcher do? Whether it is valid, what it matches, and what a
//! server thinks of it.

use std::fmt;

use thiserror::Error;

use super::regex::{GoRegex, GoRegexError, RecentSyntax};
use super::{MatchOperator, Matcher, Matchers, is_classic_name};

/// A matcher that every server refuses.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum InvalidMatcher {
    /// A label must have a name.
    #[error("empty label name")]
    EmptyName,
    /// The value is not a regular expression.
    #[error("not a regular expression: {0}")]
    Regex(#[from] GoRegexError),
}

impl InvalidMatcher {
    /// What to write instead.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::EmptyName => "name the label",
            Self::Regex(error) => error.hint(),
        }
    }
}

/// Something that some servers refuse and others take.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum MatcherWarning {
    /// A label name other than `[a-zA-Z_][a-zA-Z0-9_]*`.
    NameNeedsUtf8,
    /// A pattern that servers built with an old Go do not know.
    RecentRegexSyntax(RecentSyntax),
}

impl fmt::Display for MatcherWarning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NameNeedsUtf8 => {
                "the label name is not `[a-zA-Z_][a-zA-Z0-9_]*`: Alertmanager 0.26 and older, \
                 and newer ones in classic mode, refuse it, and so does Mimir unless it is in \
                 UTF-8 strict mode"
            }
            Self::RecentRegexSyntax(RecentSyntax::ShortGroupName) => {
                "`(?<name>` needs a server built with Go 1.22 or newer; `(?P<name>` works everywhere"
            }
            Self::RecentRegexSyntax(RecentSyntax::UnicodeName) => {
                "this spelling of a Unicode class needs a server built with Go 1.25 or newer; \
                 short names such as `\\p{Lu}` and exact script names such as `\\p{Greek}` work \
                 everywhere"
            }
        })
    }
}

/// A matcher whose pattern is compiled, for many values.
#[derive(Clone, Debug)]
pub struct CompiledMatcher {
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Equals(String),
    Matches(GoRegex),
}

impl CompiledMatcher {
    /// Whether an alert whose label has this value meets the condition. A label
    /// that the alert lacks counts as the empty string.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        let found = match &self.test {
            Test::Equals(wanted) => wanted == value,
            Test::Matches(regex) => regex.is_match_anchored(value),
        };
        found != self.negated
    }
}

impl Matcher {
    /// Whether servers take this matcher, by the rules of Alertmanager's
    /// `validateMatcher`, and what some of them object to. For matchers that
    /// were not read by [`Matcher::parse`], which checks too.
    pub fn check(&self) -> Result<Vec<MatcherWarning>, InvalidMatcher> {
        if self.name.is_empty() {
            return Err(InvalidMatcher::EmptyName);
        }
        let mut warnings = Vec::new();
        // The API never took a colon in classic mode, though the grammar does.
        if !is_classic_name(&self.name) || self.name.contains(':') {
            warnings.push(MatcherWarning::NameNeedsUtf8);
        }
        if self.operator.is_regex()
            && let Some(recent) = GoRegex::check(&self.value)?
        {
            warnings.push(MatcherWarning::RecentRegexSyntax(recent));
        }
        Ok(warnings)
    }

    /// Prepares the matcher for many values.
    pub fn compile(&self) -> Result<CompiledMatcher, GoRegexError> {
        let test = if self.operator.is_regex() {
            Test::Matches(GoRegex::parse(&self.value)?)
        } else {
            Test::Equals(self.value.clone())
        };
        Ok(CompiledMatcher {
            negated: !self.operator.is_equal(),
            test,
        })
    }

    /// Whether an alert whose label has this value meets the condition, see
    /// [`CompiledMatcher::matches`]. An error means that the pattern is invalid.
    pub fn matches(&self, value: &str) -> Result<bool, GoRegexError> {
        Ok(self.compile()?.matches(value))
    }

    /// Whether an alert that lacks the label meets the condition. True for
    /// `a!="x"`. Not what a server asks, see
    /// [`counts_as_matching_empty`](Self::counts_as_matching_empty).
    pub fn matches_absent_label(&self) -> Result<bool, GoRegexError> {
        self.matches("")
    }

    /// Whether Alertmanager's validation counts this matcher among those that
    /// match the empty string; it refuses a silence that has no others
    /// (`matchesEmpty` in its `silence` package). A negative matcher never
    /// counts, whatever it matches: `a!="x"` alone is taken and mutes nearly
    /// everything. An invalid pattern does not count either.
    #[must_use]
    pub fn counts_as_matching_empty(&self) -> bool {
        self.operator.is_equal() && self.matches("").unwrap_or(false)
    }

    /// Whether this matcher picks out something, so that a silence with it is
    /// not a global one: `=` with a value, or `=~` with a pattern that matches
    /// none of a few values which have nothing in common (the empty string, `a`,
    /// `0`, `zz-probe`). `alertname=~".+"` names nothing, and neither does any
    /// negative matcher or an invalid pattern.
    #[must_use]
    pub fn names_something(&self) -> bool {
        match self.operator {
            MatchOperator::Equal => !self.value.is_empty(),
            MatchOperator::Regex => self.compile().is_ok_and(|compiled| {
                ["", "a", "0", "zz-probe"]
                    .iter()
                    .all(|probe| !compiled.matches(probe))
            }),
            MatchOperator::NotEqual | MatchOperator::NotRegex => false,
        }
    }
}

impl Matchers {
    /// Whether every server refuses a silence with these matchers because it
    /// would match everything, see [`Matcher::counts_as_matching_empty`]. Also
    /// true without any matcher.
    #[must_use]
    pub fn all_count_as_matching_empty(&self) -> bool {
        self.as_slice()
            .iter()
            .all(Matcher::counts_as_matching_empty)
    }
}
