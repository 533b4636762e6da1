//! Why does a server refuse what others take? What its version can do, asked
//! only when a refusal is to be explained, and once.

use hyper::{Method, StatusCode};

use super::client::{Client, Endpoint};
use super::error::{ApiError, ApiErrorKind};
use super::kind::Kind;
use super::wire;
use crate::silence::SilenceDraft;

/// The first Alertmanager that takes any label name in UTF-8.
const UTF8_NAMES: (u32, u32) = (0, 27);

impl Client {
    /// Says why a draft with such a label name was refused, if that is the reason.
    pub(super) async fn explain(&self, error: ApiError, draft: &SilenceDraft) -> ApiError {
        let mut matchers = draft.matchers.as_slice().iter();
        let (ApiErrorKind::Refused { limit: None }, Some(matcher)) = (
            error.kind(),
            matchers.find(|matcher| !is_classic(&matcher.name)),
        ) else {
            return error;
        };
        let name = &matcher.name;
        match &self.kind {
            Kind::Alertmanager => {
                let Some(version) = self.version().await else {
                    return error;
                };
                error.advising(match major_and_minor(&version) {
                    Some(known) if known < UTF8_NAMES => format!(
                        "this server is Alertmanager {version}, which knows no label names such \
                         as `{name}` (from 0.27 on): update it, or rename the label"
                    ),
                    _ => format!(
                        "this server is Alertmanager {version}, which takes label names such as \
                         `{name}` unless it runs with `--enable-feature=classic-mode`"
                    ),
                })
            }
            Kind::Mimir { .. } => error.advising(format!(
                "Mimir takes label names such as `{name}` only with \
                 `-alertmanager.utf8-strict-mode-enabled`, Cortex only with the name validation \
                 scheme `utf8`"
            )),
            Kind::Grafana { .. } | Kind::GrafanaDatasource { .. } => error,
        }
    }

    /// The version of an Alertmanager.
    async fn version(&self) -> Option<String> {
        let ask = || async {
            let answer = self.send(Method::GET, Endpoint::Status, Vec::new()).await;
            let answer = answer.map_err(drop)?;
            let version = wire::version(&answer.body).filter(|_| answer.status == StatusCode::OK);
            version.ok_or(())
        };
        self.version.get_or_try_init(ask).await.ok().cloned()
    }
}

/// Prometheus' label names before UTF-8.
fn is_classic(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && name
            .chars()
            .all(|part| part.is_ascii_alphanumeric() || part == '_')
}

fn major_and_minor(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}
