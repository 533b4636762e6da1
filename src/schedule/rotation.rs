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
    /// Turns that start on these local dates are dropped.
    pub except_dates: Vec<DateRange>,
}

impl Turn {
    pub(super) fn expand(&self, range: Interval) -> IntervalSet {
        let turns = self.turns(range);
        if self.on_call {
            turns
        } else {
            turns.complement(range)
        }
    }

    /// The member's turns inside `range`. Nobody has a turn before the anchor.
    fn turns(&self, range: Interval) -> IntervalSet {
        let rotation = &self.rotation;
        let length = i64::from(rotation.days.max(1));
        let anchor = day_number(rotation.anchor);
        let handoff = |turn: i64| {
            let local = (anchor + turn * length) * DAY + i64::from(rotation.handoff);
            rotation.zone.timeline().opening(local).seconds()
        };
        let turn_on = |day: i64| (day - anchor).div_euclid(length).max(0);
        let first = turn_on(day_of(range.start().seconds() - FARTHEST_OFFSET) - 1);
        let last = turn_on(day_of(range.end().seconds() + FARTHEST_OFFSET));
        (first..=last)
            .filter(|&turn| self.is_members(turn))
            .filter(|&turn| {
                let date = date_of(anchor + turn * length);
                !date.is_some_and(|date| self.except_dates.iter().any(|range| range.contains(date)))
            })
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
