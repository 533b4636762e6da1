//! What do others do? The same window by other means, each told as it likes it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::str::FromStr;
use std::time::Duration;

use chrono::{Datelike, Days, NaiveDateTime, NaiveTime, TimeZone, Weekday};
use chrono_tz::Tz;
use silenced::interval::Interval;
use silenced::timestamp::Timestamp;

/// Seconds since 1970.
pub type Starts = Vec<i64>;

/// How one would write it by hand: walk the local dates and ask chrono-tz for
/// the start and the end of each window; clipped to `range`.
pub fn direct(zone: Tz, range: Interval) -> Vec<Interval> {
    let [start, end] = [22, 6].map(|hour| NaiveTime::from_hms_opt(hour, 0, 0).expect("an hour"));
    let local_date = |instant: Timestamp| instant.to_datetime().with_timezone(&zone).date_naive();
    let first = local_date(range.start()) - Days::new(1);
    let last = local_date(range.end());
    let mut windows = Vec::new();
    for date in first.iter_days().take_while(|date| *date <= last) {
        if matches!(date.weekday(), Weekday::Sat | Weekday::Sun) {
            continue;
        }
        let opening = zone.from_local_datetime(&date.and_time(start)).earliest();
        let closing = zone
            .from_local_datetime(&(date + Days::new(1)).and_time(end))
            .latest();
        let (Some(opening), Some(closing)) = (opening, closing) else {
            continue; // Never at these hours in Berlin.
        };
        let [opening, closing] =
            [opening, closing].map(|time| Timestamp::from_seconds(time.timestamp()));
        windows
            .extend(Interval::new(opening, closing).and_then(|window| window.intersection(range)));
    }
    windows
}

/// The `cron` crate over the zone itself.
pub fn cron(schedule: &cron::Schedule, zone: Tz, from: NaiveDateTime, count: usize) -> Starts {
    let from = zone.from_local_datetime(&from).earliest().expect("no gap");
    schedule
        .after(&from)
        .take(count)
        .map(|start| start.timestamp())
        .collect()
}

pub fn cron_schedule() -> cron::Schedule {
    cron::Schedule::from_str("0 0 22 * * MON-FRI").expect("valid")
}

pub fn croner(schedule: &croner::Cron, zone: Tz, from: NaiveDateTime, count: usize) -> Starts {
    let from = zone.from_local_datetime(&from).earliest().expect("no gap");
    schedule
        .iter_after(from)
        .take(count)
        .map(|start| start.timestamp())
        .collect()
}

pub fn croner_schedule() -> croner::Cron {
    croner::Cron::from_str("0 22 * * 1-5").expect("valid")
}

pub fn rrule(set: &rrule::RRuleSet, count: usize) -> Starts {
    set.into_iter()
        .take(count)
        .map(|start| start.timestamp())
        .collect()
}

/// The first window is the first start, or the crate would have to run up to it.
pub fn rrule_set(zone: Tz, from: NaiveDateTime) -> rrule::RRuleSet {
    let start = from.format("%Y%m%dT220000");
    format!("DTSTART;TZID={zone}:{start}\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR")
        .parse()
        .expect("valid")
}

/// The Python program beside this file, which measures itself when asked.
pub struct Python {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Python {
    /// `from` and `count` as for the others.
    pub fn start(zone: Tz, from: NaiveDateTime, count: usize) -> Self {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let interpreter = package.join("../.tools/python-benches/bin/python");
        let mut process = Command::new(&interpreter)
            .arg(package.join("time/others.py"))
            .args([zone.name(), &from.to_string(), &count.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("`{}`: {error}; run `make bench`", interpreter.display())
            });
        let questions = process.stdin.take().expect("piped");
        let answers = BufReader::new(process.stdout.take().expect("piped"));
        Self {
            process,
            questions,
            answers,
        }
    }

    fn ask(&mut self, question: &str, name: &str) -> String {
        writeln!(self.questions, "{question} {name}").expect("Python listens");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("Python answers");
        answer
    }

    pub fn starts(&mut self, name: &str) -> Starts {
        let answer = self.ask("starts", name);
        answer
            .split_whitespace()
            .map(|start| start.parse().expect("seconds"))
            .collect()
    }

    pub fn time(&mut self, name: &str) -> Duration {
        Duration::from_nanos(self.ask("time", name).trim().parse().expect("nanoseconds"))
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
