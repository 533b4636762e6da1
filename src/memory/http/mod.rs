//! How does it answer over HTTP? Alertmanager's API v2 around a
//! [`MemoryAlertmanager`], a member of a [`Cluster`](super::Cluster), or other
//! [`Silences`]: its routes, status codes and bodies.

mod credentials;
mod refusal;
mod request;
mod silences;

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;

use crate::silence::SilenceId;

use super::error::PostError;
use super::filter::Filter;
use super::wire::{GettableSilence, read_silence};
use super::{MemoryAlertmanager, Settings, Version};
use refusal::{HangUp, Refusal};
use request::{check_accept, check_content_type, is_uuid, percent_decode};

pub use credentials::Password;
pub(super) use credentials::bearer_token;
pub(super) use request::query_values;
pub(super) use silences::lock;
pub use silences::{ClusterMember, SharedCluster, Silences};

/// The largest body of a POST. Alertmanager has no limit and has been seen to
/// take 32 MB; this is twice as much, and a silence of silenced is under 1 kB.
pub const LARGEST_BODY: usize = 64 * 1024 * 1024;

/// The server as its router and its owner share it.
pub type SharedAlertmanager = Arc<Mutex<MemoryAlertmanager>>;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// What answers requests, without a socket.
pub type Handler = Arc<dyn Fn(Request) -> Answering + Send + Sync>;
/// An answer to come.
pub type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

/// Serves `silences` by the clock `now`: `/api/v2/silences`,
/// `/api/v2/silence/{id}`, `/api/v2/status`, `/-/ready` and `/-/healthy`.
pub fn router(
    silences: Arc<impl Silences + 'static>,
    now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static,
) -> Router {
    let api = Api::new(silences, Arc::new(now));
    Router::new()
        .route("/-/ready", get(|| async { "OK" }))
        .route("/-/healthy", get(|| async { "OK" }))
        .fallback(async |State(api): State<Api>, request: Request| api.answer(request).await)
        .with_state(api)
}

/// [`router`] without the probes, for a proxy before it.
pub fn api(
    silences: Arc<dyn Silences>,
    now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static,
) -> Handler {
    let api = Api::new(silences, Arc::new(now));
    Arc::new(move |request| -> Answering {
        let api = api.clone();
        Box::pin(async move { api.answer(request).await })
    })
}

/// The API v2 of an Alertmanager, without what is around it.
#[derive(Clone)]
pub(super) struct Api {
    silences: Arc<dyn Silences>,
    now: Clock,
    started_at: DateTime<Utc>,
    settings: Settings,
    version: Version,
}

pub(super) enum Resource {
    Silences,
    Silence(String),
    Status,
}

impl Resource {
    /// What `path` below `/api/v2/` names; one slash at the end is let pass.
    pub(super) fn at(path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        match path.split_once('/') {
            None if path == "silences" => Some(Self::Silences),
            None if path == "status" => Some(Self::Status),
            Some(("silence", id)) if !id.is_empty() && !id.contains('/') => {
                Some(Self::Silence(percent_decode(id)?))
            }
            _ => None,
        }
    }

    const fn methods(&self) -> &'static str {
        match self {
            Self::Silences => "GET,POST",
            Self::Silence(_) => "GET,DELETE",
            Self::Status => "GET",
        }
    }
}

impl Api {
    pub(super) fn new(silences: Arc<dyn Silences>, now: Clock) -> Self {
        let settings = silences.settings();
        Self {
            silences,
            started_at: now(),
            now,
            version: settings.version,
            settings,
        }
    }

    /// Answers a request whose path begins with `/api/`.
    pub(super) async fn answer(&self, request: Request) -> Response {
        if !self.silences.is_up() {
            return Response::new(Body::new(HangUp));
        }
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        let in_api = path.strip_prefix("/api/v2/");
        let answer = match (in_api, in_api.and_then(Resource::at)) {
            (None, _) if path.starts_with("/api/v1/") && self.version.has_only_api_v2() => {
                Err(Refusal::RemovedApi)
            }
            (None, _) => Err(Refusal::OutsideApi),
            (Some(_), None) => Err(Refusal::Path(path.to_owned())),
            (Some(_), Some(resource)) => self.answer_at(resource, &parts, body).await,
        };
        let mut response = answer.unwrap_or_else(|refusal| {
            self.silences.count_refused();
            refusal.into_response()
        });
        if in_api.is_some() && self.version.forbids_caching() {
            let no_store = HeaderValue::from_static("no-store");
            response
                .headers_mut()
                .insert(header::CACHE_CONTROL, no_store);
        }
        response
    }

