//! How is one target brought into step? List, plan, apply, and what is
//! remembered from one pass to the next.

use std::collections::BTreeMap;
use std::time::Duration;

use super::backoff::Backoff;
use super::outcome::TargetPass;
use super::{Declared, Mode, PassOptions};
use crate::alertmanager::{Listing, SilenceApi};
use crate::apply::{ApplyReport, Failure, apply};
use crate::name::TargetName;
use crate::plan::{Plan, PlanInput, RecentWrites, Settings, plan};
use crate::silence::Silence;
use crate::timestamp::Timestamp;

/// A clock that is this much off deserves a remark; requests take seconds at worst.
const NOTABLE_OFFSET: Duration = Duration::from_secs(30);

/// Missing silences that are asked for one by one. When a server has lost its
/// state, or a token its rights, any of them tells.
const MOST_ASKED: usize = 10;

/// One Alertmanager-compatible endpoint.
#[derive(Debug)]
pub struct Target<A> {
    name: TargetName,
    labels: BTreeMap<String, String>,
    api: A,
    /// After failures of the server: it is left alone.
    backoff: Backoff,
    /// After its limit was reached: nothing is created, the rest goes on.
    full: Backoff,
    recent: RecentWrites,
}

impl<A> Target<A> {
    /// `labels` are what `targets:` selectors in declarations ask for.
    pub const fn new(name: TargetName, labels: BTreeMap<String, String>, api: A) -> Self {
        Self {
            name,
            labels,
            api,
            backoff: Backoff::new(),
            full: Backoff::new(),
            recent: RecentWrites::new(),
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

    /// When it may be tried again, if it is being left alone.
    pub(super) fn next_retry(&self) -> Option<Timestamp> {
        self.backoff.until()
    }
}

impl<A: SilenceApi> Target<A> {
    pub(super) async fn pass(
        &mut self,
        settings: &Settings,
        declared: &Declared,
        options: PassOptions<'_>,
    ) -> TargetPass {
        let mut pass = TargetPass::new(self.name.clone());
        if let Some(error) = self
            .backoff
            .waiting(options.now)
            .filter(|_| !options.insist)
        {
            pass.error = Some(error.to_owned());
            return pass;
        }
        let mut stop = options.stop.clone();
        let listed = tokio::select! {
            listed = self.api.list() => listed,
            // Nothing has been written yet, so nothing needs to be seen through.
            _ = stop.wait_for(|stopped| *stopped) => {
                pass.error = Some("stopped before the target was listed".to_owned());
                return pass;
            }
        };
        let listing = match listed {
            Ok(listing) => listing,
            Err(error) => return self.failed(pass, error.with_causes(), options),
        };
        let now = listing.server_time.unwrap_or(options.now);
        if let Err(error) = self.check_overdue(&listing.silences, now, settings).await {
            return self.failed(pass, error, options);
        }
        if self
            .recent
            .contradict(&listing.silences, now, settings.settle)
            && self
                .api
                .members()
                .await
                .is_some_and(|members| members.is_alone())
        {
            // No replica can know better: the server lost or restored its state.
            self.recent.settle();
        }
        let plan = self.plan(settings, declared, options, &listing, now);
        if options.mode == Mode::Apply && !plan.actions.is_empty() {
            let total = plan.actions.len();
            let progress = |ended| (options.progress)(&self.name, ended, total);
            pass.report = apply(&plan, &self.api, options.stop, &progress).await;
            self.remember(&pass.report, now);
        }
        pass.error = summary(&pass.report);
        if let Some(error) = &pass.error {
            tracing::error!(target = %self.name, "{error}");
        }
        self.back_off(&pass.report, options.now);
        pass.plan = Some(plan);
        pass
    }

    /// A pass that ended before there was a plan.
    fn failed(
        &mut self,
        mut pass: TargetPass,
        error: String,
        options: PassOptions<'_>,
    ) -> TargetPass {
        tracing::error!(target = %self.name, "{error}");
        self.backoff.failed(options.now, error.clone());
        pass.error = Some(error);
        pass
    }

    /// Makes sure that what we made and the list lacks is gone: to make again
    /// what we only may not see would make another with every settling time.
    async fn check_overdue(
        &mut self,
        listed: &[Silence],
        now: Timestamp,
        settings: &Settings,
    ) -> Result<(), String> {
        let overdue = self.recent.overdue(listed, now, settings.settle);
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
        self.recent.lost(&overdue);
        Ok(())
    }

    fn plan(
        &mut self,
        settings: &Settings,
        declared: &Declared,
        options: PassOptions<'_>,
        listing: &Listing,
        now: Timestamp,
    ) -> Plan {
        self.recent.forget(&listing.silences, now, settings.settle);
        let full = self.full.waiting(options.now).filter(|_| !options.insist);
        let mut plan = plan(&PlanInput {
            settings,
            target: &self.name,
            labels: &self.labels,
            declarations: &declared.declarations,
            forecasts: &declared.forecasts,
            revision: &declared.revision,
            silences: &listing.silences,
            recent: &self.recent,
            full,
            confirmed: options.confirmed,
            now,
        });
        let offset = now.since(options.now).max(options.now.since(now));
        if offset >= NOTABLE_OFFSET {
            plan.remarks.push(format!(
                "the server's clock shows {now}, {} s off ours; windows go by the server's",
                offset.as_secs()
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

    fn remember(&mut self, report: &ApplyReport, now: Timestamp) {
        for (id, silence, window) in &report.made {
            self.recent.made(id.clone(), silence.clone(), *window, now);
        }
        for id in &report.ended {
            self.recent.ended(id.clone(), now);
        }
        for id in &report.doubtful {
            self.recent.doubtful(id.clone(), now);
        }
    }

    /// A refused silence is retried with every pass and holds up nothing else;
    /// a failing server is left alone for a while.
    fn back_off(&mut self, report: &ApplyReport, now: Timestamp) {
        let first = |concerns: fn(&Failure) -> bool| {
            let failure = report.failures.iter().find(|failure| concerns(failure));
            failure.map(|failure| failure.message.clone())
        };
        match first(Failure::concerns_server) {
            Some(error) => self.backoff.failed(now, error),
            None => self.backoff.succeeded(),
        }
        if let Some(error) = first(Failure::is_full) {
            self.full.failed(now, error);
        } else if report.created > 0 {
            self.full.succeeded();
        }
    }
}

/// What went wrong, in one line: the first failure, and how many there are.
fn summary(report: &ApplyReport) -> Option<String> {
    let more = |others: usize| match others {
        0 => String::new(),
        others => format!(" (and {others} more)"),
    };
    match report.failures.split_first() {
        Some((first, rest)) => {
            let others = more(rest.len() + report.not_attempted);
            Some(format!("{}: {}{others}", first.silence, first.message))
        }
        None if report.not_attempted > 0 => Some(format!(
            "stopped before {} actions were begun",
            report.not_attempted
        )),
        None => None,
    }
}
