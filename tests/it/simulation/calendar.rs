//! When should it be silent? A second opinion, minute by minute: nothing here
//! is shared with the program but the zone data that chrono-tz carries.
//!
//! A daily window of a local date is the hull of the minutes whose local clock
//! reads inside it, found by looking at every minute.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::{DateTime, Datelike as _, NaiveDate, Offset as _, TimeZone as _};
use chrono_tz::Tz;
use silenced::timestamp::Timestamp;

/// Zones whose rules of 2026 chrono-tz knows right: with and without summer
/// time, of both hemispheres, with half hours.
pub(super) const ZONES: [Tz; 6] = [
    Tz::UTC,
    Tz::Europe__Berlin,
    Tz::America__New_York,
    Tz::Asia__Kolkata,
    Tz::Australia__Lord_Howe,
    Tz::America__Santiago,
];

/// Minutes since 1970.
pub(super) type Minute = i64;

pub(super) const DAY: Minute = 1440;

pub(super) fn minute_of(at: Timestamp) -> Minute {
    at.seconds().div_euclid(60)
}

pub(super) fn instant_of(minute: Minute) -> Timestamp {
    Timestamp::from_seconds(minute * 60)
}

/// Ranges of every day that have a name, with their zone.
pub(super) const NAMED: [(&str, Tz, (Minute, Minute)); 2] = [
    ("evenings", Tz::Europe__Berlin, (18 * 60, 23 * 60 + 30)),
    ("lunch", Tz::America__New_York, (11 * 60, 13 * 60)),
];

/// The file of definitions that gives them their names.
pub(super) fn definitions() -> String {
    let intervals = NAMED.iter().map(|(name, zone, (start, end))| {
        let (start, end) = (clock(*start), clock(*end));
        format!(
            "  - name: {name}\n    time_intervals:\n      - {{location: {zone}, times: [{{start_time: \"{start}\", end_time: \"{end}\"}}]}}\n"
        )
    });
    format!("time_intervals:\n{}", intervals.collect::<String>())
}

fn clock(minute: Minute) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// When an entry applies.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum When {
    Once(Minute, Minute),
    /// Ranges of minutes of the day; one whose end is not after its start ends
    /// on the next day. Weekdays count from Monday, and belong to the start.
    Daily {
        zone: Tz,
        ranges: Vec<(Minute, Minute)>,
        weekdays: Vec<u32>,
    },
    Always,
    /// The range of that place in [`NAMED`], by its name.
    Named(usize),
}

