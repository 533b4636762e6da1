//! Is the house in order? Rules of the source tree that no compiler checks.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::support::git_repository::git_command;

/// Which top-level module may import which. A module imports only from rows
/// above its own, so the arrows have no cycle; rows above `clock` are the core.
#[rustfmt::skip]
const ARROWS: &[(&str, &[&str])] = &[
    ("timestamp", &[]),
    ("uptime", &["timestamp"]),
    ("duration", &[]),
    ("name", &[]),
    ("matcher", &["name"]),
    ("snapshot", &[]),
    ("nearest", &[]),
    ("interval", &["timestamp"]),
    ("silence", &["matcher", "timestamp"]),
    ("zone", &["nearest", "timestamp"]),
    ("schedule", &["interval", "timestamp", "zone"]),
    ("declaration", &["duration", "schedule", "zone", "interval", "timestamp", "matcher", "name", "snapshot", "nearest"]),
    ("plan", &["declaration", "schedule", "interval", "timestamp", "uptime", "matcher", "name", "silence", "snapshot"]),
    ("clock", &["timestamp"]),
    ("stop", &[]),
    ("loopback", &[]),
    ("source", &["loopback", "nearest", "snapshot"]),
    ("zoneinfo", &["zone"]),
    ("alertmanager", &["loopback", "silence", "matcher", "timestamp"]),
    ("memory", &["silence", "matcher", "timestamp"]),
    ("apply", &["plan", "schedule", "silence", "alertmanager", "name", "timestamp", "clock", "stop"]),
    ("reconcile", &["snapshot", "declaration", "schedule", "zone", "plan", "alertmanager", "apply",
        "interval", "timestamp", "uptime", "matcher", "name", "silence", "stop"]),
    ("telemetry", &["name", "timestamp", "plan", "reconcile"]),
    ("daemon", &["zoneinfo", "reconcile", "plan", "alertmanager", "apply", "clock", "telemetry", "snapshot", "declaration", "name", "timestamp", "stop"]),
    ("server", &["duration", "daemon", "reconcile", "plan", "telemetry", "timestamp", "name", "interval", "clock", "declaration", "loopback", "stop"]),
    ("config", &["source", "alertmanager", "name", "plan", "timestamp", "duration", "reconcile", "nearest"]),
    ("cli", &["timestamp", "duration", "name", "matcher", "snapshot", "nearest", "interval", "silence", "zone", "schedule",
        "declaration", "plan", "clock", "telemetry", "source", "alertmanager", "memory", "apply", "reconcile",
        "daemon", "server", "config", "zoneinfo", "stop"]),
];

const LONGEST_FILE: usize = 500;

/// Every file that Git tracks or would track, relative to the repository.
fn files() -> Vec<PathBuf> {
    let listed = git_command()
        .args([
            // Where it runs in a container, somebody else may have checked it out.
            "-c",
            "safe.directory=*",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("git is missing: run `make tools`");
    assert!(
        listed.status.success(),
        "git ls-files: {}",
        String::from_utf8_lossy(&listed.stderr)
    );
    let listed = String::from_utf8(listed.stdout).unwrap();
    let files: Vec<_> = listed.split_terminator('\0').map(PathBuf::from).collect();
    assert!(files.len() > 10, "git lists only {files:?}");
    files
}

/// The files as text; what is not UTF-8, or deleted and not yet committed, is left out.
fn texts() -> impl Iterator<Item = (PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    files().into_iter().filter_map(|file| {
        let text = fs::read_to_string(root.join(&file)).ok()?;
        Some((file, text))
    })
}

fn rust_files() -> impl Iterator<Item = (PathBuf, String)> {
    texts().filter(|(file, _)| file.extension().is_some_and(|extension| extension == "rs"))
}

/// The files of the program's modules: module, path below `src`, text.
fn module_files() -> impl Iterator<Item = (String, PathBuf, String)> {
    rust_files().filter_map(|(file, text)| {
        let file = file.strip_prefix("src").ok()?.to_path_buf();
        let module = Path::new(file.iter().next()?)
            .file_stem()?
            .to_str()?
            .to_owned();
        (module != "lib" && module != "main").then_some((module, file, text))
    })
}

/// Fails with all findings at once, so that one run shows the whole work.
fn assert_none(findings: &[String]) {
    assert!(findings.is_empty(), "\n  {}\n", findings.join("\n  "));
}

fn without_comments(text: &str) -> String {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn first_word(text: &str) -> String {
    text.trim_start()
        .chars()
        .take_while(|&character| is_word(character))
        .collect()
}

/// What follows `root::` anywhere in the code: `root::a`, or `root::{a, b::{c}}`.
fn children(root: &str, code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, path) in code.match_indices(&format!("{root}::")) {
        if code[..at].ends_with(is_word) {
            continue;
        }
        let rest = &code[at + path.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(first_word(rest));
            continue;
        };
        let mut depth = 0_usize;
        found.insert(first_word(group));
        for (position, character) in group.char_indices() {
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => drop(found.insert(first_word(&group[position + 1..]))),
                _ => {}
            }
        }
    }
    found.remove("");
    found
}

#[test]
fn children_are_found_in_every_spelling() {
    let code = "use crate::one::Two;\nuse crate::{\n    three::{self, Four, five::Six},\n    seven,\n};\n\
                fn f(x: &mycrate::Nine) -> crate::eight::Ten {}";
    let expected = ["eight", "one", "seven", "three"].map(str::to_owned);
    assert_eq!(children("crate", code), BTreeSet::from(expected));
}

#[test]
fn imports_follow_the_arrows() {
    let mut findings = Vec::new();
    for (row, (module, imports)) in ARROWS.iter().enumerate() {
        for import in *imports {
            if !ARROWS[..row].iter().any(|(above, _)| above == import) {
                findings.push(format!(
                    "the table's row of `{module}` stands above its import `{import}`"
                ));
            }
        }
    }
    for (module, file, text) in module_files() {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == module) else {
            findings.push(format!(
                "src/{}: give `{module}` a row in ARROWS",
                file.display()
            ));
            continue;
        };
        for import in children("crate", &without_comments(&text)) {
            let is_module = ARROWS.iter().any(|(name, _)| *name == import);
            if is_module && import != module && !allowed.contains(&import.as_str()) {
                findings.push(format!(
                    "src/{}: `{module}` may not import `{import}`",
                    file.display()
                ));
            }
        }
        // Through enough `super::` one reaches the other modules unseen.
        let inside = file.iter().count() - usize::from(file.ends_with("mod.rs"));
        let (product, tests) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
        for (part, levels) in [(product, inside), (tests, inside + 1)] {
            if without_comments(part).contains(&"super::".repeat(levels)) {
                findings.push(format!(
                    "src/{}: name other modules by `crate::`",
                    file.display()
                ));
            }
        }
    }
    assert_none(&findings);
}

