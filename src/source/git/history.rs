//! What did a file say before? Its earlier versions, for when the newest one
//! cannot be read, and to see what changed since.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use git2::{Commit, Delta, Diff, DiffFile, ErrorCode, Oid, Repository, Tree};
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
    /// Relative to the root of the declarations.
    pub path: String,
    /// The commit that made it, in full; of a file that is gone, the last that had it.
    pub commit: String,
    /// The bytes of the file.
    pub content: Vec<u8>,
}

/// What some files said before `commit`, and what those said last that the latest
/// hundred commits took away, the newest first: as it came about along the first
/// parents, so that what was merged counts as one change. `paths` are relative to
/// the root of the declarations. What a file says at `commit` itself is left out.
/// A rename is not followed: the new name has no earlier versions, and the old
/// one is among the files that are gone.
///
/// One walk for all of them, no further back than [`Bounds::history_commits`]. At
/// most `limit` versions of a file, and of all together [`Bounds::history_versions`]
/// and [`Bounds::past_bytes`]: first the newest of each file, in the order of
/// `paths`, then the one before of each, and so on. Versions that are too large
/// are left out.
/// Needs no network: what the last fetch brought is all that there is.
pub fn read_history(
    settings: &GitSettings,
    mirror: &MirrorPath,
    bounds: &Bounds,
    commit: &str,
    paths: &[String],
    limit: usize,
) -> Result<Vec<HistoricVersion>, SourceError> {
    initialise()?;
    let repository = open(mirror.path())?;
    let root: PathBuf = settings.path.parts().collect();
    let read = || -> Result<Vec<HistoricVersion>, git2::Error> {
        let newest = repository.find_commit(Oid::from_str(commit)?)?;
        let mut walk = Walk::new(&repository, newest, &root, paths, limit)?;
        for _ in 0..bounds.history_commits {
            if !walk.step()? {
                break;
            }
        }
        read_found(&repository, walk.found, bounds)
    };
    read().map_err(|error| failure::local(mirror.path(), &error))
}

/// From commit to parent, with what was found on the way.
struct Walk<'a> {
    repository: &'a Repository,
    root: &'a Path,
    newest: Commit<'a>,
    current: Option<Commit<'a>>,
    /// The root of the declarations there; reading it again would take as long as
    /// comparing it.
    tree: Option<Tree<'a>>,
    /// Commits that were looked at.
    walked: usize,
    wanted: BTreeMap<&'a str, Wanted>,
    /// How many of them have fewer versions than are looked for.
    incomplete: usize,
    limit: usize,
    found: Vec<Found>,
}

/// A file whose versions are looked for.
struct Wanted {
    /// Its place among the paths.
    rank: usize,
    /// What it is at the newest commit.
    present: Option<Oid>,
    versions: usize,
}

/// A version that is not read yet.
struct Found {
    path: String,
    commit: Oid,
    blob: Oid,
    /// Which are read first: by how many versions of its file are newer, and by
    /// the place of that.
    order: (usize, usize),
}

impl<'a> Walk<'a> {
    fn new(
        repository: &'a Repository,
        newest: Commit<'a>,
        root: &'a Path,
        paths: &'a [String],
        limit: usize,
    ) -> Result<Self, git2::Error> {
        let mut wanted = BTreeMap::new();
        for (rank, path) in paths.iter().enumerate() {
            let present = blob_at(&newest, &root.join(path))?;
            let versions = 0;
            wanted.insert(
                path.as_str(),
                Wanted {
                    rank,
                    present,
                    versions,
                },
            );
        }
        Ok(Self {
            repository,
            root,
            current: Some(newest.clone()),
            tree: tree_at(repository, &newest, root)?,
            newest,
            walked: 0,
            incomplete: wanted.len(),
            wanted,
            limit,
            found: Vec::new(),
        })
    }

