//! What is done, and what is not? Actions and holds.

use crate::name::SilenceName;
use crate::schedule::OccurrenceStart;
use crate::silence::{Silence, SilenceDraft, SilenceId};

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
    /// Whether a window has no silence because of it, or not the one that is
    /// declared, and nobody said that it should not.
    pub leaves_gap: bool,
}

/// Why something is held.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum HoldCause {
    /// The declaration says `suspend: true`.
    Suspended,
    /// The policy refuses the declaration.
    Policy,
    /// The target has no value for a placeholder in its matchers.
    Placeholder,
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
    /// The server accepted it lately and did not do it.
    Ineffective,
}

impl HoldCause {
    /// Every cause.
    pub const ALL: [Self; 10] = [
        Self::Suspended,
        Self::Policy,
        Self::Placeholder,
        Self::Broken,
        Self::Guard,
        Self::Mode,
        Self::Limit,
        Self::Unsettled,
        Self::HandExpired,
        Self::Ineffective,
    ];

    /// Whether the target differs from what is declared because of it, and
    /// nobody who may decide so has said that it should.
    #[must_use]
    pub const fn counts_as_held(self) -> bool {
        match self {
            Self::Policy
            | Self::Placeholder
            | Self::Broken
            | Self::Guard
            | Self::Limit
            | Self::Ineffective => true,
            Self::Suspended | Self::Mode | Self::Unsettled | Self::HandExpired => false,
        }
    }

    /// The word for it in JSON and metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Suspended => "suspended",
            Self::Policy => "policy",
            Self::Placeholder => "placeholder",
            Self::Broken => "broken",
            Self::Guard => "guard",
            Self::Mode => "mode",
            Self::Limit => "limit",
            Self::Unsettled => "unsettled",
            Self::HandExpired => "hand-expired",
            Self::Ineffective => "ineffective",
        }
    }
}
