//! Which silences does a filter find?

use serde_json::json;

use super::kind::Refused;
use super::server::{Answer, SILENCES, Server, matcher, with};
use super::{ALERTMANAGER, EVERYBODY};

super::cases![
    EVERYBODY => [
        a_filter_finds_the_very_matcher,
        filters_are_all_to_hold,
        a_filter_is_one_matcher,
        quotes_and_escapes,
        quoted_names_since_0_27,
        states_cannot_be_filtered_before_0_34,
    ],
    ALERTMANAGER => [malformed_pairs_of_the_query_are_passed_over],
];

/// How many silences of this run the filters find.
async fn found(server: &Server, filters: &[&str]) -> usize {
    of_this_run(server, &server.filter(filters).await)
}

/// Others may be found too, those of earlier runs among them.
fn of_this_run(server: &Server, answer: &Answer) -> usize {
    assert_eq!(answer.status, 200, "{answer:?}");
    let listed = answer.json();
    let listed = listed.as_array().unwrap().iter();
    listed.filter(|silence| server.made(silence)).count()
}

/// Asserts that the filters cannot be read.
async fn refused(server: &Server, filters: &[&str], message: &str) {
    let answer = server.filter(filters).await;
    answer.refused(Refused::Filter, message);
}

async fn a_filter_finds_the_very_matcher(server: Server) {
    for (operator, value) in [("=", "v"), ("=~", "w.*"), ("!=", "q"), ("!~", ".*a")] {
        let own = json!({"matchers": [server.mark("filter"), matcher("fa", operator, value)]});
        server.put(&with(&server.silence_of("filter"), &own)).await;
    }
    for (filter, expected) in [
        ("fa=\"v\"", 1),
        ("fa=v", 1),
        (" fa = \"v\" ", 1),
        ("fa=\nv", 1),
        ("fa=~\"w.*\"", 1),
        ("fa=~w.*", 1),
        ("fa!=\"q\"", 1),
        ("fa!~\".*a\"", 1),
        // Structure, not meaning.
        ("fa=~\".*\"", 0),
        ("fa=~\"v\"", 0),
        ("fa=\"w1\"", 0),
        ("fa!=\"z\"", 0),
        ("fa=\"V\"", 0),
        ("fa=", 0),
        ("fa=\"\"", 0),
        ("fz=\"v\"", 0),
    ] {
        assert_eq!(found(&server, &[filter]).await, expected, "{filter}");
    }
}

async fn filters_are_all_to_hold(server: Server) {
    let own = json!({"matchers": [server.mark("filters"), matcher("fb", "=", "v"), matcher("fc", "=~", "w.*")]});
    server.put(&with(&server.silence_of("filters"), &own)).await;
    for (filters, expected) in [
        (["fb=\"v\"", "fc=~\"w.*\""], 1),
        (["fb=\"v\"", "fb=\"v\""], 1),
        (["fb=\"v\"", "fc=\"w\""], 0),
    ] {
        assert_eq!(found(&server, &filters).await, expected);
    }
    refused(&server, &["fb=\"v\"", "fb"], "bad matcher format: fb").await;
}

async fn a_filter_is_one_matcher(server: Server) {
    for bad in ["", "fd", "=\"v\"", "fd!v", "fd~v", "fd\"v\""] {
        refused(&server, &[bad], &format!("bad matcher format: {bad}")).await;
    }
    for bad in ["fd=\"v\",fe=\"w\"", "fd=\"v", "fd=v\"", "fd=\"v\"x"] {
        let value = bad.strip_prefix("fd=").unwrap();
        let message = format!("matcher value contains unescaped double quote: {value}");
        refused(&server, &[bad], &message).await;
    }
    for bad in ["fd=~\"(\"", "fd=~["] {
        refused(&server, &[bad], "error parsing regexp").await;
    }
    let modern = server.has_utf8_names();
    let expected = if modern {
        "unexpected open or close brace"
    } else {
        "bad matcher format"
    };
    let braces = "{fd=\"v\"}";
    refused(&server, &[braces], &format!("{expected}: {braces}")).await;
    // A comma at the end is let pass by the newer grammar, inside it is text.
    let (good, bad) = if modern {
        ("fd=\"v\",", "fd=v}")
    } else {
        ("fd=v}", "fd=\"v\",")
    };
    assert_eq!(found(&server, &[good]).await, 0);
    refused(&server, &[bad], "").await;
    assert_eq!(found(&server, &["fd=a,b"]).await, 0);
}

