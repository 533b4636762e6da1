//! What did a broken file say before? Its newest readable version, so that a
//! hold freezes content and not coverage.
//!
//! A file that is broken only by what it refers to goes on as it is now, with
//! names as they were: the name is in a file that is broken itself or gone, or it
//! was taken out of a good one. A name that no good file defines means what the
//! newest readable version says that defined it; what good files define is
//! never overridden. [`earlier`](super::earlier) finds these versions.
//!
//! A broken file's own earlier versions are tried, and those of files that are
//! gone: a file may have been renamed and broken in the same commit. What a
//! good file declares now is never taken from an earlier version, so a
//! declaration that moved from a broken file to a good one comes from there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::earlier::{Candidate, Readable, newest_readable};
use super::{BrokenFile, Declaration, Declarations, policy};
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

/// What stands in for a broken file: an earlier version of it, or the present
/// one with names as they were.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StandIn {
    /// The path that it had.
    pub path: String,
    /// Its revision: the one that is read, for the present version.
    pub revision: Revision,
    /// Whether it is what the file says now, and broken is only what it refers to.
    pub is_present: bool,
    /// The files whose names it uses as they were before, and as of which revision.
    pub names: BTreeMap<String, Revision>,
    /// What it declares, and no good file; none for a file of names alone.
    pub silences: BTreeSet<SilenceName>,
}

/// Why what it declares is held, for people.
impl fmt::Display for StandIn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, revision, .. } = self;
        let names = self.names.iter();
        let names = names.map(|(path, revision)| format!("`{path}` as of {revision}"));
        let names = names.collect::<Vec<_>>().join(" and ");
        match (self.is_present, names.as_str()) {
            (true, "") => write!(formatter, "`{path}` is broken by what it refers to"),
            (true, names) => write!(
                formatter,
                "`{path}` is broken by what it refers to and goes on with {names}"
            ),
            (false, "") => write!(
                formatter,
                "`{path}` cannot be read and goes on as of {revision}"
            ),
            (false, names) => write!(
                formatter,
                "`{path}` cannot be read and goes on as of {revision}, with {names}"
            ),
        }
    }
}

impl Declarations {
    /// Whether every file says what is declared, or something stands in for it,
    /// and the policy what of that is allowed.
    #[must_use]
    pub fn are_all_known(&self) -> bool {
        let standing: BTreeSet<&str> = self.stand_ins.iter().map(|it| it.path.as_str()).collect();
        self.ambiguous.is_empty()
            && self.unenforced_policy.is_none()
            && self
                .broken
                .iter()
                .all(|file| standing.contains(file.path.as_str()))
    }

    /// What stands in for the broken file that declares a silence.
    #[must_use]
    pub fn stand_in(&self, name: &SilenceName) -> Option<&StandIn> {
        self.stand_ins
            .iter()
            .find(|stand_in| stand_in.silences.contains(name))
    }

    /// The files whose earlier versions [`recover`](Self::recover) can use,
    /// beside those of files that are gone: those that may define names come
    /// first, as others depend on them. While a name is unknown, good files are
    /// among them: it may have been taken out of one.
    #[must_use]
    pub fn to_look_back_at(&self) -> Vec<String> {
        let broken = self.broken_paths();
        let mut unknown = self.diagnostics.iter();
        let is_unknown = unknown.any(|finding| finding.code == "unknown-name");
        let definers = self.known.definers().iter();
        let definers: BTreeSet<&str> = definers
            .map(String::as_str)
            .filter(|path| is_unknown || broken.contains(path))
            .collect();
        let others = broken.difference(&definers);
        let paths = definers.iter().chain(others);
        paths.map(|path| (*path).to_owned()).collect()
    }

    fn broken_paths(&self) -> BTreeSet<&str> {
        self.broken.iter().map(|file| file.path.as_str()).collect()
    }

