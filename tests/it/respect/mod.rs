//! Who ended a silence before its time? With `hand_expired: respect`, what
//! happened to its declaration since it was written decides: nothing, then it
//! was a person; anything, then it may have been an earlier process of ours.

mod git;

use std::time::Duration;

use silenced::plan::HoldCause;
use silenced::reconcile::{Mode, Pass};
use silenced::silence::SilenceDraft;
use silenced::snapshot::Revision;

use crate::support::passes::{NIGHTLY, ONCE, holds, plan, scheduled, writes};
use crate::support::reconciler::snapshot;
use crate::support::world::{World, text_of};

/// A silence of [`ONCE`] beside others, where it is respected if one is ended.
async fn in_force() -> World {
    let mut world = World::respecting("2026-01-08T23:00:00Z");
    world.write("nightly.yaml", NIGHTLY);
    world.write("once.yaml", ONCE);
    world.sync().await;
    world
}

/// The same, and somebody has just ended it.
async fn ended() -> World {
    let world = in_force().await;
    world.sleep(Duration::from_mins(5)).await;
    world.expire_by_hand("high-latency");
    world
}

async fn stays_ended(world: &mut World) {
    let pass = world.sync().await;
    assert_eq!(writes(&pass), [(0, 0, 0, 0)]);
    assert_eq!(holds(&pass), [("high-latency", HoldCause::HandExpired)]);
}

async fn is_made_again(world: &mut World) -> Pass {
    let pass = world.sync().await;
    assert_eq!(writes(&pass), [(1, 0, 0, 0)]);
    assert_eq!(holds(&pass), []);
    pass
}

fn remarks(pass: &Pass) -> &[String] {
    &plan(pass).remarks
}

#[tokio::test(start_paused = true)]
async fn what_somebody_expired_by_hand_is_created_again_and_reported() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("once.yaml", ONCE);
    world.sync().await;
    world.expire_by_hand("high-latency");
    let pass = world.sync().await;
    assert_eq!(writes(&pass), [(1, 0, 0, 0)]);
    let remarks = remarks(&pass);
    assert!(remarks[0].contains("was expired by hand"), "{remarks:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hand_expiry_is_respected_if_so_set_until_a_commit() {
    let mut world = World::respecting("2026-01-08T23:00:00Z");
    world.write("once.yaml", ONCE);
    world.sync().await;
    world.sleep(Duration::from_mins(5)).await;
    world.expire_by_hand("high-latency");
    for _ in 0..3 {
        stays_ended(&mut world).await;
        world.restart();
    }
    world.write("once.yaml", &ONCE.replace("defect", "fault"));
    is_made_again(&mut world).await;
}

#[tokio::test(start_paused = true)]
async fn what_we_expired_ourselves_is_no_hand_expiry() {
    let mut world = in_force().await;
    world.delete("once.yaml");
    assert_eq!(writes(&world.sync().await), [(0, 0, 0, 1)]);
    world.write("once.yaml", ONCE);
    assert_eq!(writes(&world.sync().await), [(1, 0, 0, 0)]);
}

