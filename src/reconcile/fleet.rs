//! Who is worked on, and who is waited for? Many targets that cannot hurt each
//! other.
//!
//! The work on a target is a task that owns it and gives it back with the
//! result. A pass waits for its tasks, but not without end: one that takes
//! longer goes on by itself, nothing in flight is dropped, and a later pass
//! takes its result in. Meanwhile the target is not asked a second time.

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use super::Mode;
use super::census::Census;
use super::confirmed::Confirmed;
use super::order::Order;
use super::outcome::TargetPass;
use super::target::{Identity, Target};
use crate::alertmanager::SilenceApi;
use crate::plan::{Fingerprint, Settings};

/// Targets that are worked on at the same time, but for slow ones. At 100 ms a
/// request, 1,000 targets without changes take 3 s; their lists of 100 silences
/// take 2 MB at once, and lists of 50,000 take 1 GB, which few can have.
const CONCURRENT_TARGETS: usize = 32;

/// After so long a target is slow and no longer counts among those: a thousand
/// that all hang are asked within a minute.
const SLOW: Duration = Duration::from_secs(2);

/// How long a pass waits for a target when all others are done.
#[derive(Clone, Copy)]
struct Patience {
    /// With one that answered the last time.
    usual: Duration,
    /// With one that could not be listed then.
    little: Duration,
}

/// Alertmanager lists 50,000 silences in a second and takes 10,000 new ones in six.
const PATIENCE: Patience = Patience {
    usual: Duration::from_secs(10),
    little: Duration::from_secs(1),
};

/// With one that is alone and keeps no other waiting: longer than it may be written
/// to, and than most requests may take.
const PATIENCE_WITH_ONE: Patience = Patience {
    usual: Duration::from_mins(5),
    little: Duration::from_mins(5),
};

/// Writing to one target ends after this; what is left is planned anew, so that
/// a commit waits no longer than about one interval for those before it.
const LONGEST_WRITING: Duration = Duration::from_mins(1);

/// The first pass waits so long for a first word of every target: a thousand
/// answer within a second or two, and those that hang have to wait in turn.
const CENSUS: Duration = Duration::from_secs(5);

/// Actions that are kept to be shown, of all targets together: a kilobyte each.
const KEPT_ACTIONS: usize = 20_000;

/// Several targets, where each stands, and what is under way.
pub(super) struct Fleet<A> {
    slots: Vec<Slot<A>>,
    running: JoinSet<Ended<A>>,
    /// Results that came between two passes.
    ended: Vec<Ended<A>>,
    /// Of the work that was begun last; see [`Order::halts`].
    halt: Arc<AtomicBool>,
    /// Of all work.
    suspended: Arc<AtomicBool>,
    /// For targets that have no interval of their own.
    interval: Duration,
    bounds: Bounds,
    /// `None` where there is only one target.
    census: Option<Arc<Census>>,
    kept_actions: usize,
    passes: u64,
}

/// How long a pass waits and writes, and how much of it is kept.
struct Bounds {
    /// `None` waits until all is done.
    patience: Option<Patience>,
    longest_writing: Option<Duration>,
    kept_actions: usize,
}

/// What is known of a target while another task may own it.
pub(super) struct Slot<A> {
    pub(super) identity: Arc<Identity>,
    pub(super) settings: Arc<Settings>,
    /// `None` while it is being worked on.
    target: Option<Target<A>>,
    /// When it was asked last.
    asked: Option<Instant>,
    /// When it is asked next, unless somebody insists; `None` is at once.
    due: Option<Instant>,
    /// A pass that is made anyway may ask it from then on.
    from: Option<Instant>,
    /// Somebody insisted while it was being worked on.
    is_wanted: bool,
    /// For its next pass.
    confirmed: Confirmed,
    last: Option<Arc<TargetPass>>,
}

/// The work on one target is done.
struct Ended<A> {
    index: usize,
    target: Target<A>,
    pass: TargetPass,
    order: Arc<Order>,
    /// What was confirmed to it.
    confirmed: Vec<Fingerprint>,
}

impl<A> Slot<A> {
    fn new(target: Target<A>, settings: &Arc<Settings>) -> Self {
        let settings = target.settings.as_ref().unwrap_or(settings);
        Self {
            identity: Arc::clone(&target.identity),
            settings: Arc::clone(settings),
            target: Some(target),
            asked: None,
            due: None,
            from: None,
            is_wanted: false,
            confirmed: Confirmed::default(),
            last: None,
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        self.from.is_none_or(|from| from <= now)
    }

    /// A target that does not answer must not hold up every pass anew.
    fn patience(&self, patience: Patience) -> Duration {
        match &self.last {
            Some(last) if last.plan.is_none() => patience.little,
            _ => patience.usual,
        }
    }
}

impl<A> Fleet<A> {
    pub(super) fn new(settings: Settings, targets: Vec<Target<A>>, interval: Duration) -> Self {
        let settings = Arc::new(settings);
        let slots: Vec<Slot<A>> = targets
            .into_iter()
            .map(|target| Slot::new(target, &settings))
            .collect();
        Self {
            bounds: Bounds {
                patience: Some(if slots.len() > 1 {
                    PATIENCE
                } else {
                    PATIENCE_WITH_ONE
                }),
                longest_writing: Some(LONGEST_WRITING),
                kept_actions: KEPT_ACTIONS,
            },
            census: (slots.len() > 1).then(Arc::default),
            slots,
            running: JoinSet::new(),
            ended: Vec::new(),
            halt: Arc::default(),
            suspended: Arc::default(),
            interval,
            kept_actions: 0,
            passes: 0,
        }
    }

