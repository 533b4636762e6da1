//! Is each fault of a schedule, and of what it refers to, named?

use expect_test::{Expect, expect};

use super::faults::check;
use super::{read, with_schedule};

pub(super) fn check_schedules(schedules: &[&str], expected: Expect) {
    check(
        schedules.iter().map(|schedule| with_schedule(schedule)),
        expected,
    );
}

#[test]
fn forms() {
    check_schedules(
        &[
            "{}",
            "never",
            "[]",
            "{timezone: UTC, duration: 1h}",
            "{cron: '0 22 * * *', duration: 1h, times: [{start_time: '22:00', end_time: '06:00'}]}",
            "{weekdays: [monday], duration: 1h}",
            "{time_interval: x, duration: 1h}",
            "{always: false}",
            "{always: true, timezone: UTC}",
            "{timezone: UTC, location: UTC, cron: '0 22 * *', duration: 1h}",
            "{cron: '0 22 * * *'}",
            "{cron: '0 22 1 * 1', duration: 1h}",
            "{starts_at: 2026-12-24, ends_at: 2026-12-24T18:00}",
            "{starts_at: 2027-02-30T18:00, duration: 1h}",
            "{starts_at: 2026-12-24T25:00, duration: 1h}",
            "{starts_at: 2026-12-24T18:00, ends_at: 2026-12-24T17:00}",
            "{starts_at: 2026-12-24T18:00:00Z, ends_at: 2026-12-24T18:00:00Z}",
            "{starts_at: 2026-12-24T18:00}",
            "{ends_at: 2026-12-24T18:00, duration: 1h}",
            "{any_of: {cron: x}}",
            "{not: []}",
            "{all_of: [{cron: '0 22 * * *', duration: 90}, {tmies: []}]}",
        ],
        expect![[r#"
            a.yaml:8:5: error[no-form]: this schedule does not say when
             8 |     {}
               |     ^
               hint: add one of `times`, `weekdays`, `cron`, `starts_at`, `time_interval`, `rotation`, `any_of`, `all_of`, `not`, `always`
            a.yaml:8:5: error[wrong-type]: expected a schedule, but found the text `never`
             8 |     never
               |     ^
            a.yaml:8:5: error[empty-list]: expected a list of schedules, but the list is empty
             8 |     []
               |     ^
               hint: add an item, or remove the key if nothing is meant
            a.yaml:8:5: error[no-form]: this schedule has a duration and no start
             8 |     {timezone: UTC, duration: 1h}
               |     ^
               hint: add `cron`, `starts_at`, or `times` with `start_time` and `duration` inside
            a.yaml:8:40: error[mixed-forms]: this schedule mixes two forms, recurring (`times`) and cron (`cron`)
             8 |     {cron: '0 22 * * *', duration: 1h, times: [{start_time: '22:00', end_time: '06:00'}]}
               |                                        ^
               hint: write each as an item of `any_of` (either) or `all_of` (both at once)
            a.yaml:8:26: error[misplaced-key]: `duration` does not go with a schedule of the form recurring
             8 |     {weekdays: [monday], duration: 1h}
               |                          ^
               hint: write it inside the items of `times`, in the place of `end_time`
            a.yaml:8:24: error[misplaced-key]: `duration` does not go with a schedule of the form reference
             8 |     {time_interval: x, duration: 1h}
               |                        ^
               hint: remove it
            a.yaml:8:14: error[wrong-type]: expected `always: true`, but found the boolean `false`
             8 |     {always: false}
               |              ^
            a.yaml:8:20: warning[unused-timezone]: `timezone` changes nothing here
             8 |     {always: true, timezone: UTC}
               |                    ^
               hint: remove it; a named thing has the time zone of its definition
            a.yaml:8:31: error[two-timezones]: both `timezone` and `location` are said, and they mean the same
             8 |     {timezone: UTC, location: UTC, cron: '0 22 * *', duration: 1h}
               |                               ^
               hint: remove one of them
            a.yaml:8:42: error[invalid-cron]: `0 22 * *`: a cron expression has five fields (minute, hour, day of month, month, day of week), but this has 4
             8 |     {timezone: UTC, location: UTC, cron: '0 22 * *', duration: 1h}
               |                                          ^
            a.yaml:8:5: error[missing-key]: the key `duration` is missing in a schedule
             8 |     {cron: '0 22 * * *'}
               |     ^
               hint: write how long each window lasts, such as `duration: 2h`
            a.yaml:8:12: warning[cron-days]: both the day of the month and the day of the week are set, and cron opens a window when either fits
             8 |     {cron: '0 22 1 * 1', duration: 1h}
               |            ^
               hint: write `*` in one of them, or use `weekdays` with `days_of_month`, which must both fit
            a.yaml:8:17: error[invalid-time]: expected a date with a time of day, but found `2026-12-24`
             8 |     {starts_at: 2026-12-24, ends_at: 2026-12-24T18:00}
               |                 ^
               hint: write `2026-12-24T00:00`, if midnight is meant
            a.yaml:8:17: error[invalid-time]: the calendar has no date `2027-02-30`
             8 |     {starts_at: 2027-02-30T18:00, duration: 1h}
               |                 ^
            a.yaml:8:17: error[invalid-time]: expected a date with a time of day, but found `2026-12-24T25:00`
             8 |     {starts_at: 2026-12-24T25:00, duration: 1h}
               |                 ^
               hint: write `2026-12-24T18:00` for the time zone of the schedule, or `2026-12-24T18:00:00+01:00`
            a.yaml:8:44: error[empty-window]: `ends_at` is not after `starts_at`
             8 |     {starts_at: 2026-12-24T18:00, ends_at: 2026-12-24T17:00}
               |                                            ^
            a.yaml:8:48: error[empty-window]: `ends_at` is not after `starts_at`
             8 |     {starts_at: 2026-12-24T18:00:00Z, ends_at: 2026-12-24T18:00:00Z}
               |                                                ^
            a.yaml:8:5: error[no-end]: this window has no end, expected `ends_at` or `duration`
             8 |     {starts_at: 2026-12-24T18:00}
               |     ^
            a.yaml:8:5: error[missing-key]: the key `starts_at` is missing in a schedule
             8 |     {ends_at: 2026-12-24T18:00, duration: 1h}
               |     ^
               hint: write `starts_at: 2026-12-24T18:00`
            a.yaml:8:43: error[end-and-duration]: both `ends_at` and `duration` are said
             8 |     {ends_at: 2026-12-24T18:00, duration: 1h}
               |                                           ^
               hint: remove one of them
            a.yaml:8:14: error[wrong-type]: expected a list of schedules, but found a mapping
             8 |     {any_of: {cron: x}}
               |              ^
            a.yaml:8:11: error[empty-list]: expected a list of schedules, but the list is empty
             8 |     {not: []}
               |           ^
               hint: add an item, or remove the key if nothing is meant
            a.yaml:8:46: error[invalid-duration]: expected a duration such as `1h30m` or `2d`, but found `90`
             8 |     {all_of: [{cron: '0 22 * * *', duration: 90}, {tmies: []}]}
               |                                              ^
               hint: write a unit after each number (y, w, d, h, m, s)
            a.yaml:8:51: error[no-form]: this schedule does not say when
             8 |     {all_of: [{cron: '0 22 * * *', duration: 90}, {tmies: []}]}
               |                                                   ^
               hint: add one of `times`, `weekdays`, `cron`, `starts_at`, `time_interval`, `rotation`, `any_of`, `all_of`, `not`, `always`
            a.yaml:8:52: error[unknown-key]: unknown key `tmies` in a schedule
             8 |     {all_of: [{cron: '0 22 * * *', duration: 90}, {tmies: []}]}
               |                                                    ^
               hint: did you mean `times`?
        "#]],
    );
}

#[test]
fn names() {
    check(
        [
            "dates: {holidays: [], 2026-12-24: [2026-12-24], x: [soon]}\n",
            "dates: [{name: a, dates: [2026-12-24]}, {name: a, dates: [2026-12-24]}, {dates: [2026-12-24]}]\n",
            "time_intervals: {a: b}\n",
            "time_intervals:\n- name: a\n- name: b\n  time_intervals:\n  - cron: '0 22 * * *'\n    location: Local\n",
            "time_intervals:\n- name: a\n  time_intervals:\n  - times: [{start_time: '09:00', end_time: '17:00'}]\n",
            "rotations:\n- name: a\n",
            "timezone: UTC\nrotations:\n- {name: a, members: [], anchor: x, handoff: '24:00', every_weeks: 1, every_days: 2}\n",
        ],
        expect![[r#"
            a.yaml:1:19: error[empty-list]: expected a list of dates, but the list is empty
             1 | dates: {holidays: [], 2026-12-24: [2026-12-24], x: [soon]}
               |                   ^
               hint: add an item, or remove the key if nothing is meant
            a.yaml:1:23: error[invalid-name]: a list of dates cannot have a date as its name
             1 | dates: {holidays: [], 2026-12-24: [2026-12-24], x: [soon]}
               |                       ^
               hint: give it a name such as `holidays-de`
            a.yaml:1:53: error[invalid-date]: expected a date as `YYYY-MM-DD`, but found `soon`
             1 | dates: {holidays: [], 2026-12-24: [2026-12-24], x: [soon]}
               |                                                     ^
            a.yaml:1:48: error[duplicate-name]: the name `a` stands for a list of dates twice in this file
             1 | dates: [{name: a, dates: [2026-12-24]}, {name: a, dates: [2026-12-24]}, {dates: [2026-12-24]}]
               |                                                ^
               hint: rename one of them
            a.yaml:1:73: error[missing-key]: the key `name` is missing in a list of dates
             1 | dates: [{name: a, dates: [2026-12-24]}, {name: a, dates: [2026-12-24]}, {dates: [2026-12-24]}]
               |                                                                         ^
               hint: write `name: something`
            a.yaml:1:17: error[wrong-type]: expected a list with `name` in each item, but found a mapping
             1 | time_intervals: {a: b}
               |                 ^
            a.yaml:2:3: error[missing-key]: the key `time_intervals` is missing in a time interval
             2 | - name: a
               |   ^
               hint: write `time_intervals:` with a list of rules, as in `alertmanager.yml`
            a.yaml:5:5: error[unknown-key]: unknown key `cron` in a rule of a time interval
             5 |   - cron: '0 22 * * *'
               |     ^
               hint: the keys of a rule of a time interval are `times`, `weekdays`, `days_of_month`, `months`, `years`, `every_weeks`, `every_days`, `anchor`, `location`, `timezone`, `except_dates`
            a.yaml:6:15: error[unknown-timezone]: `Local` would be the zone of whichever machine reads it
             6 |     location: Local
               |               ^
               hint: write a place, such as `Europe/Berlin`, or `UTC`
            a.yaml:4:5: warning[no-location]: without `location` these are times in UTC, as in Alertmanager, whatever the file's `timezone`
             4 |   - times: [{start_time: '09:00', end_time: '17:00'}]
               |     ^
               hint: write `location: UTC`, or the place that is meant
            a.yaml:2:3: error[missing-key]: the key `members` is missing in a rotation
             2 | - name: a
               |   ^
               hint: write `members: [team-a, team-b]`
            a.yaml:2:3: error[missing-key]: the key `anchor` is missing in a rotation
             2 | - name: a
               |   ^
               hint: write the date of the first member's handoff, such as `anchor: 2026-11-02`
            a.yaml:2:3: error[missing-key]: the key `handoff` is missing in a rotation
             2 | - name: a
               |   ^
               hint: write `handoff: "09:00"`
            a.yaml:2:3: error[missing-key]: the length of a turn is missing, expected `every_weeks` or `every_days`
             2 | - name: a
               |   ^
               hint: write `every_weeks: 1`
            a.yaml:2:3: error[no-timezone]: these are local times, and no time zone is said
             2 | - name: a
               |   ^
               hint: write `timezone: Europe/Berlin` (or `UTC`) here, in the declaration, or at the top of the file
            a.yaml:3:22: error[empty-list]: expected a list of members, but the list is empty
             3 | - {name: a, members: [], anchor: x, handoff: '24:00', every_weeks: 1, every_days: 2}
               |                      ^
               hint: add an item, or remove the key if nothing is meant
            a.yaml:3:34: error[invalid-date]: expected a date as `YYYY-MM-DD`, but found `x`
             3 | - {name: a, members: [], anchor: x, handoff: '24:00', every_weeks: 1, every_days: 2}
               |                                  ^
            a.yaml:3:46: error[invalid-time]: turns cannot change at `24:00`
             3 | - {name: a, members: [], anchor: x, handoff: '24:00', every_weeks: 1, every_days: 2}
               |                                              ^
               hint: write `00:00`
            a.yaml:3:83: error[two-periods]: both `every_weeks` and `every_days` are said
             3 | - {name: a, members: [], anchor: x, handoff: '24:00', every_weeks: 1, every_days: 2}
               |                                                                                   ^
               hint: remove one of them
        "#]],
    );
    let rotation = "timezone: UTC\nrotations:\n- {name: primary, members: [red, blue], anchor: 2026-11-02, \
                    handoff: '09:00', every_weeks: 1}\ntime_intervals:\n- {name: offhours, time_intervals: \
                    [{weekdays: ['saturday:sunday'], location: UTC}]}\nsilences:\n- name: x\n  owner: o\n  \
                    comment: c\n  matchers: [env=prod]\n  schedule: ";
    check(
        [
            "{time_interval: offhour}",
            "{time_interval: nights}",
            "{time_interval: offhours, timezone: UTC}",
            "{rotation: primery, on_call: red}",
            "{rotation: primary, on_call: green}",
            "{rotation: primary, on_call: rad}",
            "{rotation: primary}",
            "{on_call: red}",
            "{rotation: primary, on_call: red, off_call: blue}",
        ]
        .map(|schedule| format!("{rotation}{schedule}\n")),
        expect![[r#"
            a.yaml:11:29: error[unknown-name]: unknown time interval `offhour`
             11 |   schedule: {time_interval: offhour}
                |                             ^
               hint: did you mean `offhours`?
            a.yaml:11:29: error[unknown-name]: unknown time interval `nights`
             11 |   schedule: {time_interval: nights}
                |                             ^
            a.yaml:11:39: warning[unused-timezone]: `timezone` changes nothing here
             11 |   schedule: {time_interval: offhours, timezone: UTC}
                |                                       ^
               hint: remove it; a named thing has the time zone of its definition
            a.yaml:11:24: error[unknown-name]: unknown rotation `primery`
             11 |   schedule: {rotation: primery, on_call: red}
                |                        ^
               hint: did you mean `primary`?
            a.yaml:11:42: error[unknown-name]: the rotation has no member `green`
             11 |   schedule: {rotation: primary, on_call: green}
                |                                          ^
               hint: its members are `red`, `blue`
            a.yaml:11:42: error[unknown-name]: the rotation has no member `rad`
             11 |   schedule: {rotation: primary, on_call: rad}
                |                                          ^
               hint: did you mean `red`?
            a.yaml:11:13: error[missing-key]: a turn needs `on_call` or `off_call`
             11 |   schedule: {rotation: primary}
                |             ^
               hint: write `rotation: NAME` with `on_call: MEMBER` or `off_call: MEMBER`
            a.yaml:11:13: error[missing-key]: the key `rotation` is missing in a schedule
             11 |   schedule: {on_call: red}
                |             ^
               hint: write `rotation: NAME` with `on_call: MEMBER` or `off_call: MEMBER`
            a.yaml:11:57: error[mixed-forms]: both `on_call` and `off_call` are said
             11 |   schedule: {rotation: primary, on_call: red, off_call: blue}
                |                                                         ^
               hint: write two forms
        "#]],
    );
}

#[test]
fn zones() {
    let bare =
        "silences:\n- name: x\n  owner: o\n  comment: c\n  matchers: [env=prod]\n  schedule: ";
    check(
        [
            "{times: [{start_time: '22:00', end_time: '06:00'}]}",
            "{cron: '0 22 * * *', duration: 1h}",
            "{starts_at: 2026-12-24T18:00, duration: 1h}",
            "{weekdays: [monday], timezone: europe/berlin}",
        ]
        .map(|schedule| format!("{bare}{schedule}\n")),
        expect![[r#"
            a.yaml:6:13: error[no-timezone]: these are local times, and no time zone is said
             6 |   schedule: {times: [{start_time: '22:00', end_time: '06:00'}]}
               |             ^
               hint: write `timezone: Europe/Berlin` (or `UTC`) here, in the declaration, or at the top of the file
            a.yaml:6:13: error[no-timezone]: these are local times, and no time zone is said
             6 |   schedule: {cron: '0 22 * * *', duration: 1h}
               |             ^
               hint: write `timezone: Europe/Berlin` (or `UTC`) here, in the declaration, or at the top of the file
            a.yaml:6:25: error[no-timezone]: these are local times, and no time zone is said
             6 |   schedule: {starts_at: 2026-12-24T18:00, duration: 1h}
               |                         ^
               hint: write `timezone: Europe/Berlin` (or `UTC`) here, in the declaration, or at the top of the file
            a.yaml:6:44: error[unknown-timezone]: unknown time zone `europe/berlin`
             6 |   schedule: {weekdays: [monday], timezone: europe/berlin}
               |                                            ^
               hint: did you mean `Europe/Berlin`, `Europe/Dublin`, `Europe/Jersey`?
        "#]],
    );
    for fine in [
        "always",
        "{starts_at: 2026-12-24T18:00:00+01:00, duration: 1h}",
    ] {
        assert_eq!(
            read(&[("a.yaml", &format!("{bare}{fine}\n"))]).diagnostics,
            []
        );
    }
}
