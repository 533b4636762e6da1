//! Does a declaration with `${target.LABEL}` say the right thing everywhere?

use std::collections::BTreeMap;

use expect_test::expect;
use silenced::plan::{HoldCause, Plan};
use silenced::silence::Silence;
use silenced::timestamp::Timestamp;

use crate::declaration::{read, shown};
use crate::support::changes::active;
use crate::support::reconciler::plan_over;
use crate::support::world::text_of;

const UPGRADE: &str = r#"
owner: platform
silences:
  - name: upgrade
    comment: Nodes come and go.
    matchers: ['cluster="${target.cluster}"', 'node=~"${target.cluster}-[0-9]+"']
    schedule: always
"#;

/// The plan for a target of that name with `labels` that holds `silences`.
fn plan_for(name: &str, labels: &[(&str, &str)], silences: &[Silence]) -> Plan {
    let pairs = labels.iter();
    let labels = pairs.map(|&(label, value)| (label.to_owned(), value.to_owned()));
    let labels: BTreeMap<_, _> = labels.collect();
    plan_over((name, &labels), UPGRADE, silences, now())
}

fn now() -> Timestamp {
    Timestamp::parse("2027-03-01T08:00:00Z").unwrap()
}

/// What a server shows after it has carried out `plan`, which creates one silence.
fn created(plan: &Plan) -> Silence {
    active("1", plan.actions[0].change.draft().unwrap().clone())
}

#[test]
fn every_target_gets_its_own_values() {
    let matchers = |name, labels: &[(&str, &str)]| {
        let plan = plan_for(name, labels, &[]);
        text_of(&created(&plan).matchers)
    };
    expect![[r#"cluster="eu.1", node=~"eu\\.1-[0-9]+""#]]
        .assert_eq(&matchers("eu", &[("cluster", "eu.1")]));
    expect![[r#"cluster="us", node=~"us-[0-9]+""#]]
        .assert_eq(&matchers("us", &[("cluster", "us")]));
}

#[test]
fn what_is_there_is_compared_with_the_targets_values() {
    let silence = created(&plan_for("eu", &[("cluster", "eu")], &[]));
    let same = plan_for("eu", &[("cluster", "eu")], std::slice::from_ref(&silence));
    assert_eq!(same.actions, [], "nothing to do");

    let relabelled = plan_for("eu", &[("cluster", "eu-2")], &[silence]);
    let words: Vec<_> = relabelled
        .actions
        .iter()
        .map(|one| one.change.word())
        .collect();
    assert_eq!(words, ["replace"]);
}

#[test]
fn a_target_without_the_label_is_held_and_keeps_what_it_has() {
    let silence = created(&plan_for("eu", &[("cluster", "eu")], &[]));
    let plan = plan_for("eu", &[("region", "eu")], &[silence]);
    assert_eq!(plan.actions, [], "neither replaced nor expired");
    assert_eq!(plan.holds[0].cause, HoldCause::Placeholder);
    assert_eq!(
        plan.holds[0].reason,
        "`${target.cluster}`: the target `eu` has no label `cluster` with a value"
    );
}

#[test]
fn placeholders_that_no_target_could_fill_are_errors() {
    let complaints = |matcher: &str| {
        let yaml = UPGRADE.replace(r#"node=~"${target.cluster}-[0-9]+""#, matcher);
        shown(&read(&[("a.yaml", &yaml)]).diagnostics)
    };
    expect![[""]].assert_eq(&complaints(r#"a="$${target.""#));
    expect![[r#"
        a.yaml:6:47: error[invalid-placeholder]: `${target.` is not closed
         6 |     matchers: ['cluster="${target.cluster}"', 'a="${target."']
           |                                               ^
           hint: write `${target.LABEL}` in the value, or `$${target.` for the text itself
    "#]]
    .assert_eq(&complaints(r#"a="${target.""#));
    expect![[r#"
        a.yaml:6:47: error[invalid-placeholder]: `${target.}` names no label
         6 |     matchers: ['cluster="${target.cluster}"', 'a="x${target.}"']
           |                                               ^
           hint: write `${target.LABEL}` in the value, or `$${target.` for the text itself
    "#]]
    .assert_eq(&complaints(r#"a="x${target.}""#));
    expect![[r#"
        a.yaml:6:47: warning[matcher-portability]: the label name is not `[a-zA-Z_][a-zA-Z0-9_]*`: Alertmanager 0.26 and older, and newer ones in classic mode, refuse it, and so does Mimir unless it is in UTF-8 strict mode
         6 |     matchers: ['cluster="${target.cluster}"', '"${target.a}"="b"']
           |                                               ^
        a.yaml:6:47: error[invalid-placeholder]: `${target.` stands in the name of a label, and only values have placeholders
         6 |     matchers: ['cluster="${target.cluster}"', '"${target.a}"="b"']
           |                                               ^
           hint: write `${target.LABEL}` in the value, or `$${target.` for the text itself
    "#]].assert_eq(&complaints(r#""${target.a}"="b""#));
    expect![[r#"
        a.yaml:6:47: warning[no-placeholder]: `${region}` is taken as it is
         6 |     matchers: ['cluster="${target.cluster}"', 'a="${region}"']
           |                                               ^
           hint: only `${target.LABEL}` stands for something else
    "#]]
    .assert_eq(&complaints(r#"a="${region}""#));
}
