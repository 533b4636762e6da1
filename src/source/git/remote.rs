//! What is new? Asks the remote for its refs, chooses the wanted commit and
//! brings it into the mirror, all over one connection.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use git2::{
    AutotagOption, Direction, ErrorCode, FetchOptions, Oid, ProxyOptions, Remote, RemoteCallbacks,
    RemoteConnection, Repository,
};

use super::failure;
use super::reference::{self, Advertised, Wanted};
use super::{Note, Progress};
use crate::loopback::is_loopback;
use crate::source::bounds::{Bounds, ExceededBound};
use crate::source::digest::Digest;
use crate::source::error::SourceError;
use crate::source::settings::{GitSettings, GitUrl};

/// Where the mirror keeps what it fetched. The names are our own, and flat, so
/// that a branch `a` that gives way to `a/b` is no conflict.
const REFERENCES: &str = "refs/silenced/";

/// Returns the wanted commit, after it and its history are in the mirror.
pub(super) fn fetch_commit(
    repository: &Repository,
    settings: &GitSettings,
    bounds: &Bounds,
    progress: &mut dyn FnMut(Progress),
) -> Result<Oid, SourceError> {
    let reference = &settings.reference;
    // A commit never changes, so one that is here needs no question.
    if reference.is_full_commit()
        && let Some(commit) = find_commit(repository, settings)?
    {
        return Ok(commit);
    }
    let mut remote = repository
        .remote_anonymous(settings.url.as_str())
        .map_err(|error| failure::local(repository.path(), &error))?;
    let mut fetch = Fetch::connect(repository, &mut remote, settings, bounds)?;
    let advertised = fetch.advertised()?;
    let wanted = reference::resolve(settings, &advertised, &mut |note| {
        progress(Progress::Note(note));
    })?;
    match wanted {
        Wanted::Reference(found) => {
            if !has_object(repository, found.id) {
                fetch.download(&[&found.name], progress)?;
            }
            let commit = peel(repository, settings, found.id)?;
            remember(repository, settings, commit, progress)?;
            Ok(commit)
        }
        Wanted::Commit => fetch.find_commit(progress),
    }
}

/// One connection to the remote.
struct Fetch<'repository, 'remote> {
    repository: &'repository Repository,
    connection: RemoteConnection<'repository, 'remote, 'static>,
    settings: &'remote GitSettings,
    bounds: &'remote Bounds,
}

impl<'repository, 'remote> Fetch<'repository, 'remote> {
    fn connect(
        repository: &'repository Repository,
        remote: &'remote mut Remote<'repository>,
        settings: &'remote GitSettings,
        bounds: &'remote Bounds,
    ) -> Result<Self, SourceError> {
        let connection = remote
            .connect_auth(Direction::Fetch, None, Some(proxy(&settings.url)))
            .map_err(|error| remote_error(settings, &error))?;
        Ok(Self {
            repository,
            connection,
            settings,
            bounds,
        })
    }

    fn advertised(&self) -> Result<Vec<Advertised>, SourceError> {
        let heads = self
            .connection
            .list()
            .map_err(|error| remote_error(self.settings, &error))?;
        Ok(heads
            .iter()
            .filter_map(|head| {
                // git2 panics on a name that is not UTF-8. Nobody can ask for
                // such a ref here, and it must not take the others with it.
                let name = catch_unwind(AssertUnwindSafe(|| head.name().to_owned())).ok()?;
                Some(Advertised {
                    name,
                    id: head.oid(),
                })
            })
            .collect())
    }

    /// Brings refs, or a commit by its id, into the mirror.
    fn download(
        &mut self,
        sources: &[&str],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), SourceError> {
        // Only the objects are wanted, so what stands on the right is never
        // written; libgit2 wants to see something that is no branch of ours.
        let refspecs: Vec<_> = sources
            .iter()
            .map(|source| match source.strip_suffix('*') {
                Some(_) => format!("+{source}:{REFERENCES}*"),
                None => format!("+{source}:{REFERENCES}fetched"),
            })
            .collect();
        let limit = self.bounds.received_bytes;
        let exceeded = Cell::new(false);
        let mut callbacks = RemoteCallbacks::new();
        callbacks.transfer_progress(|transfer| {
            progress(Progress::Receiving {
                objects: transfer.received_objects(),
                total_objects: transfer.total_objects(),
                bytes: transfer.received_bytes(),
            });
            exceeded.set(transfer.received_bytes() > limit);
            !exceeded.get()
        });
        let mut options = FetchOptions::new();
        options
            .remote_callbacks(callbacks)
            .proxy_options(proxy(&self.settings.url))
            .download_tags(AutotagOption::None)
            .update_fetchhead(false);
        let outcome = self
            .connection
            .remote()
            .download(&refspecs, Some(&mut options));
        drop(options);
        outcome.map_err(|error| {
            if exceeded.get() {
                SourceError::TooLarge {
                    location: self.settings.url.to_string(),
                    bound: ExceededBound::ReceivedBytes(limit),
                }
            } else if failure::is_remote(&error) {
                remote_error(self.settings, &error)
            } else {
                failure::local(self.repository.path(), &error)
            }
        })
    }

