//! How does it go with a thousand targets? Prints Markdown tables: the released
//! program and 1,000 servers in memory in a second process, 100 silences each.
//!
//! `make bench-targets` runs it; words after `--` choose shapes. Both processes
//! share the machine. Processor times mean the same on any load, wall times
//! only where nobody else works.

#![allow(
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "it measures, and that with the real clock"
)]

#[path = "../daemon.rs"]
#[allow(dead_code, reason = "the other benchmark starts other commands")]
mod daemon;
#[path = "../http.rs"]
mod http;
#[path = "../measure.rs"]
#[allow(dead_code, reason = "here a step is measured once")]
mod measure;
#[path = "../repository.rs"]
#[allow(dead_code, reason = "the other benchmark has one target")]
mod repository;
mod servers;
mod watch;

use std::fmt::Write as _;
use std::fs;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use daemon::Daemon;
use measure::{goal, load, machine};
use repository::Repository;
use servers::Servers;
use watch::{Seen, Watch, processor_time};

const TARGETS: usize = 1_000;
const DECLARATIONS: usize = 100;
const HANGING: usize = 1;
const FAILING: usize = 10;
const WELL: usize = TARGETS - HANGING - FAILING;

const IDLE_PASSES: usize = 7;
const CHANGES: usize = 3;

/// The goals, on two processors: seconds and MiB.
const IDLE_PASS: f64 = 30.0;
const MEMORY: f64 = 256.0;

/// The dearest answers.
const ROUTES: &[&str] = &["/", "/api/v1/status", "/api/v1/plan", "/metrics"];

fn main() {
    // Cargo adds `--bench`.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    println!("{}\n", machine());
    for shape in ["alertmanagers", "tenants"] {
        if wanted.is_empty() || wanted.iter().any(|word| word == shape) {
            measure_shape(shape);
        }
    }
    println!("load average at the end {}", load());
}

/// One daemon, and what its targets are made of.
struct Setup {
    servers: Servers,
    repository: Repository,
    directory: TempDir,
}

impl Setup {
    fn of(shape: &str) -> Self {
        let servers = Servers::start(shape, TARGETS);
        let repository = Repository::for_targets();
        let directory = tempfile::tempdir().unwrap();
        let mut items = String::new();
        for number in 0..TARGETS {
            let address = &servers.addresses[number % servers.addresses.len()];
            let region = ["eu", "us", "asia"][number % 3];
            writeln!(
                items,
                "- {{number: \"{number}\", address: '{address}', region: {region}}}"
            )
            .unwrap();
        }
        fs::write(directory.path().join("targets.yaml"), items).unwrap();
        let kind = match shape {
            "tenants" => "kind: mimir\n    tenant: team-${number}",
            _ => "kind: alertmanager",
        };
        // No pass by itself, and leases that are not renewed meanwhile.
        let configuration = format!(
            "instance: bench
source: {{directory: '{}'}}
interval: 6h
horizon: 24h
lease: 30d
targets:
  - name: target-${{number}}
    {kind}
    url: http://${{address}}
    labels: {{region: '${{region}}'}}
    for_each_file: targets.yaml
",
            repository.path().display()
        );
        fs::write(directory.path().join("silenced.yaml"), configuration).unwrap();
        Self {
            servers,
            repository,
            directory,
        }
    }

    fn start(&self) -> Daemon {
        Daemon::configured(&self.directory.path().join("silenced.yaml"))
    }

    /// Measures a pass and prints it as a row of the table. `during` runs while
    /// it is made, and is told how to see that it has ended.
    fn pass<T>(
        &mut self,
        daemon: &mut Daemon,
        name: &str,
        during: impl FnOnce(&mut Servers, &dyn Fn() -> bool) -> T,
    ) -> (Step, T) {
        let watch = Watch::over(daemon, &["/healthz"]);
        let processes = [daemon.id(), self.servers.id()];
        let before = processes.map(processor_time);
        let (lines, bytes) = daemon.logged();
        let began = Instant::now();
        let ((pass, wall), told) = thread::scope(|scope| {
            let passing = scope.spawn(|| {
                let pass = daemon.pass();
                (pass, began.elapsed())
            });
            let told = during(&mut self.servers, &|| passing.is_finished());
            (passing.join().unwrap(), told)
        });
        let (lines_now, bytes_now) = daemon.logged();
        let step = Step {
            name: name.to_owned(),
            pass,
            wall,
            processor: [0, 1]
                .map(|which| processor_time(processes[which]).saturating_sub(before[which])),
            memory: daemon.memory(),
            logged: (lines_now - lines, bytes_now - bytes),
            seen: watch.seen(),
        };
        (step, told)
    }

    /// A pass after which everything is in step, and that did so many things of
    /// a kind.
    fn converge(&mut self, daemon: &mut Daemon, name: &str, kind: &str, number: usize) -> Step {
        let (step, ()) = self.pass(daemon, name, |_, _| ());
        let wrong = |target: &&Value| target["state"] != "ok";
        let first = step.targets().find(wrong);
        assert_eq!(step.pass["outcome"], "converged", "{name}: {first:?}");
        assert_eq!(step.sum(kind), number, "{name}: {kind}");
        step
    }

    /// The same several times, and the median of when all had it.
    fn replace_often(&mut self, daemon: &mut Daemon, name: &str, number: usize) -> Duration {
        let mut times = [0; CHANGES].map(|_| self.replace(daemon, name, number));
        times.sort_unstable();
        times[CHANGES / 2]
    }

