//! How does Mimir's Alertmanager answer? Alertmanager's API for many tenants,
//! each with replicas of its own; Cortex is the same with annotations.
//!
//! After Mimir's `pkg/alertmanager`: `distributor.go` (who is asked),
//! `merger/v2_silences.go` (how answers are merged) and `multitenant.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};

use super::filter::Filter;
use super::http::{Answering, Api, Clock, Handler, SharedCluster, Silences, lock};
use super::{
    LabelNames, PostError, PostedSilence, Settings, StoredSilence, UnknownSilence, Version,
};
use crate::silence::SilenceId;

/// Where the API is (`-http.alertmanager-http-prefix`).
pub const PREFIX: &str = "/alertmanager";
/// The header that names the tenant.
pub const TENANT_HEADER: &str = "X-Scope-OrgID";
/// The largest body (`-alertmanager.max-recv-msg-size`).
pub const LARGEST_BODY: usize = 100 * 1024 * 1024;

/// A Mimir with its tenants.
#[derive(Clone)]
pub struct Mimir {
    tenants: BTreeMap<String, SharedCluster>,
    largest_body: usize,
}

impl Default for Mimir {
    fn default() -> Self {
        Self {
            tenants: BTreeMap::new(),
            largest_body: LARGEST_BODY,
        }
    }
}

impl Mimir {
    /// What Mimir's Alertmanagers are: Grafana's fork, which has no annotations,
    /// in classic mode (unless `-alertmanager.utf8-strict-mode-enabled`).
    #[must_use]
    pub fn settings() -> Settings {
        Settings {
            version: Version::V0_28,
            annotations: false,
            names: LabelNames::Classic,
            ..Settings::default()
        }
    }

    /// What Cortex's Alertmanagers are: release 0.33, in classic mode (unless its
    /// name validation scheme is `utf8`).
    #[must_use]
    pub fn cortex_settings() -> Settings {
        Settings {
            version: Version::V0_33,
            names: LabelNames::Classic,
            ..Settings::default()
        }
    }

    /// A tenant that has a configuration, and so an Alertmanager. The others are
    /// answered that theirs is not configured.
    #[must_use]
    pub fn tenant(mut self, name: &str, replicas: SharedCluster) -> Self {
        self.tenants.insert(name.to_owned(), replicas);
        self
    }

    /// Refuses bodies of more bytes.
    #[must_use]
    pub fn largest_body(mut self, bytes: usize) -> Self {
        self.largest_body = bytes;
        self
    }

    /// Answers by the clock `now`.
    pub fn handler(self, now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Handler {
        let now: Clock = Arc::new(now);
        let apis = self.tenants.into_iter().map(|(name, replicas)| {
            let api = Api::new(Arc::new(Replicas(replicas)), Arc::clone(&now));
            (name, api)
        });
        let gateway = Arc::new(Gateway {
            apis: apis.collect(),
            largest_body: self.largest_body,
        });
        Arc::new(move |request| -> Answering {
            let gateway = Arc::clone(&gateway);
            Box::pin(async move { gateway.answer(request).await })
        })
    }

    /// [`Self::handler`] to be served.
    pub fn router(self, now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Router {
        let handler = self.handler(now);
        Router::new().fallback(move |request: Request| handler(request))
    }
}

struct Gateway {
    apis: BTreeMap<String, Api>,
    largest_body: usize,
}

impl Gateway {
    async fn answer(&self, request: Request) -> Response {
        let Some(inside) = below_prefix(request.uri()) else {
            return (StatusCode::NOT_FOUND, "404 page not found\n").into_response();
        };
        let tenant = request.headers().get(TENANT_HEADER);
        let Some(tenant) = tenant.and_then(|name| name.to_str().ok()) else {
            return (StatusCode::UNAUTHORIZED, "no org id\n").into_response();
        };
        let Some(api) = self.apis.get(tenant) else {
            let said = "the Alertmanager is not configured\n";
            return (StatusCode::NOT_FOUND, said).into_response();
        };
        let (mut parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, self.largest_body).await else {
            let said = "Request body too large\n";
            return (StatusCode::PAYLOAD_TOO_LARGE, said).into_response();
        };
        parts.uri = inside;
        api.answer(Request::from_parts(parts, Body::from(body)))
            .await
    }
}

/// The URI without [`PREFIX`], if it begins with that.
fn below_prefix(uri: &Uri) -> Option<Uri> {
    let path = uri.path_and_query()?.as_str().strip_prefix(PREFIX)?;
    path.parse().ok()
}

/// The Alertmanagers of one tenant: a write goes to one of them chosen at random
/// and reaches the others later, so an update or an expiry soon after a create
/// can find the silence unknown.
struct Replicas(SharedCluster);

impl Silences for Replicas {
    fn settings(&self) -> Settings {
        lock(&self.0).settings().clone()
    }

    fn list(&self, filters: &[Filter], now: DateTime<Utc>) -> Vec<StoredSilence> {
        lock(&self.0).merged(filters, now)
    }

    fn get(&self, id: &SilenceId, now: DateTime<Utc>) -> Option<StoredSilence> {
        lock(&self.0).merged_one(id, now)
    }

    fn post(&self, posted: PostedSilence, now: DateTime<Utc>) -> Result<SilenceId, PostError> {
        let mut replicas = lock(&self.0);
        let any = replicas.any(now);
        any.ok_or(PostError::NotFound)?.post(posted, now)
    }

    fn delete(&self, id: &SilenceId, now: DateTime<Utc>) -> Result<(), UnknownSilence> {
        let mut replicas = lock(&self.0);
        let any = replicas.any(now);
        any.ok_or(UnknownSilence)?.delete(id, now)
    }
}
