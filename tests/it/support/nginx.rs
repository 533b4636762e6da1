//! How does a test get a real reverse proxy? An nginx process of its own, on a
//! free port of the loopback, with a directory that goes with it.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;

use super::program::program;
use super::tool::root;

/// Another process may take the free port before nginx does, though hardly ever.
const ATTEMPTS: usize = 5;

/// A running nginx, killed when it is dropped.
pub(crate) struct Nginx {
    process: Child,
    directory: TempDir,
    address: String,
}

impl Nginx {
    /// Starts it and waits until it listens. `server` is what stands in its one
    /// `server` block, `around` what stands before that; `ADDRESS` in either is
    /// where to listen.
    pub(crate) fn start(around: &str, server: &str) -> Self {
        let mut log = String::new();
        for _ in 0..ATTEMPTS {
            let mut nginx = Self::launch(around, server);
            if nginx.is_listening() {
                return nginx;
            }
            log = nginx.log();
        }
        panic!("nginx does not start; its log:\n{log}");
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    fn launch(around: &str, server: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let address = port.unwrap().to_string();
        let content = configuration(directory.path(), around, server);
        let file = directory.path().join("nginx.conf");
        fs::write(&file, content.replace("ADDRESS", &address)).unwrap();
        let mut command = program(root().join(".tools/nginx/usr/sbin/nginx"));
        command
            .arg("-p")
            .arg(directory.path())
            .arg("-c")
            .arg(&file)
            .args(["-e", "log"])
            .stdout(Stdio::null())
            .stderr(File::create(directory.path().join("stderr")).unwrap());
        let process = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}: run `make tools`"));
        Self {
            process,
            directory,
            address,
        }
    }

    /// Waits until it listens; false if it has ended instead.
    fn is_listening(&mut self) -> bool {
        while self.process.try_wait().unwrap().is_none() {
            if TcpStream::connect(&self.address).is_ok() {
                return true;
            }
            sleep(Duration::from_millis(5));
        }
        false
    }

    fn log(&self) -> String {
        let read = |file| fs::read_to_string(self.directory.path().join(file));
        ["log", "stderr"]
            .into_iter()
            .filter_map(|file| read(file).ok())
            .collect()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Either fails only if the process has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One process in the foreground, with everything that it writes in `directory`.
fn configuration(directory: &Path, around: &str, server: &str) -> String {
    let directory = directory.display();
    let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = kinds.map(|kind| format!("{kind}_temp_path \"{directory}/{kind}\";"));
    format!(
        "daemon off;\nmaster_process off;\npid \"{directory}/pid\";\nerror_log \"{directory}/log\";\n\
         events {{}}\nhttp {{\naccess_log off;\n{}\n{around}\nserver {{\n{server}\n}}\n}}\n",
        temporary.join("\n")
    )
}
