//! Flags, environment and file: which one wins, and what is said of mistakes.

use expect_test::expect;

use super::{check, directory, finish, silenced};

/// A file with everything in it; nothing listens on port 1.
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
        &expect![[r#""#]],
    );
}

#[test]
fn without_anything_it_says_how_to_give_everything() {
    check(&directory(&[]), &["plan"], &expect![[r#""#]]);
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
  - {name: b, url: 'http://user:hunter2@host', kind: grafana}
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
        &expect![[r#""#]],
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
        &expect![[r#""#]],
    );
    check(
        &installation,
        &["plan", "--config", "b.yaml"],
        &expect![[r#""#]],
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
    expect![[r#""#]].assert_eq(&shown);
    check(
        &directory(&[]),
        &["plan", "--config", "silenced.yaml"],
        &expect![[r#""#]],
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
    expect![[r#""#]].assert_eq(&refused(Some("FLAG"), Some("VARIABLE")));
    expect![[r#""#]].assert_eq(&refused(None, Some("VARIABLE")));
    expect![[r#""#]].assert_eq(&refused(None, None));
    // An empty variable is one that was taken away.
    expect![[r#""#]].assert_eq(&refused(None, Some("")));
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
    expect![[r#""#]].assert_eq(&problems);
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
    check(&installation, &labelled(&["env=prod"]), &expect![[r#""#]]);
    check(
        &installation,
        &labelled(&["env", "--alertmanager", "http://127.0.0.1:1"]),
        &expect![[r#""#]],
    );
}

#[test]
fn intervals_that_would_open_late_or_let_leases_lapse_are_refused() {
    let nothing = directory(&[]);
    let arguments = [
        "plan",
        "--instance",
        "lab",
        "--source",
        ".",
        "--alertmanager",
        "http://127.0.0.1:1",
        "--interval",
        "30m",
        "--horizon",
        "30m",
    ];
    check(&nothing, &arguments, &expect![[r#""#]]);
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
    expect![[r#""#]].assert_eq(&finished.shown(&[]));
}

#[test]
fn a_bad_log_filter_is_a_usage_error() {
    let nothing = directory(&[]);
    let arguments = [
        "plan",
        "--instance",
        "lab",
        "--source",
        ".",
        "--alertmanager",
        "http://127.0.0.1:1",
        "--log",
        "silenced=loud",
    ];
    check(&nothing, &arguments, &expect![[r#""#]]);
}
