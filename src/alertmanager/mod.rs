//! How do we speak to a server that holds silences? The three calls of
//! Alertmanager's API v2 that silenced needs, and their client over HTTP.
//!
//! Grafana, Mimir and Cortex answer the same calls, with differences that the
//! client evens out: nothing beyond this module knows which one it talks to.

mod answer;
mod client;
mod cluster;
mod connections;
mod connector;
mod credentials;
mod error;
mod excerpt;
mod failure;
mod headers;
mod kind;
mod oauth2;
mod proxy;
mod secret;
mod settings;
mod tls;
mod transport;
mod version;
mod wire;

use std::collections::BTreeSet;
use std::future::Future;

use crate::silence::{Silence, SilenceDraft, SilenceId};
use crate::timestamp::Timestamp;

pub use client::Client;
pub use cluster::Cluster;
pub use connections::Connections;
pub use credentials::{Credentials, OAuth2};
pub use error::{ApiError, ApiErrorKind, Limit};
pub use headers::{ExtraHeader, HeaderSource};
pub use kind::Kind;
pub use settings::{ClientCertificate, ClientSettings, InvalidSettings, Proxy, TlsSettings};

/// What silenced asks of a server, over HTTP or in memory.
///
/// No call retries: a write whose outcome is unknown must be looked up in a
/// new listing first, and only the caller knows when that is due.
pub trait SilenceApi: Send + Sync {
    /// Every silence that the server lets us see.
    fn list(&self) -> impl Future<Output = Result<Listing, ApiError>> + Send;

    /// Creates a silence, or updates the one that the draft's `id` names, and
    /// returns the id under which it is now kept: a server that cannot update
    /// in place expires the old silence and answers with a new id.
    fn set(&self, draft: &SilenceDraft)
    -> impl Future<Output = Result<SilenceId, ApiError>> + Send;

    /// Who shares what this server is told, if it can tell. Asked only when that
    /// matters: when a list lacks what was written just now, and once to see
    /// which servers are one cluster.
    fn members(&self) -> impl Future<Output = Option<Members>> + Send;

    /// Whether its list leaves out this silence although it is live, for want of
    /// a permission to read it. Most servers never do, and are not asked.
    fn hides(&self, id: &SilenceId) -> impl Future<Output = Result<bool, ApiError>> + Send {
        let _ = id;
        async { Ok(false) }
    }

    /// Ends a silence now. One that has ended already is [`Expired::Done`] too.
    fn expire(&self, id: &SilenceId) -> impl Future<Output = Result<Expired, ApiError>> + Send;
}

/// What a server holds, as far as it could be read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Listing {
    /// In the server's order: all live ones, and of the expired ones those
    /// whose comment may carry a marker, for they tell what was ended by hand.
    pub silences: Vec<Silence>,
    /// How many expired silences without a marker were left out. Servers keep
    /// them for days (five by default), often in greater number than live ones.
    pub expired: usize,
    /// What could not be read. These silences exist all the same: whoever
    /// finds one of its own missing must not take it for gone.
    pub skipped: Skipped,
    /// The server's clock when it answered, from the `Date` header.
    pub server_time: Option<Timestamp>,
    /// What people should know of how it was had.
    pub remarks: Vec<String>,
}

/// The servers that share their silences, as one of them tells.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Members {
    /// Of each, itself included: an id that it got when it started. Empty where
    /// a server was started without a cluster.
    pub names: BTreeSet<String>,
    /// False while it is settling and may not have met all of them yet.
    pub is_complete: bool,
}

impl Members {
    /// Whether a server's list is the whole truth, because there is no other
    /// that could have a newer one.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.is_complete && self.names.len() <= 1
    }

    /// Whether both are the same cluster: they have a member in common.
    #[must_use]
    pub fn meet(&self, other: &Self) -> bool {
        !self.names.is_disjoint(&other.names)
    }
}

/// Entries of a list that are no silences as we know them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Skipped {
    /// How many.
    pub count: usize,
    /// What was wrong with the first, for people.
    pub first: Option<String>,
}

/// How an [`SilenceApi::expire`] ended, when it ended well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expired {
    /// The server ended it, or it had ended before.
    Done,
    /// The server that answered does not know it: forgotten after its
    /// retention, or, in a cluster, not yet heard of. The next listing tells.
    Gone,
}
