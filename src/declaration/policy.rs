//! What may be declared? The rules that every declaration must keep.
//!
//! This version has only the built-in rules; rules of one's own will be read
//! from [`FILES`], which are therefore no declarations. Where there is one, the
//! built-in rules do not take its place: they may allow what it forbids.

use super::Declaration;
use crate::matcher::Matcher;

/// The policy file at the root of the directory, in both spellings.
const FILES: [&str; 2] = ["policy.yaml", "policy.yml"];

/// Whether a path is that of the policy file.
pub(super) fn is_at(path: &str) -> bool {
    FILES.contains(&path)
}

/// A rule that a declaration breaks.
pub(super) struct Violation {
    /// `policy-...`, for the diagnostic.
    pub(super) code: &'static str,
    pub(super) message: &'static str,
    pub(super) hint: &'static str,
}

/// The rules that `declaration` breaks: comment and owner are required, and no
/// silence may be global.
pub(super) fn violations(declaration: &Declaration) -> Vec<Violation> {
    let mut violations = Vec::new();
    if declaration.comment.trim().is_empty() {
        violations.push(Violation {
            code: "policy-comment",
            message: "a silence needs a comment that says why",
            hint: "add `comment: ...`",
        });
    }
    if declaration.owner.is_empty() {
        violations.push(Violation {
            code: "policy-owner",
            message: "a silence needs an owner who answers for it",
            hint: "add `owner: ...` here or at the top of the file",
        });
    }
    let matchers = declaration.matchers.as_slice();
    if !matchers.iter().any(Matcher::names_something) {
        violations.push(Violation {
            code: "policy-global",
            message: "no matcher names something, so this silence would be global",
            hint: "add a matcher with `=` and a value, or with `=~` and a pattern that does not match everything",
        });
    }
    violations
}
