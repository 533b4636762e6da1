//! What is one pass? Declarations to plans to requests, for every target.
//!
//! The same pass serves `plan`, `apply` and the daemon. It takes no input but
//! what was read just now: whoever asked for it only said "look again".

mod backoff;
mod census;
mod confirmed;
mod declared;
mod fleet;
mod history;
mod order;
mod outcome;
mod past;
mod patience;
mod slot;
mod target;
mod target_pass;
mod verify;
mod words;
mod write;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

pub use backoff::Backoff;
pub use confirmed::{Confirmed, MOST_CONFIRMED};
pub use history::ReadHistory;
pub use outcome::{Outcome, Pass};
pub use past::ReadPast;
pub use target::Target;
pub use target_pass::{TargetPass, TargetState};

use crate::alertmanager::SilenceApi;
use crate::name::{SilenceName, TargetName};
use crate::plan::{Fingerprint, Settings};
use crate::snapshot::Snapshot;
use crate::timestamp::Timestamp;
use crate::zone::ZoneDatabase;
use declared::Declared;
use fleet::Fleet;
use history::History;
use order::Order;

/// How often to ask a target, unless it or the daemon says otherwise.
const INTERVAL: Duration = Duration::from_mins(1);

/// Whether a pass writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Plan, and stop there.
    Observe,
    /// Plan and carry out.
    Apply,
}

/// How a pass is to be made.
#[derive(Clone, Copy)]
pub struct PassOptions<'a> {
    /// Whether to write.
    pub mode: Mode,
    /// Whether to ask every target, due or not: somebody asked.
    pub insist: bool,
    /// The plans that somebody confirmed past the guards.
    pub confirmed: &'a [Fingerprint],
    /// The present instant.
    pub now: Timestamp,
    /// Turns true when the program is to end.
    pub stop: &'a watch::Receiver<bool>,
}

/// Told the target, how many of its actions have ended, and of how many.
pub type Progress = Arc<dyn Fn(&TargetName, usize, usize) + Send + Sync>;

/// Makes passes, and keeps the last good declarations between them.
///
/// Work that no pass waits for any more goes on by itself; dropping the
/// reconciler drops it too.
pub struct Reconciler<A> {
    epoch: Instant,
    settings: Settings,
    zones: Arc<ZoneDatabase>,
    fleet: Fleet<A>,
    zones_are_new: bool,
    declared: Option<Declared>,
    history: History,
    read_past: Option<Arc<ReadPast>>,
    forecasts_made: u64,
    progress: Option<Progress>,
}

impl<A: SilenceApi + 'static> Reconciler<A> {
    /// Nothing is read or asked before the first pass. `settings` are those of
    /// the targets that have none of their own.
    #[must_use]
    pub fn new(settings: Settings, zones: ZoneDatabase, targets: Vec<Target<A>>) -> Self {
        Self {
            epoch: Instant::now(),
            fleet: Fleet::new(settings.clone(), targets, INTERVAL),
            settings,
            zones: Arc::new(zones),
            zones_are_new: false,
            declared: None,
            history: History::new(),
            read_past: None,
            forecasts_made: 0,
            progress: None,
        }
    }

    /// For a single pass that somebody waits for: it waits for every target,
    /// writes for as long as it takes, and keeps everything to be shown.
    #[must_use]
    pub fn thorough(mut self) -> Self {
        self.fleet.be_thorough();
        self
    }

    /// Tells how far writing has come.
    #[must_use]
    pub fn with_progress(mut self, progress: Progress) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Begins no write while `suspended` is true, also in a pass under way.
    pub fn use_suspension(&mut self, suspended: Arc<AtomicBool>) {
        self.fleet.use_suspension(suspended);
    }

    /// How often to ask the targets that have no interval of their own.
    pub fn use_interval(&mut self, interval: Duration) {
        self.fleet.use_interval(interval);
    }

    /// The zone data in use.
    #[must_use]
    pub fn zones(&self) -> &ZoneDatabase {
        &self.zones
    }

    /// What holds for the targets that have no settings of their own.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The declarations that are for other targets than ours; most likely their
    /// `targets` are mistaken.
    pub fn untargeted(&self) -> impl Iterator<Item = &SilenceName> {
        let declared = self.declared.iter();
        declared
            .flat_map(|declared| &declared.declarations.silences)
            .filter(|declaration| {
                let mut targets = self.fleet.slots().iter().map(|slot| &slot.identity);
                !targets.any(|target| declaration.targets.selects(&target.name, &target.labels))
            })
            .map(|declaration| &declaration.name)
    }

    /// When the next target is to be asked; `None` when all are being worked on.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        self.fleet.next_due()
    }

    /// Ends once a target has answered that no pass waited for any more; the
    /// next pass takes that in. Without such a target it never ends.
    pub async fn straggler_ended(&mut self) {
        self.fleet.straggler_ended().await;
    }

    /// Waits for whatever is still under way.
    pub async fn finish(&mut self) {
        self.fleet.finish().await;
    }

    /// One pass over what the source gave, or over the last good declarations
    /// when it gave an error. Without either there is nothing to compare with,
    /// and no target is asked anything.
    ///
    /// Needs a running tokio runtime: every target is worked on by a task.
    pub async fn pass(&mut self, read: Result<Snapshot, String>, options: PassOptions<'_>) -> Pass {
        let began = Instant::now();
        let source_error = match read {
            Ok(snapshot) => {
                self.declare(snapshot).await;
                None
            }
            Err(error) => Some(error),
        };
        self.forecast(options.now);
        let Some(declared) = self.declared.clone() else {
            self.fleet.postpone();
            return Pass::without_declarations(source_error, options.now);
        };
        let order = Order {
            mode: options.mode,
            insist: options.insist,
            started: options.now,
            began,
            epoch: self.epoch,
            declared: declared.clone(),
            stop: options.stop.clone(),
            halts: self.fleet.halts(options.mode == Mode::Apply),
            longest_writing: self.fleet.longest_writing(),
            progress: self.progress.clone(),
            census: self.fleet.census(),
            // So that many daemons do not ask the same server in step.
            jitter: 0.9 + 0.2 * fastrand::f64(),
        };
        let (number, targets) = self.fleet.pass(order, options.confirmed).await;
        Pass {
            number,
            started: options.now,
            mode: options.mode,
            revision: Some(declared.revision),
            source_error,
            declarations: declared.declarations,
            targets,
        }
    }

    /// Lets broken files go on as their earlier versions, also after a restart.
    #[must_use]
    pub fn with_history(mut self, read_history: ReadHistory) -> Self {
        self.history.read_with(read_history);
        self
    }

    /// Lets what was expired by hand be told from what an earlier process
    /// expired, also when commits were made since.
    #[must_use]
    pub fn with_past(mut self, read_past: ReadPast) -> Self {
        self.read_past = Some(Arc::new(read_past));
        self
    }

    /// How often the windows of all declarations were computed.
    #[must_use]
    pub const fn forecasts_made(&self) -> u64 {
        self.forecasts_made
    }

    /// Takes other zone data; the next pass reads the declarations with it.
    pub fn use_zones(&mut self, zones: ZoneDatabase) {
        self.zones = Arc::new(zones);
        self.zones_are_new = true;
    }
}
