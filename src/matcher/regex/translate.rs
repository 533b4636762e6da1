//! What does this pattern say? Go's `regexp/syntax` with its Perl flags, read
//! from left to right and written down again for the Rust crate.
//!
//! Sources: the documentation of Go's `regexp/syntax`, and what a real
//! Alertmanager accepts (`tests/it/matcher_differential.rs` asks one). Of each
//! piece only its [`Measure`] is kept; the Rust spelling is written at once,
//! every piece as one atom, so that a repetition can simply follow it.

use std::fmt::Write as _;

use super::RecentSyntax;
use super::class::{Class, is_surrogate, push_character};
use super::error::{GoRegexError, GoRegexErrorKind};
use super::group::{Flags, Group};
use super::measure::{DEPTH_LIMIT, HEIGHT_LIMIT, Measure, REPEAT_LIMIT, SIZE_LIMIT};
use super::scan::Scanner;

/// What a pattern became.
#[derive(Debug)]
pub(super) struct Translation {
    /// For the Rust crate, with the meaning of the pattern as it is: not
    /// anchored unless it anchors itself.
    pub(super) rust: String,
    /// Where a `\Q` begins that no `\E` ends.
    pub(super) open_quotation: Option<usize>,
    /// The first piece that an old Go would refuse.
    pub(super) recent: Option<RecentSyntax>,
    /// Instructions of Go's compiled program.
    pub(super) size: usize,
}

/// Reads `pattern` as Go does.
pub(super) fn translate(pattern: &str) -> Result<Translation, GoRegexError> {
    let mut translator = Translator {
        scanner: Scanner::new(pattern),
        flags: Flags::default(),
        // What is no letter or digit takes up to twelve bytes.
        rust: String::with_capacity(4 * pattern.len()),
        outer: Vec::new(),
        group: Group::default(),
        repetition_before: None,
        open_quotation: None,
    };
    let size = translator.run()?.size;
    Ok(Translation {
        rust: translator.rust,
        open_quotation: translator.open_quotation,
        recent: translator.scanner.recent,
        size,
    })
}

/// The state between two pieces of a pattern.
pub(super) struct Translator<'p> {
    pub(super) scanner: Scanner<'p>,
    pub(super) flags: Flags,
    pub(super) rust: String,
    /// The groups around the current one, outermost first.
    pub(super) outer: Vec<Group>,
    pub(super) group: Group,
    /// Where a repetition stands that ends exactly here.
    repetition_before: Option<usize>,
    open_quotation: Option<usize>,
}

