//! What did files say before? Git knows; of a directory the process remembers
//! the last good version of each file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::pin::Pin;

use crate::declaration::{Declarations, EarlierVersion};
use crate::snapshot::{Revision, Snapshot, SnapshotFile};

/// Reads what these files, and files that are gone, said before a revision, the
/// newest version first; or says why it cannot.
pub type ReadHistory = Box<
    dyn Fn(
            Revision,
            Vec<String>,
        ) -> Pin<Box<dyn Future<Output = Result<Vec<EarlierVersion>, String>> + Send>>
        + Send
        + Sync,
>;

/// Where earlier versions come from.
pub(super) struct History {
    read: Option<ReadHistory>,
    /// The files of the last good snapshot of a directory, by path; while some
    /// are broken, also those that are gone since, and those as of then that
    /// broken ones need.
    remembered: BTreeMap<String, EarlierVersion>,
}

impl History {
    pub(super) const fn new() -> Self {
        Self {
            read: None,
            remembered: BTreeMap::new(),
        }
    }

    pub(super) fn read_with(&mut self, read: ReadHistory) {
        self.read = Some(read);
    }

    /// What may stand in for the broken files of a revision, which were read as
    /// `declarations`; an error if that is not known now and may be later.
    pub(super) async fn before(
        &self,
        revision: &Revision,
        declarations: &Declarations,
    ) -> Result<Vec<EarlierVersion>, String> {
        let paths = declarations.to_look_back_at();
        if let (Some(read), Revision::Commit(_)) = (&self.read, revision) {
            return read(revision.clone(), paths).await;
        }
        let paths: BTreeSet<String> = paths.into_iter().collect();
        let remembered = self.remembered.values().filter(|version| {
            paths.contains(&version.path) || !declarations.paths.contains(&version.path)
        });
        Ok(remembered.cloned().collect())
    }

    /// Remembers the good files of a directory, and the broken ones that are good
    /// but for what they refer to.
    pub(super) fn keep(&mut self, snapshot: Snapshot, declarations: &Declarations) {
        if self.read.is_some() && matches!(snapshot.revision, Revision::Commit(_)) {
            return;
        }
        let mut passed_over: BTreeSet<&String> =
            declarations.broken.iter().map(|file| &file.path).collect();
        if passed_over.is_empty() {
            self.remembered.clear();
        }
        for stand_in in &declarations.stand_ins {
            if stand_in.is_present {
                passed_over.remove(&stand_in.path);
            }
        }
        let stand_ins = declarations.stand_ins.iter();
        passed_over.extend(stand_ins.flat_map(|stand_in| stand_in.names.keys()));
        for SnapshotFile { path, content } in snapshot.files {
            if let (Ok(content), false) = (content, passed_over.contains(&path)) {
                let version = EarlierVersion {
                    path: path.clone(),
                    content,
                    revision: snapshot.revision.clone(),
                };
                self.remembered.insert(path, version);
            }
        }
    }
}

impl fmt::Debug for History {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths = self.remembered.keys();
        formatter.debug_list().entries(paths).finish()
    }
}
