//! What runs until somebody stops it? The daemon and its HTTP server, wired
//! together, for `run` and `demo`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use super::history::SharedSource;
use super::{CommandError, pass};
use crate::alertmanager::{Client, Cluster};
use crate::clock::Clock;
use crate::daemon::{Daemon, ReadSource};
use crate::plan::Settings;
use crate::reconcile::{Reconciler, Target};
use crate::server::{self, AppState, Authorisation};
use crate::source::Source;
use crate::telemetry::Metrics;
use crate::zoneinfo::ZoneSource;

/// How long a client may take for its last request after everything else has
/// ended. Answers come from memory; only a client that stalls takes longer.
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// Everything that is decided before it starts.
pub(super) struct Service {
    pub(super) settings: Settings,
    pub(super) source: Source,
    pub(super) zones: ZoneSource,
    pub(super) targets: Vec<Target<Cluster<Client>>>,
    pub(super) interval: Duration,
    pub(super) listener: TcpListener,
    pub(super) authorisation: Authorisation,
}

impl Service {
    /// Reconciles and serves until `stop` turns true.
    pub(super) async fn run(self, stop: watch::Receiver<bool>) -> Result<(), CommandError> {
        let mut zone_source = self.zones;
        let zones = zone_source.load();
        let metrics = Arc::new(Metrics::new());
        let source = SharedSource::new(self.source);
        let reconciler = Reconciler::new(self.settings, zones, self.targets)
            .with_history(source.read_history())
            .with_past(source.read_past());
        let (daemon, handle) = Daemon::new(
            reconciler,
            read_source(source),
            zone_source,
            Clock::System,
            self.interval,
            Arc::clone(&metrics),
        );
        let state = AppState::new(handle, metrics, Clock::System, self.authorisation);
        // A thread of its own: a pass computes for some milliseconds, and probes
        // must not wait for that. Its runtime is made before whoever connects can
        // take the last open file.
        let runtime = pass::runtime()?;
        let server = tokio::spawn(server::serve(self.listener, state, stop.clone()));
        let reconciling = tokio::task::spawn_blocking(|| pass::block_in(runtime, daemon.run(stop)));
        reconciling.await.map_err(CommandError::failed)?;
        let Ok(ended) = tokio::time::timeout(LAST_ANSWERS, server).await else {
            tracing::warn!("closing connections whose requests did not end");
            return Ok(());
        };
        ended.map_err(CommandError::failed)
    }
}

/// Reads on a thread of its own, which nobody waits for once the daemon has ended.
fn read_source(source: SharedSource) -> ReadSource {
    Box::new(move || {
        let source = source.clone();
        let reading = tokio::task::spawn_blocking(move || {
            source.with(|source| source.read().map_err(|error| error.to_string()))
        });
        Box::pin(async move {
            reading
                .await
                .unwrap_or_else(|error| Err(format!("reading the source failed: {error}")))
        })
    })
}

/// Binds, before anything else is begun.
pub(super) async fn listen(address: SocketAddr) -> Result<TcpListener, CommandError> {
    TcpListener::bind(address).await.map_err(|error| {
        CommandError::Failed(format!(
            "cannot listen on `{address}`: {error}; choose another address with --listen"
        ))
    })
}
