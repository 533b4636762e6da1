//! What stands here? The cursor over a pattern, and the pieces that never
//! depend on what is around them: escapes, brackets, counts.

use super::RecentSyntax;
use super::class::{AsciiSet, Class};
use super::error::{GoRegexError, GoRegexErrorKind};
use super::unicode::UnicodeSet;

/// A position in a pattern.
#[derive(Debug)]
pub(super) struct Scanner<'p> {
    pattern: &'p str,
    pub(super) position: usize,
    /// The first piece that an old Go would refuse.
    pub(super) recent: Option<RecentSyntax>,
}

impl<'p> Scanner<'p> {
    pub(super) const fn new(pattern: &'p str) -> Self {
        Self {
            pattern,
            position: 0,
            recent: None,
        }
    }

    pub(super) fn rest(&self) -> &'p str {
        self.pattern.get(self.position..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.position += next.len_utf8();
        Some(next)
    }

    pub(super) fn bump_if(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.position += wanted.len_utf8();
        }
        found
    }

    pub(super) fn note_recent(&mut self, syntax: RecentSyntax) {
        self.recent.get_or_insert(syntax);
    }

    /// `{2}`, `{2,}` or `{2,5}`: minimum, maximum and length. Anything else
    /// that begins with a brace is text. A number beyond every limit comes back
    /// as some other number beyond every limit.
    pub(super) fn counts(&self) -> Option<(usize, Option<usize>, usize)> {
        let rest = self.rest();
        let (minimum, after) = number(rest.strip_prefix('{')?)?;
        let (maximum, after) = match after.strip_prefix(',') {
            None => (Some(minimum), after),
            Some(after) if after.starts_with('}') => (None, after),
            Some(after) => {
                let (maximum, after) = number(after)?;
                (Some(maximum), after)
            }
        };
        let after = after.strip_prefix('}')?;
        Some((minimum, maximum, rest.len() - after.len()))
    }

    /// The code point that a backslash and what follows it stand for; it may be
    /// a surrogate.
    pub(super) fn escape(&mut self) -> Result<u32, GoRegexError> {
        let start = self.position;
        self.bump();
        let Some(letter) = self.bump() else {
            let kind = GoRegexErrorKind::TrailingBackslash;
            return Err(GoRegexError::new(kind, "", start));
        };
        let code_point = match letter {
            'a' => Some(0x07),
            'f' => Some(0x0C),
            'n' => Some(0x0A),
            'r' => Some(0x0D),
            't' => Some(0x09),
            'v' => Some(0x0B),
            'x' => self.hexadecimal(),
            '0' => Some(self.octal(0)),
            // A single digit would be a reference to a group.
            '1'..='7' if self.peek().is_some_and(|next| next.is_digit(8)) => {
                letter.to_digit(8).map(|digit| self.octal(digit))
            }
            _ if letter.is_ascii() && !letter.is_ascii_alphanumeric() => Some(u32::from(letter)),
            _ => None,
        };
        code_point.ok_or_else(|| self.since(GoRegexErrorKind::InvalidEscape, start))
    }

    /// Up to two more octal digits.
    fn octal(&mut self, first: u32) -> u32 {
        let mut value = first;
        for _ in 0..2 {
            let Some(digit) = self.peek().and_then(|next| next.to_digit(8)) else {
                break;
            };
            self.bump();
            value = value * 8 + digit;
        }
        value
    }

    /// Two hexadecimal digits, or any number of them in braces.
    fn hexadecimal(&mut self) -> Option<u32> {
        let first = self.bump()?;
        if first != '{' {
            let high = first.to_digit(16);
            let low = self.bump()?.to_digit(16);
            return Some(high? * 16 + low?);
        }
        let mut value = self.bump()?.to_digit(16)?;
        loop {
            match self.bump()? {
                '}' => return Some(value),
                digit => value = value * 16 + digit.to_digit(16)?,
            }
            if value > u32::from(char::MAX) {
                return None;
            }
        }
    }

    /// Reads `\d`, `\pN`, `\p{Greek}` and their like into `class`; false if
    /// something else stands here.
    pub(super) fn class_escape(&mut self, class: &mut Class) -> Result<bool, GoRegexError> {
        let mut ahead = self.rest().chars();
        let (Some('\\'), Some(letter)) = (ahead.next(), ahead.next()) else {
            return Ok(false);
        };
        if let Some((set, negated)) = AsciiSet::perl(letter) {
            self.position += 2;
            class.push_ascii(set, negated);
            return Ok(true);
        }
        if !matches!(letter, 'p' | 'P') {
            return Ok(false);
        }
        let start = self.position;
        let rest = self.rest();
        self.position += 2;
        let name = match self.bump() {
            Some('{') => {
                let Some(end) = rest.find('}') else {
                    return Err(GoRegexError::new(
                        GoRegexErrorKind::InvalidClassRange,
                        rest,
                        start,
                    ));
                };
                self.position = start + end + 1;
                rest.get(3..end)
            }
            _ => self.pattern.get(start + 2..self.position),
        };
        let name = name.unwrap_or_default();
        let (name, caret) = match name.strip_prefix('^') {
            Some(name) => (name, true),
            None => (name, false),
        };
        let Some((set, old)) = UnicodeSet::named(name) else {
            return Err(self.since(GoRegexErrorKind::InvalidClassRange, start));
        };
        if !old {
            self.note_recent(RecentSyntax::UnicodeName);
        }
        class.push_unicode(set, caret != (letter == 'P'));
        Ok(true)
    }

    /// Reads `[...]`: the class, and whether it is negated.
    pub(super) fn bracket(&mut self) -> Result<(Class, bool), GoRegexError> {
        let start = self.position;
        self.bump();
        let negated = self.bump_if('^');
        let mut class = Class::default();
        let mut first = true;
        // A `]` in the first place is a character of the class.
        while first || self.peek() != Some(']') {
            first = false;
            if self.posix_class(&mut class)? || self.class_escape(&mut class)? {
                continue;
            }
            let range_start = self.position;
            let low = self.class_character(start)?;
            let mut ahead = self.rest().chars();
            let high = match (ahead.next(), ahead.next()) {
                // In `[a-]` the hyphen is a character of the class.
                (Some('-'), Some(next)) if next != ']' => {
                    self.bump();
                    self.class_character(start)?
                }
                _ => low,
            };
            if high < low {
                return Err(self.since(GoRegexErrorKind::InvalidClassRange, range_start));
            }
            class.push_range(low, high);
        }
        self.bump();
        Ok((class, negated))
    }

    fn class_character(&mut self, bracket: usize) -> Result<u32, GoRegexError> {
        match self.peek() {
            Some('\\') => self.escape(),
            Some(character) => {
                self.bump();
                Ok(u32::from(character))
            }
            None => Err(self.since(GoRegexErrorKind::MissingBracket, bracket)),
        }
    }

    /// Reads `[:alpha:]`. Like Go it looks for the `:]` in all of the pattern.
    fn posix_class(&mut self, class: &mut Class) -> Result<bool, GoRegexError> {
        let start = self.position;
        let Some((name, _)) = self
            .rest()
            .strip_prefix("[:")
            .and_then(|rest| rest.split_once(":]"))
        else {
            return Ok(false);
        };
        self.position += "[:".len() + name.len() + ":]".len();
        let Some((set, negated)) = AsciiSet::posix(name) else {
            return Err(self.since(GoRegexErrorKind::InvalidClassRange, start));
        };
        class.push_ascii(set, negated);
        Ok(true)
    }

    // ---- errors ----

    /// Blames everything from `start` to here.
    pub(super) fn since(&self, kind: GoRegexErrorKind, start: usize) -> GoRegexError {
        let fragment = self.pattern.get(start..self.position).unwrap_or_default();
        GoRegexError::new(kind, fragment, start)
    }

    /// Blames the whole pattern, as Go does, and points to a place in it.
    pub(super) fn whole(&self, kind: GoRegexErrorKind, offset: usize) -> GoRegexError {
        GoRegexError::new(kind, self.pattern, offset)
    }
}

/// A decimal number without leading zeros, and what follows it.
fn number(text: &str) -> Option<(usize, &str)> {
    let after = text.trim_start_matches(|character: char| character.is_ascii_digit());
    let digits = text.get(..text.len() - after.len())?;
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some((digits.parse().unwrap_or(usize::MAX), after))
}
