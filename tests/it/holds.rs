//! What is not done, on purpose? Guards, modes, broken files, stale lists, and
//! what people did by hand.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::time::Duration;

use silenced::plan::{Fingerprint, HandExpired, HoldCause, Mode as WriteMode};
use silenced::reconcile::{Mode, Outcome};
use silenced::snapshot::{Revision, Snapshot, SnapshotFile};

use crate::support::passes::{NIGHTLY, ONCE, actions, holds, writes};
use crate::support::world::World;

#[tokio::test(start_paused = true)]
async fn a_broken_file_keeps_its_silences_and_others_go_on() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("nightly.yaml", NIGHTLY);
    world.write("once.yaml", ONCE);
    world.sync().await;
    let before = world.ids("nightly-info");
    world.write("nightly.yaml", &NIGHTLY.replace("matchers:", "matcher:"));
    world.write("once.yaml", &ONCE.replace("Known defect.", "Known."));
    let pass = world.sync().await;
    assert_eq!(writes(&pass), [(0, 1, 0, 0)]);
    assert_eq!(world.ids("nightly-info"), before);
    assert_eq!(pass.outcome(), Outcome::Failed);
    assert_eq!(
        holds(&pass),
        [("nightly-info".to_owned(), HoldCause::Broken)]
    );
}

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
    let (before, _) = ONCE.split_once("schedule:").unwrap();
    world.write("always.yaml", &format!("{before}schedule: always\n"));
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
async fn an_empty_repository_expires_nothing_until_it_is_confirmed() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("once.yaml", ONCE);
    world.sync().await;
    world.delete("once.yaml");
    let pass = world.sync().await;
    assert_eq!(pass.outcome(), Outcome::Held);
    assert_eq!(
        holds(&pass),
        [("high-latency".to_owned(), HoldCause::Guard)]
    );
    assert_eq!(world.ids("high-latency").len(), 1);

    world.confirmed = Some(Fingerprint::new("0123456789abcdef"));
    assert_eq!(writes(&world.sync().await), [(0, 0, 0, 0)], "another plan");
    let plan = pass.targets[0].plan.as_ref().unwrap();
    world.confirmed = Some(plan.fingerprint.clone());
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
    assert_eq!(
        holds(&pass),
        [("high-latency".to_owned(), HoldCause::Suspended)]
    );
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
    assert_eq!(
        holds(&pass),
        [("high-latency".to_owned(), HoldCause::Policy)]
    );
}

#[tokio::test(start_paused = true)]
async fn what_somebody_expired_by_hand_is_created_again_and_reported() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("once.yaml", ONCE);
    world.sync().await;
    world.expire_by_hand("high-latency");
    let pass = world.sync().await;
    assert_eq!(writes(&pass), [(1, 0, 0, 0)]);
    let remarks = &pass.targets[0].plan.as_ref().unwrap().remarks;
    assert!(remarks[0].contains("was expired by hand"), "{remarks:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hand_expiry_is_respected_if_so_set_until_a_commit() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.settings.hand_expired = HandExpired::Respect;
    world.restart();
    world.write("once.yaml", ONCE);
    world.sync().await;
    world.sleep(Duration::from_mins(5)).await;
    world.expire_by_hand("high-latency");
    for _ in 0..3 {
        let pass = world.sync().await;
        assert_eq!(writes(&pass), [(0, 0, 0, 0)]);
        assert_eq!(
            holds(&pass),
            [("high-latency".to_owned(), HoldCause::HandExpired)]
        );
        world.restart();
    }
    world.write("once.yaml", &ONCE.replace("defect", "fault"));
    assert_eq!(writes(&world.sync().await), [(1, 0, 0, 0)]);
}

#[tokio::test(start_paused = true)]
async fn what_we_expired_ourselves_is_no_hand_expiry() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.settings.hand_expired = HandExpired::Respect;
    world.restart();
    world.write("nightly.yaml", NIGHTLY);
    world.write("once.yaml", ONCE);
    world.sync().await;
    world.delete("once.yaml");
    assert_eq!(writes(&world.sync().await), [(0, 0, 0, 1)]);
    world.write("once.yaml", ONCE);
    assert_eq!(writes(&world.sync().await), [(1, 0, 0, 0)]);
}

