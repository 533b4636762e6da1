//! Are the files as they should be? Read offline: `silenced validate`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::terminal::Terminal;
use super::{CommandError, Exit, diagnostics};
use crate::clock::Clock;
use crate::declaration::render::{Validation, github};
use crate::declaration::{Declarations, review};
use crate::source::{Bounds, read_directory};
use crate::zone::ZoneDatabase;
use crate::zoneinfo::ZoneSource;

/// Check declarations, offline
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  silenced validate silences
  silenced validate silences --format github     annotations in GitHub Actions
  silenced validate silences --format json | jq '.diagnostics[]'

Exit codes: 0 clean (warnings are allowed), 1 errors.")]
pub(super) struct Arguments {
    /// The directory of the declarations
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// How to print what was found
    #[arg(long, value_enum, default_value_t = Format::Text, env = "SILENCED_FORMAT")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    // For people.
    Text,
    // For machines.
    Json,
    // Workflow commands of GitHub Actions.
    Github,
}

impl Arguments {
    pub(super) fn run(
        self,
        terminal: &Terminal,
        mut zones: ZoneSource,
    ) -> Result<Exit, CommandError> {
        let declarations = read(&self.directory, &zones.load())?;
        let mut found = declarations.diagnostics.clone();
        found.extend(review(&declarations, Clock::System.now()));
        found.sort_by(|left, right| {
            (&left.file, left.line, left.column).cmp(&(&right.file, right.line, right.column))
        });
        let text = match self.format {
            Format::Text => diagnostics::text(&found, terminal.style()),
            Format::Json => {
                let validation = Validation::new(&declarations, &found);
                serde_json::to_string_pretty(&validation).map_err(CommandError::failed)? + "\n"
            }
            Format::Github => {
                let root = self.directory.to_string_lossy();
                found
                    .iter()
                    .map(|diagnostic| github(diagnostic, &root))
                    .collect()
            }
        };
        terminal.print(&text)?;
        terminal.message(&format!(
            "{}, {}: {}\n",
            diagnostics::number(declarations.paths.len(), "file"),
            diagnostics::number(declarations.silences.len(), "valid silence"),
            diagnostics::counted(&found)
        ));
        Ok(if diagnostics::has_errors(&found) {
            Exit::Failure
        } else {
            Exit::Success
        })
    }
}

/// The declarations of a directory, as it is now.
pub(super) fn read(directory: &Path, zones: &ZoneDatabase) -> Result<Declarations, CommandError> {
    let snapshot = read_directory(directory, &Bounds::DEFAULT).map_err(CommandError::failed)?;
    Ok(Declarations::read(&snapshot, zones))
}
