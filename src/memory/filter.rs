//! Which silences does `?filter=` find? Those that hold the very matcher given.
//!
//! The comparison is of texts and never of meaning: `env=~".*"` does not find
//! `env="prod"`. The syntax is Alertmanager's: the classic one up to 0.26;
//! later both, where the classic reading wins if the two differ
//! (`FallbackMatcherParser` of its `matcher/compat/parse.go`).

use std::iter::Peekable;
use std::str::Chars;

use crate::matcher::{MatchOperator, Matcher};

use super::settings::Settings;
use super::silence::StoredSilence;
use crate::matcher::regex::GoRegex;

/// One `filter` parameter of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filter(Matcher);

/// A text that is no filter. The message is Alertmanager's.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidFilter {
    /// Not name, operator, value.
    #[error("bad matcher format: {0}")]
    Format(String),
    /// A quote that is not escaped, or not closed.
    #[error("matcher value contains unescaped double quote: {0}")]
    Quote(String),
    /// A list in braces.
    #[error("unexpected open or close brace: {0}")]
    Brace(String),
    /// The value is no regular expression.
    #[error("error parsing regexp: `^(?:{0})$`")]
    Regex(String),
}

impl Filter {
    /// Reads one matcher.
    pub fn parse(text: &str, settings: &Settings) -> Result<Self, InvalidFilter> {
        if !settings.has_utf8_names() {
            return parse_classic(text).map(Self);
        }
        if text.starts_with('{') || text.ends_with('}') {
            return Err(InvalidFilter::Brace(text.to_owned()));
        }
        parse_classic(text)
            .or_else(|error| parse_utf8(text).ok_or(error))
            .map(Self)
    }

    /// Whether `silence` holds this matcher.
    #[must_use]
    pub fn finds(&self, silence: &StoredSilence) -> bool {
        silence.matchers.as_slice().contains(&self.0)
    }
}

/// In this order, since `=~` begins with `=`.
const OPERATORS: [(&str, MatchOperator); 4] = [
    ("=~", MatchOperator::Regex),
    ("=", MatchOperator::Equal),
    ("!=", MatchOperator::NotEqual),
    ("!~", MatchOperator::NotRegex),
];

fn split_operator(text: &str) -> Option<(MatchOperator, &str)> {
    OPERATORS
        .into_iter()
        .find_map(|(symbol, operator)| Some((operator, text.strip_prefix(symbol)?)))
}

/// `[a-zA-Z_:][a-zA-Z0-9_:]*`, an operator, any value; blanks around each
/// (`pkg/labels/parse.go`).
fn parse_classic(text: &str) -> Result<Matcher, InvalidFilter> {
    let format = || InvalidFilter::Format(text.to_owned());
    // `\s` of Go's regular expressions.
    let blank = |char| matches!(char, '\t' | '\n' | '\x0c' | '\r' | ' ');
    let trimmed = text.trim_matches(blank);
    let of_name = |char: char| matches!(char, '_' | ':') || char.is_ascii_alphanumeric();
    let end = trimmed.find(|char| !of_name(char)).unwrap_or(trimmed.len());
    let (name, rest) = trimmed.split_at(end);
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(format());
    }
    let (operator, value) = split_operator(rest.trim_start_matches(blank)).ok_or_else(format)?;
    let written = value.trim_start_matches(blank);
    let value = unescape_classic(written).ok_or_else(|| InvalidFilter::Quote(written.into()))?;
    compiled(name.to_owned(), operator, value)
}

/// A value with or without quotes around it. Only `\"`, `\\` and `\n` are
/// escapes; any other backslash stands for itself.
fn unescape_classic(written: &str) -> Option<String> {
    let quoted = written.strip_prefix('"');
    let mut rest = quoted.unwrap_or(written).chars();
    let mut value = String::new();
    while let Some(char) = rest.next() {
        match char {
            '\\' => match rest.next() {
                Some('n') => value.push('\n'),
                Some(escaped @ ('"' | '\\')) => value.push(escaped),
                Some(other) => value.extend(['\\', other]),
                None => value.push('\\'),
            },
            // The closing quote must be the last character.
            '"' if quoted.is_some() && rest.as_str().is_empty() => return Some(value),
            '"' => return None,
            other => value.push(other),
        }
    }
    quoted.is_none().then_some(value)
}

/// A name and a value, each in quotes or free of reserved characters, perhaps a
/// comma after it (`matcher/parse`). Why a text is wrong is not told, since the
/// classic reading's error is the one that is answered.
fn parse_utf8(text: &str) -> Option<Matcher> {
    let mut rest = text.trim_start();
    let name = take_word(&mut rest)?;
    let (operator, after) = split_operator(rest.trim_start())?;
    rest = after.trim_start();
    let value = take_word(&mut rest)?;
    rest = rest.trim_start();
    rest = rest.strip_prefix(',').unwrap_or(rest);
    if !rest.trim_start().is_empty() {
        return None;
    }
    compiled(name, operator, value).ok()
}

fn take_word(rest: &mut &str) -> Option<String> {
    if let Some(quoted) = rest.strip_prefix('"') {
        let mut chars = quoted.chars().peekable();
        let word = unquote(&mut chars)?;
        *rest = quoted.get(quoted.len() - chars.map(char::len_utf8).sum::<usize>()..)?;
        return Some(word);
    }
    let is_reserved = |char: char| char.is_whitespace() || "{}!=~,\\\"'`".contains(char);
    let (word, after) = rest.split_at(rest.find(is_reserved).unwrap_or(rest.len()));
    *rest = after;
    (!word.is_empty()).then(|| word.to_owned())
}

/// The text up to the closing quote, with Go's escapes (`strconv.Unquote`).
fn unquote(chars: &mut Peekable<Chars<'_>>) -> Option<String> {
    // Escapes of single bytes may make up a character together.
    let mut bytes = Vec::new();
    loop {
        let char = match chars.next()? {
            '"' => return String::from_utf8(bytes).ok(),
            '\n' => return None,
            '\\' => match chars.next()? {
                'a' => '\x07',
                'b' => '\x08',
                'f' => '\x0c',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\x0b',
                escaped @ ('\\' | '"') => escaped,
                'u' => char::from_u32(digits(chars, 16, 4, 0)?)?,
                'U' => char::from_u32(digits(chars, 16, 8, 0)?)?,
                'x' => {
                    bytes.push(u8::try_from(digits(chars, 16, 2, 0)?).ok()?);
                    continue;
                }
                first @ '0'..='7' => {
                    bytes.push(u8::try_from(digits(chars, 8, 2, first.to_digit(8)?)?).ok()?);
                    continue;
                }
                _ => return None,
            },
            other => other,
        };
        bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// Exactly `count` more digits after those that make up `value`.
fn digits(chars: &mut Peekable<Chars<'_>>, radix: u32, count: u32, value: u32) -> Option<u32> {
    (0..count).try_fold(value, |value, _| {
        let digit = chars.next()?.to_digit(radix)?;
        value.checked_mul(radix)?.checked_add(digit)
    })
}

fn compiled(
    name: String,
    operator: MatchOperator,
    value: String,
) -> Result<Matcher, InvalidFilter> {
    if operator.is_regex() && GoRegex::parse(&value).is_err() {
        return Err(InvalidFilter::Regex(value));
    }
    Ok(Matcher {
        name,
        operator,
        value,
    })
}
