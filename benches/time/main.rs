//! How fast are schedules? Prints Markdown tables: one window by silenced and
//! by others, ten thousand declarations, and what the single steps cost.
//!
//! `make bench` runs it. Everything is processor time, measured in turns.

#![allow(
    clippy::cast_precision_loss,
    reason = "it measures, and stops when something is off"
)]

mod fleet;
#[path = "../measure.rs"]
#[allow(dead_code, reason = "no goals are set for it")]
mod measure;
mod rivals;

use std::cell::RefCell;
use std::time::Duration;

use chrono::NaiveDateTime;
use chrono_tz::Tz;
use silenced::interval::Interval;
use silenced::schedule::{CronWindows, DateRule, Form, Schedule, occurrences};
use silenced::timestamp::Timestamp;
use silenced::zone::{Zone, ZoneDatabase};

use fleet::{clock, day_of_month, fleet, monday_to_friday, second_tuesday};
use measure::{Contestant, Figures, compete, load, machine};
use rivals::Python;

const ROUNDS: usize = 15;
const FLEET: u32 = 10_000;

/// Monday to Friday 22:00-06:00 in Berlin meets the year 2027 so often.
const WINDOWS: usize = 262;

fn main() {
    let database = ZoneDatabase::bundled();
    let berlin = database.zone("Europe/Berlin").unwrap();
    let year = between("2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z");

    println!(
        "{}; processor time, {ROUNDS} interleaved rounds; zones {}\n",
        machine(),
        database.version()
    );
    one_window(&berlin, year);
    many_declarations(&database, year);
    single_steps(&database, &berlin, year);
    println!("load average at the end {}", load());
}

fn between(start: &str, end: &str) -> Interval {
    Interval::new(
        Timestamp::parse(start).unwrap(),
        Timestamp::parse(end).unwrap(),
    )
    .unwrap()
}

