//! What does a cron expression say? The tests' own model: its text, and which
//! numbers its fields have, read off the definition of Vixie cron.

use chrono::{Datelike, NaiveDate};

/// One element of a field's comma list.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item {
    Star,
    StarStep(u32),
    Single(u32),
    Range(u32, u32),
    RangeStep(u32, u32, u32),
}

/// A field; `names` writes single numbers by name where there are names.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) items: Vec<Item>,
    pub(crate) names: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Expression {
    pub(crate) minute: Field,
    pub(crate) hour: Field,
    pub(crate) day_of_month: Field,
    pub(crate) month: Field,
    pub(crate) day_of_week: Field,
}

const MONTHS: [&str; 13] = [
    "", "jan", "Feb", "MAR", "apr", "May", "jun", "jul", "aug", "sep", "oct", "nov", "DEC",
];
const WEEKDAYS: [&str; 8] = ["SUN", "mon", "Tue", "wed", "thu", "fri", "sat", "sun"];

impl Field {
    pub(crate) fn star() -> Self {
        Self {
            items: vec![Item::Star],
            names: false,
        }
    }

    pub(crate) fn single(number: u32) -> Self {
        Self {
            items: vec![Item::Single(number)],
            names: false,
        }
    }

    pub(crate) fn text(&self, names: &[&str]) -> String {
        let number = |number: u32| match names.get(number as usize) {
            Some(name) if self.names => (*name).to_owned(),
            _ => number.to_string(),
        };
        let item = |item: &Item| match *item {
            Item::Star => "*".to_owned(),
            Item::StarStep(step) => format!("*/{step}"),
            Item::Single(only) => number(only),
            Item::Range(first, last) => format!("{}-{}", number(first), number(last)),
            Item::RangeStep(first, last, step) => format!("{first}-{last}/{step}"),
        };
        self.items.iter().map(item).collect::<Vec<_>>().join(",")
    }

    pub(crate) fn begins_with_star(&self) -> bool {
        matches!(self.items[0], Item::Star | Item::StarStep(_))
    }

    /// Whether it has the number; stars count from `least`.
    pub(crate) fn has(&self, number: u32, least: u32) -> bool {
        let since = |first: u32, step: u32| (number - first).is_multiple_of(step);
        self.items.iter().any(|item| match *item {
            Item::Star => true,
            Item::StarStep(step) => since(least, step),
            Item::Single(only) => number == only,
            Item::Range(first, end) => (first..=end).contains(&number),
            Item::RangeStep(first, end, step) => {
                (first..=end).contains(&number) && since(first, step)
            }
        })
    }
}

impl Expression {
    /// As it is written.
    pub(crate) fn text(&self) -> String {
        let [minute, hour, day_of_month, month, day_of_week] = self.texts();
        format!("{minute} {hour} {day_of_month} {month} {day_of_week}")
    }

    pub(crate) fn texts(&self) -> [String; 5] {
        [
            self.minute.text(&[]),
            self.hour.text(&[]),
            self.day_of_month.text(&[]),
            self.month.text(&MONTHS),
            self.day_of_week.text(&WEEKDAYS),
        ]
    }

    /// A star at the front of minute or hour: runs at every real match.
    pub(crate) fn is_wildcard(&self) -> bool {
        self.minute.begins_with_star() || self.hour.begins_with_star()
    }

    /// The times of day as seconds after midnight.
    pub(crate) fn times(&self) -> Vec<i64> {
        let hours = (0..24).filter(|hour| self.hour.has(*hour, 0));
        hours
            .flat_map(|hour| {
                let minutes = (0..60).filter(|minute| self.minute.has(*minute, 0));
                minutes.map(move |minute| i64::from(hour * 3600 + minute * 60))
            })
            .collect()
    }

    /// Whether both day fields are given, so that one of them is enough.
    pub(crate) fn joins_days_with_or(&self) -> bool {
        !self.day_of_month.begins_with_star() && !self.day_of_week.begins_with_star()
    }

    pub(crate) fn selects(&self, date: NaiveDate) -> bool {
        let weekday = date.weekday().num_days_from_sunday();
        let by_week = self.day_of_week.has(weekday, 0)
            // 7 is Sunday too, but not when a star counts: that ends with 6.
            || weekday == 0 && self.without_stars(7);
        let by_month = self.day_of_month.has(date.day(), 1);
        let day = if self.joins_days_with_or() {
            by_week || by_month
        } else {
            by_week && by_month
        };
        day && self.month.has(date.month(), 1)
    }

    fn without_stars(&self, weekday: u32) -> bool {
        let is_listed = |item: &&Item| !matches!(item, Item::Star | Item::StarStep(_));
        let items = self.day_of_week.items.iter().filter(is_listed).copied();
        let listed = Field {
            items: items.collect(),
            names: false,
        };
        listed.has(weekday, 0)
    }

    /// Whether any date of any year is selected; a leap year has them all.
    pub(crate) fn ever_selects(&self) -> bool {
        let first = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap();
        // 28 years bring every date together with every weekday.
        first
            .iter_days()
            .take(28 * 366)
            .any(|date| self.selects(date))
    }
}
