//! How is one target brought into step? List, plan, apply, and what is
//! remembered from one pass to the next.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::backoff::Backoff;
use super::census::Census;
use super::order::Order;
use super::outcome::TargetPass;
use super::verify::Written;
use super::{Declared, Mode};
use crate::alertmanager::{ApiErrorKind, Listing, SilenceApi};
use crate::apply::{ApplyReport, Failure, Pace, Terms, apply, expire};
use crate::name::TargetName;
use crate::plan::{
    Fingerprint, HandExpired, HoldCause, Plan, PlanInput, RecentWrites, Settings, plan, present,
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
    pace: Pace,
    /// After failures of the server: it is left alone.
    backoff: Backoff,
    /// After its limit was reached: nothing is created, the rest goes on.
    full: Backoff,
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
        let settle = settings.settle;
        if let Some(census) = &order.census {
            self.be_counted(census).await;
            census.compare(&self.identity.name, &settings.instance, &listing.silences);
            if let Some(conflict) = census.conflict(&self.identity.name) {
                return self.failed(pass, conflict, order, None);
            }
        }
        if let Err(error) = self
            .check_overdue(&listing.silences, moment, settings)
            .await
        {
            return self.failed(pass, error, order, None);
        }
        if self.recent.contradict(&listing.silences, uptime, settle) && self.is_alone().await {
            // No replica can know better: the server lost or restored its state.
            self.recent.settle(&listing.silences, moment);
        }
        let plan = self
            .plan(settings, order, confirmed, &listing, moment)
            .await;
        // Writing may take long, and a list is large.
        drop(listing);
        pass.error = held_without_effect(&plan);
        if order.mode == Mode::Apply && !plan.actions.is_empty() {
            let longest = order.longest_writing;
            let until = longest.map(|longest| Instant::now() + longest);
            pass.report = self.apply(&plan, order, until).await;
            if let Some(census) = &order.census {
                let made = pass.report.made.iter().map(|(id, ..)| id);
                census.made(&self.identity.name, made);
            }
            let written = Written::of(&plan, &pass.report.carried_out);
            let written_at = order.uptime();
            self.remember(&mut pass.report, written_at);
            let verified = self.verify(settings, order, &written, written_at).await;
            let is_proved = |number: &usize| {
                let expiry = plan.actions.get(*number);
                expiry.is_some_and(|expiry| verified.allows(expiry))
            };
            let (proved, unproved): (Vec<usize>, Vec<usize>) =
                std::mem::take(&mut pass.report.unproved)
                    .into_iter()
                    .partition(is_proved);
            let mut ended = self.expire(&plan, &proved, order, until).await;
            self.remember(&mut ended, order.uptime());
            pass.report.add(ended);
            let waiting = waiting(unproved.len());
            let errors = [summary(&pass.report), verified.error, waiting, pass.error];
            let errors: Vec<String> = errors.into_iter().flatten().collect();
            pass.error = (!errors.is_empty()).then(|| errors.join("; "));
            pass.report.not_attempted += unproved.len();
        }
        if let Some(error) = &pass.error {
            tracing::error!(target = %self.identity.name, "{error}");
        }
        self.back_off(&pass.report, order.uptime());
        pass.plan = Some(plan);
        pass
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
        settings: &Settings,
    ) -> Result<(), String> {
        let overdue = self.recent.overdue(listed, moment.uptime, settings.settle);
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
        if let Some(said) = listing.server_time.filter(|said| *said < now) {
            plan.remarks.push(format!(
                "the `Date` of the list, {said}, is behind what the server's silences show, which a \
                 proxy may be the reason of; windows go by {now}"
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

    async fn apply(&self, plan: &Plan, order: &Order, until: Option<Instant>) -> ApplyReport {
        let progress = self.progress(order, 0, plan.actions.len());
        apply(plan, &self.api, self.terms(order, until, &progress)).await
    }

    /// Carries out the last expiries of a plan.
    async fn expire(
        &self,
        plan: &Plan,
        numbers: &[usize],
        order: &Order,
        until: Option<Instant>,
    ) -> ApplyReport {
        let total = plan.actions.len();
        let progress = self.progress(order, total - numbers.len(), total);
        let terms = self.terms(order, until, &progress);
        expire(plan, numbers, &self.api, terms).await
    }

    fn terms<'a>(
        &'a self,
        order: &'a Order,
        until: Option<Instant>,
        progress: &'a (dyn Fn(usize) + Sync),
    ) -> Terms<'a> {
        Terms {
            target: &self.identity.name,
            stop: &order.stop,
            halts: &order.halts,
            until,
            pace: &self.pace,
            progress,
        }
    }

    /// Tells of actions that ended, after so many before.
    fn progress(&self, order: &Order, before: usize, total: usize) -> impl Fn(usize) + Sync {
        move |ended| {
            if let Some(progress) = &order.progress {
                progress(&self.identity.name, before + ended, total);
            }
        }
    }

    /// What later plans must know is moved over from the report.
    fn remember(&mut self, report: &mut ApplyReport, now: Uptime) {
        for (id, silence, window) in std::mem::take(&mut report.made) {
            self.recent.made(id, silence, window, now);
        }
        for id in std::mem::take(&mut report.ended) {
            self.recent.ended(id, now);
        }
        for id in std::mem::take(&mut report.doubtful) {
            self.recent.doubtful(id, now);
        }
    }

    /// A refused silence is retried with every pass and holds up nothing else;
    /// a failing server is left alone for a while.
    fn back_off(&mut self, report: &ApplyReport, now: Uptime) {
        let first = |concerns: fn(&Failure) -> bool| {
            report.failures.iter().find(|failure| concerns(failure))
        };
        let longest = report
            .failures
            .iter()
            .filter_map(|failure| retry_after(failure.kind))
            .max();
        match first(Failure::concerns_server) {
            Some(failure) => self.backoff.failed(now, failure.message.clone(), longest),
            None => self.backoff.succeeded(),
        }
        if let Some(failure) = first(Failure::is_full) {
            self.full.failed(now, failure.message.clone(), None);
        } else if report.created > 0 {
            self.full.succeeded();
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
const fn retry_after(kind: ApiErrorKind) -> Option<Duration> {
    match kind {
        ApiErrorKind::Busy { retry_after } => retry_after,
        _ => None,
    }
}

/// Why something is not written again that the server accepted without doing it.
fn held_without_effect(plan: &Plan) -> Option<String> {
    let mut holds = plan
        .holds
        .iter()
        .filter(|hold| hold.cause == HoldCause::Ineffective);
    let first = holds.next()?;
    let others = more(holds.count());
    Some(format!("{}: {}{others}", first.silence, first.reason))
}

/// What went wrong, in one line: the first failure, and how many there are.
fn summary(report: &ApplyReport) -> Option<String> {
    let left = report.not_attempted;
    match report.failures.split_first() {
        Some((first, rest)) => {
            let others = more(rest.len() + left);
            Some(format!("{}: {}{others}", first.silence, first.message))
        }
        None if report.ran_out_of_time => Some(format!(
            "there was no time for {left} more actions; the next pass goes on with them at once"
        )),
        None if left > 0 => Some(format!("stopped before {left} actions were begun")),
        None => None,
    }
}

/// Why duplicates were left.
fn waiting(unproved: usize) -> Option<String> {
    (unproved > 0).then(|| {
        format!(
            "{unproved} duplicates stay until the server's list shows that what they duplicate \
             was updated; the next pass looks again"
        )
    })
}

/// How many more there are, if there are any.
pub(super) fn more(others: usize) -> String {
    match others {
        0 => String::new(),
        others => format!(" (and {others} more)"),
    }
}
