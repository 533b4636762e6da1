//! How is a server asked? Raw HTTP, so that what is compared is what goes over
//! the wire.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Certificate, Client, Method, Url};
use serde_json::{Value, json};
use silenced::memory::Version;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, sleep_until};

use super::kind::Kind;

/// A server under contract.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) kind: Kind,
    /// Of Alertmanager, or of what the server has built in or behind it.
    pub(super) version: Version,
    /// How many nodes it says are in its cluster; none without one.
    pub(super) peers: usize,
    /// Every silence of this run says so in a label.
    pub(super) run: Arc<str>,
    base_url: String,
    client: Client,
    /// Whom to trust, if not the system.
    authority: Option<Certificate>,
    /// If others use the server too.
    manners: Option<Manners>,
}

/// How a server that others use is asked.
#[derive(Clone)]
struct Manners {
    pace: Duration,
    /// After a write, until the replicas behind one address agree.
    replication: Duration,
    next: Arc<Mutex<Instant>>,
}

/// The label of the silences that a run makes. No alert has it, so they mute
/// nothing.
pub(super) const LABEL: &str = "silenced_contract";
/// Between two requests to a server that others use: 40 in a second are few for
/// a server that many browsers ask.
const PACE: Duration = Duration::from_millis(25);
/// Replicas tell each other at once what was written.
const REPLICATION: Duration = Duration::from_millis(100);

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) kind: Kind,
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

pub(super) const SILENCES: &str = "/api/v2/silences";
/// A UUID that no server gives.
pub(super) const UNKNOWN_ID: &str = "00000000-0000-0000-0000-000000000000";

impl Server {
    pub(super) fn new(version: Version, base_url: String) -> Self {
        Self::with_access(HeaderMap::new(), None, version, base_url)
    }

    /// A server that wants these headers, or has a certificate of this authority.
    pub(super) fn with_access(
        headers: HeaderMap,
        authority: Option<Certificate>,
        version: Version,
        base_url: String,
    ) -> Self {
        Self {
            kind: Kind::Alertmanager,
            version,
            peers: 0,
            run: "test".into(),
            base_url,
            client: client(headers, authority.as_ref()),
            authority,
            manners: None,
        }
    }

    /// The same for somebody without credentials and tenant.
    pub(super) fn as_stranger(&self) -> Self {
        self.asked_with(HeaderMap::new())
    }

    /// The same for another tenant, without credentials.
    pub(super) fn as_tenant(&self, tenant: &str) -> Self {
        let headers = HeaderMap::from_iter([(
            HeaderName::from_static("x-scope-orgid"),
            tenant.parse().unwrap(),
        )]);
        self.asked_with(headers)
    }

    fn asked_with(&self, headers: HeaderMap) -> Self {
        Self {
            client: client(headers, self.authority.as_ref()),
            ..self.clone()
        }
    }

    /// The same as another kind.
    pub(super) fn of_kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// Whether others use it.
    pub(super) fn is_shared(&self) -> bool {
        self.manners.is_some()
    }

    /// The same as others use it: with silences of this run alone, and slowly
    /// unless it only stands for such a server.
    pub(super) fn shared_with_others(mut self, run: &str, is_ours: bool) -> Self {
        let (pace, replication) = if is_ours {
            (Duration::ZERO, Duration::ZERO)
        } else {
            (PACE, REPLICATION)
        };
        self.run = run.into();
        self.manners = Some(Manners {
            pace,
            replication,
            next: Arc::new(Mutex::new(Instant::now())),
        });
        self
    }

