//! How does Grafana say no? One JSON object in three shapes, after
//! `pkg/api/response/response.go`, `pkg/apimachinery/errutil/errors.go` and, for
//! what the routes ask first, `pkg/services/accesscontrol/middleware.go`.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::super::http::json_body;

/// A request that is not carried out. But for the first and the last, an error
/// has a trace id, which is empty without tracing.
pub(super) enum Refusal {
    /// No route is there.
    NoRoute,
    /// `message` alone.
    Plain(StatusCode, String),
    /// A program can tell it by its `messageId`.
    Identified(StatusCode, &'static str, String),
    /// Asked by the route, to whom lacks every permission that might do; the
    /// permission that would.
    AccessDenied(&'static str),
}

impl Refusal {
    /// 400 for a body that is no silence by its types.
    pub(super) fn unreadable() -> Self {
        Self::Plain(StatusCode::BAD_REQUEST, "bad request data".to_owned())
    }

    /// 400 about a silence or a filter.
    pub(super) fn bad_request(message: String) -> Self {
        let id = "alerting.notifications.silences.badRequest";
        Self::Identified(StatusCode::BAD_REQUEST, id, message)
    }

    /// 404 about a silence.
    pub(super) fn silence_not_found(id: &str) -> Self {
        let message = format!("silence {id} not found");
        let id = "alerting.notifications.silences.notFound";
        Self::Identified(StatusCode::NOT_FOUND, id, message)
    }

    /// 401
    pub(super) fn unauthorised() -> Self {
        let message = "Unauthorized".to_owned();
        Self::Identified(StatusCode::UNAUTHORIZED, "auth.unauthorized", message)
    }

    /// 403 about one silence, to whom may handle others.
    pub(super) fn not_authorised(action: &str) -> Self {
        let message = format!("user is not authorized to {action}");
        Self::Identified(StatusCode::FORBIDDEN, "alerting.unauthorized", message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, body) = match self {
            Self::NoRoute => (StatusCode::NOT_FOUND, json!({"message": "Not found"})),
            Self::Plain(status, message) => (status, json!({"message": message, "traceID": ""})),
            Self::Identified(status, id, message) => {
                let body = json!({
                    "message": message,
                    "messageId": id,
                    "statusCode": status.as_u16(),
                    "traceID": "",
                });
                (status, body)
            }
            Self::AccessDenied(permission) => {
                let message = format!(
                    "You'll need additional permissions to perform this action. \
                     Permissions needed: {permission}"
                );
                let body = json!({
                    "accessErrorId": "ACE0000000000",
                    "message": message,
                    "title": "Access denied",
                });
                (StatusCode::FORBIDDEN, body)
            }
        };
        json_body(status, &body)
    }
}
