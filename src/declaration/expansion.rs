//! What do the declarations come to? Their intervals over a range, the same
//! for `silenced expand`, the timeline and the tests.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Declaration;
use crate::interval::Interval;

/// More intervals than somebody wants to hold in memory.
#[derive(Debug, thiserror::Error)]
#[error("these are more than {0} intervals: ask for a shorter range")]
pub struct TooMany(usize);

/// The body of `silenced expand --format json`: every declaration, those
/// without an interval too, and with its [`state`] if that keeps it from becoming
/// silences; intervals are clipped to `range`. `tzdata` is the release of the zone
/// data, with where it came from.
///
/// With more than `most` intervals in all it ends soon after that many.
pub fn to_json<'a>(
    declarations: impl IntoIterator<Item = &'a Arc<Declaration>>,
    range: Interval,
    (tzdata, origin): (&str, &str),
    most: usize,
) -> Result<Value, TooMany> {
    let mut room = most;
    let expand = |declaration: &Arc<Declaration>| {
        let intervals = declaration.schedule.expand(range);
        room = room.checked_sub(intervals.len()).ok_or(TooMany(most))?;
        let intervals = intervals.iter();
        let intervals: Vec<_> = intervals
            .map(|interval| (interval.start(), interval.end()))
            .collect();
        let mut silence = json!({ "name": declaration.name, "intervals": intervals });
        if let Some(state) = state(declaration) {
            silence["state"] = state.into();
        }
        Ok(silence)
    };
    let silences: Vec<Value> = declarations
        .into_iter()
        .map(expand)
        .collect::<Result<_, _>>()?;
    Ok(
        json!({ "from": range.start(), "to": range.end(), "tzdata": tzdata, "tzdata_origin": origin, "silences": silences }),
    )
}

/// Why the intervals of a declaration become no silences at present, for people.
#[must_use]
pub fn state(declaration: &Declaration) -> Option<&'static str> {
    if !declaration.enabled {
        Some("disabled")
    } else if declaration.suspended {
        Some("suspended")
    } else {
        (!declaration.violations.is_empty()).then_some("held by policy")
    }
}
