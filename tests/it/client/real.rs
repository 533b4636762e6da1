//! The client against real Alertmanagers.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use silenced::alertmanager::{ApiErrorKind, Client, Credentials, Expired, SilenceApi};
use silenced::silence::{SilenceDraft, SilenceState};
use silenced::timestamp::Timestamp;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::{client_of, draft, id};

/// A running Alertmanager; it ends with this value.
struct Alertmanager {
    client: Client,
    address: String,
    _process: Child,
    _storage: TempDir,
}

impl Alertmanager {
    async fn start(version: &str) -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(".tools")
            .join(format!("alertmanager-{version}"))
            .join("usr/bin/prometheus-alertmanager");
        assert!(
            program.exists(),
            "{} is missing: run make tools",
            program.display()
        );
        let storage = tempfile::tempdir().unwrap();
        let config = storage.path().join("alertmanager.yml");
        std::fs::write(
            &config,
            "route: {receiver: none}\nreceivers: [{name: none}]\n",
        )
        .unwrap();
        // Free now, and others get other ports for as long as it matters.
        let address = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .to_string();
        let process = Command::new(program)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", storage.path().display()))
            .arg(format!("--web.listen-address={address}"))
            .args([
                "--web.route-prefix=/prefix",
                "--cluster.listen-address=",
                "--log.level=warn",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let client = client_of(&format!("http://{address}/prefix"), Credentials::None);
        // Ready in less than 0.5 s on an idle machine.
        for _ in 0..200 {
            if client.list().await.is_ok() {
                return Self {
                    client,
                    address,
                    _process: process,
                    _storage: storage,
                };
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("Alertmanager {version} did not become ready within 20 s");
    }
}

async fn lives_through_its_life(version: &str) {
    let alertmanager = Alertmanager::start(version).await;
    let client = &alertmanager.client;

    let created = client.set(&draft()).await.unwrap();
    let listing = client.list().await.unwrap();
    let now = listing.server_time.expect("Alertmanager sends its time");
    assert!(now > Timestamp::parse("2026-01-01T00:00:00Z").unwrap());
    let [silence] = &listing.silences[..] else {
        panic!("{listing:?}");
    };
    let expected = draft();
    assert_eq!(silence.id, created);
    assert_eq!(silence.state, SilenceState::Pending);
    assert_eq!(silence.matchers, expected.matchers);
    assert_eq!(silence.starts_at, expected.starts_at);
    assert_eq!(silence.ends_at, expected.ends_at);
    assert_eq!(silence.created_by, expected.created_by);
    assert_eq!(silence.comment, expected.comment);

    let update = SilenceDraft {
        id: Some(created.clone()),
        ends_at: expected.ends_at.plus(Duration::from_hours(1)),
        ..draft()
    };
    assert_eq!(client.set(&update).await.unwrap(), created, "in place");

    let backwards = SilenceDraft {
        ends_at: expected.starts_at,
        ..draft()
    };
    let error = client.set(&backwards).await.unwrap_err();
    assert_eq!(
        error.kind(),
        ApiErrorKind::Refused { limit: None },
        "{error}"
    );

    let unknown = id("00000000-0000-4000-8000-000000000000");
    let stray = SilenceDraft {
        id: Some(unknown.clone()),
        ..draft()
    };
    let error = client.set(&stray).await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::NotFound, "{error}");

    assert_eq!(client.expire(&unknown).await.unwrap(), Expired::Gone);
    assert_eq!(client.expire(&created).await.unwrap(), Expired::Done);
    assert_eq!(client.expire(&created).await.unwrap(), Expired::Done);
    let listing = client.list().await.unwrap();
    let states: Vec<_> = listing
        .silences
        .iter()
        .map(|silence| silence.state)
        .collect();
    assert_eq!(states, [SilenceState::Expired]);
    assert_eq!((listing.expired, listing.skipped.count), (0, 0));
}

#[tokio::test]
async fn alertmanager_0_25() {
    lives_through_its_life("0.25").await;
}

#[tokio::test]
async fn newest_alertmanager() {
    lives_through_its_life("newest").await;
}

#[tokio::test]
async fn outside_the_prefix() {
    let alertmanager = Alertmanager::start("newest").await;
    let client = client_of(
        &format!("http://{}", alertmanager.address),
        Credentials::None,
    );
    let error = client.list().await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::NotAnAlertmanager, "{error}");
}
