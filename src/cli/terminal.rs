//! Who reads this, and how? Output and messages, in colour for people on a
//! terminal, plain for everything else.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use clap::ValueEnum;

use super::CommandError;
use crate::plan::Style;
use crate::telemetry::LogStyle;

/// When to use colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Colour {
    // On a terminal, unless `NO_COLOR` is set.
    Auto,
    // Also into files and pipes.
    Always,
    // Not at all.
    Never,
}

/// Standard output and standard error, and what each of them can show.
pub(super) struct Terminal {
    output: Style,
    messages: Style,
    /// The line that says how far something is; `None` when nobody watches.
    progress: Option<Mutex<String>>,
}

const RED: &str = "\u{1b}[1;31m";
const YELLOW: &str = "\u{1b}[33m";
const RESET: &str = "\u{1b}[0m";
/// To the first column, and the line is empty.
const CLEAR_LINE: &str = "\r\u{1b}[K";

impl Terminal {
    pub(super) fn new(colour: Colour) -> Self {
        // https://no-color.org: present and not empty.
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let style = |is_terminal: bool| match colour {
            Colour::Always => Style::Colour,
            Colour::Auto if is_terminal && !no_colour && !dumb => Style::Colour,
            Colour::Auto | Colour::Never => Style::Plain,
        };
        let watched = io::stderr().is_terminal();
        Self {
            output: style(io::stdout().is_terminal()),
            messages: style(watched),
            progress: (watched && !dumb).then(Mutex::default),
        }
    }

    /// How to print what goes to standard output.
    pub(super) const fn style(&self) -> Style {
        self.output
    }

    /// How to print what goes to standard error.
    pub(super) const fn message_style(&self) -> Style {
        self.messages
    }

    /// How to log for people, whoever reads.
    pub(super) const fn log_style(&self) -> LogStyle {
        match self.messages {
            Style::Colour => LogStyle::Colour,
            Style::Plain => LogStyle::Plain,
        }
    }

    /// How to log in a process that lasts: for people on a terminal, for
    /// machines otherwise.
    pub(super) const fn service_log_style(&self) -> LogStyle {
        match self.progress {
            Some(_) => self.log_style(),
            None => LogStyle::Json,
        }
    }

    /// Writes to standard output. A reader that goes away has read enough.
    pub(super) fn print(&self, text: &str) -> Result<(), CommandError> {
        self.clear_progress();
        let mut output = io::stdout().lock();
        let written = output
            .write_all(text.as_bytes())
            .and_then(|()| output.flush());
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CommandError::Failed(
                format!("cannot write to standard output: {error}"),
            )),
            _ => Ok(()),
        }
    }

    /// Errors, one a line.
    pub(super) fn error(&self, problems: &str) {
        for problem in problems.lines() {
            self.labelled("error", RED, problem);
        }
    }

    /// Something that is probably not meant so.
    pub(super) fn warn(&self, problem: &str) {
        self.labelled("warning", YELLOW, problem);
    }

    fn labelled(&self, label: &str, colour: &str, text: &str) {
        match self.messages {
            Style::Plain => self.message(&format!("{label}: {text}\n")),
            Style::Colour => self.message(&format!("{colour}{label}:{RESET} {text}\n")),
        }
    }

    /// Text for people, as it is.
    pub(super) fn message(&self, text: &str) {
        self.clear_progress();
        write_to_stderr(text);
    }

    /// How far something is, in place of what this said before.
    pub(super) fn progress(&self, text: &str) {
        if let Some(line) = &self.progress {
            let mut line = line.lock().unwrap_or_else(PoisonError::into_inner);
            if *line != text {
                text.clone_into(&mut line);
                write_to_stderr(&format!("{CLEAR_LINE}{text}"));
            }
        }
    }

    /// Takes the line away that [`Self::progress`] left.
    pub(super) fn clear_progress(&self) {
        if let Some(line) = &self.progress {
            let mut line = line.lock().unwrap_or_else(PoisonError::into_inner);
            if !line.is_empty() {
                line.clear();
                write_to_stderr(CLEAR_LINE);
            }
        }
    }
}

/// There is nobody to tell when standard error cannot be written to.
fn write_to_stderr(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
