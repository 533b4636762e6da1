//! Which bodies are silences, and how do they come back?

use serde_json::{Value, json};

use super::kind::Refused;
use super::server::{Server, matcher, text, with, without};
use super::{ALERTMANAGER, EVERYBODY};

super::cases![
    EVERYBODY => [
        a_silence_comes_back_whole,
        what_get_returns_can_be_posted,
        required_keys_are_named,
        null_is_absent,
        no_matchers_are_refused,
        wrong_types_and_malformed_json_are_400,
        wrong_types_are_seen_before_missing_keys,
        an_absent_or_null_is_equal_is_true,
        empty_texts_are_accepted,
        unknown_keys_and_what_follows_are_ignored,
        keys_are_found_in_any_case,
        texts_come_back_unchanged,
        broken_unicode_becomes_replacement_characters,
        annotations_are_kept_or_dropped,
    ],
    ALERTMANAGER => [
        required_keys_are_named_in_the_order_of_the_alphabet,
        no_body_is_told_from_no_silence,
    ],
    ALERTMANAGER.on_ours_alone() => [a_null_matcher_closes_the_connection],
    EVERYBODY.on_ours_alone() => [a_big_comment_is_accepted],
];

async fn a_silence_comes_back_whole(server: Server) {
    let sent = with(
        &server.pending("whole"),
        &json!({"matchers": [
            server.mark("whole"), matcher("b", "!=", "x"),
            matcher("a", "=~", "x.*"), matcher("a", "!~", "y|z"),
        ]}),
    );
    let id = server.put(&sent).await;
    let got = server.silence(&id).await;
    let mut keys: Vec<_> = got.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(
        keys,
        [
            "comment",
            "createdBy",
            "endsAt",
            "id",
            "matchers",
            "startsAt",
            "status",
            "updatedAt"
        ],
        "no annotations, rather than empty ones"
    );
    for key in ["comment", "createdBy", "matchers"] {
        assert_eq!(got[key], sent[key]);
    }
    assert_eq!(got["status"], json!({"state": "pending"}));
    let listed = server.filter(&[&server.filter_of("whole")]).await.json();
    assert_eq!(listed, json!([got]), "the list says the same");
}

async fn what_get_returns_can_be_posted(server: Server) {
    let id = server.put(&server.silence_of("echo")).await;
    let got = server.silence(&id).await;
    assert_eq!(server.put(&got).await, id);
}

async fn required_keys_are_named(server: Server) {
    let silence = server.silence_of("required");
    for key in ["comment", "createdBy", "endsAt", "matchers", "startsAt"] {
        let answer = server.post(&without(&silence, key)).await;
        answer.refused(Refused::Missing, &format!("{key} in body is required"));
    }
    let matcher = &silence["matchers"][0];
    for key in ["isRegex", "name", "value"] {
        let matchers = json!([matcher, without(matcher, key)]);
        let answer = server
            .post(&with(&silence, &json!({"matchers": matchers})))
            .await;
        answer.refused(
            Refused::Missing,
            &format!("matchers.1.{key} in body is required"),
        );
    }
}

async fn required_keys_are_named_in_the_order_of_the_alphabet(server: Server) {
    let silence = server.silence_of("required");
    let several = server.post(&json!({})).await;
    several.refused(Refused::Missing, "comment in body is required");
    let several = server
        .post(&with(&silence, &json!({"matchers": [{}, {}]})))
        .await;
    several.refused(Refused::Missing, "matchers.0.isRegex in body is required");
}

async fn null_is_absent(server: Server) {
    let silence = server.silence_of("null");
    for key in ["comment", "createdBy", "endsAt", "matchers", "startsAt"] {
        let answer = server.post(&with(&silence, &json!({(key): null}))).await;
        answer.refused(Refused::Missing, &format!("{key} in body is required"));
    }
    let nothing = server.post(&Value::Null).await;
    nothing.refused(Refused::Missing, "comment in body is required");
    let optional = json!({"id": null, "annotations": null});
    server.put(&with(&silence, &optional)).await;
}

