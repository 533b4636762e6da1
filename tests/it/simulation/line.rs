//! How do requests get there? Every request may fail before or after its effect
//! and be answered late or wrong, and each is looked at when it is made.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use silenced::alertmanager::{
    ApiError, ApiErrorKind, Expired, Limit, Listing, Members, SilenceApi, Skipped,
};
use silenced::memory::PostError;
use silenced::silence::{Silence, SilenceDraft, SilenceId};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

use super::fault::{Fault, Verb};
use super::server::{Fate, Server, State, TIMEOUT};

/// How long it takes to look at 50,000 silences and to write them down.
const SERIALISATION: Duration = Duration::from_secs(1);

/// The server as one process of the program reaches it.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) process: u64,
    pub(super) server: Arc<Server>,
}

const fn refused(limit: Limit) -> ApiErrorKind {
    ApiErrorKind::Refused { limit: Some(limit) }
}

fn error_of(kind: ApiErrorKind, fault: Fault) -> ApiError {
    ApiError::new(kind, "request", format!("{fault:?}"))
}

impl Server {
    /// The error of a fault that keeps the request from having any effect.
    fn refusal(&self, fault: Fault) -> Option<ApiError> {
        let kind = match fault {
            Fault::ConnectionRefused => ApiErrorKind::NotSent,
            Fault::Busy => {
                let rng = &mut self.state().rng;
                let retry_after = Duration::from_secs(rng.u64(1..120));
                let retry_after = rng.bool().then_some(retry_after);
                ApiErrorKind::Busy { retry_after }
            }
            Fault::WrongPage => ApiErrorKind::NotAnAlertmanager,
            Fault::Unauthorised => ApiErrorKind::Unauthorised,
            Fault::FailedBefore | Fault::TimeoutBefore => ApiErrorKind::Unknown,
            Fault::UnknownId => ApiErrorKind::NotFound,
            Fault::CountLimit => refused(Limit::Count),
            Fault::SizeLimit => refused(Limit::Size),
            _ => return None,
        };
        Some(error_of(kind, fault))
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

impl Line {
    /// A request that writes. Once sent, its effect no longer depends on
    /// whether anybody waits for the answer. `lost` is the answer without effect.
    async fn write<T: Send + 'static>(
        &self,
        fate: Fate,
        lost: T,
        effect: impl Fn(&Server) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let Fate { fault, latency } = fate;
        // It may be killed before anything is sent.
        yield_now().await;
        if let Some(error) = fault.and_then(|fault| self.server.refusal(fault)) {
            sleep(latency).await;
            return Err(error);
        }
        let until_effect = match fault {
            Some(Fault::LostWrite) => {
                sleep(latency).await;
                return Ok(lost);
            }
            Some(Fault::EffectAfterTimeout) => {
                TIMEOUT + Duration::from_secs(self.server.state().rng.u64(1..90))
            }
            _ => latency / 2,
        };
        let sent = Instant::now();
        let server = Arc::clone(&self.server);
        let handled = tokio::spawn(async move {
            sleep(until_effect).await;
            if fault == Some(Fault::Repeated) {
                let _ = effect(&server);
            }
            effect(&server)
        });
        match fault {
            Some(fault @ Fault::EffectAfterTimeout) => {
                sleep(TIMEOUT).await;
                Err(error_of(ApiErrorKind::Unknown, fault))
            }
            Some(fault @ (Fault::FailedAfter | Fault::TimeoutAfter)) => {
                handled.await.unwrap().ok();
                sleep(latency.saturating_sub(sent.elapsed())).await;
                Err(error_of(ApiErrorKind::Unknown, fault))
            }
            _ => {
                let answer = handled.await.unwrap();
                sleep(latency / 2).await;
                answer
            }
        }
    }

    /// What a list shows under a fault that only bends it.
    fn bend(&self, listing: &mut Listing, fault: Fault) {
        match fault {
            Fault::StaleList => {
                if let Some(stale) = self.server.stale_list() {
                    listing.silences = stale;
                }
            }
            Fault::UnreadableEntries if !listing.silences.is_empty() => {
                let index = self.server.state().rng.usize(..listing.silences.len());
                listing.silences.remove(index);
                listing.skipped = Skipped {
                    count: 1,
                    first: Some("unreadable".to_owned()),
                };
            }
            Fault::FilteredList => listing.silences.retain(is_visible),
            _ => {}
        }
    }
}

/// Whether limited credentials may see it: always the same ones, two thirds.
fn is_visible(silence: &Silence) -> bool {
    let mut hasher = DefaultHasher::new();
    silence.id.hash(&mut hasher);
    !hasher.finish().is_multiple_of(3)
}

impl SilenceApi for Line {
    async fn list(&self) -> Result<Listing, ApiError> {
        let Fate { fault, latency } = self.server.fate(Verb::List);
        yield_now().await;
        sleep(latency).await;
        self.server.state().account.list(self.process);
        if let Some(error) = fault.and_then(|fault| self.server.refusal(fault)) {
            return Err(error);
        }
        let mut listing = self.server.memory.list().await?;
        if fault == Some(Fault::Slow) {
            // A server looks at its clock when it has looked at all silences.
            sleep(SERIALISATION).await;
            listing.server_time = Some(self.server.memory.now().into());
        }
        if let Some(fault) = fault {
            self.bend(&mut listing, fault);
        }
        let mut state = self.server.state();
        state.account.listed(self.process, &listing.silences);
        Ok(listing)
    }

