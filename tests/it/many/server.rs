//! How does one of many servers behave? In memory, as slowly and as badly as a
//! test wants it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use silenced::alertmanager::{ApiError, ApiErrorKind, Expired, Listing, Members, SilenceApi};
use silenced::clock::Clock;
use silenced::memory;
use silenced::silence::{SilenceDraft, SilenceId};
use tokio::time::sleep;

use crate::support::world::InMemory;

/// What a server does when it is asked.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) memory: InMemory,
    pub(super) fails: Arc<AtomicBool>,
    pub(super) lists: Arc<AtomicUsize>,
    pub(super) list_takes: Duration,
    pub(super) write_takes: Arc<Mutex<Duration>>,
    /// What it says of its cluster, if that is not what the memory says.
    pub(super) members: Option<Members>,
    pub(super) members_take: Duration,
    pub(super) members_asked: Arc<AtomicUsize>,
}

impl Server {
    /// Its ids are its own, as those of any server.
    pub(super) fn new(clock: Clock) -> Self {
        static SEEDS: AtomicU64 = AtomicU64::new(0);
        let settings = memory::Settings {
            seed: SEEDS.fetch_add(1, Ordering::Relaxed),
            ..memory::Settings::default()
        };
        Self {
            memory: InMemory::of_settings(settings, clock),
            fails: Arc::default(),
            lists: Arc::default(),
            list_takes: Duration::ZERO,
            write_takes: Arc::default(),
            members: None,
            members_take: Duration::ZERO,
            members_asked: Arc::default(),
        }
    }

    /// Takes so long for each write.
    pub(super) fn slow(clock: Clock, write_takes: Duration) -> Self {
        let server = Self::new(clock);
        server.set_write_takes(write_takes);
        server
    }

    pub(super) fn set_write_takes(&self, time: Duration) {
        *self.write_takes.lock().unwrap() = time;
    }

    async fn write(&self) {
        let time = *self.write_takes.lock().unwrap();
        sleep(time).await;
    }

    /// Answers nothing for as long as a client waits.
    pub(super) fn hanging(clock: Clock) -> Self {
        let server = Self {
            list_takes: Duration::from_secs(30),
            ..Self::new(clock)
        };
        server.fails.store(true, Ordering::SeqCst);
        server
    }

    pub(super) fn lists(&self) -> usize {
        self.lists.load(Ordering::SeqCst)
    }

    pub(super) fn asked_for_members(&self) -> usize {
        self.members_asked.load(Ordering::SeqCst)
    }

    pub(super) fn posts(&self) -> u64 {
        self.memory.server().counts().posts
    }
}

impl SilenceApi for Server {
    async fn list(&self) -> Result<Listing, ApiError> {
        self.lists.fetch_add(1, Ordering::SeqCst);
        sleep(self.list_takes).await;
        if self.fails.load(Ordering::SeqCst) {
            return Err(ApiError::new(ApiErrorKind::Unknown, "GET", "timeout"));
        }
        self.memory.list().await
    }

    async fn members(&self) -> Option<Members> {
        sleep(self.members_take).await;
        self.members_asked.fetch_add(1, Ordering::SeqCst);
        if self.fails.load(Ordering::SeqCst) {
            return None;
        }
        match &self.members {
            Some(members) => Some(members.clone()),
            None => self.memory.members().await,
        }
    }

    async fn set(&self, draft: &SilenceDraft) -> Result<SilenceId, ApiError> {
        self.write().await;
        self.memory.set(draft).await
    }

    async fn expire(&self, id: &SilenceId) -> Result<Expired, ApiError> {
        self.write().await;
        self.memory.expire(id).await
    }
}
