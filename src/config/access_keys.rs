//! How does the configuration file say how a target is reached? In the words of
//! Prometheus' `http_config`, with every secret in a file of its own.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::file::Text;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BasicAuthKeys {
    pub(super) username: Text,
    pub(super) password_file: Text,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OAuth2Keys {
    pub(super) client_id: Text,
    pub(super) client_secret_file: Text,
    pub(super) token_url: Text,
    #[serde(default)]
    pub(super) scopes: Vec<String>,
    #[serde(default)]
    pub(super) endpoint_params: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) tls: TlsKeys,
}

/// One header, as often as it has values.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderKeys {
    #[serde(default)]
    pub(super) values: Vec<String>,
    #[serde(default)]
    pub(super) files: Vec<Text>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the keys of the file")]
pub(super) struct TlsKeys {
    pub(super) ca_file: Option<Text>,
    pub(super) cert_file: Option<Text>,
    pub(super) key_file: Option<Text>,
}
