//! How is a server that others use held to the contract? One case after the
//! other, unhurried, with silences that carry the label of the run, mute nothing
//! and are expired at the end, whatever has happened: `make contract`.

use std::fmt::Write as _;
use std::time::Duration;
use std::{env, fs, panic, process};

use reqwest::Certificate;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use silenced::memory::Version;

use super::kind::Kind;
use super::memory::{DATA_SOURCE_UID, TENANT, TOKEN, listen, router_of};
use super::server::{SILENCES, Server, text};
use super::{Case, cases_of};
use crate::support::alertmanager::{Alertmanager, Options, Release};

/// What to ask, and as whom.
#[derive(Default)]
struct Asked {
    url: String,
    kind: Option<Kind>,
    token: Option<String>,
    /// Name and password.
    user: Option<(String, String)>,
    tenant: Option<String>,
    data_source_uid: Option<String>,
    certificate: Option<Certificate>,
    version: Option<String>,
    /// A server of the tests, which need not be spared.
    is_ours: bool,
}

/// What came of it.
struct Report {
    /// Which server, and as what.
    title: String,
    /// Every case, with what differed.
    cases: Vec<(&'static str, Result<(), String>)>,
    /// How many silences were made, and why some may be left.
    made: usize,
    left: Result<(), String>,
}

impl Asked {
    /// From the variables that the Makefile passes on.
    fn from_environment() -> Result<Option<Self>, String> {
        let value = |name: &str| {
            let value = env::var(format!("CONTRACT_{name}")).unwrap_or_default();
            (!value.is_empty()).then_some(value)
        };
        let file = |name: &str| match value(name) {
            None => Ok(None),
            Some(path) => match fs::read_to_string(&path) {
                Ok(content) => Ok(Some(content)),
                Err(error) => Err(format!("{name}={path} cannot be read: {error}")),
            },
        };
        let Some(url) = value("URL") else {
            return Ok(None);
        };
        let kind = value("KIND").unwrap_or_else(|| Kind::Alertmanager.name().to_owned());
        let Some(kind) = Kind::ALL.into_iter().find(|known| known.name() == kind) else {
            let known = Kind::ALL.map(Kind::name).join(", ");
            return Err(format!("KIND={kind} is none of: {known}"));
        };
        let secret = |name| Ok::<_, String>(file(name)?.map(|secret| secret.trim_end().to_owned()));
        let user = match (value("USERNAME"), secret("PASSWORD_FILE")?) {
            (Some(name), Some(password)) => Some((name, password)),
            (None, None) => None,
            _ => return Err("USERNAME and PASSWORD_FILE belong together".to_owned()),
        };
        let certificate = file("CA_FILE")?
            .map(|pem| Certificate::from_pem(pem.as_bytes()))
            .transpose()
            .map_err(|error| format!("CA_FILE holds no certificate: {error}"))?;
        if kind == Kind::GrafanaDataSource && value("DATASOURCE_UID").is_none() {
            return Err("KIND=grafana-datasource needs DATASOURCE_UID=".to_owned());
        }
        Ok(Some(Self {
            url,
            kind: Some(kind),
            token: secret("TOKEN_FILE")?,
            user,
            tenant: value("TENANT"),
            data_source_uid: value("DATASOURCE_UID"),
            certificate,
            version: value("VERSION"),
            is_ours: false,
        }))
    }

    fn headers(&self) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        let secret = |text: String| HeaderValue::try_from(text).map_err(|error| error.to_string());
        if let Some(token) = &self.token {
            headers.insert(AUTHORIZATION, secret(format!("Bearer {token}"))?);
        }
        if let Some((name, password)) = &self.user {
            let request = reqwest::Client::new().get("http://localhost");
            let request = request.basic_auth(name, Some(password)).build();
            let request = request.map_err(|error| error.to_string())?;
            headers.extend(request.headers().clone());
        }
        if let Some(tenant) = &self.tenant {
            let name = HeaderName::from_static("x-scope-orgid");
            headers.insert(name, secret(tenant.clone())?);
        }
        Ok(headers)
    }

