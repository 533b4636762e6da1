//! How is it reached? The routes, and the limits on those who call them.

mod authorisation;
mod page;
mod sync;
mod timeline;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Semaphore, watch};

pub use authorisation::Authorisation;

use crate::clock::Clock;
use crate::daemon::Handle;
use crate::stop::stopped;
use crate::telemetry::Metrics;

/// No route reads a body; what is sent along is refused beyond this.
const LARGEST_BODY: usize = 64 * 1024;

/// Requests in work at once. The dearest, plans and timelines, are written out one
/// at a time; the others are reads of memory.
const MOST_REQUESTS: usize = 32;

/// Holds in the answer to a request for the plan, of all targets together. A pass
/// keeps all of them; 0.2 kB each.
const MOST_HOLDS: usize = 20_000;

/// Everything that the routes need. Clones share it.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

struct Shared {
    handle: Handle,
    metrics: Arc<Metrics>,
    clock: Clock,
    authorisation: Authorisation,
    requests: Semaphore,
    waiters: Semaphore,
    /// Held while a long answer is written out.
    long_answer: Arc<Mutex<()>>,
}

impl AppState {
    /// Routes to the daemon behind `handle`.
    #[must_use]
    pub fn new(
        handle: Handle,
        metrics: Arc<Metrics>,
        clock: Clock,
        authorisation: Authorisation,
    ) -> Self {
        Self(Arc::new(Shared {
            handle,
            metrics,
            clock,
            authorisation,
            requests: Semaphore::new(MOST_REQUESTS),
            waiters: Semaphore::new(sync::MOST_WAITERS),
            long_answer: Arc::default(),
        }))
    }
}

/// Answers until `stop` turns true, then ends the requests under way.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    axum::serve(listener, router(state))
        .with_graceful_shutdown(async move { stopped(&stop).await })
        .await
}

/// The routes, for [`serve`] and for tests without a socket.
pub fn router(state: AppState) -> Router {
    let reading = Router::new()
        .route("/", get(page::page))
        .route("/api/v1/status", get(status))
        .route("/api/v1/plan", get(plan))
        .route("/api/v1/timeline", get(timeline::timeline))
        .route("/metrics", get(metrics))
        .route("/readyz", get(readyz))
        .layer(middleware::from_fn_with_state(state.clone(), limit));
    Router::new()
        .merge(reading)
        // Never behind the limit: a busy server is alive.
        .route("/healthz", get(healthz))
        .route("/sync", post(sync::sync))
        .route("/suspend", post(sync::suspend))
        .route("/resume", post(sync::resume))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(middleware::map_response(harden))
        .with_state(state)
}

/// An answer for machines that is also readable for people.
fn problem(status: StatusCode, message: &str) -> Response {
    json_response(status, &json!({ "error": message }))
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    let content_type = HeaderValue::from_static("application/json");
    (status, [(CONTENT_TYPE, content_type)], format!("{body}\n")).into_response()
}

async fn limit(State(state): State<AppState>, request: Request, next: Next) -> Response {
    match state.0.requests.try_acquire() {
        Ok(_permit) => next.run(request).await,
        Err(_) => problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many requests at once, try again",
        ),
    }
}

/// Nothing here is to be cached, framed, or sniffed for another type.
async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    headers.insert("x-frame-options", HeaderValue::from_static("DENY"));
    response
}

async fn status(State(state): State<AppState>) -> Response {
    // The loop must not wait until it is written out to publish the next.
    let status = state.0.handle.status.borrow().clone();
    json_response(StatusCode::OK, &status.to_json())
}

async fn plan(State(state): State<AppState>) -> Response {
    let pass = state.0.handle.status.borrow().pass.clone();
    match pass {
        Some(pass) => {
            let writing = move || json_response(StatusCode::OK, &pass.plan_to_json(MOST_HOLDS));
            written_out(&state, writing).await
        }
        None => problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "the first pass has not ended yet",
        ),
    }
}

/// The 20,000 actions that a pass keeps take a third of a second to write out, for
/// which probes must not wait, and 60 MB, so that it is done for one at a time, also
/// when those who asked do not wait for it.
async fn written_out(
    state: &AppState,
    writing: impl FnOnce() -> Response + Send + 'static,
) -> Response {
    let turn = Arc::clone(&state.0.long_answer).lock_owned().await;
    let in_turn = move || {
        let _turn = turn;
        writing()
    };
    let written = tokio::task::spawn_blocking(in_turn).await;
    written.unwrap_or_else(|error| problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()))
}

async fn metrics(State(state): State<AppState>) -> Response {
    let content_type =
        HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    ([(CONTENT_TYPE, content_type)], state.0.metrics.encode()).into_response()
}

async fn healthz(State(state): State<AppState>) -> Response {
    if state.0.handle.status.borrow().is_alive() {
        "ok\n".into_response()
    } else {
        let message = "the loop has not gone round for too long\n";
        (StatusCode::SERVICE_UNAVAILABLE, message).into_response()
    }
}

async fn readyz(State(state): State<AppState>) -> Response {
    if state.0.handle.status.borrow().is_ready() {
        "ok\n".into_response()
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "the first pass has not ended yet\n",
        )
            .into_response()
    }
}

async fn not_found() -> Response {
    problem(StatusCode::NOT_FOUND, "no such route")
}

async fn method_not_allowed() -> Response {
    problem(
        StatusCode::METHOD_NOT_ALLOWED,
        "this route takes another method",
    )
}