    /// A commit that is asked for by its digits: from the mirror, from the
    /// server on its own where it allows that, or from all branches and tags.
    fn find_commit(mut self, progress: &mut dyn FnMut(Progress)) -> Result<Oid, SourceError> {
        let (repository, settings) = (self.repository, self.settings);
        if let Some(commit) = find_commit(repository, settings)? {
            return Ok(commit);
        }
        let by_itself = settings.reference.is_full_commit()
            && match self.download(&[settings.reference.as_str()], progress) {
                Ok(()) => true,
                Err(error @ SourceError::TooLarge { .. }) => return Err(error),
                // Servers say no in many ways, and some hang up.
                Err(_) => false,
            };
        if !by_itself {
            let mut remote = self.connection.remote().clone();
            drop(self.connection);
            let mut fetch = Fetch::connect(repository, &mut remote, settings, self.bounds)?;
            fetch.download(&["refs/heads/*", "refs/tags/*"], progress)?;
        }
        find_commit(repository, settings)?.ok_or_else(|| SourceError::CommitNotFound {
            url: settings.url.clone(),
            reference: settings.reference.clone(),
        })
    }
}

/// The environment's proxy (`https_proxy`, `no_proxy`), unless the repository is on
/// this machine; libgit2's default is none.
fn proxy(url: &GitUrl) -> ProxyOptions<'static> {
    let mut proxy = ProxyOptions::new();
    if !is_loopback(url.host()) {
        proxy.auto();
    }
    proxy
}

fn remote_error(settings: &GitSettings, error: &git2::Error) -> SourceError {
    SourceError::Remote {
        url: settings.url.clone(),
        failure: failure::classify(error),
    }
}

fn has_object(repository: &Repository, id: Oid) -> bool {
    repository.odb().is_ok_and(|objects| objects.exists(id))
}

/// The commit of the mirror that has these digits.
fn find_commit(
    repository: &Repository,
    settings: &GitSettings,
) -> Result<Option<Oid>, SourceError> {
    match repository.find_commit_by_prefix(settings.reference.as_str()) {
        Ok(commit) => Ok(Some(commit.id())),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) if error.code() == ErrorCode::Ambiguous => Err(SourceError::CommitAmbiguous {
            url: settings.url.clone(),
            reference: settings.reference.clone(),
        }),
        Err(error) => Err(failure::local(repository.path(), &error)),
    }
}

/// The commit behind a ref; an annotated tag is an object that names another.
fn peel(repository: &Repository, settings: &GitSettings, id: Oid) -> Result<Oid, SourceError> {
    let object = repository
        .find_object(id, None)
        .map_err(|error| failure::local(repository.path(), &error))?;
    match object.peel_to_commit() {
        Ok(commit) => Ok(commit.id()),
        Err(error) if matches!(error.code(), ErrorCode::InvalidSpec | ErrorCode::Peel) => {
            Err(SourceError::NotACommit {
                url: settings.url.clone(),
                reference: settings.reference.clone(),
            })
        }
        Err(error) => Err(failure::local(repository.path(), &error)),
    }
}

/// Records the commit under the wanted name: libgit2 tells the remote what it
/// has by its refs, and the next fetch sees whether history was rewritten.
fn remember(
    repository: &Repository,
    settings: &GitSettings,
    commit: Oid,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), SourceError> {
    let reference = &settings.reference;
    let digest = Digest::new().field(reference.as_str().as_bytes()).finish();
    let name = format!("{REFERENCES}{digest}");
    let local = |error: git2::Error| failure::local(repository.path(), &error);
    let before = match repository.refname_to_id(&name) {
        Ok(before) => Some(before),
        Err(error) if error.code() == ErrorCode::NotFound => None,
        Err(error) => return Err(local(error)),
    };
    if before == Some(commit) {
        return Ok(());
    }
    if let Some(before) = before
        && !repository
            .graph_descendant_of(commit, before)
            .map_err(local)?
    {
        progress(Progress::Note(Note::HistoryRewritten {
            reference: reference.clone(),
            from: before.to_string(),
            to: commit.to_string(),
        }));
    }
    repository
        .reference(&name, commit, true, "fetch")
        .map_err(local)?;
    Ok(())
}
