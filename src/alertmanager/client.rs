//! How does a call travel? Over HTTP/1.1, with a bound on every wait and body.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode, Uri};
use reqwest::Url;
use tokio::sync::OnceCell;

use super::answer::Answer;
use super::connections::{Connections, Way};
use super::credentials::Credentials;
use super::error::{ApiError, ApiErrorKind};
use super::failure::Attempt;
use super::headers::{self, Header};
use super::kind::Kind;
use super::oauth2::{NoToken, TokenSource};
use super::secret::{Redaction, UnreadableSecret};
use super::settings::{self, ClientSettings, InvalidSettings, Proxy, TlsSettings};
use super::transport::{Call, Request};
use super::{Expired, Listing, Members, SilenceApi, wire};
use crate::silence::{SilenceDraft, SilenceId};

/// A silence takes about 0.6 KB in the list, so this is 450,000 of them, nine
/// times as many as the largest installation we know of.
const LARGEST_LIST: usize = 256 << 20;

/// An id or an error message. Servers repeat parts of the request in errors.
const LARGEST_ANSWER: usize = 64 << 10;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// One server's silences, over HTTP.
#[derive(Debug)]
pub struct Client {
    pub(super) kind: Kind,
    /// Below it are silences and status.
    api: Url,
    /// Where all silences are.
    silences: Uri,
    way: Way,
    timeout: Duration,
    credentials: Credentials,
    /// With OAuth 2 alone.
    tokens: Option<TokenSource>,
    headers: Vec<Header>,
    /// Whether credentials go with every request, or what may stand for them.
    is_authorized: bool,
    /// Bytes of the last list. The next is about as long, and to grow a buffer
    /// to some megabytes by doubling it takes twice the memory.
    last_list: AtomicUsize,
    /// The version of an Alertmanager, once somebody wanted to know.
    pub(super) version: OnceCell<String>,
}

impl Client {
    /// A client with connections of its own.
    pub fn new(settings: &ClientSettings) -> Result<Self, InvalidSettings> {
        Self::sharing(&Connections::new([&*settings.url]), settings)
    }

    /// Checks the settings; nothing is sent and no file is read yet.
    pub fn sharing(
        connections: &Connections,
        settings: &ClientSettings,
    ) -> Result<Self, InvalidSettings> {
        let base = settings::base_url(&settings.url)?;
        let path = settings.kind.path();
        let segments = base.path().trim_end_matches('/').split('/');
        let segments: Vec<_> = segments.collect();
        if segments.ends_with(&path) || segments.ends_with(&[&path[..], &["silences"]].concat()) {
            return Err(InvalidSettings::DoubledPath {
                url: settings.url.clone(),
                path: path.join("/"),
            });
        }
        settings.credentials.check()?;
        let fixed = settings.kind.header();
        let fixed = fixed.map(|(name, value)| headers::fixed(name, &value));
        let extra = settings.headers.iter().map(headers::read);
        let headers = fixed.into_iter().chain(extra).collect::<Result<_, _>>()?;
        if !settings.tls.is_default() && base.scheme() != "https" {
            return Err(InvalidSettings::TlsUnused(base.into()));
        }
        if let Proxy::Url { url, .. } = &settings.proxy {
            let hint = "no secret stands in this file: give the proxy in `HTTP_PROXY` and \
                        `HTTPS_PROXY` instead, with them";
            let within = |error: InvalidSettings| error.within("proxy_url");
            settings::plain_url(url, "http://proxy:3128", hint).map_err(within)?;
        }
        let way = |url: &Url, tls: &TlsSettings| {
            let (tls, proxy) = (tls.clone(), settings.proxy.clone());
            let connections = connections.clone();
            Way::new(connections, url, tls, proxy, settings.connect_timeout)
        };
        let tokens = match &settings.credentials {
            Credentials::OAuth2(oauth2) => {
                let way = |url: &Url| way(url, &oauth2.tls);
                Some(TokenSource::new(oauth2, settings.timeout, way)?)
            }
            _ => None,
        };
        let api = below(&base, &path);
        Ok(Self {
            kind: settings.kind.clone(),
            way: way(&base, &settings.tls)?,
            silences: settings::uri(&below(&api, &["silences"]))?,
            api,
            timeout: settings.timeout,
            credentials: settings.credentials.clone(),
            tokens,
            headers,
            is_authorized: settings.credentials != Credentials::None
                || !settings.headers.is_empty(),
            last_list: AtomicUsize::new(0),
            version: OnceCell::new(),
        })
    }

    /// Only the first is asked for often enough to be kept.
    fn uri(&self, endpoint: Endpoint<'_>) -> Result<Uri, ApiError> {
        let uri = match endpoint {
            Endpoint::Silences => return Ok(self.silences.clone()),
            Endpoint::Silence(id) => below(&self.api, &["silence", id.as_str()]),
            Endpoint::Status => below(&self.api, &["status"]),
        };
        settings::uri(&uri).map_err(|error| {
            let call = format!("{endpoint:?} below {}", self.api);
            let finding = "this cannot be the address of anything";
            ApiError::new(ApiErrorKind::NotSent, call, finding).caused_by(error)
        })
    }

