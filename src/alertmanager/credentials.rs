//! As whom? Credentials as they are configured, and how they get into a request.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use openssl::base64;

use super::secret::{self, Redaction, UnreadableSecret};
use super::settings::{InvalidSettings, TlsSettings};

/// As whom to call. Secrets are read from their files for every request, so
/// that a rotated one works at once, and are never kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Credentials {
    /// Nobody.
    None,
    /// `Authorization: Bearer`, as Grafana's service accounts need it.
    Bearer {
        /// Holds the token and nothing else.
        token_file: PathBuf,
    },
    /// `Authorization: Basic`.
    Basic {
        /// Without a colon, which separates it from the password.
        username: String,
        /// Holds the password; a line end after it is not part of it.
        password_file: PathBuf,
    },
    /// `Authorization: Bearer` with a token that is asked for, and kept in
    /// memory until shortly before it expires.
    OAuth2(OAuth2),
}

/// The client credentials grant (RFC 6749 section 4.4), in the words of
/// Prometheus' `oauth2`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OAuth2 {
    /// Who we are to the authorization server.
    pub client_id: String,
    /// Holds the client's secret; a line end after it is not part of it.
    pub client_secret_file: PathBuf,
    /// Where tokens are given out.
    pub token_url: String,
    /// What the token is to be good for; may be empty.
    pub scopes: Vec<String>,
    /// More parameters of the request for a token, such as `audience`.
    pub endpoint_params: BTreeMap<String, String>,
    /// For the connection to the token endpoint; the proxy is the target's.
    pub tls: TlsSettings,
}

impl Credentials {
    /// Whether they can be sent.
    pub(super) fn check(&self) -> Result<(), InvalidSettings> {
        match self {
            Self::Basic { username, .. } if username.contains(':') => {
                Err(InvalidSettings::Username(username.clone()))
            }
            _ => Ok(()),
        }
    }

    /// Adds the secrets, as their files hold them now, to the headers of a
    /// request; a token of OAuth 2 is given in `token`.
    pub(super) fn authorize(
        &self,
        headers: &mut HeaderMap,
        token: Option<&str>,
        redaction: &mut Redaction,
    ) -> Result<(), UnreadableSecret> {
        match self {
            Self::None => {}
            Self::Bearer { token_file } => {
                let token = secret::read_token(token_file)?;
                bearer(&token, headers, redaction);
            }
            Self::Basic {
                username,
                password_file,
            } => {
                let password = secret::read(password_file)?;
                basic(username, &password, headers, redaction);
            }
            Self::OAuth2(_) => {
                if let Some(token) = token {
                    bearer(token, headers, redaction);
                }
            }
        }
        Ok(())
    }
}

/// RFC 6750. Of a token nothing but visible ASCII has come so far.
fn bearer(token: &str, headers: &mut HeaderMap, redaction: &mut Redaction) {
    redaction.add(token);
    insert(&format!("Bearer {token}"), headers);
}

/// RFC 7617.
pub(super) fn basic(
    username: &str,
    password: &str,
    headers: &mut HeaderMap,
    redaction: &mut Redaction,
) {
    let encoded = base64::encode_block(format!("{username}:{password}").as_bytes());
    insert(&format!("Basic {encoded}"), headers);
    redaction.add(password);
    redaction.add(encoded);
}

fn insert(value: &str, headers: &mut HeaderMap) {
    // Any other text than these two make would not be sent, and answered by 401.
    if let Ok(mut value) = HeaderValue::from_str(value) {
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
}
