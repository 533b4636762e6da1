//! How do others watch us? Logs, and every metric in one struct.

use std::fmt::Write as _;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tracing_subscriber::EnvFilter;

use crate::plan::{HoldCause, Plan};
use crate::reconcile::{Outcome, Pass, TargetPass, TargetState};
use crate::timestamp::Timestamp;

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogStyle {
    /// For people, without colour.
    Plain,
    /// For people on a terminal.
    Colour,
    /// One JSON object a line, for machines.
    Json,
}

/// Sends logs to standard error.
///
/// `filter` is a directive such as `info` or `silenced=debug`.
pub fn log_to_stderr(filter: &str, style: LogStyle) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| format!("cannot read the log filter `{filter}`: {error}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_writer(std::io::stderr);
    let result = match style {
        LogStyle::Json => builder.json().flatten_event(true).try_init(),
        LogStyle::Plain => builder.with_ansi(false).try_init(),
        LogStyle::Colour => builder.with_ansi(true).try_init(),
    };
    result.map_err(|error| error.to_string())
}

/// Why a pass was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// The first one.
    Startup,
    /// The interval was over, or a failing target was due.
    Interval,
    /// Somebody asked.
    Request,
}

impl Cause {
    const fn word(self) -> &'static str {
        match self {
            Self::Startup => "startup",
            Self::Interval => "interval",
            Self::Request => "request",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    trigger: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PhaseLabels {
    phase: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TargetLabels {
    target: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    target: String,
    operation: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HoldLabels {
    target: String,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RevisionLabels {
    revision: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TzdataLabels {
    version: String,
    origin: String,
}

/// Every metric, in the order in which it is registered and shown.
///
/// Target names are bounded by the configuration; all other labels are closed
/// sets, except the revision, of which there is one series at a time.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    attempts: Family<AttemptLabels, Counter>,
    duration: Family<PhaseLabels, Histogram, fn() -> Histogram>,
    last_attempt: Gauge,
    last_success: Gauge,
    failures: Gauge,
    revision: Family<RevisionLabels, Gauge>,
    tzdata: Family<TzdataLabels, Gauge>,
    source_up: Gauge,
    files: Gauge,
    invalid_files: Gauge,
    declared: Gauge,
    targets: Family<StateLabels, Gauge>,
    target_up: Family<TargetLabels, Gauge>,
    target_busy: Family<TargetLabels, Gauge>,
    target_failing_since: Family<TargetLabels, Gauge>,
    target_next_try: Family<TargetLabels, Gauge>,
    not_attempted: Family<TargetLabels, Counter>,
    desired: Family<TargetLabels, Gauge>,
    owned: Family<TargetLabels, Gauge>,
    foreign: Family<TargetLabels, Gauge>,
    held: Family<HoldLabels, Gauge>,
    operations: Family<OperationLabels, Counter>,
    suspended: Gauge,
}

/// From 1 ms to about 17 minutes, in steps of four.
fn duration_buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 4.0, 11))
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("silenced"),
            attempts: Family::default(),
            duration: Family::new_with_constructor(duration_buckets),
            last_attempt: Gauge::default(),
            last_success: Gauge::default(),
            failures: Gauge::default(),
            revision: Family::default(),
            tzdata: Family::default(),
            source_up: Gauge::default(),
            files: Gauge::default(),
            invalid_files: Gauge::default(),
            declared: Gauge::default(),
            targets: Family::default(),
            target_up: Family::default(),
            target_busy: Family::default(),
            target_failing_since: Family::default(),
            target_next_try: Family::default(),
            not_attempted: Family::default(),
            desired: Family::default(),
            owned: Family::default(),
            foreign: Family::default(),
            held: Family::default(),
            operations: Family::default(),
            suspended: Gauge::default(),
        };
        metrics.register();
        metrics.register_targets();
        metrics
    }

    fn register(&mut self) {
        let build = [("version", env!("CARGO_PKG_VERSION").to_owned())];
        let registry = &mut self.registry;
        registry.register("build", "This program", Info::new(build));
        registry.register(
            "sync_attempts",
            "Passes by trigger and result",
            self.attempts.clone(),
        );
        registry.register_with_unit(
            "sync_duration",
            "How long the phases of a pass took",
            Unit::Seconds,
            self.duration.clone(),
        );
        for (name, help, gauge) in [
            (
                "last_sync_attempt_timestamp",
                "When the last pass ended",
                &self.last_attempt,
            ),
            (
                "last_sync_success_timestamp",
                "When the last pass without error ended",
                &self.last_success,
            ),
        ] {
            registry.register_with_unit(name, help, Unit::Seconds, gauge.clone());
        }
        for (name, help, gauge) in [
            (
                "consecutive_sync_failures",
                "Passes in a row that failed",
                &self.failures,
            ),
            (
                "source_up",
                "Whether the source could be read",
                &self.source_up,
            ),
            ("source_files", "Declaration files read", &self.files),
            (
                "source_invalid_files",
                "Declaration files with an error",
                &self.invalid_files,
            ),
            ("declared_silences", "Valid declarations", &self.declared),
            ("suspended", "Whether writing is suspended", &self.suspended),
        ] {
            registry.register(name, help, gauge.clone());
        }
        registry.register(
            "revision_info",
            "The revision in use",
            self.revision.clone(),
        );
        registry.register("tzdata_info", "The zone data in use", self.tzdata.clone());
        registry.register(
            "held_silences",
            "Things not done on purpose, by reason",
            self.held.clone(),
        );
        registry.register(
            "silence_operations",
            "Silences created, updated, replaced and expired",
            self.operations.clone(),
        );
    }

