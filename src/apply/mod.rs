//! How is a plan carried out? Its actions as requests, with the order that
//! keeps coverage, a bound on how many run at once, and an account of each.
//!
//! A write whose outcome is unknown is not repeated here: the next pass lists
//! before it writes anything. Only what the server was too busy to look at is.

mod gather;
mod pace;
mod report;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

pub use gather::gather_answers;
pub use pace::Pace;
pub use report::{ApplyReport, Failure};

use crate::alertmanager::{ApiError, ApiErrorKind, SilenceApi};
use crate::name::{SilenceName, TargetName};
use crate::plan::{Action, Change, Coverage, Plan};
use crate::silence::SilenceId;
use crate::stop::stopped;
use gather::InFlight;

/// Requests in flight to one target: enough that the server finds the next ones
/// already there while answers [gather](gather_answers), and need not sleep and be
/// woken. Ten thousand silences were written 0.01 to 0.03 s sooner than with 16, by
/// the release of Alertmanager, and with 32 not sooner still.
pub const CONCURRENCY: usize = 24;

/// A pass gives up on a target after this many failures that concern the
/// server and not one silence: two rounds of requests that all failed.
const MAX_SERVER_FAILURES: usize = 2 * CONCURRENCY;

/// How often one write is sent to a server that says it is busy. The waits
/// between them come to 1 + 2 + 4 s at most, unless the server asks for more.
const MOST_ATTEMPTS: u32 = 4;

/// A server that asks for a longer wait than this is left to the next pass,
/// which looks at it anew.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// So many actions are logged one by one. A change to some declarations is worth
/// a line for each silence; 100 on each of 1,000 new targets were 20 MB of them.
const LOGGED_ONE_BY_ONE: usize = 20;

/// On which terms a plan is carried out.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// Whose silences they are, for the log.
    pub target: &'a TargetName,
    /// Turning true lets requests in flight end and begins no others.
    pub stop: &'a watch::Receiver<bool>,
    /// The same, when any of these turns true, though reading goes on.
    pub halts: &'a [Arc<AtomicBool>],
    /// No action begins from then on.
    pub until: Option<Instant>,
    /// When each write may begin.
    pub pace: &'a Pace,
    /// Told how many actions have ended.
    pub progress: &'a (dyn Fn(usize) + Sync),
}

/// Carries out `plan`: first whatever makes silences exist, the earliest start
/// first, then the expiries. Of duplicates, those of what could not be brought into
/// order stay, and those of what was changed in place are left in the report for
/// [`expire`]: a change may be answered with success and have no effect.
pub async fn apply<A: SilenceApi>(plan: &Plan, api: &A, terms: Terms<'_>) -> ApplyReport {
    let (expiries, others): (Vec<Numbered<'_>>, Vec<Numbered<'_>>) = plan
        .actions
        .iter()
        .enumerate()
        .partition(|(_, action)| matches!(action.change, Change::Expire(..)));
    let mut report = ApplyReport::default();
    let application = Application::new(api, terms, plan.actions.len());
    application.carry_out(&others, &mut report).await;
    // A duplicate may be all that is left while the one to stay is not as it is to be.
    let failures = report.failures.iter();
    let failed: BTreeSet<&SilenceName> = failures.map(|failure| &failure.silence).collect();
    let changed = others.iter().filter(|(_, action)| is_update(action));
    let updated: BTreeSet<&SilenceName> = changed.map(|(_, action)| &action.silence).collect();
    let (kept, expiries): (Vec<Numbered<'_>>, Vec<Numbered<'_>>) = expiries
        .into_iter()
        .partition(|(_, action)| is_duplicate(action) && failed.contains(&action.silence));
    let (unproved, expiries): (Vec<Numbered<'_>>, Vec<Numbered<'_>>) = expiries
        .into_iter()
        .partition(|(_, action)| is_duplicate(action) && updated.contains(&action.silence));
    let kept = kept.len();
    application.carry_out(&expiries, &mut report).await;
    report.not_attempted += kept;
    report.unproved = unproved.into_iter().map(|(number, _)| number).collect();
    if application.are_many {
        tracing::info!(
            target = %terms.target,
            created = report.created,
            updated = report.updated,
            replaced = report.replaced,
            expired = report.expired,
            "wrote many silences; `--log silenced=debug` shows each"
        );
    }
    report.ran_out_of_time = application.ran_out_of_time.into_inner();
    report
}

/// Carries out expiries of `plan` that [`apply`] left, by their numbers.
pub async fn expire<A: SilenceApi>(
    plan: &Plan,
    numbers: &[usize],
    api: &A,
    terms: Terms<'_>,
) -> ApplyReport {
    let mut report = ApplyReport::default();
    let application = Application::new(api, terms, numbers.len());
    let numbered = |number: &usize| Some((*number, plan.actions.get(*number)?));
    let expiries: Vec<Numbered<'_>> = numbers.iter().filter_map(numbered).collect();
    application.carry_out(&expiries, &mut report).await;
    report.ran_out_of_time = application.ran_out_of_time.into_inner();
    report
}

/// An action and which one of its plan it is.
type Numbered<'a> = (usize, &'a Action);

/// What the workers of one application share.
struct Application<'a, A> {
    api: &'a A,
    terms: Terms<'a>,
    /// Too many to log each.
    are_many: bool,
    server_failures: AtomicUsize,
    /// The server has refused a silence for want of room.
    is_full: AtomicBool,
    ran_out_of_time: AtomicBool,
    ended: AtomicUsize,
}

