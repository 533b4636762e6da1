//! Answers that are no answer: each is told apart by what may be done next.

use std::time::Duration;

use expect_test::{Expect, expect};
use silenced::alertmanager::{
    ApiErrorKind, Client, ClientSettings, Credentials, Proxy, SilenceApi,
};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::{client, client_of, draft, id, list_error, set_error, story};
use crate::support::raw_server::{RawServer, Refusing, Reply};

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
    let down = Refusing::new();
    let address = down.address();
    let client = client_of(&format!("http://{address}"), Credentials::None);
    let error = client.set(&draft()).await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::NotSent);
    expect!["`POST http://SERVER/api/v2/silences`: no connection could be made: client error (Connect): tcp connect error: Connection refused (os error 111); nothing was sent: check the URL, and that the server is up and can be reached from here"].assert_eq(&error.with_causes().replace(&address, "SERVER"));
    // Loggers print the sources after it.
    expect!["`POST http://SERVER/api/v2/silences`: no connection could be made; nothing was sent: check the URL, and that the server is up and can be reached from here"].assert_eq(&error.to_string().replace(&address, "SERVER"));
}

#[tokio::test]
async fn unknown_host() {
    // No label may have 64 characters, so no name server is asked.
    let url = format!("http://{}.invalid:9093", "a".repeat(64));
    let client = Client::new(&ClientSettings {
        proxy: Proxy::Direct,
        ..ClientSettings::new(url)
    });
    let error = client.unwrap().list().await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::NotSent);
    expect!["`GET http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.invalid:9093/api/v2/silences`: the host name could not be resolved; nothing was sent: check the name in the URL, and the name service"].assert_eq(&error.to_string());
}

#[tokio::test]
async fn another_program_on_the_port() {
    let reply = || Reply::bytes("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
    check_list(reply(), NOT_AN_ALERTMANAGER, expect!["`GET http://SERVER/api/v2/silences`: the answer is not HTTP: client error (SendRequest): invalid HTTP version parsed; check the port of this target, and whether it expects `https://`"]).await;
    let (error, _) = set_error(reply()).await;
    assert_eq!(error.kind(), ApiErrorKind::Unknown);
}

#[tokio::test]
async fn tls_where_none_is() {
    let server = RawServer::start(Reply::http("400 Bad Request", "")).await;
    let client = client_of(&format!("https://{}", server.address()), Credentials::None);
    let error = client.list().await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::NotSent);
    expect!["`GET https://SERVER/api/v2/silences`: the server answered, but not with TLS; nothing was sent: write `http://` in the URL of this target, or check the port"].assert_eq(&error.to_string().replace(&server.address(), "SERVER"));
    assert!(
        story(&server, &error).contains("SSL routines"),
        "{}",
        story(&server, &error)
    );
}

#[tokio::test]
async fn tls_that_comes_to_no_agreement() {
    // The alert `handshake_failure`.
    let server = RawServer::start(Reply::bytes(b"\x15\x03\x03\x00\x02\x02\x28")).await;
    let client = client_of(&format!("https://{}", server.address()), Credentials::None);
    let error = client.set(&draft()).await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::NotSent);
    expect!["`POST https://SERVER/api/v2/silences`: the TLS handshake failed; nothing was sent: check the port, and which TLS versions and client certificates the server asks for"].assert_eq(&error.to_string().replace(&server.address(), "SERVER"));
}

/// What is said of a write for which no connection is made within 200 ms.
async fn story_without_connection(scheme: &str, address: &str) -> String {
    let settings = ClientSettings {
        connect_timeout: Duration::from_millis(200),
        ..ClientSettings::new(format!("{scheme}://{address}"))
    };
    let client = Client::new(&settings).unwrap();
    let error = client.set(&draft()).await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::NotSent);
    error.to_string().replace(address, "SERVER")
}

#[tokio::test]
async fn tls_handshake_without_end() {
    let server = RawServer::start(Reply::then_hang("")).await;
    expect!["`POST https://SERVER/api/v2/silences`: no connection within 200ms; nothing was sent: check the URL, and that the server is up and can be reached from here"].assert_eq(&story_without_connection("https", &server.address()).await);
}

