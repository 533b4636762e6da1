//! What does a regular expression of Alertmanager match? Go's RE2 dialect.
//!
//! Alertmanager compiles a matcher's pattern with Go's `regexp` as `^(?:…)$`.
//! [`GoRegex`] accepts what Go accepts, refuses what Go refuses in Go's words,
//! and matches what Go matches, by translation for the Rust `regex` crate. The
//! reference is Go 1.27; [`RecentSyntax`] tells what older ones refuse.
//!
//! Two differences are left. The Rust crate's tables are of Unicode 16 and Go's of
//! 17, so that a class may miss a character of 2025. And half of a UTF-16 pair
//! (`\x{D800}`) matches nothing here, where Go confuses it with U+FFFD.

mod class;
mod error;
mod group;
mod measure;
mod scan;
mod translate;
mod unicode;

use regex::RegexBuilder;

pub use error::{GoRegexError, GoRegexErrorKind};

/// Longest pattern, in bytes. A list of 4,000 hostnames of 15 characters with
/// the bars between them is 64,000 bytes; beyond that nobody reviews it.
pub const PATTERN_LIMIT: usize = 64 * 1024;

/// Most memory for one compiled pattern, in bytes. Spelled out, 64 KiB of text
/// take about 3 MiB; 16 MiB leave room for Unicode classes (`\pL` takes
/// 30 KiB) and counts, and a repository of 100 such patterns fits a small pod.
pub const COMPILED_LIMIT: usize = 16 << 20;

/// Instructions of a pattern that is small enough without a look: 64 KiB for
/// each, twice what `\pL` takes, are within [`COMPILED_LIMIT`]. Most patterns
/// are, and to compile one takes longer than everything else about a declaration.
const SMALL: usize = COMPILED_LIMIT / (64 << 10);

/// Parentheses inside one another in the Rust spelling: at most one for every
/// byte of the pattern, and two around it. They cost no recursion; the levels
/// that do are counted while the pattern is read.
const NEST_LIMIT: u32 = 64 * 1024 + 2;

/// Syntax that the newest Go reads and older ones refuse.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum RecentSyntax {
    /// `(?<name>…)` without the `P`: Go 1.22. Alertmanager 0.25 of Debian is
    /// built with Go 1.19.
    ShortGroupName,
    /// `\p{Letter}`, `\p{greek}` and other long or loosely written names, also
    /// `\p{ASCII}`: Go 1.25.
    UnicodeName,
}

/// A regular expression that Go accepts.
#[derive(Clone, Debug)]
pub struct GoRegex {
    compiled: regex::Regex,
    recent: Option<RecentSyntax>,
}

impl GoRegex {
    /// Reads a pattern as Go's `regexp.Compile` does.
    pub fn parse(pattern: &str) -> Result<Self, GoRegexError> {
        read(pattern)?.compile(pattern)
    }

    /// Whether [`parse`](Self::parse) takes a pattern, and the first piece of it
    /// that servers built with an old Go refuse. It is only compiled if it might
    /// turn out too large.
    pub fn check(pattern: &str) -> Result<Option<RecentSyntax>, GoRegexError> {
        if pattern.len() <= SMALL && !pattern.contains(is_special) {
            return Ok(None);
        }
        let readable = read(pattern)?;
        if readable.size <= SMALL {
            return Ok(readable.recent);
        }
        readable.compile(pattern).map(|regex| regex.recent)
    }

    /// Whether the whole of `text` matches, as in Alertmanager. Without `(?s)`
    /// a dot does not match a newline.
    #[must_use]
    pub fn is_match_anchored(&self, text: &str) -> bool {
        self.compiled.is_match(text)
    }

    /// The first piece that servers built with an old Go refuse.
    #[must_use]
    pub const fn recent_syntax(&self) -> Option<RecentSyntax> {
        self.recent
    }
}

/// `text` as a pattern that matches nothing else, as Go's `QuoteMeta` writes it.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if is_special(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// Whether a character may stand for something else than itself.
fn is_special(character: char) -> bool {
    r"\.+*?()|[]{}^$".contains(character)
}

/// A pattern that Go accepts, anchored and in the Rust spelling.
struct Readable {
    rust: String,
    size: usize,
    recent: Option<RecentSyntax>,
}

fn read(pattern: &str) -> Result<Readable, GoRegexError> {
    let refuse = |kind| GoRegexError::new(kind, pattern, 0);
    if pattern.len() > PATTERN_LIMIT {
        return Err(refuse(GoRegexErrorKind::TooLong));
    }
    // Alone first: the server does so too when it takes a silence, and the
    // messages speak of what the author wrote.
    let alone = translate::translate(pattern)?;
    if let Some(start) = alone.open_quotation {
        let quotation = pattern.get(start..).unwrap_or(pattern);
        let kind = GoRegexErrorKind::OpenQuotation;
        return Err(GoRegexError::new(kind, quotation, start));
    }
    let anchored =
        translate::translate(&format!("^(?:{pattern})$")).map_err(|error| refuse(error.kind))?;
    Ok(Readable {
        rust: anchored.rust,
        size: anchored.size,
        recent: alone.recent,
    })
}

impl Readable {
    fn compile(self, pattern: &str) -> Result<GoRegex, GoRegexError> {
        let compiled = RegexBuilder::new(&self.rust)
            .size_limit(COMPILED_LIMIT)
            .nest_limit(NEST_LIMIT)
            .build()
            // The translation is always valid, so only the size is left.
            .map_err(|_| GoRegexError::new(GoRegexErrorKind::TooLarge, pattern, 0))?;
        Ok(GoRegex {
            compiled,
            recent: self.recent,
        })
    }
}
