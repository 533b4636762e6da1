//! Is each fault of a file named, with its place and what to do? These messages
//! are the product, so every one is written down here.

use expect_test::{Expect, expect};

use super::{read, shown, with_schedule};

/// The findings in each of these files, one file after the other.
fn check<T: AsRef<str>>(files: impl IntoIterator<Item = T>, expected: Expect) {
    let mut all = String::new();
    for file in files {
        let declarations = read(&[("a.yaml", file.as_ref())]);
        let found = !declarations.diagnostics.is_empty();
        assert!(found, "nothing found in {}", file.as_ref());
        all += &shown(&declarations.diagnostics);
    }
    expected.assert_eq(&all);
}

fn check_schedules(schedules: &[&str], expected: Expect) {
    check(
        schedules.iter().map(|schedule| with_schedule(schedule)),
        expected,
    );
}

/// A valid declaration with these lines added, or in the place of its own.
fn entry(lines: &str) -> String {
    let mut entry = "silences:\n-\n".to_owned();
    let own = [
        "name: x",
        "owner: o",
        "comment: c",
        "matchers: [env=prod]",
        "schedule: always",
    ];
    for line in own {
        let key = line.split(':').next().unwrap();
        if !lines.lines().any(|line| line.starts_with(key)) {
            entry += &format!("  {line}\n");
        }
    }
    for line in lines.lines() {
        entry += &format!("  {line}\n");
    }
    entry
}

fn check_entries(entries: &[&str], expected: Expect) {
    check(entries.iter().map(|lines| entry(lines)), expected);
}

