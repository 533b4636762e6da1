//! What have we just done? Writes that a server's answer may not show yet.
//!
//! The replicas of a cluster agree within a minute or so, and a list may come
//! from one that has not heard. This is a hint and not state: a process that
//! forgets it makes at worst a duplicate, which the next pass removes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::effects::Effects;
use crate::name::SilenceName;
use crate::schedule::OccurrenceStart;
use crate::silence::{Silence, SilenceId};
use crate::uptime::{Moment, Uptime};

/// What we ended is known for so long, listed or not: a list may be old or lack
/// what could not be read, and servers keep what has ended for five days.
const REMEMBERED: Duration = Duration::from_hours(5 * 24);

/// The recent writes to one target.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RecentWrites {
    made: BTreeMap<SilenceId, Made>,
    ended: BTreeMap<SilenceId, Uptime>,
    /// Asked to end, with an unknown outcome that may still come.
    doubtful: BTreeMap<SilenceId, Uptime>,
    /// All that were asked to end, whatever the answer: no person need have
    /// ended them.
    asked_to_end: BTreeMap<SilenceId, Uptime>,
    /// Answered with success, and not seen to have had an effect.
    pub effects: Effects,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Made {
    silence: SilenceName,
    start: OccurrenceStart,
    at: Uptime,
}

impl RecentWrites {
    /// Nothing was written.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            made: BTreeMap::new(),
            ended: BTreeMap::new(),
            doubtful: BTreeMap::new(),
            asked_to_end: BTreeMap::new(),
            effects: Effects::new(),
        }
    }

    /// A silence was created, or updated, for a window.
    pub fn made(
        &mut self,
        id: SilenceId,
        silence: SilenceName,
        start: OccurrenceStart,
        at: Uptime,
    ) {
        self.made.insert(id, Made { silence, start, at });
    }

    /// A silence was expired.
    pub fn ended(&mut self, id: SilenceId, at: Uptime) {
        self.made.remove(&id);
        self.ended.insert(id.clone(), at);
        self.asked_to_end.insert(id, at);
    }

    /// A silence may have been expired, or may be any moment.
    pub fn doubtful(&mut self, id: SilenceId, at: Uptime) {
        self.doubtful.insert(id.clone(), at);
        self.asked_to_end.insert(id, at);
    }

    /// Whether an expiry may still be on its way to it, so that another silence
    /// for the same window is the one to rely on, and to be made if need be.
    #[must_use]
    pub fn is_doubtful(&self, id: &SilenceId) -> bool {
        self.doubtful.contains_key(id)
    }

    /// Whether we expired it, or asked for that: if it has ended, nobody else
    /// need have done it.
    #[must_use]
    pub fn has_ended(&self, id: &SilenceId) -> bool {
        self.asked_to_end.contains_key(id)
    }

    /// Whether we expired it so lately that a list may show it live still.
    #[must_use]
    pub fn has_just_ended(&self, id: &SilenceId, now: Uptime, settle: Duration) -> bool {
        self.ended
            .get(id)
            .is_some_and(|at| is_fresh(*at, now, settle))
    }

    /// The windows that have a silence which the list does not show yet.
    #[must_use]
    pub fn unsettled(
        &self,
        listed: &[Silence],
        now: Uptime,
        settle: Duration,
    ) -> BTreeSet<(&SilenceName, OccurrenceStart)> {
        let listed = among(listed, &self.made);
        self.made
            .iter()
            .filter(|(id, made)| is_fresh(made.at, now, settle) && !listed.contains(id))
            .map(|(_, made)| (&made.silence, made.start))
            .collect()
    }

    /// Whether the list contradicts what we have just done: it lacks what we
    /// made, or shows live what we ended.
    #[must_use]
    pub fn contradict(&self, listed: &[Silence], now: Uptime, settle: Duration) -> bool {
        !self.unsettled(listed, now, settle).is_empty()
            || listed
                .iter()
                .any(|silence| silence.is_live() && self.has_just_ended(&silence.id, now, settle))
    }

    /// What we made so long ago that every list should show it, and this one
    /// does not. It is gone, or we may not see it: that must be asked.
    #[must_use]
    pub fn overdue(&self, listed: &[Silence], now: Uptime, settle: Duration) -> Vec<SilenceId> {
        let listed = among(listed, &self.made);
        self.made
            .iter()
            .filter(|(id, made)| !is_fresh(made.at, now, settle) && !listed.contains(id))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// What we made is gone.
    pub fn lost(&mut self, ids: &[SilenceId], moment: Moment) {
        for made in ids.iter().filter_map(|id| self.made.remove(id)) {
            self.effects.vanished(made.silence, made.start, moment);
        }
    }

    /// Believes the list: whatever we did, the server's state is what it shows.
    pub fn settle(&mut self, listed: &[Silence], moment: Moment) {
        self.forget_made(listed, moment, Duration::ZERO);
        self.ended.clear();
    }

    /// Drops what no longer matters: writes that have settled, and ended
    /// silences that the server has forgotten.
    pub fn forget(&mut self, listed: &[Silence], moment: Moment, settle: Duration) {
        self.forget_made(listed, moment, settle);
        let now = moment.uptime;
        self.ended.retain(|_, at| is_fresh(*at, now, settle));
        // So late the expiry may come, and as long after it a list may be old.
        self.doubtful.retain(|_, at| is_fresh(*at, now, 2 * settle));
        let listed = among(listed, &self.asked_to_end);
        self.asked_to_end
            .retain(|id, at| is_fresh(*at, now, REMEMBERED) || listed.contains(id));
    }

    /// What was made longer ago than `settle` has either been listed, or is gone.
    fn forget_made(&mut self, listed: &[Silence], moment: Moment, settle: Duration) {
        let listed = among(listed, &self.made);
        for made in listed.iter().filter_map(|id| self.made.get(*id)) {
            self.effects.shown(&made.silence, made.start);
        }
        let settled = |_: &SilenceId, made: &mut Made| !is_fresh(made.at, moment.uptime, settle);
        for (id, made) in self.made.extract_if(.., settled) {
            if !listed.contains(&id) {
                self.effects.vanished(made.silence, made.start, moment);
            }
        }
    }
}

