//! Which single window? A one-off, said in absolute or in local time.

use chrono::{NaiveDate, NaiveDateTime};

use super::dates::DateRange;
use crate::interval::Interval;
use crate::timestamp::Timestamp;
use crate::zone::Zone;

/// A point in time as people write it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Moment {
    /// With an offset: RFC 3339.
    Absolute(Timestamp),
    /// Without one: on the wall clock of a zone.
    Local(NaiveDateTime, Zone),
}

impl Moment {
    /// The instant as the start of a window: in a gap its end, in a fold the first.
    #[must_use]
    pub fn as_start(&self) -> Timestamp {
        match self {
            Self::Absolute(instant) => *instant,
            Self::Local(local, zone) => zone.timeline().opening(local.and_utc().timestamp()),
        }
    }

    /// The instant as the end of a window: in a gap its start, in a fold the second.
    #[must_use]
    pub fn as_end(&self) -> Timestamp {
        match self {
            Self::Absolute(instant) => *instant,
            Self::Local(local, zone) => zone.timeline().closing(local.and_utc().timestamp()),
        }
    }
}

/// One window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Once {
    start: Timestamp,
    end: Timestamp,
    start_date: NaiveDate,
    except_dates: Vec<DateRange>,
}

impl Once {
    /// `[start, end)`. `start_date` is the local date on which it starts, and
    /// decides whether `except_dates` drop it.
    #[must_use]
    pub const fn new(
        start: Timestamp,
        end: Timestamp,
        start_date: NaiveDate,
        except_dates: Vec<DateRange>,
    ) -> Self {
        Self {
            start,
            end,
            start_date,
            except_dates,
        }
    }

    /// The window; none when it is empty or excepted.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        let excepted = self
            .except_dates
            .iter()
            .any(|range| range.contains(self.start_date));
        if excepted {
            None
        } else {
            Interval::new(self.start, self.end)
        }
    }
}
