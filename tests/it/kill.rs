//! Killed at any moment, does it converge? `kill -9` of the daemon while it
//! writes to a real Alertmanager, and of that Alertmanager under the daemon.

use std::collections::BTreeSet;
use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::silenced;
use crate::support::alertmanager::{Alertmanager, Options, Release};
use crate::support::daemon::{self, Daemon, Writes, next_entry, writes};
use crate::support::fleet::{
    Fleet, Held, INSTANCE, assert_untouched, held, list, make_foreign, silences_of,
};
use crate::support::random::seeded;

/// 400 windows; a round of changes is about 150 writes.
const DECLARATIONS: usize = 300;

/// Entries of a dead process's log that a failure shows.
const LAST_WORDS: usize = 20;

/// How many processes are killed between their first and their last write.
const KILLS: usize = 100;

/// How often the server fails amid passes: what it loses is made again at once
/// so many times in a row (`LOSSES` in src/plan/effects.rs), and then waited with.
const FAILURES: usize = 10;

/// What a hundred rounds leave behind is forgotten at once, so that the lists
/// stay short.
const FORGETFUL: [&str; 2] = ["--data.retention=1s", "--data.maintenance-interval=1s"];

/// A directory of declarations for one server, configured in a file.
struct Installation {
    fleet: Fleet,
    server: Alertmanager,
    directory: TempDir,
}

impl Installation {
    fn new(flags: &[&str]) -> Self {
        let options = Options {
            flags,
            ..Options::default()
        };
        let installation = Self {
            fleet: Fleet::new(DECLARATIONS),
            server: Alertmanager::start(Release::Newest, &options),
            directory: tempfile::tempdir().unwrap(),
        };
        let configuration = json!({
            "instance": INSTANCE,
            "source": {"directory": installation.fleet.source()},
            // Some rounds take more away than a person would.
            "guard": {"max_expire": "1000000"},
            "targets": [{"name": "main", "url": installation.server.base_url()}],
        });
        // JSON is YAML too.
        fs::write(installation.configuration(), configuration.to_string()).unwrap();
        installation
    }

    fn configuration(&self) -> PathBuf {
        self.directory.path().join("silenced.yaml")
    }

    fn daemon(&self) -> Daemon {
        Daemon::start([Path::new("--config"), &self.configuration()])
    }

    async fn list(&self) -> Vec<Value> {
        list(&self.server.base_url()).await
    }

    /// One more process comes to the end, and the next one finds nothing to do.
    async fn assert_converges(&self) {
        let run = |command: &str| {
            silenced()
                .args([command, "--format", "json", "--config"])
                .arg(self.configuration())
                .output()
                .unwrap()
        };
        let applied = run("apply");
        assert_eq!(applied.status.code(), Some(0), "{applied:?}");
        let planned = run("plan");
        assert_eq!(planned.status.code(), Some(0), "{planned:?}");
        let plan: Value = serde_json::from_slice(&planned.stdout).unwrap();
        assert_eq!(plan["targets"][0]["actions"], json!([]));
        self.fleet.assert_held(&self.list().await);
    }
}

/// When a process was killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Moment {
    /// Before it knew of a write.
    Early,
    /// After its first write and before it knew of its last.
    Amid,
    /// It had nothing more to do.
    Late,
}

impl Moment {
    /// What an entry of the log says about how far it has come.
    fn after(self, entry: &Value) -> Self {
        if self == Self::Late || entry["message"] == "pass" {
            Self::Late
        } else if entry["action"].is_string() {
            Self::Amid
        } else {
            self
        }
    }
}

/// One process: when it was killed, and what it had said.
struct Life {
    moment: Moment,
    log: Vec<Value>,
}

impl Life {
    fn new() -> Self {
        Self {
            moment: Moment::Early,
            log: Vec::new(),
        }
    }

    fn hear(&mut self, entry: Value) {
        self.moment = self.moment.after(&entry);
        self.log.push(entry);
    }