    /// Lets each broken file go on as its newest readable version, of what it says
    /// now and the versions of its path among `earlier`, which come newest first.
    ///
    /// It costs some readings of all that defines names or did so, and one of the
    /// rest of `earlier`; the caller bounds how much that is.
    pub fn recover(
        &mut self,
        snapshot: &Snapshot,
        earlier: &[EarlierVersion],
        zones: &ZoneDatabase,
    ) {
        let present = self.broken.iter().filter_map(|file| {
            Some(Candidate {
                file: SnapshotFile {
                    path: file.path.clone(),
                    content: Ok(file.content.clone()?),
                },
                revision: snapshot.revision.clone(),
                is_present: true,
            })
        });
        let earlier = earlier
            .iter()
            .filter(|version| !policy::is_at(&version.path));
        let earlier = earlier.map(|version| Candidate {
            file: SnapshotFile {
                path: version.path.clone(),
                content: Ok(version.content.clone()),
            },
            revision: version.revision.clone(),
            is_present: false,
        });
        let versions: Vec<Candidate> = present.chain(earlier).collect();
        let broken = self.broken_paths();
        let definers: BTreeSet<&String> = self.known.definers().iter().collect();
        let good = snapshot
            .files
            .iter()
            .filter(|file| definers.contains(&file.path) && !broken.contains(file.path.as_str()));
        let good: Vec<&SnapshotFile> = good.collect();
        // A good file's earlier versions are there for their names alone.
        let wanted = |path: &str| broken.contains(path) || !self.paths.contains(path);
        let readable = newest_readable(&good, &versions, wanted, zones);
        let readable = readable.into_iter().map(
            |Readable {
                 version,
                 silences,
                 names,
             }| {
                let stand_in = StandIn {
                    path: version.file.path.clone(),
                    revision: version.revision.clone(),
                    is_present: version.is_present,
                    names,
                    silences: BTreeSet::new(),
                };
                (stand_in, silences)
            },
        );
        self.go_on_as(readable.collect());
    }

    /// Lets each broken file go on as what stood for it in `before`, which was
    /// read of `revision`: for when nobody can look back further.
    pub fn carry_on(&mut self, before: &Self, revision: &Revision) {
        let mut silences: BTreeMap<&str, Vec<Arc<Declaration>>> = BTreeMap::new();
        for declaration in &before.silences {
            let of_file = silences.entry(&declaration.source).or_default();
            of_file.push(Arc::clone(declaration));
        }
        let (broken, broken_before) = (self.broken_paths(), before.broken_paths());
        let good = before
            .paths
            .iter()
            .filter(|path| !broken_before.contains(path.as_str()));
        let good = good.map(|path| StandIn {
            path: path.clone(),
            revision: revision.clone(),
            is_present: false,
            names: BTreeMap::new(),
            silences: BTreeSet::new(),
        });
        let stood_in = before.stand_ins.iter().map(|stand_in| StandIn {
            is_present: false,
            silences: BTreeSet::new(),
            ..stand_in.clone()
        });
        let all = good.chain(stood_in);
        let lost =
            all.filter(|it| broken.contains(it.path.as_str()) || !self.paths.contains(&it.path));
        let lost = lost.map(|stand_in| {
            let silences = silences.remove(stand_in.path.as_str()).unwrap_or_default();
            (stand_in, silences)
        });
        let lost = lost.collect();
        self.go_on_as(lost);
    }

    fn go_on_as(&mut self, readable: Vec<(StandIn, Vec<Arc<Declaration>>)>) {
        // A broken file that was readable under its own name goes on as that;
        // only one without such a version may be another's new name.
        let known: BTreeSet<&str> = readable.iter().map(|(it, _)| it.path.as_str()).collect();
        let successors: Vec<BrokenFile> = self
            .broken
            .iter()
            .filter(|file| !known.contains(file.path.as_str()))
            .cloned()
            .collect();
        let broken: BTreeSet<String> = self.broken.iter().map(|file| file.path.clone()).collect();
        let declared = self.silences.iter().map(|known| known.name.clone());
        let mut taken: BTreeSet<SilenceName> = declared.collect();
        taken.extend(self.ambiguous.iter().cloned());
        for (mut stand_in, mut silences) in readable {
            let is_broken = broken.contains(&stand_in.path);
            silences.retain(|declaration| {
                let name = &declaration.name;
                // Of a file that is gone only what a broken one may have taken over.
                let is_wanted = is_broken || successors.iter().any(|broken| broken.mentions(name));
                is_wanted && taken.insert(name.clone())
            });
            if is_broken || !silences.is_empty() {
                let names = silences.iter().map(|declaration| declaration.name.clone());
                stand_in.silences = names.collect();
                self.stand_ins.push(stand_in);
            }
            self.silences.extend(silences);
        }
        self.silences
            .sort_by(|left, right| left.name.cmp(&right.name));
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
