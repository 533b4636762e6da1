//! Is the definition what a person sees? Ask the clock every minute for days
//! round every change: is it inside the window now?

use chrono::{NaiveDate, Weekday};
use silenced::interval::{Interval, IntervalSet};
use silenced::schedule::{DateRule, Form, Recurring, Schedule, TimeWindow, WindowEnd};
use silenced::zone::Zone;

use super::civil::{DAY, midnight};
use super::{at, interval, zones};

const HOUR: u32 = 3600;

/// How the windows look that are tried everywhere.
const TIMES: [TimeWindow; 12] = [
    short(1, 30, 2, 30),
    short(2, 10, 2, 50),
    short(22, 0, 6, 0),
    short(23, 30, 0, 30),
    short(0, 0, 1, 0),
    short(1, 0, 2, 0),
    TimeWindow::WHOLE_DAY,
    short(20, 0, 24, 0),
    until(Weekday::Mon, 6),
    until(Weekday::Sun, 2),
    lasting(2, 30, 45),
    lasting(0, 15, 9 * 60),
];

const fn short(hour: u32, minute: u32, end_hour: u32, end_minute: u32) -> TimeWindow {
    TimeWindow {
        start: hour * HOUR + minute * 60,
        end: WindowEnd::Clock(end_hour * HOUR + end_minute * 60),
    }
}

const fn until(weekday: Weekday, hour: u32) -> TimeWindow {
    TimeWindow {
        start: 22 * HOUR,
        end: WindowEnd::Weekday(weekday, hour * HOUR),
    }
}

const fn lasting(hour: u32, minute: u32, minutes: u32) -> TimeWindow {
    TimeWindow {
        start: hour * HOUR + minute * 60,
        end: WindowEnd::After(minutes * 60),
    }
}

/// The longest that a window is open, in days.
fn longest(time: TimeWindow) -> i64 {
    match time.end {
        WindowEnd::Weekday(..) => 8,
        _ => 2,
    }
}

/// The window that starts on a day, from what the clock reads at each minute.
fn watched(time: TimeWindow, day: i64, clock: &[(i64, i64)]) -> Option<Interval> {
    let start = day * DAY + i64::from(time.start);
    let (days, end) = match time.end {
        WindowEnd::Clock(end) => (i64::from(end <= time.start), end),
        WindowEnd::Weekday(weekday, end) => {
            // 1970-01-01 was a Thursday.
            let sunday_based = |day: i64| (day + 4) % 7;
            let wanted = i64::from(weekday.num_days_from_sunday());
            (
                (1..=7).find(|days| sunday_based(day + days) == wanted)?,
                end,
            )
        }
        WindowEnd::After(seconds) => {
            // The first minute that reads the start or later.
            let (first, _) = clock.iter().find(|(_, local)| *local >= start)?;
            return Some(interval(*first, first + i64::from(seconds)));
        }
    };
    let end = (day + days) * DAY + i64::from(end);
    let mut inside = clock
        .iter()
        .filter(|(_, local)| (start..end).contains(local));
    let (first, _) = inside.next()?;
    let last = inside.next_back().map_or(first, |(instant, _)| instant);
    Some(interval(*first, last + 60))
}

fn daily(zone: &Zone, time: TimeWindow) -> Schedule {
    Form::Recurring(Recurring {
        zone: zone.clone(),
        dates: DateRule::default(),
        times: vec![time],
    })
    .into()
}

#[test]
fn windows_are_what_the_clock_shows_minute_by_minute() {
    let from = midnight(NaiveDate::from_ymd_opt(2026, 1, 1).unwrap());
    let to = midnight(NaiveDate::from_ymd_opt(2028, 1, 1).unwrap());
    let mut tried = 0;
    for (zone, changes) in zones::distinct_changes(from, to) {
        for change in changes {
            let reads = |instant| instant + i64::from(zone.timeline().offset_at(at(instant)));
            let range = interval(change - DAY, change + DAY);
            for time in TIMES {
                // Windows of the days before reach in, so watching begins earlier.
                let days = change / DAY - 2 - longest(time)..=change / DAY + 2;
                let minutes = ((days.start() - 1) * DAY..change + 3 * DAY).step_by(60);
                let clock: Vec<_> = minutes.map(|instant| (instant, reads(instant))).collect();
                let windows = days.filter_map(|day| watched(time, day, &clock));
                let expected = windows.collect::<IntervalSet>().clip(range);
                let found = daily(zone, time).expand(range);
                assert_eq!(found, expected, "{zone:?} round {}, {time:?}", at(change));
                tried += 1;
            }
        }
    }
    assert!(tried > 1000, "only {tried} combinations");
}
