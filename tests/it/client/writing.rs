//! What is sent, as whom, and what servers say to it.

use expect_test::expect;
use silenced::alertmanager::{
    ApiErrorKind, Client, ClientSettings, Credentials, Expired, Limit, SilenceApi,
};
use silenced::silence::SilenceDraft;

use super::{client, client_of, draft, id, set_error, story};
use crate::support::raw_server::{RawServer, Reply};

#[tokio::test]
async fn request_holds_exactly_what_the_api_wants() {
    let server = RawServer::start(Reply::json("200 OK", r#"{"silenceID":"new"}"#)).await;
    let update = SilenceDraft {
        id: Some(id("old")),
        ..draft()
    };
    client(&server).set(&draft()).await.unwrap();
    client(&server).set(&update).await.unwrap();
    let requests = server
        .requests()
        .join("\n\n")
        .replace(&server.address(), "SERVER");
    expect![[r#"
        POST /api/v2/silences HTTP/1.1
        accept: application/json
        content-type: application/json
        user-agent: silenced/0.1.0
        host: SERVER
        content-length: 309

        {"matchers":[{"name":"severity","value":"info","isRegex":false,"isEqual":true},{"name":"env","value":"dev|staging","isRegex":true,"isEqual":false}],"startsAt":"2096-01-08T21:00:00Z","endsAt":"2096-01-09T05:00:00Z","createdBy":"automation","comment":"Noise \"waits\".\n[silenced instance=lab silence=nightly]"}

        POST /api/v2/silences HTTP/1.1
        accept: application/json
        content-type: application/json
        user-agent: silenced/0.1.0
        host: SERVER
        content-length: 320

        {"id":"old","matchers":[{"name":"severity","value":"info","isRegex":false,"isEqual":true},{"name":"env","value":"dev|staging","isRegex":true,"isEqual":false}],"startsAt":"2096-01-08T21:00:00Z","endsAt":"2096-01-09T05:00:00Z","createdBy":"automation","comment":"Noise \"waits\".\n[silenced instance=lab silence=nightly]"}"#]].assert_eq(&requests.replace('\r', ""));
}

#[tokio::test]
async fn ids_of_all_servers_are_read() {
    for (status, body) in [
        ("200 OK", r#"{"silenceID":"one"}"#),
        (
            "202 Accepted",
            r#"{"silenceID":"one","message":"silence created"}"#,
        ),
        ("201 Created", r#"{"id":"one"}"#),
    ] {
        let server = RawServer::start(Reply::json(status, body)).await;
        assert_eq!(client(&server).set(&draft()).await.unwrap(), id("one"));
    }
}

#[tokio::test]
async fn success_without_an_id_is_unknown() {
    let (error, story) = set_error(Reply::json("200 OK", "{}")).await;
    assert_eq!(error.kind(), ApiErrorKind::Unknown);
    expect!["`POST http://SERVER/api/v2/silences`: answered `200 OK` with `{}`, which names no silence; it may have taken effect or not: the silences are listed before anything is written again"].assert_eq(&story);
    for reply in [
        Reply::http("204 No Content", ""),
        Reply::json("200 OK", " ".repeat(1 << 20)),
    ] {
        let (error, story) = set_error(reply).await;
        assert_eq!(error.kind(), ApiErrorKind::Unknown, "{story}");
    }
}

#[tokio::test]
async fn refusals_in_all_three_shapes() {
    let mut stories = String::new();
    for reply in [
        Reply::json("400 Bad Request", r#""invalid silence: bad regex""#),
        Reply::json(
            "422 Unprocessable Entity",
            r#"{"code":602,"message":"matchers in body is required"}"#,
        ),
        Reply::http("400 Bad Request\r\nContent-Type: text/plain", "no\n"),
        Reply::json(
            "400 Bad Request",
            r#"{"message":"silence failed validation: x","traceID":"1"}"#,
        ),
    ] {
        let (error, story) = set_error(reply).await;
        assert_eq!(error.kind(), ApiErrorKind::Refused { limit: None });
        stories.push_str(&story);
        stories.push('\n');
    }
    expect![[r#"
        `POST http://SERVER/api/v2/silences`: answered `400 Bad Request` with `invalid silence: bad regex`; the server will refuse it again: correct the declaration
        `POST http://SERVER/api/v2/silences`: answered `422 Unprocessable Entity` with `matchers in body is required`; the server will refuse it again: correct the declaration
        `POST http://SERVER/api/v2/silences`: answered `400 Bad Request` with `no`; the server will refuse it again: correct the declaration
        `POST http://SERVER/api/v2/silences`: answered `400 Bad Request` with `silence failed validation: x`; the server will refuse it again: correct the declaration
    "#]].assert_eq(&stories);
}

#[tokio::test]
async fn limits_are_told_from_other_refusals() {
    let over = |limit| ApiErrorKind::Refused { limit: Some(limit) };
    let count = r#""exceeded maximum number of silences: 50 (limit: 50)""#;
    let (error, story) = set_error(Reply::json("400 Bad Request", count)).await;
    assert_eq!(error.kind(), over(Limit::Count));
    expect!["`POST http://SERVER/api/v2/silences`: answered `400 Bad Request` with `exceeded maximum number of silences: 50 (limit: 50)`; expired silences count too: raise the server's limit (`--silences.max-silences`), or wait until it forgets some"].assert_eq(&story);
    let size = r#""silence exceeded maximum size: 2110 bytes (limit: 1000 bytes)""#;
    let (error, story) = set_error(Reply::json("400 Bad Request", size)).await;
    assert_eq!(error.kind(), over(Limit::Size));
    expect!["`POST http://SERVER/api/v2/silences`: answered `400 Bad Request` with `silence exceeded maximum size: 2110 bytes (limit: 1000 bytes)`; shorten the comment or the matchers, or raise the server's limit (`--silences.max-silence-size-bytes`)"].assert_eq(&story);
    let (error, _) = set_error(Reply::http("413 Payload Too Large", "")).await;
    assert_eq!(error.kind(), over(Limit::Size));
}

#[tokio::test]
async fn update_of_an_unknown_silence() {
    for body in [
        r#""silence not found""#,
        r#"{"message":"Not found","messageId":"alerting.notifications.silences.notFound"}"#,
    ] {
        let (error, _) = set_error(Reply::json("404 Not Found", body)).await;
        assert_eq!(error.kind(), ApiErrorKind::NotFound);
    }
}

#[tokio::test]
async fn expiring_in_every_dialect() {
    for (reply, expected) in [
        (Reply::http("200 OK", ""), Expired::Done),
        (
            Reply::json("200 OK", r#"{"message":"silence deleted"}"#),
            Expired::Done,
        ),
        (Reply::http("404 Not Found", ""), Expired::Gone),
        (
            Reply::json("404 Not Found", r#"{"message":""}"#),
            Expired::Gone,
        ),
        (
            Reply::json(
                "404 Not Found",
                r#"{"message":"Not found","messageId":"alerting.notifications.silences.notFound"}"#,
            ),
            Expired::Gone,
        ),
        // Alertmanager up to 0.25.
        (
            Reply::json("500 Internal Server Error", r#""silence not found""#),
            Expired::Gone,
        ),
    ] {
        let server = RawServer::start(reply).await;
        assert_eq!(client(&server).expire(&id("x")).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn ids_cannot_leave_their_place_in_the_path() {
    let server = RawServer::start(Reply::http("200 OK", "")).await;
    client(&server).expire(&id("../a b%2f?#ü\\")).await.unwrap();
    let request = server.requests().pop().unwrap();
    expect!["DELETE /api/v2/silence/..%2Fa%20b%252f%3F%23%C3%BC%5C HTTP/1.1"]
        .assert_eq(request.lines().next().unwrap());
}

#[tokio::test]
async fn secrets_are_read_for_every_request_and_never_shown() {
    let directory = tempfile::tempdir().unwrap();
    let token_file = directory.path().join("token");
    // A proxy that prints the request which it refuses.
    let echo = "you sent Authorization: Bearer first-s3cret, not good";
    let server = RawServer::start(Reply::http("401 Unauthorized", echo)).await;
    let url = format!("http://{}", server.address());
    let client = client_of(
        &url,
        Credentials::Bearer {
            token_file: token_file.clone(),
        },
    );

    std::fs::write(&token_file, "first-s3cret\n").unwrap();
    let error = client.list().await.unwrap_err();
    expect!["`GET http://SERVER/api/v2/silences`: answered `401 Unauthorized` with `you sent Authorization: Bearer [redacted], not good`; check the credentials of this target and that they may read and write silences"].assert_eq(&story(&server, &error));
    assert!(!format!("{client:?} {error:?}").contains("s3cret"));

    std::fs::write(&token_file, "second-s3cret\n").unwrap();
    client.list().await.unwrap_err();
    let requests = server.requests();
    assert!(
        requests[0].contains("authorization: Bearer first-s3cret\r\n"),
        "{requests:?}"
    );
    assert!(
        requests[1].contains("authorization: Bearer second-s3cret\r\n"),
        "{requests:?}"
    );
}

#[tokio::test]
async fn basic_authentication() {
    let directory = tempfile::tempdir().unwrap();
    let password_file = directory.path().join("password");
    std::fs::write(&password_file, " open:sesame \r\n").unwrap();
    let echo = "Basic YWRtaW46IG9wZW46c2VzYW1lIA== means ` open:sesame `";
    let server = RawServer::start(Reply::http("401 Unauthorized", echo)).await;
    let username = "admin".to_owned();
    let credentials = Credentials::Basic {
        username,
        password_file,
    };
    let url = format!("http://{}", server.address());
    let error = client_of(&url, credentials).list().await.unwrap_err();
    let request = server.requests().pop().unwrap();
    assert!(
        request.contains("authorization: Basic YWRtaW46IG9wZW46c2VzYW1lIA==\r\n"),
        "{request}"
    );
    expect!["`GET http://SERVER/api/v2/silences`: answered `401 Unauthorized` with `Basic [redacted] means `[redacted]``; check the credentials of this target and that they may read and write silences"].assert_eq(&story(&server, &error));
}

#[tokio::test]
async fn nothing_is_sent_without_the_secret() {
    let server = RawServer::start(Reply::json("200 OK", "[]")).await;
    let directory = tempfile::tempdir().unwrap();
    let token_file = directory.path().join("token");
    let url = format!("http://{}", server.address());
    let client = client_of(
        &url,
        Credentials::Bearer {
            token_file: token_file.clone(),
        },
    );
    let mut stories = String::new();
    for content in [
        None,
        Some(""),
        Some("two words"),
        Some("line\nline"),
        Some(&*"x".repeat(70_000)),
    ] {
        if let Some(content) = content {
            std::fs::write(&token_file, content).unwrap();
        }
        let error = client.list().await.unwrap_err();
        assert_eq!(error.kind(), ApiErrorKind::NotSent);
        stories.push_str(&story(&server, &error));
        stories.push('\n');
    }
    let stories = stories.replace(directory.path().to_str().unwrap(), "DIRECTORY");
    expect![[r#"
        `GET http://SERVER/api/v2/silences`: there are no credentials to send: `DIRECTORY/token` cannot be read: No such file or directory (os error 2); nothing was sent: check the file and its permissions
        `GET http://SERVER/api/v2/silences`: there are no credentials to send: `DIRECTORY/token` is empty; nothing was sent: check the file and its permissions
        `GET http://SERVER/api/v2/silences`: there are no credentials to send: `DIRECTORY/token` holds characters that a token cannot have: it must hold the token and nothing else; nothing was sent: check the file and its permissions
        `GET http://SERVER/api/v2/silences`: there are no credentials to send: `DIRECTORY/token` holds characters that a token cannot have: it must hold the token and nothing else; nothing was sent: check the file and its permissions
        `GET http://SERVER/api/v2/silences`: there are no credentials to send: `DIRECTORY/token` is larger than 64 KiB, which no token or password is; nothing was sent: check the file and its permissions
    "#]].assert_eq(&stories);
    assert_eq!(server.requests(), Vec::<String>::new());
}

#[test]
fn user_name_with_a_colon() {
    let settings = ClientSettings {
        credentials: Credentials::Basic {
            username: "a:b".to_owned(),
            password_file: "unread".into(),
        },
        ..ClientSettings::new("http://host")
    };
    let error = Client::new(&settings).unwrap_err();
    expect!["the user name `a:b` has a colon, which basic authentication cannot carry"]
        .assert_eq(&error.to_string());
}
