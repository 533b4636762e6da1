//! What does a directory declare? Reads a tree of files as one consistent
//! snapshot, with links as mounted Kubernetes volumes have them.
//!
//! A mounted `ConfigMap` looks like this, and an update replaces the link
//! `..data` in one step:
//!
//! ```text
//! ..2026_11_23_05_00_00.12345/nightly.yaml
//! ..data -> ..2026_11_23_05_00_00.12345
//! nightly.yaml -> ..data/nightly.yaml
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::bounds::{Bounds, ExceededBound, FileName, MISCASED, SnapshotBuilder, join};
use super::digest::Digest;
use super::error::{DirectoryProblem, SourceError};
use crate::snapshot::{Revision, SkippedPath, Snapshot, SnapshotFile};

/// How often a directory that changes under the reader is read again. A mounted
/// volume changes in one step, about once a minute; the second attempt suffices.
const ATTEMPTS: usize = 3;

/// Reads every declaration file below `root`.
///
/// The root may be a link. Inside it, links to files and directories are
/// followed when what they lead to is inside as well; every file and directory
/// is read once, as itself if it is not hidden, else under the name of the
/// first link to it. Other links are skipped with a reason. A subdirectory that
/// cannot be read is an error: its declarations are not gone.
pub fn read_directory(root: &Path, bounds: &Bounds) -> Result<Snapshot, SourceError> {
    let snapshot = read_unchanged(
        || Walk::of(root, bounds),
        |listing| listing.read(root, bounds),
    )?;
    snapshot.ok_or_else(|| SourceError::Directory {
        path: root.to_path_buf(),
        problem: DirectoryProblem::Changing,
    })
}

/// Reads until a listing is the same before and after, so that no snapshot is
/// half of one state and half of the next. `None` when it never is.
fn read_unchanged<L: PartialEq, T>(
    list: impl Fn() -> Result<L, SourceError>,
    read: impl Fn(&L) -> Result<T, SourceError>,
) -> Result<Option<T>, SourceError> {
    let mut before = list()?;
    for _ in 0..ATTEMPTS {
        let content = read(&before)?;
        let after = list()?;
        if after == before {
            return Ok(Some(content));
        }
        before = after;
    }
    Ok(None)
}

/// What is there to read.
#[derive(PartialEq)]
struct Listing {
    files: Vec<ListedFile>,
    skipped: Vec<SkippedPath>,
}

/// A declaration file, and what tells one state of it from another.
#[derive(PartialEq)]
struct ListedFile {
    path: String,
    /// Where it really is, with every link resolved.
    real: PathBuf,
    size: u64,
    modified: Option<SystemTime>,
    /// Why it cannot be read, if that is known already.
    problem: Option<String>,
}

impl Listing {
    fn read(&self, root: &Path, bounds: &Bounds) -> Result<Snapshot, SourceError> {
        let mut builder = SnapshotBuilder::new(bounds);
        for file in &self.files {
            let content = match &file.problem {
                Some(problem) => Err(problem.clone()),
                None => read_file(&file.real, &builder),
            };
            builder
                .add(file.path.clone(), content)
                .map_err(|bound| too_large(root, bound))?;
        }
        let (files, _) = builder.finish();
        Ok(Snapshot {
            revision: Revision::Directory(digest(&files)),
            files,
            skipped: self.skipped.clone(),
        })
    }
}

/// The bytes of a file, or why they could not be had.
fn read_file(path: &Path, builder: &SnapshotBuilder<'_>) -> Result<Vec<u8>, String> {
    let read = || -> io::Result<Result<Vec<u8>, String>> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        if let Some(reason) = builder.refuse_size(length) {
            return Ok(Err(reason));
        }
        // A buffer that grows from nothing is read into a dozen times. One byte
        // more shows the end, and one beyond the limit that it grew meanwhile.
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
        file.take(builder.bounds.file_bytes + 1)
            .read_to_end(&mut bytes)?;
        Ok(match builder.refuse_size(bytes.len() as u64) {
            Some(reason) => Err(reason),
            None => Ok(bytes),
        })
    };
    read().unwrap_or_else(|error| Err(format!("it cannot be read: {error}")))
}

fn digest(files: &[SnapshotFile]) -> String {
    let fields = files.iter().fold(Digest::new(), |digest, file| {
        let digest = digest.field(file.path.as_bytes());
        match &file.content {
            Ok(bytes) => digest.field(b"read").field(bytes),
            Err(reason) => digest.field(b"broken").field(reason.as_bytes()),
        }
    });
    fields.finish()
}

/// A walk through the directory. What is no link comes first; links wait in
/// order, so that a file is read under its own name when it has a visible one.
struct Walk<'a> {
    /// As the user wrote it, for messages.
    root: &'a Path,
    /// With every link resolved, to tell what is inside.
    real_root: PathBuf,
    builder: SnapshotBuilder<'a>,
    files: Vec<ListedFile>,
    links: VecDeque<Found>,
    /// Everything read so far: where it really is, and under which name.
    seen: BTreeMap<PathBuf, String>,
}

/// Something in a directory, so many directories below the root.
struct Found {
    path: String,
    real: PathBuf,
    depth: usize,
}

