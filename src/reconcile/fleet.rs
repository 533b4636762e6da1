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

use super::census::Census;
use super::order::Order;
use super::patience::{Awaited, Patience};
use super::slot::{Ended, Slot};
use super::target::Target;
use super::target_pass::TargetPass;
use crate::alertmanager::SilenceApi;
use crate::plan::{Fingerprint, Settings};

/// Targets that are worked on at the same time, but for slow ones. At 100 ms a
/// request, 1,000 targets without changes take 3 s; their lists of 100 silences
/// take 2 MB at once, and lists of 50,000 take 1 GB, which few can have.
const CONCURRENT_TARGETS: usize = 32;

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

impl<A> Fleet<A> {
    pub(super) fn new(settings: Settings, targets: Vec<Target<A>>, interval: Duration) -> Self {
        let settings = Arc::new(settings);
        let slots: Vec<Slot<A>> = targets
            .into_iter()
            .map(|target| Slot::new(target, &settings))
            .collect();
        Self {
            bounds: Bounds {
                patience: Some(Patience::among(slots.len())),
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
        self.slots.iter().filter_map(Slot::due).min()
    }

    /// Nothing can be asked of any target yet.
    pub(super) fn postpone(&mut self) {
        let due = Instant::now() + self.interval;
        for slot in &mut self.slots {
            slot.postpone(due);
        }
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
        let mut awaited = Awaited::default();
        loop {
            let now = Instant::now();
            let free = CONCURRENT_TARGETS.saturating_sub(awaited.prompt(now));
            for index in queue.drain(..free.min(queue.len())) {
                self.ask(index, &order, now);
                awaited.add(index, now);
            }
            if awaited.is_empty() {
                break;
            }
            let all_are_asked = queue.is_empty();
            let wake = if all_are_asked {
                self.end_of_patience(&awaited)
            } else {
                awaited.next_slow(now)
            };
            tokio::select! {
                Some(ended) = self.running.join_next() => {
                    if let Some(ended) = joined(ended) {
                        awaited.remove(ended.index);
                        self.take_in(ended);
                    }
                }
                () = sleep_or_not(wake) => if all_are_asked {
                    break;
                }
            }
        }
        let slots = self.slots.iter();
        let standing = slots.filter_map(|slot| slot.standing(&order, self.passes));
        (self.passes, standing.collect())
    }

    /// Counts the targets before any of them is written to. Whoever is late is
    /// counted in its own turn.
    async fn count(&self) {
        let Some(census) = &self.census else {
            return;
        };
        let mut targets = self.slots.iter().filter_map(Slot::idle);
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

    /// Those to be asked.
    fn queue(&mut self, insist: bool, confirmed: &[Fingerprint]) -> VecDeque<usize> {
        let now = Instant::now();
        let slots = self.slots.iter_mut().enumerate();
        let joining = slots.filter_map(|(index, slot)| {
            let joins = slot.joins(now, insist, confirmed);
            joins.then_some(index)
        });
        joining.collect()
    }

    fn ask(&mut self, index: usize, order: &Arc<Order>, now: Instant) {
        let Some(slot) = self.slots.get_mut(index) else {
            return;
        };
        let Some((mut target, confirmed)) = slot.begin(now) else {
            return;
        };
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
    fn end_of_patience(&self, awaited: &Awaited) -> Option<Instant> {
        let patience = self.bounds.patience?;
        let ends = awaited.iter().filter_map(|(index, asked)| {
            let last = self.slots.get(index)?.last();
            Some(asked + patience.with(last.map(Arc::as_ref)))
        });
        ends.max()
    }

    /// A target comes back with its result.
    fn take_in(&mut self, ended: Ended<A>) {
        let Some(slot) = self.slots.get_mut(ended.index) else {
            return;
        };
        let kept = |slot: &Slot<A>| slot.last().map_or(0, |last| last.kept_actions());
        let of_others = self.kept_actions - kept(slot);
        let room = self.bounds.kept_actions.saturating_sub(of_others);
        slot.end(ended, self.interval, self.passes, room);
        self.kept_actions = of_others + kept(slot);
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