impl<'a, A: SilenceApi> Application<'a, A> {
    const fn new(api: &'a A, terms: Terms<'a>, actions: usize) -> Self {
        Self {
            api,
            terms,
            are_many: actions > LOGGED_ONE_BY_ONE,
            server_failures: AtomicUsize::new(0),
            is_full: AtomicBool::new(false),
            ran_out_of_time: AtomicBool::new(false),
            ended: AtomicUsize::new(0),
        }
    }

    /// Some actions at a time, all of them in the end.
    async fn carry_out(&self, actions: &[Numbered<'_>], report: &mut ApplyReport) {
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
    async fn work(&self, queue: &[Numbered<'_>], next: &AtomicUsize) -> ApplyReport {
        let mut report = ApplyReport::default();
        while let Some((number, action)) = queue.get(next.fetch_add(1, Ordering::Relaxed)) {
            // Looked at again after the wait, in which much may have happened.
            if self.skips(action) || !self.turn().await || self.skips(action) {
                report.not_attempted += 1;
                continue;
            }
            match self.perform(action, &mut report).await {
                Ok(()) => {
                    report.count(&action.change);
                    report.carried_out.insert(*number);
                }
                Err(failure) => {
                    self.server_failures
                        .fetch_add(failure.concerns_server().into(), Ordering::Relaxed);
                    self.is_full.fetch_or(failure.is_full(), Ordering::Relaxed);
                    report.failures.push(failure);
                }
            }
            (self.terms.progress)(self.ended.fetch_add(1, Ordering::Relaxed) + 1);
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
            let set = self.send(|| self.api.set(draft)).await;
            let id = set.map_err(|error| failure(operation, &error))?;
            self.log(action, &id);
            report
                .made
                .push((id, action.silence.clone(), action.window));
        }
        // After the new one: for a moment both mute, and never none.
        if let Change::Replace(_, old) | Change::Expire(old, _) = &action.change {
            if matches!(action.change, Change::Replace(..)) {
                self.second_turn().await;
            }
            let expired = self.send(|| self.api.expire(&old.id)).await;
            if expired
                .as_ref()
                .is_err_and(|error| error.kind() == ApiErrorKind::Unknown)
            {
                report.doubtful.push(old.id.clone());
            }
            expired.map_err(|error| failure("expire", &error))?;
            self.log(action, &old.id);
            report.ended.push(old.id.clone());
        }
        Ok(())
    }

    /// Sends a request, and again when the server was too busy to look at it:
    /// 429, and 409 of a Grafana that starts, say that nothing was done.
    async fn send<T, F>(&self, request: impl Fn() -> F) -> Result<T, ApiError>
    where
        F: Future<Output = Result<T, ApiError>>,
    {
        let mut attempt = 1;
        loop {
            let answer = {
                let _in_flight = InFlight::new();
                request().await
            };
            let error = match answer {
                Ok(answer) => {
                    self.terms.pace.ease();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let ApiErrorKind::Busy { retry_after } = error.kind() else {
                return Err(error);
            };
            let wait = wait(attempt, retry_after);
            if attempt == MOST_ATTEMPTS || wait > LONGEST_WAIT {
                return Err(error);
            }
            self.terms.pace.postpone(wait);
            if self.is_stopped() || !self.turn().await || self.is_stopped() {
                return Err(error);
            }
            attempt += 1;
        }
    }

    /// Waits until a write may begin; false when none is to begin any more.
    async fn turn(&self) -> bool {
        let Some(turn) = self.terms.pace.take(self.terms.until) else {
            self.ran_out_of_time.store(true, Ordering::Relaxed);
            return false;
        };
        if turn <= Instant::now() {
            return true;
        }
        tokio::select! {
            () = sleep_until(turn) => true,
            () = stopped(self.terms.stop) => false,
        }
    }

    /// Waits for the turn of a request that completes what was begun.
    async fn second_turn(&self) {
        if let Some(turn) = self.terms.pace.take(None)
            && turn > Instant::now()
        {
            sleep_until(turn).await;
        }
    }

    fn skips(&self, action: &Action) -> bool {
        self.is_stopped()
            || self.server_failures.load(Ordering::Relaxed) >= MAX_SERVER_FAILURES
            || self.is_full.load(Ordering::Relaxed) && needs_place(action)
    }

    fn log(&self, action: &Action, id: &SilenceId) {
        // The level of a line is fixed where it is written.
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target = %self.terms.target,
                    silence = %action.silence,
                    action = action.change.word(),
                    id = id.as_str(),
                    reason = action.reason
                )
            };
        }
        if self.are_many {
            line!(debug);
        } else {
            line!(info);
        }
    }

    fn is_stopped(&self) -> bool {
        let mut halts = self.terms.halts.iter();
        *self.terms.stop.borrow() || halts.any(|halt| halt.load(Ordering::Relaxed))
    }
}

/// How long to wait before the next attempt: at least what the server asks for,
/// and a random time, so that many writers do not come back in step.
fn wait(attempt: u32, retry_after: Option<Duration>) -> Duration {
    let ceiling = Duration::from_secs(1 << (attempt - 1));
    let asked = retry_after.unwrap_or_default();
    asked.saturating_add(ceiling.mul_f64(fastrand::f64()))
}

/// Whether the server must have room for one more silence.
const fn needs_place(action: &Action) -> bool {
    matches!(action.change, Change::Create(_) | Change::Replace(..))
}

const fn is_update(action: &Action) -> bool {
    matches!(action.change, Change::Update(_))
}

const fn is_duplicate(action: &Action) -> bool {
    matches!(action.change, Change::Expire(_, Coverage::Remains))
}
