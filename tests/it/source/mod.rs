//! Reading declarations from directories and Git repositories.

mod directory;
mod git_content;
mod git_mirror;
mod git_reference;
mod git_remote;
mod settings;

use silenced::snapshot::Snapshot;
use silenced::source::{
    Bounds, GitSettings, MirrorPath, Note, Progress, SourceError, SourceSettings, fetch_snapshot,
};
use tempfile::TempDir;

/// A mirror of some repository, in a directory of its own.
struct Mirror {
    settings: GitSettings,
    bounds: Bounds,
    cache: TempDir,
}

impl Mirror {
    fn of(url: &str) -> Self {
        Self::with(url, None, None)
    }

    fn with(url: &str, path: Option<&str>, reference: Option<&str>) -> Self {
        Self {
            settings: git_settings(url, path, reference),
            bounds: Bounds::DEFAULT,
            cache: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> MirrorPath {
        MirrorPath::in_cache(self.cache.path(), &self.settings.url)
    }

    fn fetch(&self) -> Result<Snapshot, SourceError> {
        self.fetch_with_notes().0
    }

    fn fetch_with_notes(&self) -> (Result<Snapshot, SourceError>, Vec<Note>) {
        let mut notes = Vec::new();
        let outcome = fetch_snapshot(
            &self.settings,
            &self.path(),
            &self.bounds,
            &mut |progress| {
                if let Progress::Note(note) = progress {
                    notes.push(note);
                }
            },
        );
        (outcome, notes)
    }

    /// The message of the error, with what differs between runs replaced.
    fn fetch_message(&self) -> String {
        let message = self.fetch().unwrap_err().to_string();
        message
            .replace(self.settings.url.as_str(), "URL")
            .replace(&self.cache.path().display().to_string(), "CACHE")
    }
}

fn git_settings(url: &str, path: Option<&str>, reference: Option<&str>) -> GitSettings {
    match SourceSettings::parse(url, path, reference).unwrap() {
        SourceSettings::Git(settings) => settings,
        SourceSettings::Directory(path) => panic!("`{}` is no URL", path.display()),
    }
}

/// One line for each file and each skipped path.
fn describe(snapshot: &Snapshot) -> String {
    let files = snapshot.files.iter().map(|file| match &file.content {
        Ok(bytes) => format!("{}: {}\n", file.path, bytes.escape_ascii()),
        Err(reason) => format!("{}: BROKEN {reason}\n", file.path),
    });
    let skipped = snapshot
        .skipped
        .iter()
        .map(|path| format!("{}: SKIPPED {}\n", path.path, path.reason));
    files.chain(skipped).collect()
}
