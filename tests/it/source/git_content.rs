use std::io::ErrorKind;
use std::os::unix::fs::symlink;

use expect_test::expect;
use silenced::snapshot::Revision;
use silenced::source::{Bounds, MirrorPath, Source, SourceSettings, read_history};

use super::{Mirror, describe};
use crate::support::git_repository::GitRepository;

#[test]
fn reads_files_as_they_are_committed() {
    let repository = GitRepository::with_one_file();
    repository.write("silences/team/b.yml", b"\xff\xfe not UTF-8");
    repository.write("silences/crlf.yaml", b"# $Id$\r\na: 1\r\n");
    repository.write("silences/README.md", b"x");
    repository.write("silences/UPPER.YML", b"x");
    repository.write("silences/.hidden.yaml", b"x");
    repository.write("silences/.github/x.yaml", b"x");
    repository.write("outside.yaml", b"x");
    // A checkout would expand `$Id$`.
    repository.write(".gitattributes", b"*.yaml ident\n");
    symlink("a.yaml", repository.path().join("silences/link.yaml")).unwrap();
    symlink("/etc", repository.path().join("silences/etc")).unwrap();
    let head = repository.commit("more");
    repository.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("160000,{head},silences/module"),
    ]);
    repository.git(&["commit", "-q", "-m", "submodule"]);
    expect![[r#"
        a.yaml: a: 1\n
        crlf.yaml: # $Id$\r\na: 1\r\n
        team/b.yml: \xff\xfe not UTF-8
        UPPER.YML: SKIPPED only names that end in `.yaml` or `.yml`, in lower case, are read
        etc: SKIPPED it is a link, and links in a Git repository are not followed; commit the file itself
        link.yaml: SKIPPED it is a link, and links in a Git repository are not followed; commit the file itself
        module: SKIPPED it is a submodule, and submodules are not read; commit the files themselves
    "#]].assert_eq(&describe(
        &Mirror::of(&repository.file_url()).fetch().unwrap(),
    ));
}

