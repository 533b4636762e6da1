//! When may a failing target be tried again?
//!
//! Exponential with full jitter, so that many daemons that lost the same server
//! do not come back to it in step.

use std::time::Duration;

use crate::uptime::Uptime;

/// The first failure is retried within this time.
const FIRST: Duration = Duration::from_secs(5);

/// However often it fails, a target is tried at least this often.
const LONGEST: Duration = Duration::from_mins(15);

/// A server that asks for a longer wait than this is asked again all the same:
/// nobody would notice that it is back.
const LONGEST_ASKED_FOR: Duration = Duration::from_hours(1);

/// The state of one target: fine, or failing and to be left alone for a while.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    failures: u32,
    waiting: Option<(Uptime, String)>,
}

impl Backoff {
    /// A target that has not failed.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            failures: 0,
            waiting: None,
        }
    }

    /// Why it is to be left alone at `now`, if it is.
    #[must_use]
    pub fn waiting(&self, now: Uptime) -> Option<&str> {
        let (until, error) = self.waiting.as_ref()?;
        (*until > now).then_some(error.as_str())
    }

    /// Until when to leave it alone.
    #[must_use]
    pub fn until(&self) -> Option<Uptime> {
        self.waiting.as_ref().map(|(until, _)| *until)
    }

    /// It failed again, and perhaps asked to be left alone for some time.
    pub fn failed(&mut self, now: Uptime, error: String, retry_after: Option<Duration>) {
        let ceiling = FIRST
            .saturating_mul(1 << self.failures.min(16))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let wait = Duration::from_secs(fastrand::u64(1..=ceiling.as_secs()));
        let asked_for = retry_after.unwrap_or_default().min(LONGEST_ASKED_FOR);
        // Beyond what it asked for, lest everybody comes back at that second.
        let wait = if asked_for > wait {
            asked_for + wait.min(FIRST)
        } else {
            wait
        };
        self.waiting = Some((now.plus(wait), error));
    }

    /// It works.
    pub fn succeeded(&mut self) {
        *self = Self::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_each_time_and_never_beyond_the_longest() {
        let now = Uptime::default();
        let mut backoff = Backoff::new();
        for ceiling in [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900] {
            backoff.failed(now, "no answer".to_owned(), None);
            let wait = backoff.until().expect("waiting").since(now).as_secs();
            assert!(
                (1..=ceiling).contains(&wait),
                "{wait} s, expected at most {ceiling} s"
            );
        }
        backoff.succeeded();
        assert_eq!(backoff.until(), None);
    }

    #[test]
    fn waits_at_least_as_long_as_the_server_asks() {
        let now = Uptime::default();
        for (asked, least, most) in [(120, 120, 125), (86_400, 3600, 3605), (0, 1, 5)] {
            let mut backoff = Backoff::new();
            let asked = Some(Duration::from_secs(asked));
            backoff.failed(now, "busy".to_owned(), asked);
            let wait = backoff.until().expect("waiting").since(now).as_secs();
            assert!((least..=most).contains(&wait), "{wait} s for {asked:?}");
        }
    }
}
