//! Does any file break the reader of declarations, or expansion what it read?
#![no_main]

mod expected;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use silenced::declaration::Declarations;
use silenced::snapshot::{Revision, Snapshot, SnapshotFile};
use silenced::zone::ZoneDatabase;

/// 2026-01-01T00:00:00Z
const START: i64 = 1_767_225_600;
const YEAR: i64 = 365 * 86_400;

static ZONES: LazyLock<ZoneDatabase> = LazyLock::new(ZoneDatabase::bundled);

fuzz_target!(|content: &[u8]| {
    let file = SnapshotFile {
        path: "fuzz.yaml".to_owned(),
        content: Ok(content.to_vec()),
    };
    let snapshot = Snapshot {
        revision: Revision::Directory("fuzz".to_owned()),
        files: vec![file],
        skipped: Vec::new(),
    };
    let declarations = Declarations::read(&snapshot, &ZONES);
    for declaration in &declarations.silences {
        expected::expand(&declaration.schedule, expected::range(START, YEAR));
    }
});
