//! Many targets from few lines, and clusters of several addresses.

use expect_test::{Expect, expect};
use tempfile::TempDir;

use super::directory;
use crate::support::configuration::resolve;

/// What the configuration in `directory` comes to: a line for each target, or
/// everything that is wrong with it.
fn targets(directory: &TempDir) -> String {
    let file = directory.path().join("silenced.yaml");
    let text = match resolve(&file) {
        Ok(configuration) => {
            let targets = configuration.targets.iter();
            let lines = targets.map(|target| format!("{} {:?}", target.name(), target.labels()));
            lines.collect::<Vec<_>>().join("\n")
        }
        Err(problems) => problems.to_string(),
    };
    let root = format!("{}/", directory.path().display());
    text.replace(&root, "")
}

fn check(targets_yaml: &str, files: &[(&str, &str)], expected: &Expect) {
    let configuration =
        format!("instance: lab\nsource: {{directory: silences}}\ntargets:\n{targets_yaml}");
    let mut all = vec![("silenced.yaml", configuration.as_str())];
    all.extend(files);
    expected.assert_eq(&targets(&directory(&all)));
}

const TENANTS: &str = r#"
  - name: "mimir-${tenant}"
    kind: mimir
    url: https://mimir.example.org
    tenant: "${tenant}"
    labels: {tier: "${tier}", team: "team-${tenant}"}
    bearer_token_file: "tokens/${tenant}"
"#;

