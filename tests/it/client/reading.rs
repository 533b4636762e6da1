//! Lists as servers write them, and settings as people do.

use expect_test::{Expect, expect};
use silenced::alertmanager::{Client, ClientSettings, Credentials, Listing, SilenceApi};
use silenced::silence::SilenceState;
use silenced::timestamp::Timestamp;

use super::{client, client_of};
use crate::support::raw_server::{RawServer, Reply};

const DATED: &str =
    "200 OK\r\nContent-Type: application/json\r\nDate: Sun, 22 Nov 2026 10:00:00 GMT";

async fn list(body: impl AsRef<[u8]>) -> Listing {
    let server = RawServer::start(Reply::http(DATED, body)).await;
    client(&server).list().await.unwrap()
}

/// One silence of a list; `rest` is what follows the id.
fn entry(rest: &str) -> String {
    format!(
        r#"{{"id":"1",{rest}"createdBy":"me","comment":"c","startsAt":"2026-11-22T09:00:00.999Z","endsAt":"2026-11-22T11:00:00+00:00"}}"#
    )
}

#[tokio::test]
async fn empty_list() {
    let listing = list("[]\n").await;
    let expected = Listing {
        server_time: Some(Timestamp::parse("2026-11-22T10:00:00Z").unwrap()),
        ..Listing::default()
    };
    assert_eq!(listing, expected);
}

