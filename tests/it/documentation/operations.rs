//! `docs/operations.md`, for whoever runs the program.

use std::collections::BTreeSet;
use std::time::Duration;

use silenced::plan::{HoldCause, Mode};
use silenced::telemetry::{Cause, Metrics};
use silenced::timestamp::Timestamp;

use super::{blocks, document, quoted};
use crate::cli::{finish, silenced};
use crate::support::configuration::resolve_text;
use crate::support::passes::NIGHTLY;
use crate::support::world::World;

const PATH: &str = "docs/operations.md";

/// The help of the program and of all its commands.
fn help() -> String {
    let help = |arguments: &[&str]| finish(silenced().args(arguments)).stdout;
    let commands = ["validate", "expand", "plan", "apply", "run", "demo"];
    let texts = commands.map(|command| help(&[command, "--help"]));
    format!("{}\n{}", help(&["--help"]), texts.concat())
}

/// Words of a text that begin so, as far as their characters go.
fn words<'a>(text: &'a str, begin: &'a str) -> BTreeSet<&'a str> {
    let is_part =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    text.match_indices(begin)
        .filter(|(at, _)| !text[..*at].ends_with(is_part))
        .map(|(at, _)| {
            let rest = &text[at..];
            rest.split(|character| !is_part(character))
                .next()
                .unwrap_or(rest)
        })
        .filter(|word| word.len() > begin.len())
        .collect()
}

#[test]
fn flags_and_variables_are_those_of_the_program() {
    let document = document(PATH);
    let help = help();
    let known: BTreeSet<&str> = words(&help, "--");
    // The first two are Alertmanager's own, the third what Kubernetes would set.
    let others = ["--data", "--silences", "SILENCED_PORT", "SILENCED_"];
    let mentioned: Vec<&str> = words(&document, "--")
        .into_iter()
        .filter(|flag| !others.contains(flag) && *flag != "--" && !flag.starts_with("---"))
        .collect();
    assert!(mentioned.len() > 15, "{mentioned:?}");
    for flag in &mentioned {
        assert!(known.contains(flag), "{flag} is no flag");
    }
    for variable in words(&document, "SILENCED_") {
        assert!(
            others.contains(&variable) || help.contains(variable),
            "{variable} is no variable"
        );
    }
    let missing: Vec<_> = words(&run_help(&help), "--")
        .into_iter()
        .filter(|flag| !mentioned.contains(flag) && *flag != "--help")
        .map(str::to_owned)
        .collect();
    assert!(missing.is_empty(), "not in {PATH}: {missing:?}");
}

/// The part of the help that is about `run`.
fn run_help(help: &str) -> String {
    let (_, rest) = help.split_once("Usage: silenced run").unwrap();
    let (run, _) = rest.split_once("Usage: silenced demo").unwrap();
    run.to_owned()
}

#[test]
fn the_configuration_is_accepted_and_shows_every_key() {
    let document = document(PATH);
    let blocks = blocks(&document, "yaml");
    let (_, example) = blocks
        .iter()
        .find(|(_, block)| block.starts_with("# silenced.yaml"))
        .unwrap();
    let configuration = resolve_text(example).unwrap();
    assert_eq!(configuration.targets.len(), 7);

    for wrong in [
        "qqqqqqqq: 1\n",
        "source: {qqqqqqqq: 1}\n",
        "guard: {qqqqqqqq: 1}\n",
        "targets: [{qqqqqqqq: 1}]\n",
        "targets: [{basic_auth: {qqqqqqqq: 1}}]\n",
        "targets: [{tls: {qqqqqqqq: 1}}]\n",
        "targets: [{oauth2: {qqqqqqqq: 1}}]\n",
        "targets: [{http_headers: {A: {qqqqqqqq: 1}}}]\n",
    ] {
        let problem = resolve_text(wrong).unwrap_err();
        let keys: Vec<&str> = problem.split('`').skip(3).step_by(2).collect();
        assert!(!keys.is_empty(), "{problem}");
        for key in keys {
            assert!(
                example.contains(&format!("{key}:")) || key == "directory",
                "{key} is not in the example of {PATH}"
            );
        }
    }
}

/// The names of all metrics: most are there only once a pass was recorded.
async fn metric_families() -> Vec<String> {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("nightly.yaml", NIGHTLY);
    let held = "{name: held, comment: Held., matchers: [a=\"b\"], schedule: always, suspend: true}";
    world.write("held.yaml", &format!("owner: dba\nsilences: [{held}]\n"));
    let pass = world.sync().await;
    let metrics = Metrics::new();
    metrics.use_tzdata("2026f", "bundled");
    metrics.phase("total", Duration::from_secs(1));
    metrics.record(Cause::Startup, &pass, Timestamp::EPOCH);
    metrics
        .encode()
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .map(str::to_owned)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn holds_modes_and_metrics_are_those_of_the_program() {
    let document = document(PATH);
    let quoted = quoted(&document);
    for cause in HoldCause::ALL {
        assert!(
            document.contains(&format!("| `{}` |", cause.word())),
            "{} is not in {PATH}",
            cause.word()
        );
    }
    for mode in Mode::ALL {
        assert!(
            quoted.contains(mode.word()),
            "{} is not in {PATH}",
            mode.word()
        );
    }
    let exposed = metric_families().await;
    let mentioned = words(&document, "silenced_");
    assert!(exposed.len() > 15, "{exposed:?}");
    for name in &mentioned {
        let family = name.trim_end_matches("_total").trim_end_matches("_info");
        let is_metric = exposed
            .iter()
            .any(|known| known == *name || known == family);
        assert!(is_metric, "{name} is no metric; there are {exposed:?}");
    }
    for family in &exposed {
        assert!(
            mentioned
                .iter()
                .any(|name| name.starts_with(family.as_str())),
            "{family} is not in {PATH}"
        );
    }
}

#[test]
fn the_alerting_rules_are_yaml() {
    let document = document(PATH);
    let blocks = blocks(&document, "yaml");
    let (_, rules) = blocks
        .iter()
        .find(|(_, block)| block.starts_with("groups:"))
        .unwrap();
    let rules: serde_json::Value = serde_saphyr::from_str(rules).unwrap();
    let rules = rules["groups"][0]["rules"].as_array().unwrap();
    assert!(rules.len() > 4);
    for rule in rules {
        let expression = rule["expr"].as_str().unwrap();
        assert!(expression.contains("silenced_"), "{rule}");
        // At a start these are 0, which is long ago and no reason to wake anybody.
        let is_age = expression.contains("time() - ");
        assert!(!is_age || rule["for"].is_string(), "{rule}");
    }
    let zero = "silenced_last_sync_success_timestamp_seconds 0\n";
    assert!(Metrics::new().encode().contains(zero), "it never succeeded");
}
