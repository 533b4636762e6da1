//! How does the program run here? The whole daemon as a task that can be
//! killed wherever it waits, on a repository that may be hard to reach.

use std::collections::BTreeMap;
use std::future::ready;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use silenced::clock::Clock;
use silenced::daemon::{Daemon, Handle, ReadSource};
use silenced::name::TargetName;
use silenced::plan::Settings;
use silenced::reconcile::{Reconciler, Target};
use silenced::snapshot::Snapshot;
use silenced::telemetry::Metrics;
use silenced::zone::ZoneDatabase;
use silenced::zoneinfo::ZoneSource;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::line::Line;
use super::server::Server;

/// The repository as a process reaches it.
pub(super) struct Source {
    pub(super) snapshot: Snapshot,
    pub(super) failing: bool,
    pub(super) latency: Duration,
}

/// One running daemon.
pub(super) struct Process {
    pub(super) id: u64,
    pub(super) task: JoinHandle<()>,
    pub(super) stop: watch::Sender<bool>,
    pub(super) handle: Handle,
    polls_left: Arc<AtomicU64>,
}

/// A future that dies, with all that it holds, where it waits once it has been
/// polled so often.
struct Mortal<F> {
    running: Option<Pin<Box<F>>>,
    polls_left: Arc<AtomicU64>,
}

impl<F: Future<Output = ()>> Future for Mortal<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.polls_left.load(Ordering::SeqCst) == 0 {
            self.running = None;
        } else {
            self.polls_left.fetch_sub(1, Ordering::SeqCst);
        }
        match &mut self.running {
            Some(running) => running.as_mut().poll(context),
            None => Poll::Ready(()),
        }
    }
}

/// What every process has in common.
pub(super) fn reconciler(
    zones: &ZoneDatabase,
    settings: &Settings,
    line: Line,
) -> Reconciler<Line> {
    let (server, same_server) = (Arc::clone(&line.server), Arc::clone(&line.server));
    let target = Target::new(TargetName::new("default").unwrap(), BTreeMap::new(), line);
    let reconciler = Reconciler::new(settings.clone(), zones.clone(), vec![target]);
    reconciler
        .with_history(Box::new(move |revision, broken| {
            let state = server.state();
            Box::pin(ready(Ok(state.repository.earlier(&revision, &broken))))
        }))
        .with_past(Box::new(move |revision, since, paths| {
            let state = same_server.state();
            let states = state.repository.states(&revision, &since, &paths);
            Box::pin(ready(states))
        }))
}

impl Process {
    pub(super) fn start(
        id: u64,
        clock: Clock,
        zones: &ZoneDatabase,
        settings: &Settings,
        interval: Duration,
        server: &Arc<Server>,
        source: &Arc<Mutex<Source>>,
    ) -> Self {
        let line = Line {
            process: id,
            server: Arc::clone(server),
        };
        let read_source: ReadSource = {
            let (source, server) = (Arc::clone(source), Arc::clone(server));
            Box::new(move || {
                let (source, server) = (Arc::clone(&source), Arc::clone(&server));
                Box::pin(async move {
                    let latency = source.lock().unwrap().latency;
                    if !latency.is_zero() {
                        sleep(latency).await;
                    }
                    let source = source.lock().unwrap();
                    if source.failing {
                        return Err("the repository cannot be reached".to_owned());
                    }
                    server.state().account.read(id);
                    Ok(source.snapshot.clone())
                })
            })
        };
        let (daemon, handle) = Daemon::new(
            reconciler(zones, settings, line),
            read_source,
            ZoneSource::new(Some("no such directory".into())),
            clock,
            interval,
            Arc::new(Metrics::new()),
        );
        let (mut status, server) = (handle.status.clone(), Arc::clone(server));
        tokio::spawn(async move {
            // It changes at the beginning and the end of a pass, and when the source
            // was read.
            while status.changed().await.is_ok() {
                server.state().account.begin(id);
            }
        });
        let (stop, stopped) = watch::channel(false);
        let polls_left = Arc::new(AtomicU64::new(u64::MAX));
        let mortal = Mortal {
            running: Some(Box::pin(daemon.run(stopped))),
            polls_left: Arc::clone(&polls_left),
        };
        Self {
            id,
            task: tokio::spawn(mortal),
            stop,
            handle,
            polls_left,
        }
    }

    /// It dies at the await point that it comes to after passing so many.
    pub(super) fn die_after(&self, awaits: u64) {
        self.polls_left.fetch_min(awaits, Ordering::SeqCst);
    }

    /// Whether it died so.
    pub(super) fn has_died(&self) -> bool {
        self.polls_left.load(Ordering::SeqCst) == 0 && self.task.is_finished()
    }
}
