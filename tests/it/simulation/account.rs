//! What did each process do? Every request, judged when it is made: whatever
//! the line does to it later, it was wrong or right to send.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, Utc};
use silenced::clock::Clock;
use silenced::memory::StoredSilence;
use silenced::plan::{Guard, Marker};
use silenced::schedule::OccurrenceStart;
use silenced::silence::{Silence, SilenceDraft, SilenceId, SilenceState};
use silenced::timestamp::Timestamp;
use tokio::time::Instant;

use super::calendar::minute_of;
use super::doubt::LateGap;
use super::fault::{Tally, Verb};
use super::repository::Repository;
use super::server::{alerts_of, marker_of};
use crate::support::world::InMemory;

/// What is remembered of the events before a failure.
const LOG: usize = 60;

/// What was made so lately may be absent from a list: the time for replicas to
/// agree, less that of a slow pass.
const UNHEARD: Duration = Duration::from_secs(20);

/// A request that writes.
#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) at: Timestamp,
    /// By the server's clock.
    pub(super) server_at: Timestamp,
    pub(super) verb: Verb,
    pub(super) marker: Marker,
    /// The end that the silence had before, if it existed.
    pub(super) ended: Option<Timestamp>,
}

/// One process of the program, between two of its lists.
#[derive(Default)]
struct PassAccount {
    /// When it last read the repository.
    read: Option<Timestamp>,
    lists: u32,
    listed: Option<Instant>,
    owned: usize,
    /// The names of what was ours in the list.
    names: BTreeSet<String>,
    /// Creations under names that the list did not have.
    made: usize,
    written: BTreeSet<String>,
    /// What it was told that it had made: for which window, and when.
    known: BTreeMap<SilenceId, (Marker, Instant)>,
    last_list: BTreeMap<SilenceId, Silence>,
    /// The names of silences whose creation was answered and had no effect.
    lost: BTreeSet<String>,
    /// What was expired with nothing left in its place.
    taken: BTreeSet<SilenceId>,
    /// Somebody confirmed what a guard held.
    confirmed: bool,
}

/// A silence that is not ours, as it must stay, and since when it is so.
struct Foreign {
    since: Instant,
    silence: StoredSilence,
}

pub(super) struct Account {
    clock: Clock,
    memory: InMemory,
    guard: Guard,
    processes: BTreeMap<u64, PassAccount>,
    foreign: BTreeMap<SilenceId, Foreign>,
    /// Whose expiry ended each silence.
    ended_by: BTreeMap<SilenceId, u64>,
    /// What was live and ours until people did something, and when that was.
    taken_away: BTreeMap<SilenceId, Instant>,
    /// The latest time that the server's clock has shown.
    latest: DateTime<Utc>,
    pub(super) writes: Vec<Write>,
    pub(super) late_gaps: Vec<LateGap>,
    pub(super) lists: u64,
    pub(super) violations: Vec<String>,
    pub(super) tally: Tally,
    log: VecDeque<String>,
}

impl Account {
    pub(super) fn new(clock: Clock, memory: InMemory, guard: Guard) -> Self {
        Self {
            clock,
            memory,
            guard,
            processes: BTreeMap::new(),
            foreign: BTreeMap::new(),
            ended_by: BTreeMap::new(),
            taken_away: BTreeMap::new(),
            latest: DateTime::<Utc>::MIN_UTC,
            writes: Vec::new(),
            late_gaps: Vec::new(),
            lists: 0,
            violations: Vec::new(),
            tally: Tally::default(),
            log: VecDeque::new(),
        }
    }

    /// Notes what happened, for whoever reads a failure.
    pub(super) fn log(&mut self, event: impl Into<String>) {
        if self.log.len() == LOG {
            self.log.pop_front();
        }
        let event = event.into();
        self.log.push_back(format!("{} {event}", self.clock.now()));
    }

    pub(super) fn story(&self) -> String {
        self.log.iter().cloned().collect::<Vec<_>>().join("\n  ")
    }

    pub(super) fn violate(&mut self, what: String) {
        self.log(format!("VIOLATION: {what}"));
        self.violations.push(what);
    }

    pub(super) fn confirm(&mut self, process: u64) {
        self.processes.entry(process).or_default().confirmed = true;
    }

