//! How is one target brought into step? List, plan, apply, and what is
//! remembered from one pass to the next.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::backoff::Backoff;
use super::census::Census;
use super::order::Order;
use super::target_pass::TargetPass;
use super::words::held_without_effect;
use super::{Declared, Mode};
use crate::alertmanager::{ApiErrorKind, Listing, SilenceApi};
use crate::apply::Pace;
use crate::name::TargetName;
use crate::plan::{
    Fingerprint, HandExpired, Plan, PlanInput, RecentWrites, Settings, plan, present,
};
use crate::silence::Silence;
use crate::stop::stopped;
use crate::uptime::{Moment, Uptime};

/// A clock that is this much off deserves a remark; requests take seconds at worst.
const NOTABLE_OFFSET: Duration = Duration::from_secs(30);

/// Missing silences that are asked for one by one. When a server has lost its
/// state, or a token its rights, any of them tells.
const MOST_ASKED: usize = 10;

/// Which target it is.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) name: TargetName,
    /// What `targets:` selectors in declarations ask for.
    pub(super) labels: BTreeMap<String, String>,
}

/// One Alertmanager-compatible endpoint.
#[derive(Debug)]
pub struct Target<A> {
    pub(super) identity: Arc<Identity>,
    pub(super) api: A,
    /// Its own, if it has some.
    pub(super) settings: Option<Arc<Settings>>,
    pub(super) interval: Option<Duration>,
    pub(super) pace: Pace,
    /// After failures of the server: it is left alone.
    pub(super) backoff: Backoff,
    /// After its limit was reached: nothing is created, the rest goes on.
    pub(super) full: Backoff,
    pub(super) recent: RecentWrites,
}

impl<A> Target<A> {
    /// `labels` are what `targets:` selectors in declarations ask for.
    pub fn new(name: TargetName, labels: BTreeMap<String, String>, api: A) -> Self {
        Self {
            identity: Arc::new(Identity { name, labels }),
            api,
            settings: None,
            interval: None,
            pace: Pace::unlimited(),
            backoff: Backoff::new(),
            full: Backoff::new(),
            recent: RecentWrites::new(),
        }
    }

    /// With settings of its own instead of the reconciler's.
    #[must_use]
    pub fn with_settings(mut self, settings: Settings) -> Self {
        self.settings = Some(Arc::new(settings));
        self
    }

    /// With an interval of its own instead of the daemon's.
    #[must_use]
    pub const fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// With at most so many writes in a second, evenly spaced.
    #[must_use]
    pub fn with_writes_per_second(mut self, writes: NonZeroU32) -> Self {
        self.pace = Pace::per_second(writes);
        self
    }

    /// Its name.
    pub fn name(&self) -> &TargetName {
        &self.identity.name
    }

    /// Its labels.
    pub fn labels(&self) -> &BTreeMap<String, String> {
        &self.identity.labels
    }

    /// The settings of its own, if it has some.
    pub fn settings(&self) -> Option<&Settings> {
        self.settings.as_deref()
    }

    /// The interval of its own, if it has one.
    pub const fn interval(&self) -> Option<Duration> {
        self.interval
    }

    /// When it may be tried again, if it is being left alone.
    pub(super) fn next_retry(&self) -> Option<Uptime> {
        self.backoff.until()
    }
}

impl<A: SilenceApi> Target<A> {
    /// One list, the plan over it, and its requests.
    pub(super) async fn pass(
        &mut self,
        settings: &Settings,
        order: &Order,
        confirmed: &[Fingerprint],
    ) -> TargetPass {
        let mut pass = TargetPass::new(self.identity.name.clone(), order.now());
        // The list is no older than this.
        let uptime = order.uptime();
        let listed = tokio::select! {
            listed = self.api.list() => listed,
            // Nothing has been written yet, so nothing needs to be seen through.
            () = stopped(&order.stop) => {
                pass.error = Some("stopped before the target was listed".to_owned());
                return pass;
            }
        };
        let listing = match listed {
            Ok(listing) => listing,
            Err(error) => {
                let retry_after = retry_after(error.kind());
                return self.failed(pass, error.with_causes(), order, retry_after);
            }
        };
        let now = present(&listing.silences, listing.server_time, order.now());
        let moment = Moment { uptime, now };
        if let Err(error) = self.check(settings, order, &listing.silences, moment).await {
            return self.failed(pass, error, order, None);
        }
        let plan = self
            .plan(settings, order, confirmed, &listing, moment)
            .await;
        // Writing may take long, and a list is large.
        drop(listing);
        let mut errors: Vec<String> = Vec::new();
        if order.mode == Mode::Apply && !plan.actions.is_empty() {
            (pass.report, errors) = self.write(settings, order, &plan).await;
        }
        errors.extend(held_without_effect(&plan));
        pass.error = (!errors.is_empty()).then(|| errors.join("; "));
        if let Some(error) = &pass.error {
            tracing::error!(target = %self.identity.name, "{error}");
        }
        self.back_off(&pass.report, order.uptime());
        pass.plan = Some(plan);
        pass
    }

