//! As whom? Credentials as they are configured, and how they get into a request.

use std::collections::BTreeMap;
use std::path::PathBuf;

use reqwest::header::AUTHORIZATION;
use reqwest::{Request, RequestBuilder};

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

    /// Puts the secrets, as their files hold them now, into a request; a token
    /// of OAuth 2 is given in `token`.
    pub(super) fn authorize(
        &self,
        request: RequestBuilder,
        token: Option<&str>,
        redaction: &mut Redaction,
    ) -> Result<RequestBuilder, UnreadableSecret> {
        Ok(match self {
            Self::None => request,
            Self::Bearer { token_file } => {
                let token = secret::read_token(token_file)?;
                let request = request.bearer_auth(&token);
                redaction.add(token);
                request
            }
            Self::Basic {
                username,
                password_file,
            } => {
                let password = secret::read(password_file)?;
                let request = request.basic_auth(username, Some(&password));
                redaction.add(password);
                request
            }
            Self::OAuth2(_) => match token {
                Some(token) => {
                    redaction.add(token);
                    request.bearer_auth(token)
                }
                None => request,
            },
        })
    }
}

/// Lets `redaction` know the secret in the form in which `request` carries it.
pub(super) fn add_header_of(request: &Request, redaction: &mut Redaction) {
    let header = request.headers().get(AUTHORIZATION);
    let sent = header.and_then(|value| value.to_str().ok()?.split_once(' '));
    if let Some((_scheme, secret)) = sent {
        redaction.add(secret);
    }
}
