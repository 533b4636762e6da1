//! Do occurrences identify silences? Each keeps its own start while time passes
//! and the horizon moves, none is over, and a lease is what has no end in sight.

use silenced::interval::{Interval, IntervalSet};
use silenced::schedule::{FIRST, LAST, Occurrence, REACH, Schedule, occurrences};
use silenced::timestamp::Timestamp;

use super::civil::DAY;
use super::differential::Case;
use super::{at, seeded};

const CASES: usize = 1000;

/// Far enough to tell what is a lease; most windows begin within it, too.
const AHEAD: i64 = 368 * DAY;
const BACK: i64 = 60 * DAY;

/// Schedules with the range in which they were drawn.
fn draw(random: &mut fastrand::Rng) -> (Schedule, Case) {
    loop {
        let case = Case::draw(random);
        if let Some(schedule) = case.schedule() {
            return (schedule, case);
        }
    }
}

fn later(instant: Timestamp, seconds: i64) -> Timestamp {
    at(instant.seconds() + seconds)
}

#[test]
fn occurrences_are_the_intervals_that_matter_whole() {
    let mut random = seeded();
    let (mut windows, mut leases, mut running) = (0, 0, 0);
    for _ in 0..CASES {
        let (schedule, case) = draw(&mut random);
        let (now, until) = (case.range.start(), case.range.end());
        let told = format!("from {now} until {until} of {:#?}", case.specification);
        let found = occurrences(&schedule, now, until);

        let wide =
            Interval::new(later(now, -BACK).max(FIRST), later(until, AHEAD).min(LAST)).unwrap();
        let expanded: IntervalSet = schedule.expand(wide);
        let expected: Vec<Interval> = expanded
            .iter()
            .filter(|interval| interval.end() > now && interval.start() < until)
            .collect();
        assert_eq!(
            found.len(),
            expected.len(),
            "{told}\n{found:#?}\n{expected:#?}"
        );
        for (occurrence, interval) in found.iter().zip(expected) {
            let told = format!("{occurrence:?} of {interval:?} {told}");
            assert_eq!(
                occurrence.is_lease,
                interval.end() > now.plus(REACH),
                "{told}"
            );
            if occurrence.is_lease {
                assert!(occurrence.end > now.plus(REACH), "{told}");
                assert!(occurrence.end <= interval.end(), "{told}");
                assert_eq!(occurrence.start, interval.start().max(now), "{told}");
                leases += 1;
                continue;
            }
            assert_eq!(occurrence.end, interval.end(), "{told}");
            if interval.start() > wide.start() || wide.start() == FIRST {
                assert_eq!(occurrence.start, interval.start(), "{told}");
            } else {
                assert!(occurrence.start <= interval.start(), "{told}");
            }
            windows += 1;
            running += usize::from(occurrence.start < now);
        }
        let is_short = until <= now.plus(REACH);
        let leases_here = found
            .iter()
            .filter(|occurrence| occurrence.is_lease)
            .count();
        assert!(
            !is_short || leases_here <= 1,
            "two leases share a marker: {told}"
        );
    }
    println!("{windows} windows, {running} of them running, {leases} leases");
    assert!(windows > CASES && running > CASES / 10 && leases > CASES / 20);
}

/// What a marker and the silence under it say; a lease's end is only somewhere far.
fn identity(occurrence: &Occurrence) -> (Option<Timestamp>, Option<Timestamp>) {
    let own = |instant| (!occurrence.is_lease).then_some(instant);
    (own(occurrence.start), own(occurrence.end))
}

#[test]
fn a_later_horizon_only_adds() {
    let mut random = seeded();
    for _ in 0..CASES {
        let (schedule, case) = draw(&mut random);
        let (now, until) = (case.range.start(), case.range.end());
        let sooner = at(random.i64(now.seconds() + 1..=until.seconds()));
        let all: Vec<_> = occurrences(&schedule, now, until)
            .iter()
            .map(identity)
            .collect();
        let some: Vec<_> = occurrences(&schedule, now, sooner)
            .iter()
            .map(identity)
            .collect();
        assert!(
            all.starts_with(&some),
            "{now} until {sooner} and {until}: {:#?}",
            case.specification
        );
    }
}

#[test]
fn a_window_keeps_its_start_and_end_while_time_passes() {
    let mut random = seeded();
    let mut kept = 0;
    for _ in 0..CASES {
        let (schedule, case) = draw(&mut random);
        let (from, to) = (case.range.start(), case.range.end());
        let horizon = random.i64(1..3 * DAY);
        // Looks at any time, and at both sides of every boundary.
        let mut looks: Vec<i64> = (0..4)
            .map(|_| random.i64(from.seconds()..to.seconds()))
            .collect();
        for interval in schedule.expand(case.range).iter().take(3) {
            let (start, end) = (interval.start().seconds(), interval.end().seconds());
            looks.extend([start - 1, start, start + 1, end - 1, end]);
        }
        looks.sort_unstable();
        let at_look = |now: i64| occurrences(&schedule, at(now), at(now + horizon));
        for pair in looks.windows(2) {
            let (before, after) = (at_look(pair[0]), at_look(pair[1]));
            let told = format!(
                "{} then {}: {:#?}",
                at(pair[0]),
                at(pair[1]),
                case.specification
            );
            for occurrence in before.iter().filter(|occurrence| !occurrence.is_lease) {
                let is_over = occurrence.end <= at(pair[1]);
                assert_eq!(
                    after.contains(occurrence),
                    !is_over,
                    "{occurrence:?} {told}"
                );
                kept += usize::from(!is_over);
            }
            for occurrence in &after {
                let was_due = occurrence.start < at(pair[0] + horizon);
                let known = before.contains(occurrence) || before.iter().any(|old| old.is_lease);
                assert!(known || !was_due, "{occurrence:?} from nowhere {told}");
            }
        }
    }
    assert!(kept > 3 * CASES, "only {kept} windows were seen twice");
}