    /// Makes sure that a list is of a server of its own, and shows what it must.
    async fn check(
        &mut self,
        settings: &Settings,
        order: &Order,
        listed: &[Silence],
        moment: Moment,
    ) -> Result<(), String> {
        if let Some(census) = &order.census {
            self.be_counted(census).await;
            census.compare(&self.identity.name, &settings.instance, listed);
            if let Some(conflict) = census.conflict(&self.identity.name) {
                return Err(conflict);
            }
        }
        let settle = settings.settle;
        self.check_overdue(listed, moment, settle).await?;
        if self.recent.contradict(listed, moment.uptime, settle) && self.is_alone().await {
            // No replica can know better: the server lost or restored its state.
            self.recent.settle(listed, moment);
        }
        Ok(())
    }

    /// Asks which cluster it is, unless that is known.
    pub(super) async fn be_counted(&self, census: &Census) {
        if !census.knows(&self.identity.name) {
            // Most kinds cannot tell, and that costs no request.
            if let Some(members) = self.api.members().await {
                census.record(&self.identity.name, members);
            }
        }
    }

    /// Whether no replica can have a newer list.
    pub(super) async fn is_alone(&self) -> bool {
        let members = self.api.members().await;
        members.is_some_and(|members| members.is_alone())
    }

    /// A pass that ended before there was a plan.
    fn failed(
        &mut self,
        mut pass: TargetPass,
        error: String,
        order: &Order,
        retry_after: Option<Duration>,
    ) -> TargetPass {
        tracing::error!(target = %self.identity.name, "{error}");
        self.backoff
            .failed(order.uptime(), error.clone(), retry_after);
        pass.error = Some(error);
        pass
    }

    /// Makes sure that what we made and the list lacks is gone: to make again
    /// what we only may not see would make another with every settling time.
    async fn check_overdue(
        &mut self,
        listed: &[Silence],
        moment: Moment,
        settle: Duration,
    ) -> Result<(), String> {
        let overdue = self.recent.overdue(listed, moment.uptime, settle);
        for id in overdue.iter().take(MOST_ASKED) {
            let hides = self.api.hides(id).await;
            if hides.map_err(|error| error.with_causes())? {
                return Err(format!(
                    "the list lacks {} silences that were made, and `{id}` at least is live: the \
                     credentials may not read them all; grant `alert.instances:read`, or \
                     `alert.silences:read` on the folders of all rules that have silences",
                    overdue.len()
                ));
            }
        }
        self.recent.lost(&overdue, moment);
        Ok(())
    }

    async fn plan(
        &mut self,
        settings: &Settings,
        order: &Order,
        confirmed: &[Fingerprint],
        listing: &Listing,
        moment: Moment,
    ) -> Plan {
        let silences = &listing.silences;
        self.recent.forget(silences, moment, settings.settle);
        let full = self.full.waiting(moment.uptime).filter(|_| !order.insist);
        let input = PlanInput {
            silences,
            recent: &self.recent,
            full,
            confirmed,
            ..self.input(settings, &order.declared, moment)
        };
        let mut plan = plan(&input);
        if settings.hand_expired == HandExpired::Respect && !plan.unexplained.is_empty() {
            plan = explained(&plan, &input, &order.declared).await;
        }
        self.recent
            .effects
            .settle(silences, &plan.actions, moment.uptime);
        let (now, ours) = (moment.now, order.now());
        let offset = now.since(ours).max(ours.since(now));
        if offset >= NOTABLE_OFFSET {
            plan.remarks.push(format!(
                "the server's clock shows {now}, {} s off ours; windows go by the server's",
                offset.as_secs()
            ));
        }
        if let Some(said) = listing.server_time.filter(|said| *said != now) {
            plan.remarks.push(format!(
                "the `Date` of the list, {said}, contradicts the states of the silences in it, which \
                 a proxy may be the reason of; windows go by {now}"
            ));
        }
        plan.remarks.extend(listing.remarks.iter().cloned());
        if let Some(first) = &listing.skipped.first {
            let count = listing.skipped.count;
            plan.remarks.push(format!(
                "{count} silences could not be read, the first: {first}"
            ));
        }
        plan
    }

    /// A plan's input over an empty list, without anything that is remembered.
    pub(super) fn input<'a>(
        &'a self,
        settings: &'a Settings,
        declared: &'a Declared,
        moment: Moment,
    ) -> PlanInput<'a> {
        const NOTHING: &RecentWrites = &RecentWrites::new();
        PlanInput {
            settings,
            target: &self.identity.name,
            labels: &self.identity.labels,
            declarations: &declared.declarations,
            forecasts: &declared.forecasts,
            revision: &declared.revision,
            lineage: &declared.lineage,
            silences: &[],
            recent: NOTHING,
            full: None,
            confirmed: &[],
            now: moment.now,
            uptime: moment.uptime,
        }
    }
}

/// The plan once it is known, as far as it can be, who ended what.
async fn explained(first: &Plan, input: &PlanInput<'_>, declared: &Declared) -> Plan {
    let mut lineage = declared.lineage.clone();
    let origins = &first.unexplained;
    let past = &declared.past;
    past.explain(origins, input.declarations, &mut lineage)
        .await;
    plan(&PlanInput {
        lineage: &lineage,
        ..*input
    })
}

/// How long a busy server asks to be left alone.
pub(super) const fn retry_after(kind: ApiErrorKind) -> Option<Duration> {
    match kind {
        ApiErrorKind::Busy { retry_after } => retry_after,
        _ => None,
    }
}
