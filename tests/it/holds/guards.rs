//! Which plans are too large to be carried out unseen?

use std::fmt::Write as _;

use silenced::plan::{Fingerprint, HoldCause};
use silenced::reconcile::Outcome;

use crate::support::passes::{NIGHTLY, ONCE, holds, plan, writes};
use crate::support::world::World;

#[tokio::test(start_paused = true)]
async fn an_empty_repository_expires_nothing_until_it_is_confirmed() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("once.yaml", ONCE);
    world.sync().await;
    world.delete("once.yaml");
    let pass = world.sync().await;
    assert_eq!(pass.outcome(), Outcome::Held);
    assert_eq!(holds(&pass), [("high-latency", HoldCause::Guard)]);
    assert_eq!(world.ids("high-latency").len(), 1);

    world.confirmed = Some(Fingerprint::new("0123456789abcdef"));
    assert_eq!(writes(&world.sync().await), [(0, 0, 0, 0)], "another plan");
    world.confirmed = Some(plan(&pass).fingerprint.clone());
    assert_eq!(writes(&world.sync().await), [(0, 0, 0, 1)]);
}

#[tokio::test(start_paused = true)]
async fn mass_expiry_is_held_and_replacements_are_not() {
    let many = |count: usize, alert: &str| {
        let mut text = "owner: dba\nsilences:\n".to_owned();
        for index in 0..count {
            let _ = writeln!(
                text,
                "  - {{name: silence-{index}, comment: x, matchers: ['alertname=\"{alert}\"', 'i=\"{index}\"'], \
                 schedule: {{starts_at: \"2026-01-08T12:00:00Z\", duration: 7d}}}}"
            );
        }
        text
    };
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("many.yaml", &many(40, "A"));
    world.sync().await;
    world.write("many.yaml", &many(40, "B"));
    assert_eq!(writes(&world.sync().await), [(0, 0, 40, 0)]);
    world.write("many.yaml", &many(30, "B"));
    assert_eq!(
        writes(&world.sync().await),
        [(0, 0, 0, 10)],
        "ten are never too many"
    );
    world.write("many.yaml", &many(19, "B"));
    let pass = world.sync().await;
    assert_eq!(writes(&pass), [(0, 0, 0, 0)], "11 of 30 are more than 30 %");
    assert_eq!(pass.outcome(), Outcome::Held);
    assert_eq!(holds(&pass).len(), 11);
}

#[tokio::test(start_paused = true)]
async fn too_many_creations_and_mostly_broken_files_are_held() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.settings.guard.max_create = 1;
    world.restart();
    world.write("nightly.yaml", NIGHTLY);
    world.write("once.yaml", ONCE);
    let pass = world.sync().await;
    assert_eq!(writes(&pass), [(0, 0, 0, 0)], "three are more than one");
    world.confirmed = Some(plan(&pass).fingerprint.clone());
    assert_eq!(writes(&world.sync().await), [(3, 0, 0, 0)]);

    world.write("a.yaml", "silences: [");
    world.write("b.yaml", "silences: [");
    world.write("c.yaml", "silences: [");
    world.write("once.yaml", &ONCE.replace("high-latency", "renamed"));
    world.settings.guard.max_create = 100;
    world.restart();
    let pass = world.sync().await;
    assert_eq!(writes(&pass), [(1, 0, 0, 0)]);
    assert_eq!(holds(&pass), [("high-latency", HoldCause::Guard)]);
}
