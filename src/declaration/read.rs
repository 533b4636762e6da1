//! How do files become declarations? Texts to trees, trees to names, and then
//! declarations, which may refer to the names of other files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::definition::{self, Definitions};
use super::entry::{self, Defaults};
use super::fields::line;
use super::file::{File, get, silences};
use super::known::{Content, KnownFiles};
use super::names::{Context, Definition, Named, Names, Unread, Use, Zones};
use super::report::{Position, Report};
use super::share::shared;
use super::timezone::{self, ZoneChoice};
use super::yaml::{Kind, Node};
use super::{BrokenFile, Declaration, Declarations, policy};
use crate::name::SilenceName;
use crate::snapshot::{Snapshot, SnapshotFile};
use crate::zone::ZoneDatabase;

/// Where named time intervals stand: an `alertmanager.yml` has them under
/// either key, the second being the name of the first until 0.24, or under both.
const INTERVAL_KEYS: [&str; 2] = ["mute_time_intervals", "time_intervals"];

/// See [`Declarations::read_after`].
pub(super) fn read(
    snapshot: &Snapshot,
    database: &ZoneDatabase,
    before: &KnownFiles,
) -> Declarations {
    let declared = |file: &&SnapshotFile| !policy::is_at(&file.path);
    let mut sources: Vec<&SnapshotFile> = snapshot.files.iter().filter(declared).collect();
    let bytes = snapshot
        .files
        .iter()
        .filter_map(|file| file.content.as_ref().ok())
        .map(Vec::len)
        .sum();
    let mut files: Vec<File<'_>> = shared(&mut sources, bytes, |_, source| File::open(source));
    let zones = Zones::new(database);
    let reading = Reading::new(&files, &zones);
    let mut known = KnownFiles::new(&files);
    let contents: Vec<Arc<Content>> = shared(&mut files, bytes, |index, file| {
        match known.take_over(before, file) {
            Some(content) => {
                file.report.repeat(&content.findings);
                content
            }
            None => Arc::new(reading.content(index, file)),
        }
    });
    let (silences, ambiguous) = choose(&files, &contents);
    for (file, content) in files.iter().zip(contents) {
        known.keep(file, content);
    }
    let mut declarations = Declarations {
        paths: snapshot
            .files
            .iter()
            .map(|file| file.path.clone())
            .collect(),
        silences,
        ambiguous,
        known,
        ..Declarations::default()
    };
    for file in files {
        if file.report.is_broken() {
            declarations.broken.push(BrokenFile {
                path: file.source.path.clone(),
                content: file.source.content.clone().ok(),
            });
        }
        declarations
            .diagnostics
            .extend(file.report.into_diagnostics());
    }
    report_beside_files(snapshot, &mut declarations);
    declarations.diagnostics.sort_by(|left, right| {
        (&left.file, left.line, left.column).cmp(&(&right.file, right.line, right.column))
    });
    declarations
}

/// What stands in the snapshot and is no file of declarations.
fn report_beside_files(snapshot: &Snapshot, declarations: &mut Declarations) {
    let read = snapshot.files.iter().map(|file| &file.path);
    let skipped = snapshot.skipped.iter().map(|skipped| &skipped.path);
    for path in read.chain(skipped).filter(|path| policy::is_at(path)) {
        declarations.unenforced_policy = Some(path.clone());
        let report = Report::new(path, "");
        report.error(
            Position::START,
            "policy-unsupported",
            "this version has only the built-in policy and cannot enforce this one, so nothing is created or updated",
            "remove the file; comment, owner and a matcher that names something are required without it",
        );
        declarations.diagnostics.extend(report.into_diagnostics());
    }
    for skipped in &snapshot.skipped {
        let report = Report::new(&skipped.path, "");
        report.warning(
            Position::START,
            "skipped-path",
            format!("not read: {}", skipped.reason),
            "put the file itself into the directory, under a name that ends in `.yaml`",
        );
        declarations.diagnostics.extend(report.into_diagnostics());
    }
}

