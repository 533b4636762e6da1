//! The project's own tools under `.tools/`.

use std::path::Path;

use super::program::program;

/// The repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs one of the project's own tools and returns what it prints.
pub(crate) fn tool(name: &str, arguments: &[&str]) -> String {
    let path = root().join(".tools").join(name);
    let output = program(&path).args(arguments).current_dir(root()).output();
    let output =
        output.unwrap_or_else(|error| panic!("{}: {error}: run `make tools`", path.display()));
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{name} {arguments:?}: {stdout}{stderr}"
    );
    stdout
}
