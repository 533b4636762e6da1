//! Tokens of the client credentials grant.

use std::collections::BTreeMap;
use std::path::Path;

use expect_test::expect;
use silenced::alertmanager::{
    ApiErrorKind, Client, ClientSettings, Credentials, OAuth2, SilenceApi, TlsSettings,
};
use tempfile::TempDir;

use super::{draft, story};
use crate::support::raw_server::{RawServer, Reply};

const SECRET: &str = "s3cret/+ä";

/// A client whose secret is in a file of that directory.
fn client_of(server: &RawServer, tokens: &RawServer, directory: &TempDir) -> Client {
    let settings = ClientSettings {
        credentials: Credentials::OAuth2(OAuth2 {
            client_id: "silenced:eu".to_owned(),
            client_secret_file: secret_file(directory.path()),
            token_url: format!("http://{}/realms/a/token", tokens.address()),
            scopes: vec!["silences:read".to_owned(), "silences:write".to_owned()],
            endpoint_params: BTreeMap::from([("audience".to_owned(), "a b".to_owned())]),
            tls: TlsSettings::default(),
        }),
        ..ClientSettings::new(format!("http://{}", server.address()))
    };
    Client::new(&settings).unwrap()
}

fn secret_file(directory: &Path) -> std::path::PathBuf {
    directory.join("secret")
}

fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(secret_file(directory.path()), format!("{SECRET}\n")).unwrap();
    directory
}

