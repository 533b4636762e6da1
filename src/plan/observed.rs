//! Which of the server's silences are ours? Ownership, decided by the marker
//! alone and before anything else looks at a silence.

use std::collections::{BTreeMap, HashMap};

use super::PlanInput;
use super::marker::{Marker, Ownership};
use crate::name::SilenceName;
use crate::silence::Silence;

/// A live silence whose marker names this instance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owned<'a> {
    /// As the server returned it.
    pub silence: &'a Silence,
    /// What its marker says.
    pub marker: Marker,
    /// Its comment without the marker.
    pub text: String,
}

/// A server's silences, ours apart from everybody else's.
#[derive(Clone, Debug, Default)]
pub struct Observed<'a> {
    owned: HashMap<SilenceName, Vec<Owned<'a>>>,
    tombstones: HashMap<SilenceName, Vec<Owned<'a>>>,
    /// How many live ones are ours.
    pub owned_count: usize,
    /// How many live ones are not.
    pub foreign: usize,
    /// What somebody should look at.
    pub remarks: Vec<String>,
}

impl<'a> Observed<'a> {
    /// Sorts the silences of a listing by their markers; those of other
    /// instances are foreign. Of the expired ones only ours are kept.
    #[must_use]
    pub fn classify(input: &PlanInput<'a>) -> Self {
        let mut observed = Self::default();
        for silence in input.silences {
            match Ownership::of(&silence.comment) {
                Ownership::Marked(marker, text) if marker.instance == input.settings.instance => {
                    let owned = Owned {
                        silence,
                        marker: *marker,
                        text,
                    };
                    observed.add(owned, input);
                }
                Ownership::Contradictory if silence.is_live() => {
                    observed.foreign += 1;
                    observed.remarks.push(format!(
                        "silence {} has more than one marker and is left alone",
                        silence.id
                    ));
                }
                Ownership::Quoted(marker)
                    if silence.is_live() && marker.instance == input.settings.instance =>
                {
                    observed.foreign += 1;
                    observed.remarks.push(format!(
                        "silence {} has the marker of `{}` inside a line of its comment and is left \
                         alone: a marker counts at the beginning of a line",
                        silence.id, marker.silence
                    ));
                }
                _ => observed.foreign += usize::from(silence.is_live()),
            }
        }
        observed
    }

    fn add(&mut self, owned: Owned<'a>, input: &PlanInput<'_>) {
        let (settle, id) = (input.settings.settle, &owned.silence.id);
        // A server looks at the states first and at its clock when it answers. What
        // ended in between ended by itself: there is nothing to expire or to keep.
        if owned.silence.is_live() && owned.silence.ends_at <= input.now {
            return;
        }
        let name = owned.marker.silence.clone();
        let of_name = if !owned.silence.is_live() {
            self.tombstones.entry(name)
        } else if !input.recent.has_just_ended(id, input.uptime, settle) {
            self.owned_count += 1;
            self.owned.entry(name)
        } else {
            return;
        };
        // Nearly always the only one.
        of_name.or_insert_with(|| Vec::with_capacity(1)).push(owned);
    }

    /// Live ones of ours of that name, taken out.
    pub fn take(&mut self, name: &SilenceName) -> Vec<Owned<'a>> {
        self.owned.remove(name).unwrap_or_default()
    }

    /// Expired ones of ours of that name, taken out.
    pub fn take_tombstones(&mut self, name: &SilenceName) -> Vec<Owned<'a>> {
        self.tombstones.remove(name).unwrap_or_default()
    }

    /// Live ones of ours that nobody has taken, by name.
    pub fn rest(&mut self) -> BTreeMap<SilenceName, Vec<Owned<'a>>> {
        self.owned.drain().collect()
    }
}