impl<'a> Walk<'a> {
    fn of(root: &'a Path, bounds: &'a Bounds) -> Result<Listing, SourceError> {
        let real_root = fs::canonicalize(root).map_err(|error| directory_error(root, &error))?;
        let mut walk = Self {
            root,
            real_root: real_root.clone(),
            builder: SnapshotBuilder::new(bounds),
            files: Vec::new(),
            links: VecDeque::new(),
            seen: BTreeMap::new(),
        };
        walk.directory(&Found {
            path: String::new(),
            real: real_root,
            depth: 0,
        })?;
        while let Some(link) = walk.links.pop_front() {
            walk.link(link)?;
        }
        let mut files = walk.files;
        files.sort_by(|left, right| left.path.cmp(&right.path));
        let (_, skipped) = walk.builder.finish();
        Ok(Listing { files, skipped })
    }

    fn directory(&mut self, directory: &Found) -> Result<(), SourceError> {
        let mut entries = fs::read_dir(&directory.real)
            .and_then(Iterator::collect::<io::Result<Vec<_>>>)
            .map_err(|error| match directory.path.as_str() {
                "" => directory_error(self.root, &error),
                path => directory_error(&self.root.join(path), &error),
            })?;
        entries.sort_by_key(fs::DirEntry::file_name);
        self.seen
            .insert(directory.real.clone(), directory.path.clone());
        for entry in entries {
            let name = entry.file_name();
            // ext4 puts `lost+found` at the root of a volume, for root alone.
            if FileName::of(name.as_bytes()) == FileName::Hidden || name == "lost+found" {
                continue;
            }
            let found = Found {
                path: join(&directory.path, &name.to_string_lossy()),
                real: entry.path(),
                depth: directory.depth,
            };
            self.builder
                .visit(&found.path, found.depth)
                .map_err(|bound| too_large(self.root, bound))?;
            // A file that vanishes right now is missed by the next listing too,
            // or makes it differ from this one.
            match entry.metadata() {
                Ok(metadata) if metadata.is_symlink() => self.links.push_back(found),
                Ok(metadata) => self.entry(found, &name, &metadata)?,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(directory_error(&found.real, &error)),
            }
        }
        Ok(())
    }

    /// A directory or file that is no link, or what a link leads to.
    fn entry(
        &mut self,
        found: Found,
        name: &OsStr,
        metadata: &Metadata,
    ) -> Result<(), SourceError> {
        if metadata.is_dir() {
            let depth = found.depth + 1;
            return self.directory(&Found { depth, ..found });
        }
        match FileName::of(name.as_bytes()) {
            FileName::Hidden | FileName::Other => {}
            FileName::Miscased => self.builder.skip(found.path, MISCASED),
            FileName::Declaration if !metadata.is_file() => self
                .builder
                .skip(found.path, "it is neither a file nor a directory"),
            FileName::Declaration => {
                self.seen.insert(found.real.clone(), found.path.clone());
                self.files.push(ListedFile {
                    path: found.path,
                    real: found.real,
                    size: metadata.len(),
                    modified: metadata.modified().ok(),
                    problem: name
                        .to_str()
                        .is_none()
                        .then(|| "its name is not UTF-8; rename it".to_owned()),
                });
            }
        }
        Ok(())
    }

    fn link(&mut self, link: Found) -> Result<(), SourceError> {
        let followed = fs::canonicalize(&link.real)
            .and_then(|real| fs::metadata(&real).map(|metadata| (real, metadata)));
        let (real, metadata) = match followed {
            Ok(followed) => followed,
            Err(error) => {
                let reason = match error.kind() {
                    ErrorKind::NotFound => "it is a link to something that does not exist".into(),
                    _ => format!("it is a link that cannot be followed: {error}"),
                };
                self.builder.skip(link.path, reason);
                return Ok(());
            }
        };
        let name = link.real.file_name().unwrap_or_default().to_owned();
        if metadata.is_file() && FileName::of(name.as_bytes()) == FileName::Other {
            return Ok(());
        }
        if !real.starts_with(&self.real_root) {
            self.builder.skip(
                link.path,
                "it is a link that leaves the directory of the declarations",
            );
            return Ok(());
        }
        if let Some(other) = self.seen.get(&real) {
            let other = if other.is_empty() { "." } else { other };
            let reason = format!("it is a link to `{other}`, which is read already");
            self.builder.skip(link.path, reason);
            return Ok(());
        }
        self.entry(Found { real, ..link }, &name, &metadata)
    }
}

fn directory_error(path: &Path, error: &io::Error) -> SourceError {
    let problem = match error.kind() {
        ErrorKind::NotFound => DirectoryProblem::Missing,
        ErrorKind::NotADirectory => DirectoryProblem::NotADirectory,
        _ => DirectoryProblem::Unreadable(error.to_string()),
    };
    SourceError::Directory {
        path: path.to_path_buf(),
        problem,
    }
}

fn too_large(root: &Path, bound: ExceededBound) -> SourceError {
    SourceError::TooLarge {
        location: root.display().to_string(),
        bound,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::cell::Cell;

    use super::read_unchanged;

    #[test]
    fn reads_again_until_nothing_changed_meanwhile() {
        let state = Cell::new(0);
        let content = read_unchanged(
            || Ok(state.get().min(2)),
            |listed| {
                state.set(state.get() + 1);
                Ok(*listed)
            },
        );
        assert_eq!(content.unwrap(), Some(2));
    }

    #[test]
    fn gives_up_on_a_directory_that_never_rests() {
        let state = Cell::new(0);
        let content = read_unchanged(
            || {
                state.set(state.get() + 1);
                Ok(state.get())
            },
            |_| Ok(()),
        );
        assert_eq!(content.unwrap(), None);
    }
}
