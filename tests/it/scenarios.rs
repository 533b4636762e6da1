//! Do the failures stay mended that the simulation found? Each as the shortest
//! story that shows it.

use std::time::Duration;

use crate::support::passes::{NIGHTLY, ONCE};
use crate::support::world::World;

/// A broken file that nobody can tell anything about was taken for the new name
/// of every file that had gone: declarations removed on purpose came back.
#[tokio::test(start_paused = true)]
async fn a_file_that_breaks_brings_no_removed_declaration_back() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("nightly.yaml", NIGHTLY);
    world.write("once.yaml", ONCE);
    world.sync().await;
    world.delete("once.yaml");
    world.sync().await;
    assert_eq!(world.ids("high-latency").len(), 0);
    let shown = world.show();
    world.sleep(Duration::from_hours(1)).await;
    // It still mentions the removed one.
    world.write("nightly.yaml", "silences: [ # not high-latency");
    world
        .pass_of(Ok(world.snapshot()), silenced::reconcile::Mode::Apply)
        .await;
    assert_eq!(world.show(), shown);
}
