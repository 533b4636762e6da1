//! Headers that a gateway before the server asks for.

use std::fmt::Write as _;

use expect_test::expect;
use silenced::alertmanager::{Client, ClientSettings, ExtraHeader, HeaderSource, SilenceApi};

use super::story;
use crate::support::raw_server::{RawServer, Reply};

fn with_header(url: &str, name: &str, values: Vec<HeaderSource>) -> ClientSettings {
    ClientSettings {
        headers: vec![ExtraHeader {
            name: name.to_owned(),
            values,
        }],
        ..ClientSettings::new(url)
    }
}

#[tokio::test]
async fn they_are_read_for_every_request_and_never_shown() {
    let server = RawServer::answering(|request| {
        let sent = request.split("x-gateway-key: ").nth(2).unwrap_or_default();
        let sent = sent.lines().next().unwrap_or_default();
        Reply::http("403 Forbidden", format!("key {sent} unknown"))
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key");
    std::fs::write(&file, "k3y one\n").unwrap();
    let values = vec![
        HeaderSource::Value("public".to_owned()),
        HeaderSource::File(file.clone()),
    ];
    let url = format!("http://{}", server.address());
    let client = Client::new(&with_header(&url, "X-Gateway-Key", values)).unwrap();
    let error = client.list().await.unwrap_err();
    expect!["`GET http://SERVER/api/v2/silences`: answered `403 Forbidden` with `key [redacted] unknown`; check the credentials of this target and that they may read and write silences"].assert_eq(&story(&server, &error));
    assert!(!format!("{client:?}{error:?}").contains("k3y"));

    std::fs::write(&file, "k3y two").unwrap();
    client.list().await.unwrap_err();
    let requests = server.requests();
    assert!(requests[0].contains("x-gateway-key: public\r\nx-gateway-key: k3y one\r\n"));
    assert!(requests[1].contains("x-gateway-key: public\r\nx-gateway-key: k3y two\r\n"));

    std::fs::write(&file, "two\nlines").unwrap();
    let error = client.list().await.unwrap_err();
    let story = story(&server, &error).replace(file.to_str().unwrap(), "FILE");
    expect!["`GET http://SERVER/api/v2/silences`: there are no credentials to send: `FILE` holds characters that a header cannot have: it must hold the value on one line; nothing was sent: check the file and its permissions"].assert_eq(&story);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn headers_that_cannot_be_set() {
    let mut messages = String::new();
    let value = || vec![HeaderSource::Value("a".to_owned())];
    for (name, values) in [
        ("two words", value()),
        ("Authorization", value()),
        ("host", value()),
        ("Content-Length", value()),
        ("X-Empty", Vec::new()),
        ("X-Line", vec![HeaderSource::Value("a\r\nb".to_owned())]),
    ] {
        let error = Client::new(&with_header("http://host", name, values)).unwrap_err();
        writeln!(messages, "{error}").unwrap();
    }
    expect![[r#"
        the header `two words` cannot be set: no header can have such a name
        the header `Authorization` cannot be set: write `bearer_token_file`, `basic_auth` or `oauth2`
        the header `host` cannot be set: it comes from `url`
        the header `Content-Length` cannot be set: it belongs to the request itself
        the header `X-Empty` cannot be set: it has neither `values` nor `files`
        `a b` has characters that no HTTP header can carry
    "#]].assert_eq(&messages);
}
