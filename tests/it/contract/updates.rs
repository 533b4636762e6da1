//! When does a POST with an id keep the id, and when does it replace?

use serde_json::{Value, json};
use silenced::memory::Version;

use super::EVERYBODY;
use super::kind::{Kind, Refused};
use super::server::{LABEL, Server, UNKNOWN_ID, in_milliseconds, in_seconds, matcher, text, with};

super::cases![EVERYBODY => [
    a_past_start_becomes_now,
    equal_posts_make_two_silences,
    comment_author_and_end_change_in_place,
    an_update_says_when_it_was,
    other_matchers_replace,
    another_order_of_matchers_replaces,
    a_repeated_matcher_replaces,
    an_active_start_within_the_same_second_is_in_place,
    an_active_start_of_another_second_replaces,
    a_pending_start_moves_in_place,
    a_pending_silence_started_now_is_replaced,
    an_expired_silence_is_left_as_it_is,
    unknown_ids_are_404,
    unknown_or_invalid_which_is_seen_first,
    a_refused_replacement_loses_the_old_silence_up_to_0_27,
    delete_expires,
]];

/// Posts `changes` onto a silence as the server holds it.
async fn update(server: &Server, id: &str, changes: Value) -> String {
    server.put(&with(&server.silence(id).await, &changes)).await
}

async fn assert_replaced(server: &Server, old: &str, new: &str) {
    assert_ne!(old, new);
    assert_eq!(server.state(old).await, "expired");
}

async fn a_past_start_becomes_now(server: Server) {
    let before = in_milliseconds(0);
    let id = server.put(&server.silence_of("past")).await;
    let after = in_milliseconds(0);
    let got = server.silence(&id).await;
    let starts_at = text(&got["startsAt"]);
    // Printed to the millisecond, cut off.
    let is_now = before[..23] <= starts_at[..23] && starts_at[..23] <= after[..23];
    // The clock of a server elsewhere is another, but it does not say the past.
    assert!(is_now || server.is_shared(), "{before} {starts_at} {after}");
    assert_eq!(got["updatedAt"], got["startsAt"]);
    assert_eq!(got["status"]["state"], "active");
}

async fn equal_posts_make_two_silences(server: Server) {
    let twin = server.silence_of("twin");
    let (first, second) = (server.put(&twin).await, server.put(&twin).await);
    assert_ne!(first, second);
    assert_eq!(server.ids_of("twin").await.len(), 2);
}

async fn comment_author_and_end_change_in_place(server: Server) {
    for case in [server.silence_of("in-place"), server.pending("in-place")] {
        let id = server.put(&case).await;
        for changes in [
            json!({}),
            json!({"comment": "other"}),
            json!({"createdBy": "other"}),
            json!({"endsAt": "2097-01-01T00:00:00.000Z"}),
            json!({"endsAt": in_seconds(5000)}),
        ] {
            assert_eq!(update(&server, &id, changes.clone()).await, id, "{changes}");
            let got = server.silence(&id).await;
            for (key, value) in changes.as_object().unwrap() {
                let expected = text(value);
                let got = text(&got[key]);
                assert!(got == expected || got.replace(".000Z", "Z") == expected);
            }
        }
    }
    let active = server.put(&server.silence_of("in-place")).await;
    let short = json!({"endsAt": in_seconds(60)});
    assert_eq!(
        update(&server, &active, short).await,
        active,
        "a shorter end"
    );
}

async fn an_update_says_when_it_was(server: Server) {
    let id = server.put(&server.silence_of("updated")).await;
    let first = server.silence(&id).await;
    // Within one millisecond it may look the same.
    let mut again = first.clone();
    for _ in 0..100 {
        assert_eq!(server.put(&first).await, id);
        again = server.silence(&id).await;
        if again["updatedAt"] != first["updatedAt"] {
            break;
        }
    }
    assert!(text(&again["updatedAt"]) > text(&first["updatedAt"]));
    assert_eq!(again["startsAt"], first["startsAt"]);
}

async fn other_matchers_replace(server: Server) {
    for case in [server.silence_of("matchers"), server.pending("matchers")] {
        for other in [
            server.mark("matchers2"),
            matcher(LABEL, "=~", ".+"),
            matcher(LABEL, "!=", "matchers"),
            matcher("other", "=", "matchers"),
        ] {
            let id = server.put(&case).await;
            let other = json!([other, server.mark("matchers")]);
            let new = update(&server, &id, json!({"matchers": other})).await;
            assert_replaced(&server, &id, &new).await;
            assert_eq!(server.silence(&new).await["matchers"], other);
        }
    }
}

async fn another_order_of_matchers_replaces(server: Server) {
    let (a, b) = (server.mark("order"), matcher("b", "=", "c"));
    let id = server
        .put(&with(
            &server.silence_of("order"),
            &json!({"matchers": [a, b]}),
        ))
        .await;
    let new = update(&server, &id, json!({"matchers": [b, a]})).await;
    assert_replaced(&server, &id, &new).await;
}

async fn a_repeated_matcher_replaces(server: Server) {
    let id = server.put(&server.silence_of("repeated")).await;
    let once = server.mark("repeated");
    let new = update(&server, &id, json!({"matchers": [once, once]})).await;
    assert_replaced(&server, &id, &new).await;
}

