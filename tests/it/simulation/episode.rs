//! What happens in a few days? Calms and storms, one after the other.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use silenced::clock::Clock;
use silenced::memory::{self, Version};
use silenced::name::InstanceName;
use silenced::plan::{HandExpired, HoldCause, Settings};
use silenced::timestamp::Timestamp;
use silenced::zone::ZoneDatabase;
use tokio::time::sleep;

use super::INSTANCE;
use super::account::Account;
use super::author::Author;
use super::calendar::{DAY, minute_of};
use super::fault::{EVENTS, Fault, OF_REQUESTS, Tally};
use super::people::{self, Past};
use super::process::{Process, Source};
use super::repository::{Damage, File, Repository};
use super::server::Server;
use crate::support::world::InMemory;

/// How long after the last disturbance of a storm everything must be in order:
/// the longest backoff (15 minutes), the last late effect (2 minutes), and a
/// few passes.
const SETTLING: Duration = Duration::from_mins(20);

/// How long the writes of others may be unknown to a replica.
const SETTLE: Duration = Settings::SETTLE;

const NEVER: Timestamp = Timestamp::from_seconds(i64::MAX);

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
    promptly: Duration,
    author: Author,
    past: Past,
    started: u64,
    /// The second of each minute at which it is looked at: between the
    /// boundaries of windows, on the server's clock too.
    look_at: i64,
}

/// Simulates the episode of that seed; how many days it lasted, and what happened.
pub(super) fn run(seed: u64, zones: &ZoneDatabase) -> (u64, Tally) {
    // The program draws its jitter from the thread's generator.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut episode = Episode::new(seed, zones);
        let days = episode.rng.u64(2..=5);
        let result = episode.days(days).await;
        for process in &episode.processes {
            process.task.abort();
        }
        if let Err(violation) = result {
            panic!(
                "{violation}\nSEED={seed} begins with this episode\n{}",
                episode.story()
            );
        }
        let mut state = episode.server.state();
        let mut tally = std::mem::take(&mut state.tally);
        tally.merge(std::mem::take(&mut state.account.tally));
        (days, tally)
    })
}

