//! Do the routes answer as they should? Over HTTP on the loopback, with a
//! daemon behind them.

mod bounds;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::Value;
use silenced::clock::Clock;
use silenced::daemon::{Daemon, ReadSource};
use silenced::memory;
use silenced::server::{AppState, Authorisation, serve};
use silenced::snapshot::Revision;
use silenced::telemetry::Metrics;
use silenced::zone::ZoneDatabase;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::support::client::client;
use crate::support::program::program;
use crate::support::reconciler::{bundled_zones, lab, reconciler_of, snapshot, target};
use crate::support::world::InMemory;

const DECLARATIONS: &str = r#"
owner: dba
timezone: Europe/Berlin
silences:
  - name: high-latency
    comment: "<script>alert('Known defect')</script>"
    matchers: ['alertname="HighDBLatency"']
    schedule: always
  - name: nightly
    comment: Noise waits.
    matchers: ['severity="info"']
    schedule: {times: [{start_time: "22:00", end_time: "06:00"}]}
"#;

struct Server {
    url: String,
    client: Client,
    directory: tempfile::TempDir,
    stop: watch::Sender<bool>,
}

impl Server {
    async fn start(authorisation: impl FnOnce(&Path) -> Authorisation) -> Self {
        Self::declaring(DECLARATIONS.to_owned(), authorisation).await
    }

    async fn declaring(
        declarations: String,
        authorisation: impl FnOnce(&Path) -> Authorisation,
    ) -> Self {
        Self::of(declarations, memory::Settings::default(), authorisation).await
    }

