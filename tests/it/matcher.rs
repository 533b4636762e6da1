//! What do matcher strings say, what is said about those that are refused, and
//! what do matchers do?

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops at the first surprise and prints its seed"
)]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use expect_test::expect;
use silenced::matcher::regex::{GoRegex, GoRegexErrorKind, PATTERN_LIMIT};
use silenced::matcher::{MatchOperator, Matcher, Matchers};

fn matcher(text: &str) -> Matcher {
    Matcher::parse(text).unwrap().matcher
}

#[test]
fn strings_that_every_server_reads_alike() {
    let inputs = [
        "foo=bar",
        "foo = bar",
        " \tfoo\n=~ \"bar\" ",
        "foo!=bar",
        "foo=~[a-z]+",
        "foo!~bar|baz",
        r#"foo="""#,
        r#"foo="a b, c = {d}'""#,
        r#"foo="say \"hi\"""#,
        r#"foo="two\nlines""#,
        r#"foo="back\\slash""#,
        r#"foo=~"bar\d+""#,
        r#"foo=~"bar\\d+""#,
        r#"foo=~"web-[0-9]+\.example\.com""#,
        r#"foo=~"a{2}""#,
        "_foo9=bar",
        "foo:bar=baz",
        "foo.bar=baz",
        "foo-bar=~\"b.z\"",
        "1foo=bar",
        "Größe=XL",
        r#""foo bar"=baz"#,
        r#""foo"="bar""#,
        r#""say \"hi\""="a\tb""#,
        r#""foo"="\u00e9\x41\101\U0001F642""#,
        r#"foo=~"(?<n>a)""#,
        r#"foo=~"\p{Letter}""#,
    ];
    let mut found = String::new();
    for input in inputs {
        let parsed = Matcher::parse(input).unwrap();
        writeln!(found, "{input:<40} {:?}", parsed.matcher.value).unwrap();
        if parsed.matcher.to_string() != input {
            writeln!(found, "    rendered {}", parsed.matcher).unwrap();
        }
        for warning in parsed.warnings {
            writeln!(found, "    warning: {warning:?}").unwrap();
        }
    }
    expect![[r#"
        foo=bar                                  "bar"
            rendered foo="bar"
        foo = bar                                "bar"
            rendered foo="bar"
         	foo
        =~ "bar"                           "bar"
            rendered foo=~"bar"
        foo!=bar                                 "bar"
            rendered foo!="bar"
        foo=~[a-z]+                              "[a-z]+"
            rendered foo=~"[a-z]+"
        foo!~bar|baz                             "bar|baz"
            rendered foo!~"bar|baz"
        foo=""                                   ""
        foo="a b, c = {d}'"                      "a b, c = {d}'"
        foo="say \"hi\""                         "say \"hi\""
        foo="two\nlines"                         "two\nlines"
        foo="back\\slash"                        "back\\slash"
        foo=~"bar\d+"                            "bar\\d+"
            rendered foo=~"bar\\d+"
        foo=~"bar\\d+"                           "bar\\d+"
        foo=~"web-[0-9]+\.example\.com"          "web-[0-9]+\\.example\\.com"
            rendered foo=~"web-[0-9]+\\.example\\.com"
        foo=~"a{2}"                              "a{2}"
        _foo9=bar                                "bar"
            rendered _foo9="bar"
        foo:bar=baz                              "baz"
            rendered foo:bar="baz"
            warning: NameNeedsUtf8
        foo.bar=baz                              "baz"
            rendered foo.bar="baz"
            warning: NameNeedsUtf8
        foo-bar=~"b.z"                           "b.z"
            warning: NameNeedsUtf8
        1foo=bar                                 "bar"
            rendered 1foo="bar"
            warning: NameNeedsUtf8
        Größe=XL                                 "XL"
            rendered Größe="XL"
            warning: NameNeedsUtf8
        "foo bar"=baz                            "baz"
            rendered "foo bar"="baz"
            warning: NameNeedsUtf8
        "foo"="bar"                              "bar"
            rendered foo="bar"
        "say \"hi\""="a\tb"                      "a\tb"
            rendered "say \"hi\""="a	b"
            warning: NameNeedsUtf8
        "foo"="\u00e9\x41\101\U0001F642"         "éAA🙂"
            rendered foo="éAA🙂"
        foo=~"(?<n>a)"                           "(?<n>a)"
            warning: RecentRegexSyntax(ShortGroupName)
        foo=~"\p{Letter}"                        "\\p{Letter}"
            rendered foo=~"\\p{Letter}"
            warning: RecentRegexSyntax(UnicodeName)
    "#]]
    .assert_eq(&found);
}

#[test]
fn strings_that_are_refused() {
    let inputs = [
        "",
        "  ",
        "bar",
        "foo bar=baz",
        "=bar",
        r#"{foo="bar"}"#,
        r#"foo="bar"}"#,
        r#"foo="bar",baz="x""#,
        r#"foo="bar","#,
        "foo=a,b=c",
        "foo=a,b",
        "foo=",
        "foo=~ ",
        "foo='bar'",
        "foo=`bar`",
        "'foo'=bar",
        "foo==bar",
        "foo!==bar",
        "foo~=bar",
        "foo!bar=x",
        "foo=a b",
        "foo=a\u{a0}b",
        "foo=a=b",
        "foo=https://x/y?z=1",
        "foo=!bar",
        r"foo=~bar\d+",
        "foo=~a{2}",
        r#"foo=bar""#,
        r#"foo="bar"#,
        r#"foo="bar\""#,
        r#"foo="a"b"#,
        r#"foo="a\tb""#,
        r#"foo=~"\bweb\b""#,
        r#"foo="\xf0\x9f\x99\x82""#,
        r#"foo.bar=~"web\d""#,
        r#""foo\d"="x""#,
        r#"""="x""#,
        r#"foo=~"*""#,
        r#"foo=~"(""#,
        r#"foo=~"a(?=b)""#,
        r#"foo=~"a{1001}""#,
        r#"foo=~"[z-a]""#,
        r#"foo=~"a\\Qb""#,
    ];
    let mut found = String::new();
    for input in inputs {
        let error = Matcher::parse(input).unwrap_err();
        writeln!(found, "{input}\n    {error}").unwrap();
    }
    expect![[r#"

            empty matcher (column 1); write one such as `alertname="Watchdog"`
  
            empty matcher (column 3); write one such as `alertname="Watchdog"`
        bar
            no operator after the label name (column 4); write `alertname="bar"` if that is the alert's name
        foo bar=baz
            no operator after the label name (column 5); write `=`, `!=`, `=~` or `!~`; quote a label name with blanks in it
        =bar
            no label name before the operator (column 1); write the label before it, such as `severity="info"`
        {foo="bar"}
            braces around a matcher (column 1); write each matcher alone, without braces
        foo="bar"}
            braces around a matcher (column 10); write each matcher alone, without braces
        foo="bar",baz="x"
            more than one matcher in one string (column 10); write one matcher each, and quote a value that contains a comma
        foo="bar",
            more than one matcher in one string (column 10); write one matcher each, and quote a value that contains a comma
        foo=a,b=c
            more than one matcher in one string (column 6); write one matcher each, and quote a value that contains a comma
        foo=a,b
            `,` in a value without quotes (column 6); write `foo="a,b"`
        foo=
            no value after the operator (column 5); write `foo=""`
        foo=~ 
            no value after the operator (column 7); write `foo=~""`
        foo='bar'
            single quotes: Alertmanager takes them as part of the value (column 5); write `foo="bar"`
        foo=`bar`
            backquotes: Alertmanager takes them as part of the value (column 5); write `foo="bar"`
        'foo'=bar
            `'` in a label name without quotes (column 1); put the name in double quotes, or leave the character out
        foo==bar
            `==` is not an operator: Alertmanager takes the second `=` as part of the value (column 4); write `foo="…"`, or quote a value that begins with `=`
        foo!==bar
            `==` is not an operator: Alertmanager takes the second `=` as part of the value (column 6); write `foo!="bar"`
        foo~=bar
            `~` is not an operator (column 4); write `=~` for a pattern
        foo!bar=x
            `!` is not an operator (column 4); write `!=` or `!~`
        foo=a b
            a blank in a value without quotes (column 6); write `foo="a b"`
        foo=a b
            a blank in a value without quotes (column 6); write `foo="a b"`
        foo=a=b
            `=` in a value without quotes (column 6); write `foo="a=b"`
        foo=https://x/y?z=1
            `=` in a value without quotes (column 18); write `foo="https://x/y?z=1"`
        foo=!bar
            `!` in a value without quotes (column 5); write `foo="!bar"`
        foo=~bar\d+
            `\` in a value without quotes (column 9); write `foo=~"bar\\d+"`
        foo=~a{2}
            `{` in a value without quotes (column 7); write `foo=~"a{2}"`
        foo=bar"
            `"` in a value without quotes (column 8); write `foo="bar\""`
        foo="bar
            no closing quote (column 5); close it, and write `\\` for a backslash before the closing quote
        foo="bar\"
            no closing quote (column 5); close it, and write `\\` for a backslash before the closing quote
        foo="a"b
            text after the closing quote (column 8); end the value with its quote, and write `\"` for a quote inside it
        foo="a\tb"
            an escape that servers read in different ways: "a\\tb" or "a\tb" (column 5); write `foo="a\\tb"` for the first, write `foo="a	b"` for the second
        foo=~"\bweb\b"
            an escape that servers read in different ways: "\\bweb\\b" or "\u{8}web\u{8}" (column 6); write `foo=~"\\bweb\\b"` for the first, write `foo=~"web"` for the second
        foo="\xf0\x9f\x99\x82"
            an escape that servers read in different ways: "\\xf0\\x9f\\x99\\x82" or "🙂" (column 5); write `foo="\\xf0\\x9f\\x99\\x82"` for the first, write `foo="🙂"` for the second
        foo.bar=~"web\d"
            an escape that Alertmanager does not know (column 10); write `\\` for each backslash that belongs to the value
        "foo\d"="x"
            an escape that Alertmanager does not know (column 1); write `\\` for each backslash that belongs to the value
        ""="x"
            empty label name (column 1); name the label
        foo=~"*"
            not a regular expression: missing argument to repetition operator: `*` (byte 0 of the pattern) (column 6); this is a regular expression and no glob: write `.*` where a glob has `*`
        foo=~"("
            not a regular expression: missing closing ): `(` (byte 0 of the pattern) (column 6); escape what is meant literally with a backslash: `\.`, `\(`, `\[`
        foo=~"a(?=b)"
            not a regular expression: invalid or unsupported Perl syntax: `(?=` (byte 1 of the pattern) (column 6); Go's RE2 has no lookahead, lookbehind or back-references: use a second matcher with `!~`, or list the values
        foo=~"a{1001}"
            not a regular expression: invalid repeat count: `{1001}` (byte 1 of the pattern) (column 6); repeat at most 1000 times
        foo=~"[z-a]"
            not a regular expression: invalid character class range: `z-a` (byte 1 of the pattern) (column 6); escape what is meant literally with a backslash: `\.`, `\(`, `\[`
        foo=~"a\\Qb"
            not a regular expression: missing closing \E: `\Qb` (byte 1 of the pattern) (column 6); write `\E` at its end: Alertmanager takes the silence without it, and then applies no silence at all
    "#]].assert_eq(&found);
}

#[test]
fn rendering_reads_back() {
    let seed = std::env::var("SEED")
        .ok()
        .map_or_else(|| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut text = |least: usize| -> String {
        (0..random.usize(least..6))
            .map(|_| {
                let special: Vec<char> = "\\\"'`{}!=~, \n\t\r\u{b}\u{a0}nxdQE0aé🙂.-:_"
                    .chars()
                    .collect();
                match random.u8(..4) {
                    0 => random.char(..),
                    _ => special[random.usize(..special.len())],
                }
            })
            .collect()
    };
    for _ in 0..20_000 {
        for operator in [MatchOperator::Equal, MatchOperator::NotEqual] {
            let matcher = Matcher {
                name: text(1),
                operator,
                value: text(0),
            };
            let parsed = Matcher::parse(&matcher.to_string());
            assert_eq!(parsed.map(|parsed| parsed.matcher), Ok(matcher));
        }
    }
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
    expect![[r#"not a regular expression: missing closing ): `node-(1` (byte 5 of the pattern); escape what is meant literally with a backslash: `\.`, `\(`, `\[`"#]].assert_eq(&check("a", "node-(1").unwrap_err());
}

#[test]
fn hostile_patterns_cost_little() {
    let start = Instant::now();
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
        let start = Instant::now();
        let regex = GoRegex::parse(&repeated(piece));
        let parsed = start.elapsed();
        let answer = regex
            .map(|regex| regex.is_match_anchored(&"a".repeat(100)))
            .map_err(|e| e.kind);
        println!(
            "{piece:<15} {answer:?} parse {parsed:?} all {:?}",
            start.elapsed()
        );
    }
    let elapsed = start.elapsed();
    println!("{elapsed:?}");
    assert!(elapsed < Duration::from_secs(60), "took {elapsed:?}");
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
