//! What does the program meet? The server in memory, what is known of it, and
//! what the weather does to requests.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use fastrand::Rng;
use silenced::matcher::Matchers;
use silenced::memory::{self, MemoryAlertmanager, SavedState, StoredSilence};
use silenced::plan::{Marker, Ownership};
use silenced::silence::{Silence, SilenceId, SilenceState};
use tokio::time::Instant;

use super::INSTANCE;
use super::account::Account;
use super::doubt::LateGap;
use super::fault::{Fault, Tally, Verb};
use super::repository::{Repository, alerts};
use crate::support::world::InMemory;

/// How long a client waits for an answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

/// An old list is at most this old.
const STALENESS: Duration = Duration::from_secs(90);

pub(super) struct Server {
    pub(super) memory: InMemory,
    settings: memory::Settings,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) rng: Rng,
    /// How likely each fault is, in 256ths of the requests.
    pub(super) weather: Vec<(Fault, u8)>,
    /// What will happen to the next requests of a kind, whatever the weather.
    pub(super) script: VecDeque<(Verb, Fault)>,
    pub(super) tally: Tally,
    pub(super) repository: Repository,
    pub(super) account: Account,
    /// The server as other replicas still see it.
    replicas: VecDeque<(Instant, SavedState)>,
}

/// What happens to one request.
pub(super) struct Fate {
    pub(super) fault: Option<Fault>,
    pub(super) latency: Duration,
}

impl State {
    /// An update had its effect on what was `listed` before and is `now`. In a
    /// calm no time goes by in between, so that what nobody else has changed must
    /// have been possible in place.
    pub(super) fn updated(
        &mut self,
        listed: Option<&Silence>,
        now: Option<&Silence>,
        new: &SilenceId,
    ) {
        let is_unchanged = listed.is_some() && listed == now;
        if let Some(old) = now.filter(|_| is_unchanged && self.weather.is_empty())
            && old.id != *new
        {
            let what = format!("an update of {} made a new silence, {new}", old.id);
            self.account.violate(what);
        }
    }

    /// An expiry has its effect on what is `live`.
    pub(super) fn expiring(
        &mut self,
        process: u64,
        id: &SilenceId,
        sent: Instant,
        live: &[Silence],
        is_same_clock: bool,
    ) {
        self.account.effect(id, sent);
        self.account.ended(process, id);
        // By a clock that was set since, the process's doubt may be over.
        let gap = LateGap::of(process, id, sent, live, &self.account);
        self.account.late_gaps.extend(gap.filter(|_| is_same_clock));
    }

    /// Takes what the script has for such a request.
    fn scripted(&mut self, verb: Verb) -> Option<Fault> {
        let index = self.script.iter().position(|&(of, _)| of == verb)?;
        self.script.remove(index).map(|(_, fault)| fault)
    }
}