    /// The server, once it has answered; or what to do so that it answers.
    async fn server(&self, run: &str) -> Result<Server, String> {
        let kind = self.kind.unwrap_or(Kind::Alertmanager);
        let uid = self.data_source_uid.as_deref().unwrap_or_default();
        let url = kind.below(&self.url, uid);
        if reqwest::Url::parse(&url).is_err() {
            return Err(format!(
                "URL={} is no URL; write http://HOST:PORT",
                self.url
            ));
        }
        let (headers, certificate) = (self.headers()?, self.certificate.clone());
        let server = Server::with_access(headers, certificate, Version::default(), url.clone());
        let mut server = server.of_kind(kind).shared_with_others(run, self.is_ours);
        let ask = |path| server.send("GET", path, &[], "");
        let list = format!("GET {url}{SILENCES}");
        let answer = ask(SILENCES).await.map_err(|error| {
            let mut said = format!("{list}: no answer: {error}");
            let mut source = std::error::Error::source(&error);
            while let Some(deeper) = source {
                let _ = write!(said, ": {deeper}");
                source = deeper.source();
            }
            said
        })?;
        let advice = match answer.status {
            200 if answer.body.trim_start().starts_with('[') => "",
            200 => "; that is no list of silences: is the URL right?",
            401 | 403 => "; say who you are: TOKEN_FILE=, or USERNAME= and PASSWORD_FILE=, TENANT=",
            404 => "; is KIND right, and the path in the URL, and DATASOURCE_UID or TENANT?",
            _ => "; this server is not ready to be held to anything",
        };
        if answer.status != 200 || !advice.is_empty() {
            let said: String = answer.body.chars().take(200).collect();
            return Err(format!("{list}: {} `{said}`{advice}", answer.status));
        }
        let answer = ask("/api/v2/status")
            .await
            .map_err(|error| error.to_string())?;
        let status: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
        server.peers = status["cluster"]["peers"].as_array().map_or(0, Vec::len);
        let told = status["versionInfo"]["version"]
            .as_str()
            .unwrap_or_default();
        let version = self.version.as_deref().unwrap_or(told);
        server.version = release(version, kind);
        Ok(server)
    }
}

/// The newest release of those whose behaviour is known that is not newer than
/// this one. Grafana does not tell, Mimir tells its own.
fn release(version: &str, kind: Kind) -> Version {
    let mut numbers = version.split('.').map(str::parse::<u32>);
    match (kind, numbers.next(), numbers.next()) {
        (Kind::Cortex, ..) => Version::V0_33,
        (Kind::Alertmanager | Kind::GrafanaDataSource, Some(Ok(0)), Some(Ok(minor))) => match minor
        {
            ..=27 => Version::V0_25,
            28..=31 => Version::V0_28,
            _ => Version::V0_33,
        },
        _ => Version::V0_28,
    }
}

/// Holds the server to every case of its kind that does no harm to others.
async fn hold_live(asked: &Asked) -> Result<Report, String> {
    let run = format!("{:08x}", fastrand::u32(..));
    let server = asked.server(&run).await?;
    let (kind, version) = (server.kind.name(), server.version.number());
    let mut report = Report {
        title: format!(
            "{} as {kind}, judged as Alertmanager {version}, run {run}",
            asked.url
        ),
        cases: Vec::new(),
        made: 0,
        left: Ok(()),
    };
    let cases = cases_of(server.kind).filter(|case| !case.reach.is_ours_alone);
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    for case in cases {
        let outcome = tokio::select! {
            outcome = judge(case, &server) => outcome,
            _ = &mut interrupted => Err("interrupted".to_owned()),
        };
        let stop = outcome == Err("interrupted".to_owned());
        let name = case.name.rsplit("contract::").next().unwrap_or(case.name);
        report.cases.push((name, outcome));
        if stop {
            break;
        }
    }
    match tokio::spawn(async move { clean_up(&server).await }).await {
        Ok(made) => report.made = made,
        Err(failure) => report.left = Err(explain(failure)),
    }
    Ok(report)
}

async fn judge(case: &Case, server: &Server) -> Result<(), String> {
    // If the run is interrupted, no request of the case goes on in the background.
    let mut running = tokio::task::JoinSet::new();
    running.spawn((case.run)(server.clone()));
    let outcome = running.join_next().await.unwrap();
    outcome.map_err(explain)
}

fn explain(failure: tokio::task::JoinError) -> String {
    readable(&super::panic_message(failure))
}

/// The words of `assert_eq!` as expected and got.
fn readable(panic: &str) -> String {
    let Some((before, rest)) = panic.split_once("\n  left: ") else {
        return panic.to_owned();
    };
    let Some((got, expected)) = rest.split_once("\n right: ") else {
        return panic.to_owned();
    };
    let about = before.trim_start_matches("assertion `left == right` failed");
    format!("expected {expected}, got {got}{about}")
}

