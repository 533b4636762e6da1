//! What came of a pass? Short forms of passes, and declarations to make them of.

use silenced::plan::HoldCause;
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
    let plans = pass
        .targets
        .iter()
        .filter_map(|target| target.plan.as_ref());
    plans
        .flat_map(|plan| &plan.actions)
        .map(|action| {
            format!(
                "{} {}: {}",
                action.change.word(),
                action.silence,
                action.reason
            )
        })
        .collect()
}

pub(crate) fn holds(pass: &Pass) -> Vec<(String, HoldCause)> {
    let plans = pass
        .targets
        .iter()
        .filter_map(|target| target.plan.as_ref());
    plans
        .flat_map(|plan| &plan.holds)
        .map(|hold| (hold.silence.to_string(), hold.cause))
        .collect()
}
