//! What becomes of silences whose file cannot be read any more? It goes on as the
//! newest version that could.

use std::sync::atomic::Ordering;
use std::time::Duration;

use silenced::plan::HoldCause;
use silenced::reconcile::Outcome;

use crate::support::passes::{NIGHTLY, ONCE, actions, holds, scheduled, writes};
use crate::support::world::World;

/// As somebody would break it: the schedule stays readable to people.
fn broken(text: &str) -> String {
    text.replace("matchers:", "matcher:")
}

#[tokio::test(start_paused = true)]
async fn a_broken_file_keeps_its_silences_and_others_go_on() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("nightly.yaml", NIGHTLY);
    world.write("once.yaml", ONCE);
    world.sync().await;
    let before = world.ids("nightly-info");
    world.write("nightly.yaml", &broken(NIGHTLY));
    world.write("once.yaml", &ONCE.replace("Known defect.", "Known."));
    let pass = world.sync().await;
    assert_eq!(writes(&pass), [(0, 1, 0, 0)]);
    assert_eq!(world.ids("nightly-info"), before);
    assert_eq!(pass.outcome(), Outcome::Failed);
    assert_eq!(holds(&pass), [("nightly-info", HoldCause::Broken)]);
}

#[tokio::test(start_paused = true)]
async fn a_broken_file_goes_on_as_its_newest_readable_version() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("nightly.yaml", &NIGHTLY.replace("noise", "chatter"));
    world.write("nightly.yaml", NIGHTLY);
    world.sync().await;
    world.write("nightly.yaml", &broken(NIGHTLY));
    world.write("nightly.yaml", "silences: [");
    for day in 0..3 {
        world.sleep(Duration::from_hours(24)).await;
        world.restart();
        let pass = world.sync().await;
        assert_eq!(pass.outcome(), Outcome::Failed);
        assert_eq!(holds(&pass), [("nightly-info", HoldCause::Broken)]);
        assert_eq!(world.ids("nightly-info").len(), 2, "day {day}");
        assert!(world.show().contains("noise"), "{}", world.show());
    }
    world.write("nightly.yaml", &NIGHTLY.replace("noise", "din"));
    assert_eq!(writes(&world.sync().await), [(0, 2, 0, 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_was_renamed_and_broken_in_one_commit_keeps_its_windows() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("nightly.yaml", NIGHTLY);
    world.write("once.yaml", ONCE);
    world.sync().await;
    let shown = world.show();
    world.rename("nightly.yaml", "night.yaml", &broken(NIGHTLY));
    world.restart();
    assert_eq!(writes(&world.sync().await), [(0, 0, 0, 0)]);
    assert_eq!(world.show(), shown);
    world.sleep(Duration::from_hours(24)).await;
    assert_eq!(writes(&world.sync().await), [(1, 0, 0, 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_declaration_that_moved_out_of_a_broken_file_follows_its_new_one() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write(
        "all.yaml",
        &format!("{NIGHTLY}{}", ONCE.split_once("silences:\n").unwrap().1),
    );
    world.sync().await;
    world.write("once.yaml", &ONCE.replace("defect", "fault"));
    world.write("all.yaml", "silences: [");
    let pass = world.sync().await;
    assert_eq!(writes(&pass), [(0, 1, 0, 0)], "{:?}", actions(&pass));
    assert!(world.show().contains("Known fault."));
    assert_eq!(world.ids("nightly-info").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn without_history_leases_are_renewed_and_pending_silences_kept() {
    let mut world = World::at("2026-01-08T12:00:00Z");
    let always = scheduled("always");
    world.write("always.yaml", &always);
    world.write("nightly.yaml", NIGHTLY);
    world.sync().await;
    let ids = world.ids("high-latency");
    world.write("always.yaml", &broken(&always));
    world.write("nightly.yaml", &broken(NIGHTLY));
    world.write("once.yaml", &ONCE.replace("high-latency", "other"));
    world.has_history = false;
    world.restart();
    for _ in 0..36 {
        world.sync().await;
        world.sleep(Duration::from_mins(5)).await;
    }
    assert_eq!(world.ids("high-latency"), ids);
    assert_eq!(world.ids("nightly-info").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_look_back_that_fails_is_tried_again_with_the_same_commit() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("nightly.yaml", NIGHTLY);
    world.sync().await;
    world.write("nightly.yaml", "silences: [");
    world.restart();
    world.history_fails.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        let pass = world.sync().await;
        assert_eq!(pass.declarations.stand_ins, []);
        assert_eq!(holds(&pass), [("nightly-info", HoldCause::Broken)]);
        assert_eq!(pass.covered_until(), None);
        world.sleep(Duration::from_hours(24)).await;
    }
    assert_eq!(world.ids("nightly-info").len(), 0, "{}", world.show());
    world.history_fails.store(false, Ordering::SeqCst);
    let pass = world.sync().await;
    assert_eq!(writes(&pass), [(2, 0, 0, 0)]);
    assert!(pass.covered_until().is_some());
    // What was found is not looked for again.
    world.history_fails.store(true, Ordering::SeqCst);
    assert_eq!(world.sync().await.declarations.stand_ins.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_look_back_that_fails_loses_nothing_that_the_process_knows() {
    let mut world = World::respecting("2026-01-08T23:00:00Z");
    world.write("nightly.yaml", NIGHTLY);
    world.write("once.yaml", ONCE);
    world.sync().await;
    world.expire_by_hand("high-latency");
    world.write("nightly.yaml", "silences: [");
    world.write("once.yaml", "silences: [");
    for (day, fails) in [true, true, false].into_iter().enumerate() {
        world.history_fails.store(fails, Ordering::SeqCst);
        for _ in 0..2 {
            let pass = world.sync().await;
            assert_eq!(pass.outcome(), Outcome::Failed);
            assert_eq!(pass.declarations.stand_ins.len(), 2);
            assert!(pass.covered_until().is_some());
            assert_eq!(world.ids("nightly-info").len(), 2, "day {day}");
            assert_eq!(world.ids("high-latency").len(), 0, "day {day}");
        }
        world.sleep(Duration::from_hours(24)).await;
        world.write("unrelated.yaml", &format!("silences: [] # {day}"));
    }
}

/// Whoever claims a name too must not end what it stood for.
#[tokio::test(start_paused = true)]
async fn a_name_that_another_file_claims_stays_where_it_was() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("team-a.yaml", NIGHTLY);
    world.sync().await;
    let before = world.ids("nightly-info");
    let other = NIGHTLY.replace("info\"", "critical\"");
    world.write("team-b.yaml", &other);
    for day in 0..3 {
        let pass = world.sync().await;
        assert_eq!(pass.outcome(), Outcome::Failed);
        assert_eq!(pass.covered_until(), None, "the other one is not");
        assert_eq!(holds(&pass), [("nightly-info", HoldCause::Broken)]);
        assert_eq!(world.ids("nightly-info").len(), before.len(), "day {day}");
        assert!(!world.show().contains("critical"), "{}", world.show());
        world.sleep(Duration::from_hours(24)).await;
        world.restart();
    }
    // Neither was there before.
    world.write("team-a.yaml", &NIGHTLY.replace("nightly-info", "new"));
    world.write("team-b.yaml", &other.replace("nightly-info", "new"));
    world.settings.guard.max_expire_percent = 100;
    world.restart();
    world.sync().await;
    assert_eq!(world.ids("new").len(), 0);
}
