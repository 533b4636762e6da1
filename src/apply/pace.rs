//! When may the next write begin? Evenly spaced turns for one target.
//!
//! Servers that gossip fall behind in bursts: 2,000 silences at 1,500 a second
//! took half a minute to reach a second replica.

use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The spacing after the first refusal: 20 writes in a second.
const FIRST_SLOWDOWN: Duration = Duration::from_millis(50);

/// No refusal makes the spacing longer than this.
const LONGEST_SLOWDOWN: Duration = Duration::from_secs(1);

/// The turns of the writes to one target. They go on from one pass to the
/// next, so that the end of one and the beginning of another make no burst.
#[derive(Debug, Default)]
pub struct Pace {
    /// From one turn to the next, as it is configured.
    spacing: Duration,
    turns: Mutex<Turns>,
}

#[derive(Debug)]
struct Turns {
    /// The earliest next turn.
    next: Option<Instant>,
    /// From one turn to the next, since the server was too busy for more: twice
    /// as long with each refusal, and an eighth shorter with each success.
    slowdown: Duration,
}

impl Turns {
    const NEW: Self = Self {
        next: None,
        slowdown: Duration::ZERO,
    };
}

impl Default for Turns {
    fn default() -> Self {
        Self::NEW
    }
}

impl Pace {
    /// As fast as the server answers.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self {
            spacing: Duration::ZERO,
            turns: Mutex::new(Turns::NEW),
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
        let mut turns = self.turns();
        let now = Instant::now();
        let turn = turns.next.map_or(now, |next| next.max(now));
        if until.is_some_and(|until| turn >= until) {
            return None;
        }
        turns.next = Some(turn + self.spacing.max(turns.slowdown));
        Some(turn)
    }

    /// The server was too busy for a write: nobody's turn comes within `wait`,
    /// and then they come at longer intervals.
    pub(super) fn postpone(&self, wait: Duration) {
        let mut turns = self.turns();
        let earliest = Instant::now() + wait;
        turns.next = Some(turns.next.map_or(earliest, |next| next.max(earliest)));
        let slowdown = (turns.slowdown * 2).max(FIRST_SLOWDOWN);
        turns.slowdown = slowdown.min(LONGEST_SLOWDOWN);
    }

    /// The server took a write.
    pub(super) fn ease(&self) {
        let mut turns = self.turns();
        turns.slowdown = turns.slowdown * 7 / 8;
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        // What a panic could leave behind is a complete value all the same.
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
