//! Who sees and does what in Grafana? What depends on accounts, organisations
//! and rules, which a suite on somebody's server cannot set up.

use std::sync::{Arc, Mutex};

use reqwest::header::{AUTHORIZATION, HeaderMap};
use serde_json::json;
use silenced::memory::grafana::{
    Account, Action, DataSource, Grafana, Implementation, Organisation, OwnAlertmanager,
    Permissions, RULE_LABEL, Rule, Scope,
};
use silenced::memory::http::{Handler, Password};
use silenced::memory::{MemoryAlertmanager, Settings, Version};

use super::kind::Kind;
use super::memory::{alertmanager, editor, listen};
use super::server::{Answer, SILENCES, Server, matcher, now, text, with};

/// Organisation 1 is at work, 2 has no Alertmanager, that of 3 is starting.
async fn serve(accounts: &[(&str, Account)]) -> String {
    let rule = Rule {
        title: "Disk full".to_owned(),
        folder_uid: "ours".to_owned(),
    };
    let html: Handler = Arc::new(|_| {
        let page = axum::response::Html("<html>Please log in</html>");
        Box::pin(async move { axum::response::IntoResponse::into_response(page) })
    });
    let source = DataSource::new(Implementation::Prometheus, html);
    let working = Organisation {
        alertmanager: OwnAlertmanager::Ready(alertmanager(Settings {
            max_silences: Some(3),
            ..Grafana::settings()
        })),
        rules: [("disk".to_owned(), rule)].into(),
        data_sources: [("page".to_owned(), source)].into(),
    };
    let starting = Organisation {
        alertmanager: OwnAlertmanager::Starting,
        ..Organisation::default()
    };
    let grafana = Grafana::default()
        .organisation(1, working)
        .organisation(2, Organisation::default())
        .organisation(3, starting)
        .user(Password::new("eva", "secret"), vec![editor(1), editor(2)])
        .below("/grafana");
    let grafana = accounts.iter().fold(grafana, |grafana, (token, account)| {
        grafana.token(token, account.clone())
    });
    format!("{}/grafana", listen(grafana.router(now)).await)
}

