//! Which requests do not reach the silences, and what are they told?

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::{LARGEST_BODY, json_body, json_bytes};
use crate::memory::filter::InvalidFilter;
use crate::memory::wire::BodyError;

/// A request that is answered without a look at the silences.
pub(super) enum Refusal {
    /// The path is none of the API's.
    OutsideApi,
    /// The path is one of API v1.
    RemovedApi,
    /// The API has nothing there.
    Path(String),
    /// Something is there, for other methods.
    Method {
        method: Method,
        allowed: &'static str,
    },
    /// The body is of another type.
    ContentType(String),
    /// The client takes no JSON.
    Accept,
    /// The body is too large or broke off.
    Body,
    /// The body is no silence.
    Silence(BodyError),
    /// A filter cannot be read.
    Filter(InvalidFilter),
    /// The id in the path is no UUID.
    Id(String),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::RemovedApi => {
                let note = json!({
                    "status": "deprecated",
                    "error": "The Alertmanager v1 API was deprecated in version 0.16.0 and is \
                        removed as of version 0.27.0 - please use the equivalent route in the v2 \
                        API",
                });
                json_body(StatusCode::GONE, &note)
            }
            Self::OutsideApi => (StatusCode::NOT_FOUND, "404 page not found\n").into_response(),
            Self::Path(path) => {
                let message = format!("path {path} was not found");
                object(StatusCode::NOT_FOUND, 404, &message)
            }
            Self::Method { method, allowed } => {
                let message = format!("method {method} is not allowed, but [{allowed}] are");
                let mut response = object(StatusCode::METHOD_NOT_ALLOWED, 405, &message);
                let allowed = HeaderValue::from_static(allowed);
                response.headers_mut().insert(header::ALLOW, allowed);
                response
            }
            Self::ContentType(media) => {
                let message = format!(
                    "unsupported media type {media:?}, only [application/json] are allowed"
                );
                object(StatusCode::UNSUPPORTED_MEDIA_TYPE, 415, &message)
            }
            Self::Accept => {
                let message =
                    "unsupported media type requested, only [application/json] are available";
                object(StatusCode::NOT_ACCEPTABLE, 406, message)
            }
            Self::Body => {
                let message = format!("the body is over {LARGEST_BODY} bytes, or broke off\n");
                (StatusCode::PAYLOAD_TOO_LARGE, message).into_response()
            }
            Self::Silence(error) => {
                let (status, code) = match error {
                    BodyError::Malformed(_) => (StatusCode::BAD_REQUEST, 400),
                    BodyError::Required(_) => (StatusCode::UNPROCESSABLE_ENTITY, 602),
                    BodyError::NoMatchers => (StatusCode::UNPROCESSABLE_ENTITY, 612),
                    BodyError::NullMatcher => return Response::new(Body::new(HangUp)),
                };
                object(status, code, &error.to_string())
            }
            Self::Filter(error) => json_body(StatusCode::BAD_REQUEST, &error.to_string()),
            Self::Id(id) => {
                let message = format!("silenceID in path must be of type uuid: {id:?}");
                object(StatusCode::UNPROCESSABLE_ENTITY, 601, &message)
            }
        }
    }
}

/// The body of go-openapi's own errors; Alertmanager's are JSON strings.
fn object(status: StatusCode, code: u16, message: &str) -> Response {
    let body = json!({"code": code, "message": message});
    json_bytes(status, body.to_string().into_bytes())
}

/// A body that fails before its first byte, whereupon the connection is closed
/// and nothing of the answer has been sent: what a panic in a Go handler does.
pub(super) struct HangUp;

impl http_body::Body for HangUp {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, BodyError>>> {
        Poll::Ready(Some(Err(BodyError::NullMatcher)))
    }
}