    /// Sends one request, with a body unless that is empty, and receives its
    /// answer, whatever that says. A token that was refused before its time is
    /// replaced once.
    pub(super) async fn send(
        &self,
        method: Method,
        endpoint: Endpoint<'_>,
        body: Vec<u8>,
    ) -> Result<Answer<'_>, ApiError> {
        let uri = self.uri(endpoint)?;
        let call = Call { method, uri };
        let Some(tokens) = &self.tokens else {
            return self.send_as(call, body, None).await;
        };
        let no_token = |error: NoToken| {
            ApiError::new(ApiErrorKind::NotSent, &call, "there is no token to send")
                .advising("nothing was sent: check `oauth2` of this target")
                .caused_by(error)
        };
        let first = tokens.token().await.map_err(no_token)?;
        let answer = self
            .send_as(call.clone(), body.clone(), Some(&first))
            .await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        tokens.discard(&first).await;
        let second = tokens.token().await.map_err(no_token)?;
        self.send_as(call, body, Some(&second)).await
    }

    async fn send_as(
        &self,
        call: Call,
        body: Vec<u8>,
        token: Option<&str>,
    ) -> Result<Answer<'_>, ApiError> {
        let attempt = Attempt {
            call: &call,
            reading: call.is_reading(),
            timeout: self.timeout,
            way: &self.way,
        };
        let failed = |interruption| attempt.failed(interruption);
        let not_sent = |finding| {
            ApiError::new(ApiErrorKind::NotSent, &call, finding)
                .advising("nothing was sent: check the file and its permissions")
        };
        let unusable = |error| not_sent("the files of `tls` cannot be used").caused_by(error);
        let transport = self.way.transport().map_err(unusable)?;
        let mut redaction = self.way.redaction();
        let request = self
            .request(&call, body, token, &mut redaction)
            .map_err(|error| not_sent("there are no credentials to send").caused_by(error))?;
        let mut response = transport
            .send(request, self.timeout)
            .await
            .map_err(failed)?;

        let is_list = call.is_reading() && call.uri == self.silences;
        let (bound, expected) = if is_list && response.status == StatusCode::OK {
            (LARGEST_LIST, self.last_list.load(Ordering::Relaxed))
        } else {
            (LARGEST_ANSWER, 0)
        };
        let mut body = Vec::with_capacity(expected);
        let incomplete = match response.receive(&mut body, bound).await {
            Ok(true) => None,
            Ok(false) => Some(too_large(&call, bound)),
            Err(interruption) => Some(failed(interruption)),
        };
        Ok(Answer {
            call,
            status: response.status,
            headers: response.headers,
            body,
            incomplete,
            redaction,
            kind: &self.kind,
            authorized: self.is_authorized,
        })
    }

    fn request(
        &self,
        call: &Call,
        body: Vec<u8>,
        token: Option<&str>,
        redaction: &mut Redaction,
    ) -> Result<Request, UnreadableSecret> {
        let mut headers = HeaderMap::with_capacity(8);
        for header in &self.headers {
            header.add_to(&mut headers, redaction)?;
        }
        self.credentials.authorize(&mut headers, token, redaction)?;
        headers.insert(ACCEPT, JSON);
        if !body.is_empty() {
            headers.insert(CONTENT_TYPE, JSON);
        }
        if call.is_reading() && self.way.closes_after_reading() {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(call.with(headers, body))
    }
}

/// What of a server's API is meant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Endpoint<'a> {
    /// All silences.
    Silences,
    /// One of them.
    Silence(&'a SilenceId),
    /// What the server says about itself.
    Status,
}

/// `segments` below `api`, each percent-encoded: ids come from the server and
/// may be anything.
fn below(api: &Url, segments: &[&str]) -> Url {
    let mut url = api.clone();
    // Only URLs that cannot have a host refuse this, and this one has one.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// Reading a long list did nothing; a write whose answer is long may have.
fn too_large(call: &Call, bound: usize) -> ApiError {
    if bound == LARGEST_LIST {
        let finding = format!("the list is longer than {} MiB", bound >> 20);
        ApiError::new(ApiErrorKind::TooLarge, call, finding)
    } else {
        let finding = format!("the answer is longer than {} KiB", bound >> 10);
        ApiError::new(ApiErrorKind::Unknown, call, finding)
    }
}

impl SilenceApi for Client {
    async fn list(&self) -> Result<Listing, ApiError> {
        let answer = self
            .send(Method::GET, Endpoint::Silences, Vec::new())
            .await?;
        let length = answer.body.len();
        let listing = answer.into_listing()?;
        self.last_list.store(length, Ordering::Relaxed);
        Ok(listing)
    }

    async fn members(&self) -> Option<Members> {
        if !self.kind.shows_replicas() {
            return None;
        }
        let answer = self
            .send(Method::GET, Endpoint::Status, Vec::new())
            .await
            .ok()?;
        (answer.status == StatusCode::OK)
            .then(|| wire::members(&answer.body))
            .flatten()
    }

    async fn hides(&self, id: &SilenceId) -> Result<bool, ApiError> {
        if !self.kind.hides_silences() {
            return Ok(false);
        }
        let silence = Endpoint::Silence(id);
        let answer = self.send(Method::GET, silence, Vec::new()).await?;
        answer.into_hidden()
    }

    async fn set(&self, draft: &SilenceDraft) -> Result<SilenceId, ApiError> {
        let body = wire::postable(draft).map_err(|error| {
            let call = format!("POST {}", self.silences);
            let finding = "the silence cannot be written as JSON";
            ApiError::new(ApiErrorKind::NotSent, call, finding).caused_by(error)
        })?;
        let answer = self.send(Method::POST, Endpoint::Silences, body).await?;
        match answer.into_silence_id(draft) {
            Err(error) => Err(self.explain(error, draft).await),
            id => id,
        }
    }

    async fn expire(&self, id: &SilenceId) -> Result<Expired, ApiError> {
        let silence = Endpoint::Silence(id);
        let answer = self.send(Method::DELETE, silence, Vec::new()).await?;
        answer.into_expired()
    }
}
