//! Where are the declarations? A directory or a Git repository, as people
//! write it after `--source`.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where the declarations are.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SourceSettings {
    /// A directory of this machine, read as it is.
    Directory(PathBuf),
    /// A Git repository.
    Git(GitSettings),
}

/// What to read of which repository.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GitSettings {
    /// The repository.
    pub url: GitUrl,
    /// Branch, tag or commit.
    pub reference: GitReference,
    /// The directory of the declarations inside the repository.
    pub path: DeclarationsPath,
}

/// A value that names no source that can be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SourceSettingsError {
    /// Nothing at all.
    #[error("the source is empty; write a directory or a Git URL")]
    Empty,
    /// A password in a URL ends up in process lists and logs.
    #[error(
        "the source URL `{0}` contains credentials, which would show up in process lists and logs; \
         remove them from the URL"
    )]
    Credentials(String),
    /// A query or fragment; Git URLs have none, and tokens hide there.
    #[error("the source URL `{0}` must not have a query (`?`) or fragment (`#`)")]
    Query(String),
    /// SSH in the form that `git clone` accepts and URLs do not.
    #[error("the source `{found}` needs SSH, which is not supported yet; write `{suggestion}`")]
    ScpLike {
        /// What was written.
        found: String,
        /// The same repository over HTTPS.
        suggestion: String,
    },
    /// SSH.
    #[error("the source `{0}` needs SSH, which is not supported yet; use the https:// URL")]
    SshUnsupported(String),
    /// Some other scheme.
    #[error(
        "the source `{0}` has an unknown scheme; \
         write a directory, or a URL that begins with https://, http:// or file://"
    )]
    UnknownScheme(String),
    /// The rest of the URL makes no sense.
    #[error("the source URL `{url}` {problem}")]
    BadUrl {
        /// What was written.
        url: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Not a name that a branch, tag or commit can have.
    #[error("`{0}` cannot be a Git ref; write the name of a branch or tag, or a commit")]
    BadReference(String),
    /// Not a directory inside a repository.
    #[error("the path `{path}` {problem}; write it relative to the root of the repository")]
    BadPath {
        /// What was written.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A setting that has no meaning for a directory.
    #[error(
        "`{setting}` applies to Git repositories only, and the source `{directory}` is a directory"
    )]
    GitOnly {
        /// `path` or `ref`.
        setting: &'static str,
        /// The source.
        directory: String,
    },
}

impl SourceSettings {
    /// Reads a `--source` value with the `--path` and `--ref` that go with it.
    pub fn parse(
        source: &str,
        path: Option<&str>,
        reference: Option<&str>,
    ) -> Result<Self, SourceSettingsError> {
        if source.is_empty() {
            return Err(SourceSettingsError::Empty);
        }
        refuse_scp_like(source)?;
        if source.contains("://") {
            return Ok(Self::Git(GitSettings {
                url: GitUrl::new(source)?,
                reference: reference.map_or(Ok(GitReference::head()), GitReference::new)?,
                path: DeclarationsPath::new(path.unwrap_or("silences"))?,
            }));
        }
        for (setting, value) in [("path", path), ("ref", reference)] {
            if value.is_some() {
                return Err(SourceSettingsError::GitOnly {
                    setting,
                    directory: source.to_owned(),
                });
            }
        }
        Ok(Self::Directory(PathBuf::from(source)))
    }
}

/// `git@host:path` looks like a directory with a colon; it is not meant so.
fn refuse_scp_like(source: &str) -> Result<(), SourceSettingsError> {
    if source.contains("://") {
        return Ok(());
    }
    let host_part = source.split('/').next().unwrap_or_default();
    let Some((user, rest)) = host_part.rsplit_once('@') else {
        return Ok(());
    };
    let Some((host, _)) = rest.split_once(':') else {
        return Ok(());
    };
    if user.contains(':') {
        return Err(SourceSettingsError::Credentials(format!(
            "[redacted]@{}",
            &source[user.len() + 1..]
        )));
    }
    let path = source[user.len() + host.len() + 2..].trim_start_matches('/');
    Err(SourceSettingsError::ScpLike {
        found: source.to_owned(),
        suggestion: format!("https://{host}/{path}"),
    })
}

/// The URL of a repository, without credentials, so that it may be shown.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GitUrl(Box<str>);

