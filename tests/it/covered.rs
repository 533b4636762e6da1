//! Until when is everything covered if silenced stops now? Said only when it is so.

use std::time::Duration;

use silenced::plan::{Mode, Style, render};
use silenced::reconcile::Mode as Asked;
use silenced::timestamp::Timestamp;

use crate::support::passes::{NIGHTLY, ONCE, plan};
use crate::support::world::World;

const LEASE: &str = r#"
owner: dba
silences:
  - {name: known-defect, comment: x, matchers: ['alertname="Known"'], schedule: always}
"#;

/// A world in step with a schedule and a single window.
async fn in_step() -> World {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("nightly.yaml", NIGHTLY);
    world.write("once.yaml", ONCE);
    assert_eq!(covered(&mut world).await, Some(horizon(&world)));
    world
}

fn horizon(world: &World) -> Timestamp {
    world.clock.now().plus(world.settings.horizon)
}

async fn covered(world: &mut World) -> Option<Timestamp> {
    world.pass_now(Asked::Apply).await.covered_until()
}

#[tokio::test(start_paused = true)]
async fn a_lease_ends_before_the_horizon() {
    let mut world = in_step().await;
    world.write("lease.yaml", LEASE);
    let end = world.clock.now().plus(world.settings.lease);
    assert_eq!(covered(&mut world).await, Some(end));
    world.sleep(world.settings.lease / 4).await;
    assert_eq!(covered(&mut world).await, Some(end), "not renewed yet");
    world.sleep(world.settings.lease / 2).await;
    let renewed = world.clock.now().plus(world.settings.lease);
    assert_eq!(covered(&mut world).await, Some(renewed));
}

#[tokio::test(start_paused = true)]
async fn what_is_held_back_is_not_covered() {
    for (max_create, mode) in [(0, Mode::Sync), (100, Mode::Observe)] {
        let mut world = World::at("2026-01-08T23:00:00Z");
        world.settings.guard.max_create = max_create;
        world.settings.mode = mode;
        world.restart();
        world.write("nightly.yaml", NIGHTLY);
        let pass = world.pass_now(Asked::Apply).await;
        assert_eq!(pass.covered_until(), None, "{mode:?}");
        let text = render(&pass.targets[0].name, plan(&pass), Style::Plain);
        let heading = "default: nothing to do, 0 in place, 2 held";
        assert!(text.starts_with(heading), "{text}");
        assert_eq!(text.contains("(fingerprint "), mode == Mode::Sync, "{text}");
        let shown = &pass.plan_to_json(1)["targets"][0];
        assert_eq!(shown["holds"].as_array().unwrap().len(), 1);
        assert_eq!(shown["holds_left_out"], 1);
        let all = &pass.plan_to_json(2)["targets"][0];
        assert_eq!(all["holds"].as_array().unwrap().len(), 2);
        assert_eq!(all["holds_left_out"], serde_json::Value::Null);
    }
    // A held expiry takes nothing away.
    let mut world = in_step().await;
    world.delete("nightly.yaml");
    world.delete("once.yaml");
    assert_eq!(covered(&mut world).await, Some(horizon(&world)));
}

#[tokio::test(start_paused = true)]
async fn a_suspended_daemon_knows_whether_anything_is_missing() {
    let mut world = in_step().await;
    let expected = Some(horizon(&world));
    assert_eq!(world.plan().await.covered_until(), expected);
    world.write("lease.yaml", LEASE);
    assert_eq!(world.plan().await.covered_until(), None);
}

#[tokio::test(start_paused = true)]
async fn a_broken_file_is_covered_as_its_earlier_version() {
    let mut world = in_step().await;
    world.write("nightly.yaml", "silences: [");
    world.sleep(Duration::from_mins(5)).await;
    assert_eq!(covered(&mut world).await, Some(horizon(&world)));
    world.write("new.yaml", "silences: [");
    assert_eq!(covered(&mut world).await, None, "who knows what it says");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_may_say_anything() {
    let mut world = in_step().await;
    let failed = Err("no connection".to_owned());
    let pass = world.pass_of(failed, Asked::Apply).await;
    assert_eq!(pass.covered_until(), None);
}
