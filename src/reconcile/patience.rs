//! How long does a pass wait? For targets that answer, and for those that do not.

use std::time::Duration;

use tokio::time::Instant;

use super::target_pass::TargetPass;

/// After so long a target is slow and no longer counts among those that are worked on
/// at the same time: a thousand that all hang are asked within a minute.
const SLOW: Duration = Duration::from_secs(2);

/// How long a pass waits for a target when all others are done.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// With one that answered the last time.
    usual: Duration,
    /// With one that could not be listed then: it must not hold up every pass anew.
    little: Duration,
}

impl Patience {
    /// Alertmanager lists 50,000 silences in a second and takes 10,000 new ones in six.
    const WITH_MANY: Self = Self {
        usual: Duration::from_secs(10),
        little: Duration::from_secs(1),
    };

    /// With one that is alone and keeps no other waiting: longer than it may be written
    /// to, and than most requests may take.
    const WITH_ONE: Self = Self {
        usual: Duration::from_mins(5),
        little: Duration::from_mins(5),
    };

    /// Where there are so many targets.
    pub(super) const fn among(targets: usize) -> Self {
        if targets > 1 {
            Self::WITH_MANY
        } else {
            Self::WITH_ONE
        }
    }

    /// With a target that stood there the last time.
    pub(super) const fn with(self, last: Option<&TargetPass>) -> Duration {
        match last {
            Some(last) if last.plan.is_none() => self.little,
            _ => self.usual,
        }
    }
}

/// The targets that a pass has asked and waits for: which, and since when.
#[derive(Default)]
pub(super) struct Awaited(Vec<(usize, Instant)>);

impl Awaited {
    pub(super) fn add(&mut self, index: usize, now: Instant) {
        self.0.push((index, now));
    }

    pub(super) fn remove(&mut self, index: usize) {
        self.0.retain(|(awaited, _)| *awaited != index);
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many of them are not slow yet.
    pub(super) fn prompt(&self, now: Instant) -> usize {
        self.slow_from().filter(|slow| *slow > now).count()
    }

    /// When the next of them gets slow.
    pub(super) fn next_slow(&self, now: Instant) -> Option<Instant> {
        self.slow_from().filter(|slow| *slow > now).min()
    }

    /// When each of them gets slow, or got it.
    fn slow_from(&self) -> impl Iterator<Item = Instant> {
        self.0.iter().map(|(_, asked)| *asked + SLOW)
    }

    /// Which they are, and since when.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, Instant)> {
        self.0.iter().copied()
    }
}
