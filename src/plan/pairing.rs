//! Which silence stands for which window? Pairs of what is declared and what
//! is there, under one name.
//!
//! First by the start in the marker, which is the schedule's own and survives
//! whatever the server made of it; what is left pairs by overlap, earliest
//! first, so that an edited window keeps its silence and its id.

use std::cmp::Reverse;

use super::observed::Owned;
use super::recent::RecentWrites;
use crate::declaration::Declaration;
use crate::schedule::Occurrence;
use crate::silence::{Silence, SilenceId, SilenceState};

/// Every owned silence of a name lands in exactly one of these, but for those that
/// [cover meanwhile](Pairing::leave_what_covers).
pub(super) struct Pairing<'a> {
    /// The one that stands for each window, in the windows' order.
    pub(super) live: Vec<Option<Owned<'a>>>,
    /// Further ones for the same window, with the id of the one that stays.
    pub(super) duplicates: Vec<(Owned<'a>, SilenceId)>,
    /// Those that stand for no window.
    pub(super) unpaired: Vec<Owned<'a>>,
}

pub(super) fn pair<'a>(
    windows: &[Occurrence],
    mut owned: Vec<Owned<'a>>,
    declaration: &Declaration,
    recent: &RecentWrites,
) -> Pairing<'a> {
    // Of several for one window the best comes first.
    owned.sort_by_cached_key(|owned| {
        (
            recent.is_doubtful(&owned.silence.id),
            !owned.silence.matchers.same_set(&declaration.matchers),
            Reverse(owned.silence.state == SilenceState::Active),
            owned.silence.starts_at,
            owned.silence.id.clone(),
        )
    });
    let mut pairing = Pairing {
        live: windows.iter().map(|_| None).collect(),
        duplicates: Vec::new(),
        unpaired: Vec::new(),
    };
    let mut rest = Vec::new();
    for candidate in owned {
        let same_start = windows
            .iter()
            .position(|window| window.marker_start() == candidate.marker.start);
        match same_start.and_then(|index| pairing.live.get_mut(index)) {
            Some(slot @ None) => *slot = Some(candidate),
            Some(Some(kept)) => pairing
                .duplicates
                .push((candidate, kept.silence.id.clone())),
            None => rest.push(candidate),
        }
    }
    rest.sort_by_key(|candidate| candidate.silence.starts_at);
    for candidate in rest {
        let silence = candidate.silence;
        let slot = windows
            .iter()
            .zip(&mut pairing.live)
            .find(|(window, slot)| slot.is_none() && overlap(window, silence));
        match slot {
            Some((_, slot)) => *slot = Some(candidate),
            None => pairing.unpaired.push(candidate),
        }
    }
    pairing.leave_what_covers(windows, declaration);
    pairing
}

impl Pairing<'_> {
    /// Where what stands for a window is for other alerts, its replacement may
    /// fail: what is for the right ones is not touched until that is there.
    fn leave_what_covers(&mut self, windows: &[Occurrence], declaration: &Declaration) {
        let is_as_declared =
            |owned: &Owned<'_>| owned.silence.matchers.same_set(&declaration.matchers);
        let to_be_replaced: Vec<&Occurrence> = windows
            .iter()
            .zip(&self.live)
            .filter(|(_, live)| live.as_ref().is_some_and(|live| !is_as_declared(live)))
            .map(|(window, _)| window)
            .collect();
        let covers = |owned: &Owned<'_>| {
            let mut windows = to_be_replaced.iter();
            is_as_declared(owned) && windows.any(|window| overlap(window, owned.silence))
        };
        self.duplicates.retain(|(duplicate, _)| !covers(duplicate));
        self.unpaired.retain(|surplus| !covers(surplus));
    }
}

fn overlap(window: &Occurrence, silence: &Silence) -> bool {
    window.start < silence.ends_at && silence.starts_at < window.end
}
