//! Since which commits has a declaration been the same?

use silenced::declaration::Declarations;
use silenced::name::SilenceName;
use silenced::plan::{Lineage, Origin};
use silenced::snapshot::Revision;

use crate::declaration::read;

/// After commits `1`, `2` and so on, whose texts are the comments of `x`; an
/// empty text removes it.
fn lineage(texts: &[&str]) -> Lineage {
    let mut before = Declarations::default();
    let mut lineage = Lineage::default();
    for (number, text) in (1..).zip(texts) {
        let file = match *text {
            "" => "silences: []\n".to_owned(),
            text => format!(
                "# {number}\nowner: o\nsilences:\n  - {{name: x, comment: {text}, matchers: [a=b], schedule: always}}\n"
            ),
        };
        let revision = Revision::Commit(format!("{number:07}{:033}", 0));
        let now = read(&[("a.yaml", &file)]);
        lineage = lineage.read(&before, &revision, &now);
        before = now;
    }
    lineage
}

fn origin(commit: usize) -> Origin {
    Origin {
        silence: SilenceName::new("x").unwrap(),
        commit: format!("{commit:07}"),
        source: None,
    }
}

/// The commits since which it has been the same.
fn same(texts: &[&str]) -> Vec<usize> {
    let lineage = lineage(texts);
    let is_same = |commit: &usize| lineage.is_unchanged_since(&origin(*commit)).unwrap();
    (1..=texts.len()).filter(is_same).collect()
}

#[test]
fn it_is_the_same_since_it_was_changed_or_added_last() {
    assert_eq!(same(&["one", "one", "one"]), [1, 2, 3]);
    assert_eq!(same(&["one", "two", "two"]), [2, 3]);
    assert_eq!(same(&["one", "", "one"]), [3]);
    assert_eq!(same(&["", "one", "one"]), [2, 3]);
    assert_eq!(same(&["one", "two", "one", "one"]), [3, 4]);
}

#[test]
fn of_commits_that_were_not_read_it_knows_what_it_is_told() {
    let mut lineage = lineage(&["one"]);
    assert_eq!(lineage.is_unchanged_since(&origin(7)), None);
    lineage.learn(origin(7), true);
    assert_eq!(lineage.is_unchanged_since(&origin(7)), Some(true));
    // What was known before the next commit may not hold after it.
    let declarations = Declarations::default();
    let revision = Revision::Commit("f".repeat(40));
    let next = lineage.read(&declarations, &revision, &declarations);
    assert_eq!(next.is_unchanged_since(&origin(7)), None);
}

#[test]
fn the_oldest_commits_are_forgotten() {
    let lineage = lineage(&vec!["one"; 1001]);
    assert_eq!(lineage.is_unchanged_since(&origin(1)), None);
    assert_eq!(lineage.is_unchanged_since(&origin(2)), Some(true));
}
