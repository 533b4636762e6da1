//! Which requests does a plan become, in which order, and how often? Against a
//! server that writes them down and answers what a test wants.

use std::collections::BTreeMap;
use std::future::{Future, ready};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use silenced::alertmanager::{
    ApiError, ApiErrorKind, Client, ClientSettings, Expired, Limit, Listing, Members, SilenceApi,
};
use silenced::apply::{ApplyReport, CONCURRENCY, Pace, Terms, apply};
use silenced::name::{InstanceName, SilenceName, TargetName};
use silenced::plan::{Action, Change, Coverage, Fingerprint, Plan, Settings};
use silenced::reconcile::{Mode, PassOptions, Reconciler, Target};
use silenced::schedule::OccurrenceStart;
use silenced::silence::{Annotations, Silence, SilenceDraft, SilenceId, SilenceState};
use silenced::snapshot::{Revision, Snapshot, SnapshotFile};
use silenced::timestamp::Timestamp;
use silenced::zone::ZoneDatabase;
use tokio::sync::watch;

use crate::support::passes::ONCE;
use crate::support::raw_server::{RawServer, Reply};
use crate::support::world::matchers_of;

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

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn draft(name: &str, id: Option<&str>) -> SilenceDraft {
    SilenceDraft {
        id: id.map(SilenceId::new),
        matchers: matchers_of(r#"a="b""#),
        starts_at: at(1000),
        ends_at: at(2000),
        created_by: name.to_owned(),
        comment: String::new(),
        annotations: Annotations::default(),
    }
}

fn silence(name: &str) -> Box<Silence> {
    let draft = draft(name, None);
    Box::new(Silence {
        id: SilenceId::new(name),
        matchers: draft.matchers,
        starts_at: draft.starts_at,
        ends_at: draft.ends_at,
        created_by: draft.created_by,
        comment: draft.comment,
        annotations: draft.annotations,
        state: SilenceState::Active,
    })
}

fn create(name: &str) -> Change {
    Change::Create(draft(name, None))
}

fn update(name: &str) -> Change {
    Change::Update(draft(name, Some(name)))
}

/// Of `old-NAME` by `NAME`.
fn replace(name: &str) -> Change {
    Change::Replace(draft(name, None), silence(&format!("old-{name}")))
}

fn expire(name: &str) -> Change {
    Change::Expire(silence(name), Coverage::Ends)
}

/// Carries out `changes` in this order.
async fn carry_out(changes: Vec<Change>, api: &Recorder) -> ApplyReport {
    let (_keep, stop) = watch::channel(false);
    carry_out_until(changes, api, &stop).await
}

async fn carry_out_until(
    changes: Vec<Change>,
    api: &Recorder,
    stop: &watch::Receiver<bool>,
) -> ApplyReport {
    let actions = changes.into_iter().map(|change| Action {
        silence: SilenceName::new("some").unwrap(),
        window: OccurrenceStart::Lease,
        change,
        reason: String::new(),
    });
    let plan = Plan {
        actions: actions.collect(),
        holds: Vec::new(),
        foreign: 0,
        owned: 0,
        remarks: Vec::new(),
        fingerprint: Fingerprint::new(""),
        desired: 0,
        unexplained: Vec::new(),
    };
    let terms = Terms {
        target: &TargetName::new("default").unwrap(),
        stop,
        halt: &AtomicBool::new(false),
        until: None,
        pace: &Pace::unlimited(),
        progress: &|_| {},
    };
    apply(&plan, api, terms).await
}

#[tokio::test]
async fn whatever_makes_silences_exist_comes_before_every_expiry() {
    let api = Recorder::new(|_| None);
    let mut changes: Vec<Change> = (0..20)
        .map(|index| expire(&format!("gone-{index}")))
        .collect();
    changes.extend([create("a"), replace("b"), update("c")]);
    let report = carry_out(changes, &api).await;
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
        let report = carry_out(vec![replace("a")], &api).await;
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
        let report = carry_out(vec![create("a"), update("b"), expire("c")], &api).await;
        assert_eq!(api.requests(), ["create a", "update b", "expire c"]);
        assert_eq!(report.failures.len(), 3);
    }
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
        let error = client.unwrap().set(&draft("a", None)).await.unwrap_err();
        assert_eq!(error.kind(), ApiErrorKind::Unknown);
        assert_eq!(server.requests().len(), 1, "{error}");
    }
}

#[tokio::test]
async fn after_a_stop_nothing_is_begun() {
    let api = Recorder::new(|_| None);
    let (_keep, stop) = watch::channel(true);
    let report = carry_out_until(vec![create("a"), expire("b")], &api, &stop).await;
    assert_eq!(api.requests(), Vec::<String>::new());
    assert_eq!(report.not_attempted, 2);
}

#[tokio::test]
async fn a_server_that_keeps_failing_is_given_up_and_refusals_are_not_counted() {
    let many = || (0..100).map(|index| create(&index.to_string())).collect();
    let failing = Recorder::new(|_| Some(ApiErrorKind::Unknown));
    let report = carry_out(many(), &failing).await;
    let sent = failing.requests().len();
    // Two rounds of failures, and what was in flight meanwhile.
    assert!((2 * CONCURRENCY..3 * CONCURRENCY).contains(&sent), "{sent}");
    assert_eq!(report.failures.len() + report.not_attempted, 100);

    let refusing = Recorder::new(|_| Some(ApiErrorKind::Refused { limit: None }));
    carry_out(many(), &refusing).await;
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
    let report = carry_out(changes, &api).await;
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
        let target = Target::new(TargetName::new("main").unwrap(), BTreeMap::new(), api);
        let settings = Settings::new(InstanceName::new("lab").unwrap());
        let mut reconciler = Reconciler::new(settings, ZoneDatabase::bundled(), vec![target]);
        let snapshot = Snapshot {
            revision: Revision::Commit("a".repeat(40)),
            files: vec![SnapshotFile {
                path: "once.yaml".to_owned(),
                content: Ok(ONCE.as_bytes().to_vec()),
            }],
            skipped: Vec::new(),
        };
        let (_keep, stop) = watch::channel(false);
        let options = PassOptions {
            mode: Mode::Apply,
            insist: true,
            confirmed: &[],
            now: ours,
            stop: &stop,
        };
        let pass = reconciler.pass(Ok(snapshot), options).await;
        assert_eq!(pass.targets[0].report.created, expected, "{server_time:?}");
    }
}
