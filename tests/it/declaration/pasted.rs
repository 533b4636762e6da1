//! Do the time intervals of an `alertmanager.yml` mean the same here, pasted as
//! they are? The spellings are those of public configurations; the expected
//! minutes follow from Alertmanager's `timeinterval.go`.

use std::fmt::Write;

use expect_test::{Expect, expect};
use silenced::declaration::Declarations;
use silenced::interval::Interval;
use silenced::timestamp::Timestamp;

use super::{read, shown};

/// A file that refers to `names` of a pasted block.
fn pasted(block: &str, names: &[&str]) -> Declarations {
    let mut yaml = format!("owner: team\n{block}\nsilences:\n");
    for (index, name) in names.iter().enumerate() {
        writeln!(
            yaml,
            "- {{name: s{index}, comment: c, matchers: [env=prod], schedule: {{time_interval: {name}}}}}"
        )
        .unwrap();
    }
    read(&[("a.yaml", &yaml)])
}

/// The intervals of one name of a block in a range of dates, each on a line.
fn intervals(block: &str, name: &str, from: &str, to: &str) -> String {
    let declarations = pasted(block, &[name]);
    let midnight = |date| Timestamp::parse(&format!("{date}T00:00:00Z")).unwrap();
    let range = Interval::new(midnight(from), midnight(to)).unwrap();
    let [declaration] = declarations.silences.as_slice() else {
        panic!("{}", shown(&declarations.diagnostics));
    };
    let short = |time: Timestamp| time.to_string()[2..16].replace('T', " ");
    let mut lines = String::new();
    for interval in declaration.schedule.expand(range).iter() {
        let (start, end) = (short(interval.start()), short(interval.end()));
        writeln!(lines, "{start} - {end}").unwrap();
    }
    lines
}

fn check(block: &str, name: &str, (from, to): (&str, &str), expected: Expect) {
    expected.assert_eq(&intervals(block, name, from, to));
}