    pub(super) fn slots(&self) -> &[Slot<A>] {
        &self.slots
    }

    pub(super) const fn use_interval(&mut self, interval: Duration) {
        self.interval = interval;
    }

    /// There is no later pass: everything is waited for, done and kept.
    pub(super) const fn be_thorough(&mut self) {
        self.bounds = Bounds {
            patience: None,
            longest_writing: None,
            kept_actions: usize::MAX,
        };
    }

    pub(super) const fn longest_writing(&self) -> Option<Duration> {
        self.bounds.longest_writing
    }

    /// What tells the work of this pass to write no more. If this pass does not
    /// write, what earlier ones began to write ends now.
    pub(super) fn halts(&mut self, writes: bool) -> [Arc<AtomicBool>; 2] {
        if !writes {
            self.halt.store(true, Ordering::Relaxed);
            self.halt = Arc::default();
        }
        [Arc::clone(&self.halt), Arc::clone(&self.suspended)]
    }

    pub(super) fn use_suspension(&mut self, suspended: Arc<AtomicBool>) {
        self.suspended = suspended;
    }

    /// Where targets are counted, if there are several.
    pub(super) fn census(&self) -> Option<Arc<Census>> {
        self.census.clone()
    }

    /// When the next target is to be asked; `None` when all are under way.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let idle = self.slots.iter().filter(|slot| slot.target.is_some());
        idle.map(|slot| slot.due.unwrap_or_else(Instant::now)).min()
    }
}

