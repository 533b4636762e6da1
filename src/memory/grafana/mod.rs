//! How does Grafana answer? Its own Alertmanagers, one for each organisation,
//! and its proxy for others that it knows as data sources.
//!
//! The silences are those of a [`MemoryAlertmanager`](super::MemoryAlertmanager),
//! whose code Grafana has in a fork; the paths, who is let in, the status codes
//! and the bodies are Grafana's (`pkg/services/ngalert/api`).

mod data_source;
mod permission;
mod refusal;
mod silences;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};

use super::http::{Clock, Password, Resource, SharedAlertmanager, bearer_token};
use super::{Settings, Version};
use refusal::Refusal;
use silences::Caller;

pub use data_source::{DataSource, Implementation};
pub use permission::{Action, Permissions, RULE_LABEL, Scope};

/// Where the Alertmanagers are: `grafana` for Grafana's own, or a data source's
/// UID, follows, and then the paths of Alertmanager's API.
pub const PREFIX: &str = "/api/alertmanager/";
/// The header with which a user who logs in by password chooses an organisation.
pub const ORGANISATION_HEADER: &str = "X-Grafana-Org-Id";

/// The number of an organisation.
pub type OrganisationId = u64;

/// A Grafana with its organisations and accounts.
#[derive(Clone, Default)]
pub struct Grafana {
    organisations: BTreeMap<OrganisationId, Organisation>,
    tokens: BTreeMap<String, Account>,
    users: Vec<(Password, Vec<Account>)>,
    path: String,
}

/// What belongs to one organisation.
#[derive(Clone, Default)]
pub struct Organisation {
    /// Its own Alertmanager.
    pub alertmanager: OwnAlertmanager,
    /// Its alert rules by UID.
    pub rules: BTreeMap<String, Rule>,
    /// Its data sources by UID.
    pub data_sources: BTreeMap<String, DataSource>,
}

/// The Alertmanager of an organisation.
#[derive(Clone, Default)]
pub enum OwnAlertmanager {
    /// Not made yet, or the organisation is one of `disabled_orgs`.
    #[default]
    Absent,
    /// Made, and waiting for its first configuration.
    Starting,
    /// At work.
    Ready(SharedAlertmanager),
}

/// An alert rule, as far as silences know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// For people.
    pub title: String,
    /// Permissions on its silences are given by folder.
    pub folder_uid: String,
}

/// Somebody in an organisation. A token has one account, a user may have several.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Where.
    pub organisation: OrganisationId,
    /// What is allowed there.
    pub permissions: Permissions,
}

impl Grafana {
    /// What its own Alertmanagers are: a fork of 0.27 with the limits of 0.28 and
    /// without annotations; expired silences are kept for five days.
    #[must_use]
    pub fn settings() -> Settings {
        Settings {
            version: Version::V0_28,
            annotations: false,
            ..Settings::default()
        }
    }

    /// With one more organisation.
    #[must_use]
    pub fn organisation(mut self, id: OrganisationId, organisation: Organisation) -> Self {
        self.organisations.insert(id, organisation);
        self
    }

    /// With the token of a service account.
    #[must_use]
    pub fn token(mut self, token: &str, account: Account) -> Self {
        self.tokens.insert(token.to_owned(), account);
        self
    }

    /// With a user. The organisation of the first account is the current one,
    /// unless a request names another.
    #[must_use]
    pub fn user(mut self, password: Password, accounts: Vec<Account>) -> Self {
        self.users.push((password, accounts));
        self
    }

    /// Served below a path, such as `/grafana` (`serve_from_sub_path`).
    #[must_use]
    pub fn below(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Serves it by the clock `now`.
    pub fn router(self, now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Router {
        let now: Clock = Arc::new(now);
        let grafana = Arc::new(self);
        Router::new().fallback(move |request: Request| {
            let (grafana, now) = (Arc::clone(&grafana), Arc::clone(&now));
            async move {
                let answer = grafana.answer(request, &now).await;
                answer.unwrap_or_else(IntoResponse::into_response)
            }
        })
    }

    async fn answer(&self, request: Request, now: &Clock) -> Result<Response, Refusal> {
        let path = request.uri().path().to_owned();
        let (uid, resource) = self.route(&path).ok_or(Refusal::NoRoute)?;
        let account = self.account(request.headers());
        let account = account.ok_or_else(Refusal::unauthorised)?;
        let organisation = self.organisations.get(&account.organisation);
        let organisation = organisation.ok_or_else(Refusal::unauthorised)?;
        let caller = Caller {
            permissions: &account.permissions,
            rules: &organisation.rules,
        };
        if uid != "grafana" {
            let source = organisation.data_sources.get(uid).ok_or_else(|| {
                Refusal::Plain(StatusCode::NOT_FOUND, "data source not found".to_owned())
            })?;
            return source.answer(uid, &caller, &resource, request).await;
        }
        // The organisation's Alertmanager is looked for after the permissions.
        let id = account.organisation;
        let alertmanager = match &organisation.alertmanager {
            OwnAlertmanager::Ready(alertmanager) => Ok(alertmanager),
            OwnAlertmanager::Absent => Err(Refusal::Identified(
                StatusCode::NOT_FOUND,
                "alerting.notifications.alertmanager.notFound",
                format!("Alertmanager does not exist for org {id}"),
            )),
            OwnAlertmanager::Starting => Err(Refusal::Identified(
                StatusCode::CONFLICT,
                "alerting.notifications.alertmanager.conflict",
                format!("Alertmanager is not ready for org {id}"),
            )),
        };
        caller.answer(alertmanager, &resource, request, now).await
    }

    /// Whose Alertmanager a path is about, and what of it.
    fn route<'a>(&self, path: &'a str) -> Option<(&'a str, Resource)> {
        let path = path.strip_prefix(&self.path)?.strip_prefix(PREFIX)?;
        let (uid, path) = path.split_once('/')?;
        let resource = Resource::at(path.strip_prefix("api/v2/")?)?;
        Some((uid, resource))
    }

    fn account(&self, headers: &HeaderMap) -> Option<&Account> {
        if let Some(token) = bearer_token(headers) {
            return self.tokens.get(token);
        }
        let (_, accounts) = self
            .users
            .iter()
            .find(|(password, _)| password.is_in(headers))?;
        match headers.get(ORGANISATION_HEADER) {
            None => accounts.first(),
            Some(wanted) => {
                let wanted: OrganisationId = wanted.to_str().ok()?.parse().ok()?;
                accounts
                    .iter()
                    .find(|account| account.organisation == wanted)
            }
        }
    }
}
