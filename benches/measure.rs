//! How long does it take? Contestants measured in turns.
//!
//! On a machine that others use as well, what is measured one after the other
//! is measured under different conditions. So every round asks everybody once;
//! the best round is what the code can do, the median what it did here.

use std::fs;
use std::hint::black_box;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Long enough that reading the clock does not count.
const SAMPLE: Duration = Duration::from_millis(4);

/// The processor time that this process has used.
pub fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).expect("processor time is never negative")
}

/// One thing to measure: does its work and says how long that took.
pub struct Contestant<'a> {
    pub name: String,
    sample: Box<dyn FnMut() -> Duration + 'a>,
}

/// The time of one run.
#[derive(Clone, Copy)]
pub struct Figures {
    pub best: Duration,
    pub median: Duration,
}

impl Figures {
    /// Of at least one sample.
    pub fn of(mut samples: Vec<Duration>) -> Self {
        samples.sort_unstable();
        Self {
            best: samples[0],
            median: samples[samples.len() / 2],
        }
    }
}

impl<'a> Contestant<'a> {
    /// Code of this process: a sample runs `work` often enough to be exact.
    pub fn new<T>(name: &str, work: impl Fn() -> T + 'a) -> Self {
        let timed = move |runs: u32| {
            let before = processor_time();
            for _ in 0..runs {
                black_box(work());
            }
            processor_time().saturating_sub(before)
        };
        let mut runs = 1;
        while timed(runs) < SAMPLE {
            runs *= 2;
        }
        Self::elsewhere(name, move || timed(runs) / runs)
    }

    /// Whatever measures itself: `sample` returns the time of one run.
    pub fn elsewhere(name: &str, sample: impl FnMut() -> Duration + 'a) -> Self {
        Self {
            name: name.to_owned(),
            sample: Box::new(sample),
        }
    }
}

/// Asks everybody `rounds` times in turn; figures in the contestants' order.
pub fn compete(contestants: &mut [Contestant], rounds: usize) -> Vec<Figures> {
    let mut samples = vec![Vec::with_capacity(rounds); contestants.len()];
    for _ in 0..rounds {
        for (contestant, samples) in contestants.iter_mut().zip(&mut samples) {
            samples.push((contestant.sample)());
        }
    }
    samples.into_iter().map(Figures::of).collect()
}

/// Says beside a figure what it is meant to be.
pub fn goal(text: &str, is_met: bool) -> String {
    let verdict = if is_met { "met" } else { "MISSED" };
    format!("goal {text}: {verdict}")
}

/// What this runs on.
pub fn machine() -> String {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{}, {cores} cores, load average {}",
        model.map_or("unknown processor", |(_, name)| name),
        load()
    )
}

/// Processes that wanted a processor in the last minute.
pub fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().take(1).collect()
}
