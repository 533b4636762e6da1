//! Is everything in order? What must hold at every minute, and more once a
//! calm has settled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use silenced::memory::StoredSilence;
use silenced::name::SilenceName;
use silenced::plan::{Change, HoldCause, Marker};
use silenced::reconcile::{Mode, PassOptions};
use silenced::schedule::OccurrenceStart;
use silenced::silence::{Silence, SilenceState};
use silenced::timestamp::Timestamp;
use tokio::sync::watch;

use super::account::Write;
use super::calendar::{Minute, instant_of, minute_of};
use super::episode::Episode;
use super::fault::Verb;
use super::line::Line;
use super::process::reconciler;
use super::repository::Truth;
use super::server::{alerts_of, marker_of};
use super::{HORIZON, LEASE};

/// A request arrives a little after the list by whose clock it was made.
const WAY: Duration = Duration::from_secs(2);

impl Episode<'_> {
    /// Always: nothing foreign changed, no request was wrong, no process died
    /// by itself. As long as only requests fail and processes die: silent what
    /// must be, but for leases. Once settled: silent exactly what must be, nothing twice, and
    /// no write without need.
    pub(super) fn check_minute(&mut self) -> Result<(), String> {
        let now = self.clock.now();
        let server_now = self.server.memory.now();
        let mut state = self.server.state();
        let state = &mut *state;
        let mut memory = self.server.memory.server();
        let stored = memory.list(&[], server_now);
        state.account.check_foreign(&stored, server_now);
        if let Some(violation) = state.account.violations.first() {
            return Err(violation.clone());
        }
        for gap in std::mem::take(&mut state.account.late_gaps) {
            self.check_late_gap(&gap, state)?;
        }
        let writes = std::mem::take(&mut state.account.writes);
        let mut processes = self.processes.iter();
        if processes.any(|process| process.task.is_finished()) {
            return Err("a process ended by itself".to_owned());
        }
        let is_settled = now > self.settled_at;
        if !is_settled && !self.is_covered {
            return Ok(());
        }
        if is_settled {
            for write in writes.iter().filter(|write| write.at > self.settled_at) {
                // Once the server has forgotten what a person ended, it is made again.
                let name = write.marker.silence.as_str();
                let is_forgotten =
                    write.verb == Verb::Create && state.repository.head.was_ended_by_hand(name);
                if !is_forgotten {
                    check_need(write, self.edge)?;
                }
            }
        }
        let owned: Vec<Owned<'_>> = stored
            .iter()
            .take_while(|silence| silence.state(server_now) != SilenceState::Expired)
            .filter_map(|silence| Some((*silence, marker_of(&silence.comment)?)))
            .collect();
        let head = &state.repository.head;
        // Whose silences may be anything does not matter.
        let judged: Vec<&Owned<'_>> = owned
            .iter()
            .filter(|(_, marker)| !head.may_stay(marker.silence.as_str()))
            .collect();
        let active = |owned: &[&Owned<'_>]| -> BTreeSet<String> {
            owned
                .iter()
                .filter(|(silence, _)| silence.state(server_now) == SilenceState::Active)
                .map(|(silence, _)| alerts_of(&silence.matchers))
                .collect()
        };
        let silent = active(&owned.iter().collect::<Vec<_>>());
        // Who renews a lease may be dead or unable to.
        let truth = head.truth(minute_of(server_now.into()), is_settled);
        for (alerts, truth) in &truth {
            if *truth == Truth::On && !silent.contains(*alerts) {
                return Err(format!("{alerts} is not silent at {now}"));
            }
        }
        for alerts in active(&judged) {
            if truth
                .get(alerts.as_str())
                .is_none_or(|truth| *truth == Truth::Off)
            {
                return Err(format!("{alerts} is silent at {now}"));
            }
        }
        let tally = &mut state.account.tally;
        let count = truth.len().max(silent.len());
        if !is_settled {
            tally.checked("sets of alerts under faults, silent or not", count);
            return Ok(());
        }
        tally.checked("sets of alerts, silent or not", count);
        tally.checked("minutes without a needless write", 1);
        tally.checked("minutes without duplicates", 1);
        check_no_duplicates(&judged)
    }

    /// At the end of a calm: on the server is one silence for each window within
    /// the horizon and nothing else, and a process that starts now agrees.
    pub(super) async fn check_converged(&mut self) -> Result<(), String> {
        self.check_windows()?;
        let line = Line {
            process: 0,
            server: Arc::clone(&self.server),
        };
        let snapshot = self.source.lock().unwrap().snapshot.clone();
        let (_keep, stop) = watch::channel(false);
        let options = PassOptions {
            mode: Mode::Observe,
            insist: true,
            confirmed: &[],
            now: self.clock.now(),
            stop: &stop,
        };
        self.server.state().account.begin(0);
        let pass = reconciler(self.zones, &self.settings, line)
            .pass(Ok(snapshot), options)
            .await;
        let plan = pass.targets.first().and_then(|target| target.plan.as_ref());
        let actions = plan.map(|plan| &plan.actions);
        let mut state = self.server.state();
        state
            .account
            .tally
            .checked("empty plans of new processes", 1);
        // What comes within the horizon this soon may be there or not.
        let edge = self.server_now().plus(HORIZON).minus(self.edge);
        // A new process cannot always tell who ended a silence, and then makes
        // another: better than none.
        let left_ended = self.left_ended();
        let needless = actions.into_iter().flatten().find(|action| {
            if matches!(action.change, Change::Create(_)) && left_ended.contains(&action.silence) {
                return false;
            }
            let draft = action.change.draft();
            draft.is_none_or(|draft| {
                draft.starts_at < edge && !draft.comment.contains(" start=lease ")
            })
        });
        needless.map_or(Ok(()), |action| {
            Err(format!(
                "a new process would {} {}: {}",
                action.change.word(),
                action.silence,
                action.reason
            ))
        })
    }

    /// What the running processes make no silence for, because a person ended it.
    fn left_ended(&self) -> BTreeSet<SilenceName> {
        let mut names = BTreeSet::new();
        for process in &self.processes {
            let status = process.handle.status.borrow();
            let targets = status.pass.iter().flat_map(|pass| &pass.targets);
            let plans = targets.filter_map(|target| target.plan.as_ref());
            let holds = plans.flat_map(|plan| &plan.holds);
            let by_hand = holds.filter(|hold| hold.cause == HoldCause::HandExpired);
            names.extend(by_hand.map(|hold| hold.silence.clone()));
        }
        names
    }

    fn check_windows(&self) -> Result<(), String> {
        let now = self.server_now();
        let live = self.server.live();
        let mut owned: Vec<(&Silence, Marker)> = live
            .iter()
            .filter_map(|silence| Some((silence, marker_of(&silence.comment)?)))
            .collect();
        let mut state = self.server.state();
        let head = &state.repository.head;
        if head.is_broken() || head.declared().any(|(_, _, certain)| !certain) {
            return Ok(());
        }
        let mut count = 0;
        for (entry, windows, _) in head.declared().filter(|(entry, ..)| entry.enabled) {
            for &window in windows {
                let Some(expected) = Expected::of(window, now, self.edge) else {
                    continue;
                };
                let found = owned.iter().position(|(_, marker)| {
                    marker.silence.as_str() == entry.name && marker.start == expected.start
                });
                let Some(found) = found else {
                    if expected.is_certain {
                        return Err(format!("{} lacks {:?} at {now}", entry.name, expected));
                    }
                    continue;
                };
                let (silence, _) = owned.swap_remove(found);
                count += 1;
                expected.check(silence, now, self.edge)?;
                if alerts_of(&silence.matchers) != entry.alerts()
                    || silence.created_by != entry.owner
                    || !silence.comment.contains(&entry.comment)
                {
                    return Err(format!("{} is not as declared: {silence:?}", entry.name));
                }
            }
        }
        state.account.tally.checked("windows in place", count);
        owned.first().map_or(Ok(()), |(silence, _)| {
            Err(format!("stands for nothing at {now}: {silence:?}"))
        })
    }
}

