//! What if a target has several addresses? The members of one cluster, of which
//! one is spoken to until it fails.
//!
//! Members share what they are told, within a second or a minute. So a pass
//! lists and writes at one of them: to write the same silence at two makes two
//! silences, and what one has just taken another does not know yet.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::join_all;

use super::error::{ApiError, ApiErrorKind};
use super::{Expired, Listing, Members, SilenceApi};
use crate::silence::{SilenceDraft, SilenceId};

/// One target: a server, or the members of a cluster.
#[derive(Debug)]
pub struct Cluster<A> {
    /// At least one, each with its URL for people.
    members: Vec<(String, A)>,
    /// Who is spoken to. Only [`list`](SilenceApi::list), which begins every
    /// pass, lets another take its place.
    current: AtomicUsize,
    /// Whether they were found to be one cluster since the last of them failed.
    is_checked: AtomicBool,
}

impl<A> Cluster<A> {
    /// A server by itself.
    #[must_use]
    pub fn of_one(url: impl Into<String>, server: A) -> Self {
        Self::new((url.into(), server), Vec::new())
    }

    /// `first` is spoken to until it fails, then one of the `others` until that
    /// fails, in turn. Each has its URL, for people.
    #[must_use]
    pub fn new(first: (String, A), others: Vec<(String, A)>) -> Self {
        let mut members = vec![first];
        members.extend(others);
        Self {
            members,
            current: AtomicUsize::new(0),
            is_checked: AtomicBool::new(false),
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.members.len()
    }

    /// The members from the current one on, each with its position.
    fn in_turn(&self) -> impl Iterator<Item = (usize, &(String, A))> {
        let all = self.members.iter().enumerate();
        let current = self.current.load(Ordering::Relaxed);
        all.clone().skip(current).chain(all.take(current))
    }

    fn current(&self) -> &A {
        let current = self.current.load(Ordering::Relaxed);
        &self.members[current].1
    }
}

impl<A: SilenceApi> Cluster<A> {
    /// Finds members that know nothing of each other: what is written at one of
    /// them would be missing at the other.
    async fn check(&self) -> Result<(), ApiError> {
        if self.size() == 1 || self.is_checked.load(Ordering::Relaxed) {
            return Ok(());
        }
        let asked = self.members.iter().map(|(_, member)| member.members());
        let told = join_all(asked).await;
        let mut known: Vec<(&str, Members)> = Vec::with_capacity(self.size());
        for ((url, _), members) in self.members.iter().zip(told) {
            // One that is down is none that could be written at.
            let Some(members) = members else {
                continue;
            };
            let stranger = known.iter().find(|(_, other)| !other.meet(&members));
            if let Some((other, _)) = stranger {
                let finding = format!(
                    "`{other}` and `{url}` are not one cluster: neither counts the other among \
                     its members"
                );
                let kind = ApiErrorKind::NotAnAlertmanager;
                return Err(ApiError::new(kind, "GET /api/v2/status", finding).advising(
                    "write only the members of one cluster under `urls`, and another target for \
                     each other server; members that have just started need a minute to meet",
                ));
            }
            known.push((url, members));
        }
        self.is_checked.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl<A: SilenceApi> SilenceApi for Cluster<A> {
    /// The list of the first member that gives one, beginning with the current.
    async fn list(&self) -> Result<Listing, ApiError> {
        let mut failures = Vec::new();
        for (index, (url, member)) in self.in_turn() {
            match member.list().await {
                Ok(mut listing) => {
                    // Whoever takes another's place may have been down when they
                    // were compared.
                    self.is_checked
                        .fetch_and(failures.is_empty(), Ordering::Relaxed);
                    self.check().await?;
                    if !failures.is_empty() {
                        self.current.store(index, Ordering::Relaxed);
                        let failures = told(&failures);
                        tracing::warn!(member = %url, "another member is asked instead: {failures}");
                        let remark = format!("`{url}` is asked instead: {failures}");
                        listing.remarks.push(remark);
                    }
                    return Ok(listing);
                }
                Err(error) => failures.push(error),
            }
        }
        Err(all_failed(failures))
    }

    async fn members(&self) -> Option<Members> {
        self.current().members().await
    }

    async fn hides(&self, id: &SilenceId) -> Result<bool, ApiError> {
        self.current().hides(id).await
    }

    async fn set(&self, draft: &SilenceDraft) -> Result<SilenceId, ApiError> {
        self.current().set(draft).await
    }

    async fn expire(&self, id: &SilenceId) -> Result<Expired, ApiError> {
        self.current().expire(id).await
    }
}

fn told(failures: &[ApiError]) -> String {
    let told: Vec<String> = failures.iter().map(ApiError::without_advice).collect();
    told.join(", ")
}

fn all_failed(mut failures: Vec<ApiError>) -> ApiError {
    match failures.pop() {
        Some(last) if failures.is_empty() => last,
        Some(last) => {
            let kind = last.kind();
            failures.push(last);
            let finding = format!(
                "no member of the cluster gave its list: {}",
                told(&failures)
            );
            ApiError::new(kind, "GET /api/v2/silences", finding)
        }
        None => ApiError::new(
            ApiErrorKind::NotSent,
            "GET /api/v2/silences",
            "the cluster has no members",
        ),
    }
}
