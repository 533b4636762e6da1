//! How do files become declarations? Texts to trees, trees to names, and then
//! declarations, which may refer to the names of other files.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::definition::{self, Definitions};
use super::entry::{self, Defaults, Found};
use super::fields::{Fields, line, wrong_type};
use super::names::{Context, Definition, Named, Names, Unread, Use, Zones};
use super::report::{Position, Report};
use super::timezone::{self, ZoneChoice};
use super::yaml::{Composed, Kind, Node, compose};
use super::{BrokenFile, Declaration, Declarations, policy};
use crate::name::SilenceName;
use crate::snapshot::{Snapshot, SnapshotFile};
use crate::zone::ZoneDatabase;

const FILE_KEYS: [&str; 8] = [
    "owner",
    "timezone",
    "targets",
    "silences",
    "time_intervals",
    "mute_time_intervals",
    "rotations",
    "dates",
];

/// Where named time intervals stand: an `alertmanager.yml` has them under
/// either key, the second being the name of the first until 0.24, or under both.
const INTERVAL_KEYS: [&str; 2] = ["mute_time_intervals", "time_intervals"];

/// Declarations of one file.
const SILENCES: usize = 20_000;

/// A file with what is known of it so far.
struct File<'a> {
    source: &'a SnapshotFile,
    report: Report<'a>,
    uses: RefCell<Vec<Use>>,
    tree: Option<Node>,
}

impl<'a> File<'a> {
    /// Reads the text; a file without a tree and without an error is empty.
    fn compose(source: &'a SnapshotFile) -> Self {
        let (text, fault) = match &source.content {
            Ok(bytes) => decode(bytes),
            Err(reason) => (
                "",
                Some((
                    Position::START,
                    format!("this file cannot be read: {reason}"),
                    "",
                )),
            ),
        };
        let report = Report::new(&source.path, text);
        let tree = match fault {
            Some((at, message, hint)) => {
                let code = if source.content.is_ok() {
                    "not-utf8"
                } else {
                    "unreadable"
                };
                report.error(at, code, message, hint);
                None
            }
            None => match compose(text, &report) {
                Composed::Tree(tree) if !matches!(tree.kind, Kind::Mapping(_)) => {
                    report.error(
                        tree.at,
                        "wrong-type",
                        format!(
                            "expected a mapping with the key `silences`, but found {}",
                            tree.described()
                        ),
                        "put `silences:` above the list of declarations",
                    );
                    None
                }
                Composed::Tree(tree) => {
                    Fields::read(&tree, "a file", &FILE_KEYS, &report);
                    Some(tree)
                }
                Composed::Broken => None,
                Composed::Empty => {
                    report.warning(
                        Position::START,
                        "empty-file",
                        "this file declares nothing",
                        "add `silences:`, or delete it",
                    );
                    None
                }
            },
        };
        Self {
            source,
            report,
            uses: RefCell::default(),
            tree,
        }
    }

    /// What stands under a key of the file.
    fn get(&self, key: &str) -> Option<&Node> {
        Fields::unchecked(self.tree.as_ref()?, "a file")?.get(key)
    }
}

/// The text of a file without a byte order mark, or what is wrong with it and where.
fn decode(bytes: &[u8]) -> (&str, Option<(Position, String, &'static str)>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.strip_prefix('\u{feff}').unwrap_or(text), None),
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let text = std::str::from_utf8(valid).unwrap_or_default();
            let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
            let at = Position {
                line: number(text.matches('\n').count()),
                column: number(text.rsplit('\n').next().unwrap_or_default().chars().count()),
            };
            let hint = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
                "it looks like UTF-16; save it as UTF-8"
            } else {
                "save it as UTF-8"
            };
            (
                text,
                Some((
                    at,
                    "this file is not UTF-8 text from here on".to_owned(),
                    hint,
                )),
            )
        }
    }
}

/// See [`Declarations::read`].
pub(super) fn read(snapshot: &Snapshot, database: &ZoneDatabase) -> Declarations {
    let (policies, sources): (Vec<&SnapshotFile>, Vec<&SnapshotFile>) = snapshot
        .files
        .iter()
        .partition(|file| policy::FILES.contains(&file.path.as_str()));
    let files: Vec<File<'_>> = sources.into_iter().map(File::compose).collect();
    let zones = Zones::new(database);
    let entries = Reading::new(&files, &zones).decode();
    let (silences, ambiguous) = choose(&files, entries);
    let mut declarations = Declarations {
        paths: snapshot
            .files
            .iter()
            .map(|file| file.path.clone())
            .collect(),
        silences,
        ambiguous,
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
    report_beside_files(snapshot, &policies, &mut declarations);
    declarations.diagnostics.sort_by(|left, right| {
        (&left.file, left.line, left.column).cmp(&(&right.file, right.line, right.column))
    });
    declarations
}

/// What stands in the snapshot and is no file of declarations.
fn report_beside_files(
    snapshot: &Snapshot,
    policies: &[&SnapshotFile],
    declarations: &mut Declarations,
) {
    for policy in policies {
        let report = Report::new(&policy.path, "");
        report.error(
            Position::START,
            "policy-unsupported",
            "this version has only the built-in policy, and does not enforce what is written here",
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
            "put the file itself into the directory",
        );
        declarations.diagnostics.extend(report.into_diagnostics());
    }
}

/// The files while their parts are decoded.
struct Reading<'a> {
    files: &'a [File<'a>],
    paths: Vec<&'a str>,
    unread: Vec<Unread<'a>>,
    zones: &'a Zones<'a>,
    named: Named,
}

