use expect_test::expect;
use silenced::snapshot::Revision;
use silenced::source::{Note, SourceError};

use super::{Mirror, describe};
use crate::support::git_repository::GitRepository;
use crate::support::git_server::GitServer;

fn commit_of(repository: &GitRepository, reference: &str) -> String {
    let mirror = Mirror::with(&repository.file_url(), None, Some(reference));
    match mirror.fetch().unwrap().revision {
        Revision::Commit(commit) => commit,
        other @ Revision::Directory(_) => panic!("{other}"),
    }
}

#[test]
fn branches_tags_full_names_and_commits_are_found() {
    let repository = GitRepository::with_one_file();
    let first = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["tag", "light"]);
    repository.git(&["tag", "-a", "-m", "note", "annotated"]);
    repository.git(&["tag", "-a", "-m", "of a tag", "nested", "annotated"]);
    repository.git(&["update-ref", "refs/pull/7/head", &first]);
    repository.write("silences/a.yaml", b"a: 2\n");
    let second = repository.commit("second");
    repository.git(&["branch", "team/x"]);

    for reference in [
        "light",
        "annotated",
        "nested",
        "refs/pull/7/head",
        "refs/tags/light",
    ] {
        assert_eq!(commit_of(&repository, reference), first, "{reference}");
    }
    for reference in ["HEAD", "main", "team/x", "refs/heads/main"] {
        assert_eq!(commit_of(&repository, reference), second, "{reference}");
    }
    for digits in [40, 12, 7] {
        assert_eq!(commit_of(&repository, &first[..digits]), first);
        assert_eq!(
            commit_of(&repository, &first[..digits].to_uppercase()),
            first
        );
    }
}

