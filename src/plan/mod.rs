//! What must change? From declarations and a server's list to the complete
//! list of actions for that server, with everything that is held and why.
//!
//! A plan leaves nothing to decide to whoever carries it out: a dry run is a
//! plan that nobody applies.
//!
//! What one declared window and the owned silences of its name come to:
//!
//! | window | on the server | action |
//! | --- | --- | --- |
//! | starts within the horizon | nothing | create |
//! | the same start | the same content | none |
//! | the same start | another end, comment or owner | update, same id |
//! | overlapping, another start | pending | update, same id |
//! | running | active, started later | none: the server moved the start |
//! | running | pending | replace: the server cannot start it in place |
//! | starts later | active | replace |
//! | any | other matchers | replace: create, then expire |
//! | any | one that an expiry of ours may still reach | replace |
//! | any | two of them | expire one |
//! | none | pending or active | expire |

mod action;
mod compare;
mod effects;
mod guard;
mod lineage;
mod marker;
mod observed;
mod pairing;
mod planner;
mod present;
mod recent;
mod render;
mod settings;

use std::collections::BTreeMap;

pub use action::{Action, Change, Coverage, Hold, HoldCause};
pub use effects::{Effects, Request};
pub use guard::{Fingerprint, Guard, InvalidFingerprint};
pub use lineage::{Lineage, Origin};
pub use marker::{Marker, Ownership, comment};
pub use observed::{Observed, Owned};
pub use present::present;
pub use recent::RecentWrites;
pub use render::{Style, render, to_json};
pub use settings::{HandExpired, Mode, Settings};

use crate::declaration::Declarations;
use crate::name::TargetName;
use crate::schedule::Forecast;
use crate::silence::Silence;
use crate::snapshot::Revision;
use crate::timestamp::Timestamp;
use crate::uptime::Uptime;
use planner::Planner;

/// Everything that one target needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// In the order in which they are carried out.
    pub actions: Vec<Action>,
    /// By name.
    pub holds: Vec<Hold>,
    /// Live silences that are not ours.
    pub foreign: usize,
    /// Live silences that are ours, before the actions.
    pub owned: usize,
    /// What was noticed about silences that claim to be ours.
    pub remarks: Vec<String>,
    /// Names the expiries of this plan, to confirm them past a guard.
    pub fingerprint: Fingerprint,
    /// Declared windows that are, or will be, on the server.
    pub desired: usize,
    /// Until when every declared window has its silence, also if nothing is done
    /// after the actions: the horizon, or the end of the first lease. None when a
    /// hold leaves a gap, or it is not known what is declared. What a declaration,
    /// the policy or a person keeps away is no gap.
    pub covered_until: Option<Timestamp>,
    /// Silences that were ended before their time, and of whose declarations
    /// [`PlanInput::lineage`] does not know enough to say by whom.
    pub unexplained: Vec<Origin>,
}

/// What the plan of one target follows from.
#[derive(Clone, Copy, Debug)]
pub struct PlanInput<'a> {
    /// What holds for every plan.
    pub settings: &'a Settings,
    /// Which target.
    pub target: &'a TargetName,
    /// Its labels, for `targets:` selectors.
    pub labels: &'a BTreeMap<String, String>,
    /// What is declared.
    pub declarations: &'a Declarations,
    /// What is known of the windows of each declaration, in their order. One
    /// that is missing, or ends too early, is computed.
    pub forecasts: &'a [Forecast],
    /// From where.
    pub revision: &'a Revision,
    /// Since when the declarations are what they are.
    pub lineage: &'a Lineage,
    /// What the target holds.
    pub silences: &'a [Silence],
    /// What we have just done to it.
    pub recent: &'a RecentWrites,
    /// Why nothing can be created for now: the server's limit.
    pub full: Option<&'a str>,
    /// The plans that somebody confirmed past the guards.
    pub confirmed: &'a [Fingerprint],
    /// The present instant by the server's clock, which decides what is past.
    pub now: Timestamp,
    /// The same by a clock that nobody sets, which decides what was just now.
    pub uptime: Uptime,
}

/// The plan of one target. The same input always gives the same plan.
#[must_use]
pub fn plan(input: &PlanInput<'_>) -> Plan {
    let mut observed = Observed::classify(input);
    let mut planner = Planner::new(input, std::mem::take(&mut observed.remarks));
    let forecasts = input
        .forecasts
        .iter()
        .map(Some)
        .chain(std::iter::repeat(None));
    for (declaration, forecast) in input.declarations.silences.iter().zip(forecasts) {
        let owned = observed.take(&declaration.name);
        let tombstones = observed.take_tombstones(&declaration.name);
        planner.declaration(declaration, forecast, owned, &tombstones);
    }
    for (name, owned) in observed.rest() {
        let tombstones = observed.take_tombstones(&name);
        planner.undeclared(&name, owned, &tombstones);
    }
    let Planner {
        mut actions,
        mut holds,
        remarks,
        desired,
        lapses,
        unexplained,
        ..
    } = planner;
    guard::hold_what_the_mode_forbids(input.settings.mode, &mut actions, &mut holds);
    guard::hold_what_does_not_fit(input.full, &mut actions, &mut holds);
    guard::hold_what_has_no_effect(input, &mut actions, &mut holds);
    let fingerprint =
        guard::hold_mass_changes(input, observed.owned_count, &mut actions, &mut holds);
    // What starts first goes first, and nothing is taken away before
    // everything that is to be there has been asked for.
    actions.sort_by_cached_key(|action| {
        let start = action.change.draft().map(|draft| draft.starts_at);
        (start.is_none(), start, action.silence.clone())
    });
    let is_covered =
        input.declarations.are_all_known() && !holds.iter().any(|hold| hold.leaves_gap);
    let horizon = input.now.plus(input.settings.horizon);
    let covered_until = is_covered.then(|| lapses.map_or(horizon, |lapses| lapses.min(horizon)));
    holds.sort_by(|left, right| (&left.silence, left.cause).cmp(&(&right.silence, right.cause)));
    Plan {
        actions,
        holds,
        foreign: observed.foreign,
        owned: observed.owned_count,
        remarks,
        fingerprint,
        desired,
        covered_until,
        unexplained,
    }
}
