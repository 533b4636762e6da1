//! Were the declarations the same when a silence was written for them? After a
//! restart only Git knows.
//!
//! It is asked when somebody may have expired a silence by hand and that is
//! respected: seldom, and at most once for each revision, commit and file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::declaration::Declarations;
use crate::name::SilenceName;
use crate::plan::{Lineage, Origin};
use crate::snapshot::{Revision, Snapshot};
use crate::zone::ZoneDatabase;

/// Reads what files said at each change since a commit, whose id begins with
/// the given text, up to a revision: newest first, and last what they said at
/// that commit. `None` when that cannot be had.
pub type ReadPast = Box<
    dyn Fn(
            Revision,
            String,
            BTreeSet<String>,
        ) -> Pin<Box<dyn Future<Output = Option<Vec<Snapshot>>> + Send>>
        + Send
        + Sync,
>;

/// Commits and files that are looked up for one revision. Each costs a walk
/// through Git of less than a second, and mostly of some milliseconds.
const MOST_LOOKED_UP: usize = 20;

/// Files with names for others that are read at each of several times.
const MOST_DEFINERS: usize = 100;

/// The time before one revision.
pub(super) struct Past {
    read: Option<Arc<ReadPast>>,
    revision: Revision,
    zones: Arc<ZoneDatabase>,
    /// The declarations that are the same since a commit, by that and by files; none
    /// where nobody can tell.
    known: Mutex<BTreeMap<Since, Option<BTreeSet<SilenceName>>>>,
}

/// A commit, and the files that may have declared something since.
type Since = (String, BTreeSet<String>);

impl Past {
    pub(super) fn before(
        revision: Revision,
        read: Option<Arc<ReadPast>>,
        zones: Arc<ZoneDatabase>,
    ) -> Self {
        Self {
            read,
            revision,
            zones,
            known: Mutex::default(),
        }
    }

    /// Finds out, of each of `origins`, whether `declarations` has been declaring
    /// the same since. What nobody can tell stays unknown.
    pub(super) async fn explain(
        &self,
        origins: &[Origin],
        declarations: &Declarations,
        lineage: &mut Lineage,
    ) {
        let Some(read) = &self.read else {
            return;
        };
        // Targets that have the same question wait for one answer.
        let mut known = self.known.lock().await;
        for origin in origins {
            let Some(declaration) = declarations.get(&origin.silence) else {
                continue;
            };
            let mut paths = BTreeSet::from([declaration.source.clone()]);
            paths.extend(origin.source.clone());
            let since = (origin.commit.clone(), paths);
            if !known.contains_key(&since) {
                if known.len() >= MOST_LOOKED_UP {
                    continue;
                }
                let unchanged = self.unchanged_since(read, declarations, &since).await;
                known.insert(since.clone(), unchanged);
            }
            if let Some(Some(unchanged)) = known.get(&since) {
                lineage.learn(origin.clone(), unchanged.contains(&origin.silence));
            }
        }
    }

    /// Reads the files alone, and if they need the names of others, with those.
    async fn unchanged_since(
        &self,
        read: &ReadPast,
        declarations: &Declarations,
        (commit, paths): &Since,
    ) -> Option<BTreeSet<SilenceName>> {
        let states = |paths| read(self.revision.clone(), commit.clone(), paths);
        let alone = states(paths.clone()).await?;
        let mut unchanged = declarations.unchanged_through(&alone, &self.zones);
        let definers = declarations.known.definers();
        if !definers.is_empty() && definers.len() <= MOST_DEFINERS {
            let all = paths.iter().chain(definers).cloned().collect();
            if let Some(together) = states(all).await {
                unchanged.extend(declarations.unchanged_through(&together, &self.zones));
            }
        }
        Some(unchanged)
    }
}

impl fmt::Debug for Past {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Past")
            .field("before", &self.revision)
            .finish_non_exhaustive()
    }
}
