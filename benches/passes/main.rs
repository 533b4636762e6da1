//! How much does a pass cost? Prints Markdown tables: the released program on
//! real Alertmanagers, beside curl, amtool, wrk and the request patterns of
//! other reconcilers.
//!
//! `make bench-passes` runs it; words after `--` choose sections. Times are by
//! the wall clock, since most of the work is the server's. Client and server
//! share the machine, so only the ratios within one run mean anything, and
//! whatever is compared is measured in turns.

#![allow(
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "it measures, and that with the real clock"
)]

#[path = "../../tests/it/support/alertmanager.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod alertmanager;
#[path = "../daemon.rs"]
#[allow(dead_code, reason = "the other benchmark looks at more of it")]
mod daemon;
#[path = "../http.rs"]
mod http;
#[path = "../measure.rs"]
#[allow(dead_code, reason = "the other benchmark measures processor time")]
mod measure;
#[path = "../../tests/it/support/program.rs"]
mod program;
mod relay;
#[path = "../repository.rs"]
#[allow(dead_code, reason = "the other benchmark changes it otherwise")]
mod repository;
mod rivals;

use std::cell::RefCell;
use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use alertmanager::{Alertmanager, Options, Release};
use daemon::Daemon;
use http::Connection;
use measure::{Contestant, Figures, compete, goal, load, machine};
use relay::relay;
use repository::Repository;
use rivals::{Pattern, SILENCES, Silences, curl_list};

const RELEASES: [(&str, Release); 3] = [
    ("0.25", Release::V0_25),
    ("0.28", Release::V0_28),
    ("newest", Release::Newest),
];

/// The usual number of declarations; the goals are set for it.
const MANY: usize = 10_000;

/// So many changes, each with a pass of its own, before memory is looked at again.
const CHANGES: usize = 40;

/// Rounds of what takes a second, and of what takes a fraction of it.
const FEW_ROUNDS: usize = 5;
const ROUNDS: usize = 21;

fn main() {
    // Cargo adds `--bench`.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    println!("{}; wall clock, interleaved rounds\n", machine());
    let sections: [(&str, fn()); 5] = [
        ("apply", first_apply),
        ("idle", idle_and_one_change),
        ("memory", memory),
        ("growth", growth),
        ("peers", peers),
    ];
    for (name, section) in sections {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            section();
        }
    }
    println!("load average at the end {}", load());
}