/// Of the expired ones in a directory's name no commit tells which were ours.
#[tokio::test(start_paused = true)]
async fn what_we_expired_for_a_directory_is_no_hand_expiry() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.settings.hand_expired = HandExpired::Respect;
    world.restart();
    let directory = |files: &[(&str, &str)]| {
        let file = |(path, text): &(&str, &str)| SnapshotFile {
            path: (*path).to_owned(),
            content: Ok(text.as_bytes().to_vec()),
        };
        Ok(Snapshot {
            revision: Revision::Directory(format!("{files:?}")),
            files: files.iter().map(file).collect(),
            skipped: Vec::new(),
        })
    };
    let (with, without) = (
        [("nightly.yaml", NIGHTLY), ("once.yaml", ONCE)],
        [("nightly.yaml", NIGHTLY)],
    );
    world.pass_of(directory(&with), Mode::Apply).await;
    let pass = world.pass_of(directory(&without), Mode::Apply).await;
    assert_eq!(writes(&pass), [(0, 0, 0, 1)]);
    let pass = world.pass_of(directory(&with), Mode::Apply).await;
    assert_eq!(writes(&pass), [(1, 0, 0, 0)]);
    world.expire_by_hand("high-latency");
    let pass = world.pass_of(directory(&with), Mode::Apply).await;
    assert_eq!(writes(&pass), [(0, 0, 0, 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_does_not_show_a_new_silence_yet_makes_no_duplicate() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.api.alone.store(false, Ordering::SeqCst);
    let before = world.api.server().save();
    world.write("once.yaml", ONCE);
    world.sync().await;
    let after = world.api.server().save();
    let now = || world.clock.now().to_datetime();
    world.api.server().restore(before, now());
    let pass = world.sync().await;
    assert_eq!(writes(&pass), [(0, 0, 0, 0)]);
    assert_eq!(
        holds(&pass),
        [("high-latency".to_owned(), HoldCause::Unsettled)]
    );
    // The replica has heard of it.
    world
        .api
        .server()
        .restore(after, world.clock.now().to_datetime());
    assert_eq!(actions(&world.sync().await), Vec::<String>::new());
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
    let stale = |world: &World| {
        let now = world.clock.now().to_datetime();
        world.api.server().restore(before.clone(), now);
    };
    stale(&world);
    assert_eq!(writes(&world.sync().await), [(0, 0, 0, 0)]);
    // By now all replicas must have agreed that it is live.
    world.sleep(world.settings.settle).await;
    stale(&world);
    assert_eq!(writes(&world.sync().await), [(0, 0, 0, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_silence_that_never_shows_is_made_again_when_replicas_must_have_agreed() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.api.alone.store(false, Ordering::SeqCst);
    let before = world.api.server().save();
    world.write("once.yaml", ONCE);
    world.sync().await;
    let now = world.clock.now().to_datetime();
    world.api.server().restore(before, now);
    world.sleep(world.settings.settle).await;
    assert_eq!(writes(&world.sync().await), [(1, 0, 0, 0)]);
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
        let (created, updated, replaced, expired) = expected;
        let held = holds(&pass);
        assert_eq!(held.len(), 4 - created - updated - replaced - expired);
        assert!(held.iter().all(|(_, cause)| *cause == HoldCause::Mode));
    }
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
    let plan = pass.targets[0].plan.as_ref().unwrap();
    world.confirmed = Some(plan.fingerprint.clone());
    assert_eq!(writes(&world.sync().await), [(3, 0, 0, 0)]);

    world.write("a.yaml", "silences: [");
    world.write("b.yaml", "silences: [");
    world.write("c.yaml", "silences: [");
    world.write("once.yaml", &ONCE.replace("high-latency", "renamed"));
    world.settings.guard.max_create = 100;
    world.restart();
    let pass = world.sync().await;
    assert_eq!(writes(&pass), [(1, 0, 0, 0)]);
    assert_eq!(
        holds(&pass),
        [("high-latency".to_owned(), HoldCause::Guard)]
    );
}

/// As somebody would break it: the schedule stays readable to people.
fn broken(text: &str) -> String {
    text.replace("matchers:", "matcher:")
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
        assert_eq!(
            holds(&pass),
            [("nightly-info".to_owned(), HoldCause::Broken)]
        );
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
    let always = ONCE.split_once("schedule:").unwrap().0.to_owned() + "schedule: always\n";
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

#[tokio::test(start_paused = true)]
async fn leases_go_on_under_every_hold_but_the_suspension() {
    let always = ONCE.split_once("schedule:").unwrap().0.to_owned() + "schedule: always\n";
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
            assert_eq!(holds(&pass), [("high-latency".to_owned(), cause)]);
            world.sleep(Duration::from_mins(5)).await;
        }
        assert_eq!(world.ids("high-latency"), ids, "{cause:?}");
    }
}