    async fn members(&self) -> Option<Members> {
        self.server.memory.members().await
    }

    async fn set(&self, draft: &SilenceDraft) -> Result<SilenceId, ApiError> {
        let stored = self.server.stored();
        let lost = {
            let mut state = self.server.state();
            let State {
                account,
                repository,
                rng,
                ..
            } = &mut *state;
            account.set(self.process, draft, &stored, repository);
            let id = || SilenceId::new(format!("00000000-0000-4000-8000-{:012x}", rng.u32(..)));
            draft.id.clone().unwrap_or_else(id)
        };
        let fate = self.server.fate(if draft.id.is_some() {
            Verb::Update
        } else {
            Verb::Create
        });
        if fate.fault == Some(Fault::LostWrite) && draft.id.is_none() {
            let mut state = self.server.state();
            state.account.lost_creation(self.process, &draft.comment);
        }
        if fate.fault == Some(Fault::Busy) {
            let id = draft.id.as_ref().map_or("", SilenceId::as_str);
            let mut state = self.server.state();
            state.account.unheard(self.process, Some(draft), id);
        }
        let (comment, sent) = (draft.comment.clone(), Instant::now());
        let draft = draft.clone();
        let id = draft.id.as_ref();
        // One that was sent in a storm may arrive after it, when much has changed.
        let is_prompt = fate.latency.is_zero();
        let listed = id.filter(|_| is_prompt).and_then(|id| {
            let state = self.server.state();
            let (_, listed) = state.account.last_list(self.process)?;
            listed.get(id).cloned()
        });
        let answer = self
            .write(fate, lost, move |server| {
                if let Some(id) = &draft.id {
                    server.state().account.effect(id, sent);
                }
                let before = server
                    .live()
                    .into_iter()
                    .find(|silence| Some(&silence.id) == draft.id.as_ref());
                let answer = server.post(&draft);
                if let Ok(new) = &answer {
                    server
                        .state()
                        .updated(listed.as_ref(), before.as_ref(), new);
                }
                answer
            })
            .await;
        if let Ok(id) = &answer {
            let mut state = self.server.state();
            state.account.made(self.process, id, &comment);
        }
        answer
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
        let fate = self.server.fate(Verb::Expire);
        if fate.fault == Some(Fault::UnknownId) {
            return Ok(Expired::Gone);
        }
        if fate.fault == Some(Fault::Busy) {
            let mut state = self.server.state();
            state.account.unheard(self.process, None, id.as_str());
        }
        let (process, id, sent) = (self.process, id.clone(), Instant::now());
        let ahead = self.server.memory.ahead.load(Ordering::SeqCst);
        self.write(fate, Expired::Done, move |server| {
            let live = server.live();
            let is_same_clock = server.memory.ahead.load(Ordering::SeqCst) == ahead;
            server
                .state()
                .expiring(process, &id, sent, &live, is_same_clock);
            Ok(server.delete(&id))
        })
        .await
    }
}
