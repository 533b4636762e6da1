//! How does a call travel? Over HTTP/1.1, with a bound on every wait and body.

use std::error::Error;
use std::mem::take;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};

use super::answer::{Answer, NOTHING_READ};
use super::error::{ApiError, ApiErrorKind};
use super::settings::{self, ClientSettings, Credentials, InvalidSettings};
use super::trust::Trust;
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
    trust: Trust,
    /// With the path prefix, if there is one.
    base: Url,
    timeout: Duration,
    connect_timeout: Duration,
    credentials: Credentials,
    /// Bytes of the last list. The next is about as long, and to grow a buffer
    /// to some megabytes by doubling it takes twice the memory.
    last_list: AtomicUsize,
}

impl Client {
    /// Checks the settings; nothing is sent and no file is read yet.
    pub fn new(settings: &ClientSettings) -> Result<Self, InvalidSettings> {
        let base = settings::base_url(&settings.url)?;
        if let Credentials::Basic { username, .. } = &settings.credentials
            && username.contains(':')
        {
            return Err(InvalidSettings::Username(username.clone()));
        }
        if settings.ca_file.is_some() && base.scheme() != "https" {
            return Err(InvalidSettings::TlsUnused(base.into()));
        }
        Ok(Self {
            // Custom headers, and client certificates, are to be set there.
            trust: Trust::new(settings)?,
            base,
            timeout: settings.timeout,
            connect_timeout: settings.connect_timeout,
            credentials: settings.credentials.clone(),
            last_list: AtomicUsize::new(0),
        })
    }

    /// `api/v2/` and `segments` below the configured address, each segment
    /// percent-encoded: ids come from the server and may be anything.
    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        // Only URLs that cannot have a host refuse this, and `base` has one.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", "v2"]).extend(segments);
        }
        url
    }

    /// Sends one request and receives its answer, whatever that says.
    async fn send(
        &self,
        method: Method,
        url: Url,
        complete: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, ApiError> {
        let call = format!("{method} {url}");
        let not_sent = |finding| {
            ApiError::new(ApiErrorKind::NotSent, &call, finding)
                .advising("nothing was sent: check the file and its permissions")
        };
        let http = self.trust.client().map_err(|error| {
            not_sent("there is no authority to check the server's certificate by").caused_by(error)
        })?;
        let request = http.request(method.clone(), url);
        let request = complete(request.header(ACCEPT, "application/json"));
        let (request, redaction) = self
            .credentials
            .authorize(request)
            .map_err(|error| not_sent("there are no credentials to send").caused_by(error))?;
        let failed = |error| self.failed(&call, &method, error);
        let request = request.build().map_err(failed)?;
        let redaction = redaction.with_header_of(&request);
        let mut response = http.execute(request).await.map_err(failed)?;

        let (status, headers) = (response.status(), take(response.headers_mut()));
        let (bound, expected) = if method == Method::GET && status == StatusCode::OK {
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
            authorized: self.credentials != Credentials::None,
        })
    }

    /// Why there is no answer, or only a part of it.
    fn failed(&self, call: &str, method: &Method, error: reqwest::Error) -> ApiError {
        // The call names the URL already.
        let error = error.without_url();
        let reading = *method == Method::GET;
        let new = |kind, finding: &str| ApiError::new(kind, call, finding);
        let failed = if error.is_builder() {
            new(ApiErrorKind::NotSent, "the request cannot be written")
        } else if error.is_connect() {
            self.not_connected(call, &error)
        } else if mentions(&error, "invalid HTTP") {
            let kind = if reading {
                ApiErrorKind::NotAnAlertmanager
            } else {
                ApiErrorKind::Unknown
            };
            new(kind, "the answer is not HTTP")
                .advising("check the port of this target, and whether it expects `https://`")
        } else {
            let finding = if error.is_timeout() {
                format!("no complete answer within {:?}", self.timeout)
            } else {
                "the connection broke before the answer was complete".to_owned()
            };
            let failed = new(ApiErrorKind::Unknown, &finding);
            if reading {
                failed.advising(NOTHING_READ)
            } else {
                failed
            }
        };
        failed.caused_by(error)
    }

    /// Why no connection was made, in the words that help to mend it.
    fn not_connected(&self, call: &str, error: &reqwest::Error) -> ApiError {
        let new = |finding: &str| ApiError::new(ApiErrorKind::NotSent, call, finding);
        if error.is_timeout() {
            new(&format!("no connection within {:?}", self.connect_timeout))
        } else if error.is_dns() {
            new("the host name could not be resolved")
                .advising("nothing was sent: check the name in the URL, and the name service")
        } else if mentions(error, "certificate verify failed") {
            let advice = match self.trust {
                Trust::Machine(_) => {
                    "nothing was sent: the name in the URL must be one of the certificate's, and \
                     its authority one that this machine trusts, or the one in `tls.ca_file`"
                }
                Trust::File(_) => {
                    "nothing was sent: the name in the URL must be one of the certificate's, and \
                     its authority one of those in `tls.ca_file`"
                }
            };
            new("the server's certificate is not trusted").advising(advice)
        } else if NOT_TLS.iter().any(|words| mentions(error, words)) {
            new("the server answered, but not with TLS").advising(
                "nothing was sent: write `http://` in the URL of this target, or check the port",
            )
        } else if mentions(error, "SSL routines") {
            new("the TLS handshake failed").advising(
                "nothing was sent: check the port, and which TLS versions and client \
                 certificates the server asks for",
            )
        } else {
            new("no connection could be made")
        }
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
async fn receive(
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

/// How OpenSSL, by its version, calls an answer that is not TLS.
const NOT_TLS: [&str; 3] = [
    "wrong version number",
    "packet length too long",
    "http request",
];

/// Whether a cause below `error` says `text`: TLS and HTTP libraries keep their
/// reasons in words only.
fn mentions(error: &reqwest::Error, text: &str) -> bool {
    std::iter::successors(error.source(), |&cause| cause.source())
        .any(|cause| cause.to_string().contains(text))
}

impl SilenceApi for Client {
    async fn list(&self) -> Result<Listing, ApiError> {
        let url = self.url(&["silences"]);
        let answer = self.send(Method::GET, url, |request| request).await?;
        let length = answer.body.len();
        self.last_list.store(length, Ordering::Relaxed);
        answer.into_listing()
    }

    async fn members(&self) -> Option<Members> {
        let url = self.url(&["status"]);
        let answer = self.send(Method::GET, url, |request| request).await.ok()?;
        (answer.status == StatusCode::OK)
            .then(|| wire::members(&answer.body))
            .flatten()
    }

    async fn set(&self, draft: &SilenceDraft) -> Result<SilenceId, ApiError> {
        let url = self.url(&["silences"]);
        let body = wire::postable(draft).map_err(|error| {
            let finding = "the silence cannot be written as JSON";
            ApiError::new(ApiErrorKind::NotSent, format!("POST {url}"), finding).caused_by(error)
        })?;
        let answer = self
            .send(Method::POST, url, |request| {
                request.header(CONTENT_TYPE, "application/json").body(body)
            })
            .await?;
        answer.into_silence_id()
    }

    async fn expire(&self, id: &SilenceId) -> Result<Expired, ApiError> {
        let url = self.url(&["silence", id.as_str()]);
        let answer = self.send(Method::DELETE, url, |request| request).await?;
        answer.into_expired()
    }
}
