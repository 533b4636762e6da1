//! What did somebody ask for? The command line: its commands, flags and exit
//! codes. Standard output is data, standard error is for people.

mod apply;
mod completions;
mod demo;
mod diagnostics;
mod environment;
mod expand;
mod history;
mod open_files;
mod options;
mod pass;
mod plan;
mod run;
mod service;
mod signals;
mod terminal;
mod validate;
mod zones;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::zoneinfo::ZoneSource;
use terminal::{Colour, Terminal};

/// How the program ended, as its exit code says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Exit {
    /// All is well; nothing to do, or done.
    Success = 0,
    /// Something is in error: a file, the source, a target.
    Failure = 1,
    /// A plan has changes that nobody carried out.
    Changes = 2,
    /// Converged, except for what a guard or the policy holds.
    Held = 3,
    /// The command line or the configuration makes no sense; nothing was tried.
    Usage = 64,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command could not do its work. One problem a line.
#[derive(Debug)]
enum CommandError {
    /// What was asked for makes no sense.
    Usage(String),
    /// It was tried, and failed.
    Failed(String),
}

impl CommandError {
    #[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
    fn failed(problem: impl ToString) -> Self {
        Self::Failed(problem.to_string())
    }
}

#[derive(Debug, Parser)]
#[command(
    name = "silenced",
    about = "Keeps the silences of Prometheus Alertmanager in step with a Git repository of YAML",
    after_help = EXAMPLES,
    arg_required_else_help = true,
    max_term_width = 100,
    disable_help_subcommand = true
)]
struct Cli {
    /// Colours: on a terminal and without `NO_COLOR`, or as told
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value_t = Colour::Auto,
        env = "SILENCED_COLOR"
    )]
    color: Colour,

    /// Directory of compiled time zones, used when newer than the built-in ones
    /// [default: /usr/share/zoneinfo]
    #[arg(
        long,
        global = true,
        value_name = "DIRECTORY",
        env = zones::DIRECTORY
    )]
    zoneinfo_directory: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  silenced demo                          look around, nothing else is needed
  silenced validate silences             check files, as in continuous integration
  silenced expand silences --to 2026-12-31
  silenced plan --source ./silences --alertmanager http://127.0.0.1:9093 --instance lab
  silenced run --config /etc/silenced/silenced.yaml

Exit codes: 0 all is well, 1 an error, 2 a plan has changes, 3 something is held,
64 the command line or the configuration makes no sense.

Every flag --some-flag can be given as SILENCED_SOME_FLAG in the environment. Flags win over
the environment, the environment wins over the configuration file.";

#[derive(Debug, Subcommand)]
enum Command {
    Validate(validate::Arguments),
    Expand(expand::Arguments),
    Plan(plan::Arguments),
    Apply(apply::Arguments),
    Run(run::Arguments),
    Demo(demo::Arguments),
    Completions(completions::Arguments),
}

/// How a command prints what it found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum OutputFormat {
    // For people.
    Text,
    // For machines.
    Json,
}

/// Runs the program: `arguments` begin with its name.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let matches = match command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Success
            };
            // Nobody may be left to read it, as in `silenced --help | head -1`.
            let _ = error.print();
            return exit.into();
        }
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return Exit::Usage.into();
        }
    };
    let terminal = Arc::new(Terminal::new(cli.color));
    let zones = ZoneSource::new(cli.zoneinfo_directory);
    let exit = match cli.command.run(&matches, &terminal, zones) {
        Ok(exit) => exit,
        Err(CommandError::Usage(problems)) => {
            terminal.error(&problems);
            Exit::Usage
        }
        Err(CommandError::Failed(problems)) => {
            terminal.error(&problems);
            Exit::Failure
        }
    };
    exit.into()
}

/// The command line as clap knows it. Help names the variables of the
/// environment, and never shows what they hold.
fn command() -> clap::Command {
    let hide_values =
        |command: clap::Command| command.mut_args(|argument| argument.hide_env_values(true));
    hide_values(Cli::command())
        .version(zones::version())
        .mut_subcommands(hide_values)
}

impl Command {
    fn run(
        self,
        matches: &ArgMatches,
        terminal: &Arc<Terminal>,
        zones: ZoneSource,
    ) -> Result<Exit, CommandError> {
        // The subcommand's own matches know what came from the environment.
        let matches = matches.subcommand().map_or(matches, |(_, matches)| matches);
        if !matches!(self, Self::Run(_) | Self::Demo(_)) {
            for warning in environment::warnings() {
                terminal.warn(&warning);
            }
        }
        match self {
            Self::Validate(arguments) => arguments.run(terminal, zones),
            Self::Expand(arguments) => arguments.run(terminal, zones),
            Self::Plan(arguments) => arguments.run(matches, terminal, zones),
            Self::Apply(arguments) => arguments.run(matches, terminal, zones),
            Self::Run(arguments) => arguments.run(matches, terminal, zones),
            Self::Demo(arguments) => arguments.run(terminal, zones),
            Self::Completions(arguments) => arguments.run(terminal),
        }
    }
}
