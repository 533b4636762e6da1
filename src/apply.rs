//! How is a plan carried out? Its actions as requests, with the order that
//! keeps coverage, a bound on how many run at once, and an account of each.
//!
//! No request is repeated here. A write whose outcome is unknown is looked up
//! by the next pass, which lists before it writes anything.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;

use crate::alertmanager::{ApiError, ApiErrorKind, Limit, SilenceApi};
use crate::name::SilenceName;
use crate::plan::{Action, Change, Coverage, Plan};
use crate::schedule::OccurrenceStart;
use crate::silence::SilenceId;

/// Requests in flight to one target. Alertmanager is saturated by 4 to 8
/// connections; more only add latency.
pub const CONCURRENCY: usize = 8;

/// A pass gives up on a target after this many failures that concern the
/// server and not one silence: two rounds of requests that all failed.
const MAX_SERVER_FAILURES: usize = 2 * CONCURRENCY;

/// What became of a plan.
#[derive(Clone, Debug, Default)]
pub struct ApplyReport {
    /// New silences.
    pub created: usize,
    /// Silences changed in place.
    pub updated: usize,
    /// Silences that took the place of another one.
    pub replaced: usize,
    /// Silences ended.
    pub expired: usize,
    /// Actions that failed, or whose outcome is unknown.
    pub failures: Vec<Failure>,
    /// The silences that were made or changed, each for which action.
    pub made: Vec<(SilenceId, SilenceName, OccurrenceStart)>,
    /// The silences that were ended.
    pub ended: Vec<SilenceId>,
    /// The silences that may have been ended, or may be soon: nobody knows.
    pub doubtful: Vec<SilenceId>,
    /// Actions not begun, because the server failed too often or we stop.
    pub not_attempted: usize,
}

impl ApplyReport {
    /// Whether every action was carried out.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.failures.is_empty() && self.not_attempted == 0
    }

    /// How many actions were carried out.
    #[must_use]
    pub const fn done(&self) -> usize {
        self.created + self.updated + self.replaced + self.expired
    }
}

/// One action that did not end well.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Whose.
    pub silence: SilenceName,
    /// Which request.
    pub operation: &'static str,
    /// What the caller may do next.
    pub kind: ApiErrorKind,
    /// The whole story.
    pub message: String,
}

impl Failure {
    /// Whether the next request would meet the same failure.
    #[must_use]
    pub const fn concerns_server(&self) -> bool {
        match self.kind {
            ApiErrorKind::NotSent
            | ApiErrorKind::Unknown
            | ApiErrorKind::Busy { .. }
            | ApiErrorKind::Unauthorised
            | ApiErrorKind::NotAnAlertmanager
            | ApiErrorKind::TooLarge => true,
            ApiErrorKind::Refused { .. } | ApiErrorKind::NotFound => false,
        }
    }

    /// Whether the server has no room for another silence.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        matches!(
            self.kind,
            ApiErrorKind::Refused {
                limit: Some(Limit::Count)
            }
        )
    }
}

/// Carries out `plan`: first whatever makes silences exist, the earliest start
/// first, then the expiries, but for duplicates of what could not be brought into
/// order.
///
/// `stop` turning true lets requests in flight end and begins no others.
/// `progress` is told how many actions have ended.
pub async fn apply<A: SilenceApi>(
    plan: &Plan,
    api: &A,
    stop: &watch::Receiver<bool>,
    progress: &(dyn Fn(usize) + Sync),
) -> ApplyReport {
    let (expiries, others): (Vec<&Action>, Vec<&Action>) = plan
        .actions
        .iter()
        .partition(|action| matches!(action.change, Change::Expire(..)));
    let mut report = ApplyReport::default();
    let application = Application {
        api,
        stop,
        progress,
        server_failures: AtomicUsize::new(0),
        is_full: AtomicBool::new(false),
        ended: AtomicUsize::new(0),
    };
    application.carry_out(&others, &mut report).await;
    // A duplicate may be all that is left while the one to stay is not as it is to be.
    let uncertain: BTreeSet<&SilenceName> = report
        .failures
        .iter()
        .map(|failure| &failure.silence)
        .collect();
    let (kept, expiries): (Vec<&Action>, Vec<&Action>) = expiries.into_iter().partition(|action| {
        matches!(action.change, Change::Expire(_, Coverage::Remains))
            && uncertain.contains(&action.silence)
    });
    let kept = kept.len();
    application.carry_out(&expiries, &mut report).await;
    report.not_attempted += kept;
    report
}

