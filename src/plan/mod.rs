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
//! | any | two of them | expire one |
//! | none | pending or active | expire |

mod compare;
mod guard;
mod marker;
mod observed;
mod pairing;
mod recent;
mod render;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use guard::{Fingerprint, Guard};
pub use marker::{Marker, Ownership, comment};
pub use observed::{Observed, Owned};
pub use recent::RecentWrites;
pub use render::{Style, render, to_json};
pub use settings::{HandExpired, Mode, Settings};

use crate::declaration::{Declaration, Declarations};
use crate::name::{SilenceName, TargetName};
use crate::schedule::{Occurrence, OccurrenceStart, occurrences};
use crate::silence::{Silence, SilenceDraft, SilenceId};
use crate::snapshot::Revision;
use crate::timestamp::Timestamp;

/// Windows that end this soon are not created: by the time the request
/// arrives they may be over, and the server would refuse them.
const MARGIN: Duration = Duration::from_secs(2);

/// What to do with one silence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Action {
    /// For which declaration; for an expiry, what its marker says.
    pub silence: SilenceName,
    /// For which of its windows; likewise.
    pub window: OccurrenceStart,
    /// What to send.
    pub change: Change,
    /// Why, for people.
    pub reason: String,
}

/// The requests that an action stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// A new silence.
    Create(SilenceDraft),
    /// The same silence, in place: the draft has its id.
    Update(SilenceDraft),
    /// A new silence, and once it is there the old one is expired.
    Replace(SilenceDraft, Box<Silence>),
    /// The end of a silence, now.
    Expire(Box<Silence>, Coverage),
}

/// What an expiry means for the alerts that the silence mutes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Coverage {
    /// They fire again.
    Ends,
    /// Another silence for the same window mutes them too.
    Remains,
}

impl Change {
    /// The word for it in JSON and on pages.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Update(_) => "update",
            Self::Replace(..) => "replace",
            Self::Expire(..) => "expire",
        }
    }

    /// What is sent, unless it is only an expiry.
    #[must_use]
    pub const fn draft(&self) -> Option<&SilenceDraft> {
        match self {
            Self::Create(draft) | Self::Update(draft) | Self::Replace(draft, _) => Some(draft),
            Self::Expire(..) => None,
        }
    }

    /// The id on the server before the action.
    #[must_use]
    pub const fn id(&self) -> Option<&SilenceId> {
        match self {
            Self::Create(_) => None,
            Self::Update(draft) => draft.id.as_ref(),
            Self::Replace(_, old) | Self::Expire(old, _) => Some(&old.id),
        }
    }
}

/// Something that is not done on purpose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hold {
    /// Whose.
    pub silence: SilenceName,
    /// What kind of hold it is.
    pub cause: HoldCause,
    /// Why, for people.
    pub reason: String,
}

/// Why something is held.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum HoldCause {
    /// The declaration says `suspend: true`.
    Suspended,
    /// The policy refuses the declaration.
    Policy,
    /// The file that declares it, or may declare it, is broken.
    Broken,
    /// A guard refuses so many changes at once.
    Guard,
    /// The mode does not allow such changes.
    Mode,
    /// The server's limit is reached.
    Limit,
    /// Written just now, and not in the list yet.
    Unsettled,
    /// Somebody expired it by hand, and that is respected.
    HandExpired,
}

impl HoldCause {
    /// Every cause.
    pub const ALL: [Self; 8] = [
        Self::Suspended,
        Self::Policy,
        Self::Broken,
        Self::Guard,
        Self::Mode,
        Self::Limit,
        Self::Unsettled,
        Self::HandExpired,
    ];

    /// Whether the target differs from what is declared because of it, and
    /// nobody who may decide so has said that it should.
    #[must_use]
    pub const fn counts_as_held(self) -> bool {
        match self {
            Self::Policy | Self::Broken | Self::Guard | Self::Limit => true,
            Self::Suspended | Self::Mode | Self::Unsettled | Self::HandExpired => false,
        }
    }

    /// The word for it in JSON and metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Suspended => "suspended",
            Self::Policy => "policy",
            Self::Broken => "broken",
            Self::Guard => "guard",
            Self::Mode => "mode",
            Self::Limit => "limit",
            Self::Unsettled => "unsettled",
            Self::HandExpired => "hand-expired",
        }
    }
}

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
    /// From where.
    pub revision: &'a Revision,
    /// What the target holds.
    pub silences: &'a [Silence],
    /// What we have just done to it.
    pub recent: &'a RecentWrites,
    /// Why nothing can be created for now: the server's limit.
    pub full: Option<&'a str>,
    /// The plan that somebody confirmed past the guards.
    pub confirmed: Option<&'a Fingerprint>,
    /// The present instant by the server's clock, which decides what is past.
    pub now: Timestamp,
}

/// The plan of one target. The same input always gives the same plan.
#[must_use]
pub fn plan(input: &PlanInput<'_>) -> Plan {
    let mut observed = Observed::classify(input);
    let mut planner = Planner {
        input,
        unsettled: input
            .recent
            .unsettled(input.silences, input.now, input.settings.settle),
        actions: Vec::new(),
        holds: Vec::new(),
        remarks: std::mem::take(&mut observed.remarks),
        desired: 0,
    };
    for declaration in &input.declarations.silences {
        let owned = observed.take(&declaration.name);
        let tombstones = observed.take_tombstones(&declaration.name);
        planner.declaration(declaration, owned, &tombstones);
    }
    for (name, owned) in observed.rest() {
        planner.undeclared(&name, owned);
    }
    let Planner {
        mut actions,
        mut holds,
        remarks,
        desired,
        ..
    } = planner;
    guard::hold_what_the_mode_forbids(input.settings.mode, &mut actions, &mut holds);
    guard::hold_what_does_not_fit(input.full, &mut actions, &mut holds);
    let fingerprint =
        guard::hold_mass_changes(input, observed.owned_count, &mut actions, &mut holds);
    // What starts first goes first, and nothing is taken away before
    // everything that is to be there has been asked for.
    actions.sort_by_key(|action| {
        let start = action.change.draft().map(|draft| draft.starts_at);
        (start.is_none(), start, action.silence.clone())
    });
    holds.sort_by(|left, right| (&left.silence, left.cause).cmp(&(&right.silence, right.cause)));
    Plan {
        actions,
        holds,
        foreign: observed.foreign,
        owned: observed.owned_count,
        remarks,
        fingerprint,
        desired,
    }
}

