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
