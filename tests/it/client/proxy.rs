//! Through a proxy, and past it.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use expect_test::expect;
use silenced::alertmanager::{
    ApiErrorKind, Client, ClientSettings, InvalidSettings, Proxy, SilenceApi, TlsSettings,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use super::story;
use crate::support::alertmanager::Release;
use crate::support::certificates::Certificates;
use crate::support::raw_server::{RawServer, Refusing, Reply};

fn through(url: &str, proxy: &str, no_proxy: &str) -> ClientSettings {
    ClientSettings {
        proxy: Proxy::Url {
            url: proxy.to_owned(),
            no_proxy: no_proxy.to_owned(),
        },
        ..ClientSettings::new(url)
    }
}

#[tokio::test]
async fn plain_requests_are_handed_to_it_whole() {
    let proxy = RawServer::start(Reply::json("200 OK", "[]")).await;
    let proxy_url = format!("http://{}", proxy.address());
    let settings = through("http://alertmanager.invalid:9093/prefix", &proxy_url, "");
    Client::new(&settings).unwrap().list().await.unwrap();
    let request = proxy.requests().pop().unwrap();
    let line = "GET http://alertmanager.invalid:9093/prefix/api/v2/silences HTTP/1.1\r\n";
    assert!(request.starts_with(line), "{request}");
}

#[tokio::test]
async fn exceptions_are_reached_directly() {
    let proxy = RawServer::start(Reply::http("502 Bad Gateway", "")).await;
    let server = RawServer::start(Reply::json("200 OK", "[]")).await;
    let (url, proxy_url) = (
        format!("http://{}", server.address()),
        format!("http://{}", proxy.address()),
    );
    for no_proxy in ["127.0.0.1", "example.org, 127.0.0.0/8", "*"] {
        let client = Client::new(&through(&url, &proxy_url, no_proxy)).unwrap();
        client.list().await.unwrap();
    }
    assert_eq!(proxy.requests(), Vec::<String>::new());
    let client = Client::new(&through(&url, &proxy_url, "example.org")).unwrap();
    let error = client.list().await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::Unknown);
}

#[tokio::test]
async fn a_proxy_that_wants_a_password() {
    let proxy = RawServer::start(Reply::http("407 Proxy Authentication Required", "")).await;
    let proxy_url = format!("http://{}", proxy.address());
    let mut stories = String::new();
    for url in [
        "http://alertmanager.invalid",
        "https://alertmanager.invalid",
    ] {
        let client = Client::new(&through(url, &proxy_url, "")).unwrap();
        let error = client.list().await.unwrap_err();
        writeln!(stories, "{:?} {}", error.kind(), story(&proxy, &error)).unwrap();
    }
    expect![[r#"
        Unauthorised `GET http://alertmanager.invalid/api/v2/silences`: answered `407 Proxy Authentication Required` without a message; the proxy asks for a user name and password, which can be in `HTTP_PROXY`
        NotSent `GET https://alertmanager.invalid/api/v2/silences`: the proxy refused to connect to the server: error sending request: client error (Connect): tunnel error: proxy authorization required; nothing was sent: check that the proxy allows this host and port; if it asks for a user name and password, give it in `HTTPS_PROXY`, with them, instead of `proxy_url`
    "#]].assert_eq(&stories);
    let requests = proxy.requests();
    assert!(requests[1].starts_with("CONNECT alertmanager.invalid:443 HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_proxy_that_is_down() {
    let down = Refusing::new();
    let proxy_url = format!("http://{}", down.address());
    let mut stories = String::new();
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://alertmanager.invalid");
        let client = Client::new(&through(&url, &proxy_url, "")).unwrap();
        let error = client.list().await.unwrap_err();
        assert_eq!(error.kind(), ApiErrorKind::NotSent);
        writeln!(stories, "{error}").unwrap();
    }
    expect![[r#"
        `GET http://alertmanager.invalid/api/v2/silences`: no connection could be made; nothing was sent: check `proxy_url`, and that the proxy is up and can be reached from here
        `GET https://alertmanager.invalid/api/v2/silences`: the proxy cannot be reached; nothing was sent: check `proxy_url`, and that the proxy is up and can be reached from here
    "#]].assert_eq(&stories);
}

/// Connects as it is told, and writes down where.
async fn tunnel(listener: TcpListener, told: Arc<Mutex<Vec<String>>>) {
    while let Ok((mut client, _)) = listener.accept().await {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let address = head.split(' ').nth(1).unwrap().to_owned();
        told.lock().unwrap().push(head);
        tokio::spawn(async move {
            let mut server = TcpStream::connect(address).await.unwrap();
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let _ = copy_bidirectional(&mut client, &mut server).await;
        });
    }
}

#[tokio::test]
async fn tls_goes_through_a_tunnel_and_ends_at_the_server() {
    let certificates = Certificates::new();
    let server = certificates.alertmanager(Release::Newest, "");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy_url = format!("http://{}", listener.local_addr().unwrap());
    let told = Arc::new(Mutex::new(Vec::new()));
    let task = tokio::spawn(tunnel(listener, Arc::clone(&told)));

    let directory = tempfile::tempdir().unwrap();
    let token_file = directory.path().join("token");
    std::fs::write(&token_file, "s3cret").unwrap();
    let client = Client::new(&ClientSettings {
        tls: TlsSettings {
            ca_file: Some(certificates.ca_file()),
            ..TlsSettings::default()
        },
        credentials: silenced::alertmanager::Credentials::Bearer { token_file },
        ..through(&server.base_url(), &proxy_url, "")
    });
    client.unwrap().list().await.unwrap();
    let told = told.lock().unwrap().concat();
    let line = format!("CONNECT {} HTTP/1.1\r\n", server.address());
    assert!(told.starts_with(&line), "{told}");
    assert!(told.contains("user-agent: silenced/"), "{told}");
    assert!(!told.contains("s3cret"), "{told}");
    task.abort();
}

#[test]
fn proxies_that_cannot_be() {
    let mut messages = String::new();
    for proxy in ["proxy:3128", "socks5://proxy", "http://me:s3cret@proxy"] {
        let error = Client::new(&through("http://host", proxy, "")).unwrap_err();
        assert!(matches!(error, InvalidSettings::Nested { .. }));
        writeln!(messages, "{error}").unwrap();
    }
    expect![[r#"
        in `proxy_url`: `proxy:3128` must begin with `http://` or `https://`
        in `proxy_url`: `socks5://proxy` must begin with `http://` or `https://`
        in `proxy_url`: `http://proxy` has a user name or password: no secret stands in this file: give the proxy in `HTTP_PROXY` and `HTTPS_PROXY` instead, with them
    "#]].assert_eq(&messages);
}
