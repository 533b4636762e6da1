//! Which UTC instant is a local time? A zone's offsets, and the two questions
//! that the start and the end of a window ask of them.
//!
//! A window `[S, E)` of local time is open while the wall clock reads between
//! `S` and `E`. Where clocks jump, that is made precise by two definitions:
//!
//! * [`Timeline::opening`]: the first instant at which the clock reads `S` or later;
//! * [`Timeline::closing`]: the last instant before which the clock reads earlier than `E`.
//!
//! So a start inside a gap is the end of the gap and an end inside it is the
//! change; in a fold a window opens at the first pass and closes at the second,
//! except at the very first repeated minute, which no second pass precedes.

use crate::timestamp::Timestamp;

/// Seconds since 1970-01-01T00:00 on a wall clock.
pub type LocalSeconds = i64;

/// The UTC offsets of one zone, from 1970 to [`Timeline::LAST_YEAR`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Timeline {
    /// Sorted; `offsets[k]` holds before `changes[k]`, `offsets[k + 1]` from it on.
    changes: Vec<i64>,
    /// Seconds east of UTC; neighbours differ; one more than `changes`.
    offsets: Vec<i32>,
    /// The least and the greatest of `offsets`: an instant and its local time
    /// are never further apart, which tells where a change cannot matter.
    least: i64,
    greatest: i64,
}

/// A stretch of unchanging offset, as [`Timeline::segment`] finds it.
#[derive(Clone, Copy, Debug)]
struct Segment {
    start: i64,
    end: i64,
    offset: i64,
}

impl Timeline {
    /// The last year whose changes a timeline lists: rules that repeat for ever
    /// are unrolled to here. Schedules end earlier.
    pub const LAST_YEAR: i32 = 2101;

    /// From changes in order, each an instant and the offset from then on.
    #[must_use]
    pub fn new(initial_offset: i32, changes: impl IntoIterator<Item = (i64, i32)>) -> Self {
        let mut timeline = Self {
            changes: Vec::new(),
            offsets: vec![initial_offset],
            least: initial_offset.into(),
            greatest: initial_offset.into(),
        };
        for (at, offset) in changes {
            if timeline.offsets.last() != Some(&offset) {
                timeline.changes.push(at);
                timeline.offsets.push(offset);
                timeline.least = timeline.least.min(offset.into());
                timeline.greatest = timeline.greatest.max(offset.into());
            }
        }
        timeline
    }

    /// The offset at `instant`, in seconds east of UTC.
    #[must_use]
    pub fn offset_at(&self, instant: Timestamp) -> i32 {
        let index = self
            .changes
            .partition_point(|&change| change <= instant.seconds());
        self.offsets.get(index).copied().unwrap_or_default()
    }

    /// The instants at which the offset changes, in order.
    pub fn changes(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.changes
            .iter()
            .map(|&change| Timestamp::from_seconds(change))
    }

    /// The first instant at which the clock reads `local` or later.
    #[must_use]
    pub fn opening(&self, local: LocalSeconds) -> Timestamp {
        let mut index = self.index_near(local);
        let mut segment = self.segment(index);
        while segment.end != i64::MAX && segment.end + segment.offset <= local {
            index += 1;
            segment = self.segment(index);
        }
        Timestamp::from_seconds(segment.start.max(local - segment.offset))
    }

    /// The last instant before which the clock reads earlier than `local`.
    #[must_use]
    pub fn closing(&self, local: LocalSeconds) -> Timestamp {
        let near = self.index_near(local);
        let mut segment = self.segment(near);
        for index in near + 1..self.offsets.len() {
            let next = self.segment(index);
            if next.start + next.offset < local {
                segment = next;
            } else if next.start + self.least >= local {
                break;
            }
        }
        Timestamp::from_seconds(segment.end.min(local - segment.offset))
    }

    /// Every instant at which the clock reads exactly `local`: none in a gap,
    /// two in a fold.
    pub fn instants(&self, local: LocalSeconds) -> impl Iterator<Item = Timestamp> + '_ {
        (self.index_near(local)..self.offsets.len())
            .map(|index| self.segment(index))
            .take_while(move |segment| segment.start <= local - self.least)
            .filter(move |segment| (segment.start..segment.end).contains(&(local - segment.offset)))
            .map(move |segment| Timestamp::from_seconds(local - segment.offset))
    }

    /// Whether the clock never reads any time in `[from, to)`: a skipped day.
    #[must_use]
    pub fn skips(&self, from: LocalSeconds, to: LocalSeconds) -> bool {
        self.opening(from) >= self.closing(to)
    }

    /// A walker that answers [`Self::opening`] and [`Self::closing`] for local
    /// times in rising order, faster than one search each.
    #[must_use]
    pub const fn walker(&self) -> Walker<'_> {
        Walker {
            timeline: self,
            calm_from: i64::MAX,
            calm_to: i64::MIN,
            offset: 0,
        }
    }

    /// The last segment before which no clock reads `local` or later.
    fn index_near(&self, local: LocalSeconds) -> usize {
        let earliest = local.saturating_sub(self.greatest);
        self.changes.partition_point(|&change| change <= earliest)
    }

    fn segment(&self, index: usize) -> Segment {
        Segment {
            start: index
                .checked_sub(1)
                .and_then(|before| self.changes.get(before))
                .copied()
                .unwrap_or(i64::MIN),
            end: self.changes.get(index).copied().unwrap_or(i64::MAX),
            offset: self.offsets.get(index).copied().map_or(0, i64::from),
        }
    }
}

