//! Who asks for a pass, and when is a request answered? A coalescing "look
//! again".
//!
//! A request carries nothing but its number. However many arrive while a pass
//! runs, one following pass answers them all.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// Asks for passes; clones ask the same daemon.
#[derive(Clone, Debug, Default)]
pub struct Trigger(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    last: AtomicU64,
    /// Holds at most one permit, so that ten requests make one pass.
    wake: Notify,
}

/// The number of a request, in the order in which they arrived, from 1 on.
pub type RequestId = u64;

impl Trigger {
    /// Asks for a pass. The answer is the first pass that begins after this.
    #[must_use]
    pub fn request(&self) -> RequestId {
        let id = self.0.last.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.wake.notify_one();
        id
    }

    /// The last request so far: a pass that begins now answers it and all before.
    #[must_use]
    pub fn last(&self) -> RequestId {
        self.0.last.load(Ordering::SeqCst)
    }

    /// Waits for a request that came after the last call of this.
    pub async fn requested(&self) {
        self.0.wake.notified().await;
    }
}
