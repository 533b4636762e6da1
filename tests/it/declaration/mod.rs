//! Are declarations read as written, and is every fault named?

mod example;
mod faults;
mod files;
mod forms;
mod hostile;
mod icalendar;
mod known;
mod pasted;
mod recovery;
mod recurring_faults;
mod rendering;
mod review;
mod schedule_faults;

use std::fmt::Write;

use silenced::declaration::{Declaration, Declarations, Diagnostic, render};
use silenced::snapshot::{Revision, Snapshot};
use silenced::zone::ZoneDatabase;

use crate::support::reconciler;

/// A snapshot of files by path.
pub(crate) fn snapshot(files: &[(&str, &[u8])]) -> Snapshot {
    reconciler::snapshot(
        Revision::Directory("test".to_owned()),
        files.iter().copied(),
    )
}

/// What these files declare, with the bundled zones.
pub(crate) fn read(files: &[(&str, &str)]) -> Declarations {
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(path, text)| (*path, text.as_bytes()))
        .collect();
    Declarations::read(&snapshot(&files), &ZoneDatabase::bundled())
}

/// The one declaration.
pub(crate) fn only(declarations: &Declarations) -> &Declaration {
    match declarations.silences.as_slice() {
        [only] => only,
        several => panic!(
            "{} declarations: {}",
            several.len(),
            shown(&declarations.diagnostics)
        ),
    }
}

/// Findings as people see them.
pub(crate) fn shown(diagnostics: &[Diagnostic]) -> String {
    diagnostics
        .iter()
        .map(|diagnostic| render::text(diagnostic, false))
        .collect()
}

/// A file with one declaration of that schedule, in a flow or a block.
pub(crate) fn with_schedule(schedule: &str) -> String {
    let mut yaml = "owner: team\ntimezone: Europe/Berlin\nsilences:\n- name: x\n  comment: c\n  \
                    matchers: [env=prod]\n  schedule:"
        .to_owned();
    for line in schedule.lines() {
        write!(yaml, "\n    {line}").unwrap();
    }
    yaml + "\n"
}
