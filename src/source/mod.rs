//! What is declared now? Reads a [`Snapshot`] from a directory or from a Git
//! repository.
//!
//! Everything here blocks: asynchronous callers go through `spawn_blocking`.
//! A failed read changes nothing: the caller keeps the last snapshot that it
//! got, and the next read starts from the same mirror.

mod bounds;
mod digest;
mod directory;
mod error;
mod git;
mod settings;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub use bounds::{Bounds, ExceededBound};
pub use directory::read_directory;
pub use error::{DirectoryProblem, RemoteFailure, SourceError};
pub use git::{
    HistoricVersion, MirrorPath, Note, Progress, fetch_snapshot, initialise, read_history,
    read_since,
};
pub use settings::{
    DeclarationsPath, GitReference, GitSettings, GitUrl, SourceSettings, SourceSettingsError,
};

use crate::snapshot::{Revision, Snapshot};

/// A place that declarations are read from, again and again.
#[derive(Debug)]
pub struct Source {
    settings: SourceSettings,
    bounds: Bounds,
    cache: Cache,
}

/// Where mirrors of Git repositories are kept.
#[derive(Debug)]
enum Cache {
    Given(PathBuf),
    Private(PrivateDirectory),
}

impl Source {
    /// Prepares to read, without reading yet; call it before there are threads,
    /// see [`initialise`]. `cache` is the directory for
    /// mirrors of Git repositories; it survives restarts, so that only what is
    /// new is fetched. Without one a private temporary directory is used, and
    /// removed on drop. A directory source needs neither.
    pub fn open(settings: SourceSettings, cache: Option<&Path>) -> Result<Self, SourceError> {
        if matches!(settings, SourceSettings::Git(_)) {
            initialise()?;
        }
        let cache = match (&settings, cache) {
            (SourceSettings::Git(_), None) => Cache::Private(PrivateDirectory::create()?),
            (_, cache) => Cache::Given(cache.map(Path::to_path_buf).unwrap_or_default()),
        };
        Ok(Self {
            settings,
            bounds: Bounds::DEFAULT,
            cache,
        })
    }

    /// Reads what is declared now; what is worth knowing on the way is logged.
    pub fn read(&mut self) -> Result<Snapshot, SourceError> {
        self.read_with_progress(&mut |progress| {
            if let Progress::Note(note) = progress {
                tracing::warn!("{note}");
            }
        })
    }

    /// The same, and tells `progress` how far it is, for people who watch.
    pub fn read_with_progress(
        &mut self,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Snapshot, SourceError> {
        match &self.settings {
            SourceSettings::Directory(path) => read_directory(path, &self.bounds),
            SourceSettings::Git(git) => {
                fetch_snapshot(git, &self.mirror(git), &self.bounds, progress)
            }
        }
    }

    /// What some files, and files that are gone, said before a revision; see
    /// [`read_history`]. A directory has no history, so the list is empty.
    pub fn read_history(
        &self,
        revision: &Revision,
        paths: &[String],
        limit: usize,
    ) -> Result<Vec<HistoricVersion>, SourceError> {
        match (&self.settings, revision) {
            (SourceSettings::Git(git), Revision::Commit(commit)) => {
                read_history(git, &self.mirror(git), &self.bounds, commit, paths, limit)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// What some files said at each change since a commit; see [`read_since`]. A
    /// directory has no history.
    pub fn read_since(
        &self,
        revision: &Revision,
        since: &str,
        paths: &BTreeSet<String>,
        limit: usize,
    ) -> Result<Option<Vec<Snapshot>>, SourceError> {
        match (&self.settings, revision) {
            (SourceSettings::Git(git), Revision::Commit(commit)) => {
                let mirror = self.mirror(git);
                read_since(git, &mirror, &self.bounds, commit, since, paths, limit)
            }
            _ => Ok(None),
        }
    }

    fn mirror(&self, git: &GitSettings) -> MirrorPath {
        let cache = match &self.cache {
            Cache::Given(path) => path,
            Cache::Private(directory) => &directory.path,
        };
        MirrorPath::in_cache(cache, &git.url)
    }
}

/// A directory that only this user can enter and that goes with its owner.
#[derive(Debug)]
struct PrivateDirectory {
    path: PathBuf,
}

impl PrivateDirectory {
    fn create() -> Result<Self, SourceError> {
        use std::os::unix::fs::DirBuilderExt;

        let path = std::env::temp_dir().join(format!("silenced-{:016x}", fastrand::u64(..)));
        // Fails when the name is taken, so nobody can lay one out beforehand.
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|error| SourceError::local(&path, &error))?;
        Ok(Self { path })
    }
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            tracing::warn!("cannot remove `{}`: {error}", self.path.display());
        }
    }
}
