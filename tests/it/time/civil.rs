//! When does a clock on the wall read a time? By definition: a handful of
//! instants at which the answer could be, kept when the clock agrees there.
//!
//! This shares nothing with the program but the list of changes, which says
//! where to look; the clock itself is chrono-tz.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, Offset, TimeZone};
use silenced::zone::Zone;

use super::zones;

pub(super) const DAY: i64 = 86_400;

/// Farther than any offset, and than the day that Apia skipped.
const FAR: i64 = 2 * DAY;

pub(super) struct Clock {
    zone: chrono_tz::Tz,
    changes: Vec<i64>,
}

static CLOCKS: LazyLock<HashMap<&str, Clock>> = LazyLock::new(|| {
    let clock = |zone: &Zone| Clock {
        zone: zone.name().parse().unwrap(),
        changes: zones::changes(zone.timeline()),
    };
    zones::COMPARABLE
        .iter()
        .map(|zone| (zone.name(), clock(zone)))
        .collect()
});

/// 00:00 on a date, in seconds on a wall clock.
pub(super) fn midnight(date: NaiveDate) -> i64 {
    date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp()
}

/// The date of a time on a wall clock.
pub(super) fn date(local: i64) -> NaiveDate {
    DateTime::from_timestamp(local, 0).unwrap().date_naive()
}

impl Clock {
    pub(super) fn of(zone: &Zone) -> &'static Self {
        &CLOCKS[zone.name()]
    }

    fn offset(&self, instant: i64) -> i64 {
        let utc = DateTime::from_timestamp(instant, 0).unwrap().naive_utc();
        let offset = self.zone.offset_from_utc_datetime(&utc);
        i64::from(offset.fix().local_minus_utc())
    }

    /// What the clock reads.
    pub(super) fn reads(&self, instant: i64) -> i64 {
        instant + self.offset(instant)
    }

    /// The changes near `[from, to]` and the offsets in force there.
    fn surroundings(&self, from: i64, to: i64) -> (&[i64], Vec<i64>) {
        let first = self.changes.partition_point(|change| *change < from - FAR);
        let last = self.changes.partition_point(|change| *change <= to + FAR);
        let near = &self.changes[first..last];
        let mut offsets = vec![self.offset(from - FAR)];
        offsets.extend(near.iter().map(|change| self.offset(*change)));
        (near, offsets)
    }

    /// From the first to after the last instant at which the clock reads
    /// inside `[from, to)`.
    pub(super) fn hull(&self, from: i64, to: i64) -> Option<(i64, i64)> {
        let (near, offsets) = self.surroundings(from, to);
        let pieces = offsets
            .iter()
            .flat_map(|offset| [from - offset, to - 1 - offset]);
        let at_changes = near.iter().flat_map(|change| [change - 1, *change]);
        let inside: Vec<i64> = pieces
            .chain(at_changes)
            .filter(|instant| (from..to).contains(&self.reads(*instant)))
            .collect();
        Some((*inside.iter().min()?, inside.iter().max()? + 1))
    }

    /// Every instant at which the clock reads exactly this, in order.
    pub(super) fn exactly(&self, local: i64) -> Vec<i64> {
        let (_, offsets) = self.surroundings(local, local);
        let mut instants: Vec<i64> = offsets
            .iter()
            .map(|offset| local - offset)
            .filter(|instant| self.reads(*instant) == local)
            .collect();
        instants.sort_unstable();
        instants.dedup();
        instants
    }

    /// When something starts at a time: the first pass, or the end of the gap.
    pub(super) fn start(&self, local: i64) -> i64 {
        let jumps_over =
            |change: &&i64| self.reads(**change - 1) < local && local < self.reads(**change);
        self.exactly(local).first().copied().unwrap_or_else(|| {
            let (near, _) = self.surroundings(local, local);
            *near.iter().find(jumps_over).expect("a gap")
        })
    }

    /// When something ends at a time: after the last instant that reads earlier.
    pub(super) fn end(&self, local: i64) -> i64 {
        let (near, offsets) = self.surroundings(local, local);
        let pieces = offsets.iter().map(|offset| local - 1 - offset);
        let at_changes = near.iter().map(|change| change - 1);
        let earlier = pieces
            .chain(at_changes)
            .filter(|instant| self.reads(*instant) < local);
        earlier.max().expect("an earlier instant") + 1
    }

    /// Whether the zone had that date at all.
    pub(super) fn has(&self, date: NaiveDate) -> bool {
        self.hull(midnight(date), midnight(date) + DAY).is_some()
    }
}
