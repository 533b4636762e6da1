//! What does the passing of time say about declarations that are valid?

use expect_test::{Expect, expect};
use silenced::declaration::review;
use silenced::timestamp::Timestamp;

use super::{only, read, shown, with_schedule};

const NOW: &str = "2026-11-23T12:00:00Z";

fn warnings(yaml: &str, now: &str) -> String {
    let declarations = read(&[("a.yaml", yaml)]);
    only(&declarations);
    shown(&review(&declarations, Timestamp::parse(now).unwrap()))
}

/// What is said about each schedule, which must be something.
fn check(schedules: &[&str], expected: Expect) {
    let all: Vec<String> = schedules
        .iter()
        .map(|schedule| warnings(&with_schedule(schedule), NOW))
        .collect();
    assert!(all.iter().all(|warnings| !warnings.is_empty()), "{all:#?}");
    expected.assert_eq(&all.concat());
}

#[test]
fn what_is_over() {
    check(
        &[
            "{starts_at: 2026-11-01T00:00, duration: 1d}",
            "{weekdays: [monday], years: ['2024:2025']}",
            "[{starts_at: 2026-11-01T00:00, duration: 1d}, {weekdays: [monday]}]",
            "{weekdays: [monday], years: [2026], months: [january]}",
            "{weekdays: [monday], years: [2090]}",
        ],
        expect![[r#"
            a.yaml:8:5: warning[past-window]: this window is past, it ended at 2026-11-01T23:00:00Z
             8 |     {starts_at: 2026-11-01T00:00, duration: 1d}
               |     ^
               hint: delete it
            a.yaml:8:5: warning[past-years]: the last of these years, 2025, is past
             8 |     {weekdays: [monday], years: ['2024:2025']}
               |     ^
               hint: delete this rule, or add years
            a.yaml:8:6: warning[past-window]: this window is past, it ended at 2026-11-01T23:00:00Z
             8 |     [{starts_at: 2026-11-01T00:00, duration: 1d}, {weekdays: [monday]}]
               |      ^
               hint: delete it
            a.yaml:4:9: warning[no-occurrence]: `x` has no window in the next five years
             4 | - name: x
               |         ^
               hint: delete it, or change its schedule
            a.yaml:4:9: warning[no-occurrence]: `x` has no window in the next five years
             4 | - name: x
               |         ^
               hint: delete it, or change its schedule
        "#]],
    );
    let expired =
        with_schedule("always").replace("  comment: c", "  comment: c\n  expires: 2026-11-22");
    assert_eq!(warnings(&expired, "2026-11-22T22:59:59Z"), "");
    expect![[r#"
        a.yaml:4:9: warning[expired]: `x` expired at 2026-11-22T23:00:00Z and does nothing any more
         4 | - name: x
           |         ^
           hint: delete it
    "#]]
    .assert_eq(&warnings(&expired, "2026-11-22T23:00:00Z"));
}

#[test]
fn what_never_comes() {
    check(
        &[
            "{all_of: [{weekdays: [monday]}, {weekdays: [tuesday]}]}",
            "all_of:\n- {timezone: Asia/Shanghai, times: [{start_time: 00:00, end_time: 06:00}]}\n\
             - {timezone: America/New_York, times: [{start_time: 22:00, end_time: 04:00}]}\n\
             - {timezone: Europe/London, times: [{start_time: 23:00, end_time: 05:00}]}",
            "{not: always}",
            "{days_of_month: ['1:7'], weekdays: [third monday]}",
        ],
        // A set of both kinds of days needs both, so that this is a counted one only.
        expect![[r#"
            a.yaml:8:6: warning[empty-intersection]: `x`: at no moment of the next year do all of these apply, so `all_of` never does
             8 |     {all_of: [{weekdays: [monday]}, {weekdays: [tuesday]}]}
               |      ^
               hint: compare the parts in UTC; for either of them write `any_of`
            a.yaml:8:5: warning[empty-intersection]: `x`: at no moment of the next year do all of these apply, so `all_of` never does
             8 |     all_of:
               |     ^
               hint: compare the parts in UTC; for either of them write `any_of`
            a.yaml:4:9: warning[no-occurrence]: `x` has no window in the next five years
             4 | - name: x
               |         ^
               hint: delete it, or change its schedule
            a.yaml:4:9: warning[no-occurrence]: `x` has no window in the next five years
             4 | - name: x
               |         ^
               hint: delete it, or change its schedule
        "#]],
    );
}

#[test]
fn what_is_not_as_it_looks() {
    check(
        &[
            "{times: [{start_time: '02:10', end_time: '02:50'}]}",
            "{starts_at: 2027-03-28T02:10, ends_at: 2027-03-28T02:50}",
            "{times: [{start_time: '22:00', duration: 30h}]}",
            "{times: [{start_time: '22:00', end_time: '06:00', end_weekday: monday}]}",
            "{cron: '0 22 * * *', duration: 25h}",
            "{cron: '0 22 1 * *', duration: 40d}",
        ],
        expect![[r#"
            a.yaml:8:5: warning[window-in-gap]: on 2027-03-28 the clocks in Europe/Berlin skip this window, so it does not open
             8 |     {times: [{start_time: '02:10', end_time: '02:50'}]}
               |     ^
               hint: a window of another time, or with `duration`, opens on that day too
            a.yaml:8:5: warning[window-in-gap]: the clocks skip this window when they change, so it never opens
             8 |     {starts_at: 2027-03-28T02:10, ends_at: 2027-03-28T02:50}
               |     ^
               hint: write it with an offset from UTC, or at another time
            a.yaml:8:5: warning[overlapping-windows]: the window that starts on 2026-11-23 lasts 1d 6h and the next one starts before it ends, so they become one
             8 |     {times: [{start_time: '22:00', duration: 30h}]}
               |     ^
               hint: shorten it, or select fewer dates
            a.yaml:8:5: warning[overlapping-windows]: the window that starts on 2026-11-23 lasts 6d 8h and the next one starts before it ends, so they become one
             8 |     {times: [{start_time: '22:00', end_time: '06:00', end_weekday: monday}]}
               |     ^
               hint: shorten it, or select fewer dates
            a.yaml:8:5: warning[overlapping-windows]: a window lasts 1d 1h and the next one starts before it ends, so they become one
             8 |     {cron: '0 22 * * *', duration: 25h}
               |     ^
               hint: shorten `duration`, or write `always` if it is meant to have no end
            a.yaml:8:5: warning[overlapping-windows]: a window lasts 40d and the next one starts before it ends, so they become one
             8 |     {cron: '0 22 1 * *', duration: 40d}
               |     ^
               hint: shorten `duration`, or write `always` if it is meant to have no end
        "#]],
    );
}

#[test]
fn nothing_is_said_about_what_is_fine() {
    for schedule in [
        "always",
        "{weekdays: [saturday]}",
        "{times: [{start_time: '00:00', end_time: '24:00'}]}",
        "{times: [{start_time: '22:00', duration: 24h}]}",
        "{weekdays: [friday], times: [{start_time: '22:00', end_time: '06:00', end_weekday: monday}]}",
        "{cron: '0 22 * * *', duration: 24h}",
        "{starts_at: 2026-11-23T00:00, duration: 1d}",
        "{days_of_month: [29], months: [2]}",
        "{all_of: [{weekdays: [monday]}, {days_of_month: [13]}]}",
        "{times: [{start_time: '02:10', end_time: '02:50'}], weekdays: [monday]}",
        "{times: [{start_time: '02:10', duration: 40m}]}",
    ] {
        assert_eq!(warnings(&with_schedule(schedule), NOW), "", "{schedule}");
    }
}
