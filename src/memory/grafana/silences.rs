//! What do Grafana's own routes answer? The handlers of
//! `pkg/services/ngalert/api/api_alertmanager_silences.go` and the checks of
//! `pkg/services/ngalert/notifier/silence_svc.go`.

use std::collections::BTreeMap;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::super::filter::Filter;
use super::super::http::{
    Clock, LARGEST_BODY, Resource, SharedAlertmanager, Silences as _, json_body, query_values,
};
use super::super::wire::{BodyError, GettableSilence, read_silence};
use super::super::{PostError, PostedSilence, StoredSilence};
use super::Rule;
use super::permission::{Permissions, RULE_LABEL, Scope, Subject, Write, rule_of};
use super::refusal::Refusal;
use crate::matcher::Matchers;
use crate::silence::SilenceId;

/// Who asks, and what there is to know about.
pub(super) struct Caller<'a> {
    pub(super) permissions: &'a Permissions,
    pub(super) rules: &'a BTreeMap<String, Rule>,
}

type Answer = Result<Response, Refusal>;

impl Caller<'_> {
    /// `alertmanager` is the organisation's, or why there is none.
    pub(super) async fn answer(
        &self,
        alertmanager: Result<&SharedAlertmanager, Refusal>,
        resource: &Resource,
        request: Request,
        now: &Clock,
    ) -> Answer {
        let method = request.method().clone();
        let writes: &[Write] = match (resource, &method) {
            (Resource::Silences, &Method::POST) => &[Write::Create, Write::Update],
            (Resource::Silence(_), &Method::DELETE) => &[Write::Update],
            (_, &Method::GET) => &[],
            _ => return Err(Refusal::NoRoute),
        };
        if !self.permissions.may_try(writes) {
            let needed = writes
                .first()
                .map_or("alert.instances:read", |write| write.general().name());
            return Err(Refusal::AccessDenied(needed));
        }
        let query = request.uri().query().unwrap_or_default().to_owned();
        match (resource, &method) {
            (Resource::Silences, &Method::POST) => {
                self.post(alertmanager, request.into_body(), now).await
            }
            (Resource::Silences, _) => self.list(alertmanager, &query, now()),
            (Resource::Silence(id), &Method::DELETE) => self.delete(alertmanager, id, now()),
            (Resource::Silence(id), _) => self.get(alertmanager, id, &query, now()),
            (Resource::Status, _) => alertmanager.map(|_| status()),
        }
    }

    fn list(
        &self,
        alertmanager: Result<&SharedAlertmanager, Refusal>,
        query: &str,
        now: DateTime<Utc>,
    ) -> Answer {
        let alertmanager = alertmanager?;
        let settings = alertmanager.settings();
        let filters = query_values(query, "filter")
            .map(|text| Filter::parse(&text, &settings))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| {
                let reason = format!("invalid filters: unable to list silences: {error}");
                Refusal::bad_request(reason)
            })?;
        let found = alertmanager.list(&filters, now);
        let shown: Vec<Value> = found
            .iter()
            .filter(|silence| self.permissions.reads(&self.subject(&silence.matchers)))
            .map(|silence| self.shown(silence, query, now))
            .collect();
        Ok(json_body(StatusCode::OK, &shown))
    }

    fn get(
        &self,
        alertmanager: Result<&SharedAlertmanager, Refusal>,
        id: &str,
        query: &str,
        now: DateTime<Utc>,
    ) -> Answer {
        let silence = self.find(alertmanager?, id, now)?;
        Ok(json_body(StatusCode::OK, &self.shown(&silence, query, now)))
    }

    /// The silence of that id, if the caller may read it. An id is any text.
    fn find(
        &self,
        alertmanager: &SharedAlertmanager,
        id: &str,
        now: DateTime<Utc>,
    ) -> Result<StoredSilence, Refusal> {
        let found = alertmanager.get(&SilenceId::new(id), now);
        let silence = found.ok_or_else(|| Refusal::silence_not_found(id))?;
        if self.permissions.reads(&self.subject(&silence.matchers)) {
            Ok(silence)
        } else {
            Err(Refusal::not_authorised("read silence"))
        }
    }

    fn delete(
        &self,
        alertmanager: Result<&SharedAlertmanager, Refusal>,
        id: &str,
        now: DateTime<Utc>,
    ) -> Answer {
        let alertmanager = alertmanager?;
        let silence = self.find(alertmanager, id, now)?;
        self.authorise(Write::Update, &silence.matchers)?;
        alertmanager
            .delete(&silence.id, now)
            .map_err(|_| Refusal::silence_not_found(id))?;
        let done = json!({"message": "silence deleted"});
        Ok(json_body(StatusCode::OK, &done))
    }

    async fn post(
        &self,
        alertmanager: Result<&SharedAlertmanager, Refusal>,
        body: Body,
        now: &Clock,
    ) -> Answer {
        let body = to_bytes(body, LARGEST_BODY)
            .await
            .map_err(|_| Refusal::unreadable())?;
        let now = now();
        let settings = super::Grafana::settings();
        let posted = read_silence(or_nothing(&body), &settings).map_err(|error| match error {
            BodyError::Malformed(_) => Refusal::unreadable(),
            BodyError::NullMatcher => Refusal::Plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Internal Server Error".to_owned(),
            ),
            BodyError::Required(_) | BodyError::NoMatchers => {
                let message =
                    format!("silence failed validation: validation failure list:\n{error}");
                Refusal::Plain(StatusCode::BAD_REQUEST, message)
            }
        })?;
        let write = if posted.id.is_none() {
            Write::Create
        } else {
            Write::Update
        };
        self.authorise(write, &posted.matchers)?;
        let alertmanager = alertmanager?;
        let id = posted.id.clone();
        if let Some(id) = &id {
            check_rule_is_kept(alertmanager, id, &posted, now)?;
        }
        match alertmanager.post(posted, now) {
            Ok(id) => Ok(json_body(StatusCode::ACCEPTED, &json!({ "silenceID": id }))),
            Err(PostError::NotFound) => {
                let id = id.as_ref().map_or("", SilenceId::as_str);
                Err(Refusal::silence_not_found(id))
            }
            Err(error) => Err(Refusal::bad_request(reason(&error))),
        }
    }

    fn authorise(&self, write: Write, matchers: &Matchers) -> Result<(), Refusal> {
        if self.permissions.writes(write, &self.subject(matchers)) {
            return Ok(());
        }
        let action = match rule_of(matchers) {
            None => format!("{} a general silence", write.verb()),
            Some(rule) => format!("{} silence for rule {rule}", write.verb()),
        };
        Err(Refusal::not_authorised(&action))
    }

    fn subject(&self, matchers: &Matchers) -> Subject {
        match rule_of(matchers).map(|uid| self.rules.get(uid)) {
            None => Subject::General,
            Some(None) => Subject::UnknownRule,
            Some(Some(rule)) => Subject::RuleIn(Scope::Folder(rule.folder_uid.clone())),
        }
    }

    /// A silence with what was asked for besides: `accesscontrol=true`,
    /// `ruleMetadata=true`.
    fn shown(&self, silence: &StoredSilence, query: &str, now: DateTime<Utc>) -> Value {
        let asked = |key| query_values(query, key).any(|value| value == "true");
        let mut shown = json!(GettableSilence::new(silence, now));
        if asked("accesscontrol") {
            let subject = self.subject(&silence.matchers);
            shown["accessControl"] = json!({
                "create": self.permissions.writes(Write::Create, &subject),
                "read": self.permissions.reads(&subject),
                "write": self.permissions.writes(Write::Update, &subject),
            });
        }
        if asked("ruleMetadata")
            && let Some(uid) = rule_of(&silence.matchers)
        {
            shown["metadata"] = match self.rules.get(uid) {
                None => json!({"rule_uid": uid}),
                Some(rule) => json!({
                    "folder_uid": rule.folder_uid, "rule_title": rule.title, "rule_uid": uid,
                }),
            };
        }
        shown
    }
}

