//! Which targets are one cluster? Every target is asked once for the members of
//! its cluster, and two that have one in common are told.
//!
//! As two targets, a cluster would be fought over: what is declared for only
//! one of them is in the list of the other, which would expire it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::alertmanager::Members;
use crate::name::TargetName;

/// The members of each target's cluster, as far as they were asked for.
///
/// A server that starts anew gets another name, and one that joins is unknown
/// here: who was apart when the program started stays apart.
#[derive(Debug, Default)]
pub(super) struct Census(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    members: BTreeMap<TargetName, Members>,
    /// Who named each member; to look through all targets for each of them would
    /// take a pass over 5,000 some seconds.
    targets: BTreeMap<String, BTreeSet<TargetName>>,
}

impl Census {
    /// Whether there is no need to ask a target again. One that gave no answer, or
    /// is still meeting its cluster, may belong to any.
    pub(super) fn knows(&self, target: &TargetName) -> bool {
        let known = self.known();
        let members = known.members.get(target);
        members.is_some_and(|members| members.is_complete)
    }

    /// What a target answered.
    pub(super) fn record(&self, target: &TargetName, members: Members) {
        let mut known = self.known();
        for name in &members.names {
            let targets = known.targets.entry(name.clone()).or_default();
            targets.insert(target.clone());
        }
        known.members.insert(target.clone(), members);
    }

    /// What to tell people if another target is the same cluster.
    pub(super) fn conflict(&self, target: &TargetName) -> Option<String> {
        let known = self.known();
        let names = &known.members.get(target)?.names;
        let (twin, shared) = names
            .iter()
            .filter_map(|name| {
                let mut targets = known.targets.get(name)?.iter();
                Some((targets.find(|other| *other != target)?, name))
            })
            .min()?;
        Some(format!(
            "`{target}` and `{twin}` are one cluster, which has the member {shared}: nothing is \
             written to either, or each would expire what only the other declares; write the \
             addresses of its members in one target, under `urls`"
        ))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // What a panic could leave behind is a complete value all the same.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
