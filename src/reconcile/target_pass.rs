//! Where does one target stand after a pass? What was planned, what came of it, and
//! what is left.

use std::time::Duration;

use crate::apply::ApplyReport;
use crate::name::TargetName;
use crate::plan::{Action, HoldCause, Plan};
use crate::timestamp::Timestamp;

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

    pub(super) fn is_converged(&self) -> bool {
        self.error.is_none() && self.report.is_complete() && self.plan.is_some()
    }

    /// Whether something waits until the server's list must show it.
    pub(super) fn is_unsettled(&self) -> bool {
        let mut holds = self.plan.iter().flat_map(|plan| &plan.holds);
        holds.any(|hold| hold.cause == HoldCause::Unsettled)
    }

    pub(super) fn covered_until(&self) -> Option<Timestamp> {
        let plan = self.plan.as_ref().filter(|_| self.is_converged())?;
        plan.covered_until
    }

    pub(super) fn is_held(&self) -> bool {
        let holds = self.plan.iter().flat_map(|plan| &plan.holds);
        holds.into_iter().any(|hold| hold.cause.counts_as_held())
    }
}
