//! Does it hold in any weather? Whole days of the daemon on simulated time,
//! against a server behind a bad line, with people at both ends and processes
//! that die: every random choice from one seed.
//!
//! An episode is a few days of storms and calms. While a storm lasts, no
//! request may be wrong at the moment when it is sent (`account`). Once a calm
//! has settled, every minute must be exactly as a second opinion says
//! (`calendar`, `repository`, `check`).
//!
//! `SEED=n` begins with the episode of that seed. `make soak` goes on for
//! `SOAK_DAYS` simulated days.

mod account;
mod author;
mod calendar;
mod check;
mod doubt;
mod episode;
mod fault;
mod line;
mod people;
mod process;
mod repository;
mod scenario;
mod server;
mod weather;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fault::Tally;
use silenced::plan::Settings;
use silenced::zone::ZoneDatabase;

use crate::support::random::seeded;

const INSTANCE: &str = "lab";
const HORIZON: Duration = Settings::HORIZON;
const LEASE: Duration = Settings::LEASE;

/// Simulated days of every `make test`.
const DAYS: u64 = 300;

/// Runs episodes on every core until `days` are simulated.
fn simulate(days: u64) {
    let first = seeded().get_seed();
    let zones = ZoneDatabase::bundled();
    let (episodes, simulated) = (AtomicU64::new(0), AtomicU64::new(0));
    let total = Mutex::new(Tally::default());
    let began = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while simulated.load(Ordering::SeqCst) < days {
                    let episode = episodes.fetch_add(1, Ordering::SeqCst);
                    let (lasted, tally) = weather::run(first.wrapping_add(episode), &zones);
                    simulated.fetch_add(lasted, Ordering::SeqCst);
                    total.lock().unwrap().merge(tally);
                }
            });
        }
    });
    let (simulated, seconds) = (simulated.into_inner(), began.elapsed().as_secs_f64());
    println!(
        "{simulated} simulated days in {seconds:.1} s, {} episodes\n{}",
        episodes.into_inner(),
        total.into_inner().unwrap()
    );
}

#[test]
fn days_in_any_weather() {
    let days = std::env::var("SOAK_DAYS").map(|days| days.parse().unwrap());
    simulate(days.unwrap_or(DAYS));
}
