//! Whose certificates are trusted? Those of the machine's authorities, or those
//! of the authorities in one file, as that file is now.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Certificate, redirect};

use super::settings::{ClientSettings, InvalidSettings};

/// Every request says who asks.
const USER_AGENT: &str = concat!("silenced/", env!("CARGO_PKG_VERSION"));

/// Four to eight connections saturate an Alertmanager; more only add latency.
const IDLE_CONNECTIONS: usize = 8;

/// Connections serve the calls of one pass. Load balancers close idle ones
/// after 60 s or later, and a write on such a connection has an unknown outcome.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// A whole Debian's authorities are 220 KB.
const LARGEST_FILE: u64 = 1 << 20;

/// The connections to one server, and whom they trust.
#[derive(Debug)]
pub(super) enum Trust {
    /// The machine's authorities.
    Machine(reqwest::Client),
    /// The authorities of a file and no others, as with Prometheus' `ca_file`.
    File(Authorities),
}

/// A file with certificates of authorities. It is read for every request, which
/// costs far less than the request, so that a rotated authority works at once.
#[derive(Debug)]
pub(super) struct Authorities {
    file: PathBuf,
    timeout: Duration,
    connect_timeout: Duration,
    /// What the file held when the client was made, and that client.
    latest: Mutex<Option<(Vec<u8>, reqwest::Client)>>,
}

/// Why the authorities could not be had from their file.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnusableAuthorities {
    #[error("`{}` cannot be read", .0.display())]
    File(PathBuf, #[source] std::io::Error),
    #[error("`{}` is larger than 1 MiB", .0.display())]
    TooLarge(PathBuf),
    #[error("`{}` holds no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)", .0.display())]
    Empty(PathBuf),
    #[error("`{}` holds a certificate that cannot be used", .0.display())]
    Certificate(PathBuf, #[source] reqwest::Error),
}

impl Trust {
    /// No file is read yet.
    pub(super) fn new(settings: &ClientSettings) -> Result<Self, InvalidSettings> {
        let (timeout, connect_timeout) = (settings.timeout, settings.connect_timeout);
        match &settings.ca_file {
            Some(file) => Ok(Self::File(Authorities {
                file: file.clone(),
                timeout,
                connect_timeout,
                latest: Mutex::new(None),
            })),
            None => machine(settings)
                .build()
                .map(Self::Machine)
                .map_err(|error| InvalidSettings::Client(error.into())),
        }
    }

    /// The client to send the next request with.
    pub(super) fn client(&self) -> Result<reqwest::Client, UnusableAuthorities> {
        match self {
            Self::Machine(client) => Ok(client.clone()),
            Self::File(authorities) => authorities.client(),
        }
    }
}

impl Authorities {
    /// The client before, with its open connections, unless the file has changed.
    fn client(&self) -> Result<reqwest::Client, UnusableAuthorities> {
        let pem = self.read()?;
        // What a panic could leave behind is a complete value all the same.
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((held, client)) = &*latest
            && *held == pem
        {
            return Ok(client.clone());
        }
        let client = self.trusting(&pem)?;
        *latest = Some((pem, client.clone()));
        Ok(client)
    }

    fn trusting(&self, pem: &[u8]) -> Result<reqwest::Client, UnusableAuthorities> {
        let unusable = |error| UnusableAuthorities::Certificate(self.file.clone(), error);
        let certificates = Certificate::from_pem_bundle(pem).map_err(unusable)?;
        if certificates.is_empty() {
            return Err(UnusableAuthorities::Empty(self.file.clone()));
        }
        builder(self.timeout, self.connect_timeout)
            .tls_certs_only(certificates)
            .build()
            .map_err(unusable)
    }

    /// Reads without `await`, as secrets are read.
    fn read(&self) -> Result<Vec<u8>, UnusableAuthorities> {
        let mut pem = Vec::new();
        let path: &Path = &self.file;
        File::open(path)
            .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut pem))
            .map_err(|error| UnusableAuthorities::File(path.to_owned(), error))?;
        if pem.len() as u64 > LARGEST_FILE {
            return Err(UnusableAuthorities::TooLarge(path.to_owned()));
        }
        Ok(pem)
    }
}

/// Trusts the machine's authorities, whose 140 certificates take 2 MB: not for a
/// server that shows none, unless a proxy may show one. native-tls reads them in
/// either case, but then it lets them go.
fn machine(settings: &ClientSettings) -> reqwest::ClientBuilder {
    let builder = builder(settings.timeout, settings.connect_timeout);
    let is_proxied = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
        .iter()
        .any(|variable| std::env::var_os(variable).is_some());
    if settings.url.trim_start().starts_with("http://") && !is_proxied {
        builder.tls_certs_only([])
    } else {
        builder
    }
}

/// What every client has in common. Redirects are never followed: they would
/// carry credentials elsewhere.
fn builder(timeout: Duration, connect_timeout: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirect::Policy::none())
        .timeout(timeout)
        .connect_timeout(connect_timeout)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .pool_idle_timeout(IDLE_TIMEOUT)
}
