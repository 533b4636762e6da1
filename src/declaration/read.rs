//! How do files become declarations? Texts to trees, trees to names, and then
//! declarations, which may refer to the names of other files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::file::File;
use super::known::{Content, KnownFiles};
use super::names::{Use, Zones};
use super::reading::Reading;
use super::report::{Position, Report};
use super::share::shared;
use super::{BrokenFile, Declaration, Declarations, policy};
use crate::name::SilenceName;
use crate::snapshot::{Snapshot, SnapshotFile};
use crate::zone::ZoneDatabase;

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
    let reading = Reading::new(&files, files.len(), &zones);
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
    let Choice {
        silences,
        ambiguous,
        claimants,
    } = choose(&files, &contents);
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
        claimants,
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

/// See the fields of [`Declarations`].
struct Choice {
    silences: Vec<Arc<Declaration>>,
    ambiguous: Vec<SilenceName>,
    claimants: Vec<Arc<Declaration>>,
}

/// Sets apart what is claimed in several files. Marks everything that these and
/// broken files break.
fn choose(files: &[File<'_>], contents: &[Arc<Content>]) -> Choice {
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
    let (claimants, mut silences): (Vec<_>, Vec<_>) = good
        .flat_map(|(_, content)| &content.entries)
        .filter_map(|found| found.declaration.as_ref())
        .map(Arc::clone)
        .partition(|declaration| ambiguous.binary_search(&declaration.name).is_ok());
    silences.sort_by(|left, right| left.name.cmp(&right.name));
    Choice {
        silences,
        ambiguous,
        claimants,
    }
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
pub(super) fn break_dependents(files: &[File<'_>]) {
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
