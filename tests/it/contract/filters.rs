//! Which silences does a filter find?

use serde_json::json;
use silenced::memory::Version;

use super::server::{SILENCES, Server, matcher, silence, with};

super::cases![
    a_filter_finds_the_very_matcher,
    filters_are_all_to_hold,
    a_filter_is_one_matcher,
    quotes_and_escapes,
    quoted_names_since_0_27,
    malformed_pairs_of_the_query_are_passed_over,
    states_cannot_be_filtered_before_0_34,
];

/// How many silences a filter finds, or the error.
async fn found(server: &Server, filters: &[&str]) -> Result<usize, String> {
    let answer = server.filter(filters).await;
    if answer.status == 200 {
        return Ok(answer.json().as_array().unwrap().len());
    }
    answer.refused_with_text(400, "");
    Err(answer.json().as_str().unwrap().to_owned())
}

async fn a_filter_finds_the_very_matcher(server: Server) {
    for (operator, value) in [("=", "v"), ("=~", "w.*"), ("!=", "q"), ("!~", ".*a")] {
        let own =
            json!({"matchers": [matcher("case", "=", "filter"), matcher("fa", operator, value)]});
        server.put(&with(&silence("filter"), &own)).await;
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
        assert_eq!(found(&server, &[filter]).await, Ok(expected), "{filter}");
    }
}

async fn filters_are_all_to_hold(server: Server) {
    let own = json!({"matchers": [matcher("fb", "=", "v"), matcher("fc", "=~", "w.*")]});
    server.put(&with(&silence("filters"), &own)).await;
    for (filters, expected) in [
        (["fb=\"v\"", "fc=~\"w.*\""], 1),
        (["fb=\"v\"", "fb=\"v\""], 1),
        (["fb=\"v\"", "fc=\"w\""], 0),
    ] {
        assert_eq!(found(&server, &filters).await, Ok(expected));
    }
    let one_bad = found(&server, &["fb=\"v\"", "fb"]).await;
    assert_eq!(one_bad, Err("bad matcher format: fb".to_owned()));
}

async fn a_filter_is_one_matcher(server: Server) {
    for bad in ["", "fd", "=\"v\"", "fd!v", "fd~v", "fd\"v\""] {
        let expected = format!("bad matcher format: {bad}");
        assert_eq!(found(&server, &[bad]).await, Err(expected));
    }
    for bad in ["fd=\"v\",fe=\"w\"", "fd=\"v", "fd=v\"", "fd=\"v\"x"] {
        let error = found(&server, &[bad]).await.unwrap_err();
        let value = bad.strip_prefix("fd=").unwrap();
        assert_eq!(
            error,
            format!("matcher value contains unescaped double quote: {value}")
        );
    }
    for bad in ["fd=~\"(\"", "fd=~["] {
        let error = found(&server, &[bad]).await.unwrap_err();
        assert!(error.contains("error parsing regexp"), "{error}");
    }
    let braces = found(&server, &["{fd=\"v\"}"]).await.unwrap_err();
    let modern = server.is_since(Version::V0_28);
    let expected = if modern {
        "unexpected open or close brace"
    } else {
        "bad matcher format"
    };
    assert_eq!(braces, format!("{expected}: {{fd=\"v\"}}"));
    assert_eq!(found(&server, &["fd=v}"]).await.is_err(), modern);
    // A comma at the end is let pass by the newer grammar, inside it is text.
    assert_eq!(found(&server, &["fd=\"v\","]).await.is_err(), !modern);
    assert_eq!(found(&server, &["fd=a,b"]).await, Ok(0));
}

async fn quotes_and_escapes(server: Server) {
    let own = json!({"matchers": [
        matcher("fe", "=", "'v'"), matcher("fe", "=", "=v"), matcher("fe", "=", "a b"),
        matcher("fe", "=", "a\"b\\c\nd"), matcher("fe", "=", "\\x"), matcher("fe", "=", "`v`"),
    ]});
    server.put(&with(&silence("quotes"), &own)).await;
    for filter in [
        "fe='v'",
        "fe==v",
        "fe=a b",
        "fe=\"a\\\"b\\\\c\\nd\"",
        "fe=\"\\x\"",
        "fe=\\x",
        "fe=`v`",
    ] {
        assert_eq!(found(&server, &[filter]).await, Ok(1), "{filter}");
    }
}

async fn quoted_names_since_0_27(server: Server) {
    if !server.is_since(Version::V0_28) {
        for bad in ["\"ff\"=\"v\"", "f.f=v", "\u{e4}=v", "1f=v"] {
            let expected = format!("bad matcher format: {bad}");
            assert_eq!(found(&server, &[bad]).await, Err(expected));
        }
        return;
    }
    let own = json!({"matchers": [
        matcher("ff", "=", "v"), matcher("f.f", "=", "v"), matcher("f f", "=", "\u{1f642}"),
    ]});
    server.put(&with(&silence("names"), &own)).await;
    for filter in [
        "\"ff\"=\"v\"",
        "f.f=v",
        "\"f.f\" = \"v\" ,",
        "\"f f\"=\u{1f642}",
        "\"f f\"=\"\\xf0\\x9f\\x99\\x82\"",
        "\"f f\"=\"\\U0001f642\"",
        "\"f\\u0020f\"=\u{1f642}",
    ] {
        assert_eq!(found(&server, &[filter]).await, Ok(1), "{filter}");
    }
    for bad in ["\"f f\"=a b", "\"f f\"=", "\"f f\"=\"\\q\"", "\"f f\"='v'"] {
        assert_eq!(
            found(&server, &[bad]).await,
            Err(format!("bad matcher format: {bad}"))
        );
    }
}

async fn malformed_pairs_of_the_query_are_passed_over(server: Server) {
    let own = json!({"matchers": [matcher("fg", "=", "a b")]});
    server.put(&with(&silence("query"), &own)).await;
    for (query, expected) in [
        ("filter=fg%3D%22a%20b%22", 1),
        ("filter=fg=a+b", 1),
        ("%66ilter=fg=a+b&filter=%zz", 1),
        ("filter=fg=a+b&filter=x;y=z", 1),
        ("filter=fg=a+b&other=x", 1),
        ("filter=fg=none&Filter=fg", 0),
    ] {
        let answer = server.get(&format!("{SILENCES}?{query}")).await;
        assert_eq!(answer.json().as_array().unwrap().len(), expected, "{query}");
    }
    let empty = server.get(&format!("{SILENCES}?filter")).await;
    empty.refused_with_text(400, "bad matcher format: ");
}

async fn states_cannot_be_filtered_before_0_34(server: Server) {
    let status = server.get("/api/v2/status").await.json();
    let version = status["versionInfo"]["version"].as_str().unwrap();
    let minor: u32 = version.split('.').nth(1).unwrap().parse().unwrap();
    let id = server.put(&silence("state-filter")).await;
    server.delete(&id).await;
    let path = format!("{SILENCES}?expired=false&filter=case%3Dstate-filter");
    let listed = server.get(&path).await.json();
    assert_eq!(listed.as_array().unwrap().len(), usize::from(minor < 34));
}
