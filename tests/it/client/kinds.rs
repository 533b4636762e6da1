//! Four kinds of servers: their paths, their headers, and what their refusals
//! mean. The bodies are those that Grafana and Mimir send.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use silenced::alertmanager::{
    ApiErrorKind, Client, ClientSettings, Credentials, Expired, Kind, SilenceApi,
};
use silenced::matcher::{MatchOperator, Matchers};
use silenced::silence::SilenceDraft;

use super::{client_of_kind, draft, id, matcher, story};
use crate::support::alertmanager::{Alertmanager, Options, Release};
use crate::support::raw_server::{RawServer, Reply};

const GRAFANA: Kind = Kind::Grafana { organisation: None };

fn datasource() -> Kind {
    Kind::GrafanaDatasource {
        uid: "P1-a_b".to_owned(),
        organisation: None,
    }
}

fn mimir(prefix: &str) -> Kind {
    Kind::Mimir {
        prefix: prefix.to_owned(),
        tenant: Some("team-a".to_owned()),
    }
}

/// The request lines of a list, a creation, an expiry and a question.
async fn lines(kind: Kind, suffix: &str) -> Vec<String> {
    let server = RawServer::answering(|request| match request.split(' ').next() {
        Some("POST") => Reply::json("202 Accepted", r#"{"silenceID":"1"}"#),
        Some("DELETE") => Reply::json("200 OK", r#"{"message":"silence deleted"}"#),
        _ if request.contains("/silence/") => Reply::json("404 Not Found", ""),
        _ => Reply::json("200 OK", "[]"),
    })
    .await;
    let settings = ClientSettings {
        kind,
        ..ClientSettings::new(format!("http://{}{suffix}", server.address()))
    };
    let client = Client::new(&settings).unwrap();
    client.list().await.unwrap();
    assert_eq!(client.set(&draft()).await.unwrap(), id("1"));
    assert_eq!(client.expire(&id("1")).await.unwrap(), Expired::Done);
    assert!(!client.hides(&id("1")).await.unwrap());
    client.members().await;
    let requests = server.requests();
    let lines = requests.iter().filter_map(|request| request.lines().next());
    lines.map(|line| line.replace(" HTTP/1.1", "")).collect()
}

#[tokio::test]
async fn each_has_its_paths_and_is_asked_only_what_it_can_tell() {
    let mut shown = String::new();
    for (kind, suffix) in [
        (Kind::Alertmanager, "/prefix"),
        (GRAFANA, "/grafana/"),
        (datasource(), ""),
        (mimir("alertmanager"), ""),
        (mimir("/a/b/"), "/base"),
        (mimir(""), ""),
    ] {
        writeln!(shown, "{}", lines(kind, suffix).await.join("\n")).unwrap();
    }
    expect![[r#"
        GET /prefix/api/v2/silences
        POST /prefix/api/v2/silences
        DELETE /prefix/api/v2/silence/1
        GET /prefix/api/v2/status
        GET /grafana/api/alertmanager/grafana/api/v2/silences
        POST /grafana/api/alertmanager/grafana/api/v2/silences
        DELETE /grafana/api/alertmanager/grafana/api/v2/silence/1
        GET /grafana/api/alertmanager/grafana/api/v2/silence/1
        GET /api/alertmanager/P1-a_b/api/v2/silences
        POST /api/alertmanager/P1-a_b/api/v2/silences
        DELETE /api/alertmanager/P1-a_b/api/v2/silence/1
        GET /alertmanager/api/v2/silences
        POST /alertmanager/api/v2/silences
        DELETE /alertmanager/api/v2/silence/1
        GET /base/a/b/api/v2/silences
        POST /base/a/b/api/v2/silences
        DELETE /base/a/b/api/v2/silence/1
        GET /api/v2/silences
        POST /api/v2/silences
        DELETE /api/v2/silence/1
    "#]]
    .assert_eq(&shown);
}

#[tokio::test]
async fn organisation_and_tenant_travel_in_headers() {
    let server = RawServer::start(Reply::json("200 OK", "[]")).await;
    let grafana = Kind::Grafana {
        organisation: Some(7),
    };
    for (kind, header) in [
        (grafana, "x-grafana-org-id: 7\r\n"),
        (mimir(""), "x-scope-orgid: team-a\r\n"),
    ] {
        client_of_kind(&server, kind).list().await.unwrap();
        let request = server.requests().pop().unwrap().to_lowercase();
        assert!(request.contains(header), "{request}");
    }
    let settings = ClientSettings {
        kind: Kind::Mimir {
            prefix: String::new(),
            tenant: Some("a\nb".to_owned()),
        },
        ..ClientSettings::new("http://host")
    };
    expect!["`a b` has characters that no HTTP header can carry"]
        .assert_eq(&Client::new(&settings).unwrap_err().to_string());
}

#[test]
fn a_path_that_would_stand_there_twice() {
    let mut messages = String::new();
    for (kind, url) in [
        (Kind::Alertmanager, "http://host/prefix/api/v2/"),
        (Kind::Alertmanager, "http://host/api/v2/silences"),
        (GRAFANA, "https://host/api/alertmanager/grafana/api/v2"),
        (mimir("alertmanager"), "https://host/alertmanager/api/v2"),
    ] {
        let settings = ClientSettings {
            kind,
            ..ClientSettings::new(url)
        };
        writeln!(messages, "{}", Client::new(&settings).unwrap_err()).unwrap();
    }
    expect![[r#"
        `http://host/prefix/api/v2/` ends with `/api/v2`, which is added to it: leave that away
        `http://host/api/v2/silences` ends with `/api/v2`, which is added to it: leave that away
        `https://host/api/alertmanager/grafana/api/v2` ends with `/api/alertmanager/grafana/api/v2`, which is added to it: leave that away
        `https://host/alertmanager/api/v2` ends with `/alertmanager/api/v2`, which is added to it: leave that away
    "#]]
    .assert_eq(&messages);
}

/// What comes of a list and of a creation that are answered so, with a token.
async fn check(kind: Kind, status: &str, body: &str, expected: [ApiErrorKind; 2], said: Expect) {
    let server = RawServer::start(Reply::json(status, body)).await;
    let directory = tempfile::tempdir().unwrap();
    let token_file = directory.path().join("token");
    std::fs::write(&token_file, "s3cret").unwrap();
    let settings = ClientSettings {
        kind,
        credentials: Credentials::Bearer { token_file },
        ..ClientSettings::new(format!("http://{}", server.address()))
    };
    let client = Client::new(&settings).unwrap();
    let (read, written) = (
        client.list().await.unwrap_err(),
        client.set(&draft()).await.unwrap_err(),
    );
    assert_eq!([read.kind(), written.kind()], expected);
    let both = [story(&server, &read), story(&server, &written)];
    said.assert_eq(&both.join("\n"));
}

const UNAUTHORISED: [ApiErrorKind; 2] = [ApiErrorKind::Unauthorised; 2];
const ELSEWHERE: [ApiErrorKind; 2] = [ApiErrorKind::NotAnAlertmanager; 2];

#[tokio::test]
async fn grafana_asks_for_more_rights() {
    let body = r#"{"accessErrorId":"ACE7306157429","message":"You'll need additional permissions to perform this action. Permissions needed: alert.instances:create","title":"Access denied"}"#;
    check(GRAFANA, "403 Forbidden", body, UNAUTHORISED, expect![[r#"
        `GET http://SERVER/api/alertmanager/grafana/api/v2/silences`: answered `403 Forbidden` with `You'll need additional permissions to perform this action. Permissions needed: alert.instances:create`; grant its service account `alert.instances:read`, which the role Viewer has, for every silence, or `alert.silences:read` for those of rules in single folders
        `POST http://SERVER/api/alertmanager/grafana/api/v2/silences`: answered `403 Forbidden` with `You'll need additional permissions to perform this action. Permissions needed: alert.instances:create`; grant its service account `alert.instances:create` and `alert.instances:write`, which the role Editor has, or for silences of rules in single folders `alert.silences:create` and `alert.silences:write` there"#]]).await;
    check(
        datasource(),
        "403 Forbidden",
        body,
        UNAUTHORISED,
        expect![[r#"
            `GET http://SERVER/api/alertmanager/P1-a_b/api/v2/silences`: answered `403 Forbidden` with `You'll need additional permissions to perform this action. Permissions needed: alert.instances:create`; grant its service account `alert.instances.external:read` on this data source (`datasources:uid:...`), which the role Viewer has
            `POST http://SERVER/api/alertmanager/P1-a_b/api/v2/silences`: answered `403 Forbidden` with `You'll need additional permissions to perform this action. Permissions needed: alert.instances:create`; grant its service account `alert.instances.external:write` on this data source (`datasources:uid:...`), which the role Editor has"#]],
    )
    .await;
    let body = r#"{"message":"Invalid API key","messageId":"api-key.invalid","statusCode":401,"traceID":""}"#;
    check(GRAFANA, "401 Unauthorized", body, UNAUTHORISED, expect![[r#"
        `GET http://SERVER/api/alertmanager/grafana/api/v2/silences`: answered `401 Unauthorized` with `Invalid API key`; check that the token belongs to a service account of this very Grafana, that neither has been disabled, and that the token has not expired
        `POST http://SERVER/api/alertmanager/grafana/api/v2/silences`: answered `401 Unauthorized` with `Invalid API key`; check that the token belongs to a service account of this very Grafana, that neither has been disabled, and that the token has not expired"#]]).await;
}

#[tokio::test]
async fn grafana_organisation_without_an_alertmanager() {
    let body = r#"{"message":"Alertmanager not found","messageId":"alerting.notifications.alertmanager.notFound","statusCode":404,"traceID":""}"#;
    check(GRAFANA, "404 Not Found", body, ELSEWHERE, expect![[r#"
        `GET http://SERVER/api/alertmanager/grafana/api/v2/silences`: answered `404 Not Found` with `Alertmanager not found`; this organisation has no Alertmanager yet: Grafana makes one within a minute of the organisation; if it stays so, check which organisation the credentials are for
        `POST http://SERVER/api/alertmanager/grafana/api/v2/silences`: answered `404 Not Found` with `Alertmanager not found`; this organisation has no Alertmanager yet: Grafana makes one within a minute of the organisation; if it stays so, check which organisation the credentials are for"#]]).await;
    let body = r#"{"message":"Not found"}"#;
    check(GRAFANA, "404 Not Found", body, ELSEWHERE, expect![[r#"
        `GET http://SERVER/api/alertmanager/grafana/api/v2/silences`: answered `404 Not Found` with `Not found`; check the URL of this target: it is Grafana's own, with the path if it has one, and `/api/alertmanager/grafana` is added to it
        `POST http://SERVER/api/alertmanager/grafana/api/v2/silences`: answered `404 Not Found` with `Not found`; check the URL of this target: it is Grafana's own, with the path if it has one, and `/api/alertmanager/grafana` is added to it"#]]).await;
    let body = r#"{"message":"data source not found"}"#;
    check(datasource(), "404 Not Found", body, ELSEWHERE, expect![[r#"
        `GET http://SERVER/api/alertmanager/P1-a_b/api/v2/silences`: answered `404 Not Found` with `data source not found`; check `url`, and `datasource_uid`: it stands in the address of the data source's page of settings, and its `implementation` must be what answers there
        `POST http://SERVER/api/alertmanager/P1-a_b/api/v2/silences`: answered `404 Not Found` with `data source not found`; check `url`, and `datasource_uid`: it stands in the address of the data source's page of settings, and its `implementation` must be what answers there"#]]).await;
}

#[tokio::test]
async fn mimir_without_a_tenant_or_its_configuration() {
    let missing = "no org id\n";
    check(
        mimir(""),
        "401 Unauthorized",
        missing,
        UNAUTHORISED,
        expect![[r#"
            `GET http://SERVER/api/v2/silences`: answered `401 Unauthorized` with `no org id`; the server holds several tenants: name the one that is meant in `tenant` of this target
            `POST http://SERVER/api/v2/silences`: answered `401 Unauthorized` with `no org id`; the server holds several tenants: name the one that is meant in `tenant` of this target"#]],
    )
    .await;
    check(
        Kind::Alertmanager,
        "401 Unauthorized",
        missing,
        UNAUTHORISED,
        expect![[r#"
            `GET http://SERVER/api/v2/silences`: answered `401 Unauthorized` with `no org id`; this is a Mimir or Cortex with several tenants: write `kind: mimir` and `tenant` for this target
            `POST http://SERVER/api/v2/silences`: answered `401 Unauthorized` with `no org id`; this is a Mimir or Cortex with several tenants: write `kind: mimir` and `tenant` for this target"#]],
    )
    .await;
    let absent = "the Alertmanager is not configured\n";
    check(mimir(""), "404 Not Found", absent, ELSEWHERE, expect![[r#"
        `GET http://SERVER/api/v2/silences`: answered `404 Not Found` with `the Alertmanager is not configured`; this tenant has no Alertmanager configuration: upload one, or check the tenant
        `POST http://SERVER/api/v2/silences`: answered `404 Not Found` with `the Alertmanager is not configured`; this tenant has no Alertmanager configuration: upload one, or check the tenant"#]]).await;
    check(
        mimir(""),
        "404 Not Found",
        "404 page not found\n",
        ELSEWHERE,
        expect![[r#"
            `GET http://SERVER/api/v2/silences`: answered `404 Not Found` with `404 page not found`; check `url` and `prefix` of this target: `/api/v2/silences` must lie below both, and `prefix` is `alertmanager` unless it is given
            `POST http://SERVER/api/v2/silences`: answered `404 Not Found` with `404 page not found`; check `url` and `prefix` of this target: `/api/v2/silences` must lie below both, and `prefix` is `alertmanager` unless it is given"#]],
    )
    .await;

    // Nor is anything gone because of it.
    let server = RawServer::start(Reply::http("404 Not Found", absent)).await;
    let error = client_of_kind(&server, mimir(""))
        .expire(&id("x"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::NotAnAlertmanager);
}

#[tokio::test]
async fn a_silence_of_one_rule_is_refused_alone() {
    let body = r#"{"accessErrorId":"ACE1","message":"You'll need additional permissions","title":"Access denied"}"#;
    let server = RawServer::start(Reply::json("403 Forbidden", body)).await;
    let of_rule = |operator| SilenceDraft {
        matchers: Matchers::new(vec![matcher("__alert_rule_uid__", operator, "r1")]),
        ..draft()
    };
    let client = client_of_kind(&server, GRAFANA);
    let error = client
        .set(&of_rule(MatchOperator::Equal))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::Refused { limit: None });
    expect!["`POST http://SERVER/api/alertmanager/grafana/api/v2/silences`: answered `403 Forbidden` with `You'll need additional permissions`; it is the silence of one rule: grant the service account `alert.silences:create` and `alert.silences:write` on the folder of that rule; if there is no such rule, `alert.instances:create` and `alert.instances:write`"].assert_eq(&story(&server, &error));
    // Only an equal matcher makes it one.
    let error = client
        .set(&of_rule(MatchOperator::Regex))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::Unauthorised);
}

#[tokio::test]
async fn what_grafana_does_not_list_is_asked_for() {
    let one = |state: &str| {
        let body = format!(
            r#"{{"id":"1","matchers":[],"startsAt":"2026-11-22T09:00:00.000Z","endsAt":"2026-11-22T11:00:00.000Z","createdBy":"a","comment":"c","updatedAt":"2026-11-22T09:00:00.000Z","status":{{"state":"{state}"}}}}"#
        );
        Reply::json("200 OK", body)
    };
    let unknown = r#"{"message":"silence not found","messageId":"alerting.notifications.silences.notFound","statusCode":404,"traceID":""}"#;
    let forbidden = r#"{"accessErrorId":"ACE1","message":"no","title":"Access denied"}"#;
    let absent = r#"{"message":"Not found"}"#;
    for (reply, hides) in [
        (one("active"), Some(true)),
        (one("pending"), Some(true)),
        (one("expired"), Some(false)),
        (Reply::json("403 Forbidden", forbidden), Some(true)),
        (Reply::json("404 Not Found", unknown), Some(false)),
        (Reply::json("404 Not Found", absent), None),
        (Reply::json("200 OK", "{}"), None),
        (
            Reply::http("200 OK\r\nContent-Type: text/html", "<p>Sign in"),
            None,
        ),
        (Reply::json("409 Conflict", "{}"), None),
    ] {
        let server = RawServer::start(reply).await;
        let answer = client_of_kind(&server, GRAFANA).hides(&id("1")).await;
        assert_eq!(answer.ok(), hides, "{:?}", server.requests());
    }
}

fn with_dotted_label() -> SilenceDraft {
    SilenceDraft {
        matchers: Matchers::new(vec![matcher("a.b", MatchOperator::Equal, "c")]),
        ..draft()
    }
}

/// What a server says about a dotted label name.
async fn dotted(release: Release, flags: &[&str]) -> String {
    let options = Options {
        flags,
        ..Options::default()
    };
    let server = Alertmanager::start(release, &options);
    let client = super::client_of(&server.base_url(), Credentials::None);
    let error = client.set(&with_dotted_label()).await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::Refused { limit: None });
    let text = error.to_string();
    let (_, advice) = text.split_once("; ").unwrap();
    advice.to_owned()
}

#[tokio::test]
async fn a_refused_label_name_is_explained_by_the_version() {
    let old = dotted(Release::V0_25, &[]).await;
    expect!["this server is Alertmanager 0.25.0, which knows no label names such as `a.b` (from 0.27 on): update it, or rename the label"].assert_eq(&old);
    let new = dotted(Release::V0_28, &["--enable-feature=classic-mode"]).await;
    expect!["this server is Alertmanager 0.28.1+ds, which takes label names such as `a.b` unless it runs with `--enable-feature=classic-mode`"].assert_eq(&new);

    let server = RawServer::start(Reply::json("400 Bad Request", "\"invalid\"")).await;
    let error = client_of_kind(&server, mimir(""))
        .set(&with_dotted_label())
        .await;
    expect!["`POST http://SERVER/api/v2/silences`: answered `400 Bad Request` with `invalid`; Mimir takes label names such as `a.b` only with `-alertmanager.utf8-strict-mode-enabled`, Cortex only with the name validation scheme `utf8`"].assert_eq(&story(&server, &error.unwrap_err()));
    assert_eq!(server.requests().len(), 1, "Mimir's status tells nothing");
}
