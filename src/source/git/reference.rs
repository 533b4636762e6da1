//! Which commit is meant? Finds the wanted name in what the remote advertised
//! just now, never in what the mirror remembers: a branch that vanished must be
//! an error, not stale data.

use git2::Oid;

use super::Note;
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
            nearest: nearest(reference, advertised),
        }),
    }
}

fn branches(advertised: &[Advertised]) -> impl Iterator<Item = &str> {
    advertised
        .iter()
        .filter_map(|reference| reference.name.strip_prefix(BRANCHES))
}

/// The branches whose names take the fewest edits, best first.
fn nearest(reference: &GitReference, advertised: &[Advertised]) -> Vec<String> {
    let mut names: Vec<_> = branches(advertised)
        .map(|name| (edit_distance(reference.as_str(), name), name))
        .collect();
    names.sort_unstable();
    names
        .into_iter()
        .take(NAMED)
        .map(|(_, name)| name.to_owned())
        .collect()
}

/// Levenshtein's distance in characters: insertions, deletions, substitutions.
fn edit_distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (index, from) in left.chars().enumerate() {
        let mut diagonal = index;
        let mut before = index + 1;
        for (to, above) in right.chars().zip(row.iter_mut().skip(1)) {
            let substituted = diagonal + usize::from(from != to);
            diagonal = *above;
            before = substituted.min(diagonal + 1).min(before + 1);
            *above = before;
        }
    }
    // The first cell is never updated, and never the answer but for an empty name.
    match row.last() {
        Some(distance) if row.len() > 1 => *distance,
        _ => left.chars().count(),
    }
}

#[cfg(test)]
mod tests {
    use super::edit_distance;

    #[test]
    fn counts_edits() {
        for (left, right, distance) in [
            ("main", "main", 0),
            ("mian", "main", 2),
            ("master", "main", 4),
            ("", "main", 4),
            ("main", "", 4),
            ("relase", "release", 1),
        ] {
            assert_eq!(edit_distance(left, right), distance, "{left} {right}");
        }
    }
}
