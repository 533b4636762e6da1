//! `silenced validate` on small directories.

use expect_test::expect;
use serde_json::Value;

use super::{BROKEN, NIGHTLY, check, directory, finish, silenced};

#[test]
fn a_clean_directory_is_clean() {
    let silences = directory(&[("silences/nightly.yaml", &NIGHTLY.replace("2025", "2099"))]);
    check(&silences, &["validate", "silences"], &expect![[r#""#]]);
}

#[test]
fn warnings_do_not_fail() {
    let silences = directory(&[("silences/nightly.yaml", NIGHTLY)]);
    check(&silences, &["validate", "silences"], &expect![[r#""#]]);
}

#[test]
fn an_error_is_shown_with_its_line() {
    let silences = directory(&[("silences/team/broken.yaml", BROKEN)]);
    check(&silences, &["validate", "silences"], &expect![[r#""#]]);
}

#[test]
fn github_gets_annotations_at_the_files() {
    let silences = directory(&[("silences/team/broken.yaml", BROKEN)]);
    let arguments = ["validate", "silences", "--format", "github"];
    check(&silences, &arguments, &expect![[r#""#]]);
}

#[test]
fn machines_get_json_on_standard_output_alone() {
    let silences = directory(&[("a.yaml", BROKEN), ("b.yaml", NIGHTLY)]);
    let finished = finish(
        silenced()
            .args(["validate", ".", "--format", "json"])
            .current_dir(silences.path()),
    );
    assert_eq!(finished.code, Some(1));
    let validation: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(
        (&validation["files"], &validation["silences"]),
        (&2.into(), &2.into())
    );
    let first = &validation["diagnostics"][0];
    for key in [
        "severity", "code", "file", "line", "column", "message", "hint",
    ] {
        assert!(first.get(key).is_some(), "{key}: {first}");
    }
    assert_eq!(
        (&first["file"], &first["severity"]),
        (&"a.yaml".into(), &"error".into())
    );
}

#[test]
fn a_directory_that_is_not_there_is_an_error() {
    let nothing = directory(&[]);
    check(&nothing, &["validate", "silences"], &expect![[r#""#]]);
}

#[test]
fn colour_is_for_terminals_and_those_who_insist() {
    let silences = directory(&[("broken.yaml", BROKEN)]);
    let coloured = |arguments: &[&str], variable: (&str, &str)| {
        let finished = finish(
            silenced()
                .args(["validate", "."])
                .args(arguments)
                .env(variable.0, variable.1)
                .current_dir(silences.path()),
        );
        finished.stdout.contains('\u{1b}')
    };
    assert!(!coloured(&[], ("TERM", "xterm")));
    assert!(!coloured(&["--color", "never"], ("TERM", "xterm")));
    assert!(coloured(&["--color", "always"], ("NO_COLOR", "1")));
    assert!(coloured(&[], ("SILENCED_COLOR", "always")));
}
