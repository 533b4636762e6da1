//! Do the failures stay mended that somebody met? Each file of `tests/scenarios`
//! is a short story over the same world as the simulation, with nothing left to
//! chance and every invariant checked at every minute.
//!
//! A file is picked up by being there, and its name is the scenario's.
//! `SCENARIO=name` runs that one alone. Its steps, in order:
//!
//! | step | |
//! | --- | --- |
//! | `commit` | adds or replaces files: their entries with `name`, `alerts`, `when`; `calendars.yaml` comes by itself when they need its names |
//! | `delete`, `damage` | takes a file away, breaks one |
//! | `start`, `kill` | a process; `start` says by how many seconds its clock is ahead |
//! | `sync`, `ask` | asks for a pass, and waits for its end or does not |
//! | `die_amid_a_pass` | the scenario is played once for each await point of that pass |
//! | `fault` | happens to the next request of that kind |
//! | `happens` | to the server, as in a storm (`HandExpiry`, `Ghost`, ...) |
//! | `clock`, `limit` | sets the server's clock so many seconds ahead, its limit |
//! | `remember` | the server's state, and one silence, to come back later |
//! | `wait` | so long; every minute is checked |
//! | `covered` | from here on what is silent is exact, whatever happens |
//! | `exact` | everything is exact after so long, and stays so for a while |
//! | `expect` | which alerts are silent, how many live silences are ours, what is held |

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::{env, fs};

use fastrand::Rng;
use serde::Deserialize;
use silenced::memory::{self, Version};
use silenced::name::InstanceName;
use silenced::plan::{HandExpired, Settings};
use silenced::silence::SilenceState;
use silenced::timestamp::Timestamp;
use silenced::zone::ZoneDatabase;
use tokio::time::sleep;

use super::INSTANCE;
use super::calendar::{NAMED, When, ZONES, minute_of};
use super::episode::{Circumstances, Episode, NEVER};
use super::fault::{Fault, Verb};
use super::people;
use super::repository::{Damage, Entry, File, alerts};
use super::server::{alerts_of, marker_of};

/// A process asks this often; whatever takes longer must ask by `sync`.
const INTERVAL: Duration = Duration::from_mins(5);