impl<A: SilenceApi + 'static> Fleet<A> {
    /// Asks every target that is due, or all when somebody insists, and waits
    /// for them as long as patience lasts. Returns the number of this pass, and
    /// where each target stands.
    pub(super) async fn pass(
        &mut self,
        order: Order,
        confirmed: &[Fingerprint],
    ) -> (u64, Vec<Arc<TargetPass>>) {
        let order = Arc::new(order);
        self.passes += 1;
        while let Some(ended) = self.running.try_join_next() {
            self.ended.extend(joined(ended));
        }
        for ended in std::mem::take(&mut self.ended) {
            self.take_in(ended);
        }
        if self.passes == 1 {
            self.count().await;
        }
        let mut queue = self.queue(order.insist, confirmed);
        let mut awaited: Vec<(usize, Instant)> = Vec::new();
        loop {
            let now = Instant::now();
            let is_slow = |asked: Instant| asked + SLOW <= now;
            let prompt = awaited.iter().filter(|(_, asked)| !is_slow(*asked)).count();
            let free = CONCURRENT_TARGETS.saturating_sub(prompt).min(queue.len());
            for index in queue.drain(..free) {
                self.ask(index, &order, now);
                awaited.push((index, now));
            }
            if awaited.is_empty() {
                break;
            }
            let wake = if queue.is_empty() {
                self.end_of_patience(&awaited)
            } else {
                let slow = awaited.iter().map(|(_, asked)| *asked + SLOW);
                slow.filter(|slow| *slow > now).min()
            };
            tokio::select! {
                Some(ended) = self.running.join_next() => {
                    if let Some(ended) = joined(ended) {
                        awaited.retain(|(index, _)| *index != ended.index);
                        self.take_in(ended);
                    }
                }
                () = sleep_or_not(wake) => if queue.is_empty() {
                    break;
                }
            }
        }
        let passes = 0..self.slots.len();
        let passes = passes.filter_map(|index| self.standing(index, &order));
        (self.passes, passes.collect())
    }

    /// Counts the targets before any of them is written to. Whoever is late is
    /// counted in its own turn.
    async fn count(&self) {
        let Some(census) = &self.census else {
            return;
        };
        let mut targets = self.slots.iter().filter_map(|slot| slot.target.as_ref());
        let mut answers = FuturesUnordered::new();
        let counted = async {
            loop {
                while answers.len() < CONCURRENT_TARGETS
                    && let Some(target) = targets.next()
                {
                    answers.push(target.be_counted(census));
                }
                if answers.next().await.is_none() {
                    break;
                }
            }
        };
        // Whoever is left then is counted later.
        let _ = timeout(CENSUS, counted).await;
    }

    /// Nothing can be asked of any target yet.
    pub(super) fn postpone(&mut self) {
        let next = Instant::now() + self.interval;
        for slot in &mut self.slots {
            slot.due = Some(next);
            slot.from = None;
        }
    }

    /// Ends once work that no pass waits for has ended; the next pass takes its
    /// result in. Without such work it never ends.
    pub(super) async fn straggler_ended(&mut self) {
        match self.running.join_next().await {
            Some(ended) => self.ended.extend(joined(ended)),
            None => std::future::pending().await,
        }
    }

    /// Waits until nothing is under way.
    pub(super) async fn finish(&mut self) {
        while let Some(ended) = self.running.join_next().await {
            self.ended.extend(joined(ended));
        }
    }

    /// Those to be asked. One that is being worked on gets its turn when that
    /// is done.
    fn queue(&mut self, insist: bool, confirmed: &[Fingerprint]) -> VecDeque<usize> {
        let now = Instant::now();
        let mut queue = VecDeque::new();
        for (index, slot) in self.slots.iter_mut().enumerate() {
            if slot.target.is_some() {
                if insist || slot.is_due(now) {
                    slot.confirmed.add(confirmed.iter().cloned());
                    queue.push_back(index);
                }
            } else if insist {
                slot.is_wanted = true;
                slot.confirmed.add(confirmed.iter().cloned());
            }
        }
        queue
    }

    fn ask(&mut self, index: usize, order: &Arc<Order>, now: Instant) {
        let Some(slot) = self.slots.get_mut(index) else {
            return;
        };
        let Some(mut target) = slot.target.take() else {
            return;
        };
        slot.asked = Some(now);
        let confirmed = slot.confirmed.take();
        let (settings, order) = (Arc::clone(&slot.settings), Arc::clone(order));
        self.running.spawn(async move {
            let pass = target.pass(&settings, &order, &confirmed).await;
            Ended {
                index,
                target,
                pass,
                order,
                confirmed,
            }
        });
    }

    /// Until when those that are left are waited for.
    fn end_of_patience(&self, awaited: &[(usize, Instant)]) -> Option<Instant> {
        let patience = self.bounds.patience?;
        let ends = awaited.iter().filter_map(|(index, asked)| {
            let slot = self.slots.get(*index)?;
            Some(*asked + slot.patience(patience))
        });
        ends.max()
    }

    /// A target comes back with its result.
    fn take_in(&mut self, ended: Ended<A>) {
        let Ended {
            index,
            target,
            mut pass,
            order,
            confirmed,
        } = ended;
        let Some(slot) = self.slots.get_mut(index) else {
            return;
        };
        if order.mode == Mode::Apply {
            slot.confirmed.keep(&confirmed, &pass, &slot.settings.guard);
        }
        let (now, at) = (Instant::now(), order.now());
        let interval = target.interval.unwrap_or(self.interval);
        let (due, from) = if std::mem::take(&mut slot.is_wanted) || pass.report.ran_out_of_time {
            (now, now)
        } else if let Some(retry) = target.next_retry() {
            let retry = now + retry.since(order.uptime());
            (retry, retry)
        } else {
            let asked = slot.asked.unwrap_or(now);
            let due = asked + interval.mul_f64(order.jitter);
            let settled = now + slot.settings.settle;
            if pass.is_unsettled() && settled < due {
                // What a list may not show yet, it must show then.
                (settled, settled)
            } else {
                // One that is nearly due comes along, so that those with the same
                // interval stay together and the source is read once for all.
                (due, due.checked_sub(interval / 10).unwrap_or(due))
            }
        };
        (slot.due, slot.from) = (Some(due), Some(from));
        pass.taken_in = self.passes;
        pass.next_try = Some(at.plus(due.saturating_duration_since(now)));
        pass.failing_since = pass.is_failing().then(|| {
            let before = slot.last.as_ref().and_then(|last| last.failing_since);
            before.unwrap_or(pass.started)
        });
        if let Some(last) = slot.last.take() {
            self.kept_actions -= last.kept_actions();
        }
        let room = self.bounds.kept_actions.saturating_sub(self.kept_actions);
        pass.keep_actions(room);
        self.kept_actions += pass.kept_actions();
        slot.last = Some(Arc::new(pass));
        slot.target = Some(target);
    }

    /// Where a target stands at the end of a pass.
    fn standing(&self, index: usize, order: &Order) -> Option<Arc<TargetPass>> {
        let slot = self.slots.get(index)?;
        if slot.target.is_some() {
            return slot.last.clone();
        }
        let waited = slot.asked.unwrap_or_else(Instant::now).elapsed();
        let mut pass = TargetPass::unanswered(
            slot.identity.name.clone(),
            order.now().minus(waited),
            waited,
        );
        let before = slot.last.as_ref().and_then(|last| last.failing_since);
        pass.failing_since = before.or(Some(pass.started));
        pass.taken_in = self.passes;
        Some(Arc::new(pass))
    }
}

async fn sleep_or_not(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}

/// A task that panicked takes us with it, as if it had been ours; one that was
/// aborted is of a fleet that is gone.
fn joined<T>(ended: Result<T, JoinError>) -> Option<T> {
    match ended.map_err(JoinError::try_into_panic) {
        Ok(ended) => Some(ended),
        Err(Ok(panic)) => resume_unwind(panic),
        Err(Err(_aborted)) => None,
    }
}
