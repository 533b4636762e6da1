//! Is every input answered, soon and within bounds? Files that are made to hurt.

use std::fmt::Write;
use std::time::{Duration, Instant};

use silenced::declaration::Declarations;
use silenced::zone::ZoneDatabase;

use super::{read, shown, snapshot};

/// Far more than any of these takes, and far less than a person waits; debug
/// builds on a busy machine are ten times slower than what is shipped.
const SOON: Duration = Duration::from_secs(20);

/// The codes of the findings, which must come soon.
fn codes(text: &str) -> Vec<&'static str> {
    let started = Instant::now();
    let declarations = read(&[("a.yaml", text)]);
    assert!(started.elapsed() < SOON, "took {:?}", started.elapsed());
    declarations
        .diagnostics
        .iter()
        .map(|found| found.code)
        .collect()
}

#[test]
fn an_alias_bomb() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let before = format!("*a{}", level - 1);
        writeln!(
            bomb,
            "a{level}: &a{level} [{}]",
            [before.as_str(); 9].join(", ")
        )
        .unwrap();
    }
    assert_eq!(codes(&bomb), ["too-large"]);
}

#[test]
fn a_list_repeated_once_for_each_of_its_items() {
    let mut quadratic = "a: &a [".to_owned() + &"x, ".repeat(4_000) + "]\nb:\n";
    quadratic += &"- *a\n".repeat(4_000);
    assert_eq!(codes(&quadratic), ["too-large"]);
}

#[test]
fn a_text_repeated_many_times_is_held_once() {
    let text = "x".repeat(500_000);
    let many = format!(
        "dates:\n  a: &a [{text}]\n  b: [{}]\n",
        ["*a"; 200].join(", ")
    );
    assert!(codes(&many).contains(&"wrong-type"));
}

#[test]
fn brackets_without_end() {
    for (bracket, count) in [
        ("[", 100_000),
        ("{a: ", 100_000),
        ("- ", 100_000),
        ("? ", 50_000),
    ] {
        let found = codes(&bracket.repeat(count));
        assert!(
            matches!(
                found.as_slice(),
                ["invalid-yaml" | "too-deep" | "wrong-type"]
            ),
            "{bracket} {found:?}"
        );
    }
    let mut staircase = String::new();
    for level in 0..2_000 {
        writeln!(staircase, "{}a:", " ".repeat(level)).unwrap();
    }
    assert_eq!(codes(&staircase).len(), 1);
}

#[test]
fn schedules_inside_one_another() {
    let deep = |levels: usize| {
        let not = "{not: ".repeat(levels) + "always" + &"}".repeat(levels);
        codes(&super::with_schedule(&not))
    };
    assert_eq!(deep(15), [""; 0]);
    assert_eq!(deep(16), ["too-deep"]);
    let wide = |forms: usize| {
        codes(&super::with_schedule(&format!(
            "[{}]",
            vec!["{weekdays: [monday]}"; forms].join(", ")
        )))
    };
    assert_eq!(wide(256), [""; 0]);
    assert_eq!(wide(257), ["too-many"]);
    let minutes = "{cron: '* * * * *', duration: 30s}";
    assert_eq!(
        codes(&super::with_schedule(&format!("[{minutes}, {minutes}]"))),
        [""; 0]
    );
    assert_eq!(
        codes(&super::with_schedule(&format!(
            "[{minutes}, {minutes}, {minutes}]"
        ))),
        ["too-many"]
    );
}

#[test]
fn a_file_that_is_wrong_in_every_line() {
    let mut wrong = "timezone: UTC\nsilences:\n".to_owned();
    for number in 0..10_000 {
        writeln!(
            wrong,
            "- {{nmae: x, schedule: {{weekdays: [mondey], timezone: Mars/Base{number}}}}}"
        )
        .unwrap();
    }
    let found = codes(&wrong);
    assert_eq!(found.len(), 101);
    assert!(found.contains(&"too-many-findings"));
}

#[test]
fn ten_thousand_declarations() {
    let mut many = "owner: o\ntimezone: Europe/Berlin\nsilences:\n".to_owned();
    for number in 0..10_000 {
        write!(
            many,
            "- name: silence-{number}\n  comment: Nightly batch number {number}\n  matchers:\n  - job=\"batch-{number}\"\n  \
             - severity=\"info\"\n  schedule:\n    weekdays: [monday:friday]\n    \
             times: [{{start_time: \"22:00\", end_time: \"06:00\"}}]\n"
        )
        .unwrap();
    }
    let started = Instant::now();
    let declarations = read(&[("a.yaml", &many)]);
    println!("{} bytes in {:?}", many.len(), started.elapsed());
    assert_eq!(shown(&declarations.diagnostics), "");
    assert_eq!(declarations.silences.len(), 10_000);
    assert!(started.elapsed() < SOON);
}

/// Valid files cut off and changed anywhere are answered without a panic.
#[test]
fn damaged_files_never_panic() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let whole = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/silences/platform/working-hours.yaml"
    ))
    .unwrap();
    let pieces: [&[u8]; 12] = [
        b"[",
        b"]",
        b"{",
        b"}",
        b": ",
        b"- ",
        b"&a ",
        b"*a",
        b"\xff",
        b"99999999999",
        b"\xc3\xa9",
        b"<<: ",
    ];
    let zones = ZoneDatabase::bundled();
    for _ in 0..300 {
        let mut damaged = whole.clone();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(..damaged.len());
            let piece = pieces[random.usize(..pieces.len())];
            let end = (at + random.usize(..12)).min(damaged.len());
            damaged.splice(at..end, piece.iter().copied());
        }
        let declarations = Declarations::read(&snapshot(&[("a.yaml", &damaged)]), &zones);
        let is_broken = !declarations.broken.is_empty();
        assert!(
            !is_broken || declarations.silences.is_empty(),
            "seed {seed}"
        );
    }
}
