//! Why could the declarations not be read, and what helps?
//!
//! All of these travel between processes and are shown to people. None holds a
//! secret: a [`GitUrl`] cannot contain credentials.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::bounds::ExceededBound;
use super::settings::{DeclarationsPath, GitReference, GitUrl};

/// Why there is no snapshot. Nothing of it says that declarations are gone.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error, Serialize, Deserialize)]
pub enum SourceError {
    /// The directory itself cannot be read.
    #[error("cannot read the declarations in `{}`: {problem}", path.display())]
    Directory {
        /// The directory, or the one inside it that has the problem.
        path: PathBuf,
        /// What is wrong with it.
        problem: DirectoryProblem,
    },
    /// The Git server gave an answer that is of no use, or none.
    #[error("cannot fetch `{url}`: {failure}")]
    Remote {
        /// The repository.
        url: GitUrl,
        /// What came back.
        failure: RemoteFailure,
    },
    /// The repository has no commits.
    #[error(
        "the repository `{url}` is empty; push a commit with the declarations, \
         or check that the URL is the right one"
    )]
    EmptyRepository {
        /// The repository.
        url: GitUrl,
    },
    /// No branch or tag has the wanted name.
    #[error(
        "the repository `{url}` has no branch or tag `{reference}`{}; \
         was it deleted or renamed? Set `ref` (`--ref`) to one that exists",
        name_some(" (nearest: ", nearest, ")")
    )]
    ReferenceNotFound {
        /// The repository.
        url: GitUrl,
        /// What was looked for.
        reference: GitReference,
        /// The branches whose names are most like it, best first.
        nearest: Vec<String>,
    },
    /// `HEAD` names a branch that does not exist, as after its renaming.
    #[error(
        "the repository `{url}` has branches, but its HEAD is none of them; \
         set `ref` (`--ref`) to a branch{}, or mend the default branch on the server",
        name_some(" (such as ", branches, ")")
    )]
    DefaultBranchMissing {
        /// The repository.
        url: GitUrl,
        /// Some of its branches.
        branches: Vec<String>,
    },
    /// The commit is on no branch and under no tag, nor will the server
    /// hand it out on its own.
    #[error(
        "the repository `{url}` has no commit `{reference}` on any branch or tag; \
         push it, or set `ref` (`--ref`) to a commit that is on a branch"
    )]
    CommitNotFound {
        /// The repository.
        url: GitUrl,
        /// The commit, perhaps abbreviated.
        reference: GitReference,
    },
    /// Several commits begin with the same digits.
    #[error(
        "several commits of `{url}` begin with `{reference}`; \
         write more digits of the commit in `ref` (`--ref`)"
    )]
    CommitAmbiguous {
        /// The repository.
        url: GitUrl,
        /// The digits.
        reference: GitReference,
    },
    /// A tag may name anything; only commits hold declarations.
    #[error(
        "`{reference}` of the repository `{url}` does not name a commit; \
         set `ref` (`--ref`) to a branch, or to a tag of a commit"
    )]
    NotACommit {
        /// The repository.
        url: GitUrl,
        /// The tag.
        reference: GitReference,
    },
    /// The commit does not contain the directory of the declarations.
    #[error(
        "commit {} (`{reference}`) of `{url}` has no directory `{path}`; \
         set `path` (`--path`) to the directory of the declarations{}",
        abbreviate(commit),
        name_some(", such as ", directories, "")
    )]
    PathNotFound {
        /// The repository.
        url: GitUrl,
        /// What was asked for.
        reference: GitReference,
        /// The full id of the commit that it names now.
        commit: String,
        /// The path that is not there.
        path: DeclarationsPath,
        /// Some directories that are.
        directories: Vec<String>,
    },
    /// The path exists and is no directory.
    #[error(
        "`{path}` in commit {} (`{reference}`) of `{url}` is {what}, not a directory; \
         set `path` (`--path`) to the directory that holds the declarations",
        abbreviate(commit)
    )]
    PathNotADirectory {
        /// The repository.
        url: GitUrl,
        /// What was asked for.
        reference: GitReference,
        /// The full id of the commit that it names now.
        commit: String,
        /// As much of the path as exists.
        path: DeclarationsPath,
        /// What is there: `a file`, `a link`, `a submodule`.
        what: String,
    },
    /// There is more than the bounds allow.
    #[error(
        "`{location}` is too large to be read: {bound}; \
         keep the declarations in a directory or repository of their own"
    )]
    TooLarge {
        /// The directory or the URL.
        location: String,
        /// Which bound.
        bound: ExceededBound,
    },
    /// Our own copy cannot be written or read: a full disk, wrong permissions,
    /// damage that a new clone did not cure.
    #[error(
        "cannot use the local mirror `{}`: {reason}; \
         check the free space and the permissions there",
        path.display()
    )]
    Local {
        /// The mirror or the directory around it.
        path: PathBuf,
        /// What the file system or libgit2 says.
        reason: String,
    },
    /// Another process works on the same mirror.
    #[error(
        "the local mirror `{}` is in use by another process; \
         give each process a cache directory of its own",
        path.display()
    )]
    MirrorInUse {
        /// The mirror.
        path: PathBuf,
    },
}