    /// A creation was answered as if it had taken effect. Nobody can know before
    /// the next list, and what it replaces goes at once. No released server does
    /// that to a silence with a fresh id.
    pub(super) fn lost_creation(&mut self, process: u64, comment: &str) {
        let pass = self.processes.entry(process).or_default();
        let name = marker_of(comment).map(|marker| marker.silence.to_string());
        pass.lost.extend(name);
    }

    /// A process has read the repository.
    pub(super) fn read(&mut self, process: u64) {
        let now = self.clock.now();
        let pass = self.processes.entry(process).or_default();
        pass.read = Some(now);
    }

    /// A process may list for its next pass.
    pub(super) fn begin(&mut self, process: u64) {
        self.processes.entry(process).or_default().lists = 0;
    }

    /// A process asks for the list.
    pub(super) fn list(&mut self, process: u64) {
        self.lists += 1;
        let pass = self.processes.entry(process).or_default();
        pass.lists += 1;
        // One that wrote may list once more to verify.
        let allowed = if pass.written.is_empty() { 1 } else { 2 };
        let lists = pass.lists;
        pass.written.clear();
        pass.taken.clear();
        pass.made = 0;
        pass.lost.clear();
        if lists > allowed {
            self.violate(format!("process {process} listed {lists} times in a pass"));
        }
    }

    /// A process got a list.
    pub(super) fn listed(&mut self, process: u64, silences: &[Silence]) {
        let live = silences.iter().filter(|silence| silence.is_live());
        let owned = live.filter_map(|silence| marker_of(&silence.comment));
        let names: Vec<String> = owned.map(|marker| marker.silence.to_string()).collect();
        let pass = self.processes.entry(process).or_default();
        pass.listed = Some(Instant::now());
        pass.owned = names.len();
        pass.names = names.into_iter().collect();
        let silences = silences.iter().cloned();
        pass.last_list = silences
            .map(|silence| (silence.id.clone(), silence))
            .collect();
    }

    /// When a process last got a list, and what it showed.
    pub(super) fn last_list(
        &self,
        process: u64,
    ) -> Option<(Instant, &BTreeMap<SilenceId, Silence>)> {
        let pass = self.processes.get(&process)?;
        Some((pass.listed?, &pass.last_list))
    }

    /// A process sends a silence.
    pub(super) fn set(
        &mut self,
        process: u64,
        draft: &SilenceDraft,
        stored: &[StoredSilence],
        repository: &Repository,
    ) {
        let Some(marker) = marker_of(&draft.comment) else {
            return self.violate(format!("sent without our marker: {draft:?}"));
        };
        let verb = if draft.id.is_some() {
            Verb::Update
        } else {
            Verb::Create
        };
        let before = stored
            .iter()
            .find(|silence| Some(&silence.id) == draft.id.as_ref());
        let ended = before.map(|silence| Timestamp::from(silence.ends_at.to_utc()));
        self.log(format!(
            "  {process} {verb:?} {} {} {}..{} {}",
            marker.silence,
            marker.start,
            draft.starts_at,
            draft.ends_at,
            draft.id.as_ref().map_or("", SilenceId::as_str),
        ));
        let what = match &draft.id {
            Some(id) => id.to_string(),
            None => format!("{} {}", marker.silence, marker.start),
        };
        self.once(process, what);
        if let Some(id) = &draft.id {
            self.touch(process, id);
        }
        let read = self.processes.get(&process).and_then(|pass| pass.read);
        // Every broken file of a simulation was readable under its own name, so
        // none can have taken over what another file declared. What is held
        // only goes on: its leases are renewed.
        let is_new = verb == Verb::Create;
        if is_new {
            self.make(process, &marker);
        }
        if is_new && !repository.declares(read.unwrap_or_default(), marker.silence.as_str()) {
            let name = &marker.silence;
            self.violate(format!(
                "process {process} made {name}, which nothing declares"
            ));
        }
        if draft.ends_at <= draft.starts_at {
            self.violate(format!("sent an empty silence: {draft:?}"));
        }
        self.writes.push(Write {
            at: self.clock.now(),
            server_at: self.memory.now().into(),
            verb,
            marker,
            ended,
        });
    }

