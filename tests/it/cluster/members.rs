//! The members of a cluster as one target, by all their addresses; and by
//! mistake as several.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{PATIENCE, lists, wait_until_held};
use crate::cli::{finish, silenced};
use crate::support::alertmanager::{Alertmanager, Options, Release};
use crate::support::daemon::{Daemon, writes};
use crate::support::fleet::{Fleet, INSTANCE, held, list};
use crate::support::round_robin::RoundRobin;

/// A configuration with these targets.
fn configuration(directory: &TempDir, fleet: &Fleet, targets: &Value) -> PathBuf {
    let file = directory.path().join("silenced.yaml");
    let content = json!({
        "instance": INSTANCE,
        "source": {"directory": fleet.source()},
        "settle": "10s",
        "targets": targets,
    });
    fs::write(&file, content.to_string()).unwrap();
    file
}

/// Waits until a node holds so many of our silences.
async fn wait_for(node: &Alertmanager, silences: usize) {
    let began = Instant::now();
    while held(&list(&node.base_url()).await).len() < silences {
        assert!(began.elapsed() < PATIENCE, "it does not come so far");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_dies_amid_an_apply_costs_nothing() {
    let mut nodes = Alertmanager::start_cluster(Release::Newest, 3, &[]);
    let fleet = Fleet::new(150);
    let expected = fleet.expected().len();
    let directory = tempfile::tempdir().unwrap();
    // The last one knows the others by its flags, and finds them again.
    let urls: Vec<String> = nodes.iter().rev().map(Alertmanager::base_url).collect();
    let targets = json!([{"name": "main", "urls": urls, "max_writes_per_second": 100}]);
    let file = configuration(&directory, &fleet, &targets);
    let daemon = Daemon::start([Path::new("--config"), &file]);

    wait_for(&nodes[2], expected / 4).await;
    nodes[2].kill();
    let alive = held(&list(&nodes[0].base_url()).await).len();
    assert!(alive < expected, "it was killed too late, after {alive}");
    // The next passes come by themselves, at another member.
    wait_for(&nodes[0], expected).await;
    nodes[2].restart();
    wait_until_held(&nodes, &fleet, async || {}).await;

    let pass = daemon.sync().await;
    assert_eq!(pass["outcome"], "converged", "{pass}");
    assert_eq!(writes(&pass), (0, 0, 0, 0));
    for listed in lists(&nodes).await {
        fleet.assert_held(&listed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_cluster_as_two_targets_is_refused() {
    let nodes = Alertmanager::start_cluster(Release::Newest, 2, &[]);
    let fleet = Fleet::new(3);
    let directory = tempfile::tempdir().unwrap();
    let names = ["a", "b"].into_iter().zip(&nodes);
    let targets = names.map(|(name, node)| json!({"name": name, "url": node.base_url()}));
    let file = configuration(&directory, &fleet, &targets.collect());
    let refused = finish(silenced().args(["apply", "--config"]).arg(&file));
    assert_eq!(refused.code, Some(1));
    for line in [
        "error: a: `a` and `b` are one cluster",
        "error: b: `b` and `a` are one cluster",
    ] {
        assert!(refused.stderr.contains(line), "{}", refused.stderr);
    }
    for listed in lists(&nodes).await {
        assert_eq!(listed, Vec::<Value>::new());
    }
}

/// As small installations run it: without a cluster there is no name to compare.
#[tokio::test(flavor = "multi_thread")]
async fn one_server_as_two_targets_is_refused() {
    let server = Alertmanager::start(Release::Newest, &Options::default());
    let other_address = RoundRobin::start(vec![server.address().to_owned()]).await;
    let fleet = Fleet::new(3);
    let directory = tempfile::tempdir().unwrap();
    let targets = json!([
        {"name": "a", "url": server.base_url()},
        {"name": "b", "url": other_address.url()},
    ]);
    let file = configuration(&directory, &fleet, &targets);
    let daemon = Daemon::start([Path::new("--config"), &file]);
    daemon.sync().await;
    let before = list(&server.base_url()).await;
    for _ in 0..3 {
        let pass = daemon.sync().await;
        assert_eq!(pass["outcome"], "failed", "{pass}");
        for (target, twin) in [(0, "`a` and `b`"), (1, "`b` and `a`")] {
            let error = pass["targets"][target]["error"].as_str().unwrap();
            let told = format!("{twin} both hold the silence ");
            assert!(error.starts_with(&told), "{error}");
        }
    }
    assert_eq!(list(&server.base_url()).await, before, "nobody wrote");
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_under_one_target_are_refused() {
    let one = Alertmanager::start_cluster(Release::Newest, 1, &[]);
    let other = Alertmanager::start_cluster(Release::Newest, 1, &[]);
    let fleet = Fleet::new(3);
    let directory = tempfile::tempdir().unwrap();
    let targets = json!([{"name": "a", "urls": [one[0].base_url(), other[0].base_url()]}]);
    let file = configuration(&directory, &fleet, &targets);
    let refused = finish(silenced().args(["apply", "--config"]).arg(&file));
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("are not one cluster"),
        "{}",
        refused.stderr
    );
    assert_eq!(list(&one[0].base_url()).await, Vec::<Value>::new());
}
