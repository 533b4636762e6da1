//! Where does one target stand? What is known of it while the task that works on it
//! owns it, and when it is asked again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Mode;
use super::confirmed::Confirmed;
use super::order::Order;
use super::target::{Identity, Target};
use super::target_pass::TargetPass;
use crate::plan::{Fingerprint, Settings};
use crate::timestamp::Timestamp;

/// The place of one target.
pub(super) struct Slot<A> {
    pub(super) identity: Arc<Identity>,
    pub(super) settings: Arc<Settings>,
    /// `None` while it is being worked on.
    target: Option<Target<A>>,
    /// When it was asked last.
    asked: Option<Instant>,
    next: Turn,
    /// Somebody insisted while it was being worked on.
    is_wanted: bool,
    /// For its next pass.
    confirmed: Confirmed,
    last: Option<Arc<TargetPass>>,
}

/// When a target is to be asked.
struct Turn {
    /// For its sake a pass is made then.
    due: Instant,
    /// A pass that is made anyway may ask it from then on.
    from: Instant,
}

/// The work on one target is done.
pub(super) struct Ended<A> {
    pub(super) index: usize,
    pub(super) target: Target<A>,
    pub(super) pass: TargetPass,
    pub(super) order: Arc<Order>,
    /// What was confirmed to it.
    pub(super) confirmed: Vec<Fingerprint>,
}

impl Turn {
    const fn at(instant: Instant) -> Self {
        Self {
            due: instant,
            from: instant,
        }
    }
}

impl<A> Slot<A> {
    /// `settings` are for a target that has none of its own. It is asked at once.
    pub(super) fn new(target: Target<A>, settings: &Arc<Settings>) -> Self {
        let settings = target.settings.as_ref().unwrap_or(settings);
        Self {
            identity: Arc::clone(&target.identity),
            settings: Arc::clone(settings),
            target: Some(target),
            asked: None,
            next: Turn::at(Instant::now()),
            is_wanted: false,
            confirmed: Confirmed::default(),
            last: None,
        }
    }

    /// The target, unless it is being worked on.
    pub(super) const fn idle(&self) -> Option<&Target<A>> {
        self.target.as_ref()
    }

    /// When a pass is to be made for its sake; `None` while it is being worked on.
    pub(super) fn due(&self) -> Option<Instant> {
        self.target.is_some().then_some(self.next.due)
    }

    /// Where it stood when it came back last.
    pub(super) const fn last(&self) -> Option<&Arc<TargetPass>> {
        self.last.as_ref()
    }

    /// Nothing can be asked of it yet, and a pass is made at `due` for its sake.
    pub(super) fn postpone(&mut self, due: Instant) {
        self.next = Turn {
            due,
            from: Instant::now(),
        };
    }

    /// Whether a pass is to ask it. One that is being worked on gets its turn when
    /// that is done, if somebody insists.
    pub(super) fn joins(&mut self, now: Instant, insist: bool, confirmed: &[Fingerprint]) -> bool {
        let is_idle = self.target.is_some();
        let joins = insist || is_idle && self.next.from <= now;
        if joins {
            self.confirmed.add(confirmed.iter().cloned());
            self.is_wanted = !is_idle;
        }
        joins && is_idle
    }

    /// The target and what was confirmed to it, for the task that works on it.
    pub(super) fn begin(&mut self, now: Instant) -> Option<(Target<A>, Vec<Fingerprint>)> {
        let target = self.target.take()?;
        self.asked = Some(now);
        Some((target, self.confirmed.take()))
    }

    /// It comes back with its result, which the pass of the number `taken_in` takes
    /// in. Of its actions only `most` are kept to be shown.
    pub(super) fn end(&mut self, ended: Ended<A>, interval: Duration, taken_in: u64, most: usize) {
        let Ended {
            target,
            mut pass,
            order,
            confirmed,
            ..
        } = ended;
        if order.mode == Mode::Apply {
            self.confirmed.keep(&confirmed, &pass, &self.settings.guard);
        }
        let now = Instant::now();
        self.next = self.next_turn(&target, &pass, &order, interval, now);
        let wait = self.next.due.saturating_duration_since(now);
        pass.next_try = Some(order.now().plus(wait));
        pass.taken_in = taken_in;
        let failing_since = self.failing_since().unwrap_or(pass.started);
        pass.failing_since = pass.is_failing().then_some(failing_since);
        pass.keep_actions(most);
        self.last = Some(Arc::new(pass));
        self.target = Some(target);
    }

    fn next_turn(
        &mut self,
        target: &Target<A>,
        pass: &TargetPass,
        order: &Order,
        interval: Duration,
        now: Instant,
    ) -> Turn {
        if std::mem::take(&mut self.is_wanted) || pass.report.ran_out_of_time {
            return Turn::at(now);
        }
        if let Some(retry) = target.next_retry() {
            return Turn::at(now + retry.since(order.uptime()));
        }
        let interval = target.interval.unwrap_or(interval);
        let due = self.asked.unwrap_or(now) + interval.mul_f64(order.jitter);
        let settled = now + self.settings.settle;
        if pass.is_unsettled() && settled < due {
            // What a list may not show yet, it must show then.
            return Turn::at(settled);
        }
        // One that is nearly due comes along, so that those with the same interval stay
        // together and the source is read once for all.
        let from = due.checked_sub(interval / 10).unwrap_or(due);
        Turn { due, from }
    }

    /// Where it stands at the end of the pass of that number.
    pub(super) fn standing(&self, order: &Order, number: u64) -> Option<Arc<TargetPass>> {
        if self.target.is_some() {
            return self.last.clone();
        }
        let waited = self.asked.unwrap_or_else(Instant::now).elapsed();
        let started = order.now().minus(waited);
        let mut pass = TargetPass::unanswered(self.identity.name.clone(), started, waited);
        pass.failing_since = self.failing_since().or(Some(started));
        pass.taken_in = number;
        Some(Arc::new(pass))
    }

    fn failing_since(&self) -> Option<Timestamp> {
        self.last.as_ref().and_then(|last| last.failing_since)
    }
}
