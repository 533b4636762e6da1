use std::io::{BufRead, BufReader};
use std::process::Stdio;

use expect_test::expect;
use silenced::snapshot::Revision;
use silenced::source::{
    Progress, RemoteFailure, Source, SourceError, SourceSettings, fetch_snapshot,
};

use super::{Mirror, describe};
use crate::support::git_repository::{GitRepository, file_url};
use crate::support::git_server::{Behaviour, GitServer};
use crate::support::program::program;
use crate::support::raw_server::Refusing;

#[test]
fn clones_then_fetches_only_what_is_new_over_http() {
    let repository = GitRepository::with_one_file();
    let server = GitServer::start(repository.git_directory());
    let mirror = Mirror::of(&server.url());
    expect![[r#"
        a.yaml: a: 1\n
    "#]]
    .assert_eq(&describe(&mirror.fetch().unwrap()));
    expect![[r#"
        GET /repository.git/info/refs?service=git-upload-pack
        POST /repository.git/git-upload-pack"#]]
    .assert_eq(&server.take_requests().join("\n"));
    mirror.fetch().unwrap();
    expect!["GET /repository.git/info/refs?service=git-upload-pack"]
        .assert_eq(&server.take_requests().join("\n"));
    repository.write("silences/a.yaml", b"a: 2\n");
    let commit = repository.commit("second");
    assert_eq!(mirror.fetch().unwrap().revision, Revision::Commit(commit));
}

#[test]
fn a_commit_is_found_among_all_branches_over_http() {
    let repository = GitRepository::with_one_file();
    let first = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["checkout", "-q", "-b", "other"]);
    repository.write("silences/a.yaml", b"other");
    let second = repository.commit("second");
    let server = GitServer::start(repository.git_directory());
    for (reference, commit) in [
        (&first[..], &first),
        (&first[..8], &first),
        (&second[..8], &second),
    ] {
        let mirror = Mirror::with(&server.url(), None, Some(reference));
        assert_eq!(
            mirror.fetch().unwrap().revision,
            Revision::Commit(commit.clone())
        );
    }
}

#[test]
fn says_what_a_server_did_and_what_to_do() {
    let repository = GitRepository::with_one_file();
    let server = GitServer::start(repository.git_directory());
    let messages = [
        Behaviour::Status(401),
        Behaviour::Status(403),
        Behaviour::Status(404),
        Behaviour::Status(500),
        Behaviour::Status(503),
        Behaviour::LoginPage,
        Behaviour::HangUp,
        Behaviour::CutPack,
    ]
    .map(|behaviour| {
        server.behave(behaviour);
        format!(
            "{behaviour:?}: {}\n",
            Mirror::of(&server.url()).fetch_message()
        )
    });
    expect![[r#"
        Status(401): cannot fetch `URL`: the server refuses access (HTTP 401); the repository may be private, which needs credentials, or the credentials may have expired
        Status(403): cannot fetch `URL`: the server refuses access (HTTP 403); the repository may be private, which needs credentials, or the credentials may have expired
        Status(404): cannot fetch `URL`: there is no repository (HTTP 404); check the spelling of the URL; many servers also answer this for a private repository without credentials
        Status(500): cannot fetch `URL`: the server answers HTTP 500; it will be asked again, see the server's own status
        Status(503): cannot fetch `URL`: the server answers HTTP 503; it will be asked again, see the server's own status
        LoginPage: cannot fetch `URL`: the answer is not Git but `text/html`, probably a login page or a proxy's notice; use the URL that `git clone` uses, and check credentials and proxy
        HangUp: cannot fetch `URL`: the transfer broke off: unexpected EOF; it will be tried again
        CutPack: cannot fetch `URL`: the transfer broke off: http parser did not consume entire buffer: Invalid EOF state; it will be tried again
    "#]].assert_eq(&messages.concat());
}

#[test]
fn says_what_is_wrong_with_a_url() {
    let directory = tempfile::tempdir().unwrap();
    let server = GitServer::start(directory.path().to_path_buf());
    // It hangs up on a TLS greeting, which is no HTTP.
    let https = server.url().replace("http://", "https://");
    let down = Refusing::new();
    let messages = [
        file_url(&directory.path().join("none")),
        file_url(directory.path()),
        format!("http://{}/a", down.address()),
        https,
    ]
    .map(|url| {
        let message = Mirror::of(&url).fetch_message();
        message.replace(&directory.path().display().to_string(), "DIR") + "\n"
    });
    expect![[r#"
        cannot fetch `URL`: there is no repository (failed to resolve path 'DIR/none': No such file or directory); check the spelling of the URL; many servers also answer this for a private repository without credentials
        cannot fetch `URL`: there is no repository (could not find repository at 'DIR'); check the spelling of the URL; many servers also answer this for a private repository without credentials
        cannot fetch `URL`: failed to connect to 127.0.0.1: Connection refused; check the host name, the network policy and the proxy (`https_proxy`, `no_proxy`)
        cannot fetch `URL`: the transfer broke off: no answer under TLS; the server hung up, was silent for too long, or does not speak TLS; it will be tried again
    "#]].assert_eq(&messages.concat());
}

/// Whatever the server does, the mirror and the last good state survive it.
#[test]
fn a_failed_read_leaves_the_mirror_as_it_was() {
    let repository = GitRepository::with_one_file();
    let server = GitServer::start(repository.git_directory());
    let mirror = Mirror::of(&server.url());
    let good = mirror.fetch().unwrap();
    repository.write("silences/a.yaml", &vec![b'x'; 100_000]);
    repository.write("silences/b.yaml", b"b");
    let commit = repository.commit("second");
    for behaviour in [
        Behaviour::Status(500),
        Behaviour::HangUp,
        Behaviour::CutPack,
    ] {
        server.behave(behaviour);
        let (outcome, notes) = mirror.fetch_with_notes();
        let error = outcome.unwrap_err();
        assert!(
            matches!(error, SourceError::Remote { .. }),
            "{behaviour:?}: {error}"
        );
        assert_eq!(notes, [], "{behaviour:?}");
    }
    server.behave(Behaviour::Serve);
    repository.git(&["update-ref", "refs/heads/main", "HEAD~1"]);
    server.take_requests();
    assert_eq!(mirror.fetch().unwrap(), good);
    assert_eq!(
        server.take_requests().len(),
        1,
        "the first commit is still here"
    );
    repository.git(&["update-ref", "refs/heads/main", &commit]);
    assert_eq!(mirror.fetch().unwrap().revision, Revision::Commit(commit));
}

#[test]
fn a_fetch_has_a_limit_and_tells_how_far_it_is() {
    let repository = GitRepository::with_one_file();
    let mut noise = fastrand::Rng::with_seed(1);
    repository.write(
        "noise",
        &std::iter::repeat_with(|| noise.u8(..))
            .take(1 << 20)
            .collect::<Vec<_>>(),
    );
    repository.commit("noise");
    let server = GitServer::start(repository.git_directory());
    let mut mirror = Mirror::of(&server.url());
    mirror.bounds.received_bytes = 300_000;
    expect!["`URL` is too large to be read: one fetch would receive more than 300000 bytes; keep the declarations in a directory or repository of their own"].assert_eq(&mirror.fetch_message());

    mirror.bounds.received_bytes = 2 << 20;
    let mut last = None;
    fetch_snapshot(
        &mirror.settings,
        &mirror.path(),
        &mirror.bounds,
        &mut |progress| {
            if let Progress::Receiving {
                objects,
                total_objects,
                bytes,
            } = progress
            {
                last = Some((objects, total_objects, bytes > 1 << 20));
            }
        },
    )
    .unwrap();
    // Two commits, their two roots and the one `silences`, two files.
    assert_eq!(last, Some((7, 7, true)));
}

#[test]
fn a_source_without_a_cache_cleans_up_after_itself() {
    let repository = GitRepository::with_one_file();
    let settings = SourceSettings::parse(&repository.file_url(), None, None).unwrap();
    let mut source = Source::open(settings, None).unwrap();
    assert_eq!(source.read().unwrap().files.len(), 1);
    let shown = format!("{source:?}");
    let (_, rest) = shown.split_once("path: \"/").unwrap();
    let private = format!("/{}", rest.split_once('"').unwrap().0);
    assert!(std::fs::exists(&private).unwrap(), "{private}");
    drop(source);
    assert!(!std::fs::exists(&private).unwrap(), "{private}");
}

#[test]
fn snapshots_and_errors_travel_between_processes() {
    let repository = GitRepository::with_one_file();
    let snapshot = Mirror::of(&repository.file_url()).fetch().unwrap();
    let text = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(
        serde_json::from_str::<silenced::snapshot::Snapshot>(&text).unwrap(),
        snapshot
    );
    let error = Mirror::of("file:///nowhere").fetch().unwrap_err();
    assert!(matches!(
        error,
        SourceError::Remote {
            failure: RemoteFailure::NotFound(_),
            ..
        }
    ));
    let text = serde_json::to_string(&error).unwrap();
    assert_eq!(serde_json::from_str::<SourceError>(&text).unwrap(), error);
}

#[test]
fn a_branch_whose_name_is_not_utf8_harms_no_other() {
    let repository = GitRepository::with_one_file();
    let head = repository.git(&["rev-parse", "HEAD"]);
    let line = [head.as_bytes(), b" refs/heads/latin-\xe9\n"].concat();
    std::fs::write(repository.git_directory().join("packed-refs"), line).unwrap();
    let server = GitServer::start(repository.git_directory());
    assert_eq!(Mirror::of(&server.url()).fetch().unwrap().files.len(), 1);
}

/// `openssl s_server` on a free port, until it is dropped.
struct TlsServer {
    process: std::process::Child,
    port: String,
}

impl TlsServer {
    /// Its certificate is its own authority, and nobody trusts it.
    fn start(directory: &std::path::Path) -> Self {
        let needed = "openssl is needed: run `make tools`";
        let made = program("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-subj",
                "/CN=localhost",
            ])
            .args(["-addext", "subjectAltName=IP:127.0.0.1"])
            .args(["-keyout", "key.pem", "-out", "cert.pem"])
            .current_dir(directory)
            .output()
            .expect(needed);
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let mut process = program("openssl")
            .args(["s_server", "-www", "-accept", "127.0.0.1:0"])
            .args(["-key", "key.pem", "-cert", "cert.pem"])
            .current_dir(directory)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect(needed);
        // It says `ACCEPT 127.0.0.1:12345` once it listens.
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines
            .map(Result::unwrap)
            .find_map(|line| Some(line.strip_prefix("ACCEPT ")?.rsplit_once(':')?.1.to_owned()))
            .expect("openssl s_server says where it listens");
        Self { process, port }
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let server = TlsServer::start(directory.path());
    let mirror = Mirror::of(&format!("https://127.0.0.1:{}/a.git", server.port));
    expect!["cannot fetch `URL`: TLS failed: the SSL certificate is invalid; a private certificate authority goes into the file named by `SSL_CERT_FILE`"].assert_eq(&mirror.fetch_message());
}
