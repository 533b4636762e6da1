//! What does a matcher say on this target? Placeholders such as
//! `${target.region}` in values, and what stands for them there.
//!
//! One declaration serves targets that differ in a label. `${target.name}` is
//! the target's name, every other word one of its labels. `$${target.` stands
//! for `${target.` itself. Names of labels have no placeholders.

use std::borrow::Cow;
use std::collections::BTreeMap;

use thiserror::Error;

use super::regex::quote;
use super::{Matcher, Matchers};
use crate::name::TargetName;

/// What begins a placeholder.
const OPENING: &str = "${target.";

/// What follows a group of a pattern and applies to it.
const QUANTIFIERS: [char; 4] = ['*', '+', '?', '{'];

/// A placeholder that a target has nothing for.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("`${{target.{label}}}`: the target `{target}` has no label `{label}` with a value")]
pub struct MissingLabel {
    /// What was asked for.
    pub label: String,
    /// Of whom.
    pub target: TargetName,
}

/// Something in a value that looks like a placeholder and cannot be one.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum InvalidPlaceholder {
    /// The rest of the value has no `}`.
    #[error("`${{target.` is not closed")]
    Open,
    /// There is nothing to look up.
    #[error("`${{target.}}` names no label")]
    Empty,
    /// It stands in the name of a label.
    #[error("`${{target.` stands in the name of a label, and only values have placeholders")]
    InName,
}

/// A stretch of a value.
enum Part<'a> {
    Text(&'a str),
    Label(&'a str),
}

impl Matcher {
    /// Whether the placeholders can be looked up, whatever the target.
    pub fn check_placeholders(&self) -> Result<(), InvalidPlaceholder> {
        if self.name.contains(OPENING) {
            return Err(InvalidPlaceholder::InName);
        }
        parts(&self.value).map(|_| ())
    }

    fn on_target(&self, labels: &Labels<'_>) -> Result<Self, MissingLabel> {
        // An open placeholder was refused when the declaration was read.
        let parts = parts(&self.value).unwrap_or_else(|_| vec![Part::Text(&self.value)]);
        let mut value = String::with_capacity(self.value.len());
        let mut parts = parts.into_iter().peekable();
        while let Some(part) = parts.next() {
            match part {
                Part::Text(text) => value.push_str(text),
                Part::Label(label) if self.operator.is_regex() => {
                    let quoted = quote(labels.get(label)?);
                    // `+` after it is for all of it, not for its last letter.
                    match parts.peek() {
                        Some(Part::Text(next)) if next.starts_with(QUANTIFIERS) => {
                            value.extend(["(?:", &quoted, ")"]);
                        }
                        _ => value.push_str(&quoted),
                    }
                }
                Part::Label(label) => value.push_str(labels.get(label)?),
            }
        }
        Ok(Self {
            value,
            ..self.clone()
        })
    }
}

impl Matchers {
    /// Whether they say the same on every target.
    #[must_use]
    pub fn is_same_everywhere(&self) -> bool {
        let mut matchers = self.as_slice().iter();
        !matchers.any(|matcher| matcher.value.contains(OPENING))
    }

    /// The matchers with the values that the target `name` with those `labels`
    /// has for their placeholders: as they are in `=` and `!=`, quoted in
    /// patterns. An empty label is as good as none: it would match what lacks
    /// the label.
    pub fn on_target(
        &self,
        name: &TargetName,
        labels: &BTreeMap<String, String>,
    ) -> Result<Cow<'_, Self>, MissingLabel> {
        if self.is_same_everywhere() {
            return Ok(Cow::Borrowed(self));
        }
        let labels = Labels { name, labels };
        let matchers = self.as_slice().iter();
        let matchers: Result<Vec<_>, _> = matchers.map(|one| one.on_target(&labels)).collect();
        Ok(Cow::Owned(Self::new(matchers?)))
    }
}

/// What placeholders may name.
struct Labels<'a> {
    name: &'a TargetName,
    labels: &'a BTreeMap<String, String>,
}

impl Labels<'_> {
    fn get(&self, label: &str) -> Result<&str, MissingLabel> {
        let value = match label {
            "name" => Some(self.name.as_str()),
            _ => self.labels.get(label).map(String::as_str),
        };
        value
            .filter(|value| !value.is_empty())
            .ok_or_else(|| MissingLabel {
                label: label.to_owned(),
                target: self.name.clone(),
            })
    }
}

fn parts(value: &str) -> Result<Vec<Part<'_>>, InvalidPlaceholder> {
    let mut parts = Vec::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once(OPENING) {
        if let Some(before) = before.strip_suffix('$') {
            parts.extend([Part::Text(before), Part::Text(OPENING)]);
            rest = after;
            continue;
        }
        let (label, after) = after.split_once('}').ok_or(InvalidPlaceholder::Open)?;
        if label.is_empty() {
            return Err(InvalidPlaceholder::Empty);
        }
        parts.extend([Part::Text(before), Part::Label(label)]);
        rest = after;
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failing test is to panic")]

    use super::*;

    fn on_target(matcher: &str) -> String {
        let labels = [("region", "eu-1"), ("domain", "a.b"), ("empty", "")];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let matchers = Matchers::new(vec![Matcher::parse(matcher).unwrap().matcher]);
        let name = TargetName::new("prod").unwrap();
        match matchers.on_target(&name, &labels.into()) {
            Ok(matchers) => matchers.as_slice()[0].to_string(),
            Err(missing) => missing.to_string(),
        }
    }

    #[test]
    fn values_of_the_target_stand_for_placeholders() {
        for (written, expected) in [
            (r#"a="b""#, r#"a="b""#),
            (r#"a="${target.region}""#, r#"a="eu-1""#),
            (
                r#"a!="x-${target.region}-${target.name}-y""#,
                r#"a!="x-eu-1-prod-y""#,
            ),
            (r#"a="${target.domain}""#, r#"a="a.b""#),
            (r#"a=~"${target.domain}|x""#, r#"a=~"a\\.b|x""#),
            (r#"a=~"${target.domain}+""#, r#"a=~"(?:a\\.b)+""#),
            (r#"a!~"^${target.domain}$""#, r#"a!~"^a\\.b$""#),
            (r#"a="$${target.region}""#, r#"a="${target.region}""#),
            (r#"a="${region}""#, r#"a="${region}""#),
        ] {
            assert_eq!(on_target(written), expected, "{written}");
        }
    }

    #[test]
    fn what_the_target_lacks_is_said() {
        for label in ["zone", "empty"] {
            assert_eq!(
                on_target(&format!("a=\"${{target.{label}}}\"")),
                format!(
                    "`${{target.{label}}}`: the target `prod` has no label `{label}` with a value"
                )
            );
        }
    }

    #[test]
    fn what_cannot_be_looked_up_anywhere_is_refused() {
        let check = |name: &str, value: &str| {
            let mut matcher = Matcher::parse("a=b").unwrap().matcher;
            (matcher.name, matcher.value) = (name.to_owned(), value.to_owned());
            matcher.check_placeholders()
        };
        assert_eq!(check("a", "${target.a}$${target.}"), Ok(()));
        assert_eq!(check("a", "${target.a"), Err(InvalidPlaceholder::Open));
        assert_eq!(check("a", "${target.}"), Err(InvalidPlaceholder::Empty));
        assert_eq!(check("${target.a}", "b"), Err(InvalidPlaceholder::InName));
    }
}
