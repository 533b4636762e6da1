//! What do people do at the server? They make, copy, edit and end silences by
//! hand, and now and then the server itself forgets or remembers.

use std::time::Duration;

use fastrand::Rng;
use silenced::memory::{PostedSilence, SavedState, StoredSilence};
use silenced::silence::SilenceState;

use super::fault::Fault;
use super::server::{Server, marker_of};
use crate::support::world::matchers_of;

/// States and silences of earlier, which may come back.
#[derive(Default)]
pub(super) struct Past {
    pub(super) states: Vec<SavedState>,
    pub(super) silences: Vec<StoredSilence>,
}

/// How much of the past is kept.
const PAST: usize = 8;

impl Past {
    /// Remembers the present.
    pub(super) fn remember(&mut self, server: &Server, rng: &mut Rng) {
        if self.states.len() == PAST {
            self.states.remove(0);
        }
        self.states.push(server.memory.server().save());
        let owned = server
            .stored()
            .into_iter()
            .filter(|silence| marker_of(&silence.comment).is_some());
        if let Some(silence) = rng.choice(owned.collect::<Vec<_>>()) {
            if self.silences.len() == PAST {
                self.silences.remove(0);
            }
            self.silences.push(silence);
        }
    }
}

/// Does it, and says to what; `None` when there is nothing to do it to.
pub(super) fn act(fault: Fault, server: &Server, past: &Past, rng: &mut Rng) -> Option<String> {
    let now = server.memory.now();
    let stored = server.stored();
    let live = |owned: bool| {
        let live = stored
            .iter()
            .filter(|silence| silence.state(now) != SilenceState::Expired)
            .filter(|silence| marker_of(&silence.comment).is_some() == owned);
        live.collect::<Vec<_>>()
    };
    let what = match fault {
        Fault::OlderState => {
            let state = rng.choice(&past.states)?.clone();
            server.memory.server().restore(state, now);
            String::new()
        }
        Fault::NoState => {
            server.memory.server().restore(SavedState::default(), now);
            String::new()
        }
        Fault::Ghost => {
            let mut ghost = rng.choice(&past.silences)?.clone();
            ghost.updated_at = now.fixed_offset();
            ghost.forgotten_at = now.fixed_offset() + Duration::from_hours(120);
            let id = ghost.id.to_string();
            server.memory.server().merge(ghost, now);
            id
        }
        Fault::PeerAhead => {
            let mut silence = (*rng.choice(&live(true))?).clone();
            silence.updated_at = now.fixed_offset() + Duration::from_secs(rng.u64(30..240));
            let id = silence.id.to_string();
            server.memory.server().merge(silence, now);
            id
        }
        Fault::ForeignSilence => {
            let model = rng.choice(live(true));
            let matchers = model.map_or_else(
                || matchers_of("alertname=\"shared\""),
                |silence| silence.matchers.clone(),
            );
            let marker = "[silenced instance=other silence=job-1 start=lease]";
            let comments = [
                "Known defect 1.".to_owned(),
                format!("Known defect 1.\n{marker}"),
                format!("{marker}\n{}", model.map_or("", |model| &model.comment)),
            ];
            let posted = PostedSilence {
                id: None,
                matchers,
                starts_at: now.fixed_offset(),
                ends_at: now.fixed_offset() + Duration::from_mins(rng.u64(1..3000)),
                created_by: "ann".to_owned(),
                comment: rng.choice(comments)?,
                annotations: std::collections::BTreeMap::new(),
            };
            put(server, posted)?
        }
        Fault::CopiedMarker => {
            let model = *rng.choice(&live(true))?;
            let mut posted = posted(model);
            posted.id = None;
            if rng.bool() {
                posted.ends_at += Duration::from_mins(rng.u64(1..600));
            }
            if rng.bool() {
                posted.matchers = matchers_of("alertname=\"copied\"");
            }
            put(server, posted)?
        }
        Fault::RenewedCopy => {
            let mut posted = posted(rng.choice(&live(true))?);
            posted.id = None;
            posted.ends_at += Duration::from_mins(20);
            put(server, posted)?
        }
        Fault::EditedComment => {
            let mut posted = posted(rng.choice(&live(true))?);
            posted.comment.push_str("\nasked Bob, fine");
            put(server, posted)?
        }
        Fault::RemovedMarker => {
            let mut posted = posted(rng.choice(&live(true))?);
            "mine now".clone_into(&mut posted.comment);
            put(server, posted)?
        }
        Fault::EditedEnd => {
            let mut posted = posted(rng.choice(&live(true))?);
            let least = posted.starts_at.to_utc().max(now).fixed_offset();
            posted.ends_at = least + Duration::from_mins(rng.u64(1..600));
            put(server, posted)?
        }
        Fault::HandExpiry => {
            let silence = *rng.choice(&live(true))?;
            server.memory.server().expire(&silence.id, now).ok()?;
            marker_of(&silence.comment)?.silence.to_string()
        }
        _ => return None,
    };
    let (before, after) = (stored, server.stored());
    let is_there = |silence: &StoredSilence, stored: &[StoredSilence]| {
        stored.iter().any(|other| {
            other.id == silence.id
                && other.matchers == silence.matchers
                && other.state(now) != SilenceState::Expired
                && marker_of(&other.comment).is_some()
        })
    };
    let gone = before
        .iter()
        .filter(|silence| is_there(silence, &before) && !is_there(silence, &after));
    let account = &mut server.state().account;
    account.people_changed(gone.map(|silence| silence.id.clone()), &after);
    Some(what)
}

fn posted(silence: &StoredSilence) -> PostedSilence {
    PostedSilence {
        id: Some(silence.id.clone()),
        matchers: silence.matchers.clone(),
        starts_at: silence.starts_at,
        ends_at: silence.ends_at,
        created_by: silence.created_by.clone(),
        comment: silence.comment.clone(),
        annotations: silence.annotations.clone(),
    }
}

fn put(server: &Server, posted: PostedSilence) -> Option<String> {
    let now = server.memory.now();
    let id = server.memory.server().put(posted, now).ok()?;
    Some(id.to_string())
}