fn with_headers(url: &str, headers: &[(&'static str, &str)]) -> Server {
    let headers = headers.iter().map(|(name, value)| {
        let name = reqwest::header::HeaderName::from_static(name);
        (name, value.parse().unwrap())
    });
    let url = Kind::Grafana.below(url, "");
    let headers: HeaderMap = headers.collect();
    Server::with_access(headers, None, Version::V0_28, url).of_kind(Kind::Grafana)
}

fn with_token(url: &str, token: &str) -> Server {
    with_headers(url, &[(AUTHORIZATION.as_str(), &format!("Bearer {token}"))])
}

fn account(permissions: Permissions) -> Account {
    Account {
        organisation: 1,
        permissions,
    }
}

fn of_rule(server: &Server, uid: &str) -> serde_json::Value {
    let matchers = [server.mark("rule"), matcher(RULE_LABEL, "=", uid)];
    with(&server.silence_of("rule"), &json!({"matchers": matchers}))
}

#[track_caller]
fn denied_by_route(answer: &Answer, permission: &str) {
    assert_eq!(answer.status, 403, "{answer:?}");
    let body = answer.json();
    let keys: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["accessErrorId", "message", "title"]);
    assert!(text(&body["message"]).ends_with(permission), "{answer:?}");
}

#[track_caller]
fn not_authorised(answer: &Answer) {
    assert_eq!(answer.status, 403, "{answer:?}");
    assert_eq!(answer.json()["messageId"], "alerting.unauthorized");
}

/// `FilterByAccess`, `pkg/services/ngalert/accesscontrol/silences.go`: nobody is
/// told that there are others.
#[tokio::test]
async fn silences_that_may_not_be_read_are_absent_from_the_list() {
    let of_folder = |uid: &str| {
        account(Permissions::default().and(Action::ReadSilences, Scope::Folder(uid.to_owned())))
    };
    let url = serve(&[
        ("editor", editor(1)),
        ("ours", of_folder("ours")),
        ("theirs", of_folder("theirs")),
    ])
    .await;
    let editor = with_token(&url, "editor");
    let general = editor.put(&editor.silence_of("rule")).await;
    let in_folder = editor.put(&of_rule(&editor, "disk")).await;
    let of_no_rule = editor.put(&of_rule(&editor, "gone")).await;
    for (token, mut expected) in [
        ("editor", vec![&general, &in_folder, &of_no_rule]),
        ("ours", vec![&general, &in_folder]),
        ("theirs", vec![&general]),
    ] {
        let reader = with_token(&url, token);
        let answer = reader.get(SILENCES).await;
        assert_eq!(answer.status, 200);
        let mut listed: Vec<_> = answer
            .json()
            .as_array()
            .unwrap()
            .iter()
            .map(|silence| text(&silence["id"]))
            .collect();
        listed.sort();
        expected.sort();
        assert_eq!(listed.iter().collect::<Vec<_>>(), expected, "{token}");
    }
    let stranger = with_token(&url, "theirs");
    not_authorised(&stranger.get(&format!("/api/v2/silence/{in_folder}")).await);
    let told = editor
        .get(&format!("{SILENCES}?ruleMetadata=true"))
        .await
        .json();
    let told = told
        .as_array()
        .unwrap()
        .iter()
        .find(|silence| silence["id"] == in_folder.as_str());
    let metadata = json!({"folder_uid": "ours", "rule_title": "Disk full", "rule_uid": "disk"});
    assert_eq!(told.unwrap()["metadata"], metadata);
}

/// A route wants some permission that might do (`accessErrorId`,
/// `pkg/services/accesscontrol/middleware.go`), and the silence the right one
/// (`messageId`, `pkg/services/ngalert/accesscontrol/models.go`).
#[tokio::test]
async fn writes_need_the_permission_for_the_silence() {
    let in_folder = Permissions::default()
        .and(Action::ReadSilences, Scope::Folder("ours".to_owned()))
        .and(Action::CreateSilences, Scope::Folder("ours".to_owned()));
    let url = serve(&[
        ("editor", editor(1)),
        ("nobody", account(Permissions::default())),
        ("viewer", account(Permissions::viewer())),
        ("folder", account(in_folder)),
    ])
    .await;
    let [editor, nobody, viewer, folder] =
        ["editor", "nobody", "viewer", "folder"].map(|token| with_token(&url, token));
    let id = editor.put(&editor.silence_of("general")).await;

    denied_by_route(&nobody.get(SILENCES).await, "alert.instances:read");
    denied_by_route(
        &viewer.post(&viewer.silence_of("general")).await,
        "alert.instances:create",
    );
    denied_by_route(&viewer.delete(&id).await, "alert.instances:write");
    assert_eq!(viewer.state(&id).await, "active");

    not_authorised(&folder.post(&folder.silence_of("general")).await);
    not_authorised(&folder.post(&of_rule(&folder, "gone")).await);
    let own = folder.put(&of_rule(&folder, "disk")).await;
    denied_by_route(&folder.delete(&own).await, "alert.instances:write");
    editor.delete(&own).await.deleted();
}

/// `alertmanagerForOrg`, `pkg/services/ngalert/notifier/multiorg_alertmanager.go`:
/// neither is an empty list.
#[tokio::test]
async fn an_organisation_without_a_ready_alertmanager_is_404_or_409() {
    let url = serve(&[("none", editor(2)), ("starting", editor(3))]).await;
    for (token, status, id) in [("none", 404, "notFound"), ("starting", 409, "conflict")] {
        let server = with_token(&url, token);
        for answer in [
            server.get(SILENCES).await,
            server.post(&server.silence_of("org")).await,
            server.delete(super::server::UNKNOWN_ID).await,
        ] {
            assert_eq!(answer.status, status, "{answer:?}");
            let id = format!("alerting.notifications.alertmanager.{id}");
            assert_eq!(answer.json()["messageId"], id);
        }
    }
}

/// A password opens the current organisation, or the one that a header names.
#[tokio::test]
async fn a_user_chooses_the_organisation_by_a_header() {
    let url = serve(&[]).await;
    // `eva:secret` in Base64.
    let password = (AUTHORIZATION.as_str(), "Basic ZXZhOnNlY3JldA==");
    let organisation = |id| ("x-grafana-org-id", id);
    assert_eq!(
        with_headers(&url, &[password]).get(SILENCES).await.status,
        200
    );
    for (id, status) in [("1", 200), ("2", 404), ("9", 401)] {
        let server = with_headers(&url, &[password, organisation(id)]);
        assert_eq!(server.get(SILENCES).await.status, status, "{id}");
    }
    let wrong = (AUTHORIZATION.as_str(), "Basic ZXZhOndyb25n");
    assert_eq!(with_headers(&url, &[wrong]).get(SILENCES).await.status, 401);
}

/// `[unified_alerting] alertmanager_max_silences_count`; expired ones count.
#[tokio::test]
async fn the_limit_on_silences_is_a_bad_request() {
    let url = serve(&[("editor", editor(1))]).await;
    let server = with_token(&url, "editor");
    for _ in 0..3 {
        let id = server.put(&server.silence_of("limit")).await;
        server.delete(&id).await.deleted();
    }
    let answer = server.post(&server.silence_of("limit")).await;
    let full = "exceeded maximum number of silences: 3 (limit: 3)";
    answer.refused_by_grafana(400, Some("badRequest"), full);
}

/// `jsonExtractor`, `pkg/services/ngalert/api/util.go`.
#[tokio::test]
async fn a_web_page_behind_the_proxy_is_500() {
    let url = serve(&[
        ("editor", editor(1)),
        ("viewer", account(Permissions::viewer())),
    ])
    .await;
    let behind = |token| {
        let headers: HeaderMap = [(AUTHORIZATION, format!("Bearer {token}").parse().unwrap())]
            .into_iter()
            .collect();
        let url = Kind::GrafanaDataSource.below(&url, "page");
        Server::with_access(headers, None, Version::V0_33, url).of_kind(Kind::GrafanaDataSource)
    };
    let editor = behind("editor");
    for answer in [
        editor.get(SILENCES).await,
        editor.post(&editor.silence_of("page")).await,
    ] {
        answer.refused_by_grafana(500, None, "unexpected content type from upstream");
    }
    let viewer = behind("viewer");
    let answer = viewer.post(&viewer.silence_of("page")).await;
    denied_by_route(&answer, "alert.instances.external:write");
}

/// What `--web.config.file` asks for, on every path, as the released server in
/// `placements` does.
#[tokio::test]
async fn an_alertmanager_in_memory_behind_a_password() {
    let silences = Arc::new(Mutex::new(MemoryAlertmanager::new(
        Settings::default(),
        now(),
    )));
    let router = silenced::memory::http::router(silences, now);
    let url = listen(Password::new("a", "secret").protect(router)).await;
    let stranger = Server::new(Version::V0_33, url.clone());
    for path in [SILENCES, "/-/ready"] {
        let answer = stranger.get(path).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (401, "Unauthorized\n")
        );
        assert_eq!(answer.header("www-authenticate"), Some("Basic"));
    }
    let password = "Basic YTpzZWNyZXQ=".parse().unwrap();
    let headers = HeaderMap::from_iter([(AUTHORIZATION, password)]);
    let server = Server::with_access(headers, None, Version::V0_33, url);
    super::hold(&server, super::cases_of(Kind::Alertmanager)).await;
}
