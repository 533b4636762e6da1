//! What is special about Grafana, seen from a pass? Silences that a token may
//! not read, and silences of one rule.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use expect_test::expect;
use silenced::alertmanager::{ApiError, Expired, Listing, Members, SilenceApi};
use silenced::clock::Clock;
use silenced::declaration::review;
use silenced::reconcile::TargetPass;
use silenced::silence::{SilenceDraft, SilenceId};
use silenced::snapshot::Revision;
use silenced::timestamp::Timestamp;
use tokio::time::{Instant, sleep_until};

use crate::declaration::{read, shown};
use crate::support::passes::{ONCE, actions, writes};
use crate::support::reconciler::{lab, pass, reconciler_of, snapshot, target};
use crate::support::world::World;

/// Takes silences, and lists none of them.
#[derive(Clone, Default)]
struct Secretive(Arc<State>);

#[derive(Default)]
struct State {
    made: AtomicUsize,
    asked: Mutex<Vec<String>>,
    /// Whether they are gone, and not only hidden.
    has_forgotten: AtomicBool,
}

impl SilenceApi for Secretive {
    async fn list(&self) -> Result<Listing, ApiError> {
        Ok(Listing::default())
    }

    async fn members(&self) -> Option<Members> {
        None
    }

    async fn hides(&self, id: &SilenceId) -> Result<bool, ApiError> {
        self.0.asked.lock().unwrap().push(id.as_str().to_owned());
        Ok(!self.0.has_forgotten.load(Ordering::Relaxed))
    }

    async fn set(&self, _: &SilenceDraft) -> Result<SilenceId, ApiError> {
        let made = self.0.made.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(SilenceId::new(made.to_string()))
    }

    async fn expire(&self, _: &SilenceId) -> Result<Expired, ApiError> {
        Ok(Expired::Done)
    }
}

#[tokio::test(start_paused = true)]
async fn hidden_silences_are_not_made_again_and_again() {
    let api = Secretive::default();
    let mut reconciler = reconciler_of(lab(), vec![target("main", api.clone())]);
    let clock = Clock::simulated(Timestamp::parse("2026-01-10T00:00:00Z").unwrap());
    let began = Instant::now();
    let mut pass_after = async |seconds| -> TargetPass {
        sleep_until(began + Duration::from_secs(seconds)).await;
        let snapshot = snapshot(Revision::Commit("a".repeat(40)), [("once.yaml", ONCE)]);
        let pass = pass(&mut reconciler, snapshot, clock.now()).await;
        TargetPass::clone(&pass.targets[0])
    };
    assert_eq!(pass_after(0).await.report.created, 1);
    // It may still come.
    assert_eq!(pass_after(60).await.error, None);
    assert_eq!(*api.0.asked.lock().unwrap(), Vec::<String>::new());
    for seconds in [120, 180, 10_000] {
        let pass = pass_after(seconds).await;
        let error = pass.error.unwrap();
        expect!["the list lacks 1 silences that were made, and `1` at least is live: the credentials may not read them all; grant `alert.instances:read`, or `alert.silences:read` on the folders of all rules that have silences"].assert_eq(&error);
        assert!(pass.plan.is_none());
    }
    assert_eq!(api.0.made.load(Ordering::Relaxed), 1);

    api.0.has_forgotten.store(true, Ordering::Relaxed);
    assert_eq!(pass_after(10_060).await.report.created, 1);
    assert_eq!(*api.0.asked.lock().unwrap(), ["1"; 4]);
}

/// Grafana refuses to change that matcher with an update.
#[tokio::test]
async fn the_silence_of_another_rule_is_another_silence() {
    let of_rule = |uid: &str| {
        ONCE.replace("alertname=", "__alert_rule_uid__=")
            .replace("HighDBLatency", uid)
    };
    let mut world = World::at("2026-01-10T00:00:00Z");
    world.write("once.yaml", &of_rule("r1"));
    world.sync().await;
    world.write("once.yaml", &of_rule("r2"));
    let pass = world.sync().await;
    assert_eq!(actions(&pass), ["replace high-latency: matchers changed"]);
    assert_eq!(writes(&pass), [(0, 0, 1, 0)]);
}

#[test]
fn only_an_equal_matcher_names_one_rule() {
    let of_rule =
        |operator: &str| ONCE.replace("alertname=", &format!("__alert_rule_uid__{operator}"));
    let warnings = |yaml: &str| {
        let declarations = read(&[("a.yaml", yaml)]);
        let now = Timestamp::parse("2026-01-10T00:00:00Z").unwrap();
        shown(&declarations.diagnostics) + &shown(&review(&declarations, now))
    };
    assert_eq!(warnings(&of_rule("=")), "");
    expect![[r#"
        a.yaml:6:16: warning[not-rule-specific]: `__alert_rule_uid__=~"HighDBLatency"` does not make this the silence of one rule
         6 |     matchers: ['__alert_rule_uid__=~"HighDBLatency"']
           |                ^
           hint: Grafana asks for the rights to all silences, unless you write `__alert_rule_uid__="..."`
    "#]].assert_eq(&warnings(&of_rule("=~")));
}
