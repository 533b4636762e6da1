//! Do the dialects in memory keep the promises of their kinds?

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, HeaderValue};
use reqwest::header::{AUTHORIZATION, HeaderMap};
use silenced::memory::grafana::{
    Account, DataSource, Grafana, Implementation, Organisation, OwnAlertmanager, Permissions,
};
use silenced::memory::http::{Handler, Silences, api};
use silenced::memory::mimir::{Mimir, TENANT_HEADER};
use silenced::memory::{Cluster, MemoryAlertmanager, Settings, Version};

use super::kind::Kind;
use super::server::{Server, now};
use super::{cases_of, hold};

pub(super) const TOKEN: &str = "glsa_contract";
pub(super) const TENANT: &str = "team-a";
pub(super) const DATA_SOURCE_UID: &str = "am-uid";

/// Serves on the loopback as long as the test's runtime lives; returns where.
pub(crate) async fn listen(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

pub(crate) fn alertmanager(settings: Settings) -> Arc<Mutex<MemoryAlertmanager>> {
    Arc::new(Mutex::new(MemoryAlertmanager::new(settings, now())))
}

/// Three replicas that agree at once.
fn mimir(settings: &Settings) -> Mimir {
    let replicas = Cluster::new(3, settings, Duration::ZERO, now());
    Mimir::default().tenant(TENANT, Arc::new(Mutex::new(replicas)))
}

pub(crate) fn editor(organisation: u64) -> Account {
    Account {
        organisation,
        permissions: Permissions::editor(),
    }
}

fn grafana() -> Router {
    let organisation = Organisation {
        alertmanager: OwnAlertmanager::Ready(alertmanager(Grafana::settings())),
        ..Organisation::default()
    };
    let grafana = Grafana::default().organisation(1, organisation);
    grafana.token(TOKEN, editor(1)).router(now)
}

fn data_source(implementation: Implementation, backend: Handler) -> Router {
    let tenant = HeaderName::from_bytes(TENANT_HEADER.as_bytes()).unwrap();
    let source =
        DataSource::new(implementation, backend).header(tenant, HeaderValue::from_static(TENANT));
    let organisation = Organisation {
        data_sources: [(DATA_SOURCE_UID.to_owned(), source)].into(),
        ..Organisation::default()
    };
    let grafana = Grafana::default().organisation(1, organisation);
    grafana.token(TOKEN, editor(1)).router(now)
}

fn alertmanager_behind_grafana(version: Version) -> Router {
    let settings = Settings {
        version,
        ..Settings::default()
    };
    let silences: Arc<dyn Silences> = alertmanager(settings);
    data_source(Implementation::Prometheus, api(silences, now))
}

/// A server of that kind, for whoever has the right header.
pub(super) fn router_of(kind: Kind) -> Router {
    match kind {
        Kind::Alertmanager => {
            silenced::memory::http::router(alertmanager(Settings::default()), now)
        }
        Kind::Grafana => grafana(),
        Kind::GrafanaDataSource => alertmanager_behind_grafana(Version::V0_33),
        Kind::Mimir => mimir(&Mimir::settings()).router(now),
        Kind::Cortex => mimir(&Mimir::cortex_settings()).router(now),
    }
}

pub(super) const fn version_of(kind: Kind) -> Version {
    match kind {
        Kind::Grafana | Kind::Mimir => Version::V0_28,
        Kind::Alertmanager | Kind::GrafanaDataSource | Kind::Cortex => Version::V0_33,
    }
}

pub(super) fn headers_of(kind: Kind) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if kind.is_in_grafana() {
        let token = format!("Bearer {TOKEN}").parse().unwrap();
        headers.insert(AUTHORIZATION, token);
    }
    if kind.has_replicas() {
        headers.insert("x-scope-orgid", HeaderValue::from_static(TENANT));
    }
    headers
}

async fn server(kind: Kind, version: Version, router: Router) -> Server {
    let url = kind.below(&listen(router).await, DATA_SOURCE_UID);
    Server::with_access(headers_of(kind), None, version, url).of_kind(kind)
}

async fn hold_dialect(kind: Kind) {
    let server = server(kind, version_of(kind), router_of(kind)).await;
    hold(&server, cases_of(kind)).await;
}

#[tokio::test]
async fn grafana_in_memory() {
    hold_dialect(Kind::Grafana).await;
}

#[tokio::test]
async fn mimir_in_memory() {
    hold_dialect(Kind::Mimir).await;
}

#[tokio::test]
async fn cortex_in_memory() {
    hold_dialect(Kind::Cortex).await;
}

#[tokio::test]
async fn alertmanagers_behind_grafana_in_memory() {
    for version in Version::ALL {
        let router = alertmanager_behind_grafana(version);
        let server = server(Kind::GrafanaDataSource, version, router).await;
        hold(&server, cases_of(Kind::GrafanaDataSource)).await;
    }
}

/// The proxy finds Mimir below its prefix, and sends the tenant along.
#[tokio::test]
async fn mimir_behind_grafana_in_memory() {
    let settings = Settings {
        names: silenced::memory::LabelNames::Utf8,
        ..Mimir::settings()
    };
    for implementation in [Implementation::Mimir, Implementation::default()] {
        let backend = mimir(&settings).handler(now);
        let router = data_source(implementation, backend);
        let server = server(Kind::GrafanaDataSource, Version::V0_28, router).await;
        hold(&server, cases_of(Kind::GrafanaDataSource)).await;
    }
}
