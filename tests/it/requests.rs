//! Which requests does a plan become, in which order, and how often? Against a
//! server that writes them down and answers what a test wants.

use std::future::{Future, ready};
use std::sync::Mutex;
use std::time::Duration;

use silenced::alertmanager::{
    ApiError, ApiErrorKind, Client, ClientSettings, Expired, Limit, Listing, Members, SilenceApi,
};
use silenced::apply::{ApplyReport, CONCURRENCY, Pace};
use silenced::plan::{Change, Coverage};
use silenced::silence::{Silence, SilenceDraft, SilenceId};
use silenced::snapshot::Revision;
use silenced::timestamp::Timestamp;
use tokio::sync::watch;

use crate::support::changes::{active, carry_out, draft};
use crate::support::passes::ONCE;
use crate::support::raw_server::{RawServer, Reply};
use crate::support::reconciler::{lab, pass, reconciler_of, snapshot, target};

/// A server that holds nothing.
struct Recorder {
    requests: Mutex<Vec<String>>,
    answer: fn(&str) -> Option<ApiErrorKind>,
    server_time: Option<Timestamp>,
}

impl Recorder {
    /// `answer` is given `create a`, `update a` or `expire a`, and says what is
    /// wrong with it.
    fn new(answer: fn(&str) -> Option<ApiErrorKind>) -> Self {
        Self {
            requests: Mutex::default(),
            answer,
            server_time: None,
        }
    }