    /// Its last words, and all that it said about those names.
    fn story(&self, names: &BTreeSet<&str>) -> String {
        let last = self.log.len().saturating_sub(LAST_WORDS);
        let entries = self.log.iter().enumerate().filter(|(index, entry)| {
            let name = entry["silence"].as_str();
            *index >= last || name.is_some_and(|name| names.contains(name))
        });
        let entries: Vec<String> = entries.map(|(_, entry)| entry.to_string()).collect();
        format!(
            "killed {:?}, said:\n  {}",
            self.moment,
            entries.join("\n  ")
        )
    }
}

/// Starts the daemon and kills it once its log has so many entries, one for each
/// write, or says that the pass is over, and `pause` has gone by.
fn run_and_kill(installation: &Installation, entries: usize, pause: Duration) -> Life {
    let mut process = daemon::command()
        // To read the machine's authorities, for no TLS, takes half of its life.
        .env("SSL_CERT_FILE", "/dev/null")
        .args(["--log", "silenced=debug", "--config"])
        .arg(installation.configuration())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap());
    let mut life = Life::new();
    for _ in 0..entries {
        life.hear(next_entry(&mut log).expect("it ended"));
        if life.moment == Moment::Late {
            break;
        }
    }
    std::thread::sleep(pause);
    process.kill().unwrap();
    process.wait().unwrap();
    // What it had told before it died, and nobody had read yet.
    while let Some(entry) = next_entry(&mut log) {
        life.hear(entry);
    }
    life
}

/// The windows of some silences.
fn windows(held: Vec<Held>) -> BTreeSet<(String, String)> {
    held.into_iter().map(|held| held.window).collect()
}