impl Server {
    pub(super) fn new(
        memory: InMemory,
        settings: memory::Settings,
        rng: Rng,
        repository: Repository,
        account: Account,
    ) -> Arc<Self> {
        let state = State {
            rng,
            weather: Vec::new(),
            script: VecDeque::new(),
            tally: Tally::default(),
            repository,
            account,
            replicas: VecDeque::new(),
        };
        Arc::new(Self {
            memory,
            settings,
            state: Mutex::new(state),
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Restarts with all that it holds, and with that many as its limit.
    pub(super) fn restart(&self, max_silences: Option<usize>) {
        let now = self.memory.now();
        let settings = memory::Settings {
            max_silences,
            // Or it would give the same ids again.
            seed: self.state().rng.u64(..),
            ..self.settings.clone()
        };
        let mut memory = self.memory.server();
        let held = memory.save();
        *memory = MemoryAlertmanager::new(settings, now);
        memory.restore(held, now);
    }

    /// Every silence on the server, expired ones too.
    pub(super) fn stored(&self) -> Vec<StoredSilence> {
        let now = self.memory.now();
        let mut memory = self.memory.server();
        memory.list(&[], now).into_iter().cloned().collect()
    }

    /// For which declaration the silence of that id is.
    pub(super) fn name_of(&self, id: &str) -> Option<String> {
        let stored = self.stored();
        let silence = stored
            .iter()
            .find(|silence| silence.id == SilenceId::new(id))?;
        Some(marker_of(&silence.comment)?.silence.to_string())
    }

    /// The live silences, as a client with luck would see them.
    pub(super) fn live(&self) -> Vec<Silence> {
        let now = self.memory.now();
        let mut memory = self.memory.server();
        let all = memory.list(&[], now).into_iter();
        all.take_while(|silence| silence.state(now) != SilenceState::Expired)
            .map(|silence| silence.seen(now))
            .collect()
    }

    /// Writes are few, so that each fault is twice as likely for them.
    pub(super) fn fate(&self, verb: Verb) -> Fate {
        let mut state = self.state();
        let scripted = state.scripted(verb);
        let often = if verb == Verb::List { 1 } else { 2 };
        let State { rng, weather, .. } = &mut *state;
        let drawn = || {
            let mut possible = weather.iter().filter(|(fault, _)| fault.strikes(verb));
            possible
                .find(|&&(_, chance)| rng.u8(..) < chance.saturating_mul(often))
                .map(|&(fault, _)| fault)
        };
        let fault = scripted.or_else(drawn);
        let latency = match fault {
            Some(Fault::Slow) => Duration::from_millis(rng.u64(15_000..29_000)),
            Some(Fault::TimeoutBefore | Fault::TimeoutAfter) => TIMEOUT,
            _ if weather.is_empty() => Duration::ZERO,
            _ => Duration::from_millis(rng.u64(..400)),
        };
        if let Some(fault) = fault {
            state.tally.happened(fault);
            state.account.log(format!("  {fault:?} at {verb:?}"));
        }
        Fate { fault, latency }
    }

    /// Keeps what the replicas know before a write changes it here.
    pub(super) fn replicate(&self) {
        if self.memory.alone.load(Ordering::SeqCst) {
            return;
        }
        let mut state = self.state();
        let now = Instant::now();
        while state
            .replicas
            .front()
            .is_some_and(|(at, _)| now - *at > STALENESS)
        {
            state.replicas.pop_front();
        }
        let saved = self.memory.server().save();
        state.replicas.push_back((now, saved));
    }

    /// What a replica that lags behind would list.
    pub(super) fn stale_list(&self) -> Option<Vec<Silence>> {
        let mut state = self.state();
        let now = Instant::now();
        let recent: Vec<usize> = (0..state.replicas.len())
            .filter(|&index| now - state.replicas[index].0 <= STALENESS)
            .collect();
        let index = state.rng.choice(recent)?;
        let mut replica = self.memory.server().clone();
        let at = self.memory.now();
        replica.restore(state.replicas[index].1.clone(), at);
        let listed = replica.list(&[], at).into_iter();
        Some(listed.map(|silence| silence.seen(at)).collect())
    }
}

thread_local! {
    /// Most comments are looked at every minute.
    static MARKERS: RefCell<HashMap<String, Option<Marker>>> = RefCell::default();
}

/// As many comments as are remembered.
const REMEMBERED: usize = 1000;

/// The marker of a silence that is ours.
pub(super) fn marker_of(comment: &str) -> Option<Marker> {
    MARKERS.with_borrow_mut(|markers| {
        if let Some(known) = markers.get(comment) {
            return known.clone();
        }
        if markers.len() == REMEMBERED {
            markers.clear();
        }
        let marker = match Ownership::of(comment) {
            Ownership::Marked(marker, _) if marker.instance.as_str() == INSTANCE => Some(*marker),
            _ => None,
        };
        markers.insert(comment.to_owned(), marker.clone());
        marker
    })
}

/// Names the alerts that a silence mutes.
pub(super) fn alerts_of(matchers: &Matchers) -> String {
    let texts: Vec<String> = matchers
        .as_slice()
        .iter()
        .map(ToString::to_string)
        .collect();
    alerts(texts.iter().map(String::as_str))
}