    fn record(&self, request: String) -> Result<(), ApiError> {
        let error = (self.answer)(&request).map(|kind| ApiError::new(kind, &request, "failed"));
        self.requests.lock().unwrap().push(request);
        error.map_or(Ok(()), Err)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl SilenceApi for Recorder {
    fn list(&self) -> impl Future<Output = Result<Listing, ApiError>> + Send {
        ready(Ok(Listing {
            server_time: self.server_time,
            ..Listing::default()
        }))
    }

    fn members(&self) -> impl Future<Output = Option<Members>> + Send {
        ready(None)
    }

    fn set(
        &self,
        draft: &SilenceDraft,
    ) -> impl Future<Output = Result<SilenceId, ApiError>> + Send {
        let word = draft.id.as_ref().map_or("create", |_| "update");
        let recorded = self.record(format!("{word} {}", draft.created_by));
        ready(recorded.map(|()| SilenceId::new(&draft.created_by)))
    }

    fn expire(&self, id: &SilenceId) -> impl Future<Output = Result<Expired, ApiError>> + Send {
        let recorded = self.record(format!("expire {}", id.as_str()));
        ready(recorded.map(|()| Expired::Done))
    }
}

fn silence(name: &str) -> Box<Silence> {
    Box::new(active(name, draft(name)))
}

fn create(name: &str) -> Change {
    Change::Create(draft(name))
}

fn update(name: &str) -> Change {
    Change::Update(SilenceDraft {
        id: Some(SilenceId::new(name)),
        ..draft(name)
    })
}

/// Of `old-NAME` by `NAME`.
fn replace(name: &str) -> Change {
    Change::Replace(draft(name), silence(&format!("old-{name}")))
}

fn expire(name: &str) -> Change {
    Change::Expire(silence(name), Coverage::Ends)
}

/// Carries out `changes` to the end, as fast as it goes.
async fn send(changes: Vec<Change>, api: &Recorder) -> ApplyReport {
    let (_keep, stop) = watch::channel(false);
    carry_out(changes, api, &Pace::unlimited(), None, &stop).await
}

#[tokio::test]
async fn whatever_makes_silences_exist_comes_before_every_expiry() {
    let api = Recorder::new(|_| None);
    let mut changes: Vec<Change> = (0..20)
        .map(|index| expire(&format!("gone-{index}")))
        .collect();
    changes.extend([create("a"), replace("b"), update("c")]);
    let report = send(changes, &api).await;
    assert_eq!(report.done(), 23);
    let requests = api.requests();
    let position = |request: &str| requests.iter().position(|one| one == request).unwrap();
    assert!(position("create b") < position("expire old-b"));
    let first = requests
        .iter()
        .position(|one| one.starts_with("expire gone-"));
    for request in ["create a", "create b", "update c", "expire old-b"] {
        assert!(Some(position(request)) < first, "{requests:?}");
    }
}

/// Whether it was refused or nobody knows what became of it: the old one stays.
#[tokio::test]
async fn a_replacement_that_fails_expires_nothing() {
    for answer in [
        (|_| Some(ApiErrorKind::Refused { limit: None })) as fn(&str) -> _,
        |_| Some(ApiErrorKind::Unknown),
        |_| Some(ApiErrorKind::NotSent),
    ] {
        let api = Recorder::new(answer);
        let report = send(vec![replace("a")], &api).await;
        assert_eq!(api.requests(), ["create a"]);
        assert_eq!((report.replaced, report.failures.len()), (0, 1));
    }
}

#[tokio::test]
async fn no_request_is_repeated_within_a_pass() {
    for kind in [
        ApiErrorKind::Unknown,
        ApiErrorKind::NotSent,
        ApiErrorKind::NotFound,
    ] {
        let api = Recorder::new(match kind {
            ApiErrorKind::Unknown => |_| Some(ApiErrorKind::Unknown),
            ApiErrorKind::NotSent => |_| Some(ApiErrorKind::NotSent),
            _ => |_| Some(ApiErrorKind::NotFound),
        });
        let report = send(vec![create("a"), update("b"), expire("c")], &api).await;
        assert_eq!(api.requests(), ["create a", "update b", "expire c"]);
        assert_eq!(report.failures.len(), 3);
    }
}

/// Each by itself, even of one window of one name.
#[tokio::test]
async fn what_was_carried_out_is_known() {
    let api = Recorder::new(|request| {
        ["update b", "expire old-d"]
            .contains(&request)
            .then_some(ApiErrorKind::Unknown)
    });
    let changes = vec![
        create("a"),
        update("b"),
        update("c"),
        replace("d"),
        replace("e"),
        expire("f"),
    ];
    let report = send(changes, &api).await;
    assert_eq!(report.carried_out, [0, 2, 4, 5].into());
    assert_eq!(report.failures.len(), 2);
}

/// The server may have stored what it did not answer; sent again it would be there twice.
#[tokio::test]
async fn a_write_without_an_answer_is_sent_once() {
    let partial =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{";
    for reply in [
        Reply::then_hang(""),
        Reply::bytes(""),
        Reply::bytes(partial),
        Reply::http(
            "503 Service Unavailable",
            "Exceeded configured timeout of 1s.",
        ),
        Reply::http("500 Internal Server Error", ""),
    ] {
        let server = RawServer::start(reply).await;
        let client = Client::new(&ClientSettings {
            timeout: Duration::from_millis(200),
            ..ClientSettings::new(format!("http://{}", server.address()))
        });
        let error = client.unwrap().set(&draft("a")).await.unwrap_err();
        assert_eq!(error.kind(), ApiErrorKind::Unknown);
        assert_eq!(server.requests().len(), 1, "{error}");
    }
}

#[tokio::test]
async fn after_a_stop_nothing_is_begun() {
    let api = Recorder::new(|_| None);
    let (_keep, stop) = watch::channel(true);
    let changes = vec![create("a"), expire("b")];
    let report = carry_out(changes, &api, &Pace::unlimited(), None, &stop).await;
    assert_eq!(api.requests(), Vec::<String>::new());
    assert_eq!(report.not_attempted, 2);
}

#[tokio::test]
async fn a_server_that_keeps_failing_is_given_up_and_refusals_are_not_counted() {
    let many = || (0..100).map(|index| create(&index.to_string())).collect();
    let failing = Recorder::new(|_| Some(ApiErrorKind::Unknown));
    let report = send(many(), &failing).await;
    let sent = failing.requests().len();
    // Two rounds of failures, and what was in flight meanwhile.
    assert!((2 * CONCURRENCY..3 * CONCURRENCY).contains(&sent), "{sent}");
    assert_eq!(report.failures.len() + report.not_attempted, 100);

    let refusing = Recorder::new(|_| Some(ApiErrorKind::Refused { limit: None }));
    send(many(), &refusing).await;
    assert_eq!(refusing.requests().len(), 100);
}

#[tokio::test]
async fn a_full_server_gets_no_new_ones_and_all_the_rest() {
    let api = Recorder::new(|request| {
        let limit = Some(Limit::Count);
        request
            .starts_with("create")
            .then_some(ApiErrorKind::Refused { limit })
    });
    let mut changes: Vec<Change> = (0..50).map(|index| create(&index.to_string())).collect();
    changes.extend([replace("a"), update("b"), expire("c")]);
    let report = send(changes, &api).await;
    let requests = api.requests();
    assert!(requests.len() <= CONCURRENCY + 2, "{requests:?}");
    assert!(requests.contains(&"update b".to_owned()));
    assert!(requests.contains(&"expire c".to_owned()));
    assert!(!requests.contains(&"expire old-a".to_owned()));
    assert_eq!((report.updated, report.expired), (1, 1));
}

/// The window is open by our clock, and over by the server's, which decides.
#[tokio::test]
async fn windows_go_by_the_clock_of_the_server() {
    let parse = |text| Timestamp::parse(text).unwrap();
    let ours = parse("2026-01-15T11:50:00Z");
    for (server_time, expected) in [
        (None, 1),
        (Some(ours), 1),
        (Some(parse("2026-01-15T12:10:00Z")), 0),
    ] {
        let api = Recorder {
            server_time,
            ..Recorder::new(|_| None)
        };
        let mut reconciler = reconciler_of(lab(), vec![target("main", api)]);
        let snapshot = snapshot(Revision::Commit("a".repeat(40)), [("once.yaml", ONCE)]);
        let pass = pass(&mut reconciler, snapshot, ours).await;
        assert_eq!(pass.targets[0].report.created, expected, "{server_time:?}");
    }
}
