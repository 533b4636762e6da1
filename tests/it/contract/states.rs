//! How does a silence pass from pending to expired, and in which order are they
//! listed? The servers go by the real clock, so these poll for a second or two.

use std::time::Duration;

use serde_json::{Value, json};

use super::EVERYBODY;
use super::server::{Server, in_milliseconds, in_seconds, now, with};

super::cases![EVERYBODY => [
    pending_becomes_active_at_its_start,
    active_becomes_expired_at_its_end,
    live_ones_come_first_and_the_soonest_of_them,
]];

/// Asks until the server says so.
async fn wait_for(server: &Server, id: &str, state: &str) {
    let start = now();
    while server.state(id).await != state {
        let waited = now() - start;
        assert!(
            waited.num_seconds() < 20,
            "{id} is not {state} after {waited}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn pending_becomes_active_at_its_start(server: Server) {
    let start = in_milliseconds(3000);
    passes(&server, json!({"startsAt": start}), ["pending", "active"]).await;
    // The clock of a server elsewhere is another.
    assert!(server.is_shared() || in_milliseconds(0) >= start);
}

async fn active_becomes_expired_at_its_end(server: Server) {
    let end = in_milliseconds(3000);
    passes(&server, json!({"endsAt": end}), ["active", "expired"]).await;
    assert!(server.is_shared() || in_milliseconds(0) >= end);
}

/// The server passes from one state to the other and writes nothing.
async fn passes(server: &Server, times: Value, [from, to]: [&str; 2]) {
    let id = server.put(&with(&server.silence_of("life"), &times)).await;
    let before = server.silence(&id).await;
    assert_eq!(before["status"]["state"], from);
    wait_for(server, &id, to).await;
    let after = server.silence(&id).await;
    let state = json!({"status": {"state": to}});
    assert_eq!(after, with(&before, &state));
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
