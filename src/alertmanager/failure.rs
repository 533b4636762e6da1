//! Why is there no answer, or only a part of one? The words of the libraries
//! below, in terms of what may have happened and what can be mended.

use std::error::Error;
use std::time::Duration;

use super::answer::NOTHING_READ;
use super::connections::Way;
use super::error::{ApiError, ApiErrorKind};
use super::settings::Proxy;

/// A request that was tried.
pub(super) struct Attempt<'a> {
    /// Method and URL, for people.
    pub(super) call: &'a str,
    /// Whether it asked for something and could change nothing.
    pub(super) reading: bool,
    pub(super) timeout: Duration,
    pub(super) way: &'a Way,
}

impl Attempt<'_> {
    /// Why there is no answer, or only a part of it.
    pub(super) fn failed(&self, error: reqwest::Error) -> ApiError {
        // The call names the URL already.
        let error = error.without_url();
        let new = |kind, finding: &str| ApiError::new(kind, self.call, finding);
        let failed = if error.is_builder() {
            new(ApiErrorKind::NotSent, "the request cannot be written")
        } else if error.is_connect() {
            self.not_connected(&error)
        } else if mentions(&error, "invalid HTTP") {
            let kind = if self.reading {
                ApiErrorKind::NotAnAlertmanager
            } else {
                ApiErrorKind::Unknown
            };
            new(kind, "the answer is not HTTP")
                .advising("check the port of this target, and whether it expects `https://`")
        } else if TURNED_AWAY.iter().any(|words| mentions(&error, words)) {
            // With TLS 1.3 that comes after the client's part of the handshake,
            // and still before any request is looked at.
            self.turned_away()
        } else {
            let finding = if error.is_timeout() {
                format!("no complete answer within {:?}", self.timeout)
            } else {
                "the connection broke before the answer was complete".to_owned()
            };
            let failed = new(ApiErrorKind::Unknown, &finding);
            if self.reading {
                failed.advising(NOTHING_READ)
            } else {
                failed
            }
        };
        failed.caused_by(error)
    }

    /// Why no connection was made, in the words that help to mend it.
    fn not_connected(&self, error: &reqwest::Error) -> ApiError {
        let new = |finding: &str| ApiError::new(ApiErrorKind::NotSent, self.call, finding);
        if error.is_timeout() {
            new(&format!(
                "no connection within {:?}",
                self.way.connect_timeout()
            ))
        } else if error.is_dns() {
            new("the host name could not be resolved").advising(match self.way.proxy() {
                Proxy::Url { .. } => {
                    "nothing was sent: check the name in `proxy_url`, and the name service"
                }
                _ => "nothing was sent: check the name in the URL, and the name service",
            })
        } else if mentions(error, "Too many open files") {
            new("no connection could be made").advising(
                "nothing was sent: silenced may not open more files; raise the hard limit \
                 (`ulimit -Hn`, `LimitNOFILE=` of systemd)",
            )
        } else if mentions(error, "certificate verify failed") {
            let advice = if self.way.tls().ca_file.is_some() {
                "nothing was sent: the name in the URL must be one of the certificate's, and \
                 its authority one of those in `tls.ca_file`"
            } else {
                "nothing was sent: the name in the URL must be one of the certificate's, and \
                 its authority one that this machine trusts, or the one in `tls.ca_file`"
            };
            new("the server's certificate is not trusted").advising(advice)
        } else if mentions(error, "tunnel error") {
            new("the proxy refused to connect to the server").advising(
                "nothing was sent: check that the proxy allows this host and port; if it asks for \
                 a user name and password, give it in `HTTPS_PROXY`, with them, instead of \
                 `proxy_url`",
            )
        } else if NOT_TLS.iter().any(|words| mentions(error, words)) {
            new("the server answered, but not with TLS").advising(
                "nothing was sent: write `http://` in the URL of this target, or check the port",
            )
        } else if TURNED_AWAY.iter().any(|words| mentions(error, words)) {
            self.turned_away()
        } else if mentions(error, "SSL routines") {
            new("the TLS handshake failed").advising(
                "nothing was sent: check the port, and which TLS versions and client \
                 certificates the server asks for",
            )
        } else {
            match self.way.proxy() {
                Proxy::Url { .. } => new("no connection could be made").advising(
                    "nothing was sent: check `proxy_url`, and that the proxy is up and can be \
                     reached from here",
                ),
                _ => new("no connection could be made"),
            }
        }
    }

    fn turned_away(&self) -> ApiError {
        let (finding, advice) = if self.way.tls().client_certificate.is_some() {
            (
                "the server does not accept the client certificate",
                "nothing was handled: check that the certificate in `tls.cert_file` has not \
                 expired, and that the server trusts its authority",
            )
        } else {
            (
                "the server asks for a client certificate",
                "nothing was handled: name one in `tls.cert_file`, and its private key in \
                 `tls.key_file`",
            )
        };
        ApiError::new(ApiErrorKind::NotSent, self.call, finding).advising(advice)
    }
}

/// How OpenSSL, by its version, calls an answer that is not TLS.
const NOT_TLS: [&str; 3] = [
    "wrong version number",
    "packet length too long",
    "http request",
];

/// The alerts (RFC 8446 section 6.2) with which a server turns a client's
/// certificate away, or the lack of one.
const TURNED_AWAY: [&str; 6] = [
    "alert bad certificate",
    "alert certificate expired",
    "alert certificate required",
    "alert certificate revoked",
    "alert certificate unknown",
    "alert unknown ca",
];

/// Whether a cause below `error` says `text`: TLS and HTTP libraries keep their
/// reasons in words only.
fn mentions(error: &reqwest::Error, text: &str) -> bool {
    std::iter::successors(error.source(), |&cause| cause.source())
        .any(|cause| cause.to_string().contains(text))
}
