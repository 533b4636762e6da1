//! What did files say, each in its newest readable version? They are read
//! together, because some define the names that others refer to.
//!
//! First the versions that may define names are read beside the good files that
//! do. Those with a fault are left out and the others read again, until none has
//! one: a fault in one takes its names away, for which others then have an older
//! version or none. Then of every file the newest version without a fault is
//! looked for, given these names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Declaration;
use super::file::File;
use super::known::Content;
use super::names::{Use, Zones};
use super::read::break_dependents;
use super::reading::Reading;
use super::report::Position;
use super::share::shared;
use crate::snapshot::{Revision, SnapshotFile};
use crate::zone::ZoneDatabase;

/// How often versions are left out one by one. Each time costs the reading of all
/// that define names; names refer to names over a step or two, so two or three
/// times are what it takes. Then whatever refers to a faulty one goes with it.
const ROUNDS: usize = 10;

/// A version of a file that may be readable.
pub(super) struct Candidate {
    pub(super) file: SnapshotFile,
    pub(super) revision: Revision,
    /// Whether it is what the file says now.
    pub(super) is_present: bool,
}

/// A version without a fault.
pub(super) struct Readable<'a> {
    pub(super) version: &'a Candidate,
    pub(super) silences: Vec<Arc<Declaration>>,
    /// The files whose names it uses as of a revision before.
    pub(super) names: BTreeMap<String, Revision>,
}

/// The newest version without a fault of each file that is `wanted`, in the order
/// of `versions`, of which the newest come first. `good` are the files that may
/// define names and are good now.
///
/// It costs some readings of all versions that may define names, whose trees are
/// in memory together, and one of the others; the caller bounds their bytes.
pub(super) fn newest_readable<'a>(
    good: &[&'a SnapshotFile],
    versions: &'a [Candidate],
    wanted: impl Fn(&str) -> bool,
    database: &ZoneDatabase,
) -> Vec<Readable<'a>> {
    let zones = Zones::new(database);
    let names = EarlierNames::read(good, versions, &zones);
    let mut by_path: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, version) in versions.iter().enumerate() {
        let path = version.file.path.as_str();
        if wanted(path) {
            by_path.entry(path).or_default().push(index);
        }
    }
    let mut by_path: Vec<Vec<usize>> = by_path.into_values().collect();
    let bytes = versions.iter().map(|version| bytes_of(&version.file)).sum();
    let newest = shared(&mut by_path, bytes, |_, of_path| {
        let mut of_path = of_path.iter();
        of_path.find_map(|&index| {
            let version = versions.get(index)?;
            let (silences, mut names) = names.readable(version)?;
            names.remove(&version.file.path);
            let readable = Readable {
                version,
                silences,
                names,
            };
            Some((index, readable))
        })
    });
    let mut newest: Vec<(usize, Readable<'a>)> = newest.into_iter().flatten().collect();
    newest.sort_by_key(|(index, _)| *index);
    newest.into_iter().map(|(_, readable)| readable).collect()
}

/// What a version declares, and the files whose names it uses as of a revision
/// before.
type Said = (Vec<Arc<Declaration>>, BTreeMap<String, Revision>);

fn bytes_of(file: &SnapshotFile) -> usize {
    file.content.as_ref().map_or(0, Vec::len)
}

/// What names stand for, now or before.
struct EarlierNames<'a> {
    reading: Reading<'a>,
    /// How many of the files are good now.
    good: usize,
    /// The versions after them.
    definers: Vec<Definer<'a>>,
}

/// A version without a fault that may define names.
struct Definer<'a> {
    version: &'a Candidate,
    content: Content,
    uses: Vec<usize>,
}

impl<'a> EarlierNames<'a> {
    fn read(good: &[&'a SnapshotFile], versions: &'a [Candidate], zones: &'a Zones<'a>) -> Self {
        let mut versions: Vec<&Candidate> = versions
            .iter()
            .filter(|version| File::open(&version.file).may_define_names)
            .collect();
        let mut round = 0;
        loop {
            let sources = good.iter().copied();
            let sources = sources.chain(versions.iter().map(|version| &version.file));
            let bytes = sources.clone().map(bytes_of).sum();
            let mut files: Vec<File<'_>> = sources.map(File::open).collect();
            let reading = Reading::new(&files, good.len(), zones);
            let earlier = files.get_mut(good.len()..).unwrap_or_default();
            let contents = shared(earlier, bytes, |index, file| {
                content(&reading, good.len() + index, file)
            });
            // Until here only what has a fault of its own is left out: it stays
            // faulty, and what refers to it may find an older version.
            if round == ROUNDS {
                break_dependents(&files);
            }
            round += 1;
            let earlier = files.iter().skip(good.len());
            let is_broken: Vec<bool> = earlier.map(|file| file.report.is_broken()).collect();
            if is_broken.contains(&true) {
                let mut is_broken = is_broken.into_iter();
                versions.retain(|_| is_broken.next() == Some(false));
                continue;
            }
            let uses = files.iter().skip(good.len()).map(used_files);
            let definers = versions.into_iter().zip(contents).zip(uses);
            let definers = definers.map(|((version, content), uses)| Definer {
                version,
                content,
                uses,
            });
            return Self {
                reading,
                good: good.len(),
                definers: definers.collect(),
            };
        }
    }

    /// What a version says, unless it has a fault.
    fn readable(&self, version: &Candidate) -> Option<Said> {
        let mut definers = self.definers.iter();
        if let Some(definer) = definers.find(|definer| std::ptr::eq(definer.version, version)) {
            return Some(self.said(&definer.content, &definer.uses));
        }
        let file = File::open(&version.file);
        if file.may_define_names {
            return None;
        }
        let content = content(&self.reading, self.good + self.definers.len(), &file);
        let is_good = !file.report.is_broken();
        is_good.then(|| self.said(&content, &used_files(&file)))
    }

    fn said(&self, content: &Content, uses: &[usize]) -> Said {
        let declarations = content.entries.iter();
        let declarations = declarations.filter_map(|found| found.declaration.as_ref());
        (declarations.map(Arc::clone).collect(), self.leans_on(uses))
    }

    /// The files that are meant as they were before, by what is used and what
    /// that uses.
    fn leans_on(&self, uses: &[usize]) -> BTreeMap<String, Revision> {
        let mut seen: BTreeSet<usize> = BTreeSet::new();
        let mut next: Vec<usize> = uses.to_vec();
        let mut names = BTreeMap::new();
        while let Some(index) = next.pop() {
            let definer = index.checked_sub(self.good);
            let Some(definer) = definer.and_then(|index| self.definers.get(index)) else {
                continue;
            };
            if !seen.insert(index) {
                continue;
            }
            next.extend(&definer.uses);
            let version = definer.version;
            if !version.is_present {
                names.insert(version.file.path.clone(), version.revision.clone());
            }
        }
        names
    }
}

/// What a file says, with the faults that the whole of it shows.
fn content(reading: &Reading<'_>, index: usize, file: &File<'_>) -> Content {
    let content = reading.content(index, file);
    let mut names = BTreeSet::new();
    let mut claimed = content
        .entries
        .iter()
        .filter_map(|found| found.name.as_ref());
    if !claimed.all(|(name, _)| names.insert(name)) {
        let report = &file.report;
        report.error(Position::START, "duplicate-name", "a name stands twice", "");
    }
    content
}

/// The files whose names it uses, by index.
fn used_files(file: &File<'_>) -> Vec<usize> {
    let uses = file.uses.borrow();
    uses.iter().map(|Use { of, .. }| *of).collect()
}
