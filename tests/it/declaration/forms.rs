//! Does each form of a schedule mean what it says? Written as YAML, read, and
//! expanded; the arithmetic itself is under test in `time_cases`.

use expect_test::{Expect, expect};
use silenced::interval::Interval;
use silenced::timestamp::Timestamp;

use super::{only, read, with_schedule};

/// The intervals of November 2026, in the zone of Berlin (UTC+1), of a file
/// that begins with `head`.
fn check_in(head: &str, schedule: &str, expected: Expect) {
    let november = ["2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"];
    check_during(november, head, schedule, expected);
}

fn check_during(range: [&str; 2], head: &str, schedule: &str, expected: Expect) {
    let yaml = format!("{head}{}", with_schedule(schedule));
    let declarations = read(&[("x.yaml", &yaml)]);
    let [from, to] = range.map(|text| Timestamp::parse(text).unwrap());
    let range = Interval::new(from, to).unwrap();
    let declaration = only(&declarations);
    let shown: Vec<String> = declaration
        .schedule
        .expand(range)
        .iter()
        .map(|interval| {
            let short = |at: Timestamp| at.to_datetime().format("%d %H:%M").to_string();
            format!("{} - {}", short(interval.start()), short(interval.end()))
        })
        .collect();
    expected.assert_eq(&shown.join(", "));
}

fn check(schedule: &str, expected: Expect) {
    check_in("", schedule, expected);
}

#[test]
fn once() {
    check(
        "{starts_at: 2026-11-20T18:00, ends_at: 2026-11-20T20:00}",
        expect!["20 17:00 - 20 19:00"],
    );
    check(
        "{starts_at: 2026-11-20 18:00:30, duration: 1h30m}",
        expect!["20 17:00 - 20 18:30"],
    );
    check(
        "{starts_at: 2026-11-20T18:00:00Z, ends_at: 2026-11-20T20:00:00+01:00, timezone: Asia/Tokyo, except_dates: [2026-11-20]}",
        expect!["20 18:00 - 20 19:00"],
    );
    check(
        "{starts_at: 2026-11-20T18:00:00Z, duration: 1h, timezone: Asia/Tokyo, except_dates: [2026-11-21]}",
        expect![[""]],
    );
}

/// The clocks of Apia went from the end of 29 December to the 31st, and those of
/// Kwajalein from the end of a Friday to a Sunday.
#[test]
fn a_date_that_never_was() {
    let apia = ["2011-12-29T00:00:00Z", "2012-01-01T00:00:00Z"];
    for time in ["00:00", "12:00"] {
        check_during(
            apia,
            "",
            &format!(
                "{{times: [{{start_time: \"{time}\", duration: 1h}}], days_of_month: [30], timezone: Pacific/Apia}}"
            ),
            expect![""],
        );
    }
    check_during(
        apia,
        "",
        "{cron: \"0 0 30 12 *\", duration: 1h, timezone: Pacific/Apia}",
        expect![""],
    );
    check_during(
        ["1993-08-19T00:00:00Z", "1993-08-23T00:00:00Z"],
        "",
        "{times: [{start_time: \"00:00\", duration: 54m}], weekdays: [friday, saturday], timezone: Pacific/Kwajalein}",
        expect!["20 12:00 - 20 12:54"],
    );
}