/// Not a later start than now, though: that would make it pending.
async fn an_active_start_within_the_same_second_is_in_place(server: Server) {
    let id = server.put(&server.silence_of("second")).await;
    let second = text(&server.silence(&id).await["startsAt"])[..19].to_owned();
    for fraction in ["", ".000", ".0000001"] {
        let starts_at = format!("{second}{fraction}Z");
        assert_eq!(
            update(&server, &id, json!({"startsAt": starts_at})).await,
            id
        );
        let stored = text(&server.silence(&id).await["startsAt"]);
        assert_eq!(stored, format!("{second}.000Z"), "as it was sent");
    }
    assert_eq!(server.state(&id).await, "active");
}

async fn an_active_start_of_another_second_replaces(server: Server) {
    for offset in [-60, 600] {
        let id = server.put(&server.silence_of("other-second")).await;
        let new = update(&server, &id, json!({"startsAt": in_seconds(offset)})).await;
        assert_replaced(&server, &id, &new).await;
        let expected = if offset < 0 { "active" } else { "pending" };
        assert_eq!(server.state(&new).await, expected);
    }
}

async fn a_pending_start_moves_in_place(server: Server) {
    let id = server.put(&server.pending("moves")).await;
    for offset in [1800, 5400] {
        let starts_at = in_seconds(offset);
        assert_eq!(
            update(&server, &id, json!({"startsAt": starts_at})).await,
            id
        );
        let got = text(&server.silence(&id).await["startsAt"]);
        assert_eq!(got.replace(".000Z", "Z"), starts_at);
    }
}

async fn a_pending_silence_started_now_is_replaced(server: Server) {
    let id = server.put(&server.pending("start-now")).await;
    let new = update(&server, &id, json!({"startsAt": in_seconds(-1)})).await;
    assert_replaced(&server, &id, &new).await;
    let old = server.silence(&id).await;
    assert_eq!(old["startsAt"], old["endsAt"], "it never was");
    assert_eq!(server.state(&new).await, "active");
}

async fn an_expired_silence_is_left_as_it_is(server: Server) {
    let id = server.put(&server.silence_of("expired")).await;
    server.delete(&id).await;
    let before = server.silence(&id).await;
    let new = update(&server, &id, json!({"endsAt": in_seconds(3600)})).await;
    assert_ne!(new, id);
    assert_eq!(server.silence(&id).await, before);
    assert_eq!(server.state(&new).await, "active");
}

async fn unknown_ids_are_404(server: Server) {
    let known = server
        .put(&server.silence_of("unknown-id"))
        .await
        .to_uppercase();
    for id in [UNKNOWN_ID, "not-a-uuid", " ", &known] {
        let answer = server
            .post(&with(&server.silence_of("unknown-id"), &json!({"id": id})))
            .await;
        answer.refused(Refused::UnknownId, "silence not found");
    }
    assert_eq!(server.ids_of("unknown-id").await.len(), 1);
}

async fn unknown_or_invalid_which_is_seen_first(server: Server) {
    let matchers = [server.mark("both"), matcher("a", "=~", "(")];
    let both = json!({"id": UNKNOWN_ID, "matchers": matchers});
    let answer = server.post(&with(&server.silence_of("both"), &both)).await;
    // Grafana looks for the old one before it hands on the new one (`UpdateSilence`,
    // pkg/services/ngalert/notifier/silence_svc.go).
    if server.is_since(Version::V0_28) && server.kind != Kind::Grafana {
        answer.refused(Refused::Invalid, "invalid regular expression");
    } else {
        answer.refused(Refused::UnknownId, "silence not found");
    }
}

async fn a_refused_replacement_loses_the_old_silence_up_to_0_27(server: Server) {
    for case in [server.silence_of("refused"), server.pending("refused")] {
        let id = server.put(&case).await;
        let state = server.state(&id).await;
        let matchers = [server.mark("refused"), matcher("a", "=~", "(")];
        let invalid = json!({"id": id, "matchers": matchers});
        let answer = server.post(&with(&case, &invalid)).await;
        answer.refused(Refused::Invalid, "invalid regular expression");
        let kept = server.is_since(Version::V0_28);
        assert_eq!(
            server.state(&id).await,
            if kept { &state } else { "expired" }
        );
    }
}

async fn delete_expires(server: Server) {
    for case in [server.silence_of("delete"), server.pending("delete")] {
        let id = server.put(&case).await;
        let before = server.silence(&id).await;
        let deleted = server.delete(&id).await;
        deleted.deleted();
        let expired = server.silence(&id).await;
        assert_eq!(expired["status"]["state"], "expired");
        assert_eq!(expired["endsAt"], expired["updatedAt"]);
        let start = if before["status"]["state"] == "active" {
            &before["startsAt"]
        } else {
            &expired["endsAt"]
        };
        assert_eq!(&expired["startsAt"], start);
        assert_eq!(server.delete(&id).await.status, 200, "a second time");
        assert_eq!(server.silence(&id).await, expired, "changes nothing");
    }
    assert_eq!(
        server.ids_of("delete").await.len(),
        2,
        "expired ones are listed"
    );
}
