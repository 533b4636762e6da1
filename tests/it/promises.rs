//! Are the promises of the reconciler kept? Each on a server in memory and on
//! simulated time.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use expect_test::expect;
use silenced::memory::{SavedState, Version};
use silenced::plan::Change;
use silenced::reconcile::Mode;

use crate::support::passes::{NIGHTLY, ONCE, actions, plan, scheduled, writes};
use crate::support::world::World;

#[tokio::test(start_paused = true)]
async fn a_window_within_the_horizon_becomes_a_pending_silence() {
    let mut world = World::at("2026-01-08T12:00:00Z");
    world.write("nightly.yaml", NIGHTLY);
    assert_eq!(writes(&world.sync().await), [(1, 0, 0, 0)]);
    expect![[r#"
        pending 2026-01-08T21:00:00Z..2026-01-09T05:00:00Z {severity="info", env=~"prod|staging"} automation: Low-severity noise waits for the morning. | [silenced instance=lab silence=nightly-info start=2026-01-08T21:00:00Z source=nightly.yaml commit=0000001]
    "#]]
    .assert_eq(&world.show());
}

#[tokio::test(start_paused = true)]
async fn a_process_that_starts_inside_a_window_opens_it_for_the_time_left() {
    let mut world = World::at("2026-01-09T02:30:00Z");
    world.write("nightly.yaml", NIGHTLY);
    world.sync().await;
    expect![[r#"
        active 2026-01-09T02:30:00Z..2026-01-09T05:00:00Z {severity="info", env=~"prod|staging"} automation: Low-severity noise waits for the morning. | [silenced instance=lab silence=nightly-info start=2026-01-08T21:00:00Z source=nightly.yaml commit=0000001]
        pending 2026-01-09T21:00:00Z..2026-01-10T05:00:00Z {severity="info", env=~"prod|staging"} automation: Low-severity noise waits for the morning. | [silenced instance=lab silence=nightly-info start=2026-01-09T21:00:00Z source=nightly.yaml commit=0000001]
    "#]]
    .assert_eq(&world.show());
}

#[tokio::test(start_paused = true)]
async fn a_window_that_ended_while_we_were_down_is_not_opened() {
    let mut world = World::at("2026-01-15T12:00:00Z");
    world.write("once.yaml", ONCE);
    assert_eq!(writes(&world.sync().await), [(0, 0, 0, 0)]);
}

/// By the time the request arrives it might be over, and the server would refuse it.
#[tokio::test(start_paused = true)]
async fn a_window_that_is_as_good_as_over_is_not_opened() {
    for (now, expected) in [
        ("2026-01-15T11:59:57Z", 1),
        ("2026-01-15T11:59:58Z", 0),
        ("2026-01-15T11:59:59Z", 0),
    ] {
        let mut world = World::at(now);
        world.write("once.yaml", ONCE);
        assert_eq!(writes(&world.sync().await), [(expected, 0, 0, 0)], "{now}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_that_the_schedule_no_longer_has_is_expired() {
    let mut world = World::at("2026-01-09T02:30:00Z");
    world.write("nightly.yaml", NIGHTLY);
    world.sync().await;
    let ids = world.ids("nightly-info");
    // Thursday's night goes on; Friday's is no longer declared.
    let thursdays = NIGHTLY.replace("times:", "weekdays: [thursday]\n      times:");
    world.write("nightly.yaml", &thursdays);
    assert_eq!(writes(&world.sync().await), [(0, 0, 0, 1)]);
    let left = world.ids("nightly-info");
    assert!(left.len() == 1 && left.is_subset(&ids));
}

#[tokio::test(start_paused = true)]
async fn passes_without_a_change_list_once_and_write_nothing() {
    for version in Version::ALL {
        let mut world = World::of_version("2026-01-09T02:30:00Z", version);
        world.write("nightly.yaml", NIGHTLY);
        world.write("once.yaml", ONCE);
        world.sync().await;
        let before = world.counts();
        for pass in 1..=120 {
            world.sleep(Duration::from_mins(1)).await;
            world.sync().await;
            let now = world.counts();
            assert_eq!(now.lists, before.lists + pass, "{version:?}");
            assert_eq!(
                (now.posts, now.deletes),
                (before.posts, before.deletes),
                "{version:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_changes_no_declaration_writes_nothing() {
    let mut world = World::at("2026-01-08T12:00:00Z");
    world.write("nightly.yaml", NIGHTLY);
    world.sync().await;
    world.write(
        "moved.yaml",
        &format!("# a new comment of the file\n{NIGHTLY}"),
    );
    world.delete("nightly.yaml");
    assert_eq!(actions(&world.plan().await), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_new_comment_owner_or_end_is_an_update_under_the_same_id() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("nightly.yaml", NIGHTLY);
    world.sync().await;
    let ids = world.ids("nightly-info");
    for (from, to) in [
        ("waits for the morning", "waits"),
        ("owner: automation", "owner: robots"),
        ("06:00", "05:00"),
        ("06:00", "07:30"),
    ] {
        world.write("nightly.yaml", &NIGHTLY.replace(from, to));
        let pass = world.sync().await;
        assert_eq!(writes(&pass), [(0, 2, 0, 0)], "{from} -> {to}");
        assert_eq!(world.ids("nightly-info"), ids, "{from} -> {to}");
        assert!(!world.plan().await.has_changes(), "{from} -> {to}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_order_of_matchers_writes_nothing() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("nightly.yaml", NIGHTLY);
    world.sync().await;
    let swapped = NIGHTLY.replace(
        r#"['severity="info"', 'env=~"prod|staging"']"#,
        r#"['env=~"prod|staging"', 'severity="info"']"#,
    );
    assert_ne!(swapped, NIGHTLY);
    world.write("nightly.yaml", &swapped);
    assert_eq!(actions(&world.plan().await), Vec::<String>::new());
    // An update of something else keeps the server's order, and so the id.
    let ids = world.ids("nightly-info");
    world.write("nightly.yaml", &swapped.replace("noise", "chatter"));
    world.sync().await;
    assert_eq!(world.ids("nightly-info"), ids);
}

#[tokio::test(start_paused = true)]
async fn other_matchers_replace_without_a_gap() {
    for version in Version::ALL {
        let mut world = World::of_version("2026-01-08T23:00:00Z", version);
        world.write("nightly.yaml", NIGHTLY);
        world.sync().await;
        let old = world.ids("nightly-info");
        world.write("nightly.yaml", &NIGHTLY.replace("prod|staging", "prod"));
        let pass = world.plan().await;
        for action in &plan(&pass).actions {
            // The draft has no id: the old silence stays until the new one is there.
            let Change::Replace(draft, _) = &action.change else {
                panic!("{action:?}")
            };
            assert_eq!(draft.id, None);
        }
        assert_eq!(writes(&world.sync().await), [(0, 0, 2, 0)]);
        let new = world.ids("nightly-info");
        assert!(old.is_disjoint(&new) && new.len() == 2, "{old:?} {new:?}");
        assert!(!world.plan().await.has_changes());
    }
}

#[tokio::test(start_paused = true)]
async fn a_moved_start_that_is_past_too_is_no_new_silence() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("nightly.yaml", NIGHTLY);
    world.sync().await;
    let ids = world.ids("nightly-info");
    world.write("nightly.yaml", &NIGHTLY.replace("22:00", "21:00"));
    assert_eq!(writes(&world.sync().await), [(0, 2, 0, 0)]);
    assert_eq!(world.ids("nightly-info"), ids);
    assert!(!world.plan().await.has_changes());
}

#[tokio::test(start_paused = true)]
async fn a_start_moved_into_the_future_closes_the_window_until_then() {
    let mut world = World::at("2026-01-08T22:00:00Z");
    world.write("once.yaml", ONCE);
    world.sync().await;
    let later = ONCE.replace("2026-01-08T12:00:00Z", "2026-01-09T00:00:00Z");
    world.write("once.yaml", &later);
    assert_eq!(
        actions(&world.plan().await),
        ["replace high-latency: starts at 2026-01-09T00:00:00Z instead of now"]
    );
    world.sync().await;
    assert!(world.show().starts_with("pending 2026-01-09T00:00:00Z"));
    assert!(!world.plan().await.has_changes());
}

#[tokio::test(start_paused = true)]
async fn a_deleted_declaration_is_expired_and_a_foreign_twin_is_not() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    let foreign = world.person_silences(r#"alertname="HighDBLatency""#, "Known defect.");
    let other =
        "Known defect.\n[silenced instance=other silence=high-latency start=2026-01-08T12:00:00Z]";
    let others = world.person_silences(r#"alertname="HighDBLatency""#, other);
    world.write("once.yaml", ONCE);
    world.write("nightly.yaml", NIGHTLY);
    world.sync().await;
    let before = world.live();
    world.delete("once.yaml");
    assert_eq!(writes(&world.sync().await), [(0, 0, 0, 1)]);
    for id in [foreign, others] {
        let find = |silences: &[silenced::silence::Silence]| {
            silences.iter().find(|silence| silence.id == id).cloned()
        };
        assert_eq!(find(&world.live()), find(&before), "changed");
        assert!(find(&before).is_some());
    }
    assert_eq!(
        world.ids("high-latency").len(),
        1,
        "only the other instance's"
    );
}

#[tokio::test(start_paused = true)]
async fn duplicates_are_reduced_to_the_best_one() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("once.yaml", ONCE);
    world.sync().await;
    let original = world.live()[0].clone();
    for _ in 0..3 {
        world.sleep(Duration::from_mins(1)).await;
        world.person_silences(r#"alertname="HighDBLatency""#, &original.comment);
    }
    world.person_silences(r#"alertname="Other""#, &original.comment);
    assert_eq!(writes(&world.sync().await), [(0, 0, 0, 4)]);
    assert_eq!(world.live(), [original]);
}

/// The seed 14654461948320112425 of the simulation found this.
#[tokio::test(start_paused = true)]
async fn what_covers_a_window_stays_while_its_silence_is_replaced() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    let comment = |start: &str| {
        format!("Known defect.\n[silenced instance=lab silence=high-latency start={start}]")
    };
    let other_start = comment("2026-01-07T12:00:00Z");
    let right = world.person_silences(r#"alertname="HighDBLatency""#, &other_start);
    let same_start = comment("2026-01-08T12:00:00Z");
    let wrong = world.person_silences(r#"alertname="Other""#, &same_start);
    world.write("once.yaml", ONCE);
    assert_eq!(
        actions(&world.plan().await),
        ["replace high-latency: matchers changed"]
    );
    world.api.drops_creations.store(true, Ordering::SeqCst);
    world.pass_now(Mode::Apply).await;
    let ids = world.ids("high-latency");
    assert!(
        ids.contains(right.as_str()) && !ids.contains(wrong.as_str()),
        "{ids:?}"
    );
    world.api.drops_creations.store(false, Ordering::SeqCst);
    world.sleep(Duration::from_mins(1)).await;
    world.sync().await;
    assert_eq!(world.ids("high-latency"), [right.to_string()].into());
    assert!(!world.plan().await.has_changes());
}

#[tokio::test(start_paused = true)]
async fn a_silence_with_two_markers_is_left_alone_and_reported() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    let marker = "[silenced instance=lab silence=gone start=2026-01-08T12:00:00Z]";
    world.person_silences(r#"a="b""#, &format!("{marker}\n{marker}"));
    world.write("once.yaml", ONCE);
    let pass = world.sync().await;
    assert_eq!(writes(&pass), [(1, 0, 0, 0)]);
    let remarks = &plan(&pass).remarks;
    assert!(remarks[0].contains("more than one marker"), "{remarks:?}");
}

/// Some user interfaces join the lines of a comment.
#[tokio::test(start_paused = true)]
async fn a_silence_whose_marker_was_joined_to_another_line_is_left_alone_and_reported() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    let quote = |instance: &str| {
        format!(
            "Known defect. [silenced instance={instance} silence=gone start=2026-01-08T12:00:00Z]"
        )
    };
    let joined = world.person_silences(r#"a="b""#, &quote("lab"));
    world.person_silences(r#"c="d""#, &quote("elsewhere"));
    world.write("once.yaml", ONCE);
    let pass = world.sync().await;
    assert_eq!(writes(&pass), [(1, 0, 0, 0)]);
    assert_eq!(plan(&pass).foreign, 2);
    assert_eq!(
        plan(&pass).remarks,
        [format!(
            "silence {joined} has the marker of `gone` inside a line of its comment and is left \
             alone: a marker counts at the beginning of a line"
        )]
    );
}

#[tokio::test(start_paused = true)]
async fn a_ghost_is_expired_in_every_pass() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("once.yaml", ONCE);
    world.write("nightly.yaml", NIGHTLY);
    world.sync().await;
    let state = world.api.server().save();
    world.delete("once.yaml");
    world.sync().await;
    for _ in 0..3 {
        world.sleep(Duration::from_mins(1)).await;
        world.restore(state.clone());
        assert_eq!(world.ids("high-latency").len(), 1);
        world.sync().await;
        assert_eq!(world.ids("high-latency").len(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_lost_everything_gets_it_again() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("nightly.yaml", NIGHTLY);
    world.sync().await;
    let shown = world.show();
    world.sleep(Duration::from_secs(30)).await;
    world.restore(SavedState::default());
    assert_eq!(world.show(), "");
    world.sync().await;
    assert_eq!(
        world.show(),
        shown.replace("2026-01-08T23:00:00Z..", "2026-01-08T23:00:30Z..")
    );
}

#[tokio::test(start_paused = true)]
async fn always_is_a_lease_that_is_renewed_in_place_and_lapses_alone() {
    let mut world = World::at("2026-01-08T12:00:00Z");
    world.write("always.yaml", &scheduled("always"));
    world.sync().await;
    expect![[r#"
        active 2026-01-08T12:00:00Z..2026-01-08T13:00:00Z {alertname="HighDBLatency"} dba: Known defect. | [silenced instance=lab silence=high-latency start=lease source=always.yaml commit=0000001]
    "#]]
    .assert_eq(&world.show());
    let ids = world.ids("high-latency");
    let posts = world.counts().posts;
    for _ in 0..600 {
        world.sleep(Duration::from_mins(1)).await;
        world.sync().await;
        assert_eq!(world.ids("high-latency"), ids);
    }
    let renewals = world.counts().posts - posts;
    assert!((19..=20).contains(&renewals), "{renewals} in ten hours");
    world.sleep(Duration::from_mins(61)).await;
    assert_eq!(world.show(), "", "nobody renews it");
}

#[tokio::test(start_paused = true)]
async fn a_shorter_horizon_takes_no_pending_silence_away() {
    let mut world = World::at("2026-01-08T12:00:00Z");
    world.write("nightly.yaml", NIGHTLY);
    world.write("once.yaml", ONCE);
    world.sync().await;
    let pending = world.live()[1].clone();
    let later = silenced::silence::SilenceDraft {
        id: None,
        matchers: pending.matchers,
        starts_at: pending.starts_at.plus(Duration::from_hours(72)),
        ends_at: pending.ends_at.plus(Duration::from_hours(72)),
        created_by: pending.created_by,
        comment: pending
            .comment
            .replace("start=2026-01-08", "start=2026-01-11"),
        annotations: BTreeMap::new(),
    };
    let now = world.clock.now().to_datetime();
    world.api.server().put(later.into(), now).unwrap();
    assert_eq!(actions(&world.plan().await), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn annotations_are_kept_in_step_where_the_server_keeps_them() {
    for version in Version::ALL {
        let annotated = |value: &str| {
            ONCE.replace(
                "    matchers:",
                &format!("    annotations: {{runbook: {value}}}\n    matchers:"),
            )
        };
        let mut world = World::of_version("2026-01-08T23:00:00Z", version);
        world.write("once.yaml", &annotated("first"));
        world.sync().await;
        assert!(!world.plan().await.has_changes(), "{version:?}");
        world.write("once.yaml", &annotated("second"));
        let keeps = version.keeps_annotations();
        let updated = usize::from(keeps);
        assert_eq!(writes(&world.sync().await), [(0, updated, 0, 0)]);
        let found = world.live()[0].annotations.get("runbook").cloned();
        assert_eq!(found, keeps.then(|| "second".to_owned()), "{version:?}");
        assert!(!world.plan().await.has_changes(), "{version:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn idle_passes_do_not_compute_what_has_not_changed() {
    let mut world = World::at("2026-01-08T23:00:00Z");
    world.write("nightly.yaml", NIGHTLY);
    world.sync().await;
    assert_eq!(world.forecasts_made(), 1);
    for _ in 0..300 {
        world.sleep(Duration::from_mins(1)).await;
        world.sync().await;
    }
    assert_eq!(world.forecasts_made(), 1, "in five hours");
    world.write("nightly.yaml", &NIGHTLY.replace("22:00", "21:00"));
    world.sync().await;
    assert_eq!(world.forecasts_made(), 2);
    world.sleep(Duration::from_hours(24)).await;
    world.sync().await;
    assert_eq!(world.forecasts_made(), 3);
}
