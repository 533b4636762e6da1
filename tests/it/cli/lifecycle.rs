//! `silenced run` and `silenced demo` from start to end: what they say, that
//! they answer, and how signals end them.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use expect_test::expect;
use serde_json::Value;

use super::{NIGHTLY, check, directory, finish, silenced, write};
use crate::support::program::program;

/// How long something may take that takes a moment on an idle machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process that lasts, killed when it is dropped.
struct Running {
    process: Child,
    /// What it wrote to the stream that tells its address.
    lines: mpsc::Receiver<String>,
}

impl Running {
    fn start(command: &mut Command, told_on: fn(&mut Child) -> Box<dyn Read + Send>) -> Self {
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stream = BufReader::new(told_on(&mut process));
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stream.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { process, lines }
    }

    fn daemon(command: &mut Command) -> Self {
        Self::start(command, |process| Box::new(process.stderr.take().unwrap()))
    }

    fn demo(command: &mut Command) -> Self {
        Self::start(command, |process| Box::new(process.stdout.take().unwrap()))
    }

    /// The first line for which `pick` gives something.
    fn line<T>(&self, pick: impl Fn(&str) -> Option<T>) -> T {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap();
            if let Some(found) = pick(&line) {
                return found;
            }
        }
    }

    /// The log entry with that message.
    fn entry(&self, message: &str) -> Value {
        self.line(|line| {
            let entry: Value = serde_json::from_str(line).unwrap();
            (entry["message"] == message).then_some(entry)
        })
    }

    fn address(&self) -> String {
        self.entry("silenced starts")["listen"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn signal(&self, signal: &str) {
        let command = format!("kill -{signal} {}", self.process.id());
        let status = program("sh").args(["-c", &command]).status().unwrap();
        assert!(status.success());
    }

    fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "it does not end");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The status code and the body of a request.
fn ask(address: &str, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "{request} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let code = head.split(' ').nth(1).unwrap().parse().unwrap();
    (code, body.to_owned())
}

/// Asks until the answer is `code`.
fn wait_for_code(address: &str, request: &str, code: u16) -> String {
    let start = Instant::now();
    loop {
        let (found, body) = ask(address, request);
        if found == code {
            return body;
        }
        assert!(start.elapsed() < PATIENCE, "{request}: {found} {body}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The daemon on a free port, without a source or a target yet.
fn unaimed() -> Command {
    let mut command = silenced();
    command.args(["run", "--instance", "lab", "--listen", "127.0.0.1:0"]);
    command
}

fn run(alertmanager: &str) -> Command {
    let mut command = unaimed();
    command.args(["--interval", "1s", "--alertmanager", alertmanager]);
    command
}

#[test]
fn a_token_that_is_not_there_is_told_at_the_start() {
    let nothing = directory(&[]);
    let mut command = run("http://127.0.0.1:1");
    command.args(["--source", ".", "--sync-token-file", "none"]);
    let daemon = Running::daemon(command.current_dir(nothing.path()));
    daemon.entry(
        "cannot use the token file `none`: No such file or directory (os error 2); until it \
         holds a token nobody can ask for a pass",
    );
}

#[test]
fn the_daemon_starts_without_its_remotes_and_ends_at_sigterm() {
    let nothing = directory(&[]);
    let mut command = run("http://127.0.0.1:1");
    command
        .args(["--source", "nowhere"])
        .current_dir(nothing.path());
    let mut daemon = Running::daemon(&mut command);
    let address = daemon.address();
    wait_for_code(&address, "GET /readyz", 200);
    assert_eq!(ask(&address, "GET /healthz").0, 200);
    let status: Value = serde_json::from_str(&ask(&address, "GET /api/v1/status").1).unwrap();
    let error = status["last_pass"]["source_error"].as_str().unwrap();
    assert!(error.contains("`nowhere`"), "{error}");
    // Nobody said who may.
    assert_eq!(ask(&address, "POST /sync").0, 403);

    // The source appears, and is taken up by itself.
    write(nothing.path(), "nowhere/nightly.yaml", NIGHTLY);
    daemon.entry("read the declarations");

    let asked = Instant::now();
    daemon.signal("TERM");
    assert_eq!(daemon.wait().code(), Some(0));
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "{:?}",
        asked.elapsed()
    );
}

#[test]
fn a_second_signal_does_not_wait() {
    // Lists nothing, and never answers the write that follows: a stop waits for
    // a write under way, and not for a listing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silences = directory(&[("nightly.yaml", NIGHTLY)]);
    let mut command = run(&format!("http://{}", silent.local_addr().unwrap()));
    command.args(["--source", "."]).current_dir(silences.path());
    let mut daemon = Running::daemon(&mut command);
    let (mut connection, _) = silent.accept().unwrap();
    assert!(request_head(&mut connection).starts_with("GET "));
    let nothing =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n[]";
    connection.write_all(nothing.as_bytes()).unwrap();
    assert!(request_head(&mut connection).starts_with("POST "));

    daemon.signal("INT");
    daemon.entry("stopping: requests under way end, no others begin");
    assert_eq!(daemon.process.try_wait().unwrap(), None);
    daemon.signal("INT");
    assert_eq!(daemon.wait().code(), Some(130));
}

/// The next request up to the blank line, byte by byte so that no more is taken.
fn request_head(connection: &mut impl Read) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut next = [0];
        connection.read_exact(&mut next).unwrap();
        head.extend_from_slice(&next);
    }
    String::from_utf8(head).unwrap()
}

#[test]
fn the_daemon_warns_of_variables_in_its_log() {
    let silences = directory(&[("nightly.yaml", NIGHTLY)]);
    let mut command = run("http://127.0.0.1:1");
    command
        .args(["--source", "."])
        .env("SILENCED_INTERVALL", "1m")
        .current_dir(silences.path());
    let daemon = Running::daemon(&mut command);
    let warning = daemon.line(|line| {
        let entry: Value = serde_json::from_str(line).unwrap();
        (entry["level"] == "WARN").then_some(entry)
    });
    let message = warning["message"].as_str().unwrap();
    assert!(message.contains("SILENCED_INTERVALL"), "{message}");
}

/// The same, where the shell's `ulimit` said that before.
fn limited(ulimit: &str, command: &Command) -> Command {
    let mut shell = program("sh");
    shell
        .args(["-c", &format!("ulimit {ulimit} && exec \"$0\" \"$@\"")])
        .arg(command.get_program())
        .args(command.get_args());
    shell
}

#[test]
fn it_may_open_as_many_files_as_it_is_let() {
    let silences = directory(&[("nightly.yaml", NIGHTLY)]);
    let mut command = run("http://127.0.0.1:1");
    command.arg("--source").arg(silences.path());
    let daemon = Running::daemon(&mut limited("-Sn 256", &command));
    daemon.address();
    let limits = fs::read_to_string(format!("/proc/{}/limits", daemon.process.id())).unwrap();
    let files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let numbers: Vec<&str> = files.unwrap().split_whitespace().skip(3).take(2).collect();
    assert_eq!(numbers[0], numbers[1], "the soft limit is the hard one");
    drop(daemon);

    // Forty connections that stay open, and whatever else it needs.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let items: Vec<String> = (0..40)
        .map(|number| format!("{{number: {number}}}"))
        .collect();
    let configuration = format!(
        "targets: [{{name: 'am-${{number}}', url: 'http://{}/${{number}}', for_each: [{}]}}]\n",
        silent.local_addr().unwrap(),
        items.join(", ")
    );
    let file = directory(&[("silenced.yaml", &configuration)]);
    let mut command = unaimed();
    command
        .arg("--config")
        .arg(file.path().join("silenced.yaml"))
        .arg("--source")
        .arg(silences.path());
    let daemon = Running::daemon(&mut limited("-n 40", &command));
    let message = |level: &'static str| {
        daemon.line(|line| {
            let entry: Value = serde_json::from_str(line).unwrap();
            (entry["level"] == level).then(|| entry["message"].as_str().unwrap().to_owned())
        })
    };
    let warning = message("WARN");
    assert!(
        warning.starts_with("only 40 files may be open"),
        "{warning}"
    );
    let error = message("ERROR");
    assert!(
        error.ends_with("raise the hard limit (`ulimit -Hn`, `LimitNOFILE=` of systemd)"),
        "{error}"
    );
}