#[test]
fn head_follows_the_default_branch() {
    let repository = GitRepository::with_one_file();
    let mirror = Mirror::of(&repository.file_url());
    mirror.fetch().unwrap();
    repository.git(&["checkout", "-q", "-b", "trunk"]);
    repository.write("silences/a.yaml", b"trunk");
    repository.commit("trunk");
    expect![[r#"
        a.yaml: trunk
    "#]]
    .assert_eq(&describe(&mirror.fetch().unwrap()));
    repository.git(&["symbolic-ref", "HEAD", "refs/heads/gone"]);
    expect!["the repository `URL` has branches, but its HEAD is none of them; set `ref` (`--ref`) to a branch (such as `main`, `trunk`), or mend the default branch on the server"].assert_eq(&mirror.fetch_message());
}

#[test]
fn a_vanished_branch_is_an_error_and_its_return_is_seen() {
    let repository = GitRepository::with_one_file();
    repository.git(&["branch", "relase"]);
    repository.git(&["branch", "release"]);
    let mirror = Mirror::with(&repository.file_url(), None, Some("release"));
    let before = mirror.fetch().unwrap();
    repository.git(&["branch", "-D", "release"]);
    expect!["the repository `URL` has no branch or tag `release` (nearest: `relase`); was it deleted or renamed? Set `ref` (`--ref`) to one that exists"].assert_eq(&mirror.fetch_message());
    repository.git(&["branch", "release", "relase"]);
    assert_eq!(mirror.fetch().unwrap(), before);
    // A name that was a branch becomes a directory of branches.
    repository.git(&["branch", "-D", "release"]);
    repository.git(&["branch", "release/1"]);
    assert!(matches!(
        mirror.fetch(),
        Err(SourceError::ReferenceNotFound { .. })
    ));
}

#[test]
fn an_empty_repository_is_an_error() {
    let repository = GitRepository::empty();
    expect!["the repository `URL` is empty; push a commit with the declarations, or check that the URL is the right one"].assert_eq(&Mirror::of(&repository.file_url()).fetch_message());
    let server = GitServer::start(repository.git_directory());
    let over_http = Mirror::of(&server.url()).fetch().unwrap_err();
    assert!(
        matches!(over_http, SourceError::EmptyRepository { .. }),
        "{over_http}"
    );
}

#[test]
fn a_forced_push_is_read_and_noted() {
    let repository = GitRepository::with_one_file();
    let mirror = Mirror::of(&repository.file_url());
    repository.write("silences/a.yaml", b"a: 2\n");
    let from = repository.commit("second");
    mirror.fetch().unwrap();
    repository.git(&["reset", "-q", "--hard", "HEAD~1"]);
    repository.write("silences/a.yaml", b"a: 3\n");
    let to = repository.commit("rewritten");
    let (snapshot, notes) = mirror.fetch_with_notes();
    assert_eq!(snapshot.unwrap().revision, Revision::Commit(to.clone()));
    let [note] = &notes[..] else {
        panic!("{notes:?}")
    };
    expect!["`HEAD` moved to commit `TO`, which does not descend from `FROM`: its history was rewritten, or it names something else now"]
    .assert_eq(&note.to_string().replace(&from, "FROM").replace(&to, "TO"));
    let (snapshot, notes) = mirror.fetch_with_notes();
    snapshot.unwrap();
    assert_eq!(notes, []);
}

#[test]
fn a_moved_tag_is_followed() {
    let repository = GitRepository::with_one_file();
    repository.git(&["tag", "-a", "-m", "one", "stable"]);
    let mirror = Mirror::with(&repository.file_url(), None, Some("stable"));
    mirror.fetch().unwrap();
    repository.write("silences/a.yaml", b"moved");
    repository.commit("second");
    repository.git(&["tag", "-f", "-a", "-m", "two", "stable"]);
    let (snapshot, notes) = mirror.fetch_with_notes();
    expect![[r#"
        a.yaml: moved
    "#]]
    .assert_eq(&describe(&snapshot.unwrap()));
    assert_eq!(notes, []);
}

#[test]
fn of_a_branch_and_a_tag_with_one_name_the_branch_is_read() {
    let repository = GitRepository::with_one_file();
    repository.git(&["tag", "v1"]);
    repository.write("silences/a.yaml", b"branch");
    repository.commit("second");
    repository.git(&["branch", "v1"]);
    let mirror = Mirror::with(&repository.file_url(), None, Some("v1"));
    let (snapshot, notes) = mirror.fetch_with_notes();
    expect![[r#"
        a.yaml: branch
    "#]]
    .assert_eq(&describe(&snapshot.unwrap()));
    let notes: Vec<_> = notes.iter().map(Note::to_string).collect();
    expect!["`v1` is a branch and a tag; the branch is read. Write `refs/tags/v1` for the tag"]
        .assert_eq(&notes.concat());
}

#[test]
fn a_tag_of_something_else_than_a_commit_is_an_error() {
    let repository = GitRepository::with_one_file();
    repository.git(&["tag", "blob", "HEAD:silences/a.yaml"]);
    let mirror = Mirror::with(&repository.file_url(), None, Some("blob"));
    expect!["`blob` of the repository `URL` does not name a commit; set `ref` (`--ref`) to a branch, or to a tag of a commit"].assert_eq(&mirror.fetch_message());
}

#[test]
fn a_commit_on_no_branch_is_read_only_if_the_server_hands_it_out() {
    let repository = GitRepository::with_one_file();
    repository.write("silences/a.yaml", b"lost");
    let lost = repository.commit("lost");
    repository.git(&["reset", "-q", "--hard", "HEAD~1"]);
    let server = GitServer::start(repository.git_directory());
    let mirror = Mirror::with(&server.url(), None, Some(&lost));
    expect!["the repository `URL` has no commit `COMMIT` on any branch or tag; push it, or set `ref` (`--ref`) to a commit that is on a branch"].assert_eq(&mirror.fetch_message().replace(&lost, "COMMIT"));
    let abbreviated = Mirror::with(&server.url(), None, Some(&lost[..8]));
    let error = abbreviated.fetch().unwrap_err();
    assert!(
        matches!(error, SourceError::CommitNotFound { .. }),
        "{error}"
    );

    repository.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    expect![[r#"
        a.yaml: lost
    "#]]
    .assert_eq(&describe(&mirror.fetch().unwrap()));
    // What is pinned and here is read without asking.
    server.take_requests();
    mirror.fetch().unwrap();
    assert_eq!(server.take_requests(), [""; 0]);
}

#[test]
fn an_ambiguous_abbreviation_is_an_error() {
    let repository = GitRepository::with_one_file();
    // Commits differ by their messages, and their ids are the same everywhere,
    // so the search ends after the same number of steps each time.
    let mut seen = std::collections::BTreeMap::new();
    let tree = repository.git(&["rev-parse", "HEAD^{tree}"]);
    let prefix = (0..10_000)
        .find_map(|number| {
            let commit = repository.git(&["commit-tree", &tree, "-m", &number.to_string()]);
            seen.insert(commit[..4].to_owned(), commit.clone())
                .map(|other| (commit, other))
        })
        .unwrap();
    repository.git(&["branch", "one", &prefix.0]);
    repository.git(&["branch", "two", &prefix.1]);
    let mirror = Mirror::with(&repository.file_url(), None, Some(&prefix.0[..4]));
    let message = mirror.fetch_message().replace(&prefix.0[..4], "1234");
    expect!["several commits of `URL` begin with `1234`; write more digits of the commit in `ref` (`--ref`)"].assert_eq(&message);
}
