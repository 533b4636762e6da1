//! Are the mistakes of similar programs not repeated? What their users met and
//! no other test here shows. Each name says what must hold.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use silenced::alertmanager::{ApiError, ApiErrorKind, Expired, Listing, Members, SilenceApi};
use silenced::clock::Clock;
use silenced::memory::Version;
use silenced::reconcile::{Outcome, Pass, Reconciler};
use silenced::silence::{SilenceDraft, SilenceId};
use silenced::snapshot::Revision;
use silenced::timestamp::Timestamp;

use crate::support::passes::{NIGHTLY, ONCE, actions, scheduled, writes};
use crate::support::reconciler::{self, lab, reconciler_of, snapshot, target};
use crate::support::world::{InMemory, World};

/// A server that may hang, or answer no request to expire.
#[derive(Clone)]
struct Stubborn {
    memory: InMemory,
    hangs: Arc<AtomicBool>,
    keeps: Arc<AtomicBool>,
}

impl Stubborn {
    fn new(clock: Clock) -> Self {
        Self {
            memory: InMemory::new(Version::default(), clock),
            hangs: Arc::default(),
            keeps: Arc::default(),
        }
    }

    fn live(&self) -> usize {
        let now = self.memory.now();
        let mut server = self.memory.server();
        let silences = server.list(&[], now).into_iter();
        silences
            .filter(|silence| silence.seen(now).is_live())
            .count()
    }
}

impl SilenceApi for Stubborn {
    async fn list(&self) -> Result<Listing, ApiError> {
        if self.hangs.load(Ordering::SeqCst) {
            // As long as the client's timeout.
            tokio::time::sleep(Duration::from_secs(30)).await;
            return Err(ApiError::new(ApiErrorKind::Unknown, "GET", "timeout"));
        }
        self.memory.list().await
    }

    async fn set(&self, draft: &SilenceDraft) -> Result<SilenceId, ApiError> {
        // Others have their turn here, as they would on a network.
        tokio::task::yield_now().await;
        self.memory.set(draft).await
    }

    async fn members(&self) -> Option<Members> {
        self.memory.members().await
    }

    async fn expire(&self, id: &SilenceId) -> Result<Expired, ApiError> {
        if self.keeps.load(Ordering::SeqCst) {
            return Err(ApiError::new(ApiErrorKind::Unknown, "DELETE", "502"));
        }
        self.memory.expire(id).await
    }
}

fn clock() -> Clock {
    Clock::simulated(Timestamp::parse("2026-01-08T23:00:00Z").unwrap())
}

fn reconciler(targets: &[(&str, &Stubborn)]) -> Reconciler<Stubborn> {
    let targets = targets.iter();
    let targets = targets.map(|(name, api)| target(name, (*api).clone()));
    reconciler_of(lab(), targets.collect())
}

async fn pass(reconciler: &mut Reconciler<Stubborn>, clock: Clock, files: &[&str]) -> Pass {
    let revision = Revision::Commit(format!("{:07x}{:033}", files.len(), 0));
    let files = files.iter().enumerate();
    let files = files.map(|(index, text)| (format!("{index}.yaml"), *text));
    reconciler::pass(reconciler, snapshot(revision, files), clock.now()).await
}

#[tokio::test(start_paused = true)]
async fn a_change_of_nothing_but_a_coming_start_is_seen() {
    let mut world = World::at("2026-01-08T12:00:00Z");
    world.write("nightly.yaml", NIGHTLY);
    world.sync().await;
    let ids = world.ids("nightly-info");
    world.write("nightly.yaml", &NIGHTLY.replace("22:00", "21:30"));
    assert_eq!(
        actions(&world.plan().await),
        [
            "update nightly-info: start 2026-01-08T21:00:00Z -> 2026-01-08T20:30:00Z, \
             window 2026-01-08T21:00:00Z -> 2026-01-08T20:30:00Z"
        ]
    );
    world.sync().await;
    assert_eq!(world.ids("nightly-info"), ids);
}

#[tokio::test(start_paused = true)]
async fn an_expiry_that_fails_is_an_error_and_is_tried_again() {
    let clock = clock();
    let server = Stubborn::new(clock);
    let mut reconciler = reconciler(&[("default", &server)]);
    pass(&mut reconciler, clock, &[NIGHTLY, ONCE]).await;
    assert_eq!(server.live(), 3);
    server.keeps.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let pass = pass(&mut reconciler, clock, &[NIGHTLY]).await;
        assert_eq!(pass.outcome(), Outcome::Failed);
        assert_eq!(writes(&pass), [(0, 0, 0, 0)]);
    }
    server.keeps.store(false, Ordering::SeqCst);
    let pass = pass(&mut reconciler, clock, &[NIGHTLY]).await;
    assert_eq!(writes(&pass), [(0, 0, 0, 1)]);
    assert_eq!(server.live(), 2);
}