/// Of the expired ones in a directory's name no commit tells which were ours.
#[tokio::test(start_paused = true)]
async fn what_we_expired_for_a_directory_is_no_hand_expiry() {
    let mut world = World::respecting("2026-01-08T23:00:00Z");
    let directory = |files: &[(&str, &str)]| {
        let revision = Revision::Directory(format!("{files:?}"));
        Ok(snapshot(revision, files.iter().copied()))
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
async fn unrelated_commits_change_nothing() {
    let mut world = ended().await;
    stays_ended(&mut world).await;
    world.write("nightly.yaml", &NIGHTLY.replace("waits", "can wait"));
    // The other one has windows tonight and tomorrow night.
    assert_eq!(writes(&world.sync().await), [(0, 2, 0, 0)]);
    world.write("README.yaml", "# Nothing yet.\n");
    stays_ended(&mut world).await;
    // In its own file too, where it moves down by some lines.
    let beside = ONCE.replace(
        "silences:\n",
        "silences:\n  - {name: other, comment: c, matchers: [a=b], enabled: false, schedule: always}\n",
    );
    world.write("once.yaml", &beside);
    stays_ended(&mut world).await;
    world.restart();
    stays_ended(&mut world).await;
    world.write("README.yaml", "# Still nothing.\n");
    stays_ended(&mut world).await;
}

#[tokio::test(start_paused = true)]
async fn commits_that_nobody_read_before_a_restart_count_too() {
    let mut world = ended().await;
    world.write("README.yaml", "# Nothing yet.\n");
    world.restart();
    stays_ended(&mut world).await;

    let mut world = ended().await;
    world.write("once.yaml", &ONCE.replace("defect", "fault"));
    world.write("once.yaml", ONCE);
    world.restart();
    is_made_again(&mut world).await;
}

#[tokio::test(start_paused = true)]
async fn a_declaration_that_was_changed_and_changed_back_is_another() {
    for restarts in [false, true] {
        let mut world = ended().await;
        world.write("once.yaml", &ONCE.replace("2026-01-15", "2026-01-14"));
        is_made_again(&mut world).await;
        world.expire_by_hand("high-latency");
        stays_ended(&mut world).await;
        world.write("once.yaml", ONCE);
        if restarts {
            world.restart();
        }
        is_made_again(&mut world).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_declaration_that_was_removed_and_added_again_is_another() {
    for restarts in [false, true] {
        let mut world = ended().await;
        stays_ended(&mut world).await;
        world.delete("once.yaml");
        assert_eq!(writes(&world.sync().await), [(0, 0, 0, 0)]);
        world.write("once.yaml", ONCE);
        world.write("README.yaml", "# Nothing yet.\n");
        if restarts {
            world.restart();
        }
        let pass = is_made_again(&mut world).await;
        assert_eq!(remarks(&pass), [""; 0], "it is known to be another");
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_process_ended_is_no_hand_expiry() {
    let mut world = in_force().await;
    world.write("once.yaml", &format!("{ONCE}    enabled: false\n"));
    assert_eq!(writes(&world.sync().await), [(0, 0, 0, 1)]);
    world.restart();
    world.write("once.yaml", ONCE);
    world.write("README.yaml", "# Nothing yet.\n");
    is_made_again(&mut world).await;
}

/// Somebody copied a silence, an earlier process expired one of the two, and
/// then the marker of the other was taken away.
#[tokio::test(start_paused = true)]
async fn a_duplicate_that_an_earlier_process_ended_is_no_hand_expiry() {
    let mut world = World::respecting("2026-01-08T23:00:00Z");
    world.write("once.yaml", ONCE);
    world.sync().await;
    let original = world.live().remove(0);
    world.person_silences(&text_of(&original.matchers), &original.comment);
    world.sleep(Duration::from_mins(5)).await;
    assert_eq!(world.sync().await.targets[0].report.expired, 1);
    let kept = world.live().remove(0);
    let unmarked = SilenceDraft {
        id: Some(kept.id),
        matchers: kept.matchers,
        starts_at: kept.starts_at,
        ends_at: kept.ends_at,
        created_by: kept.created_by,
        comment: "mine now".to_owned(),
        annotations: kept.annotations,
    };
    let now = world.api.now();
    world.api.server().put(unmarked.into(), now).unwrap();
    world.restart();
    is_made_again(&mut world).await;
}

#[tokio::test(start_paused = true)]
async fn a_declaration_that_moves_to_another_file_is_the_same() {
    let mut world = ended().await;
    world.rename("once.yaml", "dba/once.yaml", ONCE);
    stays_ended(&mut world).await;
    world.restart();
    stays_ended(&mut world).await;
}

/// It goes on as it was, and so does what somebody did to its silence.
#[tokio::test(start_paused = true)]
async fn a_file_that_breaks_does_not_bring_a_silence_back() {
    let mut world = ended().await;
    stays_ended(&mut world).await;
    world.write("once.yaml", &ONCE.replace("matchers:", "matcher:"));
    for _ in 0..2 {
        let pass = world.sync().await;
        assert_eq!(writes(&pass), [(0, 0, 0, 0)]);
        let causes = holds(&pass).into_iter().map(|(_, cause)| cause);
        assert_eq!(
            causes.collect::<Vec<_>>(),
            [HoldCause::Broken, HoldCause::HandExpired]
        );
        world.restart();
    }
}

#[tokio::test(start_paused = true)]
async fn a_calendar_that_changes_in_between_makes_it_another() {
    let nights = |end: &str| {
        format!(
            "time_intervals:\n  - name: nights\n    time_intervals: [{{times: [{{start_time: '20:00', end_time: '{end}'}}], location: UTC}}]\n"
        )
    };
    let user = scheduled("{time_interval: nights}");
    for (between, is_same) in [("24:00", true), ("22:00", false)] {
        let mut world = World::respecting("2026-01-08T21:00:00Z");
        world.write("names.yaml", &nights("24:00"));
        world.write("once.yaml", &user);
        world.sync().await;
        world.sleep(Duration::from_mins(5)).await;
        world.expire_by_hand("high-latency");
        world.write("names.yaml", &format!("# Edited.\n{}", nights(between)));
        world.write("names.yaml", &nights("24:00"));
        world.restart();
        let pass = world.sync().await;
        // Tonight's and tomorrow's.
        let (held, made) = if is_same { (2, 0) } else { (0, 2) };
        assert_eq!(holds(&pass).len(), held, "{between}");
        assert_eq!(writes(&pass), [(made, 0, 0, 0)], "{between}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_history_a_silence_is_made_again_and_that_is_told() {
    let mut world = ended().await;
    world.has_history = false;
    world.write("README.yaml", "# Nothing yet.\n");
    world.restart();
    let pass = is_made_again(&mut world).await;
    let [remark] = remarks(&pass) else {
        panic!("{:?}", remarks(&pass))
    };
    assert!(
        remark.starts_with("high-latency was expired before its time at 2026-01-08T23:05:00Z (")
            && remark.ends_with("), by hand or by an earlier process, and is created again"),
        "{remark}"
    );
}
