//! What does every Alertmanager promise, and everything that speaks its API? One
//! suite of cases, held against released servers and against the one in memory
//! in each of its versions and dialects, so that whatever passes with the one in
//! memory passes with a real one.
//!
//! Where the two differ, the one in memory is wrong. The cases of a server run
//! side by side, so each keeps to silences of its own. `make contract` holds a
//! server that others use to the same cases, one after the other ([`live`]).

mod dialects;
mod filters;
mod grafana;
mod json;
mod kind;
mod limits;
mod live;
pub(crate) mod memory;
mod mimir;
mod placements;
mod routes;
pub(crate) mod server;
mod states;
mod times;
mod updates;
mod validation;

use std::sync::{Arc, Mutex};

use silenced::memory::http::router;
use silenced::memory::{MemoryAlertmanager, Settings, Version};

use crate::support::alertmanager::{Alertmanager, Options, Release};
use kind::Kind;
use server::{Server, now};

/// One promise, named by its function.
struct Case {
    name: &'static str,
    reach: Reach,
    run: fn(Server) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Whose promise it is.
#[derive(Clone, Copy)]
struct Reach {
    kinds: &'static [Kind],
    /// Not for servers that others use: it would mute their alerts if it failed,
    /// or be a burden.
    is_ours_alone: bool,
}

impl Reach {
    const fn of(kinds: &'static [Kind]) -> Self {
        Self {
            kinds,
            is_ours_alone: false,
        }
    }

    const fn on_ours_alone(self) -> Self {
        Self {
            is_ours_alone: true,
            ..self
        }
    }
}

const EVERYBODY: Reach = Reach::of(&Kind::ALL);
/// Of what stands before the silences, routes and headers, all others have their
/// own.
const ALERTMANAGER: Reach = Reach::of(&[Kind::Alertmanager]);
const GRAFANA: Reach = Reach::of(&[Kind::Grafana]);
const DATA_SOURCE: Reach = Reach::of(&[Kind::GrafanaDataSource]);
const REPLICATED: Reach = Reach::of(&[Kind::Mimir, Kind::Cortex]);

/// `CASES`, from the names of functions `async fn(Server)` by their reach.
macro_rules! cases {
    ($($reach:expr => [$($name:ident),+ $(,)?]),+ $(,)?) => {
        pub(super) const CASES: &[super::Case] = &[$($(super::Case {
            name: concat!(module_path!(), "::", stringify!($name)),
            reach: $reach,
            run: |server| Box::pin($name(server)),
        }),+),+];
    };
}
use cases;

/// The cases that need no flags.
const CASES: [&[Case]; 8] = [
    routes::CASES,
    json::CASES,
    times::CASES,
    updates::CASES,
    validation::CASES,
    filters::CASES,
    states::CASES,
    dialects::CASES,
];

/// Those that a kind is to hold.
fn cases_of(kind: Kind) -> impl Iterator<Item = &'static Case> {
    let cases = CASES.into_iter().flatten();
    cases.filter(move |case| case.reach.kinds.contains(&kind))
}

/// All cases at once are more than the eight requests that it lets pass.
const ALL_AT_ONCE: &str = "--web.get-concurrency=1000";

/// Runs every case and names those that failed.
async fn hold(server: &Server, cases: impl IntoIterator<Item = &'static Case>) {
    let running: Vec<_> = cases
        .into_iter()
        .map(|case| (case.name, tokio::spawn((case.run)(server.clone()))))
        .collect();
    let mut failures = Vec::new();
    for (name, case) in running {
        if let Err(failure) = case.await {
            failures.push(format!("{name}: {}", panic_message(failure)));
        }
    }
    assert!(
        failures.is_empty(),
        "{} cases failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn panic_message(failure: tokio::task::JoinError) -> String {
    let panic = failure.into_panic();
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    said.unwrap_or("?").to_owned()
}

/// Serves an Alertmanager in memory, by the system's clock.
async fn serve(settings: Settings) -> Server {
    let version = settings.version;
    let alertmanager = MemoryAlertmanager::new(settings, now());
    let router = router(Arc::new(Mutex::new(alertmanager)), now);
    Server::new(version, memory::listen(router).await)
}

async fn hold_in_memory(version: Version) {
    let server = serve(Settings {
        version,
        ..Settings::default()
    });
    hold(&server.await, cases_of(Kind::Alertmanager)).await;
}

async fn hold_released(release: Release, version: Version) {
    let options = Options {
        flags: &[ALL_AT_ONCE],
        ..Options::default()
    };
    let alertmanager = Alertmanager::start(release, &options);
    let server = Server::new(version, alertmanager.base_url());
    hold(&server, cases_of(Kind::Alertmanager)).await;
}

#[tokio::test]
async fn in_memory_0_25() {
    hold_in_memory(Version::V0_25).await;
}

#[tokio::test]
async fn in_memory_0_28() {
    hold_in_memory(Version::V0_28).await;
}

#[tokio::test]
async fn in_memory_0_33() {
    hold_in_memory(Version::V0_33).await;
}

#[tokio::test]
async fn released_0_25() {
    hold_released(Release::V0_25, Version::V0_25).await;
}

#[tokio::test]
async fn released_0_28() {
    hold_released(Release::V0_28, Version::V0_28).await;
}

#[tokio::test]
async fn released_newest() {
    hold_released(Release::Newest, Version::V0_33).await;
}
