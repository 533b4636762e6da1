//! Which connections do targets share? Those over which they trust the same
//! authorities, prove the same identity and go through the same proxy.
//!
//! A client of its own for each of 1,000 targets would load the machine's
//! authorities (140 of them, some MB) as often where there is TLS.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use reqwest::{Url, redirect};

use super::proxy;
use super::secret::Redaction;
use super::settings::{InvalidSettings, Proxy, TlsSettings};
use super::tls::{TlsContents, UnusableTls};
use super::transport::{AGENT, Transport};

/// As many as requests are in flight while silences are written
/// (`apply::CONCURRENCY`), so that none needs a connection of its own.
const IDLE_CONNECTIONS: usize = 24;

/// Of all servers together, three quarters of the files that a process may commonly
/// have open. One server has its share, and if it has many tenants it needs that: 32
/// targets are worked on at once, and each is written to over 24 connections.
const ALL_IDLE_CONNECTIONS: usize = 768;

/// Connections serve the calls of one pass. Load balancers close idle ones
/// after 60 s or later, and a write on such a connection has an unknown outcome.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// Where there are too many servers for so many each, a connection is for the
/// writes to one target, which follow each other at once. 32 targets are written
/// to at a time, so that some 800 are open even if one target takes 100 ms.
const BRIEF_IDLE_TIMEOUT: Duration = Duration::from_millis(100);

/// The connections of a whole configuration. Clones share them.
#[derive(Clone)]
pub struct Connections {
    idle_per_server: usize,
    idle_timeout: Duration,
    /// Those in use. One that a target leaves, because a file has changed, is
    /// closed with the last target that used it.
    clients: Arc<Mutex<HashMap<Route, Weak<Transport>>>>,
}

/// What makes connections different.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Route {
    tls: Tls,
    proxy: Proxy,
    connect_timeout: Duration,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Tls {
    /// No TLS, hence no authorities.
    None,
    Files(TlsContents),
}

impl Connections {
    /// To the servers at these URLs, which divide the idle ones among them.
    pub fn new<'a>(urls: impl IntoIterator<Item = &'a str>) -> Self {
        let urls = urls.into_iter().filter_map(|url| Url::parse(url).ok());
        let servers: HashSet<_> = urls.map(|url| url.origin()).collect();
        let share = ALL_IDLE_CONNECTIONS / servers.len().max(1);
        let (idle_per_server, idle_timeout) = if share >= IDLE_CONNECTIONS {
            (share, IDLE_TIMEOUT)
        } else {
            (IDLE_CONNECTIONS, BRIEF_IDLE_TIMEOUT)
        };
        Self {
            idle_per_server,
            idle_timeout,
            clients: Arc::default(),
        }
    }

    /// Whether to close a connection after a list. Where there are many servers,
    /// their lists would leave more connections than files may be open.
    fn are_for_writes(&self) -> bool {
        self.idle_timeout == BRIEF_IDLE_TIMEOUT
    }

    /// How many different ones there are, for tests and curiosity.
    #[must_use]
    pub fn count(&self) -> usize {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients
            .values()
            .filter(|client| client.strong_count() > 0)
            .count()
    }

    /// The client for that route; its files are named by `tls`.
    fn client(&self, route: &Route, tls: &TlsSettings) -> Result<Arc<Transport>, UnusableTls> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(route).and_then(Weak::upgrade) {
            return Ok(client);
        }
        let client = Arc::new(self.make(route, tls)?);
        clients.retain(|_, client| client.strong_count() > 0);
        clients.insert(route.clone(), Arc::downgrade(&client));
        Ok(client)
    }

    fn make(&self, route: &Route, tls: &TlsSettings) -> Result<Transport, UnusableTls> {
        if let (Tls::None, Proxy::Direct) = (&route.tls, &route.proxy) {
            let time = route.connect_timeout;
            let (idle, idle_timeout) = (self.idle_per_server, self.idle_timeout);
            return Ok(Transport::straight(time, idle, idle_timeout));
        }
        // Redirects are never followed: they would carry credentials elsewhere.
        let mut builder = reqwest::Client::builder()
            // For those that open a tunnel; the others say it themselves.
            .user_agent(AGENT)
            .redirect(redirect::Policy::none())
            .connect_timeout(route.connect_timeout)
            .pool_max_idle_per_host(self.idle_per_server)
            .pool_idle_timeout(self.idle_timeout);
        match &route.tls {
            Tls::None => builder = builder.tls_certs_only([]),
            Tls::Files(contents) => {
                if let Some(authorities) = tls.authorities(contents)? {
                    builder = builder.tls_certs_only(authorities);
                }
                if let Some(identity) = tls.identity(contents)? {
                    builder = builder.identity(identity);
                }
            }
        }
        match &route.proxy {
            Proxy::Environment => {}
            Proxy::Direct => builder = builder.no_proxy(),
            // As in Go; reqwest lets it match names, not addresses.
            Proxy::Url { no_proxy, .. } if no_proxy.split(',').any(|entry| entry.trim() == "*") => {
                builder = builder.no_proxy();
            }
            Proxy::Url { url, no_proxy } => {
                let proxy = reqwest::Proxy::all(url).map_err(UnusableTls::Setup)?;
                let no_proxy = reqwest::NoProxy::from_string(no_proxy);
                builder = builder.proxy(proxy.no_proxy(no_proxy));
            }
        }
        let client = builder.build().map_err(UnusableTls::Setup)?;
        Ok(Transport::Reqwest(client))
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Connections")
            .field("idle_per_server", &self.idle_per_server)
            .field("idle_timeout", &self.idle_timeout)
            .finish_non_exhaustive()
    }
}

