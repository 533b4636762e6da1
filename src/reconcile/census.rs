//! Which targets are one cluster, or one server? Every target is asked once for the
//! members of its cluster, and two that have one in common are told. Where a server
//! knows of no cluster, its silences tell: ids are random, and one that two targets
//! list is at one server, which has two addresses.
//!
//! As two targets they would be fought over: what is declared for only one of them
//! is in the list of the other, which would expire it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::alertmanager::Members;
use crate::name::{InstanceName, TargetName};
use crate::plan::Ownership;
use crate::silence::{Silence, SilenceId};

/// So many silences of each target are remembered. Most of them are still there
/// when the next target is listed, and any of them tells.
const WITNESSES: usize = 8;

/// The members of each target's cluster, as far as they were asked for, and some
/// silences of each.
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
    /// Silences of ours, and at which targets they were seen or made last.
    witnesses: HashMap<SilenceId, BTreeSet<TargetName>>,
    of_target: BTreeMap<TargetName, Vec<SilenceId>>,
    /// Which silence a target's last list had in common with that of another.
    shared: BTreeMap<TargetName, (TargetName, SilenceId)>,
}

impl Known {
    /// Of those that a target had before, none is remembered.
    fn bear_witness(&mut self, target: &TargetName, ids: Vec<SilenceId>) {
        for id in &ids {
            let targets = self.witnesses.entry(id.clone()).or_default();
            targets.insert(target.clone());
        }
        let before = self.of_target.insert(target.clone(), ids);
        let now = self.of_target.get(target).into_iter().flatten();
        let now: BTreeSet<&SilenceId> = now.collect();
        for id in before.iter().flatten().filter(|id| !now.contains(id)) {
            if let Some(targets) = self.witnesses.get_mut(id) {
                targets.remove(target);
                if targets.is_empty() {
                    self.witnesses.remove(id);
                }
            }
        }
    }

    /// Another target that has this silence too.
    fn other_with(&self, id: &SilenceId, target: &TargetName) -> Option<&TargetName> {
        let mut targets = self.witnesses.get(id)?.iter();
        targets.find(|other| *other != target)
    }
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

    /// Looks for what another target has in the list of this one, as far as it is
    /// marked with `instance`: only that would be fought over.
    pub(super) fn compare(
        &self,
        target: &TargetName,
        instance: &InstanceName,
        silences: &[Silence],
    ) {
        let is_ours = |silence: &&Silence| match Ownership::of(&silence.comment) {
            Ownership::Marked(marker, _) => marker.instance == *instance,
            Ownership::Unmarked | Ownership::Quoted(_) | Ownership::Contradictory => false,
        };
        let live = silences.iter().filter(|silence| silence.is_live());
        let mut known = self.known();
        let shared = live.clone().find_map(|silence| {
            let other = known.other_with(&silence.id, target)?;
            is_ours(&silence).then(|| (other.clone(), silence.id.clone()))
        });
        let ours = live.filter(is_ours).map(|silence| &silence.id);
        known.bear_witness(target, ours.take(WITNESSES).cloned().collect());
        match shared {
            Some(shared) => known.shared.insert(target.clone(), shared),
            None => known.shared.remove(target),
        };
    }

    /// What a target was told that it has made.
    pub(super) fn made<'a>(
        &self,
        target: &TargetName,
        ids: impl IntoIterator<Item = &'a SilenceId>,
    ) {
        let ids: Vec<SilenceId> = ids.into_iter().take(WITNESSES).cloned().collect();
        if !ids.is_empty() {
            self.known().bear_witness(target, ids);
        }
    }

    /// What to tell people if another target is the same cluster or server.
    pub(super) fn conflict(&self, target: &TargetName) -> Option<String> {
        let known = self.known();
        if let Some((twin, id)) = known.shared.get(target) {
            return Some(format!(
                "`{target}` and `{twin}` both hold the silence {id}, so they are one server under \
                 two addresses: nothing is written to either, or each would expire what only the \
                 other declares; remove one of them (or, if one was started with a copy of the \
                 other's silences, expire those there)"
            ));
        }
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