/// What is known of windows that are lost: what the server lists under their
/// names, live or not, and what the last two processes did.
fn story(lost: &[&(String, String)], listed: &[Value], processes: [&Life; 2]) -> String {
    let names: BTreeSet<&str> = lost.iter().map(|(name, _)| name.as_str()).collect();
    let of_names = silences_of(listed)
        .filter(|(_, held)| names.contains(held.window.0.as_str()))
        .map(|(silence, _)| silence.to_string());
    let of_names: Vec<String> = of_names.collect();
    let [earlier, killed] = processes.map(|life| life.story(&names));
    format!(
        "{lost:?}\nlisted under these names:\n  {}\nthe process before, {earlier}\nthe last process, {killed}",
        of_names.join("\n  ")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_kills_lose_nothing_and_double_nothing() {
    let mut random = seeded();
    let mut installation = Installation::new(&FORGETFUL);
    let foreign = make_foreign(&installation.server.base_url()).await;
    let mut covered = BTreeSet::new();
    let mut before = Life::new();
    let (mut kills, mut rounds) = (0, 0);
    while kills < KILLS {
        rounds += 1;
        let pause = Duration::from_micros(random.u64(..2000));
        let life = run_and_kill(&installation, random.usize(1..120), pause);
        kills += usize::from(life.moment == Moment::Amid);

        // A window that had a silence has one at every moment, unless it is no
        // longer declared, or was not for the process before: an expiry that one
        // had sent takes effect when it is dead, perhaps after the last list.
        let listed = installation.list().await;
        let (covering, declared) = (
            windows(held(&listed)),
            windows(installation.fleet.expected()),
        );
        let lost: Vec<_> = covered
            .intersection(&declared)
            .filter(|&window| !covering.contains(window))
            .collect();
        assert!(
            lost.is_empty(),
            "lost after {kills} kills: {}",
            story(&lost, &listed, [&before, &life])
        );
        covered = covering.intersection(&declared).cloned().collect();
        let moment = life.moment;
        before = life;

        // Sometimes the next process finds the same declarations, or hardly
        // begun work.
        if moment == Moment::Late || random.u8(..3) > 0 {
            installation.fleet.change(&mut random);
        }
    }
    println!("{kills} of {rounds} processes were killed amid their writes");
    installation.assert_converges().await;
    assert_untouched(&foreign, &installation.list().await);
}

/// What a server keeps over a restart, as it was at some time.
struct Snapshot(TempDir);

impl Snapshot {
    /// Taken by an orderly restart.
    fn of(server: &mut Alertmanager) -> Self {
        let snapshot = Self(tempfile::tempdir().unwrap());
        server.stop();
        copy(&server.data(), snapshot.0.path());
        server.restart();
        snapshot
    }

    /// The server fails, and comes up with this and nothing else.
    fn restore(&self, server: &mut Alertmanager) {
        server.kill();
        fs::remove_dir_all(server.data()).unwrap();
        fs::create_dir(server.data()).unwrap();
        copy(self.0.path(), &server.data());
        server.restart();
    }
}

/// The files of one directory.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// The server fails, and comes up with nothing.
fn lose_everything(server: &mut Alertmanager) {
    server.kill();
    fs::remove_dir_all(server.data()).unwrap();
    server.restart();
}

/// Asks until a pass converges: the first ones may meet broken connections, also
/// amid their writes. What they all wrote.
async fn converge(daemon: &Daemon) -> Writes {
    let mut all = (0, 0, 0, 0);
    for _ in 0..4 {
        let pass = daemon.sync().await;
        let (created, updated, replaced, expired) = writes(&pass);
        all.0 += created;
        all.1 += updated;
        all.2 += replaced;
        all.3 += expired;
        if pass["outcome"] == "converged" {
            return all;
        }
        println!("not yet: {pass}");
    }
    panic!("no pass converges");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_an_old_snapshot_or_none_is_brought_back() {
    let mut random = seeded();
    let mut installation = Installation::new(&[]);
    let foreign = make_foreign(&installation.server.base_url()).await;
    let daemon = installation.daemon();
    daemon.converge().await;
    let snapshot = Snapshot::of(&mut installation.server);
    assert_eq!(converge(&daemon).await, (0, 0, 0, 0));

    for _ in 0..3 {
        installation.fleet.change(&mut random);
        let first = daemon.converge().await;
        installation.fleet.assert_held(&installation.list().await);
        snapshot.restore(&mut installation.server);
        let again = converge(&daemon).await;
        assert!(first != (0, 0, 0, 0) && again != (0, 0, 0, 0));
        installation.fleet.assert_held(&installation.list().await);
        assert_untouched(&foreign, &installation.list().await);
    }

    lose_everything(&mut installation.server);
    let windows = installation.fleet.expected().len() as u64;
    assert_eq!(converge(&daemon).await, (windows, 0, 0, 0));
    installation.fleet.assert_held(&installation.list().await);
    installation.assert_converges().await;
}

/// The server remembers none of our expiries, and they are made anew each time.
#[tokio::test(flavor = "multi_thread")]
async fn ghosts_are_expired_as_often_as_they_come_back() {
    let mut installation = Installation::new(&[]);
    let daemon = installation.daemon();
    daemon.converge().await;
    let windows = installation.fleet.expected().len() as u64;
    let snapshot = Snapshot::of(&mut installation.server);
    installation.fleet.empty();
    for _ in 0..3 {
        assert_eq!(converge(&daemon).await, (0, 0, 0, windows - 1));
        installation.fleet.assert_held(&installation.list().await);
        snapshot.restore(&mut installation.server);
    }
    // A process that knows nothing of them does the same.
    drop(daemon);
    installation.assert_converges().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_amid_passes_is_brought_back() {
    let mut random = seeded();
    let mut installation = Installation::new(&FORGETFUL);
    let daemon = Arc::new(installation.daemon());
    daemon.converge().await;
    let snapshot = Snapshot::of(&mut installation.server);
    for _ in 0..FAILURES {
        installation.fleet.change(&mut random);
        let pass = tokio::spawn({
            let daemon = Arc::clone(&daemon);
            async move { daemon.sync().await }
        });
        // Each look takes some milliseconds, as a pass takes some dozens.
        for _ in 0..random.usize(..8) {
            installation.list().await;
        }
        match random.u8(..3) {
            0 => lose_everything(&mut installation.server),
            1 => snapshot.restore(&mut installation.server),
            _ => {
                // With what it had saved a second ago or less.
                installation.server.kill();
                installation.server.restart();
            }
        }
        // Whatever came of it; where the server was up again in time, success.
        pass.await.unwrap();
    }
    converge(&daemon).await;
    installation.fleet.assert_held(&installation.list().await);
    installation.assert_converges().await;
}