/// The files while their parts are decoded.
struct Reading<'a> {
    paths: Vec<&'a str>,
    unread: Vec<Unread<'a>>,
    zones: &'a Zones<'a>,
    named: Named,
    /// Those that may define names. Of the others only the trees that are being
    /// decoded are in memory.
    definers: BTreeMap<usize, Opened>,
}

/// A file that is read as YAML.
struct Opened {
    tree: Option<Node>,
    zone: ZoneChoice,
}

impl<'a> Reading<'a> {
    /// Decodes all names, each kind in all files, so that what is referred to is
    /// known before who refers to it.
    fn new(files: &[File<'a>], zones: &'a Zones<'a>) -> Self {
        let mut reading = Self {
            paths: files.iter().map(|file| file.source.path.as_str()).collect(),
            unread: Vec::new(),
            zones,
            named: Named::new(),
            definers: BTreeMap::new(),
        };
        for (index, file) in (0..).zip(files).filter(|(_, file)| file.may_define_names) {
            let opened = reading.open(index, file);
            if opened.tree.is_none() && file.report.is_broken() {
                reading.unread.push(Unread {
                    path: &file.source.path,
                    content: file.source.content.as_deref().ok(),
                });
            }
            reading.definers.insert(index, opened);
        }
        let dates = reading.definitions(files, &["dates"], |nodes, _, context| {
            definition::dates(nodes, context)
        });
        add(dates, &mut reading.named.dates);
        let rotations = reading.definitions(files, &["rotations"], definition::rotations);
        add(rotations, &mut reading.named.rotations);
        let intervals = reading.definitions(files, &INTERVAL_KEYS, |nodes, _, context| {
            definition::time_intervals(nodes, context)
        });
        add(intervals, &mut reading.named.intervals);
        reading
    }

    fn open(&self, index: usize, file: &File<'_>) -> Opened {
        let tree = file.compose();
        let zone = get(tree.as_ref(), "timezone").map_or(ZoneChoice::Unsaid, |node| {
            timezone::read(node, &self.context(index, file))
        });
        Opened { tree, zone }
    }

    /// Decodes the declarations of a file.
    fn content(&self, index: usize, file: &File<'_>) -> Content {
        let just_opened;
        let Opened { tree, zone } = if let Some(opened) = self.definers.get(&index) {
            opened
        } else {
            just_opened = self.open(index, file);
            &just_opened
        };
        let tree = tree.as_ref();
        let context = self.context(index, file);
        let defaults = Defaults {
            owner: get(tree, "owner")
                .and_then(|node| line(node, "an owner", &file.report))
                .map(str::to_owned),
            zone: zone.clone(),
            targets: get(tree, "targets")
                .and_then(|node| entry::targets(node, &context))
                .unwrap_or_default(),
        };
        let entries = silences(tree, &file.report)
            .iter()
            .take_while(|_| !file.report.is_full())
            .map(|node| entry::entry(node, &defaults, &context))
            .collect();
        Content {
            entries,
            findings: file.report.findings(),
        }
    }

    fn context<'s>(&'s self, index: usize, file: &'s File<'_>) -> Context<'s> {
        Context {
            file: index,
            report: &file.report,
            uses: &file.uses,
            named: &self.named,
            zones: self.zones,
            paths: &self.paths,
            unread: &self.unread,
        }
    }

    /// What all files define under `keys`, each with the index of its file. A
    /// key with nothing below it, as in a skeleton, defines nothing.
    fn definitions<T>(
        &self,
        files: &[File<'a>],
        keys: &[&str],
        read: impl Fn(&[&Node], &ZoneChoice, &Context<'_>) -> Definitions<T>,
    ) -> Vec<(usize, Definitions<T>)> {
        self.definers
            .iter()
            .filter_map(|(&index, opened)| {
                let nodes: Vec<&Node> = keys
                    .iter()
                    .filter_map(|key| get(opened.tree.as_ref(), key))
                    .filter(|node| !matches!(node.kind, Kind::Null))
                    .collect();
                let context = self.context(index, files.get(index)?);
                Some((index, read(&nodes, &opened.zone, &context)))
            })
            .collect()
    }
}

fn add<T>(found: Vec<(usize, Definitions<T>)>, names: &mut Names<T>) {
    for (file, definitions) in found {
        for (name, value) in definitions {
            names.add(&name, Definition { file, value });
        }
    }
}

/// The declarations that can be used, in order, and the names that are claimed
/// in several files. Marks everything that these and broken files break.
fn choose(
    files: &[File<'_>],
    contents: &[Arc<Content>],
) -> (Vec<Arc<Declaration>>, Vec<SilenceName>) {
    let mut claims: BTreeMap<&SilenceName, Vec<(usize, Position)>> = BTreeMap::new();
    for (file, content) in contents.iter().enumerate() {
        for (name, at) in content
            .entries
            .iter()
            .filter_map(|found| found.name.as_ref())
        {
            claims.entry(name).or_default().push((file, *at));
        }
    }
    let mut ambiguous = Vec::new();
    for (name, claims) in claims {
        report_claims(files, name, &claims);
        let of: BTreeSet<usize> = claims.iter().map(|(file, _)| *file).collect();
        if of.len() > 1 {
            ambiguous.push(name.clone());
        }
    }
    break_dependents(files);
    let good = files
        .iter()
        .zip(contents)
        .filter(|(file, _)| !file.report.is_broken());
    let mut usable: Vec<Arc<Declaration>> = good
        .flat_map(|(_, content)| &content.entries)
        .filter_map(|found| found.declaration.as_ref())
        .filter(|declaration| ambiguous.binary_search(&declaration.name).is_err())
        .map(Arc::clone)
        .collect();
    usable.sort_by(|left, right| left.name.cmp(&right.name));
    (usable, ambiguous)
}

/// Says at each claim of a name where another one is.
fn report_claims(files: &[File<'_>], name: &SilenceName, claims: &[(usize, Position)]) {
    for (index, (file, at)) in claims.iter().enumerate() {
        let Some(report) = files.get(*file).map(|file| &file.report) else {
            continue;
        };
        let earlier = claims.iter().take(index).rfind(|(other, _)| other == file);
        if let Some((_, first)) = earlier {
            report.error(
                *at,
                "duplicate-name",
                format!(
                    "the name `{name}` is taken by the declaration in line {}",
                    first.line
                ),
                "names are unique in the repository; rename one of them",
            );
        } else if let Some((other, first)) = claims.iter().find(|(other, _)| other != file) {
            let other = files.get(*other).map_or("", |other| &other.source.path);
            report.error_in_one(
                *at,
                "duplicate-name",
                format!(
                    "the name `{name}` is also declared in `{other}`, line {}, so neither is used",
                    first.line
                ),
                "names are unique in the repository; rename one of them",
            );
        }
    }
}

/// A reference to a name in a broken file breaks the file that refers.
fn break_dependents(files: &[File<'_>]) {
    let mut dependents: BTreeMap<usize, Vec<(usize, Use)>> = BTreeMap::new();
    for (index, file) in files.iter().enumerate() {
        for reference in file.uses.take() {
            dependents
                .entry(reference.of)
                .or_default()
                .push((index, reference));
        }
    }
    let mut broken: Vec<usize> = (0..)
        .zip(files)
        .filter(|(_, file)| file.report.is_broken())
        .map(|(index, _)| index)
        .collect();
    while let Some(of) = broken.pop() {
        let path = files.get(of).map_or("", |file| &file.source.path);
        for (index, reference) in dependents.remove(&of).unwrap_or_default() {
            let Some(file) = files.get(index) else {
                continue;
            };
            if !file.report.is_broken() {
                broken.push(index);
            }
            file.report.error(
                reference.at,
                "broken-reference",
                format!(
                    "the {} is defined in `{path}`, which is broken",
                    reference.what
                ),
                format!("mend `{path}` first"),
            );
        }
    }
}