    /// `Err` if the connection broke off without an answer.
    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Result<Answer, reqwest::Error> {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let body = body.into();
        if let Some(manners) = &self.manners {
            assert!(
                method != Method::POST || self.is_harmless(body.as_bytes().unwrap_or_default()),
                "a silence without this run's label is not sent to a server that others use"
            );
            let mut next = manners.next.lock().await;
            sleep_until(*next).await;
            *next = Instant::now() + manners.pace;
        }
        let is_read = method == Method::GET;
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.base_url))
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await?;
        if let Some(manners) = &self.manners
            && self.kind.has_replicas()
            && !is_read
        {
            sleep(manners.replication).await;
        }
        Ok(Answer {
            kind: self.kind,
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await?,
        })
    }

    pub(super) async fn request(&self, method: &str, path: &str) -> Answer {
        self.send(method, path, &[], "").await.unwrap()
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.request("GET", path).await
    }

    pub(super) async fn post_bytes(&self, body: impl Into<reqwest::Body>) -> Answer {
        let json = [("content-type", "application/json")];
        self.send("POST", SILENCES, &json, body).await.unwrap()
    }

    pub(super) async fn post(&self, silence: &Value) -> Answer {
        self.post_bytes(silence.to_string()).await
    }

    pub(super) async fn delete(&self, id: &str) -> Answer {
        self.request("DELETE", &format!("/api/v2/silence/{id}"))
            .await
    }

    /// Posts what must be accepted; returns the id.
    pub(super) async fn put(&self, silence: &Value) -> String {
        self.post(silence).await.accepted()
    }

    /// The silence of that id, which must be there.
    pub(super) async fn silence(&self, id: &str) -> Value {
        let answer = self.get(&format!("/api/v2/silence/{id}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// The state of the silence of that id.
    pub(super) async fn state(&self, id: &str) -> String {
        text(&self.silence(id).await["status"]["state"])
    }

    pub(super) async fn filter(&self, filters: &[&str]) -> Answer {
        let pairs = filters.iter().map(|filter| ("filter", filter));
        let url = Url::parse_with_params("http://x/", pairs).unwrap();
        self.get(&format!("{SILENCES}?{}", url.query().unwrap()))
            .await
    }

    /// The ids of the silences that [`silence`] made for `case`, as listed.
    pub(super) async fn ids_of(&self, case: &str) -> Vec<String> {
        let listed = self.filter(&[&self.filter_of(case)]).await.json();
        let listed = listed.as_array().unwrap().iter();
        listed.map(|silence| text(&silence["id"])).collect()
    }

    /// The filter that finds the silences of a case.
    pub(super) fn filter_of(&self, case: &str) -> String {
        format!("{LABEL}=\"{}-{case}\"", self.run)
    }

    /// The matcher that every silence of a case has.
    pub(super) fn mark(&self, case: &str) -> Value {
        matcher(LABEL, "=", &format!("{}-{case}", self.run))
    }

    /// Whether a silence as it was listed is one of this run.
    pub(super) fn made(&self, silence: &Value) -> bool {
        let matchers = silence["matchers"].as_array();
        matchers.is_some_and(|matchers| matchers.iter().any(|matcher| self.is_mark(matcher)))
    }

    fn is_mark(&self, matcher: &Value) -> bool {
        let value = matcher["value"].as_str().unwrap_or_default();
        let is_positive = ["isEqual", "isequal"]
            .iter()
            .all(|key| matcher[key] != false);
        let is_literal = ["isRegex", "isregex"]
            .iter()
            .all(|key| matcher[key] != true);
        let of_run = value.starts_with(&format!("{}-", self.run));
        matcher["name"] == LABEL && is_positive && is_literal && of_run
    }

    /// Whether a body makes no silence, or one with the label of this run. Keys
    /// count in any case.
    fn is_harmless(&self, body: &[u8]) -> bool {
        let text = String::from_utf8_lossy(body).to_lowercase();
        let mut values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
        let Some(Ok(silence)) = values.next() else {
            // Go reads some of what is no JSON to others.
            return !text.contains("matchers") || text.contains(&format!("\"{}-", self.run));
        };
        let matchers = silence["matchers"].as_array();
        matchers.is_none_or(|matchers| {
            let is_text =
                |matcher: &Value| matcher["name"].is_string() && matcher["value"].is_string();
            !matchers.iter().all(is_text) || matchers.is_empty() || self.made(&silence)
        })
    }

    /// A silence that runs now and for an hour, found by [`Self::ids_of`].
    pub(super) fn silence_of(&self, case: &str) -> Value {
        json!({
            "matchers": [self.mark(case)],
            "startsAt": in_seconds(-60), "endsAt": in_seconds(3600),
            "createdBy": "contract suite of silenced", "comment": case,
        })
    }

    /// A silence that starts in an hour and runs for one.
    pub(super) fn pending(&self, case: &str) -> Value {
        let pending = json!({"startsAt": in_seconds(3600), "endsAt": in_seconds(7200)});
        with(&self.silence_of(case), &pending)
    }

    /// Whether annotations come back: since 0.32; Grafana and Mimir have a fork
    /// without them, and Grafana's proxy reads and writes silences by the model
    /// of that fork.
    pub(super) fn keeps_annotations(&self) -> bool {
        match self.kind {
            Kind::Alertmanager | Kind::Cortex => self.is_since(Version::V0_33),
            Kind::Grafana | Kind::GrafanaDataSource | Kind::Mimir => false,
        }
    }

    /// Whether label names may be any text: since 0.27; Mimir and Cortex are in
    /// classic mode unless they are told otherwise.
    pub(super) fn has_utf8_names(&self) -> bool {
        !self.kind.has_replicas() && self.is_since(Version::V0_28)
    }

    /// Whether the server is of this release or a later one.
    pub(super) fn is_since(&self, version: Version) -> bool {
        self.version >= version
    }
}

fn client(headers: HeaderMap, authority: Option<&Certificate>) -> Client {
    let mut client = Client::builder().default_headers(headers).no_proxy();
    if let Some(authority) = authority {
        client = client.tls_certs_only([authority.clone()]);
    }
    client.build().unwrap()
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The id of a silence that was taken.
    #[track_caller]
    pub(super) fn accepted(&self) -> String {
        assert_eq!(self.status, self.kind.accepted(), "{self:?}");
        text(&self.json()["silenceID"])
    }

    /// Asserts `{"code": .., "message": ..}`, the body of go-openapi's errors.
    #[track_caller]
    pub(super) fn refused_with_object(&self, status: u16, code: u16, message: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        let body = self.json();
        assert_eq!(body["code"], code, "{self:?}");
        let said = text(&body["message"]);
        assert!(said.contains(message), "`{message}` is not in `{said}`");
    }

    /// Asserts a JSON string, the body of Alertmanager's errors.
    #[track_caller]
    pub(super) fn refused_with_text(&self, status: u16, message: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        let said = text(&self.json());
        assert!(said.contains(message), "`{message}` is not in `{said}`");
    }
}

#[track_caller]
pub(super) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

pub(crate) fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// Now and so many milliseconds, with all nine digits.
pub(super) fn in_milliseconds(milliseconds: i64) -> String {
    let at = now() + TimeDelta::milliseconds(milliseconds);
    at.to_rfc3339_opts(SecondsFormat::Nanos, true)
}

/// Now and so many seconds, in whole seconds as silenced sends them.
pub(super) fn in_seconds(seconds: i64) -> String {
    let at = now() + TimeDelta::seconds(seconds);
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

pub(super) fn matcher(name: &str, operator: &str, value: &str) -> Value {
    json!({
        "name": name, "value": value,
        "isRegex": operator.ends_with('~'), "isEqual": operator.starts_with('='),
    })
}

/// `value` with the keys of `changes` in place of its own.
pub(super) fn with(value: &Value, changes: &Value) -> Value {
    let mut result = value.clone();
    for (key, change) in changes.as_object().unwrap() {
        result[key] = change.clone();
    }
    result
}

/// `value` without one key.
pub(super) fn without(value: &Value, key: &str) -> Value {
    let mut result = value.clone();
    result.as_object_mut().unwrap().remove(key).unwrap();
    result
}
