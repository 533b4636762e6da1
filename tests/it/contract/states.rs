//! How does a silence pass from pending to expired, and in which order are they
//! listed? The servers go by the real clock, so these poll for a second or two.

use std::time::Duration;

use serde_json::json;

use super::server::{Server, in_milliseconds, in_seconds, now, pending, silence, with};

super::cases![
    pending_becomes_active_becomes_expired,
    live_ones_come_first_and_the_soonest_of_them,
];

/// Asks until the server says so.
async fn wait_for(server: &Server, id: &str, state: &str) {
    let start = now();
    while server.state(id).await != state {
        let waited = now() - start;
        assert!(
            waited.num_seconds() < 5,
            "{id} is not {state} after {waited}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn pending_becomes_active_becomes_expired(server: Server) {
    let (start, end) = (in_milliseconds(700), in_milliseconds(1400));
    let times = json!({"startsAt": start, "endsAt": end});
    let id = server.put(&with(&silence("life"), &times)).await;
    let before = server.silence(&id).await;
    assert_eq!(before["status"]["state"], "pending");
    wait_for(&server, &id, "active").await;
    assert!(in_milliseconds(0) >= start, "not before its start");
    wait_for(&server, &id, "expired").await;
    assert!(in_milliseconds(0) >= end, "not before its end");
    let after = server.silence(&id).await;
    for key in ["startsAt", "endsAt", "updatedAt"] {
        assert_eq!(after[key], before[key], "{key} is not touched");
    }
}

async fn live_ones_come_first_and_the_soonest_of_them(server: Server) {
    let ends_in = |seconds| with(&silence("sorted"), &json!({"endsAt": in_seconds(seconds)}));
    let starts_in = |seconds| {
        with(
            &pending("sorted"),
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
