//! Is this too much at once? The guard against mass expiry.
//!
//! The worst incidents of tools like this one are mass deletions after an empty
//! or half-read desired state. So expiries beyond a share are held until
//! somebody confirms exactly this plan.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Action, Change, Coverage, Hold, HoldCause, PlanInput};

/// How many silences may be expired in one pass.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Guard {
    /// Up to this many are never held.
    pub max_expire: usize,
    /// Up to this share of our live silences is never held, in percent.
    pub max_expire_percent: usize,
    /// Lets the plan of this fingerprint pass.
    pub confirmed: Option<Fingerprint>,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            max_expire: 10,
            max_expire_percent: 30,
            confirmed: None,
        }
    }
}

/// Names a set of expiries: 16 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// As somebody typed it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Of the silences that a plan would take away. What it creates does not
    /// count: windows open while somebody reads the plan.
    fn of(actions: &[Action]) -> Self {
        let mut ids: Vec<&str> = actions.iter().filter_map(expired_id).collect();
        ids.sort_unstable();
        let mut hasher = DefaultHasher::new();
        ids.hash(&mut hasher);
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

/// Turns expiries into holds when there are too many of them.
pub(super) fn hold_mass_expiry(
    input: &PlanInput<'_>,
    owned: usize,
    actions: &mut Vec<Action>,
    holds: &mut Vec<Hold>,
) -> Fingerprint {
    let guard = input.guard;
    let fingerprint = Fingerprint::of(actions);
    let count = actions.iter().filter_map(expired_id).count();
    let nothing_declared = input.declarations.silences.is_empty();
    let too_many = count > guard.max_expire && count * 100 > owned * guard.max_expire_percent;
    if count == 0 || guard.confirmed.as_ref() == Some(&fingerprint) {
        return fingerprint;
    }
    let reason = if nothing_declared {
        format!(
            "nothing is declared any more, which would expire all {count}; confirm with {fingerprint}"
        )
    } else if too_many {
        format!(
            "{count} of {owned} silences would be expired, more than {} and {} %; confirm with {fingerprint}",
            guard.max_expire, guard.max_expire_percent
        )
    } else {
        return fingerprint;
    };
    actions.retain(|action| {
        let held = expired_id(action).is_some();
        if held {
            holds.push(Hold {
                silence: action.silence.clone(),
                cause: HoldCause::Guard,
                reason: reason.clone(),
            });
        }
        !held
    });
    fingerprint
}
