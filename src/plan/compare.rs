//! Is the silence what the window asks for? The comparison of one pair, by the
//! rules of the server that would have to change it.
//!
//! The start of an active silence cannot be compared: the server moves a start
//! in the past to its own now. It must be sent back as the server reported it,
//! and the matchers in the server's order, or the server makes a new silence.

use super::marker::{Marker, comment};
use super::observed::Owned;
use super::{Change, PlanInput};
use crate::declaration::Declaration;
use crate::schedule::{Occurrence, OccurrenceStart};
use crate::silence::{Silence, SilenceDraft, SilenceState};
use crate::timestamp::Timestamp;

/// A window that has no silence yet.
pub(super) fn create(
    input: &PlanInput<'_>,
    declaration: &Declaration,
    window: &Occurrence,
) -> (Change, String) {
    let reason = if window.start > input.now {
        format!("window opens at {}", window.start)
    } else if window.is_lease {
        "applies now, without an end in sight".to_owned()
    } else {
        format!("window is open since {}", window.start)
    };
    (Change::Create(draft(input, declaration, window)), reason)
}

/// A window and the silence that stands for it; `None` when they agree.
pub(super) fn adjust(
    input: &PlanInput<'_>,
    declaration: &Declaration,
    window: &Occurrence,
    live: &Owned<'_>,
    keeps_annotations: bool,
) -> Option<(Change, String)> {
    let silence = live.silence;
    let now = input.now;
    // A pending silence whose start has just come is about to be active.
    let is_active = silence.state == SilenceState::Active || silence.starts_at <= now;

    let mut impossible = Vec::new();
    if input.recent.is_doubtful(&silence.id) {
        impossible.push("an expiry of it may still be under way".to_owned());
    }
    if !silence.matchers.same_set(&declaration.matchers) {
        impossible.push("matchers changed".to_owned());
    }
    if is_active && window.start > now {
        impossible.push(format!("starts at {} instead of now", window.start));
    }
    if !is_active && window.start <= now {
        impossible.push(format!("starts now instead of at {}", silence.starts_at));
    }
    if !impossible.is_empty() {
        let wanted = draft(input, declaration, window);
        let change = Change::Replace(wanted, Box::new(silence.clone()));
        return Some((change, impossible.join(", ")));
    }

    let mut changes = Vec::new();
    if !is_active && silence.starts_at != window.start {
        changes.push(format!("start {} -> {}", silence.starts_at, window.start));
    }
    let ends_at = if window.is_lease {
        lease_end(input, silence.ends_at, window)
    } else {
        window.end
    };
    if silence.ends_at != ends_at {
        changes.push(format!("end {} -> {ends_at}", silence.ends_at));
    }
    let wanted_text = human_text(declaration);
    if live.text != wanted_text {
        changes.push("comment changed".to_owned());
    }
    if keeps_annotations && silence.annotations != declaration.annotations {
        changes.push("annotations changed".to_owned());
    }
    if silence.created_by != declaration.owner {
        changes.push(format!(
            "owner {} -> {}",
            silence.created_by, declaration.owner
        ));
    }
    if live.marker.start != window.marker_start() {
        changes.push(format!(
            "window {} -> {}",
            live.marker.start,
            window.marker_start()
        ));
    }
    if changes.is_empty() {
        return None;
    }
    let update = SilenceDraft {
        id: Some(silence.id.clone()),
        matchers: silence.matchers.clone(),
        starts_at: if is_active {
            silence.starts_at
        } else {
            window.start
        },
        ends_at,
        ..draft(input, declaration, window)
    };
    Some((Change::Update(update), changes.join(", ")))
}

/// A lease of which nothing is known but that it was not given up.
pub(super) fn renew(
    input: &PlanInput<'_>,
    window: OccurrenceStart,
    silence: &Silence,
) -> Option<(Change, String)> {
    let now = input.now;
    let enough = now.plus(input.settings.lease / 2);
    if window != OccurrenceStart::Lease || silence.ends_at >= enough {
        return None;
    }
    let update = SilenceDraft {
        id: Some(silence.id.clone()),
        matchers: silence.matchers.clone(),
        starts_at: silence.starts_at,
        ends_at: now.plus(input.settings.lease),
        created_by: silence.created_by.clone(),
        comment: silence.comment.clone(),
        annotations: silence.annotations.clone(),
    };
    let reason = format!("end {} -> {}", silence.ends_at, update.ends_at);
    Some((Change::Update(update), reason))
}

/// What to send for a window that nothing stands for.
fn draft(input: &PlanInput<'_>, declaration: &Declaration, window: &Occurrence) -> SilenceDraft {
    let marker = Marker {
        instance: input.settings.instance.clone(),
        silence: declaration.name.clone(),
        start: window.marker_start(),
        source: Some(declaration.source.clone()),
        commit: commit(input, declaration).map(str::to_owned),
    };
    let ends_at = if window.is_lease {
        window.start.max(input.now).plus(input.settings.lease)
    } else {
        window.end
    };
    SilenceDraft {
        id: None,
        matchers: declaration.matchers.clone(),
        starts_at: window.start,
        ends_at,
        created_by: declaration.owner.clone(),
        comment: comment(&human_text(declaration), &marker),
        annotations: declaration.annotations.clone(),
    }
}

/// The commit that a declaration is read from, abbreviated.
pub(super) fn commit<'a>(input: &PlanInput<'a>, declaration: &Declaration) -> Option<&'a str> {
    let stand_in = input.declarations.stand_in(&declaration.name);
    let revision = stand_in.map_or(input.revision, |stand_in| &stand_in.revision);
    revision.short_commit()
}

/// The comment that people read.
fn human_text(declaration: &Declaration) -> String {
    let text = declaration.comment.replace("\r\n", "\n");
    match &declaration.ticket {
        Some(ticket) => format!("{}\nTicket: {ticket}", text.trim_end()),
        None => text.trim_end().to_owned(),
    }
}

/// A lease is renewed when less than half of it is left, so that a daemon that
/// misses a few passes keeps it, and passes in between write nothing. The clocks of
/// replicas differ: one that is behind sees it last a little longer than it may.
fn lease_end(input: &PlanInput<'_>, current: Timestamp, window: &Occurrence) -> Timestamp {
    let from = window.start.max(input.now);
    let full = from.plus(input.settings.lease);
    let enough = from.plus(input.settings.lease / 2);
    if (enough..=full.plus(input.settings.settle)).contains(&current) {
        current
    } else {
        full
    }
}
