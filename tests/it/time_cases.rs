//! Do schedules mean what the worked examples say? Every case of
//! `tests/data/time-cases.json`, written as YAML, read, and expanded. The cases
//! were computed twice by other programs, see their `why`.

use std::fmt::Write;

use serde_json::Value;
use silenced::interval::Interval;
use silenced::timestamp::Timestamp;

use crate::declaration::{only, read};

const CASES: &str = include_str!("../data/time-cases.json");

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("`{key}` in {value}"))
}

fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time in the cases")
}

/// A rule of the cases as a form of ours, in flow style.
fn form(rule: &Value, zone: &Value) -> String {
    let zone = rule["zone"].as_str().or(zone.as_str()).expect("one zone");
    let mut yaml = format!("{{timezone: {zone}");
    let duration = rule["duration_s"]
        .as_u64()
        .map(|seconds| format!("duration: {seconds}s"));
    if let Some(cron) = rule["cron"].as_str() {
        write!(
            yaml,
            ", cron: \"{cron}\", {}",
            duration.expect("a duration")
        )
        .unwrap();
    } else {
        let end = duration.unwrap_or_else(|| format!("end_time: \"{}\"", text(rule, "end")));
        write!(
            yaml,
            ", times: [{{start_time: \"{}\", {end}",
            text(rule, "start")
        )
        .unwrap();
        if rule["end_day"].is_number() {
            // The one such case runs from Saturday to Monday.
            assert_eq!(
                (&rule["weekdays"][0], &rule["end_day"]),
                (&"sat".into(), &2.into())
            );
            yaml.push_str(", end_weekday: monday");
        }
        yaml.push_str("}]");
    }
    for key in [
        "weekdays",
        "days_of_month",
        "months",
        "every_weeks",
        "anchor",
        "except_dates",
    ] {
        if !rule[key].is_null() {
            write!(yaml, ", {key}: {}", rule[key]).unwrap();
        }
    }
    if let Some(nth) = rule["nth_weekday"].as_array() {
        let count = match nth[0].as_i64() {
            Some(2) => "second",
            Some(-1) => "last",
            other => panic!("no word for {other:?}"),
        };
        write!(
            yaml,
            ", weekdays: [\"{count} {}\"]",
            nth[1].as_str().unwrap()
        )
        .unwrap();
    }
    yaml + "}"
}

fn schedule(case: &Value) -> String {
    let (rule, zone) = (&case["rule"], &case["zone"]);
    let forms = || {
        let rules = rule.as_array().expect("a list of rules");
        rules
            .iter()
            .map(|rule| form(rule, zone))
            .collect::<Vec<_>>()
    };
    match case["op"].as_str() {
        None => form(rule, zone),
        Some("union") => format!("[{}]", forms().join(", ")),
        Some("intersection") => format!("{{all_of: [{}]}}", forms().join(", ")),
        Some("complement") => format!("{{not: {}}}", form(rule, zone)),
        Some("difference") => {
            let forms = forms();
            format!("{{any_of: [{}], except: [{}]}}", forms[0], forms[1])
        }
        Some(other) => panic!("unknown operation {other}"),
    }
}

#[test]
fn every_worked_example() {
    let cases: Vec<Value> = serde_json::from_str(CASES).expect("the cases are JSON");
    assert_eq!(cases.len(), 56);
    for case in &cases {
        let known = [
            "weekdays",
            "start",
            "end",
            "duration_s",
            "cron",
            "end_day",
            "months",
            "days_of_month",
            "nth_weekday",
            "every_weeks",
            "anchor",
            "except_dates",
            "zone",
        ];
        let rules = case["rule"]
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![case["rule"].clone()]);
        for key in rules
            .iter()
            .flat_map(|rule| rule.as_object().unwrap().keys())
        {
            assert!(
                known.contains(&key.as_str()),
                "the adapter does not know `{key}`"
            );
        }
        let yaml = format!(
            "silences:\n- name: x\n  owner: o\n  comment: c\n  matchers: [a=b]\n  schedule: {}\n",
            schedule(case)
        );
        let declarations = read(&[("x.yaml", &yaml)]);
        let codes = declarations.diagnostics.iter().map(|found| found.code);
        let unexpected: Vec<_> = codes.filter(|code| *code != "cron-days").collect();
        assert!(unexpected.is_empty(), "{unexpected:?}\n{yaml}");
        let range = Interval::new(instant(text(case, "from")), instant(text(case, "to"))).unwrap();
        let found: Vec<[String; 2]> = only(&declarations)
            .schedule
            .expand(range)
            .iter()
            .map(|interval| [interval.start().to_string(), interval.end().to_string()])
            .collect();
        let expected: Vec<[String; 2]> = serde_json::from_value(case["expected"].clone()).unwrap();
        assert_eq!(found, expected, "{}: {}\n{yaml}", case["name"], case["why"]);
    }
}
