//! How can a dialect be tried by hand? Serves one of the servers in memory:
//! `cargo run --example dialect -- grafana 127.0.0.1:3000`.

use std::io::{Error, Write as _};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use chrono::{DateTime, Utc};
use silenced::memory::grafana::{
    Account, DataSource, Grafana, Implementation, Organisation, OwnAlertmanager, Permissions,
};
use silenced::memory::http::{self, SharedAlertmanager};
use silenced::memory::mimir::Mimir;
use silenced::memory::{Cluster, MemoryAlertmanager, Settings};

const USAGE: &str = "usage: dialect alertmanager|grafana|mimir|cortex ADDRESS:PORT";

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let (Some(kind), Some(address)) = (arguments.next(), arguments.next()) else {
        return Err(Error::other(USAGE));
    };
    let (router, access) = served(&kind).ok_or_else(|| Error::other(USAGE))?;
    let listener = tokio::net::TcpListener::bind(&address).await?;
    let url = listener.local_addr()?;
    writeln!(
        std::io::stdout(),
        "{kind} in memory at http://{url}; {access}"
    )?;
    axum::serve(listener, router).await
}

/// With the fractions of a second that a server goes by.
#[expect(clippy::disallowed_methods, reason = "it serves on the real clock")]
fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

fn served(kind: &str) -> Option<(Router, &'static str)> {
    let alertmanager = |settings| -> SharedAlertmanager {
        Arc::new(Mutex::new(MemoryAlertmanager::new(settings, now())))
    };
    let mimir = |settings: Settings| {
        let replicas = Cluster::new(3, &settings, Duration::from_millis(20), now());
        let mimir = Mimir::default().tenant("team-a", Arc::new(Mutex::new(replicas)));
        (mimir.router(now), "tenant team-a")
    };
    Some(match kind {
        "alertmanager" => {
            let router = http::router(alertmanager(Settings::default()), now);
            (router, "no credentials")
        }
        "grafana" => {
            let behind = http::api(alertmanager(Settings::default()), now);
            let source = DataSource::new(Implementation::Prometheus, behind);
            let organisation = Organisation {
                alertmanager: OwnAlertmanager::Ready(alertmanager(Grafana::settings())),
                data_sources: [("am".to_owned(), source)].into(),
                ..Organisation::default()
            };
            let editor = Account {
                organisation: 1,
                permissions: Permissions::editor(),
            };
            let grafana = Grafana::default().organisation(1, organisation);
            let router = grafana.token("glsa_editor", editor).router(now);
            (router, "token glsa_editor, data source am")
        }
        "mimir" => mimir(Mimir::settings()),
        "cortex" => mimir(Mimir::cortex_settings()),
        _ => return None,
    })
}
