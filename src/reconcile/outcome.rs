//! How did a pass end?

use std::sync::Arc;

use serde_json::{Value, json};

use super::Mode;
use super::target_pass::TargetPass;
use crate::declaration::Declarations;
use crate::plan::to_json;
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
    /// Which one, since the start of the process; from 1.
    pub number: u64,
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
    /// Where each target stands, in the order of the configuration. Not every
    /// pass asks every target: see [`Pass::is_news`].
    pub targets: Vec<Arc<TargetPass>>,
}

impl Pass {
    pub(super) fn without_declarations(source_error: Option<String>, started: Timestamp) -> Self {
        Self {
            number: 0,
            started,
            mode: Mode::Observe,
            revision: None,
            source_error,
            declarations: Arc::default(),
            targets: Vec::new(),
        }
    }

    /// Whether a target's result came with this pass. Those of other targets
    /// are of when they were asked last.
    #[must_use]
    pub const fn is_news(&self, target: &TargetPass) -> bool {
        target.taken_in == self.number
    }

    /// In one word.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let failed = self.source_error.is_some()
            || self.revision.is_none()
            || !self.declarations.broken.is_empty()
            || !self.declarations.ambiguous.is_empty()
            || self.declarations.unenforced_policy.is_some()
            || self.targets.iter().any(|target| !target.is_converged());
        if failed {
            Outcome::Failed
        } else if self.targets.iter().any(|target| target.is_held())
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
        let mut targets = self.targets.iter();
        targets.any(|target| target.has_outstanding())
    }

    /// Through when every declared window has its silence on every target, also if
    /// there is no pass after this one; see [`Plan`](crate::plan::Plan). None if it is
    /// not known, or not so.
    #[must_use]
    pub fn covered_until(&self) -> Option<Timestamp> {
        let is_known =
            self.source_error.is_none() && (self.mode == Mode::Apply || !self.has_changes());
        let targets = self.targets.iter().filter(|_| is_known);
        let covered = targets.map(|target| target.covered_until());
        covered.collect::<Option<Vec<_>>>()?.into_iter().min()
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
            "targets": self.targets.iter().map(|target| self.target_to_json(target))
                .collect::<Vec<_>>(),
        })
    }

    /// What was written counts once: in the pass that took the result in.
    fn target_to_json(&self, target: &TargetPass) -> Value {
        let count = |count: usize| if self.is_news(target) { count } else { 0 };
        let report = &target.report;
        json!({
            "name": target.name,
            "state": target.state().word(),
            "error": target.error,
            "created": count(report.created),
            "updated": count(report.updated),
            "replaced": count(report.replaced),
            "expired": count(report.expired),
            "not_attempted": count(report.not_attempted),
            "held": target.held(),
            "asked": target.started,
            "failing_since": target.failing_since,
            "next_try": target.next_try,
        })
    }

    /// The body of `silenced plan --format json` and of `/api/v1/plan`: what is still
    /// to be done, and with so many holds at most what is held.
    #[must_use]
    pub fn plan_to_json(&self, most_holds: usize) -> Value {
        let mut room = most_holds;
        json!({
            "revision": self.revision.as_ref().map(ToString::to_string),
            "error": self.source_error,
            "targets": self.targets.iter().map(|target| {
                let error = target.error.as_deref().unwrap_or("not asked");
                let plan = target.plan.as_ref();
                let holds = plan.map_or(0, |plan| plan.holds.len());
                let plan = plan.map(|plan| (plan, target.outstanding()));
                let mut plan = to_json(&target.name, plan.ok_or(error), room);
                if holds > room {
                    plan["holds_left_out"] = (holds - room).into();
                }
                room = room.saturating_sub(holds);
                if target.left_out > 0 {
                    plan["left_out"] = target.left_out.into();
                }
                plan
            }).collect::<Vec<_>>(),
        })
    }
}
