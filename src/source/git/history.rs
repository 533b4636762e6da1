//! What did a file say before? Its earlier versions, for when the newest one
//! cannot be read.

use std::path::PathBuf;

use git2::{Commit, ErrorCode, Oid, Repository};
use serde::{Deserialize, Serialize};

use super::mirror::MirrorPath;
use super::{failure, initialise, open};
use crate::source::bounds::Bounds;
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

fn first_parent<'a>(commit: &Commit<'a>) -> Result<Option<Commit<'a>>, git2::Error> {
    match commit.parent(0) {
        Ok(parent) => Ok(Some(parent)),
        Err(error) if commit.parent_count() == 0 || error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The blob of a regular file at a path of a commit.
fn blob_at(commit: &Commit<'_>, path: &std::path::Path) -> Result<Option<Oid>, git2::Error> {
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
