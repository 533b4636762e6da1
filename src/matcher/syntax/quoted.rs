//! What does a quoted string say? The two grammars' answers.

use std::fmt::{self, Write as _};

/// How one text reads in Alertmanager's two grammars.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Reading {
    /// Both grammars agree, or only the classic one can read it, and then every
    /// server in its default mode falls back to that.
    Agreed(String),
    /// Each grammar reads something else.
    Disputed { classic: String, utf8: String },
}

/// Reads what stands between the quotes after a classic label name.
pub(super) fn read_value(inside: &str) -> Reading {
    let classic = classic(inside);
    match utf8(inside) {
        Some(utf8) if utf8 != classic => Reading::Disputed { classic, utf8 },
        _ => Reading::Agreed(classic),
    }
}

/// The classic grammar: `\\`, `\"` and `\n`; any other backslash is itself.
fn classic(inside: &str) -> String {
    let mut value = String::with_capacity(inside.len());
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            value.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => value.push('\n'),
            Some(escaped @ ('"' | '\\')) => value.push(escaped),
            other => value.extend(Some('\\').into_iter().chain(other)),
        }
    }
    value
}

/// The UTF-8 grammar: the escapes of a Go string literal (Go's
/// `strconv.Unquote`). `None` where that refuses.
pub(super) fn utf8(inside: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(character) = rest.chars().next() {
        rest = rest.get(character.len_utf8()..)?;
        if character == '\n' {
            return None;
        }
        if character != '\\' {
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let escape = rest.chars().next()?;
        let (digits, radix, skip) = match escape {
            'x' => (2, 16, 1),
            'u' => (4, 16, 1),
            'U' => (8, 16, 1),
            '0'..='7' => (3, 8, 0),
            _ => {
                bytes.push(match escape {
                    'a' => 0x07,
                    'b' => 0x08,
                    'f' => 0x0C,
                    'n' => 0x0A,
                    'r' => 0x0D,
                    't' => 0x09,
                    'v' => 0x0B,
                    '\\' => b'\\',
                    '"' => b'"',
                    _ => return None,
                });
                rest = rest.get(1..)?;
                continue;
            }
        };
        let digits = rest.get(skip..skip + digits)?;
        if !digits
            .bytes()
            .all(|digit| char::from(digit).is_digit(radix))
        {
            return None;
        }
        let number = u32::from_str_radix(digits, radix).ok()?;
        rest = rest.get(skip + digits.len()..)?;
        match escape {
            'u' | 'U' => {
                let character = char::from_u32(number)?;
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            // A byte, perhaps of a longer character; octal ones may be too big.
            _ => bytes.push(u8::try_from(number).ok()?),
        }
    }
    String::from_utf8(bytes).ok()
}

/// Writes `text` in quotes so that both grammars read it alike.
pub(in crate::matcher) fn write_quoted(
    text: &str,
    formatter: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    formatter.write_char('"')?;
    for part in text.split_inclusive(['\\', '"', '\n']) {
        let escaped = [('\\', r"\\"), ('"', r#"\""#), ('\n', r"\n")]
            .into_iter()
            .find_map(|(last, escape)| Some((part.strip_suffix(last)?, escape)));
        let (plain, escape) = escaped.unwrap_or((part, ""));
        formatter.write_str(plain)?;
        formatter.write_str(escape)?;
    }
    formatter.write_char('"')
}
