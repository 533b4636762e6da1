//! Which commit is meant? Finds the wanted name in what the remote advertised
//! just now, never in what the mirror remembers: a branch that vanished must be
//! an error, not stale data.

use git2::Oid;

use super::Note;
use crate::nearest::nearest;
use crate::source::error::SourceError;
use crate::source::settings::{GitReference, GitSettings};

/// How many branches a message names.
const NAMED: usize = 5;

const BRANCHES: &str = "refs/heads/";
const TAGS: &str = "refs/tags/";

/// One ref as the remote advertised it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Advertised {
    pub(super) name: String,
    pub(super) id: Oid,
}

/// What the wanted name turned out to be.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Wanted<'a> {
    /// A ref of the remote.
    Reference(&'a Advertised),
    /// No ref, and it may be a commit or the beginning of one.
    Commit,
}

/// Finds the wanted name: a branch before a tag before a commit.
pub(super) fn resolve<'a>(
    settings: &GitSettings,
    advertised: &'a [Advertised],
    note: &mut dyn FnMut(Note),
) -> Result<Wanted<'a>, SourceError> {
    let url = || settings.url.clone();
    let reference = &settings.reference;
    if advertised.is_empty() {
        return Err(SourceError::EmptyRepository { url: url() });
    }
    let find = |name: &str| advertised.iter().find(|other| other.name == name);
    if reference.is_head() {
        return find("HEAD").map(Wanted::Reference).ok_or_else(|| {
            SourceError::DefaultBranchMissing {
                url: url(),
                branches: branches(advertised)
                    .take(NAMED)
                    .map(str::to_owned)
                    .collect(),
            }
        });
    }
    let wanted = reference.as_str();
    let branch = find(&format!("{BRANCHES}{wanted}"));
    let tag = find(&format!("{TAGS}{wanted}"));
    if branch.is_some() && tag.is_some() {
        note(Note::BranchAndTag {
            reference: reference.clone(),
        });
    }
    let full_name = || find(wanted).filter(|_| wanted.starts_with("refs/"));
    match branch.or(tag).or_else(full_name) {
        Some(found) => Ok(Wanted::Reference(found)),
        None if reference.may_be_commit() => Ok(Wanted::Commit),
        None => Err(SourceError::ReferenceNotFound {
            url: url(),
            reference: reference.clone(),
            nearest: nearest_branches(reference, advertised),
        }),
    }
}

fn branches(advertised: &[Advertised]) -> impl Iterator<Item = &str> {
    advertised
        .iter()
        .filter_map(|reference| reference.name.strip_prefix(BRANCHES))
}

/// The branches that were most likely meant; if none is near, the first few.
fn nearest_branches(reference: &GitReference, advertised: &[Advertised]) -> Vec<String> {
    let near = nearest(reference.as_str(), branches(advertised));
    let shown = if near.is_empty() {
        let mut all: Vec<&str> = branches(advertised).collect();
        all.sort_unstable();
        all.truncate(NAMED);
        all
    } else {
        near
    };
    shown.into_iter().map(str::to_owned).collect()
}