async fn quotes_and_escapes(server: Server) {
    let own = json!({"matchers": [
        server.mark("quotes"), matcher("fe", "=", "'v'"), matcher("fe", "=", "=v"), matcher("fe", "=", "a b"),
        matcher("fe", "=", "a\"b\\c\nd"), matcher("fe", "=", "\\x"), matcher("fe", "=", "`v`"),
    ]});
    server.put(&with(&server.silence_of("quotes"), &own)).await;
    for filter in [
        "fe='v'",
        "fe==v",
        "fe=a b",
        "fe=\"a\\\"b\\\\c\\nd\"",
        "fe=\"\\x\"",
        "fe=\\x",
        "fe=`v`",
    ] {
        assert_eq!(found(&server, &[filter]).await, 1, "{filter}");
    }
}

async fn quoted_names_since_0_27(server: Server) {
    if !server.has_utf8_names() {
        for bad in ["\"ff\"=\"v\"", "f.f=v", "\u{e4}=v", "1f=v"] {
            refused(&server, &[bad], &format!("bad matcher format: {bad}")).await;
        }
        return;
    }
    let own = json!({"matchers": [
        server.mark("names"), matcher("ff", "=", "v"), matcher("f.f", "=", "v"), matcher("f f", "=", "\u{1f642}"),
    ]});
    server.put(&with(&server.silence_of("names"), &own)).await;
    for filter in [
        "\"ff\"=\"v\"",
        "f.f=v",
        "\"f.f\" = \"v\" ,",
        "\"f f\"=\u{1f642}",
        "\"f f\"=\"\\xf0\\x9f\\x99\\x82\"",
        "\"f f\"=\"\\U0001f642\"",
        "\"f\\u0020f\"=\u{1f642}",
    ] {
        assert_eq!(found(&server, &[filter]).await, 1, "{filter}");
    }
    for bad in ["\"f f\"=a b", "\"f f\"=", "\"f f\"=\"\\q\"", "\"f f\"='v'"] {
        refused(&server, &[bad], &format!("bad matcher format: {bad}")).await;
    }
}

async fn malformed_pairs_of_the_query_are_passed_over(server: Server) {
    let own = json!({"matchers": [server.mark("query"), matcher("fg", "=", "a b")]});
    server.put(&with(&server.silence_of("query"), &own)).await;
    for (query, expected) in [
        ("filter=fg%3D%22a%20b%22", 1),
        ("filter=fg=a+b", 1),
        ("%66ilter=fg=a+b&filter=%zz", 1),
        ("filter=fg=a+b&filter=x;y=z", 1),
        ("filter=fg=a+b&other=x", 1),
        ("filter=fg=none&Filter=fg", 0),
    ] {
        let answer = server.get(&format!("{SILENCES}?{query}")).await;
        assert_eq!(of_this_run(&server, &answer), expected, "{query}");
    }
    let empty = server.get(&format!("{SILENCES}?filter")).await;
    empty.refused(Refused::Filter, "bad matcher format: ");
}

async fn states_cannot_be_filtered_before_0_34(server: Server) {
    let status = server.get("/api/v2/status").await.json();
    let version = status["versionInfo"]["version"].as_str().unwrap();
    // Grafana does not tell, and has no such parameters.
    let minor: u32 = version
        .split('.')
        .nth(1)
        .map_or(0, |minor| minor.parse().unwrap());
    let id = server.put(&server.silence_of("state-filter")).await;
    server.delete(&id).await;
    let filter = server.filter_of("state-filter").replace('"', "%22");
    let path = format!("{SILENCES}?expired=false&filter={filter}");
    let found = of_this_run(&server, &server.get(&path).await);
    // Neither have Mimir and Cortex.
    assert_eq!(found, usize::from(minor < 34 || server.kind.has_replicas()));
}
