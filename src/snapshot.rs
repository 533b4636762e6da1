//! What did we read? One revision's files in memory: the core's whole input.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One revision of the declarations, complete and consistent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// Which one.
    pub revision: Revision,
    /// Every declaration file, ordered by path.
    pub files: Vec<SnapshotFile>,
    /// What was found and not read, such as links that leave the directory.
    pub skipped: Vec<SkippedPath>,
}

/// One file of a snapshot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SnapshotFile {
    /// Relative to the root of the declarations, with `/` between its parts.
    pub path: String,
    /// The bytes as they are, or why they could not be had. A file that cannot
    /// be read is broken; it is not absent.
    pub content: Result<Vec<u8>, String>,
}

/// A path that looks like a declaration and is not read, with the reason.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SkippedPath {
    /// Relative to the root of the declarations.
    pub path: String,
    /// Why, for people.
    pub reason: String,
}

/// Which state of the source this is.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Revision {
    /// A Git commit, in full hexadecimal.
    Commit(String),
    /// A plain directory: a digest of its files, so that a change is seen.
    Directory(String),
}

impl Revision {
    /// The commit, abbreviated to the seven digits that people know from
    /// `git log`; a directory has none.
    #[must_use]
    pub fn short_commit(&self) -> Option<&str> {
        match self {
            Self::Commit(id) => Some(id.get(..7).unwrap_or(id)),
            Self::Directory(_) => None,
        }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit(id) => formatter.write_str(id),
            Self::Directory(digest) => write!(formatter, "directory:{digest}"),
        }
    }
}
