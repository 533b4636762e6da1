//! Is an instant inside a schedule? Decided from the rules in the words of
//! their definition: for each local date, is it selected, and which instants
//! belong to its window?

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};
use silenced::schedule::{DateRange, DayOfMonth, Every, EveryUnit, Moment, Turn, WindowEnd};
use silenced::zone::Zone;

use super::civil::{Clock, DAY, date, midnight};
use super::specification::{Cron, Form, Once, OnceEnd, Recurring, Specification};

/// A specification that was asked about a range: its leaves as plain windows,
/// overlapping as they come.
pub(super) struct Oracle {
    form: Answer,
    except: Vec<Oracle>,
}

enum Answer {
    Windows(Windows),
    AnyOf(Vec<Oracle>),
    AllOf(Vec<Oracle>),
    Not(Box<Oracle>),
    OffCall { own: Windows, dropped: Windows },
    Always,
}

struct Windows {
    /// By start.
    sorted: Vec<(i64, i64)>,
    longest: i64,
}

impl Oracle {
    pub(super) fn new(specification: &Specification, from: i64, to: i64) -> Self {
        let parts = |parts: &[Specification]| -> Vec<Self> {
            parts.iter().map(|part| Self::new(part, from, to)).collect()
        };
        let form = match &specification.form {
            Form::Once(once) => Answer::Windows(once.windows()),
            Form::Recurring(recurring) => Answer::Windows(recurring.windows(from, to)),
            Form::Cron(cron) => Answer::Windows(cron.windows(from, to)),
            Form::Turn(turn) if turn.on_call => {
                let kept = |is_own: bool, excepted: bool| is_own && !excepted;
                Answer::Windows(turns(turn, from, to, kept))
            }
            Form::Turn(turn) => Answer::OffCall {
                own: turns(turn, from, to, |is_own, _| is_own),
                dropped: turns(turn, from, to, |is_own, excepted| !is_own && excepted),
            },
            Form::AnyOf(list) => Answer::AnyOf(parts(list)),
            Form::AllOf(list) => Answer::AllOf(parts(list)),
            Form::Not(part) => Answer::Not(Box::new(Self::new(part, from, to))),
            Form::Always => Answer::Always,
        };
        Self {
            form,
            except: parts(&specification.except),
        }
    }

    pub(super) fn holds(&self, instant: i64) -> bool {
        let inside = match &self.form {
            Answer::Windows(windows) => windows.hold(instant),
            Answer::AnyOf(parts) => parts.iter().any(|part| part.holds(instant)),
            Answer::AllOf(parts) => parts.iter().all(|part| part.holds(instant)),
            Answer::Not(part) => !part.holds(instant),
            Answer::OffCall { own, dropped } => !own.hold(instant) && !dropped.hold(instant),
            Answer::Always => true,
        };
        inside && !self.except.iter().any(|part| part.holds(instant))
    }

    /// Every instant at which its answer may change.
    pub(super) fn boundaries(&self, found: &mut Vec<i64>) {
        let mut add = |windows: &Windows| {
            found.extend(
                windows
                    .sorted
                    .iter()
                    .flat_map(|(start, end)| [*start, *end]),
            );
        };
        match &self.form {
            Answer::Windows(windows) => add(windows),
            Answer::OffCall { own, dropped } => {
                add(own);
                add(dropped);
            }
            Answer::AnyOf(parts) | Answer::AllOf(parts) => {
                for part in parts {
                    part.boundaries(found);
                }
            }
            Answer::Not(part) => part.boundaries(found),
            Answer::Always => {}
        }
        for part in &self.except {
            part.boundaries(found);
        }
    }
}

impl Windows {
    fn new(windows: impl IntoIterator<Item = (i64, i64)>) -> Self {
        let mut sorted: Vec<_> = windows
            .into_iter()
            .filter(|(start, end)| start < end)
            .collect();
        sorted.sort_unstable();
        let longest = sorted.iter().map(|(start, end)| end - start).max();
        Self {
            longest: longest.unwrap_or(0),
            sorted,
        }
    }

    fn hold(&self, instant: i64) -> bool {
        let begun = self.sorted.partition_point(|(start, _)| *start <= instant);
        self.sorted[..begun]
            .iter()
            .rev()
            .take_while(|(start, _)| *start > instant - self.longest)
            .any(|(_, end)| instant < *end)
    }
}

/// The local dates on which something may begin that is open within the range.
fn dates(from: i64, to: i64, longest: i64) -> impl Iterator<Item = NaiveDate> {
    let last = date(to) + Days::new(2);
    let first = date(from - longest) - Days::new(3);
    first.iter_days().take_while(move |date| *date <= last)
}

fn excepted(ranges: &[DateRange], date: NaiveDate) -> bool {
    ranges
        .iter()
        .any(|range| range.first <= date && date <= range.last)
}

impl Once {
    fn windows(&self) -> Windows {
        let resolve = |moment: &Moment, local: fn(&Clock, i64) -> i64| match moment {
            Moment::Absolute(instant) => instant.seconds(),
            Moment::Local(time, zone) => local(Clock::of(zone), time.and_utc().timestamp()),
        };
        let start = resolve(&self.start, Clock::start);
        let end = match &self.end {
            OnceEnd::At(moment) => resolve(moment, Clock::end),
            OnceEnd::After(seconds) => start + seconds,
        };
        let dropped = excepted(&self.except_dates, self.start_date);
        Windows::new((!dropped).then_some((start, end)))
    }
}