impl<'z> Episode<'z> {
    fn new(seed: u64, zones: &'z ZoneDatabase) -> Self {
        let mut rng = Rng::with_seed(seed);
        let near_changes = [
            "2026-03-07T00:00:00Z",
            "2026-03-27T12:00:00Z",
            "2026-04-03T12:00:00Z",
            "2026-09-04T12:00:00Z",
            "2026-10-02T12:00:00Z",
            "2026-10-23T12:00:00Z",
            "2026-10-30T12:00:00Z",
        ];
        let mut epoch = Timestamp::parse(rng.choice(near_changes).unwrap()).unwrap();
        if rng.bool() {
            epoch = epoch.plus(Duration::from_mins(rng.u64(..60_000)));
        }
        let clock = Clock::simulated(epoch);
        let since = tokio::time::Instant::now();
        let offset = if rng.bool() { 0 } else { rng.i64(-28..=28) };
        let server_clock = Clock::Simulated {
            epoch: Timestamp::from_seconds(epoch.seconds() + offset),
            since,
        };
        let settings = memory::Settings {
            version: rng.choice(Version::ALL).unwrap(),
            retention: Duration::from_mins(rng.u64(30..600)),
            seed,
            ..memory::Settings::default()
        };
        let memory = InMemory::of_settings(settings, server_clock);
        let alone = rng.bool();
        memory.alone.store(alone, Ordering::SeqCst);
        let mut settings = Settings::new(InstanceName::new(INSTANCE).unwrap());
        if rng.u8(..4) == 0 {
            settings.hand_expired = HandExpired::Respect;
        }
        let start = minute_of(epoch);
        let (from, to) = (start - 4 * DAY, start + 10 * DAY);
        let repository = Repository::new(from, to);
        let snapshot = repository.head.snapshot();
        let mut tally = Tally::default();
        if offset != 0 {
            tally.happened(Fault::ClockOffset);
        }
        // A pass costs more than an hour of nothing, so most are five minutes apart.
        let interval = Duration::from_mins(if rng.u8(..4) == 0 { 1 } else { 5 });
        // The interval has a tenth of jitter.
        let edge = interval.mul_f64(1.1) + Duration::from_secs(4);
        let server = Server::new(memory, rng.fork(), repository, Account::new(clock));
        server.state().tally = tally;
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
            author,
            past: Past::default(),
            started: 0,
            look_at: if offset == 0 { 1 } else { 30 },
            rng,
        }
    }

    async fn days(&mut self, days: u64) -> Result<(), String> {
        let mut files = BTreeMap::new();
        for index in 0..self.author.names * 2 / 3 {
            let path = format!("team-{}.yaml", index % 3);
            let file: &mut File = files.entry(path).or_default();
            file.entries.push(self.author.entry(format!("job-{index}")));
        }
        self.commit(files);
        self.start();
        let end = self.clock.now().plus(Duration::from_hours(24 * days));
        self.calm(60).await?;
        while self.clock.now() < end {
            let storm = self.rng.u64(30..480);
            self.storm(storm).await?;
            let calm = self.rng.u64(60..400);
            self.calm(calm).await?;
        }
        Ok(())
    }

    /// Faults of some kinds at requests, and events between them.
    async fn storm(&mut self, minutes: u64) -> Result<(), String> {
        let mut weather = Vec::new();
        for fault in OF_REQUESTS {
            let alone = self.server.memory.alone.load(Ordering::SeqCst);
            let possible = !alone || fault != Fault::StaleList;
            if possible && self.rng.u8(..3) == 0 {
                weather.push((fault, self.rng.u8(4..140)));
            }
        }
        let events: Vec<Fault> = EVENTS
            .into_iter()
            .filter(|fault| self.rng.u8(..24) < fault.frequency())
            .collect();
        self.log(format!("storm of {weather:?}"));
        self.settled_at = NEVER;
        self.server.state().weather = weather;
        let every = self.rng.u64(5..60);
        for _ in 0..minutes {
            self.minute().await?;
            if self.rng.u64(..every) == 0
                && let Some(fault) = self.rng.choice(&events).copied()
            {
                sleep(Duration::from_millis(self.rng.u64(..50_000))).await;
                self.happen(fault);
            }
            if self.processes.is_empty() && self.rng.u8(..30) == 0 {
                self.start();
            }
        }
        Ok(())
    }

    /// No faults; after a while, changes that must be followed promptly.
    async fn calm(&mut self, minutes: u64) -> Result<(), String> {
        self.log("calm".to_owned());
        self.server.state().weather.clear();
        {
            let mut source = self.source.lock().unwrap();
            source.failing = false;
            source.latency = Duration::ZERO;
        }
        self.mend();
        if self.processes.is_empty() {
            self.start();
        }
        while self.processes.len() > 1 {
            let process = self.processes.remove(0);
            let _ = process.stop.send(true);
        }
        self.settled_at = self.clock.now().plus(SETTLING + self.promptly);
        for _ in 0..minutes {
            self.minute().await?;
            if self.clock.now() > self.settled_at && self.rng.u8(..30) == 0 {
                let events = [
                    Fault::Change,
                    Fault::Change,
                    Fault::Kill,
                    Fault::ForeignSilence,
                    Fault::EditedComment,
                    Fault::EditedEnd,
                    Fault::CopiedMarker,
                    Fault::Request,
                ];
                let fault = self.rng.choice(events).unwrap();
                sleep(Duration::from_millis(self.rng.u64(..50_000))).await;
                self.happen(fault);
                if self.processes.is_empty() {
                    self.start();
                }
            }
        }
        while self.clock.now() <= self.settled_at {
            self.minute().await?;
        }
        self.check_converged().await
    }

    /// Sleeps until the next look, and looks.
    async fn minute(&mut self) -> Result<(), String> {
        let now = self.clock.now().seconds();
        let wait = (self.look_at - now).rem_euclid(60);
        let wait = if wait == 0 { 60 } else { wait };
        sleep(Duration::from_secs(wait.unsigned_abs())).await;
        if self.rng.u8(..90) == 0 {
            let server = Arc::clone(&self.server);
            self.past.remember(&server, &mut self.rng);
        }
        if self.settled_at != NEVER {
            self.confirm_holds()?;
        }
        self.check_minute()
    }

    /// Something happens now.
    fn happen(&mut self, fault: Fault) {
        let mut files = self.server.state().repository.head.files.clone();
        let mut what = String::new();
        match fault {
            Fault::Change => {
                self.author.change(&mut files).clone_into(&mut what);
                self.commit(files);
                self.disturbed(self.promptly);
            }
            Fault::BrokenFile | Fault::UnreadableFile => {
                let readable = files.values_mut().filter(|file| file.damage.is_none());
                let Some(file) = self.rng.choice(readable.collect::<Vec<_>>()) else {
                    return;
                };
                let damages = [Damage::UnknownKey, Damage::Truncated, Damage::Garbage];
                file.damage = if fault == Fault::BrokenFile {
                    self.rng.choice(damages)
                } else {
                    Some(Damage::Unreadable)
                };
                what = format!("{:?}", file.damage);
                self.commit(files);
            }
            Fault::NameTwice => {
                let readable = files.values().filter(|file| file.damage.is_none());
                let Some(file) = self.rng.choice(readable.collect::<Vec<_>>()).cloned() else {
                    return;
                };
                files.insert("copy.yaml".to_owned(), file);
                self.commit(files);
            }
            Fault::MassRemoval => {
                for file in files.values_mut().filter(|file| file.damage.is_none()) {
                    file.entries.truncate(1);
                }
                self.commit(files);
            }
            Fault::EmptyRepository => {
                files.clear();
                self.commit(files);
            }
            Fault::SourceFails => {
                let mut source = self.source.lock().unwrap();
                source.failing = !source.failing;
            }
            Fault::SourceSlow => {
                let latency = Duration::from_secs(self.rng.u64(..120));
                self.source.lock().unwrap().latency = latency;
            }
            Fault::Kill => {
                if let Some(process) = self.processes.pop() {
                    process.task.abort();
                }
            }
            Fault::Overlap => {
                self.start();
                if self.processes.len() > 2 {
                    let first = self.processes.remove(0);
                    let _ = first.stop.send(true);
                }
            }
            Fault::Request => {
                for process in &self.processes {
                    let _ = process.handle.trigger.request(None);
                }
            }
            _ => match people::act(fault, &self.server, &self.past, &mut self.rng) {
                Some(did) => {
                    what = did;
                    if fault == Fault::HandExpiry
                        && self.settings.hand_expired == HandExpired::Respect
                    {
                        self.server.state().repository.end_by_hand(&what);
                        self.commit(files);
                    }
                    self.disturbed(self.promptly);
                }
                None => return,
            },
        }
        self.log(format!("{fault:?} {what}"));
        self.server.state().tally.happened(fault);
    }

    /// Somebody mends most of what is broken in the repository.
    fn mend(&mut self) {
        let mut files = self.server.state().repository.head.files.clone();
        for file in files.values_mut() {
            if self.rng.u8(..4) > 0 {
                file.damage = None;
            }
        }
        if self.rng.u8(..4) > 0 {
            files.remove("copy.yaml");
        }
        let is_broken = files.values().any(|file| file.damage.is_some());
        let entries = files.values().map(|file| file.entries.len());
        if entries.sum::<usize>() < self.author.names / 2 && !is_broken && self.rng.u8(..6) > 0 {
            self.author.refill(&mut files);
        }
        self.commit(files);
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
        let nothing = self
            .server
            .state()
            .repository
            .head
            .entries()
            .next()
            .is_none();
        let certain = !self.server.state().repository.head.is_broken();
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

    fn commit(&mut self, files: BTreeMap<String, File>) {
        let now = self.clock.now();
        let mut state = self.server.state();
        state.repository.commit(now, files);
        self.source.lock().unwrap().snapshot = state.repository.head.snapshot();
    }

    fn start(&mut self) {
        self.started += 1;
        let process = Process::start(
            self.started,
            self.clock,
            self.zones,
            &self.settings,
            self.interval,
            &self.server,
            &self.source,
        );
        self.log(format!("process {} starts", process.id));
        self.processes.push(process);
    }

    /// What somebody wants to know who reads a failure.
    fn story(&self) -> String {
        let state = self.server.state();
        let mut story = format!("what happened:\n  {}\n", state.account.story());
        for file in state.repository.head.snapshot().files {
            let content = file
                .content
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            let content = content.unwrap_or_else(|error| error);
            let _ = writeln!(story, "{}: {content}", file.path);
        }
        for process in &self.processes {
            let pass = process.handle.status.borrow().pass.clone();
            let pass = pass.map(|pass| (pass.to_json(0), pass.plan_to_json()));
            let _ = writeln!(story, "process {}: {pass:?}", process.id);
        }
        story
    }

    fn disturbed(&mut self, time: Duration) {
        self.settled_at = self.settled_at.max(self.clock.now().plus(time));
    }

    fn log(&self, event: String) {
        self.server.state().account.log(event);
    }
}