/// Expires what this run has made; returns how many silences that were. Replicas
/// may show one, and not know it yet, so it is tried again.
async fn clean_up(server: &Server) -> usize {
    for _ in 0..20 {
        let listed = server.get(SILENCES).await.json();
        let listed = listed.as_array().unwrap().iter();
        let made: Vec<_> = listed.filter(|silence| server.made(silence)).collect();
        let is_live = |silence: &&&serde_json::Value| silence["status"]["state"] != "expired";
        let live: Vec<_> = made.iter().filter(is_live).collect();
        if live.is_empty() {
            return made.len();
        }
        for silence in live {
            server.delete(&text(&silence["id"])).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("some silences with the run's label are live and do not go away; expire them by hand");
}

impl Report {
    fn differences(&self) -> usize {
        let differing = self.cases.iter().filter(|(_, outcome)| outcome.is_err());
        differing.count() + usize::from(self.left.is_err())
    }

    fn table(&self) -> String {
        let mut table = format!("{}\n", self.title);
        for (name, outcome) in &self.cases {
            match outcome {
                Ok(()) => drop(writeln!(table, "  ok       {name}")),
                Err(difference) => {
                    let difference = difference.replace('\n', "\n             ");
                    let difference: String = difference.chars().take(1500).collect();
                    let _ = writeln!(table, "  DIFFERS  {name}\n             {difference}");
                }
            }
        }
        let (cases, differing) = (self.cases.len(), self.differences());
        let _ = writeln!(table, "{cases} cases, {differing} differ");
        let _ = match &self.left {
            Ok(()) => writeln!(
                table,
                "{} silences were made; all are expired, and listed until they are forgotten",
                self.made
            ),
            Err(reason) => writeln!(table, "the run could not clean up: {reason}"),
        };
        table
    }
}

/// The server that `make contract` names; without one, the one in memory.
#[tokio::test(flavor = "multi_thread")]
async fn the_server_of_the_environment() {
    let named = match Asked::from_environment() {
        Ok(named) => named,
        Err(reason) => end(&reason),
    };
    let is_named = named.is_some();
    let asked = match named {
        Some(asked) => {
            // What failed is told in the table.
            panic::set_hook(Box::new(|_| {}));
            asked
        }
        None => asked(
            Kind::Alertmanager,
            listen(router_of(Kind::Alertmanager)).await,
        ),
    };
    match hold_live(&asked).await {
        Ok(report) => {
            println!("\n{}", report.table());
            if is_named && report.differences() > 0 {
                process::exit(1);
            }
            assert_eq!(report.differences(), 0, "{}", report.table());
        }
        Err(reason) => end(&reason),
    }
}

fn end(reason: &str) -> ! {
    eprintln!("make contract: {reason}");
    process::exit(2)
}

/// As whoever may do everything on the servers in memory.
fn asked(kind: Kind, url: String) -> Asked {
    Asked {
        url,
        kind: Some(kind),
        token: kind.is_in_grafana().then(|| TOKEN.to_owned()),
        tenant: kind.has_replicas().then(|| TENANT.to_owned()),
        data_source_uid: Some(DATA_SOURCE_UID.to_owned()),
        is_ours: true,
        ..Asked::default()
    }
}

/// Holds a server, and then looks whether what was there is as it was, and
/// nothing of the run is left.
async fn assert_held_and_left_clean(asked: Asked) {
    let server = asked.server("foreign").await.unwrap();
    let id = server.put(&server.silence_of("of-somebody")).await;
    let before = server.silence(&id).await;
    let report = hold_live(&asked).await.unwrap();
    assert_eq!(report.differences(), 0, "{}", report.table());
    assert!(
        report.cases.len() > 40 && report.made > 50,
        "{}",
        report.table()
    );
    assert_eq!(server.silence(&id).await, before);
    let listed = server.get(SILENCES).await.json();
    for silence in listed.as_array().unwrap() {
        let is_live = silence["status"]["state"] != "expired";
        assert_eq!(is_live, silence["id"] == before["id"], "{silence}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dialects_in_memory_are_left_clean() {
    for kind in [Kind::Grafana, Kind::GrafanaDataSource, Kind::Cortex] {
        assert_held_and_left_clean(asked(kind, listen(router_of(kind)).await)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn real_servers_are_left_clean() {
    for release in [Release::V0_25, Release::Newest] {
        let server = Alertmanager::start(release, &Options::default());
        assert_held_and_left_clean(asked(Kind::Alertmanager, server.base_url())).await;
    }
}

/// Cortex is no Mimir: it keeps annotations. It is cleaned up all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_difference_is_told_as_expected_and_got() {
    let url = listen(router_of(Kind::Cortex)).await;
    let report = hold_live(&asked(Kind::Mimir, url)).await.unwrap();
    assert!(report.differences() > 0 && report.left.is_ok());
    let table = report.table();
    let told =
        "  DIFFERS  json::annotations_are_kept_or_dropped\n             expected None, got Some";
    assert!(table.contains(told), "{table}");
    assert_eq!(
        readable("assertion `left == right` failed: about it\n  left: 1\n right: 2"),
        "expected 2, got 1: about it"
    );
}

#[tokio::test]
async fn a_server_that_refuses_us_is_told_with_what_to_do() {
    let stranger = Asked {
        token: None,
        ..asked(Kind::Grafana, listen(router_of(Kind::Grafana)).await)
    };
    let refused = hold_live(&stranger).await.err().unwrap();
    assert!(
        refused.contains("401") && refused.contains("TOKEN_FILE="),
        "{refused}"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_with_its_url() {
    let nobody = "http://127.0.0.1:1".to_owned();
    let refused = hold_live(&asked(Kind::Alertmanager, nobody))
        .await
        .err()
        .unwrap();
    assert!(refused.starts_with("GET http://127.0.0.1:1/api/v2/silences: no answer: "));
}

/// What would mute the alerts of others never leaves.
#[tokio::test]
#[should_panic(expected = "without this run's label")]
async fn a_silence_without_the_label_is_not_sent() {
    let url = listen(router_of(Kind::Alertmanager)).await;
    let server = asked(Kind::Alertmanager, url).server("run").await.unwrap();
    let everything = serde_json::json!([super::server::matcher("a", "!=", "x")]);
    let silence = super::server::with(
        &server.silence_of("mute"),
        &serde_json::json!({"matchers": everything}),
    );
    server.post(&silence).await;
}
