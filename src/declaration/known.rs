//! What need not be read again? Files that are the same as in the last reading,
//! and that nothing in other files can make mean something else.
//!
//! What a file says depends on its text and on the names that other files
//! define. So a file is known as long as its text is the same, and those of all
//! files that may define names. These are read every time, and so is a file that
//! was broken: it may refer to what is there by now.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::diagnostic::Diagnostic;
use super::entry::Found;
use super::file::File;

/// The files of one reading, for the next one with the same zones.
#[derive(Clone, Debug, Default)]
pub struct KnownFiles {
    /// A digest of the files that may define names.
    names: u64,
    /// Their paths.
    definers: Vec<String>,
    by_path: BTreeMap<String, (u64, Arc<Content>)>,
}

/// What one file says.
#[derive(Debug)]
pub(super) struct Content {
    /// Its declarations, in the order of the file.
    pub(super) entries: Vec<Found>,
    /// What was found in it; not what it and other files come to together.
    pub(super) findings: Vec<Diagnostic>,
}

impl KnownFiles {
    /// No file yet, while `files` define the names.
    pub(super) fn new(files: &[File<'_>]) -> Self {
        let definers = files.iter().filter(|file| file.may_define_names);
        let named: Vec<_> = definers
            .map(|file| (&file.source.path, &file.source.content))
            .collect();
        Self {
            names: digest(&named),
            definers: named.iter().map(|(path, _)| (*path).clone()).collect(),
            by_path: BTreeMap::new(),
        }
    }

    /// The paths of the files that may define names for others.
    #[must_use]
    pub fn definers(&self) -> &[String] {
        &self.definers
    }

    /// What `file` says, if it was known to `before` and still means the same.
    pub(super) fn take_over(&self, before: &Self, file: &File<'_>) -> Option<Arc<Content>> {
        let (known, content) = before.by_path.get(&file.source.path)?;
        (self.names == before.names && *known == digest(&file.source.content))
            .then(|| Arc::clone(content))
    }

    /// Keeps what a file says, unless it has to be read every time.
    pub(super) fn keep(&mut self, file: &File<'_>, content: Arc<Content>) {
        if !file.report.is_broken() && !file.report.is_full() && !file.may_define_names {
            let known = (digest(&file.source.content), content);
            self.by_path.insert(file.source.path.clone(), known);
        }
    }
}

/// Equal for equal values; in one process only.
fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
