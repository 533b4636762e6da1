//! How is the program itself run? The released binary, once or as a daemon,
//! and what the kernel says about it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;

use crate::http::Connection;

const TOKEN: &str = "benchmark";

/// The binary under test. `BENCH_SILENCED` names another one, to compare; with
/// `SILENCED_` in front the program itself would wonder about it.
fn program() -> PathBuf {
    std::env::var_os("BENCH_SILENCED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/silenced"),
        PathBuf::from,
    )
}

fn silenced(command: &str, source: &Path, alertmanager: &str) -> Command {
    let mut silenced = Command::new(program());
    silenced
        .arg(command)
        .arg("--source")
        .arg(source)
        .args(["--alertmanager", alertmanager, "--instance", "bench"])
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    silenced
}

/// `silenced apply`, from start to end.
pub fn apply(source: &Path, alertmanager: &str) {
    run("apply", source, alertmanager, 0);
}

/// `silenced plan`, which does the same but for the writing.
pub fn plan(source: &Path, alertmanager: &str) {
    let changes = 2;
    run("plan", source, alertmanager, changes);
}

fn run(command: &str, source: &Path, alertmanager: &str, exit: i32) {
    let status = silenced(command, source, alertmanager)
        .stderr(Stdio::null())
        .status();
    assert_eq!(status.unwrap().code(), Some(exit), "silenced {command}");
}

/// A running `silenced run`, killed when it is dropped.
pub struct Daemon {
    process: Child,
    directory: TempDir,
    /// Where it listens.
    pub address: String,
    connection: Connection,
}

impl Daemon {
    /// Starts it and waits for its first pass.
    pub fn start(source: &Path, alertmanager: &str) -> Self {
        let mut command = silenced("run", source, alertmanager);
        command.args(["--interval", "1d"]);
        let mut daemon = Self::run(command);
        daemon.sync();
        daemon
    }

    /// Starts it over a configuration file and waits until it listens.
    pub fn configured(file: &Path) -> Self {
        let mut command = Command::new(program());
        command.arg("run").arg("--config").arg(file);
        Self::run(command)
    }

    fn run(mut command: Command) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let token = directory.path().join("token");
        fs::write(&token, TOKEN).unwrap();
        let log = directory.path().join("log");
        let process = command
            .args(["--listen", "127.0.0.1:0", "--sync-token-file"])
            .arg(&token)
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let address = loop {
            let text = fs::read_to_string(&log).unwrap();
            if let Some((_, rest)) = text.split_once("\"listen\":\"") {
                break rest.split('"').next().unwrap().to_owned();
            }
            sleep(Duration::from_millis(5));
        };
        let authorisation = format!("Authorization: Bearer {TOKEN}\r\n");
        Self {
            process,
            directory,
            connection: Connection::open(&address, &authorisation),
            address,
        }
    }

    /// Asks for a pass of a single target, which must be in step with it.
    pub fn sync(&mut self) -> serde_json::Value {
        let answer = self.pass();
        assert_eq!(answer["outcome"], "converged", "{answer}");
        answer["targets"][0].clone()
    }

    /// Asks for a pass and waits for its result, however it ends.
    pub fn pass(&mut self) -> serde_json::Value {
        let answer = self.connection.post("/sync?wait=300s", &[]);
        serde_json::from_slice(&answer).unwrap()
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Lines and bytes of its log so far.
    pub fn logged(&self) -> (usize, usize) {
        let log = fs::read_to_string(self.directory.path().join("log")).unwrap();
        (log.lines().count(), log.len())
    }

    /// Resident memory in MiB: the most so far, and now.
    pub fn memory(&self) -> (f64, f64) {
        let path = format!("/proc/{}/status", self.id());
        let status = fs::read_to_string(path).unwrap();
        let field = |name| {
            let rest = status.split_once(name).unwrap().1;
            let number = rest.split_whitespace().next().unwrap();
            number.parse::<f64>().unwrap() / 1024.0
        };
        (field("VmHWM:"), field("VmRSS:"))
    }

    /// The processor time of all its threads that live, to the nanosecond.
    pub fn processor_time(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.id())).unwrap();
        let nanoseconds = tasks
            .filter_map(|task| fs::read_to_string(task.ok()?.path().join("schedstat")).ok())
            .filter_map(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        Duration::from_nanos(nanoseconds.sum())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Either fails only if the process has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
