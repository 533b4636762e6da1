//! `silenced validate` on small directories.

use expect_test::expect;
use serde_json::Value;

use super::{BROKEN, NIGHTLY, check, directory, finish, silenced};

#[test]
fn a_clean_directory_is_clean() {
    let silences = directory(&[(
        "silences/nightly.yaml",
        NIGHTLY.split("  - name: over").next().unwrap(),
    )]);
    check(
        &silences,
        &["validate", "silences"],
        &expect![[r#"
            1 file, 1 valid silence: no problems
            exit 0
        "#]],
    );
}

#[test]
fn warnings_do_not_fail() {
    let silences = directory(&[("silences/nightly.yaml", NIGHTLY)]);
    check(
        &silences,
        &["validate", "silences"],
        &expect![[r#"
        nightly.yaml:12:15: warning[past-window]: this window is past, it ended at 2025-12-24T19:00:00Z
         12 |     schedule: {starts_at: 2025-12-24T18:00, duration: 2h}
            |               ^
           hint: delete it
        1 file, 2 valid silences: 1 warning
        exit 0
    "#]],
    );
}

#[test]
fn an_error_is_shown_with_its_line() {
    let silences = directory(&[("silences/team/broken.yaml", BROKEN)]);
    check(
        &silences,
        &["validate", "silences"],
        &expect![[r#"
        team/broken.yaml:3:5: error[missing-key]: the key `schedule` is missing in a declaration
         3 |   - name: broken
           |     ^
           hint: write when it applies, such as `schedule: {times: [{start_time: "22:00", end_time: "06:00"}]}`
        team/broken.yaml:6:5: error[unknown-key]: unknown key `shedule` in a declaration
         6 |     shedule: always
           |     ^
           hint: did you mean `schedule`?
        1 file, 0 valid silences: 2 errors
        exit 1
    "#]],
    );
}

#[test]
fn github_gets_annotations_at_the_files() {
    let silences = directory(&[("silences/team/broken.yaml", BROKEN)]);
    let arguments = ["validate", "silences", "--format", "github"];
    check(
        &silences,
        &arguments,
        &expect![[r#"
        ::error file=silences/team/broken.yaml,line=3,col=5,title=missing-key::the key `schedule` is missing in a declaration%0Ahint: write when it applies, such as `schedule: {times: [{start_time: "22:00", end_time: "06:00"}]}`
        ::error file=silences/team/broken.yaml,line=6,col=5,title=unknown-key::unknown key `shedule` in a declaration%0Ahint: did you mean `schedule`?
        1 file, 0 valid silences: 2 errors
        exit 1
    "#]],
    );
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
    check(
        &nothing,
        &["validate", "silences"],
        &expect![[r#"
        error: cannot read the declarations in `silences`: it does not exist; check the path, and that its volume is mounted
        exit 1
    "#]],
    );
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
