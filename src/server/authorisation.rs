//! May this request change something? A bearer token, compared without
//! telling how much of it was right.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use subtle::ConstantTimeEq;

/// A token is a line of text; whatever is longer is not one.
const LONGEST_TOKEN: u64 = 4096;

/// Who may change something over HTTP.
#[derive(Clone, Debug)]
pub enum Authorisation {
    /// Anybody who can connect. Only for a server that listens on loopback.
    Open,
    /// Nobody, because nothing is configured.
    Refused,
    /// Whoever knows the token in this file, which is read at every request.
    Token(PathBuf),
}

/// Why a request is not allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Denied {
    NotConfigured,
    NoToken,
    WrongToken,
    UnreadableFile,
}

impl Denied {
    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::NotConfigured => {
                "no token is configured: set `sync_token_file` (`--sync-token-file`) to a file that holds one"
            }
            Self::NoToken => "send the token as `Authorization: Bearer TOKEN`",
            Self::WrongToken => "the token is wrong",
            Self::UnreadableFile => {
                "the token file cannot be read or is empty: see the log of silenced"
            }
        }
    }
}

impl Authorisation {
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Denied> {
        let path = match self {
            Self::Open => return Ok(()),
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
            tracing::error!("cannot read the token file `{}`: {problem}", path.display());
            Denied::UnreadableFile
        })?;
        if bool::from(given.as_bytes().ct_eq(expected.as_bytes())) {
            Ok(())
        } else {
            Err(Denied::WrongToken)
        }
    }
}

fn read_token(path: &PathBuf) -> Result<String, String> {
    let mut token = String::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST_TOKEN).read_to_string(&mut token))
        .map_err(|error| error.to_string())?;
    match token.trim() {
        "" => Err("it is empty".to_owned()),
        token => Ok(token.to_owned()),
    }
}
