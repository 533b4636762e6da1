//! What does a Git repository declare? Brings a bare mirror up to date and
//! reads the declarations from its object database, without a checkout.
//!
//! libgit2 has no deadline for a whole operation, so the work is one plain
//! function of values that can be sent to another process, and that process
//! can be killed: whatever it leaves behind, the next call copes with.

mod failure;
mod history;
mod library;
mod mirror;
mod reference;
mod remote;
mod tree;

use std::fmt;
use std::path::Path;

use git2::Repository;
use serde::{Deserialize, Serialize};

pub use history::{HistoricVersion, read_history, read_since};
pub use library::initialise;
pub use mirror::MirrorPath;

use super::bounds::Bounds;
use super::error::SourceError;
use super::settings::{GitReference, GitSettings};
use crate::snapshot::Snapshot;

/// How far a fetch is, and what is worth knowing about it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Progress {
    /// Objects arrive.
    Receiving {
        /// Objects received so far.
        objects: usize,
        /// Objects in all.
        total_objects: usize,
        /// Bytes received so far.
        bytes: usize,
    },
    /// Something that people should read.
    Note(Note),
}

/// What is no error and still worth a line in the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Note {
    /// The new commit does not descend from the one before: somebody pushed by
    /// force, moved a tag, or made another branch the default.
    HistoryRewritten {
        /// What moved.
        reference: GitReference,
        /// The commit before, in full.
        from: String,
        /// The commit now, in full.
        to: String,
    },
    /// A branch and a tag have the wanted name; the branch is read.
    BranchAndTag {
        /// The name.
        reference: GitReference,
    },
    /// The mirror is thrown away and cloned again.
    MirrorRebuilt {
        /// Why.
        reason: String,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HistoryRewritten {
                reference,
                from,
                to,
            } => write!(
                formatter,
                "`{reference}` moved to commit `{to}`, which does not descend from `{from}`: \
                 its history was rewritten, or it names something else now"
            ),
            Self::BranchAndTag { reference } => write!(
                formatter,
                "`{reference}` is a branch and a tag; the branch is read. \
                 Write `refs/tags/{reference}` for the tag"
            ),
            Self::MirrorRebuilt { reason } => {
                write!(formatter, "the local mirror is cloned again: {reason}")
            }
        }
    }
}

/// Fetches what `settings` name into the mirror and reads its declarations.
///
/// Blocks; one call at a time for a mirror, which a lock enforces. When nothing
/// is new, one advertisement of the remote's refs is all that travels. A mirror
/// that is damaged or has grown is cloned again, once, beside the old one,
/// which is replaced only by a complete clone; a failure of the network never
/// costs the mirror.
pub fn fetch_snapshot(
    settings: &GitSettings,
    mirror: &MirrorPath,
    bounds: &Bounds,
    progress: &mut dyn FnMut(Progress),
) -> Result<Snapshot, SourceError> {
    initialise()?;
    let _lock = mirror.lock()?;
    if mirror.exists() {
        let reason = match mirror.reason_to_rebuild(bounds)? {
            Some(reason) => reason,
            None => match update(settings, mirror, bounds, progress) {
                Err(SourceError::Local { reason, .. }) => reason,
                outcome => return outcome,
            },
        };
        progress(Progress::Note(Note::MirrorRebuilt { reason }));
    }
    rebuild(settings, mirror, bounds, progress)
}

fn update(
    settings: &GitSettings,
    mirror: &MirrorPath,
    bounds: &Bounds,
    progress: &mut dyn FnMut(Progress),
) -> Result<Snapshot, SourceError> {
    let repository = open(mirror.path())?;
    let commit = remote::fetch_commit(&repository, settings, bounds, progress)?;
    tree::read_snapshot(&repository, settings, bounds, commit)
}

fn rebuild(
    settings: &GitSettings,
    mirror: &MirrorPath,
    bounds: &Bounds,
    progress: &mut dyn FnMut(Progress),
) -> Result<Snapshot, SourceError> {
    let fresh = mirror.prepare_fresh()?;
    let repository =
        Repository::init_bare(&fresh).map_err(|error| failure::local(&fresh, &error))?;
    let commit = match remote::fetch_commit(&repository, settings, bounds, progress) {
        Err(
            error @ (SourceError::Local { .. }
            | SourceError::Remote { .. }
            | SourceError::TooLarge { .. }),
        ) => return Err(error),
        // Any other error is about what was asked for. The clone is sound, and
        // kept, so that the next attempt need not fetch it all again.
        outcome => outcome,
    };
    drop(repository);
    mirror.adopt_fresh()?;
    tree::read_snapshot(&open(mirror.path())?, settings, bounds, commit?)
}

/// Opens a mirror. A bare repository is exempt from libgit2's check of its
/// owner, which mounted volumes with a changed user id would fail.
fn open(path: &Path) -> Result<Repository, SourceError> {
    Repository::open_bare(path).map_err(|error| failure::local(path, &error))
}
