//! From a commit to a real Alertmanager: the program as it is run, a Git
//! repository, and a released server, with amtool as a second pair of eyes.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use silenced::clock::Clock;
use silenced::memory::{self, MemoryAlertmanager, http};

use crate::cli::silenced;
use crate::support::alertmanager::{Alertmanager, Options, Release};
use crate::support::daemon::Daemon;
use crate::support::fleet::post;
use crate::support::git_repository::GitRepository;

/// Two declarations that apply now, and the repository's own examples beside them.
const EDITED: &str = r#"
owner: dba
silences:
  - name: edited
    comment: Known defect.
    matchers: ['alertname="HighDBLatency"', 'severity="warning"']
    schedule: {starts_at: "2026-01-01T00:00:00Z", ends_at: "END"}
"#;

fn edited(end: &str) -> String {
    EDITED.replace("END", end)
}

/// Hours from now in whole seconds, as files say it.
fn hours_ahead(hours: u64) -> String {
    let at = Clock::System.now().plus(Duration::from_hours(hours));
    at.to_string()
}

fn start(repository: &GitRepository, alertmanager: &str) -> Daemon {
    let source = repository.file_url();
    let source = ["--source", &source, "--alertmanager", alertmanager];
    Daemon::start(["--instance", "lab"].into_iter().chain(source))
}

/// What amtool says of the live silences.
fn live(server: &Alertmanager) -> Vec<Value> {
    let text = server.amtool(&["silence", "query", "-o", "json"]);
    serde_json::from_str(&text).unwrap()
}

fn comment_of<'a>(silences: &'a [Value], name: &str) -> Vec<&'a Value> {
    let marker = format!(" silence={name} ");
    let has_marker = |silence: &&Value| {
        silence["comment"]
            .as_str()
            .unwrap()
            .contains(marker.as_str())
    };
    silences.iter().filter(has_marker).collect()
}

async fn person_silences(url: &str) -> String {
    let body = json!({
        "matchers": [
            {"name": "alertname", "value": "HighDBLatency", "isRegex": false},
            {"name": "severity", "value": "warning", "isRegex": false},
        ],
        "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": hours_ahead(5),
        "createdBy": "ann",
        "comment": "Known defect.",
    });
    post(url, &body).await
}

async fn lives_through_commits(release: Release) {
    let server = Alertmanager::start(release, &Options::default());
    let url = server.base_url();
    let foreign = person_silences(&url).await;
    let foreign_before = live(&server);

    let repository = GitRepository::empty();
    for entry in [
        "automation/nightly.yaml",
        "calendars.yaml",
        "platform/deployments.yaml",
    ] {
        let example = format!("{}/silences/{entry}", env!("CARGO_MANIFEST_DIR"));
        repository.write(&format!("silences/{entry}"), &fs::read(example).unwrap());
    }
    repository.write("silences/edited.yaml", edited(&hours_ahead(8)).as_bytes());
    repository.commit("first");
    let daemon = start(&repository, &url);
    daemon.converge().await;
    let silences = live(&server);
    let first = comment_of(&silences, "edited")[0].clone();
    assert_eq!(first["status"]["state"], "active");
    // During the night it is two: the one that runs, and the next.
    let nights = comment_of(&silences, "nightly-info");
    assert!((1..=2).contains(&nights.len()), "{silences:?}");

    let commit = |text: String, message: &str| {
        repository.write("silences/edited.yaml", text.as_bytes());
        repository.commit(message);
    };
    let edited_one = || {
        let silences = live(&server);
        let found: Vec<Value> = comment_of(&silences, "edited")
            .into_iter()
            .cloned()
            .collect();
        assert!(found.len() <= 1, "{found:?}");
        found.into_iter().next()
    };
    let end = hours_ahead(8);
    commit(edited(&end).replace("defect", "fault"), "another comment");
    assert_eq!(daemon.converge().await, (0, 1, 0, 0));
    let now = edited_one().unwrap();
    assert_eq!(now["id"], first["id"], "in place");
    assert!(
        now["comment"]
            .as_str()
            .unwrap()
            .starts_with("Known fault.\n[silenced ")
    );

    let earlier = hours_ahead(1);
    commit(edited(&earlier), "shorter");
    assert_eq!(daemon.converge().await, (0, 1, 0, 0));
    let now = edited_one().unwrap();
    assert_eq!(now["id"], first["id"], "in place");
    assert_eq!(now["endsAt"], earlier.replace('Z', ".000Z"));

    commit(
        edited(&earlier).replace("warning", "critical"),
        "other matchers",
    );
    assert_eq!(daemon.converge().await, (0, 0, 1, 0));
    let now = edited_one().unwrap();
    assert_ne!(now["id"], first["id"], "replaced");
    assert_eq!(now["status"]["state"], "active");

    assert_eq!(daemon.converge().await, (0, 0, 0, 0));
    let plan = silenced()
        .args(["plan", "--instance", "lab", "--format", "json"])
        .args(["--source", &repository.file_url(), "--alertmanager", &url])
        .output()
        .unwrap();
    assert_eq!(plan.status.code(), Some(0), "{plan:?}");
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    assert_eq!(plan["targets"][0]["actions"], json!([]));
    assert_eq!(plan["targets"][0]["foreign"], 1);

    fs::remove_file(repository.path().join("silences/edited.yaml")).unwrap();
    repository.commit("no longer");
    assert_eq!(daemon.converge().await, (0, 0, 0, 1));
    assert_eq!(edited_one(), None);
    let foreign_after: Vec<Value> = live(&server)
        .into_iter()
        .filter(|silence| silence["id"] == foreign.as_str())
        .collect();
    assert_eq!(
        foreign_after, foreign_before,
        "a foreign silence is never touched"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn alertmanager_0_25() {
    lives_through_commits(Release::V0_25).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn alertmanager_0_28() {
    lives_through_commits(Release::V0_28).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn newest_alertmanager() {
    lives_through_commits(Release::Newest).await;
}

/// The server in memory counts: a pass without a change is one list.
#[tokio::test(flavor = "multi_thread")]
async fn an_idle_pass_is_one_request() {
    let now = || Clock::System.now().to_datetime();
    let settings = memory::Settings::default();
    let server = Arc::new(Mutex::new(MemoryAlertmanager::new(settings, now())));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = http::router(Arc::clone(&server), now);
    tokio::spawn(async move { axum::serve(listener, router).await });

    let repository = GitRepository::empty();
    repository.write("silences/edited.yaml", edited(&hours_ahead(8)).as_bytes());
    repository.commit("first");
    let daemon = start(&repository, &url);
    daemon.converge().await;
    let before = server.lock().unwrap().counts();
    for _ in 0..5 {
        assert_eq!(daemon.converge().await, (0, 0, 0, 0));
    }
    let after = server.lock().unwrap().counts();
    assert_eq!(after.lists, before.lists + 5);
    assert_eq!(
        (after.gets, after.posts, after.deletes, after.refused),
        (before.gets, before.posts, before.deletes, before.refused)
    );
}
