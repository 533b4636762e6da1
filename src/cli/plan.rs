//! What would change? The live targets, compared and left alone: `silenced plan`.

use std::fmt::Write as _;
use std::sync::Arc;

use clap::{ArgMatches, Args};

use super::options::Options;
use super::terminal::Terminal;
use super::{CommandError, Exit, OutputFormat, pass};
use crate::plan::render;
use crate::reconcile::{Mode, Outcome, Pass};
use crate::telemetry::log_to_stderr;
use crate::zoneinfo::ZoneSource;

/// What `plan` and `apply` log unless they are told: what a pass finds wrong is
/// printed anyway.
pub(super) const LOG_FILTER: &str = "warn,silenced::reconcile=off";

/// Show what would change on the targets
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  silenced plan --config silenced.yaml
  silenced plan --source ./silences --alertmanager http://127.0.0.1:9093 --instance lab
  silenced plan --config silenced.yaml --ref my-branch --format json

Exit codes: 0 nothing to do, 2 changes, 1 any error.")]
pub(super) struct Arguments {
    /// How to print the plan
    #[arg(long, value_enum, default_value_t = OutputFormat::Text, env = "SILENCED_FORMAT")]
    format: OutputFormat,

    #[command(flatten)]
    options: Options,
}

impl Arguments {
    pub(super) fn run(
        self,
        matches: &ArgMatches,
        terminal: &Arc<Terminal>,
        zones: ZoneSource,
    ) -> Result<Exit, CommandError> {
        let configuration = self.options.configuration(matches)?;
        log_to_stderr(self.options.log_filter(LOG_FILTER), terminal.log_style())
            .map_err(CommandError::Usage)?;
        let pass = pass::make(configuration, Mode::Observe, &[], terminal, zones)?;
        terminal.print(&shown(pass, self.format, terminal))?;
        Ok(match pass.outcome() {
            Outcome::Failed => Exit::Failure,
            _ if pass.has_changes() => Exit::Changes,
            _ => Exit::Success,
        })
    }
}

/// The plans of all targets.
pub(super) fn shown(pass: &Pass, format: OutputFormat, terminal: &Terminal) -> String {
    let mut text = String::new();
    match format {
        OutputFormat::Json => {
            let _ = writeln!(text, "{:#}", pass.plan_to_json(usize::MAX));
        }
        OutputFormat::Text => {
            for target in &pass.targets {
                if let Some(plan) = &target.plan {
                    text.push_str(&render(&target.name, plan, terminal.style()));
                }
            }
        }
    }
    text
}
