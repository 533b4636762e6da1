//! How does a test get a real server? An Alertmanager process of its own, on a
//! free port of the loopback, with a directory that goes with it.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a start may take: under 0.5 s on an idle machine, and some tests
/// start several on a busy one.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which of the installed releases.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Release {
    /// Debian 12's.
    V0_25,
    /// Debian 13's.
    V0_28,
    /// Whatever Debian's next release has.
    Newest,
}

impl Release {
    fn program(self) -> PathBuf {
        self.installed("prometheus-alertmanager")
    }

    /// Its command-line tool.
    pub(crate) fn amtool(self) -> PathBuf {
        self.installed("amtool")
    }

    fn installed(self, program: &str) -> PathBuf {
        let directory = match self {
            Self::V0_25 => "alertmanager-0.25",
            Self::V0_28 => "alertmanager-0.28",
            Self::Newest => "alertmanager-newest",
        };
        // The benchmarks are a package one directory below.
        let installed = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .take(2)
            .map(|root| root.join(".tools").join(directory).join("usr/bin"))
            .find(|directory| directory.is_dir())
            .unwrap_or_else(|| panic!(".tools/{directory} is missing: run `make tools`"));
        installed.join(program)
    }
}

/// What a server is started with; by default it has no peers and no flags.
#[derive(Default)]
pub(crate) struct Options<'a> {
    /// More flags, each as one word: `--silences.max-silences=3`,
    /// `--cluster.pushpull-interval=5s`.
    pub(crate) flags: &'a [&'a str],
    /// `--cluster.listen-address`; empty for a server without peers.
    pub(crate) cluster_address: &'a str,
    /// `--web.route-prefix`, such as `/alertmanager`; empty for none.
    pub(crate) route_prefix: &'a str,
    /// The content of `--web.config.file`: TLS, basic authentication, rate limit.
    pub(crate) web_config: Option<&'a str>,
}

/// A running Alertmanager, killed when it is dropped.
pub(crate) struct Alertmanager {
    process: Child,
    directory: TempDir,
    address: String,
    route_prefix: String,
}

impl Alertmanager {
    /// Starts a server and waits until it answers.
    pub(crate) fn start(release: Release, options: &Options<'_>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("alertmanager.yml");
        fs::write(
            &config,
            "route:\n  receiver: none\nreceivers:\n  - name: none\n",
        )
        .unwrap();

        let mut command = Command::new(release.program());
        command
            .arg(argument("--config.file=", &config))
            .arg(argument("--storage.path=", directory.path().join("data")))
            .arg("--web.listen-address=127.0.0.1:0")
            .arg(argument(
                "--cluster.listen-address=",
                options.cluster_address,
            ))
            .args(options.flags);
        if !options.route_prefix.is_empty() {
            command.arg(argument("--web.route-prefix=", options.route_prefix));
        }
        if let Some(content) = options.web_config {
            let web_config = directory.path().join("web.yml");
            fs::write(&web_config, content).unwrap();
            command.arg(argument("--web.config.file=", web_config));
        }
        let log = File::create(directory.path().join("log")).unwrap();
        let process = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));

        let mut server = Self {
            process,
            directory,
            address: String::new(),
            route_prefix: options.route_prefix.to_owned(),
        };
        server.address = server.wait_for(Self::listening_address);
        server.wait_for(|server| server.is_answering().then_some(()));
        server
    }

    /// Where it serves, with the prefix and without a slash at the end.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}{}", self.address, self.route_prefix)
    }

    fn wait_for<T>(&mut self, mut probe: impl FnMut(&Self) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = probe(self) {
                return found;
            }
            let exit = self.process.try_wait().unwrap();
            assert!(
                exit.is_none() && start.elapsed() < PATIENCE,
                "Alertmanager is not ready after {:?} (exit: {exit:?}); its log:\n{}",
                start.elapsed(),
                self.log()
            );
            sleep(Duration::from_millis(10));
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// The port is chosen by the system and told in the log.
    fn listening_address(&self) -> Option<String> {
        let log = self.log();
        let line = log
            .lines()
            .find(|line| line.contains("Listening on") && !line.contains("component=cluster"))?;
        let (_, address) = line.split_once("address=")?;
        Some(address.split_whitespace().next()?.to_owned())
    }

    /// Any answer but 503 will do: behind authentication it is a 401, with TLS a
    /// 400.
    fn is_answering(&self) -> bool {
        let status = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(&self.address)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            write!(stream, "GET {}/-/ready HTTP/1.0\r\n\r\n", self.route_prefix)?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer.split(' ').nth(1).unwrap_or_default().to_owned())
        };
        status().is_ok_and(|status| !status.is_empty() && status != "503")
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        // Either fails only if the process has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn argument(flag: &str, value: impl AsRef<Path>) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from(flag);
    argument.push(value.as_ref());
    argument
}