#[test]
fn a_list_of_items_makes_a_target_of_each() {
    let entry = format!(
        "{TENANTS}    for_each:\n      - {{tenant: a, tier: gold}}\n      - {{tenant: b, tier: 2}}\n  \
         - {{name: last, url: 'http://am'}}\n"
    );
    check(
        &entry,
        &[],
        &expect![[r#"
        mimir-a {"team": "team-a", "tier": "gold"}
        mimir-b {"team": "team-b", "tier": "2"}
        last {}"#]],
    );
}

#[test]
fn files_of_items_make_targets_in_the_order_of_their_names() {
    let entry = format!("{TENANTS}    for_each_file: tenants\n");
    let files = [
        (
            "tenants/b.yaml",
            "- {tenant: b1, tier: gold}\n- {tenant: b2, tier: gold}\n",
        ),
        ("tenants/a.yml", "tenant: a\ntier: silver\n"),
        ("tenants/.hidden.yaml", "tenant: h\ntier: h\n"),
        ("tenants/readme.txt", "nothing\n"),
    ];
    check(
        &entry,
        &files,
        &expect![[r#"
        mimir-a {"team": "team-a", "tier": "silver"}
        mimir-b1 {"team": "team-b1", "tier": "gold"}
        mimir-b2 {"team": "team-b2", "tier": "gold"}"#]],
    );
    let one = format!("{TENANTS}    for_each_file: tenants/b.yaml\n");
    check(
        &one,
        &files,
        &expect![[r#"
        mimir-b1 {"team": "team-b1", "tier": "gold"}
        mimir-b2 {"team": "team-b2", "tier": "gold"}"#]],
    );
}

#[test]
fn what_is_wrong_with_items_is_said_with_the_item() {
    let with = |rest: &str| format!("{TENANTS}    {rest}\n");
    check(
        &with("for_each: [{tenant: a}]"),
        &[],
        &expect!["silenced.yaml:5:5: targets[0]: for item 1: it says nothing for `${tier}`"],
    );
    check(
        &with("for_each: [{tenannt: a, tier: b}]"),
        &[],
        &expect![
            "silenced.yaml:5:5: targets[0]: for item 1: it says nothing for `${tenant}`; did you mean `${tenannt}`?"
        ],
    );
    check(
        &with("for_each: []"),
        &[],
        &expect![
            "silenced.yaml:5:5: targets[0]: there are no items in `for_each`, or in the files of `for_each_file`"
        ],
    );
    check(
        &with("for_each: [{tenant: A, tier: b}, {tenant: a, tier: b}, {tenant: a, tier: b}]"),
        &[],
        &expect![[r#"
            silenced.yaml:5:11: targets[0] for item 1.name: target name `mimir-A` must be 1 to 63 characters of a-z, 0-9 and `-`
            silenced.yaml:5:5: targets[0]: another target is called `mimir-a` too"#]],
    );
    check(
        &with("for_each_file: nowhere"),
        &[],
        &expect![
            "silenced.yaml:11:20: targets[0].for_each_file: cannot read `nowhere`: No such file or directory (os error 2)"
        ],
    );
    check(
        &with("for_each_file: tenants"),
        &[("tenants/a.yaml", "just text\n")],
        &expect![
            "silenced.yaml:11:20: targets[0].for_each_file: `tenants/a.yaml` is neither an item such as `{tenant: a}` nor a list of them: expected mapping start at line 1, column 1"
        ],
    );
    check(
        "  - {name: '${a', url: 'http://am', for_each: [{a: b}]}\n",
        &[],
        &expect!["silenced.yaml:4:5: targets[0]: for item 1: `${` in `${a` is not closed"],
    );
}

#[test]
fn a_dollar_sign_can_be_written_and_means_nothing_without_items() {
    check(
        "  - {name: a, url: 'http://am', labels: {x: '$${x}-${y}'}, for_each: [{y: z}]}\n  \
         - {name: b, url: 'http://am-2', labels: {x: '${x}'}}\n",
        &[],
        &expect![[r#"
            a {"x": "${x}-z"}
            b {"x": "${x}"}"#]],
    );
}

#[test]
fn the_members_of_a_cluster_are_one_target() {
    check(
        "  - {name: a, urls: ['http://am-0', 'http://am-1:9093/', 'http://am-2']}\n",
        &[],
        &expect!["a {}"],
    );
    check(
        "  - {name: a}\n",
        &[],
        &expect![
            "silenced.yaml:4:5: targets[0]: the key `url` is missing, or `urls` for the members of a cluster"
        ],
    );
    check(
        "  - {name: a, url: 'http://am', urls: ['http://am-1', 'am-2', 'http://am-1/']}\n",
        &[],
        &expect![[r#"
            silenced.yaml:4:5: targets[0]: write either `url` or `urls`, not both
            silenced.yaml:4:63: targets[0].urls[2]: `http://am-1/` stands there twice
            silenced.yaml:4:55: targets[0].urls[1]: `am-2` is not a URL (relative URL without a base): write one such as `http://alertmanager:9093`"#]],
    );
}

#[test]
fn one_server_is_not_two_targets() {
    check(
        "  - {name: a, url: 'http://am'}\n  - {name: b, urls: ['http://other', 'http://AM:80/']}\n  \
         - {name: c, url: 'http://am', instance: lab}\n",
        &[],
        &expect![[r#"
            silenced.yaml:5:5: targets[1]: `b` is the server of `a` too: each would expire what is declared for the other; make them one target, or give them an `instance` each
            silenced.yaml:6:5: targets[2]: `c` is the server of `a` too: each would expire what is declared for the other; make them one target, or give them an `instance` each"#]],
    );
    // Whoever it is that asks, or what is asked for, may make it another.
    check(
        "  - {name: a, url: 'http://am'}\n  - {name: b, url: 'http://am/prefix'}\n  \
         - {name: c, url: 'http://am', instance: other}\n  \
         - {name: d, url: 'http://am', bearer_token_file: d}\n  \
         - {name: e, url: 'http://am', http_headers: {x-tenant: {values: [e]}}}\n  \
         - {name: f, url: 'http://am', kind: mimir, tenant: f}\n  \
         - {name: g, url: 'http://am', kind: mimir, tenant: g}\n",
        &[],
        &expect![[r#"
            a {}
            b {}
            c {}
            d {}
            e {}
            f {}
            g {}"#]],
    );
}
