//! Are the declarations in `silences/` an example to follow?

use std::fs;
use std::path::Path;

use silenced::declaration::{Declarations, review};
use silenced::timestamp::Timestamp;
use silenced::zone::ZoneDatabase;

use super::{shown, snapshot};

fn collect(directory: &Path, root: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, root, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            files.push((name.to_owned(), fs::read(&path).unwrap()));
        }
    }
}

#[test]
fn the_example_has_neither_errors_nor_warnings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("silences");
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    files.sort();
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(path, content)| (path.as_str(), content.as_slice()))
        .collect();
    let declarations = Declarations::read(&snapshot(&files), &ZoneDatabase::bundled());
    assert_eq!(shown(&declarations.diagnostics), "");
    // The defect in it is over after a week, which is a warning by design.
    let now = Timestamp::parse("2026-11-23T12:00:00Z").unwrap();
    assert_eq!(shown(&review(&declarations, now)), "");
    assert!(
        declarations.silences.len() >= 7,
        "{}",
        declarations.silences.len()
    );
}
