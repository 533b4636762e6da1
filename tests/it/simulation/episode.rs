//! What is one run of the world? A server, a repository and the processes
//! between them, and what anybody does to them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use silenced::clock::Clock;
use silenced::memory;
use silenced::plan::{HoldCause, Settings};
use silenced::timestamp::Timestamp;
use silenced::zone::ZoneDatabase;
use tokio::time::{Instant, sleep};

use super::account::Account;
use super::author::Author;
use super::calendar::{DAY, minute_of};
use super::fault::Fault;
use super::people::Past;
use super::process::{Process, Source};
use super::repository::{File, Repository};
use super::server::Server;
use crate::support::world::InMemory;

/// How long after the last disturbance of a storm everything must be in order:
/// the longest backoff (15 minutes), the last late effect (2 minutes), a clock
/// that was set back or a peer's that is ahead (9 minutes), and a few passes.
pub(super) const SETTLING: Duration = Duration::from_mins(30);

/// How long the writes of others may be unknown to a replica.
const SETTLE: Duration = Settings::SETTLE;

pub(super) const NEVER: Timestamp = Timestamp::from_seconds(i64::MAX);

/// The second of each server's minute at which it is looked at: right after the
/// boundaries of windows.
const LOOK_AT: i64 = 1;

/// What is so from the beginning.
pub(super) struct Circumstances {
    pub(super) epoch: Timestamp,
    /// By how many seconds the server's clock is ahead.
    pub(super) ahead: i64,
    pub(super) server: memory::Settings,
    /// Whether the server says that it has no replicas.
    pub(super) alone: bool,
    pub(super) settings: Settings,
    pub(super) interval: Duration,
}

/// One run of the world.
pub(super) struct Episode<'z> {
    pub(super) rng: Rng,
    pub(super) clock: Clock,
    pub(super) zones: &'z ZoneDatabase,
    pub(super) server: Arc<Server>,
    pub(super) source: Arc<Mutex<Source>>,
    pub(super) processes: Vec<Process>,
    /// From when on everything must be exact.
    pub(super) settled_at: Timestamp,
    pub(super) settings: Settings,
    pub(super) interval: Duration,
    /// No pass is farther away than this.
    pub(super) edge: Duration,
    /// How long after a change in a calm everything must be in order.
    pub(super) promptly: Duration,
    /// Everything was exact, and nothing has happened since that may change
    /// what is silent: no fault of a request, no death of a process does.
    pub(super) is_covered: bool,
    pub(super) ahead: i64,
    pub(super) author: Author,
    pub(super) past: Past,
    /// The files before a change that will be taken back.
    pub(super) regretted: Option<BTreeMap<String, File>>,
    started: u64,
}

impl<'z> Episode<'z> {
    /// Made inside a paused tokio runtime.
    pub(super) fn new(circumstances: Circumstances, mut rng: Rng, zones: &'z ZoneDatabase) -> Self {
        let Circumstances {
            epoch,
            ahead,
            server: server_settings,
            alone,
            settings,
            interval,
        } = circumstances;
        let clock = Clock::simulated(epoch);
        let memory = InMemory::of_settings(server_settings.clone(), clock);
        memory.alone.store(alone, Ordering::SeqCst);
        memory.ahead.store(ahead, Ordering::SeqCst);
        let start = minute_of(epoch);
        let (from, to) = (start - 4 * DAY, start + 10 * DAY);
        let repository = Repository::new(from, to);
        let snapshot = repository.head.snapshot();
        // The interval has a tenth of jitter.
        let edge = interval.mul_f64(1.1) + Duration::from_secs(4);
        let account = Account::new(clock, memory.clone(), settings.guard.clone());
        let server = Server::new(memory, server_settings, rng.fork(), repository, account);
        if ahead != 0 {
            server.state().tally.happened(Fault::ClockOffset);
        }
        let author = Author {
            rng: rng.fork(),
            names: if rng.u8(..8) == 0 {
                24
            } else {
                rng.usize(3..9)
            },
            from: start - DAY,
            to: start + 5 * DAY,
        };
        Self {
            clock,
            zones,
            server,
            source: Arc::new(Mutex::new(Source {
                snapshot,
                failing: false,
                latency: Duration::ZERO,
            })),
            processes: Vec::new(),
            settled_at: epoch.plus(edge),
            settings,
            interval,
            edge,
            promptly: if alone { edge } else { edge + SETTLE + edge },
            is_covered: false,
            ahead,
            author,
            past: Past::default(),
            regretted: None,
            started: 0,
            rng,
        }
    }