async fn no_body_is_told_from_no_silence(server: Server) {
    for body in ["", "  \n"] {
        let answer = server.post_bytes(body).await;
        answer.refused(Refused::Missing, "silence in body is required");
    }
}

async fn no_matchers_are_refused(server: Server) {
    let answer = server.post_bytes("").await;
    answer.refused(Refused::Missing, "is required");
    let none = with(&server.silence_of("none"), &json!({"matchers": []}));
    let answer = server.post(&none).await;
    answer.refused(
        Refused::NoMatchers,
        "matchers in body should have at least 1 items",
    );
}

async fn wrong_types_and_malformed_json_are_400(server: Server) {
    let silence = server.silence_of("types");
    let matcher = &silence["matchers"][0];
    let mut bodies: Vec<String> = [
        json!({"comment": 3}),
        json!({"createdBy": []}),
        json!({"id": 3}),
        json!({"endsAt": 123}),
        json!({"endsAt": true}),
        json!({"startsAt": {}}),
        json!({"matchers": {}}),
        json!({"matchers": "a=b"}),
        json!({"matchers": ["a=b"]}),
        json!({"matchers": [["case", "types", false]]}),
        json!({"matchers": [with(matcher, &json!({"isRegex": "true"}))]}),
        json!({"matchers": [with(matcher, &json!({"isEqual": 1}))]}),
        json!({"matchers": [with(matcher, &json!({"value": 3}))]}),
        json!({"matchers": [with(matcher, &json!({"name": ["case"]}))]}),
    ]
    .map(|change| with(&silence, &change).to_string())
    .into();
    let whole = silence.to_string();
    bodies.extend(["{", "nope", "[]", "\"x\"", "3", "{'a': 1}"].map(str::to_owned));
    bodies.push(format!("[{whole}]"));
    bodies.push(format!("\u{feff}{whole}"));
    bodies.push(whole.replace('}', ",}"));
    bodies.push(whole.replace("contract", "con\x01tract"));
    for body in bodies {
        let answer = server.post_bytes(body.clone()).await;
        assert_eq!(answer.status, 400, "{body} was answered with {answer:?}");
        answer.refused(
            Refused::Malformed,
            "parsing silence body from \"\" failed, because ",
        );
    }
    assert_eq!(server.ids_of("types").await, Vec::<String>::new());
}

async fn wrong_types_are_seen_before_missing_keys(server: Server) {
    for body in [json!({"endsAt": "x"}), json!({"matchers": [{"name": 3}]})] {
        server
            .post(&body)
            .await
            .refused(Refused::Malformed, "parsing silence body");
    }
}

async fn a_null_matcher_closes_the_connection(server: Server) {
    let matchers = json!([server.mark("null-matcher"), null]);
    let body = with(
        &server.silence_of("null-matcher"),
        &json!({"matchers": matchers}),
    )
    .to_string();
    let json = [("content-type", "application/json")];
    let answer = server
        .send("POST", super::server::SILENCES, &json, body)
        .await;
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(server.ids_of("null-matcher").await, Vec::<String>::new());
}

async fn an_absent_or_null_is_equal_is_true(server: Server) {
    let silence = server.silence_of("is-equal");
    let matcher = &silence["matchers"][0];
    for matcher in [
        without(matcher, "isEqual"),
        with(matcher, &json!({"isEqual": null})),
    ] {
        let id = server
            .put(&with(&silence, &json!({"matchers": [matcher]})))
            .await;
        assert_eq!(server.silence(&id).await["matchers"][0]["isEqual"], true);
    }
}

async fn empty_texts_are_accepted(server: Server) {
    let empty = json!({"id": "", "comment": "", "createdBy": ""});
    let id = server.put(&with(&server.silence_of("empty"), &empty)).await;
    let got = server.silence(&id).await;
    assert_eq!(
        (&got["comment"], &got["createdBy"]),
        (&json!(""), &json!(""))
    );
}