#[tokio::test]
async fn tcp_handshake_without_end() {
    // Linux answers no handshake for a port at which others wait to be accepted.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        waiting.push(stream.unwrap());
    }
    expect!["`POST http://SERVER/api/v2/silences`: no connection within 200ms; nothing was sent: check the URL, and that the server is up and can be reached from here"].assert_eq(&story_without_connection("http", &address.to_string()).await);
}

#[tokio::test]
async fn no_tls_where_it_is_expected() {
    // As Go's net/http answers.
    let reply = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    check_list(Reply::bytes(reply), NOT_AN_ALERTMANAGER, expect!["`GET http://SERVER/api/v2/silences`: answered `400 Bad Request` with `Client sent an HTTP request to an HTTPS server.`; the port expects TLS: write `https://` in the URL of this target"]).await;
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
    check_list(page(), NOT_AN_ALERTMANAGER, expect!["`GET http://SERVER/api/v2/silences`: answered `200 OK` with the web page `Sign in`, which is `text/html; charset=utf-8` instead of JSON; check the URL of this target: `/api/v2/silences` must lie below it, with any path prefix"]).await;
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
    expect!["`GET http://SERVER/api/v2/silences`: answered `302 Found`, a redirect to `http://ELSEWHERE/login`; redirects are not followed, for they would carry the credentials elsewhere: configure the final URL, or credentials that need no login page"].assert_eq(&story);
    assert_eq!(elsewhere.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn no_credentials_where_they_are_needed() {
    let head = "401 Unauthorized\r\nContent-Type: text/plain\r\nWWW-Authenticate: Basic";
    check_list(
        Reply::http(head, "Unauthorized\n"),
        ApiErrorKind::Unauthorised,
        expect!["`GET http://SERVER/api/v2/silences`: answered `401 Unauthorized` with `Unauthorized`; no credentials are configured for this target: add `bearer_token_file`, `basic_auth` or `oauth2`"],
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
    expect!["`POST http://SERVER/api/v2/silences`: answered `403 Forbidden` with `You'll need additional permissions`; check the credentials of this target and that they may read and write silences"].assert_eq(&story(&server, &error));
}

#[tokio::test]
async fn wrong_prefix() {
    let reply = Reply::http(
        "404 Not Found\r\nContent-Type: text/plain",
        "404 page not found\n",
    );
    check_list(reply.clone(), NOT_AN_ALERTMANAGER, expect!["`GET http://SERVER/api/v2/silences`: answered `404 Not Found` with `404 page not found`; check the URL of this target: `/api/v2/silences` must lie below it, with any path prefix"]).await;
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
    check_list(reply.clone(), NOT_AN_ALERTMANAGER, expect!["`GET http://SERVER/api/v2/silences`: answered `404 Not Found` with `the Alertmanager is not configured`; this tenant has no Alertmanager configuration: upload one, or check the tenant"]).await;
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
    check_list(reply, kind, expect!["`GET http://SERVER/api/v2/silences`: answered `429 Too Many Requests` with `Too Many Requests`; nothing happened: it is tried again later"]).await;
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
    check_list(reply.clone(), kind, expect!["`GET http://SERVER/api/v2/silences`: answered `503 Service Unavailable` with `Limit of concurrent GET requests reached (8), try again later.`; nothing happened: it is tried again later"]).await;
    // A write is never taken for undone on the strength of a 503.
    let (error, _) = set_error(reply).await;
    assert_eq!(error.kind(), ApiErrorKind::Unknown);
}

/// Of a gateway: when to ask again for the list is as clear as from a 429.
#[tokio::test]
async fn unavailable_with_retry_after() {
    let reply = Reply::http("503 Service Unavailable\r\nRetry-After: 40", "");
    let retry_after = Some(Duration::from_secs(40));
    let error = list_error(reply.clone()).await.0;
    assert_eq!(error.kind(), ApiErrorKind::Busy { retry_after });
    let (error, _) = set_error(reply).await;
    assert_eq!(error.kind(), ApiErrorKind::Unknown);
}

#[tokio::test]
async fn web_timeout_of_a_post_leaves_its_outcome_unknown() {
    let text = "Exceeded configured timeout of 1ms.\n";
    let (error, story) = set_error(Reply::http("503 Service Unavailable", text)).await;
    assert_eq!(error.kind(), ApiErrorKind::Unknown);
    expect!["`POST http://SERVER/api/v2/silences`: answered `503 Service Unavailable` with `Exceeded configured timeout of 1ms.`; it may have taken effect or not: the silences are listed before anything is written again"].assert_eq(&story);
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
    expect!["`POST http://SERVER/api/v2/silences`: no complete answer within 200ms; it may have taken effect or not: the silences are listed before anything is written again"].assert_eq(&story(&server, &error));
}

#[tokio::test]
async fn body_that_never_ends() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n[";
    let server = RawServer::start(Reply::then_hang(head)).await;
    let error = impatient_client(&server).list().await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::Unknown);
    expect!["`GET http://SERVER/api/v2/silences`: no complete answer within 200ms; nothing was changed: it is asked again in the next pass"].assert_eq(&story(&server, &error));
}

#[tokio::test]
async fn connection_closed_without_an_answer() {
    // So does Alertmanager when its handler crashes.
    let (error, story) = set_error(Reply::bytes("")).await;
    assert_eq!(error.kind(), ApiErrorKind::Unknown);
    expect!["`POST http://SERVER/api/v2/silences`: the connection broke before the answer was complete: client error (SendRequest): connection closed before message completed; it may have taken effect or not: the silences are listed before anything is written again"].assert_eq(&story);
}

#[tokio::test]
async fn truncated_body() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    // With a length, the connection is seen to break; without, only the JSON is.
    let framed = format!("{head}Content-Length: 99\r\n\r\n[{{\"id\":");
    check_list(Reply::bytes(framed), ApiErrorKind::Unknown, expect!["`GET http://SERVER/api/v2/silences`: the connection broke before the answer was complete: error reading a body from connection: end of file before message length reached; nothing was changed: it is asked again in the next pass"]).await;
    let unframed = format!("{head}Connection: close\r\n\r\n[{{\"id\":");
    check_list(Reply::bytes(unframed), ApiErrorKind::Unknown, expect!["`GET http://SERVER/api/v2/silences`: the list ends too early or is not JSON: EOF while parsing a value at line 1 column 7; nothing was changed: it is asked again in the next pass"]).await;
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
        expect!["`GET http://SERVER/api/v2/silences`: the list is longer than 256 MiB; see what creates so many silences, or lower the server's retention (`--data.retention`)"],
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
    check_list(reply, NOT_AN_ALERTMANAGER, expect![[r#"`GET http://SERVER/api/v2/silences`: answered `200 OK` with `{"status":"success","data":[]}`, which is not a list; check the URL of this target: `/api/v2/silences` must lie below it, with any path prefix"#]]).await;
    let (error, _) = list_error(Reply::json("200 OK", "null")).await;
    assert_eq!(error.kind(), NOT_AN_ALERTMANAGER);
}

#[tokio::test]
async fn list_of_something_else() {
    let reply = Reply::json("200 OK", r#"[{"labels":{}},{"labels":{}}]"#);
    check_list(reply, NOT_AN_ALERTMANAGER, expect![[r#"`GET http://SERVER/api/v2/silences`: none of the 2 entries is a silence, the first is `{"labels":{}}`: missing field `id` at line 1 column 13; check the URL of this target: `/api/v2/silences` must lie below it, with any path prefix"#]]).await;
}

#[tokio::test]
async fn messages_give_the_terminal_no_orders() {
    let (_, story) = list_error(Reply::http("500 Internal Server Error", "a\u{1b}[2J\r\nb")).await;
    expect![[r#"`GET http://SERVER/api/v2/silences`: answered `500 Internal Server Error` with `a\u{1b}[2J b`; nothing was changed: it is asked again in the next pass"#]].assert_eq(&story);
}