#[test]
fn a_renamed_file_has_its_new_name_only() {
    let repository = GitRepository::with_one_file();
    let mirror = Mirror::of(&repository.file_url());
    mirror.fetch().unwrap();
    repository.git(&["mv", "silences/a.yaml", "silences/b.yaml"]);
    let commit = repository.commit("rename");
    let snapshot = mirror.fetch().unwrap();
    assert_eq!(snapshot.revision, Revision::Commit(commit));
    expect![[r#"
        b.yaml: a: 1\n
    "#]]
    .assert_eq(&describe(&snapshot));
}

#[test]
fn a_file_of_50_megabytes_is_broken_and_the_others_are_read() {
    let repository = GitRepository::with_one_file();
    repository.write("silences/large.yaml", &vec![b'#'; 50 << 20]);
    repository.commit("large");
    expect![[r#"
        a.yaml: a: 1\n
        large.yaml: BROKEN it has 52428800 bytes, and at most 1048576 are read; split the file
    "#]]
    .assert_eq(&describe(
        &Mirror::of(&repository.file_url()).fetch().unwrap(),
    ));
}

/// As on a volume that another container fills.
#[test]
fn a_repository_of_another_user_is_read() {
    let repository = GitRepository::with_one_file();
    for path in [repository.path(), &repository.git_directory()] {
        // Only root can give it away; for others it stays their own.
        let given = std::os::unix::fs::chown(path, Some(65_534), None);
        let kind = given.err().map(|error| error.kind());
        assert!(
            [None, Some(ErrorKind::PermissionDenied)].contains(&kind),
            "{kind:?}"
        );
    }
    let mirror = Mirror::of(&repository.file_url());
    assert_eq!(mirror.fetch().unwrap().files.len(), 1);
}

#[test]
fn names_that_are_not_utf8_are_broken_files() {
    let repository = GitRepository::with_one_file();
    let blob = repository.git(&["rev-parse", "HEAD:silences/a.yaml"]);
    let mut entries = format!("100644 blob {blob}\t").into_bytes();
    entries.extend(b"\xff.yaml\0");
    let tree = repository.git_with_input(&["mktree", "-z"], &entries);
    let commit = repository.git(&["commit-tree", &tree, "-m", "odd"]);
    repository.git(&["reset", "-q", "--soft", &commit]);
    let mirror = Mirror::with(&repository.file_url(), Some("."), None);
    expect![[r#"
        �.yaml: BROKEN its name is not UTF-8; rename it
    "#]]
    .assert_eq(&describe(&mirror.fetch().unwrap()));
}

#[test]
fn what_exceeds_the_bounds_is_an_error() {
    let repository = GitRepository::with_one_file();
    repository.write("silences/x/y/b.yaml", b"b");
    repository.commit("deep");
    let default = Bounds::DEFAULT;
    let messages = [
        Bounds {
            files: 1,
            ..default
        },
        Bounds {
            entries: 3,
            ..default
        },
        Bounds {
            total_bytes: 5,
            ..default
        },
        Bounds {
            depth: 1,
            ..default
        },
        Bounds {
            path_bytes: 5,
            ..default
        },
    ]
    .map(|bounds| {
        let mut mirror = Mirror::of(&repository.file_url());
        mirror.bounds = bounds;
        mirror.fetch_message() + "\n"
    });
    expect![[r#"
        `URL` is too large to be read: more than 1 declaration files; keep the declarations in a directory or repository of their own
        `URL` is too large to be read: more than 3 files and directories; keep the declarations in a directory or repository of their own
        `URL` is too large to be read: more than 5 bytes of declarations; keep the declarations in a directory or repository of their own
        `URL` is too large to be read: `x/y/b.yaml` is more than 1 directories deep; keep the declarations in a directory or repository of their own
        `URL` is too large to be read: the path that begins with `a.yaml` is longer than 5 bytes; keep the declarations in a directory or repository of their own
    "#]].assert_eq(&messages.concat());
}

/// Each level names the level below ten times: 10^9 paths in a few kilobytes.
#[test]
fn a_tree_that_unfolds_without_end_is_an_error() {
    let repository = GitRepository::with_one_file();
    let blob = repository.git(&["rev-parse", "HEAD:silences/a.yaml"]);
    let mut entry = format!("100644 blob {blob}");
    for _ in 0..9 {
        let entries: Vec<_> = (0..10).map(|name| format!("{entry}\td{name}\n")).collect();
        let tree = repository.git_with_input(&["mktree"], entries.concat().as_bytes());
        entry = format!("040000 tree {tree}");
    }
    let tree = repository.git_with_input(&["mktree"], format!("{entry}\tsilences\n").as_bytes());
    let commit = repository.git(&["commit-tree", &tree, "-m", "bomb"]);
    repository.git(&["reset", "-q", "--soft", &commit]);
    expect!["`URL` is too large to be read: more than 100000 files and directories; keep the declarations in a directory or repository of their own"].assert_eq(&Mirror::of(&repository.file_url()).fetch_message());
}

#[test]
fn the_path_must_be_a_directory_of_the_commit() {
    let repository = GitRepository::with_one_file();
    repository.write("docs/x.md", b"x");
    symlink("silences", repository.path().join("alias")).unwrap();
    repository.commit("more");
    let url = repository.file_url();
    let message = |path| Mirror::with(&url, Some(path), None).fetch_message() + "\n";
    expect![[r#"
        commit 5203475 (`HEAD`) of `URL` has no directory `silence`; set `path` (`--path`) to the directory of the declarations, such as `docs`, `silences`
        `silences/a.yaml` in commit 5203475 (`HEAD`) of `URL` is a file, not a directory; set `path` (`--path`) to the directory that holds the declarations
        `silences/a.yaml` in commit 5203475 (`HEAD`) of `URL` is a file, not a directory; set `path` (`--path`) to the directory that holds the declarations
        `alias` in commit 5203475 (`HEAD`) of `URL` is a link, not a directory; set `path` (`--path`) to the directory that holds the declarations
    "#]].assert_eq(
        &["silence", "silences/a.yaml", "silences/a.yaml/b", "alias"]
            .map(message)
            .concat(),
    );
    let all = Mirror::with(&url, Some("."), Some("main")).fetch().unwrap();
    expect![[r#"
        silences/a.yaml: a: 1\n
        alias: SKIPPED it is a link, and links in a Git repository are not followed; commit the file itself
    "#]].assert_eq(&describe(&all));
}

#[test]
fn history_holds_the_versions_of_files_newest_first() {
    let repository = GitRepository::with_one_file();
    let first = repository.git(&["rev-parse", "HEAD"]);
    repository.write("silences/b.yaml", b"other file");
    repository.write("silences/gone.yaml", b"gone");
    let unrelated = repository.commit("unrelated");
    // On a branch there are two changes; the merge is one on `main`.
    repository.git(&["checkout", "-q", "-b", "topic"]);
    repository.write("silences/a.yaml", b"draft");
    repository.commit("draft");
    repository.write("silences/a.yaml", b"final");
    repository.commit("final");
    repository.git(&["checkout", "-q", "main"]);
    repository.git(&["merge", "-q", "--no-ff", "-m", "merge", "topic"]);
    let merge = repository.git(&["rev-parse", "HEAD"]);
    repository.write("silences/b.yaml", b"changed");
    let before_removal = repository.commit("changed");
    repository.git(&["rm", "-q", "silences/a.yaml", "silences/gone.yaml"]);
    repository.commit("removed");
    repository.write("silences/a.yaml", b": broken [");
    repository.commit("broken");

    let cache = tempfile::tempdir().unwrap();
    let settings = SourceSettings::parse(&repository.file_url(), None, None).unwrap();
    let mut source = Source::open(settings, Some(cache.path())).unwrap();
    let revision = source.read().unwrap().revision;
    let history = |paths: &[&str], limit| -> Vec<String> {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        let versions = source.read_history(&revision, &paths, limit).unwrap();
        let shown = versions.into_iter().map(|version| {
            let text = String::from_utf8(version.content).unwrap();
            format!("{} {} {text}", version.commit, version.path)
        });
        shown.collect()
    };
    let merged = format!("{merge} a.yaml final");
    let at_first = format!("{first} a.yaml a: 1\n");
    let gone = format!("{before_removal} gone.yaml gone");
    assert_eq!(history(&["none.yaml"], 50), std::slice::from_ref(&gone));
    assert_eq!(
        history(&["a.yaml"], 50),
        [gone.clone(), merged.clone(), at_first.clone()]
    );
    assert_eq!(history(&["a.yaml"], 1), [gone.clone(), merged.clone()]);
    let all = history(&["b.yaml", "a.yaml"], 50);
    let other = format!("{unrelated} b.yaml other file");
    assert_eq!(all, [gone, merged, other, at_first]);
}

#[test]
fn of_much_history_the_newest_of_each_file_comes_first() {
    let repository = GitRepository::with_one_file();
    let paths = ["c.yaml", "a.yaml", "b.yaml"].map(str::to_owned);
    let change = |path: &str, text: &str| {
        repository.write(&format!("silences/{path}"), text.as_bytes());
        repository.commit(text);
    };
    for path in &paths {
        change(path, "old");
    }
    for text in ["mid", "new", "now"] {
        change("a.yaml", text);
    }
    change("b.yaml", "now");
    change("c.yaml", "now");
    let mirror = Mirror::of(&repository.file_url());
    let revision = mirror.fetch().unwrap().revision.to_string();
    let history = |bounds: Bounds| -> String {
        let settings = &mirror.settings;
        let versions = read_history(settings, &mirror.path(), &bounds, &revision, &paths, 10);
        let shown = versions.unwrap().into_iter().map(|version| {
            let text = String::from_utf8(version.content).unwrap();
            format!("{} {}", version.path, text.trim_end())
        });
        shown.collect::<Vec<_>>().join(", ")
    };
    let default = Bounds::DEFAULT;
    let bounds = [
        default,
        Bounds {
            history_versions: 4,
            ..default
        },
        Bounds {
            past_bytes: 8,
            ..default
        },
        Bounds {
            file_bytes: 2,
            ..default
        },
        Bounds {
            history_commits: 4,
            ..default
        },
    ];
    expect![[r#"
        a.yaml new, a.yaml mid, b.yaml old, a.yaml old, c.yaml old, a.yaml a: 1
        a.yaml new, a.yaml mid, b.yaml old, c.yaml old
        a.yaml new, c.yaml old

        a.yaml new
    "#]]
    .assert_eq(&bounds.map(|bounds| history(bounds) + "\n").concat());
    let nowhere = MirrorPath::in_cache("/nonexistent".as_ref(), &mirror.settings.url);
    let settings = &mirror.settings;
    assert!(read_history(settings, &nowhere, &default, &revision, &paths, 10).is_err());
}
