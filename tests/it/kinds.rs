//! Does the program get along with every kind of server? `silenced` itself,
//! before the servers in memory that answer as Grafana and Mimir do.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use expect_test::{Expect, expect};
use silenced::memory::grafana::{
    Account, Action, DataSource, Grafana, Implementation, Organisation, OwnAlertmanager,
    Permissions, Scope,
};
use silenced::memory::http::{self, Password};
use silenced::memory::mimir::Mimir;
use silenced::memory::{Cluster, Settings};
use tempfile::TempDir;

use crate::cli::{directory, finish, silenced};
use crate::contract::memory::{alertmanager, editor, listen};
use crate::contract::server::now;

const FIRST: &str = "\
owner: o
silences:
  - {name: a, comment: one, matchers: [job=a], schedule: always}
  - {name: b, comment: one, matchers: [job=b, __alert_rule_uid__=disk], schedule: always}
  - {name: c, comment: one, matchers: [job=c], schedule: always}
";

/// `a` has another comment, `b` another rule and `c` is gone.
const SECOND: &str = "\
owner: o
silences:
  - {name: a, comment: two, matchers: [job=a], schedule: always}
  - {name: b, comment: one, matchers: [job=b, __alert_rule_uid__=cpu], schedule: always}
";

/// One target with these keys, for a server at `url`.
fn installation(url: &str, keys: &str, token: &str) -> TempDir {
    let configuration = format!(
        "instance: lab\nsource: {{directory: silences}}\nsettle: 0s\n\
         targets: [{{name: main, url: '{url}', {keys}}}]\n"
    );
    directory(&[
        ("silenced.yaml", &configuration),
        ("silences/all.yaml", FIRST),
        ("token", token),
    ])
}

/// What a command prints, with its exit code.
fn run(installation: &TempDir, url: &str, command: &str) -> String {
    let file = installation.path().join("silenced.yaml");
    let finished = finish(silenced().args([command, "--config"]).arg(file));
    finished.shown(&[(url, "URL")])
}

/// Everything that can change is changed, and each time nothing is left to do.
fn converges(url: &str, keys: &str) {
    let installation = installation(url, keys, "editor\n");
    let check = |expected: &str| {
        let applied = run(&installation, url, "apply");
        assert!(applied.ends_with(expected), "{keys}: {applied}");
        let planned = run(&installation, url, "plan");
        assert!(planned.ends_with("exit 0\n"), "{keys}: {planned}");
    };
    check("main: 3 created\nexit 0\n");
    fs::write(installation.path().join("silences/all.yaml"), SECOND).unwrap();
    check("main: 1 updated, 1 replaced, 1 expired\nexit 0\n");
}

/// What `silenced apply` says of a single silence.
fn refuses(url: &str, keys: &str, token: &str, expected: &Expect) {
    let installation = installation(url, keys, token);
    let single: Vec<&str> = FIRST.lines().take(3).collect();
    fs::write(
        installation.path().join("silences/all.yaml"),
        single.join("\n"),
    )
    .unwrap();
    let said = run(&installation, url, "apply");
    let (_, errors) = said.split_once("error: ").unwrap();
    expected.assert_eq(errors.lines().next().unwrap());
}

/// Organisation 1 is at work and has a data source, 2 has no Alertmanager.
async fn grafana() -> String {
    let data_source = |implementation, settings| {
        let behind = http::api(alertmanager(settings), now);
        DataSource::new(implementation, behind)
    };
    let mimir = Mimir::default().tenant("team-a", replicas(&Mimir::settings()));
    let mimir = DataSource::new(Implementation::Mimir, mimir.handler(now)).header(
        axum::http::HeaderName::from_static("x-scope-orgid"),
        axum::http::HeaderValue::from_static("team-a"),
    );
    let working = Organisation {
        alertmanager: OwnAlertmanager::Ready(alertmanager(Grafana::settings())),
        data_sources: [
            (
                "am".to_owned(),
                data_source(Implementation::Prometheus, Settings::default()),
            ),
            ("mimir".to_owned(), mimir),
        ]
        .into(),
        ..Organisation::default()
    };
    let of = |permissions| Account {
        organisation: 1,
        permissions,
    };
    let narrow = Permissions::viewer();
    let grafana = Grafana::default()
        .organisation(1, working)
        .organisation(2, Organisation::default())
        .user(Password::new("eva", "editor"), vec![editor(1), editor(2)])
        .token("editor", editor(1))
        .token("viewer", of(narrow))
        .token(
            "blind",
            of(Permissions::default().and(Action::ReadSilences, Scope::Folder("x".to_owned()))),
        )
        .below("/grafana");
    format!("{}/grafana", listen(grafana.router(now)).await)
}

fn replicas(settings: &Settings) -> http::SharedCluster {
    let replicas = Cluster::new(3, settings, Duration::from_millis(5), now());
    Arc::new(Mutex::new(replicas))
}

