use std::fs::{self, File};
use std::path::{Path, PathBuf};

use expect_test::expect;
use silenced::snapshot::Revision;
use silenced::source::{Bounds, Note, SourceError};

use super::Mirror;
use crate::support::git_repository::GitRepository;
use crate::support::git_server::{Behaviour, GitServer};

/// Damages a mirror, moves the remote on, and expects a new clone, once.
fn rebuilds_after(damage: impl Fn(&Path)) -> String {
    let repository = GitRepository::with_one_file();
    let mirror = Mirror::of(&repository.file_url());
    mirror.fetch().unwrap();
    damage(mirror.path().path());
    repository.write("silences/a.yaml", b"a: 2\n");
    let commit = repository.commit("second");
    let (snapshot, notes) = mirror.fetch_with_notes();
    assert_eq!(snapshot.unwrap().revision, Revision::Commit(commit));
    let (snapshot, again) = mirror.fetch_with_notes();
    snapshot.unwrap();
    assert_eq!(again, [], "the second fetch finds a sound mirror");
    let [note @ Note::MirrorRebuilt { .. }] = &notes[..] else {
        panic!("{notes:?}");
    };
    let place = mirror.path().path().display().to_string();
    note.to_string().replace(&place, "MIRROR") + "\n"
}

fn packs(mirror: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(mirror.join("objects/pack")).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "pack")
        })
        .collect()
}

fn references(mirror: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(mirror.join("refs/silenced")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_stale_lock_of_a_ref_is_cured() {
    let note = rebuilds_after(|mirror| {
        for reference in references(mirror) {
            File::create(reference.with_extension("lock")).unwrap();
        }
    });
    expect![[r#"
        the local mirror is cloned again: failed to lock file 'MIRROR/refs/silenced/6f4bdb84aa191fcf.lock' for writing
    "#]].assert_eq(&note);
}

#[test]
fn a_directory_in_place_of_a_ref_is_cured() {
    rebuilds_after(|mirror| {
        for reference in references(mirror) {
            fs::remove_file(&reference).unwrap();
            fs::create_dir(&reference).unwrap();
            File::create(reference.join("below")).unwrap();
        }
    });
}

#[test]
fn an_empty_head_is_cured() {
    rebuilds_after(|mirror| fs::write(mirror.join("HEAD"), "").unwrap());
}

#[test]
fn leftovers_of_a_killed_fetch_are_cured() {
    let note = rebuilds_after(|mirror| {
        File::create(mirror.join("objects/pack/pack_git2_abc")).unwrap();
    });
    expect![[r#"
        the local mirror is cloned again: a fetch was killed in the midst of it
    "#]]
    .assert_eq(&note);
}

#[test]
fn a_mirror_that_is_no_repository_is_cured() {
    rebuilds_after(|mirror| {
        fs::remove_dir_all(mirror).unwrap();
        fs::create_dir(mirror).unwrap();
    });
}

/// Also when nothing is new, which a fetch alone would not notice.
#[test]
fn a_truncated_pack_is_cured() {
    let repository = GitRepository::with_one_file();
    let mirror = Mirror::of(&repository.file_url());
    let good = mirror.fetch().unwrap();
    for pack in packs(mirror.path().path()) {
        let mut permissions = fs::metadata(&pack).unwrap().permissions();
        #[expect(clippy::permissions_set_readonly_false, reason = "a file of this test")]
        permissions.set_readonly(false);
        fs::set_permissions(&pack, permissions).unwrap();
        let file = File::options().write(true).open(&pack).unwrap();
        file.set_len(20).unwrap();
    }
    let (snapshot, notes) = mirror.fetch_with_notes();
    assert_eq!(snapshot.unwrap(), good);
    assert!(
        matches!(notes[..], [Note::MirrorRebuilt { .. }]),
        "{notes:?}"
    );
}

#[test]
fn a_clone_in_place_of_a_damaged_mirror_must_be_complete() {
    let repository = GitRepository::with_one_file();
    let server = GitServer::start(repository.git_directory());
    let mut mirror = Mirror::of(&server.url());
    let good = mirror.fetch().unwrap();
    mirror.bounds.packs = 1;
    server.behave(Behaviour::CutPack);
    assert!(matches!(mirror.fetch(), Err(SourceError::Remote { .. })));
    // The old mirror still serves: nothing is transferred.
    mirror.bounds = Bounds::DEFAULT;
    assert_eq!(mirror.fetch().unwrap(), good);
}

#[test]
fn a_mirror_that_has_grown_is_cloned_anew() {
    let repository = GitRepository::with_one_file();
    let mut mirror = Mirror::of(&repository.file_url());
    mirror.bounds.packs = 3;
    for number in 0..3 {
        repository.write("silences/a.yaml", format!("a: {number}\n").as_bytes());
        repository.commit("change");
        assert_eq!(mirror.fetch_with_notes().1, []);
    }
    assert_eq!(packs(mirror.path().path()).len(), 3);
    let (snapshot, notes) = mirror.fetch_with_notes();
    snapshot.unwrap();
    let notes: Vec<_> = notes.iter().map(Note::to_string).collect();
    expect!["the local mirror is cloned again: it has grown to 3 packs"].assert_eq(&notes.concat());
    assert_eq!(packs(mirror.path().path()).len(), 1);
}

#[test]
fn a_cache_that_cannot_be_written_is_an_error() {
    let repository = GitRepository::with_one_file();
    let mirror = Mirror::of(&repository.file_url());
    // A file where the clone would be made.
    fs::write(mirror.path().path().with_extension("fresh"), "").unwrap();
    let message = mirror.fetch_message();
    let name = mirror.path().path().with_extension("");
    let name = name.file_name().unwrap().to_str().unwrap();
    expect!["cannot use the local mirror `CACHE/NAME.fresh`: Not a directory (os error 20); check the free space and the permissions there"].assert_eq(&message.replace(name, "NAME"));
}

#[test]
fn two_processes_do_not_share_a_mirror() {
    let repository = GitRepository::with_one_file();
    let mirror = Mirror::of(&repository.file_url());
    mirror.fetch().unwrap();
    let lock = File::open(mirror.path().path().with_extension("lock")).unwrap();
    lock.lock().unwrap();
    assert!(matches!(
        mirror.fetch(),
        Err(SourceError::MirrorInUse { .. })
    ));
    drop(lock);
    mirror.fetch().unwrap();
}
