//! What went wrong with a call, and what may be done next?

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// A call that did not end well: what was tried, what came back, what to do.
///
/// `Display` is one line without the causes below it, so that a logger that
/// walks [`Error::source`] repeats nothing; [`ApiError::with_causes`] has all.
#[derive(Debug)]
pub struct ApiError {
    kind: ApiErrorKind,
    call: String,
    finding: String,
    advice: Cow<'static, str>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The errors of a call, told apart by what the caller does next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ApiErrorKind {
    /// Nothing reached the server, so nothing can have happened there.
    NotSent,
    /// It may or may not have happened (timeout, 5xx, broken connection). After
    /// a write: list, look for the marker, and only then write again. A 503 is
    /// here too: with `--web.timeout` Alertmanager answers it and still stores
    /// the silence.
    Unknown,
    /// The server judged this very request to be bad; sent again unchanged it
    /// is refused again.
    Refused {
        /// The server's limit that is reached, if that was the reason.
        limit: Option<Limit>,
    },
    /// The silence to be updated is not known to the server that answered: list
    /// again, in a cluster after the replicas have had time to agree.
    NotFound,
    /// Not handled for now, and nothing happened: the same request may succeed later.
    Busy {
        /// How long the server asks us to wait.
        retry_after: Option<Duration>,
    },
    /// The credentials are missing, wrong, or not enough.
    Unauthorised,
    /// Whatever answered, it is not the silences API: a login page, a redirect,
    /// another path, another program. It says nothing about which silences exist.
    NotAnAlertmanager,
    /// The list is longer than this program is willing to hold.
    TooLarge,
}

/// A limit on silences that a server enforces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// How many there may be, expired ones included.
    Count,
    /// How big one may be.
    Size,
}

impl ApiError {
    /// An error with the advice that fits its kind.
    ///
    /// `call` says what was tried, such as method and URL, and `finding` what
    /// came of it; neither may hold a secret.
    pub fn new(kind: ApiErrorKind, call: impl Into<String>, finding: impl Into<String>) -> Self {
        Self {
            kind,
            call: call.into(),
            finding: finding.into(),
            advice: advice(kind).into(),
            source: None,
        }
    }

    /// With better advice than the kind alone gives.
    pub(super) fn advising(mut self, advice: impl Into<Cow<'static, str>>) -> Self {
        self.advice = advice.into();
        self
    }

    /// With the error that caused this one.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What the caller may do next.
    #[must_use]
    pub const fn kind(&self) -> ApiErrorKind {
        self.kind
    }

    /// The whole story on one line, every cause once.
    #[must_use]
    pub fn with_causes(&self) -> String {
        format!("{}; {}", self.without_advice(), self.advice)
    }

    /// What was tried and what came of it, every cause once.
    pub(super) fn without_advice(&self) -> String {
        let mut story = format!("`{}`: {}", self.call, self.finding);
        let mut written = String::new();
        let mut next = self.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            // Some libraries print their source in their own text.
            if !written.contains(&text) {
                story.extend([": ", &text]);
                written = text;
            }
            next = cause.source();
        }
        story
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "`{}`: {}; {}",
            self.call, self.finding, self.advice
        )
    }
}

impl Error for ApiError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

const fn advice(kind: ApiErrorKind) -> &'static str {
    match kind {
        ApiErrorKind::NotSent => {
            "nothing was sent: check the URL, and that the server is up and can be reached from here"
        }
        ApiErrorKind::Unknown => {
            "it may have taken effect or not: the silences are listed before anything is written again"
        }
        ApiErrorKind::Refused { limit: None } => {
            "the server will refuse it again: correct the declaration"
        }
        ApiErrorKind::Refused {
            limit: Some(Limit::Count),
        } => {
            "expired silences count too: raise the server's limit (`--silences.max-silences`), or wait until it forgets some"
        }
        ApiErrorKind::Refused {
            limit: Some(Limit::Size),
        } => {
            "shorten the comment or the matchers, or raise the server's limit (`--silences.max-silence-size-bytes`)"
        }
        ApiErrorKind::NotFound => {
            "it was forgotten, or this replica has not heard of it yet: the silences are listed again"
        }
        ApiErrorKind::Busy { .. } => "nothing happened: it is tried again later",
        ApiErrorKind::Unauthorised => {
            "check the credentials of this target and that they may read and write silences"
        }
        ApiErrorKind::NotAnAlertmanager => {
            "check the URL of this target: `/api/v2/silences` must lie below it, with any path prefix"
        }
        ApiErrorKind::TooLarge => {
            "see what creates so many silences, or lower the server's retention (`--data.retention`)"
        }
    }
}
