//! How do findings look? For people, for programs, and for GitHub's annotations.

use std::fmt::Write;

use serde::Serialize;

use super::{Declarations, Diagnostic, Severity};

/// What `silenced validate --format json` prints.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Validation<'a> {
    /// How many files were read, broken ones included.
    pub files: usize,
    /// How many declarations are valid.
    pub silences: usize,
    /// Every finding.
    pub diagnostics: &'a [Diagnostic],
}

impl<'a> Validation<'a> {
    /// Of what was read, with all findings about it.
    #[must_use]
    pub fn new(declarations: &Declarations, diagnostics: &'a [Diagnostic]) -> Self {
        Self {
            files: declarations.paths.len(),
            silences: declarations.silences.len(),
            diagnostics,
        }
    }
}

/// Escape sequences of a terminal; empty without colour.
struct Palette {
    error: &'static str,
    warning: &'static str,
    bold: &'static str,
    dim: &'static str,
    reset: &'static str,
}

const COLOURED: Palette = Palette {
    error: "\u{1b}[1;31m",
    warning: "\u{1b}[1;33m",
    bold: "\u{1b}[1m",
    dim: "\u{1b}[2m",
    reset: "\u{1b}[0m",
};

const PLAIN: Palette = Palette {
    error: "",
    warning: "",
    bold: "",
    dim: "",
    reset: "",
};

/// One finding for people: where, what, the line with a caret, and a hint.
/// Ends with a newline.
#[must_use]
pub fn text(diagnostic: &Diagnostic, coloured: bool) -> String {
    let palette = if coloured { COLOURED } else { PLAIN };
    let Palette {
        bold, dim, reset, ..
    } = palette;
    let (word, colour) = match diagnostic.severity {
        Severity::Error => ("error", palette.error),
        Severity::Warning => ("warning", palette.warning),
    };
    let mut out = format!(
        "{bold}{}:{}:{}:{reset} {colour}{word}[{}]{reset}: {bold}{}{reset}\n",
        visible(&diagnostic.file),
        diagnostic.line,
        diagnostic.column,
        diagnostic.code,
        visible(&diagnostic.message),
    );
    // Writing to a `String` cannot fail.
    if let Some(snippet) = &diagnostic.snippet {
        let (line, caret) = window(snippet, diagnostic.column);
        let gutter = diagnostic.line.to_string();
        let _ = writeln!(out, "{dim} {gutter} |{reset} {line}");
        if let Some(caret) = caret {
            let blank = " ".repeat(gutter.len());
            let _ = writeln!(
                out,
                "{dim} {blank} |{reset} {}{colour}^{reset}",
                " ".repeat(caret)
            );
        }
    }
    if let Some(hint) = &diagnostic.hint {
        let _ = writeln!(out, "   hint: {}", visible(hint));
    }
    out
}

/// The part of a line that is shown, and how far the caret stands in it.
fn window(snippet: &str, column: u64) -> (String, Option<usize>) {
    /// Fits into a terminal beside the gutter.
    const SHOWN: usize = 100;
    let line: String = visible(snippet);
    let length = line.chars().count();
    let caret = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
    if length <= SHOWN {
        return (line, (caret <= length).then_some(caret));
    }
    let start = if caret > length {
        0
    } else {
        caret.saturating_sub(SHOWN / 2)
    };
    let shown: String = line.chars().skip(start).take(SHOWN).collect();
    (shown, (caret <= length).then(|| caret - start))
}

/// `text` on one line and without anything that a terminal would obey.
fn visible(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\t' => ' ',
            control if control.is_control() => '\u{fffd}',
            // Overrides of the direction make a line read other than it is.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            shown => shown,
        })
        .collect()
}

/// One finding as a workflow command of GitHub Actions, with a newline. `root`
/// leads from the repository's root to the declarations, and may be empty.
///
/// The escapes are those of the `@actions/core` toolkit: `%`, CR and LF
/// everywhere, in properties also `:` and `,`.
#[must_use]
pub fn github(diagnostic: &Diagnostic, root: &str) -> String {
    let word = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let root = root.trim_end_matches('/');
    let file = if root.is_empty() || root == "." {
        diagnostic.file.clone()
    } else {
        format!("{root}/{}", diagnostic.file)
    };
    let message = match &diagnostic.hint {
        Some(hint) => format!("{}\nhint: {hint}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    format!(
        "::{word} file={},line={},col={},title={}::{}\n",
        escaped_property(&file),
        diagnostic.line,
        diagnostic.column,
        escaped_property(diagnostic.code),
        escaped(&message),
    )
}

fn escaped(text: &str) -> String {
    // The log is shown in a terminal, too.
    let harmless = text.replace(
        |character: char| character.is_control() && !matches!(character, '\r' | '\n'),
        "\u{fffd}",
    );
    harmless
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn escaped_property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}
