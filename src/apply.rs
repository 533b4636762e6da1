//! How is a plan carried out? Its actions as requests, with the order that
//! keeps coverage, a bound on how many run at once, and an account of each.
//!
//! No request is repeated here. A write whose outcome is unknown is looked up
//! by the next pass, which lists before it writes anything.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt, stream};
use tokio::sync::watch;

use crate::alertmanager::{ApiError, ApiErrorKind, SilenceApi};
use crate::name::SilenceName;
use crate::plan::{Action, Change, Plan};
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

/// Carries out `plan`: first whatever makes silences exist, the earliest start
/// first, then the expiries.
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
    let server_failures = AtomicUsize::new(0);
    let gives_up =
        || *stop.borrow() || server_failures.load(Ordering::Relaxed) >= MAX_SERVER_FAILURES;
    let ended = AtomicUsize::new(0);
    let attempt = |action| {
        let (gives_up, server_failures, ended) = (&gives_up, &server_failures, &ended);
        async move {
            if gives_up() {
                return (action, None);
            }
            let outcome = perform(action, api).await;
            if outcome
                .as_ref()
                .is_err_and(|(_, error)| concerns_server(error.kind()))
            {
                server_failures.fetch_add(1, Ordering::Relaxed);
            }
            progress(ended.fetch_add(1, Ordering::Relaxed) + 1);
            (action, Some(outcome))
        }
    };
    for phase in [others, expiries] {
        let mut outcomes = stream::iter(phase)
            .map(attempt)
            .buffer_unordered(CONCURRENCY);
        while let Some((action, outcome)) = outcomes.next().await {
            report.record(action, outcome);
        }
    }
    report
}

impl ApplyReport {
    fn record(&mut self, action: &Action, outcome: Option<Result<(), (&'static str, ApiError)>>) {
        match outcome {
            None => self.not_attempted += 1,
            Some(Err((operation, error))) => self.failures.push(Failure {
                silence: action.silence.clone(),
                operation,
                kind: error.kind(),
                message: error.with_causes().to_string(),
            }),
            Some(Ok(())) => {
                let counter = match action.change {
                    Change::Create(_) => &mut self.created,
                    Change::Update(_) => &mut self.updated,
                    Change::Replace(..) => &mut self.replaced,
                    Change::Expire(..) => &mut self.expired,
                };
                *counter += 1;
            }
        }
    }
}

async fn perform<A: SilenceApi>(action: &Action, api: &A) -> Result<(), (&'static str, ApiError)> {
    match &action.change {
        Change::Create(draft) => {
            let id = api.set(draft).await.map_err(|error| ("create", error))?;
            log(action, &id);
        }
        Change::Update(draft) => {
            let id = api.set(draft).await.map_err(|error| ("update", error))?;
            log(action, &id);
        }
        Change::Replace(draft, old) => {
            // The new one first: for a moment both mute, and never none.
            let id = api.set(draft).await.map_err(|error| ("create", error))?;
            log(action, &id);
            api.expire(&old.id)
                .await
                .map_err(|error| ("expire", error))?;
        }
        Change::Expire(silence, _) => {
            api.expire(&silence.id)
                .await
                .map_err(|error| ("expire", error))?;
            log(action, &silence.id);
        }
    }
    Ok(())
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

/// Whether the next silence would meet the same failure.
const fn concerns_server(kind: ApiErrorKind) -> bool {
    match kind {
        ApiErrorKind::NotSent
        | ApiErrorKind::Unknown
        | ApiErrorKind::Busy { .. }
        | ApiErrorKind::Unauthorised
        | ApiErrorKind::NotAnAlertmanager
        | ApiErrorKind::TooLarge => true,
        ApiErrorKind::Refused { .. } | ApiErrorKind::NotFound => false,
    }
}
