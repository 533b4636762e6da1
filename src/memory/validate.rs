//! Which silences are refused? Alertmanager's own rules, which are few.
//!
//! After `validateSilence` and `matchesEmpty` of its `silence/silence.go`. The
//! author and the comment have no rules, and every negative matcher counts as
//! not matching the empty text, so a silence that mutes nearly all is accepted.

use crate::matcher::regex::GoRegex;
use crate::matcher::{Matcher, Matchers};

use super::error::PostError;
use super::settings::Settings;
use super::version::Version;

/// Only the matchers have rules beyond the types of the fields.
pub(super) fn validate(matchers: &Matchers, settings: &Settings) -> Result<(), PostError> {
    let version = settings.version;
    let matchers = matchers.as_slice();
    let start = version.invalid_silence();
    let newest = version >= Version::V0_33;
    for (index, matcher) in matchers.iter().enumerate() {
        if let Err(reason) = validate_matcher(matcher, settings) {
            let set = if newest { " in set 0" } else { "" };
            return Err(PostError::Invalid(format!(
                "{start}: invalid label matcher {index}{set}: {reason}"
            )));
        }
    }
    if matchers.iter().all(Matcher::counts_as_matching_empty) {
        let set = if newest { "matcher set 0: " } else { "" };
        return Err(PostError::Invalid(format!(
            "{start}: {set}at least one matcher must not match the empty string"
        )));
    }
    Ok(())
}

fn validate_matcher(matcher: &Matcher, settings: &Settings) -> Result<(), String> {
    let name = &matcher.name;
    let valid_name = if settings.has_utf8_names() {
        !name.is_empty()
    } else {
        is_classic_label_name(name)
    };
    if !valid_name {
        return Err(format!("invalid label name {name:?}"));
    }
    if matcher.operator.is_regex() {
        validate_regex(&matcher.value, settings.version).map_err(|reason| {
            format!("invalid regular expression {:?}: {reason}", matcher.value)
        })?;
    }
    Ok(())
}

fn validate_regex(pattern: &str, version: Version) -> Result<(), String> {
    let regex = GoRegex::parse(pattern).map_err(|error| error.go_message())?;
    match regex.recent_syntax() {
        Some(recent) if !version.reads(recent) => Err("error parsing regexp".to_owned()),
        _ => Ok(()),
    }
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`
fn is_classic_label_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}
