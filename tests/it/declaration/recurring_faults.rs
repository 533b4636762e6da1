//! Is each fault of a wall-clock rule named?

use expect_test::expect;

use super::schedule_faults::check_schedules;

#[test]
fn recurring() {
    check_schedules(
        &[
            "{times: []}",
            "{times: {start_time: '22:00', end_time: '06:00'}}",
            "{times: [{start_time: '22:00'}, {end_time: '06:00'}, {}]}",
            "{times: [{start_time: '9:00', end_time: '25:00'}]}",
            "{times: [{start_time: '24:00', end_time: '24:00'}]}",
            "{times: [{start_time: '06:00', end_time: '06:00'}]}",
            "{times: [{start_time: '06:00', end_time: '08:00', duration: 2h}]}",
            "{times: [{start_time: '06:00', end_weekday: monday, duration: 2h}]}",
            "{times: [{start_time: '06:00', end_time: '07:00', end_weekday: funday}]}",
            "{times: [{start_time: '06:00', duration: 400d}, {start_time: '06:00', duration: 1m1h}]}",
            "{times: [{start_time: '06:00', duration: 500ms}, {start_time: '06:00', duration: 0s}]}",
            "{times: [{start: '06:00', end: '07:00'}]}",
            "{weekdays: []}",
            "{weekdays: [1, mondey, 'sixth friday', 'first monday:friday', [monday]]}",
            "{days_of_month: [0, 32, '-32', '5:1', x]}",
            "{months: [13, 'november:february', fbruary]}",
            "{years: [26, '2028:2026']}",
            "{days_of_month: [30], months: [february]}",
            "{days_of_month: [31], months: [april, june]}",
            "{days_of_month: [29], months: [2], years: ['2025:2027']}",
            "{every_weeks: 2}",
            "{every_weeks: 0, anchor: 2026-11-02}",
            "{every_weeks: 2, every_days: 3, anchor: 2026-11-02}",
            "{anchor: 2026-11-02, weekdays: [monday]}",
            "{weekdays: [monday], except_dates: [2026-13-01, '2026-12-24:2026-12-20', holydays, 1]}",
            "{weekdays: [monday], except_dates: 2026-12-24}",
        ],
        expect![[r#"
            a.yaml:8:13: error[empty-list]: expected a list of times, but the list is empty
             8 |     {times: []}
               |             ^
               hint: add an item, or remove the key if nothing is meant
            a.yaml:8:13: error[wrong-type]: expected a list of times, but found a mapping
             8 |     {times: {start_time: '22:00', end_time: '06:00'}}
               |             ^
            a.yaml:8:14: error[no-end]: this window has no end, expected `end_time` or `duration`
             8 |     {times: [{start_time: '22:00'}, {end_time: '06:00'}, {}]}
               |              ^
            a.yaml:8:37: error[missing-key]: the key `start_time` is missing in an item of `times`
             8 |     {times: [{start_time: '22:00'}, {end_time: '06:00'}, {}]}
               |                                     ^
               hint: write `start_time: "22:00"`
            a.yaml:8:58: error[missing-key]: the key `start_time` is missing in an item of `times`
             8 |     {times: [{start_time: '22:00'}, {end_time: '06:00'}, {}]}
               |                                                          ^
               hint: write `start_time: "22:00"`
            a.yaml:8:58: error[no-end]: this window has no end, expected `end_time` or `duration`
             8 |     {times: [{start_time: '22:00'}, {end_time: '06:00'}, {}]}
               |                                                          ^
            a.yaml:8:27: error[invalid-time]: expected a time of day as `HH:MM`, but found `9:00`
             8 |     {times: [{start_time: '9:00', end_time: '25:00'}]}
               |                           ^
               hint: write `09:00`
            a.yaml:8:45: error[invalid-time]: no clock shows `25:00`, expected 00:00 to 24:00
             8 |     {times: [{start_time: '9:00', end_time: '25:00'}]}
               |                                             ^
            a.yaml:8:27: error[invalid-time]: a window cannot start at `24:00`
             8 |     {times: [{start_time: '24:00', end_time: '24:00'}]}
               |                           ^
               hint: write `00:00`, which is the same of the next day
            a.yaml:8:46: error[empty-window]: `end_time` equals `start_time`
             8 |     {times: [{start_time: '06:00', end_time: '06:00'}]}
               |                                              ^
               hint: write `00:00` and `24:00` for a whole day, or `duration: 1d`
            a.yaml:8:65: error[end-and-duration]: both `end_time` and `duration` are said
             8 |     {times: [{start_time: '06:00', end_time: '08:00', duration: 2h}]}
               |                                                                 ^
               hint: remove one of them
            a.yaml:8:49: error[end-and-duration]: `end_weekday` goes with `end_time`, and not with `duration`
             8 |     {times: [{start_time: '06:00', end_weekday: monday, duration: 2h}]}
               |                                                 ^
               hint: remove one of them
            a.yaml:8:68: error[invalid-weekday]: unknown weekday `funday`
             8 |     {times: [{start_time: '06:00', end_time: '07:00', end_weekday: funday}]}
               |                                                                    ^
               hint: did you mean `sunday`, `friday`, `monday`?
            a.yaml:8:46: error[invalid-duration]: the duration `400d` is longer than 366 days
             8 |     {times: [{start_time: '06:00', duration: 400d}, {start_time: '06:00', duration: 1m1h}]}
               |                                              ^
            a.yaml:8:85: error[invalid-duration]: expected a duration such as `1h30m` or `2d`, but found `1m1h`
             8 |     {times: [{start_time: '06:00', duration: 400d}, {start_time: '06:00', duration: 1m1h}]}
               |                                                                                     ^
               hint: write each unit once, the larger before the smaller
            a.yaml:8:46: error[invalid-duration]: expected a duration such as `1h30m` or `2d`, but found `500ms`
             8 |     {times: [{start_time: '06:00', duration: 500ms}, {start_time: '06:00', duration: 0s}]}
               |                                              ^
               hint: silences have whole seconds, so `ms` is not accepted
            a.yaml:8:86: error[invalid-duration]: the duration `0s` is zero, expected a longer one
             8 |     {times: [{start_time: '06:00', duration: 500ms}, {start_time: '06:00', duration: 0s}]}
               |                                                                                      ^
            a.yaml:8:14: error[missing-key]: the key `start_time` is missing in an item of `times`
             8 |     {times: [{start: '06:00', end: '07:00'}]}
               |              ^
               hint: write `start_time: "22:00"`
            a.yaml:8:14: error[no-end]: this window has no end, expected `end_time` or `duration`
             8 |     {times: [{start: '06:00', end: '07:00'}]}
               |              ^
            a.yaml:8:15: error[unknown-key]: unknown key `start` in an item of `times`
             8 |     {times: [{start: '06:00', end: '07:00'}]}
               |               ^
               hint: did you mean `start_time`?
            a.yaml:8:31: error[unknown-key]: unknown key `end` in an item of `times`
             8 |     {times: [{start: '06:00', end: '07:00'}]}
               |                               ^
               hint: did you mean `end_time`?
            a.yaml:8:16: error[empty-list]: expected a list of weekdays, but the list is empty
             8 |     {weekdays: []}
               |                ^
               hint: add an item, or remove the key if nothing is meant
            a.yaml:8:17: error[invalid-weekday]: unknown weekday `1`
             8 |     {weekdays: [1, mondey, 'sixth friday', 'first monday:friday', [monday]]}
               |                 ^
               hint: write the weekday's name; numbers begin with Monday for some and with Sunday for others
            a.yaml:8:20: error[invalid-weekday]: unknown weekday `mondey`
             8 |     {weekdays: [1, mondey, 'sixth friday', 'first monday:friday', [monday]]}
               |                    ^
               hint: did you mean `monday`?
            a.yaml:8:28: error[invalid-weekday]: unknown count `sixth` before a weekday
             8 |     {weekdays: [1, mondey, 'sixth friday', 'first monday:friday', [monday]]}
               |                            ^
               hint: the counts are first, second, third, fourth, fifth, last and second last
            a.yaml:8:44: error[invalid-weekday]: a counted weekday has no range: `first monday:friday`
             8 |     {weekdays: [1, mondey, 'sixth friday', 'first monday:friday', [monday]]}
               |                                            ^
               hint: write each one as an item of its own
            a.yaml:8:67: error[wrong-type]: expected a weekday, but found a list
             8 |     {weekdays: [1, mondey, 'sixth friday', 'first monday:friday', [monday]]}
               |                                                                   ^
            a.yaml:8:22: error[invalid-day]: no day of the month is `0`, expected 1 to 31, or -1 (the last) to -31
             8 |     {days_of_month: [0, 32, '-32', '5:1', x]}
               |                      ^
            a.yaml:8:25: error[invalid-day]: no day of the month is `32`, expected 1 to 31, or -1 (the last) to -31
             8 |     {days_of_month: [0, 32, '-32', '5:1', x]}
               |                         ^
            a.yaml:8:29: error[invalid-day]: no day of the month is `-32`, expected 1 to 31, or -1 (the last) to -31
             8 |     {days_of_month: [0, 32, '-32', '5:1', x]}
               |                             ^
            a.yaml:8:36: error[invalid-day]: the range `5:1` holds no day of any month
             8 |     {days_of_month: [0, 32, '-32', '5:1', x]}
               |                                    ^
               hint: put the earlier day first; negative days count from the end, -1 is the last
            a.yaml:8:43: error[invalid-day]: no day of the month is `x`, expected 1 to 31, or -1 (the last) to -31
             8 |     {days_of_month: [0, 32, '-32', '5:1', x]}
               |                                           ^
            a.yaml:8:15: error[invalid-month]: unknown month `13`, expected a name or 1 to 12
             8 |     {months: [13, 'november:february', fbruary]}
               |               ^
            a.yaml:8:19: error[invalid-month]: the range `november:february` runs backwards
             8 |     {months: [13, 'november:february', fbruary]}
               |                   ^
               hint: write two ranges, the first until december and the second from january
            a.yaml:8:40: error[invalid-month]: unknown month `fbruary`, expected a name or 1 to 12
             8 |     {months: [13, 'november:february', fbruary]}
               |                                        ^
               hint: did you mean `february`?
            a.yaml:8:14: error[invalid-year]: expected a year of four digits, but found `26`
             8 |     {years: [26, '2028:2026']}
               |              ^
            a.yaml:8:18: error[invalid-year]: the range `2028:2026` runs backwards
             8 |     {years: [26, '2028:2026']}
               |                  ^
               hint: put the earlier year first
            a.yaml:8:21: error[impossible-date]: the calendar has none of these days in these months
             8 |     {days_of_month: [30], months: [february]}
               |                     ^
               hint: use -1 for the last day of a month
            a.yaml:8:21: error[impossible-date]: the calendar has none of these days in these months
             8 |     {days_of_month: [31], months: [april, june]}
               |                     ^
               hint: use -1 for the last day of a month
            a.yaml:8:21: error[impossible-date]: the calendar has none of these days in these months
             8 |     {days_of_month: [29], months: [2], years: ['2025:2027']}
               |                     ^
               hint: use -1 for the last day of a month
            a.yaml:8:5: error[missing-key]: the key `anchor` is missing in a schedule
             8 |     {every_weeks: 2}
               |     ^
               hint: write the date from which on is counted, such as `anchor: 2026-11-02`
            a.yaml:8:19: error[wrong-type]: expected a number of weeks from 1 to 520, but found the number `0`
             8 |     {every_weeks: 0, anchor: 2026-11-02}
               |                   ^
            a.yaml:8:34: error[two-periods]: both `every_weeks` and `every_days` are said
             8 |     {every_weeks: 2, every_days: 3, anchor: 2026-11-02}
               |                                  ^
               hint: remove one of them
            a.yaml:8:14: error[anchor-alone]: `anchor` without `every_weeks` or `every_days` has no meaning
             8 |     {anchor: 2026-11-02, weekdays: [monday]}
               |              ^
               hint: add one of them, or remove `anchor`
            a.yaml:8:41: error[invalid-date]: the calendar has no date `2026-13-01`
             8 |     {weekdays: [monday], except_dates: [2026-13-01, '2026-12-24:2026-12-20', holydays, 1]}
               |                                         ^
            a.yaml:8:53: error[invalid-date]: the range `2026-12-24:2026-12-20` runs backwards
             8 |     {weekdays: [monday], except_dates: [2026-13-01, '2026-12-24:2026-12-20', holydays, 1]}
               |                                                     ^
               hint: put the earlier date first
            a.yaml:8:78: error[unknown-name]: unknown list of dates `holydays`
             8 |     {weekdays: [monday], except_dates: [2026-13-01, '2026-12-24:2026-12-20', holydays, 1]}
               |                                                                              ^
            a.yaml:8:88: error[unknown-name]: unknown list of dates `1`
             8 |     {weekdays: [monday], except_dates: [2026-13-01, '2026-12-24:2026-12-20', holydays, 1]}
               |                                                                                        ^
            a.yaml:8:40: error[wrong-type]: expected a list of dates, but found the text `2026-12-24`
             8 |     {weekdays: [monday], except_dates: 2026-12-24}
               |                                        ^
        "#]],
    );
}