struct Planner<'a> {
    input: &'a PlanInput<'a>,
    unsettled: BTreeSet<(&'a SilenceName, OccurrenceStart)>,
    actions: Vec<Action>,
    holds: Vec<Hold>,
    remarks: Vec<String>,
    desired: usize,
}

impl Planner<'_> {
    fn declaration(&mut self, declaration: &Declaration, owned: Vec<Owned>, tombstones: &[Owned]) {
        let now = self.input.now;
        if !declaration
            .targets
            .selects(self.input.target, self.input.labels)
        {
            return self.expire_all(owned, "not declared for this target");
        }
        if !declaration.enabled {
            return self.expire_all(owned, "the declaration says `enabled: false`");
        }
        if declaration.expires.is_some_and(|expires| expires <= now) {
            return self.expire_all(owned, "the declaration has expired");
        }
        if let Some(violation) = declaration.violations.first() {
            return self.hold(&declaration.name, HoldCause::Policy, violation.clone());
        }
        if declaration.suspended {
            let reason = "the declaration says `suspend: true`".to_owned();
            return self.hold(&declaration.name, HoldCause::Suspended, reason);
        }
        let windows = self.windows(declaration, &owned);
        let pairing = pairing::pair(&windows, owned, declaration);
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
            let change = match live {
                Some(live) => compare::adjust(self.input, declaration, window, live),
                None if !self.is_to_be_created(declaration, window, tombstones) => continue,
                None => Some(compare::create(self.input, declaration, window)),
            };
            self.desired += 1;
            self.actions.extend(change.map(|(change, reason)| Action {
                silence: declaration.name.clone(),
                window: window.marker_start(),
                change,
                reason,
            }));
        }
    }

    /// Whether a window that nothing stands for gets a silence now.
    fn is_to_be_created(
        &mut self,
        declaration: &Declaration,
        window: &Occurrence,
        tombstones: &[Owned],
    ) -> bool {
        let now = self.input.now;
        if window.start > now.plus(self.input.settings.horizon) || window.end <= now.plus(MARGIN) {
            return false;
        }
        let name = &declaration.name;
        if self.unsettled.contains(&(name, window.marker_start())) {
            let reason = "written just now, and not in the server's list yet".to_owned();
            self.hold(name, HoldCause::Unsettled, reason);
            return false;
        }
        let Some(tombstone) = tombstones
            .iter()
            .find(|old| self.was_hand_expired(old, window))
        else {
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

    /// Whether somebody else ended the silence of this window before its time.
    /// One of another commit may have been ended by an earlier process of ours,
    /// because that commit declared something else.
    fn was_hand_expired(&self, tombstone: &Owned, window: &Occurrence) -> bool {
        !window.is_lease
            && tombstone.marker.start == window.marker_start()
            && tombstone.silence.ends_at < window.end
            && tombstone.marker.commit.as_deref() == self.input.revision.short_commit()
            && !self.input.recent.has_ended(&tombstone.silence.id)
    }

    /// The windows that may be on the server: within the horizon, and as far
    /// ahead as a pending silence of that name lies. A horizon that was made
    /// shorter takes nothing away.
    fn windows(&self, declaration: &Declaration, owned: &[Owned]) -> Vec<Occurrence> {
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
        occurrences(&declaration.schedule, now, until)
    }

    /// Owned silences of a name that nothing valid declares.
    fn undeclared(&mut self, name: &SilenceName, owned: Vec<Owned>) {
        let declarations = self.input.declarations;
        if declarations.ambiguous.contains(name) {
            let reason = "declared more than once".to_owned();
            return self.hold(name, HoldCause::Broken, reason);
        }
        let (held, gone): (Vec<_>, Vec<_>) = owned
            .into_iter()
            .map(|owned| {
                let reason = broken_reason(declarations, &owned.marker);
                (owned, reason)
            })
            .partition(|(_, reason)| reason.is_some());
        let reasons: BTreeSet<String> = held.into_iter().filter_map(|(_, reason)| reason).collect();
        for reason in reasons {
            self.hold(name, HoldCause::Broken, reason);
        }
        self.expire_all(
            gone.into_iter().map(|(owned, _)| owned).collect(),
            "no longer declared",
        );
    }

    fn hold(&mut self, silence: &SilenceName, cause: HoldCause, reason: String) {
        self.holds.push(Hold {
            silence: silence.clone(),
            cause,
            reason,
        });
    }

    fn expire_all(&mut self, owned: Vec<Owned>, reason: &str) {
        for owned in owned {
            self.expire(owned, Coverage::Ends, reason);
        }
    }

    fn expire(&mut self, owned: Owned, coverage: Coverage, reason: &str) {
        self.actions.push(Action {
            silence: owned.marker.silence,
            window: owned.marker.start,
            change: Change::Expire(Box::new(owned.silence), coverage),
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
