//! How long may an answer lie before it is taken? A moment, while many writes
//! are in flight, so that several are taken together.
//!
//! Each answer by itself would wake this thread, and where it shares processors
//! with the server, take one from it each time. Of 10,000 first writes to an
//! Alertmanager on two cores an eighth of the time went into that.

use std::cell::Cell;
use std::thread;
use std::time::Duration;

use tokio::time::Instant;

/// With fewer writes in flight there is little to gather, and somebody may wait
/// for the one that is.
const MANY: u32 = 8;

/// Of what is in flight, one in so many may be answered meanwhile. With many more,
/// the server would run out of requests before the next ones arrive.
const SHARE: u32 = 5;

/// A server for which this is not long enough does not need the processor.
const LONGEST: Duration = Duration::from_micros(500);

thread_local! {
    /// Answers wake the thread that sent the request.
    static FLOW: Flow = const { Flow::new() };
}

/// The writes of one thread.
struct Flow {
    in_flight: Cell<u32>,
    /// Since `asked`.
    answered: Cell<u32>,
    /// When somebody asked for the moment last.
    asked: Cell<Option<Instant>>,
}

impl Flow {
    const fn new() -> Self {
        Self {
            in_flight: Cell::new(0),
            answered: Cell::new(0),
            asked: Cell::new(None),
        }
    }

    fn begin(&self) {
        self.in_flight.set(self.in_flight.get() + 1);
    }

    fn end(&self) {
        // A future may end on another thread than where it began.
        self.in_flight.set(self.in_flight.get().saturating_sub(1));
        self.answered.set(self.answered.get().saturating_add(1));
    }

    /// The time in which a share of what is in flight at `now` will be answered,
    /// at the pace since this was last asked.
    fn moment(&self, now: Instant) -> Duration {
        let (in_flight, answered) = (self.in_flight.get(), self.answered.take());
        match self.asked.replace(Some(now)) {
            Some(asked) if in_flight >= MANY && answered > 0 => {
                let each = now.saturating_duration_since(asked) / answered;
                (each.saturating_mul(in_flight) / SHARE).min(LONGEST)
            }
            _ => Duration::ZERO,
        }
    }
}

/// A write whose answer is awaited, as long as this lives.
pub(super) struct InFlight(());

impl InFlight {
    pub(super) fn new() -> Self {
        FLOW.with(Flow::begin);
        Self(())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        FLOW.with(Flow::end);
    }
}

/// Lets answers come together. To be called whenever this thread has nothing else
/// to do than to wait for the network; it sleeps for half a millisecond at most.
pub fn gather_answers() {
    let moment = FLOW.with(|flow| flow.moment(Instant::now()));
    if !moment.is_zero() {
        #[expect(
            clippy::disallowed_methods,
            reason = "the thread has nothing to do, and it is not to be woken"
        )]
        thread::sleep(moment);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said with so many writes in flight, after some were answered and as
    /// many begun.
    fn moment(begun: u32, answered: u32, apart: Duration) -> Duration {
        let flow = Flow::new();
        let start = Instant::now();
        assert_eq!(flow.moment(start), Duration::ZERO);
        (0..begun).for_each(|_| flow.begin());
        (0..answered).for_each(|_| flow.end());
        (0..answered).for_each(|_| flow.begin());
        flow.moment(start + apart * answered)
    }

    const APART: Duration = Duration::from_micros(100);

    #[test]
    fn a_share_of_what_is_in_flight_is_waited_for() {
        assert_eq!(moment(20, 4, APART), 4 * APART);
        assert_eq!(moment(20, 1, APART), 4 * APART);
    }

    #[test]
    fn nobody_waits_longer_for_a_few_answers_or_a_slow_server() {
        assert_eq!(moment(7, 4, APART), Duration::ZERO);
        assert_eq!(moment(20, 0, APART), Duration::ZERO);
        assert_eq!(moment(20, 4, 1000 * APART), LONGEST);
    }

    #[test]
    fn what_was_answered_before_tells_nothing_about_now() {
        let flow = Flow::new();
        let start = Instant::now();
        (0..22).for_each(|_| flow.begin());
        flow.end();
        assert_eq!(flow.moment(start), Duration::ZERO);
        assert_eq!(flow.moment(start + APART), Duration::ZERO);
        flow.end();
        assert_eq!(flow.moment(start + 2 * APART), 4 * APART);
    }

    #[test]
    fn a_write_is_in_flight_until_its_answer_is_there() {
        let writes: Vec<_> = (0..8).map(|_| InFlight::new()).collect();
        FLOW.with(|flow| assert_eq!((flow.in_flight.get(), flow.answered.get()), (8, 0)));
        drop(writes);
        FLOW.with(|flow| assert_eq!((flow.in_flight.get(), flow.answered.get()), (0, 8)));
    }
}