/// Answers for rising local times; see [`Timeline::walker`].
///
/// Far from any change both questions are one subtraction, and nearly all
/// days of a year are far from any change.
#[derive(Debug)]
pub struct Walker<'a> {
    timeline: &'a Timeline,
    /// Local times from `calm_from` to `calm_to` occur once, at `offset`.
    calm_from: LocalSeconds,
    calm_to: LocalSeconds,
    offset: i64,
}

impl Walker<'_> {
    /// `[opening(start), closing(end))` as seconds; empty ones have start >= end.
    #[inline]
    pub fn window(&mut self, start: LocalSeconds, end: LocalSeconds) -> (i64, i64) {
        if let Some(offset) = self.calm_offset(start, end) {
            return (start - offset, end - offset);
        }
        let (opening, closing) = (self.timeline.opening(start), self.timeline.closing(end));
        (opening.seconds(), closing.seconds())
    }

    /// The one offset between the two local times, both included; `None` when
    /// a change is, or may be, near.
    #[inline]
    pub fn calm_offset(&mut self, from: LocalSeconds, to: LocalSeconds) -> Option<i64> {
        if from < self.calm_from || to > self.calm_to {
            self.find_calm(from);
        }
        (self.calm_from <= from && to <= self.calm_to).then_some(self.offset)
    }

    /// Moves on to the calm stretch that holds `local`, if there is one.
    fn find_calm(&mut self, local: LocalSeconds) {
        let segment = self.timeline.segment(self.timeline.index_near(local));
        self.calm_from = segment.start.saturating_add(self.timeline.greatest);
        self.calm_to = segment.end.saturating_add(self.timeline.least);
        self.offset = segment.offset;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fold of an hour at 100,000 and a gap of an hour at 1,000,000.
    fn jumpy() -> Timeline {
        Timeline::new(7200, [(100_000, 3600), (1_000_000, 7200)])
    }

    #[test]
    fn gap_opens_and_closes_at_the_change() {
        let timeline = jumpy();
        let inside = 1_000_000 + 3600 + 1800;
        assert_eq!(timeline.opening(inside).seconds(), 1_000_000);
        assert_eq!(timeline.closing(inside).seconds(), 1_000_000);
        assert_eq!(timeline.instants(inside).count(), 0);
        assert!(timeline.skips(inside, inside + 60));
    }

    #[test]
    fn fold_opens_at_the_first_and_closes_at_the_second_pass() {
        let timeline = jumpy();
        let twice = 100_000 + 3600 + 1800;
        assert_eq!(timeline.opening(twice).seconds(), 100_000 - 1800);
        assert_eq!(timeline.closing(twice).seconds(), 100_000 + 1800);
        assert_eq!(timeline.instants(twice).count(), 2);
    }

    #[test]
    fn the_first_repeated_minute_closes_at_its_first_pass() {
        let timeline = jumpy();
        assert_eq!(timeline.closing(100_000 + 3600).seconds(), 100_000 - 3600);
    }

    #[test]
    fn changes_without_effect_are_dropped() {
        let timeline = Timeline::new(0, [(10, 0), (20, 3600), (30, 3600)]);
        assert_eq!(
            timeline
                .changes()
                .map(Timestamp::seconds)
                .collect::<Vec<_>>(),
            [20]
        );
        assert_eq!(timeline.offset_at(Timestamp::from_seconds(20)), 3600);
    }

    #[test]
    fn a_walker_agrees_with_single_questions() {
        let timeline = jumpy();
        let mut walker = timeline.walker();
        for local in (-200_000..1_300_000).step_by(937) {
            let expected = (timeline.opening(local), timeline.closing(local + 5000));
            let (start, end) = walker.window(local, local + 5000);
            assert_eq!(
                (start, end),
                (expected.0.seconds(), expected.1.seconds()),
                "at {local}"
            );
        }
    }

    /// Offsets and changes too close together for any real zone, so that every
    /// order of gaps and folds comes up.
    #[test]
    fn answers_are_the_definitions_instant_by_instant() {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..300 {
            let mut changes: Vec<(i64, i32)> = (0..random.usize(0..6))
                .map(|_| (random.i64(0..120), random.i32(-20..20)))
                .collect();
            changes.sort_unstable();
            changes.dedup_by_key(|change| change.0);
            let timeline = Timeline::new(random.i32(-20..20), changes);
            let reads = |at: i64| at + i64::from(timeline.offset_at(Timestamp::from_seconds(at)));
            let all = -60..200;
            let mut walker = timeline.walker();
            for local in 0..120 {
                let opening = all.clone().find(|&at| reads(at) >= local);
                let closing = all.clone().rfind(|&at| reads(at - 1) < local);
                let exactly: Vec<_> = all.clone().filter(|&at| reads(at) == local).collect();
                assert_eq!(Some(timeline.opening(local).seconds()), opening);
                assert_eq!(Some(timeline.closing(local).seconds()), closing);
                let instants = timeline.instants(local).map(Timestamp::seconds);
                assert_eq!(instants.collect::<Vec<_>>(), exactly);
                // Callers go back a little.
                let earlier = local - random.i64(0..20);
                let (start, end) = walker.window(earlier, local);
                assert_eq!(start, timeline.opening(earlier).seconds());
                assert_eq!(Some(end), closing);
            }
        }
    }
}
