//! Where is our copy of the repository? A bare mirror in a cache directory: its
//! lock, its growth, and its replacement by a fresh clone.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::source::bounds::Bounds;
use crate::source::digest::Digest;
use crate::source::error::SourceError;
use crate::source::settings::GitUrl;

/// The directory of one mirror. Beside it live `….lock`, which a process holds
/// while it works, and `….fresh`, a clone that is not complete yet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MirrorPath(PathBuf);

impl MirrorPath {
    /// The mirror of this repository: each URL has its own, so that commits of
    /// one are never found in another.
    #[must_use]
    pub fn in_cache(cache: &Path, url: &GitUrl) -> Self {
        let name = Digest::new().field(url.as_str().as_bytes()).finish();
        Self(cache.join(format!("{name}.git")))
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn exists(&self) -> bool {
        self.0.exists()
    }

    /// Takes the lock. The kernel releases it when the process dies, so it cannot
    /// go stale as Git's own lock files do.
    pub(super) fn lock(&self) -> Result<MirrorLock, SourceError> {
        let path = self.0.with_extension("lock");
        let open = || {
            if let Some(cache) = path.parent() {
                fs::create_dir_all(cache)?;
            }
            File::create(&path)
        };
        let file = open().map_err(|error| SourceError::local(&path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(MirrorLock(file)),
            Err(TryLockError::WouldBlock) => Err(SourceError::MirrorInUse {
                path: self.0.clone(),
            }),
            Err(TryLockError::Error(error)) => Err(SourceError::local(&path, &error)),
        }
    }

    /// Why the mirror should be cloned anew before it is used, if it should.
    pub(super) fn reason_to_rebuild(&self, bounds: &Bounds) -> Result<Option<String>, SourceError> {
        let directory = self.0.join("objects").join("pack");
        let paths = match list(&directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            outcome => outcome,
        }
        .map_err(|error| SourceError::local(&directory, &error))?;
        // A fetch that was killed leaves its temporary pack, which nothing else
        // ever removes; under our lock nobody writes one now.
        if paths.iter().any(|path| is_unfinished(path)) {
            return Ok(Some("a fetch was killed in the midst of it".to_owned()));
        }
        let packs = paths.iter().filter(|path| is_pack(path)).count();
        Ok((packs >= bounds.packs).then(|| format!("it has grown to {packs} packs")))
    }

    fn fresh(&self) -> PathBuf {
        self.0.with_extension("fresh")
    }

    /// An empty place beside the mirror for a new clone.
    pub(super) fn prepare_fresh(&self) -> Result<PathBuf, SourceError> {
        let fresh = self.fresh();
        remove_if_present(&fresh).map_err(|error| SourceError::local(&fresh, &error))?;
        Ok(fresh)
    }

    /// Puts the new clone in the mirror's place.
    pub(super) fn adopt_fresh(&self) -> Result<(), SourceError> {
        remove_if_present(&self.0)
            .and_then(|()| fs::rename(self.fresh(), &self.0))
            .map_err(|error| SourceError::local(&self.0, &error))
    }
}

/// The right to work on a mirror, until it is dropped.
pub(super) struct MirrorLock(File);

impl Drop for MirrorLock {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that another thread has just
        // forked holds a copy until it executes its program, and the lock with
        // it. Unlocking counts for all copies. It fails only for a bad file.
        drop(self.0.unlock());
    }
}

fn list(directory: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(directory)?
        .map(|entry| Ok(entry?.path()))
        .collect()
}

fn is_pack(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "pack")
}

/// libgit2's own name for a pack that it is still receiving.
fn is_unfinished(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"pack_git2_"))
}

fn remove_if_present(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}
