//! Is a declaration still what it was when a silence was written for it? Then
//! no process of ours had a reason to end that silence before its time.
//!
//! A marker keeps the commit of the last write, and commits that leave its
//! declaration alone write nothing. So the commit of a silence that was ended is
//! seldom the present one, and what counts is the time in between.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::marker::Marker;
use crate::declaration::Declarations;
use crate::name::SilenceName;
use crate::snapshot::Revision;

/// Commits that a process remembers to have read: a month of thirty merges a
/// day, at some 100 bytes each. Those before are looked up, as after a restart.
const MOST_READINGS: usize = 1000;

/// From where a silence was written, as its marker says.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Origin {
    /// The declaration.
    pub silence: SilenceName,
    /// The commit, abbreviated.
    pub commit: String,
    /// The file.
    pub source: Option<String>,
}

impl Origin {
    /// What a marker says; nothing of one that was written for a directory.
    #[must_use]
    pub fn of(marker: &Marker) -> Option<Self> {
        Some(Self {
            silence: marker.silence.clone(),
            commit: marker.commit.clone()?,
            source: marker.source.clone(),
        })
    }
}

/// Since which commits each declaration has been the same, as far as that is known.
#[derive(Clone, Debug, Default)]
pub struct Lineage {
    read: Arc<Readings>,
    /// What was looked up elsewhere.
    looked_up: BTreeMap<Origin, bool>,
}

/// What this process has read, one after the other.
#[derive(Clone, Debug, Default)]
struct Readings {
    /// The commits, abbreviated, by the number of their reading.
    commits: BTreeMap<u64, String>,
    next: u64,
    /// The reading since which a declaration is the same; the others are since
    /// the first.
    since: BTreeMap<SilenceName, u64>,
}

impl Lineage {
    /// After `revision` was read to say `now`, and the reading before `before`.
    #[must_use]
    pub fn read(&self, before: &Declarations, revision: &Revision, now: &Declarations) -> Self {
        let mut readings = Readings::clone(&self.read);
        let number = readings.next;
        readings.next += 1;
        if let Some(commit) = revision.short_commit() {
            readings.commits.insert(number, commit.to_owned());
        }
        if readings.commits.len() > MOST_READINGS {
            readings.commits.pop_first();
        }
        let unchanged: BTreeSet<&SilenceName> = now
            .silences
            .iter()
            .filter(|declaration| {
                let earlier = before.get(&declaration.name);
                earlier.is_some_and(|earlier| {
                    Arc::ptr_eq(earlier, declaration) || earlier.declares_the_same(declaration)
                })
            })
            .map(|declaration| &declaration.name)
            .collect();
        readings.since.retain(|name, _| unchanged.contains(name));
        if number > 0 {
            let names = now.silences.iter().map(|declaration| &declaration.name);
            let changed = names.filter(|name| !unchanged.contains(name));
            readings
                .since
                .extend(changed.map(|name| (name.clone(), number)));
        }
        Self {
            read: Arc::new(readings),
            looked_up: BTreeMap::new(),
        }
    }

    /// Takes in what was found out elsewhere.
    pub fn learn(&mut self, origin: Origin, is_unchanged: bool) {
        self.looked_up.insert(origin, is_unchanged);
    }

    /// Whether the declaration has been the same since then all the time;
    /// `None` when nobody has looked.
    #[must_use]
    pub fn is_unchanged_since(&self, origin: &Origin) -> Option<bool> {
        let mut readings = self.read.commits.iter().rev();
        match readings.find(|(_, commit)| **commit == origin.commit) {
            Some((number, _)) => {
                let since = self.read.since.get(&origin.silence).copied();
                Some(since.unwrap_or(0) <= *number)
            }
            None => self.looked_up.get(origin).copied(),
        }
    }
}
