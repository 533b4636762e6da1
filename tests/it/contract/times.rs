//! Which times are read, and how are they printed?

use chrono::DateTime;
use serde_json::json;
use silenced::memory::Version;

use super::kind::{Kind, Refused};
use super::server::{Server, in_seconds, text, with};
use super::{ALERTMANAGER, EVERYBODY};

super::cases![
    EVERYBODY => [
        accepted_times,
        refused_times,
        an_empty_start_is_1970_and_becomes_now,
        a_date_is_midnight_or_refused,
        offsets_are_kept_or_turned_into_utc,
    ],
    ALERTMANAGER => [offsets_are_bounded_or_not, a_zero_start_is_an_absent_one],
    // It could leave a silence for good.
    ALERTMANAGER.on_ours_alone() => [the_year_9999_is_stored_or_refused],
];

async fn end_of(server: &Server, written: &str) -> String {
    let id = server
        .put(&with(&server.pending("time"), &json!({"endsAt": written})))
        .await;
    text(&server.silence(&id).await["endsAt"])
}

async fn accepted_times(server: Server) {
    for (written, printed) in [
        ("2097-01-02T03:04:05Z", "2097-01-02T03:04:05.000Z"),
        ("2097-01-02T03:04:05-00:00", "2097-01-02T03:04:05.000Z"),
        // Milliseconds are cut off, never rounded.
        ("2097-01-02T03:04:05.1Z", "2097-01-02T03:04:05.100Z"),
        ("2097-01-02T03:04:05.999999999Z", "2097-01-02T03:04:05.999Z"),
        (
            "2097-01-02T03:04:05.9999999999Z",
            "2097-01-02T03:04:05.999Z",
        ),
        ("2097-01-02T03:04:05,5Z", "2097-01-02T03:04:05.500Z"),
        // Without a zone it is UTC.
        ("2097-01-02T03:04:05", "2097-01-02T03:04:05.000Z"),
        ("2097-01-02T03:04:05.123456", "2097-01-02T03:04:05.123Z"),
        ("2097-01-02 03:04:05", "2097-01-02T03:04:05.000Z"),
        ("2097-01-02 03:04:05.5", "2097-01-02T03:04:05.500Z"),
        // Without seconds.
        ("2097-01-02T03:04Z", "2097-01-02T03:04:00.000Z"),
        ("2097-01-02T03:04", "2097-01-02T03:04:00.000Z"),
        ("2097-01-02T3:04:05Z", "2097-01-02T03:04:05.000Z"),
        ("2096-02-29T00:00:00Z", "2096-02-29T00:00:00.000Z"),
    ] {
        assert_eq!(end_of(&server, written).await, printed, "{written}");
    }
}

async fn refused_times(server: Server) {
    for written in [
        "x",
        "20970102",
        "2097-01-02T03:04:05+0200",
        "2097-01-02T03:04:05.12+0200",
        "2097-01-02T03:04:05+02",
        "2097-01-02T24:00:00Z",
        "2097-01-02T03:60:00Z",
        "2097-01-02T03:04:60Z",
        "2097-01-02t03:04:05Z",
        "2097-01-02T03:04:05z",
        "2097-02-29T00:00:00Z",
        "2097-13-01T00:00:00Z",
        "2097-1-2T03:04:05Z",
        "97-01-02T03:04:05Z",
        "12097-01-02T03:04:05Z",
        "2097-01-02T03:04:05.Z",
        " 2097-01-02T03:04:05Z",
        "2097-01-02T03:04:05 Z",
        "2097-01-02T03:4:05Z",
        "2097-01-02T03:04:5Z",
        "2097-01-02 03:04",
        "2097-01-02 03:04:05Z",
        "2097-01-02 03:04:05+02:00",
        "2097-01-02T03:04+02:00",
    ] {
        let answer = server
            .post(&with(&server.pending("time"), &json!({"endsAt": written})))
            .await;
        assert_eq!(
            answer.status, 400,
            "`{written}` was answered with {answer:?}"
        );
        answer.refused(
            Refused::Malformed,
            "parsing silence body from \"\" failed, because parsing time",
        );
    }
}

