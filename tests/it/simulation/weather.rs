//! What happens in a few days? Calms and storms, one after the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fastrand::Rng;
use silenced::memory::{self, Version};
use silenced::name::InstanceName;
use silenced::plan::{HandExpired, Settings};
use silenced::timestamp::Timestamp;
use silenced::zone::ZoneDatabase;
use tokio::time::sleep;

use super::INSTANCE;
use super::calendar::minute_of;
use super::episode::{Circumstances, Episode, NEVER, SETTLING};
use super::fault::{EVENTS, Fault, OF_REQUESTS, Tally, Verb};
use super::people;
use super::repository::{Damage, File};

/// The most by which the server's clock is set, in seconds either way.
const CLOCK_JUMP: i64 = 150;

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
        let mut episode = Episode::drawn(seed, zones);
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

/// What a process's own clock may be ahead by, in seconds.
const PROCESS_CLOCKS: [i64; 6] = [-172_800, -7200, -300, 300, 7200, 172_800];

impl Circumstances {
    fn draw(rng: &mut Rng) -> Self {
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
        let ahead = match rng.u8(..4) {
            0 | 1 => 0,
            2 => rng.i64(-28..=28),
            _ => rng.i64(-300..=300),
        };
        let server = memory::Settings {
            version: rng.choice(Version::ALL).unwrap(),
            retention: Duration::from_mins(rng.u64(30..600)),
            seed: rng.u64(..),
            ..memory::Settings::default()
        };
        let mut settings = Settings::new(InstanceName::new(INSTANCE).unwrap());
        if rng.u8(..4) == 0 {
            settings.hand_expired = HandExpired::Respect;
        }
        if rng.u8(..4) == 0 {
            settings.guard.max_create = rng.usize(6..20);
        }
        // A pass costs more than an hour of nothing, so most are five minutes apart.
        let interval = Duration::from_mins(if rng.u8(..4) == 0 { 1 } else { 5 });
        Self {
            epoch,
            ahead,
            server,
            alone: rng.bool(),
            settings,
            interval,
        }
    }
}

impl<'z> Episode<'z> {
    fn drawn(seed: u64, zones: &'z ZoneDatabase) -> Self {
        let mut rng = Rng::with_seed(seed);
        let circumstances = Circumstances::draw(&mut rng);
        Self::new(circumstances, rng, zones)
    }

    async fn days(&mut self, days: u64) -> Result<(), String> {
        let mut files = BTreeMap::new();
        for index in 0..self.author.names * 2 / 3 {
            let path = format!("team-{}.yaml", index % 3);
            let file: &mut File = files.entry(path).or_default();
            file.entries.push(self.author.entry(format!("job-{index}")));
        }
        self.commit(files);
        self.start_anywhere();
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
        // In some only requests fail and processes die: what is silent must not
        // suffer at all.
        self.is_covered = true;
        let is_harmless = self.rng.u8(..3) == 0;
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
            .filter(|fault| !is_harmless || fault.leaves_coverage())
            .filter(|fault| self.rng.u8(..24) < fault.frequency())
            .collect();
        self.log(format!("storm of {weather:?}, harmless: {is_harmless}"));
        self.settled_at = NEVER;
        self.server.state().weather = weather;
        let every = self.rng.u64(5..60);
        for _ in 0..minutes {
            self.minute().await?;
            self.take_back();
            self.remember_sometimes();
            if self.rng.u64(..every) == 0
                && let Some(fault) = self.rng.choice(&events).copied()
            {
                sleep(Duration::from_millis(self.rng.u64(..50_000))).await;
                self.happen(fault);
            }
            if self.processes.is_empty() && self.rng.u8(..30) == 0 {
                self.start_anywhere();
            }
        }
        self.take_back();
        Ok(())
    }

    /// Somebody regrets what was merged less than a minute ago.
    fn take_back(&mut self) {
        if let Some(files) = self.regretted.take() {
            self.commit(files);
            self.request();
        }
    }

    /// Every process is asked for a pass.
    fn request(&self) {
        for process in &self.processes {
            let _ = process.handle.trigger.request(None);
        }
    }

