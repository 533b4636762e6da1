//! What did the server accept and not do? Writes that it answered with success
//! and that no list shows, so that they are not sent again without end.
//!
//! In a cluster the newer of two versions of a silence wins by the clocks of
//! the replicas that wrote them. A write by a replica whose clock is behind is
//! dropped, also by that replica, and yet answered with 200.

use std::collections::BTreeMap;
use std::time::Duration;

use super::action::{Action, Change};
use crate::name::SilenceName;
use crate::schedule::OccurrenceStart;
use crate::silence::{Silence, SilenceId};
use crate::uptime::{Moment, Uptime};

/// How long the same write is left alone after the first time.
const FIRST: Duration = Duration::from_mins(1);

/// It is tried again at least this often: somebody may have set the clock.
const LONGEST: Duration = Duration::from_mins(15);

/// A server may lose its state several times in a row, before any list shows
/// what was made anew: so often that is made again at once.
const LOSSES: u32 = 10;

/// What is neither sent again nor waited for is forgotten after this.
const FORGOTTEN: Duration = Duration::from_hours(24);

/// A request to a silence that was there before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Request {
    /// To change it in place.
    Update,
    /// To end it.
    Expire,
}

impl Request {
    /// What an action asks of a silence that is there, and of which.
    #[must_use]
    pub fn of(change: &Change) -> Option<(&SilenceId, Self)> {
        let request = match change {
            Change::Create(_) => return None,
            Change::Update(_) => Self::Update,
            Change::Replace(..) | Change::Expire(..) => Self::Expire,
        };
        Some((change.id()?, request))
    }

    /// The word for it in messages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Expire => "expiry",
        }
    }
}

/// What should have come of a write.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Subject {
    Change(SilenceId, Request),
    Window(SilenceName, OccurrenceStart),
}

/// A write whose effect has not been seen.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Doubt {
    /// When it was sent first.
    since: Uptime,
    /// How often it turned out to have had no effect.
    times: u32,
    /// Not to be sent again before.
    until: Uptime,
    /// Why, for people.
    reason: String,
}

impl Doubt {
    const fn new(now: Uptime) -> Self {
        Self {
            since: now,
            times: 0,
            until: now,
            reason: String::new(),
        }
    }
}

/// The writes to one target whose effects have not been seen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Effects(BTreeMap<Subject, Doubt>);

impl Effects {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// A request to a silence that was there succeeded at `now`; returns when it
    /// was sent first, if its effect has not been seen since.
    pub fn sent(&mut self, id: &SilenceId, request: Request, now: Uptime) -> Uptime {
        let subject = Subject::Change(id.clone(), request);
        self.0
            .entry(subject)
            .or_insert_with(|| Doubt::new(now))
            .since
    }

    /// A list shows its effect.
    pub fn seen(&mut self, id: &SilenceId, request: Request) {
        self.0.remove(&Subject::Change(id.clone(), request));
    }

    /// A list that must show the effect of that request shows the silence as
    /// `shown`: it is not sent again for a while. Returns what to tell people.
    pub fn missing(
        &mut self,
        id: &SilenceId,
        request: Request,
        shown: &str,
        moment: Moment,
    ) -> String {
        let subject = Subject::Change(id.clone(), request);
        let Some(doubt) = self.0.get_mut(&subject) else {
            return String::new();
        };
        doubt.times = doubt.times.saturating_add(1);
        let wait = wait(doubt.times);
        doubt.until = moment.uptime.plus(wait);
        doubt.reason = format!(
            "the {} of {id} was answered with success and has no effect, the server's list still \
             shows it as before ({shown}); most likely the clocks of its replicas differ, or one \
             was set back: compare them; it is tried again at {}",
            request.word(),
            moment.now.plus(wait)
        );
        doubt.reason.clone()
    }

    /// A list shows a silence that was made for a window.
    pub(super) fn shown(&mut self, silence: &SilenceName, start: OccurrenceStart) {
        self.0.remove(&Subject::Window(silence.clone(), start));
    }

    /// Replicas have had time to agree, and no list showed the silence that was
    /// made for a window. At first it is made again at once.
    pub(super) fn vanished(
        &mut self,
        silence: SilenceName,
        start: OccurrenceStart,
        moment: Moment,
    ) {
        let subject = Subject::Window(silence, start);
        let doubt = self.0.entry(subject);
        let doubt = doubt.or_insert_with(|| Doubt::new(moment.uptime));
        doubt.times = doubt.times.saturating_add(1);
        if let Some(times) = doubt.times.checked_sub(LOSSES).filter(|times| *times > 0) {
            let wait = wait(times);
            doubt.until = moment.uptime.plus(wait);
            doubt.reason = format!(
                "created {} times, and each time missing from the server's list later; see \
                 whether the server keeps its silences, and whether this target is one replica \
                 of one cluster; it is tried again at {}",
                doubt.times,
                moment.now.plus(wait)
            );
        }
    }

    /// Why nothing is created for a window now, if so.
    pub(super) fn window_waits(
        &self,
        silence: &SilenceName,
        start: OccurrenceStart,
        now: Uptime,
    ) -> Option<&str> {
        self.waits(&Subject::Window(silence.clone(), start), now)
    }

    /// Why an action is not to be sent now, if so.
    pub(super) fn action_waits(&self, action: &Action, now: Uptime) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        let (id, request) = Request::of(&action.change)?;
        self.waits(&Subject::Change(id.clone(), request), now)
    }

    fn waits(&self, subject: &Subject, now: Uptime) -> Option<&str> {
        let doubt = self.0.get(subject)?;
        (doubt.until > now).then_some(doubt.reason.as_str())
    }

    /// Drops doubts that a list settles: it shows the silence ended, or a plan
    /// over it asks for no such update any more.
    pub fn settle(&mut self, listed: &[Silence], actions: &[Action], now: Uptime) {
        self.0.retain(|subject, doubt| {
            if now.since(doubt.until) > FORGOTTEN {
                return false;
            }
            let Subject::Change(id, request) = subject else {
                return true;
            };
            let is_open = || match request {
                Request::Update => actions
                    .iter()
                    .any(|action| Request::of(&action.change) == Some((id, *request))),
                Request::Expire => listed
                    .iter()
                    .any(|silence| silence.id == *id && silence.is_live()),
            };
            doubt.until > now || is_open()
        });
    }
}

/// Doubling, from [`FIRST`] to [`LONGEST`].
fn wait(times: u32) -> Duration {
    FIRST
        .saturating_mul(1 << times.saturating_sub(1).min(8))
        .min(LONGEST)
}
