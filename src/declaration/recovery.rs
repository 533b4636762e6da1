//! What did a broken file say before? Its newest readable version, so that a
//! hold freezes content and not coverage.
//!
//! A broken file's own earlier versions are tried, and those of files that are
//! gone: a file may have been renamed and broken in the same commit. What a
//! good file declares now is never taken from an earlier version, so a
//! declaration that moved from a broken file to a good one comes from there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{BrokenFile, Declaration, Declarations};
use crate::name::SilenceName;
use crate::snapshot::{Revision, Snapshot, SnapshotFile};
use crate::zone::ZoneDatabase;

/// What a file said at some time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EarlierVersion {
    /// Relative to the root of the declarations.
    pub path: String,
    /// Its bytes then.
    pub content: Vec<u8>,
    /// Of which revision, for people.
    pub revision: Revision,
}

/// An earlier version that stands in for a broken file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StandIn {
    /// The path that it had.
    pub path: String,
    /// Its revision.
    pub revision: Revision,
    /// What it declares, and no good file.
    pub silences: BTreeSet<SilenceName>,
}

impl Declarations {
    /// Whether every file says what is declared, or an earlier version of it does,
    /// and the policy what of that is allowed.
    #[must_use]
    pub fn are_all_known(&self) -> bool {
        let stands_in = |path: &str| self.stand_ins.iter().any(|stand_in| stand_in.path == path);
        self.ambiguous.is_empty()
            && self.unenforced_policy.is_none()
            && self.broken.iter().all(|file| stands_in(&file.path))
    }

    /// The earlier version that declares a silence, if it is not the present one.
    #[must_use]
    pub fn stand_in(&self, name: &SilenceName) -> Option<&StandIn> {
        self.stand_ins
            .iter()
            .find(|stand_in| stand_in.silences.contains(name))
    }

    /// Takes in, for each path, the first of `earlier` that reads without an
    /// error; versions of a path must come newest first.
    ///
    /// Each version costs the reading of itself and, if it refers to other
    /// files, of all good ones; the caller bounds how many there are.
    pub fn recover(
        &mut self,
        snapshot: &Snapshot,
        earlier: &[EarlierVersion],
        zones: &ZoneDatabase,
    ) {
        let mut by_path: BTreeMap<&str, Vec<&EarlierVersion>> = BTreeMap::new();
        for version in earlier {
            by_path.entry(&version.path).or_default().push(version);
        }
        let readable: BTreeMap<&str, _> = by_path
            .into_iter()
            .filter_map(|(path, versions)| {
                let mut versions = versions.into_iter();
                let found = versions.find_map(|version| {
                    Some((version, self.read_earlier(snapshot, version, zones)?))
                });
                Some((path, found?))
            })
            .collect();
        // A broken file that was readable under its own name goes on as that;
        // only one without such a version may be another's new name.
        let successors: Vec<BrokenFile> = self
            .broken
            .iter()
            .filter(|file| !readable.contains_key(file.path.as_str()))
            .cloned()
            .collect();
        for (version, silences) in readable.into_values() {
            self.take_in(version, silences, &successors);
        }
        self.silences
            .sort_by(|left, right| left.name.cmp(&right.name));
    }

    /// What the version declares; `None` when it is broken too.
    fn read_earlier(
        &self,
        snapshot: &Snapshot,
        version: &EarlierVersion,
        zones: &ZoneDatabase,
    ) -> Option<Vec<Arc<Declaration>>> {
        let file = SnapshotFile {
            path: version.path.clone(),
            content: Ok(version.content.clone()),
        };
        let is_good = |file: &&SnapshotFile| {
            file.path != version.path && !self.broken.iter().any(|broken| broken.path == file.path)
        };
        let others = || snapshot.files.iter().filter(is_good).cloned();
        let read = |files: Vec<SnapshotFile>| {
            let snapshot = Snapshot {
                revision: version.revision.clone(),
                files,
                skipped: Vec::new(),
            };
            let read = Self::read(&snapshot, zones);
            let is_broken = read.broken.iter().any(|broken| broken.path == version.path);
            (!is_broken).then_some(read)
        };
        let alone = read(vec![file.clone()]);
        let read = alone.or_else(|| read(others().chain([file]).collect()))?;
        let mut silences = read.silences;
        silences.retain(|declaration| declaration.source == version.path);
        Some(silences)
    }