impl SourceError {
    pub(super) fn local(path: &Path, reason: &impl fmt::Display) -> Self {
        Self::Local {
            path: path.to_path_buf(),
            reason: reason.to_string(),
        }
    }
}

/// What is wrong with a directory.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error, Serialize, Deserialize)]
pub enum DirectoryProblem {
    /// Nothing is there.
    #[error("it does not exist; check the path, and that its volume is mounted")]
    Missing,
    /// Something else is there.
    #[error("it is not a directory; name the directory that holds the files")]
    NotADirectory,
    /// The operating system refuses.
    #[error("{0}; check the permissions for the user that silenced runs as")]
    Unreadable(String),
    /// Every attempt saw files change while they were read.
    #[error("its files change faster than they are read; the next attempt may succeed")]
    Changing,
}

/// What came back from a Git server.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error, Serialize, Deserialize)]
pub enum RemoteFailure {
    /// No connection.
    #[error(
        "{0}; check the host name, the network policy and the proxy (`https_proxy`, `no_proxy`)"
    )]
    Unreachable(String),
    /// No trust in the server's certificate, or no TLS at all.
    #[error(
        "TLS failed: {0}; a private certificate authority goes into the file \
         named by `SSL_CERT_FILE`"
    )]
    Tls(String),
    /// The server wants to know who asks (401), or will not serve us (403).
    #[error(
        "the server refuses access ({0}); the repository may be private, which needs \
         credentials, or the credentials may have expired"
    )]
    Authentication(String),
    /// There is no such repository, or none that we may see.
    #[error(
        "there is no repository ({0}); check the spelling of the URL; \
         many servers also answer this for a private repository without credentials"
    )]
    NotFound(String),
    /// Something answers, and it is not Git: a login page, a proxy's notice.
    #[error(
        "the answer is not Git but `{0}`, probably a login page or a proxy's notice; \
         use the URL that `git clone` uses, and check credentials and proxy"
    )]
    NotGit(String),
    /// Silence.
    #[error("the server did not answer in time ({0}); it will be asked again")]
    TimedOut(String),
    /// Another HTTP status: overload, rate limit, an outage.
    #[error("the server answers HTTP {0}; it will be asked again, see the server's own status")]
    Status(u16),
    /// The transfer began and did not end well.
    #[error("the transfer broke off: {0}; it will be tried again")]
    Interrupted(String),
}

fn abbreviate(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

/// Names in backticks between `before` and `after`; nothing without names.
fn name_some(before: &str, names: &[String], after: &str) -> String {
    if names.is_empty() {
        return String::new();
    }
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("{before}{}{after}", names.join(", "))
}
