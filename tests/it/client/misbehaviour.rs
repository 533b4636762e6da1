//! Answers that are no answer: each is told apart by what may be done next.

use std::time::Duration;

use expect_test::{Expect, expect};
use silenced::alertmanager::{ApiErrorKind, Client, ClientSettings, Credentials, SilenceApi};
use tokio::net::TcpListener;

use super::{client, client_of, draft, id, list_error, set_error, story};
use crate::support::raw_server::{RawServer, Reply};

const NOT_AN_ALERTMANAGER: ApiErrorKind = ApiErrorKind::NotAnAlertmanager;

/// Lists against `reply` and compares kind and message.
async fn check_list(reply: Reply, kind: ApiErrorKind, message: Expect) {
    let (error, story) = list_error(reply).await;
    assert_eq!(error.kind(), kind, "{story}");
    message.assert_eq(&story);
}

/// A client that waits 200 ms for an answer, and real time passes in sockets.
fn impatient_client(server: &RawServer) -> Client {
    let settings = ClientSettings {
        timeout: Duration::from_millis(200),
        ..ClientSettings::new(format!("http://{}", server.address()))
    };
    Client::new(&settings).unwrap()
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let client = client_of(&format!("http://{address}"), Credentials::None);
    let error = client.set(&draft()).await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::NotSent);
    expect![[""]].assert_eq(&error.with_causes().to_string().replace(&address, "SERVER"));
    // Loggers print the sources after it.
    expect![[""]].assert_eq(&error.to_string().replace(&address, "SERVER"));
}

#[tokio::test]
async fn unknown_host() {
    // RFC 6761: no such name ever resolves.
    let client = client_of("http://alertmanager.invalid:9093", Credentials::None);
    let error = client.list().await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::NotSent);
    expect![[""]].assert_eq(&error.to_string());
}

#[tokio::test]
async fn another_program_on_the_port() {
    let reply = || Reply::bytes("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
    check_list(reply(), NOT_AN_ALERTMANAGER, expect![[""]]).await;
    let (error, _) = set_error(reply()).await;
    assert_eq!(error.kind(), ApiErrorKind::Unknown);
}

#[tokio::test]
async fn tls_where_none_is() {
    let server = RawServer::start(Reply::http("400 Bad Request", "")).await;
    let client = client_of(&format!("https://{}", server.address()), Credentials::None);
    let error = client.list().await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::NotSent);
    expect![[""]].assert_eq(&error.to_string().replace(&server.address(), "SERVER"));
    assert!(
        story(&server, &error).contains("SSL routines"),
        "{}",
        story(&server, &error)
    );
}

#[tokio::test]
async fn no_tls_where_it_is_expected() {
    // As Go's net/http answers.
    let reply = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    check_list(Reply::bytes(reply), NOT_AN_ALERTMANAGER, expect![[""]]).await;
    let (error, _) = set_error(Reply::bytes(reply)).await;
    assert_eq!(error.kind(), NOT_AN_ALERTMANAGER);
}

#[tokio::test]
async fn login_page_with_200() {
    let page = || {
        Reply::http(
            "200 OK\r\nContent-Type: text/html; charset=utf-8",
            "<!DOCTYPE html>\n<title>Sign in</title>",
        )
    };
    check_list(page(), NOT_AN_ALERTMANAGER, expect![[""]]).await;
    let server = RawServer::start(page()).await;
    let posted = client(&server).set(&draft()).await.unwrap_err();
    assert_eq!(posted.kind(), NOT_AN_ALERTMANAGER);
    let deleted = client(&server).expire(&id("x")).await.unwrap_err();
    assert_eq!(deleted.kind(), NOT_AN_ALERTMANAGER);
}

