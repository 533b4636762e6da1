//! Which of the server's silences are ours? Ownership, decided by the marker
//! alone and before anything else looks at a silence.

use std::collections::BTreeMap;

use super::marker::{Marker, Ownership};
use crate::name::{InstanceName, SilenceName};
use crate::silence::Silence;

/// A live silence whose marker names this instance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owned {
    /// As the server returned it.
    pub silence: Silence,
    /// What its marker says.
    pub marker: Marker,
    /// Its comment without the marker.
    pub text: String,
}

/// A server's live silences, ours apart from everybody else's.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    owned: BTreeMap<SilenceName, Vec<Owned>>,
    /// How many are ours.
    pub owned_count: usize,
    /// How many are not.
    pub foreign: usize,
    /// What somebody should look at.
    pub remarks: Vec<String>,
}

impl Observed {
    /// Only live silences count; those of other instances are foreign.
    #[must_use]
    pub fn classify(silences: &[Silence], instance: &InstanceName) -> Self {
        let mut observed = Self::default();
        for silence in silences.iter().filter(|silence| silence.is_live()) {
            match Ownership::of(&silence.comment) {
                Ownership::Marked(marker, text) if marker.instance == *instance => {
                    observed.owned_count += 1;
                    let name = marker.silence.clone();
                    observed.owned.entry(name).or_default().push(Owned {
                        silence: silence.clone(),
                        marker: *marker,
                        text,
                    });
                }
                Ownership::Contradictory => {
                    observed.foreign += 1;
                    observed.remarks.push(format!(
                        "silence {} has more than one marker and is left alone",
                        silence.id
                    ));
                }
                _ => observed.foreign += 1,
            }
        }
        observed
    }

    /// Ours of that name, taken out.
    pub fn take(&mut self, name: &SilenceName) -> Vec<Owned> {
        self.owned.remove(name).unwrap_or_default()
    }

    /// Ours that nobody has taken.
    pub fn rest(&mut self) -> impl Iterator<Item = (SilenceName, Vec<Owned>)> + use<> {
        std::mem::take(&mut self.owned).into_iter()
    }
}
