//! Is each fault of a file named, with its place and what to do? These messages
//! are the product, so every one is written down here.

use std::fmt::Write;

use expect_test::{Expect, expect};

use super::{read, shown};

/// The findings in each of these files, one file after the other.
pub(super) fn check<T: AsRef<str>>(files: impl IntoIterator<Item = T>, expected: Expect) {
    let mut all = String::new();
    for file in files {
        let declarations = read(&[("a.yaml", file.as_ref())]);
        let found = !declarations.diagnostics.is_empty();
        assert!(found, "nothing found in {}", file.as_ref());
        all += &shown(&declarations.diagnostics);
    }
    expected.assert_eq(&all);
}

/// A valid declaration with these lines added, or in the place of its own.
fn entry(lines: &str) -> String {
    let mut entry = "silences:\n-\n".to_owned();
    let own = [
        "name: x",
        "owner: o",
        "comment: c",
        "matchers: [env=prod]",
        "schedule: always",
    ];
    for line in own {
        let key = line.split(':').next().unwrap();
        if !lines.lines().any(|line| line.starts_with(key)) {
            writeln!(entry, "  {line}").unwrap();
        }
    }
    for line in lines.lines() {
        writeln!(entry, "  {line}").unwrap();
    }
    entry
}

fn check_entries(entries: &[&str], expected: Expect) {
    check(entries.iter().map(|lines| entry(lines)), expected);
}