    fn take_in(
        &mut self,
        version: &EarlierVersion,
        mut silences: Vec<Arc<Declaration>>,
        successors: &[BrokenFile],
    ) {
        let declared: BTreeSet<SilenceName> = self
            .silences
            .iter()
            .map(|known| known.name.clone())
            .collect();
        let is_broken = self.broken.iter().any(|broken| broken.path == version.path);
        silences.retain(|declaration| {
            let name = &declaration.name;
            // Of a file that is gone only what a broken one may have taken over.
            let is_wanted = is_broken || successors.iter().any(|broken| broken.mentions(name));
            is_wanted && !declared.contains(name) && !self.ambiguous.contains(name)
        });
        if silences.is_empty() {
            return;
        }
        self.stand_ins.push(StandIn {
            path: version.path.clone(),
            revision: version.revision.clone(),
            silences: silences
                .iter()
                .map(|declaration| declaration.name.clone())
                .collect(),
        });
        self.silences.extend(silences);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SnapshotFile {
        SnapshotFile {
            path: path.to_owned(),
            content: Ok(text.as_bytes().to_vec()),
        }
    }

    fn version(path: &str, text: &str, commit: &str) -> EarlierVersion {
        EarlierVersion {
            path: path.to_owned(),
            content: text.as_bytes().to_vec(),
            revision: Revision::Commit(commit.to_owned()),
        }
    }

    fn declaring(names: &[&str]) -> String {
        names
            .iter()
            .fold("owner: o\nsilences:\n".to_owned(), |text, name| {
                text + &format!(
                    "  - {{name: {name}, comment: c, matchers: [a=b], schedule: always}}\n"
                )
            })
    }

    fn recovered(files: Vec<SnapshotFile>, earlier: &[EarlierVersion]) -> Vec<String> {
        let snapshot = Snapshot {
            revision: Revision::Commit("now".to_owned()),
            files,
            skipped: Vec::new(),
        };
        let zones = ZoneDatabase::bundled();
        let mut declarations = Declarations::read(&snapshot, &zones);
        declarations.recover(&snapshot, earlier, &zones);
        let silences = declarations.silences.iter();
        silences
            .map(|declaration| format!("{} {}", declaration.source, declaration.name))
            .collect()
    }

    #[test]
    fn the_newest_readable_version_stands_in() {
        let found = recovered(
            vec![
                file("a.yaml", "silences: ["),
                file("b.yaml", &declaring(&["other"])),
            ],
            &[
                version("a.yaml", "silences: [broken too", "3"),
                version("a.yaml", &declaring(&["one", "two"]), "2"),
                version("a.yaml", &declaring(&["old"]), "1"),
            ],
        );
        assert_eq!(found, ["a.yaml one", "b.yaml other", "a.yaml two"]);
    }

    #[test]
    fn what_moved_to_a_good_file_comes_from_there() {
        let found = recovered(
            vec![
                file("a.yaml", "silences: ["),
                file("b.yaml", &declaring(&["moved"])),
            ],
            &[version("a.yaml", &declaring(&["moved", "stayed"]), "1")],
        );
        assert_eq!(found, ["b.yaml moved", "a.yaml stayed"]);
    }

    #[test]
    fn a_file_that_was_renamed_and_broken_keeps_what_it_mentions() {
        let broken = declaring(&["kept"]).replace("matchers", "matcher");
        let found = recovered(
            vec![file("new.yaml", &broken)],
            &[version("old.yaml", &declaring(&["kept", "removed"]), "1")],
        );
        assert_eq!(found, ["old.yaml kept"]);
    }

    #[test]
    fn a_broken_file_brings_nothing_back_that_another_declared() {
        let unreadable = SnapshotFile {
            path: "b.yaml".to_owned(),
            content: Err("input/output error".to_owned()),
        };
        let found = recovered(
            vec![unreadable],
            &[
                version("b.yaml", &declaring(&["stays"]), "2"),
                version("gone.yaml", &declaring(&["removed"]), "1"),
            ],
        );
        assert_eq!(found, ["b.yaml stays"]);
    }

    #[test]
    fn references_into_good_files_still_hold() {
        let intervals = "time_intervals:\n  - name: nights\n    time_intervals: [{times: [{start_time: '00:00', end_time: '06:00'}], location: UTC}]\n";
        let user =
            declaring(&["night"]).replace("schedule: always", "schedule: {time_interval: nights}");
        let found = recovered(
            vec![file("a.yaml", "silences: ["), file("names.yaml", intervals)],
            &[version("a.yaml", &user, "1")],
        );
        assert_eq!(found, ["a.yaml night"]);
    }
}
