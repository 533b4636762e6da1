//! What does the source say by now? One reading at a time, which a pass waits for
//! as long as its patience lasts, and a later pass takes in.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::snapshot::Snapshot;

/// A pass waits so long for the source: a fetch takes seconds, and the first clone
/// of a large repository over a slow line may take half an hour, in which leases
/// must be renewed and windows opened all the same.
const PATIENCE: Duration = Duration::from_mins(1);

/// Reads the source once; what is wrong with it comes as text for people.
pub type ReadSource = Box<dyn FnMut() -> Pin<Box<dyn Future<Output = Read> + Send>> + Send>;

type Read = Result<Snapshot, String>;

/// The source, and what of it is under way.
pub(super) struct Reading {
    read_source: ReadSource,
    under_way: Option<UnderWay>,
    /// What came of one that no pass waited for.
    late: Option<Read>,
}

struct UnderWay {
    since: Instant,
    read: Pin<Box<dyn Future<Output = Read> + Send>>,
}

impl Reading {
    pub(super) const fn new(read_source: ReadSource) -> Self {
        Self {
            read_source,
            under_way: None,
            late: None,
        }
    }

    /// What the source says at the time of this call or later. If that takes too
    /// long, what it said before, as far as that is news.
    pub(super) async fn read(&mut self) -> Read {
        let deadline = Instant::now() + PATIENCE;
        // It may have begun before a commit of which somebody told us since.
        if self.under_way.is_some() && timeout_at(deadline, self.ended()).await.is_err() {
            return self.is_still_under_way();
        }
        let before = self.late.take();
        self.under_way = Some(UnderWay {
            since: Instant::now(),
            read: (self.read_source)(),
        });
        if timeout_at(deadline, self.ended()).await.is_ok()
            && let Some(read) = self.late.take()
        {
            return read;
        }
        before.unwrap_or_else(|| self.is_still_under_way())
    }

    /// Ends with a reading that is under way; without one it never ends.
    pub(super) async fn ended(&mut self) {
        match &mut self.under_way {
            Some(UnderWay { read, .. }) => {
                self.late = Some(read.await);
                self.under_way = None;
            }
            None => std::future::pending().await,
        }
    }

    fn is_still_under_way(&self) -> Read {
        let since = self.under_way.as_ref().map(|reading| reading.since);
        let seconds = since.map_or(0, |since| since.elapsed().as_secs());
        Err(format!(
            "the source has been read for {seconds} s and is not done; what it said before stays in \
             force, and as soon as it is done a pass takes it in"
        ))
    }
}