impl Translator<'_> {
    fn run(&mut self) -> Result<Measure, GoRegexError> {
        while let Some(next) = self.scanner.peek() {
            let repetition_before = self.repetition_before.take();
            match next {
                '(' => self.open_group()?,
                '|' => self.end_branch()?,
                ')' => self.close_group()?,
                '*' | '+' | '?' => self.repeat_by_operator(next, repetition_before)?,
                '{' => self.repeat_by_count(repetition_before)?,
                '[' => self.class()?,
                '\\' => self.backslash()?,
                '^' if self.flags.multi_line => self.step("(?m:^)", Measure::assertion())?,
                '^' => self.step(r"(?:\A)", Measure::assertion())?,
                '$' if self.flags.multi_line => self.step("(?m:$)", Measure::assertion())?,
                '$' => self.step(r"(?:\z)", Measure::assertion())?,
                '.' if self.flags.dot_newline => self.step("(?s:.)", Measure::class())?,
                '.' => self.step(r"[^\n]", Measure::class())?,
                _ => {
                    self.scanner.bump();
                    self.literal(u32::from(next))?;
                }
            }
        }
        if !self.outer.is_empty() {
            let opened_at = self.group.opened_at;
            return Err(self
                .scanner
                .whole(GoRegexErrorKind::MissingParenthesis, opened_at));
        }
        let (branch, all) = std::mem::take(&mut self.group).measure();
        self.check_limits(branch)?;
        self.check_limits(all)?;
        Ok(all)
    }

    // ---- repetition ----

    fn repeat_by_operator(
        &mut self,
        operator: char,
        before: Option<usize>,
    ) -> Result<(), GoRegexError> {
        let start = self.scanner.position;
        self.scanner.bump();
        let operand = self.operand(start, before)?;
        // `?` as a count, because after another repetition it would mean "lazy".
        self.rust.push_str(match operator {
            '*' => "*",
            '+' => "{1,}",
            _ => "{0,1}",
        });
        self.repetition_before = Some(start);
        self.put_back(operand.repeated_by_operator(operator))
    }

    fn repeat_by_count(&mut self, before: Option<usize>) -> Result<(), GoRegexError> {
        let start = self.scanner.position;
        let Some((minimum, maximum, length)) = self.scanner.counts() else {
            self.scanner.bump();
            return self.literal(u32::from('{'));
        };
        self.scanner.position += length;
        if minimum > REPEAT_LIMIT
            || maximum.is_some_and(|maximum| maximum > REPEAT_LIMIT || maximum < minimum)
        {
            return Err(self
                .scanner
                .since(GoRegexErrorKind::InvalidRepeatCount, start));
        }
        let operand = self.operand(start, before)?;
        // Writing to a `String` cannot fail.
        let _ = match maximum {
            Some(maximum) => write!(self.rust, "{{{minimum},{maximum}}}"),
            None => write!(self.rust, "{{{minimum},}}"),
        };
        let repeated = operand.repeated_by_count(minimum, maximum);
        self.put_back(repeated)?;
        if repeated.copies > REPEAT_LIMIT {
            return Err(self
                .scanner
                .since(GoRegexErrorKind::InvalidRepeatCount, start));
        }
        self.repetition_before = Some(start);
        Ok(())
    }

    /// Reads the `?` that makes a repetition lazy, and finds what is repeated.
    fn operand(&mut self, start: usize, before: Option<usize>) -> Result<Measure, GoRegexError> {
        self.scanner.bump_if('?');
        if let Some(before) = before {
            return Err(self
                .scanner
                .since(GoRegexErrorKind::NestedRepetition, before));
        }
        let operand = self.group.branch.pop();
        operand.ok_or_else(|| {
            self.scanner
                .since(GoRegexErrorKind::MissingRepeatArgument, start)
        })
    }

    fn put_back(&mut self, repeated: Measure) -> Result<(), GoRegexError> {
        self.group.branch.put_back(repeated);
        self.check_limits(repeated)
    }

    // ---- atoms ----

    fn backslash(&mut self) -> Result<(), GoRegexError> {
        let start = self.scanner.position;
        let rest = self.scanner.rest();
        match rest.as_bytes().get(1) {
            Some(b'A') => self.step_two(r"(?:\A)"),
            Some(b'z') => self.step_two(r"(?:\z)"),
            Some(b'b') => self.step_two(r"(?-u:\b)"),
            Some(b'B') => self.step_two(r"(?-u:\B)"),
            Some(b'Q') => {
                let quoted = rest.get(2..).unwrap_or_default();
                let (quoted, skip) = if let Some((quoted, _)) = quoted.split_once(r"\E") {
                    (quoted, 4)
                } else {
                    self.open_quotation = Some(start);
                    (quoted, 2)
                };
                for character in quoted.chars() {
                    self.literal(u32::from(character))?;
                }
                self.scanner.position = start + quoted.len() + skip;
                Ok(())
            }
            _ => {
                let mut class = Class::default();
                if self.scanner.class_escape(&mut class)? {
                    class.spell(false, self.flags.fold, &mut self.rust);
                    self.push(Measure::class())
                } else {
                    let character = self.scanner.escape()?;
                    self.literal(character)
                }
            }
        }
    }

    fn class(&mut self) -> Result<(), GoRegexError> {
        let (class, negated) = self.scanner.bracket()?;
        let measure = if class.is_single() && !negated {
            Measure::literal(false)
        } else {
            Measure::class()
        };
        class.spell(negated, self.flags.fold, &mut self.rust);
        self.push(measure)
    }

    fn literal(&mut self, character: u32) -> Result<(), GoRegexError> {
        let fold = self.flags.fold;
        if is_surrogate(character) {
            // Half of a UTF-16 pair, which no text contains.
            Class::default().spell(false, false, &mut self.rust);
        } else if fold {
            self.rust.push_str("(?i:");
            push_character(character, &mut self.rust);
            self.rust.push(')');
        } else {
            push_character(character, &mut self.rust);
        }
        self.push(Measure::literal(fold))
    }

    fn step(&mut self, rust: &str, measure: Measure) -> Result<(), GoRegexError> {
        self.scanner.bump();
        self.write(rust, measure)
    }

    fn step_two(&mut self, rust: &str) -> Result<(), GoRegexError> {
        self.scanner.bump();
        self.step(rust, Measure::assertion())
    }

    fn write(&mut self, rust: &str, measure: Measure) -> Result<(), GoRegexError> {
        self.rust.push_str(rust);
        self.push(measure)
    }

    pub(super) fn push(&mut self, measure: Measure) -> Result<(), GoRegexError> {
        self.group.branch.push(measure);
        self.check_limits(measure)
    }

    pub(super) fn check_limits(&self, measure: Measure) -> Result<(), GoRegexError> {
        if measure.size > SIZE_LIMIT {
            return Err(self.scanner.whole(GoRegexErrorKind::TooLarge, 0));
        }
        if measure.height > HEIGHT_LIMIT || measure.depth > DEPTH_LIMIT {
            return Err(self.scanner.whole(GoRegexErrorKind::NestsTooDeeply, 0));
        }
        Ok(())
    }
}
