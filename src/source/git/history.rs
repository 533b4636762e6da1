//! What did a file say before? Its earlier versions, for when the newest one
//! cannot be read.

use std::path::{Path, PathBuf};

use git2::{Commit, Delta, ErrorCode, Oid, Repository, Tree};
use serde::{Deserialize, Serialize};

use super::mirror::MirrorPath;
use super::{failure, initialise, open};
use crate::source::bounds::{Bounds, FileName};
use crate::source::error::SourceError;
use crate::source::settings::GitSettings;

/// One version of a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HistoricVersion {
    /// The commit that made it, in full.
    pub commit: String,
    /// The bytes of the file.
    pub content: Vec<u8>,
}

/// The versions of one file, newest first, as they came about along the first
/// parents of `commit`: what was merged counts as one change. `path` is relative
/// to the root of the declarations. A rename is not followed: the new name has
/// no earlier versions.
///
/// At most `limit` versions, and no further back than
/// [`Bounds::history_commits`]; versions that are too large are left out, so
/// there are at most `limit` × [`Bounds::file_bytes`] in memory.
/// Needs no network: what the last fetch brought is all that there is.
pub fn read_history(
    settings: &GitSettings,
    mirror: &MirrorPath,
    bounds: &Bounds,
    commit: &str,
    path: &str,
    limit: usize,
) -> Result<Vec<HistoricVersion>, SourceError> {
    initialise()?;
    let repository = open(mirror.path())?;
    let path: PathBuf = settings.path.parts().chain(path.split('/')).collect();
    let read = || -> Result<Vec<HistoricVersion>, git2::Error> {
        let mut versions = Vec::new();
        let mut commit = Some(repository.find_commit(Oid::from_str(commit)?)?);
        let mut content = commit.as_ref().map_or(Ok(None), |it| blob_at(it, &path))?;
        for _ in 0..bounds.history_commits {
            let Some(current) = commit.take().filter(|_| versions.len() < limit) else {
                break;
            };
            let parent = first_parent(&current)?;
            let before = parent.as_ref().map_or(Ok(None), |it| blob_at(it, &path))?;
            if content != before
                && let Some(blob) = content
                && let Some(content) = read_small(&repository, blob, bounds)?
            {
                versions.push(HistoricVersion {
                    commit: current.id().to_string(),
                    content,
                });
            }
            (commit, content) = (parent, before);
        }
        Ok(versions)
    };
    read().map_err(|error| failure::local(mirror.path(), &error))
}

/// The declaration files that the latest hundred commits took away,
/// with what each said last, most lately removed first. A file that was renamed
/// is among them under its old name. At most `limit` of them.
pub fn read_vanished(
    settings: &GitSettings,
    mirror: &MirrorPath,
    bounds: &Bounds,
    commit: &str,
    limit: usize,
) -> Result<Vec<(String, HistoricVersion)>, SourceError> {
    initialise()?;
    let repository = open(mirror.path())?;
    let root: PathBuf = settings.path.parts().collect();
    let read = || -> Result<Vec<(String, HistoricVersion)>, git2::Error> {
        let newest = repository.find_commit(Oid::from_str(commit)?)?;
        let mut vanished: Vec<(String, HistoricVersion)> = Vec::new();
        let mut current = newest.clone();
        for _ in 0..VANISHED_COMMITS {
            let Some(parent) = first_parent(&current)? else {
                break;
            };
            let before = tree_at(&repository, &parent, &root)?;
            let after = tree_at(&repository, &current, &root)?;
            let diff = repository.diff_tree_to_tree(before.as_ref(), after.as_ref(), None)?;
            for delta in diff
                .deltas()
                .filter(|delta| delta.status() == Delta::Deleted)
            {
                let Some(path) = delta.old_file().path().and_then(|path| path.to_str()) else {
                    continue;
                };
                let is_known = vanished.iter().any(|(known, _)| known == path);
                let is_back = blob_at(&newest, &root.join(path))?.is_some();
                if is_known || is_back || !is_declaration(path) || vanished.len() >= limit {
                    continue;
                }
                if let Some(content) = read_small(&repository, delta.old_file().id(), bounds)? {
                    let commit = parent.id().to_string();
                    vanished.push((path.to_owned(), HistoricVersion { commit, content }));
                }
            }
            current = parent;
        }
        Ok(vanished)
    };
    read().map_err(|error| failure::local(mirror.path(), &error))
}

/// A rename that broke its file is noticed at once or soon; beyond a working
/// week of merges nobody means the old file any more.
const VANISHED_COMMITS: usize = 100;

fn is_declaration(path: &str) -> bool {
    let mut names = path.rsplit('/').map(|name| FileName::of(name.as_bytes()));
    names.next() == Some(FileName::Declaration) && names.all(|name| name != FileName::Hidden)
}

fn tree_at<'a>(
    repository: &'a Repository,
    commit: &Commit<'a>,
    root: &Path,
) -> Result<Option<Tree<'a>>, git2::Error> {
    let tree = commit.tree()?;
    if root.as_os_str().is_empty() {
        return Ok(Some(tree));
    }
    match tree.get_path(root) {
        Ok(entry) => repository.find_tree(entry.id()).map(Some),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn first_parent<'a>(commit: &Commit<'a>) -> Result<Option<Commit<'a>>, git2::Error> {
    match commit.parent(0) {
        Ok(parent) => Ok(Some(parent)),
        Err(error) if commit.parent_count() == 0 || error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The blob of a regular file at a path of a commit.
fn blob_at(commit: &Commit<'_>, path: &Path) -> Result<Option<Oid>, git2::Error> {
    match commit.tree()?.get_path(path) {
        Ok(entry) => Ok((entry.filemode_raw() & 0o170_000 == 0o100_000).then(|| entry.id())),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn read_small(
    repository: &Repository,
    blob: Oid,
    bounds: &Bounds,
) -> Result<Option<Vec<u8>>, git2::Error> {
    let objects = repository.odb()?;
    let (size, _) = objects.read_header(blob)?;
    if size as u64 > bounds.file_bytes {
        return Ok(None);
    }
    Ok(Some(objects.read(blob)?.data().to_vec()))
}