    async fn of(
        declarations: String,
        alertmanager: memory::Settings,
        authorisation: impl FnOnce(&Path) -> Authorisation,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::System;
        let read_source: ReadSource = Box::new(move || {
            let revision = Revision::Directory("0123456789abcdef".to_owned());
            let snapshot = snapshot(revision, [("all.yaml", declarations.as_str())]);
            Box::pin(async { Ok(snapshot) })
        });
        let api = InMemory::of_settings(alertmanager, clock);
        let reconciler = reconciler_of(lab(), vec![target("default", api)]);
        let metrics = Arc::new(Metrics::new());
        let (daemon, handle) = Daemon::new(
            reconciler,
            read_source,
            bundled_zones(),
            clock,
            Duration::from_hours(1),
            Arc::clone(&metrics),
        );
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(daemon.run(stopped.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = AppState::new(handle, metrics, clock, authorisation(directory.path()));
        tokio::spawn(serve(listener, state, stopped));
        let server = Self {
            url,
            client: client(),
            directory,
            stop,
        };
        while server.get("/readyz").await.0 != StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        server
    }

    async fn with_token() -> Self {
        Self::start(|directory| {
            let path = directory.join("token");
            std::fs::write(&path, "s3cret\n").unwrap();
            Authorisation::Token(path)
        })
        .await
    }

    fn token_file(&self) -> PathBuf {
        self.directory.path().join("token")
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        let request = self.client.get(format!("{}{path}", self.url));
        let answer = request.send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    async fn get_json(&self, path: &str) -> Value {
        let (status, text) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn post(&self, path: &str, token: Option<&str>) -> (StatusCode, Value) {
        let mut request = self.client.post(format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        (
            status,
            serde_json::from_str(&answer.text().await.unwrap()).unwrap(),
        )
    }
}

#[tokio::test]
async fn a_sync_needs_the_token_and_answers_when_done() {
    let server = Server::with_token().await;
    let (status, body) = server.post("/sync", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        body["error"],
        "send the token as `Authorization: Bearer TOKEN`"
    );
    let request = server.client.post(format!("{}/sync", server.url));
    let denied = request.send().await.unwrap();
    assert_eq!(denied.headers()["www-authenticate"], "Bearer");
    let (status, body) = server.post("/sync", Some("s3cre")).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(body["error"], "the token is wrong");

    let (status, body) = server.post("/sync", Some("s3cret")).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(body["id"], 1);
    let (status, body) = server.post("/sync?wait=30s", Some("s3cret")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["id"], 2);
    assert_eq!(body["outcome"], "converged");
    assert_eq!(body["revision"], "directory:0123456789abcdef");
    assert_eq!(body["targets"][0]["name"], "default");
    assert_eq!(body["targets"][0]["error"], Value::Null);
    assert_eq!(body["targets"][0]["created"], 0);
    let (status, _) = server.post("/sync?wait=soon", Some("s3cret")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_rotated_token_counts_at_once_and_an_empty_file_opens_nothing() {
    let server = Server::with_token().await;
    std::fs::write(server.token_file(), "other").unwrap();
    assert_eq!(
        server.post("/sync", Some("s3cret")).await.0,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        server.post("/sync", Some("other")).await.0,
        StatusCode::ACCEPTED
    );
    std::fs::write(server.token_file(), "\n").unwrap();
    for token in ["", "other"] {
        let (status, body) = server.post("/sync", Some(token)).await;
        assert_ne!(status, StatusCode::ACCEPTED, "{body}");
    }
    std::fs::remove_file(server.token_file()).unwrap();
    let (status, body) = server.post("/sync", Some("other")).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{body}");
    assert!(!body.to_string().contains("token\":"), "{body}");
}

/// Cut, it would let in whoever knows its beginning.
#[tokio::test]
async fn a_token_file_that_is_too_long_opens_nothing() {
    let server = Server::with_token().await;
    let token = "t".repeat(4096);
    std::fs::write(server.token_file(), &token).unwrap();
    assert_eq!(
        server.post("/sync", Some(&token)).await.0,
        StatusCode::ACCEPTED
    );
    let longer = format!("{token}t");
    std::fs::write(server.token_file(), &longer).unwrap();
    for token in [token, longer] {
        let (status, body) = server.post("/sync", Some(&token)).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{body}");
        assert_eq!(
            body["error"],
            "the token file cannot be used: see the log of silenced"
        );
    }
}

#[tokio::test]
async fn without_a_token_configured_nothing_can_be_changed() {
    let server = Server::start(|_| Authorisation::Refused).await;
    for path in ["/sync", "/suspend", "/resume"] {
        let (status, body) = server.post(path, Some("guess")).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert_eq!(
            body["error"],
            "no token is configured: set `sync_token_file` (`--sync-token-file`) to a file that holds one"
        );
    }
}

/// As a browser asks on behalf of whatever page is open in it.
#[tokio::test]
async fn a_page_of_another_site_changes_nothing_where_no_token_is_needed() {
    let server = Server::start(|_| Authorisation::Open).await;
    let port = server.url.rsplit(':').next().unwrap();
    for (origin, expected) in [
        ("http://localhost:PORT", StatusCode::ACCEPTED),
        ("http://127.0.0.1:PORT", StatusCode::ACCEPTED),
        ("http://[::1]:PORT", StatusCode::ACCEPTED),
        ("https://example.org", StatusCode::FORBIDDEN),
        // A name that its owner lets point to 127.0.0.1.
        ("http://localhost.example.org:PORT", StatusCode::FORBIDDEN),
        ("null", StatusCode::FORBIDDEN),
        ("", StatusCode::FORBIDDEN),
    ] {
        let request = server.client.post(format!("{}/sync", server.url));
        let request = request.header("origin", origin.replace("PORT", port));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), expected, "{origin}");
    }
}

#[tokio::test]
async fn suspend_and_resume_show_in_the_status() {
    let server = Server::start(|_| Authorisation::Open).await;
    for (path, suspended) in [("/suspend", true), ("/resume", false)] {
        assert_eq!(server.post(path, None).await.0, StatusCode::ACCEPTED);
        server.post("/sync?wait=30s", None).await;
        let status = server.get_json("/api/v1/status").await;
        assert_eq!(status["suspended"], suspended);
    }
}

#[tokio::test]
async fn status_plan_and_timeline_have_the_promised_fields() {
    let server = Server::start(|_| Authorisation::Open).await;
    let status = server.get_json("/api/v1/status").await;
    assert_eq!(status["instance"], "lab");
    assert_eq!(status["declarations"], 2);
    assert_eq!(status["diagnostics"], serde_json::json!([]));
    assert_eq!(status["last_pass"]["outcome"], "converged");
    assert_eq!(
        status["tzdata"].as_str(),
        Some(ZoneDatabase::bundled().version())
    );
    for field in ["last_success", "covered_until", "revision"] {
        assert!(status[field].is_string(), "{field}: {status}");
    }

    let plan = server.get_json("/api/v1/plan").await;
    assert_eq!(plan["targets"][0]["name"], "default");
    assert_eq!(plan["targets"][0]["foreign"], 0);

    let timeline = server
        .get_json("/api/v1/timeline?from=2026-01-08T12:00:00Z&to=2026-01-09T12:00:00Z")
        .await;
    assert_eq!(timeline["silences"][1]["name"], "nightly");
    assert_eq!(
        timeline["silences"][1]["intervals"],
        serde_json::json!([["2026-01-08T21:00:00Z", "2026-01-09T05:00:00Z"]])
    );
    let days = server
        .get_json("/api/v1/timeline?from=2026-01-08&to=2026-01-09")
        .await;
    assert_eq!(days["from"], "2026-01-08T00:00:00Z");
    assert_eq!(days["to"], "2026-01-09T00:00:00Z");
    for query in [
        "from=x",
        "from=2026-02-30",
        "from=2026-01-08T12:00:00Z&to=2026-01-08T12:00:00Z",
        "from=2026-01-08T12:00:00Z&to=2028-01-08T12:00:00Z",
    ] {
        let (status, text) = server.get(&format!("/api/v1/timeline?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
    }
}

/// A schedule is read without a token and may have a window a minute.
#[tokio::test]
async fn long_answers_have_a_bound() {
    let each_minute = (0..2).fold("owner: x\ntimezone: UTC\nsilences:\n".to_owned(), |all, number| {
        let matcher = format!("'a=\"{number}\"'");
        let schedule = "{cron: '* * * * *', duration: 30s}";
        format!("{all}  - {{name: s-{number}, comment: x, matchers: [{matcher}], schedule: {schedule}}}\n")
    });
    let server = Server::declaring(each_minute, |_| Authorisation::Open).await;
    let path = "/api/v1/timeline?from=2026-01-01&to";
    let half = server.get_json(&format!("{path}=2026-07-01")).await;
    let length = |index: usize| {
        half["silences"][index]["intervals"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!([length(0), length(1)], [181 * 1440; 2]);
    assert_eq!(
        server.get(&format!("{path}=2027-01-01")).await,
        (
            StatusCode::BAD_REQUEST,
            "{\"error\":\"these are more than 600000 intervals: ask for a shorter range\"}\n"
                .to_owned()
        )
    );
}

#[tokio::test]
async fn probes_metrics_and_unknown_routes() {
    let server = Server::start(|_| Authorisation::Open).await;
    assert_eq!(
        server.get("/healthz").await,
        (StatusCode::OK, "ok\n".into())
    );
    let answer = server
        .client
        .get(format!("{}/metrics", server.url))
        .send()
        .await
        .unwrap();
    assert_eq!(
        answer.headers()["content-type"],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert!(answer.text().await.unwrap().ends_with("# EOF\n"));
    assert_eq!(server.get("/nothing").await.0, StatusCode::NOT_FOUND);
    assert_eq!(server.get("/sync").await.0, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_stop_ends_the_server() {
    let server = Server::start(|_| Authorisation::Open).await;
    server.stop.send(true).unwrap();
    let refused = async {
        while server
            .client
            .get(format!("{}/healthz", server.url))
            .header("connection", "close")
            .send()
            .await
            .is_ok()
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), refused)
        .await
        .expect("still answers");
}

/// In the words of the JSON and the metrics.
#[tokio::test]
async fn the_page_says_of_a_target_what_failed_and_what_is_held() {
    let always = "comment: x, matchers: ['a=b'], schedule: always";
    let one = format!("owner: x\nsilences:\n  - {{name: one, {always}}}\n");
    let held = format!("{one}  - {{name: other, {always}, suspend: true}}\n");
    let open = |_: &Path| Authorisation::Open;
    let narrow = memory::Settings {
        max_silence_size_bytes: Some(10),
        ..memory::Settings::default()
    };
    let refusing = Server::of(one.clone(), narrow, open).await;
    for (server, state, work) in [
        (
            Server::declaring(one, open).await,
            "converged>ok",
            "1 created",
        ),
        (
            Server::declaring(held, open).await,
            "converged>ok",
            "1 created, 1 held",
        ),
        (refusing, "failed>failing<br>", "1 failed"),
    ] {
        let (_, page) = server.get("/").await;
        let (_, targets) = page.split_once("<h2>Targets</h2>").unwrap();
        let (row, _) = targets.split_once("</tbody>").unwrap();
        assert!(
            row.contains(&format!("<td>default<td class={state}")),
            "{row}"
        );
        assert!(row.ends_with(&format!("<td>{work}")), "{row}");
        let status = server.get_json("/api/v1/status").await;
        let word = status["last_pass"]["targets"][0]["state"].as_str().unwrap();
        assert!(state.contains(word), "{word} and {state}");
    }
}

/// A real browser shows the page, and what people wrote stays text.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_in_a_browser() {
    let server = Server::start(|_| Authorisation::Open).await;
    let chromium = Path::new("/usr/bin/chromium");
    assert!(chromium.exists(), "chromium is missing: run `make tools`");
    let profile = tempfile::tempdir().unwrap();
    let output = program(chromium)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .env("HOME", profile.path())
        // It listens on a socket there, whose path may have 107 bytes.
        .env_remove("TMPDIR")
        .arg(format!("{}/", server.url))
        .output()
        .unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    for text in [
        "<title>silenced: converged</title>",
        "high-latency",
        "&lt;script&gt;alert('Known defect')&lt;/script&gt;",
        "severity=\"info\"",
        "<td class=\"converged\">ok",
    ] {
        assert!(page.contains(text), "no `{text}` in:\n{page}");
    }
}
