//! What does each declaration come to? The table of [`super`], declaration by
//! declaration and window by window.

use std::collections::BTreeSet;
use std::time::Duration;

use super::action::{Action, Change, Coverage, Hold, HoldCause};
use super::lineage::Origin;
use super::marker::Marker;
use super::observed::Owned;
use super::settings::HandExpired;
use super::{PlanInput, compare, pairing};
use crate::declaration::{Declaration, Declarations};
use crate::name::SilenceName;
use crate::schedule::{Forecast, Occurrence, OccurrenceStart, occurrences};
use crate::silence::Silence;
use crate::timestamp::Timestamp;

/// Windows that end this soon are not written any more: by the time the request
/// arrives they may be over, and the server would refuse it.
const MARGIN: Duration = Duration::from_secs(2);

/// Goes through the declarations, and collects what each comes to.
pub(super) struct Planner<'a> {
    input: &'a PlanInput<'a>,
    /// Whether the server keeps annotations: most drop them without a word, and
    /// a difference to what is always empty would never close. One silence that
    /// has some is proof.
    keeps_annotations: bool,
    unsettled: BTreeSet<(&'a SilenceName, OccurrenceStart)>,
    pub(super) actions: Vec<Action>,
    pub(super) holds: Vec<Hold>,
    pub(super) remarks: Vec<String>,
    pub(super) desired: usize,
    /// When the first lease ends, with what is planned for it.
    pub(super) lapses: Option<Timestamp>,
    pub(super) unexplained: Vec<Origin>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(input: &'a PlanInput<'a>, remarks: Vec<String>) -> Self {
        Self {
            input,
            keeps_annotations: input
                .silences
                .iter()
                .any(|silence| !silence.annotations.is_empty()),
            unsettled: input
                .recent
                .unsettled(input.silences, input.uptime, input.settings.settle),
            actions: Vec::new(),
            holds: Vec::new(),
            remarks,
            desired: 0,
            lapses: None,
            unexplained: Vec::new(),
        }
    }
}

