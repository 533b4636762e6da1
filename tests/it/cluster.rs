//! What if every list may come from another replica? The daemon before a load
//! balancer in front of a cluster whose nodes agree only after seconds.

mod members;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::alertmanager::{Alertmanager, Release};
use crate::support::daemon::{Daemon, writes};
use crate::support::fleet::{
    Fleet, INSTANCE, assert_untouched, held, list, make_foreign, silences_of,
};
use crate::support::random::seeded;
use crate::support::round_robin::RoundRobin;

/// Nodes exchange everything every 5 s, and gossip in between.
const PATIENCE: Duration = Duration::from_mins(3);

async fn lists(nodes: &[Alertmanager]) -> Vec<Vec<Value>> {
    let mut lists = Vec::new();
    for node in nodes {
        lists.push(list(&node.base_url()).await);
    }
    lists
}

/// Waits until every node holds what is declared, calling `meanwhile` between looks.
async fn wait_until_held(nodes: &[Alertmanager], fleet: &Fleet, mut meanwhile: impl AsyncFnMut()) {
    let began = Instant::now();
    loop {
        let lists = lists(nodes).await;
        let expected = fleet.expected();
        if lists.iter().all(|listed| held(listed) == expected) {
            return;
        }
        if began.elapsed() > PATIENCE {
            for listed in &lists {
                fleet.assert_held(listed);
            }
        }
        meanwhile().await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_lag_make_no_duplicates() {
    let mut random = seeded();
    let nodes = Alertmanager::start_cluster(Release::Newest, 3, &[]);
    let foreign = make_foreign(&nodes[0].base_url()).await;
    let addresses = nodes.iter().map(|node| node.address().to_owned());
    let balancer = RoundRobin::start(addresses.collect()).await;
    let mut fleet = Fleet::new(60);
    let directory = tempfile::tempdir().unwrap();
    let configuration = directory.path().join("silenced.yaml");
    let content = json!({
        "instance": INSTANCE,
        "source": {"directory": fleet.source()},
        // Longer than the nodes take to agree, by far.
        "settle": "10s",
        "guard": {"max_expire": "1000000"},
        "targets": [{"name": "main", "url": balancer.url()}],
    });
    fs::write(&configuration, content.to_string()).unwrap();

    // Its first pass has begun; each of these may list what another node has.
    let daemon = Daemon::start([Path::new("--config"), &configuration]);
    for _ in 0..6 {
        daemon.sync().await;
    }
    wait_until_held(&nodes, &fleet, async || {}).await;
    for listed in lists(&nodes).await {
        let ever = silences_of(&listed).count();
        assert_eq!(ever, fleet.expected().len(), "a duplicate came and went");
    }

    for _ in 0..2 {
        fleet.change(&mut random);
        wait_until_held(&nodes, &fleet, async || drop(daemon.sync().await)).await;
    }
    let pass = daemon.sync().await;
    assert_eq!(pass["outcome"], "converged", "{pass}");
    assert_eq!(writes(&pass), (0, 0, 0, 0));
    for listed in lists(&nodes).await {
        fleet.assert_held(&listed);
        assert_untouched(&foreign, &listed);
    }
}
