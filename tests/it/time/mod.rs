//! Is expansion right? The zones against two other readers of the same data,
//! the schedules against an oracle that decides instant by instant.

mod brute_force;
mod civil;
mod cron;
mod differential;
mod expression;
mod hull;
mod occurrences;
mod oracle;
mod random;
mod specification;
mod timelines;
mod zones;

use silenced::interval::Interval;
use silenced::timestamp::Timestamp;

/// A generator whose seed is printed; `TEST_SEED=n` repeats a run.
fn seeded() -> fastrand::Rng {
    let seed = match std::env::var("TEST_SEED") {
        Ok(text) => text.parse().expect("TEST_SEED is a number"),
        Err(_) => fastrand::u64(..),
    };
    println!("TEST_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

impl random::Source for fastrand::Rng {
    fn below(&mut self, limit: u64) -> u64 {
        self.u64(0..limit)
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn interval(start: i64, end: i64) -> Interval {
    Interval::new(at(start), at(end)).expect("start < end")
}
