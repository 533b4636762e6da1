//! The HTTP client of the silences API against every way in which a server, or
//! whatever stands in its place, may misbehave; then against real Alertmanagers.

mod client_certificate;
mod cluster;
mod connections;
mod headers;
mod kinds;
mod misbehaviour;
mod oauth2;
mod proxy;
mod reading;
mod real;
mod tls;
mod writing;

use silenced::alertmanager::{ApiError, Client, ClientSettings, Credentials, Kind, SilenceApi};
use silenced::matcher::{MatchOperator, Matcher, Matchers};
use silenced::silence::{SilenceDraft, SilenceId};
use silenced::timestamp::Timestamp;
use std::collections::BTreeMap;

use crate::support::raw_server::{RawServer, Reply};

fn client_of(url: &str, credentials: Credentials) -> Client {
    let settings = ClientSettings {
        credentials,
        ..ClientSettings::new(url)
    };
    Client::new(&settings).unwrap()
}

fn client(server: &RawServer) -> Client {
    client_of(&format!("http://{}", server.address()), Credentials::None)
}

/// A client of a server of that kind.
fn client_of_kind(server: &RawServer, kind: Kind) -> Client {
    let settings = ClientSettings {
        kind,
        ..ClientSettings::new(format!("http://{}", server.address()))
    };
    Client::new(&settings).unwrap()
}

/// The whole story of an error, the same for every port.
fn story(server: &RawServer, error: &ApiError) -> String {
    error.with_causes().replace(&server.address(), "SERVER")
}

/// What `list` fails with when it is answered `reply`.
async fn list_error(reply: Reply) -> (ApiError, String) {
    let server = RawServer::start(reply).await;
    let error = client(&server).list().await.unwrap_err();
    let story = story(&server, &error);
    (error, story)
}

/// What `set` fails with when it is answered `reply`.
async fn set_error(reply: Reply) -> (ApiError, String) {
    let server = RawServer::start(reply).await;
    let error = client(&server).set(&draft()).await.unwrap_err();
    let story = story(&server, &error);
    (error, story)
}

fn matcher(name: &str, operator: MatchOperator, value: &str) -> Matcher {
    Matcher {
        name: name.to_owned(),
        operator,
        value: value.to_owned(),
    }
}

fn draft() -> SilenceDraft {
    SilenceDraft {
        id: None,
        matchers: Matchers::new(vec![
            matcher("severity", MatchOperator::Equal, "info"),
            matcher("env", MatchOperator::NotRegex, "dev|staging"),
        ]),
        starts_at: Timestamp::parse("2096-01-08T21:00:00Z").unwrap(),
        ends_at: Timestamp::parse("2096-01-09T05:00:00Z").unwrap(),
        created_by: "automation".to_owned(),
        comment: "Noise \"waits\".\n[silenced instance=lab silence=nightly]".to_owned(),
        annotations: BTreeMap::new(),
    }
}

fn id(text: &str) -> SilenceId {
    SilenceId::new(text)
}
