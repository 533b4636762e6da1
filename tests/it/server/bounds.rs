//! How much of it can others take up? Connections without requests, requests
//! without end, answers that nobody reads.

use std::future::Future;
use std::io::BufReader;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;
use silenced::server::{Authorisation, MOST_CONNECTIONS};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::Server;
use crate::support::client::client;
use crate::support::daemon::next_entry;
use crate::support::program::program;

/// More than the server keeps, and more than [`FEW_FILES`] allow.
const FLOOD: usize = MOST_CONNECTIONS + 50;

/// Open files of a process that is short of them: it needs some 20 itself.
const FEW_FILES: &str = "64";

const PATIENCE: Duration = Duration::from_secs(20);

async fn soon<T>(what: &str, done: impl Future<Output = T>) -> T {
    let ended = tokio::time::timeout(PATIENCE, done).await;
    ended.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}

impl Server {
    fn address(&self) -> SocketAddr {
        self.url.trim_start_matches("http://").parse().unwrap()
    }

    /// A declaration with a window a minute: half a year of it is 12 MB.
    async fn with_long_answers() -> Self {
        let schedule = "{cron: '* * * * *', duration: 30s}";
        let silence = format!("{{name: a, comment: x, matchers: ['a=b'], schedule: {schedule}}}");
        let declarations = format!("owner: x\ntimezone: UTC\nsilences: [{silence}]\n");
        Self::declaring(declarations, |_| Authorisation::Open).await
    }

    /// Asks for a long answer and reads nothing of it.
    async fn ask_for_much(&self) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(self.address()).await.unwrap();
        let request =
            "GET /api/v1/timeline?from=2026-01-01&to=2026-07-01 HTTP/1.1\r\nHost: x\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }
}

async fn idle_connections(address: SocketAddr) -> Vec<TcpStream> {
    let mut idle = Vec::new();
    for _ in 0..FLOOD {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    idle
}

#[tokio::test]
async fn connections_without_a_request_give_way() {
    let server = Server::start(|_| Authorisation::Open).await;
    let mut idle = idle_connections(server.address()).await;
    let probe = client().get(format!("{}/healthz", server.url)).send();
    assert_eq!(
        soon("a probe", probe).await.unwrap().status(),
        StatusCode::OK
    );
    // The first came first.
    let mut nothing = [0];
    let ended = soon("the end of the oldest", idle[0].read(&mut nothing));
    assert_eq!(ended.await.unwrap(), 0);
    assert!(idle[FLOOD - 1].try_read(&mut [0]).is_err(), "it may stay");
}

/// Not as long as there are others without a request.
#[tokio::test]
async fn a_connection_whose_answer_is_being_read_does_not_give_way() {
    let server = Server::with_long_answers().await;
    let mut reader = server.ask_for_much().await;
    let mut first = [0; 15];
    soon("a long answer", reader.read_exact(&mut first))
        .await
        .unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    let mut idle = idle_connections(server.address()).await;
    soon("an end", idle[0].read(&mut [0])).await.unwrap();
    let mut rest = vec![0; 1 << 20];
    let mut length = 0;
    while length < 11 << 20 {
        let read = soon("more of it", reader.read(&mut rest)).await.unwrap();
        assert_ne!(read, 0, "cut after {length} bytes");
        length += read;
    }
}

#[tokio::test]
async fn long_answers_leave_room_for_the_others() {
    let server = Server::with_long_answers().await;
    let mut readers = Vec::new();
    for _ in 0..40 {
        readers.push(server.ask_for_much().await);
    }
    for path in ["/readyz", "/metrics", "/api/v1/status", "/"] {
        let (status, text) = server.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
    }
    let plan = || {
        server
            .client
            .get(format!("{}/api/v1/plan", server.url))
            .send()
    };
    let refused = plan().await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "1");
    // Nobody waits for them any more.
    drop(readers);
    let answered = async {
        while plan().await.unwrap().status() != StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon("a plan", answered).await;
}

/// What a connection brings, on which nothing but `request` is sent, up to its end.
async fn answer_and_end(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let whole = stream.read_to_string(&mut answer);
    soon("an answer and the end", whole).await.unwrap();
    answer
}

#[tokio::test]
async fn a_body_that_never_comes_keeps_nothing_waiting() {
    let server = Server::start(|_| Authorisation::Open).await;
    for framing in ["Content-Length: 100000000000", "Transfer-Encoding: chunked"] {
        let request = format!("POST /sync HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n");
        let answer = answer_and_end(&server, &request).await;
        assert!(answer.starts_with("HTTP/1.1 202 Accepted\r\n"), "{answer}");
    }
}

/// A request may name 1,000 fingerprints, and no more than fits.
#[tokio::test]
async fn the_head_of_a_request_has_a_bound() {
    let server = Server::start(|_| Authorisation::Open).await;
    let confirmed = "confirm=000000000000000a&".repeat(1000);
    let (status, body) = server.post(&format!("/sync?{confirmed}"), None).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{body}");
    let endless = format!("GET /?{}", "x".repeat(65_536 - 6));
    let answer = answer_and_end(&server, &endless).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn at_the_limit_of_open_files_it_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let mut process = program("sh")
        .args([
            "-c",
            &format!("ulimit -n {FEW_FILES} && exec \"$0\" \"$@\""),
        ])
        .arg(env!("CARGO_BIN_EXE_silenced"))
        .args(["run", "--interval", "1h", "--listen", "127.0.0.1:0"])
        .args(["--alertmanager", "http://127.0.0.1:9", "--instance", "lab"])
        .arg("--source")
        .arg(directory.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap());
    let address: SocketAddr = loop {
        let entry = next_entry(&mut log).expect("it ended");
        if let Some(address) = entry["listen"].as_str() {
            break address.parse().unwrap();
        }
    };
    // Since before it has opened what it needs itself.
    let idle = idle_connections(address).await;
    let first_pass = async {
        loop {
            let answer = client().get(format!("http://{address}/api/v1/status"));
            let answer = answer.send().await.unwrap().text().await.unwrap();
            let status: Value = serde_json::from_str(&answer).unwrap();
            if status["last_pass"].is_object() {
                return status["last_pass"]["source_error"].clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let source_error = tokio::time::timeout(PATIENCE, first_pass).await;
    process.kill().unwrap();
    process.wait().unwrap();
    drop(idle);
    assert_eq!(source_error.expect("no pass"), Value::Null);
}
