//! `silenced expand`: tables for people, JSON for machines.

use std::process::Stdio;

use expect_test::expect;
use serde_json::json;

use super::{BROKEN, NIGHTLY, check, directory, finish, silenced};

const SPRING: [&str; 6] = ["expand", ".", "--from", "2026-03-27", "--to", "2026-03-30"];

const WINTER: [&str; 6] = [
    "expand",
    ".",
    "--from",
    "2026-01-01T20:00:00Z",
    "--to",
    "2026-01-02T12:00:00Z",
];

#[test]
fn the_table_shows_both_clocks_and_where_they_change() {
    let silences = directory(&[("nightly.yaml", NIGHTLY)]);
    check(
        &silences,
        &SPRING,
        &expect![[r#"
        NAME          START                 END                   LOCAL START                     LOCAL END                       LENGTH  NOTES
        nightly-info  2026-03-27T00:00:00Z  2026-03-27T05:00:00Z  Fri 2026-03-27 01:00:00 +01:00  Fri 2026-03-27 06:00:00 +01:00  5h      cut off
        nightly-info  2026-03-27T21:00:00Z  2026-03-28T05:00:00Z  Fri 2026-03-27 22:00:00 +01:00  Sat 2026-03-28 06:00:00 +01:00  8h
        nightly-info  2026-03-28T21:00:00Z  2026-03-29T04:00:00Z  Sat 2026-03-28 22:00:00 +01:00  Sun 2026-03-29 06:00:00 +02:00  7h      DST -1h
        nightly-info  2026-03-29T20:00:00Z  2026-03-30T00:00:00Z  Sun 2026-03-29 22:00:00 +02:00  Mon 2026-03-30 02:00:00 +02:00  4h      cut off
        over                                                                                                                              no interval in this range
        exit 0
    "#]],
    );
    let autumn = [
        "expand",
        ".",
        "--from",
        "2026-10-24T12:00:00+02:00",
        "--to",
        "2026-10-26",
        "--name",
        "nightly-info",
    ];
    check(
        &silences,
        &autumn,
        &expect![[r#"
        NAME          START                 END                   LOCAL START                     LOCAL END                       LENGTH  NOTES
        nightly-info  2026-10-24T20:00:00Z  2026-10-25T05:00:00Z  Sat 2026-10-24 22:00:00 +02:00  Sun 2026-10-25 06:00:00 +01:00  9h      DST +1h
        nightly-info  2026-10-25T21:00:00Z  2026-10-26T00:00:00Z  Sun 2026-10-25 22:00:00 +01:00  Mon 2026-10-26 01:00:00 +01:00  3h      cut off
        exit 0
    "#]],
    );
}

#[test]
fn what_becomes_no_silence_says_why() {
    let state =
        |line: &str| NIGHTLY.replace("    schedule:\n", &format!("    {line}\n    schedule:\n"));
    let silences = directory(&[("a.yaml", &state("enabled: false"))]);
    check(
        &silences,
        &WINTER,
        &expect![[r#"
        NAME          START                 END                   LOCAL START                     LOCAL END                       LENGTH  NOTES
        nightly-info  2026-01-01T21:00:00Z  2026-01-02T05:00:00Z  Thu 2026-01-01 22:00:00 +01:00  Fri 2026-01-02 06:00:00 +01:00  8h      disabled
        over                                                                                                                              no interval in this range
        exit 0
    "#]],
    );
    let mut json = silenced();
    json.args(WINTER).args(["--format", "json"]);
    let found = finish(json.current_dir(silences.path())).stdout;
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found["silences"][0]["state"], "disabled");
    assert_eq!(found["silences"][1].get("state"), None);
}

#[test]
fn a_single_window_is_shown_on_its_own_clock_too() {
    let silences = directory(&[("nightly.yaml", NIGHTLY)]);
    let arguments = [
        "expand",
        ".",
        "--name",
        "over",
        "--from",
        "2025-12-24",
        "--to",
        "2025-12-25",
    ];
    check(
        &silences,
        &arguments,
        &expect![[r#"
        NAME  START                 END                   LOCAL START                     LOCAL END                       LENGTH  NOTES
        over  2025-12-24T17:00:00Z  2025-12-24T19:00:00Z  Wed 2025-12-24 18:00:00 +01:00  Wed 2025-12-24 20:00:00 +01:00  2h
        exit 0
    "#]],
    );
}

#[test]
fn json_has_every_declaration_and_intervals_clipped_to_the_range() {
    let silences = directory(&[("nightly.yaml", NIGHTLY)]);
    let finished = finish(
        silenced()
            .args(SPRING)
            .args(["--format", "json"])
            .current_dir(silences.path()),
    );
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""));
    let found: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    // Whatever this machine has.
    let zones = silenced::zoneinfo::ZoneSource::new(None).load();
    let expected = json!({
        "from": "2026-03-27T00:00:00Z",
        "to": "2026-03-30T00:00:00Z",
        "tzdata": zones.version(),
        "tzdata_origin": zones.origin().to_string(),
        "silences": [
            {"name": "nightly-info", "intervals": [
                ["2026-03-27T00:00:00Z", "2026-03-27T05:00:00Z"],
                ["2026-03-27T21:00:00Z", "2026-03-28T05:00:00Z"],
                ["2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z"],
                ["2026-03-29T20:00:00Z", "2026-03-30T00:00:00Z"],
            ]},
            {"name": "over", "intervals": []},
        ],
    });
    assert_eq!(found, expected);
}

#[test]
fn valid_declarations_are_shown_beside_broken_files() {
    let silences = directory(&[("broken.yaml", BROKEN), ("nightly.yaml", NIGHTLY)]);
    check(
        &silences,
        &WINTER,
        &expect![[r#"
        NAME          START                 END                   LOCAL START                     LOCAL END                       LENGTH  NOTES
        nightly-info  2026-01-01T21:00:00Z  2026-01-02T05:00:00Z  Thu 2026-01-01 22:00:00 +01:00  Fri 2026-01-02 06:00:00 +01:00  8h
        over                                                                                                                              no interval in this range
        broken.yaml:3:5: error[missing-key]: the key `schedule` is missing in a declaration
         3 |   - name: broken
           |     ^
           hint: write when it applies, such as `schedule: {times: [{start_time: "22:00", end_time: "06:00"}]}`
        broken.yaml:6:5: error[unknown-key]: unknown key `shedule` in a declaration
         6 |     shedule: always
           |     ^
           hint: did you mean `schedule`?
        exit 1
    "#]],
    );
}

#[test]
fn an_unknown_name_is_an_error_that_brings_its_nearest() {
    let silences = directory(&[("nightly.yaml", NIGHTLY)]);
    let arguments = [
        "expand",
        ".",
        "--name",
        "nigthly-info",
        "--name",
        "over",
        "--from",
        "2026-01-01",
        "--to",
        "2026-01-02",
    ];
    check(
        &silences,
        &arguments,
        &expect![[r#"
        NAME  START  END  LOCAL START  LOCAL END  LENGTH  NOTES
        over                                              no interval in this range
        error: no valid silence is called `nigthly-info`; did you mean `nightly-info`?
        exit 1
    "#]],
    );
}

#[test]
fn the_range_has_an_order_and_a_bound() {
    let silences = directory(&[("nightly.yaml", NIGHTLY)]);
    let range = |from, to| ["expand", ".", "--from", from, "--to", to];
    check(
        &silences,
        &range("2026-01-02", "2026-01-01"),
        &expect![[r#"
            error: --to (2026-01-01T00:00:00Z) must be after --from (2026-01-02T00:00:00Z)
            exit 64
        "#]],
    );
    check(
        &silences,
        &range("2026-01-01", "2100-01-02"),
        &expect![[r#"
            error: schedules are known from 1970-01-01T00:00:00Z to 2100-01-01T00:00:00Z only
            exit 64
        "#]],
    );
    let longest = finish(
        silenced()
            .args(range("2026-01-01", "2027-01-02"))
            .current_dir(silences.path()),
    );
    assert_eq!(longest.code, Some(0), "{}", longest.stderr);
}

#[test]
fn without_a_range_it_is_the_next_seven_days() {
    let silences = directory(&[("nightly.yaml", NIGHTLY)]);
    let finished = finish(
        silenced()
            .args(["expand", ".", "--name", "nightly-info", "--format", "json"])
            .current_dir(silences.path()),
    );
    let found: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    let intervals = found["silences"][0]["intervals"].as_array().unwrap().len();
    assert!((7..=8).contains(&intervals), "{found}");
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let hourly = "\
owner: automation
timezone: UTC
silences:
  - name: hourly
    comment: More lines than a pipe holds.
    matchers: [severity=\"info\"]
    schedule: {cron: \"0 * * * *\", duration: 10m}
";
    let silences = directory(&[("hourly.yaml", hourly)]);
    let mut child = silenced()
        .args(["expand", ".", "--from", "2026-01-01", "--to", "2026-12-31"])
        .current_dir(silences.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_calendar_has_the_whole_windows() {
    let silences = directory(&[("nightly.yaml", NIGHTLY)]);
    let arguments = [
        "expand",
        ".",
        "--from",
        "2026-03-28T23:00:00Z",
        "--to",
        "2026-03-29T12:00:00Z",
        "--format",
        "ics",
    ];
    let finished = finish(silenced().args(arguments).current_dir(silences.path()));
    let shown = finished.shown(&[("\r\n", "\n")]);
    let (before, rest) = shown.split_once("DTSTAMP:").unwrap();
    let (stamp, after) = rest.split_at("20260301T120000Z".len());
    assert!(stamp.ends_with('Z') && !rest.contains("DTSTAMP"), "{shown}");
    expect![[r#"
        BEGIN:VCALENDAR
        VERSION:2.0
        PRODID:-//silenced//silenced//EN
        CALSCALE:GREGORIAN
        METHOD:PUBLISH
        X-WR-CALNAME:Silences
        BEGIN:VEVENT
        UID:nightly-info-20260328T210000Z@silenced
        DTSTAMP:now
        DTSTART:20260328T210000Z
        DTEND:20260329T040000Z
        SUMMARY:nightly-info
        DESCRIPTION:Low-severity noise waits for the morning.\n\nOwner: automation\
         nMatcher: severity="info"\nDeclared in: nightly.yaml\, line 4
        CATEGORIES:automation
        STATUS:CONFIRMED
        TRANSP:TRANSPARENT
        END:VEVENT
        END:VCALENDAR
        exit 0
    "#]]
    .assert_eq(&format!("{before}DTSTAMP:now{after}"));
}
