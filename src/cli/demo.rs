//! What does it look like? The daemon over a directory, against an Alertmanager
//! in memory in the same process: `silenced demo`.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Args;

use super::service::{self, Service};
use super::terminal::Terminal;
use super::{CommandError, Exit, environment, pass, signals};
use crate::alertmanager::{Client, ClientSettings, Cluster};
use crate::clock::Clock;
use crate::config::{DEFAULT_LISTEN, listen_address};
use crate::matcher::{MatchOperator, Matcher, Matchers};
use crate::memory::{self, MemoryAlertmanager, PostedSilence, http};
use crate::name::{InstanceName, TargetName};
use crate::plan::Settings;
use crate::reconcile::Target;
use crate::server::Authorisation;
use crate::silence::SilenceDraft;
use crate::source::{Source, SourceSettings};
use crate::telemetry::log_to_stderr;
use crate::zoneinfo::ZoneSource;

/// Short, so that an edit of a file is seen at once.
const INTERVAL: Duration = Duration::from_secs(5);

/// Try it: the daemon over a directory, with an Alertmanager in memory
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  silenced demo                                  over ./silences
  silenced demo my-silences --listen 127.0.0.1:9000

The Alertmanager answers amtool and curl at the address that is printed. Edit the files and look at
the page: a change is there within five seconds. Nothing outlives the process.")]
pub(super) struct Arguments {
    /// The directory of the declarations
    #[arg(value_name = "DIR", default_value = "silences")]
    directory: PathBuf,

    /// Address of the status page and the API; beyond loopback, changes over HTTP are refused
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "SILENCED_LISTEN",
        default_value = DEFAULT_LISTEN,
        value_parser = listen_address
    )]
    listen: SocketAddr,

    /// Log filter, such as `info` or `silenced=debug`
    #[arg(
        long,
        value_name = "FILTER",
        env = "SILENCED_LOG",
        default_value = "info"
    )]
    log: String,
}

impl Arguments {
    pub(super) fn run(
        self,
        terminal: &Arc<Terminal>,
        zones: ZoneSource,
    ) -> Result<Exit, CommandError> {
        if !self.directory.is_dir() {
            return Err(CommandError::Failed(format!(
                "there is no directory `{}`; name the directory of your declarations: \
                 silenced demo DIR",
                self.directory.display()
            )));
        }
        log_to_stderr(&self.log, terminal.service_log_style()).map_err(CommandError::Usage)?;
        for warning in environment::warnings() {
            tracing::warn!("{warning}");
        }
        pass::block_on(self.serve(terminal, zones))??;
        Ok(Exit::Success)
    }

    async fn serve(self, terminal: &Terminal, zones: ZoneSource) -> Result<(), CommandError> {
        let stop = signals::stop_on_signal().map_err(CommandError::failed)?;
        let listener = service::listen(self.listen).await?;
        let page = listener.local_addr().map_err(CommandError::failed)?;
        let alertmanager = format!("http://{}", start_alertmanager().await?);
        terminal.print(&format!(
            "Status page:   http://{page}/\n\
             Alertmanager:  {alertmanager} (in memory)\n\
             Declarations:  {}\n\
             Try:           amtool --alertmanager.url={alertmanager} silence query\n",
            self.directory.display()
        ))?;
        let name = |text| TargetName::new(text).map_err(CommandError::failed);
        let client =
            Client::new(&ClientSettings::new(&alertmanager)).map_err(CommandError::failed)?;
        let server = Cluster::of_one(alertmanager, client);
        let source = SourceSettings::Directory(self.directory);
        let service = Service {
            settings: Settings::new(InstanceName::new("demo").map_err(CommandError::failed)?),
            zones,
            source: Source::open(source, None).map_err(CommandError::failed)?,
            targets: vec![Target::new(name("demo")?, BTreeMap::new(), server)],
            interval: INTERVAL,
            listener,
            authorisation: if page.ip().is_loopback() {
                Authorisation::Open
            } else {
                Authorisation::Refused
            },
        };
        service.run(stop).await
    }
}

/// Serves an Alertmanager on a port of its own, and returns where. Somebody
/// has made a silence there by hand, which shows that it is left alone.
async fn start_alertmanager() -> Result<SocketAddr, CommandError> {
    let now = || Clock::System.exact();
    let mut alertmanager = MemoryAlertmanager::new(memory::Settings::default(), now());
    alertmanager
        .put(PostedSilence::from(made_by_hand()), now())
        .map_err(CommandError::failed)?;
    let router = http::router(Arc::new(Mutex::new(alertmanager)), now);
    let listener = service::listen((Ipv4Addr::LOCALHOST, 0).into()).await?;
    let address = listener.local_addr().map_err(CommandError::failed)?;
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!("the Alertmanager in memory failed: {error}");
        }
    });
    Ok(address)
}

fn made_by_hand() -> SilenceDraft {
    let now = Clock::System.now();
    SilenceDraft {
        id: None,
        matchers: Matchers::new(vec![Matcher {
            name: "instance".to_owned(),
            operator: MatchOperator::Equal,
            value: "switch-4.example.org".to_owned(),
        }]),
        starts_at: now,
        ends_at: now.plus(Duration::from_hours(2)),
        created_by: "eva".to_owned(),
        comment: "Replacing the switch in rack 4, back in two hours.".to_owned(),
        annotations: BTreeMap::new(),
    }
}