/// No pass has more await points, or one waits for ever.
const AWAITS: u64 = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    /// What happened, and why it matters.
    #[serde(rename = "story")]
    _story: String,
    begin: String,
    #[serde(default)]
    server: ServerKeys,
    #[serde(default)]
    respects_hand_expiries: bool,
    steps: Vec<Step>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ServerKeys {
    /// As its status shows it; the newest by default.
    version: Option<String>,
    /// Seconds.
    clock_ahead: i64,
    /// Whether it may have replicas that know more.
    has_replicas: bool,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
enum Step {
    Commit(BTreeMap<String, Vec<EntryKeys>>),
    Delete(String),
    Damage(BTreeMap<String, Damage>),
    Start(i64),
    Kill,
    Sync,
    Ask,
    DieAmidAPass,
    Fault(BTreeMap<Verb, Fault>),
    Happens(Fault),
    Clock(i64),
    Limit(Option<usize>),
    Remember,
    Wait(String),
    Covered(bool),
    Exact(Exact),
    Expect(Expectation),
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct EntryKeys {
    name: String,
    alerts: Vec<String>,
    when: String,
    #[serde(default = "default_comment")]
    comment: String,
}

fn default_comment() -> String {
    "Known defect.".to_owned()
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Exact {
    after: String,
    lasting: String,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Expectation {
    silent: Option<BTreeSet<String>>,
    silences: Option<usize>,
    held: Option<BTreeSet<String>>,
}

impl Step {
    /// Whether nothing need be exact after it, until the story says so.
    const fn disturbs(&self) -> bool {
        !matches!(
            self,
            Self::Fault(_)
                | Self::Sync
                | Self::Ask
                | Self::Wait(_)
                | Self::Remember
                | Self::Expect(_)
        )
    }
}

impl EntryKeys {
    fn entry(&self) -> Entry {
        Entry {
            name: self.name.clone(),
            matchers: self.alerts.clone(),
            comment: self.comment.clone(),
            owner: "dba".to_owned(),
            when: when(&self.when),
            enabled: true,
            suspended: false,
        }
    }
}

/// `always`, `FROM/TO`, `22:00-06:00 ZONE` for every day, or a name that
/// `calendars.yaml` defines.
fn when(text: &str) -> When {
    if let Some(index) = NAMED.iter().position(|(name, ..)| *name == text) {
        return When::Named(index);
    }
    if text == "always" {
        return When::Always;
    }
    if let Some((from, to)) = text.split_once('/').filter(|_| text.ends_with('Z')) {
        let minute = |text| minute_of(Timestamp::parse(text).unwrap());
        return When::Once(minute(from), minute(to));
    }
    let (range, zone) = text.split_once(' ').unwrap();
    let (start, end) = range.split_once('-').unwrap();
    let minute = |clock: &str| {
        let (hour, minute) = clock.split_once(':').unwrap();
        hour.parse::<i64>().unwrap() * 60 + minute.parse::<i64>().unwrap()
    };
    When::Daily {
        zone: *ZONES.iter().find(|known| known.name() == zone).unwrap(),
        ranges: vec![(minute(start), minute(end))],
        weekdays: (0..7).collect(),
    }
}

fn duration(text: &str) -> Duration {
    silenced::duration::parse(text).unwrap()
}

impl Scenario {
    fn circumstances(&self) -> Circumstances {
        let mut settings = Settings::new(InstanceName::new(INSTANCE).unwrap());
        if self.respects_hand_expiries {
            settings.hand_expired = HandExpired::Respect;
        }
        let version = self
            .server
            .version
            .as_ref()
            .map_or_else(Version::default, |number| {
                let known = Version::ALL.into_iter();
                let mut of_number = known.filter(|version| version.number() == number);
                of_number.next().unwrap()
            });
        Circumstances {
            epoch: Timestamp::parse(&self.begin).unwrap(),
            ahead: self.server.clock_ahead,
            server: memory::Settings {
                version,
                ..memory::Settings::default()
            },
            alone: !self.server.has_replicas,
            settings,
            interval: INTERVAL,
        }
    }

    /// Whether the process died at that await point, of a scenario that has one die.
    async fn play(&self, zones: &ZoneDatabase, awaits: u64) -> Result<bool, String> {
        let mut episode = Episode::new(self.circumstances(), Rng::with_seed(0), zones);
        let mut died = false;
        for step in &self.steps {
            if let Step::DieAmidAPass = step {
                died = episode.die_amid_a_pass(awaits).await;
                continue;
            }
            if let Err(error) = episode.step(step).await {
                let story = episode.story();
                return Err(format!(
                    "{error}\nat {step:?}, await point {awaits}\n{story}"
                ));
            }
        }
        for process in &episode.processes {
            process.task.abort();
        }
        Ok(died)
    }
}

impl Episode<'_> {
    async fn step(&mut self, step: &Step) -> Result<(), String> {
        if step.disturbs() {
            self.settled_at = NEVER;
        }
        let mut files = self.server.state().repository.head.files.clone();
        match step {
            Step::Commit(changed) => {
                for (path, entries) in changed {
                    let file = File {
                        entries: entries.iter().map(EntryKeys::entry).collect(),
                        ..File::default()
                    };
                    files.insert(path.clone(), file);
                }
                self.commit(files);
            }
            Step::Delete(path) => {
                files.remove(path).unwrap();
                self.commit(files);
            }
            Step::Damage(damages) => {
                for (path, damage) in damages {
                    files.get_mut(path).unwrap().damage = Some(*damage);
                }
                self.commit(files);
            }
            Step::Start(ahead) => self.start(*ahead),
            Step::Kill => self.kill(),
            Step::Ask => {
                self.ask();
            }
            Step::Sync => {
                let asked = self.ask();
                let mut status = self.processes[0].handle.status.clone();
                let answered = status.wait_for(|status| status.answered >= asked).await;
                answered.unwrap();
            }
            Step::DieAmidAPass => unreachable!("played by the scenario"),
            Step::Fault(faults) => {
                let faults = faults.iter().map(|(&verb, &fault)| (verb, fault));
                self.server.state().script.extend(faults);
            }
            Step::Happens(fault) => {
                let did = people::act(*fault, &self.server, &self.past, &mut self.rng);
                did.ok_or("it happens to nothing")?;
            }
            Step::Clock(ahead) => self.server.memory.ahead.store(*ahead, Ordering::SeqCst),
            Step::Limit(limit) => self.server.restart(*limit),
            Step::Remember => {
                let server = Arc::clone(&self.server);
                self.past.remember(&server, &mut self.rng);
            }
            Step::Wait(text) => self.wait(duration(text)).await?,
            Step::Covered(is_covered) => self.is_covered = *is_covered,
            Step::Exact(Exact { after, lasting }) => {
                self.settled_at = self.clock.now().plus(duration(after));
                self.wait(duration(after) + duration(lasting)).await?;
                self.check_converged().await?;
            }
            Step::Expect(expectation) => return self.expect(expectation),
        }
        Ok(())
    }

    /// Asks the oldest process for a pass.
    fn ask(&self) -> u64 {
        self.processes[0].handle.trigger.request(None)
    }

    /// So long, with a look at every minute.
    async fn wait(&mut self, duration: Duration) -> Result<(), String> {
        let until = tokio::time::Instant::now() + duration;
        while tokio::time::Instant::now() + Duration::from_mins(1) <= until {
            self.minute().await?;
        }
        tokio::time::sleep_until(until).await;
        Ok(())
    }

    /// Whether the process died before it came to the end of a pass.
    async fn die_amid_a_pass(&mut self, awaits: u64) -> bool {
        let asked = self.ask();
        let process = self.processes.remove(0);
        process.die_after(awaits);
        while process.handle.status.borrow().answered < asked {
            if process.task.is_finished() {
                return true;
            }
            sleep(Duration::from_millis(10)).await;
        }
        process.task.abort();
        false
    }

    fn expect(&self, expected: &Expectation) -> Result<(), String> {
        let live = self.server.live();
        let owned = live
            .iter()
            .filter(|silence| marker_of(&silence.comment).is_some());
        let owned: Vec<_> = owned.collect();
        if let Some(silent) = &expected.silent {
            let active = owned
                .iter()
                .filter(|silence| silence.state == SilenceState::Active);
            let active: BTreeSet<String> =
                active.map(|silence| alerts_of(&silence.matchers)).collect();
            let silent: BTreeSet<String> =
                silent.iter().map(|text| alerts(text.split(", "))).collect();
            same("silent", &active, &silent)?;
        }
        if let Some(count) = expected.silences {
            same("silences of ours", &owned.len(), &count)?;
        }
        if let Some(held) = &expected.held {
            let status = self.processes[0].handle.status.borrow();
            let pass = status.pass.as_ref().unwrap();
            let plan = pass.targets[0].plan.as_ref().unwrap();
            let causes = plan.holds.iter().map(|hold| hold.cause.word().to_owned());
            same("held", &causes.collect(), held)?;
        }
        Ok(())
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: {found:?} instead of {expected:?}"))
}

/// Plays it, once for each await point where it has a process die, and says how
/// often one died.
fn replay(text: &str, zones: &ZoneDatabase) -> Result<u64, String> {
    let scenario: Scenario = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    for awaits in 0..AWAITS {
        // The program draws its jitter from the thread's generator.
        fastrand::seed(awaits);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let died = runtime.block_on(scenario.play(zones, awaits))?;
        if !died {
            return Ok(awaits);
        }
    }
    Err(format!("a pass with {AWAITS} await points"))
}

#[test]
fn every_scenario_ends_well() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let wanted = env::var("SCENARIO").ok();
    let zones = ZoneDatabase::bundled();
    let mut failures = Vec::new();
    let mut played = 0;
    let mut paths: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if wanted.as_ref().is_some_and(|wanted| *wanted != name) {
            continue;
        }
        played += 1;
        match replay(&fs::read_to_string(&path).unwrap(), &zones) {
            Ok(0) => println!("scenario {name} ... ok"),
            Ok(deaths) => println!("scenario {name} ... ok, {deaths} deaths"),
            Err(error) => failures.push(format!("scenario {name}: {error}")),
        }
    }
    assert!(played > 0, "there is no scenario of that name: {wanted:?}");
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
}