#[test]
fn yaml() {
    check(
        [
            "silences: [",
            "silences:\n\t- name: x\n",
            "silences:\n- name: \"x\n",
            "silences: []\nsilences: []\nowner: a\nowner: b\n",
            "owner: a\n---\nowner: b\n",
            "- name: x\n",
            "just text",
            "# only a comment\n",
            "",
            "owner: *nobody\n",
            "owner: &me [*me]\n",
            "owner: !include secrets.yaml\n",
            "[a, b]: c\n",
            "<<: text\nowner: a\n",
        ],
        expect![[r#"
            a.yaml:1:11: error[invalid-yaml]: this is not YAML: unclosed bracket '['
             1 | silences: [
               |           ^
            a.yaml:2:2: error[invalid-yaml]: this is not YAML: tabs disallowed within this context (block indentation)
             2 |  - name: x
               |  ^
               hint: indent with blanks instead of tabs
            a.yaml:2:9: error[invalid-yaml]: this is not YAML: unclosed quote
             2 | - name: "x
               |         ^
            a.yaml:2:1: error[duplicate-key]: the key `silences` stands here for the second time, the first is in line 1
             2 | silences: []
               | ^
               hint: remove one of them
            a.yaml:4:1: error[duplicate-key]: the key `owner` stands here for the second time, the first is in line 3
             4 | owner: b
               | ^
               hint: remove one of them
            a.yaml:2:1: error[second-document]: a second YAML document begins here, expected one document in a file
             2 | ---
               | ^
               hint: move it into a file of its own
            a.yaml:1:1: error[wrong-type]: expected a mapping with the key `silences`, but found a list
             1 | - name: x
               | ^
               hint: put `silences:` above the list of declarations
            a.yaml:1:1: error[wrong-type]: expected a mapping with the key `silences`, but found the text `just text`
             1 | just text
               | ^
               hint: put `silences:` above the list of declarations
            a.yaml:1:1: warning[empty-file]: this file declares nothing
             1 | # only a comment
               | ^
               hint: add `silences:`, or delete it
            a.yaml:1:1: warning[empty-file]: this file declares nothing
               hint: add `silences:`, or delete it
            a.yaml:1:8: error[invalid-yaml]: this is not YAML: while parsing node, found unknown anchor
             1 | owner: *nobody
               |        ^
            a.yaml:1:13: error[recursive-alias]: this alias stands inside what it repeats
             1 | owner: &me [*me]
               |             ^
               hint: write the value out
            a.yaml:1:17: error[unknown-tag]: the tag `!include` has no meaning here
             1 | owner: !include secrets.yaml
               |                 ^
               hint: remove it; quote a text that begins with `!`
            a.yaml:1:1: error[wrong-type]: a key of a mapping must be a text, but this is a list or a mapping
             1 | [a, b]: c
               | ^
               hint: quote a text that begins with `[` or `{`
            a.yaml:1:5: error[wrong-type]: expected a mapping to merge with `<<`, but found the text `text`
             1 | <<: text
               |     ^
        "#]],
    );
}

#[test]
fn files() {
    check(
        [
            "silence: []\nsilences: {}\nversion: 1\n",
            "owner: [a]\ntimezone: Europe/Berln\ntargets: []\nsilences: none\n",
            "timezone: Local\ntargets: {env: []}\n",
            "timezone: Moon/Tycho\nowner: \"two\\nlines\"\n",
            "timezone: CET\ntargets: {}\n",
        ],
        expect![[r#"
            a.yaml:1:1: error[unknown-key]: unknown key `silence` in a file
             1 | silence: []
               | ^
               hint: did you mean `silences`?
            a.yaml:2:11: error[wrong-type]: expected a list of declarations, but found a mapping
             2 | silences: {}
               |           ^
            a.yaml:3:1: error[unknown-key]: unknown key `version` in a file
             3 | version: 1
               | ^
               hint: the keys of a file are `owner`, `timezone`, `targets`, `silences`, `time_intervals`, `rotations`, `dates`
            a.yaml:1:8: error[wrong-type]: expected an owner, but found a list
             1 | owner: [a]
               |        ^
            a.yaml:2:11: error[unknown-timezone]: unknown time zone `Europe/Berln`
             2 | timezone: Europe/Berln
               |           ^
               hint: did you mean `Europe/Berlin`, `Europe/Dublin`, `Europe/Jersey`?
            a.yaml:3:10: error[empty-list]: expected a list of target names, or a mapping from labels to values, but the list is empty
             3 | targets: []
               |          ^
               hint: add an item, or remove the key if nothing is meant
            a.yaml:4:11: error[wrong-type]: expected a list of declarations, but found the text `none`
             4 | silences: none
               |           ^
            a.yaml:1:11: error[unknown-timezone]: `Local` would be the zone of whichever machine reads it
             1 | timezone: Local
               |           ^
               hint: write a place, such as `Europe/Berlin`, or `UTC`
            a.yaml:2:16: error[empty-list]: expected a list of values, but the list is empty
             2 | targets: {env: []}
               |                ^
               hint: add an item, or remove the key if nothing is meant
            a.yaml:1:11: error[unknown-timezone]: unknown time zone `Moon/Tycho`
             1 | timezone: Moon/Tycho
               |           ^
               hint: names are as IANA writes them, such as `Europe/Berlin` or `UTC`
            a.yaml:2:8: error[invalid-text]: expected an owner: one line that is not blank
             2 | owner: "two\nlines"
               |        ^
            a.yaml:1:11: warning[zone-abbreviation]: `CET` is an abbreviation, and may not change with the seasons of any place
             1 | timezone: CET
               |           ^
               hint: write a place, such as `Europe/Berlin` or `America/New_York`, or `UTC`
            a.yaml:2:10: error[empty-list]: expected a list of target names, or a mapping from labels to values with 1 to 64 items, but it has 0
             2 | targets: {}
               |          ^
               hint: remove `targets` for every target
        "#]],
    );
}

#[test]
fn entries() {
    check_entries(
        &[
            "matcher: [a=b]",
            "name: Nightly Info\nenabled: no\nsuspend: \"true\"",
            "comment: \"held [silenced instance=a silence=b]\"",
            "comment: [c]\nticket:\nowner: {a: b}\nannotations: [a]\nexpires: 2026-02-30",
            "expires: tomorrow\ntargets: Prod\nannotations: {a: [b]}",
            "targets: [Prod, eu]",
            "timezone: [UTC]",
        ],
        expect![[r#"
            a.yaml:8:3: error[unknown-key]: unknown key `matcher` in a declaration
             8 |   matcher: [a=b]
               |   ^
               hint: did you mean `matchers`?
            a.yaml:7:9: error[invalid-name]: silence name `Nightly Info` must be 1 to 63 characters of a-z, 0-9 and `-`
             7 |   name: Nightly Info
               |         ^
            a.yaml:8:12: error[wrong-type]: expected `true` or `false`, but found the text `no`
             8 |   enabled: no
               |            ^
            a.yaml:9:12: error[wrong-type]: expected `true` or `false`, but found the text `true`
             9 |   suspend: "true"
               |            ^
            a.yaml:7:12: error[invalid-comment]: a comment must not contain `[silenced `, which marks the silences of silenced
             7 |   comment: "held [silenced instance=a silence=b]"
               |            ^
               hint: write it in other words
            a.yaml:6:12: error[wrong-type]: expected a comment, but found a list
             6 |   comment: [c]
               |            ^
            a.yaml:7:9: error[wrong-type]: expected a ticket, but found nothing
             7 |   ticket:
               |         ^
            a.yaml:8:10: error[wrong-type]: expected an owner, but found a mapping
             8 |   owner: {a: b}
               |          ^
            a.yaml:9:16: error[wrong-type]: expected a mapping from names to texts, but found a list
             9 |   annotations: [a]
               |                ^
            a.yaml:10:12: error[invalid-date]: the calendar has no date `2026-02-30`
             10 |   expires: 2026-02-30
                |            ^
            a.yaml:8:12: error[invalid-date]: expected a date as `YYYY-MM-DD`, but found `tomorrow`
             8 |   expires: tomorrow
               |            ^
            a.yaml:9:12: error[wrong-type]: expected a list of target names, or a mapping from labels to values, but found the text `Prod`
             9 |   targets: Prod
               |            ^
            a.yaml:10:20: error[wrong-type]: expected the text of an annotation, but found a list
             10 |   annotations: {a: [b]}
                |                    ^
            a.yaml:8:13: error[invalid-name]: target name `Prod` must be 1 to 63 characters of a-z, 0-9 and `-`
             8 |   targets: [Prod, eu]
               |             ^
            a.yaml:8:13: error[wrong-type]: expected the name of a time zone, but found a list
             8 |   timezone: [UTC]
               |             ^
        "#]],
    );
    check(
        ["silences: [{}, x, null]"],
        expect![[r#"
        a.yaml:1:12: error[missing-key]: the key `name` is missing in a declaration
         1 | silences: [{}, x, null]
           |            ^
           hint: write `name: ...`, unique in the repository
        a.yaml:1:12: error[missing-key]: the key `matchers` is missing in a declaration
         1 | silences: [{}, x, null]
           |            ^
           hint: write `matchers: [alertname="..."]`
        a.yaml:1:12: error[missing-key]: the key `schedule` is missing in a declaration
         1 | silences: [{}, x, null]
           |            ^
           hint: write when it applies, such as `schedule: {times: [{start_time: "22:00", end_time: "06:00"}]}`
        a.yaml:1:16: error[wrong-type]: expected a declaration, but found the text `x`
         1 | silences: [{}, x, null]
           |                ^
        a.yaml:1:19: error[wrong-type]: expected a declaration, but found nothing
         1 | silences: [{}, x, null]
           |                   ^
    "#]],
    );
}

#[test]
fn matchers() {
    check_entries(
        &[
            "matchers: []",
            "matchers: severity=info",
            "matchers: [severity, 'a=~\"(\"', '=x', [a]]",
            "matchers: [{name: env}, {name: env, value: x, is_regex: true}, {name: '', value: x}]",
            "matchers: [{name: env, value: '[', isRegex: true}]",
            "matchers: [{name: env, value: a, isRegex: yes}]",
            "matchers: ['a=\"\"', 'b=~\".*\"']",
            "matchers: [a=b, c=d, a=b]",
            "matchers: ['env=\"prod\"', 'env=\"staging\"']",
            "matchers: ['alertname=~\".+\"', 'env!=\"prod\"']",
        ],
        expect![[r#"
            a.yaml:7:13: error[empty-list]: expected a list of matchers, but the list is empty
             7 |   matchers: []
               |             ^
               hint: add an item, or remove the key if nothing is meant
            a.yaml:7:13: error[wrong-type]: expected a list of matchers, but found the text `severity=info`
             7 |   matchers: severity=info
               |             ^
            a.yaml:7:22: error[invalid-matcher]: no operator after the label name
             7 |   matchers: [severity, 'a=~"("', '=x', [a]]
               |                      ^
               hint: write `alertname="severity"` if that is the alert's name
            a.yaml:7:24: error[invalid-matcher]: not a regular expression: missing closing ): `(` (byte 0 of the pattern)
             7 |   matchers: [severity, 'a=~"("', '=x', [a]]
               |                        ^
               hint: escape what is meant literally with a backslash: `\.`, `\(`, `\[`
            a.yaml:7:34: error[invalid-matcher]: no label name before the operator
             7 |   matchers: [severity, 'a=~"("', '=x', [a]]
               |                                  ^
               hint: write the label before it, such as `severity="info"`
            a.yaml:7:40: error[wrong-type]: expected a matcher such as `severity="info"`, but found a list
             7 |   matchers: [severity, 'a=~"("', '=x', [a]]
               |                                        ^
            a.yaml:7:14: error[missing-key]: the key `value` is missing in a matcher
             7 |   matchers: [{name: env}, {name: env, value: x, is_regex: true}, {name: '', value: x}]
               |              ^
               hint: write the label's value, or `""` for none
            a.yaml:7:49: error[unknown-key]: unknown key `is_regex` in a matcher
             7 |   matchers: [{name: env}, {name: env, value: x, is_regex: true}, {name: '', value: x}]
               |                                                 ^
               hint: did you mean `isRegex`?
            a.yaml:7:66: error[invalid-matcher]: empty label name
             7 |   matchers: [{name: env}, {name: env, value: x, is_regex: true}, {name: '', value: x}]
               |                                                                  ^
               hint: name the label
            a.yaml:7:14: error[invalid-matcher]: not a regular expression: missing closing ]: `[` (byte 0 of the pattern)
             7 |   matchers: [{name: env, value: '[', isRegex: true}]
               |              ^
               hint: escape what is meant literally with a backslash: `\.`, `\(`, `\[`
            a.yaml:7:45: error[wrong-type]: expected `true` or `false`, but found the text `yes`
             7 |   matchers: [{name: env, value: a, isRegex: yes}]
               |                                             ^
            a.yaml:7:13: error[matches-everything]: each of these matchers matches an alert without the label, and servers refuse such a silence
             7 |   matchers: ['a=""', 'b=~".*"']
               |             ^
               hint: add a matcher that picks out something, such as `alertname="..."`
            a.yaml:7:24: warning[duplicate-matcher]: the matcher `a="b"` stands here twice, first in line 7
             7 |   matchers: [a=b, c=d, a=b]
               |                        ^
               hint: remove one of them
            a.yaml:7:28: warning[contradiction]: no alert has both `env="prod"` and `env="staging"`
             7 |   matchers: ['env="prod"', 'env="staging"']
               |                            ^
               hint: for either of them write `env=~"...|..."`
            a.yaml:3:9: error[policy-global]: `x`: no matcher names something, so this silence would be global
             3 |   name: x
               |         ^
               hint: add a matcher with `=` and a value, or with `=~` and a pattern that does not match everything
        "#]],
    );
}

#[test]
fn policy() {
    check(
        ["silences:\n- name: x\n  matchers: ['env!=\"prod\"']\n  schedule: always\n"],
        expect![[r#"
            a.yaml:2:9: error[policy-comment]: `x`: a silence needs a comment that says why
             2 | - name: x
               |         ^
               hint: add `comment: ...`
            a.yaml:2:9: error[policy-owner]: `x`: a silence needs an owner who answers for it
             2 | - name: x
               |         ^
               hint: add `owner: ...` here or at the top of the file
            a.yaml:2:9: error[policy-global]: `x`: no matcher names something, so this silence would be global
             2 | - name: x
               |         ^
               hint: add a matcher with `=` and a value, or with `=~` and a pattern that does not match everything
        "#]],
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
            a.yaml:8:20: warning[unused-timezone]: `timezone` changes nothing here: what is named has its own time zone
             8 |     {always: true, timezone: UTC}
               |                    ^
               hint: remove it, or set the time zone where the named thing is defined
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
               hint: write a unit after each number: y, w, d, h, m or s
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
            a.yaml:11:39: warning[unused-timezone]: `timezone` changes nothing here: what is named has its own time zone
             11 |   schedule: {time_interval: offhours, timezone: UTC}
                |                                       ^
               hint: remove it, or set the time zone where the named thing is defined
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