/// Whether `at` is less than `time` ago.
fn is_fresh(at: Uptime, now: Uptime, time: Duration) -> bool {
    now.since(at) < time
}

/// The ids in a list that are known.
fn among<'a, T>(listed: &'a [Silence], known: &BTreeMap<SilenceId, T>) -> BTreeSet<&'a SilenceId> {
    let ids = listed.iter().map(|silence| &silence.id);
    ids.filter(|id| known.contains_key(*id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matcher::Matchers;
    use crate::silence::SilenceState;
    use crate::timestamp::Timestamp;

    #[test]
    fn what_we_asked_to_end_was_ended_by_us_for_as_long_as_it_may_be_listed() {
        let start = Timestamp::from_seconds(1_000_000);
        let after = |running| Moment {
            uptime: Uptime::new(running),
            now: start.plus(running),
        };
        let settle = Duration::from_secs(90);
        let id = SilenceId::new("1");
        let expired = Silence {
            id: id.clone(),
            matchers: Matchers::default(),
            starts_at: start,
            ends_at: start,
            created_by: String::new(),
            comment: String::new(),
            annotations: crate::silence::Annotations::default(),
            state: SilenceState::Expired,
        };
        let mut recent = RecentWrites::new();
        recent.doubtful(id.clone(), Uptime::default());
        recent.forget(&[], after(settle + settle / 2), settle);
        assert!(recent.is_doubtful(&id), "a list may not show it ended yet");
        let later = Duration::from_hours(1);
        recent.forget(std::slice::from_ref(&expired), after(later), settle);
        assert!(recent.has_ended(&id), "the answer was lost, not the expiry");
        assert!(!recent.is_doubtful(&id), "nothing is on its way any more");
        recent.forget(&[], after(later), settle);
        assert!(recent.has_ended(&id), "one list may lack it");
        recent.forget(&[], after(later + REMEMBERED), settle);
        assert!(!recent.has_ended(&id), "the server has forgotten it");
    }
}
