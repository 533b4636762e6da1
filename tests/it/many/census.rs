//! Targets that turn out to be one cluster.

use silenced::alertmanager::Members;

use super::*;

fn members(names: &[&str]) -> Members {
    Members {
        names: names.iter().map(|&name| name.to_owned()).collect(),
        is_complete: true,
    }
}

fn of_cluster(clock: Clock, names: &[&str]) -> Server {
    Server {
        members: Some(members(names)),
        ..Server::new(clock)
    }
}

#[tokio::test(start_paused = true)]
async fn two_targets_of_one_cluster_are_not_written_to_and_others_are() {
    let clock = clock();
    let servers = [
        of_cluster(clock, &["m1", "m2"]),
        of_cluster(clock, &["m3"]),
        of_cluster(clock, &["m2"]),
        of_cluster(clock, &[]),
        of_cluster(clock, &[]),
    ];
    let names = ["a", "b", "c", "d", "e"].into_iter().zip(&servers);
    let mut reconciler = reconciler(names.map(|(name, server)| target(name, server)).collect());
    let first = pass(&mut reconciler, clock, &many(3), APPLY).await;
    let posts = servers.each_ref().map(Server::posts);
    assert_eq!(posts, [0, 3, 0, 3, 3]);
    assert_eq!(
        error(&first, 0),
        "`a` and `c` are one cluster, which has the member m2: nothing is written to either, or \
         each would expire what only the other declares; write the addresses of its members in \
         one target, under `urls`"
    );
    assert!(error(&first, 2).starts_with("`c` and `a` are one cluster"));
    assert_eq!(first.outcome(), Outcome::Failed);
    let asked = servers.each_ref().map(Server::asked_for_members);
    assert_eq!(asked, [1; 5]);
    pass(&mut reconciler, clock, &many(3), APPLY).await;
    let asked = servers.each_ref().map(Server::asked_for_members);
    assert_eq!(asked, [1; 5], "they are asked once");
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_late_is_found_in_its_own_turn() {
    let clock = clock();
    let prompt = of_cluster(clock, &["m1", "m2"]);
    let late = Server {
        members_take: Duration::from_secs(8),
        ..of_cluster(clock, &["m1", "m2"])
    };
    let mut reconciler = reconciler(vec![target("prompt", &prompt), target("late", &late)]);
    pass(&mut reconciler, clock, &many(3), APPLY).await;
    assert_eq!(
        [prompt.posts(), late.posts()],
        [3, 0],
        "one was there before"
    );
    let second = pass(&mut reconciler, clock, &many(4), APPLY).await;
    assert!(error(&second, 0).starts_with("`prompt` and `late` are one cluster"));
    assert!(error(&second, 1).starts_with("`late` and `prompt` are one cluster"));
    assert_eq!([prompt.posts(), late.posts()], [3, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_down_is_counted_when_it_is_back() {
    let clock = clock();
    let there = of_cluster(clock, &["m1", "m2"]);
    let down = of_cluster(clock, &["m1", "m2"]);
    down.fails.store(true, Ordering::SeqCst);
    let mut reconciler = reconciler(vec![target("there", &there), target("down", &down)]);
    pass(&mut reconciler, clock, &many(3), APPLY).await;
    assert_eq!([there.posts(), down.posts()], [3, 0]);
    down.fails.store(false, Ordering::SeqCst);
    let second = pass(&mut reconciler, clock, &many(4), APPLY).await;
    assert!(error(&second, 1).starts_with("`down` and `there` are one cluster"));
    assert_eq!(down.posts(), 0);
}

/// Without a cluster it has no name: `--cluster.listen-address=`, two addresses.
#[tokio::test(start_paused = true)]
async fn one_server_at_two_addresses_is_not_fought_over() {
    let clock = clock();
    let (one, other) = (Server::new(clock), Server::new(clock));
    let same = one.clone();
    let targets = vec![target("a", &one), target("b", &same), target("c", &other)];
    let mut reconciler = reconciler(targets);
    let of = |name: &str| ONCE.replace("high-latency", name) + &format!("    targets: [{name}]\n");
    let text = format!(
        "{}{}",
        of("a"),
        of("b").replace("owner: dba\nsilences:\n", "")
    );
    let first = pass(&mut reconciler, clock, &text, APPLY).await;
    // The first one cannot know.
    assert_eq!(writes(&first), [(1, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0)]);
    for _ in 0..3 {
        let next = pass(&mut reconciler, clock, &text, APPLY).await;
        assert_eq!(writes(&next), [(0, 0, 0, 0); 3]);
        assert!(error(&next, 0).starts_with("`a` and `b` both hold the silence "));
        assert!(error(&next, 0).contains("so they are one server under two addresses"));
        assert!(error(&next, 1).starts_with("`b` and `a` both hold"));
        assert_eq!(error(&next, 2), "");
        assert_eq!(next.outcome(), Outcome::Failed);
    }
    assert_eq!(one.posts(), 1);
}

/// Each looks for its own alone: two instances on one server are nothing unusual.
#[tokio::test(start_paused = true)]
async fn one_server_at_two_addresses_may_be_two_instances() {
    let clock = clock();
    let server = Server::new(clock);
    let other = Settings::new(InstanceName::new("other").unwrap());
    let targets = vec![
        target("a", &server),
        target("b", &server).with_settings(other),
    ];
    let mut reconciler = reconciler(targets);
    pass(&mut reconciler, clock, ONCE, APPLY).await;
    let second = pass(&mut reconciler, clock, ONCE, APPLY).await;
    assert_eq!(second.outcome(), Outcome::Converged);
    assert_eq!(writes(&second), [(0, 0, 0, 0); 2]);
}