fn start(release: Release) -> Alertmanager {
    Alertmanager::start(release, &Options::default())
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

fn ratio(ours: Duration, theirs: Duration) -> f64 {
    ours.as_secs_f64() / theirs.as_secs_f64()
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

/// Everything is created on a server that holds nothing; each sample has a
/// server of its own.
fn first_apply() {
    for (matchers, repository) in [
        (
            "two matchers of three regular expressions",
            Repository::of(MANY),
        ),
        (
            "no regular expression",
            Repository::without_regular_expressions(MANY),
        ),
    ] {
        first_apply_of(&repository, matchers);
    }
}

fn first_apply_of(repository: &Repository, matchers: &str) {
    let server = start(Release::V0_28);
    daemon::apply(repository.path(), &server.base_url());
    let silences = Silences::of(&server);
    assert_eq!(silences.len(), MANY);
    drop(server);

    println!(
        "First apply of {MANY} silences, {matchers}, seconds: whole programs from start to end, and wrk's rate turned into time\n"
    );
    println!("| Alertmanager | program | best | median | to `silenced apply`, best | median |");
    println!("| --- | --- | ---: | ---: | ---: | ---: |");
    let mut rates = Vec::new();
    for (version, release) in RELEASES {
        let ours = |work: fn(&Path, &str)| {
            let path = repository.path();
            move || {
                let server = start(release);
                timed(|| work(path, &server.base_url()))
            }
        };
        let import = || {
            let server = start(release);
            timed(|| silences.import(release, &server))
        };
        let wrk = |connections: usize| {
            let silences = &silences;
            Contestant::elsewhere(&format!("wrk, {connections} connections"), move || {
                silences.wrk(&start(release), connections)
            })
        };
        let mut contestants = [
            Contestant::elsewhere("**`silenced apply`**", ours(daemon::apply)),
            Contestant::elsewhere(
                "`silenced plan`: the same without the writing",
                ours(daemon::plan),
            ),
            Contestant::elsewhere("`amtool silence import -w 8`", import),
            wrk(4),
            wrk(8),
            wrk(16),
        ];
        let figures = compete(&mut contestants, FEW_ROUNDS);
        for (contestant, figure) in contestants.iter().zip(&figures) {
            println!(
                "| {version} | {} | {} | {} | {:.2} | {:.2} |",
                contestant.name,
                seconds(figure.best),
                seconds(figure.median),
                ratio(figure.best, figures[0].best),
                ratio(figure.median, figures[0].median)
            );
        }
        let [apply, plan, amtool, wrk @ ..] = figures.as_slice() else {
            unreachable!("three contestants and wrk's");
        };
        let import = ratio(amtool.median, apply.median);
        rates.push(format!(
            "- {version}: `amtool silence import` takes {import:.2} times as long by the medians ({})",
            goal("at least 1.5", import >= 1.5)
        ));
        let fastest = wrk.iter().map(median).min().unwrap_or_default();
        rates.push(format!(
            "- {version}: were writing as fast as wrk's, with nothing but the reading and planning before it, that would be {:.2}",
            ratio(amtool.median, plan.median + fastest)
        ));
        let rate = |time: Duration| MANY as f64 / time.as_secs_f64();
        let writing = |pick: fn(&Figures) -> Duration| rate(pick(apply).saturating_sub(pick(plan)));
        let most =
            |pick: fn(&Figures) -> Duration| wrk.iter().map(pick).map(rate).fold(0.0, f64::max);
        let share = |pick| writing(pick) / most(pick) * 100.0;
        rates.push(format!(
            "- {version}: writing alone (`apply` less `plan`) {:.0} silences a second, {:.0} % of wrk's {:.0} at its best number of connections; by the medians {:.0} % ({})",
            writing(best),
            share(best),
            most(best),
            share(median),
            goal("at least 70 %", share(median) >= 70.0)
        ));
    }
    println!("\n{}\n", rates.join("\n"));
}

fn best(figures: &Figures) -> Duration {
    figures.best
}

fn median(figures: &Figures) -> Duration {
    figures.median
}

/// A pass that finds everything in place, and one that finds one change.
fn idle_and_one_change() {
    println!(
        "Passes of a running daemon over {MANY} silences, milliseconds from `POST /sync?wait` to its answer; where the silence is active, to the instant at which the server says that it began\n"
    );
    println!(
        "| Alertmanager | pass | best | median | beside | best | median | ratio of the best | of the medians | |"
    );
    println!("| --- | --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | --- |");
    let mut notes = Vec::new();
    for (version, release) in RELEASES {
        let server = start(release);
        let repository = RefCell::new(Repository::of(MANY));
        let (url, traffic) = relay(&server.base_url());
        {
            let mut counted = Daemon::start(repository.borrow().path(), &url);
            traffic.take();
            counted.sync();
        }
        let (requests, bytes) = traffic.take();
        let silences = Silences::of(&server);
        let directory = tempfile::tempdir().unwrap();
        let path = repository.borrow().path().to_owned();
        let daemon = RefCell::new(Daemon::start(&path, &server.base_url()));
        let answers = RefCell::new(Vec::new());

        let figures = compete(
            &mut [
                Contestant::elsewhere("idle", || timed(|| daemon.borrow_mut().sync())),
                Contestant::elsewhere("curl list", || {
                    timed(|| curl_list(&server, directory.path()))
                }),
                Contestant::elsewhere("one change", || {
                    repository.borrow_mut().change_one();
                    let began = Utc::now();
                    let answer = timed(|| assert_eq!(daemon.borrow_mut().sync()["replaced"], 1));
                    answers.borrow_mut().push(answer);
                    (newest_start(&server) - began).to_std().unwrap()
                }),
                Contestant::elsewhere("curl list and post", || {
                    timed(|| silences.curl_list_and_post(&server))
                }),
            ],
            ROUNDS,
        );
        let row = |name: &str,
                   ours: &Figures,
                   other: &str,
                   theirs: &Figures,
                   limit: Option<f64>| {
            let medians = ratio(ours.median, theirs.median);
            let milliseconds = |time: Duration| format!("{:.0}", time.as_secs_f64() * 1e3);
            println!(
                "| {version} | {name} | {} | {} | {other} | {} | {} | {:.2} | {medians:.2} | {} |",
                milliseconds(ours.best),
                milliseconds(ours.median),
                milliseconds(theirs.best),
                milliseconds(theirs.median),
                ratio(ours.best, theirs.best),
                limit.map_or_else(String::new, |limit| {
                    goal(&format!("at most {limit}"), medians <= limit)
                })
            );
        };
        row(
            "nothing changed",
            &figures[0],
            "curl: one list to a file",
            &figures[1],
            Some(1.3),
        );
        row(
            "one declaration changed, its silence active",
            &figures[2],
            "curl: one list, one post",
            &figures[3],
            Some(1.5),
        );
        row(
            "one declaration changed, its effect verified by a second list",
            &Figures::of(answers.into_inner()),
            "curl: one list, one post",
            &figures[3],
            None,
        );

        let daemon = daemon.into_inner();
        let (most, now) = daemon.memory();
        let used = processor_time(daemon);
        notes.push(format!(
            "- {version}: a pass without a change made {requests} request(s) ({}), {:.1} MB, and took {:.0} ms of the daemon's processor time; its memory: {now:.0} MiB, at most {most:.0} MiB",
            goal("1", requests == 1),
            bytes as f64 / 1e6,
            used.as_secs_f64() * 1e3
        ));
    }
    println!("\n{}\n", notes.join("\n"));
}

/// When the silence that began last did so, by the clock of `server`, which is
/// that of this machine; to the millisecond.
fn newest_start(server: &Alertmanager) -> DateTime<Utc> {
    let list = Connection::open(&server.base_url(), "").get(SILENCES);
    let list: Vec<serde_json::Value> = serde_json::from_slice(&list).unwrap();
    let starts = list.iter().map(|silence| {
        let start = silence["startsAt"].as_str().unwrap();
        DateTime::parse_from_rfc3339(start).unwrap().to_utc()
    });
    starts.max().unwrap()
}

/// Of a pass without a change.
fn processor_time(mut daemon: Daemon) -> Duration {
    let mut samples: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let before = daemon.processor_time();
            daemon.sync();
            daemon.processor_time().saturating_sub(before)
        })
        .collect();
    samples.sort_unstable();
    samples[ROUNDS / 2]
}

