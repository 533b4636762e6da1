//! How does a call travel? Over HTTP/1.1, with a bound on every wait and body.

use std::mem::take;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONNECTION, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use tokio::sync::OnceCell;

use super::answer::Answer;
use super::connections::{Connections, Way};
use super::credentials::{self, Credentials};
use super::error::{ApiError, ApiErrorKind};
use super::failure::Attempt;
use super::headers::{self, ExtraHeader};
use super::kind::Kind;
use super::oauth2::{NoToken, TokenSource};
use super::secret::{Redaction, UnreadableSecret};
use super::settings::{self, ClientSettings, InvalidSettings, Proxy, TlsSettings};
use super::{Expired, Listing, Members, SilenceApi, wire};
use crate::silence::{SilenceDraft, SilenceId};

/// A silence takes about 0.6 KB in the list, so this is 450,000 of them, nine
/// times as many as the largest installation we know of.
const LARGEST_LIST: usize = 256 << 20;

/// An id or an error message. Servers repeat parts of the request in errors.
const LARGEST_ANSWER: usize = 64 << 10;

/// One server's silences, over HTTP.
#[derive(Debug)]
pub struct Client {
    pub(super) kind: Kind,
    /// With the path prefix, if there is one.
    base: Url,
    way: Way,
    timeout: Duration,
    credentials: Credentials,
    /// With OAuth 2 alone.
    tokens: Option<TokenSource>,
    headers: Vec<ExtraHeader>,
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
        settings.headers.iter().try_for_each(headers::check)?;
        if let Some((_, value)) = settings.kind.header() {
            headers::check_value(&value)?;
        }
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
            Way::new(
                connections,
                url.scheme(),
                tls,
                proxy,
                settings.connect_timeout,
            )
        };
        let tokens = match &settings.credentials {
            Credentials::OAuth2(oauth2) => {
                let way = |url: &Url| way(url, &oauth2.tls);
                Some(TokenSource::new(oauth2, settings.timeout, way)?)
            }
            _ => None,
        };
        Ok(Self {
            kind: settings.kind.clone(),
            way: way(&base, &settings.tls),
            base,
            timeout: settings.timeout,
            credentials: settings.credentials.clone(),
            tokens,
            headers: settings.headers.clone(),
            last_list: AtomicUsize::new(0),
            version: OnceCell::new(),
        })
    }

    /// `segments` below the API of its kind, each segment percent-encoded: ids
    /// come from the server and may be anything.
    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        // Only URLs that cannot have a host refuse this, and `base` has one.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty()
                .extend(self.kind.path())
                .extend(segments);
        }
        url
    }

    /// Sends one request and receives its answer, whatever that says. A token
    /// that was refused before its time is replaced once.
    pub(super) async fn send(
        &self,
        method: Method,
        segments: &[&str],
        body: Option<Vec<u8>>,
    ) -> Result<Answer<'_>, ApiError> {
        let url = self.url(segments);
        let Some(tokens) = &self.tokens else {
            return self.send_as(method, url, body, None).await;
        };
        let token = |result: Result<String, NoToken>| {
            let call = format!("{method} {url}");
            let no_token = ApiError::new(ApiErrorKind::NotSent, call, "there is no token to send");
            result.map_err(|error| {
                no_token
                    .advising("nothing was sent: check `oauth2` of this target")
                    .caused_by(error)
            })
        };
        let first = token(tokens.token().await)?;
        let again = (method.clone(), url.clone(), body.clone());
        let answer = self
            .send_as(again.0, again.1, again.2, Some(&first))
            .await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        tokens.discard(&first).await;
        let second = token(tokens.token().await)?;
        self.send_as(method, url, body, Some(&second)).await
    }

    async fn send_as(
        &self,
        method: Method,
        url: Url,
        body: Option<Vec<u8>>,
        token: Option<&str>,
    ) -> Result<Answer<'_>, ApiError> {
        let call = format!("{method} {url}");
        let attempt = Attempt {
            call: &call,
            reading: method == Method::GET,
            timeout: self.timeout,
            way: &self.way,
        };
        let failed = |error| attempt.failed(error);
        let not_sent = |finding| {
            ApiError::new(ApiErrorKind::NotSent, &call, finding)
                .advising("nothing was sent: check the file and its permissions")
        };
        let unusable = |error| not_sent("the files of `tls` cannot be used").caused_by(error);
        let http = self.way.client().map_err(unusable)?;
        let mut redaction = Redaction::default();
        let request = self
            .request(&http, method.clone(), url, token, &mut redaction)
            .map_err(|error| not_sent("there are no credentials to send").caused_by(error))?;
        let request = match body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(body),
            None => request,
        };
        let request = if attempt.reading && self.way.closes_after_reading() {
            request.header(CONNECTION, "close")
        } else {
            request
        };
        let request = request.build().map_err(failed)?;
        credentials::add_header_of(&request, &mut redaction);
        let mut response = http.execute(request).await.map_err(failed)?;

        let (status, headers) = (response.status(), take(response.headers_mut()));
        let (bound, expected) = if attempt.reading && status == StatusCode::OK {
            (LARGEST_LIST, self.last_list.load(Ordering::Relaxed))
        } else {
            (LARGEST_ANSWER, 0)
        };
        let mut body = Vec::with_capacity(expected);
        let incomplete = match receive(&mut response, &mut body, bound).await {
            Ok(true) => None,
            Ok(false) => Some(too_large(&call, bound)),
            Err(error) => Some(failed(error)),
        };
        Ok(Answer {
            call,
            method,
            status,
            headers,
            body,
            incomplete,
            redaction,
            kind: &self.kind,
            authorized: self.credentials != Credentials::None || !self.headers.is_empty(),
        })
    }

    /// A request with all its headers, but without a body.
    fn request(
        &self,
        http: &reqwest::Client,
        method: Method,
        url: Url,
        token: Option<&str>,
        redaction: &mut Redaction,
    ) -> Result<RequestBuilder, UnreadableSecret> {
        let mut request = http
            .request(method, url)
            .timeout(self.timeout)
            .header(ACCEPT, "application/json");
        if let Some((name, value)) = self.kind.header() {
            request = request.header(name, value);
        }
        let request = headers::add(&self.headers, request, redaction)?;
        self.credentials.authorize(request, token, redaction)
    }
}

