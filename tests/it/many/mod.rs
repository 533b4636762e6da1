//! Can targets hurt each other? Many of them, some of which hang, fail, or are
//! slow, on simulated time.

mod census;
mod confirmed;
mod looping;
mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use silenced::apply::CONCURRENCY;
use silenced::clock::Clock;
use silenced::name::InstanceName;
use silenced::plan::{Fingerprint, Settings};
use silenced::reconcile::{Mode, Outcome, Pass, PassOptions, Reconciler, Target, TargetState};
use silenced::snapshot::{Revision, Snapshot};
use silenced::telemetry::Metrics;
use silenced::timestamp::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::support::passes::{ONCE, writes};
use crate::support::reconciler::{self, lab, reconciler_of};
use server::Server;

fn clock() -> Clock {
    Clock::simulated(Timestamp::parse("2026-01-08T23:00:00Z").unwrap())
}

fn target(name: &str, server: &Server) -> Target<Server> {
    reconciler::target(name, server.clone())
}

fn reconciler(targets: Vec<Target<Server>>) -> Reconciler<Server> {
    reconciler_of(lab(), targets)
}

/// A server that takes so long for each write, one that takes no time, and who
/// writes to both.
fn slow_and_prompt(clock: Clock, write_takes: Duration) -> (Server, Server, Reconciler<Server>) {
    let slow = Server::slow(clock, write_takes);
    let prompt = Server::new(clock);
    let targets = vec![target("slow", &slow), target("prompt", &prompt)];
    (slow, prompt, reconciler(targets))
}

fn snapshot(text: &str) -> Snapshot {
    reconciler::snapshot(Revision::Directory(text.to_owned()), [("all.yaml", text)])
}

/// So many declarations.
fn many(count: usize) -> String {
    let one = |index: usize| {
        format!(
            "  - {{name: s-{index}, comment: x, matchers: ['i=\"{index}\"'], \
             schedule: {{starts_at: \"2026-01-08T12:00:00Z\", duration: 7d}}}}\n"
        )
    };
    let all: String = (0..count).map(one).collect();
    format!("owner: dba\nsilences:\n{all}")
}

struct Asked<'a> {
    mode: Mode,
    insist: bool,
    confirmed: &'a [Fingerprint],
}

const APPLY: Asked<'_> = Asked {
    mode: Mode::Apply,
    insist: true,
    confirmed: &[],
};

const DUE: Asked<'_> = Asked {
    mode: Mode::Apply,
    insist: false,
    confirmed: &[],
};

async fn pass(
    reconciler: &mut Reconciler<Server>,
    clock: Clock,
    text: &str,
    asked: Asked<'_>,
) -> Pass {
    let (keep, stop) = watch::channel(false);
    // What goes on after the pass would take a dropped sender for a stop.
    std::mem::forget(keep);
    let options = PassOptions {
        mode: asked.mode,
        insist: asked.insist,
        confirmed: asked.confirmed,
        now: clock.now(),
        stop: &stop,
    };
    reconciler.pass(Ok(snapshot(text)), options).await
}

/// Next to no patience was had.
#[track_caller]
fn assert_brief(began: Instant) {
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
}

