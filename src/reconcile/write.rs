//! How is a plan carried out? The requests, what is remembered of them, and what a
//! failure means for the next pass.

use tokio::time::Instant;

use super::Order;
use super::target::{Target, retry_after};
use super::verify::Written;
use super::words::{summary, waiting};
use crate::alertmanager::SilenceApi;
use crate::apply::{ApplyReport, Failure, Terms, apply, expire};
use crate::plan::{Plan, Settings};
use crate::uptime::Uptime;

impl<A: SilenceApi> Target<A> {
    /// Carries out a plan, and looks whether that had an effect. Returns what was done,
    /// and what went wrong.
    pub(super) async fn write(
        &mut self,
        settings: &Settings,
        order: &Order,
        plan: &Plan,
    ) -> (ApplyReport, Vec<String>) {
        let longest = order.longest_writing;
        let until = longest.map(|longest| Instant::now() + longest);
        let mut report = self.apply(plan, order, until).await;
        if let Some(census) = &order.census {
            let made = report.made.iter().map(|(id, ..)| id);
            census.made(&self.identity.name, made);
        }
        let written = Written::of(plan, &report.carried_out);
        let written_at = order.uptime();
        self.remember(&mut report, written_at);
        let verified = self.verify(settings, order, &written, written_at).await;
        let is_proved = |number: &usize| {
            let expiry = plan.actions.get(*number);
            expiry.is_some_and(|expiry| verified.allows(expiry))
        };
        let (proved, unproved): (Vec<usize>, Vec<usize>) = std::mem::take(&mut report.unproved)
            .into_iter()
            .partition(is_proved);
        let mut ended = self.expire(plan, &proved, order, until).await;
        self.remember(&mut ended, order.uptime());
        report.add(ended);
        let errors = [summary(&report), verified.error, waiting(unproved.len())];
        report.not_attempted += unproved.len();
        (report, errors.into_iter().flatten().collect())
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
    pub(super) fn back_off(&mut self, report: &ApplyReport, now: Uptime) {
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
