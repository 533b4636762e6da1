//! Do the fast answers agree with the definition? An occurrence is the hull of
//! the instants at which the clock reads inside `[S, E)`; the program never
//! computes a hull.

use silenced::zone::Timeline;

use super::civil::DAY;
use super::{at, seeded, zones};

const YEAR: i64 = 31_556_952;

/// The definition over a list of offset segments.
struct Segments(Vec<(i64, i64, i64)>);

impl Segments {
    fn of(timeline: &Timeline) -> Self {
        let changes: Vec<i64> = zones::changes(timeline);
        let starts = [i64::MIN / 4].into_iter().chain(changes.iter().copied());
        let ends = changes.iter().copied().chain([i64::MAX / 4]);
        let segment = |(start, end)| (start, end, i64::from(timeline.offset_at(at(start))));
        Self(starts.zip(ends).map(segment).collect())
    }

    fn hull(&self, from: i64, to: i64) -> Option<(i64, i64)> {
        // A segment beyond three days cannot read a time within; the rest is the definition.
        let first = self.0.partition_point(|(_, end, _)| *end < from - 3 * DAY);
        let last = self
            .0
            .partition_point(|(start, _, _)| *start < to + 3 * DAY);
        let pieces = self.0[first..last]
            .iter()
            .filter_map(|(start, end, offset)| {
                let piece = ((from - offset).max(*start), (to - offset).min(*end));
                (piece.0 < piece.1).then_some(piece)
            });
        pieces.reduce(|hull, piece| (hull.0.min(piece.0), hull.1.max(piece.1)))
    }
}

/// Draws windows round one instant and compares all three answers.
fn compare(name: &str, timeline: &Timeline, segments: &Segments, windows: &[(i64, i64)]) {
    let mut walker = timeline.walker();
    for &(from, to) in windows {
        let from_walker = walker.window(from, to);
        let single = (
            timeline.opening(from).seconds(),
            timeline.closing(to).seconds(),
        );
        assert_eq!(from_walker, single, "walker of {name}, window {from}..{to}");
        let found = (single.0 < single.1).then_some(single);
        assert_eq!(
            found,
            segments.hull(from, to),
            "{name}, window {from}..{to}"
        );
    }
}

/// Windows that begin within a day and a half of a local time, in order.
fn windows(random: &mut fastrand::Rng, middle: i64, count: usize) -> Vec<(i64, i64)> {
    let mut windows: Vec<(i64, i64)> = (0..count)
        .map(|_| {
            // To the minute, to the half hour, to the second.
            let grid = *random.choice([60, 1800, 1].iter()).unwrap();
            let from = (middle + random.i64(-36 * 3600..36 * 3600)) / grid * grid;
            let longest = *random.choice([3600, DAY, 8 * DAY].iter()).unwrap();
            (from, from + grid * random.i64(1..=(longest / grid)))
        })
        .collect();
    windows.sort_unstable();
    windows
}

#[test]
fn windows_are_hulls_round_every_recent_change() {
    let mut random = seeded();
    let (from, to) = (55 * YEAR, 61 * YEAR);
    let distinct = zones::distinct_changes(from, to);
    assert!(distinct.len() >= 60, "only {} timelines", distinct.len());
    let mut compared = 0;
    for (zone, changes) in distinct {
        let segments = Segments::of(zone.timeline());
        // A zone without changes is asked somewhere.
        let middles = if changes.is_empty() {
            vec![from]
        } else {
            changes
        };
        for middle in middles {
            let windows = windows(&mut random, middle, 400);
            compare(zone.name(), zone.timeline(), &segments, &windows);
            compared += windows.len();
        }
    }
    assert!(compared > 100_000, "only {compared} windows");
}

#[test]
fn windows_are_hulls_round_every_change_there_is() {
    let mut random = seeded();
    let mut compared = 0;
    for zone in zones::DISTINCT.iter() {
        let segments = Segments::of(zone.timeline());
        for change in zone.timeline().changes() {
            let windows = windows(&mut random, change.seconds(), 12);
            compare(zone.name(), zone.timeline(), &segments, &windows);
            compared += windows.len();
        }
        // One walker over all years, as an expansion uses it.
        let yearly: Vec<(i64, i64)> = (0..130)
            .flat_map(|year| windows(&mut random, year * YEAR, 4))
            .collect();
        compare(zone.name(), zone.timeline(), &segments, &yearly);
    }
    assert!(compared > 200_000, "only {compared} windows");
}