async fn an_empty_start_is_1970_and_becomes_now(server: Server) {
    let before = in_seconds(0);
    let id = server
        .put(&with(&server.silence_of("time"), &json!({"startsAt": ""})))
        .await;
    let starts_at = text(&server.silence(&id).await["startsAt"]);
    let is_now = starts_at[..19] >= before[..19];
    assert!(is_now || server.is_shared(), "{starts_at} < {before}");
    let answer = server
        .post(&with(&server.silence_of("time"), &json!({"endsAt": ""})))
        .await;
    answer.refused(Refused::Invalid, "start time must be before end time");
}

async fn a_date_is_midnight_or_refused(server: Server) {
    let date = with(&server.pending("time"), &json!({"endsAt": "2097-01-02"}));
    // Grafana's proxy reads times itself and hands on what any server reads.
    if server.is_since(Version::V0_28) || server.kind.is_in_grafana() {
        assert_eq!(
            end_of(&server, "2097-01-02").await,
            "2097-01-02T00:00:00.000Z"
        );
    } else {
        server
            .post(&date)
            .await
            .refused(Refused::Malformed, "parsing time");
    }
}

async fn offsets_are_kept_or_turned_into_utc(server: Server) {
    let utc = server.is_since(Version::V0_33);
    for (written, kept, turned) in [
        (
            "2097-01-01T00:00:00+02:00",
            "2097-01-01T00:00:00.000+02:00",
            "2096-12-31T22:00:00.000Z",
        ),
        (
            "2097-01-01T00:00:00.5-05:30",
            "2097-01-01T00:00:00.500-05:30",
            "2097-01-01T05:30:00.500Z",
        ),
        (
            "2097-01-01T00:00:00.123+0200",
            "2097-01-01T00:00:00.123+02:00",
            "2096-12-31T22:00:00.123Z",
        ),
        (
            "2097-01-01T00:00:00+14:60",
            "2097-01-01T00:00:00.000+15:00",
            "2096-12-31T09:00:00.000Z",
        ),
    ] {
        let printed = end_of(&server, written).await;
        if server.kind == Kind::Alertmanager {
            assert_eq!(printed, if utc { turned } else { kept });
        } else {
            // With which offset depends on what is built in.
            let instant = |text: &str| DateTime::parse_from_rfc3339(text).unwrap();
            assert_eq!(instant(&printed), instant(turned));
        }
    }
}

async fn offsets_are_bounded_or_not(server: Server) {
    for written in ["2097-01-01T00:00:00+25:00", "2097-01-01T00:00:00+00:61"] {
        let answer = server
            .post(&with(&server.pending("time"), &json!({"endsAt": written})))
            .await;
        if server.is_since(Version::V0_28) {
            answer.refused(Refused::Malformed, "parsing time");
        } else {
            answer.accepted();
        }
    }
}

/// On an update that replaces, the refusal comes after the old one is expired.
async fn the_year_9999_is_stored_or_refused(server: Server) {
    let far = json!({"endsAt": "9999-12-31T23:59:59Z"});
    let answer = server.post(&with(&server.silence_of("year"), &far)).await;
    let id = server.put(&server.silence_of("year")).await;
    let changed = json!({"id": id, "startsAt": in_seconds(600), "endsAt": far["endsAt"]});
    let replaced = server
        .post(&with(&server.silence_of("year"), &changed))
        .await;
    if server.is_since(Version::V0_33) {
        answer.accepted();
        replaced.accepted();
    } else {
        answer.refused(Refused::Invalid, "after 10000-01-01");
        replaced.refused(Refused::Invalid, "after 10000-01-01");
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
    let id = server.put(&server.pending("zero")).await;
    let zero = json!({"id": id, "startsAt": "0001-01-01T00:00:00Z"});
    let started = server.put(&with(&server.pending("zero"), &zero)).await;
    assert_eq!(started == id, server.is_since(Version::V0_28));
    assert_eq!(server.state(&started).await, "active");
}
