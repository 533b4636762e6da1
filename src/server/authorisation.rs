//! May this request change something? A bearer token, compared without
//! telling how much of it was right.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use axum::http::header::{AUTHORIZATION, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, Uri};
use subtle::ConstantTimeEq;

use crate::loopback::is_loopback;

/// Bytes of a token file. A token is a line of text; whatever is longer is not one.
const LONGEST_TOKEN: u64 = 4096;

/// Who may change something over HTTP.
#[derive(Clone, Debug)]
pub enum Authorisation {
    /// Anybody who can connect, but no page of another site that somebody has
    /// open. Only for a server that listens on loopback.
    Open,
    /// Nobody, because nothing is configured.
    Refused,
    /// Whoever knows the token in this file, which is read at every request.
    Token(PathBuf),
}

/// Why a request is not allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Denied {
    OtherSite,
    NotConfigured,
    NoToken,
    WrongToken,
    UnreadableFile,
}

impl Denied {
    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::OtherSite => "a page of another site may change nothing here",
            Self::NotConfigured => {
                "no token is configured: set `sync_token_file` (`--sync-token-file`) to a file that holds one"
            }
            Self::NoToken => "send the token as `Authorization: Bearer TOKEN`",
            Self::WrongToken => "the token is wrong",
            Self::UnreadableFile => "the token file cannot be used: see the log of silenced",
        }
    }
}

impl Authorisation {
    /// Says in the log what would keep everybody out at present.
    pub fn warn_if_unusable(&self) {
        if let Self::Token(path) = self
            && let Err(problem) = read_token(path)
        {
            tracing::warn!(
                "cannot use the token file `{}`: {problem}; until it holds a token nobody can \
                 ask for a pass",
                path.display()
            );
        }
    }

    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Denied> {
        let path = match self {
            Self::Open if headers.get_all(ORIGIN).iter().all(is_of_loopback) => return Ok(()),
            Self::Open => return Err(Denied::OtherSite),
            Self::Refused => return Err(Denied::NotConfigured),
            Self::Token(path) => path,
        };
        let given = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or(Denied::NoToken)?;
        let expected = read_token(path).map_err(|problem| {
            tracing::error!("cannot use the token file `{}`: {problem}", path.display());
            Denied::UnreadableFile
        })?;
        if bool::from(given.as_bytes().ct_eq(expected.as_bytes())) {
            Ok(())
        } else {
            Err(Denied::WrongToken)
        }
    }
}

/// Browsers say with every POST whose page it is from, and nothing else does.
fn is_of_loopback(origin: &HeaderValue) -> bool {
    let uri = Uri::try_from(origin.as_bytes()).ok();
    uri.as_ref().and_then(Uri::host).is_some_and(is_loopback)
}

fn read_token(path: &Path) -> Result<String, String> {
    let mut token = String::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST_TOKEN + 1).read_to_string(&mut token))
        .map_err(|error| error.to_string())?;
    if token.len() as u64 > LONGEST_TOKEN {
        return Err(format!("it has more than {LONGEST_TOKEN} bytes"));
    }
    match token.trim() {
        "" => Err("it is empty".to_owned()),
        token => Ok(token.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_holds_no_token_says_why() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let read = |content: &str| {
            std::fs::write(&file, content).expect("it can be written");
            read_token(file.path())
        };
        let longest = "t".repeat(4096);
        assert_eq!(read(&longest), Ok(longest.clone()));
        let longer = read(&format!("{longest}\n"));
        assert_eq!(longer, Err("it has more than 4096 bytes".to_owned()));
        assert_eq!(read(" \n"), Err("it is empty".to_owned()));
    }
}
