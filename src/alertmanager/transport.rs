//! Over what does a request travel? Straight over TCP where nothing is in
//! between, and otherwise with reqwest, which knows TLS and proxies.
//!
//! Most Alertmanagers are reached over plain HTTP inside a cluster. reqwest would
//! read the machine's authorities for them too, twice: 30 ms of every start and
//! 1.7 MiB of memory, for nothing.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderMap, HeaderValue, USER_AGENT};
use hyper::{Method, StatusCode, Uri};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};

use super::connector::{Connector, NotConnected};

/// A request with all that it carries. Its URI is a whole one.
pub(super) type Request = hyper::Request<Vec<u8>>;

/// What was tried, for people.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) uri: Uri,
}

impl Call {
    /// Whether it asks for something and can change nothing.
    pub(super) fn is_reading(&self) -> bool {
        self.method == Method::GET
    }

    /// The request itself.
    pub(super) fn with(&self, mut headers: HeaderMap, body: impl Into<Vec<u8>>) -> Request {
        headers.entry(USER_AGENT).or_insert(AGENT);
        let mut request = Request::new(body.into());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        request
    }
}

/// Every request says who asks.
pub(super) const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("silenced/", env!("CARGO_PKG_VERSION")));

impl From<&Call> for String {
    fn from(call: &Call) -> Self {
        call.to_string()
    }
}

impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.uri)
    }
}

/// A client with its open connections.
pub(super) enum Transport {
    /// Plain HTTP to the server itself.
    Straight(legacy::Client<Connector, Full<Bytes>>),
    /// With TLS, or through a proxy.
    Reqwest(reqwest::Client),
}

/// The answer to a request; its body is still to be received.
pub(super) struct Response {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    body: Body,
    /// When all of it must be here.
    deadline: Instant,
}

enum Body {
    Straight(Incoming),
    Reqwest(reqwest::Response),
}

/// Why there is no answer, or only the beginning of one.
#[derive(Debug)]
pub(super) struct Interruption {
    pub(super) stage: Stage,
    /// In the libraries' words; none if they had no time to say anything.
    pub(super) cause: Option<Box<dyn Error + Send + Sync>>,
}

/// What was being done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// The request could not be written.
    Writing,
    /// The host name could not be resolved.
    Resolving,
    /// No connection was made.
    Connecting,
    /// The same, in the time for it.
    ConnectingInTime,
    /// The connection broke, or what came over it is not HTTP.
    Exchanging,
    /// The answer was not complete in its time.
    ExchangingInTime,
}

impl Transport {
    /// One that speaks plain HTTP to the servers themselves.
    pub(super) fn straight(
        connect_timeout: Duration,
        idle_per_server: usize,
        idle_timeout: Duration,
    ) -> Self {
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(idle_per_server)
            .pool_idle_timeout(idle_timeout)
            .build(Connector::new(connect_timeout));
        Self::Straight(client)
    }

    /// Sends a request and waits for the head of its answer. That and the body
    /// have `time` together.
    pub(super) async fn send(
        &self,
        request: Request,
        time: Duration,
    ) -> Result<Response, Interruption> {
        let deadline = Instant::now() + time;
        let (status, headers, body) = by(deadline, async {
            match self {
                Self::Straight(client) => {
                    let request = request.map(|body| Full::new(Bytes::from(body)));
                    let (head, body) = client.request(request).await?.into_parts();
                    Ok((head.status, head.headers, Body::Straight(body)))
                }
                Self::Reqwest(client) => {
                    let request = reqwest::Request::try_from(request)?;
                    let mut response = client.execute(request).await?;
                    let headers = std::mem::take(response.headers_mut());
                    Ok((response.status(), headers, Body::Reqwest(response)))
                }
            }
        })
        .await?;
        Ok(Response {
            status,
            headers,
            body,
            deadline,
        })
    }
}

/// Without the client: it may go through a proxy that wants a password.
impl fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Straight(_) => "Straight",
            Self::Reqwest(_) => "Reqwest",
        })
    }
}

impl Response {
    /// Appends the body to `body`; whether it ended within `bound` bytes.
    pub(super) async fn receive(
        &mut self,
        body: &mut Vec<u8>,
        bound: usize,
    ) -> Result<bool, Interruption> {
        while let Some(chunk) = by(self.deadline, self.body.chunk()).await? {
            let room = bound - body.len();
            if chunk.len() > room {
                body.extend_from_slice(&chunk[..room]);
                return Ok(false);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(true)
    }
}

impl Body {
    /// What comes next; none after the last of it.
    async fn chunk(&mut self) -> Result<Option<Bytes>, Interruption> {
        match self {
            Self::Straight(body) => {
                while let Some(frame) = body.frame().await {
                    // What is no data are trailers, which nobody asked for.
                    if let Ok(data) = frame?.into_data() {
                        return Ok(Some(data));
                    }
                }
                Ok(None)
            }
            Self::Reqwest(response) => Ok(response.chunk().await?),
        }
    }
}

/// What `work` comes to, if it does so in time.
async fn by<T>(
    deadline: Instant,
    work: impl Future<Output = Result<T, Interruption>>,
) -> Result<T, Interruption> {
    timeout_at(deadline, work)
        .await
        .unwrap_or(Err(Interruption {
            stage: Stage::ExchangingInTime,
            cause: None,
        }))
}

impl Interruption {
    fn new(stage: Stage, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            stage,
            cause: Some(cause.into()),
        }
    }
}

impl From<legacy::Error> for Interruption {
    fn from(error: legacy::Error) -> Self {
        let stage = match error.source().and_then(<dyn Error>::downcast_ref) {
            Some(NotConnected::InTime(_)) => Stage::ConnectingInTime,
            Some(NotConnected::UnknownHost(_)) => Stage::Resolving,
            Some(NotConnected::Failed(_)) => Stage::Connecting,
            None if error.is_connect() => Stage::Connecting,
            None => Stage::Exchanging,
        };
        Self::new(stage, error)
    }
}

impl From<hyper::Error> for Interruption {
    fn from(error: hyper::Error) -> Self {
        Self::new(Stage::Exchanging, error)
    }
}

impl From<reqwest::Error> for Interruption {
    fn from(error: reqwest::Error) -> Self {
        // What was called is said beside it.
        let error = error.without_url();
        let stage = match (error.is_builder(), error.is_connect(), error.is_timeout()) {
            (true, _, _) => Stage::Writing,
            (_, true, true) => Stage::ConnectingInTime,
            (_, true, false) if error.is_dns() => Stage::Resolving,
            (_, true, false) => Stage::Connecting,
            _ => Stage::Exchanging,
        };
        Self::new(stage, error)
    }
}
