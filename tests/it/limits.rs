//! Does a target go by its own settings? The keys below one target, over those
//! at the top.

use std::time::Duration;

use expect_test::expect;
use silenced::plan::{HandExpired, Mode};

use crate::support::configuration::resolve_text;

#[test]
fn a_target_may_have_settings_of_its_own() {
    let configuration = resolve_text(
        "{instance: lab, source: {directory: .}, settle: 30s, guard: {max_create: 7}, targets: [
            {name: a, url: 'http://a'},
            {name: b, url: 'http://b', instance: other, interval: 10m, mode: observe, settle: 0s,
             guard: {max_expire: 3}, hand_expired: respect, max_writes_per_second: 20}]}",
    )
    .unwrap();
    let [plain, own] = &configuration.targets[..] else {
        panic!("two targets");
    };
    assert_eq!((plain.settings(), plain.interval()), (None, None));
    let settings = own.settings().unwrap();
    assert_eq!(own.interval(), Some(Duration::from_mins(10)));
    assert_eq!(settings.instance.as_str(), "other");
    assert_eq!(settings.mode, Mode::Observe);
    assert_eq!(settings.hand_expired, HandExpired::Respect);
    assert_eq!(settings.settle, Duration::ZERO);
    assert_eq!(
        (settings.guard.max_expire, settings.guard.max_create),
        (3, 7)
    );
    // Whoever only says how often to look gets a lease that goes with it.
    assert_eq!(settings.lease, Duration::from_hours(1));
    assert_eq!(settings.horizon, configuration.reconcile.horizon);
}

#[test]
fn what_is_wrong_below_a_target_is_named_with_its_place() {
    let problems = resolve_text(
        "{instance: lab, source: {directory: .}, targets: [
            {name: a, url: 'http://a', interval: 0s, mode: off},
            {name: b, url: 'http://b', horizon: 1m, max_writes_per_second: 0},
            {name: c, url: 'http://c', max_writes_per_second: many, guard: {max_expire: few}}]}",
    )
    .unwrap_err();
    expect![[r#"
        silenced.yaml:2:50: targets[0].interval: `0s` must be between `1s` and `1d`
        silenced.yaml:2:60: targets[0].mode: unknown mode `off`; write sync, upsert-only, create-only, observe
        targets[1]: the horizon (1m) must be at least twice the interval (1m), or windows open late
        targets[1].max_writes_per_second: write at least 1
        silenced.yaml:4:63: targets[2].max_writes_per_second: `many` is not a whole number
        silenced.yaml:4:89: targets[2].guard.max_expire: `few` is not a whole number"#]].assert_eq(&problems);
}
