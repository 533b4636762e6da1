//! Who asks for a pass, and when is a request answered? A coalescing "look
//! again".
//!
//! A request carries nothing but its number, and perhaps the fingerprints of
//! plans that somebody confirms. However many arrive while a pass runs, one
//! following pass answers them all.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::plan::Fingerprint;
use crate::reconcile::Confirmed;

/// Asks for passes; clones ask the same daemon.
#[derive(Clone, Debug, Default)]
pub struct Trigger(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    asked: Mutex<Asked>,
    /// Holds at most one permit, so that ten requests make one pass.
    wake: Notify,
}

#[derive(Debug, Default)]
struct Asked {
    last: RequestId,
    /// What [`Trigger::take`] last returned.
    taken: RequestId,
    confirmed: Confirmed,
}

impl Asked {
    const fn is_waiting(&self) -> bool {
        self.last > self.taken
    }
}

/// The number of a request, in the order in which they arrived, from 1 on.
pub type RequestId = u64;

impl Trigger {
    /// Asks for a pass. The answer is the first pass that begins after this.
    /// `confirmed` names plans that this one pass may carry out past their guards.
    #[must_use]
    pub fn request(&self, confirmed: impl IntoIterator<Item = Fingerprint>) -> RequestId {
        let id = {
            let mut asked = self.asked();
            asked.last += 1;
            asked.confirmed.add(confirmed);
            asked.last
        };
        self.0.wake.notify_one();
        id
    }

    /// The last request so far, and the plans that were confirmed since the last
    /// call: a pass that begins now answers it and all before.
    #[must_use]
    pub fn take(&self) -> (RequestId, Vec<Fingerprint>) {
        let mut asked = self.asked();
        asked.taken = asked.last;
        (asked.last, asked.confirmed.take())
    }

    /// Waits for a request that came after the last [`take`](Self::take).
    pub async fn requested(&self) {
        // A permit may be of a request that has been taken since.
        while !self.asked().is_waiting() {
            self.0.wake.notified().await;
        }
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        // Nobody panics while holding it, and a number is never half written.
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::reconcile::MOST_CONFIRMED;

    #[test]
    fn a_request_that_was_taken_asks_for_no_other_pass() {
        let trigger = Trigger::default();
        assert_eq!(trigger.requested().now_or_never(), None);
        let first = trigger.request([]);
        assert_eq!(trigger.take().0, first);
        assert_eq!(trigger.requested().now_or_never(), None);
        let _ = trigger.request([]);
        assert_eq!(trigger.requested().now_or_never(), Some(()));
    }

    #[test]
    fn one_pass_hears_of_everything_that_was_confirmed_and_of_no_more_than_fits() {
        let trigger = Trigger::default();
        let _ = trigger.request([Fingerprint::new("a"), Fingerprint::new("b")]);
        let _ = trigger.request([]);
        let _ = trigger.request(Some(Fingerprint::new("c")));
        let confirmed: Vec<_> = ["a", "b", "c"].map(Fingerprint::new).into();
        assert_eq!(trigger.take(), (3, confirmed));
        let many = (0..=MOST_CONFIRMED).map(|index| Fingerprint::new(index.to_string()));
        let _ = trigger.request(many);
        let (_, confirmed) = trigger.take();
        assert_eq!(confirmed.len(), MOST_CONFIRMED);
        assert_eq!(confirmed.first(), Some(&Fingerprint::new("1")));
    }
}
