//! What kind of server is it? Where its silences lie, which headers it needs,
//! what its list is worth, and what its refusals mean.
//!
//! After the sources of Alertmanager, Grafana (`lotex_am.go`, the silence
//! service's access control) and Mimir (`alertmanager.go`, `distributor.go`).

use hyper::header::HeaderName;
use hyper::{Method, StatusCode};

use super::error::ApiErrorKind;
use super::wire::ErrorMessage;
use crate::matcher::{MatchOperator, RULE_LABEL};
use crate::silence::SilenceDraft;

/// The servers that hold silences, as they are configured: which one it is
/// cannot be told from its name.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub enum Kind {
    /// Prometheus Alertmanager.
    #[default]
    Alertmanager,
    /// The Alertmanager inside Grafana, one for each organisation.
    Grafana {
        /// For basic authentication; a token belongs to one organisation.
        organisation: Option<u64>,
    },
    /// Another Alertmanager, through Grafana.
    GrafanaDatasource {
        /// The UID of its data source.
        uid: String,
        /// As for [`Kind::Grafana`].
        organisation: Option<u64>,
    },
    /// Mimir's Alertmanager, one for each tenant; Cortex' is the same.
    Mimir {
        /// Its `-http.alertmanager-http-prefix`, without the slash before it.
        prefix: String,
        /// Sent as `X-Scope-OrgID`; none where tenants are told by credentials.
        tenant: Option<String>,
    },
}

impl Kind {
    /// The prefix that Mimir has unless it is configured otherwise.
    pub const MIMIR_PREFIX: &'static str = "alertmanager";

    /// How each kind is called in the configuration.
    pub const WORDS: [&'static str; 4] = ["alertmanager", "grafana", "grafana-datasource", "mimir"];

    /// Its word in the configuration.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Alertmanager => Self::WORDS[0],
            Self::Grafana { .. } => Self::WORDS[1],
            Self::GrafanaDatasource { .. } => Self::WORDS[2],
            Self::Mimir { .. } => Self::WORDS[3],
        }
    }

    /// The segments between the configured URL and those of Alertmanager's API.
    pub(super) fn prefix(&self) -> Vec<&str> {
        match self {
            Self::Alertmanager => Vec::new(),
            Self::Grafana { .. } => vec!["api", "alertmanager", "grafana"],
            Self::GrafanaDatasource { uid, .. } => vec!["api", "alertmanager", uid],
            Self::Mimir { prefix, .. } => {
                let segments = prefix.split('/');
                segments.filter(|segment| !segment.is_empty()).collect()
            }
        }
    }

    /// The segments between the configured URL and `silences`.
    pub(super) fn path(&self) -> Vec<&str> {
        let mut path = self.prefix();
        path.extend(["api", "v2"]);
        path
    }

    /// The header that says whose silences are meant.
    pub(super) fn header(&self) -> Option<(HeaderName, String)> {
        match self {
            Self::Alertmanager => None,
            Self::Grafana { organisation } | Self::GrafanaDatasource { organisation, .. } => {
                let name = HeaderName::from_static("x-grafana-org-id");
                Some((name, (*organisation)?.to_string()))
            }
            Self::Mimir { tenant, .. } => {
                Some((HeaderName::from_static("x-scope-orgid"), tenant.clone()?))
            }
        }
    }

    /// Whether its status names the replicas that it has. Grafana's and Mimir's
    /// name none whether there are any or not.
    pub(super) const fn shows_replicas(&self) -> bool {
        matches!(self, Self::Alertmanager)
    }

    /// Whether its list leaves out what the caller may not read.
    pub(super) const fn hides_silences(&self) -> bool {
        matches!(self, Self::Grafana { .. })
    }

    const fn is_grafana(&self) -> bool {
        matches!(self, Self::Grafana { .. } | Self::GrafanaDatasource { .. })
    }

    /// What to do about an answer, where that depends on the kind.
    pub(super) fn advice(
        &self,
        method: &Method,
        status: StatusCode,
        kind: ApiErrorKind,
        message: &ErrorMessage,
    ) -> Option<&'static str> {
        if message.says("alertmanager is not configured") {
            return Some(
                "this tenant has no Alertmanager configuration: upload one, or check the tenant",
            );
        }
        if message.says("no org id") {
            return Some(match self {
                Self::Mimir { .. } => {
                    "the server holds several tenants: name the one that is meant in `tenant` of \
                     this target"
                }
                _ => {
                    "this is a Mimir or Cortex with several tenants: write `kind: mimir` and \
                     `tenant` for this target"
                }
            });
        }
        let reading = *method == Method::GET;
        match (self, status.as_u16()) {
            (Self::Grafana { .. }, 403) => Some(if reading {
                "grant its service account `alert.instances:read`, which the role Viewer has, for \
                 every silence, or `alert.silences:read` for those of rules in single folders"
            } else {
                "grant its service account `alert.instances:create` and `alert.instances:write`, \
                 which the role Editor has, or for silences of rules in single folders \
                 `alert.silences:create` and `alert.silences:write` there"
            }),
            (Self::GrafanaDatasource { .. }, 403) => Some(if reading {
                "grant its service account `alert.instances.external:read` on this data source \
                 (`datasources:uid:...`), which the role Viewer has"
            } else {
                "grant its service account `alert.instances.external:write` on this data source \
                 (`datasources:uid:...`), which the role Editor has"
            }),
            (_, 401) if self.is_grafana() => Some(
                "check that the token belongs to a service account of this very Grafana, that \
                 neither has been disabled, and that the token has not expired",
            ),
            _ if message.id.contains("alertmanager.notFound") => Some(
                "this organisation has no Alertmanager yet: Grafana makes one within a minute of \
                 the organisation; if it stays so, check which organisation the credentials are for",
            ),
            (Self::GrafanaDatasource { .. }, 404) if kind == ApiErrorKind::NotAnAlertmanager => {
                Some(
                    "check `url`, and `datasource_uid`: it stands in the address of the data \
                     source's page of settings, and its `implementation` must be what answers there",
                )
            }
            (Self::Grafana { .. }, 404) if kind == ApiErrorKind::NotAnAlertmanager => Some(
                "check the URL of this target: it is Grafana's own, with the path if it has one, \
                 and `/api/alertmanager/grafana` is added to it",
            ),
            (Self::Mimir { .. }, 404) if kind == ApiErrorKind::NotAnAlertmanager => Some(
                "check `url` and `prefix` of this target: `/api/v2/silences` must lie below both, \
                 and `prefix` is `alertmanager` unless it is given",
            ),
            _ => None,
        }
    }
}

/// Whether Grafana asks for rights to the folder of the rule that it names,
/// instead of those to all silences.
pub(super) fn is_of_one_rule(draft: &SilenceDraft) -> bool {
    let mut matchers = draft.matchers.as_slice().iter();
    matchers.any(|matcher| matcher.name == RULE_LABEL && matcher.operator == MatchOperator::Equal)
}
