//! Is this too much at once, or not allowed at all? The guards, and the mode.
//!
//! The worst incidents of tools like this one are mass deletions after an empty
//! or half-read desired state. So expiries beyond a share are held until
//! somebody confirms exactly this plan.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Action, Change, Coverage, Hold, HoldCause, Mode, PlanInput, compare};
use crate::name::SilenceName;

/// How much may change in one pass.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Guard {
    /// Up to this many are expired without asking.
    pub max_expire: usize,
    /// Up to this share of our live silences, in percent, is expired without asking.
    pub max_expire_percent: usize,
    /// Up to this many are created without asking.
    pub max_create: usize,
}

impl Default for Guard {
    /// 50,000 silences are what Alertmanager still lists within a second.
    fn default() -> Self {
        Self {
            max_expire: 10,
            max_expire_percent: 30,
            max_create: 50_000,
        }
    }
}

impl Guard {
    /// One that holds nothing for its number.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self {
            max_expire: usize::MAX,
            max_expire_percent: 100,
            max_create: usize::MAX,
        }
    }
}

/// Names a set of expiries: 16 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fingerprint(String);

/// A text that cannot be a fingerprint.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("copy the 16 digits that the plan shows")]
pub struct InvalidFingerprint;

impl Fingerprint {
    /// Any text, unchecked.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What somebody typed: 16 digits, in either case.
    pub fn parse(text: &str) -> Result<Self, InvalidFingerprint> {
        if text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(InvalidFingerprint)
        }
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Of the silences that a plan of these actions would take away and, if they are
    /// more than `guard` lets pass, of the declarations for which it would make some.
    /// The windows do not count: they go by while somebody reads the plan.
    #[must_use]
    pub fn of<'a>(actions: impl IntoIterator<Item = &'a Action>, guard: &Guard) -> Self {
        let mut ids = Vec::new();
        let mut names = Vec::new();
        for action in actions {
            ids.extend(expired_id(action));
            names.extend(is_create(action).then(|| action.silence.as_str()));
        }
        if names.len() <= guard.max_create {
            names.clear();
        }
        ids.sort_unstable();
        names.sort_unstable();
        names.dedup();
        let mut hasher = DefaultHasher::new();
        (ids, names).hash(&mut hasher);
        Self(format!("{:016x}", hasher.finish()))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The silence that an action takes away without putting another in its place.
fn expired_id(action: &Action) -> Option<&str> {
    match &action.change {
        Change::Expire(silence, Coverage::Ends) => Some(silence.id.as_str()),
        _ => None,
    }
}

/// Turns what the mode does not allow into holds.
pub(super) fn hold_what_the_mode_forbids(
    mode: Mode,
    actions: &mut Vec<Action>,
    holds: &mut Vec<Hold>,
) {
    let forbids = |action: &Action| match mode {
        Mode::Sync => false,
        Mode::UpsertOnly => matches!(action.change, Change::Expire(..)),
        Mode::CreateOnly => !matches!(action.change, Change::Create(_)),
        Mode::Observe => true,
    };
    hold(actions, holds, HoldCause::Mode, forbids, |action| {
        format!(
            "would {} ({}), which the mode `{}` does not allow",
            action.change.word(),
            action.reason,
            mode.word()
        )
    });
}

/// Turns what needs a free place into holds while the server has none. Updates
/// in place and expiries work at the limit too.
pub(super) fn hold_what_does_not_fit(
    full: Option<&str>,
    actions: &mut Vec<Action>,
    holds: &mut Vec<Hold>,
) {
    let Some(reason) = full else { return };
    let needs_place =
        |action: &Action| matches!(action.change, Change::Create(_) | Change::Replace(..));
    hold(actions, holds, HoldCause::Limit, needs_place, |_| {
        reason.to_owned()
    });
}

/// Turns what the server lately accepted without doing it into holds, and the
/// expiries of duplicates of that: they may be all that there is soon.
pub(super) fn hold_what_has_no_effect(
    input: &PlanInput<'_>,
    actions: &mut Vec<Action>,
    holds: &mut Vec<Hold>,
) {
    let waits = |action: &Action| input.recent.effects.action_waits(action, input.uptime);
    let waiting: BTreeMap<SilenceName, &str> = actions
        .iter()
        .filter(|action| action.change.draft().is_some())
        .filter_map(|action| Some((action.silence.clone(), waits(action)?)))
        .collect();
    let reason = |action: &Action| {
        let of_kept = match action.change {
            Change::Expire(_, Coverage::Remains) => waiting.get(&action.silence).copied(),
            _ => None,
        };
        waits(action).or(of_kept)
    };
    hold(
        actions,
        holds,
        HoldCause::Ineffective,
        |action| reason(action).is_some(),
        |action| reason(action).unwrap_or_default().to_owned(),
    );
}

/// Turns changes into holds when there are too many of them, unless somebody
/// confirmed them by their fingerprint.
pub(super) fn hold_mass_changes(
    input: &PlanInput<'_>,
    owned: usize,
    actions: &mut Vec<Action>,
    holds: &mut Vec<Hold>,
) -> Fingerprint {
    let guard = &input.settings.guard;
    let creates = actions.iter().filter(|action| is_create(action)).count();
    let too_many_creates = creates > guard.max_create;
    let fingerprint = Fingerprint::of(&*actions, guard);
    if input.confirmed.contains(&fingerprint) {
        return fingerprint;
    }
    let count = actions.iter().filter_map(expired_id).count();
    let declarations = input.declarations;
    let expiry_reason = if count == 0 {
        None
    } else if declarations.silences.is_empty() {
        Some(format!(
            "nothing is declared any more, which would expire all {count}"
        ))
    } else if declarations.broken.len() * 2 > declarations.paths.len() {
        Some(format!(
            "{} of {} files are broken, and {count} silences would be expired",
            declarations.broken.len(),
            declarations.paths.len()
        ))
    } else if count > guard.max_expire && count * 100 > owned * guard.max_expire_percent {
        Some(format!(
            "{count} of {owned} silences would be expired, more than {} and {} %",
            guard.max_expire, guard.max_expire_percent
        ))
    } else {
        None
    };
    if let Some(reason) = expiry_reason {
        let renewals = renewals(input, actions);
        hold(
            actions,
            holds,
            HoldCause::Guard,
            |action| expired_id(action).is_some(),
            |_| format!("{reason}; confirm with {fingerprint}"),
        );
        actions.extend(renewals);
    }
    if too_many_creates {
        hold(actions, holds, HoldCause::Guard, is_create, |_| {
            format!(
                "{creates} silences would be created, more than {}; confirm with {fingerprint}",
                guard.max_create
            )
        });
    }
    fingerprint
}

/// What keeps the leases whose expiry is held: they would lapse by themselves
/// while the guard waits for somebody to confirm.
fn renewals(input: &PlanInput<'_>, actions: &[Action]) -> Vec<Action> {
    let renewal = |action: &Action| {
        let Change::Expire(silence, Coverage::Ends) = &action.change else {
            return None;
        };
        let (change, reason) = compare::renew(input, action.window, silence)?;
        let renewal = Action {
            silence: action.silence.clone(),
            window: action.window,
            change,
            reason,
        };
        let has_no_effect = input.recent.effects.action_waits(&renewal, input.uptime);
        has_no_effect.is_none().then_some(renewal)
    };
    actions.iter().filter_map(renewal).collect()
}

const fn is_create(action: &Action) -> bool {
    matches!(action.change, Change::Create(_))
}

/// Moves the actions that are not to be done over to the holds.
fn hold(
    actions: &mut Vec<Action>,
    holds: &mut Vec<Hold>,
    cause: HoldCause,
    is_held: impl Fn(&Action) -> bool,
    reason: impl Fn(&Action) -> String,
) {
    holds.extend(
        actions
            .extract_if(.., |action| is_held(action))
            .map(|action| Hold {
                cause,
                reason: reason(&action),
                leaves_gap: action.change.draft().is_some(),
                silence: action.silence,
            }),
    );
}
