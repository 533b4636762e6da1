//! Which stretches of time? Half-open intervals of UTC, and sets of them.
//!
//! A set is a sorted list of intervals that neither overlap nor touch, so that
//! equal sets are equal lists, every operation is one walk over its operands,
//! and two windows that meet become one silence instead of two.

use crate::timestamp::Timestamp;

/// `[start, end)`: `start` belongs to it, `end` does not. Never empty.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Interval {
    start: Timestamp,
    end: Timestamp,
}

impl Interval {
    /// `[start, end)`, or `None` when that holds no instant.
    #[must_use]
    pub fn new(start: Timestamp, end: Timestamp) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// The first instant inside.
    #[must_use]
    pub const fn start(self) -> Timestamp {
        self.start
    }

    /// The first instant after it.
    #[must_use]
    pub const fn end(self) -> Timestamp {
        self.end
    }

    /// Whether `instant` is inside.
    #[must_use]
    pub fn contains(self, instant: Timestamp) -> bool {
        self.start <= instant && instant < self.end
    }

    /// What both have in common.
    #[must_use]
    pub fn intersection(self, other: Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }

    /// Its length in seconds.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.end.seconds().saturating_sub(self.start.seconds())
    }
}

/// A set of instants: intervals in order, none touching the next.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct IntervalSet(Vec<Interval>);

impl IntervalSet {
    /// The set without any instant.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Vec::new())
    }

    /// The set without any instant, with room for `intervals`.
    pub(crate) fn with_capacity(intervals: usize) -> Self {
        Self(Vec::with_capacity(intervals))
    }

    /// Adds an interval that starts no earlier than any that is there.
    #[inline]
    pub(crate) fn append(&mut self, next: Interval) {
        match self.0.last_mut() {
            Some(last) if next.start <= last.end => last.end = last.end.max(next.end),
            _ => self.0.push(next),
        }
    }

    /// The intervals in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Interval] {
        &self.0
    }

    /// The intervals in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Interval> + '_ {
        self.0.iter().copied()
    }

    /// Whether it holds no instant.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many intervals it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The interval around `instant`, if the set holds it.
    #[must_use]
    pub fn at(&self, instant: Timestamp) -> Option<Interval> {
        let after = self.0.partition_point(|interval| interval.start <= instant);
        let candidate = *self.0.get(after.checked_sub(1)?)?;
        candidate.contains(instant).then_some(candidate)
    }

    /// What lies inside `range`.
    #[must_use]
    pub fn clip(&self, range: Interval) -> Self {
        let from = self
            .0
            .partition_point(|interval| interval.end <= range.start);
        let to = self
            .0
            .partition_point(|interval| interval.start < range.end);
        let inside = self.0.get(from..to).unwrap_or_default();
        Self(
            inside
                .iter()
                .filter_map(|interval| interval.intersection(range))
                .collect(),
        )
    }

    /// The instants of either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut both = Vec::with_capacity(self.0.len() + other.0.len());
        both.extend_from_slice(&self.0);
        both.extend_from_slice(&other.0);
        both.into_iter().collect()
    }

    /// The instants of both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (mut left, mut right) = (self.0.as_slice(), other.0.as_slice());
        let mut common = Vec::new();
        while let ([first, rest_left @ ..], [second, rest_right @ ..]) = (left, right) {
            common.extend(first.intersection(*second));
            // Whichever ends first cannot meet anything else.
            if first.end <= second.end {
                left = rest_left;
            }
            if second.end <= first.end {
                right = rest_right;
            }
        }
        Self(common)
    }

    /// The instants of `range` that are not in the set.
    #[must_use]
    pub fn complement(&self, range: Interval) -> Self {
        let mut gaps = Vec::with_capacity(self.0.len() + 1);
        let mut open = range.start;
        for interval in self.clip(range).0 {
            gaps.extend(Interval::new(open, interval.start));
            open = interval.end;
        }
        gaps.extend(Interval::new(open, range.end));
        Self(gaps)
    }

    /// The instants of `self` that are not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else {
            return Self::empty();
        };
        let hull = Interval {
            start: first.start,
            end: last.end,
        };
        self.intersection(&other.complement(hull))
    }
}

impl FromIterator<Interval> for IntervalSet {
    /// Sorts and merges; overlapping and touching intervals become one.
    fn from_iter<I: IntoIterator<Item = Interval>>(intervals: I) -> Self {
        let mut sorted: Vec<Interval> = intervals.into_iter().collect();
        if !sorted.is_sorted() {
            sorted.sort_unstable();
        }
        // Merges in place: `sorted[..kept]` is always a valid set.
        let mut kept = 0;
        for index in 0..sorted.len() {
            let next = sorted[index];
            if kept > 0 && next.start <= sorted[kept - 1].end {
                let last = &mut sorted[kept - 1];
                last.end = last.end.max(next.end);
            } else {
                sorted[kept] = next;
                kept += 1;
            }
        }
        sorted.truncate(kept);
        Self(sorted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(start: i64, end: i64) -> Interval {
        Interval {
            start: Timestamp::from_seconds(start),
            end: Timestamp::from_seconds(end),
        }
    }

    fn set(pairs: &[(i64, i64)]) -> IntervalSet {
        pairs
            .iter()
            .map(|&(start, end)| interval(start, end))
            .collect()
    }

    #[test]
    fn touching_and_overlapping_intervals_become_one() {
        assert_eq!(
            set(&[(20, 30), (0, 10), (10, 20), (25, 27)]).as_slice(),
            [interval(0, 30)]
        );
    }

    /// The laws of a Boolean algebra against a model of one bit per second.
    #[test]
    fn operations_agree_with_a_bit_per_second() {
        const SPAN: i64 = 64;
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        let bits = |set: &IntervalSet| -> u64 {
            (0..SPAN)
                .filter(|&second| set.at(Timestamp::from_seconds(second)).is_some())
                .fold(0, |bits, second| bits | 1 << second)
        };
        let mut draw = || -> IntervalSet {
            (0..random.usize(0..8))
                .filter_map(|_| {
                    let (start, end) = (random.i64(0..SPAN), random.i64(0..=SPAN));
                    Interval::new(Timestamp::from_seconds(start), Timestamp::from_seconds(end))
                })
                .collect()
        };
        let whole = interval(0, SPAN);
        for _ in 0..20_000 {
            let (left, right) = (draw(), draw());
            assert_eq!(bits(&left.union(&right)), bits(&left) | bits(&right));
            assert_eq!(bits(&left.intersection(&right)), bits(&left) & bits(&right));
            assert_eq!(bits(&left.difference(&right)), bits(&left) & !bits(&right));
            assert_eq!(bits(&left.complement(whole)), !bits(&left));
            assert_eq!(left.complement(whole).complement(whole), left);
            for result in [
                left.union(&right),
                left.intersection(&right),
                left.difference(&right),
            ] {
                let apart = result
                    .as_slice()
                    .windows(2)
                    .all(|pair| pair[0].end < pair[1].start);
                assert!(apart, "not canonical: {result:?}");
            }
        }
    }
}
