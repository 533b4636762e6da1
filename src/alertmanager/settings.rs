//! Which server, of what kind, how to reach it, and how long to wait for it?

use std::path::PathBuf;
use std::time::Duration;

use hyper::Uri;
use hyper::http::uri::InvalidUri;
use reqwest::Url;

use super::credentials::Credentials;
use super::headers::ExtraHeader;
use super::kind::Kind;

/// How to reach one target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientSettings {
    /// The address below which the paths of `kind` lie, path prefix included.
    pub url: String,
    /// What answers there.
    pub kind: Kind,
    /// For one call, from the first byte sent to the last byte received.
    pub timeout: Duration,
    /// For name resolution, connection and TLS handshake together.
    pub connect_timeout: Duration,
    /// As whom.
    pub credentials: Credentials,
    /// What else every request carries.
    pub headers: Vec<ExtraHeader>,
    /// Whom to trust, and how to prove who we are.
    pub tls: TlsSettings,
    /// Through whom.
    pub proxy: Proxy,
}

/// The files of a TLS connection. They are read for every request, which costs
/// far less than the request, so that a rotated one works at once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TlsSettings {
    /// Certificates of authorities, in PEM form. With it they alone are trusted,
    /// instead of the machine's, as with Prometheus' `ca_file`.
    pub ca_file: Option<PathBuf>,
    /// For servers that ask for one.
    pub client_certificate: Option<ClientCertificate>,
}

/// What proves to a server who we are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientCertificate {
    /// The certificate and those between it and the authority, in PEM form.
    pub cert_file: PathBuf,
    /// Its private key in PEM form, not encrypted.
    pub key_file: PathBuf,
}

/// Through whom requests go.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub enum Proxy {
    /// As `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    #[default]
    Environment,
    /// Straight to the server, whatever the environment says.
    Direct,
    /// Through this one.
    Url {
        /// `http://` or `https://`, host and port.
        url: String,
        /// Hosts, domains and networks to which no proxy is used, after commas.
        no_proxy: String,
    },
}

impl ClientSettings {
    /// 50,000 silences take Alertmanager 0.9 s to list, and its snapshots block
    /// writers for 0.35 s; thirty times that is a server in trouble.
    pub const TIMEOUT: Duration = Duration::from_secs(30);
    /// Three lost packets in a row (1 s, 2 s and 4 s until each is repeated).
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);

    /// An Alertmanager with the defaults: without credentials, with the
    /// machine's trust, and through the proxies of the environment.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            kind: Kind::Alertmanager,
            timeout: Self::TIMEOUT,
            connect_timeout: Self::CONNECT_TIMEOUT,
            credentials: Credentials::None,
            headers: Vec::new(),
            tls: TlsSettings::default(),
            proxy: Proxy::Environment,
        }
    }
}

/// Settings that no client can be made of.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSettings {
    /// It cannot be read as a URL.
    #[error("`{url}` is not a URL ({reason}): write one such as `{example}`")]
    NotAUrl {
        /// As it was given, without user name and password.
        url: String,
        /// What the parser said.
        reason: String,
        /// A right one.
        example: &'static str,
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
    /// It would stand there twice.
    #[error("`{url}` ends with `/{path}`, which is added to it: leave that away")]
    DoubledPath {
        /// As it was given.
        url: String,
        /// What is added for its kind.
        path: String,
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
    /// It cannot be the name of a header, or is not ours to set.
    #[error("the header `{name}` cannot be set: {reason}")]
    Header {
        /// As it was given.
        name: String,
        /// Why, and what to write instead.
        reason: &'static str,
    },
    /// It would be spoken to in HTTP all the same.
    #[error(
        "`ALL_PROXY` or another variable of the environment names a `{0}://` proxy, and only \
         `http://` and `https://` are known: name such a one, except this host in `NO_PROXY`, or \
         write `proxy_from_environment: false`"
    )]
    EnvironmentProxy(String),
    /// The tenant or another value that travels in a header.
    #[error("`{0}` has characters that no HTTP header can carry")]
    HeaderValue(String),
    /// The proxy's address, or that of the token endpoint.
    #[error("in `{key}`: {problem}")]
    Nested {
        /// The key whose value it is.
        key: &'static str,
        /// What is wrong with that.
        problem: Box<InvalidSettings>,
    },
}

impl InvalidSettings {
    /// The same about the value of `key`.
    pub(super) fn within(self, key: &'static str) -> Self {
        Self::Nested {
            key,
            problem: Box::new(self),
        }
    }
}

/// The address, if nothing is in it but scheme, host, port and path.
pub(super) fn base_url(text: &str) -> Result<Url, InvalidSettings> {
    let hint = "name them in `basic_auth`, the password in a file of its own";
    plain_url(text, "http://alertmanager:9093", hint)
}

/// `hint` says where user name and password belong instead.
pub(super) fn plain_url(
    text: &str,
    example: &'static str,
    hint: &'static str,
) -> Result<Url, InvalidSettings> {
    let url = Url::parse(text.trim()).map_err(|error| InvalidSettings::NotAUrl {
        url: without_secrets(text),
        reason: error.to_string(),
        example,
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
        return foreign("a user name or password", hint);
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

/// The same address as requests have it. Hardly any URL is not one: those of
/// more than 64 KiB.
pub(super) fn uri(url: &Url) -> Result<Uri, InvalidSettings> {
    let text = url.as_str();
    text.parse()
        .map_err(|error: InvalidUri| InvalidSettings::NotAUrl {
            url: without_secrets(text),
            reason: error.to_string(),
            example: "http://alertmanager:9093",
        })
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
