//! What does chrono-tz say? Its zones as timelines: the last resort, for names
//! that no other copy has, and a second opinion for tests.
//!
//! chrono-tz has no list of changes, so they are found by looking at the offset
//! every few days and halving those in which it differs. Its data ends with the
//! year 2099.

use chrono::{Offset, TimeZone};

use super::timeline::Timeline;
use crate::timestamp::Timestamp;

/// No zone changes within this time and back. It is less than a week: Gaza will
/// have a break of that length less an hour in Ramadan, and Recife had one in 2000.
const STEP: i64 = 3 * 86_400;

/// 2100-01-01T00:00:00Z: from here on chrono-tz knows no daylight saving.
const END: i64 = 4_102_444_800;

/// The offsets of a zone from 1970 to 2099.
pub(super) fn timeline(zone: chrono_tz::Tz) -> Timeline {
    let offset = |seconds: i64| {
        let utc = Timestamp::from_seconds(seconds).to_datetime().naive_utc();
        zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()
    };
    let changes = (0..=END / STEP).filter_map(|step| {
        let (mut before, mut after) = (step * STEP, ((step + 1) * STEP).min(END - 1));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::ZoneDatabase;

    #[test]
    fn no_two_changes_hide_in_one_step() {
        let database = ZoneDatabase::bundled();
        for name in database.names() {
            let zone = database.zone(name).expect(name);
            let changes: Vec<Timestamp> = zone.timeline().changes().collect();
            for pair in changes.windows(2) {
                let apart = pair[1].seconds() - pair[0].seconds();
                assert!(apart > STEP, "{name} changes at {pair:?}");
            }
        }
    }

    #[test]
    fn the_short_break_of_recife_is_found() {
        let recife = timeline(chrono_tz::America::Recife);
        let changes: Vec<String> = recife.changes().map(|at| at.to_string()).collect();
        for change in ["2000-10-08T03:00:00Z", "2000-10-15T02:00:00Z"] {
            assert!(changes.contains(&change.to_owned()), "{changes:?}");
        }
    }
}