fn one_window(berlin: &Zone, year: Interval) {
    let ours = clock(berlin, monday_to_friday(), 22, 6);
    let zone = Tz::Europe__Berlin;
    // The first window began on the last evening of the year before.
    let from: NaiveDateTime = "2026-12-31T00:00:00".parse().unwrap();
    let cron = rivals::cron_schedule();
    let croner = rivals::croner_schedule();
    let rrule = rivals::rrule_set(zone, from);
    let python = RefCell::new(Python::start(zone, from, WINDOWS));

    let windows = ours.expand(year);
    assert_eq!(windows.len(), WINDOWS);
    assert_eq!(
        windows.as_slice(),
        rivals::direct(zone, year),
        "the direct walk"
    );
    let whole = ours.expand(between("2026-12-31T12:00:00Z", "2028-01-02T00:00:00Z"));
    let starts: Vec<i64> = whole
        .iter()
        .map(|window| window.start().seconds())
        .collect();
    assert_eq!(starts, rivals::cron(&cron, zone, from, WINDOWS), "cron");
    assert_eq!(
        starts,
        rivals::croner(&croner, zone, from, WINDOWS),
        "croner"
    );
    assert_eq!(starts, rivals::rrule(&rrule, WINDOWS), "rrule");
    for name in ["dateutil", "croniter"] {
        assert_eq!(starts, python.borrow_mut().starts(name), "{name}");
    }

    let mut contestants = [
        Contestant::new("**silenced** (`Schedule::expand`: start and end)", || {
            ours.expand(year)
        }),
        Contestant::new(
            "direct: walk of local dates, two chrono-tz look-ups (start and end)",
            || rivals::direct(zone, year),
        ),
        Contestant::new("rrule 0.14.0 (starts)", || rivals::rrule(&rrule, WINDOWS)),
        Contestant::new("cron 0.17.0, its own zone iteration (starts)", || {
            rivals::cron(&cron, zone, from, WINDOWS)
        }),
        Contestant::new("croner 4.0.3 (starts)", || {
            rivals::croner(&croner, zone, from, WINDOWS)
        }),
        Contestant::elsewhere("Python dateutil 4.0.0 `rrule` (starts)", || {
            python.borrow_mut().time("dateutil")
        }),
        Contestant::elsewhere("Python croniter 7.0.0 (starts)", || {
            python.borrow_mut().time("croniter")
        }),
    ];
    let figures = compete(&mut contestants, ROUNDS);
    println!(
        "Monday to Friday 22:00-06:00 in Europe/Berlin over 2027, {WINDOWS} windows; every result was checked to be the same\n"
    );
    println!("| method | ns per window, best | median | to silenced | to direct |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let each = |time: Duration| time.as_nanos() as f64 / WINDOWS as f64;
    for (contestant, figure) in contestants.iter().zip(&figures) {
        let to = |other: &Figures| figure.median.as_secs_f64() / other.median.as_secs_f64();
        println!(
            "| {} | {:.1} | {:.1} | {:.1} | {:.2} |",
            contestant.name,
            each(figure.best),
            each(figure.median),
            to(&figures[0]),
            to(&figures[1])
        );
    }
    let noise = |figure: &Figures| figure.median.as_secs_f64() / figure.best.as_secs_f64() - 1.0;
    let loudest = figures.iter().map(noise).fold(0.0, f64::max);
    println!(
        "\nNoise: no median is more than {:.0} % above its best round\n",
        loudest * 100.0
    );
}

fn many_declarations(database: &ZoneDatabase, year: Interval) {
    let schedules = fleet(database, FLEET);
    let expand = || {
        schedules
            .iter()
            .map(|schedule| schedule.expand(year).len())
            .sum::<usize>()
    };
    let now = Timestamp::parse("2027-03-10T12:00:00Z").unwrap();
    let tomorrow = now.plus(Duration::from_hours(24));
    let pass = || {
        schedules
            .iter()
            .map(|schedule| occurrences(schedule, now, tomorrow).len())
            .sum::<usize>()
    };
    println!(
        "{FLEET} declarations in 20 zones: six of ten on weekday nights, two daily, one over weekends, one monthly\n"
    );
    table(vec![
        (
            format!("expand all over a year: {} windows", expand()),
            Contestant::new("", expand),
        ),
        (
            format!("`occurrences` of all, 24 h ahead: {}", pass()),
            Contestant::new("", pass),
        ),
    ]);
}

fn single_steps(database: &ZoneDatabase, berlin: &Zone, year: Interval) {
    let now = Timestamp::parse("2027-03-10T12:00:00Z").unwrap();
    let names = database.names();
    let cron = |expression: &str| -> Schedule {
        Form::Cron(CronWindows::parse(expression, 30, berlin.clone(), Vec::new()).unwrap()).into()
    };
    let expanded = |what: &str, schedule: Schedule| {
        let count = schedule.expand(year).len();
        let work = Contestant::new("", move || schedule.expand(year));
        (format!("expand over a year: {what}, {count} windows"), work)
    };
    let ahead = |what: &str, schedule: Schedule| {
        let work = move || occurrences(&schedule, now, now.plus(Duration::from_hours(24)));
        (
            format!("`occurrences`, 24 h ahead: {what}"),
            Contestant::new("", work),
        )
    };
    let nights = clock(berlin, monday_to_friday(), 22, 6);
    println!("Single steps\n");
    table(vec![
        (
            "`ZoneDatabase::zone(\"Europe/Berlin\")`: TZif to a timeline up to 2101".to_owned(),
            Contestant::new("", || database.zone("Europe/Berlin")),
        ),
        (
            format!("every zone there is, {}", names.len()),
            Contestant::new("", || {
                names
                    .iter()
                    .filter_map(|name| database.zone(name).ok())
                    .count()
            }),
        ),
        (
            "`CronWindows::parse(\"0 22 * * 1-5\")`".to_owned(),
            Contestant::new("", || {
                CronWindows::parse("0 22 * * 1-5", 30, berlin.clone(), Vec::new())
            }),
        ),
        expanded("weekday nights", nights.clone()),
        expanded("second Tuesday", clock(berlin, second_tuesday(), 22, 2)),
        expanded(
            "last day of the month",
            clock(berlin, day_of_month(-1), 22, 2),
        ),
        expanded(
            "weekday nights but summer, by `not` and `all_of`",
            Form::AllOf(vec![nights.clone(), not_in_summer(berlin)]).into(),
        ),
        expanded("cron `0 22 * * 1-5`", cron("0 22 * * 1-5")),
        expanded("cron `* * * * *`, 30 s each", cron("* * * * *")),
        ahead("weekday nights, closed now", nights),
        ahead(
            "daily 08:00-18:00, open now",
            clock(berlin, DateRule::default(), 8, 18),
        ),
        ahead("cron `0 22 * * 1-5`", cron("0 22 * * 1-5")),
        ahead(
            "a lease: daily 00:00-24:00",
            clock(berlin, DateRule::default(), 0, 24),
        ),
        ahead("a lease: `always`", Form::Always.into()),
    ]);
}

fn not_in_summer(berlin: &Zone) -> Schedule {
    let summer = DateRule {
        months: Some(1 << 7 | 1 << 8),
        ..DateRule::default()
    };
    Form::Not(Box::new(clock(berlin, summer, 0, 24))).into()
}

fn table(rows: Vec<(String, Contestant)>) {
    let (names, mut contestants): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let figures = compete(&mut contestants, ROUNDS);
    println!("| what | best | median |");
    println!("| --- | ---: | ---: |");
    for (name, Figures { best, median }) in names.iter().zip(figures) {
        println!("| {name} | {best:.1?} | {median:.1?} |");
    }
    println!();
}
