//! Which times are read, and how are they printed?

use serde_json::json;
use silenced::memory::Version;

use super::server::{Server, in_seconds, pending, silence, text, with};

super::cases![
    accepted_times,
    refused_times,
    an_empty_start_is_1970_and_becomes_now,
    a_date_is_midnight_or_refused,
    offsets_are_kept_or_turned_into_utc,
    offsets_are_bounded_or_not,
    the_year_9999_is_stored_or_refused,
    a_zero_start_is_an_absent_one,
];

async fn end_of(server: &Server, written: &str) -> String {
    let id = server
        .put(&with(&pending("time"), &json!({"endsAt": written})))
        .await;
    text(&server.silence(&id).await["endsAt"])
}

async fn accepted_times(server: Server) {
    for (written, printed) in [
        ("2029-01-02T03:04:05Z", "2029-01-02T03:04:05.000Z"),
        ("2029-01-02T03:04:05-00:00", "2029-01-02T03:04:05.000Z"),
        // Milliseconds are cut off, never rounded.
        ("2029-01-02T03:04:05.1Z", "2029-01-02T03:04:05.100Z"),
        ("2029-01-02T03:04:05.999999999Z", "2029-01-02T03:04:05.999Z"),
        (
            "2029-01-02T03:04:05.9999999999Z",
            "2029-01-02T03:04:05.999Z",
        ),
        ("2029-01-02T03:04:05,5Z", "2029-01-02T03:04:05.500Z"),
        // Without a zone it is UTC.
        ("2029-01-02T03:04:05", "2029-01-02T03:04:05.000Z"),
        ("2029-01-02T03:04:05.123456", "2029-01-02T03:04:05.123Z"),
        ("2029-01-02 03:04:05", "2029-01-02T03:04:05.000Z"),
        ("2029-01-02 03:04:05.5", "2029-01-02T03:04:05.500Z"),
        // Without seconds.
        ("2029-01-02T03:04Z", "2029-01-02T03:04:00.000Z"),
        ("2029-01-02T03:04", "2029-01-02T03:04:00.000Z"),
        ("2029-01-02T3:04:05Z", "2029-01-02T03:04:05.000Z"),
        ("2028-02-29T00:00:00Z", "2028-02-29T00:00:00.000Z"),
    ] {
        assert_eq!(end_of(&server, written).await, printed, "{written}");
    }
}

async fn refused_times(server: Server) {
    for written in [
        "x",
        "20290102",
        "2029-01-02T03:04:05+0200",
        "2029-01-02T03:04:05.12+0200",
        "2029-01-02T03:04:05+02",
        "2029-01-02T24:00:00Z",
        "2029-01-02T03:60:00Z",
        "2029-01-02T03:04:60Z",
        "2029-01-02t03:04:05Z",
        "2029-01-02T03:04:05z",
        "2029-02-29T00:00:00Z",
        "2029-13-01T00:00:00Z",
        "2029-1-2T03:04:05Z",
        "29-01-02T03:04:05Z",
        "12029-01-02T03:04:05Z",
        "2029-01-02T03:04:05.Z",
        " 2029-01-02T03:04:05Z",
        "2029-01-02T03:04:05 Z",
        "2029-01-02T03:4:05Z",
        "2029-01-02T03:04:5Z",
        "2029-01-02 03:04",
        "2029-01-02 03:04:05Z",
        "2029-01-02 03:04:05+02:00",
        "2029-01-02T03:04+02:00",
    ] {
        let answer = server
            .post(&with(&pending("time"), &json!({"endsAt": written})))
            .await;
        assert_eq!(
            answer.status, 400,
            "`{written}` was answered with {answer:?}"
        );
        answer.refused_with_object(
            400,
            400,
            "parsing silence body from \"\" failed, because parsing time",
        );
    }
}

async fn an_empty_start_is_1970_and_becomes_now(server: Server) {
    let before = in_seconds(0);
    let id = server
        .put(&with(&silence("time"), &json!({"startsAt": ""})))
        .await;
    let starts_at = text(&server.silence(&id).await["startsAt"]);
    assert!(starts_at[..19] >= before[..19], "{starts_at} < {before}");
    let answer = server
        .post(&with(&silence("time"), &json!({"endsAt": ""})))
        .await;
    answer.refused_with_text(400, "start time must be before end time");
}

async fn a_date_is_midnight_or_refused(server: Server) {
    let date = with(&pending("time"), &json!({"endsAt": "2029-01-02"}));
    if server.is_since(Version::V0_28) {
        assert_eq!(
            end_of(&server, "2029-01-02").await,
            "2029-01-02T00:00:00.000Z"
        );
    } else {
        server
            .post(&date)
            .await
            .refused_with_object(400, 400, "parsing time");
    }
}

async fn offsets_are_kept_or_turned_into_utc(server: Server) {
    let utc = server.is_since(Version::V0_33);
    for (written, kept, turned) in [
        (
            "2029-01-01T00:00:00+02:00",
            "2029-01-01T00:00:00.000+02:00",
            "2028-12-31T22:00:00.000Z",
        ),
        (
            "2029-01-01T00:00:00.5-05:30",
            "2029-01-01T00:00:00.500-05:30",
            "2029-01-01T05:30:00.500Z",
        ),
        (
            "2029-01-01T00:00:00.123+0200",
            "2029-01-01T00:00:00.123+02:00",
            "2028-12-31T22:00:00.123Z",
        ),
        (
            "2029-01-01T00:00:00+14:60",
            "2029-01-01T00:00:00.000+15:00",
            "2028-12-31T09:00:00.000Z",
        ),
    ] {
        assert_eq!(
            end_of(&server, written).await,
            if utc { turned } else { kept }
        );
    }
}

async fn offsets_are_bounded_or_not(server: Server) {
    for written in ["2029-01-01T00:00:00+25:00", "2029-01-01T00:00:00+00:61"] {
        let answer = server
            .post(&with(&pending("time"), &json!({"endsAt": written})))
            .await;
        if server.is_since(Version::V0_28) {
            answer.refused_with_object(400, 400, "parsing time");
        } else {
            answer.accepted();
        }
    }
}

/// On an update that replaces, the refusal comes after the old one is expired.
async fn the_year_9999_is_stored_or_refused(server: Server) {
    let far = json!({"endsAt": "9999-12-31T23:59:59Z"});
    let answer = server.post(&with(&silence("year"), &far)).await;
    let id = server.put(&silence("year")).await;
    let changed = json!({"id": id, "startsAt": in_seconds(600), "endsAt": far["endsAt"]});
    let replaced = server.post(&with(&silence("year"), &changed)).await;
    if server.is_since(Version::V0_33) {
        answer.accepted();
        replaced.accepted();
    } else {
        answer.refused_with_text(400, "after 10000-01-01");
        replaced.refused_with_text(400, "after 10000-01-01");
    }
    assert_eq!(server.state(&id).await, "expired");
    // Far enough for the retention of five days.
    assert_eq!(
        end_of(&server, "9999-12-20T00:00:00Z").await,
        "9999-12-20T00:00:00.000Z"
    );
}

/// So that a pending silence may be started at once under its id.
async fn a_zero_start_is_an_absent_one(server: Server) {
    let id = server.put(&pending("zero")).await;
    let zero = json!({"id": id, "startsAt": "0001-01-01T00:00:00Z"});
    let started = server.put(&with(&pending("zero"), &zero)).await;
    assert_eq!(started == id, server.is_since(Version::V0_28));
    assert_eq!(server.state(&started).await, "active");
}
