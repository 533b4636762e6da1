//! What is kept? A silence with everything that the server knows of it, and
//! what a client sends to get one.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, Utc};

use crate::matcher::Matchers;
use crate::silence::{Silence, SilenceDraft, SilenceId, SilenceState};
use crate::timestamp::Timestamp;

/// What a client posts. Unlike [`SilenceDraft`] it has fractions of a second
/// and annotations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PostedSilence {
    /// `None` creates.
    pub id: Option<SilenceId>,
    /// In the order of the request.
    pub matchers: Matchers,
    /// A start in the past becomes now.
    pub starts_at: DateTime<FixedOffset>,
    /// Must lie after the start and not in the past.
    pub ends_at: DateTime<FixedOffset>,
    /// Any text.
    pub created_by: String,
    /// Any text.
    pub comment: String,
    /// Dropped by the versions that have none.
    pub annotations: BTreeMap<String, String>,
}

impl From<SilenceDraft> for PostedSilence {
    fn from(draft: SilenceDraft) -> Self {
        Self {
            id: draft.id,
            matchers: draft.matchers,
            starts_at: draft.starts_at.to_datetime().fixed_offset(),
            ends_at: draft.ends_at.to_datetime().fixed_offset(),
            created_by: draft.created_by,
            comment: draft.comment,
            annotations: draft.annotations,
        }
    }
}

/// A silence as the server keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredSilence {
    /// Given by the server.
    pub id: SilenceId,
    /// In the order of the request.
    pub matchers: Matchers,
    /// In nanoseconds.
    pub starts_at: DateTime<FixedOffset>,
    /// In nanoseconds.
    pub ends_at: DateTime<FixedOffset>,
    /// When it was last written, by whatever request.
    pub updated_at: DateTime<FixedOffset>,
    /// When garbage collection may take it: its end and the retention that was
    /// set when it was written.
    pub forgotten_at: DateTime<FixedOffset>,
    /// Any text.
    pub created_by: String,
    /// Any text.
    pub comment: String,
    /// Empty in the versions that have none.
    pub annotations: BTreeMap<String, String>,
}

impl StoredSilence {
    /// Where it stands at `now`: pending before its start, expired from its end
    /// on, active between.
    #[must_use]
    pub fn state(&self, now: DateTime<Utc>) -> SilenceState {
        if now < self.starts_at {
            SilenceState::Pending
        } else if now < self.ends_at {
            SilenceState::Active
        } else {
            SilenceState::Expired
        }
    }

    /// As a client sees it at `now`, in whole seconds.
    #[must_use]
    pub fn seen(&self, now: DateTime<Utc>) -> Silence {
        Silence {
            id: self.id.clone(),
            matchers: self.matchers.clone(),
            starts_at: Timestamp::from(self.starts_at.to_utc()),
            ends_at: Timestamp::from(self.ends_at.to_utc()),
            created_by: self.created_by.clone(),
            comment: self.comment.clone(),
            annotations: self.annotations.clone(),
            state: self.state(now),
        }
    }

    /// Whether `posted` may overwrite it at `now` without rewriting history: the
    /// same matchers in the same order; while active, a start within the same
    /// second; while pending, a start that is not past (`canUpdate` in
    /// Alertmanager's `silence/silence.go`).
    pub(super) fn is_updatable_to(&self, posted: &PostedSilence, now: DateTime<Utc>) -> bool {
        self.matchers == posted.matchers
            && match self.state(now) {
                SilenceState::Active => self.starts_at.timestamp() == posted.starts_at.timestamp(),
                SilenceState::Pending => now <= posted.starts_at,
                SilenceState::Expired => false,
            }
    }

    /// The order of a list: active ones, soonest end first; pending ones,
    /// soonest start first; expired ones, latest end first. Alertmanager leaves
    /// ties open; here the id decides.
    pub(super) fn position(&self, now: DateTime<Utc>) -> (u8, i64, u32, &str) {
        let place = |rank, time: DateTime<FixedOffset>, descending: bool| {
            let (seconds, nanoseconds) = (time.timestamp(), time.timestamp_subsec_nanos());
            if descending {
                (rank, !seconds, !nanoseconds, self.id.as_str())
            } else {
                (rank, seconds, nanoseconds, self.id.as_str())
            }
        };
        match self.state(now) {
            SilenceState::Active => place(0, self.ends_at, false),
            SilenceState::Pending => place(1, self.starts_at, false),
            SilenceState::Expired => place(2, self.ends_at, true),
        }
    }
}
