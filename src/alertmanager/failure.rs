//! Why is there no answer, or only a part of one? The words of the libraries
//! below, in terms of what may have happened and what can be mended.

use std::error::Error;
use std::time::Duration;

use super::answer::NOTHING_READ;
use super::connections::Way;
use super::error::{ApiError, ApiErrorKind};
use super::settings::Proxy;
use super::transport::{Call, Interruption, Stage};

/// A request that was tried.
pub(super) struct Attempt<'a> {
    pub(super) call: &'a Call,
    /// Whether it asked for something and could change nothing.
    pub(super) reading: bool,
    pub(super) timeout: Duration,
    pub(super) way: &'a Way,
}

impl Attempt<'_> {
    /// Why there is no answer, or only a part of it.
    pub(super) fn failed(&self, interruption: Interruption) -> ApiError {
        let failed = match interruption.stage {
            Stage::Writing => self.not_sent("the request cannot be written"),
            Stage::Resolving => self.unknown_host(),
            Stage::ConnectingInTime => {
                let time = self.way.connect_timeout();
                self.unreachable(&format!("no connection within {time:?}"))
            }
            Stage::Connecting => self.not_connected(&interruption),
            Stage::Exchanging => self.broken(&interruption),
            Stage::ExchangingInTime => {
                self.unknown(&format!("no complete answer within {:?}", self.timeout))
            }
        };
        match interruption.cause {
            Some(cause) => failed.caused_by(cause),
            None => failed,
        }
    }

    fn not_sent(&self, finding: &str) -> ApiError {
        ApiError::new(ApiErrorKind::NotSent, self.call, finding)
    }

    /// The request may have had its effect, if it was to have one.
    fn unknown(&self, finding: &str) -> ApiError {
        let error = ApiError::new(ApiErrorKind::Unknown, self.call, finding);
        if self.reading {
            error.advising(NOTHING_READ)
        } else {
            error
        }
    }

    /// Why what was begun has no end.
    fn broken(&self, interruption: &Interruption) -> ApiError {
        if interruption.mentions("invalid HTTP") {
            let kind = if self.reading {
                ApiErrorKind::NotAnAlertmanager
            } else {
                ApiErrorKind::Unknown
            };
            ApiError::new(kind, self.call, "the answer is not HTTP")
                .advising("check the port of this target, and whether it expects `https://`")
        } else if interruption.mentions_any(&TURNED_AWAY) {
            // With TLS 1.3 that comes after the client's part of the handshake,
            // and still before any request is looked at.
            self.turned_away()
        } else {
            self.unknown("the connection broke before the answer was complete")
        }
    }

    fn unknown_host(&self) -> ApiError {
        let named = self.proxy_setting().unwrap_or("the URL");
        self.not_sent("the host name could not be resolved")
            .advising(format!(
                "nothing was sent: check the name in {named}, and the name service"
            ))
    }

    /// Nobody is there, be it the proxy or the server.
    fn unreachable(&self, finding: &str) -> ApiError {
        let error = self.not_sent(finding);
        match self.proxy_setting() {
            Some(setting) => error.advising(format!(
                "nothing was sent: check {setting}, and that the proxy is up and can be reached \
                 from here"
            )),
            None => error,
        }
    }

    /// Where the proxy is named, if there is one.
    fn proxy_setting(&self) -> Option<&'static str> {
        match self.way.proxy() {
            Proxy::Url { .. } => Some("`proxy_url`"),
            Proxy::Environment => Some("`HTTP_PROXY` and `HTTPS_PROXY` of the environment"),
            Proxy::Direct => None,
        }
    }

    /// Why no connection was made, in the words that help to mend it.
    fn not_connected(&self, interruption: &Interruption) -> ApiError {
        let mentions = |words| interruption.mentions(words);
        if mentions("Too many open files") {
            self.not_sent("no connection could be made").advising(
                "nothing was sent: silenced may not open more files; raise the hard limit \
                 (`ulimit -Hn`, `LimitNOFILE=` of systemd)",
            )
        } else if mentions("certificate verify failed") {
            let advice = if self.way.tls().ca_file.is_some() {
                "nothing was sent: the name in the URL must be one of the certificate's, and \
                 its authority one of those in `tls.ca_file`"
            } else {
                "nothing was sent: the name in the URL must be one of the certificate's, and \
                 its authority one that this machine trusts, or the one in `tls.ca_file`"
            };
            self.not_sent("the server's certificate is not trusted")
                .advising(advice)
        } else if mentions("failed to create underlying connection") {
            self.unreachable("the proxy cannot be reached")
        } else if mentions("tunnel error") {
            self.not_sent("the proxy refused to connect to the server").advising(
                "nothing was sent: check that the proxy allows this host and port; if it asks for \
                 a user name and password, give it in `HTTPS_PROXY`, with them, instead of \
                 `proxy_url`",
            )
        } else if interruption.mentions_any(&NOT_TLS) {
            self.not_sent("the server answered, but not with TLS").advising(
                "nothing was sent: write `http://` in the URL of this target, or check the port",
            )
        } else if interruption.mentions_any(&TURNED_AWAY) {
            self.turned_away()
        } else if mentions("SSL routines") {
            self.not_sent("the TLS handshake failed").advising(
                "nothing was sent: check the port, and which TLS versions and client \
                 certificates the server asks for",
            )
        } else {
            self.unreachable("no connection could be made")
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
        self.not_sent(finding).advising(advice)
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

impl Interruption {
    /// Whether a cause says `text`: TLS and HTTP libraries keep their reasons in
    /// words only.
    fn mentions(&self, text: &str) -> bool {
        let cause = self.cause.as_deref().map(|cause| cause as &dyn Error);
        std::iter::successors(cause, |&cause| cause.source())
            .any(|cause| cause.to_string().contains(text))
    }

    fn mentions_any(&self, texts: &[&str]) -> bool {
        texts.iter().any(|text| self.mentions(text))
    }
}
