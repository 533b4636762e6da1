//! What do broken files go on as while names that they use are broken, gone, or
//! defined elsewhere?

use std::fmt::Write;

use silenced::declaration::{Declarations, EarlierVersion};
use silenced::snapshot::Revision;
use silenced::zone::ZoneDatabase;

use super::{shown, snapshot};

/// A file that defines some nights, by the hour at which they end.
fn nights(name: &str, hour: u8) -> String {
    let rule =
        format!("{{times: [{{start_time: '00:00', end_time: '{hour:02}:00'}}], location: UTC}}");
    format!("time_intervals: [{{name: {name}, time_intervals: [{rule}]}}]\n")
}

/// An entry for each name of a silence, with the name of its nights.
fn users(entries: &[(&str, &str)]) -> String {
    let mut text = "owner: o\nsilences:\n".to_owned();
    for (name, interval) in entries {
        writeln!(
            text,
            "  - {{name: {name}, comment: c, matchers: [a=b], schedule: {{time_interval: {interval}}}}}"
        )
        .unwrap();
    }
    text
}

/// A line for each silence: its file and until when its nights last; and one for
/// each file that something stands in for.
fn recovered(files: &[(&str, &str)], earlier: &[(&str, &str, &str)]) -> String {
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(path, text)| (*path, text.as_bytes()))
        .collect();
    let snapshot = snapshot(&files);
    let zones = ZoneDatabase::bundled();
    let mut declarations = Declarations::read(&snapshot, &zones);
    let errors = shown(&declarations.diagnostics);
    let earlier: Vec<EarlierVersion> = earlier
        .iter()
        .map(|(revision, path, text)| EarlierVersion {
            path: (*path).to_owned(),
            content: text.as_bytes().to_vec(),
            revision: Revision::Commit((*revision).to_owned()),
        })
        .collect();
    declarations.recover(&snapshot, &earlier, &zones);
    assert_eq!(shown(&declarations.diagnostics), errors);
    let mut text = String::new();
    for declaration in &declarations.silences {
        let schedule = format!("{:?}", declaration.schedule);
        let end = (1..24).find(|hour| schedule.contains(&format!("{}", hour * 3600)));
        writeln!(text, "{} {} {end:?}", declaration.source, declaration.name).unwrap();
    }
    for stand_in in &declarations.stand_ins {
        writeln!(text, "{stand_in}").unwrap();
    }
    text + &format!("known: {}", declarations.are_all_known())
}

#[test]
fn a_name_is_what_the_newest_readable_version_says() {
    let (four, five, six) = (nights("n", 4), nights("n", 5), nights("n", 6));
    let user = users(&[("one", "n")]);
    let found = recovered(
        &[("names.yaml", "{["), ("user.yaml", &user)],
        &[
            ("9", "names.yaml", &six.replace("UTC", "nowhere")),
            ("8", "names.yaml", &five),
            ("7", "names.yaml", &four),
        ],
    );
    expect_test::expect![[r#"
        user.yaml one Some(5)
        `user.yaml` is broken by what it refers to and goes on with `names.yaml` as of 8
        `names.yaml` cannot be read and goes on as of 8
        known: true"#]]
    .assert_eq(&found);
}

#[test]
fn a_good_file_overrides_what_was_said_before() {
    let (four, five) = (nights("n", 4), nights("n", 5));
    let user = users(&[("one", "n")]);
    let broken = user.replace("matchers", "matcher");
    let found = recovered(
        &[
            ("good.yaml", &five),
            ("names.yaml", "{["),
            ("user.yaml", &broken),
        ],
        &[("8", "names.yaml", &four), ("7", "user.yaml", &user)],
    );
    expect_test::expect![[r#"
        user.yaml one Some(5)
        `names.yaml` cannot be read and goes on as of 8
        `user.yaml` cannot be read and goes on as of 7
        known: true"#]]
    .assert_eq(&found);
}

#[test]
fn a_name_that_moved_between_broken_files_is_what_the_newer_says() {
    let (four, five) = (nights("n", 4), nights("n", 5));
    let found = recovered(
        &[
            ("a.yaml", "{["),
            ("b.yaml", "{["),
            ("user.yaml", &users(&[("one", "n")])),
        ],
        &[("8", "b.yaml", &five), ("7", "a.yaml", &four)],
    );
    expect_test::expect![[r#"
        user.yaml one Some(5)
        `user.yaml` is broken by what it refers to and goes on with `b.yaml` as of 8
        `b.yaml` cannot be read and goes on as of 8
        `a.yaml` cannot be read and goes on as of 7
        known: true"#]]
    .assert_eq(&found);
}

#[test]
fn files_that_need_each_other_go_on_together() {
    let a = nights("of-a", 4) + &users(&[("one", "of-b")]);
    let b = nights("of-b", 5) + &users(&[("two", "of-a")]);
    let broken = a.replace("matchers", "matcher");
    let found = recovered(
        &[("a.yaml", &broken), ("b.yaml", &b)],
        &[("8", "a.yaml", &a), ("7", "b.yaml", "silences: []")],
    );
    expect_test::expect![[r#"
        a.yaml one Some(5)
        b.yaml two Some(4)
        `b.yaml` is broken by what it refers to and goes on with `a.yaml` as of 8
        `a.yaml` cannot be read and goes on as of 8
        known: true"#]]
    .assert_eq(&found);
}

#[test]
fn a_long_chain_of_files_goes_on_or_falls_with_its_first() {
    let link = |index: usize| {
        let before = format!("n{}", index - 1);
        nights(&format!("n{index}"), 5) + &users(&[(&format!("s{index}"), &before)])
    };
    let paths: Vec<String> = (0..30).map(|index| format!("{index:02}.yaml")).collect();
    let texts: Vec<String> = (1..30).map(link).collect();
    let mut files = vec![(paths[0].as_str(), "{[")];
    files.extend(
        paths
            .iter()
            .skip(1)
            .map(String::as_str)
            .zip(texts.iter().map(String::as_str)),
    );
    let first = nights("n0", 4);
    let found = recovered(&files, &[("8", "00.yaml", &first)]);
    assert!(found.ends_with("known: true"), "{found}");
    assert_eq!(found.matches("Some(").count(), 29);
    let found = recovered(&files, &[]);
    assert_eq!(found, "known: false");
}