    async fn answer_at(
        &self,
        resource: Resource,
        parts: &Parts,
        body: Body,
    ) -> Result<Response, Refusal> {
        let allowed = resource.methods();
        if !allowed.split(',').any(|method| parts.method == method) {
            let method = parts.method.clone();
            return Err(Refusal::Method { method, allowed });
        }
        // The answer's type is negotiated only where the request has no body.
        if body.is_end_stream() {
            check_accept(parts, self.version)?;
        } else {
            check_content_type(parts)?;
        }
        let body = to_bytes(body, LARGEST_BODY)
            .await
            .map_err(|_| Refusal::Body)?;
        // After the body has come, however long that took.
        let now = (self.now)();
        Ok(match (resource, &parts.method) {
            (Resource::Silences, &Method::POST) => self.post(&body, now)?,
            (Resource::Silences, _) => self.list(parts.uri.query().unwrap_or_default(), now)?,
            (Resource::Silence(id), &Method::DELETE) => self.delete(&self.read_id(id)?, now),
            (Resource::Silence(id), _) => self.get(&self.read_id(id)?, now),
            (Resource::Status, _) => self.status(),
        })
    }

    fn list(&self, query: &str, now: DateTime<Utc>) -> Result<Response, Refusal> {
        let filters = query_values(query, "filter")
            .map(|text| Filter::parse(&text, &self.settings))
            .collect::<Result<Vec<_>, _>>()
            .map_err(Refusal::Filter)?;
        let found = self.silences.list(&filters, now);
        let found: Vec<_> = found
            .iter()
            .map(|silence| GettableSilence::new(silence, now))
            .collect();
        Ok(json_body(StatusCode::OK, &found))
    }

    fn get(&self, id: &SilenceId, now: DateTime<Utc>) -> Response {
        match self.silences.get(id, now) {
            Some(silence) => json_body(StatusCode::OK, &GettableSilence::new(&silence, now)),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }

    fn delete(&self, id: &SilenceId, now: DateTime<Utc>) -> Response {
        match self.silences.delete(id, now) {
            Ok(()) => StatusCode::OK.into_response(),
            Err(_) if self.version.deletes_unknown_as_not_found() => {
                StatusCode::NOT_FOUND.into_response()
            }
            Err(unknown) => json_body(StatusCode::INTERNAL_SERVER_ERROR, &unknown.to_string()),
        }
    }

    fn post(&self, body: &[u8], now: DateTime<Utc>) -> Result<Response, Refusal> {
        let posted = read_silence(body, &self.settings).map_err(Refusal::Silence)?;
        Ok(match self.silences.post(posted, now) {
            Ok(id) => json_body(StatusCode::OK, &json!({ "silenceID": id })),
            Err(error) => {
                let status = match error {
                    PostError::NotFound => StatusCode::NOT_FOUND,
                    _ => StatusCode::BAD_REQUEST,
                };
                json_body(status, &error.to_string())
            }
        })
    }

    fn status(&self) -> Response {
        let peers = self.silences.peers();
        let state = if peers.is_empty() {
            "disabled"
        } else {
            "ready"
        };
        let peers = peers
            .iter()
            .map(|name| json!({"name": name, "address": name}));
        let config = "route:\n  receiver: none\nreceivers:\n- name: none\n";
        let status = json!({
            "cluster": {"peers": peers.collect::<Vec<_>>(), "status": state},
            "config": {"original": config},
            "uptime": self.started_at.to_rfc3339_opts(SecondsFormat::Millis, true),
            "versionInfo": {
                "branch": "", "buildDate": "", "buildUser": "", "goVersion": "",
                "revision": "in memory", "version": self.version.number(),
            },
        });
        json_body(StatusCode::OK, &status)
    }

    /// Any spelling of a UUID is let pass, and then compared letter by letter.
    fn read_id(&self, id: String) -> Result<SilenceId, Refusal> {
        let bare = if self.version.reads_decorated_ids() {
            id.strip_prefix("urn:uuid:")
                .or_else(|| id.strip_prefix('{')?.strip_suffix('}'))
                .unwrap_or(&id)
        } else {
            &id
        };
        if is_uuid(bare) {
            Ok(SilenceId::new(id))
        } else {
            Err(Refusal::Id(id))
        }
    }
}

/// A value and the line feed with which Go's encoder ends it.
pub(super) fn json_body(status: StatusCode, value: &impl serde::Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(mut bytes) => {
            bytes.push(b'\n');
            json_bytes(status, bytes)
        }
        // Unreachable with the types of this module, whose keys are all texts.
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn json_bytes(status: StatusCode, body: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