#[test]
fn recurring() {
    check(
        "{times: [{start_time: \"22:00\", end_time: \"06:00\"}], weekdays: [friday]}",
        expect![
            "06 21:00 - 07 05:00, 13 21:00 - 14 05:00, 20 21:00 - 21 05:00, 27 21:00 - 28 05:00"
        ],
    );
    check(
        "{times: [{start_time: 22:00, end_time: 06:00}], weekdays: ['FRI'], except_dates: [2026-11-13, '2026-11-20:2026-11-21']}",
        expect!["06 21:00 - 07 05:00, 27 21:00 - 28 05:00"],
    );
    check(
        "{weekdays: ['saturday:sunday'], location: UTC}",
        expect![
            "01 00:00 - 02 00:00, 07 00:00 - 09 00:00, 14 00:00 - 16 00:00, 21 00:00 - 23 00:00, 28 00:00 - 30 00:00"
        ],
    );
    check(
        "{weekdays: ['friday:monday']}",
        expect![
            "01 00:00 - 02 23:00, 05 23:00 - 09 23:00, 12 23:00 - 16 23:00, 19 23:00 - 23 23:00, 26 23:00 - 30 23:00"
        ],
    );
    check(
        "{weekdays: [saturday], times: [{start_time: '22:00', end_time: '06:00', end_weekday: monday}]}",
        expect![
            "01 00:00 - 02 05:00, 07 21:00 - 09 05:00, 14 21:00 - 16 05:00, 21 21:00 - 23 05:00, 28 21:00 - 30 05:00"
        ],
    );
    check(
        "{weekdays: [monday], times: [{start_time: '22:00', end_time: '22:00', end_weekday: mon}]}",
        expect!["01 00:00 - 01 00:00"],
    );
    check(
        "{weekdays: [second tuesday, Last Friday, second last sunday], times: [{start_time: '10:00', duration: 1h}]}",
        expect!["10 09:00 - 10 10:00, 22 09:00 - 22 10:00, 27 09:00 - 27 10:00"],
    );
    check(
        "{days_of_month: [1, '-2:-1'], months: ['october:november', 12], years: [2026]}",
        expect!["01 00:00 - 01 23:00, 28 23:00 - 01 00:00"],
    );
    check(
        "{every_weeks: 2, anchor: 2026-11-02, weekdays: [mon], times: [{start_time: '10:00', duration: 1h}]}",
        expect!["02 09:00 - 02 10:00, 16 09:00 - 16 10:00, 30 09:00 - 30 10:00"],
    );
    check(
        "{every_days: 10, anchor: 2026-11-02, times: [{start_time: '23:00', end_time: '24:00'}]}",
        expect!["02 22:00 - 02 23:00, 12 22:00 - 12 23:00, 22 22:00 - 22 23:00"],
    );
    check("{years: ['2027:2028']}", expect![[""]]);
}

#[test]
fn cron() {
    check(
        "{cron: \"0 22 * * 5\", duration: 8h}",
        expect![
            "06 21:00 - 07 05:00, 13 21:00 - 14 05:00, 20 21:00 - 21 05:00, 27 21:00 - 28 05:00"
        ],
    );
    check(
        "{cron: '@monthly', duration: 1d, timezone: America/New_York}",
        expect!["01 04:00 - 02 04:00"],
    );
    check(
        "{cron: '0 22 * * 5', duration: 8h, except_dates: [2026-11-13]}",
        expect!["06 21:00 - 07 05:00, 20 21:00 - 21 05:00, 27 21:00 - 28 05:00"],
    );
}

const NAMES: &str = "
dates:
  holidays: [2026-11-11, 2026-11-18:2026-11-19]
rotations:
- {name: primary, members: [red, blue], anchor: 2026-11-02, handoff: 09:00, every_weeks: 1}
time_intervals:
- name: office
  time_intervals:
  - weekdays: [monday:friday]
    times: [{start_time: 09:00, end_time: 17:00}]
    location: Europe/Berlin
- name: lunch
  time_intervals:
  - times: [{start_time: 12:00, end_time: 13:00}]
    except_dates: [holidays]
";

#[test]
fn references() {
    check_in(
        NAMES,
        "{time_interval: lunch, except_dates: ['2026-11-03:2026-11-28']}",
        expect![
            "01 12:00 - 01 13:00, 02 12:00 - 02 13:00, 29 12:00 - 29 13:00, 30 12:00 - 30 13:00"
        ],
    );
    check_in(
        NAMES,
        "{all_of: [{time_interval: office}, {weekdays: [wednesday]}], except_dates: [holidays]}",
        expect!["04 08:00 - 04 16:00, 25 08:00 - 25 16:00"],
    );
}

