//! Did the writes have an effect? One more list after a pass that changed or
//! ended silences, and one more plan over it, which nobody applies: whatever it
//! would do again to a silence that was written just now was not done.
//!
//! Duplicates of what was updated wait for it: if the update had no effect, they
//! may soon be all that there is.
//!
//! New silences need no such look: with a fresh id nothing older can win
//! against them. One that does not stay is noticed by later passes.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Order;
use super::target::Target;
use super::words::more;
use crate::alertmanager::SilenceApi;
use crate::name::SilenceName;
use crate::plan::{
    Action, Change, Coverage, Guard, Plan, PlanInput, Request, Settings, plan, present,
};
use crate::schedule::OccurrenceStart;
use crate::silence::SilenceId;
use crate::stop::stopped;
use crate::uptime::{Moment, Uptime};

/// A request to a silence that was there, answered with success.
pub(super) struct Written {
    silence: SilenceName,
    id: SilenceId,
    request: Request,
}

impl Written {
    /// Those of a plan whose actions with these numbers were carried out.
    pub(super) fn of(plan: &Plan, numbers: &BTreeSet<usize>) -> Vec<Self> {
        let written = numbers.iter().filter_map(|number| {
            let action = plan.actions.get(*number)?;
            let (id, request) = Request::of(&action.change)?;
            Some(Self {
                silence: action.silence.clone(),
                id: id.clone(),
                request,
            })
        });
        written.collect()
    }
}

/// What a list after the writes shows; nothing, without one.
#[derive(Default)]
pub(super) struct Verified {
    /// What to tell people of writes that had no effect, if there are any.
    pub(super) error: Option<String>,
    /// What is a duplicate still, of a silence that is as it is to be.
    duplicates: HashSet<SilenceId>,
}

impl Verified {
    /// Whether an expiry only ends a duplicate of what is there for certain.
    pub(super) fn allows(&self, expiry: &Action) -> bool {
        expiry
            .change
            .id()
            .is_some_and(|id| self.duplicates.contains(id))
    }
}

impl<A: SilenceApi> Target<A> {
    /// Lists and plans once more, if anything was written to silences that were
    /// there.
    ///
    /// Replicas may still have to agree, so that a list is only believed at once
    /// if the server has none; else when `settle` has gone by since the same
    /// request was sent first.
    pub(super) async fn verify(
        &mut self,
        settings: &Settings,
        order: &Order,
        written: &[Written],
        written_at: Uptime,
    ) -> Verified {
        if written.is_empty() {
            return Verified::default();
        }
        let effects = &mut self.recent.effects;
        let sent = written
            .iter()
            .map(|Written { id, request, .. }| effects.sent(id, *request, written_at));
        let first_sent: Vec<Uptime> = sent.collect();
        let uptime = order.uptime();
        let listed = tokio::select! {
            listed = self.api.list() => listed,
            () = stopped(&order.stop) => return Verified::default(),
        };
        let listing = match listed {
            Ok(listing) => listing,
            Err(error) => {
                // The next pass lists anyway.
                tracing::debug!(target = %self.identity.name, "cannot verify: {error}");
                return Verified::default();
            }
        };
        let now = present(&listing.silences, listing.server_time, order.now());
        let moment = Moment { uptime, now };
        let settings = Settings {
            guard: Guard::unlimited(),
            ..settings.clone()
        };
        let again = plan(&PlanInput {
            silences: &listing.silences,
            ..self.input(&settings, &order.declared, moment)
        });
        let duplicates = duplicates(&again.actions);
        let again: HashMap<_, &Action> = again
            .actions
            .iter()
            .filter_map(|action| Some((Request::of(&action.change)?, action)))
            .collect();
        let is_undone = |written: &Written| again.contains_key(&(&written.id, written.request));
        let is_alone = written.iter().any(is_undone) && self.is_alone().await;
        let mut errors = Vec::new();
        for (
            Written {
                silence,
                id,
                request,
            },
            first_sent,
        ) in written.iter().zip(first_sent)
        {
            match again.get(&(id, *request)) {
                None => self.recent.effects.seen(id, *request),
                Some(action) if is_alone || uptime.since(first_sent) >= settings.settle => {
                    let shown = shown(action);
                    let error = self.recent.effects.missing(id, *request, &shown, moment);
                    errors.push(format!("{silence}: {error}"));
                }
                Some(_) => {}
            }
        }
        let error = errors.split_first();
        let error = error.map(|(first, rest)| format!("{first}{}", more(rest.len())));
        Verified { error, duplicates }
    }
}

/// The duplicates of silences for which there is nothing else to do. What
/// another window of the same name needs does not matter.
fn duplicates(actions: &[Action]) -> HashSet<SilenceId> {
    let is_to_be_made = |action: &&Action| action.change.draft().is_some();
    let changing: HashSet<(&SilenceName, OccurrenceStart)> =
        actions.iter().filter(is_to_be_made).map(window).collect();
    let duplicates = actions.iter().filter_map(|action| match &action.change {
        Change::Expire(silence, Coverage::Remains) => {
            (!changing.contains(&window(action))).then(|| silence.id.clone())
        }
        _ => None,
    });
    duplicates.collect()
}

const fn window(action: &Action) -> (&SilenceName, OccurrenceStart) {
    (&action.silence, action.window)
}

/// What the server still has, in the words of the plan over its list.
fn shown(action: &Action) -> String {
    match &action.change {
        Change::Expire(silence, _) | Change::Replace(_, silence) => {
            format!("live until {}", silence.ends_at)
        }
        Change::Create(_) | Change::Update(_) => action.reason.clone(),
    }
}
