//! What do people want? Text in, declarations and diagnostics out; never a
//! failure, because bad input is normal and holds back only itself.

mod calendar;
mod definition;
mod diagnostic;
mod earlier;
mod entry;
pub mod expansion;
mod fields;
mod file;
mod form;
pub mod icalendar;
mod known;
mod leaf;
mod matchers;
mod names;
mod past;
mod policy;
mod read;
mod reading;
mod recovery;
mod recurring;
pub mod render;
mod report;
mod review;
mod scalar;
mod share;
mod timezone;
mod yaml;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use diagnostic::{Diagnostic, Severity};
pub use known::KnownFiles;
pub use recovery::{EarlierVersion, StandIn};
pub use review::{Rule, review};

use crate::matcher::{Matchers, MissingLabel};
use crate::name::{SilenceName, TargetName};
use crate::schedule::Schedule;
use crate::snapshot::Snapshot;
use crate::timestamp::Timestamp;
use crate::zone::{Zone, ZoneDatabase};

/// Everything that one snapshot declares.
#[derive(Clone, Debug, Default)]
pub struct Declarations {
    /// The paths of all files, broken ones included.
    pub paths: BTreeSet<String>,
    /// The valid ones, ordered by name; names are unique.
    pub silences: Vec<Arc<Declaration>>,
    /// What is wrong or suspicious, ordered by file and position.
    pub diagnostics: Vec<Diagnostic>,
    /// Files with at least one error of their own: nothing in them is used. An
    /// ambiguous name or a violation of the policy concerns one declaration, and
    /// breaks no file.
    pub broken: Vec<BrokenFile>,
    /// The earlier versions that stand in for broken files.
    pub stand_ins: Vec<StandIn>,
    /// Names that declarations of more than one file claim: none of them is used.
    pub ambiguous: Vec<SilenceName>,
    /// Those declarations, as far as their files are good.
    pub claimants: Vec<Arc<Declaration>>,
    /// A policy file whose rules this version cannot enforce: until it is gone
    /// nothing may be created or updated.
    pub unenforced_policy: Option<String>,
    /// For [`read_after`](Self::read_after).
    pub known: KnownFiles,
}

impl Declarations {
    /// Reads every file of `snapshot`, with time zones from `zones`.
    ///
    /// It never fails: what cannot be used is missing from
    /// [`silences`](Self::silences), and [`diagnostics`](Self::diagnostics) say why.
    #[must_use]
    pub fn read(snapshot: &Snapshot, zones: &ZoneDatabase) -> Self {
        read::read(snapshot, zones, &KnownFiles::default())
    }

    /// The same result sooner: what `self` knows of files that are the same in
    /// `snapshot` is taken over. Both must be read with the same `zones`.
    #[must_use]
    pub fn read_after(&self, snapshot: &Snapshot, zones: &ZoneDatabase) -> Self {
        read::read(snapshot, zones, &self.known)
    }

    /// The valid declaration of that name.
    #[must_use]
    pub fn get(&self, name: &SilenceName) -> Option<&Arc<Declaration>> {
        let found = self
            .silences
            .binary_search_by(|declaration| declaration.name.cmp(name));
        found.ok().and_then(|index| self.silences.get(index))
    }
}

/// A file that cannot be used as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BrokenFile {
    /// Relative to the root of the declarations.
    pub path: String,
    /// Its bytes, to see which names it mentions; `None` when they could not be had.
    pub content: Option<Vec<u8>>,
}

impl BrokenFile {
    /// Whether it may declare `name`; assumed of a file without bytes.
    #[must_use]
    pub fn mentions(&self, name: &SilenceName) -> bool {
        self.content.as_ref().is_none_or(|content| {
            let is_part = |byte: Option<&u8>| {
                byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
            };
            let name = name.as_str().as_bytes();
            content.windows(name.len()).enumerate().any(|(at, window)| {
                let before = at.checked_sub(1).and_then(|before| content.get(before));
                // `job-1` is not mentioned by `job-12`.
                window == name && !is_part(before) && !is_part(content.get(at + name.len()))
            })
        })
    }
}

/// One entry of `silences:`.
#[derive(Clone, PartialEq, Debug)]
pub struct Declaration {
    /// Its identity.
    pub name: SilenceName,
    /// Why, for people; without our marker.
    pub comment: String,
    /// Who answers for it.
    pub owner: String,
    /// Where it was agreed.
    pub ticket: Option<String>,
    /// Which alerts.
    pub matchers: Matchers,
    /// When; never from `expires` on.
    pub schedule: Schedule,
    /// Whose wall clock its author reads, if it names a zone.
    pub zone: Option<Zone>,
    /// Where.
    pub targets: TargetSelector,
    /// Free key-value pairs for servers that keep them.
    pub annotations: BTreeMap<String, String>,
    /// `suspend: true`: what is live stays as it is, nothing is written.
    pub suspended: bool,
    /// `enabled: false`: what is live is expired.
    pub enabled: bool,
    /// The first instant after its `expires` date; from then on it is inert.
    pub expires: Option<Timestamp>,
    /// The file that declares it.
    pub source: String,
    /// The line of its name, from 1.
    pub line: u64,
    /// What the policy has against it; such a declaration is held.
    pub violations: Vec<String>,
    /// What [`review()`] looks at; empty for a declaration that was not read from a file.
    pub rules: Vec<Rule>,
}

impl Declaration {
    /// Whether both say the same, wherever they stand.
    #[must_use]
    pub fn declares_the_same(&self, other: &Self) -> bool {
        let Self {
            name,
            comment,
            owner,
            ticket,
            matchers,
            schedule,
            zone,
            targets,
            annotations,
            suspended,
            enabled,
            expires,
            source: _,
            line: _,
            violations,
            rules: _,
        } = self;
        *name == other.name
            && *comment == other.comment
            && *owner == other.owner
            && *ticket == other.ticket
            && *matchers == other.matchers
            && *schedule == other.schedule
            && *zone == other.zone
            && *targets == other.targets
            && *annotations == other.annotations
            && *suspended == other.suspended
            && *enabled == other.enabled
            && *expires == other.expires
            && *violations == other.violations
    }

    /// What it declares for one target: the same, unless its matchers have
    /// placeholders.
    pub fn on_target(
        &self,
        name: &TargetName,
        labels: &BTreeMap<String, String>,
    ) -> Result<Cow<'_, Self>, MissingLabel> {
        Ok(match self.matchers.on_target(name, labels)? {
            Cow::Borrowed(_) => Cow::Borrowed(self),
            Cow::Owned(matchers) => Cow::Owned(Self {
                matchers,
                ..self.clone()
            }),
        })
    }
}

/// Which targets a declaration is for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum TargetSelector {
    /// Every target.
    #[default]
    All,
    /// Those of these names.
    Names(Vec<TargetName>),
    /// Those that have, for every label, one of its values.
    Labels(BTreeMap<String, Vec<String>>),
}

impl TargetSelector {
    /// Whether a target of that name with those labels is meant.
    #[must_use]
    pub fn selects(&self, name: &TargetName, labels: &BTreeMap<String, String>) -> bool {
        match self {
            Self::All => true,
            Self::Names(names) => names.contains(name),
            Self::Labels(wanted) => wanted.iter().all(|(label, values)| {
                labels
                    .get(label)
                    .is_some_and(|value| values.contains(value))
            }),
        }
    }
}
