//! What does chrono-tz say? Its zones as timelines: the last resort, for names
//! that no other copy has, and a second opinion for tests.
//!
//! chrono-tz has no list of changes, so they are found by looking at the offset
//! once a week and halving the week in which it differs. No zone changes twice
//! within a week and back; its data ends with the year 2099.

use chrono::{Offset, TimeZone};

use super::timeline::Timeline;
use crate::timestamp::Timestamp;

const WEEK: i64 = 7 * 86_400;

/// 2100-01-01T00:00:00Z: from here on chrono-tz knows no daylight saving.
const END: i64 = 4_102_444_800;

/// The offsets of a zone from 1970 to 2099.
pub(super) fn timeline(zone: chrono_tz::Tz) -> Timeline {
    let offset = |seconds: i64| {
        let utc = Timestamp::from_seconds(seconds).to_datetime().naive_utc();
        zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()
    };
    let changes = (0..END).step_by(604_800).filter_map(|monday| {
        let (mut before, mut after) = (monday, (monday + WEEK).min(END - 1));
        if offset(before) == offset(after) {
            return None;
        }
        while after - before > 1 {
            let middle = before.midpoint(after);
            if offset(middle) == offset(before) {
                before = middle;
            } else {
                after = middle;
            }
        }
        Some((after, offset(after)))
    });
    Timeline::new(offset(0), changes.collect::<Vec<_>>())
}