#[tokio::test(flavor = "multi_thread")]
async fn grafana_and_what_is_behind_it() {
    let url = grafana().await;
    let token = "bearer_token_file: token";
    converges(&url, &format!("kind: grafana, {token}"));
    converges(
        &url,
        &format!("kind: grafana-datasource, datasource_uid: am, {token}"),
    );
    converges(
        &url,
        &format!("kind: grafana-datasource, datasource_uid: mimir, {token}"),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_grafana_refuses_is_said_in_words() {
    let url = grafana().await;
    let token = "kind: grafana, bearer_token_file: token";
    refuses(
        &url,
        token,
        "guess\n",
        &expect![
            "main: `GET URL/api/alertmanager/grafana/api/v2/silences`: answered `401 Unauthorized` with `Unauthorized`; check that the token belongs to a service account of this very Grafana, that neither has been disabled, and that the token has not expired"
        ],
    );
    refuses(
        &url,
        token,
        "viewer\n",
        &expect![
            "main: cannot create `a`: `POST URL/api/alertmanager/grafana/api/v2/silences`: answered `403 Forbidden` with `You'll need additional permissions to perform this action. Permissions needed: alert.instances:create`; grant its service account `alert.instances:create` and `alert.instances:write`, which the role Editor has, or for silences of rules in single folders `alert.silences:create` and `alert.silences:write` there"
        ],
    );
    refuses(
        &url,
        token,
        "blind\n",
        &expect![
            "main: cannot create `a`: `POST URL/api/alertmanager/grafana/api/v2/silences`: answered `403 Forbidden` with `You'll need additional permissions to perform this action. Permissions needed: alert.instances:create`; grant its service account `alert.instances:create` and `alert.instances:write`, which the role Editor has, or for silences of rules in single folders `alert.silences:create` and `alert.silences:write` there"
        ],
    );
    let password = "kind: grafana, organisation: 2, \
                    basic_auth: {username: eva, password_file: token}";
    refuses(
        &url,
        password,
        "editor\n",
        &expect![
            "main: `GET URL/api/alertmanager/grafana/api/v2/silences`: answered `404 Not Found` with `Alertmanager does not exist for org 2`; this organisation has no Alertmanager yet: Grafana makes one within a minute of the organisation; if it stays so, check which organisation the credentials are for"
        ],
    );
    let unknown = "kind: grafana-datasource, datasource_uid: nobody, bearer_token_file: token";
    refuses(
        &url,
        unknown,
        "editor\n",
        &expect![
            "main: `GET URL/api/alertmanager/nobody/api/v2/silences`: answered `404 Not Found` with `data source not found`; check `url`, and `datasource_uid`: it stands in the address of the data source's page of settings, and its `implementation` must be what answers there"
        ],
    );
    let wrong_kind = "bearer_token_file: token";
    refuses(
        &url,
        wrong_kind,
        "editor\n",
        &expect![
            "main: `GET URL/api/v2/silences`: answered `404 Not Found` with `Not found`; check the URL of this target: `/api/v2/silences` must lie below it, with any path prefix"
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_of_mimir_and_cortex() {
    for settings in [Mimir::settings(), Mimir::cortex_settings()] {
        let mimir = Mimir::default()
            .tenant("a", replicas(&settings))
            .tenant("b", replicas(&settings));
        let url = listen(mimir.router(now)).await;
        converges(&url, "kind: mimir, tenant: a");
        converges(&url, "kind: mimir, tenant: b, prefix: /alertmanager/");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_mimir_refuses_is_said_in_words() {
    let mimir = Mimir::default().tenant("a", replicas(&Mimir::settings()));
    let url = listen(mimir.router(now)).await;
    refuses(
        &url,
        "kind: mimir",
        "",
        &expect![
            "main: `GET URL/alertmanager/api/v2/silences`: answered `401 Unauthorized` with `no org id`; the server holds several tenants: name the one that is meant in `tenant` of this target"
        ],
    );
    refuses(
        &url,
        "kind: mimir, tenant: b",
        "",
        &expect![
            "main: `GET URL/alertmanager/api/v2/silences`: answered `404 Not Found` with `the Alertmanager is not configured`; this tenant has no Alertmanager configuration: upload one, or check the tenant"
        ],
    );
    refuses(
        &url,
        "kind: mimir, tenant: a, prefix: am",
        "",
        &expect![
            "main: `GET URL/am/api/v2/silences`: answered `404 Not Found` with `404 page not found`; check `url` and `prefix` of this target: `/api/v2/silences` must lie below both, and `prefix` is `alertmanager` unless it is given"
        ],
    );
    refuses(
        &url,
        "kind: alertmanager",
        "",
        &expect![
            "main: `GET URL/api/v2/silences`: answered `404 Not Found` with `404 page not found`; check the URL of this target: `/api/v2/silences` must lie below it, with any path prefix"
        ],
    );
}
