//! What is the API put around? One server, a member of a cluster, or whatever
//! else holds silences.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use crate::memory::filter::Filter;
use crate::memory::{
    Cluster, MemoryAlertmanager, PostError, PostedSilence, Settings, StoredSilence, UnknownSilence,
};
use crate::silence::SilenceId;

/// Silences behind an API.
pub trait Silences: Send + Sync {
    /// How they are judged.
    fn settings(&self) -> Settings;
    /// Those that every filter finds, in Alertmanager's order.
    fn list(&self, filters: &[Filter], now: DateTime<Utc>) -> Vec<StoredSilence>;
    /// The one of that id.
    fn get(&self, id: &SilenceId, now: DateTime<Utc>) -> Option<StoredSilence>;
    /// Creates, updates or replaces.
    fn post(&self, posted: PostedSilence, now: DateTime<Utc>) -> Result<SilenceId, PostError>;
    /// Expires.
    fn delete(&self, id: &SilenceId, now: DateTime<Utc>) -> Result<(), UnknownSilence>;
    /// Notes a request that was refused before it reached the silences.
    fn count_refused(&self) {}
    /// The names of all that are in its cluster, itself among them; none without
    /// a cluster.
    fn peers(&self) -> Vec<String> {
        Vec::new()
    }
    /// Whether it answers at all.
    fn is_up(&self) -> bool {
        true
    }
}

/// A panic elsewhere while the lock was held is no reason to stop answering:
/// no method leaves a silence half written.
pub(in crate::memory) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Silences for Mutex<MemoryAlertmanager> {
    fn settings(&self) -> Settings {
        lock(self).settings().clone()
    }

    fn list(&self, filters: &[Filter], now: DateTime<Utc>) -> Vec<StoredSilence> {
        let mut alertmanager = lock(self);
        let found = alertmanager.list(filters, now);
        found.into_iter().cloned().collect()
    }

    fn get(&self, id: &SilenceId, now: DateTime<Utc>) -> Option<StoredSilence> {
        lock(self).get(id, now).cloned()
    }

    fn post(&self, posted: PostedSilence, now: DateTime<Utc>) -> Result<SilenceId, PostError> {
        lock(self).post(posted, now)
    }

    fn delete(&self, id: &SilenceId, now: DateTime<Utc>) -> Result<(), UnknownSilence> {
        lock(self).delete(id, now)
    }

    fn count_refused(&self) {
        lock(self).count_refused();
    }
}

/// A cluster as its routers and its owner share it.
pub type SharedCluster = Arc<Mutex<Cluster>>;

/// One member of a cluster, behind a port of its own. While it is down it closes
/// every connection without an answer.
pub struct ClusterMember {
    cluster: SharedCluster,
    index: usize,
    settings: Settings,
}

impl ClusterMember {
    /// The member of that index.
    #[must_use]
    pub fn new(cluster: SharedCluster, index: usize) -> Self {
        let settings = lock(&cluster).settings().clone();
        Self {
            cluster,
            index,
            settings,
        }
    }
}

impl Silences for ClusterMember {
    fn settings(&self) -> Settings {
        self.settings.clone()
    }

    fn list(&self, filters: &[Filter], now: DateTime<Utc>) -> Vec<StoredSilence> {
        let mut cluster = lock(&self.cluster);
        let member = cluster.member(self.index, now);
        member.map_or_else(Vec::new, |mut member| member.list(filters, now))
    }

    fn get(&self, id: &SilenceId, now: DateTime<Utc>) -> Option<StoredSilence> {
        lock(&self.cluster).member(self.index, now)?.get(id, now)
    }

    fn post(&self, posted: PostedSilence, now: DateTime<Utc>) -> Result<SilenceId, PostError> {
        let mut cluster = lock(&self.cluster);
        let member = cluster.member(self.index, now);
        member.ok_or(PostError::NotFound)?.post(posted, now)
    }

    fn delete(&self, id: &SilenceId, now: DateTime<Utc>) -> Result<(), UnknownSilence> {
        let mut cluster = lock(&self.cluster);
        let member = cluster.member(self.index, now);
        member.ok_or(UnknownSilence)?.delete(id, now)
    }

    fn peers(&self) -> Vec<String> {
        let cluster = lock(&self.cluster);
        let names = cluster.running().map(|index| format!("member-{index}"));
        names.collect()
    }

    fn is_up(&self) -> bool {
        lock(&self.cluster).is_up(self.index)
    }
}