impl Recurring {
    fn windows(&self, from: i64, to: i64) -> Windows {
        let clock = Clock::of(&self.zone);
        let longest = self.times.iter().map(|time| match time.end {
            WindowEnd::Clock(_) => 2 * DAY,
            WindowEnd::Weekday(..) => 9 * DAY,
            WindowEnd::After(seconds) => i64::from(seconds),
        });
        let mut found = Vec::new();
        for date in dates(from, to, longest.max().unwrap_or(0)) {
            if !self.selects(date) {
                continue;
            }
            for time in &self.times {
                let start = midnight(date) + i64::from(time.start);
                let on_clock = |days: u64, end: u32| {
                    clock.hull(start, midnight(date + Days::new(days)) + i64::from(end))
                };
                found.extend(match time.end {
                    WindowEnd::Clock(end) => on_clock(u64::from(end <= time.start), end),
                    WindowEnd::Weekday(weekday, end) => {
                        let ahead =
                            (1..=7).find(|days| (date + Days::new(*days)).weekday() == weekday);
                        on_clock(ahead.unwrap(), end)
                    }
                    WindowEnd::After(seconds) => clock.has(date).then(|| {
                        let start = clock.start(start);
                        (start, start + i64::from(seconds))
                    }),
                });
            }
        }
        Windows::new(found)
    }

    fn selects(&self, date: NaiveDate) -> bool {
        let rule = &self.dates;
        let weekday = self.weekdays.as_ref().is_none_or(|listed| {
            let fits = |(count, weekday): &(Option<i8>, Weekday)| match count {
                None => date.weekday() == *weekday,
                Some(count) => counted(date, *count, *weekday) == Some(date),
            };
            listed.iter().any(fits)
        });
        let day = rule.days_of_month.as_ref();
        let month = rule
            .months
            .is_none_or(|months| months & (1 << date.month()) != 0);
        let year = rule.years.as_ref().is_none_or(|years| {
            years
                .iter()
                .any(|(first, last)| *first <= date.year() && date.year() <= *last)
        });
        weekday
            && day.is_none_or(|ranges| ranges.iter().any(|range| in_month(date, *range)))
            && month
            && year
            && rule.every.is_none_or(|every| turn_of(date, every))
            && !excepted(&rule.except_dates, date)
    }
}

/// The first date of the month after that of `date`.
fn next_month(date: NaiveDate) -> NaiveDate {
    date.with_day(1).unwrap() + Months::new(1)
}

/// The `count`th such weekday of the month of `date`, from its end when negative.
fn counted(date: NaiveDate, count: i8, weekday: Weekday) -> Option<NaiveDate> {
    let first = date.with_day(1).unwrap();
    let month = first.iter_days().take_while(|day| *day < next_month(date));
    let mut found: Vec<NaiveDate> = month.filter(|day| day.weekday() == weekday).collect();
    if count < 0 {
        found.reverse();
    }
    found.get(usize::from(count.unsigned_abs()) - 1).copied()
}

/// Alertmanager's rule: what begins after the month's end is not in it; what
/// reaches out of it is cut.
fn in_month(date: NaiveDate, range: DayOfMonth) -> bool {
    let first = date.with_day(1).unwrap();
    let place = |day: i8| {
        let from = if day > 0 { first } else { next_month(date) };
        let days = i64::from(day) - i64::from(day > 0);
        from + chrono::TimeDelta::days(days)
    };
    (place(range.first)..=place(range.last)).contains(&date)
}

fn turn_of(date: NaiveDate, every: Every) -> bool {
    let start = |date: NaiveDate| match every.unit {
        EveryUnit::Days => date,
        EveryUnit::Weeks => date.week(Weekday::Mon).first_day(),
    };
    let days = (start(date) - start(every.anchor)).num_days();
    let length = match every.unit {
        EveryUnit::Days => 1,
        EveryUnit::Weeks => 7,
    };
    date >= every.anchor && days.rem_euclid(length * i64::from(every.count)) == 0
}

impl Cron {
    fn windows(&self, from: i64, to: i64) -> Windows {
        let clock = Clock::of(&self.zone);
        let duration = i64::from(self.duration);
        let times = self.expression.times();
        let selected = |date: &NaiveDate| {
            self.expression.selects(*date)
                && !excepted(&self.except_dates, *date)
                && clock.has(*date)
        };
        let mut found = Vec::new();
        for date in dates(from, to, duration).filter(selected) {
            for time in &times {
                let local = midnight(date) + time;
                let starts = if self.expression.is_wildcard() {
                    clock.exactly(local)
                } else {
                    vec![clock.start(local)]
                };
                found.extend(starts.into_iter().map(|start| (start, start + duration)));
            }
        }
        Windows::new(found)
    }
}

/// The turns that `wanted` picks by whether they are the member's own and
/// whether they start on an excepted date.
fn turns(turn: &Turn, from: i64, to: i64, wanted: fn(bool, bool) -> bool) -> Windows {
    let rotation = &turn.rotation;
    let handoff = |zone: &Zone, date: NaiveDate| {
        Clock::of(zone).start(midnight(date) + i64::from(rotation.handoff))
    };
    let length = i64::from(rotation.days);
    let found = dates(from, to, length * DAY).filter_map(|date| {
        let passed = (date - rotation.anchor).num_days();
        if passed < 0 || passed % length != 0 {
            return None;
        }
        let number = usize::try_from(passed / length).unwrap();
        let is_own = rotation
            .members
            .iter()
            .cycle()
            .nth(number % rotation.members.len())
            == Some(&turn.member);
        wanted(is_own, excepted(&turn.except_dates, date)).then(|| {
            let next = date + chrono::TimeDelta::days(length);
            (handoff(&rotation.zone, date), handoff(&rotation.zone, next))
        })
    });
    Windows::new(found)
}
