//! Which schedules could somebody write? Any: every form with every key, near
//! an instant, so that what is drawn has something to say about the range.
//!
//! Draws from a generator in the tests, and from the fuzzer's bytes.

use std::sync::Arc;

use chrono::{Datelike, Days, Months, NaiveDate, NaiveTime, Weekday};
use silenced::schedule::{
    DateRange, DateRule, DayOfMonth, Every, EveryUnit, Moment, Rotation, TimeWindow, Turn,
    WindowEnd,
};
use silenced::timestamp::Timestamp;
use silenced::zone::Zone;

use super::expression::{Expression, Field, Item};
use super::specification::{Cron, Form, Once, OnceEnd, Recurring, Specification};

/// Where choices come from.
pub(crate) trait Source {
    /// A number below `limit`, which is at least 1.
    fn below(&mut self, limit: u64) -> u64;
}

/// Draws schedules near an instant.
pub(crate) struct Generator<'a, S> {
    pub(crate) source: &'a mut S,
    pub(crate) zones: &'a [Zone],
    /// Most leaves are in this one.
    pub(crate) zone: &'a Zone,
    pub(crate) near: Timestamp,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "the numbers are small and positive where that matters"
)]
impl<S: Source> Generator<'_, S> {
    fn below(&mut self, limit: u64) -> u64 {
        self.source.below(limit)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1) as u64) as i64
    }

    /// False when the fuzzer's bytes are used up, so that its schedules stay small.
    fn percent(&mut self, chance: u64) -> bool {
        self.below(100) >= 100 - chance
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize].clone()
    }

    fn some<T>(&mut self, most: u64, mut draw: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..=self.below(most)).map(|_| draw(self)).collect()
    }

    fn maybe<T>(&mut self, chance: u64, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.percent(chance).then(|| draw(self))
    }

    /// A schedule with sets at most `depth` deep.
    pub(crate) fn specification(&mut self, depth: u32) -> Specification {
        let form = self.form(depth);
        let except = if depth > 0 && self.percent(15) {
            self.some(2, |this| this.specification(depth - 1))
        } else {
            Vec::new()
        };
        Specification { form, except }
    }

    fn form(&mut self, depth: u32) -> Form {
        if depth > 0 && self.percent(30) {
            let parts = |this: &mut Self| this.some(3, |this| this.specification(depth - 1));
            return match self.below(3) {
                0 => Form::AnyOf(parts(self)),
                1 => Form::AllOf(parts(self)),
                _ => Form::Not(Box::new(self.specification(depth - 1))),
            };
        }
        match self.below(100) {
            0..3 => Form::Always,
            3..15 => Form::Once(self.once()),
            15..30 => Form::Turn(self.turn()),
            30..55 => Form::Cron(self.cron()),
            _ => Form::Recurring(self.recurring()),
        }
    }

    fn some_zone(&mut self) -> Zone {
        if self.percent(80) {
            self.zone.clone()
        } else {
            self.pick(self.zones)
        }
    }

    /// A date at most so many days from the middle.
    fn date(&mut self, days: i64) -> NaiveDate {
        let middle = self.near.to_datetime().date_naive();
        let ahead = self.between(-days, days);
        middle + chrono::TimeDelta::days(ahead)
    }

    /// Seconds after midnight; mostly round, and often where clocks change.
    fn time_of_day(&mut self) -> u32 {
        (match self.below(10) {
            0..4 => self.between(0, 8) * 1800,
            4..6 => self.between(44, 47) * 1800,
            6..8 => self.between(0, 47) * 1800,
            8 => self.between(0, 1439) * 60,
            _ => self.between(0, 86_399),
        }) as u32
    }

    /// Elapsed seconds; mostly hours, sometimes days.
    fn duration(&mut self) -> u32 {
        (match self.below(10) {
            0..3 => self.between(1, 180) * 60,
            3..8 => self.between(1, 16) * 3600,
            8 => self.between(1, 9) * 86_400,
            _ => self.between(1, 200_000),
        }) as u32
    }

    fn except_dates(&mut self) -> Vec<DateRange> {
        if self.percent(75) {
            return Vec::new();
        }
        self.some(2, |this| {
            let first = this.date(12);
            let days = this.below(4);
            DateRange {
                first,
                last: first + Days::new(days),
            }
        })
    }

    fn moment(&mut self, days: i64) -> (Moment, NaiveDate) {
        let date = self.date(days);
        let time = NaiveTime::from_num_seconds_from_midnight_opt(self.time_of_day(), 0);
        let local = date.and_time(time.unwrap_or_default());
        let moment = if self.percent(30) {
            Moment::Absolute(local.and_utc().into())
        } else {
            Moment::Local(local, self.some_zone())
        };
        (moment, date)
    }

    fn once(&mut self) -> Once {
        let (start, start_date) = self.moment(5);
        let end = if self.percent(30) {
            OnceEnd::After(i64::from(self.duration()))
        } else {
            OnceEnd::At(self.moment(9).0)
        };
        Once {
            start,
            start_date,
            end,
            except_dates: self.except_dates(),
        }
    }

    fn recurring(&mut self) -> Recurring {
        let near = self.near.to_datetime();
        let month = near.month();
        let dates = DateRule {
            weekdays: None,
            days_of_month: self.maybe(20, |this| {
                this.some(2, |this| DayOfMonth {
                    first: this.day_of_month(),
                    last: this.day_of_month(),
                })
            }),
            months: self.maybe(10, |this| 1 << month | (this.between(0, 0xfff) as u16) << 1),
            years: self.maybe(10, |this| {
                let first = near.year() + this.between(-1, 1) as i32;
                vec![(first, first + this.between(0, 1) as i32)]
            }),
            every: self.maybe(15, |this| Every {
                unit: this.pick(&[EveryUnit::Days, EveryUnit::Weeks]),
                count: this.between(1, 4) as u32,
                anchor: this.anchor(),
            }),
            except_dates: self.except_dates(),
        };
        Recurring {
            zone: self.some_zone(),
            weekdays: self.maybe(40, |this| {
                this.some(4, |this| {
                    let count =
                        this.maybe(25, |this| this.pick(&[1, 2, 3, 4, 5, -1, -2, -3, -4, -5]));
                    (count, this.weekday())
                })
            }),
            dates,
            times: self.some(2, Self::time_window),
        }
    }

    fn weekday(&mut self) -> Weekday {
        Weekday::try_from(self.below(7) as u8).unwrap_or(Weekday::Mon)
    }

    fn day_of_month(&mut self) -> i8 {
        let day = self.between(1, 31) as i8;
        if self.percent(40) { -day } else { day }
    }

    /// Mostly a little before the middle, sometimes after it or long before.
    fn anchor(&mut self) -> NaiveDate {
        let date = self.date(20);
        let months = if self.percent(20) { self.below(300) } else { 0 };
        date - Months::new(months as u32)
    }

    fn time_window(&mut self) -> TimeWindow {
        if self.percent(10) {
            return TimeWindow::WHOLE_DAY;
        }
        let start = self.time_of_day();
        let clock = |this: &mut Self| match this.below(8) {
            0 => 86_400,
            _ => this.time_of_day(),
        };
        let end = match self.below(10) {
            0..6 => WindowEnd::Clock(clock(self)),
            6 => WindowEnd::Weekday(self.weekday(), clock(self)),
            _ => WindowEnd::After(self.duration()),
        };
        TimeWindow { start, end }
    }

    fn turn(&mut self) -> Turn {
        let members = self.some(3, |this| this.pick(&["ann", "bob", "cyd"]).to_owned());
        let rotation = Rotation {
            anchor: self.anchor(),
            handoff: self.time_of_day(),
            days: self.pick(&[1, 1, 2, 3, 7, 7, 14]),
            zone: self.some_zone(),
            members,
        };
        Turn {
            member: self.pick(&rotation.members),
            rotation: Arc::new(rotation),
            on_call: self.percent(50),
            except_dates: self.except_dates(),
        }
    }

    pub(crate) fn cron(&mut self) -> Cron {
        Cron {
            zone: self.some_zone(),
            expression: self.expression(),
            duration: self.duration(),
            except_dates: self.except_dates(),
        }
    }

    pub(crate) fn expression(&mut self) -> Expression {
        let month = self.near.to_datetime().month();
        Expression {
            minute: self.clock_field(59, &[10, 15, 20, 30, 45]),
            hour: self.clock_field(23, &[2, 3, 5, 6, 12]),
            day_of_month: self.day_field(1, 31, 60),
            month: if self.percent(90) {
                self.pick(&[Field::star(), Field::single(month)])
            } else {
                self.day_field(1, 12, 0)
            },
            day_of_week: self.day_field(0, 7, 50),
        }
    }

    fn clock_field(&mut self, most: u32, steps: &[u32]) -> Field {
        let items = match self.below(20) {
            0 => vec![Item::Star],
            1..4 => vec![Item::StarStep(self.pick(steps))],
            4..6 => vec![self.range(0, most)],
            _ => self.some(2, |this| {
                // Clocks change at night, and often at the half hour.
                let likely = [0, 1, 2, 3, most / 2 + 1, most];
                let any = this.between(0, i64::from(most)) as u32;
                Item::Single(if this.percent(60) {
                    this.pick(&likely)
                } else {
                    any
                })
            }),
        };
        Field {
            items,
            names: false,
        }
    }

    fn range(&mut self, least: u32, most: u32) -> Item {
        let first = self.between(i64::from(least), i64::from(most)) as u32;
        let end = (first + self.below(6) as u32).min(most);
        if self.percent(30) {
            Item::RangeStep(first, end, self.between(1, 4) as u32)
        } else {
            Item::Range(first, end)
        }
    }

    fn day_field(&mut self, least: u32, most: u32, star: u64) -> Field {
        if self.percent(star) {
            return Field::star();
        }
        let items = if self.percent(20) {
            vec![Item::StarStep(self.between(2, 5) as u32)]
        } else {
            self.some(3, |this| {
                if this.percent(40) {
                    this.range(least, most)
                } else {
                    Item::Single(this.between(i64::from(least), i64::from(most)) as u32)
                }
            })
        };
        // The name of 7 is that of 0: no range ends with it, and what `SUN-SUN`
        // is nobody agrees on.
        let ends_with_sunday = |item: &Item| matches!(item, Item::Range(_, 0 | 7));
        let names = !items.iter().any(ends_with_sunday) && self.percent(30);
        Field { items, names }
    }
}