    /// No faults; after a while, changes that must be followed promptly.
    async fn calm(&mut self, minutes: u64) -> Result<(), String> {
        self.log("calm".to_owned());
        {
            let mut state = self.server.state();
            state.weather.clear();
            state.script.clear();
        }
        self.server.restart(None);
        {
            let mut source = self.source.lock().unwrap();
            source.failing = false;
            source.latency = Duration::ZERO;
        }
        self.mend();
        if self.processes.is_empty() {
            self.start_anywhere();
        }
        while self.processes.len() > 1 {
            let process = self.processes.remove(0);
            let _ = process.stop.send(true);
        }
        self.settled_at = self.clock.now().plus(SETTLING + self.promptly);
        self.is_covered = false;
        for _ in 0..minutes {
            self.calm_minute().await?;
            if self.clock.now() > self.settled_at && self.rng.u8(..30) == 0 {
                let events = [
                    Fault::Change,
                    Fault::Change,
                    Fault::Kill,
                    Fault::KillAmid,
                    Fault::ForeignSilence,
                    Fault::EditedComment,
                    Fault::EditedEnd,
                    Fault::CopiedMarker,
                    Fault::Request,
                ];
                let fault = self.rng.choice(events).unwrap();
                sleep(Duration::from_millis(self.rng.u64(..50_000))).await;
                self.happen(fault);
            }
        }
        while self.clock.now() <= self.settled_at {
            self.calm_minute().await?;
        }
        self.check_converged().await
    }

    /// What is now may come back later.
    fn remember_sometimes(&mut self) {
        if self.rng.u8(..90) == 0 {
            let server = Arc::clone(&self.server);
            self.past.remember(&server, &mut self.rng);
        }
    }

    /// A minute at the end of which a dead process is replaced.
    async fn calm_minute(&mut self) -> Result<(), String> {
        self.minute().await?;
        self.remember_sometimes();
        if self.processes.is_empty() {
            self.start_anywhere();
            self.disturbed(self.promptly);
        }
        Ok(())
    }

    /// On a machine whose clock may be wrong.
    fn start_anywhere(&mut self) {
        let mut ahead = 0;
        if self.rng.u8(..6) == 0 {
            ahead = self.rng.choice(PROCESS_CLOCKS).unwrap();
            self.server.state().tally.happened(Fault::ProcessClock);
        }
        self.start(ahead);
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
            Fault::TakenBack => {
                let Some(name) = self.something_silent() else {
                    return;
                };
                self.regretted = Some(files.clone());
                self.author.take_away(&mut files, &name);
                self.commit(files);
                if self.rng.bool() {
                    // The weather alone would seldom delay the one that matters.
                    let mut state = self.server.state();
                    let late = (Verb::Expire, Fault::EffectAfterTimeout);
                    state.script.push_back(late);
                }
                self.request();
                what = name;
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
                // Names of schedules that are ambiguous would break other files.
                let file = File {
                    defines: false,
                    ..file
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
            Fault::Revert => {
                let earlier = {
                    let history = &self.server.state().repository.history;
                    let good = history.iter().filter(|(_, commit)| !commit.is_broken());
                    let chosen = self.rng.choice(good.collect::<Vec<_>>());
                    chosen.map(|(_, commit)| commit.files.clone())
                };
                self.commit(earlier.unwrap_or(files));
            }
            Fault::ClockJump => {
                let ahead = self.ahead + self.rng.i64(-CLOCK_JUMP..=CLOCK_JUMP);
                self.server.memory.ahead.store(ahead, Ordering::SeqCst);
                what = ahead.to_string();
            }
            Fault::Full => {
                let held = self.server.stored().len();
                self.server.restart(Some(held + self.rng.usize(..4)));
            }
            Fault::Kill => self.kill(),
            Fault::KillAmid => {
                // Most of the awaits of a pass are those of its requests.
                let awaits = self.rng.u64(..30);
                let Some(process) = self.rng.choice(&self.processes) else {
                    return;
                };
                process.die_after(awaits);
                let _ = process.handle.trigger.request(None);
                what = awaits.to_string();
            }
            Fault::Overlap => {
                self.start_anywhere();
                if self.processes.len() > 2 {
                    let first = self.processes.remove(0);
                    let _ = first.stop.send(true);
                }
            }
            Fault::Request => self.request(),
            _ => match people::act(fault, &self.server, &self.past, &mut self.rng) {
                Some(did) => {
                    what = did;
                    let ended = match fault {
                        Fault::HandExpiry => Some(what.clone()),
                        // It may come to its new end before a process looks.
                        Fault::EditedEnd => self.server.name_of(&what),
                        _ => None,
                    };
                    if let Some(name) = ended
                        && self.settings.hand_expired == HandExpired::Respect
                    {
                        self.server.state().repository.end_by_hand(&name);
                        self.commit(files);
                    }
                    self.disturbed(self.promptly);
                }
                None => return,
            },
        }
        self.is_covered &= fault.leaves_coverage();
        self.log(format!("{fault:?} {what}"));
        self.server.state().tally.happened(fault);
    }

    /// The name of a declaration that applies now.
    fn something_silent(&mut self) -> Option<String> {
        let minute = minute_of(self.server_now());
        let state = self.server.state();
        let silent = state.repository.head.wanted_at(minute);
        self.rng.choice(silent.collect::<Vec<_>>())
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
}
