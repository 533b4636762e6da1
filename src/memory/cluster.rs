//! What do several servers know at a moment? Alertmanagers that gossip: what
//! is written to one reaches the others later.
//!
//! After Alertmanager's `cluster` package and `state.merge` of its
//! `silence/silence.go`: what was written last wins; what is sent to a member
//! that is down is lost; a member that comes back holds nothing, and at once is
//! given all that the others hold. All of it goes by the `now` that is handed in.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::silence::SilenceId;

use super::filter::Filter;
use super::id::IdSequence;
use super::{
    MemoryAlertmanager, PostError, PostedSilence, SavedState, Settings, StoredSilence,
    UnknownSilence, later,
};

/// Servers of one cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    settings: Settings,
    members: Vec<Member>,
    /// How long a message takes.
    delay: Duration,
    /// By arrival, then in the order of sending.
    on_the_way: BTreeMap<(DateTime<Utc>, u64), Message>,
    sent: u64,
    random: IdSequence,
}

#[derive(Clone, Debug)]
struct Member {
    server: MemoryAlertmanager,
    is_up: bool,
}

#[derive(Clone, Debug)]
struct Message {
    to: usize,
    silence: StoredSilence,
}

impl Cluster {
    /// `size` servers without silences, started at `now`, whose writes reach the
    /// others after `delay`.
    #[must_use]
    pub fn new(size: usize, settings: &Settings, delay: Duration, now: DateTime<Utc>) -> Self {
        let members = (0_u64..).take(size).map(|index| {
            let seed = settings.seed.wrapping_add(index);
            let settings = Settings {
                seed,
                ..settings.clone()
            };
            Member {
                server: MemoryAlertmanager::new(settings, now),
                is_up: true,
            }
        });
        Self {
            settings: settings.clone(),
            members: members.collect(),
            delay,
            on_the_way: BTreeMap::new(),
            sent: 0,
            random: IdSequence::new(settings.seed),
        }
    }

