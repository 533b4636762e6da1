//! Must it be computed again? Occurrences that were computed once and stay
//! right for hours, so that an idle pass computes nothing.

use std::time::Duration;

use super::Schedule;
use super::lease::{Occurrence, REACH, occurrences};
use crate::timestamp::Timestamp;

/// A server's clock may be behind ours, and it is its clock that plans go by.
const BEFORE: Duration = Duration::from_mins(10);

/// How long a forecast lasts. One of 10,000 daily windows takes 1.5 ms, so
/// computing them a few times a day costs nothing that anybody could measure.
const AFTER: Duration = Duration::from_hours(6);

/// The occurrences of a schedule over a stretch of time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Forecast {
    from: Timestamp,
    until: Timestamp,
    occurrences: Vec<Occurrence>,
}

impl Forecast {
    /// Covers passes from a little before `now` on, for some hours, each of
    /// which looks `horizon` ahead.
    #[must_use]
    pub fn new(schedule: &Schedule, now: Timestamp, horizon: Duration) -> Self {
        let from = now.minus(BEFORE);
        let until = now.plus(AFTER).plus(horizon);
        Self {
            from,
            until,
            occurrences: occurrences(schedule, from, until),
        }
    }

    /// Whether it knows what starts before `until` and is not over at `now`.
    #[must_use]
    pub fn covers(&self, now: Timestamp, until: Timestamp) -> bool {
        // An end that comes into reach turns a lease into a window with a start
        // of its own, which has not been looked for.
        let comes_into_reach =
            |occurrence: &Occurrence| occurrence.is_lease && occurrence.end <= now.plus(REACH);
        self.from <= now && until <= self.until && !self.occurrences.iter().any(comes_into_reach)
    }

    /// What [`occurrences`] would say, if this forecast covers it.
    #[must_use]
    pub fn occurrences(&self, now: Timestamp, until: Timestamp) -> Option<Vec<Occurrence>> {
        if !self.covers(now, until) {
            return None;
        }
        let relevant = |occurrence: &&Occurrence| occurrence.end > now && occurrence.start < until;
        Some(self.occurrences.iter().filter(relevant).copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{DateRule, Form, Moment, Once, Recurring, TimeWindow, WindowEnd};
    use crate::zone::ZoneDatabase;

    fn nightly() -> Schedule {
        let nights = Recurring {
            zone: ZoneDatabase::bundled()
                .zone("Europe/Berlin")
                .expect("bundled"),
            dates: DateRule::default(),
            times: vec![TimeWindow {
                start: 22 * 3600,
                end: WindowEnd::Clock(6 * 3600),
            }],
        };
        Form::Recurring(nights).into()
    }

    #[test]
    fn it_says_what_computing_again_would_say_for_hours() {
        let long = Once::new(
            Moment::Absolute(Timestamp::from_seconds(1_700_000_000)).as_start(),
            Timestamp::from_seconds(1_774_900_000 + 366 * 86_400 + 7200),
            chrono::NaiveDate::default(),
            Vec::new(),
        );
        let horizon = Duration::from_hours(24);
        for schedule in [nightly(), Form::Always.into(), Form::Once(long).into()] {
            let start = Timestamp::from_seconds(1_774_900_000);
            let forecast = Forecast::new(&schedule, start, horizon);
            let mut answers = 0;
            for minute in 0..8 * 60 {
                let now = start.plus(Duration::from_mins(minute));
                let until = now.plus(horizon);
                let Some(found) = forecast.occurrences(now, until) else {
                    continue;
                };
                answers += 1;
                let names = |occurrences: Vec<Occurrence>| -> Vec<_> {
                    let named = occurrences
                        .into_iter()
                        .map(|it| (it.marker_start(), it.end));
                    named.collect()
                };
                let computed = names(occurrences(&schedule, now, until));
                let ends_differ = computed.iter().any(|(_, end)| *end > now.plus(REACH));
                if !ends_differ {
                    assert_eq!(names(found), computed, "{now}");
                }
            }
            assert!(answers >= 120, "only {answers}");
        }
    }

    #[test]
    fn it_ends() {
        let start = Timestamp::from_seconds(1_774_900_000);
        let horizon = Duration::from_hours(24);
        let forecast = Forecast::new(&nightly(), start, horizon);
        let answer = |now: Timestamp| forecast.occurrences(now, now.plus(horizon)).is_some();
        assert!(answer(start) && answer(start.plus(AFTER)) && answer(start.minus(BEFORE)));
        assert!(!answer(start.plus(AFTER + Duration::from_secs(1))));
        assert!(!answer(start.minus(BEFORE + Duration::from_secs(1))));
    }
}
