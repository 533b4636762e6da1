//! What do matchers do, and what do hostile patterns cost?

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops at the first surprise and prints what took how long"
)]

use std::fs;
use std::time::Duration;

use expect_test::expect;
use silenced::matcher::regex::{GoRegex, GoRegexErrorKind, PATTERN_LIMIT};
use silenced::matcher::{MatchOperator, Matcher, Matchers};

fn matcher(text: &str) -> Matcher {
    Matcher::parse(text).unwrap().matcher
}

#[test]
fn matching_is_anchored_and_an_absent_label_is_empty() {
    let matches = |text: &str, value: &str| matcher(text).matches(value).unwrap();
    assert!(matches("a=b", "b"));
    assert!(!matches("a=b", "B"));
    assert!(!matches("a!=b", "b"));
    assert!(matches("a!=b", ""));
    assert!(matches("a=~b|c", "c"));
    assert!(!matches("a=~b|c", "bc"));
    assert!(!matches("a=~.*", "x\ny"), "a dot does not match a newline");
    assert!(matches(r#"a=~"(?s).*""#, "x\ny"));
    assert!(matches("a!~b|c", "bc"));
    assert!(matcher("a!~b").matches_absent_label().unwrap());
    assert!(!matcher("a=~b").matches_absent_label().unwrap());
}

#[test]
fn what_the_server_counts_as_matching_empty() {
    for text in ["a=\"\"", "a=~.*", "a=~b?", "a=~\"\""] {
        assert!(matcher(text).counts_as_matching_empty(), "{text}");
    }
    for text in ["a=b", "a=~.+", "a!=x", "a!~.*", "a!=\"\"", "a!~.+"] {
        assert!(!matcher(text).counts_as_matching_empty(), "{text}");
    }
    let refused = |texts: &[&str]| {
        Matchers::new(texts.iter().map(|text| matcher(text)).collect())
            .all_count_as_matching_empty()
    };
    assert!(refused(&[]));
    assert!(refused(&["a=\"\"", "b=~.*"]));
    assert!(!refused(&["a=\"\"", "b!~.*"]));
}

#[test]
fn what_names_something() {
    for text in [
        "a=b",
        "a=~b",
        "a=~b.*",
        "a=~web-.+|db-.+",
        "a=~..",
        "a=~[1-9]+",
    ] {
        assert!(matcher(text).names_something(), "{text}");
    }
    for text in [
        "a=\"\"",
        "a=~.*",
        "a=~.+",
        "a=~.",
        "a=~[a-z-]+",
        "a=~\"\\\\w+\"",
        "a=~zz-probe",
        "a=~b?",
        "a!=b",
        "a!~b",
    ] {
        assert!(!matcher(text).names_something(), "{text}");
    }
    let invalid = Matcher {
        name: "a".to_owned(),
        operator: MatchOperator::Regex,
        value: "(".to_owned(),
    };
    assert!(!invalid.names_something());
}

#[test]
fn a_matcher_object_is_checked_like_a_string() {
    let check = |name: &str, value: &str| {
        let (name, value) = (name.to_owned(), value.to_owned());
        let operator = MatchOperator::NotRegex;
        let matcher = Matcher {
            name,
            operator,
            value,
        };
        matcher
            .check()
            .map_err(|error| format!("{error}; {}", error.hint()))
    };
    assert_eq!(check("a", "b"), Ok(vec![]));
    expect!["empty label name; name the label"].assert_eq(&check("", "b").unwrap_err());
    expect![[r"not a regular expression: missing closing ): `node-(1` (byte 5 of the pattern); escape what is meant literally with a backslash: `\.`, `\(`, `\[`"]].assert_eq(&check("a", "node-(1").unwrap_err());
}

/// What this thread has computed, however busy the machine is.
fn processor_time() -> Duration {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let (nanoseconds, _) = statistics.split_once(' ').unwrap();
    Duration::from_nanos(nanoseconds.parse().unwrap())
}

#[test]
fn hostile_patterns_cost_little() {
    let start = processor_time();
    let repeated = |piece: &str| piece.repeat(PATTERN_LIMIT / piece.len());
    for piece in [
        "(",
        "[",
        "(?:",
        "a{2}",
        "a|",
        "(|",
        r"\pL",
        r"\Q",
        "(?i)",
        "(?:a*)*",
        "[^a]{9}",
        "(a{9}){9}",
        "é",
        "\\",
        r"[\pL\pN]",
        "(?:b|",
        "[[:alpha:]",
        "(?P<n>",
        "{",
        "a**",
        ".*",
        "a?",
    ] {
        // Whatever the answer: no panic, no overflow, soon.
        let began = processor_time();
        let answer = GoRegex::parse(&repeated(piece))
            .map(|regex| regex.is_match_anchored(&"a".repeat(100)))
            .map_err(|error| error.kind);
        println!(
            "{piece:<12} {answer:?} {:?}",
            processor_time().saturating_sub(began)
        );
    }
    let took = processor_time().saturating_sub(start);
    assert!(took < Duration::from_mins(1), "took {took:?}");
    let kind = |pattern: &str| {
        GoRegex::parse(pattern)
            .map(|_| ())
            .map_err(|error| error.kind)
    };
    assert_eq!(kind(&"a".repeat(PATTERN_LIMIT)), Ok(()));
    assert_eq!(
        kind(&"a".repeat(PATTERN_LIMIT + 1)),
        Err(GoRegexErrorKind::TooLong)
    );
    assert_eq!(kind(r"(?:\pL\pN*){1000}"), Err(GoRegexErrorKind::TooLarge));
    let nested = |levels: usize| format!("{}a{}", "(?:".repeat(levels), ")*".repeat(levels));
    assert_eq!(kind(&nested(98)), Ok(()));
    assert_eq!(kind(&nested(99)), Err(GoRegexErrorKind::NestsTooDeeply));
}
