//! `docs/declarations.md`, the reference of the format.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use silenced::interval::Interval;
use silenced::timestamp::Timestamp;
use silenced::zone::ZoneDatabase;

use super::{blocks, document, quoted};
use crate::declaration::{only, read, shown};
use crate::support::tool::root;

const PATH: &str = "docs/declarations.md";

/// A block as a file: one that shows a schedule is put into a silence.
fn as_file(block: &str) -> String {
    if !block.starts_with("schedule:") {
        return block.to_owned();
    }
    let mut file = "owner: docs\ntimezone: Europe/Berlin\nsilences:\n- name: example\n  \
                    comment: c\n  matchers: [env=prod]\n"
        .to_owned();
    for line in block.lines() {
        writeln!(file, "  {line}").unwrap();
    }
    file
}

/// Reads every example beside the named things that the examples refer to.
#[test]
fn every_example_is_read_without_a_complaint() {
    let document = document(PATH);
    let (names, examples): (Vec<_>, Vec<_>) = blocks(&document, "yaml")
        .into_iter()
        .partition(|(_, block)| block.contains("\nrotations:"));
    let [(_, names)] = names.as_slice() else {
        panic!("{} blocks define rotations", names.len());
    };
    assert!(examples.len() > 15, "only {} examples", examples.len());
    for (line, block) in &examples {
        let declarations = read(&[("names.yaml", names), ("example.yaml", &as_file(block))]);
        let complaints = shown(&declarations.diagnostics);
        assert_eq!(complaints, "", "the block in line {line}");
        assert!(!declarations.silences.is_empty(), "line {line}: {block}");
    }
}

/// The windows of a row that start on its date, by the zone's own clock.
fn windows(schedule: &str, zone: &str, date: &str) -> String {
    let yaml = format!(
        "owner: docs\ntimezone: {zone}\nsilences: [{{name: x, comment: c, matchers: [env=prod], \
         schedule: {schedule}}}]\n"
    );
    let declarations = read(&[("row.yaml", &yaml)]);
    let zone = ZoneDatabase::bundled().zone(zone).unwrap();
    let noon = Timestamp::parse(&format!("{date}T12:00:00Z")).unwrap();
    let day = 86_400;
    let range = Interval::new(
        Timestamp::from_seconds(noon.seconds() - 4 * day),
        Timestamp::from_seconds(noon.seconds() + 5 * day),
    );
    let windows = only(&declarations).schedule.expand(range.unwrap());
    let shown: Vec<String> = windows
        .iter()
        .filter(|window| {
            let start = window.start();
            let local = start.civil(zone.timeline().offset_at(start));
            local.date().to_string() == date
        })
        .map(|window| {
            let short = |time: Timestamp| time.to_datetime().format("%m-%d %H:%M").to_string();
            format!("{} to {}", short(window.start()), short(window.end()))
        })
        .collect();
    if shown.is_empty() {
        "none".to_owned()
    } else {
        shown.join(", ")
    }
}

#[test]
fn the_worked_examples_are_what_the_program_computes() {
    let document = document(PATH);
    let mut rows = 0;
    for line in document.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", schedule, zone, date, expected, ""] = cells.as_slice() else {
            continue;
        };
        let Some(schedule) = schedule
            .strip_prefix('`')
            .and_then(|it| it.strip_suffix('`'))
        else {
            continue;
        };
        let schedule = if schedule.starts_with('{') {
            schedule.to_owned()
        } else {
            format!("{{{schedule}}}")
        };
        assert_eq!(windows(&schedule, zone, date), *expected, "{line}");
        rows += 1;
    }
    assert!(rows > 15, "only {rows} rows");
}

/// The keys that the program names when it meets one that it does not know.
fn known_keys(yaml: &str) -> Vec<String> {
    let declarations = read(&[("a.yaml", yaml)]);
    let unknown = declarations
        .diagnostics
        .iter()
        .find(|diagnostic| diagnostic.code == "unknown-key");
    let hint = unknown.unwrap().hint.as_deref().unwrap();
    hint.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_key_is_documented() {
    let document = document(PATH);
    let quoted = quoted(&document);
    let examples: String = blocks(&document, "yaml")
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    let mut missing = BTreeSet::new();
    for yaml in [
        "qqqqqqqq: 1",
        "silences: [{qqqqqqqq: 1}]",
        "silences: [{name: x, schedule: {qqqqqqqq: 1}}]",
        "silences: [{name: x, schedule: {times: [{qqqqqqqq: 1}]}}]",
        "silences: [{name: x, matchers: [{qqqqqqqq: 1}]}]",
        "rotations: [{qqqqqqqq: 1}]",
        "time_intervals: [{qqqqqqqq: 1}]",
        "time_intervals: [{name: x, time_intervals: [{qqqqqqqq: 1}]}]",
    ] {
        let keys = known_keys(yaml);
        assert!(keys.len() > 1, "{yaml}: {keys:?}");
        missing.extend(
            keys.into_iter()
                .filter(|key| !quoted.contains(key) && !examples.contains(&format!("{key}:"))),
        );
    }
    assert!(missing.is_empty(), "not in {PATH}: {missing:?}");
}

/// The codes in a text such as `error[no-end]`.
fn codes_in(text: &str, codes: &mut BTreeSet<String>) {
    for severity in ["error[", "warning["] {
        for rest in text.split(severity).skip(1) {
            let code = rest.split(']').next().unwrap();
            if code.contains('-')
                && code
                    .bytes()
                    .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            {
                codes.insert(code.to_owned());
            }
        }
    }
}

fn source_files(directory: &Path, texts: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            source_files(&path, texts);
        } else {
            texts.push(fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_code_is_documented_and_exists() {
    let document = document(PATH);
    let (_, messages) = document.split_once("\n## Messages\n").unwrap();
    let documented: BTreeSet<String> = messages
        .lines()
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| line.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned))
        .collect();
    // Every message is under test, so the tests know every code.
    let mut tests = Vec::new();
    source_files(&root().join("tests/it/declaration"), &mut tests);
    let mut tested = BTreeSet::new();
    for text in &tests {
        codes_in(text, &mut tested);
    }
    assert!(tested.len() > 40, "only {tested:?}");
    let missing: Vec<_> = tested.difference(&documented).collect();
    assert!(missing.is_empty(), "not in {PATH}: {missing:?}");

    let mut sources = Vec::new();
    source_files(&root().join("src/declaration"), &mut sources);
    let unknown: Vec<_> = documented
        .iter()
        .filter(|code| {
            !sources
                .iter()
                .any(|text| text.contains(&format!("\"{code}\"")))
        })
        .collect();
    assert!(unknown.is_empty(), "no such code: {unknown:?}");
}