/// What one window is on the server.
#[derive(Debug)]
struct Expected {
    start: OccurrenceStart,
    from: Timestamp,
    end: Option<Timestamp>,
    is_certain: bool,
}

impl Expected {
    fn of((start, end): (Minute, Minute), now: Timestamp, edge: Duration) -> Option<Self> {
        if start == Minute::MIN {
            return Some(Self {
                start: OccurrenceStart::Lease,
                from: now,
                end: None,
                is_certain: true,
            });
        }
        let (start, end) = (instant_of(start), instant_of(end));
        let reached = now.plus(HORIZON);
        // A pending one may lie farther ahead: moved there, or of a restored server.
        (end > now).then_some(Self {
            start: OccurrenceStart::At(start),
            from: start,
            end: Some(end),
            is_certain: start <= reached.minus(edge) && end > now.plus(edge),
        })
    }

    fn check(&self, silence: &Silence, now: Timestamp, edge: Duration) -> Result<(), String> {
        let start_is_right = if self.from > now.plus(edge) {
            silence.starts_at == self.from
        } else {
            // The start of an active one cannot be moved, whatever its window became.
            silence.starts_at <= now.plus(edge)
        };
        let end_is_right = match self.end {
            Some(end) => silence.ends_at == end,
            None => silence.ends_at > now && silence.ends_at <= now.plus(LEASE + edge),
        };
        if start_is_right && end_is_right {
            return Ok(());
        }
        Err(format!("expected {self:?}, found {silence:?}"))
    }
}

/// One of ours, with its marker.
type Owned<'s> = (&'s StoredSilence, Marker);

/// In a settled calm only two writes are needed: what comes within the horizon
/// is created, and a lease of which less than half is left is renewed.
fn check_need(write: &Write, edge: Duration) -> Result<(), String> {
    let newest = write.server_at.plus(HORIZON);
    let is_needed = match (write.verb, write.marker.start) {
        (Verb::Create, OccurrenceStart::At(start)) => {
            (newest.minus(edge + WAY)..=newest).contains(&start)
        }
        (Verb::Update, OccurrenceStart::Lease) => {
            let ended = write.ended.unwrap_or(write.server_at);
            ended.since(write.server_at) <= LEASE / 2
        }
        _ => false,
    };
    if is_needed {
        return Ok(());
    }
    Err(format!("a needless write: {write:?}"))
}

/// No two silences of a name at the same time.
fn check_no_duplicates(judged: &[&Owned<'_>]) -> Result<(), String> {
    let mut by_name: BTreeMap<&str, Vec<&StoredSilence>> = BTreeMap::new();
    for (silence, marker) in judged {
        let silences = by_name.entry(marker.silence.as_str()).or_default();
        silences.push(silence);
    }
    for (name, mut silences) in by_name {
        silences.sort_by_key(|silence| silence.starts_at);
        let mut pairs = silences.iter().zip(silences.iter().skip(1));
        if let Some((one, other)) = pairs.find(|(one, other)| other.starts_at < one.ends_at) {
            return Err(format!("{name} is there twice: {one:?} and {other:?}"));
        }
    }
    Ok(())
}
