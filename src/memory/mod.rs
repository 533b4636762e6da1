//! What would Alertmanager do? A server of silences in memory, which answers as
//! the real one does.
//!
//! [`MemoryAlertmanager`] is a pure state machine: every method takes `now`. It
//! serves `silenced demo`, simulations and tests; [`http`] puts the API around
//! it. The contract suite in `tests/it/contract` holds it and released servers
//! to the same cases, so that it is not trusted on its word.
//!
//! Beyond the imitation stand only two things: nothing here depends on two
//! writes having different instants (a simulated clock may stand still), and
//! ties in a list are in the order of their ids.

mod cluster;
mod error;
mod filter;
#[cfg(feature = "daemon")]
pub mod grafana;
#[cfg(feature = "daemon")]
pub mod http;
mod id;
#[cfg(feature = "daemon")]
pub mod mimir;
mod settings;
mod silence;
mod size;
#[cfg(feature = "daemon")]
mod time;
mod validate;
mod version;
#[cfg(feature = "daemon")]
mod wire;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use chrono::{DateTime, FixedOffset, TimeDelta, TimeZone, Utc};

use crate::silence::{SilenceId, SilenceState};

use id::IdSequence;
use validate::validate;

pub use cluster::{Cluster, Node};
pub use error::{PostError, UnknownSilence};
pub use filter::{Filter, InvalidFilter};
pub use settings::{LabelNames, RequestCounts, Settings};
pub use silence::{PostedSilence, StoredSilence};
pub use version::Version;

/// Everything that a server holds at one moment. The default is what is left
/// after a restart without a volume: nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SavedState {
    silences: HashMap<SilenceId, StoredSilence>,
}

/// An Alertmanager's silences.
#[derive(Clone, Debug)]
pub struct MemoryAlertmanager {
    settings: Settings,
    silences: HashMap<SilenceId, StoredSilence>,
    /// Every silence by the moment that it may be forgotten, so that collecting
    /// garbage costs what it collects.
    by_forgetting: BTreeSet<(DateTime<FixedOffset>, SilenceId)>,
    next_maintenance: DateTime<Utc>,
    ids: IdSequence,
    counts: RequestCounts,
}

impl MemoryAlertmanager {
    /// A server without silences, started at `now`.
    #[must_use]
    pub fn new(settings: Settings, now: DateTime<Utc>) -> Self {
        Self {
            next_maintenance: later(now, settings.maintenance_interval),
            ids: IdSequence::new(settings.seed),
            settings,
            silences: HashMap::new(),
            by_forgetting: BTreeSet::new(),
            counts: RequestCounts::default(),
        }
    }

