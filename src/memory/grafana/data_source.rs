//! What comes through Grafana's proxy? Another Alertmanager's answers, read and
//! written anew by Grafana (`pkg/services/ngalert/api/lotex_am.go`, `withReq` of
//! `util.go`).

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::super::http::{Handler, LARGEST_BODY, Resource, json_body};
use super::super::wire::without_annotations;
use super::Caller;
use super::permission::{Action, Scope};
use super::refusal::Refusal;

/// An Alertmanager that Grafana knows as a data source.
#[derive(Clone)]
pub struct DataSource {
    implementation: Implementation,
    backend: Handler,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What a data source says that it is; one that does not say is taken for
/// Cortex.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Implementation {
    /// Its API is at the root.
    Prometheus,
    /// Its API is below `/alertmanager`.
    Mimir,
    /// As Mimir.
    #[default]
    Cortex,
}

impl DataSource {
    /// A data source that is answered by `backend`.
    #[must_use]
    pub fn new(implementation: Implementation, backend: Handler) -> Self {
        Self {
            implementation,
            backend,
            headers: Vec::new(),
        }
    }

    /// Sends one more header with every request, such as the tenant.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(super) async fn answer(
        &self,
        uid: &str,
        caller: &Caller<'_>,
        resource: &Resource,
        request: Request,
    ) -> Result<Response, Refusal> {
        let method = request.method().clone();
        let action = match (resource, &method) {
            (Resource::Silences, &Method::POST) | (Resource::Silence(_), &Method::DELETE) => {
                Action::WriteExternal
            }
            (_, &Method::GET) => Action::ReadExternal,
            _ => return Err(Refusal::NoRoute),
        };
        let scope = Scope::DataSource(uid.to_owned());
        if !caller.permissions.has_for(action, &scope) {
            return Err(Refusal::AccessDenied(action.name()));
        }
        let uri = self.uri(resource, request.uri()).ok_or(Refusal::NoRoute)?;
        let body = to_bytes(request.into_body(), LARGEST_BODY).await;
        let body = body.map_err(|_| Refusal::unreadable())?;
        let body = if method == Method::POST {
            let silence = without_annotations(&body).ok_or_else(Refusal::unreadable)?;
            Body::from(silence.to_string())
        } else {
            Body::empty()
        };
        let mut onward = Request::new(body);
        onward.method_mut().clone_from(&method);
        *onward.uri_mut() = uri;
        if method == Method::POST {
            let json = HeaderValue::from_static("application/json");
            onward.headers_mut().insert(header::CONTENT_TYPE, json);
        }
        onward.headers_mut().extend(self.headers.iter().cloned());
        rewritten((self.backend)(onward).await, &method).await
    }

    /// Where the backend has it. The query goes along.
    fn uri(&self, resource: &Resource, asked: &Uri) -> Option<Uri> {
        let prefix = match self.implementation {
            Implementation::Prometheus => "",
            Implementation::Mimir | Implementation::Cortex => super::super::mimir::PREFIX,
        };
        let path = match resource {
            Resource::Silences => "silences".to_owned(),
            Resource::Silence(id) => format!("silence/{id}"),
            Resource::Status => "status".to_owned(),
        };
        let query = asked.query().map(|query| format!("?{query}"));
        let query = query.unwrap_or_default();
        format!("{prefix}/api/v2/{path}{query}").parse().ok()
    }
}

/// The backend's answer as Grafana passes it on.
async fn rewritten(response: Response, method: &Method) -> Result<Response, Refusal> {
    let status = response.status();
    let media = response.headers().get(header::CONTENT_TYPE);
    let media = media
        .and_then(|media| media.to_str().ok())
        .unwrap_or_default();
    let media = media.to_owned();
    let body = to_bytes(response.into_body(), LARGEST_BODY).await;
    let body =
        body.map_err(|_| Refusal::Plain(StatusCode::BAD_GATEWAY, "Bad Gateway".to_owned()))?;
    if status.is_client_error() || status.is_server_error() {
        return Err(Refusal::Plain(status, reason(status, &media, &body)));
    }
    if method == Method::DELETE {
        let said = String::from_utf8_lossy(&body);
        return Ok(json_body(status, &json!({ "message": said })));
    }
    let unusable = |reason| Refusal::Plain(StatusCode::INTERNAL_SERVER_ERROR, reason);
    if !media.contains("json") {
        let reason = format!("unexpected content type from upstream. expected JSON, got {media}");
        return Err(unusable(reason));
    }
    let mut value: Value =
        serde_json::from_slice(&body).map_err(|error| unusable(error.to_string()))?;
    forget_annotations(&mut value);
    Ok(json_body(status, &value))
}

/// The `message` of an object of JSON; never a web page; otherwise the body.
fn reason(status: StatusCode, media: &str, body: &[u8]) -> String {
    let said = String::from_utf8_lossy(body).into_owned();
    let said = if media.starts_with("application/json") {
        let object: Option<Value> = serde_json::from_slice(body).ok();
        let message = object.and_then(|object| object.get("message")?.as_str().map(str::to_owned));
        message.unwrap_or(said)
    } else if media.starts_with("text/html") {
        "redacted html".to_owned()
    } else {
        said
    };
    match status {
        StatusCode::NOT_FOUND if said.is_empty() => "Not Found".to_owned(),
        StatusCode::INTERNAL_SERVER_ERROR if said.is_empty() => "Internal Server Error".to_owned(),
        _ => said,
    }
}

/// Grafana's model of a silence has none.
fn forget_annotations(value: &mut Value) {
    match value {
        Value::Array(silences) => silences.iter_mut().for_each(forget_annotations),
        Value::Object(silence) => drop(silence.remove("annotations")),
        _ => {}
    }
}
