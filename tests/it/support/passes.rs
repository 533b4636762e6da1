//! What came of a pass? Short forms of passes, and declarations to make them of.

use silenced::plan::{Action, HoldCause, Plan};
use silenced::reconcile::{Pass, TargetPass};

/// Every night in Berlin.
pub(crate) const NIGHTLY: &str = r#"
owner: automation
timezone: Europe/Berlin
silences:
  - name: nightly-info
    comment: Low-severity noise waits for the morning.
    matchers: ['severity="info"', 'env=~"prod|staging"']
    schedule:
      times: [{start_time: "22:00", end_time: "06:00"}]
"#;

/// A week from Thursday noon.
pub(crate) const ONCE: &str = r#"
owner: dba
silences:
  - name: high-latency
    comment: Known defect.
    matchers: ['alertname="HighDBLatency"']
    schedule: {starts_at: "2026-01-08T12:00:00Z", ends_at: "2026-01-15T12:00:00Z"}
"#;

/// [`ONCE`] by another schedule.
pub(crate) fn scheduled(schedule: &str) -> String {
    let (before, _) = ONCE.split_once("schedule:").unwrap();
    format!("{before}schedule: {schedule}\n")
}

pub(crate) fn writes(pass: &Pass) -> Vec<(usize, usize, usize, usize)> {
    let counts = |target: &TargetPass| {
        let report = &target.report;
        (
            report.created,
            report.updated,
            report.replaced,
            report.expired,
        )
    };
    pass.targets.iter().map(|target| counts(target)).collect()
}

pub(crate) fn actions(pass: &Pass) -> Vec<String> {
    let actions = plans(pass).flat_map(|plan| &plan.actions);
    let shown = |action: &Action| {
        let word = action.change.word();
        format!("{word} {}: {}", action.silence, action.reason)
    };
    actions.map(shown).collect()
}

pub(crate) fn holds(pass: &Pass) -> Vec<(&str, HoldCause)> {
    let holds = plans(pass).flat_map(|plan| &plan.holds);
    holds
        .map(|hold| (hold.silence.as_str(), hold.cause))
        .collect()
}

/// Those of all targets for which one could be made.
fn plans(pass: &Pass) -> impl Iterator<Item = &Plan> {
    pass.targets
        .iter()
        .filter_map(|target| target.plan.as_ref())
}

/// The plan for the only target.
pub(crate) fn plan(pass: &Pass) -> &Plan {
    pass.targets[0].plan.as_ref().unwrap()
}
