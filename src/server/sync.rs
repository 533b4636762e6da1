//! How is a pass asked for? The routes that change something.
//!
//! The work is never done in the request: it is put to the loop, and whoever
//! wants the result waits for the loop to publish it.

use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::{AppState, json_response, problem};
use crate::daemon::RequestId;
use crate::duration;
use crate::plan::Fingerprint;
use crate::reconcile::MOST_CONFIRMED;

/// Requests that wait at once. Each holds a connection and a few kilobytes.
pub(super) const MOST_WAITERS: usize = 64;

/// The longest wait: beyond any pass that will still end well, and below the
/// five to ten minutes after which most proxies give up.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// What a request to `/sync` says beyond "look again".
#[derive(PartialEq, Eq, Debug, Default)]
struct SyncQuery {
    /// How long to wait for the result.
    wait: Option<Duration>,
    /// The fingerprints of held plans that are to be carried out.
    confirmed: Vec<Fingerprint>,
}

impl SyncQuery {
    /// Reads the parameters; `confirm` may be repeated, and hold several with
    /// commas between them. Others are ignored.
    fn read(parameters: &[(String, String)]) -> Result<Self, String> {
        let mut query = Self::default();
        for (name, value) in parameters {
            match name.as_str() {
                "wait" => query.wait = Some(parse_wait(value)?),
                "confirm" => {
                    let fingerprints = value.split(',').map(str::trim);
                    for text in fingerprints.filter(|text| !text.is_empty()) {
                        let fingerprint = Fingerprint::parse(text)
                            .map_err(|error| format!("`confirm`: `{text}`: {error}"))?;
                        query.confirmed.push(fingerprint);
                    }
                }
                _ => {}
            }
        }
        if query.confirmed.len() > MOST_CONFIRMED {
            return Err(format!(
                "`confirm`: more than {MOST_CONFIRMED} fingerprints"
            ));
        }
        Ok(query)
    }
}

pub(super) async fn sync(
    State(state): State<AppState>,
    headers: HeaderMap,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Response {
    if let Err(denied) = authorise(&state, &headers) {
        return denied;
    }
    let query = match SyncQuery::read(&parameters) {
        Ok(query) => query,
        Err(message) => return problem(StatusCode::BAD_REQUEST, &message),
    };
    let id = state.0.handle.trigger.request(query.confirmed);
    answer(&state, id, query.wait).await
}

pub(super) async fn suspend(State(state): State<AppState>, headers: HeaderMap) -> Response {
    set_suspended(&state, &headers, true)
}

pub(super) async fn resume(State(state): State<AppState>, headers: HeaderMap) -> Response {
    set_suspended(&state, &headers, false)
}

fn set_suspended(state: &AppState, headers: &HeaderMap, suspended: bool) -> Response {
    if let Err(denied) = authorise(state, headers) {
        return denied;
    }
    let id = state.0.handle.suspend(suspended);
    tracing::warn!(suspended, "writing was switched by a request");
    json_response(
        StatusCode::ACCEPTED,
        &json!({ "id": id, "suspended": suspended }),
    )
}

#[expect(
    clippy::result_large_err,
    reason = "a response is what both arms come to"
)]
fn authorise(state: &AppState, headers: &HeaderMap) -> Result<(), Response> {
    use super::authorisation::Denied;
    state.0.authorisation.check(headers).map_err(|denied| {
        let status = match denied {
            Denied::NotConfigured | Denied::OtherSite => StatusCode::FORBIDDEN,
            Denied::NoToken | Denied::WrongToken => StatusCode::UNAUTHORIZED,
            Denied::UnreadableFile => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let mut response = problem(status, denied.message());
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 15.5.2: a 401 names the scheme.
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        response
    })
}

/// 202 with the number, or the result once the pass that answers it has ended.
async fn answer(state: &AppState, id: RequestId, wait: Option<Duration>) -> Response {
    let accepted = json_response(StatusCode::ACCEPTED, &json!({ "id": id }));
    let Some(wait) = wait else {
        return accepted;
    };
    let Ok(_permit) = state.0.waiters.try_acquire() else {
        return accepted;
    };
    let mut status = state.0.handle.status.clone();
    let answered = status.wait_for(|status| status.answered >= id);
    let pass = match tokio::time::timeout(wait, answered).await {
        Ok(Ok(status)) => status.pass.clone(),
        // The wait is over, or the daemon is shutting down.
        _ => None,
    };
    pass.map_or(accepted, |pass| {
        json_response(StatusCode::OK, &pass.to_json(id))
    })
}

/// A duration such as `30s`, or `500ms`, which Prometheus has too and which
/// makes sense for a wait; cut to the longest that anybody may wait.
fn parse_wait(text: &str) -> Result<Duration, String> {
    let milliseconds = text.strip_suffix("ms").and_then(|count| count.parse().ok());
    milliseconds
        .map(Duration::from_millis)
        .map_or_else(|| duration::parse(text), Ok)
        .map(|wait| wait.min(LONGEST_WAIT))
        .map_err(|error| format!("`wait`: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_plans_are_confirmed_at_once() {
        let parameters = |query: &[(&str, &str)]| -> Vec<(String, String)> {
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            query.iter().map(own).collect()
        };
        let query = [
            ("confirm", "000000000000000a,000000000000000B"),
            ("wait", "1s"),
            ("confirm", "000000000000000c"),
            ("x", ""),
        ];
        let read = SyncQuery::read(&parameters(&query)).expect("valid");
        assert_eq!(read.wait, Some(Duration::from_secs(1)));
        let confirmed = ["a", "b", "c"].map(|digit| Fingerprint::new(format!("{digit:0>16}")));
        assert_eq!(read.confirmed, confirmed);
        assert_eq!(
            SyncQuery::read(&parameters(&[("confirm", "yes")])),
            Err("`confirm`: `yes`: copy the 16 digits that the plan shows".to_owned())
        );
        let many = "000000000000000a,".repeat(MOST_CONFIRMED + 1);
        let many = parameters(&[("confirm", many.as_str())]);
        assert_eq!(
            SyncQuery::read(&many),
            Err("`confirm`: more than 1000 fingerprints".to_owned())
        );
    }

    #[test]
    fn waits_are_read_and_bounded() {
        assert_eq!(parse_wait("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_wait("2m"), Ok(Duration::from_mins(2)));
        assert_eq!(parse_wait("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_wait("999999999999m"), Ok(LONGEST_WAIT));
        assert_eq!(
            parse_wait("soon"),
            Err("`wait`: `soon` is not a duration such as `90s`, `1h30m` or `2d`".to_owned())
        );
    }
}