    /// A process expires a silence; `live` is what there is before.
    pub(super) fn expire(
        &mut self,
        process: u64,
        id: &SilenceId,
        live: &[Silence],
        repository: &Repository,
    ) {
        self.once(process, id.to_string());
        self.touch(process, id);
        let pass = self.processes.entry(process).or_default();
        pass.known.remove(id);
        let Some(silence) = live.iter().find(|silence| silence.id == *id) else {
            return;
        };
        let Some(marker) = marker_of(&silence.comment) else {
            return;
        };
        self.log(format!(
            "  {process} Expire {} {} {}..{} {id}",
            marker.silence, marker.start, silence.starts_at, silence.ends_at
        ));
        let now = self.clock.now();
        let server_at = Timestamp::from(self.memory.now());
        self.tally.checked("expiries, for guard and gap", 1);
        let others = || {
            live.iter()
                .filter(|other| other.id != *id)
                .filter_map(|other| Some((other, marker_of(&other.comment)?)))
        };
        let stays = others().any(|(other, its)| {
            // A lease goes on beyond its present end.
            let goes_on = its.start == OccurrenceStart::Lease;
            its.silence == marker.silence
                && other.starts_at < silence.ends_at
                && (goes_on || silence.starts_at < other.ends_at)
        });
        let pass = &self.processes[&process];
        let is_lost = pass.lost.contains(marker.silence.as_str());
        if !stays && !is_lost {
            self.take(process, id, repository);
        }
        if silence.state == SilenceState::Active {
            let alerts = alerts_of(&silence.matchers);
            let covered = others().any(|(other, _)| {
                other.state == SilenceState::Active && alerts_of(&other.matchers) == alerts
            });
            let pass = &self.processes[&process];
            let since = pass.read.unwrap_or(now);
            let minute = minute_of(server_at);
            // A minute more or less, for the plan was made before.
            let name = marker.silence.as_str();
            let wanted = (minute - 1..=minute + 1)
                .all(|minute| repository.wanted(since, name, &alerts, minute));
            if wanted && !covered && !is_lost && !self.was_covered(process, id, &alerts) {
                self.violate(format!(
                    "process {process} opened a gap for {alerts} by expiring {id}"
                ));
            }
        }
        self.writes.push(Write {
            at: now,
            server_at,
            verb: Verb::Expire,
            marker,
            ended: Some(silence.ends_at),
        });
    }

    /// A process was told that it had made a silence.
    pub(super) fn made(&mut self, process: u64, id: &SilenceId, comment: &str) {
        let Some(marker) = marker_of(comment) else {
            return;
        };
        self.log(format!("  {process} was told of {} {id}", marker.silence));
        let pass = self.processes.entry(process).or_default();
        pass.known.insert(id.clone(), (marker, Instant::now()));
    }

    fn make(&mut self, process: u64, marker: &Marker) {
        let most = self.guard.max_create;
        let is_alone = self.memory.alone.load(Ordering::SeqCst);
        let pass = self.processes.entry(process).or_default();
        let is_same =
            |known: &Marker| known.silence == marker.silence && known.start == marker.start;
        let mut unheard = pass.known.iter().filter(|(id, (known, at))| {
            is_same(known) && at.elapsed() < UNHEARD && !pass.last_list.contains_key(*id)
        });
        if let Some((id, _)) = unheard.next().filter(|_| !is_alone) {
            let what = format!("process {process} made {id} again before replicas had to agree");
            return self.violate(what);
        }
        pass.made += usize::from(!pass.names.contains(marker.silence.as_str()));
        let made = pass.made;
        let confirmed = pass.confirmed;
        self.tally
            .checked("creations, for guard and declaration", 1);
        if made > most && !confirmed {
            self.violate(format!("process {process} made {made}, more than {most}"));
        }
    }

    fn take(&mut self, process: u64, id: &SilenceId, repository: &Repository) {
        let guard = &self.guard;
        let (most, percent) = (guard.max_expire, guard.max_expire_percent);
        let pass = self.processes.entry(process).or_default();
        pass.taken.insert(id.clone());
        let (taken, owned) = (pass.taken.len(), pass.owned);
        let (read, confirmed) = (pass.read.unwrap_or_default(), pass.confirmed);
        if confirmed {
            return;
        }
        if taken > most && taken * 100 > owned * percent {
            self.violate(format!("process {process} expired {taken} of {owned}"));
        }
        if repository.was_empty_since(read) {
            self.violate(format!("process {process} expired with nothing declared"));
        }
    }

