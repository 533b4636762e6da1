use expect_test::expect;
use silenced::source::{GitSettings, SourceSettings};

fn parse(source: &str) -> String {
    match SourceSettings::parse(source, None, None) {
        Ok(SourceSettings::Directory(path)) => format!("directory {}\n", path.display()),
        Ok(SourceSettings::Git(git)) => {
            format!("git {} {} {}\n", git.url, git.reference, git.path)
        }
        Err(error) => format!("{error}\n"),
    }
}

#[test]
fn tells_directories_from_urls() {
    let sources = [
        "silences",
        "/etc/silences",
        "./git@odd:name",
        "https://git.example.com/a.git",
        "HTTP://git.example.com:8080/a",
        "file:///srv/git/a.git",
    ];
    expect![[r#"
        directory silences
        directory /etc/silences
        directory ./git@odd:name
        git https://git.example.com/a.git HEAD silences
        git http://git.example.com:8080/a HEAD silences
        git file:///srv/git/a.git HEAD silences
    "#]]
    .assert_eq(&sources.map(parse).concat());
}

#[test]
fn says_what_to_write_instead() {
    let sources = [
        "",
        "git@git.example.com:team/silences.git",
        "ssh://git@git.example.com/a.git",
        "git://git.example.com/a.git",
        "file://relative/a.git",
        "https:///a.git",
        "https://git.example.com/a b",
    ];
    expect![[r#"
        the source is empty; write a directory or a Git URL
        the source `git@git.example.com:team/silences.git` needs SSH, which is not supported yet; write `https://git.example.com/team/silences.git`
        the source `ssh://git@git.example.com/a.git` needs SSH, which is not supported yet; use the https:// URL
        the source `git://git.example.com/a.git` has an unknown scheme; write a directory, or a URL that begins with https://, http:// or file://
        the source URL `file://relative/a.git` must name an absolute path; write file:///path/to/repository
        the source URL `https:///a.git` names no host
        the source URL `https://git.example.com/a b` must not contain spaces or control characters; write `%20` for a space
    "#]].assert_eq(&sources.map(parse).concat());
}

#[test]
fn never_shows_a_secret() {
    let sources = [
        "https://user:s3cret@git.example.com/a.git",
        "https://s3cret@git.example.com/a.git?x=s3cret",
        "ssh://user:s3cret@git.example.com/a.git",
        "ftp://user:s3cret@git.example.com/a.git",
        "user:s3cret@git.example.com:a.git",
        "https://git.example.com/a.git?token=s3cret",
        "https://git.example.com/a.git#s3cret",
        "https://git.example.com?token=s3cret",
    ];
    let messages = sources.map(parse).concat();
    assert!(!messages.contains("s3cret"), "{messages}");
    expect![[r#"
        the source URL `https://[redacted]@git.example.com/a.git` contains credentials, which would show up in process lists and logs; remove them from the URL
        the source URL `https://[redacted]@git.example.com/a.git` contains credentials, which would show up in process lists and logs; remove them from the URL
        the source URL `ssh://[redacted]@git.example.com/a.git` contains credentials, which would show up in process lists and logs; remove them from the URL
        the source URL `ftp://[redacted]@git.example.com/a.git` contains credentials, which would show up in process lists and logs; remove them from the URL
        the source URL `[redacted]@git.example.com:a.git` contains credentials, which would show up in process lists and logs; remove them from the URL
        the source URL `https://git.example.com/a.git` must not have a query (`?`) or fragment (`#`)
        the source URL `https://git.example.com/a.git` must not have a query (`?`) or fragment (`#`)
        the source URL `https://git.example.com` must not have a query (`?`) or fragment (`#`)
    "#]].assert_eq(&messages);
}

#[test]
fn paths_stay_inside_the_repository() {
    let parse = |path| match SourceSettings::parse("file:///a", Some(path), None) {
        Ok(SourceSettings::Git(git)) => format!("{path}: {}\n", git.path),
        Ok(other) => panic!("{other:?}"),
        Err(error) => format!("{error}\n"),
    };
    let paths = [
        "./silences/",
        "a//b/./c",
        ".",
        "",
        ".silences",
        "a/../b",
        "..",
        "/etc",
        "a\nb",
    ];
    expect![[r#"
        ./silences/: silences
        a//b/./c: a/b/c
        .: .
        : .
        .silences: .silences
        the path `a/../b` leaves the repository with `..`; write it relative to the root of the repository
        the path `..` leaves the repository with `..`; write it relative to the root of the repository
        the path `/etc` is absolute; write it relative to the root of the repository
        the path `a\nb` contains control characters; write it relative to the root of the repository
    "#]].assert_eq(&paths.map(parse).concat());
}

#[test]
fn refs_are_names_that_git_allows() {
    let good = |name| SourceSettings::parse("file:///a", None, Some(name)).is_ok();
    for name in [
        "main",
        "feature/x",
        "v1.2",
        "refs/pull/7/head",
        "HEAD",
        "1a2b3c4",
        "ümlaut",
    ] {
        assert!(good(name), "{name}");
    }
    for name in [
        "", "a b", "a..b", "a/", "/a", "a//b", "a/.b", "a.lock", "a^", "a:b", "-a", "@", "a@{1}",
        "*", "a\nb", "a.",
    ] {
        assert!(!good(name), "{name}");
    }
}

#[test]
fn git_settings_mean_nothing_for_a_directory() {
    let message = |path, reference| {
        SourceSettings::parse("silences", path, reference)
            .unwrap_err()
            .to_string()
    };
    expect!["`path` applies to Git repositories only, and the source `silences` is a directory"]
        .assert_eq(&message(Some("a"), None));
    expect!["`ref` applies to Git repositories only, and the source `silences` is a directory"]
        .assert_eq(&message(None, Some("main")));
}

#[test]
fn settings_travel_between_processes_and_are_checked_on_arrival() {
    let settings = super::git_settings("file:///a", Some("x/y"), Some("main"));
    let text = serde_json::to_string(&settings).unwrap();
    expect![[r#"{"url":"file:///a","reference":"main","path":"x/y"}"#]].assert_eq(&text);
    assert_eq!(
        serde_json::from_str::<GitSettings>(&text).unwrap(),
        settings
    );
    let tampered = text.replace("x/y", "../y");
    assert!(serde_json::from_str::<GitSettings>(&tampered).is_err());
}