#[test]
fn times_without_quotes_and_without_location() {
    let block = "\
time_intervals:
  - name: off_hours
    time_intervals:
      - times:
        - start_time: 13:00 # 22:00 in Seoul
          end_time: 24:00   # 09:00 in Seoul
";
    check(
        block,
        "off_hours",
        ("2026-06-01", "2026-06-03"),
        expect![[r#"
            26-06-01 13:00 - 26-06-02 00:00
            26-06-02 13:00 - 26-06-03 00:00
        "#]],
    );
    let warnings = shown(&pasted(block, &["off_hours"]).diagnostics);
    expect![[r#"
        a.yaml:5:9: warning[no-location]: without `location` these are times in UTC, as in Alertmanager, whatever the file's `timezone`
         5 |       - times:
           |         ^
           hint: write `location: UTC`, or the place that is meant
    "#]].assert_eq(&warnings);
}

#[test]
fn the_two_halves_of_a_night_touch_and_become_one() {
    check(
        "\
time_intervals:
- name: offhours
  time_intervals:
  - weekdays: ['saturday', 'sunday']
    location: 'Europe/Berlin'
  - weekdays: ['monday:friday']
    location: 'Europe/Berlin'
    times:
      - {start_time: '18:00', end_time: '24:00'}
      - {start_time: '00:00', end_time: '09:00'}
",
        "offhours",
        ("2026-03-26", "2026-04-01"),
        expect![[r#"
            26-03-26 00:00 - 26-03-26 08:00
            26-03-26 17:00 - 26-03-27 08:00
            26-03-27 17:00 - 26-03-30 07:00
            26-03-30 16:00 - 26-03-31 07:00
            26-03-31 16:00 - 26-04-01 00:00
        "#]],
    );
}

#[test]
fn a_minute_is_open_where_a_day_ends_at_23_59() {
    check(
        "\
time_intervals:
  - name: offtime
    time_intervals:
      - location: UTC
        times:
          - start_time: '00:00'
            end_time: '06:00'
          - start_time: '16:00'
            end_time: '23:59'
",
        "offtime",
        ("2026-06-01", "2026-06-03"),
        expect![[r#"
            26-06-01 00:00 - 26-06-01 06:00
            26-06-01 16:00 - 26-06-01 23:59
            26-06-02 00:00 - 26-06-02 06:00
            26-06-02 16:00 - 26-06-02 23:59
        "#]],
    );
}

#[test]
fn weekdays_in_any_case_and_from_sunday() {
    let block = "\
mute_time_intervals:
  - name: weekend
    time_intervals:
     # Saturdays and Sundays, all day.
     - weekdays: ['Saturday','Sunday']
       location: Asia/Ho_Chi_Minh
  - name: early
    time_intervals:
      - weekdays: [sunday:tuesday, saturday]
        location: UTC
  - name: work
    time_intervals:
      - weekdays:
          - monday:friday
        times: 
          - start_time: 10:00
            end_time: 10:03
        location: \"Europe/London\"
";
    let week = ("2026-03-26", "2026-04-02");
    check(
        block,
        "weekend",
        week,
        expect![[r#"
        26-03-27 17:00 - 26-03-29 17:00
    "#]],
    );
    check(
        block,
        "early",
        week,
        expect![[r#"
        26-03-28 00:00 - 26-04-01 00:00
    "#]],
    );
    check(
        block,
        "work",
        week,
        expect![[r#"
        26-03-26 10:00 - 26-03-26 10:03
        26-03-27 10:00 - 26-03-27 10:03
        26-03-30 09:00 - 26-03-30 09:03
        26-03-31 09:00 - 26-03-31 09:03
        26-04-01 09:00 - 26-04-01 09:03
    "#]],
    );
}

#[test]
fn every_field_must_hold() {
    let block = "\
mute_time_intervals:
- name: namespace/config/quarter
  time_intervals:
  - times:
    - start_time: \"08:00\"
      end_time: \"17:00\"
    weekdays: [\"monday:wednesday\", saturday, sunday]
    days_of_month: [\"1:5\", '-3:-1']
    months: [\"1:3\", \"may:august\", december]
    years: ['2020:2022', \"2026\"]
    location: UTC
- name: first saturday
  time_intervals:
  - weekdays: ['saturday']
    days_of_month: ['1:7']
    times: [{start_time: 00:00, end_time: 04:00}]
- name: numbers
  time_intervals:
  - days_of_month: [7, 18, -1]
    months: [1]
    years: [2026:2027]
";
    check(
        block,
        "namespace/config/quarter",
        ("2026-02-20", "2026-05-10"),
        expect![[r#"
            26-02-28 08:00 - 26-02-28 17:00
            26-03-01 08:00 - 26-03-01 17:00
            26-03-02 08:00 - 26-03-02 17:00
            26-03-03 08:00 - 26-03-03 17:00
            26-03-04 08:00 - 26-03-04 17:00
            26-03-29 08:00 - 26-03-29 17:00
            26-03-30 08:00 - 26-03-30 17:00
            26-03-31 08:00 - 26-03-31 17:00
            26-05-02 08:00 - 26-05-02 17:00
            26-05-03 08:00 - 26-05-03 17:00
            26-05-04 08:00 - 26-05-04 17:00
            26-05-05 08:00 - 26-05-05 17:00
        "#]],
    );
    check(
        block,
        "first saturday",
        ("2026-01-01", "2026-04-01"),
        expect![[r#"
            26-01-03 00:00 - 26-01-03 04:00
            26-02-07 00:00 - 26-02-07 04:00
            26-03-07 00:00 - 26-03-07 04:00
        "#]],
    );
    check(
        block,
        "numbers",
        ("2026-01-01", "2027-01-08"),
        expect![[r#"
        26-01-07 00:00 - 26-01-08 00:00
        26-01-18 00:00 - 26-01-19 00:00
        26-01-31 00:00 - 26-02-01 00:00
        27-01-07 00:00 - 27-01-08 00:00
    "#]],
    );
}

#[test]
fn each_rule_has_its_own_location() {
    check(
        "\
time_intervals:
- name: officehours
  time_intervals:
  - weekdays: ['friday']
  - times:
    - start_time: \"08:00\"
      end_time: \"20:00\"
    location: Europe/London
",
        "officehours",
        ("2026-10-22", "2026-10-27"),
        expect![[r#"
            26-10-22 07:00 - 26-10-22 19:00
            26-10-23 00:00 - 26-10-24 00:00
            26-10-24 07:00 - 26-10-24 19:00
            26-10-25 08:00 - 26-10-25 20:00
            26-10-26 08:00 - 26-10-26 20:00
        "#]],
    );
}

#[test]
fn both_keys_in_one_file_are_one_list() {
    let block = "\
mute_time_intervals:
- name: workdays
  time_intervals:
  - {weekdays: ['monday:friday'], location: UTC}

time_intervals:
- name: sunday
  time_intervals:
  - weekdays: [sunday]
    location: UTC
- name: whenever
  time_intervals:
  - {}
- name: never
  time_intervals: []
";
    let week = ("2026-06-01", "2026-06-08");
    check(
        block,
        "workdays",
        week,
        expect![[r#"
        26-06-01 00:00 - 26-06-06 00:00
    "#]],
    );
    check(
        block,
        "sunday",
        week,
        expect![[r#"
        26-06-07 00:00 - 26-06-08 00:00
    "#]],
    );
    check(
        block,
        "whenever",
        week,
        expect![[r#"
        26-06-01 00:00 - 26-06-08 00:00
    "#]],
    );
    check(block, "never", week, expect![""]);
    expect![[r#"
        a.yaml:14:5: warning[no-location]: without `location` these are times in UTC, as in Alertmanager, whatever the file's `timezone`
         14 |   - {}
            |     ^
           hint: write `location: UTC`, or the place that is meant
        a.yaml:16:19: warning[empty-interval]: a time interval without rules never applies, as in Alertmanager
         16 |   time_intervals: []
            |                   ^
           hint: add a rule, or remove the time interval
    "#]].assert_eq(&shown(&pasted(block, &[]).diagnostics));

    let twice = block.replace("sunday\n", "workdays\n");
    let found = shown(&pasted(&twice, &[]).diagnostics);
    assert!(found.contains("[duplicate-name]"), "{found}");
}

#[test]
fn a_key_with_nothing_below_it_defines_nothing() {
    let block = "time_intervals:\nmute_time_intervals: []\ndates:\nrotations: null\n";
    assert_eq!(shown(&pasted(block, &[]).diagnostics), "");
}

#[test]
fn a_key_of_a_rule_without_a_value_counts_as_absent() {
    let block = "\
time_intervals:
- name: days
  time_intervals:
  - weekdays: [monday]
    times:
    months: ~
    location: ''
";
    check(
        block,
        "days",
        ("2026-06-01", "2026-06-10"),
        expect![[r#"
        26-06-01 00:00 - 26-06-02 00:00
        26-06-08 00:00 - 26-06-09 00:00
    "#]],
    );
    expect![[r#"
        a.yaml:5:5: warning[no-location]: without `location` these are times in UTC, as in Alertmanager, whatever the file's `timezone`
         5 |   - weekdays: [monday]
           |     ^
           hint: write `location: UTC`, or the place that is meant
        a.yaml:6:5: warning[empty-key]: `times` has no value, so it counts as absent, as in Alertmanager
         6 |     times:
           |     ^
           hint: give it a value, or remove it
        a.yaml:7:5: warning[empty-key]: `months` has no value, so it counts as absent, as in Alertmanager
         7 |     months: ~
           |     ^
           hint: give it a value, or remove it
    "#]].assert_eq(&shown(&pasted(block, &[]).diagnostics));
}

/// Where we differ from Alertmanager, on purpose.
#[test]
fn differences_from_alertmanager() {
    let berlin = |rule: &str| {
        format!(
            "time_intervals:\n- name: x\n  time_intervals:\n  - {{location: Europe/Berlin, {rule}}}\n"
        )
    };
    // The clock shows these minutes twice and other ones in between, in which
    // Alertmanager notifies; here it is one window.
    check(
        &berlin("times: [{start_time: '02:30', end_time: '03:00'}]"),
        "x",
        ("2026-10-24", "2026-10-27"),
        expect![[r#"
            26-10-24 00:30 - 26-10-24 01:00
            26-10-25 00:30 - 26-10-25 02:00
            26-10-26 01:30 - 26-10-26 02:00
        "#]],
    );
    // Up to Alertmanager 0.34.0 this was the 30th in a month of 743 hours.
    check(
        &berlin("days_of_month: ['-1']"),
        "x",
        ("2026-03-01", "2026-04-15"),
        expect![[r#"
            26-03-30 22:00 - 26-03-31 22:00
        "#]],
    );
    // Alertmanager refuses windows over midnight.
    check(
        &berlin("weekdays: ['friday'], times: [{start_time: '18:00', end_time: '09:00'}]"),
        "x",
        ("2026-06-01", "2026-06-08"),
        expect![[r#"
            26-06-05 16:00 - 26-06-06 07:00
        "#]],
    );
    // In Alertmanager an empty list never holds, whatever is documented.
    expect![[r#"
        a.yaml:5:38: error[empty-list]: expected a list of times, but the list is empty
         5 |   - {location: Europe/Berlin, times: []}
           |                                      ^
           hint: add an item, or remove the key if nothing is meant
    "#]]
    .assert_eq(&shown(&pasted(&berlin("times: []"), &[]).diagnostics));
}