/// Gives out `t0k3n-1`, `t0k3n-2` and so on, which last that long.
async fn issuer(expires_in: &'static str) -> RawServer {
    let mut issued = 0;
    RawServer::answering(move |_| {
        issued += 1;
        let body =
            format!(r#"{{"access_token":"t0k3n-{issued}","token_type":"Bearer"{expires_in}}}"#);
        Reply::json("200 OK", body)
    })
    .await
}

/// Accepts those tokens, and lists nothing.
async fn accepting(tokens: &'static [&'static str]) -> RawServer {
    RawServer::answering(move |request| {
        let is_known = |token: &&str| request.contains(&format!("authorization: Bearer {token}\r"));
        if !tokens.iter().any(is_known) {
            return Reply::http("401 Unauthorized", request.replace("\r\n", " "));
        }
        if request.starts_with("POST") {
            Reply::json("200 OK", r#"{"silenceID":"1"}"#)
        } else {
            Reply::json("200 OK", "[]")
        }
    })
    .await
}

#[tokio::test]
async fn one_token_serves_while_it_lasts() {
    let directory = directory();
    let tokens = issuer(r#","expires_in":3600"#).await;
    let server = accepting(&["t0k3n-1"]).await;
    let client = client_of(&server, &tokens, &directory);
    let draft = draft();
    let (first, second) = tokio::join!(client.list(), client.set(&draft));
    first.unwrap();
    second.unwrap();
    client.list().await.unwrap();
    let requests = tokens.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    let request = requests[0].to_lowercase();
    assert!(request.starts_with("post /realms/a/token http/1.1\r\n"));
    assert!(request.contains("content-type: application/x-www-form-urlencoded\r\n"));
    // `silenced%3Aeu:s3cret%2F%2B%C3%A4`
    let sent = "authorization: Basic c2lsZW5jZWQlM0FldTpzM2NyZXQlMkYlMkIlQzMlQTQ=\r\n";
    assert!(requests[0].contains(sent), "{requests:?}");
    let (_, form) = requests[0].split_once("\r\n\r\n").unwrap();
    expect!["grant_type=client_credentials&scope=silences%3Aread+silences%3Awrite&audience=a+b"]
        .assert_eq(form);
    assert!(!format!("{client:?}").contains("t0k3n"));
}

#[tokio::test]
async fn one_that_is_about_to_expire_is_not_used_again() {
    for expires_in in [r#","expires_in":30"#, r#","expires_in":"5""#] {
        let directory = directory();
        let tokens = issuer(expires_in).await;
        let server = accepting(&["t0k3n-1", "t0k3n-2"]).await;
        let client = client_of(&server, &tokens, &directory);
        client.list().await.unwrap();
        client.list().await.unwrap();
        assert_eq!(tokens.requests().len(), 2);
    }
}

#[tokio::test]
async fn one_that_is_refused_is_replaced_once() {
    let directory = directory();
    let tokens = issuer("").await;
    let server = accepting(&["t0k3n-2"]).await;
    let client = client_of(&server, &tokens, &directory);
    client.set(&draft()).await.unwrap();
    client.list().await.unwrap();
    assert_eq!((tokens.requests().len(), server.requests().len()), (2, 3));

    let stubborn = accepting(&[]).await;
    let client = client_of(&stubborn, &tokens, &directory);
    let error = client.set(&draft()).await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::Unauthorised);
    assert_eq!(stubborn.requests().len(), 2);
    let story = story(&stubborn, &error);
    assert!(story.contains("Bearer [redacted]"), "{story}");
    assert!(!story.contains("t0k3n"), "{story}");
}

#[tokio::test]
async fn servers_that_want_the_secret_in_the_form_get_it_there() {
    let directory = directory();
    let tokens = RawServer::answering(|request| {
        if request.contains("client_secret=s3cret%2F%2B%C3%A4") {
            let body = r#"{"access_token":"t0k3n","token_type":"bearer","expires_in":1}"#;
            Reply::json("200 OK", body)
        } else {
            Reply::json("400 Bad Request", r#"{"error":"invalid_request"}"#)
        }
    })
    .await;
    let server = accepting(&["t0k3n"]).await;
    let client = client_of(&server, &tokens, &directory);
    client.list().await.unwrap();
    client.list().await.unwrap();
    // The second time it is known.
    assert_eq!(tokens.requests().len(), 3);
    assert!(!tokens.requests()[2].contains("authorization"));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let server = RawServer::start(Reply::json("200 OK", "[]")).await;
    let mut stories = String::new();
    let echo = format!(r#"{{"error":"invalid_client","error_description":"not {SECRET}"}}"#);
    for reply in [
        Reply::json("401 Unauthorized", echo),
        Reply::json("400 Bad Request", r#"{"error":"invalid_scope"}"#),
        Reply::http("502 Bad Gateway", "upstream\u{1b} down"),
        Reply::http("302 Found\r\nLocation: http://elsewhere/", ""),
        Reply::json("200 OK", r#"{"token":"t0k3n"}"#),
        Reply::json("200 OK", r#"{"access_token":"t0k3n","token_type":"mac"}"#),
        Reply::json(
            "200 OK",
            r#"{"access_token":"t0 k3n","token_type":"bearer"}"#,
        ),
        Reply::http("200 OK", "x".repeat(70_000)),
        Reply::bytes(""),
    ] {
        let directory = directory();
        let tokens = RawServer::start(reply).await;
        let client = client_of(&server, &tokens, &directory);
        let error = client.list().await.unwrap_err();
        assert_eq!(error.kind(), ApiErrorKind::NotSent);
        let story = story(&server, &error).replace(&tokens.address(), "TOKENS");
        stories.push_str(&story);
        stories.push('\n');
    }
    assert!(
        !stories.contains("s3cret") && !stories.contains("k3n"),
        "{stories}"
    );
    expect![[r#"
        `GET http://SERVER/api/v2/silences`: there is no token to send: `POST http://TOKENS/realms/a/token`: answered `401 Unauthorized` with `invalid_client: not [redacted]`: check `oauth2.client_id`, the secret, and that the client may use the grant `client_credentials`; nothing was sent: check `oauth2` of this target
        `GET http://SERVER/api/v2/silences`: there is no token to send: `POST http://TOKENS/realms/a/token`: answered `400 Bad Request` with `invalid_scope`: check `oauth2.scopes`; nothing was sent: check `oauth2` of this target
        `GET http://SERVER/api/v2/silences`: there is no token to send: `POST http://TOKENS/realms/a/token`: answered `502 Bad Gateway` with `upstream\u{1b} down`: it is asked again in the next pass; nothing was sent: check `oauth2` of this target
        `GET http://SERVER/api/v2/silences`: there is no token to send: `POST http://TOKENS/realms/a/token`: answered `302 Found` without a message: redirects are not followed: write the final URL as `oauth2.token_url`; nothing was sent: check `oauth2` of this target
        `GET http://SERVER/api/v2/silences`: there is no token to send: `POST http://TOKENS/realms/a/token`: answered `200 OK`, which is no token: check `oauth2.token_url`; nothing was sent: check `oauth2` of this target
        `GET http://SERVER/api/v2/silences`: there is no token to send: `POST http://TOKENS/realms/a/token`: gave a token of type `mac` instead of `Bearer`; nothing was sent: check `oauth2` of this target
        `GET http://SERVER/api/v2/silences`: there is no token to send: `POST http://TOKENS/realms/a/token`: gave a token with characters that none can have; nothing was sent: check `oauth2` of this target
        `GET http://SERVER/api/v2/silences`: there is no token to send: `POST http://TOKENS/realms/a/token`: the answer is longer than 64 KiB; nothing was sent: check `oauth2` of this target
        `GET http://SERVER/api/v2/silences`: there is no token to send: `POST http://TOKENS/realms/a/token`: the connection broke before the answer was complete; nothing was changed: it is asked again in the next pass: client error (SendRequest): connection closed before message completed; nothing was sent: check `oauth2` of this target
    "#]].assert_eq(&stories);

    let tokens = issuer("").await;
    let directory = tempfile::tempdir().unwrap();
    let client = client_of(&server, &tokens, &directory);
    let error = client.list().await.unwrap_err();
    let path = directory.path().to_str().unwrap();
    expect!["`GET http://SERVER/api/v2/silences`: there is no token to send: the client secret cannot be had: `DIRECTORY/secret` cannot be read: No such file or directory (os error 2); nothing was sent: check `oauth2` of this target"].assert_eq(&story(&server, &error).replace(path, "DIRECTORY"));
    assert_eq!(server.requests(), Vec::<String>::new());
}
