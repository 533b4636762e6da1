//! What happens at the limits? Servers with flags, since 0.28.

use serde_json::json;
use silenced::memory::{Settings, Version};

use super::kind::Refused;
use super::server::{Server, in_seconds, matcher, with};
use super::{EVERYBODY, hold, serve};
use crate::support::alertmanager::{Alertmanager, Options, Release};

super::cases![EVERYBODY.on_ours_alone() => [expired_ones_count_and_updates_in_place_do_not]];

const MAX_SILENCES: usize = 3;
const MAX_SILENCE_SIZE_BYTES: usize = 1000;

async fn expired_ones_count_and_updates_in_place_do_not(server: Server) {
    let full = "exceeded maximum number of silences: 3 (limit: 3)";
    let active = server.put(&server.silence_of("limit")).await;
    let expired = server.put(&server.silence_of("limit")).await;
    server.delete(&expired).await;

    // The size comes to the sum of the texts and something over 100 bytes.
    let sized = |length: usize| {
        with(
            &server.pending("limit"),
            &json!({"comment": "x".repeat(length)}),
        )
    };
    let answer = server.post(&sized(2000)).await;
    answer.refused(Refused::Invalid, "silence exceeded maximum size: ");
    answer.refused(Refused::Invalid, " bytes (limit: 1000 bytes)");
    let waiting = server.put(&sized(700)).await;

    server
        .post(&server.silence_of("limit"))
        .await
        .refused(Refused::Invalid, full);
    assert_eq!(server.delete(&waiting).await.status, 200);
    server
        .post(&server.silence_of("limit"))
        .await
        .refused(Refused::Invalid, full);

    // In place there is no new one; the size counts all the same.
    let held = server.silence(&active).await;
    assert_eq!(
        server.put(&with(&held, &json!({"comment": "other"}))).await,
        active
    );
    let too_big = with(&held, &json!({"comment": "x".repeat(2000)}));
    server
        .post(&too_big)
        .await
        .refused(Refused::Invalid, "silence exceeded maximum size");
    assert_eq!(server.silence(&active).await["comment"], "other");

    // A replacement needs room, and without it the old one stays.
    let replacement = with(&held, &json!({"matchers": [server.mark("other")]}));
    server
        .post(&replacement)
        .await
        .refused(Refused::Invalid, full);
    assert_eq!(server.state(&active).await, "active");
    let invalid = with(
        &replacement,
        &json!({"matchers": [matcher("a", "=~", "(")]}),
    );
    let answer = server.post(&invalid).await;
    answer.refused(Refused::Invalid, "invalid regular expression");
}

/// The number in the message is the size of the same protobuf message, but for
/// the fractions of seconds, which are written in one to five bytes each.
async fn size_told_by(server: &Server) -> i64 {
    let whole = json!({
        "startsAt": "2096-01-02T03:04:05Z", "endsAt": "2097-01-02T03:04:05Z",
        "createdBy": "\u{e4}", "comment": "x".repeat(2000),
        "matchers": [
            server.mark("size"), matcher("a", "!=", ""),
            matcher("b", "=~", &"y".repeat(200)), matcher("c", "!~", "z"),
        ],
        "annotations": {"key": "value", "empty": "", "long": "z".repeat(130)},
    });
    let answer = server.post(&whole).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    let said = answer.json().as_str().unwrap().to_owned();
    let digits = said.split(' ').nth(4).unwrap();
    digits
        .parse()
        .unwrap_or_else(|_| panic!("no number in `{said}`"))
}

async fn hold_limits(release: Release, version: Version) {
    let in_memory = serve(Settings {
        version,
        max_silences: Some(MAX_SILENCES),
        max_silence_size_bytes: Some(MAX_SILENCE_SIZE_BYTES),
        ..Settings::default()
    })
    .await;
    let alertmanager = Alertmanager::start(
        release,
        &Options {
            flags: &[
                &format!("--silences.max-silences={MAX_SILENCES}"),
                &format!("--silences.max-silence-size-bytes={MAX_SILENCE_SIZE_BYTES}"),
            ],
            ..Options::default()
        },
    );
    let released = Server::new(version, alertmanager.base_url());
    let (told, measured) = (
        size_told_by(&released).await,
        size_told_by(&in_memory).await,
    );
    assert!((told - measured).abs() <= 4, "{told} and {measured} bytes");
    for server in [in_memory, released] {
        hold(&server, CASES).await;
    }
}

#[tokio::test]
async fn of_0_28() {
    hold_limits(Release::V0_28, Version::V0_28).await;
}

#[tokio::test]
async fn of_the_newest() {
    hold_limits(Release::Newest, Version::V0_33).await;
}

/// 0.25 does not know the flags, and the one in memory goes without them.
#[tokio::test]
async fn of_0_25_are_none() {
    let server = serve(Settings {
        version: Version::V0_25,
        max_silences: Some(1),
        max_silence_size_bytes: Some(1),
        ..Settings::default()
    })
    .await;
    for _ in 0..2 {
        server
            .put(&with(
                &server.silence_of("none"),
                &json!({"endsAt": in_seconds(60)}),
            ))
            .await;
    }
}