    /// No request twice between two lists.
    fn once(&mut self, process: u64, what: String) {
        let pass = self.processes.entry(process).or_default();
        if !pass.written.insert(what.clone()) {
            self.violate(format!("process {process} wrote {what} twice in a pass"));
        }
    }

    /// The server was too busy to look at a request: it may be sent again, and
    /// counts when it is.
    pub(super) fn unheard(&mut self, process: u64, draft: Option<&SilenceDraft>, id: &str) {
        let pass = self.processes.entry(process).or_default();
        let marker = draft.and_then(|draft| marker_of(&draft.comment));
        if let Some(marker) = marker.filter(|_| id.is_empty()) {
            let what = format!("{} {}", marker.silence, marker.start);
            pass.written.remove(&what);
            let counted = !pass.names.contains(marker.silence.as_str());
            pass.made = pass.made.saturating_sub(usize::from(counted));
        } else {
            pass.written.remove(id);
            if draft.is_none() {
                pass.taken.remove(&SilenceId::new(id));
            }
        }
    }

    /// A write to a silence that the process could know to be foreign.
    fn touch(&mut self, process: u64, id: &SilenceId) {
        if !self.foreign.contains_key(id) {
            return;
        }
        let list = self.last_list(process);
        let shown = list.and_then(|(_, list)| list.get(id));
        if shown.is_some_and(|silence| marker_of(&silence.comment).is_some()) {
            // It was ours when the process looked, or in what a replica still showed.
            self.foreign.remove(id);
        } else {
            self.violate(format!("process {process} touched the foreign {id}"));
        }
    }

    /// A request sent at that time takes effect now: late, it may meet what was
    /// ours when it was sent.
    pub(super) fn effect(&mut self, id: &SilenceId, sent: Instant) {
        let foreign = self.foreign.get(id);
        if foreign.is_some_and(|foreign| sent <= foreign.since) {
            self.foreign.remove(id);
        }
    }

    /// An expiry that a process sent takes effect now.
    pub(super) fn ended(&mut self, process: u64, id: &SilenceId) {
        self.ended_by.insert(id.clone(), process);
    }

    /// Whether another silence for those alerts was there as far as the process
    /// could see, and people or another process took it away.
    fn was_covered(&self, process: u64, id: &SilenceId, alerts: &str) -> bool {
        let Some((listed, list)) = self.last_list(process) else {
            return false;
        };
        let by_people = |id| self.taken_away.get(id).is_some_and(|at| *at > listed);
        let by_another = |id| self.ended_by.get(id).is_some_and(|by| *by != process);
        let is_gone = |id| by_people(id) || by_another(id);
        list.values()
            .filter(|other| other.id != *id && other.is_live() && is_gone(&other.id))
            .any(|other| alerts_of(&other.matchers) == alerts)
    }

    /// People changed something, and `gone` was live and ours before.
    pub(super) fn people_changed(
        &mut self,
        gone: impl Iterator<Item = SilenceId>,
        stored: &[StoredSilence],
    ) {
        let now = Instant::now();
        self.taken_away.extend(gone.map(|id| (id, now)));
        self.take_foreign(stored);
    }

    /// What is not ours from now on.
    fn take_foreign(&mut self, stored: &[StoredSilence]) {
        let mut before = std::mem::take(&mut self.foreign);
        for silence in stored {
            if marker_of(&silence.comment).is_some() {
                continue;
            }
            let same = before
                .remove(&silence.id)
                .filter(|known| known.silence == *silence);
            let since = same.map_or_else(Instant::now, |known| known.since);
            let silence = silence.clone();
            self.foreign
                .insert(silence.id.clone(), Foreign { since, silence });
        }
    }

    /// Whether every foreign silence is as it was, or forgotten in time.
    pub(super) fn check_foreign(&mut self, stored: &[&StoredSilence], now: DateTime<Utc>) {
        self.latest = self.latest.max(now);
        let latest = self.latest;
        let mut changed = Vec::new();
        for (id, foreign) in &self.foreign {
            match stored.iter().find(|silence| silence.id == *id) {
                Some(silence) if **silence == foreign.silence => {}
                None if foreign.silence.forgotten_at <= latest => {}
                found => changed.push(format!("foreign {id} became {found:?}")),
            }
        }
        self.tally
            .checked("foreign silences unchanged", self.foreign.len());
        for change in changed {
            self.violate(change);
        }
    }
}
