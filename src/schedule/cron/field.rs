//! Which numbers does a field of a cron expression stand for? Lists, ranges and
//! steps as Vixie cron reads them; names of months and of days of the week.

use super::CronError;

/// A set of the numbers 0 to 59.
pub(super) type NumberSet = u64;

/// The numbers of a set, in order.
pub(super) fn members(set: NumberSet) -> impl Iterator<Item = u16> + Clone {
    (0..60).filter(move |number| set >> number & 1 == 1)
}

/// One of the five, with what may stand in it.
pub(super) struct Field {
    name: &'static str,
    least: u64,
    most: u64,
    /// Names for the numbers from `least` on.
    names: &'static [&'static str],
}

pub(super) const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];

pub(super) const MINUTE: Field = Field {
    name: "minute",
    least: 0,
    most: 59,
    names: &[],
};
pub(super) const HOUR: Field = Field {
    name: "hour",
    least: 0,
    most: 23,
    names: &[],
};
pub(super) const DAY_OF_MONTH: Field = Field {
    name: "day of month",
    least: 1,
    most: 31,
    names: &[],
};
pub(super) const MONTH: Field = Field {
    name: "month",
    least: 1,
    most: 12,
    names: &MONTHS,
};
/// 0 and 7 are both Sunday, so that `5-7` is Friday to Sunday.
pub(super) const DAY_OF_WEEK: Field = Field {
    name: "day of week",
    least: 0,
    most: 7,
    names: &WEEKDAYS,
};

impl Field {
    /// A comma list of `*`, `*/n`, `a`, `a-b`, `a-b/n`.
    pub(super) fn parse(&self, text: &str) -> Result<NumberSet, CronError> {
        let mut set = 0;
        for item in text.split(',') {
            let (first, last, step) = self.item(item).map_err(|reason| CronError::Field {
                field: self.name,
                item: item.to_owned(),
                reason,
            })?;
            for number in (first..=last).step_by(step) {
                set |= 1 << number;
            }
        }
        if self.most == 7 && set >> 7 & 1 == 1 {
            set = set & 0x7f | 1;
        }
        Ok(set)
    }

    fn item(&self, item: &str) -> Result<(u64, u64, usize), String> {
        let (range, step) = match item.split_once('/') {
            None => (item, None),
            Some((range, step)) => {
                let step = step
                    .parse::<usize>()
                    .ok()
                    .filter(|step| (1..=60).contains(step));
                (
                    range,
                    Some(step.ok_or("the step after `/` must be a number from 1 on")?),
                )
            }
        };
        if range == "*" {
            return Ok((
                self.least,
                self.most.min(if self.most == 7 { 6 } else { 59 }),
                step.unwrap_or(1),
            ));
        }
        if let Some((first, last)) = range.split_once('-') {
            let (first, last) = (self.number(first)?, self.number(last)?);
            if first > last {
                return Err(format!("`{range}` runs backwards; write two ranges"));
            }
            return Ok((first, last, step.unwrap_or(1)));
        }
        if step.is_some() {
            return Err(format!(
                "a step needs a range before it: `{range}-{}/n` or `*/n`",
                self.most
            ));
        }
        let number = self.number(range)?;
        Ok((number, number, 1))
    }

    fn number(&self, text: &str) -> Result<u64, String> {
        if let Some(index) = self
            .names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(text))
        {
            return Ok(self.least + u64::try_from(index).unwrap_or(0));
        }
        let number = text
            .parse::<u64>()
            .ok()
            .filter(|number| (self.least..=self.most).contains(number));
        let numeric = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        number.filter(|_| numeric).ok_or_else(|| {
            let names = match (self.names.first(), self.names.last()) {
                (Some(first), Some(last)) => format!(" or {first} to {last}"),
                _ => String::new(),
            };
            format!("expected {} to {}{names}", self.least, self.most)
        })
    }
}