    fn register_targets(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "targets",
            "Targets by where they stand",
            self.targets.clone(),
        );
        for (name, help, family) in [
            (
                "target_failing_since_timestamp",
                "Since when the target could not be reconciled; 0 when it could",
                &self.target_failing_since,
            ),
            (
                "target_next_try_timestamp",
                "When the target is asked next; 0 while it is being worked on",
                &self.target_next_try,
            ),
        ] {
            registry.register_with_unit(name, help, Unit::Seconds, family.clone());
        }
        registry.register(
            "actions_not_attempted",
            "Planned actions that were not begun, for want of time or after failures",
            self.not_attempted.clone(),
        );
        for (name, help, family) in [
            (
                "target_up",
                "Whether the target could be reconciled",
                &self.target_up,
            ),
            (
                "target_busy",
                "Whether the target was being worked on still when the last pass ended",
                &self.target_busy,
            ),
            (
                "desired_silences",
                "Windows that have, or get, a silence",
                &self.desired,
            ),
            ("owned_silences", "Live silences that are ours", &self.owned),
            (
                "foreign_silences",
                "Live silences that are not ours",
                &self.foreign,
            ),
        ] {
            registry.register(name, help, family.clone());
        }
    }

    /// The zone data that schedules are computed with from now on.
    pub fn use_tzdata(&self, version: &str, origin: &str) {
        self.tzdata.clear();
        let labels = TzdataLabels {
            version: version.to_owned(),
            origin: origin.to_owned(),
        };
        self.tzdata.get_or_create(&labels).set(1);
    }

    /// How long a phase of a pass took.
    pub fn phase(&self, phase: &'static str, duration: Duration) {
        self.duration
            .get_or_create(&PhaseLabels { phase })
            .observe(duration.as_secs_f64());
    }

    /// Whether writing is suspended.
    pub fn use_suspended(&self, suspended: bool) {
        self.suspended.set(i64::from(suspended));
    }

    /// A pass that has ended.
    pub fn record(&self, cause: Cause, pass: &Pass, now: Timestamp) {
        let outcome = pass.outcome();
        let labels = AttemptLabels {
            trigger: cause.word(),
            result: outcome.word(),
        };
        self.attempts.get_or_create(&labels).inc();
        self.last_attempt.set(now.seconds());
        if outcome == Outcome::Failed {
            self.failures.inc();
        } else {
            self.failures.set(0);
            self.last_success.set(now.seconds());
        }
        self.source_up.set(i64::from(pass.source_error.is_none()));
        self.files.set(count(pass.declarations.paths.len()));
        self.invalid_files
            .set(count(pass.declarations.broken.len()));
        self.declared.set(count(pass.declarations.silences.len()));
        self.revision.clear();
        if let Some(revision) = &pass.revision {
            self.revision
                .get_or_create(&RevisionLabels {
                    revision: revision.to_string(),
                })
                .set(1);
        }
        for state in TargetState::ALL {
            let targets = pass.targets.iter();
            let those = targets.filter(|target| target.state() == state).count();
            let labels = StateLabels {
                state: state.word(),
            };
            self.targets.get_or_create(&labels).set(count(those));
        }
        for target in pass.targets.iter().filter(|target| pass.is_news(target)) {
            self.record_target(target);
        }
    }

    fn record_target(&self, pass: &TargetPass) {
        let target = pass.name.to_string();
        let labels = TargetLabels {
            target: target.clone(),
        };
        self.target_up
            .get_or_create(&labels)
            .set(i64::from(pass.error.is_none()));
        self.target_busy
            .get_or_create(&labels)
            .set(i64::from(pass.is_busy));
        for (family, at) in [
            (&self.target_failing_since, pass.failing_since),
            (&self.target_next_try, pass.next_try),
        ] {
            let at = at.map_or(0, Timestamp::seconds);
            family.get_or_create(&labels).set(at);
        }
        self.not_attempted
            .get_or_create(&labels)
            .inc_by(pass.report.not_attempted.try_into().unwrap_or(u64::MAX));
        if let Some(plan) = &pass.plan {
            self.desired.get_or_create(&labels).set(count(plan.desired));
            self.owned.get_or_create(&labels).set(count(pass.owned()));
            self.foreign.get_or_create(&labels).set(count(plan.foreign));
            self.record_holds(&target, plan);
        }
        let report = &pass.report;
        let operation = |operation, result, times: usize| {
            let labels = OperationLabels {
                target: target.clone(),
                operation,
                result,
            };
            self.operations
                .get_or_create(&labels)
                .inc_by(times.try_into().unwrap_or(u64::MAX));
        };
        operation("create", "success", report.created);
        operation("update", "success", report.updated);
        operation("replace", "success", report.replaced);
        operation("expire", "success", report.expired);
        for failure in &report.failures {
            operation(failure.operation, "error", 1);
        }
    }

    /// A series begins with the first hold: ten zeros for each of 1,000 targets
    /// would be half of the text.
    fn record_holds(&self, target: &str, plan: &Plan) {
        for cause in HoldCause::ALL {
            let held = plan.holds.iter().filter(|hold| hold.cause == cause).count();
            let labels = HoldLabels {
                target: target.to_owned(),
                reason: cause.word(),
            };
            if held > 0 || self.held.get(&labels).is_some() {
                self.held.get_or_create(&labels).set(count(held));
            }
        }
    }

    /// The `OpenMetrics` text.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        if let Err(error) = text::encode(&mut text, &self.registry) {
            // Writing to a string does not fail; a half text must not pass for a whole one.
            text.clear();
            let _ = writeln!(text, "# cannot encode: {error}");
        }
        text
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
