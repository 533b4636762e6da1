//! What time is it? The one place that reads a clock.
//!
//! A simulated clock follows tokio's, so that in a test one `sleep` moves
//! timers and wall time together.

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::timestamp::Timestamp;

/// Tells the time.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Started at `epoch` when tokio's clock stood at `since`.
    Simulated {
        /// The wall time at `since`.
        epoch: Timestamp,
        /// Tokio's time then.
        since: Instant,
    },
}

impl Clock {
    /// A clock that shows `epoch` now and runs with tokio's timers.
    #[must_use]
    pub fn simulated(epoch: Timestamp) -> Self {
        Self::Simulated {
            epoch,
            since: Instant::now(),
        }
    }

    /// The present instant.
    #[must_use]
    pub fn now(self) -> Timestamp {
        self.exact().into()
    }

    /// The present instant with its fraction of a second, as servers keep it.
    #[must_use]
    pub fn exact(self) -> DateTime<Utc> {
        match self {
            #[expect(
                clippy::disallowed_methods,
                reason = "this is the one reader of the clock"
            )]
            Self::System => Utc::now(),
            Self::Simulated { epoch, since } => epoch.to_datetime() + since.elapsed(),
        }
    }
}