    /// A member after all that has arrived by `now`; `None` if it is down, or
    /// there are not so many.
    pub fn member(&mut self, index: usize, now: DateTime<Utc>) -> Option<Node<'_>> {
        self.deliver(now);
        self.is_up(index).then_some(Node {
            cluster: self,
            index,
        })
    }

    /// What every member was started with, but for the seed.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether a member runs.
    #[must_use]
    pub fn is_up(&self, index: usize) -> bool {
        self.members.get(index).is_some_and(|member| member.is_up)
    }

    /// The members that run.
    pub fn running(&self) -> impl Iterator<Item = usize> {
        (0..self.members.len()).filter(|&index| self.is_up(index))
    }

    /// Ends a member without warning. It loses all it holds and all that is sent
    /// to it.
    pub fn kill(&mut self, index: usize) {
        if let Some(member) = self.members.get_mut(index) {
            member.is_up = false;
        }
    }

    /// Starts a member again, without a volume: it holds what the others hold.
    pub fn restart(&mut self, index: usize, now: DateTime<Utc>) {
        self.deliver(now);
        let others: Vec<StoredSilence> = self
            .running()
            .filter(|&other| other != index)
            .filter_map(|other| self.members.get(other))
            .flat_map(|other| other.server.save().silences.into_values())
            .collect();
        self.on_the_way.retain(|_, message| message.to != index);
        if let Some(member) = self.members.get_mut(index) {
            member.is_up = true;
            member.server.restore(SavedState::default(), now);
            for silence in others {
                member.server.merge(silence, now);
            }
        }
    }

    /// `GET /api/v2/silences` of Mimir: asks a majority of the replicas, and of
    /// each silence takes what was written last
    /// (`pkg/alertmanager/distributor.go`, `merger/v2_silences.go`).
    pub fn merged(&mut self, filters: &[Filter], now: DateTime<Utc>) -> Vec<StoredSilence> {
        self.deliver(now);
        let mut newest: BTreeMap<SilenceId, StoredSilence> = BTreeMap::new();
        for index in self.majority() {
            let Some(member) = self.members.get_mut(index) else {
                continue;
            };
            for silence in member.server.list(filters, now) {
                let known = newest.get(&silence.id);
                if known.is_none_or(|known| known.updated_at < silence.updated_at) {
                    newest.insert(silence.id.clone(), silence.clone());
                }
            }
        }
        let mut merged: Vec<StoredSilence> = newest.into_values().collect();
        merged.sort_by(|left, right| left.position(now).cmp(&right.position(now)));
        merged
    }

    /// `GET /api/v2/silence/{id}` of Mimir: there is one if a majority has it.
    pub fn merged_one(&mut self, id: &SilenceId, now: DateTime<Utc>) -> Option<StoredSilence> {
        self.deliver(now);
        let running = self.members.iter_mut().filter(|member| member.is_up);
        let held: Vec<StoredSilence> = running
            .filter_map(|member| member.server.get(id, now).cloned())
            .collect();
        let is_majority = held.len() > self.members.len() / 2;
        let newest = held.into_iter().max_by_key(|silence| silence.updated_at);
        newest.filter(|_| is_majority)
    }

    /// One of those that run, chosen at random: where Mimir sends a write.
    pub fn any(&mut self, now: DateTime<Utc>) -> Option<Node<'_>> {
        let running: Vec<usize> = self.running().collect();
        let index = *running.get(self.random.below(running.len()))?;
        self.member(index, now)
    }

    /// Just over half of all members, as far as they run, chosen at random.
    fn majority(&mut self) -> Vec<usize> {
        let mut running: Vec<usize> = self.running().collect();
        while running.len() > self.members.len() / 2 + 1 {
            running.swap_remove(self.random.below(running.len()));
        }
        running
    }

    /// Hands out every message that has arrived by `now`.
    fn deliver(&mut self, now: DateTime<Utc>) {
        while let Some(message) = self.on_the_way.first_entry()
            && message.key().0 <= now
        {
            let Message { to, silence } = message.remove();
            if let Some(member) = self.members.get_mut(to)
                && member.is_up
            {
                member.server.merge(silence, now);
            }
        }
    }

    /// Tells the others what `from` now holds under these ids.
    fn gossip(&mut self, from: usize, ids: &[SilenceId], now: DateTime<Utc>) {
        let arrival = later(now, self.delay);
        let Some(sender) = self.members.get(from) else {
            return;
        };
        let held = &sender.server.silences;
        for silence in ids.iter().filter_map(|id| held.get(id)) {
            for to in (0..self.members.len()).filter(|&to| to != from) {
                let silence = silence.clone();
                self.sent += 1;
                self.on_the_way
                    .insert((arrival, self.sent), Message { to, silence });
            }
        }
        self.deliver(now);
    }
}

/// A member that runs, at one moment.
pub struct Node<'a> {
    cluster: &'a mut Cluster,
    index: usize,
}

impl Node<'_> {
    /// `GET /api/v2/silences`
    pub fn list(&mut self, filters: &[Filter], now: DateTime<Utc>) -> Vec<StoredSilence> {
        let found = self
            .server()
            .map(|server| server.list(filters, now).into_iter().cloned().collect());
        found.unwrap_or_default()
    }

    /// `GET /api/v2/silence/{id}`
    pub fn get(&mut self, id: &SilenceId, now: DateTime<Utc>) -> Option<StoredSilence> {
        self.server()?.get(id, now).cloned()
    }

    /// `POST /api/v2/silences`; an id that has not reached this member is
    /// unknown to it.
    pub fn post(
        &mut self,
        posted: PostedSilence,
        now: DateTime<Utc>,
    ) -> Result<SilenceId, PostError> {
        let previous = posted.id.clone();
        let server = self.server().ok_or(PostError::NotFound)?;
        let answer = server.post(posted, now);
        // A refused replacement may have expired the old one.
        let changed: Vec<SilenceId> = previous.into_iter().chain(answer.clone().ok()).collect();
        self.cluster.gossip(self.index, &changed, now);
        answer
    }

    /// `DELETE /api/v2/silence/{id}`, with the same limit as [`Self::post`].
    pub fn delete(&mut self, id: &SilenceId, now: DateTime<Utc>) -> Result<(), UnknownSilence> {
        self.server().ok_or(UnknownSilence)?.delete(id, now)?;
        self.cluster
            .gossip(self.index, std::slice::from_ref(id), now);
        Ok(())
    }

    fn server(&mut self) -> Option<&mut MemoryAlertmanager> {
        let member = self.cluster.members.get_mut(self.index)?;
        Some(&mut member.server)
    }
}
