//! How does a test drive the daemon? `silenced run` as a process, over its API.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};

use reqwest::Client;
use serde_json::Value;
use tempfile::TempDir;

use super::client::client;
use crate::cli::silenced;

/// `silenced run`, killed when it is dropped.
pub(crate) struct Daemon {
    process: Child,
    url: String,
    client: Client,
    /// Holds the token's file, and whatever the process keeps while it runs.
    _directory: TempDir,
}

/// What a pass wrote: created, updated, replaced, expired.
pub(crate) type Writes = (u64, u64, u64, u64);

impl Daemon {
    /// Returns once it serves. It makes a pass when it starts, and then only
    /// when it is asked.
    pub(crate) fn start(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let token = directory.path().join("token");
        fs::write(&token, "s3cret\n").unwrap();
        let mut process = command()
            .args(arguments)
            .arg("--sync-token-file")
            .arg(&token)
            // Killed, it cannot take its copy of a Git repository away.
            .env("TMPDIR", directory.path())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let address = loop {
            let entry = next_entry(&mut log).expect("it ended");
            if let Some(address) = entry["listen"].as_str() {
                break address.to_owned();
            }
        };
        // Keeps the pipe from filling up.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self {
            process,
            url: format!("http://{address}"),
            client: client(),
            _directory: directory,
        }
    }

    /// A pass now, as `POST /sync` tells of it.
    pub(crate) async fn sync(&self) -> Value {
        let answer = self
            .client
            .post(format!("{}/sync?wait=30s", self.url))
            .header("authorization", "Bearer s3cret")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// A pass now, which must converge; what it wrote.
    pub(crate) async fn converge(&self) -> Writes {
        let pass = self.sync().await;
        assert_eq!(pass["outcome"], "converged", "{pass}");
        writes(&pass)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Either fails only if the process has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a pass wrote to its only target.
pub(crate) fn writes(pass: &Value) -> Writes {
    let target = &pass["targets"][0];
    let count = |word: &str| target[word].as_u64().unwrap();
    (
        count("created"),
        count("updated"),
        count("replaced"),
        count("expired"),
    )
}

/// `silenced run` with a log to be read, on a free port.
pub(crate) fn command() -> Command {
    let mut command = silenced();
    command
        .args(["run", "--interval", "1h", "--listen", "127.0.0.1:0"])
        .stderr(Stdio::piped());
    command
}

/// The next entry of a log; `None` once the process has ended.
pub(crate) fn next_entry(log: &mut BufReader<ChildStderr>) -> Option<Value> {
    let mut line = String::new();
    let length = log.read_line(&mut line).unwrap();
    (length > 0).then(|| serde_json::from_str(&line).unwrap())
}
