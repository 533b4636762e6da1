//! What does an answer mean? From status, headers and body to what the caller
//! may do next. No IO here: whatever was received is already in hand.

use std::borrow::Cow;
use std::time::Duration;

use chrono::DateTime;
use hyper::header::{
    CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
};
use hyper::{Method, StatusCode};

use super::error::{ApiError, ApiErrorKind, Limit};
use super::excerpt::{excerpt, page_title};
use super::kind::{Kind, is_of_one_rule};
use super::secret::Redaction;
use super::transport::Call;
use super::wire::{self, ErrorMessage};
use super::{Expired, Listing};
use crate::silence::{SilenceDraft, SilenceId};
use crate::timestamp::Timestamp;

/// What a server answered.
pub(super) struct Answer<'a> {
    pub(super) call: Call,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// Why `body` is only the beginning, if it is.
    pub(super) incomplete: Option<ApiError>,
    pub(super) redaction: Redaction,
    /// What answered.
    pub(super) kind: &'a Kind,
    /// Whether credentials went with the request.
    pub(super) authorized: bool,
}

impl Answer<'_> {
    /// The answer to GET on the list.
    pub(super) fn into_listing(mut self) -> Result<Listing, ApiError> {
        if self.status != StatusCode::OK {
            return Err(self.into_error());
        }
        if self.is_not_json() {
            return Err(self.not_json());
        }
        if let Some(error) = self.incomplete.take() {
            return Err(error);
        }
        // Invalid UTF-8 becomes U+FFFD, as Alertmanager itself would have it;
        // valid text, which is the rule, is checked faster and not copied.
        let body = match std::str::from_utf8(&self.body) {
            Ok(body) => Cow::Borrowed(body),
            Err(_) => String::from_utf8_lossy(&self.body),
        };
        if !body.trim_start().starts_with('[') {
            return Err(self.not_an_alertmanager("which is not a list"));
        }
        let listing = wire::listing(&body, self.server_time()).map_err(|error| {
            let finding = "the list ends too early or is not JSON";
            ApiError::new(ApiErrorKind::Unknown, &self.call, finding)
                .advising(NOTHING_READ)
                .caused_by(error)
        })?;
        if let Some(first) = &listing.skipped.first
            && listing.silences.is_empty()
            && listing.expired == 0
        {
            let count = listing.skipped.count;
            let finding = format!("none of the {count} entries is a silence, the first is {first}");
            let kind = ApiErrorKind::NotAnAlertmanager;
            return Err(ApiError::new(kind, &self.call, finding));
        }
        Ok(listing)
    }

    /// The answer to POST: Alertmanager says 200, Grafana 202, its swagger 201.
    pub(super) fn into_silence_id(mut self, draft: &SilenceDraft) -> Result<SilenceId, ApiError> {
        if self.status == StatusCode::FORBIDDEN
            && self.kind.hides_silences()
            && is_of_one_rule(draft)
        {
            // The rights to one folder are missing: it concerns this silence alone.
            let kind = ApiErrorKind::Refused { limit: None };
            return Err(self.error(kind).advising(
                "it is the silence of one rule: grant the service account `alert.silences:create` \
                 and `alert.silences:write` on the folder of that rule; if there is no such rule, \
                 `alert.instances:create` and `alert.instances:write`",
            ));
        }
        if !self.status.is_success() {
            return Err(self.into_error());
        }
        if let Some(id) = wire::posted_id(&self.body) {
            return Ok(id);
        }
        if self.is_not_json() && !self.body.is_empty() {
            return Err(self.not_json());
        }
        if let Some(error) = self.incomplete.take() {
            return Err(error);
        }
        let finding = format!("{}, which names no silence", self.finding());
        Err(ApiError::new(ApiErrorKind::Unknown, &self.call, finding))
    }

    /// The answer to GET on one silence that the list lacks: whether it is live
    /// all the same.
    pub(super) fn into_hidden(self) -> Result<bool, ApiError> {
        let message = self.message();
        match self.status {
            StatusCode::OK if self.is_not_json() => Err(self.not_json()),
            StatusCode::OK => wire::is_live(&self.body).map_err(|error| {
                let finding = format!("{}, which is no silence", self.finding());
                ApiError::new(ApiErrorKind::Unknown, &self.call, finding)
                    .advising(NOTHING_READ)
                    .caused_by(error)
            }),
            StatusCode::FORBIDDEN => Ok(true),
            StatusCode::NOT_FOUND
                if message.says_no_such_silence() || message == ErrorMessage::default() =>
            {
                Ok(false)
            }
            _ => Err(self.into_error()),
        }
    }

    /// The answer to DELETE; a successful one may say anything but a web page.
    pub(super) fn into_expired(self) -> Result<Expired, ApiError> {
        if self.status.is_success() {
            return if self.content_type().starts_with("text/html") {
                Err(self.not_json())
            } else {
                Ok(Expired::Done)
            };
        }
        let message = self.message();
        let gone = match self.status {
            // Alertmanager says no more than the status.
            StatusCode::NOT_FOUND => {
                message.says_no_such_silence() || message == ErrorMessage::default()
            }
            // Alertmanager up to 0.25.
            StatusCode::INTERNAL_SERVER_ERROR => message.says_no_such_silence(),
            _ => false,
        };
        if gone {
            return Ok(Expired::Gone);
        }
        Err(self.into_error())
    }

    /// For every status that is not the hoped-for one.
    fn into_error(self) -> ApiError {
        if self.status.is_redirection() {
            return self.redirect();
        }
        let message = self.message();
        if self.status == StatusCode::BAD_REQUEST && asks_for_https(&message) {
            return self
                .error(ApiErrorKind::NotAnAlertmanager)
                .advising("the port expects TLS: write `https://` in the URL of this target");
        }
        // nginx has no status for it that others know.
        if self.status == StatusCode::BAD_REQUEST && message.says("ssl certificate") {
            return self.error(ApiErrorKind::Unauthorised).advising(
                "the server asks for a client certificate that it trusts: name it and its key in \
                 `tls.cert_file` and `tls.key_file` of this target",
            );
        }
        let reading = self.call.is_reading();
        let kind = match self.status.as_u16() {
            401 | 403 | 407 => ApiErrorKind::Unauthorised,
            404 if self.call.method == Method::POST && message.says_no_such_silence() => {
                ApiErrorKind::NotFound
            }
            // 409: Grafana, while the Alertmanager of an organisation starts.
            409 | 429 => self.busy(),
            // What was only to be read had no effect, whoever says so.
            503 if reading
                && (self.retry_after().is_some()
                    || message.says("limit of concurrent get requests")) =>
            {
                self.busy()
            }
            400 | 413 | 422 if !reading => ApiErrorKind::Refused {
                limit: self.limit(&message),
            },
            // 408: the server gave up while it read the request.
            408 | 500.. => ApiErrorKind::Unknown,
            _ => ApiErrorKind::NotAnAlertmanager,
        };
        let error = self.error(kind);
        let advice = match kind {
            ApiErrorKind::Unknown if reading => Some(NOTHING_READ),
            ApiErrorKind::Unauthorised if self.status == PROXY_AUTHENTICATION => {
                Some("the proxy asks for a user name and password, which can be in `HTTP_PROXY`")
            }
            ApiErrorKind::Unauthorised if !self.authorized && !message.says("no org id") => Some(
                "no credentials are configured for this target: add `bearer_token_file`, \
                 `basic_auth` or `oauth2`",
            ),
            _ => self
                .kind
                .advice(&self.call.method, self.status, kind, &message),
        };
        match advice {
            Some(advice) => error.advising(advice),
            None => error,
        }
    }

    fn limit(&self, message: &ErrorMessage) -> Option<Limit> {
        if message.says("maximum number of silences") {
            Some(Limit::Count)
        } else if message.says("exceeded maximum size")
            || self.status == StatusCode::PAYLOAD_TOO_LARGE
        {
            Some(Limit::Size)
        } else {
            None
        }
    }

    fn busy(&self) -> ApiErrorKind {
        ApiErrorKind::Busy {
            retry_after: self.retry_after(),
        }
    }

    fn redirect(self) -> ApiError {
        let target = self.header(&LOCATION);
        // A query may hold a session of the login page.
        let target = target.split(['?', '#']).next().unwrap_or_default();
        let target = excerpt(&self.redaction.apply(target));
        let finding = format!("answered `{}`, a redirect to `{target}`", self.status);
        ApiError::new(ApiErrorKind::NotAnAlertmanager, &self.call, finding).advising(
            "redirects are not followed, for they would carry the credentials elsewhere: \
             configure the final URL, or credentials that need no login page",
        )
    }

    fn is_not_json(&self) -> bool {
        let content_type = self.content_type();
        !content_type.is_empty() && !content_type.starts_with("application/json")
    }

    fn not_json(self) -> ApiError {
        let content_type = excerpt(&self.content_type());
        self.not_an_alertmanager(&format!("which is `{content_type}` instead of JSON"))
    }

    fn not_an_alertmanager(&self, why: &str) -> ApiError {
        let finding = format!("{}, {why}", self.finding());
        ApiError::new(ApiErrorKind::NotAnAlertmanager, &self.call, finding)
    }

    fn error(&self, kind: ApiErrorKind) -> ApiError {
        ApiError::new(kind, &self.call, self.finding())
    }

    /// Status and the beginning of the body.
    fn finding(&self) -> String {
        let text = self.redaction.apply(&self.message().text);
        let title = page_title(&text).map(excerpt);
        let text = excerpt(&text);
        match title {
            Some(title) => format!("answered `{}` with the web page `{title}`", self.status),
            None if text.is_empty() => format!("answered `{}` without a message", self.status),
            None => format!("answered `{}` with `{text}`", self.status),
        }
    }

    fn message(&self) -> ErrorMessage {
        ErrorMessage::read(&String::from_utf8_lossy(&self.body))
    }

    fn header(&self, name: &HeaderName) -> String {
        let value = self.headers.get(name).map(HeaderValue::as_bytes);
        String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
    }

    fn content_type(&self) -> String {
        self.header(&CONTENT_TYPE).to_lowercase()
    }

    fn server_time(&self) -> Option<Timestamp> {
        http_date(&self.header(&DATE))
    }

    /// RFC 9110 section 10.2.3: seconds, or a date, which only makes sense by
    /// the clock of the server that wrote it.
    fn retry_after(&self) -> Option<Duration> {
        let text = self.header(&RETRY_AFTER);
        match text.parse() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_) => Some(http_date(&text)?.since(self.server_time()?)),
        }
    }
}

const PROXY_AUTHENTICATION: StatusCode = StatusCode::PROXY_AUTHENTICATION_REQUIRED;

/// For a list that could not be read: there is nothing to be undone.
pub(super) const NOTHING_READ: &str = "nothing was changed: it is asked again in the next pass";

/// In the words of Go's and nginx's TLS ports.
fn asks_for_https(message: &ErrorMessage) -> bool {
    message.says("http request to an https server")
        || message.says("plain http request was sent to https port")
}

/// RFC 9110 section 5.6.7, in the one form that servers still write.
fn http_date(text: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc2822(text)
        .ok()
        .map(|at| Timestamp::from_seconds(at.timestamp()))
}
