//! How long does a confirmation count? Until the plan that it names is carried
//! out, or is another one.

use std::sync::atomic::Ordering;
use std::time::Duration;

use silenced::plan::Fingerprint;
use silenced::reconcile::{Outcome, Pass};

use super::server::Server;
use super::{APPLY, Asked, DUE, clock, many, pass, reconciler, target};
use crate::support::passes::{ONCE, writes};

const NOTHING: &str = "silences: []\n";

/// Of the plans of all targets.
fn fingerprints(pass: &Pass) -> Vec<Fingerprint> {
    let plans = pass.targets.iter().map(|target| target.plan.as_ref());
    plans
        .map(|plan| plan.unwrap().fingerprint.clone())
        .collect()
}

fn confirm(confirmed: &[Fingerprint]) -> Asked<'_> {
    Asked { confirmed, ..APPLY }
}

#[tokio::test(start_paused = true)]
async fn the_plans_of_several_targets_are_confirmed_at_once() {
    let clock = clock();
    let (one, two) = (Server::new(clock), Server::new(clock));
    let mut reconciler = reconciler(vec![target("one", &one), target("two", &two)]);
    pass(&mut reconciler, clock, ONCE, APPLY).await;
    let held = pass(&mut reconciler, clock, NOTHING, APPLY).await;
    assert_eq!(held.outcome(), Outcome::Held);
    let confirmed = fingerprints(&held);
    assert_ne!(confirmed[0], confirmed[1]);
    let pass = pass(&mut reconciler, clock, NOTHING, confirm(&confirmed)).await;
    assert_eq!(writes(&pass), [(0, 0, 0, 1), (0, 0, 0, 1)]);
}

/// In the next pass there is another plan: for what is left.
#[tokio::test(start_paused = true)]
async fn what_there_was_no_time_for_stays_confirmed() {
    let clock = clock();
    let slow = Server::slow(clock, Duration::from_millis(500));
    let mut reconciler = reconciler(vec![target("slow", &slow)]);
    let text = many(2000);
    pass(&mut reconciler, clock, &text, APPLY).await;
    let held = pass(&mut reconciler, clock, NOTHING, APPLY).await;
    let confirmed = fingerprints(&held);
    slow.set_write_takes(Duration::from_secs(1));
    let first = pass(&mut reconciler, clock, NOTHING, confirm(&confirmed)).await;
    let expired = first.targets[0].report.expired;
    assert!((1000..2000).contains(&expired), "{expired}");
    let second = pass(&mut reconciler, clock, NOTHING, DUE).await;
    assert_eq!(writes(&second), [(0, 0, 0, 2000 - expired)]);
    assert_eq!(second.outcome(), Outcome::Converged);
}

/// Nor may it be used for more than was confirmed.
#[tokio::test(start_paused = true)]
async fn another_plan_is_not_confirmed_with_what_is_left() {
    let clock = clock();
    let slow = Server::slow(clock, Duration::from_millis(500));
    let mut reconciler = reconciler(vec![target("slow", &slow)]);
    pass(&mut reconciler, clock, &many(2000), APPLY).await;
    let all_but_one = many(1);
    let held = pass(&mut reconciler, clock, &all_but_one, APPLY).await;
    let confirmed = fingerprints(&held);
    slow.set_write_takes(Duration::from_secs(1));
    let first = pass(&mut reconciler, clock, &all_but_one, confirm(&confirmed)).await;
    assert!(first.targets[0].report.ran_out_of_time);
    let second = pass(&mut reconciler, clock, NOTHING, DUE).await;
    assert_eq!(writes(&second), [(0, 0, 0, 0)]);
    // And it is not remembered beyond that plan.
    let third = pass(&mut reconciler, clock, &all_but_one, APPLY).await;
    assert_eq!(writes(&third), [(0, 0, 0, 0)]);
    assert_eq!(third.outcome(), Outcome::Held);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_be_listed_is_still_to_be_asked() {
    let clock = clock();
    let server = Server::new(clock);
    let mut reconciler = reconciler(vec![target("a", &server)]);
    pass(&mut reconciler, clock, ONCE, APPLY).await;
    let held = pass(&mut reconciler, clock, NOTHING, APPLY).await;
    let confirmed = fingerprints(&held);
    server.fails.store(true, Ordering::SeqCst);
    pass(&mut reconciler, clock, NOTHING, confirm(&confirmed)).await;
    server.fails.store(false, Ordering::SeqCst);
    let back = pass(&mut reconciler, clock, NOTHING, APPLY).await;
    assert_eq!(writes(&back), [(0, 0, 0, 1)]);
}
