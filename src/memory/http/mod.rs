//! How does it answer over HTTP? Alertmanager's API v2 around a
//! [`MemoryAlertmanager`]: its routes, status codes and bodies.

mod refusal;
mod request;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
use super::{MemoryAlertmanager, Version};
use refusal::Refusal;
use request::{check_accept, check_content_type, is_uuid, percent_decode, query_values};

/// The largest body of a POST. Alertmanager has no limit and has been seen to
/// take 32 MB; this is twice as much, and a silence of silenced is under 1 kB.
pub const LARGEST_BODY: usize = 64 * 1024 * 1024;

/// The server as its router and its owner share it.
pub type SharedAlertmanager = Arc<Mutex<MemoryAlertmanager>>;

type Clock = dyn Fn() -> DateTime<Utc> + Send + Sync;

#[derive(Clone)]
struct Server {
    alertmanager: SharedAlertmanager,
    now: Arc<Clock>,
    started_at: DateTime<Utc>,
    version: Version,
}

/// Serves `alertmanager` by the clock `now`: `/api/v2/silences`,
/// `/api/v2/silence/{id}`, `/api/v2/status`, `/-/ready` and `/-/healthy`.
pub fn router(
    alertmanager: SharedAlertmanager,
    now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static,
) -> Router {
    let version = lock(&alertmanager).version();
    let server = Server {
        alertmanager,
        started_at: now(),
        now: Arc::new(now),
        version,
    };
    Router::new()
        .route("/-/ready", get(|| async { "OK" }))
        .route("/-/healthy", get(|| async { "OK" }))
        .fallback(answer)
        .with_state(server)
}

/// A panic elsewhere while the lock was held is no reason to stop answering:
/// no method leaves a silence half written.
fn lock(alertmanager: &SharedAlertmanager) -> MutexGuard<'_, MemoryAlertmanager> {
    alertmanager.lock().unwrap_or_else(PoisonError::into_inner)
}

enum Resource {
    Silences,
    Silence(String),
    Status,
}

impl Resource {
    /// What `path` below `/api/v2/` names; one slash at the end is let pass.
    fn at(path: &str) -> Option<Self> {
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

async fn answer(State(server): State<Server>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let in_api = path.strip_prefix("/api/v2/");
    let answer = match (in_api, in_api.and_then(Resource::at)) {
        (None, _) if path.starts_with("/api/v1/") && server.version.has_only_api_v2() => {
            Err(Refusal::RemovedApi)
        }
        (None, _) => Err(Refusal::OutsideApi),
        (Some(_), None) => Err(Refusal::Path(path.to_owned())),
        (Some(_), Some(resource)) => server.answer(resource, &parts, body).await,
    };
    let mut response = answer.unwrap_or_else(|refusal| {
        lock(&server.alertmanager).count_refused();
        refusal.into_response()
    });
    if in_api.is_some() && server.version.forbids_caching() {
        let no_store = HeaderValue::from_static("no-store");
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, no_store);
    }
    response
}

impl Server {
    async fn answer(
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
            .map(|text| Filter::parse(&text, self.version))
            .collect::<Result<Vec<_>, _>>()
            .map_err(Refusal::Filter)?;
        let mut alertmanager = lock(&self.alertmanager);
        let found: Vec<_> = alertmanager
            .list(&filters, now)
            .into_iter()
            .map(|silence| GettableSilence::new(silence, now))
            .collect();
        Ok(json_body(StatusCode::OK, &found))
    }

    fn get(&self, id: &SilenceId, now: DateTime<Utc>) -> Response {
        match lock(&self.alertmanager).get(id, now) {
            Some(silence) => json_body(StatusCode::OK, &GettableSilence::new(silence, now)),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }

    fn delete(&self, id: &SilenceId, now: DateTime<Utc>) -> Response {
        match lock(&self.alertmanager).delete(id, now) {
            Ok(()) => StatusCode::OK.into_response(),
            Err(_) if self.version.deletes_unknown_as_not_found() => {
                StatusCode::NOT_FOUND.into_response()
            }
            Err(unknown) => json_body(StatusCode::INTERNAL_SERVER_ERROR, &unknown.to_string()),
        }
    }

    fn post(&self, body: &[u8], now: DateTime<Utc>) -> Result<Response, Refusal> {
        let posted = read_silence(body, self.version).map_err(Refusal::Silence)?;
        Ok(match lock(&self.alertmanager).post(posted, now) {
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
        let config = "route:\n  receiver: none\nreceivers:\n- name: none\n";
        let status = json!({
            "cluster": {"peers": [], "status": "disabled"},
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
fn json_body(status: StatusCode, value: &impl serde::Serialize) -> Response {
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