#[test]
fn the_log_tells_every_write_or_counts_many() {
    let nothing = directory(&[("README.md", "")]);
    let mut command = silenced();
    command
        .args(["demo", ".", "--listen", "127.0.0.1:0"])
        .current_dir(nothing.path());
    let demo = Running::demo(&mut command);
    let alertmanager = demo.line(|line| {
        let url = line.strip_prefix("Alertmanager:")?.trim();
        Some(url.split(' ').next().unwrap().to_owned())
    });

    let declared = |names: std::ops::Range<usize>| {
        let mut text = "owner: dba\nsilences:\n".to_owned();
        for number in names {
            writeln!(
                text,
                "  - {{name: defect-{number}, comment: Known., matchers: ['alertname=\"A{number}\"'], schedule: always}}"
            )
            .unwrap();
        }
        text
    };
    let silences = directory(&[("one.yaml", &declared(0..1))]);
    let mut command = run(&alertmanager);
    command.args(["--source", "."]).current_dir(silences.path());
    let daemon = Running::daemon(&mut command);
    let entry = daemon.line(|line| {
        let entry: Value = serde_json::from_str(line).unwrap();
        (entry["action"] == "create").then_some(entry)
    });
    assert_eq!(entry["target"], "default", "{entry}");
    assert_eq!(entry["silence"], "defect-0", "{entry}");

    write(silences.path(), "many.yaml", &declared(1..22));
    let entry = daemon.line(|line| {
        let entry: Value = serde_json::from_str(line).unwrap();
        assert_eq!(entry["action"], Value::Null, "{entry}");
        (entry["created"] == 21).then_some(entry)
    });
    assert_eq!(entry["target"], "default", "{entry}");
}