#[tokio::test]
async fn redirect_is_not_followed_with_credentials() {
    let elsewhere = RawServer::start(Reply::json("200 OK", "[]")).await;
    let location = format!("http://{}/login?session=secret", elsewhere.address());
    let head = format!("302 Found\r\nLocation: {location}");
    let server = RawServer::start(Reply::http(&head, "")).await;
    let directory = tempfile::tempdir().unwrap();
    let token_file = directory.path().join("token");
    std::fs::write(&token_file, "s3cret").unwrap();
    let url = format!("http://{}", server.address());
    let client = client_of(&url, Credentials::Bearer { token_file });

    let error = client.list().await.unwrap_err();
    assert_eq!(error.kind(), NOT_AN_ALERTMANAGER);
    let story = story(&server, &error).replace(&elsewhere.address(), "ELSEWHERE");
    expect![[""]].assert_eq(&story);
    assert_eq!(elsewhere.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn no_credentials_where_they_are_needed() {
    let head = "401 Unauthorized\r\nContent-Type: text/plain\r\nWWW-Authenticate: Basic";
    check_list(
        Reply::http(head, "Unauthorized\n"),
        ApiErrorKind::Unauthorised,
        expect![[""]],
    )
    .await;
}

#[tokio::test]
async fn credentials_that_do_not_suffice() {
    let body = r#"{"accessErrorId":"ACE1","message":"You'll need additional permissions","title":"Access denied"}"#;
    let server = RawServer::start(Reply::json("403 Forbidden", body)).await;
    let directory = tempfile::tempdir().unwrap();
    let token_file = directory.path().join("token");
    std::fs::write(&token_file, "s3cret").unwrap();
    let url = format!("http://{}", server.address());
    let client = client_of(&url, Credentials::Bearer { token_file });
    let error = client.set(&draft()).await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::Unauthorised);
    expect![[""]].assert_eq(&story(&server, &error));
}

#[tokio::test]
async fn wrong_prefix() {
    let reply = Reply::http(
        "404 Not Found\r\nContent-Type: text/plain",
        "404 page not found\n",
    );
    check_list(reply.clone(), NOT_AN_ALERTMANAGER, expect![[""]]).await;
    // Neither may a write take this 404 for "no such silence".
    let (error, _) = set_error(reply.clone()).await;
    assert_eq!(error.kind(), NOT_AN_ALERTMANAGER);
    let server = RawServer::start(reply).await;
    let error = client(&server).expire(&id("x")).await.unwrap_err();
    assert_eq!(error.kind(), NOT_AN_ALERTMANAGER);
}

#[tokio::test]
async fn mimir_tenant_without_configuration() {
    let reply = Reply::http(
        "404 Not Found\r\nContent-Type: text/plain; charset=utf-8",
        "the Alertmanager is not configured\n",
    );
    check_list(reply.clone(), NOT_AN_ALERTMANAGER, expect![[""]]).await;
    let server = RawServer::start(reply).await;
    let error = client(&server).expire(&id("x")).await.unwrap_err();
    assert_eq!(error.kind(), NOT_AN_ALERTMANAGER);
}

#[tokio::test]
async fn old_api_only() {
    let (error, _) = list_error(Reply::json("410 Gone", r#"{"status":"deprecated"}"#)).await;
    assert_eq!(error.kind(), NOT_AN_ALERTMANAGER);
}

#[tokio::test]
async fn rate_limit_without_retry_after() {
    let kind = ApiErrorKind::Busy { retry_after: None };
    let reply = Reply::http("429 Too Many Requests", "Too Many Requests\n");
    check_list(reply, kind, expect![[""]]).await;
}

#[tokio::test]
async fn rate_limit_with_retry_after() {
    let head = "429 Too Many Requests\r\nDate: Sun, 22 Nov 2026 10:00:00 GMT\r\nRetry-After: ";
    for retry_after in ["17", "Sun, 22 Nov 2026 10:00:17 GMT"] {
        let (error, _) = set_error(Reply::http(&format!("{head}{retry_after}"), "")).await;
        let retry_after = Some(Duration::from_secs(17));
        assert_eq!(error.kind(), ApiErrorKind::Busy { retry_after });
    }
}

#[tokio::test]
async fn too_many_concurrent_gets() {
    let kind = ApiErrorKind::Busy { retry_after: None };
    let reply = Reply::http(
        "503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8",
        "Limit of concurrent GET requests reached (8), try again later.\n",
    );
    check_list(reply, kind, expect![[""]]).await;
}

#[tokio::test]
async fn web_timeout_of_a_post_leaves_its_outcome_unknown() {
    let text = "Exceeded configured timeout of 1ms.\n";
    let (error, story) = set_error(Reply::http("503 Service Unavailable", text)).await;
    assert_eq!(error.kind(), ApiErrorKind::Unknown);
    expect![[""]].assert_eq(&story);
}

#[tokio::test]
async fn grafana_not_ready_yet() {
    let body = r#"{"message":"Alertmanager conflict","messageId":"alerting.notifications.alertmanager.conflict"}"#;
    let (error, _) = list_error(Reply::json("409 Conflict", body)).await;
    assert_eq!(error.kind(), ApiErrorKind::Busy { retry_after: None });
}

#[tokio::test]
async fn silence_before_the_answer() {
    let server = RawServer::start(Reply::then_hang("")).await;
    let error = impatient_client(&server).set(&draft()).await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::Unknown);
    expect![[""]].assert_eq(&story(&server, &error));
}

#[tokio::test]
async fn body_that_never_ends() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n[";
    let server = RawServer::start(Reply::then_hang(head)).await;
    let error = impatient_client(&server).list().await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::Unknown);
    expect![[""]].assert_eq(&story(&server, &error));
}

#[tokio::test]
async fn connection_closed_without_an_answer() {
    // So does Alertmanager when its handler crashes.
    let (error, story) = set_error(Reply::bytes("")).await;
    assert_eq!(error.kind(), ApiErrorKind::Unknown);
    expect![[""]].assert_eq(&story);
}

#[tokio::test]
async fn truncated_body() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    // With a length, the connection is seen to break; without, only the JSON is.
    let framed = format!("{head}Content-Length: 99\r\n\r\n[{{\"id\":");
    check_list(Reply::bytes(framed), ApiErrorKind::Unknown, expect![[""]]).await;
    let unframed = format!("{head}Connection: close\r\n\r\n[{{\"id\":");
    check_list(Reply::bytes(unframed), ApiErrorKind::Unknown, expect![[""]]).await;
    let (error, _) = set_error(Reply::bytes(format!("{head}\r\n{{\"silenceI"))).await;
    assert_eq!(error.kind(), ApiErrorKind::Unknown);
}