    /// Looks at one commit; false when there is no more to be found.
    fn step(&mut self) -> Result<bool, git2::Error> {
        let looks_for_vanished = self.walked < VANISHED_COMMITS;
        let is_done = self.incomplete == 0 && !looks_for_vanished;
        let Some(commit) = self.current.take().filter(|_| !is_done) else {
            return Ok(false);
        };
        let parent = first_parent(&commit)?;
        let before = parent.as_ref();
        let before = before.map(|parent| tree_at(self.repository, parent, self.root));
        let before = before.transpose()?.flatten();
        let after = std::mem::replace(&mut self.tree, before.clone());
        let changes = changes(self.repository, before.as_ref(), after.as_ref())?;
        for change in changes.iter().flat_map(Diff::deltas) {
            let path = change.new_file().path().and_then(Path::to_str);
            let Some(path) = path else { continue };
            if change.status() != Delta::Deleted {
                self.find(path, &change.new_file(), commit.id());
            } else if let Some(parent) = parent.as_ref().filter(|_| looks_for_vanished) {
                self.find_vanished(path, change.old_file().id(), parent.id())?;
            }
        }
        self.walked += 1;
        self.current = parent;
        Ok(self.current.is_some())
    }

    fn find(&mut self, path: &str, file: &DiffFile<'_>, commit: Oid) {
        let Some(wanted) = self.wanted.get_mut(path) else {
            return;
        };
        let is_file = u32::from(file.mode()) & 0o170_000 == 0o100_000;
        if !is_file || wanted.versions >= self.limit || wanted.present == Some(file.id()) {
            return;
        }
        self.found.push(Found {
            path: path.to_owned(),
            commit,
            blob: file.id(),
            order: (wanted.versions, wanted.rank),
        });
        wanted.versions += 1;
        if wanted.versions == self.limit {
            self.incomplete -= 1;
        }
    }

    fn find_vanished(&mut self, path: &str, blob: Oid, commit: Oid) -> Result<(), git2::Error> {
        let mut vanished = self.found.iter().filter(|found| found.order == LAST);
        let is_known = vanished.clone().any(|found| found.path == path);
        if is_known || !is_declaration(path) || vanished.nth(VANISHED - 1).is_some() {
            return Ok(());
        }
        let is_back = blob_at(&self.newest, &self.root.join(path))?.is_some();
        if !is_back && !self.wanted.contains_key(path) {
            self.found.push(Found {
                path: path.to_owned(),
                commit,
                blob,
                order: LAST,
            });
        }
        Ok(())
    }
}

/// The order of files that are gone: after the newest version of each of the others.
const LAST: (usize, usize) = (0, usize::MAX);

/// Reads as much as the bounds allow.
fn read_found(
    repository: &Repository,
    found: Vec<Found>,
    bounds: &Bounds,
) -> Result<Vec<HistoricVersion>, git2::Error> {
    let mut found: Vec<(usize, Found)> = found.into_iter().enumerate().collect();
    found.sort_by_key(|(_, found)| found.order);
    let mut versions = Vec::new();
    let mut bytes = 0;
    for (age, found) in found.into_iter().take(bounds.history_versions) {
        let Some(content) = read_small(repository, found.blob, bounds)? else {
            continue;
        };
        bytes += content.len();
        if bytes > bounds.past_bytes {
            break;
        }
        let version = HistoricVersion {
            path: found.path,
            commit: found.commit.to_string(),
            content,
        };
        versions.push((age, version));
    }
    versions.sort_by_key(|(age, _)| *age);
    Ok(versions.into_iter().map(|(_, version)| version).collect())
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
fn touches<'a>(
    repository: &'a Repository,
    parent: Option<&Commit<'a>>,
    commit: &Commit<'a>,
    root: &Path,
    paths: &BTreeSet<String>,
) -> Result<bool, git2::Error> {
    let after = tree_at(repository, commit, root)?;
    let before = parent.map(|parent| tree_at(repository, parent, root));
    let before = before.transpose()?.flatten();
    let changes = changes(repository, before.as_ref(), after.as_ref())?;
    Ok(changes.iter().flat_map(Diff::deltas).any(|delta| {
        let path = delta.new_file().path().and_then(Path::to_str);
        path.is_some_and(|path| paths.contains(path))
    }))
}

/// What differs between two trees; `None` when nothing.
fn changes<'a>(
    repository: &'a Repository,
    before: Option<&Tree<'_>>,
    after: Option<&Tree<'_>>,
) -> Result<Option<Diff<'a>>, git2::Error> {
    if before.map(Tree::id) == after.map(Tree::id) {
        return Ok(None);
    }
    let diff = repository.diff_tree_to_tree(before, after, None)?;
    Ok(Some(diff))
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

/// Files that are gone, one of which may have become a broken one.
const VANISHED: usize = 20;

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
