//! How long ago was that? Time by a clock that nobody sets.
//!
//! What happens within seconds or minutes of what we did is judged by this. The
//! clock of a server may be set while a replica still lags, and the next list may
//! come from another replica, whose clock shows something else; then by wall time a
//! write of just now is an hour old.

use std::time::Duration;

use crate::timestamp::Timestamp;

/// An instant, as the time that a process has been running then. Those of different
/// processes cannot be compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Uptime(Duration);

impl Uptime {
    /// The instant when a process has been running for so long.
    #[must_use]
    pub const fn new(running: Duration) -> Self {
        Self(running)
    }

    /// How much later this is; zero if it is not.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// `duration` later.
    #[must_use]
    pub const fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

/// The present instant by two clocks: one to reckon with, and one for people.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// By the one that nobody sets.
    pub uptime: Uptime,
    /// By the wall clock of the server in question.
    pub now: Timestamp,
}