#[tokio::test]
async fn list_over_the_bound() {
    // 256 MiB of blanks and one byte more, in a list that is valid so far.
    let mut body = vec![b' '; (256 << 20) + 1];
    body[0] = b'[';
    check_list(
        Reply::json("200 OK", body),
        ApiErrorKind::TooLarge,
        expect![[""]],
    )
    .await;
}

#[tokio::test]
async fn error_message_over_the_bound_is_cut() {
    let (error, story) = set_error(Reply::http("400 Bad Request", "x".repeat(1 << 20))).await;
    assert_eq!(error.kind(), ApiErrorKind::Refused { limit: None });
    assert!(
        story.contains(&format!("`{}…`", "x".repeat(200))),
        "{story}"
    );
}

#[tokio::test]
async fn json_that_is_not_a_list() {
    let reply = Reply::json("200 OK", r#"{"status":"success","data":[]}"#);
    check_list(reply, NOT_AN_ALERTMANAGER, expect![[""]]).await;
    let (error, _) = list_error(Reply::json("200 OK", "null")).await;
    assert_eq!(error.kind(), NOT_AN_ALERTMANAGER);
}

#[tokio::test]
async fn list_of_something_else() {
    let reply = Reply::json("200 OK", r#"[{"labels":{}},{"labels":{}}]"#);
    check_list(reply, NOT_AN_ALERTMANAGER, expect![[""]]).await;
}

#[tokio::test]
async fn messages_give_the_terminal_no_orders() {
    let (_, story) = list_error(Reply::http("500 Internal Server Error", "a\u{1b}[2J\r\nb")).await;
    expect![[""]].assert_eq(&story);
}
