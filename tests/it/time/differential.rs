//! Is a whole schedule right? A hundred thousand random ones, of every form,
//! against the oracle, at every instant at which either could change its mind.

use silenced::interval::{Interval, IntervalSet};
use silenced::schedule::{CronError, Schedule};
use silenced::timestamp::Timestamp;
use silenced::zone::Zone;

use super::civil::DAY;
use super::oracle::Oracle;
use super::random::Generator;
use super::specification::Specification;
use super::{at, interval, seeded, zones};

/// Together with the ranges' length, what `make test` has time for.
const SCHEDULES: usize = 100_000;

/// As many on any machine, so that a seed repeats the run everywhere.
const SHARES: usize = 16;

/// From the second of January 1970 to before 2100, where chrono-tz ends.
const FIRST: i64 = DAY;
const LAST: i64 = 4_102_444_800 - 40 * DAY;

/// One random question.
pub(super) struct Case {
    pub(super) specification: Specification,
    pub(super) range: Interval,
}

impl Case {
    pub(super) fn draw(random: &mut fastrand::Rng) -> Self {
        let zones = zones::COMPARABLE.as_slice();
        let zone = random.choice(zones).unwrap();
        let middle = middle(random, zone);
        let specification = Generator {
            source: random,
            zones,
            zone,
            near: at(middle),
        }
        .specification(2);
        let days = if random.u8(..) < 8 { 120 } else { 6 };
        let from = (middle - random.i64(0..days * DAY)).max(FIRST);
        let to = (middle + random.i64(1..days * DAY)).min(LAST);
        Self {
            specification,
            range: interval(from, to.max(from + 1)),
        }
    }

    /// The program's schedule, unless a cron expression in it selects no date.
    pub(super) fn schedule(&self) -> Option<Schedule> {
        match self.specification.schedule() {
            Ok(schedule) => Some(schedule),
            Err(CronError::Never) => None,
            Err(error) => panic!("{error}: {:?}", self.specification),
        }
    }
}

/// Mostly at a change of the zone, half of those in our years.
fn middle(random: &mut fastrand::Rng, zone: &Zone) -> i64 {
    let years = if random.bool() {
        1_735_689_600..1_924_992_000
    } else {
        FIRST + 10 * DAY..LAST - 10 * DAY
    };
    let mut changes = zones::changes(zone.timeline());
    changes.retain(|change| years.contains(change));
    match random.choice(&changes) {
        Some(change) if random.u8(..) < 180 => *change,
        _ => random.i64(years),
    }
}

/// Sorted, and no two touch.
fn is_canonical(set: &IntervalSet) -> bool {
    set.as_slice()
        .windows(2)
        .all(|pair| pair[0].end() < pair[1].start())
}

/// Both answers are constant between the instants that either names.
fn compare_with_oracle(case: &Case, found: &IntervalSet) -> usize {
    let (from, to) = (case.range.start().seconds(), case.range.end().seconds());
    let oracle = Oracle::new(&case.specification, from, to);
    let mut boundaries = vec![from, to];
    oracle.boundaries(&mut boundaries);
    let ends = found
        .iter()
        .flat_map(|interval| [interval.start(), interval.end()]);
    boundaries.extend(ends.map(Timestamp::seconds));
    let mut instants: Vec<i64> = boundaries
        .iter()
        .flat_map(|boundary| [boundary - 1, *boundary, boundary + 1])
        .filter(|instant| (from..to).contains(instant))
        .collect();
    instants.sort_unstable();
    instants.dedup();
    for instant in &instants {
        assert_eq!(
            found.at(at(*instant)).is_some(),
            oracle.holds(*instant),
            "at {} in {:?}:\n{:#?}\n{found:#?}",
            at(*instant),
            case.range,
            case.specification
        );
    }
    instants.len()
}

/// Cutting the range anywhere changes nothing.
fn compare_with_halves(
    case: &Case,
    schedule: &Schedule,
    found: &IntervalSet,
    random: &mut fastrand::Rng,
) {
    let (from, to) = (case.range.start(), case.range.end());
    let cut = at(random.i64(from.seconds()..=to.seconds()));
    let half = |start, end| match Interval::new(start, end) {
        Some(range) => schedule.expand(range),
        None => IntervalSet::empty(),
    };
    let (early, late) = (half(from, cut), half(cut, to));
    let cut_at = format!(
        "cut at {cut} of {:?}:\n{:#?}",
        case.range, case.specification
    );
    assert_eq!(early.union(&late), *found, "{cut_at}");
    if let Some(late_half) = Interval::new(cut, to) {
        assert_eq!(late, found.clip(late_half), "{cut_at}");
    }
}

/// One thread's share: how many instants agreed, and how many schedules had
/// more than one interval, so that there was something to get wrong.
fn share(random: &mut fastrand::Rng, count: usize) -> (usize, usize) {
    let (mut instants, mut telling) = (0, 0);
    for _ in 0..count {
        let case = Case::draw(random);
        let Some(schedule) = case.schedule() else {
            continue;
        };
        let found = schedule.expand(case.range);
        assert!(is_canonical(&found), "{found:?}");
        assert_eq!(found.clip(case.range), found, "reaches out of the range");
        instants += compare_with_oracle(&case, &found);
        compare_with_halves(&case, &schedule, &found, random);
        telling += usize::from(found.len() > 1);
    }
    (instants, telling)
}

#[test]
fn random_schedules_agree_with_the_oracle() {
    let mut random = seeded();
    let shares: Vec<fastrand::Rng> = (0..SHARES).map(|_| random.fork()).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let results: Vec<(usize, usize)> = std::thread::scope(|scope| {
        let run = |mut random: fastrand::Rng| share(&mut random, SCHEDULES / SHARES);
        let running: Vec<_> = shares
            .chunks(SHARES.div_ceil(threads))
            .map(|shares| scope.spawn(move || shares.iter().cloned().map(run).collect::<Vec<_>>()))
            .collect();
        let joined = running.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined
            .flat_map(|share| share.expect("agreement, see above"))
            .collect()
    });
    let instants: usize = results.iter().map(|(instants, _)| instants).sum();
    let telling: usize = results.iter().map(|(_, telling)| telling).sum();
    println!("{instants} instants, {telling} schedules with several windows");
    assert!(
        telling > SCHEDULES / 4,
        "only {telling} schedules with several windows"
    );
}
