//! What does every Alertmanager promise? One suite of cases, held against
//! released servers and against the one in memory in each of its versions, so
//! that whatever passes with the one in memory passes with a real one.
//!
//! Where the two differ, the one in memory is wrong. The cases of a server run
//! side by side, so each keeps to silences of its own.

mod filters;
mod json;
mod limits;
mod placements;
mod routes;
mod server;
mod states;
mod times;
mod updates;
mod validation;

use std::sync::{Arc, Mutex};

use silenced::memory::http::router;
use silenced::memory::{MemoryAlertmanager, Settings, Version};

use crate::support::alertmanager::{Alertmanager, Options, Release};
use server::{Server, now};

/// One promise, named by its function.
struct Case {
    name: &'static str,
    run: fn(Server) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// `CASES`, from the names of functions `async fn(Server)`.
macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        pub(super) const CASES: &[super::Case] = &[$(super::Case {
            name: concat!(module_path!(), "::", stringify!($name)),
            run: |server| Box::pin($name(server)),
        }),+];
    };
}
use cases;

/// The cases that need no flags.
const CASES: [&[Case]; 7] = [
    routes::CASES,
    json::CASES,
    times::CASES,
    updates::CASES,
    validation::CASES,
    filters::CASES,
    states::CASES,
];

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
            let panic = failure.into_panic();
            let said = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            failures.push(format!("{name}: {}", said.unwrap_or("?")));
        }
    }
    assert!(
        failures.is_empty(),
        "{} cases failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// Serves an Alertmanager in memory on the loopback, by the system's clock, as
/// long as the test's runtime lives.
async fn serve(settings: Settings) -> Server {
    let version = settings.version;
    let alertmanager = MemoryAlertmanager::new(settings, now());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let router = router(Arc::new(Mutex::new(alertmanager)), now);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Server::new(version, base_url)
}

async fn hold_in_memory(version: Version) {
    let server = serve(Settings {
        version,
        ..Settings::default()
    });
    hold(&server.await, CASES.into_iter().flatten()).await;
}

async fn hold_released(release: Release, version: Version) {
    let options = Options {
        flags: &[ALL_AT_ONCE],
        ..Options::default()
    };
    let alertmanager = Alertmanager::start(release, &options);
    let server = Server::new(version, alertmanager.base_url());
    hold(&server, CASES.into_iter().flatten()).await;
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
