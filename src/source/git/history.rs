//! What did a file say before? Its earlier versions, for when the newest one
//! cannot be read, and to see what changed since.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use git2::{Commit, Delta, ErrorCode, Oid, Repository, Tree};
use serde::{Deserialize, Serialize};

use super::mirror::MirrorPath;
use super::{failure, initialise, open};
use crate::snapshot::{Revision, Snapshot, SnapshotFile};
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

/// What some files said since a commit: all of them together, as they were after
/// each commit that changed any of them, newest first, along the first parents
/// of `commit`. The last is what they said at the commit whose id begins with
/// `since`. `paths` are relative to the root of the declarations; a file that did
/// not exist then, or is too large, is left out.
///
/// `None` when the answer would have more than `limit` states or
/// [`Bounds::past_bytes`], or when that commit is not among the latest
/// [`Bounds::history_commits`]: the history may have been rewritten.
pub fn read_since(
    settings: &GitSettings,
    mirror: &MirrorPath,
    bounds: &Bounds,
    commit: &str,
    since: &str,
    paths: &BTreeSet<String>,
    limit: usize,
) -> Result<Option<Vec<Snapshot>>, SourceError> {
    if since.len() < SHORTEST_COMMIT {
        return Ok(None);
    }
    initialise()?;
    let repository = open(mirror.path())?;
    let root: PathBuf = settings.path.parts().collect();
    let read = || -> Result<Option<Vec<Snapshot>>, git2::Error> {
        let mut states = Vec::new();
        let mut bytes = 0;
        let mut next = Some(repository.find_commit(Oid::from_str(commit)?)?);
        for _ in 0..bounds.history_commits {
            let Some(current) = next.take() else {
                break;
            };
            let parent = first_parent(&current)?;
            let is_last = current.id().to_string().starts_with(since);
            if is_last || touches(&repository, parent.as_ref(), &current, &root, paths)? {
                let state = read_state(&repository, &current, &root, paths, bounds)?;
                let contents = state.files.iter().flat_map(|file| &file.content);
                bytes += contents.map(Vec::len).sum::<usize>();
                if states.len() >= limit || bytes > bounds.past_bytes {
                    break;
                }
                states.push(state);
            }
            if is_last {
                return Ok(Some(states));
            }
            next = parent;
        }
        Ok(None)
    };
    read().map_err(|error| failure::local(mirror.path(), &error))
}

/// A shorter beginning of an id would fit many commits; markers have as much.
const SHORTEST_COMMIT: usize = 7;

/// Whether a commit changed any of the files.
fn touches(
    repository: &Repository,
    parent: Option<&Commit<'_>>,
    commit: &Commit<'_>,
    root: &Path,
    paths: &BTreeSet<String>,
) -> Result<bool, git2::Error> {
    let after = tree_at(repository, commit, root)?;
    let before = match parent {
        Some(parent) => tree_at(repository, parent, root)?,
        None => None,
    };
    if before.as_ref().map(Tree::id) == after.as_ref().map(Tree::id) {
        return Ok(false);
    }
    let diff = repository.diff_tree_to_tree(before.as_ref(), after.as_ref(), None)?;
    Ok(diff.deltas().any(|delta| {
        let path = delta.new_file().path().and_then(Path::to_str);
        path.is_some_and(|path| paths.contains(path))
    }))
}

fn read_state(
    repository: &Repository,
    commit: &Commit<'_>,
    root: &Path,
    paths: &BTreeSet<String>,
    bounds: &Bounds,
) -> Result<Snapshot, git2::Error> {
    let mut files = Vec::new();
    for path in paths {
        let Some(blob) = blob_at(commit, &root.join(path))? else {
            continue;
        };
        if let Some(content) = read_small(repository, blob, bounds)? {
            files.push(SnapshotFile {
                path: path.clone(),
                content: Ok(content),
            });
        }
    }
    Ok(Snapshot {
        revision: Revision::Commit(commit.id().to_string()),
        files,
        skipped: Vec::new(),
    })
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
