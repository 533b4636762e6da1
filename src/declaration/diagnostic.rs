//! What is wrong, where, and what to do about it?

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file, or the declaration, is not used.
    Error,
    /// It is used, and probably not what was meant.
    Warning,
}

/// One finding in a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// A stable word for machines, such as `unknown-key`.
    pub code: &'static str,
    /// Relative to the root of the declarations.
    pub file: String,
    /// From 1.
    pub line: u64,
    /// From 1, in characters.
    pub column: u64,
    /// What was found, and what was expected.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// The line of the file, for people.
    #[serde(skip)]
    pub snippet: Option<String>,
}
