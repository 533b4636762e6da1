//! How fast, how often, and for how long is written? On simulated time.

use std::num::NonZeroU32;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use silenced::alertmanager::{ApiError, ApiErrorKind, Expired, Listing, Members, SilenceApi};
use silenced::apply::{ApplyReport, CONCURRENCY, Pace};
use silenced::plan::Change;
use silenced::silence::{SilenceDraft, SilenceId};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::support::changes::{carry_out, draft};

/// Takes its time, and is too busy for the first requests.
struct Busy {
    refusals: AtomicUsize,
    kind: ApiErrorKind,
    latency: Duration,
    began: Instant,
    /// When each request came, in milliseconds.
    times: Mutex<Vec<u128>>,
}

impl Busy {
    fn new(refusals: usize, kind: ApiErrorKind) -> Self {
        Self {
            refusals: AtomicUsize::new(refusals),
            kind,
            latency: Duration::ZERO,
            began: Instant::now(),
            times: Mutex::default(),
        }
    }

    fn times(&self) -> Vec<u128> {
        self.times.lock().unwrap().clone()
    }
}

impl SilenceApi for Busy {
    async fn list(&self) -> Result<Listing, ApiError> {
        Ok(Listing::default())
    }

    async fn members(&self) -> Option<Members> {
        None
    }

    async fn set(&self, draft: &SilenceDraft) -> Result<SilenceId, ApiError> {
        self.times
            .lock()
            .unwrap()
            .push(self.began.elapsed().as_millis());
        tokio::time::sleep(self.latency).await;
        let left = |left: usize| left.checked_sub(1);
        if self
            .refusals
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, left)
            .is_ok()
        {
            return Err(ApiError::new(self.kind, "POST", "429"));
        }
        Ok(SilenceId::new(&draft.created_by))
    }

    async fn expire(&self, _: &SilenceId) -> Result<Expired, ApiError> {
        Ok(Expired::Done)
    }
}

async fn create(count: usize, api: &Busy, pace: &Pace, longest: Option<Duration>) -> ApplyReport {
    let changes = (0..count).map(|index| Change::Create(draft(&index.to_string())));
    let until = longest.map(|longest| Instant::now() + longest);
    let (_keep, stop) = watch::channel(false);
    carry_out(changes, api, pace, until, &stop).await
}

const fn busy(retry_after: Option<Duration>) -> ApiErrorKind {
    ApiErrorKind::Busy { retry_after }
}

#[tokio::test(start_paused = true)]
async fn writes_are_evenly_spaced_also_from_one_pass_to_the_next() {
    let pace = Pace::per_second(NonZeroU32::new(10).unwrap());
    let api = Busy::new(0, busy(None));
    create(5, &api, &pace, None).await;
    create(5, &api, &pace, None).await;
    let expected: Vec<u128> = (0..10).map(|index| index * 100).collect();
    let times = api.times();
    // Timers fire within a millisecond.
    let on_time = |(at, expected): (&u128, &u128)| at.abs_diff(*expected) <= 1;
    assert!(times.iter().zip(&expected).all(on_time), "{times:?}");
    assert_eq!(times.len(), 10);
}

#[tokio::test(start_paused = true)]
async fn what_a_busy_server_did_not_look_at_is_sent_again_when_it_says() {
    let api = Busy::new(1, busy(Some(Duration::from_secs(5))));
    let report = create(1, &api, &Pace::unlimited(), None).await;
    assert_eq!((report.created, report.failures.len()), (1, 0));
    let times = api.times();
    assert_eq!(times.len(), 2);
    assert!((5000..=6001).contains(&times[1]), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stays_busy_is_left_to_the_next_pass() {
    let hour = Some(Duration::from_hours(1));
    for (retry_after, expected) in [(None, 4), (Some(Duration::from_secs(2)), 4), (hour, 1)] {
        let api = Busy::new(usize::MAX, busy(retry_after));
        let report = create(1, &api, &Pace::unlimited(), None).await;
        assert_eq!(api.times().len(), expected, "{retry_after:?}");
        assert_eq!(report.failures[0].kind, busy(retry_after));
    }
}

/// It may have been stored: with `--web.timeout`, Alertmanager answers 503 and goes on.
#[tokio::test(start_paused = true)]
async fn a_write_whose_outcome_is_unknown_is_not_sent_again() {
    let api = Busy::new(1, ApiErrorKind::Unknown);
    let report = create(1, &api, &Pace::unlimited(), None).await;
    assert_eq!((api.times().len(), report.failures.len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_begun_when_time_has_run_out() {
    let mut api = Busy::new(0, busy(None));
    api.latency = Duration::from_secs(1);
    let longest = Some(Duration::from_millis(9500));
    let report = create(1000, &api, &Pace::unlimited(), longest).await;
    // Some at a time, a second each; those that began are seen through.
    let begun = 10 * CONCURRENCY;
    assert_eq!(
        (report.created, report.not_attempted),
        (begun, 1000 - begun)
    );
    assert!(report.ran_out_of_time && report.failures.is_empty());
    assert_eq!(api.began.elapsed().as_secs(), 10);
    // The earliest went first.
    let first = report.made.iter().map(|(id, ..)| id.as_str());
    assert!(
        first
            .map(|id| id.parse::<usize>().unwrap())
            .all(|id| id < begun)
    );
}

#[tokio::test(start_paused = true)]
async fn a_retry_does_not_outlast_the_time_either() {
    let api = Busy::new(usize::MAX, busy(Some(Duration::from_secs(20))));
    let longest = Some(Duration::from_secs(30));
    let report = create(1, &api, &Pace::unlimited(), longest).await;
    assert_eq!((api.times().len(), report.failures.len()), (2, 1));
}