#[test]
fn yaml() {
    check(
        [
            "silences: [",
            "silences:\n\t- name: x\n",
            "silences:\n- name: \"x\n",
            "silences: []\nsilences: []\nowner: a\nowner: b\n",
            "owner: a\n---\nowner: b\n",
            "- name: x\n",
            "just text",
            "# only a comment\n",
            "",
            "owner: *nobody\n",
            "owner: &me [*me]\n",
            "owner: !include secrets.yaml\n",
            "[a, b]: c\n",
            "<<: text\nowner: a\n",
        ],
        expect![[r#"
            a.yaml:1:11: error[invalid-yaml]: this is not YAML: unclosed bracket '['
             1 | silences: [
               |           ^
            a.yaml:2:2: error[invalid-yaml]: this is not YAML: tabs disallowed within this context (block indentation)
             2 |  - name: x
               |  ^
               hint: indent with blanks instead of tabs
            a.yaml:2:9: error[invalid-yaml]: this is not YAML: unclosed quote
             2 | - name: "x
               |         ^
            a.yaml:2:1: error[duplicate-key]: the key `silences` stands here for the second time, the first is in line 1
             2 | silences: []
               | ^
               hint: remove one of them
            a.yaml:4:1: error[duplicate-key]: the key `owner` stands here for the second time, the first is in line 3
             4 | owner: b
               | ^
               hint: remove one of them
            a.yaml:2:1: error[second-document]: a second YAML document begins here, expected one document in a file
             2 | ---
               | ^
               hint: move it into a file of its own
            a.yaml:1:1: error[wrong-type]: expected a mapping with the key `silences`, but found a list
             1 | - name: x
               | ^
               hint: put `silences:` above the list of declarations
            a.yaml:1:1: error[wrong-type]: expected a mapping with the key `silences`, but found the text `just text`
             1 | just text
               | ^
               hint: put `silences:` above the list of declarations
            a.yaml:1:1: warning[empty-file]: this file declares nothing
             1 | # only a comment
               | ^
               hint: add `silences:`, or delete it
            a.yaml:1:1: warning[empty-file]: this file declares nothing
               hint: add `silences:`, or delete it
            a.yaml:1:8: error[invalid-yaml]: this is not YAML: while parsing node, found unknown anchor
             1 | owner: *nobody
               |        ^
            a.yaml:1:13: error[recursive-alias]: this alias stands inside what it repeats
             1 | owner: &me [*me]
               |             ^
               hint: write the value out
            a.yaml:1:17: error[unknown-tag]: the tag `!include` has no meaning here
             1 | owner: !include secrets.yaml
               |                 ^
               hint: remove it; quote a text that begins with `!`
            a.yaml:1:1: error[wrong-type]: a key of a mapping must be a text, but this is a list or a mapping
             1 | [a, b]: c
               | ^
               hint: quote a text that begins with `[` or `{`
            a.yaml:1:5: error[wrong-type]: expected a mapping to merge with `<<`, but found the text `text`
             1 | <<: text
               |     ^
        "#]],
    );
}

#[test]
fn files() {
    check(
        [
            "silence: []\nsilences: {}\nversion: 1\n",
            "owner: [a]\ntimezone: Europe/Berln\ntargets: []\nsilences: none\n",
            "timezone: Local\ntargets: {env: []}\n",
            "timezone: Moon/Tycho\nowner: \"two\\nlines\"\n",
            "timezone: CET\ntargets: {}\n",
        ],
        expect![[r#"
            a.yaml:1:1: error[unknown-key]: unknown key `silence` in a file
             1 | silence: []
               | ^
               hint: did you mean `silences`?
            a.yaml:2:11: error[wrong-type]: expected a list of declarations, but found a mapping
             2 | silences: {}
               |           ^
            a.yaml:3:1: error[unknown-key]: unknown key `version` in a file
             3 | version: 1
               | ^
               hint: the keys of a file are `owner`, `timezone`, `targets`, `silences`, `time_intervals`, `mute_time_intervals`, `rotations`, `dates`
            a.yaml:1:8: error[wrong-type]: expected an owner, but found a list
             1 | owner: [a]
               |        ^
            a.yaml:2:11: error[unknown-timezone]: unknown time zone `Europe/Berln`
             2 | timezone: Europe/Berln
               |           ^
               hint: did you mean `Europe/Berlin`, `Europe/Dublin`, `Europe/Jersey`?
            a.yaml:3:10: error[empty-list]: expected a list of target names, or a mapping from labels to values, but the list is empty
             3 | targets: []
               |          ^
               hint: add an item, or remove the key if nothing is meant
            a.yaml:4:11: error[wrong-type]: expected a list of declarations, but found the text `none`
             4 | silences: none
               |           ^
            a.yaml:1:11: error[unknown-timezone]: `Local` would be the zone of whichever machine reads it
             1 | timezone: Local
               |           ^
               hint: write a place, such as `Europe/Berlin`, or `UTC`
            a.yaml:2:16: error[empty-list]: expected a list of values, but the list is empty
             2 | targets: {env: []}
               |                ^
               hint: add an item, or remove the key if nothing is meant
            a.yaml:1:11: error[unknown-timezone]: unknown time zone `Moon/Tycho`
             1 | timezone: Moon/Tycho
               |           ^
               hint: names are as IANA writes them, such as `Europe/Berlin` or `UTC`
            a.yaml:2:8: error[invalid-text]: expected an owner: one line that is not blank
             2 | owner: "two\nlines"
               |        ^
            a.yaml:1:11: warning[zone-abbreviation]: `CET` is an abbreviation, and may not change with the seasons of any place
             1 | timezone: CET
               |           ^
               hint: write a place, such as `Europe/Berlin` or `America/New_York`, or `UTC`
            a.yaml:2:10: error[empty-list]: expected a list of target names, or a mapping from labels to values with 1 to 64 items, but it has 0
             2 | targets: {}
               |          ^
               hint: remove `targets` for every target
        "#]],
    );
}

#[test]
fn entries() {
    check_entries(
        &[
            "matcher: [a=b]",
            "name: Nightly Info\nenabled: no\nsuspend: \"true\"",
            "comment: \"held [silenced instance=a silence=b]\"",
            "ticket: \"[silenced instance=a silence=b start=lease]\"",
            "comment: [c]\nticket:\nowner: {a: b}\nannotations: [a]\nexpires: 2026-02-30",
            "expires: tomorrow\ntargets: Prod\nannotations: {a: [b]}",
            "targets: [Prod, eu]",
            "timezone: [UTC]",
        ],
        expect![[r#"
            a.yaml:8:3: error[unknown-key]: unknown key `matcher` in a declaration
             8 |   matcher: [a=b]
               |   ^
               hint: did you mean `matchers`?
            a.yaml:7:9: error[invalid-name]: silence name `Nightly Info` must be 1 to 63 characters of a-z, 0-9 and `-`
             7 |   name: Nightly Info
               |         ^
            a.yaml:8:12: error[wrong-type]: expected `true` or `false`, but found the text `no`
             8 |   enabled: no
               |            ^
            a.yaml:9:12: error[wrong-type]: expected `true` or `false`, but found the text `true`
             9 |   suspend: "true"
               |            ^
            a.yaml:7:12: error[invalid-comment]: a comment must not contain `[silenced `, which marks the silences of silenced
             7 |   comment: "held [silenced instance=a silence=b]"
               |            ^
               hint: write it in other words
            a.yaml:8:11: error[invalid-ticket]: a ticket must not contain `[silenced `, which marks the silences of silenced
             8 |   ticket: "[silenced instance=a silence=b start=lease]"
               |           ^
               hint: write it in other words
            a.yaml:6:12: error[wrong-type]: expected a comment, but found a list
             6 |   comment: [c]
               |            ^
            a.yaml:7:9: error[wrong-type]: expected a ticket, but found nothing
             7 |   ticket:
               |         ^
            a.yaml:8:10: error[wrong-type]: expected an owner, but found a mapping
             8 |   owner: {a: b}
               |          ^
            a.yaml:9:16: error[wrong-type]: expected a mapping from names to texts, but found a list
             9 |   annotations: [a]
               |                ^
            a.yaml:10:12: error[invalid-date]: the calendar has no date `2026-02-30`
             10 |   expires: 2026-02-30
                |            ^
            a.yaml:8:12: error[invalid-date]: expected a date as `YYYY-MM-DD`, but found `tomorrow`
             8 |   expires: tomorrow
               |            ^
            a.yaml:9:12: error[wrong-type]: expected a list of target names, or a mapping from labels to values, but found the text `Prod`
             9 |   targets: Prod
               |            ^
            a.yaml:10:20: error[wrong-type]: expected the text of an annotation, but found a list
             10 |   annotations: {a: [b]}
                |                    ^
            a.yaml:8:13: error[invalid-name]: target name `Prod` must be 1 to 63 characters of a-z, 0-9 and `-`
             8 |   targets: [Prod, eu]
               |             ^
            a.yaml:8:13: error[wrong-type]: expected the name of a time zone, but found a list
             8 |   timezone: [UTC]
               |             ^
        "#]],
    );
    check(
        ["silences: [{}, x, null]"],
        expect![[r#"
        a.yaml:1:12: error[missing-key]: the key `name` is missing in a declaration
         1 | silences: [{}, x, null]
           |            ^
           hint: write `name: ...`, unique in the repository
        a.yaml:1:12: error[missing-key]: the key `matchers` is missing in a declaration
         1 | silences: [{}, x, null]
           |            ^
           hint: write `matchers: [alertname="..."]`
        a.yaml:1:12: error[missing-key]: the key `schedule` is missing in a declaration
         1 | silences: [{}, x, null]
           |            ^
           hint: write when it applies, such as `schedule: {times: [{start_time: "22:00", end_time: "06:00"}]}`
        a.yaml:1:16: error[wrong-type]: expected a declaration, but found the text `x`
         1 | silences: [{}, x, null]
           |                ^
        a.yaml:1:19: error[wrong-type]: expected a declaration, but found nothing
         1 | silences: [{}, x, null]
           |                   ^
    "#]],
    );
}

#[test]
fn matchers() {
    check_entries(
        &[
            "matchers: []",
            "matchers: severity=info",
            "matchers: [severity, 'a=~\"(\"', '=x', [a]]",
            "matchers: [{name: env}, {name: env, value: x, is_regex: true}, {name: '', value: x}]",
            "matchers: [{name: env, value: '[', isRegex: true}]",
            "matchers: [{name: env, value: a, isRegex: yes}]",
            "matchers: ['a=\"\"', 'b=~\".*\"']",
            "matchers: [a=b, c=d, a=b]",
            "matchers: ['env=\"prod\"', 'env=\"staging\"']",
            "matchers: ['alertname=~\".+\"', 'env!=\"prod\"']",
        ],
        expect![[r#"
            a.yaml:7:13: error[empty-list]: expected a list of matchers, but the list is empty
             7 |   matchers: []
               |             ^
               hint: add an item, or remove the key if nothing is meant
            a.yaml:7:13: error[wrong-type]: expected a list of matchers, but found the text `severity=info`
             7 |   matchers: severity=info
               |             ^
            a.yaml:7:22: error[invalid-matcher]: no operator after the label name
             7 |   matchers: [severity, 'a=~"("', '=x', [a]]
               |                      ^
               hint: write `alertname="severity"` if that is the alert's name
            a.yaml:7:24: error[invalid-matcher]: not a regular expression: missing closing ): `(` (byte 0 of the pattern)
             7 |   matchers: [severity, 'a=~"("', '=x', [a]]
               |                        ^
               hint: escape what is meant literally with a backslash: `\.`, `\(`, `\[`
            a.yaml:7:34: error[invalid-matcher]: no label name before the operator
             7 |   matchers: [severity, 'a=~"("', '=x', [a]]
               |                                  ^
               hint: write the label before it, such as `severity="info"`
            a.yaml:7:40: error[wrong-type]: expected a matcher such as `severity="info"`, but found a list
             7 |   matchers: [severity, 'a=~"("', '=x', [a]]
               |                                        ^
            a.yaml:7:14: error[missing-key]: the key `value` is missing in a matcher
             7 |   matchers: [{name: env}, {name: env, value: x, is_regex: true}, {name: '', value: x}]
               |              ^
               hint: write the label's value, or `""` for none
            a.yaml:7:49: error[unknown-key]: unknown key `is_regex` in a matcher
             7 |   matchers: [{name: env}, {name: env, value: x, is_regex: true}, {name: '', value: x}]
               |                                                 ^
               hint: did you mean `isRegex`?
            a.yaml:7:66: error[invalid-matcher]: empty label name
             7 |   matchers: [{name: env}, {name: env, value: x, is_regex: true}, {name: '', value: x}]
               |                                                                  ^
               hint: name the label
            a.yaml:7:14: error[invalid-matcher]: not a regular expression: missing closing ]: `[` (byte 0 of the pattern)
             7 |   matchers: [{name: env, value: '[', isRegex: true}]
               |              ^
               hint: escape what is meant literally with a backslash: `\.`, `\(`, `\[`
            a.yaml:7:45: error[wrong-type]: expected `true` or `false`, but found the text `yes`
             7 |   matchers: [{name: env, value: a, isRegex: yes}]
               |                                             ^
            a.yaml:7:13: error[matches-everything]: each of these matchers matches an alert without the label, and servers refuse such a silence
             7 |   matchers: ['a=""', 'b=~".*"']
               |             ^
               hint: add a matcher that picks out something, such as `alertname="..."`
            a.yaml:7:24: warning[duplicate-matcher]: the matcher `a="b"` stands here twice, first in line 7
             7 |   matchers: [a=b, c=d, a=b]
               |                        ^
               hint: remove one of them
            a.yaml:7:28: warning[contradiction]: no alert has both `env="prod"` and `env="staging"`
             7 |   matchers: ['env="prod"', 'env="staging"']
               |                            ^
               hint: for either of them write `env=~"...|..."`
            a.yaml:3:9: error[policy-global]: `x`: no matcher names something, so this silence would be global
             3 |   name: x
               |         ^
               hint: add a matcher with `=` and a value, or with `=~` and a pattern that does not match everything
        "#]],
    );
}

#[test]
fn policy() {
    check(
        ["silences:\n- name: x\n  matchers: ['env!=\"prod\"']\n  schedule: always\n"],
        expect![[r#"
            a.yaml:2:9: error[policy-comment]: `x`: a silence needs a comment that says why
             2 | - name: x
               |         ^
               hint: add `comment: ...`
            a.yaml:2:9: error[policy-owner]: `x`: a silence needs an owner who answers for it
             2 | - name: x
               |         ^
               hint: add `owner: ...` here or at the top of the file
            a.yaml:2:9: error[policy-global]: `x`: no matcher names something, so this silence would be global
             2 | - name: x
               |         ^
               hint: add a matcher with `=` and a value, or with `=~` and a pattern that does not match everything
        "#]],
    );
}
