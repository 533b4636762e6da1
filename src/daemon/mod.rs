//! What keeps it going? The loop: a pass, then wait until a target is due or
//! somebody asks, one pass at a time, until told to stop.

mod reading;
mod status;
mod trigger;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

pub use reading::ReadSource;
pub use status::Status;
pub use trigger::{RequestId, Trigger};

use crate::alertmanager::SilenceApi;
use crate::clock::Clock;
use crate::reconcile::{Mode, PassOptions, Reconciler};
use crate::stop::stopped;
use crate::telemetry::{Cause, Metrics};
use crate::zoneinfo::ZoneSource;
use reading::Reading;

/// Retries and late answers that come within this are one pass: each reads the
/// source, and ten targets may fail at ten different moments. With an interval
/// below a minute it is a tenth of that, and never less than a second.
const TOGETHER: Duration = Duration::from_secs(5);

/// What others may do with a running daemon.
#[derive(Clone, Debug)]
pub struct Handle {
    /// To ask for a pass.
    pub trigger: Trigger,
    /// To see how it is doing.
    pub status: watch::Receiver<Status>,
    suspended: Arc<AtomicBool>,
    /// To show a suspension before a pass has seen it.
    shown: watch::Sender<Status>,
    metrics: Arc<Metrics>,
}

impl Handle {
    /// Stops writing, or starts again; observing goes on. What is in flight is seen
    /// through, and nothing is begun, also by a pass under way. Returns the pass that
    /// observes, or writes again.
    #[must_use]
    pub fn suspend(&self, suspended: bool) -> RequestId {
        self.suspended.store(suspended, Ordering::SeqCst);
        self.shown
            .send_modify(|status| status.suspended = suspended);
        self.metrics.use_suspended(suspended);
        self.trigger.request([])
    }
}

/// The reconciler, with everything that a loop around it needs.
pub struct Daemon<A> {
    reconciler: Reconciler<A>,
    source: Reading,
    zone_source: ZoneSource,
    clock: Clock,
    interval: Duration,
    metrics: Arc<Metrics>,
    trigger: Trigger,
    suspended: Arc<AtomicBool>,
    status: watch::Sender<Status>,
}

impl<A: SilenceApi + 'static> Daemon<A> {
    /// A daemon that has not made a pass yet, and the handle to it.
    #[must_use]
    pub fn new(
        mut reconciler: Reconciler<A>,
        read_source: ReadSource,
        zone_source: ZoneSource,
        clock: Clock,
        interval: Duration,
        metrics: Arc<Metrics>,
    ) -> (Self, Handle) {
        reconciler.use_interval(interval);
        let trigger = Trigger::default();
        let suspended = Arc::new(AtomicBool::new(false));
        let zones = reconciler.zones();
        metrics.use_tzdata(zones.version(), &zones.origin().to_string());
        let (status, receiver) = watch::channel(Status {
            instance: reconciler.settings().instance.clone(),
            tzdata: (zones.version().to_owned(), zones.origin().to_string()),
            suspended: false,
            pass: None,
            answered: 0,
            last_success: None,
            heartbeat: Instant::now(),
            failures: 0,
            interval,
        });
        let handle = Handle {
            trigger: trigger.clone(),
            status: receiver,
            suspended: Arc::clone(&suspended),
            shown: status.clone(),
            metrics: Arc::clone(&metrics),
        };
        reconciler.use_suspension(Arc::clone(&suspended));
        let daemon = Self {
            reconciler,
            source: Reading::new(read_source),
            zone_source,
            clock,
            interval,
            metrics,
            trigger,
            suspended,
            status,
        };
        (daemon, handle)
    }

    /// Makes passes until `stop` turns true. A pass under way then ends its
    /// requests in flight and begins no others.
    pub async fn run(mut self, stop: watch::Receiver<bool>) {
        let mut cause = Some(Cause::Startup);
        while let Some(why) = cause.filter(|_| !*stop.borrow()) {
            self.pass(why, &stop).await;
            cause = self.wait(&stop).await;
        }
        self.reconciler.finish().await;
    }

    /// Until the next pass, and why it is made; `None` is the end. At least once
    /// in every interval, also if no target is due: the source is read then.
    async fn wait(&mut self, stop: &watch::Receiver<bool>) -> Option<Cause> {
        let now = Instant::now();
        let soonest = now + (self.interval / 10).clamp(Duration::from_secs(1), TOGETHER);
        // The targets' own turns lie up to a tenth of the interval off it.
        let latest = now + self.interval.mul_f64(1.1);
        let due = self.reconciler.next_due().unwrap_or(latest);
        let mut until = due.clamp(soonest, latest.max(soonest));
        loop {
            tokio::select! {
                () = stopped(stop) => return None,
                () = self.trigger.requested() => return Some(Cause::Request),
                () = sleep_until(until) => return Some(Cause::Interval),
                () = self.reconciler.straggler_ended() => until = until.min(soonest),
                () = self.source.ended() => return Some(Cause::Interval),
            }
        }
    }

    async fn pass(&mut self, cause: Cause, stop: &watch::Receiver<bool>) {
        // Before the source is read: a request that arrives from here on may
        // speak of something that this pass does not see.
        let (answered, confirmed) = self.trigger.take();
        // It may have come in the same moment as the turn of a target.
        let is_asked = answered > self.status.borrow().answered;
        let cause = if is_asked && cause == Cause::Interval {
            Cause::Request
        } else {
            cause
        };
        let suspended = self.suspended.load(Ordering::SeqCst);
        self.status.send_modify(Status::beat);
        self.refresh_zones();
        let began = Instant::now();
        let read = tokio::select! {
            read = self.source.read() => read,
            () = stopped(stop) => return,
        };
        if let Err(error) = &read {
            tracing::error!("{error}");
        }
        self.metrics.phase("source", began.elapsed());
        self.status.send_modify(Status::beat);
        let options = PassOptions {
            mode: if suspended {
                Mode::Observe
            } else {
                Mode::Apply
            },
            insist: cause != Cause::Interval,
            confirmed: &confirmed,
            now: self.clock.now(),
            stop,
        };
        let reconciling = Instant::now();
        let pass = self.reconciler.pass(read, options).await;
        self.metrics.phase("reconcile", reconciling.elapsed());
        self.metrics.phase("total", began.elapsed());
        self.metrics.record(cause, &pass, self.clock.now());
        tracing::debug!(
            outcome = pass.outcome().word(),
            seconds = began.elapsed().as_secs_f64(),
            "pass"
        );
        let now = self.clock.now();
        self.status.send_modify(|status| {
            status.record(pass, answered, now);
        });
    }

    /// Schedules are computed anew when the zone data is another.
    fn refresh_zones(&mut self) {
        let Some(zones) = self.zone_source.reload_if_changed() else {
            return;
        };
        let (version, origin) = (zones.version().to_owned(), zones.origin().to_string());
        tracing::info!(version, origin, "the zone data changed");
        self.reconciler.use_zones(zones);
        self.metrics.use_tzdata(&version, &origin);
        self.status
            .send_modify(|status| status.tzdata = (version, origin));
    }
}