impl When {
    /// The maximal windows that touch `from..to`, as far as that range shows them.
    pub(super) fn windows(&self, from: Minute, to: Minute) -> Vec<(Minute, Minute)> {
        let mut windows = match self {
            Self::Once(start, end) => vec![(*start, *end)],
            Self::Always => vec![(Minute::MIN, Minute::MAX)],
            Self::Named(index) => {
                let (_, zone, range) = NAMED[*index];
                let daily = Self::Daily {
                    zone,
                    ranges: vec![range],
                    weekdays: (0..7).collect(),
                };
                return daily.windows(from, to);
            }
            Self::Daily {
                zone,
                ranges,
                weekdays,
            } => {
                let dates = from.div_euclid(DAY) - 2..=to.div_euclid(DAY) + 2;
                dates
                    .filter(|&day| weekdays.contains(&weekday(day)))
                    .flat_map(|day| ranges.iter().map(move |range| (day, *range)))
                    .filter_map(|(day, range)| hull(*zone, day, range))
                    .collect()
            }
        };
        windows.sort_unstable();
        let mut merged: Vec<(Minute, Minute)> = Vec::new();
        for (start, end) in windows {
            match merged.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        merged.retain(|&(start, end)| start < to && from < end);
        merged
    }

    /// The form in YAML.
    pub(super) fn yaml(&self) -> String {
        match self {
            Self::Once(start, end) => format!(
                "{{starts_at: \"{}\", ends_at: \"{}\"}}",
                instant_of(*start),
                instant_of(*end)
            ),
            Self::Always => "always".to_owned(),
            Self::Named(index) => format!("{{time_interval: {}}}", NAMED[*index].0),
            Self::Daily {
                zone,
                ranges,
                weekdays,
            } => {
                let times = ranges.iter().map(|&(start, end)| {
                    let (start, end) = (clock(start), clock(end));
                    format!("{{start_time: \"{start}\", end_time: \"{end}\"}}")
                });
                let times = times.collect::<Vec<_>>().join(", ");
                let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
                let days = weekdays.iter().map(|&day| names[day as usize]);
                let days = days.collect::<Vec<_>>().join(", ");
                format!("{{timezone: {zone}, weekdays: [{days}], times: [{times}]}}")
            }
        }
    }
}

/// Days since 1970, from Monday on.
fn weekday(day: Minute) -> u32 {
    let date = NaiveDate::default() + chrono::TimeDelta::days(day);
    date.weekday().num_days_from_monday()
}

/// First and last minute whose local clock reads inside the range of that date.
fn hull(zone: Tz, day: Minute, (start, end): (Minute, Minute)) -> Option<(Minute, Minute)> {
    let opening = day * DAY + start;
    let closing = day * DAY + if start < end { end } else { end + DAY };
    let offsets = &OFFSETS[zone.name()];
    let least = offsets.iter().map(|&(_, offset)| offset).min()?;
    let most = offsets.iter().map(|&(_, offset)| offset).max()?;
    let mut inside = (opening - most..closing - least).filter(|&minute| {
        let at = offsets.iter().rev().find(|&&(since, _)| since <= minute);
        at.is_some_and(|&(_, offset)| (opening..closing).contains(&(minute + offset)))
    });
    let first = inside.next()?;
    Some((first, inside.next_back().unwrap_or(first) + 1))
}

/// Per zone the minutes from which on an offset holds, from late 2025 to early 2027.
static OFFSETS: LazyLock<BTreeMap<&str, Vec<(Minute, Minute)>>> = LazyLock::new(|| {
    let first = 20_400 * DAY;
    let last = first + 500 * DAY;
    let zones = ZONES.iter().map(|zone| {
        let offset = |minute: Minute| {
            let utc = DateTime::from_timestamp(minute * 60, 0).unwrap();
            let offset = zone.offset_from_utc_datetime(&utc.naive_utc());
            Minute::from(offset.fix().local_minus_utc() / 60)
        };
        let mut offsets = vec![(first, offset(first))];
        for hour in (first..last).step_by(60) {
            if offset(hour + 60) == offset(hour) {
                continue;
            }
            let minutes = hour + 1..=hour + 60;
            let change = minutes
                .into_iter()
                .find(|&minute| offset(minute) != offset(minute - 1))
                .unwrap();
            offsets.push((change, offset(change)));
        }
        (zone.name(), offsets)
    });
    zones.collect()
});

#[test]
fn the_second_opinion_knows_the_worked_examples() {
    let minute = |text: &str| minute_of(Timestamp::parse(text).unwrap());
    let daily = |zone, start, end| When::Daily {
        zone,
        ranges: vec![(start, end)],
        weekdays: (0..7).collect(),
    };
    for (when, from, to, expected) in [
        (
            daily(Tz::Europe__Berlin, 22 * 60, 6 * 60),
            "2026-03-28T12:00:00Z",
            "2026-03-29T12:00:00Z",
            ("2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z"),
        ),
        (
            daily(Tz::Australia__Lord_Howe, 135, 180),
            "2026-10-03T12:00:00Z",
            "2026-10-04T12:00:00Z",
            ("2026-10-03T15:30:00Z", "2026-10-03T16:00:00Z"),
        ),
        (
            daily(Tz::America__New_York, 90, 300),
            "2026-11-01T04:00:00Z",
            "2026-11-01T12:00:00Z",
            ("2026-11-01T05:30:00Z", "2026-11-01T10:00:00Z"),
        ),
    ] {
        let expected = (minute(expected.0), minute(expected.1));
        assert_eq!(when.windows(minute(from), minute(to)), [expected]);
    }
}
