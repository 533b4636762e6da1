//! What is to be done now? One reconciliation: `silenced apply`.

use std::fmt::Write as _;
use std::sync::Arc;

use clap::{ArgMatches, Args};

use super::options::Options;
use super::terminal::Terminal;
use super::{CommandError, Exit, OutputFormat, pass, plan};
use crate::plan::Fingerprint;
use crate::reconcile::{Mode, Outcome, Pass, TargetPass};
use crate::telemetry::log_to_stderr;
use crate::zoneinfo::ZoneSource;

/// Reconcile once: create, update and expire what the declarations ask for
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  silenced apply --config silenced.yaml --dry-run
  silenced apply --source ./silences --alertmanager http://127.0.0.1:9093 --instance lab
  silenced apply --config silenced.yaml --confirm 0123456789abcdef

Exit codes: 0 converged (suspended declarations do not count), 1 any target or file in error,
3 converged except for what guards and the policy hold; with --dry-run, 2 when there are changes.")]
pub(super) struct Arguments {
    /// Only show what would be done
    #[arg(long, env = "SILENCED_DRY_RUN")]
    dry_run: bool,

    /// Let the plan with this fingerprint change more than the guards allow; repeat it for the
    /// plans of several targets, or put commas between them
    #[arg(
        long,
        value_name = "FINGERPRINT",
        env = "SILENCED_CONFIRM",
        value_delimiter = ',',
        value_parser = Fingerprint::parse
    )]
    confirm: Vec<Fingerprint>,

    /// How to print what was done
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
        log_to_stderr(
            self.options.log_filter(plan::LOG_FILTER),
            terminal.log_style(),
        )
        .map_err(CommandError::Usage)?;
        let mode = if self.dry_run {
            Mode::Observe
        } else {
            Mode::Apply
        };
        let pass = pass::make(configuration, mode, &self.confirm, terminal, zones)?;
        let planned = match (mode, self.format) {
            // The body of POST /sync; no request has the number 0.
            (Mode::Apply, OutputFormat::Json) => format!("{:#}\n", pass.to_json(0)),
            _ => plan::shown(pass, self.format, terminal),
        };
        terminal.print(&planned)?;
        if mode == Mode::Apply && self.format == OutputFormat::Text {
            terminal.print(&done(pass))?;
        }
        Ok(match pass.outcome() {
            Outcome::Failed => Exit::Failure,
            _ if self.dry_run && pass.has_changes() => Exit::Changes,
            Outcome::Held => Exit::Held,
            Outcome::Converged => Exit::Success,
        })
    }
}

/// A line for every target that something was done on.
fn done(pass: &Pass) -> String {
    let mut text = String::new();
    for target in &pass.targets {
        let TargetPass { name, report, .. } = target.as_ref();
        let counts = [
            (report.created, "created"),
            (report.updated, "updated"),
            (report.replaced, "replaced"),
            (report.expired, "expired"),
            (report.failures.len(), "failed"),
            (report.not_attempted, "not attempted"),
        ];
        let counts: Vec<String> = counts
            .into_iter()
            .filter(|&(count, _)| count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        if !counts.is_empty() {
            let _ = writeln!(text, "{name}: {}", counts.join(", "));
        }
    }
    text
}
