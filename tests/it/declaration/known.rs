//! Does it matter what was read before? It must not: whatever happened to the
//! files, what is taken over from the last reading is what a new one gives.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use fastrand::Rng;
use silenced::declaration::Declarations;
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
    let mut files: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    let mut known = Declarations::default();
    let mut taken_over = 0;
    for step in 0..STEPS {
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
        taken_over += shared(&known, &next);
        known = next;
    }
    assert!(taken_over > STEPS / 10, "only {taken_over} taken over");
}

/// How many declarations are the same ones in both.
fn shared(before: &Declarations, after: &Declarations) -> usize {
    let is_shared = |declaration: &&Arc<_>| {
        let known = before.silences.iter();
        known
            .into_iter()
            .any(|known| Arc::ptr_eq(known, declaration))
    };
    after.silences.iter().filter(is_shared).count()
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
