//! What if the server says yes and does nothing? Writes without an effect are
//! noticed, told, and not repeated without end.

use std::sync::atomic::Ordering;
use std::time::Duration;

use expect_test::expect;
use silenced::memory::SavedState;
use silenced::plan::HoldCause;
use silenced::reconcile::{Mode, Outcome, Pass};

use crate::support::passes::{NIGHTLY, ONCE, actions, holds, writes};
use crate::support::world::World;

async fn synced() -> World {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("once.yaml", ONCE);
    world.write("nightly.yaml", NIGHTLY);
    world.sync().await;
    world
}

fn error(pass: &Pass) -> &str {
    pass.targets[0].error.as_deref().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn only_what_changed_or_ended_is_looked_at_again() {
    let mut world = synced().await;
    assert_eq!(world.counts().lists, 1, "new silences need no second look");
    world.sync().await;
    assert_eq!(world.counts().lists, 2, "nothing was written");
    world.write("once.yaml", &ONCE.replace("defect", "fault"));
    assert_eq!(writes(&world.sync().await), [(0, 1, 0, 0)]);
    assert_eq!(world.counts().lists, 4);
    world.write("once.yaml", &ONCE.replace("Latency", "Lag"));
    assert_eq!(writes(&world.sync().await), [(0, 0, 1, 0)]);
    assert_eq!(world.counts().lists, 6);
    world.delete("once.yaml");
    assert_eq!(writes(&world.sync().await), [(0, 0, 0, 1)]);
    assert_eq!(world.counts().lists, 8);
}

#[tokio::test(start_paused = true)]
async fn an_update_without_effect_is_told_and_repeated_ever_less_often() {
    let mut world = synced().await;
    world.api.drops_changes.store(true, Ordering::SeqCst);
    let later = ONCE.replace("01-15T12", "01-16T12");
    world.write("once.yaml", &later);
    let pass = world.pass_now(Mode::Apply).await;
    assert_eq!(pass.outcome(), Outcome::Failed);
    let id = world.ids("high-latency").pop_first().unwrap();
    expect![[r#"
        high-latency: the update of ID was answered with success and has no effect, the server's list still shows it as before (end 2026-01-15T12:00:00Z -> 2026-01-16T12:00:00Z); most likely the clocks of its replicas differ, or one was set back: compare them; it is tried again at 2026-01-08T23:01:00Z"#]]
    .assert_eq(&error(&pass).replace(&id, "ID"));

    let before = world.counts().posts;
    // What else there is goes on meanwhile.
    world.write("other.yaml", &ONCE.replace("high-latency", "other"));
    let pass = world.pass_now(Mode::Apply).await;
    assert_eq!(writes(&pass), [(1, 0, 0, 0)]);
    assert!(error(&pass).contains("has no effect"), "{}", error(&pass));
    let held = ("high-latency", HoldCause::Ineffective);
    assert_eq!(holds(&pass), [held]);
    for _ in 0..240 {
        world.sleep(Duration::from_mins(1)).await;
        let pass = world.pass_now(Mode::Apply).await;
        assert_eq!(pass.outcome(), Outcome::Failed);
    }
    let sent = world.counts().posts - before - 1;
    // After 1, 3, 7 and 15 minutes, and then every 15, in four hours.
    assert!((15..=20).contains(&sent), "{sent} updates");

    world.api.drops_changes.store(false, Ordering::SeqCst);
    world.sleep(Duration::from_mins(15)).await;
    assert_eq!(writes(&world.sync().await), [(0, 1, 0, 0)]);
    assert_eq!(actions(&world.sync().await), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn an_expiry_without_effect_is_told() {
    for alone in [true, false] {
        let mut world = synced().await;
        world.api.alone.store(alone, Ordering::SeqCst);
        world.api.drops_changes.store(true, Ordering::SeqCst);
        world.delete("once.yaml");
        let mut told = None;
        for minute in 0..60 {
            let pass = world.pass_now(Mode::Apply).await;
            if error(&pass).contains("the expiry of") {
                assert!(error(&pass).contains("live until 2026-01-15T12:00:00Z"));
                told.get_or_insert(minute);
            }
            world.sleep(Duration::from_mins(1)).await;
        }
        // Replicas have 90 s to agree before a list is believed.
        assert_eq!(told, Some(if alone { 0 } else { 2 }));
        let sent = world.counts().deletes;
        assert!((4..=10).contains(&sent), "{sent} expiries");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_merely_old_is_no_write_without_effect() {
    let mut world = synced().await;
    world.api.alone.store(false, Ordering::SeqCst);
    world.api.drops_changes.store(true, Ordering::SeqCst);
    world.write("once.yaml", &ONCE.replace("defect", "fault"));
    // As long as replicas may disagree, nothing is known.
    for _ in 0..2 {
        let pass = world.pass_now(Mode::Apply).await;
        assert_eq!(writes(&pass), [(0, 1, 0, 0)]);
        assert_eq!(error(&pass), "");
        world.sleep(Duration::from_secs(40)).await;
    }
    world.api.drops_changes.store(false, Ordering::SeqCst);
    assert_eq!(writes(&world.sync().await), [(0, 1, 0, 0)]);
    // That matter is closed: a later one begins anew.
    world.sleep(Duration::from_hours(1)).await;
    world.api.drops_changes.store(true, Ordering::SeqCst);
    world.write("once.yaml", &ONCE.replace("defect", "bug"));
    assert_eq!(error(&world.pass_now(Mode::Apply).await), "");
}

#[tokio::test(start_paused = true)]
async fn silences_that_never_stay_are_not_made_without_end() {
    for alone in [true, false] {
        let mut world = World::at("2026-01-08T23:00:00Z");
        world.api.alone.store(alone, Ordering::SeqCst);
        world.api.drops_creations.store(true, Ordering::SeqCst);
        world.write("once.yaml", ONCE);
        let mut last = None;
        for _ in 0..360 {
            last = Some(world.pass_now(Mode::Apply).await);
            world.sleep(Duration::from_mins(1)).await;
        }
        let sent = world.counts().posts;
        assert!(
            (12..=45).contains(&sent),
            "{sent} in six hours, alone: {alone}"
        );
        let last = last.unwrap();
        assert_eq!(last.outcome(), Outcome::Failed);
        let held = ("high-latency", HoldCause::Ineffective);
        assert_eq!(holds(&last), [held]);
        assert!(error(&last).contains("each time missing from the server's list later"));
        world.api.drops_creations.store(false, Ordering::SeqCst);
        world.sleep(Duration::from_mins(15)).await;
        assert_eq!(writes(&world.sync().await), [(1, 0, 0, 0)]);
    }
}

/// A server that lost everything once gets it back at once.
#[tokio::test(start_paused = true)]
async fn a_lost_state_is_restored_without_delay() {
    let mut world = synced().await;
    world.restore(SavedState::default());
    assert_eq!(writes(&world.sync().await), [(3, 0, 0, 0)]);
}
