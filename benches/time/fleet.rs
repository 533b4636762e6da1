//! What does a large installation declare? Schedules as people write them.

use std::iter;

use chrono::Weekday;
use silenced::schedule::{
    DateRule, DayOfMonth, Form, Recurring, Schedule, TimeWindow, Weekdays, WindowEnd,
};
use silenced::zone::{Zone, ZoneDatabase};

const HOUR: u32 = 3600;

#[rustfmt::skip]
const ZONES: [&str; 20] = [
    "Europe/Berlin", "Europe/London", "Europe/Lisbon", "Europe/Athens", "Africa/Cairo",
    "Africa/Johannesburg", "Asia/Dubai", "Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo",
    "Asia/Jerusalem", "Australia/Sydney", "Australia/Lord_Howe", "Pacific/Auckland", "America/New_York",
    "America/Chicago", "America/Los_Angeles", "America/Vancouver", "America/Sao_Paulo", "UTC",
];

/// Windows from one hour to the next such hour, on the dates of `dates`.
pub fn clock(zone: &Zone, dates: DateRule, from: u32, to: u32) -> Schedule {
    window(zone, dates, from, WindowEnd::Clock(to * HOUR))
}

fn window(zone: &Zone, dates: DateRule, from: u32, end: WindowEnd) -> Schedule {
    let times = vec![TimeWindow {
        start: from * HOUR,
        end,
    }];
    Form::Recurring(Recurring {
        zone: zone.clone(),
        dates,
        times,
    })
    .into()
}

pub fn on_weekdays(days: impl IntoIterator<Item = Weekday>) -> DateRule {
    let mut weekdays = Weekdays::default();
    days.into_iter().for_each(|day| weekdays.add(day));
    DateRule {
        weekdays: Some(weekdays),
        ..DateRule::default()
    }
}

pub fn monday_to_friday() -> DateRule {
    on_weekdays(iter::successors(Some(Weekday::Mon), |day| Some(day.succ())).take(5))
}

pub fn second_tuesday() -> DateRule {
    let mut weekdays = Weekdays::default();
    weekdays.add_counted(2, Weekday::Tue);
    DateRule {
        weekdays: Some(weekdays),
        ..DateRule::default()
    }
}

pub fn day_of_month(day: i8) -> DateRule {
    let days = vec![DayOfMonth {
        first: day,
        last: day,
    }];
    DateRule {
        days_of_month: Some(days),
        ..DateRule::default()
    }
}

/// Of ten declarations six are weekday nights, two daily, one a weekend, one
/// monthly; hours and zones vary.
pub fn fleet(database: &ZoneDatabase, size: u32) -> Vec<Schedule> {
    let zones = ZONES.map(|name| database.zone(name).expect(name));
    let declare = |(number, zone): (u32, &Zone)| {
        let hour = number / 10 % 6;
        match number % 10 {
            0..6 => clock(zone, monday_to_friday(), 18 + hour, 4 + hour),
            6 => clock(zone, DateRule::default(), hour, hour + 2),
            7 => window(
                zone,
                DateRule::default(),
                20 + hour % 4,
                WindowEnd::After(5400),
            ),
            8 => window(
                zone,
                on_weekdays([Weekday::Fri]),
                18 + hour,
                WindowEnd::Weekday(Weekday::Mon, 6 * HOUR),
            ),
            _ => {
                let dates = [day_of_month(1), day_of_month(-1), second_tuesday()];
                let dates = dates[(number / 10 % 3) as usize].clone();
                clock(zone, dates, 22, 2)
            }
        }
    };
    (0..size).zip(zones.iter().cycle()).map(declare).collect()
}
