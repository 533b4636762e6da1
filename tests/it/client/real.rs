//! The client against real Alertmanagers.

use std::time::Duration;

use silenced::alertmanager::{ApiErrorKind, Client, Credentials, Expired, SilenceApi};
use silenced::silence::{SilenceDraft, SilenceState};
use silenced::timestamp::Timestamp;

use super::{client_of, draft, id};
use crate::support::alertmanager::{Alertmanager, Options, Release};

/// A running Alertmanager below a path prefix, and our client for it.
struct Server {
    client: Client,
    process: Alertmanager,
}

impl Server {
    fn start(release: Release) -> Self {
        let options = Options {
            route_prefix: "/prefix",
            ..Options::default()
        };
        let process = Alertmanager::start(release, &options);
        let client = client_of(&process.base_url(), Credentials::None);
        Self { client, process }
    }
}

async fn lives_through_its_life(release: Release) {
    let server = Server::start(release);
    let client = &server.client;

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
    lives_through_its_life(Release::V0_25).await;
}

#[tokio::test]
async fn newest_alertmanager() {
    lives_through_its_life(Release::Newest).await;
}

#[tokio::test]
async fn outside_the_prefix() {
    let server = Server::start(Release::Newest);
    let base_url = server.process.base_url();
    let client = client_of(base_url.trim_end_matches("/prefix"), Credentials::None);
    let error = client.list().await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::NotAnAlertmanager, "{error}");
}
