//! What happens after the last listed change? The POSIX rule that ends a TZif
//! file, such as `CET-1CEST,M3.5.0,M10.5.0/3`, unrolled year by year.
//!
//! The grammar is RFC 9636 section 3.3.1 with the extended hours of version 3.

use chrono::{Datelike, Days, NaiveDate};

/// A standard offset, and the daylight-saving rule if there is one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct PosixRule {
    /// Seconds east of UTC.
    pub(super) standard: i32,
    pub(super) daylight: Option<Daylight>,
}

/// When the clock is at `offset` instead of the standard one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Daylight {
    offset: i32,
    start: ChangeDay,
    end: ChangeDay,
}

/// A local day of the year and the second of that day, which may lie outside it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct ChangeDay {
    day: YearDay,
    time: i64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum YearDay {
    /// `Jn`: 1 to 365, 29 February never counted.
    WithoutLeapDay(u32),
    /// `n`: 0 to 365, 29 February counted.
    ZeroBased(u32),
    /// `Mm.w.d`: weekday `d` (0 is Sunday) of week `w` (5 is the last) of month `m`.
    MonthWeek { month: u32, week: u32, weekday: u32 },
}

impl PosixRule {
    /// Reads the footer of a TZif file; `None` when it is not such a rule.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader { rest: text };
        reader.abbreviation()?;
        let standard = -reader.offset()?;
        if reader.rest.is_empty() {
            return Some(Self {
                standard: i32::try_from(standard).ok()?,
                daylight: None,
            });
        }
        reader.abbreviation()?;
        let offset = if reader.rest.starts_with(',') {
            standard + 3600
        } else {
            -reader.offset()?
        };
        reader.exact(',')?;
        let start = reader.change_day()?;
        reader.exact(',')?;
        let end = reader.change_day()?;
        reader.rest.is_empty().then_some(())?;
        Some(Self {
            standard: i32::try_from(standard).ok()?,
            daylight: Some(Daylight {
                offset: i32::try_from(offset).ok()?,
                start,
                end,
            }),
        })
    }

    /// Every offset that it uses.
    pub(super) fn offsets(&self) -> impl Iterator<Item = i32> {
        let daylight = self.daylight.as_ref().map(|daylight| daylight.offset);
        std::iter::once(self.standard).chain(daylight)
    }

    /// The changes of the years `from..=to` in order: instant and new offset.
    pub(super) fn changes(&self, from: i32, to: i32) -> Vec<(i64, i32)> {
        let Some(daylight) = &self.daylight else {
            return Vec::new();
        };
        let mut changes: Vec<(i64, i32)> = (from..=to)
            .flat_map(|year| {
                let start = daylight
                    .start
                    .local(year)
                    .map(|local| (local - i64::from(self.standard), daylight.offset));
                let end = daylight
                    .end
                    .local(year)
                    .map(|local| (local - i64::from(daylight.offset), self.standard));
                start.into_iter().chain(end)
            })
            .collect();
        // Permanent daylight saving (`0/0,J365/25`) makes a year's end and the
        // next one's start coincide; the start must be the one that counts.
        changes.sort_by_key(|&(at, offset)| (at, offset == daylight.offset));
        changes.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                *earlier = *later;
            }
            same
        });
        changes
    }
}

