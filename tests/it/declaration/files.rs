//! How do files act on each other? Names across files, broken files, defaults.

use expect_test::expect;
use silenced::declaration::{Declaration, Declarations, TargetSelector};
use silenced::name::SilenceName;
use silenced::snapshot::{SkippedPath, SnapshotFile};
use silenced::zone::ZoneDatabase;

use super::{only, read, shown, snapshot};

fn silence(name: &str, schedule: &str) -> String {
    format!("- {{name: {name}, owner: o, comment: c, matchers: [a=b], schedule: {schedule}}}\n")
}

fn names(declarations: &Declarations) -> Vec<&str> {
    declarations
        .silences
        .iter()
        .map(|silence| silence.name.as_str())
        .collect()
}

fn broken(declarations: &Declarations) -> Vec<&str> {
    declarations
        .broken
        .iter()
        .map(|file| file.path.as_str())
        .collect()
}

const OFFHOURS: &str =
    "time_intervals: [{name: offhours, time_intervals: [{location: UTC, weekdays: [sunday]}]}]\n";

#[test]
fn defaults_of_the_file_and_what_an_entry_says_itself() {
    let declarations = read(&[(
        "team/a.yaml",
        "owner: dba\ntimezone: Europe/Berlin\ntargets: {env: [prod, dr], region: eu}\nsilences:\n\
         - name: '123'\n  comment: |\n    Two\n    lines.\n  matchers: [a=b, {name: c, value: no}]\n  schedule: always\n\
         - name: y\n  comment: 42\n  owner: web\n  ticket: 7\n  timezone: Asia/Tokyo\n  targets: [eu-1]\n  \
         annotations: {link: https://example.org, number: 1}\n  suspend: true\n  enabled: false\n  \
         expires: 2026-12-24\n  matchers: [a=b]\n  schedule: {weekdays: [monday]}\n",
    )]);
    assert_eq!(shown(&declarations.diagnostics), "");
    expect![[r#"
        [
            Declaration {
                name: SilenceName(
                    "123",
                ),
                comment: "Two\nlines.",
                owner: "dba",
                ticket: None,
                matchers: Matchers(
                    [
                        Matcher {
                            name: "a",
                            operator: Equal,
                            value: "b",
                        },
                        Matcher {
                            name: "c",
                            operator: Equal,
                            value: "no",
                        },
                    ],
                ),
                schedule: Schedule {
                    form: Always,
                    except: [],
                },
                zone: Some(
                    Zone(Europe/Berlin),
                ),
                targets: Labels(
                    {
                        "env": [
                            "prod",
                            "dr",
                        ],
                        "region": [
                            "eu",
                        ],
                    },
                ),
                annotations: {},
                suspended: false,
                enabled: true,
                expires: None,
                source: "team/a.yaml",
                line: 5,
                violations: [],
                rules: [],
            },
            Declaration {
                name: SilenceName(
                    "y",
                ),
                comment: "42",
                owner: "web",
                ticket: Some(
                    "7",
                ),
                matchers: Matchers(
                    [
                        Matcher {
                            name: "a",
                            operator: Equal,
                            value: "b",
                        },
                    ],
                ),
                schedule: Schedule {
                    form: AllOf(
                        [
                            Schedule {
                                form: Recurring(
                                    Recurring {
                                        zone: Zone(Asia/Tokyo),
                                        dates: DateRule {
                                            weekdays: Some(
                                                Weekdays {
                                                    every: 1,
                                                    counted: [],
                                                },
                                            ),
                                            days_of_month: None,
                                            months: None,
                                            years: None,
                                            every: None,
                                            except_dates: [],
                                        },
                                        times: [
                                            TimeWindow {
                                                start: 0,
                                                end: Clock(
                                                    86400,
                                                ),
                                            },
                                        ],
                                    },
                                ),
                                except: [],
                            },
                            Schedule {
                                form: Once(
                                    Once {
                                        start: 1970-01-01T00:00:00Z,
                                        end: 2026-12-24T15:00:00Z,
                                        start_date: 1970-01-01,
                                        except_dates: [],
                                    },
                                ),
                                except: [],
                            },
                        ],
                    ),
                    except: [],
                },
                zone: Some(
                    Zone(Asia/Tokyo),
                ),
                targets: Names(
                    [
                        TargetName(
                            "eu-1",
                        ),
                    ],
                ),
                annotations: {
                    "link": "https://example.org",
                    "number": "1",
                },
                suspended: true,
                enabled: false,
                expires: Some(
                    2026-12-24T15:00:00Z,
                ),
                source: "team/a.yaml",
                line: 11,
                violations: [],
                rules: [],
            },
        ]"#]]
    .assert_eq(&format!(
        "{:#?}",
        declarations
            .silences
            .iter()
            .map(|declaration| {
                let mut declaration = Declaration::clone(declaration);
                declaration.rules.clear();
                declaration
            })
            .collect::<Vec<_>>()
    ));
}

#[test]
fn an_unquoted_number_is_a_name_and_expires_needs_no_zone() {
    let declarations = read(&[(
        "a.yaml",
        "silences: [{name: 123, owner: o, comment: c, matchers: [a=b], schedule: always, expires: 2026-12-24}]",
    )]);
    let declaration = only(&declarations);
    assert_eq!(declaration.name.as_str(), "123");
    assert_eq!(
        declaration.expires.unwrap().to_string(),
        "2026-12-25T00:00:00Z"
    );
    assert_eq!(declaration.targets, TargetSelector::All);
}

#[test]
fn names_are_looked_up_in_their_own_file_first() {
    let own = "time_intervals: [{name: offhours, time_intervals: [{location: UTC, weekdays: [monday]}]}]\n";
    let user = format!("silences:\n{}", silence("x", "{time_interval: offhours}"));
    let both = format!("{own}{user}");
    assert_eq!(
        shown(
            &read(&[
                ("a.yaml", &both),
                ("b.yaml", OFFHOURS),
                ("c.yaml", OFFHOURS)
            ])
            .diagnostics
        ),
        ""
    );
    assert_eq!(
        shown(&read(&[("a.yaml", &user), ("b.yaml", OFFHOURS)]).diagnostics),
        ""
    );
    let ambiguous = read(&[
        ("a.yaml", &user),
        ("b.yaml", OFFHOURS),
        ("c.yaml", OFFHOURS),
    ]);
    assert_eq!(broken(&ambiguous), ["a.yaml"]);
    expect![[r#"
        a.yaml:2:78: error[ambiguous-name]: the time interval `offhours` is defined in more than one file: `b.yaml`, `c.yaml`
         2 | - {name: x, owner: o, comment: c, matchers: [a=b], schedule: {time_interval: offhours}}
           |                                                                              ^
           hint: rename all but one, or define it in this file
    "#]].assert_eq(&shown(&ambiguous.diagnostics));
}

#[test]
fn what_refers_into_a_broken_file_is_broken_too() {
    let user = |interval: &str, name: &str| {
        format!(
            "silences:\n{}",
            silence(name, &format!("{{time_interval: {interval}}}"))
        )
    };
    let chain = format!(
        "time_intervals: [{{name: b, time_intervals: [{{location: UTC}}]}}]\n{}",
        user("offhours", "second")
    );
    let faulty = format!("{OFFHOURS}owners: typo\n");
    let declarations = read(&[
        ("a.yaml", &user("b", "first")),
        ("b.yaml", &chain),
        ("c.yaml", &faulty),
        (
            "d.yaml",
            &format!("silences:\n{}", silence("free", "always")),
        ),
    ]);
    assert_eq!(broken(&declarations), ["a.yaml", "b.yaml", "c.yaml"]);
    assert_eq!(names(&declarations), ["free"]);
    expect![[r#"
        a.yaml:2:82: error[broken-reference]: the time interval `b` is defined in `b.yaml`, which is broken
         2 | - {name: first, owner: o, comment: c, matchers: [a=b], schedule: {time_interval: b}}
           |                                                                                  ^
           hint: mend `b.yaml` first
        b.yaml:3:83: error[broken-reference]: the time interval `offhours` is defined in `c.yaml`, which is broken
         3 | - {name: second, owner: o, comment: c, matchers: [a=b], schedule: {time_interval: offhours}}
           |                                                                                   ^
           hint: mend `c.yaml` first
        c.yaml:2:1: error[unknown-key]: unknown key `owners` in a file
         2 | owners: typo
           | ^
           hint: did you mean `owner`?
    "#]].assert_eq(&shown(&declarations.diagnostics));

    let unreadable = read(&[
        ("a.yaml", &user("offhours", "x")),
        ("c.yaml", "time_intervals: [offhours"),
    ]);
    expect![[r#"
        a.yaml:2:78: error[unknown-name]: unknown time interval `offhours`; `c.yaml` is broken and may define it
         2 | - {name: x, owner: o, comment: c, matchers: [a=b], schedule: {time_interval: offhours}}
           |                                                                              ^
           hint: mend `c.yaml` first
        c.yaml:1:17: error[invalid-yaml]: this is not YAML: unclosed bracket '['
         1 | time_intervals: [offhours
           |                 ^
    "#]].assert_eq(&shown(&unreadable.diagnostics));
}

#[test]
fn a_name_in_two_files_is_used_in_neither_and_the_rest_is() {
    let declarations = read(&[
        (
            "a.yaml",
            &format!(
                "silences:\n{}{}",
                silence("x", "always"),
                silence("a", "always")
            ),
        ),
        (
            "b.yaml",
            &format!(
                "silences:\n{}{}",
                silence("b", "always"),
                silence("x", "always")
            ),
        ),
    ]);
    assert_eq!(names(&declarations), ["a", "b"]);
    assert_eq!(declarations.ambiguous, [SilenceName::new("x").unwrap()]);
    assert_eq!(broken(&declarations), [""; 0]);
    expect![[r#"
        a.yaml:2:10: error[duplicate-name]: the name `x` is also declared in `b.yaml`, line 3, so neither is used
         2 | - {name: x, owner: o, comment: c, matchers: [a=b], schedule: always}
           |          ^
           hint: names are unique in the repository; rename one of them
        b.yaml:3:10: error[duplicate-name]: the name `x` is also declared in `a.yaml`, line 2, so neither is used
         3 | - {name: x, owner: o, comment: c, matchers: [a=b], schedule: always}
           |          ^
           hint: names are unique in the repository; rename one of them
    "#]].assert_eq(&shown(&declarations.diagnostics));
}

#[test]
fn a_name_twice_in_one_file_breaks_it() {
    let declarations = read(&[(
        "a.yaml",
        &format!(
            "silences:\n{}{}",
            silence("x", "always"),
            silence("x", "always")
        ),
    )]);
    assert_eq!(broken(&declarations), ["a.yaml"]);
    assert!(declarations.ambiguous.is_empty());
    expect![[r#"
        a.yaml:3:10: error[duplicate-name]: the name `x` is taken by the declaration in line 2
         3 | - {name: x, owner: o, comment: c, matchers: [a=b], schedule: always}
           |          ^
           hint: names are unique in the repository; rename one of them
    "#]]
    .assert_eq(&shown(&declarations.diagnostics));
}

#[test]
fn a_violation_of_the_policy_holds_one_declaration_and_breaks_no_file() {
    let yaml = format!(
        "silences:\n- {{name: x, comment: c, matchers: [a=b], schedule: always}}\n{}",
        silence("y", "always")
    );
    let declarations = read(&[("a.yaml", &yaml)]);
    assert_eq!(names(&declarations), ["x", "y"]);
    assert!(declarations.broken.is_empty());
    let violations: Vec<_> = declarations
        .silences
        .iter()
        .map(|silence| &silence.violations)
        .collect();
    assert_eq!(
        violations[0],
        &["a silence needs an owner who answers for it"]
    );
    assert!(violations[1].is_empty());
}

#[test]
fn a_policy_file_is_no_file_of_declarations() {
    let policy = "require: [owner]\n";
    let declarations = read(&[
        ("policy.yaml", policy),
        ("team/policy.yaml", "silences: []\n"),
    ]);
    assert!(declarations.broken.is_empty());
    assert_eq!(
        declarations.unenforced_policy.as_deref(),
        Some("policy.yaml")
    );
    expect![[r#"
        policy.yaml:1:1: error[policy-unsupported]: this version has only the built-in policy and cannot enforce this one, so nothing is created or updated
           hint: remove the file; comment, owner and a matcher that names something are required without it
    "#]].assert_eq(&shown(&declarations.diagnostics));
}

/// A link that leaves the directory, for example.
#[test]
fn a_policy_that_is_not_read_is_not_ignored() {
    let mut snapshot = snapshot(&[]);
    snapshot.skipped.push(SkippedPath {
        path: "policy.yml".to_owned(),
        reason: "a link".to_owned(),
    });
    let declarations = Declarations::read(&snapshot, &ZoneDatabase::bundled());
    assert_eq!(
        declarations.unenforced_policy.as_deref(),
        Some("policy.yml")
    );
}

#[test]
fn files_without_declarations_are_fine() {
    let declarations = read(&[
        ("a.yaml", OFFHOURS),
        ("b.yaml", "dates: {x: [2026-12-24]}"),
        ("c.yaml", "silences:\n"),
    ]);
    assert_eq!(
        (declarations.paths.len(), shown(&declarations.diagnostics)),
        (3, String::new())
    );
}

#[test]
fn what_could_not_be_read_is_said() {
    let mut snapshot = snapshot(&[
        ("latin1.yaml", b"owner: dba\ncomment: caf\xe9\n"),
        ("utf16.yaml", b"\xff\xfeo\x00"),
        ("bom.yaml", "\u{feff}silences: [x]\r\n".as_bytes()),
    ]);
    snapshot.files.push(SnapshotFile {
        path: "large.yaml".to_owned(),
        content: Err("it has more than 1048576 bytes".to_owned()),
    });
    snapshot.skipped.push(SkippedPath {
        path: "outside.yaml".to_owned(),
        reason: "the link leads out of the directory".to_owned(),
    });
    let declarations = Declarations::read(&snapshot, &ZoneDatabase::bundled());
    assert_eq!(
        broken(&declarations),
        ["latin1.yaml", "utf16.yaml", "bom.yaml", "large.yaml"]
    );
    let name = SilenceName::new("anything").unwrap();
    let may: Vec<bool> = declarations
        .broken
        .iter()
        .map(|file| file.mentions(&name))
        .collect();
    assert_eq!(may, [false, false, false, true]);
    expect![[r#"
        bom.yaml:1:12: error[wrong-type]: expected a declaration, but found the text `x`
         1 | silences: [x]
           |            ^
        large.yaml:1:1: error[unreadable]: this file cannot be read: it has more than 1048576 bytes
        latin1.yaml:2:13: error[not-utf8]: this file is not UTF-8 text from here on
         2 | comment: caf
           |             ^
           hint: save it as UTF-8
        outside.yaml:1:1: warning[skipped-path]: not read: the link leads out of the directory
           hint: put the file itself into the directory, under a name that ends in `.yaml`
        utf16.yaml:1:1: error[not-utf8]: this file is not UTF-8 text from here on
           hint: it looks like UTF-16; save it as UTF-8
    "#]]
    .assert_eq(&shown(&declarations.diagnostics));
}
