//! What happens as a window opens and closes? The server looks at its silences, then
//! at its clock, and what is sent arrives later still.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use silenced::plan::{Plan, Settings, present};
use silenced::silence::{Silence, SilenceState};
use silenced::timestamp::Timestamp;

use crate::support::changes::active;
use crate::support::passes::{ONCE, plan, scheduled, writes};
use crate::support::reconciler::plan_over;
use crate::support::world::World;

/// The plan for a target that holds `silences`, when its clock shows `now`.
fn plan_at(now: Timestamp, yaml: &str, silences: &[Silence]) -> Plan {
    plan_over(("default", &BTreeMap::new()), yaml, silences, now)
}

/// The silence of `yaml`, made at `now` and active since.
fn made_at(now: Timestamp, yaml: &str) -> Silence {
    let plan = plan_at(now, yaml, &[]);
    active("1", plan.actions[0].change.draft().unwrap().clone())
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// The end of the window of [`ONCE`].
fn end() -> Timestamp {
    time("2026-01-15T12:00:00Z")
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// What was active when the server looked, and over by the time that it says, is
/// neither expired nor counted as if it were.
#[test]
fn what_ended_while_it_was_listed_is_left_to_itself() {
    let silence = made_at(end().minus(seconds(3600)), ONCE);
    for after in [0, 1] {
        let plan = plan_at(
            end().plus(seconds(after)),
            ONCE,
            std::slice::from_ref(&silence),
        );
        assert!(plan.actions.is_empty(), "{:?}", plan.actions);
        assert_eq!((plan.owned, plan.foreign, plan.desired), (0, 0, 0));
    }
    // If it is wanted for longer by now, another one takes over.
    let longer = ONCE.replace("15T12:00", "15T13:00");
    let plan = plan_at(end(), &longer, &[silence]);
    assert_eq!(plan.actions.len(), 1);
    assert_eq!(plan.actions[0].change.word(), "create");
}

/// The server refuses a silence whose end is past when it arrives.
#[test]
fn a_change_that_would_come_too_late_is_not_sent() {
    let silence = made_at(end().minus(seconds(3600)), ONCE);
    let changed = ONCE.replace("Known defect.", "Known.");
    let actions = |yaml: &str, before: u64, silence: &Silence| {
        let now = end().minus(seconds(before));
        let actions = plan_at(now, yaml, std::slice::from_ref(silence)).actions;
        let words = actions.iter().map(|action| action.change.word());
        words.collect::<Vec<_>>()
    };
    assert_eq!(actions(&changed, 10, &silence), ["update"]);
    assert_eq!(actions(&changed, 1, &silence), [""; 0]);
    // One that stays too long is cut as long as it can be.
    let longer = Silence {
        ends_at: end().plus(seconds(600)),
        ..silence
    };
    assert_eq!(actions(ONCE, 1, &longer), ["update"]);
}

/// Whose clock is behind sees a lease last a little longer than it was given.
#[test]
fn a_lease_is_not_cut_by_the_difference_of_two_clocks() {
    let always = scheduled("always");
    let now = end();
    let silence = made_at(now, &always);
    assert_eq!(silence.ends_at, now.plus(Settings::LEASE));
    let actions = |before: Duration| {
        let plan = plan_at(now.minus(before), &always, std::slice::from_ref(&silence));
        plan.actions.len()
    };
    assert_eq!(actions(seconds(2)), 0);
    // Somebody gave it more than that.
    assert_eq!(actions(Settings::SETTLE + seconds(1)), 1);
}

/// A silence in that state, from `starts_at` on, for so long.
fn silence(state: SilenceState, starts_at: Timestamp, lasts: u64) -> Silence {
    let made = made_at(end().minus(seconds(3600)), ONCE);
    Silence {
        state,
        starts_at,
        ends_at: starts_at.plus(seconds(lasts)),
        ..made
    }
}

/// A silence that the server calls active has begun, whatever a proxy says.
#[test]
fn the_list_shows_that_the_date_is_behind() {
    let real = time("2026-01-08T12:00:00Z");
    let (before, after) = (|by| real.minus(seconds(by)), |by| real.plus(seconds(by)));
    let active = silence(SilenceState::Active, before(120), 3600);
    let list = [active];
    assert_eq!(present(&list, Some(before(60)), real), before(60));
    assert_eq!(present(&list, None, real), real);
    assert_eq!(present(&list, Some(before(300)), real), real);
    let expired = silence(SilenceState::Expired, before(3600), 3540);
    assert_eq!(present(&[expired], Some(before(300)), real), real);
    // Our clock is behind too, or far ahead: as late as the list shows.
    assert_eq!(present(&list, Some(before(300)), before(200)), before(120));
    let days_ahead = after(2 * 86400);
    assert_eq!(present(&list, Some(before(300)), days_ahead), before(120));
    let pending = silence(SilenceState::Pending, after(600), 3600);
    let both = [list[0].clone(), pending];
    assert_eq!(present(&both, Some(before(300)), after(300)), after(300));
    assert_eq!(present(&both, Some(before(300)), after(900)), before(120));
}

/// A silence that the server calls pending has not begun, and an active one not ended.
#[test]
fn the_list_shows_that_the_date_is_ahead() {
    let real = time("2026-01-08T12:00:00Z");
    let (before, after) = (|by| real.minus(seconds(by)), |by| real.plus(seconds(by)));
    let active = silence(SilenceState::Active, before(120), 720);
    let pending = silence(SilenceState::Pending, after(600), 3600);
    for silence in [active.clone(), pending.clone()] {
        let list = [silence];
        assert_eq!(present(&list, Some(after(660)), real), after(660));
        assert_eq!(present(&list, Some(after(661)), real), real);
        // Our clock is ahead too.
        assert_eq!(present(&list, Some(after(900)), after(800)), after(600));
        assert_eq!(present(&list, None, after(800)), after(600));
    }
    // The states contradict each other: nothing is taken for later than it is.
    let expired = silence(SilenceState::Expired, after(600), 60);
    let list = [active, pending, expired];
    assert_eq!(present(&list, Some(after(900)), real), after(660));
}

/// What was to come was replaced in every pass.
#[tokio::test(start_paused = true)]
async fn a_proxy_whose_clock_is_ahead_changes_nothing_that_runs_or_is_to_come() {
    for ahead in [300, 4 * 3600] {
        let mut world = World::at("2026-01-08T12:00:10Z");
        world.write("once.yaml", ONCE);
        let soon = "{starts_at: 2026-01-08T12:03:00Z, duration: 1h}";
        let soon = scheduled(soon).replace("high-latency", "soon");
        world.write("soon.yaml", &soon);
        world.sync().await;
        world.api.date_behind.store(-ahead, Ordering::SeqCst);
        for _ in 0..2 {
            let pass = world.sync().await;
            assert_eq!(writes(&pass), [(0, 0, 0, 0)], "{ahead}");
            let remarks = plan(&pass).remarks.join("\n");
            assert!(remarks.contains("contradicts the states"), "{remarks}");
        }
    }
}

/// It was replaced in every pass, and given an end that was past.
#[tokio::test(start_paused = true)]
async fn a_proxy_whose_clock_is_behind_changes_nothing_that_runs() {
    for behind in [300, 4 * 3600] {
        let mut world = World::at("2026-01-08T12:00:10Z");
        world.api.date_behind.store(behind, Ordering::SeqCst);
        world.write("once.yaml", ONCE);
        world.sync().await;
        world.write(
            "lease.yaml",
            &scheduled("always").replace("high-latency", "always-on"),
        );
        world.sync().await;
        world.sleep(seconds(60)).await;
        let second = world.sync().await;
        assert_eq!(writes(&second), [(0, 0, 0, 0)], "{behind}");
        let remarks = plan(&second).remarks.join("\n");
        assert!(
            remarks.contains("contradicts the states of the silences in it"),
            "{remarks}"
        );
    }
}
