//! What is one pass? Declarations to plans to requests, for every target.
//!
//! The same pass serves `plan`, `apply` and the daemon. It takes no input but
//! what was read just now: whoever asked for it only said "look again".

mod backoff;
mod outcome;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::sync::watch;

pub use backoff::Backoff;
pub use outcome::{Outcome, Pass, TargetPass};

use crate::alertmanager::SilenceApi;
use crate::apply::apply;
use crate::declaration::Declarations;
use crate::name::{InstanceName, SilenceName, TargetName};
use crate::plan::{Guard, Plan, PlanInput, plan};
use crate::snapshot::{Revision, Snapshot};
use crate::timestamp::Timestamp;
use crate::zone::ZoneDatabase;

/// Targets that are worked on at the same time.
const CONCURRENT_TARGETS: usize = 8;

/// What holds for every pass of an installation.
#[derive(Clone, Debug)]
pub struct ReconcileSettings {
    /// Who we are.
    pub instance: InstanceName,
    /// How far ahead windows become silences.
    pub horizon: Duration,
    /// How long a silence without an end in sight lives unless it is renewed.
    pub lease: Duration,
    /// How much may be expired at once.
    pub guard: Guard,
}

/// One Alertmanager-compatible endpoint.
#[derive(Debug)]
pub struct Target<A> {
    name: TargetName,
    labels: BTreeMap<String, String>,
    api: A,
    backoff: Backoff,
}

impl<A> Target<A> {
    /// `labels` are what `targets:` selectors in declarations ask for.
    pub const fn new(name: TargetName, labels: BTreeMap<String, String>, api: A) -> Self {
        Self {
            name,
            labels,
            api,
            backoff: Backoff::new(),
        }
    }

    /// Its name.
    pub const fn name(&self) -> &TargetName {
        &self.name
    }

    /// Its labels.
    pub const fn labels(&self) -> &BTreeMap<String, String> {
        &self.labels
    }
}

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
    /// The present instant.
    pub now: Timestamp,
    /// Turns true when the program is to end.
    pub stop: &'a watch::Receiver<bool>,
    /// Told the target, how many of its actions have ended, and of how many.
    pub progress: &'a (dyn Fn(&TargetName, usize, usize) + Sync),
}

/// Makes passes, and keeps the last good declarations between them.
#[derive(Debug)]
pub struct Reconciler<A> {
    settings: ReconcileSettings,
    zones: ZoneDatabase,
    targets: Vec<Target<A>>,
    declared: Option<Declared>,
}

#[derive(Clone, Debug)]
struct Declared {
    revision: Revision,
    declarations: Arc<Declarations>,
}

impl<A: SilenceApi> Reconciler<A> {
    /// Nothing is read or asked before the first pass.
    #[must_use]
    pub const fn new(
        settings: ReconcileSettings,
        zones: ZoneDatabase,
        targets: Vec<Target<A>>,
    ) -> Self {
        Self {
            settings,
            zones,
            targets,
            declared: None,
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
    pub const fn settings(&self) -> &ReconcileSettings {
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
                    .any(|target| declaration.targets.selects(&target.name, &target.labels))
            })
            .map(|declaration| &declaration.name)
    }

    /// When the first target that is backing off may be tried again.
    #[must_use]
    pub fn next_retry(&self) -> Option<Timestamp> {
        self.targets
            .iter()
            .filter_map(|target| target.backoff.until())
            .min()
    }

    /// One pass over what the source gave, or over the last good declarations
    /// when it gave an error. Without either there is nothing to compare with,
    /// and no target is asked anything.
    pub async fn pass(&mut self, read: Result<Snapshot, String>, options: PassOptions<'_>) -> Pass {
        let source_error = match read {
            Ok(snapshot) => {
                self.declare(&snapshot);
                None
            }
            Err(error) => Some(error),
        };
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

    /// Reads the files again only when there are others.
    fn declare(&mut self, snapshot: &Snapshot) {
        let known = self.declared.as_ref();
        if known.is_some_and(|declared| declared.revision == snapshot.revision) {
            return;
        }
        let declarations = Declarations::read(snapshot, &self.zones);
        tracing::info!(
            revision = %snapshot.revision,
            files = declarations.paths.len(),
            silences = declarations.silences.len(),
            broken_files = declarations.broken.len(),
            "read the declarations"
        );
        self.declared = Some(Declared {
            revision: snapshot.revision.clone(),
            declarations: Arc::new(declarations),
        });
        for silence in self.untargeted() {
            tracing::warn!(%silence, "its `targets` match none of the targets");
        }
    }
}

impl<A: SilenceApi> Target<A> {
    async fn pass(
        &mut self,
        settings: &ReconcileSettings,
        declared: &Declared,
        options: PassOptions<'_>,
    ) -> TargetPass {
        let mut pass = TargetPass::new(self.name.clone());
        if !options.insist
            && self
                .backoff
                .until()
                .is_some_and(|until| until > options.now)
        {
            pass.error = self.backoff.error().map(str::to_owned);
            return pass;
        }
        match self.plan(settings, declared, options.now).await {
            Ok(plan) => {
                if options.mode == Mode::Apply && !plan.actions.is_empty() {
                    let total = plan.actions.len();
                    let progress = |ended| (options.progress)(&self.name, ended, total);
                    pass.report = apply(&plan, &self.api, options.stop, &progress).await;
                    pass.error = pass.report.failures.first().map(|failure| {
                        let more = pass.report.failures.len() - 1 + pass.report.not_attempted;
                        match more {
                            0 => format!("{}: {}", failure.silence, failure.message),
                            _ => format!(
                                "{}: {} (and {more} more)",
                                failure.silence, failure.message
                            ),
                        }
                    });
                }
                pass.plan = Some(plan);
            }
            Err(error) => pass.error = Some(error),
        }
        match &pass.error {
            Some(error) => {
                tracing::error!(target = %self.name, "{error}");
                self.backoff.failed(options.now, error.clone());
            }
            None => self.backoff.succeeded(),
        }
        pass
    }

    async fn plan(
        &self,
        settings: &ReconcileSettings,
        declared: &Declared,
        now: Timestamp,
    ) -> Result<Plan, String> {
        let listing = self
            .api
            .list()
            .await
            .map_err(|error| error.with_causes().to_string())?;
        Ok(plan(&PlanInput {
            instance: &settings.instance,
            target: &self.name,
            labels: &self.labels,
            declarations: &declared.declarations,
            revision: &declared.revision,
            silences: &listing.silences,
            horizon: settings.horizon,
            lease: settings.lease,
            guard: &settings.guard,
            now,
        }))
    }
}