#[test]
fn the_core_does_no_io_and_asks_no_clock() {
    let mut findings = Vec::new();
    let shell = ARROWS
        .iter()
        .position(|(module, _)| *module == "clock")
        .unwrap();
    for (module, file, text) in module_files() {
        if !ARROWS[..shell].iter().any(|(core, _)| *core == module) {
            continue;
        }
        let code = without_comments(&text);
        let words: BTreeSet<_> = code.split(|character| !is_word(character)).collect();
        let banned_words = [
            "async",
            "await",
            "reqwest",
            "tokio",
            "SystemTime",
            "Instant",
            // Threads that end before the function does are computation.
            "sleep",
            "spawn",
        ];
        let standard = children("std", &code);
        let banned_standard = ["env", "fs", "net", "process"];
        let words = banned_words.into_iter().filter(|word| words.contains(word));
        let standard = banned_standard
            .into_iter()
            .filter(|name| standard.contains(*name));
        for found in words.chain(standard) {
            findings.push(format!(
                "src/{}: `{found}` in the functional core",
                file.display()
            ));
        }
    }
    assert_none(&findings);
}

#[test]
fn a_module_opens_with_the_question_that_it_answers() {
    let mut findings = Vec::new();
    for (_, file, text) in module_files() {
        let doc = text.lines().map_while(|line| line.strip_prefix("//!"));
        let doc = doc.collect::<Vec<_>>().join(" ") + " ";
        let sentence_ends = ["? ", ". ", "! "];
        let first = sentence_ends
            .into_iter()
            .min_by_key(|end| doc.find(end).unwrap_or(doc.len()));
        if !doc.contains("? ") || first != Some("? ") {
            findings.push(format!(
                "src/{}: the first sentence of its doc is no question",
                file.display()
            ));
        }
    }
    assert_none(&findings);
}

#[test]
fn files_are_short_and_named_for_what_they_hold() {
    let mut findings = Vec::new();
    for (file, text) in rust_files() {
        let lines = text.lines().count();
        if lines > LONGEST_FILE {
            findings.push(format!(
                "{}: {lines} lines, more than {LONGEST_FILE}",
                file.display()
            ));
        }
    }
    for file in files() {
        for part in &file {
            let name = part.to_string_lossy();
            let stem = name.split('.').next().unwrap();
            if ["util", "utils", "helper", "helpers", "common", "misc"].contains(&stem) {
                findings.push(format!(
                    "{}: `{stem}` says nothing about its content",
                    file.display()
                ));
            }
        }
    }
    assert_none(&findings);
}

#[test]
fn tests_are_apart_and_none_is_skipped() {
    // In two halves here and below, or this file would accuse itself.
    let ignored = concat!("#[", "ignore");
    let mut findings = Vec::new();
    for (file, text) in rust_files() {
        if text.contains(ignored) {
            findings.push(format!(
                "{}: a skipped test proves nothing; delete or mend it",
                file.display()
            ));
        }
        if !file.starts_with("src") {
            continue;
        }
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        for (number, line) in lines.iter().enumerate() {
            let condition = line.contains("cfg") && line.contains("test)");
            let mut below = lines[number + 1..]
                .iter()
                .filter(|next| !next.starts_with("#["));
            let on_tests = below
                .next()
                .is_some_and(|next| next.starts_with("mod tests"));
            if condition && !(*line == "#[cfg(test)]" && on_tests) {
                let place = format!("{}:{}", file.display(), number + 1);
                findings.push(format!("{place}: `cfg(test)` belongs on `mod tests` alone"));
            }
        }
    }
    assert_none(&findings);
}

#[test]
fn nothing_names_one_machine_or_registry() {
    // A registry is the business of its client's configuration, which may name
    // a mirror. Cargo's lock file has its registry's name by design.
    let banned = [
        concat!("/wor", "k/"),
        concat!("/roo", "t/"),
        concat!("../sha", "red"),
        concat!("crates", ".io"),
        concat!("pypi", ".org"),
        concat!("pythonhosted", ".org"),
        concat!("deb.", "debian.org"),
    ];
    let mut findings = Vec::new();
    for (file, text) in texts().filter(|(file, _)| !file.ends_with("Cargo.lock")) {
        for text in banned.iter().filter(|banned| text.contains(**banned)) {
            findings.push(format!("{}: contains `{text}`", file.display()));
        }
    }
    assert_none(&findings);
}
