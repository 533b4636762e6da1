//! What does a commit declare? Reads the files of one directory of its tree
//! straight from the object database: without a checkout there are no links to
//! follow, no filters and no half-written state.

use git2::{Oid, Repository, Tree, TreeEntry};

use super::failure;
use crate::snapshot::{Revision, Snapshot};
use crate::source::bounds::{Bounds, FileName, MISCASED, SnapshotBuilder, join};
use crate::source::error::SourceError;
use crate::source::settings::GitSettings;

/// How many directories a message names.
const NAMED: usize = 10;

/// What an entry of a tree is, by the mode that Git gave it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EntryKind {
    Directory,
    File,
    Link,
    Submodule,
}

impl EntryKind {
    fn of(entry: &TreeEntry<'_>) -> Self {
        match entry.filemode_raw() & 0o170_000 {
            0o040_000 => Self::Directory,
            0o120_000 => Self::Link,
            0o160_000 => Self::Submodule,
            _ => Self::File,
        }
    }
}

/// Reads every declaration of a commit that is in the mirror.
pub(super) fn read_snapshot(
    repository: &Repository,
    settings: &GitSettings,
    bounds: &Bounds,
    commit: Oid,
) -> Result<Snapshot, SourceError> {
    let root = find_directory(repository, settings, commit)?;
    let mut reader = Reader {
        repository,
        settings,
        builder: SnapshotBuilder::new(bounds),
    };
    reader.directory(&root, "", 0)?;
    let (files, skipped) = reader.builder.finish();
    Ok(Snapshot {
        revision: Revision::Commit(commit.to_string()),
        files,
        skipped,
    })
}

/// The directory of the declarations in a commit.
fn find_directory<'a>(
    repository: &'a Repository,
    settings: &GitSettings,
    commit: Oid,
) -> Result<Tree<'a>, SourceError> {
    let local = |error: git2::Error| failure::local(repository.path(), &error);
    let mut tree = repository
        .find_commit(commit)
        .and_then(|commit| commit.tree())
        .map_err(local)?;
    for (depth, part) in settings.path.parts().enumerate() {
        let Some(entry) = tree.get_name(part).map(|entry| entry.to_owned()) else {
            return Err(SourceError::PathNotFound {
                url: settings.url.clone(),
                reference: settings.reference.clone(),
                commit: commit.to_string(),
                path: settings.path.clone(),
                directories: root_directories(repository, commit).map_err(local)?,
            });
        };
        let what = match EntryKind::of(&entry) {
            EntryKind::Directory => {
                tree = repository.find_tree(entry.id()).map_err(local)?;
                continue;
            }
            EntryKind::File => "a file",
            EntryKind::Link => "a link",
            EntryKind::Submodule => "a submodule",
        };
        return Err(SourceError::PathNotADirectory {
            url: settings.url.clone(),
            reference: settings.reference.clone(),
            commit: commit.to_string(),
            path: settings.path.prefix(depth + 1),
            what: what.to_owned(),
        });
    }
    Ok(tree)
}

fn root_directories(repository: &Repository, commit: Oid) -> Result<Vec<String>, git2::Error> {
    let root = repository.find_commit(commit)?.tree()?;
    Ok(root
        .iter()
        .filter(|entry| EntryKind::of(entry) == EntryKind::Directory)
        .filter(|entry| FileName::of(entry.name_bytes()) != FileName::Hidden)
        .take(NAMED)
        .map(|entry| String::from_utf8_lossy(entry.name_bytes()).into_owned())
        .collect())
}

struct Reader<'a> {
    repository: &'a Repository,
    settings: &'a GitSettings,
    builder: SnapshotBuilder<'a>,
}

impl Reader<'_> {
    fn directory(&mut self, tree: &Tree<'_>, path: &str, depth: usize) -> Result<(), SourceError> {
        for entry in tree {
            let name = FileName::of(entry.name_bytes());
            if name == FileName::Hidden {
                continue;
            }
            let path = join(path, &String::from_utf8_lossy(entry.name_bytes()));
            self.builder
                .visit(&path, depth)
                .map_err(|bound| self.too_large(bound))?;
            match (EntryKind::of(&entry), name) {
                (EntryKind::Directory, _) => {
                    let repository = self.repository;
                    let subtree = repository
                        .find_tree(entry.id())
                        .map_err(|error| failure::local(repository.path(), &error))?;
                    self.directory(&subtree, &path, depth + 1)?;
                }
                (EntryKind::Link, _) => self.builder.skip(
                    path,
                    "it is a link, and links in a Git repository are not followed; \
                     commit the file itself",
                ),
                (EntryKind::Submodule, _) => self.builder.skip(
                    path,
                    "it is a submodule, and submodules are not read; commit the files themselves",
                ),
                (EntryKind::File, FileName::Declaration) => self.file(&entry, path)?,
                (EntryKind::File, FileName::Miscased) => self.builder.skip(path, MISCASED),
                (EntryKind::File, _) => {}
            }
        }
        Ok(())
    }

    fn file(&mut self, entry: &TreeEntry<'_>, path: String) -> Result<(), SourceError> {
        let content = if std::str::from_utf8(entry.name_bytes()).is_ok() {
            read_blob(self.repository, entry.id(), &self.builder)
                .map_err(|error| failure::local(self.repository.path(), &error))?
        } else {
            Err("its name is not UTF-8; rename it".to_owned())
        };
        self.builder
            .add(path, content)
            .map_err(|bound| self.too_large(bound))
    }

    fn too_large(&self, bound: crate::source::ExceededBound) -> SourceError {
        SourceError::TooLarge {
            location: self.settings.url.to_string(),
            bound,
        }
    }
}

/// The bytes of a blob, unless there are too many, which its header tells.
fn read_blob(
    repository: &Repository,
    id: Oid,
    builder: &SnapshotBuilder<'_>,
) -> Result<Result<Vec<u8>, String>, git2::Error> {
    let objects = repository.odb()?;
    let (size, _) = objects.read_header(id)?;
    Ok(match builder.refuse_size(size as u64) {
        Some(reason) => Err(reason),
        None => Ok(objects.read(id)?.data().to_vec()),
    })
}
