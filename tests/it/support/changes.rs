//! How are changes carried out? Silences with nothing of interest but a name,
//! and a plan that is made of changes alone.

use silenced::alertmanager::SilenceApi;
use silenced::apply::{ApplyReport, Pace, Terms, apply};
use silenced::name::{SilenceName, TargetName};
use silenced::plan::{Action, Change, Fingerprint, Plan};
use silenced::schedule::OccurrenceStart;
use silenced::silence::{Annotations, Silence, SilenceDraft, SilenceId, SilenceState};
use silenced::timestamp::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use super::world::matchers_of;

/// To create a silence that says who made it, and nothing else.
pub(crate) fn draft(created_by: &str) -> SilenceDraft {
    SilenceDraft {
        id: None,
        matchers: matchers_of(r#"a="b""#),
        starts_at: Timestamp::from_seconds(1000),
        ends_at: Timestamp::from_seconds(2000),
        created_by: created_by.to_owned(),
        comment: String::new(),
        annotations: Annotations::default(),
    }
}

/// What a server shows that made `draft` under this id.
pub(crate) fn active(id: &str, draft: SilenceDraft) -> Silence {
    Silence {
        id: SilenceId::new(id),
        matchers: draft.matchers,
        starts_at: draft.starts_at,
        ends_at: draft.ends_at,
        created_by: draft.created_by,
        comment: draft.comment,
        annotations: draft.annotations,
        state: SilenceState::Active,
    }
}

/// Carries out `changes` in this order, as long as there is time and nobody
/// stops it.
pub(crate) async fn carry_out(
    changes: impl IntoIterator<Item = Change>,
    api: &impl SilenceApi,
    pace: &Pace,
    until: Option<Instant>,
    stop: &watch::Receiver<bool>,
) -> ApplyReport {
    let actions = changes.into_iter().map(|change| Action {
        silence: SilenceName::new("some").unwrap(),
        window: OccurrenceStart::Lease,
        change,
        reason: String::new(),
    });
    let plan = Plan {
        actions: actions.collect(),
        holds: Vec::new(),
        foreign: 0,
        owned: 0,
        remarks: Vec::new(),
        fingerprint: Fingerprint::new(""),
        covered_until: None,
        desired: 0,
        unexplained: Vec::new(),
    };
    let terms = Terms {
        target: &TargetName::new("default").unwrap(),
        stop,
        halts: &[],
        until,
        pace,
        progress: &|_| {},
    };
    apply(&plan, api, terms).await
}
