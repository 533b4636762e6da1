//! Kinds of targets and ways to reach them, as the configuration file says them.

use expect_test::{Expect, expect};

use super::{directory, finish, silenced};
use crate::support::configuration::resolve;
use crate::support::raw_server::{RawServer, Reply};

/// What is wrong with these targets, without the name of the file.
fn problems(targets: &str) -> String {
    let text = format!("instance: lab\nsource: {{directory: a}}\ntargets:\n{targets}");
    let installation = directory(&[("silenced.yaml", &text)]);
    let path = installation.path().join("silenced.yaml");
    match resolve(&path) {
        Ok(_) => String::new(),
        Err(problems) => problems.to_string().replace(path.to_str().unwrap(), "FILE"),
    }
}

/// What is said about each target.
fn check(targets: &[&str], expected: Expect) {
    let lines = targets.iter().enumerate();
    let lines: Vec<_> = lines
        .map(|(index, keys)| format!("  - {{name: t{index}, {keys}}}\n"))
        .collect();
    expected.assert_eq(&problems(&lines.concat()));
}

#[test]
fn keys_belong_to_kinds() {
    check(
        &[
            "kind: graphana, url: 'http://a'",
            "kind: thanos, url: 'http://a'",
            "url: 'http://a', tenant: a, datasource_uid: b",
            "kind: mimir, url: 'http://a', organisation: 1",
            "kind: mimir, url: 'http://a', tenant: ''",
            "kind: grafana, url: 'http://a', prefix: b",
            "kind: grafana, url: 'http://a', bearer_token_file: t, organisation: 1",
            "kind: grafana, url: 'http://a', basic_auth: {username: u, password_file: p}, organisation: main",
            "kind: grafana-datasource, url: 'http://a'",
            "kind: grafana-datasource, url: 'http://a', datasource_uid: grafana",
            "kind: grafana-datasource, url: 'http://a', datasource_uid: '../../admin'",
            "kind: grafana, url: 'http://a/api/alertmanager/grafana/api/v2'",
        ],
        expect![[r#"
            FILE:4:22: targets[0].kind: unknown kind `graphana`; did you mean `grafana`?
            FILE:5:22: targets[1].kind: unknown kind `thanos`; write alertmanager, grafana, grafana-datasource, mimir
            FILE:6:60: targets[2].datasource_uid: `datasource_uid` belongs to targets of kind `grafana-datasource`, and this one is of kind `alertmanager`
            FILE:6:41: targets[2].tenant: `tenant` belongs to targets of kind `mimir`, and this one is of kind `alertmanager`
            FILE:7:60: targets[3].organisation: `organisation` belongs to targets of kind `grafana` and `grafana-datasource`, and this one is of kind `mimir`
            FILE:8:54: targets[4].tenant: it is empty; leave it away where there is only one tenant
            FILE:9:56: targets[5].prefix: `prefix` belongs to targets of kind `mimir`, and this one is of kind `grafana`
            FILE:10:84: targets[6].organisation: only with `basic_auth`: a token of a service account belongs to one organisation already
            FILE:11:107: targets[7].organisation: `main` is not the number of an organisation, such as 1
            FILE:12:5: targets[8]: the key `datasource_uid` is missing: it stands in the address of the data source's page of settings
            FILE:13:75: targets[9].datasource_uid: that is Grafana's own Alertmanager: write `kind: grafana`
            FILE:14:76: targets[10].datasource_uid: `../../admin` is not the UID of a data source: 1 to 40 characters of a-z, A-Z, 0-9, `-` and `_`
            FILE:15:37: targets[11].url: `http://a/api/alertmanager/grafana/api/v2` ends with `/api/alertmanager/grafana/api/v2`, which is added to it: leave that away"#]],
    );
}

#[test]
fn credentials_exclude_each_other() {
    let oauth2 = "oauth2: {client_id: a, client_secret_file: b, token_url: 'https://c'}";
    check(
        &[
            &format!("url: 'http://a', bearer_token_file: a, {oauth2}"),
            &format!("url: 'http://a', basic_auth: {{username: a, password_file: b}}, {oauth2}"),
            "url: 'http://a', oauth2: {client_id: a, client_secret_file: b, token_url: 'login'}",
            "url: 'http://a', oauth2: {client_id: a, client_secret_file: b, token_url: 'http://c', tls: {ca_file: d}}",
            "url: 'http://a', oauth2: {client_id: a, client_secret_file: b, token_url: 'https://me:s3cret@c'}",
        ],
        expect![[r#"
            FILE:4:5: targets[0]: write either `bearer_token_file` or `oauth2`, not both
            FILE:5:5: targets[1]: write either `basic_auth` or `oauth2`, not both
            FILE:6:90: targets[2].oauth2.token_url: `login` is not a URL (relative URL without a base): write one such as `https://login.example.org/oauth2/token`
            FILE:7:90: targets[3].oauth2.token_url: `http://c/` begins with `http://`, so that `tls` would not be used: write `https://`, or leave `tls` away
            FILE:8:90: targets[4].oauth2.token_url: `https://c` has a user name or password: write them as `client_id` and `client_secret_file`"#]],
    );
}

#[test]
fn tls_proxies_and_headers() {
    check(
        &[
            "url: 'https://a', tls: {cert_file: a}",
            "url: 'https://a', tls: {key_file: a}",
            "url: 'http://a', tls: {cert_file: a, key_file: b}",
            "url: 'http://a', proxy_url: 'http://p', proxy_from_environment: true",
            "url: 'http://a', proxy_from_environment: perhaps",
            "url: 'http://a', no_proxy: b",
            "url: 'http://a', proxy_url: 'http://me:s3cret@p'",
            "url: 'http://a', http_headers: {Authorization: {files: [a]}}",
            "url: 'http://a', http_headers: {X-Empty: {}}",
        ],
        expect![[r#"
            FILE:4:5: targets[0]: the key `tls.key_file` is missing: a client certificate has both
            FILE:5:5: targets[1]: the key `tls.cert_file` is missing: a client certificate has both
            FILE:6:21: targets[2].url: `http://a/` begins with `http://`, so that `tls` would not be used: write `https://`, or leave `tls` away
            FILE:7:80: targets[3].proxy_from_environment: write either `proxy_url` or `proxy_from_environment`, not both
            FILE:8:57: targets[4].proxy_from_environment: `perhaps` is neither `true` nor `false`
            FILE:9:43: targets[5].no_proxy: it says where `proxy_url` is not used, and there is no `proxy_url`; for the proxies of the environment there is `NO_PROXY`
            FILE:10:44: targets[6].proxy_url: `http://p` has a user name or password: no secret stands in this file: give the proxy in `HTTP_PROXY` and `HTTPS_PROXY` instead, with them
            FILE:11:63: targets[7].http_headers.Authorization: the header `Authorization` cannot be set: write `bearer_token_file`, `basic_auth` or `oauth2`
            FILE:12:57: targets[8].http_headers.X-Empty: the header `X-Empty` cannot be set: it has neither `values` nor `files`"#]],
    );
}

/// Whom the proxy that `HTTP_PROXY` names is asked for, and what is asked of a
/// server on this machine. The environment of a test is that of all tests, so a
/// process of its own asks.
async fn asked_with(no_proxy: &str) -> [Vec<String>; 2] {
    let proxy = RawServer::start(Reply::json("200 OK", "[]")).await;
    let server = RawServer::start(Reply::json("200 OK", "[]")).await;
    let local = format!("http://{}", server.address());
    // No label may have 64 characters, so no name server is asked.
    let remote = format!("http://{}.invalid", "a".repeat(64));
    let targets = format!(
        "  - {{name: proxied, url: '{remote}/a'}}\n  \
         - {{name: direct, url: '{remote}/b', proxy_from_environment: false}}\n  \
         - {{name: here, url: '{local}/c'}}\n"
    );
    let text = format!("instance: lab\nsource: {{directory: silences}}\ntargets:\n{targets}");
    let installation = directory(&[
        ("silenced.yaml", &text),
        ("silences/none.yaml", "silences: []\n"),
    ]);
    let mut plan = silenced();
    plan.args(["plan", "--config", "silenced.yaml"])
        .env("HTTP_PROXY", format!("http://{}", proxy.address()))
        .env("NO_PROXY", no_proxy)
        .current_dir(installation.path());
    let finished = tokio::task::spawn_blocking(move || finish(&mut plan));
    // Whoever is not asked through the proxy does not exist.
    assert_eq!(finished.await.unwrap().code, Some(1));
    [&proxy, &server].map(|server| {
        let first_line =
            |request: &String| request.lines().next().unwrap().replace(&remote, "REMOTE");
        let mut asked: Vec<String> = server.requests().iter().map(first_line).collect();
        // Who its members are is asked as well where there are several targets.
        asked.retain(|line| !line.contains("/status HTTP"));
        asked.sort();
        asked
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_of_the_environment_are_used_unless_a_target_says_otherwise_or_is_here() {
    let [proxy, server] = asked_with("example.org").await;
    assert_eq!(proxy, ["GET REMOTE/a/api/v2/silences HTTP/1.1"]);
    assert_eq!(server, ["GET /c/api/v2/silences HTTP/1.1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_of_the_environment_are_not_used_for_hosts_that_it_excepts() {
    let [proxy, _] = asked_with("example.org,invalid").await;
    assert!(proxy.is_empty(), "{proxy:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_environment_says_of_proxies_is_told_without_the_password() {
    let repeats = "refused: Basic bWU6czNjcmV0, that is me:s3cret";
    let proxy = RawServer::start(Reply::http("400 Bad Request", repeats)).await;
    let mut told = String::new();
    let with_password = format!("http://me:s3cret@{}", proxy.address());
    for (variable, proxy_url, code) in [
        ("HTTP_PROXY", &*with_password, 1),
        ("HTTP_PROXY", "http://127.0.0.1:1", 1),
        ("ALL_PROXY", "socks5://127.0.0.1:1", 64),
    ] {
        let installation = directory(&[("silences/none.yaml", "silences: []\n")]);
        let mut plan = silenced();
        plan.args(["plan", "--source", "silences", "--instance", "lab"])
            .args(["--alertmanager", "http://alertmanager.invalid"])
            .env(variable, proxy_url)
            .current_dir(installation.path());
        let finished = tokio::task::spawn_blocking(move || finish(&mut plan));
        let finished = finished.await.unwrap();
        assert_eq!(finished.code, Some(code));
        let errors = finished.stderr.lines();
        let errors = errors.filter(|line| line.starts_with("error: "));
        told.extend(errors.flat_map(|line| [line, "\n"]));
    }
    expect![[r#"
        error: default: `GET http://alertmanager.invalid/api/v2/silences`: answered `400 Bad Request` with `refused: Basic [redacted], that is me:[redacted]`; check the URL of this target: `/api/v2/silences` must lie below it, with any path prefix
        error: default: `GET http://alertmanager.invalid/api/v2/silences`: no connection could be made: error sending request: client error (Connect): tcp connect error: Connection refused (os error 111); nothing was sent: check `HTTP_PROXY` and `HTTPS_PROXY` of the environment, and that the proxy is up and can be reached from here
        error: --alertmanager: `ALL_PROXY` or another variable of the environment names a `socks5://` proxy, and only `http://` and `https://` are known: name such a one, except this host in `NO_PROXY`, or write `proxy_from_environment: false`
    "#]].assert_eq(&told);
}

#[test]
fn what_there_is_not() {
    let mut shown = String::new();
    for keys in [
        "tls: {insecure_skip_verify: true}",
        "http_headers: {X-A: {secrets: [a]}}",
        "oauth2: {client_id: a, client_secret: b}",
        "oauth2: {client_id: a, client_secret_file: b}",
    ] {
        shown.push_str(&problems(&format!(
            "  - {{name: t, url: 'https://a', {keys}}}\n"
        )));
        shown.push('\n');
    }
    expect![[r#"
        FILE:4:39: there is no `insecure_skip_verify`, for whoever answers could read the credentials: name the authority of the server's certificate, or the certificate itself if it is self-signed, in `ca_file`
        FILE:4:54: unknown key `secrets`; the keys here are `values`, `files`
        FILE:4:56: unknown key `client_secret`; the keys here are `client_id`, `client_secret_file`, `token_url`, `scopes`, `endpoint_params`, `tls`
        FILE:4:56: the key `token_url` is missing
    "#]].assert_eq(&shown);
}
