//! Which server, how long to wait for it, and as whom?

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::AUTHORIZATION;
use reqwest::{Request, RequestBuilder, Url};

/// How to reach one target. Proxies come from the environment (`HTTP_PROXY`,
/// `HTTPS_PROXY`, `NO_PROXY`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientSettings {
    /// The address below which `/api/v2/silences` lies, path prefix included.
    pub url: String,
    /// For one call, from the first byte sent to the last byte received.
    pub timeout: Duration,
    /// For name resolution, connection and TLS handshake together.
    pub connect_timeout: Duration,
    /// As whom.
    pub credentials: Credentials,
    /// Certificates of authorities, in PEM form. With it they alone are trusted,
    /// instead of the machine's; it is read for every request.
    pub ca_file: Option<PathBuf>,
}

impl ClientSettings {
    /// 50,000 silences take Alertmanager 0.9 s to list, and its snapshots block
    /// writers for 0.35 s; thirty times that is a server in trouble.
    pub const TIMEOUT: Duration = Duration::from_secs(30);
    /// Three lost packets in a row (1 s, 2 s and 4 s until each is repeated).
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);

    /// The defaults, without credentials, and with the machine's trust.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            timeout: Self::TIMEOUT,
            connect_timeout: Self::CONNECT_TIMEOUT,
            credentials: Credentials::None,
            ca_file: None,
        }
    }
}

/// As whom to call. Secrets are read from their files for every request, so
/// that a rotated one works at once, and are never kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Credentials {
    /// Nobody.
    None,
    /// `Authorization: Bearer`, as Grafana's service accounts need it.
    Bearer {
        /// Holds the token and nothing else.
        token_file: PathBuf,
    },
    /// `Authorization: Basic`.
    Basic {
        /// Without a colon, which separates it from the password.
        username: String,
        /// Holds the password; a line end after it is not part of it.
        password_file: PathBuf,
    },
}

/// Settings that no client can be made of.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSettings {
    /// It cannot be read as a URL.
    #[error("`{url}` is not a URL ({reason}): write one such as `http://alertmanager:9093`")]
    NotAUrl {
        /// As it was given, without user name and password.
        url: String,
        /// What the parser said.
        reason: String,
    },
    /// Another scheme, such as that of `alertmanager:9093`.
    #[error("`{url}` must begin with `http://` or `https://`")]
    Scheme {
        /// As it was given.
        url: String,
    },
    /// It has a part that would be lost or misread.
    #[error("`{url}` has {part}: {hint}")]
    ForeignPart {
        /// As it was given, without the part if that may be secret.
        url: String,
        /// Which part.
        part: &'static str,
        /// What to write instead.
        hint: &'static str,
    },
    /// RFC 7617 has no way to write it.
    #[error("the user name `{0}` has a colon, which basic authentication cannot carry")]
    Username(String),
    /// Certificates would never be looked at.
    #[error(
        "`{0}` begins with `http://`, so that `tls` would not be used: write `https://`, \
         or leave `tls` away"
    )]
    TlsUnused(String),
    /// No TLS could be set up on this machine, for example.
    #[error("no HTTP client could be made")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The address, if nothing is in it but scheme, host, port and path.
pub(super) fn base_url(text: &str) -> Result<Url, InvalidSettings> {
    let url = Url::parse(text.trim()).map_err(|error| InvalidSettings::NotAUrl {
        url: without_secrets(text),
        reason: error.to_string(),
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(InvalidSettings::Scheme {
            url: without_secrets(text),
        });
    }
    let foreign = |part, hint| {
        let url = without_secrets(text);
        Err(InvalidSettings::ForeignPart { url, part, hint })
    };
    if !url.username().is_empty() || url.password().is_some() {
        return foreign(
            "a user name or password",
            "name them in `basic_auth`, the password in a file of its own",
        );
    }
    if url.query().is_some() {
        return foreign("a query (`?...`)", "write the URL without it");
    }
    if url.fragment().is_some() {
        return foreign(
            "a fragment (`#...`)",
            "that is a page of the web interface: write only what comes before it",
        );
    }
    Ok(url)
}

/// What may be shown of a text that is no proper URL: all but what stands before
/// an `@`, which may be a password with any characters, and the query.
fn without_secrets(text: &str) -> String {
    let scheme = text.find("//").map_or("", |slashes| &text[..slashes + 2]);
    let shown = match text.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}{host}"),
        None => text.to_owned(),
    };
    shown.split('?').next().unwrap_or_default().to_owned()
}

/// Far above every token and password (JSON Web Tokens reach a few KiB).
const LARGEST_SECRET: u64 = 64 << 10;

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
}

impl Credentials {
    /// Puts the secrets, as their files hold them now, into a request.
    pub(super) fn authorize(
        &self,
        request: RequestBuilder,
    ) -> Result<(RequestBuilder, Redaction), UnreadableSecret> {
        match self {
            Self::None => Ok((request, Redaction::default())),
            Self::Bearer { token_file } => {
                let token = read_secret(token_file)?.trim().to_owned();
                if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                    return Err(UnreadableSecret::NotAToken(token_file.clone()));
                }
                Ok((request.bearer_auth(&token), Redaction(vec![token])))
            }
            Self::Basic {
                username,
                password_file,
            } => {
                let secret = read_secret(password_file)?;
                let password = secret.trim_end_matches(['\r', '\n']).to_owned();
                Ok((
                    request.basic_auth(username, Some(&password)),
                    Redaction(vec![password]),
                ))
            }
        }
    }
}

/// Reads without `await`: a secret is a few bytes in a file system in memory.
fn read_secret(path: &Path) -> Result<String, UnreadableSecret> {
    let mut secret = String::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST_SECRET + 1).read_to_string(&mut secret))
        .map_err(|error| UnreadableSecret::File(path.to_owned(), error))?;
    if secret.len() as u64 > LARGEST_SECRET {
        return Err(UnreadableSecret::TooLarge(path.to_owned()));
    }
    if secret.trim().is_empty() {
        return Err(UnreadableSecret::Empty(path.to_owned()));
    }
    Ok(secret)
}

/// The secrets of one request, to be taken out of what the server answers:
/// some proxies print the request that they refuse. Not `Debug`, on purpose.
#[derive(Default)]
pub(super) struct Redaction(Vec<String>);

impl Redaction {
    /// Also knows the secrets in the form in which `request` carries them.
    pub(super) fn with_header_of(mut self, request: &Request) -> Self {
        let header = request.headers().get(AUTHORIZATION);
        let sent = header.and_then(|value| value.to_str().ok()?.split_once(' '));
        self.0
            .extend(sent.map(|(_scheme, secret)| secret.to_owned()));
        self
    }

    /// `text` without the secrets.
    pub(super) fn apply(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret, "[redacted]")
        })
    }
}