impl<'a> Reading<'a> {
    fn new(files: &'a [File<'a>], zones: &'a Zones<'a>) -> Self {
        let unread = files
            .iter()
            .filter(|file| file.tree.is_none() && file.report.is_broken())
            .map(|file| Unread {
                path: &file.source.path,
                content: file.source.content.as_deref().ok(),
            });
        Self {
            files,
            paths: files.iter().map(|file| file.source.path.as_str()).collect(),
            unread: unread.collect(),
            zones,
            named: Named::new(),
        }
    }

    /// Decodes names first and declarations last, each kind in all files, so
    /// that what is referred to is known before who refers to it.
    fn decode(mut self) -> Vec<(usize, Found)> {
        let file_zones: Vec<ZoneChoice> = (0..)
            .zip(self.files)
            .map(|(index, file)| {
                file.get("timezone").map_or(ZoneChoice::Unsaid, |node| {
                    timezone::read(node, &self.context(index, file))
                })
            })
            .collect();
        let zone = |index: usize| file_zones.get(index).unwrap_or(&ZoneChoice::Unsaid);
        let dates = self.definitions(&["dates"], definition::dates);
        add(dates, &mut self.named.dates);
        let rotations = self.definitions(&["rotations"], |nodes, context| {
            definition::rotations(nodes, zone(context.file), context)
        });
        add(rotations, &mut self.named.rotations);
        let intervals = self.definitions(&INTERVAL_KEYS, definition::time_intervals);
        add(intervals, &mut self.named.intervals);

        let mut entries = Vec::new();
        for (index, file) in self.files.iter().enumerate() {
            let context = self.context(index, file);
            let defaults = Defaults {
                owner: file
                    .get("owner")
                    .and_then(|node| line(node, "an owner", &file.report))
                    .map(str::to_owned),
                zone: zone(index).clone(),
                targets: file
                    .get("targets")
                    .and_then(|node| entry::targets(node, &context))
                    .unwrap_or_default(),
            };
            for node in silences(file) {
                if file.report.is_full() {
                    break;
                }
                entries.push((index, entry::entry(node, &defaults, &context)));
            }
        }
        entries
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
        keys: &[&str],
        read: impl Fn(&[&Node], &Context<'_>) -> Definitions<T>,
    ) -> Vec<(usize, Definitions<T>)> {
        (0..)
            .zip(self.files)
            .map(|(index, file)| {
                let nodes: Vec<&Node> = keys
                    .iter()
                    .filter_map(|key| file.get(key))
                    .filter(|node| !matches!(node.kind, Kind::Null))
                    .collect();
                (index, read(&nodes, &self.context(index, file)))
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

/// The items of `silences:`; a file may do without, for names alone.
fn silences<'f>(file: &'f File<'_>) -> &'f [Node] {
    let Some(node) = file.get("silences") else {
        return &[];
    };
    match &node.kind {
        Kind::Sequence(items) if items.len() <= SILENCES => items,
        // `silences:` with nothing below it is where a new file begins.
        Kind::Null => &[],
        Kind::Sequence(_) => {
            let message = format!("more than {SILENCES} declarations in one file");
            file.report
                .error(node.at, "too-many", message, "split the file");
            &[]
        }
        _ => {
            wrong_type(node, "a list of declarations", &file.report);
            &[]
        }
    }
}

/// The declarations that can be used, in order, and the names that are claimed
/// in several files. Marks everything that these and broken files break.
fn choose(
    files: &[File<'_>],
    entries: Vec<(usize, Found)>,
) -> (Vec<Declaration>, Vec<SilenceName>) {
    let mut claims: BTreeMap<SilenceName, Vec<(usize, Position)>> = BTreeMap::new();
    let mut declarations = Vec::with_capacity(entries.len());
    for (file, found) in entries {
        if let Some((name, at)) = found.name {
            claims.entry(name).or_default().push((file, at));
        }
        declarations.extend(found.declaration.map(|declaration| (file, declaration)));
    }
    let mut ambiguous = Vec::new();
    for (name, claims) in claims {
        report_claims(files, &name, &claims);
        let of: BTreeSet<usize> = claims.iter().map(|(file, _)| *file).collect();
        if of.len() > 1 {
            ambiguous.push(name);
        }
    }
    break_dependents(files);
    let is_broken = |file: usize| files.get(file).is_none_or(|file| file.report.is_broken());
    let mut usable: Vec<Declaration> = declarations
        .into_iter()
        .filter(|(file, declaration)| {
            !is_broken(*file) && ambiguous.binary_search(&declaration.name).is_err()
        })
        .map(|(_, declaration)| declaration)
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
