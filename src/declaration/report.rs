//! What was found in this file, and where? The place that decoders report to.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::diagnostic::{Diagnostic, Severity};

/// Findings that are kept of one file. A person mends the first few and looks
/// again; a file of 1 MiB that is wrong in every line must not become a
/// report of many. Suggesting the nearest of 600 zones to each of these
/// takes 100 x 600 comparisons, a few milliseconds.
const FINDINGS: usize = 100;

/// Characters of a line that are kept with a finding; enough for people, and a
/// line of 1 MiB is not repeated a hundred times.
const SNIPPET: usize = 200;

/// A place in a file, both from 1; columns count characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Position {
    pub(super) line: u32,
    pub(super) column: u32,
}

impl Position {
    /// For findings about a file as a whole.
    pub(super) const START: Self = Self { line: 1, column: 1 };
}

/// A fault that has been reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Reported;

/// A place that outlives the reading of its file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    file: Arc<str>,
    at: Position,
    snippet: Option<Arc<str>>,
}

impl Place {
    /// A finding at this place.
    pub(super) fn diagnostic(
        &self,
        severity: Severity,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Diagnostic {
        let hint = hint.into();
        Diagnostic {
            severity,
            code,
            file: self.file.to_string(),
            line: u64::from(self.at.line),
            column: u64::from(self.at.column),
            message: message.into(),
            hint: (!hint.is_empty()).then_some(hint),
            snippet: self.snippet.as_deref().map(str::to_owned),
        }
    }
}

/// The findings of one file, in the order of discovery.
///
/// It takes them by shared reference, so that a decoder can go on with the
/// next part while it still holds the one before.
#[derive(Debug)]
pub(super) struct Report<'a> {
    file: Arc<str>,
    lines: Vec<&'a str>,
    diagnostics: RefCell<Vec<Diagnostic>>,
    broken: Cell<bool>,
    left_out: Cell<usize>,
}

impl<'a> Report<'a> {
    pub(super) fn new(file: &str, text: &'a str) -> Self {
        Self {
            file: file.into(),
            lines: text.lines().collect(),
            diagnostics: RefCell::default(),
            broken: Cell::new(false),
            left_out: Cell::new(0),
        }
    }

    /// The file's path.
    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// Whether an error makes the whole file unusable.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.get()
    }

    /// Whether so much is wrong that there is no point in going on.
    pub(super) fn is_full(&self) -> bool {
        self.left_out.get() > 0
    }

    /// An error that makes the whole file unusable. An empty hint is none.
    pub(super) fn error(
        &self,
        at: Position,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.broken.set(true);
        self.add(Severity::Error, at, code, message, hint);
    }

    /// An error that concerns one declaration and leaves the file usable.
    pub(super) fn error_in_one(
        &self,
        at: Position,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add(Severity::Error, at, code, message, hint);
    }

    /// Something that is used, and probably not what was meant.
    pub(super) fn warning(
        &self,
        at: Position,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add(Severity::Warning, at, code, message, hint);
    }

    /// The place of `at`, with its line.
    pub(super) fn place(&self, at: Position) -> Place {
        let index = usize::try_from(at.line.saturating_sub(1)).unwrap_or(usize::MAX);
        let line = self.lines.get(index).copied();
        Place {
            file: Arc::clone(&self.file),
            at,
            snippet: line.map(|line| line.chars().take(SNIPPET).collect::<String>().into()),
        }
    }

    /// What was found so far.
    pub(super) fn findings(&self) -> Vec<Diagnostic> {
        self.diagnostics.borrow().clone()
    }

    /// Adds what an earlier reading of the same text found, none of it an error.
    pub(super) fn repeat(&self, findings: &[Diagnostic]) {
        self.diagnostics.borrow_mut().extend_from_slice(findings);
    }

    /// Everything that was found.
    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        let left_out = self.left_out.get();
        if left_out > 0 {
            let note = self.place(Position::START).diagnostic(
                if self.is_broken() {
                    Severity::Error
                } else {
                    Severity::Warning
                },
                "too-many-findings",
                format!("this file has more findings than the {FINDINGS} shown"),
                "mend these first",
            );
            self.diagnostics.borrow_mut().push(note);
        }
        self.diagnostics.into_inner()
    }

    fn add(
        &self,
        severity: Severity,
        at: Position,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let mut diagnostics = self.diagnostics.borrow_mut();
        if diagnostics.len() >= FINDINGS {
            self.left_out.set(self.left_out.get() + 1);
            return;
        }
        let finding = self.place(at).diagnostic(severity, code, message, hint);
        // Two declarations that use the same named thing find the same in it.
        if !diagnostics.contains(&finding) {
            diagnostics.push(finding);
        }
    }
}
