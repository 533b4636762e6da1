//! Whose turn is it? Rotations that change over at a local time.

use std::sync::Arc;

use chrono::NaiveDate;

use super::dates::{DateRange, date_of, day_number, day_of};
use super::recurring::{DAY, FARTHEST_OFFSET, interval};
use crate::interval::{Interval, IntervalSet};
use crate::zone::Zone;

/// Members who take turns of equal length in local days.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rotation {
    /// In order; the first one's turn begins at the anchor's handoff.
    pub members: Vec<String>,
    /// The date of the first handoff.
    pub anchor: NaiveDate,
    /// Local time of day of every handoff, in seconds after midnight.
    pub handoff: u32,
    /// Length of a turn in days.
    pub days: u32,
    /// Whose wall clock.
    pub zone: Zone,
}

/// The times when one member is, or is not, on call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Turn {
    /// Of which rotation.
    pub rotation: Arc<Rotation>,
    /// Whose turns.
    pub member: String,
    /// On call, or everything else.
    pub on_call: bool,
    /// Turns that start on these local dates are dropped: the member's own, or
    /// those of the others when off call. (Before the anchor everybody is off call.)
    pub except_dates: Vec<DateRange>,
}

impl Turn {
    pub(super) fn expand(&self, range: Interval) -> IntervalSet {
        if self.on_call {
            self.turns(range, |is_own, excepted| is_own && !excepted)
        } else {
            // Dropping a turn of the others takes time away, as dropping always does.
            self.turns(range, |is_own, excepted| is_own || excepted)
                .complement(range)
        }
    }

    /// The turns inside `range` that `wanted` picks, by whether they are the
    /// member's own and whether they start on an excepted date. Nobody has a
    /// turn before the anchor.
    fn turns(&self, range: Interval, wanted: fn(bool, bool) -> bool) -> IntervalSet {
        let rotation = &self.rotation;
        let length = i64::from(rotation.days.max(1));
        let anchor = day_number(rotation.anchor);
        let handoff = |turn: i64| {
            let local = (anchor + turn * length) * DAY + i64::from(rotation.handoff);
            rotation.zone.timeline().opening(local).seconds()
        };
        let is_excepted = |turn: i64| {
            date_of(anchor + turn * length)
                .is_some_and(|date| self.except_dates.iter().any(|range| range.contains(date)))
        };
        let turn_on = |day: i64| (day - anchor).div_euclid(length).max(0);
        let first = turn_on(day_of(range.start().seconds() - FARTHEST_OFFSET) - 1);
        let last = turn_on(day_of(range.end().seconds() + FARTHEST_OFFSET));
        (first..=last)
            .filter(|&turn| wanted(self.is_members(turn), is_excepted(turn)))
            .filter_map(|turn| interval(handoff(turn), handoff(turn + 1)))
            .collect::<IntervalSet>()
            .clip(range)
    }

    fn is_members(&self, turn: i64) -> bool {
        let count = self.rotation.members.len();
        usize::try_from(turn)
            .ok()
            .and_then(|turn| self.rotation.members.get(turn.checked_rem(count)?))
            .is_some_and(|member| *member == self.member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::ZoneDatabase;

    /// Ann and Bob in turns of a day from 09:00 on 1 January 2026.
    fn seconds(on_call: bool, except_dates: &[&str]) -> i64 {
        let date = |text: &str| text.parse::<NaiveDate>().expect("a date");
        let turn = Turn {
            rotation: Arc::new(Rotation {
                members: vec!["ann".into(), "bob".into()],
                anchor: date("2026-01-01"),
                handoff: 9 * 3600,
                days: 1,
                zone: ZoneDatabase::bundled().zone("UTC").expect("bundled"),
            }),
            member: "ann".into(),
            on_call,
            except_dates: except_dates
                .iter()
                .map(|text| DateRange {
                    first: date(text),
                    last: date(text),
                })
                .collect(),
        };
        let midnight = day_number(date("2026-01-01")) * DAY;
        let range = interval(midnight, midnight + 10 * DAY).expect("not empty");
        turn.expand(range).iter().map(Interval::seconds).sum()
    }

    #[test]
    fn an_excepted_date_takes_away_and_never_adds() {
        let hours = |on_call, except: &[&str]| seconds(on_call, except) / 3600;
        let (own_turn, bobs_turn) = ("2026-01-03", "2026-01-04");
        assert_eq!(hours(true, &[]), 5 * 24);
        assert_eq!(hours(true, &[own_turn]), 4 * 24);
        assert_eq!(hours(true, &[bobs_turn]), 5 * 24);
        assert_eq!(hours(false, &[]), 5 * 24);
        assert_eq!(hours(false, &[bobs_turn]), 4 * 24);
        assert_eq!(hours(false, &[own_turn]), 5 * 24);
    }
}