impl Planner<'_> {
    pub(super) fn declaration(
        &mut self,
        declaration: &Declaration,
        forecast: Option<&Forecast>,
        owned: Vec<Owned<'_>>,
        tombstones: &[Owned<'_>],
    ) {
        let now = self.input.now;
        let is_for_target = declaration
            .targets
            .selects(self.input.target, self.input.labels);
        if declaration.suspended && (is_for_target || !owned.is_empty()) {
            let reason = "the declaration says `suspend: true`".to_owned();
            return self.hold(&declaration.name, HoldCause::Suspended, reason);
        }
        if !is_for_target {
            return self.expire_all(owned, "not declared for this target");
        }
        if !declaration.enabled {
            return self.expire_all(owned, "the declaration says `enabled: false`");
        }
        if declaration.expires.is_some_and(|expires| expires <= now) {
            return self.expire_all(owned, "the declaration has expired");
        }
        if let Some(reason) = self.policy_against(declaration) {
            self.renew_held(&owned);
            return self.hold(&declaration.name, HoldCause::Policy, reason);
        }
        let declaration = &*match declaration.on_target(self.input.target, self.input.labels) {
            Ok(declaration) => declaration,
            Err(missing) => {
                self.renew_held(&owned);
                let reason = missing.to_string();
                return self.hold(&declaration.name, HoldCause::Placeholder, reason);
            }
        };
        if let Some(stand_in) = self.input.declarations.stand_in(&declaration.name) {
            self.hold(&declaration.name, HoldCause::Broken, stand_in.to_string());
        }
        let windows = self.windows(declaration, forecast, &owned);
        let pairing = pairing::pair(&windows, owned, declaration, self.input.recent);
        for (duplicate, kept) in pairing.duplicates {
            self.expire(
                duplicate,
                Coverage::Remains,
                &format!("duplicate of {kept}"),
            );
        }
        for surplus in pairing.unpaired {
            self.expire(surplus, Coverage::Ends, "the schedule has no such window");
        }
        for (window, live) in windows.iter().zip(pairing.live) {
            let ends_at = live.as_ref().map(|live| live.silence.ends_at);
            let change = match live {
                // A change would come too late, unless it makes the silence shorter.
                Some(live)
                    if live.silence.ends_at <= window.end && window.end <= now.plus(MARGIN) =>
                {
                    None
                }
                Some(live) => {
                    let keeps = self.keeps_annotations;
                    let change = compare::adjust(self.input, declaration, window, &live, keeps);
                    // What takes its place may be there already.
                    change.filter(|(change, _)| {
                        !matches!(change, Change::Replace(..))
                            || !self.is_unsettled(&declaration.name, window)
                    })
                }
                None if !self.is_to_be_created(declaration, window, tombstones) => continue,
                None => Some(compare::create(self.input, declaration, window)),
            };
            self.desired += 1;
            if window.is_lease {
                let draft = change.as_ref().and_then(|(change, _)| change.draft());
                let ends_at = draft.map(|draft| draft.ends_at).or(ends_at);
                self.lapses = self.lapses.into_iter().chain(ends_at).min();
            }
            self.actions.extend(change.map(|(change, reason)| Action {
                silence: declaration.name.clone(),
                window: window.marker_start(),
                change,
                reason,
            }));
        }
    }

    /// Why the policy does not let a declaration become silences.
    fn policy_against(&self, declaration: &Declaration) -> Option<String> {
        let unenforced = self.input.declarations.unenforced_policy.as_ref();
        unenforced
            .map(|path| format!("this version cannot enforce `{path}`, so it changes nothing"))
            .or_else(|| declaration.violations.first().cloned())
    }

    /// Whether a window has a silence that no list shows yet; holds it, if so.
    fn is_unsettled(&mut self, name: &SilenceName, window: &Occurrence) -> bool {
        let is_unsettled = self.unsettled.contains(&(name, window.marker_start()));
        if is_unsettled {
            let reason = "written just now, and not in the server's list yet".to_owned();
            self.hold(name, HoldCause::Unsettled, reason);
        }
        is_unsettled
    }

    /// Whether a window that nothing stands for gets a silence now.
    fn is_to_be_created(
        &mut self,
        declaration: &Declaration,
        window: &Occurrence,
        tombstones: &[Owned<'_>],
    ) -> bool {
        let now = self.input.now;
        if window.start > now.plus(self.input.settings.horizon) || window.end <= now.plus(MARGIN) {
            return false;
        }
        let name = &declaration.name;
        if self.is_unsettled(name, window) {
            return false;
        }
        let start = window.marker_start();
        let effects = &self.input.recent.effects;
        if let Some(reason) = effects.window_waits(name, start, self.input.uptime) {
            let reason = reason.to_owned();
            self.hold(name, HoldCause::Ineffective, reason);
            return false;
        }
        let mut early: Vec<&Owned<'_>> = tombstones
            .iter()
            .filter(|old| self.ended_early(old, declaration, window))
            .collect();
        let is_unchanged = |old: &Owned<'_>| self.is_unchanged_since(declaration, &old.marker);
        let Some(tombstone) = early.iter().find(|old| is_unchanged(old) == Some(true)) else {
            early.retain(|old| is_unchanged(old).is_none());
            self.leave_unexplained(&early);
            return true;
        };
        let id = &tombstone.silence.id;
        let at = tombstone.silence.ends_at;
        match self.input.settings.hand_expired {
            HandExpired::Recreate => {
                self.remarks.push(format!(
                    "{name} was expired by hand at {at} ({id}) and is created again"
                ));
                true
            }
            HandExpired::Respect => {
                let reason = format!("expired by hand at {at} ({id})");
                self.hold(name, HoldCause::HandExpired, reason);
                false
            }
        }
    }

    /// Whether the silence of this window ended before its time, and not by
    /// this process. One for other alerts, such as somebody's edited copy, never
    /// was the silence of this window.
    fn ended_early(
        &self,
        tombstone: &Owned<'_>,
        declaration: &Declaration,
        window: &Occurrence,
    ) -> bool {
        !window.is_lease
            && tombstone.marker.start == window.marker_start()
            && tombstone.silence.matchers.same_set(&declaration.matchers)
            && tombstone.silence.ends_at < window.end
            && !self.input.recent.has_ended(&tombstone.silence.id)
            && !self.was_one_of_several(tombstone.silence, window)
    }

    /// Whether another silence went on for the same alerts when this one ended,
    /// even if people have taken its marker away since: then it was a duplicate,
    /// or replaced, and nobody wanted to hear of the alerts.
    fn was_one_of_several(&self, ended: &Silence, window: &Occurrence) -> bool {
        self.input.silences.iter().any(|other| {
            other.ends_at > ended.ends_at
                && other.starts_at <= ended.ends_at.max(window.start)
                && other.id != ended.id
                && other.matchers.same_set(&ended.matchers)
        })
    }

    /// Whether a declaration is what it was when a silence was written for it.
    /// If it was another in between, or none, an earlier process of ours may have
    /// ended the silence for that. A directory does not tell: what was written
    /// for one counts as unchanged as long as a directory is read.
    fn is_unchanged_since(&self, declaration: &Declaration, marker: &Marker) -> Option<bool> {
        if marker.commit.as_deref() == compare::commit(self.input, declaration) {
            return Some(true);
        }
        match Origin::of(marker) {
            Some(origin) if self.input.revision.short_commit().is_some() => {
                self.input.lineage.is_unchanged_since(&origin)
            }
            _ => Some(false),
        }
    }

    /// Tells that a silence is created again though somebody may have ended it.
    fn leave_unexplained(&mut self, ended: &[&Owned<'_>]) {
        let origins = ended.iter().filter_map(|old| Origin::of(&old.marker));
        self.unexplained.extend(origins);
        if let Some(Owned {
            silence, marker, ..
        }) = ended.first()
        {
            self.remarks.push(format!(
                "{} was expired before its time at {} ({}), by hand or by an earlier process, \
                 and is created again",
                marker.silence, silence.ends_at, silence.id
            ));
        }
    }

    /// The windows that may be on the server: within the horizon, and as far
    /// ahead as a pending silence of that name lies. A horizon that was made
    /// shorter takes nothing away.
    fn windows(
        &self,
        declaration: &Declaration,
        forecast: Option<&Forecast>,
        owned: &[Owned<'_>],
    ) -> Vec<Occurrence> {
        let now = self.input.now;
        let reached = now.plus(self.input.settings.horizon);
        let farthest = now.plus(crate::schedule::REACH);
        let pending = owned
            .iter()
            .map(|owned| owned.silence.starts_at)
            .max()
            .unwrap_or(reached);
        let until = reached
            .max(pending.min(farthest))
            .plus(Duration::from_secs(1));
        forecast
            .and_then(|forecast| forecast.occurrences(now, until))
            .unwrap_or_else(|| occurrences(&declaration.schedule, now, until))
    }

    /// Owned silences of a name that several files claim. It stays with the file that
    /// they come from, and of several with that of the last to end: who claims it too
    /// must not take them away, nor may it change hands as they end by themselves.
    fn ambiguous(&mut self, name: &SilenceName, owned: Vec<Owned<'_>>, tombstones: &[Owned<'_>]) {
        let claimants = &self.input.declarations.claimants;
        let claimed = owned.iter().filter_map(|owned| {
            let source = owned.marker.source.as_ref()?;
            let mut claimants = claimants.iter();
            let claimant = claimants.find(|it| it.name == *name && it.source == *source)?;
            Some((owned.silence.ends_at, &owned.silence.id, claimant))
        });
        let last = claimed.max_by_key(|(ends_at, id, _)| (*ends_at, *id));
        if let Some((_, _, claimant)) = last {
            let source = &claimant.source;
            let reason = format!("declared more than once, and goes on as in `{source}`");
            self.hold(name, HoldCause::Broken, reason);
            self.declaration(claimant, None, owned, tombstones);
        } else {
            self.renew_held(&owned);
            self.hold(
                name,
                HoldCause::Broken,
                "declared more than once".to_owned(),
            );
        }
    }

    /// Owned silences of a name that nothing valid declares.
    pub(super) fn undeclared(
        &mut self,
        name: &SilenceName,
        owned: Vec<Owned<'_>>,
        tombstones: &[Owned<'_>],
    ) {
        let declarations = self.input.declarations;
        if declarations.ambiguous.contains(name) {
            return self.ambiguous(name, owned, tombstones);
        }
        let (held, gone): (Vec<_>, Vec<_>) = owned
            .into_iter()
            .map(|owned| {
                let reason = broken_reason(declarations, &owned.marker);
                (owned, reason)
            })
            .partition(|(_, reason)| reason.is_some());
        self.renew_held(held.iter().map(|(owned, _)| owned));
        let reasons: BTreeSet<String> = held.into_iter().filter_map(|(_, reason)| reason).collect();
        for reason in reasons {
            self.hold(name, HoldCause::Broken, reason);
        }
        self.expire_all(
            gone.into_iter().map(|(owned, _)| owned).collect(),
            "no longer declared",
        );
    }

    /// A hold freezes content, not coverage: a lease that nobody gave up goes on.
    fn renew_held<'owned>(&mut self, held: impl IntoIterator<Item = &'owned Owned<'owned>>) {
        for Owned {
            silence, marker, ..
        } in held
        {
            let renewal = compare::renew(self.input, marker.start, silence);
            self.actions.extend(renewal.map(|(change, reason)| Action {
                silence: marker.silence.clone(),
                window: marker.start,
                change,
                reason,
            }));
        }
    }

    fn hold(&mut self, silence: &SilenceName, cause: HoldCause, reason: String) {
        let leaves_gap = matches!(
            cause,
            HoldCause::Placeholder | HoldCause::Unsettled | HoldCause::Ineffective
        );
        self.holds.push(Hold {
            silence: silence.clone(),
            cause,
            reason,
            leaves_gap,
        });
    }

    fn expire_all(&mut self, owned: Vec<Owned<'_>>, reason: &str) {
        for owned in owned {
            self.expire(owned, Coverage::Ends, reason);
        }
    }

    fn expire(&mut self, owned: Owned<'_>, coverage: Coverage, reason: &str) {
        self.actions.push(Action {
            silence: owned.marker.silence,
            window: owned.marker.start,
            change: Change::Expire(Box::new(owned.silence.clone()), coverage),
            reason: reason.to_owned(),
        });
    }
}

/// Why a silence that nothing declares may still be declared by a broken file.
fn broken_reason(declarations: &Declarations, marker: &Marker) -> Option<String> {
    let source = marker.source.as_deref();
    let at_source = declarations
        .broken
        .iter()
        .find(|file| Some(file.path.as_str()) == source);
    if let Some(file) = at_source {
        return Some(format!("`{}` is broken", file.path));
    }
    if let Some(file) = declarations
        .broken
        .iter()
        .find(|file| file.mentions(&marker.silence))
    {
        return Some(format!("`{}` is broken and mentions it", file.path));
    }
    // Its file is gone, and perhaps became one of the broken ones.
    let source_is_missing = source.is_some_and(|source| !declarations.paths.contains(source));
    let first = declarations.broken.first()?;
    source_is_missing.then(|| {
        format!(
            "its file is gone and `{}`, which may be its new name, is broken",
            first.path
        )
    })
}
