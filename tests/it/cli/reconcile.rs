//! `silenced plan` and `silenced apply` against a real Alertmanager.

use std::fmt::Write as _;
use std::process::Command;

use expect_test::expect;
use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;

use super::{BROKEN, Finished, directory, finish, silenced, write};
use crate::support::alertmanager::{Alertmanager, Options, Release};
use crate::support::git_repository::GitRepository;

/// One silence that applies now and goes on.
const RUNNING: &str = "\
owner: automation
timezone: UTC
silences:
  - name: running
    comment: It has begun.
    matchers: [severity=\"info\", env=~\"a|b\"]
    schedule: always
";

struct Installation {
    alertmanager: Alertmanager,
    directory: TempDir,
}

impl Installation {
    fn new(files: &[(&str, &str)]) -> Self {
        Self {
            alertmanager: Alertmanager::start(Release::Newest, &Options::default()),
            directory: directory(files),
        }
    }

    fn command(&self, name: &str, source: &str) -> Command {
        let mut command = silenced();
        command
            .args([
                name,
                "--instance",
                "lab",
                "--source",
                source,
                "--alertmanager",
            ])
            .arg(self.alertmanager.base_url())
            .current_dir(self.directory.path());
        command
    }

    fn run(&self, name: &str, more: &[&str]) -> Finished {
        finish(self.command(name, ".").args(more))
    }

    fn write(&self, path: &str, content: &str) {
        write(self.directory.path(), path, content);
    }

    /// What `plan --format json` says of the only target.
    fn plan(&self) -> Value {
        let finished = self.run("plan", &["--format", "json"]);
        let plan: Value = serde_json::from_str(&finished.stdout).unwrap();
        plan["targets"][0].clone()
    }
}

/// Without what differs from run to run.
fn shown(finished: &Finished) -> String {
    let mut text = finished.shown(&[]);
    for (pattern, name) in [
        ("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z", "TIME"),
        ("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID"),
        ("fingerprint [0-9a-f]{16}", "fingerprint FINGERPRINT"),
        ("127.0.0.1:[0-9]+", "ADDRESS"),
    ] {
        text = Regex::new(pattern)
            .unwrap()
            .replace_all(&text, name)
            .into_owned();
    }
    text
}

/// `count` silences that have begun.
fn many(count: usize) -> String {
    let mut text = "owner: automation\ntimezone: UTC\nsilences:\n".to_owned();
    for number in 0..count {
        let _ = writeln!(
            text,
            "  - {{name: s-{number:02}, comment: One of many., matchers: ['number=\"{number}\"'], schedule: always}}"
        );
    }
    text
}

#[test]
fn plan_shows_apply_does_and_then_nothing_is_left() {
    let installation = Installation::new(&[("running.yaml", RUNNING)]);
    expect![[r#"
        default: 1 to create
          + running  applies now, without an end in sight
              {severity="info", env=~"a|b"}
              TIME .. TIME
        exit 2
    "#]]
    .assert_eq(&shown(&installation.run("plan", &[])));
    expect![[r#"
        default: 1 to create
          + running  applies now, without an end in sight
              {severity="info", env=~"a|b"}
              TIME .. TIME
        exit 2
    "#]]
    .assert_eq(&shown(&installation.run("apply", &["--dry-run"])));
    expect![[r#"
        default: 1 to create
          + running  applies now, without an end in sight
              {severity="info", env=~"a|b"}
              TIME .. TIME
        default: 1 created
        exit 0
    "#]]
    .assert_eq(&shown(&installation.run("apply", &[])));
    expect![[r#"
        default: nothing to do, 1 in place
        exit 0
    "#]]
    .assert_eq(&shown(&installation.run("apply", &[])));
    expect![[r#"
        default: nothing to do, 1 in place
        exit 0
    "#]]
    .assert_eq(&shown(&installation.run("plan", &[])));
    installation.write("running.yaml", &RUNNING.replace("a|b", "a|b|c"));
    expect![[r#"
        default: 1 to replace
          ± running  matchers changed
            - {severity="info", env=~"a|b"}
            + {severity="info", env=~"a|b|c"}
              TIME .. TIME
              id ID
        exit 2
    "#]]
    .assert_eq(&shown(&installation.run("plan", &[])));
}

#[test]
fn the_plan_in_json_has_its_documented_shape() {
    let installation = Installation::new(&[("running.yaml", RUNNING)]);
    let finished = installation.run("plan", &["--format", "json"]);
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(2), ""));
    let plan: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert!(plan["revision"].is_string(), "{plan}");
    let target = &plan["targets"][0];
    assert_eq!(target["name"], "default");
    assert_eq!(
        (&target["foreign"], &target["error"]),
        (&0.into(), &Value::Null)
    );
    assert!(
        target["holds"].is_array() && target["fingerprint"].is_string(),
        "{target}"
    );
    let action = &target["actions"][0];
    assert_eq!(
        (&action["action"], &action["silence"]),
        (&"create".into(), &"running".into())
    );
    assert_eq!(action["id"], Value::Null);
    assert_eq!(
        action["matchers"],
        serde_json::json!(["severity=\"info\"", "env=~\"a|b\""])
    );
    for key in ["starts_at", "ends_at", "comment", "reason"] {
        assert!(action[key].is_string(), "{key}: {action}");
    }
}

#[test]
fn what_was_done_is_also_there_in_json() {
    let installation = Installation::new(&[("running.yaml", RUNNING)]);
    let finished = installation.run("apply", &["--format", "json"]);
    let done: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(
        (finished.code, &done["outcome"]),
        (Some(0), &"converged".into())
    );
    assert_eq!(done["targets"][0]["created"], 1);
}

#[test]
fn a_mass_expiry_waits_for_its_fingerprint() {
    let installation = Installation::new(&[("many.yaml", &many(20)), ("running.yaml", RUNNING)]);
    assert_eq!(installation.run("apply", &[]).code, Some(0));
    installation.write("many.yaml", "silences: []\n");
    let held = installation.run("apply", &[]);
    assert_eq!(held.code, Some(3), "{}", held.stdout);
    assert!(held.stdout.contains("20 held"), "{}", held.stdout);
    let fingerprint = installation.plan()["fingerprint"]
        .as_str()
        .unwrap()
        .to_owned();
    let wrong = installation.run("apply", &["--confirm", "0123456789abcdef"]);
    assert_eq!(wrong.code, Some(3), "{}", wrong.stdout);
    let confirmed = installation.run("apply", &["--confirm", &fingerprint]);
    assert_eq!(confirmed.code, Some(0), "{}", confirmed.stdout);
    assert!(
        confirmed.stdout.ends_with("default: 20 expired\n"),
        "{}",
        confirmed.stdout
    );
}

#[test]
fn a_broken_file_fails_and_holds_up_nobody_else() {
    let installation = Installation::new(&[("broken.yaml", BROKEN), ("running.yaml", RUNNING)]);
    let finished = installation.run("apply", &[]);
    expect![[r#"
        default: 1 to create
          + running  applies now, without an end in sight
              {severity="info", env=~"a|b"}
              TIME .. TIME
        default: 1 created
        broken.yaml:3:5: error[missing-key]: the key `schedule` is missing in a declaration
         3 |   - name: broken
           |     ^
           hint: write when it applies, such as `schedule: {times: [{start_time: "22:00", end_time: "06:00"}]}`
        broken.yaml:6:5: error[unknown-key]: unknown key `shedule` in a declaration
         6 |     shedule: always
           |     ^
           hint: did you mean `schedule`?
        exit 1
    "#]].assert_eq(&shown(&finished));
    assert_eq!(installation.plan()["owned"], 1);
}

#[test]
fn a_target_that_is_down_and_a_source_that_is_missing_are_errors() {
    let installation = Installation::new(&[("running.yaml", RUNNING)]);
    let mut no_source = installation.command("plan", "nowhere");
    expect![[r#"
        error: cannot read the declarations in `nowhere`: it does not exist; check the path, and that its volume is mounted
        exit 1
    "#]].assert_eq(&shown(&finish(&mut no_source)));
    let mut no_target = installation.command("apply", ".");
    no_target.args(["--log", "off"]);
    let url = installation.alertmanager.base_url();
    drop(installation.alertmanager);
    let finished = finish(&mut no_target);
    assert_eq!(finished.code, Some(1));
    assert!(
        finished
            .stderr
            .starts_with(&format!("error: default: `GET {url}/api/v2/silences`")),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_git_repository_is_read_at_its_ref() {
    let installation = Installation::new(&[]);
    let repository = GitRepository::empty();
    repository.write("alerts/running.yaml", RUNNING.as_bytes());
    let first = repository.commit("one");
    repository.write("alerts/more.yaml", many(2).as_bytes());
    repository.commit("two");
    let plan = |more: &[&str]| {
        let mut command = installation.command("plan", &repository.file_url());
        let finished = finish(
            command
                .args(["--path", "alerts", "--format", "json"])
                .args(more),
        );
        let plan: Value = serde_json::from_str(&finished.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", finished.stderr));
        plan
    };
    assert_eq!(
        plan(&[])["targets"][0]["actions"].as_array().unwrap().len(),
        3
    );
    let before = plan(&["--ref", &first]);
    assert_eq!(before["revision"], first.as_str());
    assert_eq!(before["targets"][0]["actions"].as_array().unwrap().len(), 1);
}

#[test]
fn a_selector_that_matches_no_target_is_a_warning() {
    let elsewhere = RUNNING.replace("    schedule", "    targets: {env: [dev]}\n    schedule");
    let installation = Installation::new(&[("running.yaml", &elsewhere)]);
    let finished = installation.run("plan", &["--target-label", "env=prod"]);
    expect![[r#"
        default: nothing to do, 0 in place
        warning: `running`: its `targets` match none of the targets
        exit 0
    "#]]
    .assert_eq(&shown(&finished));
    assert_eq!(
        installation
            .run("plan", &["--target-label", "env=dev"])
            .code,
        Some(2)
    );
}
