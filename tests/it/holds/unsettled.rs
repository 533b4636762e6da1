//! What does a list not tell yet? Replicas that lag, and requests that are on
//! their way still.

use std::sync::atomic::Ordering;

use silenced::plan::HoldCause;
use silenced::reconcile::{Mode, Outcome};

use crate::support::passes::{NIGHTLY, ONCE, actions, holds, writes};
use crate::support::world::World;

#[tokio::test(start_paused = true)]
async fn a_list_that_does_not_show_a_new_silence_yet_makes_no_duplicate() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.api.alone.store(false, Ordering::SeqCst);
    let before = world.api.server().save();
    world.write("once.yaml", ONCE);
    world.sync().await;
    let after = world.api.server().save();
    world.restore(before);
    let pass = world.sync().await;
    assert_eq!(writes(&pass), [(0, 0, 0, 0)]);
    assert_eq!(holds(&pass), [("high-latency", HoldCause::Unsettled)]);
    // The replica has heard of it.
    world.restore(after);
    assert_eq!(actions(&world.sync().await), Vec::<String>::new());
}

/// Another replica answers, or an operator sets the clock: what was written a moment
/// ago is no older for that.
#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_forward_settles_nothing() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.api.alone.store(false, Ordering::SeqCst);
    let before = world.api.server().save();
    world.write("once.yaml", ONCE);
    world.sync().await;
    world.restore(before);
    world.api.ahead.store(600, Ordering::SeqCst);
    let pass = world.sync().await;
    assert_eq!(writes(&pass), [(0, 0, 0, 0)]);
    assert_eq!(holds(&pass), [("high-latency", HoldCause::Unsettled)]);
    // However far it is set back, it takes no longer to be made again.
    world.sleep(world.settings.settle).await;
    world.api.ahead.store(-600, Ordering::SeqCst);
    assert_eq!(writes(&world.sync().await), [(1, 0, 0, 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_still_shows_an_expired_silence_is_waited_for() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.api.alone.store(false, Ordering::SeqCst);
    world.write("nightly.yaml", NIGHTLY);
    world.write("once.yaml", ONCE);
    world.sync().await;
    let before = world.api.server().save();
    world.delete("once.yaml");
    assert_eq!(writes(&world.sync().await), [(0, 0, 0, 1)]);
    world.restore(before.clone());
    assert_eq!(writes(&world.sync().await), [(0, 0, 0, 0)]);
    // By now all replicas must have agreed that it is live.
    world.sleep(world.settings.settle).await;
    world.restore(before);
    assert_eq!(writes(&world.sync().await), [(0, 0, 0, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_silence_that_never_shows_is_made_again_when_replicas_must_have_agreed() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.api.alone.store(false, Ordering::SeqCst);
    let before = world.api.server().save();
    world.write("once.yaml", ONCE);
    world.sync().await;
    world.restore(before);
    world.sleep(world.settings.settle).await;
    assert_eq!(writes(&world.sync().await), [(1, 0, 0, 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_silence_whose_expiry_may_be_on_its_way_is_not_relied_on() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("once.yaml", ONCE);
    world.sync().await;
    let doomed = world.live()[0].id.clone();
    world.api.delays_expiries.store(true, Ordering::SeqCst);
    world.write("once.yaml", &ONCE.replace("Latency", "Lag"));
    let pass = world.pass_now(Mode::Apply).await;
    assert_eq!(pass.outcome(), Outcome::Failed, "the expiry timed out");
    assert_eq!(world.ids("high-latency").len(), 2);

    // Somebody takes it back, and the doomed silence has what is wanted again.
    world.api.delays_expiries.store(false, Ordering::SeqCst);
    world.write("once.yaml", ONCE);
    world.sync().await;
    let now = world.clock.now().to_datetime();
    // Its expiry arrives at last.
    let _ = world.api.server().delete(&doomed, now);
    assert_eq!(world.ids("high-latency").len(), 1, "{}", world.show());
    assert!(world.show().contains("HighDBLatency"), "{}", world.show());
}
