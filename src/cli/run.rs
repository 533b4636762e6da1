//! What keeps running? The daemon: `silenced run`.

use std::sync::Arc;

use clap::{ArgMatches, Args};

use super::options::Options;
use super::service::{self, Service};
use super::terminal::Terminal;
use super::{CommandError, Exit, environment, open_files, pass, signals};
use crate::config::Configuration;
use crate::server::Authorisation;
use crate::source::{Source, SourceSettings};
use crate::telemetry::log_to_stderr;
use crate::zoneinfo::ZoneSource;

/// Reconcile again and again, and serve the status page and the API
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  silenced run --config /etc/silenced/silenced.yaml
  silenced run --source https://git.example.org/silences.git --instance prod-eu \\
      --alertmanager http://alertmanager-0:9093 --listen 0.0.0.0:8080

A source or target that is down is tried again and again. SIGTERM and SIGINT end the program once
requests under way have ended, within 20 s; a second one ends it at once. Logs go to standard
error: as JSON, or as text on a terminal.

Exit codes: 0 stopped by a signal, 1 it cannot start, 64 the configuration makes no sense.")]
pub(super) struct Arguments {
    #[command(flatten)]
    options: Options,
}

impl Arguments {
    pub(super) fn run(
        self,
        matches: &ArgMatches,
        terminal: &Arc<Terminal>,
        zones: ZoneSource,
    ) -> Result<Exit, CommandError> {
        let configuration = self.options.configuration(matches)?;
        log_to_stderr(
            self.options.log_filter("info"),
            terminal.service_log_style(),
        )
        .map_err(CommandError::Usage)?;
        for warning in environment::warnings() {
            tracing::warn!("{warning}");
        }
        if let Some(warning) = open_files::raise_limit(configuration.targets.len()) {
            tracing::warn!("{warning}");
        }
        pass::block_on(serve(configuration, zones))??;
        tracing::info!("stopped");
        Ok(Exit::Success)
    }
}

async fn serve(configuration: Configuration, zones: ZoneSource) -> Result<(), CommandError> {
    let stop = signals::stop_on_signal().map_err(CommandError::failed)?;
    let listener = service::listen(configuration.listen).await?;
    let address = listener.local_addr().map_err(CommandError::failed)?;
    let source = match &configuration.source {
        SourceSettings::Directory(path) => path.display().to_string(),
        SourceSettings::Git(git) => git.url.to_string(),
    };
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        instance = %configuration.reconcile.instance,
        source,
        targets = configuration.targets.len(),
        listen = %address,
        "silenced starts"
    );
    let authorisation = match configuration.sync_token_file {
        Some(path) => Authorisation::Token(path),
        None => Authorisation::Refused,
    };
    authorisation.warn_if_unusable();
    let cache = configuration.cache_directory.as_deref();
    let service = Service {
        source: Source::open(configuration.source, cache).map_err(CommandError::failed)?,
        zones,
        settings: configuration.reconcile,
        targets: configuration.targets,
        interval: configuration.interval,
        listener,
        authorisation,
    };
    service.run(stop).await
}