#[tokio::test]
async fn what_servers_leave_out_and_add() {
    let matchers = r#""matchers":[
        {"name":"a","value":"\u00fc\n","isRegex":true,"isEqual":false},
        {"name":"b","value":"x","isRegex":false},
        {"name":"c","value":"y","isRegex":true,"isEqual":null}],"#;
    let extra = r#""status":{"state":"active","since":1},"updatedAt":"","metadata":{"permissions":{"read":true}},"#;
    let listing = list(format!("[{}]", entry(&format!("{matchers}{extra}")))).await;
    expect![[r#"
        Listing {
            silences: [
                Silence {
                    id: SilenceId(
                        "1",
                    ),
                    matchers: Matchers(
                        [
                            Matcher {
                                name: "a",
                                operator: NotRegex,
                                value: "ü\n",
                            },
                            Matcher {
                                name: "b",
                                operator: Equal,
                                value: "x",
                            },
                            Matcher {
                                name: "c",
                                operator: Regex,
                                value: "y",
                            },
                        ],
                    ),
                    starts_at: 2026-11-22T09:00:00Z,
                    ends_at: 2026-11-22T11:00:00Z,
                    created_by: "me",
                    comment: "c",
                    annotations: {},
                    state: Active,
                },
            ],
            expired: 0,
            skipped: Skipped {
                count: 0,
                first: None,
            },
            server_time: Some(
                2026-11-22T10:00:00Z,
            ),
            remarks: [],
        }
    "#]]
    .assert_debug_eq(&listing);
}

#[tokio::test]
async fn null_matchers() {
    let listing = list(format!(
        "[{}]",
        entry(r#""matchers":null,"status":{"state":"active"},"#)
    ))
    .await;
    assert_eq!(listing.silences[0].matchers.as_slice(), []);
}

#[tokio::test]
async fn unknown_state_is_told_by_the_times() {
    let unknown = |start: &str, end: &str| {
        format!(
            r#"{{"id":"1","matchers":[],"createdBy":"","comment":"[silenced x]","startsAt":"{start}","endsAt":"{end}","status":{{"state":"napping"}}}}"#
        )
    };
    let listing = list(format!(
        "[{},{},{}]",
        unknown("2026-11-22T11:00:00Z", "2026-11-22T12:00:00Z"),
        unknown("2026-11-22T09:00:00Z", "2026-11-22T11:00:00Z"),
        unknown("2026-11-22T08:00:00Z", "2026-11-22T09:00:00Z"),
    ))
    .await;
    let states: Vec<_> = listing
        .silences
        .iter()
        .map(|silence| silence.state)
        .collect();
    assert_eq!(
        states,
        [
            SilenceState::Pending,
            SilenceState::Active,
            SilenceState::Expired
        ]
    );
}

#[tokio::test]
async fn unknown_state_without_a_clock_is_live() {
    let body = format!("[{}]", entry(r#""matchers":[],"#));
    let server = RawServer::start(Reply::json("200 OK", body)).await;
    let listing = client(&server).list().await.unwrap();
    assert_eq!(listing.server_time, None);
    assert_eq!(listing.silences[0].state, SilenceState::Active);
}

#[tokio::test]
async fn expired_silences_stay_only_with_a_marker() {
    let expired = r#""matchers":[],"status":{"state":"expired"},"#;
    let foreign = entry(expired);
    let ours = foreign.replace(r#""c""#, r#""c\n[silenced instance=lab silence=x]""#);
    let listing = list(format!("[{foreign},{ours},{foreign}]")).await;
    assert_eq!((listing.silences.len(), listing.expired), (1, 2));
    assert_eq!(listing.skipped.count, 0);
}

#[tokio::test]
async fn one_unreadable_silence_does_not_hide_the_others() {
    let good = entry(r#""matchers":[],"#);
    let lone_surrogate = good.replace(r#""c""#, r#""\ud800""#);
    let climbing = good.replace(r#""id":"1""#, r#""id":"..""#);
    let ageless = good.replace("2026-11-22T09:00:00.999Z", "yesterday");
    let bodies = ["null", &lone_surrogate, &climbing, &good, &ageless, "[]"];
    let listing = list(format!("[{}]", bodies.join(","))).await;
    assert_eq!((listing.silences.len(), listing.skipped.count), (1, 5));
    let reasons = [lone_surrogate, climbing, ageless].map(|body| (body, good.clone()));
    for ((body, good), message) in
        reasons
            .into_iter()
            .zip([expect![[r#"`{"id":"1","matchers":[],"createdBy":"me","comment":"\ud800","startsAt":"2026-11-22T09:00:00.999Z","endsAt":"2026-11-22T11:00:00+00:00"}`: unexpected end of hex escape at line 1 column 59"#]], expect![[r#"`{"id":"..","matchers":[],"createdBy":"me","comment":"c","startsAt":"2026-11-22T09:00:00.999Z","endsAt":"2026-11-22T11:00:00+00:00"}`: its id cannot be part of a URL"#]], expect![[r#"`{"id":"1","matchers":[],"createdBy":"me","comment":"c","startsAt":"yesterday","endsAt":"2026-11-22T11:00:00+00:00"}`: `yesterday` is not an RFC 3339 time such as 2026-01-08T21:00:00Z"#]]])
    {
        check_skipped(&list(format!("[{body},{good}]")).await, &message);
    }
}

fn check_skipped(listing: &Listing, message: &Expect) {
    message.assert_eq(listing.skipped.first.as_deref().unwrap());
}

#[tokio::test]
async fn invalid_utf8_becomes_the_replacement_character() {
    let mut body = format!("[{}]", entry(r#""matchers":[],"#)).into_bytes();
    let position = body.windows(3).position(|bytes| bytes == b"\"c\"").unwrap();
    body[position + 1] = 0xff;
    assert_eq!(list(body).await.silences[0].comment, "\u{fffd}");
}

#[tokio::test]
async fn path_prefix_is_joined() {
    let server = RawServer::start(Reply::json("200 OK", "[]")).await;
    for (suffix, path) in [
        ("", "/api/v2/silences"),
        ("/", "/api/v2/silences"),
        ("/alertmanager", "/alertmanager/api/v2/silences"),
        ("/alertmanager/", "/alertmanager/api/v2/silences"),
    ] {
        let url = format!("http://{}{suffix}", server.address());
        client_of(&url, Credentials::None).list().await.unwrap();
        let request = server.requests().pop().unwrap();
        assert!(
            request.starts_with(&format!("GET {path} HTTP/1.1\r\n")),
            "{request}"
        );
    }
}

#[test]
fn urls_that_cannot_be_used() {
    let mut messages = String::new();
    for url in [
        "alertmanager",
        "alertmanager:9093",
        "ftp://alertmanager",
        "http://",
        "http://me:s3cret@host:99999",
        "http://me:s3cret@host/prefix?token=s3cret",
        "http://host/?s3cret",
        "http://host/#/silences",
    ] {
        let error = Client::new(&ClientSettings::new(url)).unwrap_err();
        messages.push_str(&error.to_string());
        messages.push('\n');
    }
    assert!(!messages.contains("s3cret"), "{messages}");
    expect![[r#"
        `alertmanager` is not a URL (relative URL without a base): write one such as `http://alertmanager:9093`
        `alertmanager:9093` must begin with `http://` or `https://`
        `ftp://alertmanager` must begin with `http://` or `https://`
        `http://` is not a URL (empty host): write one such as `http://alertmanager:9093`
        `http://host:99999` is not a URL (invalid port number): write one such as `http://alertmanager:9093`
        `http://host/prefix` has a user name or password: name them in `basic_auth`, the password in a file of its own
        `http://host/` has a query (`?...`): write the URL without it
        `http://host/#/silences` has a fragment (`#...`): that is a page of the web interface: write only what comes before it
    "#]].assert_eq(&messages);
}
