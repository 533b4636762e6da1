//! When may the next write begin? Evenly spaced turns for one target.
//!
//! Servers that gossip fall behind in bursts: 2,000 silences at 1,500 a second
//! took half a minute to reach a second replica.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The turns of the writes to one target. They go on from one pass to the
/// next, so that the end of one and the beginning of another make no burst.
#[derive(Debug, Default)]
pub struct Pace {
    /// From one turn to the next.
    spacing: Duration,
    /// The earliest next turn.
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// As fast as the server answers.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self {
            spacing: Duration::ZERO,
            next: Mutex::new(None),
        }
    }

    /// At most so many writes in a second, evenly spaced.
    #[must_use]
    pub fn per_second(writes: NonZeroU32) -> Self {
        Self {
            spacing: Duration::from_secs(1) / writes.get(),
            ..Self::unlimited()
        }
    }

    /// Takes the next turn and says when it is; a turn that would not come
    /// before `until` is not taken.
    pub(super) fn take(&self, until: Option<Instant>) -> Option<Instant> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let turn = next.map_or(now, |next| next.max(now));
        if until.is_some_and(|until| turn >= until) {
            return None;
        }
        *next = Some(turn + self.spacing);
        Some(turn)
    }

    /// Nobody's turn comes within `wait`: the server is busy.
    pub(super) fn postpone(&self, wait: Duration) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = Instant::now() + wait;
        *next = Some(next.map_or(earliest, |next| next.max(earliest)));
    }
}