#[test]
fn an_address_in_use_ends_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let silences = directory(&[("nightly.yaml", NIGHTLY)]);
    let finished = finish(
        silenced()
            .args(["demo", ".", "--listen", &address])
            .current_dir(silences.path()),
    );
    expect![[r#"
        error: cannot listen on `ADDRESS`: Address already in use (os error 98); choose another address with --listen
        exit 1
    "#]].assert_eq(&finished.shown(&[(&address, "ADDRESS")]));
}

#[test]
fn the_demo_shows_silences_in_an_alertmanager_of_its_own() {
    let silences = directory(&[("silences/nightly.yaml", NIGHTLY)]);
    let mut command = silenced();
    command
        .args(["demo", "--listen", "127.0.0.1:0"])
        .current_dir(silences.path());
    let mut demo = Running::demo(&mut command);
    let address_in = |prefix: &'static str| {
        move |line: &str| {
            let url = line.strip_prefix(prefix)?.trim().split(' ').next()?;
            Some(
                url.strip_prefix("http://")?
                    .trim_end_matches('/')
                    .to_owned(),
            )
        }
    };
    let page = demo.line(address_in("Status page:"));
    let alertmanager = demo.line(address_in("Alertmanager:"));

    // Changes over HTTP need no token here.
    let synced: Value =
        serde_json::from_str(&wait_for_code(&page, "POST /sync?wait=30s", 200)).unwrap();
    assert_eq!(synced["outcome"], "converged");
    let (_, body) = ask(&alertmanager, "GET /api/v2/silences");
    let held: Value = serde_json::from_str(&body).unwrap();
    let mut authors: Vec<_> = held
        .as_array()
        .unwrap()
        .iter()
        .map(|silence| silence["createdBy"].as_str().unwrap())
        .collect();
    authors.sort_unstable();
    authors.dedup();
    assert_eq!(authors, ["automation", "eva"]);
    let plan: Value = serde_json::from_str(&ask(&page, "GET /api/v1/plan").1).unwrap();
    assert_eq!(plan["targets"][0]["foreign"], 1);

    demo.signal("INT");
    assert_eq!(demo.wait().code(), Some(0));
}

#[test]
fn the_demo_says_how_to_name_a_directory() {
    check(
        &directory(&[]),
        &["demo"],
        &expect![[r#"
        error: there is no directory `silences`; name the directory of your declarations: silenced demo DIR
        exit 1
    "#]],
    );
}
