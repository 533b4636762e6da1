//! What does the program meet? The server in memory behind a bad line: every
//! request may fail before or after its effect, and each is looked at.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use fastrand::Rng;
use silenced::alertmanager::{
    ApiError, ApiErrorKind, Expired, Limit, Listing, Members, SilenceApi, Skipped,
};
use silenced::matcher::Matchers;
use silenced::memory::{PostError, SavedState, StoredSilence};
use silenced::plan::{Marker, Ownership};
use silenced::silence::{Silence, SilenceDraft, SilenceId, SilenceState};
use tokio::time::{Instant, sleep};

use super::INSTANCE;
use super::account::Account;
use super::fault::{Fault, OF_REQUESTS, Tally};
use super::repository::{Repository, alerts};
use crate::support::world::InMemory;

/// How long a client waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// An old list is at most this old.
const STALENESS: Duration = Duration::from_secs(90);

/// The server as one process of the program reaches it.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) process: u64,
    pub(super) server: Arc<Server>,
}

pub(super) struct Server {
    pub(super) memory: InMemory,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) rng: Rng,
    /// How likely each fault is, in 256ths of the requests.
    pub(super) weather: Vec<(Fault, u8)>,
    pub(super) tally: Tally,
    pub(super) repository: Repository,
    pub(super) account: Account,
    /// The server as other replicas still see it.
    replicas: VecDeque<(Instant, SavedState)>,
}

/// What happens to one request.
struct Fate {
    fault: Option<Fault>,
    latency: Duration,
}

impl State {
    /// An update had its effect. In a calm nothing can have changed between it
    /// and the list, so that it must have been possible in place.
    fn updated(&mut self, old: &SilenceId, new: &SilenceId) {
        if old != new && self.weather.is_empty() {
            let what = format!("an update of {old} made a new silence, {new}");
            self.account.violate(what);
        }
    }
}

