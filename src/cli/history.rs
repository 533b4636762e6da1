//! What did the files of a Git repository say before? One source, for reading
//! and for looking back.

use std::sync::{Arc, Mutex, PoisonError};

use crate::declaration::EarlierVersion;
use crate::reconcile::{ReadHistory, ReadPast};
use crate::snapshot::Revision;
use crate::source::{Source, SourceError};

/// Versions of a broken file that are tried. Each is read anew when the file
/// changes, and a file that was broken ten times in a row has no good one near.
const VERSIONS: usize = 10;

/// Changes of a declaration's files that are looked through for one of its own.
/// Its silences are seldom older than some weeks, and its files few.
const CHANGES: usize = 50;

/// A source that more than one thread asks, one at a time.
#[derive(Clone, Debug)]
pub(super) struct SharedSource(Arc<Mutex<Source>>);

impl SharedSource {
    pub(super) fn new(source: Source) -> Self {
        Self(Arc::new(Mutex::new(source)))
    }

    /// Blocks until nobody else uses it.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Source) -> T) -> T {
        // A read that panicked leaves a mirror that the next one mends.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks back on a thread of its own.
    pub(super) fn read_history(&self) -> ReadHistory {
        let source = self.clone();
        Box::new(move |revision, paths| {
            let source = source.clone();
            let reading = tokio::task::spawn_blocking(move || {
                source.with(|source| earlier_versions(source, &revision, &paths))
            });
            Box::pin(async move {
                let versions = reading.await.map_err(|error| error.to_string())?;
                versions.map_err(|error| error.to_string())
            })
        })
    }

    /// Looks back on a thread of its own. What cannot be read is logged: nothing
    /// is then known of that time.
    pub(super) fn read_past(&self) -> ReadPast {
        let source = self.clone();
        Box::new(move |revision, since, paths| {
            let source = source.clone();
            let reading = tokio::task::spawn_blocking(move || {
                source.with(|source| source.read_since(&revision, &since, &paths, CHANGES))
            });
            Box::pin(async move {
                match reading.await {
                    Ok(Ok(states)) => states,
                    Ok(Err(error)) => {
                        tracing::warn!("cannot see what changed since a silence was made: {error}");
                        None
                    }
                    Err(error) => {
                        tracing::error!("looking for earlier changes failed: {error}");
                        None
                    }
                }
            })
        })
    }
}

fn earlier_versions(
    source: &Source,
    revision: &Revision,
    paths: &[String],
) -> Result<Vec<EarlierVersion>, SourceError> {
    let versions = source.read_history(revision, paths, VERSIONS)?;
    let earlier = versions.into_iter().map(|version| EarlierVersion {
        path: version.path,
        content: version.content,
        revision: Revision::Commit(version.commit),
    });
    Ok(earlier.collect())
}
