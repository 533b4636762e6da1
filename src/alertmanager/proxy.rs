//! Which proxy does the environment name for a server? As reqwest, which uses
//! it, reads `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`. As with Go's
//! programs, that is with Alertmanager's own, none of them is for this machine: a
//! proxy would ask itself.

use hyper_util::client::proxy::matcher::Matcher;
use openssl::base64;
use reqwest::Url;

use super::secret::Redaction;
use super::settings::{InvalidSettings, uri};
use crate::loopback::is_loopback;

/// A proxy that the environment names.
pub(super) struct EnvironmentProxy {
    /// Whether it is reached over TLS.
    pub(super) uses_tls: bool,
    /// Its password, in all forms in which it may be repeated.
    pub(super) redaction: Redaction,
}

/// Through whom the environment has that server reached; none for directly.
pub(super) fn of_environment(server: &Url) -> Result<Option<EnvironmentProxy>, InvalidSettings> {
    if server.host_str().is_some_and(is_loopback) {
        return Ok(None);
    }
    let Some(proxy) = Matcher::from_env().intercept(&uri(server)?) else {
        return Ok(None);
    };
    let scheme = proxy.uri().scheme_str().unwrap_or_default();
    if !matches!(scheme, "http" | "https") {
        return Err(InvalidSettings::EnvironmentProxy(scheme.to_owned()));
    }
    let mut redaction = Redaction::default();
    let authorization = proxy.basic_auth().and_then(|value| value.to_str().ok());
    if let Some((_scheme, encoded)) = authorization.and_then(|value| value.split_once(' ')) {
        let decoded = base64::decode_block(encoded).unwrap_or_default();
        let decoded = String::from_utf8_lossy(&decoded);
        if let Some((_user, password)) = decoded.split_once(':').filter(|pair| !pair.1.is_empty()) {
            redaction.add(password);
        }
        redaction.add(encoded);
    }
    Ok(Some(EnvironmentProxy {
        uses_tls: scheme == "https",
        redaction,
    }))
}
