//! Which parentheses and bars? Groups, their flags and their branches.

use super::RecentSyntax;
use super::error::{GoRegexError, GoRegexErrorKind};
use super::measure::{Alternation, Measure, Sequence};
use super::translate::Translator;

/// `(?i)`, `(?m)`, `(?s)`. Greediness (`U`, `*?`) decides which match is found,
/// never whether there is one, so it is read and dropped.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Flags {
    pub(super) fold: bool,
    pub(super) multi_line: bool,
    pub(super) dot_newline: bool,
}

/// A group that is still open.
#[derive(Default, Debug)]
pub(super) struct Group {
    pub(super) opened_at: usize,
    capturing: bool,
    flags_outside: Flags,
    branches: Alternation,
    pub(super) branch: Sequence,
}

impl Group {
    /// The sums over its last branch and over all of it.
    pub(super) fn measure(self) -> (Measure, Measure) {
        let Self {
            mut branches,
            branch,
            ..
        } = self;
        let last = branch.close();
        branches.push(last);
        (last, branches.close())
    }
}

impl Translator<'_> {
    pub(super) fn open_group(&mut self) -> Result<(), GoRegexError> {
        let start = self.scanner.position;
        if !self.scanner.rest().starts_with("(?") {
            self.scanner.bump();
            self.push_group(start, true, self.flags);
            return Ok(());
        }
        if let Some(length) = self.group_name()? {
            self.scanner.position += length;
            self.push_group(start, true, self.flags);
            return Ok(());
        }
        self.scanner.position += 2;
        let mut flags = self.flags;
        let mut setting = true;
        let mut saw_flag = false;
        while let Some(letter) = self.scanner.bump() {
            match letter {
                'i' => flags.fold = setting,
                'm' => flags.multi_line = setting,
                's' => flags.dot_newline = setting,
                'U' => {}
                '-' if setting => {
                    setting = false;
                    saw_flag = false;
                    continue;
                }
                ':' | ')' if setting || saw_flag => {
                    if letter == ':' {
                        self.push_group(start, false, self.flags);
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            }
            saw_flag = true;
        }
        Err(self
            .scanner
            .since(GoRegexErrorKind::InvalidPerlSyntax, start))
    }

    /// The length of `(?P<name>` or `(?<name>`, if one stands here.
    fn group_name(&mut self) -> Result<Option<usize>, GoRegexError> {
        let rest = self.scanner.rest();
        let prefix = ["(?P<", "(?<"]
            .into_iter()
            .find(|prefix| rest.starts_with(prefix) && rest.len() > prefix.len());
        let Some(prefix) = prefix else {
            return Ok(None);
        };
        let start = self.scanner.position;
        let invalid =
            |fragment| GoRegexError::new(GoRegexErrorKind::InvalidNamedCapture, fragment, start);
        let Some((opening, _)) = rest.split_once('>') else {
            return Err(invalid(rest));
        };
        let name = opening.strip_prefix(prefix).unwrap_or_default();
        let length = opening.len() + 1;
        if name.is_empty() || !name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric()) {
            return Err(invalid(rest.get(..length).unwrap_or(rest)));
        }
        if prefix == "(?<" {
            self.scanner.note_recent(RecentSyntax::ShortGroupName);
        }
        Ok(Some(length))
    }

    fn push_group(&mut self, opened_at: usize, capturing: bool, flags_outside: Flags) {
        self.rust.push_str("(?:");
        let inner = Group {
            opened_at,
            capturing,
            flags_outside,
            ..Group::default()
        };
        self.outer.push(std::mem::replace(&mut self.group, inner));
    }

    pub(super) fn end_branch(&mut self) -> Result<(), GoRegexError> {
        self.scanner.bump();
        self.rust.push('|');
        let branch = std::mem::take(&mut self.group.branch).close();
        self.check_limits(branch)?;
        self.group.branches.push(branch);
        Ok(())
    }

    pub(super) fn close_group(&mut self) -> Result<(), GoRegexError> {
        let Some(outer) = self.outer.pop() else {
            return Err(self.scanner.whole(
                GoRegexErrorKind::UnexpectedParenthesis,
                self.scanner.position,
            ));
        };
        self.scanner.bump();
        self.rust.push(')');
        let closed = std::mem::replace(&mut self.group, outer);
        self.flags = closed.flags_outside;
        let capturing = closed.capturing;
        let (branch, all) = closed.measure();
        self.check_limits(branch)?;
        self.check_limits(all)?;
        self.push(if capturing { all.captured() } else { all })
    }
}
