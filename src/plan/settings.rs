//! What is this installation allowed to do? The settings that every plan
//! follows from.

use std::time::Duration;

use super::guard::Guard;
use crate::name::InstanceName;

/// What holds for every plan of an installation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Who we are.
    pub instance: InstanceName,
    /// How far ahead windows become silences.
    pub horizon: Duration,
    /// How long a silence without an end in sight lives unless it is renewed.
    pub lease: Duration,
    /// How long a server's replicas may take to agree: a silence written less
    /// than this ago and absent from a list is unknown, not missing.
    pub settle: Duration,
    /// How much may change at once.
    pub guard: Guard,
    /// Which kinds of changes are made at all.
    pub mode: Mode,
    /// What becomes of a window whose silence somebody expired by hand.
    pub hand_expired: HandExpired,
}

impl Settings {
    /// One day: a server that is down overnight has tomorrow's windows already.
    pub const HORIZON: Duration = Duration::from_hours(24);
    /// Long enough to miss a few passes, short enough to be rid of soon.
    pub const LEASE: Duration = Duration::from_hours(1);
    /// Alertmanager's replicas exchange everything once a minute.
    pub const SETTLE: Duration = Duration::from_secs(90);

    /// The defaults; only the instance has none.
    #[must_use]
    pub fn new(instance: InstanceName) -> Self {
        Self {
            instance,
            horizon: Self::HORIZON,
            lease: Self::LEASE,
            settle: Self::SETTLE,
            guard: Guard::default(),
            mode: Mode::Sync,
            hand_expired: HandExpired::Recreate,
        }
    }
}

/// Which kinds of changes are made; the others are held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// Everything.
    #[default]
    Sync,
    /// Nothing is taken away.
    UpsertOnly,
    /// What is there stays as it is.
    CreateOnly,
    /// Nothing is written.
    Observe,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 4] = [
        Self::Sync,
        Self::UpsertOnly,
        Self::CreateOnly,
        Self::Observe,
    ];

    /// As it is written in the configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::UpsertOnly => "upsert-only",
            Self::CreateOnly => "create-only",
            Self::Observe => "observe",
        }
    }
}

/// What becomes of a window whose silence somebody expired by hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum HandExpired {
    /// Git is right: the silence is created again.
    #[default]
    Recreate,
    /// The person is right, until the window is over or the declaration changes.
    Respect,
}
