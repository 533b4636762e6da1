//! How is a server asked? Raw HTTP, so that what is compared is what goes over
//! the wire.

use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use reqwest::header::HeaderMap;
use reqwest::{Client, ClientBuilder, Method, Url};
use serde_json::{Value, json};
use silenced::memory::Version;

/// A server under contract.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) version: Version,
    /// How many nodes it says are in its cluster; none without one.
    pub(super) peers: usize,
    base_url: String,
    client: Client,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

pub(super) const SILENCES: &str = "/api/v2/silences";
/// A UUID that no server gives.
pub(super) const UNKNOWN_ID: &str = "00000000-0000-0000-0000-000000000000";

impl Server {
    pub(super) fn new(version: Version, base_url: String) -> Self {
        Self::asked_by(Client::builder(), version, base_url)
    }

    /// A server that wants more of its clients than the others do.
    pub(super) fn asked_by(client: ClientBuilder, version: Version, base_url: String) -> Self {
        Self {
            version,
            peers: 0,
            base_url,
            client: client.no_proxy().build().unwrap(),
        }
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
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.base_url))
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await?;
        Ok(Answer {
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
        let listed = self.filter(&[&format!("case=\"{case}\"")]).await.json();
        let listed = listed.as_array().unwrap().iter();
        listed.map(|silence| text(&silence["id"])).collect()
    }

    /// Whether the server is of this release or a later one.
    pub(super) fn is_since(&self, version: Version) -> bool {
        self.version >= version
    }
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The id in a 200.
    #[track_caller]
    pub(super) fn accepted(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
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

pub(super) fn now() -> DateTime<Utc> {
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

/// A silence that runs now and for an hour, found by [`Server::ids_of`].
pub(super) fn silence(case: &str) -> Value {
    json!({
        "matchers": [matcher("case", "=", case)],
        "startsAt": in_seconds(-60), "endsAt": in_seconds(3600),
        "createdBy": "contract", "comment": case,
    })
}

/// A silence that starts in an hour and runs for one.
pub(super) fn pending(case: &str) -> Value {
    let pending = json!({"startsAt": in_seconds(3600), "endsAt": in_seconds(7200)});
    with(&silence(case), &pending)
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