/// What the workers of one application share.
struct Application<'a, A> {
    api: &'a A,
    stop: &'a watch::Receiver<bool>,
    progress: &'a (dyn Fn(usize) + Sync),
    server_failures: AtomicUsize,
    /// The server has refused a silence for want of room.
    is_full: AtomicBool,
    ended: AtomicUsize,
}

impl<A: SilenceApi> Application<'_, A> {
    /// Some actions at a time, all of them in the end.
    async fn carry_out(&self, actions: &[&Action], report: &mut ApplyReport) {
        let next = AtomicUsize::new(0);
        // Unlike `join_all`, this wakes only the worker whose answer has come.
        let mut workers: FuturesUnordered<_> = (0..CONCURRENCY)
            .map(|_| self.work(actions, &next))
            .collect();
        while let Some(part) = workers.next().await {
            report.add(part);
        }
    }

    /// Takes one action after the other off the queue, whose head is `next`.
    async fn work(&self, queue: &[&Action], next: &AtomicUsize) -> ApplyReport {
        let mut report = ApplyReport::default();
        while let Some(action) = queue.get(next.fetch_add(1, Ordering::Relaxed)) {
            if self.gives_up() || self.is_full.load(Ordering::Relaxed) && needs_place(action) {
                report.not_attempted += 1;
                continue;
            }
            match self.perform(action, &mut report).await {
                Ok(()) => report.count(&action.change),
                Err(failure) => {
                    self.server_failures
                        .fetch_add(failure.concerns_server().into(), Ordering::Relaxed);
                    self.is_full.fetch_or(failure.is_full(), Ordering::Relaxed);
                    report.failures.push(failure);
                }
            }
            (self.progress)(self.ended.fetch_add(1, Ordering::Relaxed) + 1);
        }
        report
    }

    /// The requests of one action; those that succeed are in the report even if
    /// a later one fails.
    async fn perform(&self, action: &Action, report: &mut ApplyReport) -> Result<(), Failure> {
        let failure = |operation, error: &ApiError| Failure {
            silence: action.silence.clone(),
            operation,
            kind: error.kind(),
            message: error.with_causes(),
        };
        if let Some(draft) = action.change.draft() {
            let operation = if draft.id.is_some() {
                "update"
            } else {
                "create"
            };
            let set = self.api.set(draft).await;
            let id = set.map_err(|error| failure(operation, &error))?;
            log(action, &id);
            report
                .made
                .push((id, action.silence.clone(), action.window));
        }
        // After the new one: for a moment both mute, and never none.
        if let Change::Replace(_, old) | Change::Expire(old, _) = &action.change {
            let expired = self.api.expire(&old.id).await;
            if expired
                .as_ref()
                .is_err_and(|error| error.kind() == ApiErrorKind::Unknown)
            {
                report.doubtful.push(old.id.clone());
            }
            expired.map_err(|error| failure("expire", &error))?;
            log(action, &old.id);
            report.ended.push(old.id.clone());
        }
        Ok(())
    }

    fn gives_up(&self) -> bool {
        *self.stop.borrow() || self.server_failures.load(Ordering::Relaxed) >= MAX_SERVER_FAILURES
    }
}

impl ApplyReport {
    const fn count(&mut self, change: &Change) {
        let counter = match change {
            Change::Create(_) => &mut self.created,
            Change::Update(_) => &mut self.updated,
            Change::Replace(..) => &mut self.replaced,
            Change::Expire(..) => &mut self.expired,
        };
        *counter += 1;
    }

    fn add(&mut self, part: Self) {
        self.created += part.created;
        self.updated += part.updated;
        self.replaced += part.replaced;
        self.expired += part.expired;
        self.failures.extend(part.failures);
        self.made.extend(part.made);
        self.ended.extend(part.ended);
        self.doubtful.extend(part.doubtful);
        self.not_attempted += part.not_attempted;
    }
}

/// Whether the server must have room for one more silence.
const fn needs_place(action: &Action) -> bool {
    matches!(action.change, Change::Create(_) | Change::Replace(..))
}

fn log(action: &Action, id: &SilenceId) {
    let silence = action.silence.as_str();
    tracing::info!(
        silence,
        action = action.change.word(),
        id = id.as_str(),
        reason = action.reason
    );
}
