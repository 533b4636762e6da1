//! What does a matcher's string say? Alertmanager's syntax for one matcher,
//! as far as every server reads it alike.
//!
//! Alertmanager has two grammars: the classic one (`pkg/labels`) and, from 0.27
//! on, the UTF-8 one (`matcher/parse`). A server in its default mode tries both;
//! where they differ the classic one wins. Accepted here is what both read the
//! same, and what only one of them can read when it does not surprise; all else
//! is refused together with what to write instead. silenced sends matchers as
//! objects, so a string decides nothing but what its author is told.

mod error;
mod quoted;

pub use error::{MatcherSyntaxError, MatcherSyntaxErrorKind};
pub(super) use quoted::write_quoted;

use self::MatcherSyntaxErrorKind as Kind;
use self::quoted::Reading;
use super::{InvalidMatcher, MatchOperator, Matcher, ParsedMatcher, is_classic_name};

/// Reads one matcher.
pub(super) fn parse(text: &str) -> Result<ParsedMatcher, MatcherSyntaxError> {
    let mut reader = Reader { text, position: 0 };
    reader.skip_blanks();
    let (name, only_utf8) = reader.name()?;
    reader.skip_blanks();
    let operator = reader.operator(&name)?;
    reader.skip_blanks();
    let value_start = reader.position;
    let value = reader.value(&name, operator, only_utf8)?;
    let matcher = Matcher {
        name,
        operator,
        value,
    };
    match matcher.check() {
        Ok(warnings) => Ok(ParsedMatcher { matcher, warnings }),
        Err(invalid) => {
            let offset = match invalid {
                InvalidMatcher::EmptyName => 0,
                InvalidMatcher::Regex(_) => value_start,
            };
            let hint = invalid.hint().to_owned();
            Err(reader.error(Kind::Invalid(invalid), offset, hint))
        }
    }
}

/// Whether a label name has to be quoted: the characters that the UTF-8 grammar
/// reserves, in a string that it would otherwise read as a name.
pub(super) fn needs_quotes(name: &str) -> bool {
    name.is_empty() || name.contains(is_reserved)
}

fn is_reserved(character: char) -> bool {
    character.is_whitespace() || r#"{}!=~,\"'`"#.contains(character)
}

/// The blanks that both grammars skip between tokens.
fn is_blank(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\x0C' | '\r' | ' ')
}