#[tokio::test(start_paused = true)]
async fn names_that_begin_alike_are_different_names() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    let names = ["a", "a-b", "a-b-c", "a--b", "ab"];
    for name in names {
        let text = ONCE.replace("high-latency", name);
        world.write(&format!("{name}.yaml"), &text);
    }
    world.sync().await;
    for name in names {
        assert_eq!(world.ids(name).len(), 1, "{name}");
    }
    world.delete("a-b.yaml");
    assert_eq!(writes(&world.sync().await), [(0, 0, 0, 1)]);
    for name in names {
        assert_eq!(world.ids(name).len(), usize::from(name != "a-b"), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn windows_longer_than_their_period_are_one_silence() {
    let mut world = World::at("2026-01-08T12:30:00Z");
    // Two hours at 8, 9, 10 and 11 o'clock: from 8 to 13.
    let cron = r#"{cron: "0 8-11 * * *", duration: 2h, timezone: UTC}"#;
    world.write("cron.yaml", &scheduled(cron));
    world.sync().await;
    let windows: Vec<_> = world
        .live()
        .iter()
        .map(|silence| (silence.starts_at.to_string(), silence.ends_at.to_string()))
        .collect();
    let expected = [
        ("2026-01-08T12:30:00Z", "2026-01-08T13:00:00Z"),
        ("2026-01-09T08:00:00Z", "2026-01-09T13:00:00Z"),
    ];
    assert_eq!(
        windows,
        expected.map(|(start, end)| (start.to_owned(), end.to_owned()))
    );
}

#[tokio::test(start_paused = true)]
async fn two_declarations_of_the_same_do_not_fight() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("one.yaml", ONCE);
    world.write("two.yaml", &ONCE.replace("high-latency", "latency-too"));
    assert_eq!(writes(&world.sync().await), [(2, 0, 0, 0)]);
    for _ in 0..10 {
        world.sleep(Duration::from_mins(1)).await;
        assert_eq!(writes(&world.sync().await), [(0, 0, 0, 0)]);
    }
    // Either can go, and the other still mutes.
    world.delete("one.yaml");
    assert_eq!(writes(&world.sync().await), [(0, 0, 0, 1)]);
    assert_eq!(world.ids("latency-too").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_processes_at_once_leave_no_duplicates() {
    let clock = clock();
    let server = Stubborn::new(clock);
    let mut first = reconciler(&[("default", &server)]);
    let mut second = reconciler(&[("default", &server)]);
    let files = [NIGHTLY, ONCE];
    // Both list before either writes.
    let (one, two) = tokio::join!(
        pass(&mut first, clock, &files),
        pass(&mut second, clock, &files)
    );
    assert_eq!(writes(&one), writes(&two));
    assert!(server.live() > 3, "they did not meet");
    tokio::join!(
        pass(&mut first, clock, &files),
        pass(&mut second, clock, &files)
    );
    assert_eq!(server.live(), 3);
    for _ in 0..3 {
        for process in [&mut first, &mut second] {
            tokio::time::sleep(Duration::from_mins(1)).await;
            assert_eq!(writes(&pass(process, clock, &files).await), [(0, 0, 0, 0)]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_silences_without_a_change_are_one_request() {
    let mut text = "owner: dba\nsilences:\n".to_owned();
    for index in 0..10_000 {
        let _ = writeln!(
            text,
            "  - {{name: s-{index}, comment: x, matchers: ['i=\"{index}\"'], \
             schedule: {{starts_at: \"2026-01-08T12:00:00Z\", duration: 7d}}}}"
        );
    }
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("many.yaml", &text);
    assert_eq!(writes(&world.sync().await), [(10_000, 0, 0, 0)]);
    let before = world.counts();
    world.sleep(Duration::from_mins(1)).await;
    world.sync().await;
    let after = world.counts();
    assert_eq!(after.lists, before.lists + 1);
    assert_eq!(
        (after.gets, after.posts, after.deletes),
        (before.gets, before.posts, before.deletes)
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_holds_up_no_other() {
    let clock = clock();
    let (dead, alive) = (Stubborn::new(clock), Stubborn::new(clock));
    dead.hangs.store(true, Ordering::SeqCst);
    let mut reconciler = reconciler(&[("dead", &dead), ("alive", &alive)]);
    let began = clock.now();
    let pass = pass(&mut reconciler, clock, &[NIGHTLY, ONCE]).await;
    assert_eq!(writes(&pass), [(0, 0, 0, 0), (3, 0, 0, 0)]);
    assert!(pass.targets[0].error.is_some());
    assert_eq!(pass.targets[1].error, None);
    assert_eq!(pass.outcome(), Outcome::Failed);
    let lasted = clock.now().since(began);
    assert_eq!(lasted, Duration::from_secs(10), "less than a timeout");
    assert_eq!(alive.live(), 3);
}