async fn unknown_keys_and_what_follows_are_ignored(server: Server) {
    let silence = with(
        &server.silence_of("unknown"),
        &json!({"metadata": {"x": [1]}}),
    );
    server.put(&silence).await;
    server
        .post_bytes(format!("{silence}garbage"))
        .await
        .accepted();
    let twice = format!("{{\"comment\":\"first\",{}", &silence.to_string()[1..]);
    let id = server.post_bytes(twice).await.accepted();
    assert_eq!(
        server.silence(&id).await["comment"],
        "unknown",
        "the last one counts"
    );
}

async fn keys_are_found_in_any_case(server: Server) {
    let body = server.silence_of("case").to_string();
    let body = body
        .replace("\"comment\"", "\"COMMENT\"")
        .replace("\"name\"", "\"Name\"");
    server.post_bytes(body).await.accepted();
}

async fn texts_come_back_unchanged(server: Server) {
    let strange = "\r\n\tna\u{ef}ve nai\u{308}ve <b>&\u{2028}\u{7f}\0 \u{1f642} \\ \" trailing  ";
    let sent = with(
        &server.silence_of("texts"),
        &json!({
            "comment": strange, "createdBy": strange,
            "matchers": [server.mark("texts"), matcher("x", "=", strange)],
        }),
    );
    let id = server.put(&sent).await;
    let got = server.silence(&id).await;
    for key in ["comment", "createdBy", "matchers"] {
        assert_eq!(got[key], sent[key]);
    }
}

async fn broken_unicode_becomes_replacement_characters(server: Server) {
    // What is sent in place of the comment, byte by byte, and what comes back.
    let cases: [(&[u8], &str); 6] = [
        (b"a\xffb", "a\u{fffd}b"),
        (b"\xe2\x82", "\u{fffd}\u{fffd}"),
        (b"\\ud800", "\u{fffd}"),
        (b"\\udc00\\ud83d", "\u{fffd}\u{fffd}"),
        (b"\\ud83d\\ude42", "\u{1f642}"),
        (b"\\\\ud800", "\\ud800"),
    ];
    for (sent, expected) in cases {
        let body = with(&server.silence_of("unicode"), &json!({"comment": "HERE"})).to_string();
        let (before, after) = body.split_once("HERE").unwrap();
        let body = [before.as_bytes(), sent, after.as_bytes()].concat();
        let id = server.post_bytes(body).await.accepted();
        assert_eq!(text(&server.silence(&id).await["comment"]), expected);
    }
}

async fn annotations_are_kept_or_dropped(server: Server) {
    let annotations = json!({"": "empty key", "ticket": "OPS-1", "empty": ""});
    let annotated = with(
        &server.silence_of("annotations"),
        &json!({"annotations": annotations}),
    );
    let id = server.put(&annotated).await;
    let got = server.silence(&id).await;
    // Versions without annotations do not even look at them.
    let wrong = server
        .post(&with(&annotated, &json!({"annotations": {"a": 3}})))
        .await;
    let empty = with(&annotated, &json!({"annotations": {"a": null}}));
    let empty = server.silence(&server.put(&empty).await).await;
    if server.keeps_annotations() {
        assert_eq!(got["annotations"], annotations);
        assert_eq!(empty["annotations"], json!({"a": ""}));
        wrong.refused(Refused::Malformed, "parsing silence body");
    } else {
        assert_eq!(got.get("annotations"), None);
        assert_eq!(empty.get("annotations"), None);
        wrong.accepted();
    }
    // An update is a replacement of everything.
    let update = with(
        &server.silence_of("annotations"),
        &json!({"id": id, "startsAt": got["startsAt"]}),
    );
    assert_eq!(server.put(&update).await, id);
    assert_eq!(server.silence(&id).await.get("annotations"), None);
}

async fn a_big_comment_is_accepted(server: Server) {
    let comment = "x".repeat(3_000_000);
    let id = server
        .put(&with(&server.pending("big"), &json!({"comment": comment})))
        .await;
    assert_eq!(
        text(&server.silence(&id).await["comment"]).len(),
        comment.len()
    );
}