struct Reader<'t> {
    text: &'t str,
    position: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.position += rest.len() - rest.trim_start_matches(is_blank).len();
    }

    fn error(&self, kind: Kind, offset: usize, hint: impl Into<String>) -> MatcherSyntaxError {
        let before = self.text.get(..offset).unwrap_or(self.text);
        MatcherSyntaxError {
            kind,
            hint: hint.into(),
            offset,
            column: before.chars().count() + 1,
        }
    }

    fn here(&self, kind: Kind, hint: impl Into<String>) -> MatcherSyntaxError {
        self.error(kind, self.position, hint)
    }

    /// The label name, and whether only the UTF-8 grammar can read it.
    fn name(&mut self) -> Result<(String, bool), MatcherSyntaxError> {
        let start = self.position;
        if self.rest().starts_with('"') {
            let inside = self.quoted()?;
            let name = quoted::utf8(inside).ok_or_else(|| self.unknown_escape(start))?;
            return Ok((name, true));
        }
        let rest = self.rest();
        let name = rest.split(is_reserved).next().unwrap_or_default();
        if !name.is_empty() {
            self.position += name.len();
            return Ok((name.to_owned(), !is_classic_name(name)));
        }
        Err(match rest.chars().next() {
            None => self.here(Kind::Empty, "write one such as `alertname=\"Watchdog\"`"),
            Some('{') => self.here(Kind::Braces, "write each matcher alone, without braces"),
            Some('=' | '!' | '~') => self.here(
                Kind::MissingName,
                "write the label before it, such as `severity=\"info\"`",
            ),
            Some(other) => self.here(
                Kind::NameCharacter(other),
                "put the name in double quotes, or leave the character out",
            ),
        })
    }

    fn operator(&mut self, name: &str) -> Result<MatchOperator, MatcherSyntaxError> {
        let rest = self.rest();
        let (operator, length) = match rest.as_bytes() {
            [b'=', b'~', ..] => (MatchOperator::Regex, 2),
            [b'!', b'~', ..] => (MatchOperator::NotRegex, 2),
            [b'!', b'=', ..] => (MatchOperator::NotEqual, 2),
            [b'=', b'=', ..] => {
                let hint = format!("write `{name}=\"…\"`, or quote a value that begins with `=`");
                return Err(self.here(Kind::DoubleEquals, hint));
            }
            [b'=', ..] => (MatchOperator::Equal, 1),
            [b'~', ..] => {
                return Err(self.here(Kind::UnknownOperator("~"), "write `=~` for a pattern"));
            }
            [b'!', ..] => {
                return Err(self.here(Kind::UnknownOperator("!"), "write `!=` or `!~`"));
            }
            [] => {
                let hint = format!("write `alertname=\"{name}\"` if that is the alert's name");
                return Err(self.here(Kind::MissingOperator, hint));
            }
            _ => {
                let hint = "write `=`, `!=`, `=~` or `!~`; quote a label name with blanks in it";
                return Err(self.here(Kind::MissingOperator, hint));
            }
        };
        self.position += length;
        Ok(operator)
    }

    fn value(
        &mut self,
        name: &str,
        operator: MatchOperator,
        only_utf8: bool,
    ) -> Result<String, MatcherSyntaxError> {
        let start = self.position;
        let instead = |value: &str| {
            let matcher = Matcher {
                name: name.to_owned(),
                operator,
                value: value.to_owned(),
            };
            format!("write `{matcher}`")
        };
        let rest = self.rest().trim_end_matches(is_blank);
        match rest.chars().next() {
            None => Err(self.here(Kind::MissingValue, instead(""))),
            Some('"') => self.quoted_value(only_utf8, instead),
            Some('\'') => Err(self.here(Kind::SingleQuotes, instead(rest.trim_matches('\'')))),
            Some('`') => Err(self.here(Kind::Backquotes, instead(rest.trim_matches('`')))),
            Some('=') if operator == MatchOperator::NotEqual => {
                Err(self.here(Kind::DoubleEquals, instead(rest.trim_start_matches('='))))
            }
            Some(_) => match rest.char_indices().find(|(_, found)| is_reserved(*found)) {
                None => {
                    self.position += rest.len();
                    Ok(rest.to_owned())
                }
                Some((index, found)) => {
                    let kind = match found {
                        ',' if looks_like_matcher(rest.get(index + 1..).unwrap_or_default()) => {
                            return Err(self.several(start + index));
                        }
                        blank if blank.is_whitespace() => Kind::ValueBlank,
                        other => Kind::ValueCharacter(other),
                    };
                    Err(self.error(kind, start + index, instead(rest)))
                }
            },
        }
    }

    fn quoted_value(
        &mut self,
        only_utf8: bool,
        instead: impl Fn(&str) -> String,
    ) -> Result<String, MatcherSyntaxError> {
        let start = self.position;
        let inside = self.quoted()?;
        let after_quote = self.position;
        self.skip_blanks();
        match self.rest().chars().next() {
            None => {}
            Some(',') => return Err(self.several(self.position)),
            Some('}') => {
                return Err(self.here(Kind::Braces, "write each matcher alone, without braces"));
            }
            Some(_) => {
                let hint = "end the value with its quote, and write `\\\"` for a quote inside it";
                return Err(self.error(Kind::TextAfterQuote, after_quote, hint));
            }
        }
        if only_utf8 {
            return quoted::utf8(inside).ok_or_else(|| self.unknown_escape(start));
        }
        match quoted::read_value(inside) {
            Reading::Agreed(value) => Ok(value),
            Reading::Disputed { classic, utf8 } => {
                let hint = format!(
                    "{} for backslashes, or else the character itself",
                    instead(&classic)
                );
                Err(self.error(Kind::DisputedEscape { classic, utf8 }, start, hint))
            }
        }
    }

    /// What stands between the quote here and the next one without a backslash.
    fn quoted(&mut self) -> Result<&'t str, MatcherSyntaxError> {
        let start = self.position;
        let inside = self.rest().get(1..).unwrap_or_default();
        let mut escaped = false;
        for (index, character) in inside.char_indices() {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => {
                    self.position += index + 2;
                    return Ok(inside.get(..index).unwrap_or_default());
                }
                _ => {}
            }
        }
        let hint = "close it, and write `\\\\` for a backslash before the closing quote";
        Err(self.error(Kind::MissingQuote, start, hint))
    }

    fn several(&self, offset: usize) -> MatcherSyntaxError {
        let hint = "write one matcher each, and quote a value that contains a comma";
        self.error(Kind::SeveralMatchers, offset, hint)
    }

    fn unknown_escape(&self, start: usize) -> MatcherSyntaxError {
        let hint = r"write `\\` for each backslash that belongs to the value";
        self.error(Kind::UnknownEscape, start, hint)
    }
}

/// Whether the text after a comma is a matcher, or nothing at all.
fn looks_like_matcher(text: &str) -> bool {
    text.trim().is_empty() || text.contains(['=', '~'])
}
