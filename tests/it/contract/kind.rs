//! What kind of server is it, and how does that kind say no? One table for what
//! all kinds refuse and each in its own way.

use super::server::Answer;
use serde_json::Value;

/// Who speaks Alertmanager's API v2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Alertmanager,
    /// An organisation's own Alertmanager in Grafana.
    Grafana,
    /// Another Alertmanager through Grafana's proxy.
    GrafanaDataSource,
    Mimir,
    Cortex,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [
        Self::Alertmanager,
        Self::Grafana,
        Self::GrafanaDataSource,
        Self::Mimir,
        Self::Cortex,
    ];

    /// As `make contract` takes it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Alertmanager => "alertmanager",
            Self::Grafana => "grafana",
            Self::GrafanaDataSource => "grafana-datasource",
            Self::Mimir => "mimir",
            Self::Cortex => "cortex",
        }
    }

    /// Where the API is, given where the server is.
    pub(super) fn below(self, url: &str, data_source_uid: &str) -> String {
        let url = url.trim_end_matches('/');
        match self {
            Self::Alertmanager => url.to_owned(),
            Self::Grafana => format!("{url}/api/alertmanager/grafana"),
            Self::GrafanaDataSource => format!("{url}/api/alertmanager/{data_source_uid}"),
            Self::Mimir | Self::Cortex if url.ends_with("/alertmanager") => url.to_owned(),
            Self::Mimir | Self::Cortex => format!("{url}/alertmanager"),
        }
    }

    /// Grafana answers a POST that it took with 202, all others with 200
    /// (`RouteCreateSilence`, `pkg/services/ngalert/api/api_alertmanager_silences.go`).
    pub(super) const fn accepted(self) -> u16 {
        match self {
            Self::Grafana => 202,
            _ => 200,
        }
    }

    /// The body of a DELETE that succeeded: none; Grafana says what was done
    /// (`RouteDeleteSilence`, same file); its proxy puts the empty body of the
    /// other server into an object (`messageExtractor`,
    /// `pkg/services/ngalert/api/util.go`).
    pub(super) const fn deleted(self) -> &'static str {
        match self {
            Self::Grafana => r#"{"message":"silence deleted"}"#,
            Self::GrafanaDataSource => r#"{"message":""}"#,
            _ => "",
        }
    }

    /// Whether the errors are Grafana's objects with a `message`.
    pub(super) const fn is_in_grafana(self) -> bool {
        matches!(self, Self::Grafana | Self::GrafanaDataSource)
    }

    /// Whether there are replicas that agree only later, behind one address.
    pub(super) const fn has_replicas(self) -> bool {
        matches!(self, Self::Mimir | Self::Cortex)
    }
}

/// Why a request is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refused {
    /// The body is not JSON, or has a value of another type.
    Malformed,
    /// A required key is missing.
    Missing,
    /// The list of matchers is empty.
    NoMatchers,
    /// The silence breaks a rule.
    Invalid,
    /// The posted id is not known.
    UnknownId,
    /// A filter cannot be read.
    Filter,
}

impl Answer {
    /// Asserts that this was refused as the server's kind does, for a reason
    /// that contains `message` where the kind tells it.
    ///
    /// Alertmanager has two shapes, go-openapi's objects with a code and bare
    /// JSON strings. Grafana judges bodies itself, says 400 where Alertmanager
    /// says 422, and gives errors of silences a `messageId`
    /// (`pkg/services/ngalert/notifier/multiorg_alertmanager.go`); of what is not
    /// JSON it tells nothing (`generated_base_api_alertmanager.go`
    /// in `pkg/services/ngalert/api`). Its proxy keeps the status and puts
    /// the text into `message` (`withReq`, `pkg/services/ngalert/api/util.go`).
    #[track_caller]
    pub(super) fn refused(&self, why: Refused, message: &str) {
        use Refused::{Filter, Invalid, Malformed, Missing, NoMatchers, UnknownId};
        if self.kind.is_in_grafana() && why == Malformed {
            self.refused_by_grafana(400, None, "bad request data");
            return;
        }
        match (self.kind, why) {
            (Kind::Grafana, Missing) => {
                self.refused_by_grafana(400, None, "silence failed validation: ");
                self.refused_by_grafana(400, None, message);
            }
            (Kind::Grafana, NoMatchers) => {
                self.refused_by_grafana(400, None, "silence failed validation: ");
            }
            (Kind::Grafana, UnknownId) => {
                self.refused_by_grafana(404, Some("notFound"), " not found");
            }
            (Kind::Grafana, Invalid | Filter) => {
                self.refused_by_grafana(400, Some("badRequest"), message);
            }
            (Kind::GrafanaDataSource, Missing | NoMatchers) => {
                self.refused_by_grafana(422, None, message);
            }
            (Kind::GrafanaDataSource, UnknownId) => self.refused_by_grafana(404, None, message),
            (Kind::GrafanaDataSource, Invalid | Filter) => {
                // The text is JSON within JSON.
                let escaped = Value::from(message).to_string();
                self.refused_by_grafana(400, None, escaped.trim_matches('"'));
            }
            (_, Malformed) => self.refused_with_object(400, 400, message),
            (_, Missing) => self.refused_with_object(422, 602, message),
            (_, NoMatchers) => self.refused_with_object(422, 612, message),
            (_, UnknownId) => self.refused_with_text(404, message),
            (_, Invalid | Filter) => self.refused_with_text(400, message),
        }
    }

    /// Asserts an object with `message`, and with `messageId` and `statusCode` if
    /// a program is to tell it. Every error has a trace id
    /// (`pkg/api/response/response.go`).
    #[track_caller]
    pub(super) fn refused_by_grafana(&self, status: u16, id: Option<&str>, message: &str) {
        assert_eq!(self.status, status, "{self:?}");
        let body = self.json();
        let said = super::server::text(&body["message"]);
        assert!(said.contains(message), "`{message}` is not in `{said}`");
        assert!(body["traceID"].is_string(), "no trace id: {self:?}");
        if let Some(id) = id {
            let id = format!("alerting.notifications.silences.{id}");
            assert_eq!(body["messageId"], id, "{self:?}");
            assert_eq!(body["statusCode"], status, "{self:?}");
        }
    }

    /// Asserts that a silence was expired.
    #[track_caller]
    pub(super) fn deleted(&self) {
        let said = self.body.trim_end();
        assert_eq!((self.status, said), (200, self.kind.deleted()), "{self:?}");
    }

    /// Asserts that GET or DELETE by id found nothing. Alertmanager says no more
    /// than the status, and up to 0.25 a DELETE is a 500 instead.
    #[track_caller]
    pub(super) fn found_nothing(&self) {
        match self.kind {
            Kind::Grafana => self.refused_by_grafana(404, Some("notFound"), " not found"),
            Kind::GrafanaDataSource => self.refused_by_grafana(404, None, ""),
            _ => assert_eq!((self.status, self.body.as_str()), (404, ""), "{self:?}"),
        }
    }
}
