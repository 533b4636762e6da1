//! What can be seen from outside while it works? Open files, and how long
//! answers take.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use crate::daemon::Daemon;
use crate::http::Connection;

const EVERY: Duration = Duration::from_millis(10);

/// The processor time of a process with all threads that it ever had, to the
/// hundredth of a second.
pub fn processor_time(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // After the program's name, in parentheses: utime and stime, the 14th and 15th.
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(10 * ticks)
}

/// Looks every few milliseconds until it is asked what it saw.
pub struct Watch {
    ended: Arc<AtomicBool>,
    watching: JoinHandle<Seen>,
}

#[derive(Default)]
pub struct Seen {
    /// The most at once, sockets included.
    pub open_files: usize,
    pub answers: BTreeMap<&'static str, Answers>,
}

#[derive(Default)]
pub struct Answers {
    pub times: Vec<Duration>,
    /// Bytes of the last one.
    pub size: usize,
}

impl Answers {
    pub fn longest(&self) -> Duration {
        self.times.iter().copied().max().unwrap_or_default()
    }

    pub fn median(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    }
}

impl Watch {
    /// Asks for one of the routes after the other, once at least.
    pub fn over(daemon: &Daemon, routes: &'static [&'static str]) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let files = format!("/proc/{}/fd", daemon.id());
        let address = daemon.address.clone();
        let is_over = Arc::clone(&ended);
        let watching = thread::spawn(move || {
            let mut connection = Connection::open(&address, "");
            let mut seen = Seen::default();
            while !is_over.load(Ordering::Relaxed) {
                for route in routes {
                    let open = fs::read_dir(&files).unwrap().count();
                    seen.open_files = seen.open_files.max(open);
                    let began = Instant::now();
                    let size = connection.get(route).len();
                    let answers = seen.answers.entry(route).or_default();
                    answers.times.push(began.elapsed());
                    answers.size = size;
                    sleep(EVERY);
                }
            }
            seen
        });
        Self { ended, watching }
    }

    pub fn seen(self) -> Seen {
        self.ended.store(true, Ordering::Relaxed);
        self.watching.join().unwrap()
    }
}
