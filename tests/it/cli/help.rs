//! Help, version, completions, and what is said to those who mistype.

use expect_test::{expect, expect_file};

use super::{check, directory, finish, silenced};

const COMMANDS: [&str; 7] = [
    "validate",
    "expand",
    "plan",
    "apply",
    "run",
    "demo",
    "completions",
];

#[test]
fn the_program_explains_itself() {
    let help = finish(silenced().arg("--help"));
    expect_file!["help/silenced.txt"].assert_eq(&help.shown(&[]));
    for command in COMMANDS {
        assert!(
            help.stdout.contains(&format!("\n  {command} ")),
            "{command}"
        );
    }
}

#[test]
fn every_command_explains_itself_with_examples() {
    for command in COMMANDS {
        let help = finish(silenced().args([command, "--help"]));
        assert_eq!(
            (help.code, help.stderr.as_str()),
            (Some(0), ""),
            "{command}"
        );
        let path = format!(
            "{}/tests/it/cli/help/{command}.txt",
            env!("CARGO_MANIFEST_DIR")
        );
        expect_file![path].assert_eq(&help.stdout);
        assert!(
            help.stdout
                .contains(&format!("Examples:\n  silenced {command}")),
            "{command}"
        );
    }
}

#[test]
fn help_never_shows_what_the_environment_holds() {
    let help = finish(
        silenced()
            .args(["run", "--help"])
            .env("SILENCED_SYNC_TOKEN_FILE", "/somewhere/private"),
    );
    assert!(help.stdout.contains("SILENCED_SYNC_TOKEN_FILE"));
    assert!(!help.stdout.contains("/somewhere/private"));
}

#[test]
fn the_version_names_the_zone_data() {
    let version = finish(silenced().arg("--version")).shown(&[]);
    // The machine's may be newer than those in the program.
    let zones = silenced::zoneinfo::ZoneSource::new(None).load();
    let expected = format!(
        "silenced {} (tzdata {}, {})\nexit 0\n",
        env!("CARGO_PKG_VERSION"),
        zones.version(),
        zones.origin()
    );
    assert_eq!(version, expected);
}

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let completions = finish(silenced().args(["completions", shell]));
        assert_eq!(
            (completions.code, completions.stderr.as_str()),
            (Some(0), "")
        );
        for word in COMMANDS.iter().chain(&["sync-token-file"]) {
            assert!(completions.stdout.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn usage_errors_exit_64() {
    let nothing = directory(&[]);
    for arguments in [
        &[][..],
        &["plam"],
        &["plan", "--no-such-flag"],
        &["validate"],
        &["validate", "a", "--format", "xml"],
        &["expand", "a", "--from", "yesterday"],
        &["expand", "a", "--name", "Not A Name"],
        &["apply", "--confirm", "yes"],
        &["demo", "--listen", "8080"],
        &["completions"],
    ] {
        let finished = finish(silenced().args(arguments).current_dir(nothing.path()));
        assert_eq!(
            finished.code,
            Some(64),
            "{arguments:?}: {}",
            finished.stderr
        );
        assert_eq!(finished.stdout, "", "{arguments:?}");
    }
    check(
        &nothing,
        &["expand", ".", "--from", "yesterday"],
        &expect![[r#"
            error: invalid value 'yesterday' for '--from <TIME>': write a date such as 2026-03-28, or a time such as 2026-03-28T21:00:00Z

            For more information, try '--help'.
            exit 64
        "#]],
    );
    check(
        &nothing,
        &["plam"],
        &expect![[r#"
        error: unrecognized subcommand 'plam'

          tip: a similar subcommand exists: 'plan'

        Usage: silenced [OPTIONS] <COMMAND>

        For more information, try '--help'.
        exit 64
    "#]],
    );
}
