//! Flags, environment and file: which one wins, and what is said of mistakes.

use std::path::Path;
use std::time::Duration;

use expect_test::expect;
use silenced::config::{Configuration, Given, Origin, Overrides};

use super::{check, directory, finish, silenced};
use crate::support::configuration::resolve;

/// A command that lacks no setting; nothing listens on port 1.
const PLAN: [&str; 7] = [
    "plan",
    "--instance",
    "lab",
    "--source",
    ".",
    "--alertmanager",
    "http://127.0.0.1:1",
];

/// A file with everything in it.
const COMPLETE: &str = "\
instance: lab
source:
  directory: silences
interval: 5m
horizon: 48h
lease: 2h
listen: 0.0.0.0:8080
sync_token_file: token
cache_directory: cache
guard:
  max_expire: 5
  max_expire_percent: 20
targets:
  - name: main
    kind: alertmanager
    url: http://127.0.0.1:1
    labels: {env: prod}
    bearer_token_file: token
    timeout: 5s
  - name: other
    url: http://127.0.0.1:1/prefix
    basic_auth:
      username: silenced
      password_file: password
";

#[test]
fn a_complete_file_is_understood_with_paths_relative_to_it() {
    let installation = directory(&[
        ("etc/silenced.yaml", COMPLETE),
        ("etc/silences/empty.yaml", "silences: []\n"),
        ("etc/token", "secret\n"),
    ]);
    check(
        &installation,
        &["plan", "--config", "etc/silenced.yaml"],
        &expect![[r#"
            error: main: `GET http://127.0.0.1:1/api/v2/silences`: no connection could be made: client error (Connect): tcp connect error: Connection refused (os error 111); nothing was sent: check the URL, and that the server is up and can be reached from here
            error: other: `GET http://127.0.0.1:1/prefix/api/v2/silences`: there are no credentials to send: `etc/password` cannot be read: No such file or directory (os error 2); nothing was sent: check the file and its permissions
            exit 1
        "#]],
    );
}

#[test]
fn without_anything_it_says_how_to_give_everything() {
    check(
        &directory(&[]),
        &["plan"],
        &expect![[r#"
        error: `instance` is missing: give this installation an id with --instance, SILENCED_INSTANCE or the key `instance`. It has no default because silences belong to the instance that their marker names: two installations with the same id would expire each other's silences
        error: there is no source of declarations: give a directory or a Git URL with --source or SILENCED_SOURCE, or `source: {directory: ...}` or `source: {url: ...}` in the configuration file
        error: there is no target: give the URL of an Alertmanager with --alertmanager or SILENCED_ALERTMANAGER, or `targets: [{name: ..., url: ...}]` in the configuration file
        exit 64
    "#]],
    );
}

#[test]
fn all_problems_are_reported_together_each_with_its_place() {
    let installation = directory(&[(
        "silenced.yaml",
        "\
instance: Lab
source: {directory: a, url: https://git.example.org/a.git}
interval: 60
horizon: 400d
listen: 8080
guard: {max_expire: -1, max_expire_percent: 101}
targets:
  - name: main
    url: alertmanager:9093
  - {name: b, url: 'http://user:hunter2@host', kind: graphana}
  - {name: c, url: 'http://c', timeout: 1h}
  - {name: c, url: 'http://c'}
  - {url: 'http://c', bearer_token_file: a, basic_auth: {username: 'a:b', password_file: b}}
",
    )]);
    check(
        &installation,
        &[
            "plan",
            "--config",
            "silenced.yaml",
            "--lease",
            "soon",
            "--ref",
            "a..b",
        ],
        &expect![[r#"
            error: silenced.yaml:1:11: instance: instance `Lab` must be 1 to 63 characters of a-z, 0-9 and `-`
            error: silenced.yaml:2:21: source.directory: write either `directory` or `url`, not both
            error: --ref: `a..b` cannot be a Git ref; write the name of a branch or tag, or a commit
            error: silenced.yaml:3:11: interval: `60` is not a duration such as `90s`, `1h30m` or `2d`: write a unit after each number (y, w, d, h, m, s)
            error: silenced.yaml:4:10: horizon: `400d` must be between `1m` and `366d`
            error: --lease: `soon` is not a duration such as `90s`, `1h30m` or `2d`
            error: silenced.yaml:6:21: guard.max_expire: `-1` is not a whole number
            error: silenced.yaml:6:45: guard.max_expire_percent: `101` is more than 100
            error: silenced.yaml:9:10: targets[0].url: `alertmanager:9093` must begin with `http://` or `https://`
            error: silenced.yaml:10:54: targets[1].kind: unknown kind `graphana`; did you mean `grafana`?
            error: silenced.yaml:10:20: targets[1].url: `http://host` has a user name or password: name them in `basic_auth`, the password in a file of its own
            error: silenced.yaml:11:41: targets[2].timeout: `1h` must be between `1s` and `10m`
            error: silenced.yaml:12:5: targets[3]: another target is called `c` too
            error: silenced.yaml:13:5: targets[4]: the key `name` is missing
            error: silenced.yaml:13:5: targets[4]: write either `bearer_token_file` or `basic_auth`, not both
            error: silenced.yaml:13:11: targets[4].url: the user name `a:b` has a colon, which basic authentication cannot carry
            error: silenced.yaml:5:9: listen: `8080` is not an address with a port such as `127.0.0.1:8080`
            exit 64
        "#]],
    );
}

#[test]
fn an_unknown_key_brings_its_nearest() {
    let installation = directory(&[
        ("a.yaml", "instance: lab\nhorizn: 2h\n"),
        ("b.yaml", "source:\n  branch: main\n"),
    ]);
    check(
        &installation,
        &["plan", "--config", "a.yaml"],
        &expect![[r#"
            error: a.yaml:2:1: unknown key `horizn`; did you mean `horizon`?
            exit 64
        "#]],
    );
    check(
        &installation,
        &["plan", "--config", "b.yaml"],
        &expect![[r#"
            error: b.yaml:2:3: unknown key `branch`; the keys here are `url`, `directory`, `path`, `ref`
            exit 64
        "#]],
    );
}

#[test]
fn other_mistakes_in_the_file_have_their_place_too() {
    let texts = [
        "instance: [a]",
        "instance: \"a",
        "just text",
        "instance: a\ninstance: b",
        "instance: a\n---\ninstance: b",
        "targets: {name: a}",
        "targets: [{name: a, url: http://a, basic_auth: {username: a}}]",
    ];
    let mut shown = String::new();
    for text in texts {
        let installation = directory(&[("silenced.yaml", text)]);
        let finished = finish(
            silenced()
                .args(["plan", "--config", "silenced.yaml"])
                .current_dir(installation.path()),
        );
        assert_eq!(finished.code, Some(64), "{text}");
        shown.push_str(&finished.stderr);
    }
    expect![[r#"
        error: silenced.yaml:1:11: expected a text here
        error: silenced.yaml:1:11: unclosed quote
        error: silenced.yaml:1:1: expected keys with values here
        error: silenced.yaml:2:1: the key `instance` stands here for the second time
        error: silenced.yaml:3:1: expected one YAML document, a second one begins here
        error: silenced.yaml:1:10: expected a list here
        error: silenced.yaml:1:49: the key `password_file` is missing
    "#]]
    .assert_eq(&shown);
    check(
        &directory(&[]),
        &["plan", "--config", "silenced.yaml"],
        &expect![[r#"
            error: --config: cannot read `silenced.yaml`: No such file or directory (os error 2)
            exit 64
        "#]],
    );
}

/// Which instance name is refused tells whose value was taken.
#[test]
fn flags_win_over_the_environment_and_the_environment_over_the_file() {
    let installation = directory(&[("silenced.yaml", "instance: FILE\n")]);
    let refused = |flag: Option<&str>, variable: Option<&str>| {
        let mut command = silenced();
        command
            .args([
                "plan",
                "--config",
                "silenced.yaml",
                "--source",
                ".",
                "--alertmanager",
                "http://127.0.0.1:1",
            ])
            .current_dir(installation.path());
        if let Some(flag) = flag {
            command.args(["--instance", flag]);
        }
        if let Some(variable) = variable {
            command.env("SILENCED_INSTANCE", variable);
        }
        finish(&mut command).shown(&[])
    };
    expect![[r#"
        error: --instance: instance `FLAG` must be 1 to 63 characters of a-z, 0-9 and `-`
        exit 64
    "#]]
    .assert_eq(&refused(Some("FLAG"), Some("VARIABLE")));
    expect![[r#"
        error: SILENCED_INSTANCE: instance `VARIABLE` must be 1 to 63 characters of a-z, 0-9 and `-`
        exit 64
    "#]]
    .assert_eq(&refused(None, Some("VARIABLE")));
    expect![[r#"
        error: silenced.yaml:1:11: instance: instance `FILE` must be 1 to 63 characters of a-z, 0-9 and `-`
        exit 64
    "#]].assert_eq(&refused(None, None));
    // An empty variable is one that was taken away.
    expect![[r#"
        error: silenced.yaml:1:11: instance: instance `FILE` must be 1 to 63 characters of a-z, 0-9 and `-`
        exit 64
    "#]].assert_eq(&refused(None, Some("")));
}

#[test]
fn another_source_makes_path_and_ref_of_the_file_void() {
    let installation = directory(&[
        (
            "silenced.yaml",
            "instance: lab\nsource: {url: https://git.example.org/a.git, path: here, ref: v1}\n",
        ),
        ("silences/empty.yaml", "silences: []\n"),
    ]);
    let plan = [
        "plan",
        "--config",
        "silenced.yaml",
        "--alertmanager",
        "http://127.0.0.1:1",
    ];
    let with = |more: &[&str]| {
        let finished = finish(
            silenced()
                .args(plan)
                .args(more)
                .current_dir(installation.path()),
        );
        (finished.code, finished.stderr)
    };
    // Past the configuration: what fails is the target.
    assert_eq!(with(&["--source", "silences"]).0, Some(1));
    let (code, problems) = with(&["--source", "silences", "--path", "there"]);
    assert_eq!(code, Some(64));
    expect![[r#"
        error: --path: `path` applies to Git repositories only, and the source `silences` is a directory
    "#]].assert_eq(&problems);
}

#[test]
fn labels_belong_to_a_target_of_the_command_line() {
    let installation = directory(&[("silences/empty.yaml", "silences: []\n")]);
    let plan = [
        "plan",
        "--instance",
        "lab",
        "--source",
        "silences",
        "--target-label",
    ];
    let labelled = |more: &[&'static str]| [&plan, more].concat();
    check(
        &installation,
        &labelled(&["env=prod"]),
        &expect![[r#"
        error: --target-label: labels the target of --alertmanager, which is missing; in a configuration file write `labels` below the target
        error: there is no target: give the URL of an Alertmanager with --alertmanager or SILENCED_ALERTMANAGER, or `targets: [{name: ..., url: ...}]` in the configuration file
        exit 64
    "#]],
    );
    check(
        &installation,
        &labelled(&["env", "--alertmanager", "http://127.0.0.1:1"]),
        &expect![[r#"
            error: --target-label: `env` is not of the form `name=value`
            exit 64
        "#]],
    );
}

#[test]
fn intervals_that_would_open_late_or_let_leases_lapse_are_refused() {
    let nothing = directory(&[]);
    let limits = ["--interval", "30m", "--horizon", "30m", "--lease", "1h"];
    let arguments = [&PLAN[..], &limits].concat();
    check(
        &nothing,
        &arguments,
        &expect![[r#"
        error: the horizon (30m) must be at least twice the interval (30m), or windows open late
        error: the lease (1h) must be at least four times the interval (30m), or it lapses before it is renewed
        exit 64
    "#]],
    );
}

#[test]
fn unknown_variables_are_warnings() {
    let silences = directory(&[("empty.yaml", "silences: []\n")]);
    let finished = finish(
        silenced()
            .args(["validate", "."])
            .env("SILENCED_INTERVALL", "1m")
            .env("SILENCED_PORT", "tcp://10.0.0.1:8080")
            .env("SILENCED_SERVICE_HOST", "10.0.0.1")
            .current_dir(silences.path()),
    );
    expect![[r#"
        warning: the environment variable SILENCED_INTERVALL is unknown and has no effect; did you mean SILENCED_INTERVAL?
        warning: ignoring SILENCED_PORT and other variables that Kubernetes sets for a Service of this name; set `enableServiceLinks: false` in the pod
        1 file, 0 valid silences: no problems
        exit 0
    "#]].assert_eq(&finished.shown(&[]));
}

#[test]
fn a_bad_log_filter_is_a_usage_error() {
    let nothing = directory(&[]);
    let arguments = [&PLAN[..], &["--log", "silenced=loud"]].concat();
    check(
        &nothing,
        &arguments,
        &expect![[r#"
        error: cannot read the log filter `silenced=loud`: error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5
        exit 64
    "#]],
    );
}

#[test]
fn the_files_of_the_deployment_are_understood() {
    for file in ["base/silenced.yaml", "overlays/example/silenced.yaml"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("deploy/kubernetes")
            .join(file);
        let configuration = resolve(&path).unwrap();
        assert!(!configuration.listen.ip().is_loopback(), "{file}");
        assert!(
            configuration.sync_token_file.unwrap().is_absolute(),
            "{file}"
        );
        assert!(configuration.interval >= Duration::from_mins(1), "{file}");
    }
}

#[test]
fn a_long_interval_alone_brings_a_horizon_and_a_lease_that_go_with_it() {
    let given = |value: &str| {
        Some(Given {
            value: value.to_owned(),
            origin: Origin::Flag("--test".to_owned()),
        })
    };
    let configuration = Configuration::resolve(&Overrides {
        instance: given("lab"),
        source: given("silences"),
        alertmanager: given("http://127.0.0.1:9093"),
        interval: given("24h"),
        ..Overrides::default()
    })
    .unwrap();
    assert_eq!(configuration.reconcile.horizon, Duration::from_hours(48));
    assert_eq!(configuration.reconcile.lease, Duration::from_hours(96));
}
