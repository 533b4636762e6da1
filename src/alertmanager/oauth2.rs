//! How is a token had? The client credentials grant of OAuth 2 (RFC 6749
//! section 4.4): one POST, its answer kept until shortly before it expires.
//!
//! Ours, because the crate `oauth2` brings a dozen others for flows that need
//! a person, and still leaves the request, the bounds and the cache to us.

use std::fmt;
use std::time::Duration;

use hyper::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};
use reqwest::Url;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::connections::Way;
use super::credentials::{self, OAuth2};
use super::error::ApiError;
use super::excerpt::excerpt;
use super::failure::Attempt;
use super::secret::{self, Redaction, UnreadableSecret};
use super::settings::{self, InvalidSettings};
use super::tls::UnusableTls;
use super::transport::Call;

/// Far above every answer of an authorization server; a token has a few KiB.
const LARGEST_ANSWER: usize = 64 << 10;

/// A token is not used for the last of its time: a request with it may take
/// that long to be looked at, and clocks differ.
const MARGIN: Duration = Duration::from_secs(30);

/// Gives out tokens, the same one while it lasts.
#[derive(Debug)]
pub(super) struct TokenSource {
    settings: OAuth2,
    call: Call,
    way: Way,
    timeout: Duration,
    state: Mutex<State>,
}

/// Held over the request, so that of several callers one asks.
#[derive(Default)]
struct State {
    token: Option<Token>,
    style: Style,
}

/// Token and style, of which only the latter may be shown.
impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("State")
            .field("style", &self.style)
            .finish_non_exhaustive()
    }
}

struct Token {
    value: String,
    /// Without one it is used until it is refused.
    until: Option<Instant>,
}

