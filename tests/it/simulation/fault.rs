//! What may go wrong? Every kind of disturbance, and how often each
//! happened.

use std::collections::BTreeMap;
use std::fmt;

/// A kind of disturbance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Fault {
    // On the way to the server, at each request.
    ConnectionRefused,
    Busy,
    WrongPage,
    Unauthorised,
    FailedBefore,
    FailedAfter,
    EffectAfterTimeout,
    Slow,
    StaleList,
    UnreadableEntries,
    UnknownId,
    CountLimit,
    SizeLimit,
    LostWrite,
    // Of the server itself.
    ClockOffset,
    OlderState,
    NoState,
    Ghost,
    // People at the server.
    ForeignSilence,
    CopiedMarker,
    EditedComment,
    RemovedMarker,
    EditedEnd,
    HandExpiry,
    // People at the repository.
    Change,
    BrokenFile,
    UnreadableFile,
    NameTwice,
    MassRemoval,
    EmptyRepository,
    // The way to the repository.
    SourceFails,
    SourceSlow,
    // The program.
    Kill,
    Overlap,
    Request,
}

/// Those that happen at a request, with some probability while a storm lasts.
pub(super) const OF_REQUESTS: [Fault; 14] = [
    Fault::ConnectionRefused,
    Fault::Busy,
    Fault::WrongPage,
    Fault::Unauthorised,
    Fault::FailedBefore,
    Fault::FailedAfter,
    Fault::EffectAfterTimeout,
    Fault::Slow,
    Fault::StaleList,
    Fault::UnreadableEntries,
    Fault::UnknownId,
    Fault::CountLimit,
    Fault::SizeLimit,
    Fault::LostWrite,
];

/// Those that happen by themselves while a storm lasts.
pub(super) const EVENTS: [Fault; 20] = [
    Fault::OlderState,
    Fault::NoState,
    Fault::Ghost,
    Fault::ForeignSilence,
    Fault::CopiedMarker,
    Fault::EditedComment,
    Fault::RemovedMarker,
    Fault::EditedEnd,
    Fault::HandExpiry,
    Fault::Change,
    Fault::BrokenFile,
    Fault::UnreadableFile,
    Fault::NameTwice,
    Fault::MassRemoval,
    Fault::EmptyRepository,
    Fault::SourceFails,
    Fault::SourceSlow,
    Fault::Kill,
    Fault::Overlap,
    Fault::Request,
];

impl Fault {
    /// In how many of 24 storms an event may happen at all.
    pub(super) const fn frequency(self) -> u8 {
        match self {
            Self::EmptyRepository | Self::NoState => 3,
            Self::Change | Self::Kill => 18,
            _ => 9,
        }
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
