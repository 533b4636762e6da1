//! Does a cron expression start when cron would start it? Against croner,
//! which shares no code with the `cron` crate under our adapter.
//!
//! Croner differs from Vixie cron in four ways. In two it is asked so that it agrees:
//!
//! * a day field that begins with a star restricts in croner, and is joined
//!   with the other by "or"; Vixie's "and" is croner's `+` before the weekdays;
//! * a list or range in minute or hour counts as a wildcard in croner; Vixie
//!   has fixed times there, so each pair of an hour and a minute is asked alone.
//!
//! Two are left out, and counted:
//!
//! * of a fixed time inside a gap that reaches into the next day, croner looks
//!   for the weekday and date after the gap, Debian's cron for those on which it
//!   was due;
//! * a time more than two hours before the end of a gap ends croner's iterator
//!   for good: Casey has skipped three hours, and Apia a day.

use std::collections::BTreeSet;

use chrono::TimeZone;
use croner::parser::CronParser;
use silenced::schedule::{CronError, CronWindows, Form, Schedule};
use silenced::zone::Zone;

use super::civil::{Clock, DAY, date};
use super::expression::{Expression, Field};
use super::random::Generator;
use super::{at, interval, seeded, zones};

/// The expressions that croner reads as Vixie cron would read this one.
fn for_croner(expression: &Expression) -> Vec<String> {
    let one = |minute: &Field, hour: &Field| {
        let alone = Expression {
            minute: minute.clone(),
            hour: hour.clone(),
            ..expression.clone()
        };
        let [minute, hour, day_of_month, month, day_of_week] = alone.texts();
        let both = day_of_month != "*" && day_of_week != "*";
        let and = if both && !expression.joins_days_with_or() {
            "+"
        } else {
            ""
        };
        format!("{minute} {hour} {day_of_month} {month} {and}{day_of_week}")
    };
    if expression.is_wildcard() {
        return vec![one(&expression.minute, &expression.hour)];
    }
    let numbers = |field: &Field, most| -> Vec<Field> {
        (0..=most)
            .filter(|number| field.has(*number, 0))
            .map(Field::single)
            .collect()
    };
    let (hours, minutes) = (
        numbers(&expression.hour, 23),
        numbers(&expression.minute, 59),
    );
    let pairs = hours
        .iter()
        .flat_map(|hour| minutes.iter().map(move |minute| (minute, hour)));
    pairs.map(|(minute, hour)| one(minute, hour)).collect()
}

fn croner_starts(
    expression: &Expression,
    zone: chrono_tz::Tz,
    from: i64,
    to: i64,
) -> BTreeSet<i64> {
    let mut starts = BTreeSet::new();
    for text in for_croner(expression) {
        let cron = CronParser::new()
            .parse(&text)
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        let before = zone.timestamp_opt(from - 1, 0).unwrap();
        let found = cron.iter_after(before).map(|start| start.timestamp());
        starts.extend(found.take_while(|start| *start < to));
    }
    starts
}

/// A time that the clock skipped: when, from which reading on, to which.
struct Gap {
    at: i64,
    from: i64,
    to: i64,
}

/// The gaps that may touch what happens between two instants.
fn gaps(zone: &Zone, from: i64, to: i64) -> Vec<Gap> {
    let clock = Clock::of(zone);
    zones::changes(zone.timeline())
        .into_iter()
        .filter(|change| (from - 2 * DAY..to + 2 * DAY).contains(change))
        .map(|at| Gap {
            at,
            from: clock.reads(at - 1) + 1,
            to: clock.reads(at),
        })
        .filter(|gap| gap.from < gap.to)
        .collect()
}

/// Mostly the instant of a change.
fn middle(random: &mut fastrand::Rng, zone: &Zone) -> i64 {
    let years = 365 * DAY..4_000_000_000;
    let mut changes = zones::changes(zone.timeline());
    changes.retain(|change| years.contains(change));
    let change = random.choice(&changes).copied();
    change.unwrap_or_else(|| random.i64(years))
}

#[test]
fn starts_agree_with_croner() {
    let mut random = seeded();
    let (mut compared, mut starts, mut never) = (0, 0, 0);
    let (mut long_gaps, mut other_day) = (0, 0);
    while compared < 6000 {
        let zone = random.choice(zones::COMPARABLE.iter()).unwrap();
        let middle = middle(&mut random, zone);
        let expression = Generator {
            source: &mut random,
            zones: &zones::COMPARABLE,
            zone,
            near: at(middle),
        }
        .expression();
        let text = expression.text();
        let windows = match CronWindows::parse(&text, 1, zone.clone(), Vec::new()) {
            Ok(windows) => windows,
            Err(error) => {
                assert_eq!(error, CronError::Never, "{text}");
                assert!(!expression.ever_selects(), "{text}");
                never += 1;
                continue;
            }
        };
        let or = expression.joins_days_with_or();
        assert_eq!(windows.joins_days_with_or(), or, "{text}");

        let from = middle - random.i64(0..2 * DAY);
        let to = middle + random.i64(1..2 * DAY);
        let gaps = gaps(zone, from, to);
        if gaps.iter().any(|gap| gap.to - gap.from > 2 * 3600) {
            long_gaps += 1;
            continue;
        }
        let schedule: Schedule = Form::Cron(windows).into();
        let found = schedule.expand(interval(from, to));
        let mut found: BTreeSet<i64> = found.iter().map(|start| start.start().seconds()).collect();
        let mut expected = croner_starts(&expression, zone.name().parse().unwrap(), from, to);
        for gap in gaps.iter().filter(|gap| date(gap.from) < date(gap.to)) {
            other_day += usize::from(found.remove(&gap.at) != expected.remove(&gap.at));
        }
        assert_eq!(found, expected, "`{text}` in {zone:?}, {from}..{to}");
        compared += 1;
        starts += found.len();
    }
    println!(
        "{starts} starts; left out: {long_gaps} windows, {other_day} starts, {never} expressions"
    );
    assert!(starts > 20_000, "only {starts} starts");
    assert!(
        long_gaps < 200,
        "{long_gaps} windows with long gaps left out"
    );
    assert!(
        other_day < 60,
        "{other_day} starts in gaps to the next day left out"
    );
    assert!(never < 60, "{never} expressions select no date");
}
