//! Which silences are refused?

use serde_json::{Value, json};
use silenced::memory::Version;

use super::EVERYBODY;
use super::kind::{Kind, Refused};
use super::server::{Server, in_seconds, matcher, with};

super::cases![
    EVERYBODY => [
        the_start_must_come_before_the_end,
        the_end_must_not_be_past,
        regular_expressions_must_compile,
        label_names_may_be_any_text_since_0_27,
        the_wrong_matcher_is_counted_from_zero,
    ],
    // Without the label of the run, so they might mute.
    EVERYBODY.on_ours_alone() => [
        one_positive_matcher_must_not_match_the_empty_text,
        negative_matchers_never_match_the_empty_text,
    ],
];

/// With the label of the run.
async fn post(server: &Server, matchers: &[Value]) -> super::server::Answer {
    let mark = server.mark("validation");
    post_bare(server, &[matchers, &[mark]].concat()).await
}

async fn post_bare(server: &Server, matchers: &[Value]) -> super::server::Answer {
    server
        .post(&with(
            &server.silence_of("validation"),
            &json!({"matchers": matchers}),
        ))
        .await
}

/// What Alertmanager's reason begins with. In which words the forks of Grafana and
/// Mimir say it depends on when they were made.
fn prefix(server: &Server) -> &'static str {
    if matches!(server.kind, Kind::Grafana | Kind::Mimir) {
        ""
    } else if server.is_since(Version::V0_28) {
        "invalid silence: "
    } else {
        "silence invalid: "
    }
}

async fn the_start_must_come_before_the_end(server: Server) {
    for (start, end) in [(60, 60), (60, 50), (-40, -50)] {
        let times = json!({"startsAt": in_seconds(start), "endsAt": in_seconds(end)});
        // Read within different seconds the two may differ by one.
        let times = if start == end {
            with(&times, &json!({"endsAt": times["startsAt"]}))
        } else {
            times
        };
        let answer = server
            .post(&with(&server.silence_of("validation"), &times))
            .await;
        answer.refused(Refused::Invalid, "start time must be before end time");
    }
}

async fn the_end_must_not_be_past(server: Server) {
    let past = json!({"startsAt": in_seconds(-600), "endsAt": in_seconds(-300)});
    let answer = server
        .post(&with(&server.silence_of("validation"), &past))
        .await;
    answer.refused(Refused::Invalid, "end time can't be in the past");
    let id = server.put(&server.silence_of("validation")).await;
    let update = with(
        &server.silence(&id).await,
        &json!({"endsAt": in_seconds(-300)}),
    );
    let update = with(&update, &json!({"startsAt": in_seconds(-600)}));
    let answer = server.post(&update).await;
    answer.refused(Refused::Invalid, "end time can't be in the past");
    assert_eq!(server.state(&id).await, "active");
}

async fn one_positive_matcher_must_not_match_the_empty_text(server: Server) {
    let all_empty: [&[Value]; 7] = [
        &[matcher("a", "=", "")],
        &[matcher("a", "=~", ".*")],
        &[matcher("a", "=~", "x|")],
        &[matcher("a", "=~", "^$")],
        &[matcher("a", "=~", "x*y*")],
        &[matcher("a", "=~", "")],
        &[matcher("a", "=", ""), matcher("b", "=~", ".*")],
    ];
    for matchers in all_empty {
        let answer = post_bare(&server, matchers).await;
        answer.refused(Refused::Invalid, prefix(&server));
        answer.refused(
            Refused::Invalid,
            "at least one matcher must not match the empty string",
        );
    }
    for enough in [
        vec![matcher("a", "=~", ".+")],
        vec![matcher("a", "=", ""), matcher("b", "=", "x")],
    ] {
        post_bare(&server, &enough).await.accepted();
    }
}

async fn negative_matchers_never_match_the_empty_text(server: Server) {
    for (operator, value) in [("!=", "x"), ("!=", ""), ("!~", ".*"), ("!~", "x")] {
        let matchers = [matcher("a", operator, value)];
        post_bare(&server, &matchers).await.accepted();
    }
}

async fn regular_expressions_must_compile(server: Server) {
    for pattern in [
        "(", "a)", "[", "*", "\\", "[z-a]", "a{2,1}", "(?=a)", "(?P<n", "\\pX", "a{1001}", "a**",
    ] {
        for operator in ["=~", "!~"] {
            let answer = post(&server, &[matcher("a", operator, pattern)]).await;
            answer.refused(Refused::Invalid, "invalid regular expression");
            answer.refused(Refused::Invalid, "error parsing regexp");
        }
        post(&server, &[matcher("a", "=", pattern)])
            .await
            .accepted();
    }
    for pattern in [
        "x",
        "(?i)x",
        "a{2}",
        "[[:alpha:]]+",
        "\\d+\\.\\w",
        "\\pL",
        "(?P<n>a)",
        "a.*?b",
        "\\Qa+\\E",
        "{foo}",
    ] {
        post(&server, &[matcher("a", "=~", pattern)])
            .await
            .accepted();
    }
    // Go 1.22 reads the short form, and 0.25 is built with 1.19.
    let short_name = post(&server, &[matcher("a", "=~", "(?<n>a)")]).await;
    if server.is_since(Version::V0_28) {
        short_name.accepted();
    } else {
        short_name.refused(Refused::Invalid, "error parsing regexp");
    }
}

async fn label_names_may_be_any_text_since_0_27(server: Server) {
    for name in ["a", "A_9", "__name__", "_"] {
        post(&server, &[matcher(name, "=", "x")]).await.accepted();
    }
    // Whoever runs Mimir may have told it otherwise.
    let has_utf8_names = if server.is_shared() && server.kind.has_replicas() {
        post(&server, &[matcher("a.b", "=", "x")]).await.status == 200
    } else {
        server.has_utf8_names()
    };
    for name in [
        "a b",
        " a",
        "1a",
        "a:b",
        "a-b",
        "a.b",
        "\u{e4}",
        "\u{1f642}",
    ] {
        let answer = post(&server, &[matcher(name, "=", "x")]).await;
        if has_utf8_names {
            answer.accepted();
        } else {
            answer.refused(Refused::Invalid, &format!("invalid label name \"{name}\""));
        }
    }
    let empty = post(&server, &[matcher("", "=", "x")]).await;
    empty.refused(Refused::Invalid, "invalid label name \"\"");
}

async fn the_wrong_matcher_is_counted_from_zero(server: Server) {
    let answer = post(&server, &[matcher("a", "=", "b"), matcher("a", "=~", "(")]).await;
    let set = if server.is_since(Version::V0_33) {
        " in set 0"
    } else {
        ""
    };
    let message = format!(
        "{}invalid label matcher 1{set}: invalid regular",
        prefix(&server)
    );
    answer.refused(Refused::Invalid, &message);
}