/// How the client proves itself (RFC 6749 section 2.3.1).
#[derive(Clone, Copy, Default, Debug)]
enum Style {
    /// Every server must know this one.
    #[default]
    Header,
    /// Some know only this one.
    Body,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoToken {
    #[error("the client secret cannot be had")]
    Secret(#[from] UnreadableSecret),
    #[error(transparent)]
    Tls(#[from] UnusableTls),
    #[error(transparent)]
    NoAnswer(#[from] ApiError),
    #[error("others asked for one and had no answer within {0:?}")]
    Queued(Duration),
    #[error("`{0}`: {1}")]
    Refused(Call, String),
}

/// RFC 6749 section 5.1. Some servers write the number as a text.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: String,
    #[serde(default)]
    expires_in: Option<Seconds>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(f64),
    Text(String),
}

/// RFC 6749 section 5.2.
#[derive(Deserialize)]
struct Denied {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl TokenSource {
    /// Nothing is asked for yet.
    pub(super) fn new(
        settings: &OAuth2,
        timeout: Duration,
        way: impl FnOnce(&Url) -> Result<Way, InvalidSettings>,
    ) -> Result<Self, InvalidSettings> {
        let within = |error: InvalidSettings| error.within("oauth2.token_url");
        let hint = "write them as `client_id` and `client_secret_file`";
        let example = "https://login.example.org/oauth2/token";
        let url = settings::plain_url(&settings.token_url, example, hint).map_err(within)?;
        if !settings.tls.is_default() && url.scheme() != "https" {
            return Err(within(InvalidSettings::TlsUnused(url.into())));
        }
        Ok(Self {
            settings: settings.clone(),
            way: way(&url)?,
            call: Call {
                method: Method::POST,
                uri: settings::uri(&url).map_err(within)?,
            },
            timeout,
            state: Mutex::default(),
        })
    }

    /// A token that was good when it was given out.
    pub(super) async fn token(&self) -> Result<String, NoToken> {
        // While others ask in vain, that is a wait for each of them.
        let Ok(mut state) = timeout(self.timeout, self.state.lock()).await else {
            return Err(NoToken::Queued(self.timeout));
        };
        let now = Instant::now();
        if let Some(token) = &state.token
            && token.until.is_none_or(|until| now < until)
        {
            return Ok(token.value.clone());
        }
        let secret = secret::read(&self.settings.client_secret_file)?;
        let (status, mut answer) = self.ask(&secret, state.style).await?;
        let other = match state.style {
            Style::Header => Style::Body,
            Style::Body => Style::Header,
        };
        // What a server says to the style that it does not know.
        if matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED) {
            let (again, second) = self.ask(&secret, other).await?;
            if again == StatusCode::OK {
                state.style = other;
                answer = second;
            }
        }
        let granted = answer.map_err(|finding| NoToken::Refused(self.call.clone(), finding))?;
        let lifetime = granted.expires_in.as_ref().and_then(Seconds::duration);
        let value = granted.access_token.clone();
        state.token = Some(Token {
            value: granted.access_token,
            until: lifetime.and_then(|lifetime| now.checked_add(lifetime.saturating_sub(MARGIN))),
        });
        Ok(value)
    }

    /// Forgets a token that was refused, unless another has taken its place.
    pub(super) async fn discard(&self, refused: &str) {
        let mut state = self.state.lock().await;
        state.token.take_if(|token| token.value == refused);
    }

    /// Asks once. What came is the token, or what to say about its absence.
    async fn ask(
        &self,
        secret: &str,
        style: Style,
    ) -> Result<(StatusCode, Result<Granted, String>), NoToken> {
        let mut form = vec![("grant_type", "client_credentials")];
        let scopes = self.settings.scopes.join(" ");
        if !scopes.is_empty() {
            form.push(("scope", &scopes));
        }
        let parameters = &self.settings.endpoint_params;
        form.extend(parameters.iter().map(|(name, value)| (&**name, &**value)));
        let client_id = &self.settings.client_id;
        let transport = self.way.transport()?;
        let mut headers = HeaderMap::new();
        let mut redaction = self.way.redaction();
        redaction.add(secret);
        match style {
            // Both encoded once more, as section 2.3.1 has it.
            Style::Header => {
                let (client_id, secret) = (encoded(client_id), encoded(secret));
                credentials::basic(&client_id, &secret, &mut headers, &mut redaction);
            }
            Style::Body => form.extend([("client_id", &**client_id), ("client_secret", secret)]),
        }
        redaction.add(encoded(secret));
        for (name, value) in [
            (ACCEPT, "application/json"),
            (CONTENT_TYPE, "application/x-www-form-urlencoded"),
            // The next one is due in minutes.
            (CONNECTION, "close"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let attempt = Attempt {
            call: &self.call,
            reading: true,
            timeout: self.timeout,
            way: &self.way,
        };
        let failed = |interruption| attempt.failed(interruption);
        let request = self.call.with(headers, encoded_form(&form));
        let mut response = transport
            .send(request, self.timeout)
            .await
            .map_err(failed)?;
        let status = response.status;
        let mut body = Vec::new();
        let complete = response.receive(&mut body, LARGEST_ANSWER).await;
        let complete = complete.map_err(failed)?;
        let granted = if complete {
            read(status, &body, &redaction)
        } else {
            Err(format!(
                "the answer is longer than {} KiB",
                LARGEST_ANSWER >> 10
            ))
        };
        Ok((status, granted))
    }
}

/// What the token endpoint answered.
fn read(status: StatusCode, body: &[u8], redaction: &Redaction) -> Result<Granted, String> {
    let shown = |text: &str| excerpt(&redaction.apply(text));
    if status == StatusCode::OK {
        // The body may hold the token, so it is never shown.
        let granted: Granted = serde_json::from_slice(body).map_err(|_| {
            format!("answered `{status}`, which is no token: check `oauth2.token_url`")
        })?;
        let kind = &granted.token_type;
        if !kind.eq_ignore_ascii_case("bearer") {
            let kind = shown(kind);
            return Err(format!("gave a token of type `{kind}` instead of `Bearer`"));
        }
        let is_token = granted
            .access_token
            .bytes()
            .all(|byte| byte.is_ascii_graphic());
        if !is_token || granted.access_token.is_empty() {
            return Err("gave a token with characters that none can have".to_owned());
        }
        return Ok(granted);
    }
    let said = match serde_json::from_slice::<Denied>(body) {
        Ok(denied) if denied.error_description.is_empty() => denied.error,
        Ok(denied) => format!("{}: {}", denied.error, denied.error_description),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    let said = shown(&said);
    let advice = if status.is_redirection() {
        "redirects are not followed: write the final URL as `oauth2.token_url`"
    } else if said.starts_with("invalid_scope") {
        "check `oauth2.scopes`"
    } else if status.is_server_error() {
        "it is asked again in the next pass"
    } else {
        "check `oauth2.client_id`, the secret, and that the client may use the grant \
         `client_credentials`"
    };
    Err(if said.is_empty() {
        format!("answered `{status}` without a message: {advice}")
    } else {
        format!("answered `{status}` with `{said}`: {advice}")
    })
}

impl Seconds {
    fn duration(&self) -> Option<Duration> {
        let seconds = match self {
            Self::Number(number) => *number,
            Self::Text(text) => text.parse().ok()?,
        };
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// As `application/x-www-form-urlencoded`.
fn encoded_form(pairs: &[(&str, &str)]) -> String {
    // Any URL: only its query is used.
    let url = Url::parse_with_params("http://form", pairs);
    let query = url.ok().and_then(|url| url.query().map(str::to_owned));
    query.unwrap_or_default()
}

/// One value of such a form.
fn encoded(value: &str) -> String {
    let pair = encoded_form(&[("", value)]);
    pair.strip_prefix('=').unwrap_or(&pair).to_owned()
}
