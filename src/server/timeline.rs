//! When will what be silent? Every declaration's intervals over a range.

use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::{AppState, json_response, problem, written_out};
use crate::declaration::expansion;
use crate::interval::Interval;
use crate::timestamp::Timestamp;

/// The longest range: a year and a day. A schedule with a window a minute has half
/// a million in that, which are looked at, in 10 MB, before they are too many.
const LONGEST_RANGE: Duration = Duration::from_hours(8784);

/// The most that is answered: more than a year of 10,000 declarations with a window
/// a week.
const MOST_INTERVALS: usize = 600_000;

/// What is shown without `to`.
const DEFAULT_RANGE: Duration = Duration::from_hours(168);

#[derive(Debug, Deserialize)]
pub(super) struct TimelineQuery {
    from: Option<String>,
    to: Option<String>,
}

pub(super) async fn timeline(
    State(state): State<AppState>,
    Query(query): Query<TimelineQuery>,
) -> Response {
    let range = match range(&query, state.0.clock.now()) {
        Ok(range) => range,
        Err(message) => return problem(StatusCode::BAD_REQUEST, &message),
    };
    let (pass, tzdata) = {
        let status = state.0.handle.status.borrow();
        (status.pass.clone(), status.tzdata.clone())
    };
    let Some(pass) = pass else {
        return problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "the first pass has not ended yet",
        );
    };
    let expanding = move || {
        let silences = &pass.declarations.silences;
        let tzdata = (&*tzdata.0, &*tzdata.1);
        match expansion::to_json(silences, range, tzdata, MOST_INTERVALS) {
            Ok(body) => json_response(StatusCode::OK, &body),
            Err(error) => problem(StatusCode::BAD_REQUEST, &error.to_string()),
        }
    };
    written_out(&state, expanding).await
}

fn range(query: &TimelineQuery, now: Timestamp) -> Result<Interval, String> {
    let instant = |name: &str, text: &Option<String>, default: Timestamp| match text {
        None => Ok(default),
        Some(text) => {
            Timestamp::parse_or_midnight(text).map_err(|error| format!("`{name}`: {error}"))
        }
    };
    let from = instant("from", &query.from, now)?;
    let to = instant("to", &query.to, from.plus(DEFAULT_RANGE))?;
    let range = Interval::new(from, to).ok_or("`to` must be after `from`")?;
    if to.since(from) > LONGEST_RANGE {
        return Err("the range must not be longer than 366 days".to_owned());
    }
    Ok(range)
}
