//! How is a secret read, and kept out of everything that people see?

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Far above every token and password (JSON Web Tokens reach a few KiB).
const LARGEST: u64 = 64 << 10;

/// Why a secret could not be had from its file.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnreadableSecret {
    #[error("`{}` cannot be read", .0.display())]
    File(PathBuf, #[source] std::io::Error),
    #[error("`{}` is empty", .0.display())]
    Empty(PathBuf),
    #[error("`{}` is larger than 64 KiB, which no token or password is", .0.display())]
    TooLarge(PathBuf),
    #[error("`{}` holds characters that a token cannot have: it must hold the token and nothing else", .0.display())]
    NotAToken(PathBuf),
    #[error("`{}` holds characters that a header cannot have: it must hold the value on one line", .0.display())]
    NotAHeader(PathBuf),
}

/// What the file holds now, without line ends after it.
///
/// Reads without `await`: a secret is a few bytes in a file system in memory.
pub(super) fn read(path: &Path) -> Result<String, UnreadableSecret> {
    let mut secret = String::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_string(&mut secret))
        .map_err(|error| UnreadableSecret::File(path.to_owned(), error))?;
    if secret.len() as u64 > LARGEST {
        return Err(UnreadableSecret::TooLarge(path.to_owned()));
    }
    if secret.trim().is_empty() {
        return Err(UnreadableSecret::Empty(path.to_owned()));
    }
    secret.truncate(secret.trim_end_matches(['\r', '\n']).len());
    Ok(secret)
}

/// A secret without blanks in or around it.
pub(super) fn read_token(path: &Path) -> Result<String, UnreadableSecret> {
    let token = read(path)?.trim().to_owned();
    if token.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(token)
    } else {
        Err(UnreadableSecret::NotAToken(path.to_owned()))
    }
}

/// The secrets of one request, to be taken out of what the server answers:
/// some proxies print the request that they refuse.
#[derive(Clone, Default)]
pub(super) struct Redaction(Vec<String>);

/// Without the secrets.
impl fmt::Debug for Redaction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Redaction").finish_non_exhaustive()
    }
}

impl Redaction {
    /// Knows one more secret, in a form in which it may be repeated.
    pub(super) fn add(&mut self, secret: impl Into<String>) {
        self.0.push(secret.into());
    }

    /// `text` without the secrets.
    pub(super) fn apply(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret, "[redacted]")
        })
    }
}