impl GitUrl {
    /// Checks the scheme (`file`, `http`, `https`) and that there is neither a
    /// user nor a query.
    pub fn new(text: &str) -> Result<Self, SourceSettingsError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(SourceSettingsError::UnknownScheme(text.to_owned()));
        };
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        let scheme = scheme.to_ascii_lowercase();
        // Before anything else, so that no other message shows a password.
        // SSH knows a user that is no secret; a password is one everywhere.
        if let Some((user, host)) = authority.rsplit_once('@')
            && (scheme != "ssh" || user.contains(':'))
        {
            return Err(SourceSettingsError::Credentials(format!(
                "{scheme}://[redacted]@{host}{}",
                without_query(path)
            )));
        }
        if rest.contains(['?', '#']) {
            return Err(SourceSettingsError::Query(format!(
                "{scheme}://{}",
                without_query(rest)
            )));
        }
        let bad = |problem| {
            Err(SourceSettingsError::BadUrl {
                url: text.escape_debug().to_string(),
                problem,
            })
        };
        if rest.contains(|character: char| character.is_whitespace() || character.is_control()) {
            return bad("must not contain spaces or control characters; write `%20` for a space");
        }
        match scheme.as_str() {
            "ssh" => Err(SourceSettingsError::SshUnsupported(text.to_owned())),
            "file" if !authority.is_empty() || path.len() < 2 => {
                bad("must name an absolute path; write file:///path/to/repository")
            }
            "http" | "https" if authority.is_empty() || authority.starts_with(':') => {
                bad("names no host")
            }
            "file" | "http" | "https" => Ok(Self(format!("{scheme}://{rest}").into())),
            _ => Err(SourceSettingsError::UnknownScheme(text.to_owned())),
        }
    }

    /// The URL as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host without its port; nothing of a `file://` URL.
    #[must_use]
    pub fn host(&self) -> &str {
        let (_, rest) = self.0.split_once("://").unwrap_or_default();
        let authority = rest.split('/').next().unwrap_or_default();
        match authority.rsplit_once(':') {
            // The colons of an IPv6 address stand in brackets.
            Some((host, port)) if !port.ends_with(']') => host,
            _ => authority,
        }
    }
}

fn without_query(text: &str) -> &str {
    text.split(['?', '#']).next().unwrap_or_default()
}

/// A branch, a tag, a full name such as `refs/pull/7/head`, a commit with all
/// its digits or at least [`GitReference::SHORTEST_COMMIT`] of them, or `HEAD`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GitReference(Box<str>);

impl GitReference {
    /// The fewest digits that are taken for a commit: Git's own minimum.
    pub const SHORTEST_COMMIT: usize = 4;
    const FULL_COMMIT: usize = 40;
    const HEAD: &str = "HEAD";

    /// Checks that it can be a name in Git (the rules of `git check-ref-format`).
    pub fn new(text: &str) -> Result<Self, SourceSettingsError> {
        let bad_part = |part: &str| {
            // Case matters: only the exact ending collides with Git's lock files.
            part.is_empty() || part.starts_with('.') || part.as_bytes().ends_with(b".lock")
        };
        let bad_character = |character: char| {
            character.is_control() || character == ' ' || "~^:?*[\\".contains(character)
        };
        if text == "@"
            || text.starts_with('-')
            || text.ends_with('.')
            || text.contains(bad_character)
            || text.contains("..")
            || text.contains("@{")
            || text.split('/').any(bad_part)
        {
            let shown = text.escape_debug().to_string();
            return Err(SourceSettingsError::BadReference(shown));
        }
        Ok(Self(text.into()))
    }

    /// The default branch of the repository.
    #[must_use]
    pub fn head() -> Self {
        Self(Self::HEAD.into())
    }

    /// The reference as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn is_head(&self) -> bool {
        &*self.0 == Self::HEAD
    }

    /// Whether it can be a commit or the beginning of one.
    pub(super) fn may_be_commit(&self) -> bool {
        (Self::SHORTEST_COMMIT..=Self::FULL_COMMIT).contains(&self.0.len())
            && self.0.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    /// Whether it is a commit in full, which Git allows no branch to be called.
    pub(super) fn is_full_commit(&self) -> bool {
        self.0.len() == Self::FULL_COMMIT && self.may_be_commit()
    }
}

/// A directory inside a repository, in normal form: relative, with `/` between
/// its parts, without `.` and `..`; empty for the root of the repository.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeclarationsPath(Box<str>);

impl DeclarationsPath {
    /// Normalises `./silences/` to `silences`; `.` is the root.
    pub fn new(text: &str) -> Result<Self, SourceSettingsError> {
        let bad = |problem| {
            Err(SourceSettingsError::BadPath {
                path: text.escape_debug().to_string(),
                problem,
            })
        };
        if text.starts_with('/') {
            return bad("is absolute");
        }
        if text.contains(char::is_control) {
            return bad("contains control characters");
        }
        let parts: Vec<_> = text
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .collect();
        if parts.contains(&"..") {
            return bad("leaves the repository with `..`");
        }
        Ok(Self(parts.join("/").into()))
    }

    /// The path of its first `count` parts.
    pub(super) fn prefix(&self, count: usize) -> Self {
        Self(
            self.parts()
                .take(count)
                .collect::<Vec<_>>()
                .join("/")
                .into(),
        )
    }

    /// Its parts from the root of the repository.
    pub(super) fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }
}

impl fmt::Display for DeclarationsPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(if self.0.is_empty() { "." } else { &self.0 })
    }
}

impl fmt::Display for GitUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl fmt::Display for GitReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// What serde needs to send them between processes, checked on arrival.
macro_rules! checked_text {
    ($($type:ident),*) => {$(
        impl TryFrom<String> for $type {
            type Error = SourceSettingsError;

            fn try_from(text: String) -> Result<Self, SourceSettingsError> {
                Self::new(&text)
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.0.into()
            }
        }
    )*};
}

checked_text!(GitUrl, GitReference, DeclarationsPath);
