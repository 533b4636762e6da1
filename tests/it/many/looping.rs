//! When is each of many targets asked, and who waits for them? The daemon's loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use silenced::clock::Clock;
use silenced::daemon::{Daemon, Handle, ReadSource};
use silenced::memory::SavedState;
use silenced::reconcile::{Outcome, Target};
use silenced::telemetry::Metrics;
use silenced::zoneinfo::ZoneSource;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::{Server, clock, reconciler, snapshot, target};
use crate::support::passes::ONCE;

/// A daemon over some targets.
struct Running {
    handle: Handle,
    reads: Arc<AtomicUsize>,
    _stop: watch::Sender<bool>,
}

fn run(clock: Clock, targets: Vec<Target<Server>>) -> Running {
    let reads = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&reads);
    let read_source: ReadSource = Box::new(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(Ok(snapshot(ONCE))))
    });
    let (daemon, handle) = Daemon::new(
        reconciler(targets),
        read_source,
        ZoneSource::new(None),
        clock,
        Duration::from_mins(1),
        Arc::new(Metrics::new()),
    );
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(daemon.run(stopped));
    Running {
        handle,
        reads,
        _stop: stop,
    }
}

#[tokio::test(start_paused = true)]
async fn targets_are_asked_at_intervals_of_their_own() {
    let clock = clock();
    let (often, plain, seldom) = (Server::new(clock), Server::new(clock), Server::new(clock));
    let running = run(
        clock,
        vec![
            target("often", &often).with_interval(Duration::from_secs(20)),
            target("plain", &plain),
            target("seldom", &seldom).with_interval(Duration::from_mins(10)),
        ],
    );
    sleep(Duration::from_hours(1)).await;
    assert!((160..=215).contains(&often.lists()), "{}", often.lists());
    assert!((54..=75).contains(&plain.lists()), "{}", plain.lists());
    assert!((6..=8).contains(&seldom.lists()), "{}", seldom.lists());
    let reads = running.reads.load(Ordering::SeqCst);
    let asked = often.lists() + plain.lists() + seldom.lists();
    assert!(
        reads < asked - 10,
        "{reads} readings of the source for {asked} lists"
    );
    // Somebody who asks means all of them.
    let before = seldom.lists();
    let _ = running.handle.trigger.request([]);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(seldom.lists(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_replica_lost_is_made_again_as_soon_as_that_is_certain() {
    let clock = clock();
    let server = Server::new(clock);
    server.memory.alone.store(false, Ordering::SeqCst);
    let seldom = target("seldom", &server).with_interval(Duration::from_hours(1));
    let running = run(clock, vec![seldom]);
    sleep(Duration::from_secs(1)).await;
    let made = server.posts();
    assert!(made > 0);
    let now = server.memory.now();
    server.memory.server().restore(SavedState::default(), now);
    let _ = running.handle.trigger.request([]);
    sleep(Duration::from_mins(1)).await;
    assert_eq!(server.posts(), made, "another replica may have it");
    sleep(Duration::from_mins(1)).await;
    assert_eq!(server.posts(), 2 * made);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_is_answered_while_a_target_hangs_and_its_answer_shows_later() {
    let clock = clock();
    let (hanging, prompt) = (Server::hanging(clock), Server::new(clock));
    let running = run(
        clock,
        vec![target("hanging", &hanging), target("prompt", &prompt)],
    );
    let began = Instant::now();
    let id = running.handle.trigger.request([]);
    let mut status = running.handle.status.clone();
    let answered = status.wait_for(|status| status.pass.is_some() && status.answered >= id);
    drop(answered.await.unwrap());
    assert!(
        began.elapsed() <= Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    // It comes back by itself, without anybody asking.
    hanging.fails.store(false, Ordering::SeqCst);
    sleep(Duration::from_secs(31)).await;
    let pass = running.handle.status.borrow().pass.clone().unwrap();
    assert_eq!(pass.outcome(), Outcome::Converged);
    assert_eq!(hanging.posts(), 1);
}