impl Server {
    pub(super) fn new(
        memory: InMemory,
        rng: Rng,
        repository: Repository,
        account: Account,
    ) -> Arc<Self> {
        let state = State {
            rng,
            weather: Vec::new(),
            tally: Tally::default(),
            repository,
            account,
            replicas: VecDeque::new(),
        };
        Arc::new(Self {
            memory,
            state: Mutex::new(state),
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Every silence on the server, expired ones too.
    pub(super) fn stored(&self) -> Vec<StoredSilence> {
        let now = self.memory.now();
        let mut memory = self.memory.server();
        memory.list(&[], now).into_iter().cloned().collect()
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

    /// Writes are few, so that each fault is `often` times as likely for them.
    fn fate(&self, candidates: &[Fault], often: u8) -> Fate {
        let mut state = self.state();
        let State { rng, weather, .. } = &mut *state;
        let drawn = weather
            .iter()
            .filter(|(fault, _)| candidates.contains(fault))
            .find(|&&(_, chance)| rng.u8(..) < chance.saturating_mul(often))
            .map(|&(fault, _)| fault);
        let latency = match drawn {
            Some(Fault::Slow) => Duration::from_millis(rng.u64(1_000..29_000)),
            _ if weather.is_empty() => Duration::ZERO,
            _ => Duration::from_millis(rng.u64(..400)),
        };
        if let Some(fault) = drawn {
            state.tally.happened(fault);
        }
        Fate {
            fault: drawn,
            latency,
        }
    }

    /// Keeps what the replicas know before a write changes it here.
    fn replicate(&self) {
        let mut state = self.state();
        if !state
            .weather
            .iter()
            .any(|&(fault, _)| fault == Fault::StaleList)
        {
            return;
        }
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
    fn stale_list(&self) -> Option<Vec<Silence>> {
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

    fn post(&self, draft: &SilenceDraft) -> Result<SilenceId, ApiError> {
        self.replicate();
        let now = self.memory.now();
        let answer = self.memory.server().post(draft.clone().into(), now);
        answer.map_err(|error| {
            let kind = match error {
                PostError::NotFound => ApiErrorKind::NotFound,
                PostError::TooMany { .. } => refused(Limit::Count),
                PostError::TooBig { .. } => refused(Limit::Size),
                _ => ApiErrorKind::Refused { limit: None },
            };
            ApiError::new(kind, "POST", error.to_string())
        })
    }

    fn delete(&self, id: &SilenceId) -> Expired {
        self.replicate();
        let now = self.memory.now();
        let answer = self.memory.server().delete(id, now);
        answer.map_or(Expired::Gone, |()| Expired::Done)
    }
}

const fn refused(limit: Limit) -> ApiErrorKind {
    ApiErrorKind::Refused { limit: Some(limit) }
}

/// The error of a fault that keeps the request from having any effect.
fn error_of(fault: Fault) -> Option<ApiError> {
    let kind = match fault {
        Fault::ConnectionRefused => ApiErrorKind::NotSent,
        Fault::Busy => ApiErrorKind::Busy { retry_after: None },
        Fault::WrongPage => ApiErrorKind::NotAnAlertmanager,
        Fault::Unauthorised => ApiErrorKind::Unauthorised,
        Fault::FailedBefore => ApiErrorKind::Unknown,
        Fault::UnknownId => ApiErrorKind::NotFound,
        Fault::CountLimit => refused(Limit::Count),
        Fault::SizeLimit => refused(Limit::Size),
        _ => return None,
    };
    Some(ApiError::new(kind, "request", format!("{fault:?}")))
}

fn unknown() -> ApiError {
    ApiError::new(ApiErrorKind::Unknown, "request", "timeout")
}

impl Line {
    /// A request that writes. Once sent, its effect no longer depends on
    /// whether anybody waits for the answer.
    async fn write<T: Send + 'static>(
        &self,
        fate: Fate,
        lost: T,
        effect: impl FnOnce(&Server) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        if let Some(error) = fate.fault.and_then(error_of) {
            sleep(fate.latency).await;
            return Err(error);
        }
        if fate.fault == Some(Fault::LostWrite) {
            sleep(fate.latency).await;
            return Ok(lost);
        }
        if fate.fault.is_none() && fate.latency.is_zero() {
            return effect(&self.server);
        }
        let mut until_effect = fate.latency / 2;
        if fate.fault == Some(Fault::EffectAfterTimeout) {
            let extra = self.server.state().rng.u64(1..90);
            until_effect = TIMEOUT + Duration::from_secs(extra);
        }
        let server = Arc::clone(&self.server);
        let handled = tokio::spawn(async move {
            sleep(until_effect).await;
            effect(&server)
        });
        if fate.fault == Some(Fault::EffectAfterTimeout) {
            sleep(TIMEOUT).await;
            return Err(unknown());
        }
        let answer = handled.await.unwrap();
        sleep(fate.latency / 2).await;
        if fate.fault == Some(Fault::FailedAfter) {
            return Err(unknown());
        }
        answer
    }
}

impl SilenceApi for Line {
    async fn list(&self) -> Result<Listing, ApiError> {
        let fate = self.server.fate(
            &[
                Fault::ConnectionRefused,
                Fault::Busy,
                Fault::WrongPage,
                Fault::Unauthorised,
                Fault::FailedBefore,
                Fault::Slow,
                Fault::StaleList,
                Fault::UnreadableEntries,
            ],
            1,
        );
        if !fate.latency.is_zero() {
            sleep(fate.latency).await;
        }
        self.server.state().account.list(self.process);
        if let Some(error) = fate.fault.and_then(error_of) {
            return Err(error);
        }
        let mut listing = self.server.memory.list().await?;
        match fate.fault {
            Some(Fault::StaleList) => {
                if let Some(stale) = self.server.stale_list() {
                    listing.silences = stale;
                }
            }
            Some(Fault::UnreadableEntries) if !listing.silences.is_empty() => {
                let index = self.server.state().rng.usize(..listing.silences.len());
                listing.silences.remove(index);
                listing.skipped = Skipped {
                    count: 1,
                    first: Some("unreadable".to_owned()),
                };
            }
            _ => {}
        }
        self.server
            .state()
            .account
            .listed(self.process, &listing.silences);
        Ok(listing)
    }

    async fn members(&self) -> Option<Members> {
        self.server.memory.members().await
    }

    async fn set(&self, draft: &SilenceDraft) -> Result<SilenceId, ApiError> {
        let stored = self.server.stored();
        {
            let mut state = self.server.state();
            let State {
                account,
                repository,
                ..
            } = &mut *state;
            account.set(self.process, draft, &stored, repository);
        }
        let mut candidates = OF_REQUESTS.to_vec();
        candidates.retain(|&fault| match fault {
            // Only what is there already can win against an update.
            Fault::UnknownId | Fault::LostWrite => draft.id.is_some(),
            Fault::CountLimit => draft.id.is_none(),
            _ => true,
        });
        let fate = self.server.fate(&candidates, 2);
        let lost = SilenceId::new("00000000-0000-4000-8000-000000000000");
        let (draft, sent) = (draft.clone(), Instant::now());
        self.write(fate, lost, move |server| {
            if let Some(id) = &draft.id {
                server.state().account.effect(id, sent);
            }
            let answer = server.post(&draft);
            if let (Some(old), Ok(new)) = (&draft.id, &answer) {
                server.state().updated(old, new);
            }
            answer
        })
        .await
    }

    async fn expire(&self, id: &SilenceId) -> Result<Expired, ApiError> {
        let live = self.server.live();
        {
            let mut state = self.server.state();
            let State {
                account,
                repository,
                ..
            } = &mut *state;
            account.expire(self.process, id, &live, repository);
        }
        let mut candidates = OF_REQUESTS.to_vec();
        candidates.retain(|fault| !matches!(fault, Fault::CountLimit | Fault::SizeLimit));
        let fate = self.server.fate(&candidates, 2);
        if fate.fault == Some(Fault::UnknownId) {
            return Ok(Expired::Gone);
        }
        let (id, sent) = (id.clone(), Instant::now());
        self.write(fate, Expired::Done, move |server| {
            server.state().account.effect(&id, sent);
            Ok(server.delete(&id))
        })
        .await
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