/// Reading a long list did nothing; a write whose answer is long may have.
fn too_large(call: &str, bound: usize) -> ApiError {
    if bound == LARGEST_LIST {
        let finding = format!("the list is longer than {} MiB", bound >> 20);
        ApiError::new(ApiErrorKind::TooLarge, call, finding)
    } else {
        let finding = format!("the answer is longer than {} KiB", bound >> 10);
        ApiError::new(ApiErrorKind::Unknown, call, finding)
    }
}

/// Appends the body to `body`; whether it ended within `bound` bytes.
pub(super) async fn receive(
    response: &mut Response,
    body: &mut Vec<u8>,
    bound: usize,
) -> Result<bool, reqwest::Error> {
    while let Some(chunk) = response.chunk().await? {
        let room = bound - body.len();
        if chunk.len() > room {
            body.extend_from_slice(&chunk[..room]);
            return Ok(false);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(true)
}

impl SilenceApi for Client {
    async fn list(&self) -> Result<Listing, ApiError> {
        let answer = self.send(Method::GET, &["silences"], None).await?;
        let length = answer.body.len();
        self.last_list.store(length, Ordering::Relaxed);
        answer.into_listing()
    }

    async fn members(&self) -> Option<Members> {
        if !self.kind.shows_replicas() {
            return None;
        }
        let answer = self.send(Method::GET, &["status"], None).await.ok()?;
        (answer.status == StatusCode::OK)
            .then(|| wire::members(&answer.body))
            .flatten()
    }

    async fn hides(&self, id: &SilenceId) -> Result<bool, ApiError> {
        if !self.kind.hides_silences() {
            return Ok(false);
        }
        let segments = ["silence", id.as_str()];
        let answer = self.send(Method::GET, &segments, None).await?;
        answer.into_hidden()
    }

    async fn set(&self, draft: &SilenceDraft) -> Result<SilenceId, ApiError> {
        let body = wire::postable(draft).map_err(|error| {
            let call = format!("POST {}", self.url(&["silences"]));
            let finding = "the silence cannot be written as JSON";
            ApiError::new(ApiErrorKind::NotSent, call, finding).caused_by(error)
        })?;
        let answer = self.send(Method::POST, &["silences"], Some(body)).await?;
        match answer.into_silence_id(draft) {
            Err(error) => Err(self.explain(error, draft).await),
            id => id,
        }
    }

    async fn expire(&self, id: &SilenceId) -> Result<Expired, ApiError> {
        let segments = ["silence", id.as_str()];
        let answer = self.send(Method::DELETE, &segments, None).await?;
        answer.into_expired()
    }
}
