//! What do matcher strings say, and what is said about those that are refused?

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fmt::Write as _;

use expect_test::expect_file;
use silenced::matcher::{MatchOperator, Matcher};

use crate::support::random::seeded;

const ACCEPTED: &[&str] = &[
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

const REFUSED: &[&str] = &[
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

#[test]
fn strings_that_every_server_reads_alike() {
    let mut found = String::new();
    for input in ACCEPTED {
        let parsed = Matcher::parse(input).unwrap();
        writeln!(found, "{input:?}\n    value {:?}", parsed.matcher.value).unwrap();
        let rendered = parsed.matcher.to_string();
        if rendered != *input {
            writeln!(found, "    rendered {rendered:?}").unwrap();
        }
        for warning in parsed.warnings {
            writeln!(found, "    warning: {warning}").unwrap();
        }
    }
    expect_file!["matcher_strings/accepted.txt"].assert_eq(&found);
}

#[test]
fn strings_that_are_refused() {
    let mut found = String::new();
    for input in REFUSED {
        let error = Matcher::parse(input).unwrap_err();
        writeln!(found, "{input:?}\n    {error}").unwrap();
    }
    expect_file!["matcher_strings/refused.txt"].assert_eq(&found);
}

#[test]
fn rendering_reads_back() {
    let mut random = seeded();
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
