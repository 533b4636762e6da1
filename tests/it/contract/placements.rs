//! Does it matter where a server stands? The same cases for a node of a cluster,
//! below a path prefix, behind a password, and under TLS.

use std::fs;

use reqwest::Certificate;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use silenced::memory::Version;

use super::kind::Kind;
use super::server::{self, Server};
use super::{ALL_AT_ONCE, cases_of, hold};
use crate::support::alertmanager::{Alertmanager, Options, PASSWORDS, Release};
use crate::support::certificates::Certificates;

/// Written to one node and read from the same.
#[tokio::test]
async fn in_a_cluster() {
    let nodes = Alertmanager::start_cluster(Release::Newest, 3, &[ALL_AT_ONCE]);
    let mut server = Server::new(Version::V0_33, nodes[1].base_url());
    server.peers = nodes.len();
    hold(&server, cases_of(Kind::Alertmanager)).await;
}

#[tokio::test]
async fn below_a_prefix() {
    let alertmanager = Alertmanager::start(
        Release::V0_25,
        &Options {
            flags: &[ALL_AT_ONCE],
            route_prefix: "/team/alertmanager",
            ..Options::default()
        },
    );
    let server = Server::new(Version::V0_25, alertmanager.base_url());
    hold(&server, cases_of(Kind::Alertmanager)).await;
    let root = format!("http://{}", alertmanager.address());
    let outside = Server::new(Version::V0_25, root);
    assert_eq!(outside.get(server::SILENCES).await.status, 404);
}

#[tokio::test]
async fn behind_a_password() {
    let alertmanager = Alertmanager::start(
        Release::V0_28,
        &Options {
            flags: &[ALL_AT_ONCE],
            web_config: Some(PASSWORDS),
            ..Options::default()
        },
    );
    let stranger = Server::new(Version::V0_28, alertmanager.base_url());
    let answer = stranger.get(server::SILENCES).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("www-authenticate"), Some("Basic"));
    // `a:secret` in Base64.
    let password = HeaderValue::from_static("Basic YTpzZWNyZXQ=");
    let headers = HeaderMap::from_iter([(AUTHORIZATION, password)]);
    let url = alertmanager.base_url();
    let server = Server::with_access(headers, None, Version::V0_28, url);
    hold(&server, cases_of(Kind::Alertmanager)).await;
}

#[tokio::test]
async fn under_tls() {
    let certificates = Certificates::new();
    let alertmanager = Alertmanager::start(
        Release::Newest,
        &Options {
            flags: &[ALL_AT_ONCE],
            web_config: Some(&certificates.web_config()),
            ..Options::default()
        },
    );
    let authority = fs::read(certificates.ca_file()).unwrap();
    let authority = Certificate::from_pem(&authority).unwrap();
    let (headers, url) = (HeaderMap::new(), alertmanager.base_url());
    let server = Server::with_access(headers, Some(authority), Version::V0_33, url);
    hold(&server, cases_of(Kind::Alertmanager)).await;
}