    /// Whose behaviour it imitates.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.settings.version
    }

    /// What it was started with.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How often each request was made since the start.
    #[must_use]
    pub const fn counts(&self) -> RequestCounts {
        self.counts
    }

    /// `GET /api/v2/silences`: those that every filter finds, in Alertmanager's
    /// order.
    pub fn list(&mut self, filters: &[Filter], now: DateTime<Utc>) -> Vec<&StoredSilence> {
        self.counts.lists += 1;
        self.maintain(now);
        let mut found: Vec<&StoredSilence> = self
            .silences
            .values()
            .filter(|silence| filters.iter().all(|filter| filter.finds(silence)))
            .collect();
        found.sort_by_cached_key(|silence| silence.position(now));
        found
    }

    /// `GET /api/v2/silence/{id}`
    pub fn get(&mut self, id: &SilenceId, now: DateTime<Utc>) -> Option<&StoredSilence> {
        self.counts.gets += 1;
        self.maintain(now);
        self.silences.get(id)
    }

    /// `POST /api/v2/silences`: creates, updates in place, or replaces. The id
    /// tells which: it is new unless the update was in place.
    pub fn post(
        &mut self,
        posted: PostedSilence,
        now: DateTime<Utc>,
    ) -> Result<SilenceId, PostError> {
        self.counts.posts += 1;
        self.put(posted, now)
    }

    /// What [`Self::post`] does, not counted: a silence that somebody else made.
    pub fn put(
        &mut self,
        mut posted: PostedSilence,
        now: DateTime<Utc>,
    ) -> Result<SilenceId, PostError> {
        self.maintain(now);
        if posted.starts_at >= posted.ends_at {
            return Err(PostError::StartNotBeforeEnd);
        }
        if posted.ends_at < now {
            return Err(PostError::EndInPast);
        }
        let version = self.settings.version;
        if version.validates_first() {
            if posted.starts_at.timestamp() == GO_ZERO_TIME {
                posted.starts_at = now.fixed_offset();
            }
            validate(&posted.matchers, &self.settings)?;
        }

        let previous = match &posted.id {
            None => None,
            Some(id) => Some(self.silences.get(id).ok_or(PostError::NotFound)?),
        };
        if let Some(previous) = previous
            && previous.is_updatable_to(&posted, now)
        {
            let updated = self.stored(previous.id.clone(), posted, now);
            self.check_size(&updated)?;
            return self.store(updated);
        }

        let replaced = previous.and_then(|previous| self.ended(previous, now));
        self.check_room()?;
        let id = self.ids.next();
        posted.starts_at = posted.starts_at.max(now.fixed_offset());
        let created = self.stored(id, posted, now);
        self.check_size(&created)?;
        if let Some(replaced) = replaced {
            self.write(replaced);
        }
        if !version.validates_first() {
            validate(&created.matchers, &self.settings)?;
        }
        self.store(created)
    }

    /// `DELETE /api/v2/silence/{id}`: ends it now, and leaves an expired one as
    /// it is.
    pub fn delete(&mut self, id: &SilenceId, now: DateTime<Utc>) -> Result<(), UnknownSilence> {
        self.counts.deletes += 1;
        self.expire(id, now)
    }

    /// What [`Self::delete`] does, not counted: somebody else expires a silence.
    pub fn expire(&mut self, id: &SilenceId, now: DateTime<Utc>) -> Result<(), UnknownSilence> {
        self.maintain(now);
        let silence = self.silences.get(id).ok_or(UnknownSilence)?;
        if let Some(ended) = self.ended(silence, now) {
            self.write(ended);
        }
        Ok(())
    }

    /// Takes in a silence as gossip from a peer would bring it: the version that
    /// was written last wins, and what may be forgotten already is ignored. A
    /// silence that was expired here and lives on in a peer comes back this way
    /// once it is forgotten.
    pub fn merge(&mut self, silence: StoredSilence, now: DateTime<Utc>) {
        let is_newer = self
            .silences
            .get(&silence.id)
            .is_none_or(|held| held.updated_at < silence.updated_at);
        if is_newer && silence.forgotten_at >= now {
            self.keep(silence);
        }
    }

    /// Everything held, to be given to [`Self::restore`] of this or another
    /// server.
    #[must_use]
    pub fn save(&self) -> SavedState {
        SavedState {
            silences: self.silences.clone(),
        }
    }

    /// Holds what `state` holds, as after a restart at `now`. The counts go on,
    /// and no id is given twice.
    pub fn restore(&mut self, state: SavedState, now: DateTime<Utc>) {
        self.silences = HashMap::with_capacity(state.silences.len());
        self.by_forgetting = BTreeSet::new();
        self.next_maintenance = later(now, self.settings.maintenance_interval);
        for silence in state.silences.into_values() {
            self.keep(silence);
        }
    }

    /// Notes a request that was refused before it reached the silences.
    #[cfg(feature = "daemon")]
    const fn count_refused(&mut self) {
        self.counts.refused += 1;
    }

    /// Collects garbage when it is time to.
    fn maintain(&mut self, now: DateTime<Utc>) {
        if now < self.next_maintenance {
            return;
        }
        self.next_maintenance = later(now, self.settings.maintenance_interval);
        while let Some((forgotten_at, id)) = self.by_forgetting.pop_first() {
            if forgotten_at > now {
                self.by_forgetting.insert((forgotten_at, id));
                break;
            }
            self.silences.remove(&id);
        }
    }

    fn stored(&self, id: SilenceId, posted: PostedSilence, now: DateTime<Utc>) -> StoredSilence {
        StoredSilence {
            id,
            matchers: posted.matchers,
            starts_at: posted.starts_at,
            ends_at: posted.ends_at,
            updated_at: now.fixed_offset(),
            forgotten_at: later(posted.ends_at, self.settings.retention),
            created_by: posted.created_by,
            comment: posted.comment,
            annotations: if self.settings.keeps_annotations() {
                posted.annotations
            } else {
                BTreeMap::new()
            },
        }
    }

    fn check_room(&self) -> Result<(), PostError> {
        let held = self.silences.len();
        match self.settings.max_silences {
            Some(limit) if self.version().has_limits() && held >= limit => {
                Err(PostError::TooMany { held, limit })
            }
            _ => Ok(()),
        }
    }

    fn check_size(&self, silence: &StoredSilence) -> Result<(), PostError> {
        let Some(limit) = self.settings.max_silence_size_bytes else {
            return Ok(());
        };
        let size = size::encoded_size(silence, self.version());
        if self.version().has_limits() && size > limit {
            return Err(PostError::TooBig { size, limit });
        }
        Ok(())
    }

    fn store(&mut self, silence: StoredSilence) -> Result<SilenceId, PostError> {
        const YEAR_10000: i64 = 253_402_300_800;
        if !self.version().stores_any_year() {
            let ends = [silence.ends_at, silence.forgotten_at];
            let seconds = ends.map(|end| end.timestamp());
            if let Some(late) = seconds.into_iter().find(|&second| second >= YEAR_10000) {
                return Err(PostError::AfterYear9999(late));
            }
        }
        let id = silence.id.clone();
        self.write(silence);
        Ok(id)
    }

    /// Keeps what a request made of a silence, unless what is held was written
    /// later: by a peer whose clock is ahead, or before this clock was set back.
    /// The client is told of success either way.
    fn write(&mut self, silence: StoredSilence) {
        let held = self.silences.get(&silence.id);
        if held.is_none_or(|held| held.updated_at <= silence.updated_at) {
            self.keep(silence);
        }
    }

    /// `silence` as it is if it ends now, unless it has ended already. One that
    /// is pending then never was.
    fn ended(&self, silence: &StoredSilence, now: DateTime<Utc>) -> Option<StoredSilence> {
        let at = now.fixed_offset();
        let starts_at = match silence.state(now) {
            SilenceState::Expired => return None,
            SilenceState::Active => silence.starts_at,
            SilenceState::Pending => at,
        };
        Some(StoredSilence {
            starts_at,
            ends_at: at,
            updated_at: at,
            forgotten_at: later(at, self.settings.retention),
            ..silence.clone()
        })
    }

    fn keep(&mut self, silence: StoredSilence) {
        let id = silence.id.clone();
        self.by_forgetting
            .insert((silence.forgotten_at, id.clone()));
        let forgotten_at = silence.forgotten_at;
        if let Some(before) = self.silences.insert(id, silence)
            && before.forgotten_at != forgotten_at
        {
            self.by_forgetting.remove(&(before.forgotten_at, before.id));
        }
    }
}

/// What Go takes for an absent time: 0001-01-01T00:00:00Z in seconds.
const GO_ZERO_TIME: i64 = -62_135_596_800;

/// Time does not go past chrono's last instant.
fn later<Zone>(time: DateTime<Zone>, by: Duration) -> DateTime<Zone>
where
    Zone: TimeZone<Offset: Copy>,
{
    TimeDelta::from_std(by)
        .ok()
        .and_then(|by| time.checked_add_signed(by))
        .unwrap_or(time)
}

#[cfg(test)]
mod tests;
