//! What does a server hold? A silence as Alertmanager keeps and returns it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::matcher::Matchers;
use crate::timestamp::Timestamp;

/// The id that a server gave to a silence. It changes when a silence is
/// replaced, so it addresses a silence and never identifies a declaration.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SilenceId(String);

impl SilenceId {
    /// The id as the server wrote it.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as the server wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SilenceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// Key-value pairs of a silence.
pub type Annotations = BTreeMap<String, String>;

/// Where a silence stands in its life, by the server's clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SilenceState {
    /// It starts later.
    Pending,
    /// It mutes now.
    Active,
    /// It is over, or was expired; the server forgets it after its retention.
    Expired,
}

/// A silence as a server returned it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Silence {
    /// The server's id.
    pub id: SilenceId,
    /// In the server's order, which an in-place update must repeat.
    pub matchers: Matchers,
    /// For a silence that was created after its declared start: its creation.
    pub starts_at: Timestamp,
    /// When it ends, or ended.
    pub ends_at: Timestamp,
    /// Free text; people put themselves here, silenced puts the owner.
    pub created_by: String,
    /// Free text; silenced keeps its marker in the last line.
    pub comment: String,
    /// Free key-value pairs; Alertmanager has them from 0.32 on.
    pub annotations: Annotations,
    /// By the server's clock when it answered.
    pub state: SilenceState,
}

impl Silence {
    /// Whether it mutes now or will: everything but [`SilenceState::Expired`].
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.state != SilenceState::Expired
    }
}

/// What is sent to create a silence, or with an `id` to update one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SilenceDraft {
    /// `None` creates; with an id the server updates in place if it can.
    pub id: Option<SilenceId>,
    /// Sent in this order.
    pub matchers: Matchers,
    /// A start in the past becomes the server's now.
    pub starts_at: Timestamp,
    /// Must lie after the start and after the server's now.
    pub ends_at: Timestamp,
    /// The owner of the declaration.
    pub created_by: String,
    /// The human text, then the marker.
    pub comment: String,
    /// Dropped without a word by servers that have none.
    pub annotations: Annotations,
}
