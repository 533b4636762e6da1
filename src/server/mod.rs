//! How is it reached? The routes, and the limits on those who call them.

mod activity;
mod authorisation;
mod connections;
mod page;
mod stream;
mod sync;
mod timeline;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, watch};

pub use authorisation::Authorisation;
pub use connections::MOST_CONNECTIONS;

use crate::clock::Clock;
use crate::daemon::Handle;
use crate::telemetry::Metrics;

/// Requests for the page and the status at once: reads of memory, of 1 MB at most
/// each for a thousand targets.
const MOST_REQUESTS: usize = 32;

/// Requests for a plan or a timeline at once. One is written out, the others wait
/// for that or are being sent, in up to 27 MB each.
const MOST_LONG_ANSWERS: usize = 4;

/// Requests for the metrics at once, apart from all others, so that we are watched
/// also when people ask too much: a pair of Prometheus servers, and two more. 0.8 MB
/// each for a thousand targets.
const MOST_SCRAPES: usize = 4;

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
            waiters: Semaphore::new(sync::MOST_WAITERS),
            long_answer: Arc::default(),
        }))
    }
}

/// Answers until `stop` turns true, then ends the requests under way.
pub async fn serve(listener: TcpListener, state: AppState, stop: watch::Receiver<bool>) {
    connections::serve(listener, router(state), stop).await;
}

/// The routes. None reads a body; one that did not come with the head ends the
/// connection.
fn router(state: AppState) -> Router {
    let shown = Router::new()
        .route("/", get(page::page))
        .route("/api/v1/status", get(status));
    let long = Router::new()
        .route("/api/v1/plan", get(plan))
        .route("/api/v1/timeline", get(timeline::timeline));
    let scraped = Router::new().route("/metrics", get(metrics));
    Router::new()
        .merge(limited(shown, MOST_REQUESTS))
        .merge(limited(long, MOST_LONG_ANSWERS))
        .merge(limited(scraped, MOST_SCRAPES))
        // Without a limit: a busy server is alive, and as ready as before.
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/sync", post(sync::sync))
        .route("/suspend", post(sync::suspend))
        .route("/resume", post(sync::resume))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::map_response(harden))
        .with_state(state)
}

/// Routes with so many places in all. Who has one keeps it until the answer is sent,
/// and who finds none is sent away.
fn limited(routes: Router<AppState>, places: usize) -> Router<AppState> {
    let places = Arc::new(Semaphore::new(places));
    routes.layer(middleware::from_fn_with_state(places, limit))
}

/// An answer for machines that is also readable for people.
fn problem(status: StatusCode, message: &str) -> Response {
    json_response(status, &json!({ "error": message }))
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    let content_type = HeaderValue::from_static("application/json");
    (status, [(CONTENT_TYPE, content_type)], format!("{body}\n")).into_response()
}

async fn limit(State(places): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    let Ok(place) = places.try_acquire_owned() else {
        let message = "too many requests at once, try again";
        let mut refusal = problem(StatusCode::SERVICE_UNAVAILABLE, message);
        let second = HeaderValue::from_static("1");
        refusal.headers_mut().insert(RETRY_AFTER, second);
        return refusal;
    };
    let (head, body) = next.run(request).await.into_parts();
    // It is in memory already.
    match to_bytes(body, usize::MAX).await {
        Ok(bytes) => {
            let bytes = Bytes::from_owner(Placed {
                bytes,
                _place: place,
            });
            Response::from_parts(head, Body::from(bytes))
        }
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// An answer with its place, which is free again once the kernel has all of it.
struct Placed {
    bytes: Bytes,
    _place: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Placed {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
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
