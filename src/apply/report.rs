//! What became of a plan? An account of every action.

use std::collections::BTreeSet;

use crate::alertmanager::{ApiErrorKind, Limit};
use crate::name::SilenceName;
use crate::plan::Change;
use crate::schedule::OccurrenceStart;
use crate::silence::SilenceId;

/// What became of a plan.
#[derive(Clone, Debug, Default)]
pub struct ApplyReport {
    /// New silences.
    pub created: usize,
    /// Silences changed in place.
    pub updated: usize,
    /// Silences that took the place of another one.
    pub replaced: usize,
    /// Silences ended.
    pub expired: usize,
    /// Which actions of the plan were carried out, by their numbers.
    pub carried_out: BTreeSet<usize>,
    /// Actions that failed, or whose outcome is unknown.
    pub failures: Vec<Failure>,
    /// The silences that were made or changed, each for which action.
    pub made: Vec<(SilenceId, SilenceName, OccurrenceStart)>,
    /// The silences that were ended.
    pub ended: Vec<SilenceId>,
    /// The silences that may have been ended, or may be soon: nobody knows.
    pub doubtful: Vec<SilenceId>,
    /// Expiries of duplicates, to wait until a list shows that the silence which
    /// stays was updated: their numbers in the plan.
    pub unproved: Vec<usize>,
    /// Actions not begun: the server failed too often, time ran out, or we stop.
    pub not_attempted: usize,
    /// Whether some were not begun because time ran out.
    pub ran_out_of_time: bool,
}

impl ApplyReport {
    /// Whether every action was carried out.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.failures.is_empty() && self.unproved.is_empty() && self.not_attempted == 0
    }

    /// How many actions were carried out.
    #[must_use]
    pub const fn done(&self) -> usize {
        self.created + self.updated + self.replaced + self.expired
    }

    pub(super) const fn count(&mut self, change: &Change) {
        let counter = match change {
            Change::Create(_) => &mut self.created,
            Change::Update(_) => &mut self.updated,
            Change::Replace(..) => &mut self.replaced,
            Change::Expire(..) => &mut self.expired,
        };
        *counter += 1;
    }

    /// Takes in what became of another part of the same plan.
    pub fn add(&mut self, part: Self) {
        self.created += part.created;
        self.updated += part.updated;
        self.replaced += part.replaced;
        self.expired += part.expired;
        self.carried_out.extend(part.carried_out);
        self.failures.extend(part.failures);
        self.made.extend(part.made);
        self.ended.extend(part.ended);
        self.doubtful.extend(part.doubtful);
        self.unproved.extend(part.unproved);
        self.not_attempted += part.not_attempted;
        self.ran_out_of_time |= part.ran_out_of_time;
    }
}

/// One action that did not end well.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Whose.
    pub silence: SilenceName,
    /// Which request.
    pub operation: &'static str,
    /// What the caller may do next.
    pub kind: ApiErrorKind,
    /// The whole story.
    pub message: String,
}

impl Failure {
    /// Whether the next request would meet the same failure.
    #[must_use]
    pub const fn concerns_server(&self) -> bool {
        match self.kind {
            ApiErrorKind::NotSent
            | ApiErrorKind::Unknown
            | ApiErrorKind::Busy { .. }
            | ApiErrorKind::Unauthorised
            | ApiErrorKind::NotAnAlertmanager
            | ApiErrorKind::TooLarge => true,
            ApiErrorKind::Refused { .. } | ApiErrorKind::NotFound => false,
        }
    }

    /// Whether the server has no room for another silence.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        matches!(
            self.kind,
            ApiErrorKind::Refused {
                limit: Some(Limit::Count)
            }
        )
    }
}
