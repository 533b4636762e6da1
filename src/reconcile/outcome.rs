//! How did a pass end?

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::Mode;
use crate::apply::ApplyReport;
use crate::declaration::Declarations;
use crate::name::TargetName;
use crate::plan::{Plan, to_json};
use crate::snapshot::Revision;
use crate::timestamp::Timestamp;

/// How a pass ended, in one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Every target holds what is declared (suspended declarations do not count).
    Converged,
    /// The same, except for what a guard or the policy holds.
    Held,
    /// The source, a file or a target is in error.
    Failed,
}

impl Outcome {
    /// The word for it in JSON and metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::Held => "held",
            Self::Failed => "failed",
        }
    }
}

/// One pass and what came of it.
#[derive(Clone, Debug)]
pub struct Pass {
    /// When it began.
    pub started: Timestamp,
    /// Whether it wrote.
    pub mode: Mode,
    /// What was compared with; `None` when nothing could ever be read.
    pub revision: Option<Revision>,
    /// Why the source could not be read this time.
    pub source_error: Option<String>,
    /// What is declared.
    pub declarations: Arc<Declarations>,
    /// In the order of the configuration.
    pub targets: Vec<TargetPass>,
    /// How far ahead windows became silences.
    pub horizon: Duration,
}

/// What a pass did for one target.
#[derive(Clone, Debug)]
pub struct TargetPass {
    /// Which target.
    pub name: TargetName,
    /// What had to change; `None` when it could not be listed or was not asked.
    pub plan: Option<Plan>,
    /// What was done.
    pub report: ApplyReport,
    /// The first thing that went wrong, or why the target is left alone.
    pub error: Option<String>,
}

impl TargetPass {
    pub(super) fn new(name: TargetName) -> Self {
        Self {
            name,
            plan: None,
            report: ApplyReport::default(),
            error: None,
        }
    }

    /// How many things are held, the suspended declarations included, and
    /// everything while writing is suspended.
    #[must_use]
    pub fn held(&self) -> usize {
        let undone = |plan: &Plan| plan.holds.len() + plan.actions.len();
        let all = self.plan.as_ref().map_or(0, undone);
        all.saturating_sub(
            self.report.done() + self.report.failures.len() + self.report.not_attempted,
        )
    }

    /// Live silences that are ours after the pass, as far as it knows.
    #[must_use]
    pub fn owned(&self) -> usize {
        let before = self.plan.as_ref().map_or(0, |plan| plan.owned);
        (before + self.report.created).saturating_sub(self.report.expired)
    }

    fn is_converged(&self) -> bool {
        self.error.is_none() && self.report.is_complete() && self.plan.is_some()
    }

    fn is_held(&self) -> bool {
        let holds = self.plan.iter().flat_map(|plan| &plan.holds);
        holds.into_iter().any(|hold| hold.cause.counts_as_held())
    }
}

impl Pass {
    pub(super) fn without_declarations(source_error: Option<String>, started: Timestamp) -> Self {
        Self {
            started,
            mode: Mode::Observe,
            revision: None,
            source_error,
            declarations: Arc::default(),
            targets: Vec::new(),
            horizon: Duration::ZERO,
        }
    }

    /// In one word.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let failed = self.source_error.is_some()
            || self.revision.is_none()
            || !self.declarations.broken.is_empty()
            || !self.declarations.ambiguous.is_empty()
            || self.targets.iter().any(|target| !target.is_converged());
        if failed {
            Outcome::Failed
        } else if self.targets.iter().any(TargetPass::is_held)
            || self.mode == Mode::Observe && self.has_changes()
        {
            Outcome::Held
        } else {
            Outcome::Converged
        }
    }

    /// Whether any target has actions that were not carried out.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        let plans = self
            .targets
            .iter()
            .filter_map(|target| target.plan.as_ref());
        plans.into_iter().any(|plan| !plan.actions.is_empty())
    }

    /// Through when every declared window has its silence, if it is known.
    #[must_use]
    pub fn covered_until(&self) -> Option<Timestamp> {
        (self.outcome() != Outcome::Failed && self.mode == Mode::Apply)
            .then(|| self.started.plus(self.horizon))
    }

    /// The body of `POST /sync?wait=` and of `last_pass`, under the id of the request.
    #[must_use]
    pub fn to_json(&self, id: u64) -> Value {
        json!({
            "id": id,
            "outcome": self.outcome().word(),
            "revision": self.revision.as_ref().map(ToString::to_string),
            "started": self.started,
            "source_error": self.source_error,
            "targets": self.targets.iter().map(|target| json!({
                "name": target.name,
                "error": target.error,
                "created": target.report.created,
                "updated": target.report.updated,
                "replaced": target.report.replaced,
                "expired": target.report.expired,
                "held": target.held(),
            })).collect::<Vec<_>>(),
        })
    }

    /// The body of `silenced plan --format json` and of `/api/v1/plan`.
    #[must_use]
    pub fn plan_to_json(&self) -> Value {
        json!({
            "revision": self.revision.as_ref().map(ToString::to_string),
            "error": self.source_error,
            "targets": self.targets.iter().map(|target| {
                let error = target.error.as_deref().unwrap_or("not asked");
                to_json(&target.name, target.plan.as_ref().ok_or(error))
            }).collect::<Vec<_>>(),
        })
    }
}