impl ChangeDay {
    /// The change in local seconds since 1970.
    fn local(&self, year: i32) -> Option<i64> {
        let date = match self.day {
            YearDay::WithoutLeapDay(day) => {
                let leap = NaiveDate::from_ymd_opt(year, 2, 29).is_some();
                NaiveDate::from_yo_opt(year, if leap && day >= 60 { day + 1 } else { day })?
            }
            YearDay::ZeroBased(day) => {
                NaiveDate::from_ymd_opt(year, 1, 1)?.checked_add_days(Days::new(day.into()))?
            }
            YearDay::MonthWeek {
                month,
                week,
                weekday,
            } => {
                let first = NaiveDate::from_ymd_opt(year, month, 1)?;
                let ahead = (weekday + 7 - first.weekday().num_days_from_sunday()) % 7;
                (0..week)
                    .filter_map(|weeks| NaiveDate::from_ymd_opt(year, month, 1 + ahead + weeks * 7))
                    .next_back()?
            }
        };
        Some(
            date.signed_duration_since(NaiveDate::default())
                .num_seconds()
                + self.time,
        )
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn exact(&mut self, expected: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(expected)?;
        Some(())
    }

    fn take_while(&mut self, accepted: impl Fn(char) -> bool) -> &str {
        let end = self.rest.find(|c| !accepted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn abbreviation(&mut self) -> Option<()> {
        let quoted = self.exact('<').is_some();
        let letters = self.take_while(|c| {
            c.is_ascii_alphabetic() || quoted && (c.is_ascii_digit() || c == '+' || c == '-')
        });
        let enough = letters.len() >= 3;
        if quoted {
            self.exact('>')?;
        }
        enough.then_some(())
    }

    fn number(&mut self) -> Option<u32> {
        self.take_while(|c| c.is_ascii_digit()).parse().ok()
    }

    /// `[+-]h[h[h]][:mm[:ss]]` in seconds, as written (POSIX counts west).
    fn offset(&mut self) -> Option<i64> {
        let negative = self.exact('-').is_some();
        if !negative {
            let _ = self.exact('+');
        }
        let hours = i64::from(self.number()?);
        let mut seconds = hours * 3600;
        for unit in [60, 1] {
            if self.exact(':').is_none() {
                break;
            }
            seconds += i64::from(self.number()?) * unit;
        }
        // Version 3 files allow a change up to a week off its day.
        (hours <= 167).then_some(if negative { -seconds } else { seconds })
    }

    fn change_day(&mut self) -> Option<ChangeDay> {
        let day = if self.exact('J').is_some() {
            YearDay::WithoutLeapDay(self.number().filter(|day| (1..=365).contains(day))?)
        } else if self.exact('M').is_some() {
            let month = self.number().filter(|month| (1..=12).contains(month))?;
            self.exact('.')?;
            let week = self.number().filter(|week| (1..=5).contains(week))?;
            self.exact('.')?;
            let weekday = self.number().filter(|weekday| *weekday <= 6)?;
            YearDay::MonthWeek {
                month,
                week,
                weekday,
            }
        } else {
            YearDay::ZeroBased(self.number().filter(|day| *day <= 365)?)
        };
        let time = if self.exact('/').is_some() {
            self.offset()?
        } else {
            7200
        };
        Some(ChangeDay { day, time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::Timestamp;

    fn changes(rule: &str, year: i32) -> Vec<(String, i32)> {
        let rule = PosixRule::parse(rule).expect("a rule");
        rule.changes(year, year)
            .into_iter()
            .map(|(at, offset)| (Timestamp::from_seconds(at).to_string(), offset))
            .collect()
    }

    #[test]
    fn berlin_nuuk_and_dublin() {
        assert_eq!(
            changes("CET-1CEST,M3.5.0,M10.5.0/3", 2050),
            [
                ("2050-03-27T01:00:00Z".to_owned(), 7200),
                ("2050-10-30T01:00:00Z".to_owned(), 3600)
            ]
        );
        // A change the evening before: negative hours.
        assert_eq!(
            changes("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2026).first(),
            Some(&("2026-03-29T01:00:00Z".to_owned(), -3600))
        );
        // Negative daylight saving: the "daylight" half is the winter.
        assert_eq!(
            changes("IST-1GMT0,M10.5.0,M3.5.0/1", 2026),
            [
                ("2026-03-29T01:00:00Z".to_owned(), 3600),
                ("2026-10-25T01:00:00Z".to_owned(), 0)
            ]
        );
    }

    #[test]
    fn fixed_zones_and_julian_days() {
        assert_eq!(
            PosixRule::parse("<+0545>-5:45"),
            Some(PosixRule {
                standard: 20_700,
                daylight: None
            })
        );
        assert_eq!(
            changes("AAA3BBB,J60/0,J300/0", 2028).first(),
            Some(&("2028-03-01T03:00:00Z".to_owned(), -7200))
        );
        assert_eq!(
            changes("AAA3BBB,59/0,299/0", 2028).first(),
            Some(&("2028-02-29T03:00:00Z".to_owned(), -7200))
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "CET",
            "CET-1CEST",
            "CET-1CEST,M13.1.0,M10.5.0",
            "CET-1CEST,M3.5.0,M10.5.0x",
        ] {
            assert_eq!(PosixRule::parse(text), None, "{text}");
        }
    }
}
