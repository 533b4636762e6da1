//! Which characters? Character classes, spelled for the Rust crate.

use std::fmt::Write as _;

use super::unicode::UnicodeSet;

/// A set of ASCII characters as the inside of a Rust bracket expression.
/// In Go `\d`, `\s`, `\w` and the POSIX classes are ASCII only.
#[derive(Clone, Copy, Debug)]
pub(super) struct AsciiSet(&'static str);

impl AsciiSet {
    /// `\d`, `\D` and so on, without the backslash; the flag is the negation.
    pub(super) const fn perl(letter: char) -> Option<(Self, bool)> {
        Some(match letter {
            'd' => (Self("0-9"), false),
            'D' => (Self("0-9"), true),
            // Unlike `[:space:]` without the vertical tab.
            's' => (Self(r"\t\n\f\r\x20"), false),
            'S' => (Self(r"\t\n\f\r\x20"), true),
            'w' => (Self("0-9A-Za-z_"), false),
            'W' => (Self("0-9A-Za-z_"), true),
            _ => return None,
        })
    }

    /// `alpha` or `^alpha`: what stands between `[:` and `:]`.
    pub(super) fn posix(name: &str) -> Option<(Self, bool)> {
        let (name, negated) = match name.strip_prefix('^') {
            Some(name) => (name, true),
            None => (name, false),
        };
        let ranges = match name {
            "alnum" => "0-9A-Za-z",
            "alpha" => "A-Za-z",
            "ascii" => r"\x00-\x7F",
            "blank" => r"\t\x20",
            "cntrl" => r"\x00-\x1F\x7F",
            "digit" => "0-9",
            "graph" => r"\x21-\x7E",
            "lower" => "a-z",
            "print" => r"\x20-\x7E",
            "punct" => r"\x21-\x2F\x3A-\x40\x5B-\x60\x7B-\x7E",
            "space" => r"\t\n\x0B\f\r\x20",
            "upper" => "A-Z",
            "word" => "0-9A-Za-z_",
            "xdigit" => "0-9A-Fa-f",
            _ => return None,
        };
        Some((Self(ranges), negated))
    }
}

/// The items of a class, collected while it is read.
#[derive(Default, Debug)]
pub(super) struct Class {
    items: String,
    /// How many items, and whether one of them is more than one character.
    count: usize,
    wide: bool,
}

impl Class {
    /// Every code point from `low` to `high`. Go counts surrogates among them;
    /// no text contains any and Rust cannot spell them.
    pub(super) fn push_range(&mut self, low: u32, high: u32) {
        self.count += 1;
        self.wide |= low != high;
        let low = if is_surrogate(low) { 0xE000 } else { low };
        let high = if is_surrogate(high) { 0xD7FF } else { high };
        if low <= high {
            push_character(low, &mut self.items);
            self.items.push('-');
            push_character(high, &mut self.items);
        }
    }

    pub(super) fn push_ascii(&mut self, set: AsciiSet, negated: bool) {
        self.wide = true;
        let caret = if negated { "^" } else { "" };
        let _ = write!(self.items, "[{caret}{}]", set.0);
    }

    pub(super) fn push_unicode(&mut self, set: UnicodeSet, negated: bool) {
        self.wide = true;
        set.write(negated, &mut self.items);
    }

    /// Whether this is `[x]`, which Go reads as `x`.
    pub(super) const fn is_single(&self) -> bool {
        self.count == 1 && !self.wide
    }

    /// Appends the class for the Rust crate, as one atom.
    pub(super) fn spell(&self, negated: bool, fold: bool, rust: &mut String) {
        let flag = if fold { "(?i:" } else { "(?:" };
        match (self.items.as_str(), negated) {
            ("", true) => rust.push_str("(?s:.)"),
            ("", false) => rust.push_str(r"[^\x{0}-\x{10FFFF}]"),
            (items, true) => rust.extend([flag, "[^", items, "])"]),
            (items, false) => rust.extend([flag, "[", items, "])"]),
        }
    }
}

/// Appends one character, inside or outside a class.
pub(super) fn push_character(code_point: u32, rust: &mut String) {
    match char::from_u32(code_point) {
        // Nearly all there are: the rest of this is slow.
        Some(letter) if letter.is_ascii_alphanumeric() => rust.push(letter),
        // Writing to a `String` cannot fail.
        _ => drop(write!(rust, r"\x{{{code_point:X}}}")),
    }
}

/// Whether a code point is half of a UTF-16 pair and not a character.
pub(super) const fn is_surrogate(code_point: u32) -> bool {
    matches!(code_point, 0xD800..=0xDFFF)
}
