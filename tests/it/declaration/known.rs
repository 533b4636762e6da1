//! Does it matter what was read before? It must not: whatever happened to the
//! files, what is taken over from the last reading is what a new one gives.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use fastrand::Rng;
use silenced::declaration::{Declaration, Declarations};
use silenced::zone::ZoneDatabase;

use super::{read, shown, snapshot};
use crate::support::random::seeded;

const STEPS: usize = 400;

/// All that others see of them.
fn visible(declarations: &Declarations) -> String {
    format!(
        "{:#?}\n{:?}\n{:?}\n{:?}\n{}",
        declarations.silences,
        declarations.paths,
        declarations.broken,
        declarations.ambiguous,
        shown(&declarations.diagnostics)
    )
}

/// What `content` begins with when other files cannot mean anything else by it.
const PLAIN: [&str; 2] = ["timezone:", "\nsilences:"];

/// Some content that defines, refers, collides or is broken, or nothing of it.
fn content(rng: &mut Rng) -> Vec<u8> {
    let name = |rng: &mut Rng| ["nights", "freeze", "pager"][rng.usize(..3)];
    let defined = match rng.u8(..20) {
        0 => format!(
            "time_intervals: [{{name: {}, time_intervals: [{{}}]}}]",
            name(rng)
        ),
        1 => format!("dates: {{{}: [2026-12-25]}}", name(rng)),
        2 => format!("\"\\x64ates\": {{{}: [2026-12-26]}}", name(rng)),
        3 => format!(
            "time_intervals: [{{name: {}, time_intervals: [{{weekdays: [noday]}}]}}]",
            name(rng)
        ),
        4 => "rotations: [{name: pager, members: [a, b], anchor: 2026-01-05, handoff: \"09:00\"}]"
            .to_owned(),
        5 => "timezone: Europe/Berlin".to_owned(),
        6 => "mute_time_intervals: [".to_owned(), // never closed
        7 => "# dates: of updates".to_owned(),
        _ => String::new(),
    };
    let mut text = format!("{defined}\nsilences:\n");
    for _ in 0..rng.usize(..4) {
        let schedule = match rng.u8(..7) {
            0 => format!("{{time_interval: {}}}", name(rng)),
            1 => format!(
                "{{weekdays: [monday], timezone: UTC, except_dates: [{}]}}",
                name(rng)
            ),
            2 => "{rotation: pager, on_call: a}".to_owned(),
            3 => "{times: [{start_time: \"22:00\", end_time: \"06:00\"}]}".to_owned(),
            _ => "always".to_owned(),
        };
        // The last pattern is a warning, the one before an error.
        let pattern = ["x", "y", "x", "y", "x", "y", "x", "y", "(", "(?<n>z)"][rng.usize(..10)];
        writeln!(
            text,
            "- {{name: s{}, owner: o, comment: c, matchers: ['a=b', 'c=~\"{pattern}\"'], schedule: {schedule}}}",
            rng.u8(..40),
        )
        .unwrap();
    }
    let mut bytes = text.into_bytes();
    if rng.u8(..40) == 0 {
        bytes.push(0xff);
    }
    bytes
}

#[test]
fn the_last_reading_changes_nothing() {
    let mut rng = seeded();
    let zones = ZoneDatabase::bundled();
    let mut files: Files = BTreeMap::new();
    let mut known = Declarations::default();
    let mut to_take_over = 0;
    for step in 0..STEPS {
        let before = files.clone();
        let path = ["a.yaml", "b.yaml", "c.yaml", "d.yaml", "e.yaml"][rng.usize(..5)];
        match rng.u8(..6) {
            0 => drop(files.remove(path)),
            _ => drop(files.insert(path, content(&mut rng))),
        }
        let list: Vec<(&str, &[u8])> = files.iter().map(|(path, text)| (*path, &**text)).collect();
        let snapshot = snapshot(&list);
        let next = known.read_after(&snapshot, &zones);
        let anew = Declarations::read(&snapshot, &zones);
        assert_eq!(visible(&next), visible(&anew), "step {step}: {list:?}");
        if defining(&before).eq(defining(&files)) {
            for declaration in &next.silences {
                let path = declaration.source.as_str();
                let is_as_before = is_plain(&files[path]) && before.get(path) == files.get(path);
                // Two of one name are none.
                let was_there = known.silences.iter().any(|known| known == declaration);
                if is_as_before && was_there {
                    to_take_over += 1;
                    assert!(is_in(&known, declaration), "step {step}: {declaration:?}");
                }
            }
        }
        known = next;
    }
    assert!(to_take_over > 0);
}

type Files = BTreeMap<&'static str, Vec<u8>>;

fn is_plain(text: &[u8]) -> bool {
    // What is no text may define anything.
    let text = str::from_utf8(text).unwrap_or_default();
    PLAIN.iter().any(|plain| text.starts_with(plain))
}

/// The files that may define names, or may be broken enough to hide some.
fn defining(files: &Files) -> impl Iterator<Item = (&&'static str, &Vec<u8>)> {
    files.iter().filter(|(_, text)| !is_plain(text))
}

/// Whether a declaration is the same one as one of these.
fn is_in(declarations: &Declarations, one: &Arc<Declaration>) -> bool {
    let mut known = declarations.silences.iter();
    known.any(|known| Arc::ptr_eq(known, one))
}

/// How many declarations are the same ones in both.
fn shared(before: &Declarations, after: &Declarations) -> usize {
    let silences = after.silences.iter();
    silences.filter(|one| is_in(before, one)).count()
}

#[test]
fn files_that_are_the_same_are_not_read_again() {
    let silence = |name: &str| {
        format!(
            "silences: [{{name: {name}, owner: o, comment: c, matchers: [a=b], schedule: always}}]"
        )
    };
    let (a, b, changed) = (silence("a"), silence("b"), silence("c"));
    let before = read(&[("a.yaml", &a), ("b.yaml", &b)]);
    let after = |files: &[(&str, &[u8])]| {
        let after = before.read_after(&snapshot(files), &ZoneDatabase::bundled());
        shared(&before, &after)
    };
    let (a, b, changed) = (a.as_bytes(), b.as_bytes(), changed.as_bytes());
    assert_eq!(after(&[("a.yaml", a), ("b.yaml", b)]), 2);
    assert_eq!(after(&[("a.yaml", a), ("b.yaml", changed)]), 1);
    assert_eq!(after(&[("a.yaml", a)]), 1);
    let names = ("c.yaml", b"dates: {holidays: [2026-12-25]}".as_slice());
    assert_eq!(after(&[("a.yaml", a), ("b.yaml", b), names]), 0);
}