fn memory() {
    println!("Memory of the daemon, MiB\n");
    println!(
        "| declarations | resident after ten passes | most | after {CHANGES} changes | most | |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | --- |");
    for (declarations, limit) in [(0, 16.0), (MANY, 64.0)] {
        let server = start(Release::V0_28);
        let mut repository = Repository::of(declarations);
        // The first one creates.
        let mut daemon = Daemon::start(repository.path(), &server.base_url());
        for _ in 0..10 {
            daemon.sync();
        }
        let (most, now) = daemon.memory();
        if declarations > 0 {
            for _ in 0..CHANGES {
                repository.change_one();
                daemon.sync();
            }
        }
        let (most_later, later) = daemon.memory();
        println!(
            "| {declarations} | {now:.1} | {most:.1} | {later:.1} | {most_later:.1} | {} |",
            goal(&format!("under {limit} MiB"), most_later < limit)
        );
    }
    println!();
}

/// Twice as many silences cost twice as much.
fn growth() {
    println!("Growth on Alertmanager 0.28, seconds; passes are medians of {FEW_ROUNDS}\n");
    println!(
        "| silences | first apply | µs per silence | idle pass | µs | one change | µs | curl list | memory, most |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let mut each = Vec::new();
    for declarations in [100, 1_000, MANY, 50_000] {
        let server = start(Release::V0_28);
        let repository = RefCell::new(Repository::of(0));
        let path = repository.borrow().path().to_owned();
        let daemon = RefCell::new(Daemon::start(&path, &server.base_url()));
        repository.borrow().fill(declarations);
        let first = timed(|| assert_eq!(daemon.borrow_mut().sync()["created"], declarations));
        let directory = tempfile::tempdir().unwrap();
        let figures = compete(
            &mut [
                Contestant::elsewhere("idle", || timed(|| daemon.borrow_mut().sync())),
                Contestant::elsewhere("change", || {
                    repository.borrow_mut().change_one();
                    timed(|| assert_eq!(daemon.borrow_mut().sync()["replaced"], 1))
                }),
                Contestant::elsewhere("curl", || timed(|| curl_list(&server, directory.path()))),
            ],
            FEW_ROUNDS,
        );
        let one = |time: Duration| time.as_secs_f64() * 1e6 / declarations as f64;
        let cell = |time: Duration| format!("{} | {:.0}", seconds(time), one(time));
        each.push([first, figures[0].median, figures[1].median].map(one));
        println!(
            "| {declarations} | {} | {} | {} | {} | {:.0} MiB |",
            cell(first),
            cell(figures[0].median),
            cell(figures[1].median),
            seconds(figures[2].median),
            daemon.borrow().memory().0
        );
    }
    println!();
    let [.., thousand, _, most] = each.as_slice() else {
        unreachable!("four numbers of declarations");
    };
    for (name, (most, thousand)) in ["first apply", "idle pass", "one change"]
        .iter()
        .zip(most.iter().zip(thousand))
    {
        let growth = most / thousand;
        println!(
            "- {name}: one of 50,000 costs {growth:.2} of what one of 1,000 costs ({})",
            goal("at most 1.5", growth <= 1.5)
        );
    }
    println!();
}

/// One pass over silences that are all there, as others ask for them.
fn peers() {
    println!(
        "One pass without a change, by request pattern, on Alertmanager 0.25: seconds and megabytes received; the best of 3, `list per object` once\n"
    );
    println!(
        "| silences | list per object | GET by id each | GET and POST each | **silenced: one list, compared here** |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: |");
    for declarations in [100, 500, 1_000, 2_000] {
        let server = start(Release::V0_25);
        let repository = Repository::of(declarations);
        let daemon = RefCell::new(Daemon::start(repository.path(), &server.base_url()));
        let silences = Silences::of(&server);
        let received = RefCell::new([0; 4]);
        let replay = |index: usize, pattern: Pattern| {
            let (time, bytes) = pattern.replay(&server, &silences);
            received.borrow_mut()[index] = bytes;
            time
        };
        let list_each = replay(0, Pattern::List);
        let figures = compete(
            &mut [
                Contestant::elsewhere("get", || replay(1, Pattern::Get)),
                Contestant::elsewhere("post", || replay(2, Pattern::GetAndPost)),
                Contestant::elsewhere("silenced", || timed(|| daemon.borrow_mut().sync())),
            ],
            3,
        );
        received.borrow_mut()[3] = Connection::open(&server.base_url(), "").get(SILENCES).len();
        let mut row = format!("| {declarations} |");
        let times = [list_each, figures[0].best, figures[1].best, figures[2].best];
        for (time, bytes) in times.iter().zip(received.into_inner()) {
            write!(row, " {} s, {:.2} MB |", seconds(*time), bytes as f64 / 1e6).unwrap();
        }
        println!("{row}");
    }
    println!();
}
