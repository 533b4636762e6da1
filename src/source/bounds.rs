//! How much is too much? The limits of what is read, and the snapshot that is
//! built within them.
//!
//! A file that is too large is broken and the others are read. Everything else
//! fails the whole read: a snapshot that silently lacks files would look like
//! a request to expire their silences.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::snapshot::{SkippedPath, SnapshotFile};

/// The limits of one read. They are arguments so that tests can lower them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Bounds {
    /// Declaration files.
    pub files: usize,
    /// Files and directories looked at. A Git tree of a few kilobytes can name
    /// the same subtree often enough to unfold into billions of paths.
    pub entries: usize,
    /// Bytes of one file; a larger one is never read into memory.
    pub file_bytes: u64,
    /// Bytes of all files together.
    pub total_bytes: u64,
    /// Directories inside each other, below the root of the declarations.
    pub depth: usize,
    /// Bytes of a path, relative to the root of the declarations.
    pub path_bytes: usize,
    /// Bytes that one fetch may receive.
    pub received_bytes: usize,
    /// Packs in a mirror; libgit2 adds one with every update and never
    /// repacks, so at this number the mirror is cloned anew.
    pub packs: usize,
    /// Commits looked at in search of files' versions.
    pub history_commits: usize,
    /// Earlier versions of all files together, in search of readable ones.
    pub history_versions: usize,
    /// Bytes of files at several times, in search of what changed or was readable.
    pub past_bytes: usize,
}

impl Bounds {
    /// The limits of the product.
    pub const DEFAULT: Self = Self {
        // A hundred teams with a hundred files each.
        files: 10_000,
        // Ten other files or directories for each declaration file.
        entries: 100_000,
        // 1 MiB: some 4,000 declarations of ten lines of 25 bytes.
        file_bytes: 1 << 20,
        // 64 MiB: 10,000 files of 6.5 KiB; half of a pod with 128 MiB.
        total_bytes: 64 << 20,
        // The deepest layout known (region/cluster/namespace/team/topic), six times.
        depth: 32,
        // A quarter of Linux's PATH_MAX of 4,096.
        path_bytes: 1_024,
        // 512 MiB: eight times all the files, for the history of a repository
        // that is shared with other things, and half of a usual 1 GiB volume.
        received_bytes: 512 << 20,
        // Twenty merges a day make it a clone every five days.
        packs: 100,
        // About a year of thirty merges a day; some 0.2 s of reading trees, or 2 s with a
        // thousand files in one directory.
        history_commits: 10_000,
        // One for each of the files, or ten for each of a tenth.
        history_versions: 10_000,
        // 8 MiB: 50 versions of a file of 160 KiB, one of eight of the largest, or ten
        // of each of 120 files of 6.5 KiB; a reading takes a quarter of a second.
        past_bytes: 8 << 20,
    };
}

/// Which limit was exceeded, with its value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each says in words below what it counts")]
pub enum ExceededBound {
    Files(usize),
    Entries(usize),
    TotalBytes(u64),
    Depth { path: String, limit: usize },
    PathBytes { path: String, limit: usize },
    ReceivedBytes(usize),
}

impl fmt::Display for ExceededBound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files(limit) => write!(formatter, "more than {limit} declaration files"),
            Self::Entries(limit) => write!(formatter, "more than {limit} files and directories"),
            Self::TotalBytes(limit) => {
                write!(formatter, "more than {limit} bytes of declarations")
            }
            Self::Depth { path, limit } => {
                write!(formatter, "`{path}` is more than {limit} directories deep")
            }
            Self::PathBytes { path, limit } => write!(
                formatter,
                "the path that begins with `{path}` is longer than {limit} bytes"
            ),
            Self::ReceivedBytes(limit) => {
                write!(formatter, "one fetch would receive more than {limit} bytes")
            }
        }
    }
}

/// Gathers files until a limit is met.
pub(super) struct SnapshotBuilder<'a> {
    pub(super) bounds: &'a Bounds,
    files: Vec<SnapshotFile>,
    skipped: Vec<SkippedPath>,
    entries: usize,
    bytes: u64,
}

impl<'a> SnapshotBuilder<'a> {
    pub(super) fn new(bounds: &'a Bounds) -> Self {
        Self {
            bounds,
            files: Vec::new(),
            skipped: Vec::new(),
            entries: 0,
            bytes: 0,
        }
    }

    /// Counts a file or directory that is about to be looked at, so many
    /// directories below the root.
    pub(super) fn visit(&mut self, path: &str, depth: usize) -> Result<(), ExceededBound> {
        let bounds = self.bounds;
        self.entries += 1;
        if self.entries > bounds.entries {
            Err(ExceededBound::Entries(bounds.entries))
        } else if path.len() > bounds.path_bytes {
            Err(ExceededBound::PathBytes {
                path: path.chars().take(64).collect(),
                limit: bounds.path_bytes,
            })
        } else if depth > bounds.depth {
            Err(ExceededBound::Depth {
                path: path.to_owned(),
                limit: bounds.depth,
            })
        } else {
            Ok(())
        }
    }

    /// Why a file of this size is not read, if it is not.
    pub(super) fn refuse_size(&self, size: u64) -> Option<String> {
        let limit = self.bounds.file_bytes;
        (size > limit)
            .then(|| format!("it has {size} bytes, and at most {limit} are read; split the file"))
    }

    pub(super) fn add(
        &mut self,
        path: String,
        content: Result<Vec<u8>, String>,
    ) -> Result<(), ExceededBound> {
        self.bytes += content.as_ref().map_or(0, |bytes| bytes.len() as u64);
        self.files.push(SnapshotFile { path, content });
        if self.files.len() > self.bounds.files {
            Err(ExceededBound::Files(self.bounds.files))
        } else if self.bytes > self.bounds.total_bytes {
            Err(ExceededBound::TotalBytes(self.bounds.total_bytes))
        } else {
            Ok(())
        }
    }

    pub(super) fn skip(&mut self, path: String, reason: impl Into<String>) {
        let reason = reason.into();
        self.skipped.push(SkippedPath { path, reason });
    }

    /// What was gathered, each part ordered by path.
    pub(super) fn finish(mut self) -> (Vec<SnapshotFile>, Vec<SkippedPath>) {
        self.files.sort_by(|left, right| left.path.cmp(&right.path));
        self.skipped
            .sort_by(|left, right| left.path.cmp(&right.path));
        (self.files, self.skipped)
    }
}

/// What a name says about a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FileName {
    /// Begins with a dot: neither it nor what is in it is read.
    Hidden,
    /// Ends in `.yaml` or `.yml`.
    Declaration,
    /// Ends in one of them but for case, which is likely a mistake.
    Miscased,
    /// Anything else: documentation, scripts.
    Other,
}

/// The reason that people see for [`FileName::Miscased`].
pub(super) const MISCASED: &str =
    "only names that end in `.yaml` or `.yml`, in lower case, are read";

impl FileName {
    pub(super) fn of(name: &[u8]) -> Self {
        let ends_with = |ending: &[u8]| name.len() > ending.len() && name.ends_with(ending);
        if name.starts_with(b".") {
            return Self::Hidden;
        }
        if ends_with(b".yaml") || ends_with(b".yml") {
            return Self::Declaration;
        }
        let lower = name.to_ascii_lowercase();
        if lower.ends_with(b".yaml") || lower.ends_with(b".yml") {
            Self::Miscased
        } else {
            Self::Other
        }
    }
}

/// `parent/name`, or just the name at the root.
pub(super) fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() {
        name.to_owned()
    } else {
        format!("{parent}/{name}")
    }
}