    /// Sleeps until the next look, and looks.
    pub(super) async fn minute(&mut self) -> Result<(), String> {
        let now = self.server_now().seconds();
        let wait = (LOOK_AT - now).rem_euclid(60);
        let wait = if wait == 0 { 60 } else { wait };
        sleep(Duration::from_secs(wait.unsigned_abs())).await;
        let alive = self.processes.len();
        self.processes.retain(|process| !process.has_died());
        if self.processes.len() < alive {
            // What it was about to do is for its successor.
            self.disturbed(self.promptly);
        }
        if self.settled_at != NEVER {
            self.confirm_holds()?;
        }
        self.check_minute()
    }

    /// Somebody confirms what the guard holds, if it may hold that.
    fn confirm_holds(&mut self) -> Result<(), String> {
        let held = self.processes.iter().find_map(|process| {
            let status = process.handle.status.borrow();
            let plan = status.pass.as_ref()?.targets.first()?.plan.clone()?;
            let held = |hold: &&silenced::plan::Hold| hold.cause == HoldCause::Guard;
            let count = plan.holds.iter().filter(held).count();
            (count > 0).then_some((count, plan.fingerprint))
        });
        let Some((count, fingerprint)) = held else {
            return Ok(());
        };
        let (nothing, certain) = {
            let commit = &self.server.state().repository.head;
            // A name that is declared twice declares nothing.
            let is_once =
                |name: &str| commit.entries().filter(|entry| entry.name == name).count() == 1;
            let mut names = commit.entries().map(|entry| entry.name.as_str());
            (!names.any(is_once), !commit.is_broken())
        };
        if count <= 10 && !nothing && certain && self.clock.now() > self.settled_at {
            return Err(format!("the guard holds {count} without a reason"));
        }
        self.log(format!("confirmed {fingerprint}, {count} held"));
        for process in &self.processes {
            self.server.state().account.confirm(process.id);
            let _ = process.handle.trigger.request(Some(fingerprint.clone()));
        }
        self.disturbed(self.promptly * 2);
        Ok(())
    }

    pub(super) fn commit(&mut self, files: BTreeMap<String, File>) {
        let now = self.clock.now();
        let mut state = self.server.state();
        state.repository.commit(now, files);
        self.source.lock().unwrap().snapshot = state.repository.head.snapshot();
    }

    /// Starts a process whose own clock is so many seconds ahead.
    pub(super) fn start(&mut self, ahead: i64) {
        self.started += 1;
        let clock = Clock::Simulated {
            epoch: Timestamp::from_seconds(self.clock.now().seconds() + ahead),
            since: Instant::now(),
        };
        let process = Process::start(
            self.started,
            clock,
            self.zones,
            &self.settings,
            self.interval,
            &self.server,
            &self.source,
        );
        self.log(format!(
            "process {} starts, its clock {ahead} s ahead",
            process.id
        ));
        self.processes.push(process);
    }

    /// The last process that was started is killed.
    pub(super) fn kill(&mut self) {
        if let Some(process) = self.processes.pop() {
            process.task.abort();
        }
    }

    /// The present by the server's clock.
    pub(super) fn server_now(&self) -> Timestamp {
        self.server.memory.now().into()
    }

    /// What somebody wants to know who reads a failure.
    pub(super) fn story(&self) -> String {
        let state = self.server.state();
        let mut story = format!("what happened:\n  {}\n", state.account.story());
        for file in state.repository.head.snapshot().files {
            let content = file
                .content
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            let content = content.unwrap_or_else(|error| error);
            let _ = writeln!(story, "{}: {content}", file.path);
        }
        drop(state);
        for silence in self.server.stored() {
            let _ = writeln!(story, "stored: {silence:?}");
        }
        for process in &self.processes {
            let pass = process.handle.status.borrow().pass.clone();
            let pass = pass.map(|pass| (pass.to_json(0), pass.plan_to_json(usize::MAX)));
            let _ = writeln!(story, "process {}: {pass:?}", process.id);
        }
        story
    }

    pub(super) fn disturbed(&mut self, time: Duration) {
        self.settled_at = self.settled_at.max(self.clock.now().plus(time));
    }

    pub(super) fn log(&self, event: String) {
        self.server.state().account.log(event);
    }
}
