//! What do the declarations come to? Their intervals over a range, the same
//! for `silenced expand`, the timeline and the tests.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Declaration;
use crate::interval::Interval;

/// The body of `silenced expand --format json`: every declaration, those
/// without an interval too; intervals are clipped to `range`. `tzdata` is
/// the release of the zone data, with where it came from.
pub fn to_json<'a>(
    declarations: impl IntoIterator<Item = &'a Arc<Declaration>>,
    range: Interval,
    (tzdata, origin): (&str, &str),
) -> Value {
    let silences: Vec<Value> = declarations
        .into_iter()
        .map(|declaration| {
            let intervals: Vec<_> = declaration
                .schedule
                .expand(range)
                .iter()
                .map(|interval| (interval.start(), interval.end()))
                .collect();
            json!({ "name": declaration.name, "intervals": intervals })
        })
        .collect();
    json!({ "from": range.start(), "to": range.end(), "tzdata": tzdata, "tzdata_origin": origin, "silences": silences })
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
