//! When does a declaration apply? A schedule: rules in civil time that stand
//! for a set of UTC intervals.
//!
//! A schedule knows no YAML and never asks the time. [`Schedule::expand`] is
//! the whole semantics: what it returns for a range does not depend on how the
//! range is cut, so a horizon equals its halves joined.

mod cron;
mod dates;
mod forecast;
mod lease;
mod once;
mod recurring;
mod rotation;

pub use cron::{CronError, CronWindows};
pub use dates::{DateRange, DateRule, DayOfMonth, Every, EveryUnit, Weekdays};
pub use forecast::Forecast;
pub use lease::{Occurrence, OccurrenceStart, REACH, occurrences};
pub use once::{Moment, Once};
pub use recurring::{DAY, Recurring, TimeWindow, WindowEnd};
pub use rotation::{Rotation, Turn};

use chrono::NaiveDate;

use crate::interval::{Interval, IntervalSet};
use crate::timestamp::Timestamp;
use crate::zone::{Timeline, Zone};

/// The first instant of any schedule.
pub const FIRST: Timestamp = Timestamp::EPOCH;

/// The end of all schedules, 2100-01-01T00:00:00Z: the calendar of the `cron`
/// crate ends there.
pub const LAST: Timestamp = Timestamp::from_seconds(4_102_444_800);

// The zones list their changes until after the last local day of schedules.
const _: () = assert!(Timeline::LAST_YEAR > 2100);

/// Rules for when a declaration applies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schedule {
    /// What it says.
    pub form: Form,
    /// Instants of these are taken away (`except`).
    pub except: Vec<Schedule>,
}

/// One way to say when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Form {
    /// A single window.
    Once(Once),
    /// Windows on the wall clock, on the dates that a rule selects.
    Recurring(Recurring),
    /// Windows of fixed length that begin when a cron expression says so.
    Cron(CronWindows),
    /// The turns of one member of a rotation.
    Turn(Turn),
    /// Where at least one applies (a list, `any_of`, a named time interval).
    AnyOf(Vec<Schedule>),
    /// Where all apply.
    AllOf(Vec<Schedule>),
    /// Where it does not apply.
    Not(Box<Schedule>),
    /// As long as the declaration exists.
    Always,
}

impl From<Form> for Schedule {
    fn from(form: Form) -> Self {
        Self {
            form,
            except: Vec::new(),
        }
    }
}

impl Schedule {
    /// The same, and never from `end` on.
    #[must_use]
    pub fn until(self, end: Timestamp) -> Self {
        let before = Once::new(FIRST, end, NaiveDate::default(), Vec::new());
        Form::AllOf(vec![self, Form::Once(before).into()]).into()
    }

    /// The instants inside `range` at which it applies.
    ///
    /// The cost is linear in the length of `range`, whatever the rules.
    #[must_use]
    pub fn expand(&self, range: Interval) -> IntervalSet {
        let Some(range) =
            Interval::new(FIRST, LAST).and_then(|everything| everything.intersection(range))
        else {
            return IntervalSet::empty();
        };
        self.expand_within(range)
    }

    /// The zone whose wall clock it follows: that of its first form with one.
    #[must_use]
    pub fn zone(&self) -> Option<&Zone> {
        match &self.form {
            Form::Recurring(recurring) => Some(&recurring.zone),
            Form::Cron(cron) => Some(cron.zone()),
            Form::Turn(turn) => Some(&turn.rotation.zone),
            Form::AnyOf(parts) | Form::AllOf(parts) => parts.iter().find_map(Self::zone),
            Form::Not(part) => part.zone(),
            Form::Once(_) | Form::Always => None,
        }
    }

    fn expand_within(&self, range: Interval) -> IntervalSet {
        let included = self.form.expand(range);
        if self.except.is_empty() || included.is_empty() {
            return included;
        }
        included.difference(&union(&self.except, range))
    }
}

impl Form {
    fn expand(&self, range: Interval) -> IntervalSet {
        match self {
            Self::Once(once) => once
                .interval()
                .and_then(|window| window.intersection(range))
                .into_iter()
                .collect(),
            Self::Recurring(recurring) => recurring.expand(range),
            Self::Cron(cron) => cron.expand(range),
            Self::Turn(turn) => turn.expand(range),
            Self::AnyOf(parts) => union(parts, range),
            Self::AllOf(parts) => intersection(parts, range),
            Self::Not(part) => part.expand_within(range).complement(range),
            Self::Always => std::iter::once(range).collect(),
        }
    }
}

fn union(parts: &[Schedule], range: Interval) -> IntervalSet {
    match parts {
        [part] => part.expand_within(range),
        _ => parts
            .iter()
            .flat_map(|part| part.expand_within(range).as_slice().to_vec())
            .collect(),
    }
}

fn intersection(parts: &[Schedule], range: Interval) -> IntervalSet {
    let mut common: IntervalSet = std::iter::once(range).collect();
    for part in parts {
        if common.is_empty() {
            break;
        }
        common = common.intersection(&part.expand_within(range));
    }
    common
}
