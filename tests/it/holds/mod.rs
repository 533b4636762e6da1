//! What is not done, on purpose? Guards, modes, broken files, stale lists, and
//! sources that cannot be read.

mod broken;
mod definitions;
mod guards;
mod unsettled;

use std::time::Duration;

use serde_json::json;
use silenced::plan::{HoldCause, Mode as WriteMode};
use silenced::reconcile::{Mode, Outcome};

use crate::support::passes::{NIGHTLY, ONCE, holds, scheduled, writes};
use crate::support::world::World;

#[tokio::test(start_paused = true)]
async fn a_source_that_cannot_be_read_changes_nothing() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    let pass = world
        .pass_of(Err("no such branch".to_owned()), Mode::Apply)
        .await;
    assert_eq!(pass.outcome(), Outcome::Failed);
    assert_eq!(world.counts().lists, 0, "nothing to compare with");

    world.write("nightly.yaml", NIGHTLY);
    world.sync().await;
    let shown = world.show();
    let pass = world
        .pass_of(Err("no such branch".to_owned()), Mode::Apply)
        .await;
    assert_eq!(pass.outcome(), Outcome::Failed);
    assert_eq!(pass.source_error.as_deref(), Some("no such branch"));
    assert_eq!(world.show(), shown, "the last good declarations stay");
    assert_eq!(holds(&pass), [], "nothing had to be held up");
}

#[tokio::test(start_paused = true)]
async fn leases_go_on_while_the_source_cannot_be_read() {
    let mut world = World::at("2026-01-08T12:00:00Z");
    world.write("always.yaml", &scheduled("always"));
    world.sync().await;
    let ids = world.ids("high-latency");
    for _ in 0..300 {
        world.sleep(Duration::from_mins(1)).await;
        let unreadable = Err("no such branch".to_owned());
        world.pass_of(unreadable, Mode::Apply).await;
        assert_eq!(world.ids("high-latency"), ids);
    }
}

#[tokio::test(start_paused = true)]
async fn suspended_and_disabled_declarations() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("once.yaml", ONCE);
    world.write("nightly.yaml", NIGHTLY);
    world.sync().await;
    let shown = world.show();
    let with = |line: &str| ONCE.replace("    comment:", &format!("    {line}\n    comment:"));
    world.write(
        "once.yaml",
        &with("suspend: true").replace("Latency", "Lag"),
    );
    let pass = world.sync().await;
    assert_eq!(pass.outcome(), Outcome::Converged);
    assert_eq!(holds(&pass), [("high-latency", HoldCause::Suspended)]);
    assert_eq!(world.show(), shown);
    world.write("once.yaml", &with("enabled: false"));
    assert_eq!(writes(&world.sync().await), [(0, 0, 0, 1)]);
}

#[tokio::test(start_paused = true)]
async fn what_the_policy_refuses_is_held() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("once.yaml", &ONCE.replace("alertname=\"", "alertname!=\""));
    let pass = world.sync().await;
    assert_eq!(writes(&pass), [(0, 0, 0, 0)]);
    assert_eq!(pass.outcome(), Outcome::Held);
    assert_eq!(holds(&pass), [("high-latency", HoldCause::Policy)]);
}

/// The rules for everybody are not those of the program, even if it cannot read
/// them; what nobody declares any more ends all the same.
#[tokio::test(start_paused = true)]
async fn without_the_policy_nothing_is_created_or_updated() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("once.yaml", ONCE);
    world.write("gone.yaml", &ONCE.replace("high-latency", "gone"));
    world.write(
        "lease.yaml",
        &scheduled("always").replace("high-latency", "always-on"),
    );
    world.sync().await;
    let before = world.ids("high-latency");
    world.write("policy.yaml", "rules: [");
    world.write("once.yaml", &ONCE.replace("Known defect.", "Known."));
    world.write("new.yaml", &ONCE.replace("high-latency", "new"));
    world.delete("gone.yaml");
    world.sleep(world.settings.lease / 4 * 3).await;
    let pass = world.sync().await;
    assert_eq!(pass.outcome(), Outcome::Failed);
    assert_eq!(pass.covered_until(), None);
    let names: Vec<_> = ["always-on", "high-latency", "new"]
        .map(|name| (name, HoldCause::Policy))
        .into();
    assert_eq!(holds(&pass), names);
    assert_eq!(writes(&pass), [(0, 1, 0, 1)], "a renewal and an expiry");
    assert_eq!(world.ids("high-latency"), before);
    assert!(!world.show().contains("Known."));

    world.delete("policy.yaml");
    assert_eq!(writes(&world.sync().await), [(1, 1, 0, 0)]);
}

#[tokio::test(start_paused = true)]
async fn modes_hold_what_they_do_not_allow() {
    for (mode, expected) in [
        (WriteMode::Sync, (1, 1, 1, 1)),
        (WriteMode::UpsertOnly, (1, 1, 1, 0)),
        (WriteMode::CreateOnly, (1, 0, 0, 0)),
        (WriteMode::Observe, (0, 0, 0, 0)),
    ] {
        let declared = |name: &str, alert: &str, comment: &str| {
            ONCE.replace("high-latency", name)
                .replace("HighDBLatency", alert)
                .replace("Known defect.", comment)
        };
        let mut world = World::at("2026-01-08T23:00:00Z");
        for name in ["updated", "replaced", "expired"] {
            world.write(&format!("{name}.yaml"), &declared(name, "A", "Defect."));
        }
        world.sync().await;
        world.settings.mode = mode;
        world.restart();
        world.write("updated.yaml", &declared("updated", "A", "Another."));
        world.write("replaced.yaml", &declared("replaced", "B", "Defect."));
        world.delete("expired.yaml");
        world.write("created.yaml", &declared("created", "A", "Defect."));
        let pass = world.sync().await;
        assert_eq!(writes(&pass), [expected], "{mode:?}");
        let shown = pass.plan_to_json(usize::MAX);
        assert_eq!(shown["targets"][0]["actions"], json!([]), "all was done");
        let (created, updated, replaced, expired) = expected;
        let held = holds(&pass);
        assert_eq!(held.len(), 4 - created - updated - replaced - expired);
        assert!(held.iter().all(|(_, cause)| *cause == HoldCause::Mode));
    }
}

#[tokio::test(start_paused = true)]
async fn leases_go_on_under_every_hold_but_the_suspension() {
    let always = scheduled("always");
    let unexplained = always.replace("comment: ", "ticket: ");
    for (file, text, cause) in [
        ("always.yaml", "silences: []\n", HoldCause::Guard),
        ("always.yaml", &unexplained, HoldCause::Policy),
        ("again.yaml", &always, HoldCause::Broken),
    ] {
        let mut world = World::at("2026-01-08T12:00:00Z");
        world.write("always.yaml", &always);
        world.sync().await;
        let ids = world.ids("high-latency");
        world.write(file, text);
        for _ in 0..36 {
            let pass = world.sync().await;
            assert_eq!(holds(&pass), [("high-latency", cause)]);
            world.sleep(Duration::from_mins(5)).await;
        }
        assert_eq!(world.ids("high-latency"), ids, "{cause:?}");
    }
}