/// Without the files: they hold a private key.
impl fmt::Debug for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Route")
            .field("proxy", &self.proxy)
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}

/// The way to one server.
#[derive(Debug)]
pub(super) struct Way {
    connections: Connections,
    tls: TlsSettings,
    proxy: Proxy,
    connect_timeout: Duration,
    uses_tls: bool,
    redaction: Redaction,
    /// Keeps its open connections until a file changes, and saves looking a route
    /// up by all that its files hold for every request.
    latest: Mutex<Option<(Route, Arc<Transport>)>>,
}

impl Way {
    /// To the server of that URL. No file is read yet.
    pub(super) fn new(
        connections: Connections,
        server: &Url,
        tls: TlsSettings,
        mut proxy: Proxy,
        connect_timeout: Duration,
    ) -> Result<Self, InvalidSettings> {
        let mut uses_tls = server.scheme() == "https";
        let mut redaction = Redaction::default();
        match &proxy {
            Proxy::Direct => {}
            // The proxy itself may be reached over TLS.
            Proxy::Url { url, .. } => {
                uses_tls |= Url::parse(url).is_ok_and(|url| url.scheme() == "https");
            }
            Proxy::Environment => match proxy::of_environment(server)? {
                Some(found) => {
                    uses_tls |= found.uses_tls;
                    redaction = found.redaction;
                }
                None => proxy = Proxy::Direct,
            },
        }
        Ok(Self {
            uses_tls,
            redaction,
            connections,
            tls,
            proxy,
            connect_timeout,
            latest: Mutex::new(None),
        })
    }

    /// The secrets that requests carry on this way, to begin with.
    pub(super) fn redaction(&self) -> Redaction {
        self.redaction.clone()
    }

    /// Whether a connection is to be closed after something was read over it.
    pub(super) fn closes_after_reading(&self) -> bool {
        self.connections.are_for_writes()
    }

    /// How long a connection may take to be made.
    pub(super) const fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// Through whom it leads: [`Proxy::Environment`] only if that names one.
    pub(super) const fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// Its files.
    pub(super) const fn tls(&self) -> &TlsSettings {
        &self.tls
    }

    /// What the next request is to be sent over: the one before, with its open
    /// connections, unless a file has changed.
    pub(super) fn transport(&self) -> Result<Arc<Transport>, UnusableTls> {
        let route = Route {
            tls: if self.uses_tls {
                Tls::Files(self.tls.read()?)
            } else {
                Tls::None
            },
            proxy: self.proxy.clone(),
            connect_timeout: self.connect_timeout,
        };
        // What a panic could leave behind is a complete value all the same.
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((held, client)) = &*latest
            && *held == route
        {
            return Ok(Arc::clone(client));
        }
        let client = self.connections.client(&route, &self.tls)?;
        *latest = Some((route, Arc::clone(&client)));
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_servers_keep_their_share_and_tenants_are_one_server() {
        let kept = |urls: &[String]| {
            let connections = Connections::new(urls.iter().map(String::as_str));
            (connections.idle_per_server, connections.idle_timeout)
        };
        let servers = |number: usize| -> Vec<String> {
            (0..number)
                .map(|number| format!("http://am-{number}:9093/x"))
                .collect()
        };
        assert_eq!(kept(&servers(0)), (768, IDLE_TIMEOUT));
        assert_eq!(kept(&servers(32)), (24, IDLE_TIMEOUT));
        assert_eq!(kept(&servers(33)), (24, BRIEF_IDLE_TIMEOUT));
        let tenants = vec!["https://mimir.example.org/".to_owned(); 1000];
        assert_eq!(kept(&tenants), (768, IDLE_TIMEOUT));
    }
}
