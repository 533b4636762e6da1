//! What happens as a window closes? The server looks at its silences, then at its
//! clock, and what is sent arrives later still.

use std::collections::BTreeMap;
use std::time::Duration;

use silenced::name::TargetName;
use silenced::plan::{self, Lineage, Plan, PlanInput, RecentWrites, Settings};
use silenced::silence::Silence;
use silenced::snapshot::Revision;
use silenced::timestamp::Timestamp;

use crate::declaration::read;
use crate::support::changes::active;
use crate::support::passes::{ONCE, scheduled};
use crate::support::reconciler::lab;

/// The plan for a target that holds `silences`, when its clock shows `now`.
fn plan_at(now: Timestamp, yaml: &str, silences: &[Silence]) -> Plan {
    plan::plan(&PlanInput {
        settings: &lab(),
        target: &TargetName::new("default").unwrap(),
        labels: &BTreeMap::new(),
        declarations: &read(&[("once.yaml", yaml)]),
        forecasts: &[],
        revision: &Revision::Commit("0".repeat(40)),
        lineage: &Lineage::default(),
        silences,
        recent: &RecentWrites::new(),
        full: None,
        confirmed: &[],
        now,
    })
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
