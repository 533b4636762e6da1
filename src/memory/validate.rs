//! Which silences are refused? Alertmanager's own rules, which are few.
//!
//! After `validateSilence` and `matchesEmpty` of its `silence/silence.go`. The
//! author and the comment have no rules, and every negative matcher counts as
//! not matching the empty text, so a silence that mutes nearly all is accepted.

use crate::matcher::{MatchOperator, Matcher, Matchers};

use super::error::PostError;
use super::version::Version;

/// Only the matchers have rules beyond the types of the fields.
pub(super) fn validate(matchers: &Matchers, version: Version) -> Result<(), PostError> {
    let matchers = matchers.as_slice();
    let start = version.invalid_silence();
    let newest = version >= Version::V0_33;
    for (index, matcher) in matchers.iter().enumerate() {
        if let Err(reason) = validate_matcher(matcher, version) {
            let set = if newest { " in set 0" } else { "" };
            return Err(PostError::Invalid(format!(
                "{start}: invalid label matcher {index}{set}: {reason}"
            )));
        }
    }
    if matchers.iter().all(matches_empty) {
        let set = if newest { "matcher set 0: " } else { "" };
        return Err(PostError::Invalid(format!(
            "{start}: {set}at least one matcher must not match the empty string"
        )));
    }
    Ok(())
}

fn validate_matcher(matcher: &Matcher, version: Version) -> Result<(), String> {
    let name = &matcher.name;
    let valid_name = if version.has_utf8_names() {
        !name.is_empty()
    } else {
        is_classic_label_name(name)
    };
    if !valid_name {
        return Err(format!("invalid label name {name:?}"));
    }
    if matcher.operator.is_regex() && !is_valid_regex(&matcher.value) {
        return Err(format!(
            "invalid regular expression {:?}: error parsing regexp",
            matcher.value
        ));
    }
    Ok(())
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`
fn is_classic_label_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

fn matches_empty(matcher: &Matcher) -> bool {
    match matcher.operator {
        MatchOperator::Equal => matcher.value.is_empty(),
        MatchOperator::Regex => regex_matches_empty(&matcher.value),
        MatchOperator::NotEqual | MatchOperator::NotRegex => false,
    }
}

/// Whether Alertmanager compiles it.
pub(super) fn is_valid_regex(pattern: &str) -> bool {
    compile(pattern).is_some()
}

fn regex_matches_empty(pattern: &str) -> bool {
    compile(pattern).is_some_and(|regex| regex.is_match(b""))
}

/// Perl's classes, such as `\d`, are ASCII in Go, and classes of Unicode exist
/// too; here each needs its own mode.
fn compile(pattern: &str) -> Option<regex::bytes::Regex> {
    let in_mode = |unicode| {
        regex::bytes::RegexBuilder::new(pattern)
            .unicode(unicode)
            .build()
            .ok()
    };
    in_mode(true).or_else(|| in_mode(false))
}
