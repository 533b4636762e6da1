//! What may go wrong? Every kind of disturbance, and how often each
//! happened.
//!
//! Faults on the way strike where the program's client ends, as the errors that
//! it would return. What the client makes of a status, a reset, a body that is
//! cut off, slow or never ends is in `tests/it/client/misbehaviour.rs`.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

/// A kind of disturbance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
pub(super) enum Fault {
    // On the way to the server, at each request.
    ConnectionRefused,
    /// 429, 502 to 504 of a proxy: with `Retry-After` or without.
    Busy,
    WrongPage,
    Unauthorised,
    /// 5xx or a reset before the effect; for a list also a body that is cut off.
    FailedBefore,
    /// 5xx, a reset, a cut-off body after the effect.
    FailedAfter,
    /// No answer in time, and no effect.
    TimeoutBefore,
    /// No answer in time, and an effect already.
    TimeoutAfter,
    /// No answer in time, and the effect comes when nobody waits any more.
    EffectAfterTimeout,
    /// Headers or body arrive just in time.
    Slow,
    StaleList,
    UnreadableEntries,
    /// A list without what these credentials may not see.
    FilteredList,
    UnknownId,
    CountLimit,
    SizeLimit,
    /// Success without effect.
    LostWrite,
    /// A proxy sends it twice.
    Repeated,
    // Of the server itself.
    ClockOffset,
    /// Its clock is set, forwards or back.
    ClockJump,
    /// A peer whose clock is ahead wrote last: writes succeed without effect.
    PeerAhead,
    /// As many silences as its limit allows.
    Full,
    OlderState,
    NoState,
    Ghost,
    // People at the server.
    ForeignSilence,
    CopiedMarker,
    /// Copied with a later end.
    RenewedCopy,
    EditedComment,
    RemovedMarker,
    EditedEnd,
    HandExpiry,
    // People at the repository.
    Change,
    /// Something that applies is taken away, and back again within a minute.
    TakenBack,
    BrokenFile,
    UnreadableFile,
    NameTwice,
    MassRemoval,
    EmptyRepository,
    /// What an earlier commit said is committed again.
    Revert,
    // The way to the repository.
    SourceFails,
    SourceSlow,
    // The program.
    Kill,
    /// Killed at some await point of a pass.
    KillAmid,
    /// Its machine's clock is wrong.
    ProcessClock,
    Overlap,
    Request,
}

/// A kind of request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
pub(super) enum Verb {
    List,
    Create,
    Update,
    Expire,
}

/// Those that happen at a request, with some probability while a storm lasts.
pub(super) const OF_REQUESTS: [Fault; 18] = [
    Fault::ConnectionRefused,
    Fault::Busy,
    Fault::WrongPage,
    Fault::Unauthorised,
    Fault::FailedBefore,
    Fault::FailedAfter,
    Fault::TimeoutBefore,
    Fault::TimeoutAfter,
    Fault::EffectAfterTimeout,
    Fault::Slow,
    Fault::StaleList,
    Fault::UnreadableEntries,
    Fault::FilteredList,
    Fault::UnknownId,
    Fault::CountLimit,
    Fault::SizeLimit,
    Fault::LostWrite,
    Fault::Repeated,
];

/// Those that happen by themselves while a storm lasts.
pub(super) const EVENTS: [Fault; 27] = [
    Fault::ClockJump,
    Fault::PeerAhead,
    Fault::Full,
    Fault::OlderState,
    Fault::NoState,
    Fault::Ghost,
    Fault::ForeignSilence,
    Fault::CopiedMarker,
    Fault::RenewedCopy,
    Fault::EditedComment,
    Fault::RemovedMarker,
    Fault::EditedEnd,
    Fault::HandExpiry,
    Fault::Change,
    Fault::TakenBack,
    Fault::BrokenFile,
    Fault::UnreadableFile,
    Fault::NameTwice,
    Fault::MassRemoval,
    Fault::EmptyRepository,
    Fault::Revert,
    Fault::SourceFails,
    Fault::SourceSlow,
    Fault::Kill,
    Fault::KillAmid,
    Fault::Overlap,
    Fault::Request,
];

impl Fault {
    /// In how many of 24 storms an event may happen at all.
    pub(super) const fn frequency(self) -> u8 {
        match self {
            Self::EmptyRepository | Self::NoState => 3,
            Self::Change | Self::TakenBack | Self::Kill | Self::KillAmid => 18,
            _ => 9,
        }
    }

    /// Whether it can happen at such a request.
    pub(super) const fn strikes(self, verb: Verb) -> bool {
        match self {
            Self::ConnectionRefused
            | Self::Busy
            | Self::WrongPage
            | Self::Unauthorised
            | Self::FailedBefore
            | Self::TimeoutBefore
            | Self::Slow => true,
            Self::StaleList | Self::UnreadableEntries | Self::FilteredList => {
                matches!(verb, Verb::List)
            }
            Self::FailedAfter
            | Self::TimeoutAfter
            | Self::EffectAfterTimeout
            | Self::LostWrite
            | Self::Repeated => !matches!(verb, Verb::List),
            Self::CountLimit => matches!(verb, Verb::Create),
            Self::SizeLimit => matches!(verb, Verb::Create | Verb::Update),
            // Only what is there already can be unknown.
            Self::UnknownId => matches!(verb, Verb::Update | Verb::Expire),
            _ => false,
        }
    }

    /// Whether what is silent, and what is declared, is the same after it.
    pub(super) const fn leaves_coverage(self) -> bool {
        matches!(
            self,
            Self::Full
                | Self::ForeignSilence
                | Self::EditedComment
                | Self::BrokenFile
                | Self::UnreadableFile
                | Self::SourceFails
                | Self::SourceSlow
                | Self::Kill
                | Self::KillAmid
                | Self::Overlap
                | Self::Request
        )
    }
}

/// How often each thing happened.
#[derive(Clone, Default, Debug)]
pub(super) struct Tally {
    faults: BTreeMap<Fault, u64>,
    checks: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub(super) fn happened(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
    }

    pub(super) fn checked(&mut self, what: &'static str, times: usize) {
        *self.checks.entry(what).or_default() += times as u64;
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (fault, times) in other.faults {
            *self.faults.entry(fault).or_default() += times;
        }
        for (what, times) in other.checks {
            *self.checks.entry(what).or_default() += times;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "happened:")?;
        for (fault, times) in &self.faults {
            writeln!(formatter, "{times:>12} {fault:?}")?;
        }
        writeln!(formatter, "checked:")?;
        for (what, times) in &self.checks {
            writeln!(formatter, "{times:>12} {what}")?;
        }
        Ok(())
    }
}
