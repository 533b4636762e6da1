use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use expect_test::expect;
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use silenced::source::{Bounds, Source, SourceSettings, read_directory};
use tempfile::{TempDir, tempdir};

use super::describe;

fn directory(files: &[(&str, &[u8])]) -> TempDir {
    let directory = tempdir().unwrap();
    for (path, content) in files {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    directory
}

fn read(path: &Path) -> String {
    describe(&read_directory(path, &Bounds::DEFAULT).unwrap())
}

fn message(path: &Path, bounds: &Bounds) -> String {
    let error = read_directory(path, bounds).unwrap_err().to_string();
    error.replace(&path.display().to_string(), "DIR")
}

#[test]
fn reads_declarations_in_order_of_their_paths_and_nothing_else() {
    let files = directory(&[
        ("b.yml", b"b"),
        ("a.yaml", b"line\r\n"),
        ("a/z.yaml", b"\xff\xfe"),
        ("a/deep/er.yaml", b""),
        ("README.md", b"x"),
        ("UPPER.YAML", b"x"),
        (".hidden.yaml", b"x"),
        (".git/config.yaml", b"x"),
        ("a/.b/c.yaml", b"x"),
        (".yaml", b"x"),
        ("lost+found/x.yaml", b"x"),
    ]);
    expect![[r#"
        a.yaml: line\r\n
        a/deep/er.yaml: 
        a/z.yaml: \xff\xfe
        b.yml: b
        UPPER.YAML: SKIPPED only names that end in `.yaml` or `.yml`, in lower case, are read
    "#]]
    .assert_eq(&read(files.path()));
}

#[test]
fn reads_a_mounted_config_map_once_and_sees_its_update() {
    let volume = directory(&[
        ("..2026_11_23_05_00_00.1/a.yaml", b"one"),
        ("..2026_11_23_05_00_00.1/sub/b.yaml", b"two"),
        ("..2026_11_23_06_00_00.2/a.yaml", b"new"),
    ]);
    let root = volume.path();
    symlink("..2026_11_23_05_00_00.1", root.join("..data")).unwrap();
    symlink("..data/a.yaml", root.join("a.yaml")).unwrap();
    symlink("..data/sub", root.join("sub")).unwrap();
    // The user names a link to the volume.
    let link = tempdir().unwrap();
    let link = link.path().join("silences");
    symlink(root, &link).unwrap();
    expect![[r#"
        a.yaml: one
        sub/b.yaml: two
    "#]]
    .assert_eq(&read(&link));
    let before = read_directory(&link, &Bounds::DEFAULT).unwrap().revision;

    symlink("..2026_11_23_06_00_00.2", root.join("..data_tmp")).unwrap();
    fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
    fs::remove_file(root.join("sub")).unwrap();
    expect![[r#"
        a.yaml: new
    "#]]
    .assert_eq(&read(&link));
    assert_ne!(
        before,
        read_directory(&link, &Bounds::DEFAULT).unwrap().revision
    );
}

#[test]
fn links_are_followed_inside_and_reported_otherwise() {
    let outside = directory(&[("secret.yaml", b"secret"), ("notes.txt", b"x")]);
    let files = directory(&[("a.yaml", b"a"), ("sub/b.yaml", b"b"), (".store/c", b"c")]);
    let root = files.path();
    for (target, name) in [
        (".store/c", "linked.yaml"),
        ("a.yaml", "again.yaml"),
        ("..", "sub/up"),
        ("sub", "twin"),
        ("nowhere.yaml", "dangling.yaml"),
        ("loop.yaml", "loop.yaml"),
        ("a.yaml", "alias.txt"),
    ] {
        symlink(target, root.join(name)).unwrap();
    }
    symlink(outside.path().join("secret.yaml"), root.join("leaves.yaml")).unwrap();
    symlink(outside.path(), root.join("leaves")).unwrap();
    symlink(outside.path().join("notes.txt"), root.join("notes.txt")).unwrap();
    expect![[r#"
        a.yaml: a
        linked.yaml: c
        sub/b.yaml: b
        again.yaml: SKIPPED it is a link to `a.yaml`, which is read already
        dangling.yaml: SKIPPED it is a link to something that does not exist
        leaves: SKIPPED it is a link that leaves the directory of the declarations
        leaves.yaml: SKIPPED it is a link that leaves the directory of the declarations
        loop.yaml: SKIPPED it is a link that cannot be followed: Too many levels of symbolic links (os error 40)
        sub/up: SKIPPED it is a link to `.`, which is read already
        twin: SKIPPED it is a link to `sub`, which is read already
    "#]].assert_eq(&read(root));
}

#[test]
fn what_is_no_directory_is_an_error() {
    let files = directory(&[("a.yaml", b"a")]);
    let bounds = Bounds::DEFAULT;
    expect!["cannot read the declarations in `DIR`: it does not exist; check the path, and that its volume is mounted"].assert_eq(
        &message(&files.path().join("gone"), &bounds)
            .replace(&files.path().display().to_string(), "PARENT"),
    );
    expect!["cannot read the declarations in `DIR`: it is not a directory; name the directory that holds the files"].assert_eq(&message(&files.path().join("a.yaml"), &bounds));
}

/// Root may read everything; as its thread without that privilege, which nobody
/// else has, it may not.
fn unprivileged<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let privileges = CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH;
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                let mut sets = capabilities(None).unwrap();
                sets.effective -= privileges;
                set_capabilities(None, sets).unwrap();
                work()
            })
            .join()
            .unwrap()
    })
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn an_unreadable_file_is_broken_and_an_unreadable_directory_an_error() {
    let files = directory(&[("a.yaml", b"a"), ("b.yaml", b"b"), ("sub/c.yaml", b"c")]);
    set_mode(&files.path().join("a.yaml"), 0o000);
    expect![[r#"
        a.yaml: BROKEN it cannot be read: Permission denied (os error 13)
        b.yaml: b
        sub/c.yaml: c
    "#]]
    .assert_eq(&unprivileged(|| read(files.path())));
    set_mode(&files.path().join("sub"), 0o000);
    let message = unprivileged(|| message(files.path(), &Bounds::DEFAULT));
    set_mode(&files.path().join("sub"), 0o755);
    expect!["cannot read the declarations in `DIR/sub`: Permission denied (os error 13); check the permissions for the user that silenced runs as"].assert_eq(&message);
}

#[test]
fn a_file_that_is_too_large_or_badly_named_is_broken() {
    let files = directory(&[("a.yaml", b"a")]);
    let large = File::create(files.path().join("large.yaml")).unwrap();
    large.set_len(50 << 20).unwrap();
    fs::write(files.path().join(OsStr::from_bytes(b"\xff.yaml")), "x").unwrap();
    // The path of a socket has at most 107 bytes, and that of a directory may be longer.
    let short = File::open(files.path()).unwrap();
    let socket = format!("/proc/self/fd/{}/socket.yaml", short.as_raw_fd());
    std::os::unix::net::UnixListener::bind(socket).unwrap();
    expect![[r#"
        a.yaml: a
        large.yaml: BROKEN it has 52428800 bytes, and at most 1048576 are read; split the file
        �.yaml: BROKEN its name is not UTF-8; rename it
        socket.yaml: SKIPPED it is neither a file nor a directory
    "#]]
    .assert_eq(&read(files.path()));
}

#[test]
fn what_exceeds_the_bounds_is_an_error() {
    let files = directory(&[("a.yaml", b"aaa"), ("b.yaml", b"bbb"), ("c/d/e.yaml", b"e")]);
    let default = Bounds::DEFAULT;
    let bounds = [
        Bounds {
            files: 2,
            ..default
        },
        Bounds {
            entries: 4,
            ..default
        },
        Bounds {
            total_bytes: 6,
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
    ];
    let messages = bounds.map(|bounds| message(files.path(), &bounds) + "\n");
    expect![[r#"
        `DIR` is too large to be read: more than 2 declaration files; keep the declarations in a directory or repository of their own
        `DIR` is too large to be read: more than 4 files and directories; keep the declarations in a directory or repository of their own
        `DIR` is too large to be read: more than 6 bytes of declarations; keep the declarations in a directory or repository of their own
        `DIR` is too large to be read: `c/d/e.yaml` is more than 1 directories deep; keep the declarations in a directory or repository of their own
        `DIR` is too large to be read: the path that begins with `a.yaml` is longer than 5 bytes; keep the declarations in a directory or repository of their own
    "#]].assert_eq(&messages.concat());
    let exact = Bounds {
        files: 3,
        entries: 5,
        file_bytes: 3,
        total_bytes: 7,
        depth: 2,
        path_bytes: 10,
        ..default
    };
    assert!(read_directory(files.path(), &exact).is_ok());
}

#[test]
fn the_digest_changes_with_paths_and_contents_only() {
    let revision = |files: &[(&str, &[u8])]| {
        let files = directory(files);
        let settings = SourceSettings::Directory(files.path().to_path_buf());
        let mut source = Source::open(settings, None).unwrap();
        source.read().unwrap().revision.to_string()
    };
    let first = revision(&[("a.yaml", b"a"), ("b.yaml", b"b")]);
    expect!["directory:3c7a5d6add19f969"].assert_eq(&first);
    assert_eq!(
        first,
        revision(&[("b.yaml", b"b"), ("a.yaml", b"a"), ("c.txt", b"")])
    );
    assert_ne!(first, revision(&[("a.yaml", b"b"), ("b.yaml", b"a")]));
    assert_ne!(first, revision(&[("a.yaml", b"a"), ("c.yaml", b"b")]));
}
