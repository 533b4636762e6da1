//! How does a silence pass from pending to expired, and in which order are they
//! listed? The servers go by the real clock, so these poll for a second or two.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, SubsecRound, TimeDelta, Utc};
use serde_json::json;

use super::EVERYBODY;
use super::server::{Server, in_seconds, now, with};

super::cases![EVERYBODY => [
    pending_becomes_active_at_its_start,
    active_becomes_expired_at_its_end,
    live_ones_come_first_and_the_soonest_of_them,
]];

/// How far ahead the change lies, in seconds: a busy machine may need longer to
/// look at what there is before.
const AHEAD: [i64; 3] = [3, 12, 48];

/// How long after it the server must have noticed at the latest.
const PATIENCE: TimeDelta = TimeDelta::seconds(60);

async fn pending_becomes_active_at_its_start(server: Server) {
    passes(&server, "startsAt", ["pending", "active"]).await;
}

async fn active_becomes_expired_at_its_end(server: Server) {
    passes(&server, "endsAt", ["active", "expired"]).await;
}

/// The server passes from one state to the other at the time that stands under
/// that key, and writes nothing.
async fn passes(server: &Server, key: &str, [from, to]: [&str; 2]) {
    for ahead in AHEAD {
        let at = now() + TimeDelta::seconds(ahead);
        let times = json!({key: at.to_rfc3339_opts(SecondsFormat::Nanos, true)});
        let id = server.put(&with(&server.silence_of("life"), &times)).await;
        let before = server.silence(&id).await;
        let state = &before["status"]["state"];
        // The clock of a server elsewhere is another.
        if now() >= at || server.is_shared() && state != from {
            continue;
        }
        assert_eq!(state, from);
        wait_for(server, &id, to, at + PATIENCE).await;
        // What stands before the server may have cut the time off to milliseconds.
        assert!(server.is_shared() || now() >= at.trunc_subsecs(3));
        let after = server.silence(&id).await;
        let state = json!({"status": {"state": to}});
        assert_eq!(after, with(&before, &state));
        return;
    }
    panic!("too slow to see it {from} within {AHEAD:?} s");
}

/// Asks until the server says so.
async fn wait_for(server: &Server, id: &str, state: &str, until: DateTime<Utc>) {
    while server.state(id).await != state {
        assert!(now() < until, "{id} is not {state} by {until}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn live_ones_come_first_and_the_soonest_of_them(server: Server) {
    let ends_in = |seconds| {
        with(
            &server.silence_of("sorted"),
            &json!({"endsAt": in_seconds(seconds)}),
        )
    };
    let starts_in = |seconds| {
        with(
            &server.pending("sorted"),
            &json!({"startsAt": in_seconds(seconds)}),
        )
    };
    let late = server.put(&ends_in(300)).await;
    let expired_first = server.put(&ends_in(100)).await;
    let pending_late = server.put(&starts_in(3700)).await;
    let soon = server.put(&ends_in(200)).await;
    let pending_soon = server.put(&starts_in(3600)).await;
    let expired_last = server.put(&starts_in(100)).await;
    server.delete(&expired_first).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    server.delete(&expired_last).await;
    assert_eq!(
        server.ids_of("sorted").await,
        [
            soon,
            late,
            pending_soon,
            pending_late,
            expired_last,
            expired_first
        ]
    );
}
