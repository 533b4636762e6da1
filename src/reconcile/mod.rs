//! What is one pass? Declarations to plans to requests, for every target.
//!
//! The same pass serves `plan`, `apply` and the daemon. It takes no input but
//! what was read just now: whoever asked for it only said "look again".

mod backoff;
mod history;
mod outcome;
mod target;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::sync::watch;

pub use backoff::Backoff;
pub use history::ReadHistory;
pub use outcome::{Outcome, Pass, TargetPass};
pub use target::Target;

use crate::alertmanager::SilenceApi;
use crate::declaration::Declarations;
use crate::name::{SilenceName, TargetName};
use crate::plan::{Fingerprint, Settings};
use crate::schedule::Forecast;
use crate::snapshot::{Revision, Snapshot};
use crate::timestamp::Timestamp;
use crate::zone::ZoneDatabase;
use history::History;

/// Targets that are worked on at the same time.
const CONCURRENT_TARGETS: usize = 8;

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
    /// Whether to try targets whose backoff is not over: somebody asked.
    pub insist: bool,
    /// The plan that somebody confirmed past the guards.
    pub confirmed: Option<&'a Fingerprint>,
    /// The present instant.
    pub now: Timestamp,
    /// Turns true when the program is to end.
    pub stop: &'a watch::Receiver<bool>,
    /// Told the target, how many of its actions have ended, and of how many.
    pub progress: &'a (dyn Fn(&TargetName, usize, usize) + Sync),
}

/// Makes passes, and keeps the last good declarations between them.
pub struct Reconciler<A> {
    settings: Settings,
    zones: ZoneDatabase,
    targets: Vec<Target<A>>,
    zones_are_new: bool,
    declared: Option<Declared>,
    history: History,
    forecasts_made: u64,
}

#[derive(Clone, Debug)]
struct Declared {
    revision: Revision,
    declarations: Arc<Declarations>,
    /// Of each declaration, in their order.
    forecasts: Arc<Vec<Forecast>>,
}

impl<A: SilenceApi> Reconciler<A> {
    /// Nothing is read or asked before the first pass.
    #[must_use]
    pub const fn new(settings: Settings, zones: ZoneDatabase, targets: Vec<Target<A>>) -> Self {
        Self {
            settings,
            zones,
            targets,
            zones_are_new: false,
            declared: None,
            history: History::new(),
            forecasts_made: 0,
        }
    }

    /// The targets, in the order of the configuration.
    #[must_use]
    pub fn targets(&self) -> &[Target<A>] {
        &self.targets
    }

    /// The zone data in use.
    #[must_use]
    pub const fn zones(&self) -> &ZoneDatabase {
        &self.zones
    }

    /// What holds for every pass.
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
                !self
                    .targets
                    .iter()
                    .any(|target| declaration.targets.selects(target.name(), target.labels()))
            })
            .map(|declaration| &declaration.name)
    }

    /// When the first target that is backing off may be tried again.
    #[must_use]
    pub fn next_retry(&self) -> Option<Timestamp> {
        self.targets.iter().filter_map(Target::next_retry).min()
    }

    /// One pass over what the source gave, or over the last good declarations
    /// when it gave an error. Without either there is nothing to compare with,
    /// and no target is asked anything.
    pub async fn pass(&mut self, read: Result<Snapshot, String>, options: PassOptions<'_>) -> Pass {
        let source_error = match read {
            Ok(snapshot) => {
                self.declare(snapshot).await;
                None
            }
            Err(error) => Some(error),
        };
        self.forecast(options.now);
        let Some(declared) = self.declared.clone() else {
            return Pass::without_declarations(source_error, options.now);
        };
        let mut passes = Vec::with_capacity(self.targets.len());
        for target in &mut self.targets {
            passes.push(target.pass(&self.settings, &declared, options));
        }
        let targets = stream::iter(passes)
            .buffered(CONCURRENT_TARGETS)
            .collect()
            .await;
        Pass {
            started: options.now,
            mode: options.mode,
            revision: Some(declared.revision),
            source_error,
            declarations: declared.declarations,
            targets,
            horizon: self.settings.horizon,
        }
    }

    /// Lets broken files go on as their earlier versions, also after a restart.
    #[must_use]
    pub fn with_history(mut self, read_history: ReadHistory) -> Self {
        self.history.read_with(read_history);
        self
    }

    /// Computes the windows of the declarations, unless they are known for long
    /// enough. A pass over unchanged declarations computes nothing.
    fn forecast(&mut self, now: Timestamp) {
        let horizon = self.settings.horizon;
        let Some(declared) = &mut self.declared else {
            return;
        };
        let until = now.plus(horizon).plus(Duration::from_secs(1));
        let silences = &declared.declarations.silences;
        let are_known = declared.forecasts.len() == silences.len()
            && declared
                .forecasts
                .iter()
                .all(|forecast| forecast.covers(now, until));
        if !are_known {
            let forecasts = silences
                .iter()
                .map(|declaration| Forecast::new(&declaration.schedule, now, horizon));
            declared.forecasts = Arc::new(forecasts.collect());
            self.forecasts_made += 1;
        }
    }

    /// How often the windows of all declarations were computed.
    #[must_use]
    pub const fn forecasts_made(&self) -> u64 {
        self.forecasts_made
    }

    /// Takes other zone data; the next pass reads the declarations with it.
    pub fn use_zones(&mut self, zones: ZoneDatabase) {
        self.zones = zones;
        self.zones_are_new = true;
    }

    /// Reads the files again only when they, or the zones, are others.
    async fn declare(&mut self, snapshot: Snapshot) {
        let known = self.declared.as_ref().filter(|_| !self.zones_are_new);
        self.zones_are_new = false;
        if known.is_some_and(|declared| declared.revision == snapshot.revision) {
            return;
        }
        let mut declarations = match known {
            Some(Declared { declarations, .. }) => declarations.read_after(&snapshot, &self.zones),
            None => Declarations::read(&snapshot, &self.zones),
        };
        if !declarations.broken.is_empty() {
            let earlier = self
                .history
                .before(&snapshot.revision, &declarations.broken)
                .await;
            declarations.recover(&snapshot, &earlier, &self.zones);
        }
        tracing::info!(
            revision = %snapshot.revision,
            files = declarations.paths.len(),
            silences = declarations.silences.len(),
            broken_files = declarations.broken.len(),
            stand_ins = declarations.stand_ins.len(),
            "read the declarations"
        );
        let revision = snapshot.revision.clone();
        self.history.keep(snapshot, &declarations.broken);
        self.declared = Some(Declared {
            revision,
            declarations: Arc::new(declarations),
            forecasts: Arc::default(),
        });

        for silence in self.untargeted() {
            tracing::warn!(%silence, "its `targets` match none of the targets");
        }
    }
}
