//! Which thing has this name? Named dates, rotations and time intervals, looked
//! up in their own file first and then in the whole repository.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::definition::TimeInterval;
use super::fields::{did_you_mean, quoted};
use super::report::{Position, Report};
use super::yaml::shortened;
use crate::schedule::{DateRange, Rotation};
use crate::zone::{Zone, ZoneDatabase, ZoneError};

/// Known names that are compared with an unknown one to suggest the nearest.
const SUGGESTIONS_FROM: usize = 1_000;

/// One definition of a name.
#[derive(Debug)]
pub(super) struct Definition<T> {
    /// The index of its file.
    pub(super) file: usize,
    /// `None` when it is faulty, which breaks its file.
    pub(super) value: Option<T>,
}

/// Every definition of one kind in the repository.
#[derive(Debug)]
pub(super) struct Names<T> {
    /// For messages: "time interval".
    kind: &'static str,
    by_name: BTreeMap<String, Vec<Definition<T>>>,
}

impl<T> Names<T> {
    const fn new(kind: &'static str) -> Self {
        Self {
            kind,
            by_name: BTreeMap::new(),
        }
    }

    /// Adds a definition; names are unique within a file.
    pub(super) fn add(&mut self, name: &str, definition: Definition<T>) {
        self.by_name
            .entry(name.to_owned())
            .or_default()
            .push(definition);
    }

    /// What `name` stands for in the file of `context`; reports an unknown and
    /// an ambiguous one. What files said before counts only where no present
    /// one defines the name, and then the newest. A faulty definition is `None` without a word: its own
    /// file says why, and [`Context::uses`] says who depends on it.
    pub(super) fn look_up(&self, name: &str, at: Position, context: &Context<'_>) -> Option<&T> {
        let definitions = self.by_name.get(name).map_or(&[][..], Vec::as_slice);
        let own = definitions
            .iter()
            .find(|definition| definition.file == context.file);
        // Definitions are in the order of the files.
        let present = definitions.partition_point(|found| found.file < context.present);
        let found = match (own, definitions.split_at(present)) {
            (Some(own), _) => own,
            (None, ([], [])) => {
                self.report_unknown(name, at, context);
                return None;
            }
            (None, ([only], _) | ([], [only, ..])) => {
                context.uses.borrow_mut().push(Use {
                    of: only.file,
                    at,
                    what: format!("{} `{}`", self.kind, shortened(name)),
                });
                only
            }
            (None, (several, _)) => {
                let files = several
                    .iter()
                    .filter_map(|definition| context.paths.get(definition.file));
                context.report.error(
                    at,
                    "ambiguous-name",
                    format!(
                        "the {} `{}` is defined in more than one file: {}",
                        self.kind,
                        shortened(name),
                        quoted(files.take(8).map(|path| &**path))
                    ),
                    "rename all but one, or define it in this file",
                );
                return None;
            }
        };
        found.value.as_ref()
    }

    fn report_unknown(&self, name: &str, at: Position, context: &Context<'_>) {
        let message = format!("unknown {} `{}`", self.kind, shortened(name));
        let (message, hint) = match context.unread.iter().find(|file| file.may_mention(name)) {
            Some(Unread { path, .. }) => (
                format!("{message}; `{path}` is broken and may define it"),
                format!("mend `{path}` first"),
            ),
            None => (message, did_you_mean(name, self.known())),
        };
        context.report.error(at, "unknown-name", message, hint);
    }

    fn known(&self) -> impl Iterator<Item = &str> {
        let names = self.by_name.keys().map(String::as_str);
        names.take(SUGGESTIONS_FROM)
    }
}

/// All names of the repository.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) dates: Names<Vec<DateRange>>,
    pub(super) rotations: Names<Arc<Rotation>>,
    pub(super) intervals: Names<TimeInterval>,
}

impl Named {
    pub(super) const fn new() -> Self {
        Self {
            dates: Names::new("list of dates"),
            rotations: Names::new("rotation"),
            intervals: Names::new("time interval"),
        }
    }
}

/// A file that could not be read as YAML.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unread<'a> {
    pub(super) path: &'a str,
    pub(super) content: Option<&'a [u8]>,
}

impl Unread<'_> {
    fn may_mention(&self, name: &str) -> bool {
        let name = name.as_bytes();
        !name.is_empty()
            && self
                .content
                .is_none_or(|content| content.windows(name.len()).any(|window| window == name))
    }
}

/// A reference from one file to a definition in another, which breaks with it.
#[derive(Debug)]
pub(super) struct Use {
    /// The index of the file with the definition.
    pub(super) of: usize,
    pub(super) at: Position,
    pub(super) what: String,
}

/// What decoders of one file need to know.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// The index of the file.
    pub(super) file: usize,
    pub(super) report: &'a Report<'a>,
    pub(super) uses: &'a RefCell<Vec<Use>>,
    pub(super) named: &'a Named,
    pub(super) zones: &'a Zones<'a>,
    /// Of all files, by index.
    pub(super) paths: &'a [&'a str],
    /// How many of them are as they are now; the others are earlier versions.
    pub(super) present: usize,
    pub(super) unread: &'a [Unread<'a>],
}

/// The zones, each read once.
pub(super) struct Zones<'a> {
    database: &'a ZoneDatabase,
    read: Mutex<BTreeMap<String, Result<Zone, ZoneError>>>,
}

impl<'a> Zones<'a> {
    pub(super) const fn new(database: &'a ZoneDatabase) -> Self {
        Self {
            database,
            read: Mutex::new(BTreeMap::new()),
        }
    }

    /// The zone of that exact name.
    pub(super) fn get(&self, name: &str) -> Result<Zone, ZoneError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(zone) = read.get(name) {
            return zone.clone();
        }
        let zone = self.database.zone(name);
        read.insert(name.to_owned(), zone.clone());
        zone
    }
}