fn error(pass: &Pass, index: usize) -> &str {
    pass.targets[index].error.as_deref().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn of_a_thousand_targets_one_hangs_and_ten_fail_and_the_others_do_not_notice() {
    let clock = clock();
    let servers: Vec<Server> = (0..1000)
        .map(|index| match index {
            0 => Server::hanging(clock),
            1..=10 => {
                let server = Server::new(clock);
                server.fails.store(true, Ordering::SeqCst);
                server
            }
            _ => Server {
                list_takes: Duration::from_millis(50),
                ..Server::new(clock)
            },
        })
        .collect();
    let named = |(index, server): (usize, &Server)| target(&format!("t-{index}"), server);
    let mut reconciler = reconciler(servers.iter().enumerate().map(named).collect());

    let began = Instant::now();
    let first = pass(&mut reconciler, clock, ONCE, APPLY).await;
    assert_eq!(began.elapsed().as_secs(), 10, "as long as patience lasts");
    let of = |pass: &Pass, state: TargetState| {
        let states = pass.targets.iter().filter(|target| target.state() == state);
        states.count()
    };
    assert_eq!(of(&first, TargetState::Busy), 1);
    assert_eq!(of(&first, TargetState::Failing), 10);
    assert_eq!(of(&first, TargetState::Ok), 989);
    assert!(servers[11..].iter().all(|server| server.posts() == 1));
    assert_eq!(
        error(&first, 0),
        "no answer yet, asked 10 s ago; the others were not kept waiting, and a later pass shows \
         what came of it"
    );

    // While it hangs it is neither waited for nor asked again.
    let began = Instant::now();
    let second = pass(&mut reconciler, clock, ONCE, APPLY).await;
    assert_brief(began);
    assert_eq!(of(&second, TargetState::Busy), 1);
    assert_eq!(servers[0].lists(), 1);

    // Somebody asked meanwhile, so that it gets its turn when it is done, and
    // now that it is known, next to no patience.
    reconciler.straggler_ended().await;
    let began = Instant::now();
    let third = pass(&mut reconciler, clock, ONCE, APPLY).await;
    assert_brief(began);
    assert_eq!(servers[0].lists(), 2);
    let hanging = &third.targets[0];
    assert_eq!(hanging.state(), TargetState::Busy);
    assert_eq!(
        hanging.failing_since,
        Some(first.started),
        "since the first time"
    );
    assert!(servers[11..].iter().all(|server| server.posts() == 1));
}

#[tokio::test(start_paused = true)]
async fn a_write_in_flight_is_seen_through_and_counted_once() {
    let clock = clock();
    let (slow, prompt, mut reconciler) = slow_and_prompt(clock, Duration::from_secs(25));
    let metrics = Metrics::new();
    let record = |pass: &Pass| {
        let cause = silenced::telemetry::Cause::Interval;
        metrics.record(cause, pass, clock.now());
    };
    let first = pass(&mut reconciler, clock, ONCE, APPLY).await;
    record(&first);
    assert_eq!(writes(&first), [(0, 0, 0, 0), (1, 0, 0, 0)]);
    assert_eq!(first.outcome(), Outcome::Failed);
    assert_eq!(slow.posts(), 0);
    reconciler.straggler_ended().await;
    assert_eq!(slow.posts(), 1, "it was not dropped");
    let second = pass(&mut reconciler, clock, ONCE, DUE).await;
    record(&second);
    assert_eq!(second.outcome(), Outcome::Converged);
    let json = second.to_json(1);
    assert_eq!(json["targets"][0]["created"], 1, "this pass took it in");
    assert_eq!(json["targets"][1]["created"], 0, "that was the pass before");
    let third = pass(&mut reconciler, clock, ONCE, DUE).await;
    record(&third);
    let text = metrics.encode();
    let assert_line = |line: &str| {
        let is_there = text.lines().any(|found| found == line);
        assert!(is_there, "no {line} in {text}");
    };
    for target in ["slow", "prompt"] {
        assert_line(&format!(
            "silenced_silence_operations_total{{target=\"{target}\",operation=\"create\",result=\"success\"}} 1"
        ));
    }
    assert_eq!((slow.lists(), prompt.lists()), (1, 1), "neither was due");
    assert_line("silenced_targets{state=\"ok\"} 2");
    assert_line("silenced_targets{state=\"busy\"} 0");
}

#[tokio::test(start_paused = true)]
async fn what_there_was_no_time_for_is_next() {
    let clock = clock();
    let slow = Server::slow(clock, Duration::from_secs(1));
    let mut reconciler = reconciler(vec![target("slow", &slow)]);
    let text = many(3000);
    let began = Instant::now();
    let first = pass(&mut reconciler, clock, &text, APPLY).await;
    assert_eq!(began.elapsed().as_secs(), 60);
    assert_eq!(writes(&first), [(60 * CONCURRENCY, 0, 0, 0)]);
    let left = 3000 - 60 * CONCURRENCY;
    assert_eq!(first.targets[0].report.not_attempted, left);
    assert_eq!(
        error(&first, 0),
        format!(
            "there was no time for {left} more actions; the next pass goes on with them at once"
        )
    );
    assert_eq!(
        outstanding(&first, 0),
        left,
        "what was done is planned no more"
    );
    assert!(reconciler.next_due().unwrap() <= Instant::now());
    pass(&mut reconciler, clock, &text, DUE).await;
    let third = pass(&mut reconciler, clock, &text, DUE).await;
    assert_eq!((slow.posts(), third.outcome()), (3000, Outcome::Converged));
    assert_eq!(outstanding(&third, 0), 0);
    assert!(!third.has_changes());
}

/// Plans are kept to be looked at, and are bounded; what was done needs no look.
#[tokio::test(start_paused = true)]
async fn the_longest_plans_are_cut_and_what_is_left_out_is_counted() {
    let clock = clock();
    let servers = ["a", "b", "c"].map(|name| target(name, &Server::new(clock)));
    let mut reconciler = reconciler(servers.into());
    let text = many(8000);
    let observe = Asked {
        mode: Mode::Observe,
        ..APPLY
    };
    let observed = pass(&mut reconciler, clock, &text, observe).await;
    let mut shown = [0, 1, 2].map(|index| outstanding(&observed, index));
    shown.sort_unstable();
    assert_eq!(shown, [4000, 8000, 8000]);
    let left_out = [0, 1, 2].map(|index| observed.targets[index].left_out);
    assert_eq!(left_out.iter().sum::<usize>(), 4000);
    assert!(observed.targets.iter().all(|target| target.held() == 8000));

    let applied = pass(&mut reconciler, clock, &text, APPLY).await;
    assert_eq!(writes(&applied), [(8000, 0, 0, 0); 3]);
    assert_eq!([0, 1, 2].map(|index| outstanding(&applied, index)), [0; 3]);
    assert!(!applied.has_changes(), "nor is anything left out");
    assert!(applied.targets.iter().all(|target| target.held() == 0));
}

/// The actions that the plan of a target shows.
fn outstanding(pass: &Pass, index: usize) -> usize {
    let shown = pass.plan_to_json(0);
    shown["targets"][index]["actions"].as_array().unwrap().len()
}

/// A command that makes one pass has no later one.
#[tokio::test(start_paused = true)]
async fn a_thorough_pass_leaves_nothing_to_a_later_one() {
    let clock = clock();
    let (_, _, reconciler) = slow_and_prompt(clock, Duration::from_secs(1));
    let mut reconciler = reconciler.thorough();
    let pass = pass(&mut reconciler, clock, &many(1000), APPLY).await;
    assert_eq!(writes(&pass), [(1000, 0, 0, 0), (1000, 0, 0, 0)]);
}

/// Replicas have their time to agree from a write on, not from the list before it.
#[tokio::test(start_paused = true)]
async fn writing_that_takes_long_is_not_believed_to_be_long_ago() {
    let clock = clock();
    let slow = Server::slow(clock, Duration::from_secs(100));
    slow.memory.alone.store(false, Ordering::SeqCst);
    let mut reconciler = reconciler(vec![target("slow", &slow)]);
    pass(&mut reconciler, clock, &many(1), APPLY).await;
    slow.memory.drops_changes.store(true, Ordering::SeqCst);
    let changed = many(1).replace("comment: x", "comment: y");
    let updated = pass(&mut reconciler, clock, &changed, APPLY).await;
    assert_eq!(writes(&updated), [(0, 1, 0, 0)]);
    assert_eq!(updated.targets[0].error, None);
    let repeated = pass(&mut reconciler, clock, &changed, APPLY).await;
    assert!(error(&repeated, 0).contains("has no effect"), "now it is");
}

#[tokio::test(start_paused = true)]
async fn suspending_ends_the_writing_that_an_earlier_pass_began() {
    let clock = clock();
    let (slow, _, mut reconciler) = slow_and_prompt(clock, Duration::from_secs(1));
    let text = many(1000);
    pass(&mut reconciler, clock, &text, APPLY).await;
    let observe = || Asked {
        mode: Mode::Observe,
        ..APPLY
    };
    pass(&mut reconciler, clock, &text, observe()).await;
    let written = slow.posts();
    // As long as a pass waits for a slow one.
    let at_once = CONCURRENCY as u64;
    assert!((9 * at_once..12 * at_once).contains(&written), "{written}");
    sleep(Duration::from_mins(5)).await;
    assert!(slow.posts() <= written + at_once, "only what was in flight");
    let resumed = pass(&mut reconciler, clock, &text, APPLY).await;
    assert_eq!(resumed.targets[0].state(), TargetState::Busy);
    sleep(Duration::from_mins(5)).await;
    assert!(slow.posts() > written + at_once, "it goes on");
}

#[tokio::test(start_paused = true)]
async fn suspending_ends_the_writing_of_the_pass_under_way() {
    let clock = clock();
    let slow = Server::slow(clock, Duration::from_secs(1));
    let mut reconciler = reconciler(vec![target("slow", &slow)]);
    let suspended = Arc::new(AtomicBool::new(false));
    reconciler.use_suspension(Arc::clone(&suspended));
    let switch = async {
        sleep(Duration::from_millis(3500)).await;
        suspended.store(true, Ordering::SeqCst);
    };
    let began = Instant::now();
    let text = many(1000);
    let (first, ()) = tokio::join!(pass(&mut reconciler, clock, &text, APPLY), switch);
    assert!(began.elapsed() <= Duration::from_secs(5));
    let written = 4 * CONCURRENCY;
    assert_eq!(writes(&first), [(written, 0, 0, 0)]);
    assert_eq!(first.targets[0].report.not_attempted, 1000 - written);
    assert_eq!(
        error(&first, 0),
        format!("stopped before {} actions were begun", 1000 - written)
    );
}

#[tokio::test(start_paused = true)]
async fn dropping_the_reconciler_drops_what_is_under_way() {
    let clock = clock();
    let (slow, _, mut reconciler) = slow_and_prompt(clock, Duration::from_secs(1));
    pass(&mut reconciler, clock, &many(1000), APPLY).await;
    drop(reconciler);
    let written = slow.posts();
    sleep(Duration::from_mins(5)).await;
    assert_eq!(slow.posts(), written);
    assert_eq!(Arc::strong_count(&slow.lists), 1, "nobody else holds it");
}

#[tokio::test(start_paused = true)]
async fn each_target_goes_by_settings_of_its_own() {
    let clock = clock();
    let (plain, other) = (Server::new(clock), Server::new(clock));
    let settings = Settings {
        horizon: Duration::from_hours(48),
        ..Settings::new(InstanceName::new("other").unwrap())
    };
    let targets = vec![
        target("plain", &plain),
        target("other", &other).with_settings(settings),
    ];
    let mut reconciler = reconciler(targets);
    let in_36_hours = ONCE.replace("01-08T12", "01-10T11");
    let pass = pass(&mut reconciler, clock, &in_36_hours, APPLY).await;
    assert_eq!(writes(&pass), [(0, 0, 0, 0), (1, 0, 0, 0)]);
    let now = other.memory.now();
    let mut memory = other.memory.server();
    assert!(memory.list(&[], now)[0].comment.contains("instance=other"));
    // As far as every target is covered.
    let expected = pass.started.plus(Duration::from_hours(24));
    assert_eq!(pass.covered_until(), Some(expected));
}
