//! How did a pass end?

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::Mode;
use crate::apply::ApplyReport;
use crate::declaration::Declarations;
use crate::name::TargetName;
use crate::plan::{Action, HoldCause, Plan, to_json};
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

/// What was done for one target when it was asked last.
#[derive(Clone, Debug)]
pub struct TargetPass {
    /// Which target.
    pub name: TargetName,
    /// The number of the pass that took the result in.
    pub taken_in: u64,
    /// When it was asked.
    pub started: Timestamp,
    /// What had to change; `None` when it could not be listed or was not asked.
    pub plan: Option<Plan>,
    /// Actions that are not carried out and not kept, because there are too many.
    pub left_out: usize,
    /// What was done.
    pub report: ApplyReport,
    /// The first thing that went wrong, or why the target is left alone.
    pub error: Option<String>,
    /// Whether it is being worked on still.
    pub is_busy: bool,
    /// Since when it could not be brought into step, if it could not.
    pub failing_since: Option<Timestamp>,
    /// When it is asked next, unless somebody asks before.
    pub next_try: Option<Timestamp>,
}

/// Where a target stands, in one word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TargetState {
    /// In error.
    Failing,
    /// Not done yet; nobody waits for it.
    Busy,
    /// In step, except for what is held.
    Held,
    /// In step.
    Ok,
}

impl TargetState {
    /// Every state, the most urgent first.
    pub const ALL: [Self; 4] = [Self::Failing, Self::Busy, Self::Held, Self::Ok];

    /// The word for it in JSON and metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Busy => "busy",
            Self::Held => "held",
            Self::Ok => "ok",
        }
    }
}

impl TargetPass {
    pub(super) fn new(name: TargetName, started: Timestamp) -> Self {
        Self {
            name,
            taken_in: 0,
            started,
            plan: None,
            left_out: 0,
            report: ApplyReport::default(),
            error: None,
            is_busy: false,
            failing_since: None,
            next_try: None,
        }
    }

    /// One that was asked `waited` ago and has not answered.
    pub(super) fn unanswered(name: TargetName, started: Timestamp, waited: Duration) -> Self {
        let error = format!(
            "no answer yet, asked {} s ago; the others were not kept waiting, and a later pass \
             shows what came of it",
            waited.as_secs()
        );
        Self {
            error: Some(error),
            is_busy: true,
            ..Self::new(name, started)
        }
    }

    /// Keeps at most so many actions to be shown; what is done goes first.
    pub(super) fn keep_actions(&mut self, most: usize) {
        if let Some(plan) = &mut self.plan
            && plan.actions.len() > most
        {
            let done = std::mem::take(&mut self.report.carried_out);
            let mut numbers = 0..;
            let mut is_done = || numbers.next().is_some_and(|number| done.contains(&number));
            plan.actions.retain(|_| !is_done());
            self.left_out += plan.actions.len().saturating_sub(most);
            plan.actions.truncate(most);
            plan.actions.shrink_to_fit();
        }
    }

    /// The actions that are kept and not carried out.
    pub fn outstanding(&self) -> impl Iterator<Item = &Action> {
        let actions = self.plan.iter().flat_map(|plan| &plan.actions);
        let numbered = actions.enumerate();
        let outstanding = numbered.filter(|(number, _)| !self.report.carried_out.contains(number));
        outstanding.map(|(_, action)| action)
    }

    pub(super) fn has_outstanding(&self) -> bool {
        self.left_out > 0 || self.outstanding().next().is_some()
    }

    /// How many actions are kept.
    pub(super) fn kept_actions(&self) -> usize {
        self.plan.as_ref().map_or(0, |plan| plan.actions.len())
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> TargetState {
        if self.is_busy {
            TargetState::Busy
        } else if self.is_failing() {
            TargetState::Failing
        } else if self.is_held() {
            TargetState::Held
        } else {
            TargetState::Ok
        }
    }

    pub(super) fn is_failing(&self) -> bool {
        !self.is_converged()
    }

    /// How many things are held, the suspended declarations included, and
    /// everything while writing is suspended.
    #[must_use]
    pub fn held(&self) -> usize {
        let holds = self.plan.as_ref().map_or(0, |plan| plan.holds.len());
        let undone = self.left_out + self.outstanding().count() + holds;
        undone.saturating_sub(self.report.failures.len() + self.report.not_attempted)
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

    /// Whether something waits until the server's list must show it.
    pub(super) fn is_unsettled(&self) -> bool {
        let mut holds = self.plan.iter().flat_map(|plan| &plan.holds);
        holds.any(|hold| hold.cause == HoldCause::Unsettled)
    }

    fn covered_until(&self) -> Option<Timestamp> {
        let plan = self.plan.as_ref().filter(|_| self.is_converged())?;
        plan.covered_until
    }

    fn is_held(&self) -> bool {
        let holds = self.plan.iter().flat_map(|plan| &plan.holds);
        holds.into_iter().any(|hold| hold.cause.counts_as_held())
    }
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
    /// there is no pass after this one; see [`Plan::covered_until`]. None if it is
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
