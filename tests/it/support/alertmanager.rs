//! How does a test get a real server? An Alertmanager process of its own, on a
//! free port of the loopback, with a directory that goes with it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::program::program;

/// How long a start may take: under 0.5 s on an idle machine, and some tests
/// start several on a busy one.
const PATIENCE: Duration = Duration::from_secs(30);

/// A `--web.config.file` that lets `a` in with `secret`, hashed at the least cost.
pub(crate) const PASSWORDS: &str =
    "basic_auth_users:\n  a: $2a$04$QuY6p9BfGIfOOlGZDXUOpOBIqiB7l8ywVADKfhHeD0BXS7EUjIDhq\n";

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
    fn server(self) -> PathBuf {
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
    release: Release,
    /// All but the address, which is known after the first start only.
    arguments: Vec<OsString>,
    process: Child,
    directory: TempDir,
    scheme: &'static str,
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

        let mut arguments = vec![
            argument("--config.file=", &config),
            argument("--storage.path=", directory.path().join("data")),
            argument("--cluster.listen-address=", options.cluster_address),
        ];
        arguments.extend(options.flags.iter().map(OsString::from));
        if !options.route_prefix.is_empty() {
            arguments.push(argument("--web.route-prefix=", options.route_prefix));
        }
        if let Some(content) = options.web_config {
            let web_config = directory.path().join("web.yml");
            fs::write(&web_config, content).unwrap();
            arguments.push(argument("--web.config.file=", web_config));
        }
        let has_tls = options
            .web_config
            .is_some_and(|content| content.contains("tls_server_config"));

        // With an address of its own nobody takes its port while it is down. Linux
        // takes all of 127.0.0.0/8 for the loopback; certificates are for 127.0.0.1.
        let host = if has_tls {
            Ipv4Addr::LOCALHOST
        } else {
            Ipv4Addr::new(127, fastrand::u8(1..), fastrand::u8(..), fastrand::u8(1..))
        };
        let mut server = Self {
            process: launch(release, &arguments, &format!("{host}:0"), directory.path()),
            release,
            arguments,
            directory,
            scheme: if has_tls { "https" } else { "http" },
            address: String::new(),
            route_prefix: options.route_prefix.to_owned(),
        };
        server.address = server.wait_for(Self::listening_address);
        server.wait_until_ready();
        server
    }

    /// Starts servers that are one cluster, and waits until all know each other.
    pub(crate) fn start_cluster(release: Release, size: usize, flags: &[&str]) -> Vec<Self> {
        let mut nodes: Vec<Self> = Vec::new();
        for _ in 0..size {
            let peers = nodes.iter().map(|node| {
                let status = node.status();
                // It knows itself too, and may know others by now.
                let own = status["cluster"]["name"].clone();
                let peers = status["cluster"]["peers"].as_array().unwrap();
                let itself = peers.iter().find(|peer| peer["name"] == own).unwrap();
                format!("--cluster.peer={}", itself["address"].as_str().unwrap())
            });
            let peers: Vec<String> = peers.collect();
            let mut flags = flags.to_vec();
            flags.extend([
                "--cluster.settle-timeout=0s",
                "--cluster.pushpull-interval=5s",
            ]);
            flags.extend(peers.iter().map(String::as_str));
            let options = Options {
                flags: &flags,
                cluster_address: "127.0.0.1:0",
                ..Options::default()
            };
            nodes.push(Self::start(release, &options));
        }
        for node in &mut nodes {
            node.wait_for(|node| {
                let status = node.status();
                (status["cluster"]["peers"].as_array().unwrap().len() == size).then_some(())
            });
        }
        nodes
    }

    /// What amtool says when it asks this server so; it must not fail.
    pub(crate) fn amtool(&self, arguments: &[&str]) -> String {
        let output = program(self.release.amtool())
            .arg(format!("--alertmanager.url={}", self.base_url()))
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Where it serves, with the prefix and without a slash at the end.
    pub(crate) fn base_url(&self) -> String {
        format!("{}://{}{}", self.scheme, self.address, self.route_prefix)
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What it keeps over a restart: a snapshot that it writes when it is
    /// stopped, and every 15 minutes.
    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Ends it as a node that fails ends it, with everything since its snapshot.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Ends it as an orderly shutdown does, with a snapshot.
    pub(crate) fn stop(&mut self) {
        let kill = Command::new("kill")
            .arg(self.process.id().to_string())
            .status();
        assert!(kill.unwrap().success());
        self.process.wait().unwrap();
    }

    /// Starts it again where it was, over whatever [`Self::data`] holds.
    pub(crate) fn restart(&mut self) {
        self.process = launch(
            self.release,
            &self.arguments,
            &self.address,
            self.directory.path(),
        );
        self.wait_until_ready();
    }

    fn wait_until_ready(&mut self) {
        self.wait_for(|server| server.is_answering().then_some(()));
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
        self.ask("/-/ready").is_ok_and(|answer| {
            let status = answer.split(' ').nth(1).unwrap_or_default();
            !status.is_empty() && status != "503"
        })
    }

    fn status(&self) -> Value {
        let answer = self.ask("/api/v2/status").unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    /// The answer with its head.
    fn ask(&self, path: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET {}{path} HTTP/1.0\r\n\r\n", self.route_prefix)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        // Either fails only if the process has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn launch(release: Release, arguments: &[OsString], address: &str, directory: &Path) -> Child {
    let log = File::create(directory.join("log")).unwrap();
    let mut command = program(release.server());
    command
        .args(arguments)
        .arg(format!("--web.listen-address={address}"))
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    command
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"))
}

fn argument(flag: &str, value: impl AsRef<Path>) -> OsString {
    let mut argument = OsString::from(flag);
    argument.push(value.as_ref());
    argument
}