    /// A pass that replaces one silence of so many targets, and when all had it.
    fn replace(&mut self, daemon: &mut Daemon, name: &str, number: usize) -> Duration {
        self.repository.change_one();
        self.servers.order("mark");
        let began = Instant::now();
        let (step, reached) = self.pass(daemon, name, |servers, has_ended| {
            // A replacement is two writes.
            while servers.written() != (number, 2 * number) {
                assert!(!has_ended(), "{name}: {:?}", servers.written());
                sleep(Duration::from_millis(20));
            }
            began.elapsed()
        });
        assert_eq!(step.sum("replaced"), number, "{name}");
        step.print();
        reached
    }
}

/// What one pass, or several, took.
struct Step {
    name: String,
    /// The daemon's answer.
    pass: Value,
    wall: Duration,
    /// Ours, and the servers'.
    processor: [Duration; 2],
    /// The most so far, and now.
    memory: (f64, f64),
    /// Lines and bytes.
    logged: (usize, usize),
    seen: Seen,
}

impl Step {
    fn targets(&self) -> impl Iterator<Item = &Value> {
        self.pass["targets"].as_array().unwrap().iter()
    }

    /// What was done, over all targets.
    fn sum(&self, kind: &str) -> usize {
        let counts = self.targets().map(|target| target[kind].as_u64().unwrap());
        usize::try_from(counts.sum::<u64>()).unwrap()
    }

    fn print(&self) {
        let (lines, bytes) = self.logged;
        println!(
            "| {} | {:.2} | {:.2} | {:.2} | {:.0} | {:.0} | {} | {lines} ({:.1} kB) | {:.0} |",
            self.name,
            self.wall.as_secs_f64(),
            self.processor[0].as_secs_f64(),
            self.processor[1].as_secs_f64(),
            self.memory.0,
            self.memory.1,
            self.seen.open_files,
            bytes as f64 / 1e3,
            milliseconds(self.seen.answers["/healthz"].longest()),
        );
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn measure_shape(shape: &str) {
    let mut setup = Setup::of(shape);
    println!("{TARGETS} {shape}, {DECLARATIONS} silences each; a step is one pass\n");
    println!(
        "| step | seconds | of processor time: silenced | servers | MiB, most so far | now | open files, most | log lines | `/healthz`, longest ms |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let began = Instant::now();
    let mut daemon = setup.start();
    let start = began.elapsed();
    let silences = TARGETS * DECLARATIONS;
    setup
        .converge(&mut daemon, "nothing declared", "created", 0)
        .print();
    setup.repository.fill(DECLARATIONS);
    setup
        .converge(&mut daemon, "first apply", "created", silences)
        .print();
    let after = answers(&mut daemon, "after the first apply", |_| {
        sleep(Duration::from_secs(2));
    });
    let mut idle: Vec<Step> = (0..IDLE_PASSES)
        .map(|_| setup.converge(&mut daemon, "idle, the median", "created", 0))
        .collect();
    idle.sort_by_key(|step| step.wall);
    let idle = idle.swap_remove(IDLE_PASSES / 2);
    idle.print();
    setup.repository.reword_one();
    setup
        .converge(&mut daemon, "a comment changed", "updated", TARGETS)
        .print();
    let most = daemon.memory().0;

    drop(daemon);
    let mut daemon = setup.start();
    setup
        .converge(
            &mut daemon,
            "restarted, all in place: two passes",
            "created",
            0,
        )
        .print();
    let well = setup.replace_often(&mut daemon, "matchers changed", TARGETS);
    setup.servers.order(&format!("hang 0 {HANGING}"));
    setup
        .servers
        .order(&format!("fail {HANGING} {}", HANGING + FAILING));
    let name = format!("the same, {HANGING} hanging and {FAILING} failing since");
    let ill = setup.replace_often(&mut daemon, &name, WELL);
    let during = answers(&mut daemon, "during idle passes", |daemon| {
        for _ in 0..IDLE_PASSES {
            daemon.pass();
        }
    });

    let most = daemon.memory().0.max(most);
    let (start, idle) = (start.as_secs_f64(), idle.wall.as_secs_f64());
    let [well, ill] = [well, ill].map(|time| time.as_secs_f64());
    println!(
        "
- It listens {start:.2} s after its start.
- Idle pass {idle:.2} s ({}).
- Memory at most {most:.0} MiB ({}).
- Changed matchers had reached all {TARGETS} targets after {well:.2} s, and with the ill ones the {WELL} others after {ill:.2} s, by the medians ({}).

| when | asked | kB | ms, median | longest |
| --- | --- | ---: | ---: | ---: |
{after}{during}",
        goal("under 30 s", idle < IDLE_PASS),
        goal("under 256 MiB", most < MEMORY),
        goal("the hanging one delays nobody", ill < well * 1.5),
    );
}

/// What is shown while `work` goes on, and how long that takes: rows of a table.
fn answers(daemon: &mut Daemon, when: &str, work: impl FnOnce(&mut Daemon)) -> String {
    // Beside the others, whom it may have to wait for.
    let probe = Watch::over(daemon, &["/healthz"]);
    let watch = Watch::over(daemon, ROUTES);
    work(daemon);
    let shown = watch.seen().answers.into_iter().chain(probe.seen().answers);
    shown.fold(String::new(), |mut rows, (route, answers)| {
        writeln!(
            rows,
            "| {when} | `{route}` | {:.1} | {:.1} | {:.1} |",
            answers.size as f64 / 1e3,
            milliseconds(answers.median()),
            milliseconds(answers.longest())
        )
        .unwrap();
        rows
    })
}
