//! Did a process rely on a silence that it had itself asked to end? An expiry
//! whose answer was lost may take effect late; until then the silence looks like
//! any other.

use silenced::plan::{Change, Plan, Settings};
use silenced::silence::{Silence, SilenceId, SilenceState};
use tokio::time::Instant;

use super::account::Account;
use super::calendar::minute_of;
use super::episode::Episode;
use super::server::{State, TIMEOUT, alerts_of, marker_of};

/// A late expiry ended the only silence for some alerts, and the process that
/// had sent it had looked in between and seen no other.
pub(super) struct LateGap {
    process: u64,
    listed: Instant,
    id: SilenceId,
    name: String,
    alerts: String,
}

impl LateGap {
    /// What comes of an expiry that a process sent at that time and that takes
    /// effect now, when these silences are `live`.
    pub(super) fn of(
        process: u64,
        id: &SilenceId,
        sent: Instant,
        live: &[Silence],
        account: &Account,
    ) -> Option<Self> {
        let (listed, list) = account.last_list(process)?;
        // Told that nobody knows, a process doubts the silence for so long.
        let doubted = sent + TIMEOUT..sent + Settings::SETTLE;
        let silence = live.iter().find(|silence| silence.id == *id)?;
        let alerts = alerts_of(&silence.matchers);
        let is_other = |other: &&Silence| other.id != *id && alerts_of(&other.matchers) == alerts;
        let mut others = live.iter().filter(is_other);
        let mut others_listed = list.values().filter(is_other);
        let is_gap = doubted.contains(&listed)
            && silence.state == SilenceState::Active
            && list.get(id).is_some_and(Silence::is_live)
            && !others.any(|other| other.state == SilenceState::Active)
            && !others_listed.any(Silence::is_live);
        let name = marker_of(&silence.comment)?.silence.to_string();
        is_gap.then(|| Self {
            process,
            listed,
            id: id.clone(),
            name,
            alerts,
        })
    }

    /// Whether a plan leaves everything to that silence: it makes nothing in its
    /// place, does not end it, and waits for nothing.
    fn is_overlooked_by(&self, plan: &Plan) -> bool {
        let mut actions = plan.actions.iter();
        let mut holds = plan.holds.iter();
        !holds.any(|hold| hold.silence.as_str() == self.name)
            && !actions.any(|action| match &action.change {
                Change::Create(draft) => alerts_of(&draft.matchers) == self.alerts,
                Change::Replace(draft, old) => {
                    old.id == self.id || alerts_of(&draft.matchers) == self.alerts
                }
                Change::Expire(old, _) => old.id == self.id,
                Change::Update(_) => false,
            })
    }
}

impl Episode<'_> {
    /// Whether the process relied on what it knew to be doubtful, as far as its
    /// last pass tells: one over the head that wants the alerts to be silent, and
    /// without a list since the gap opened.
    pub(super) fn check_late_gap(&self, gap: &LateGap, state: &State) -> Result<(), String> {
        let mut processes = self.processes.iter();
        let Some(process) = processes.find(|process| process.id == gap.process) else {
            return Ok(());
        };
        let status = process.handle.status.borrow();
        let Some(pass) = &status.pass else {
            return Ok(());
        };
        let head = &state.repository.head;
        let minute = minute_of(self.server_now());
        let is_wanted =
            (minute - 1..=minute + 1).all(|minute| head.wants(&gap.name, &gap.alerts, minute));
        let list = state.account.last_list(gap.process);
        let is_last = list.is_some_and(|(listed, _)| listed == gap.listed);
        let mut plans = pass
            .targets
            .iter()
            .filter_map(|target| target.plan.as_ref());
        if is_wanted
            && is_last
            && pass.revision.as_ref() == Some(&head.revision())
            && plans.any(|plan| gap.is_overlooked_by(plan))
        {
            let LateGap {
                process,
                id,
                alerts,
                ..
            } = gap;
            return Err(format!(
                "process {process} relied on {id} for {alerts}, and its own expiry was under way"
            ));
        }
        Ok(())
    }
}