/// A body without a value is passed over, as if it said nothing of anything.
fn or_nothing(body: &[u8]) -> &[u8] {
    if body.trim_ascii().is_empty() {
        b"{}"
    } else {
        body
    }
}

/// `validateSilenceUpdate`: an update leaves the rule as it is. The silence is
/// looked for before its successor is judged.
fn check_rule_is_kept(
    alertmanager: &SharedAlertmanager,
    id: &SilenceId,
    posted: &PostedSilence,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let Some(previous) = alertmanager.get(id, now) else {
        return Err(Refusal::silence_not_found(id.as_str()));
    };
    if rule_of(&previous.matchers) == rule_of(&posted.matchers) {
        return Ok(());
    }
    Err(Refusal::bad_request(format!(
        "Silence rule matcher '{RULE_LABEL}' cannot be updated, please create a new silence"
    )))
}

/// Alertmanager's reason in Grafana's wrapping (grafana/alerting,
/// `notify/silences.go`).
fn reason(error: &PostError) -> String {
    let reason = match error {
        PostError::StartNotBeforeEnd => "start time must be before end time".to_owned(),
        PostError::EndInPast => "end time can't be in the past".to_owned(),
        _ => format!("unable to save silence: {error}"),
    };
    format!("invalid silence: {reason}: unable to create silence")
}

/// Grafana tells nothing of the version that it has built in.
fn status() -> Response {
    let unknown = "N/A";
    let status = json!({
        "cluster": {"peers": [], "status": "disabled"},
        "config": {"route": {}, "templates": null},
        "uptime": null,
        "versionInfo": {
            "branch": unknown, "buildDate": unknown, "buildUser": unknown,
            "goVersion": unknown, "revision": unknown, "version": unknown,
        },
    });
    json_body(StatusCode::OK, &status)
}
