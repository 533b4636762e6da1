//! What did files say before? Git knows; of a directory the process remembers
//! the last good version of each file.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;

use crate::declaration::{BrokenFile, EarlierVersion};
use crate::snapshot::{Revision, Snapshot, SnapshotFile};

/// Reads what broken files, and files that are gone, said before a revision;
/// versions of a path come newest first.
pub type ReadHistory = Box<
    dyn Fn(Revision, Vec<String>) -> Pin<Box<dyn Future<Output = Vec<EarlierVersion>> + Send>>
        + Send
        + Sync,
>;

/// Where earlier versions come from.
pub(super) struct History {
    read: Option<ReadHistory>,
    /// The files of the last good snapshot of a directory, by path; while some
    /// are broken, also those that are gone since.
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

    /// What may stand in for the broken files of a revision.
    pub(super) async fn before(
        &self,
        revision: &Revision,
        broken: &[BrokenFile],
    ) -> Vec<EarlierVersion> {
        match (&self.read, revision) {
            (Some(read), Revision::Commit(_)) => {
                let paths = broken.iter().map(|file| file.path.clone()).collect();
                read(revision.clone(), paths).await
            }
            _ => self.remembered.values().cloned().collect(),
        }
    }

    /// Remembers the good files of a directory.
    pub(super) fn keep(&mut self, snapshot: Snapshot, broken: &[BrokenFile]) {
        if self.read.is_some() && matches!(snapshot.revision, Revision::Commit(_)) {
            return;
        }
        if broken.is_empty() {
            self.remembered.clear();
        }
        for SnapshotFile { path, content } in snapshot.files {
            let is_broken = broken.iter().any(|broken| broken.path == path);
            if let (Ok(content), false) = (content, is_broken) {
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
