//! As whom, whom to trust, and through whom is a target reached?

use super::Resolver;
use super::access_keys::TlsKeys;
use super::file::{TargetKeys, Text};
use super::problem::{Given, Origin};
use crate::alertmanager::{
    ClientCertificate, Credentials, ExtraHeader, HeaderSource, OAuth2, Proxy, TlsSettings,
};

impl Resolver<'_> {
    /// One of them stands in when there are several.
    pub(super) fn credentials(
        &mut self,
        origin: &Origin,
        key: &str,
        keys: &TargetKeys,
    ) -> Credentials {
        let (token, basic) = (&keys.bearer_token_file, &keys.basic_auth);
        let given = [
            ("bearer_token_file", token.is_some()),
            ("basic_auth", basic.is_some()),
            ("oauth2", keys.oauth2.is_some()),
        ];
        let given: Vec<_> = given.into_iter().filter(|(_, given)| *given).collect();
        if let [(first, _), .., (last, _)] = given[..] {
            let problem = format!("write either `{first}` or `{last}`, not both");
            self.problems.add(origin, problem);
        }
        if let Some(basic) = basic {
            let password_file = self.text(key, "basic_auth.password_file", &basic.password_file);
            Credentials::Basic {
                username: basic.username.value.clone(),
                password_file: password_file.path(),
            }
        } else if let Some(token) = token {
            Credentials::Bearer {
                token_file: self.text(key, "bearer_token_file", token).path(),
            }
        } else if let Some(oauth2) = &keys.oauth2 {
            let secret = &oauth2.client_secret_file;
            let secret = self.text(key, "oauth2.client_secret_file", secret);
            let tls = self.tls(&format!("{key}.oauth2.tls"), origin, &oauth2.tls);
            Credentials::OAuth2(OAuth2 {
                client_id: oauth2.client_id.value.clone(),
                client_secret_file: secret.path(),
                token_url: oauth2.token_url.value.clone(),
                scopes: oauth2.scopes.clone(),
                endpoint_params: oauth2.endpoint_params.clone(),
                tls: tls.unwrap_or_default(),
            })
        } else {
            Credentials::None
        }
    }

    /// The headers of `http_headers`, the values of each before its files.
    pub(super) fn headers(&self, key: &str, keys: &TargetKeys) -> Vec<ExtraHeader> {
        let headers = keys.http_headers.iter().map(|(name, keys)| {
            let files = format!("http_headers.{name}.files");
            let values = keys.value.values.iter().cloned().map(HeaderSource::Value);
            let paths = keys.value.files.iter();
            let files = paths.map(|file| HeaderSource::File(self.text(key, &files, file).path()));
            ExtraHeader {
                name: name.clone(),
                values: values.chain(files).collect(),
            }
        });
        headers.collect()
    }

    /// `None` once a problem is noted, at `origin` when a key is missing.
    pub(super) fn tls(
        &mut self,
        key: &str,
        origin: &Origin,
        keys: &TlsKeys,
    ) -> Option<TlsSettings> {
        let path = |name, text: &Option<Text>| {
            let text = text.as_ref()?;
            Some(self.text(key, name, text).path())
        };
        let ca_file = path("ca_file", &keys.ca_file);
        let cert_file = path("cert_file", &keys.cert_file);
        let key_file = path("key_file", &keys.key_file);
        let client_certificate = match (cert_file, key_file) {
            (Some(cert_file), Some(key_file)) => Some(ClientCertificate {
                cert_file,
                key_file,
            }),
            (None, None) => None,
            (cert_file, _) => {
                let missing = if cert_file.is_some() {
                    "key_file"
                } else {
                    "cert_file"
                };
                let (_, tls) = key.split_once('.').unwrap_or(("", key));
                let problem =
                    format!("the key `{tls}.{missing}` is missing: a client certificate has both");
                self.problems.add(origin, problem);
                return None;
            }
        };
        Some(TlsSettings {
            ca_file,
            client_certificate,
        })
    }

    /// `None` once a problem is noted.
    pub(super) fn proxy(&mut self, key: &str, keys: &TargetKeys) -> Option<Proxy> {
        let text = |name, text: &Option<Text>| Some(self.text(key, name, text.as_ref()?));
        let url = text("proxy_url", &keys.proxy_url);
        let no_proxy = text("no_proxy", &keys.no_proxy);
        let environment = text("proxy_from_environment", &keys.proxy_from_environment);
        let from_environment = match &environment {
            None => None,
            Some(given) => Some(given.read(&mut self.problems, |text| match text {
                "true" => Ok(true),
                "false" => Ok(false),
                _ => Err(format!("`{text}` is neither `true` nor `false`")),
            })?),
        };
        match (url, no_proxy) {
            (Some(url), no_proxy) => {
                if let (Some(true), Some(given)) = (from_environment, &environment) {
                    let problem = "write either `proxy_url` or `proxy_from_environment`, not both";
                    self.problems.add(&given.origin, problem);
                }
                Some(Proxy::Url {
                    url: url.value,
                    no_proxy: no_proxy.map(|given| given.value).unwrap_or_default(),
                })
            }
            (None, Some(no_proxy)) => {
                let problem = "it says where `proxy_url` is not used, and there is no `proxy_url`; \
                               for the proxies of the environment there is `NO_PROXY`";
                self.problems.add(&no_proxy.origin, problem);
                None
            }
            (None, None) if from_environment == Some(false) => Some(Proxy::Direct),
            (None, None) => Some(Proxy::Environment),
        }
    }

    /// A value below `key` with its place.
    pub(super) fn text(&self, key: &str, name: &str, text: &Text) -> Given {
        Given {
            value: text.value.clone(),
            origin: self.file.origin(&format!("{key}.{name}"), text),
        }
    }
}
