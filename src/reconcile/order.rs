//! What does a pass ask of every target?

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::census::Census;
use super::{Declared, Mode, Progress};
use crate::timestamp::Timestamp;
use crate::uptime::Uptime;

/// The same for all of them.
pub(super) struct Order {
    pub(super) mode: Mode,
    /// Whether it is asked for by somebody, who knows better than a backoff.
    pub(super) insist: bool,
    /// When the pass began, by the wall clock and by the machine's.
    pub(super) started: Timestamp,
    pub(super) began: Instant,
    /// When the process began.
    pub(super) epoch: Instant,
    pub(super) declared: Declared,
    pub(super) stop: watch::Receiver<bool>,
    /// When one of these turns true no write is to begin any more, though reading
    /// goes on.
    pub(super) halts: [Arc<AtomicBool>; 2],
    /// How long one target may be written to.
    pub(super) longest_writing: Option<Duration>,
    pub(super) progress: Option<Progress>,
    /// `None` for a target that is the only one.
    pub(super) census: Option<Arc<Census>>,
    /// By how much the targets' next turns lie off their intervals.
    pub(super) jitter: f64,
}

impl Order {
    /// The present instant.
    pub(super) fn now(&self) -> Timestamp {
        self.started.plus(self.began.elapsed())
    }

    /// The same by a clock that nobody sets.
    pub(super) fn uptime(&self) -> Uptime {
        Uptime::new(self.epoch.elapsed())
    }
}