#[test]
fn rotations() {
    check_in(
        NAMES,
        "{rotation: primary, on_call: blue}",
        expect!["09 08:00 - 16 08:00, 23 08:00 - 30 08:00"],
    );
    check_in(
        NAMES,
        "{rotation: primary, off_call: blue}",
        expect!["01 00:00 - 09 08:00, 16 08:00 - 23 08:00, 30 08:00 - 01 00:00"],
    );
    check_in(
        NAMES,
        "{rotation: primary, on_call: red, except_dates: [2026-11-16]}",
        expect!["02 08:00 - 09 08:00, 30 08:00 - 01 00:00"],
    );
}

#[test]
fn sets() {
    let (friday, night) = (
        "{weekdays: [friday]}",
        "{times: [{start_time: '22:00', end_time: '02:00'}]}",
    );
    check(
        &format!("- {friday}\n- {{cron: '0 8 1 * *', duration: 1h}}"),
        expect![
            "01 07:00 - 01 08:00, 05 23:00 - 06 23:00, 12 23:00 - 13 23:00, 19 23:00 - 20 23:00, 26 23:00 - 27 23:00"
        ],
    );
    check(
        &format!("{{any_of: [{friday}], except: [{night}]}}"),
        expect![
            "06 01:00 - 06 21:00, 13 01:00 - 13 21:00, 20 01:00 - 20 21:00, 27 01:00 - 27 21:00"
        ],
    );
    check(
        &format!("{{weekdays: [friday], except: {night}}}"),
        expect![
            "06 01:00 - 06 21:00, 13 01:00 - 13 21:00, 20 01:00 - 20 21:00, 27 01:00 - 27 21:00"
        ],
    );
    check(
        &format!("{{all_of: [{friday}, {night}]}}"),
        expect![
            "05 23:00 - 06 01:00, 06 21:00 - 06 23:00, 12 23:00 - 13 01:00, 13 21:00 - 13 23:00, 19 23:00 - 20 01:00, 20 21:00 - 20 23:00, 26 23:00 - 27 01:00, 27 21:00 - 27 23:00"
        ],
    );
    check(
        "{all_of: [always, {weekdays: [friday]}], timezone: UTC}",
        expect![
            "06 00:00 - 07 00:00, 13 00:00 - 14 00:00, 20 00:00 - 21 00:00, 27 00:00 - 28 00:00"
        ],
    );
    check(
        "{not: {weekdays: ['monday:saturday']}}",
        expect![
            "01 00:00 - 01 23:00, 07 23:00 - 08 23:00, 14 23:00 - 15 23:00, 21 23:00 - 22 23:00, 28 23:00 - 29 23:00"
        ],
    );
    check(
        "{not: [{weekdays: ['monday:friday']}, {weekdays: [saturday]}]}",
        expect![
            "01 00:00 - 01 23:00, 07 23:00 - 08 23:00, 14 23:00 - 15 23:00, 21 23:00 - 22 23:00, 28 23:00 - 29 23:00"
        ],
    );
    // On sets, dates act on the windows inside.
    check(
        "{not: {weekdays: ['monday:saturday']}, except_dates: [2026-11-11]}",
        expect![
            "01 00:00 - 01 23:00, 07 23:00 - 08 23:00, 10 23:00 - 11 23:00, 14 23:00 - 15 23:00, 21 23:00 - 22 23:00, 28 23:00 - 29 23:00"
        ],
    );
    check("always", expect!["01 00:00 - 01 00:00"]);
    check(
        "{always: true, except: [{days_of_month: ['2:29']}]}",
        expect!["01 00:00 - 01 23:00, 29 23:00 - 01 00:00"],
    );
}
