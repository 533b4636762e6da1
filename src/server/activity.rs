//! Is a connection of use at the moment? What it says of itself to who looks for
//! one that can give way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// What a connection is doing. Idle is: it has not sent a whole request.
#[derive(Default)]
pub(super) struct Activity {
    is_answering: AtomicBool,
    is_sending: AtomicBool,
}

impl Activity {
    pub(super) fn is_idle(&self) -> bool {
        !self.is_answering() && !self.is_sending.load(Relaxed)
    }

    /// Whether a request is being worked on.
    pub(super) fn is_answering(&self) -> bool {
        self.is_answering.load(Relaxed)
    }

    /// It is answering until the value is dropped.
    pub(super) fn answering(self: &Arc<Self>) -> Answering {
        self.is_answering.store(true, Relaxed);
        Answering(Arc::clone(self))
    }

    /// Whether there is something to be sent that the other side does not take.
    pub(super) fn set_sending(&self, is_sending: bool) {
        self.is_sending.store(is_sending, Relaxed);
    }
}

pub(super) struct Answering(Arc<Activity>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.is_answering.store(false, Relaxed);
    }
}
