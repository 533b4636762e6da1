//! What does a configuration file come to, with no flag but its own name?

use std::path::Path;

use silenced::config::{Configuration, Given, Origin, Overrides, Problems};

pub(crate) fn resolve(file: &Path) -> Result<Configuration, Problems> {
    Configuration::resolve(&Overrides {
        config: Some(Given {
            value: file.to_str().unwrap().to_owned(),
            origin: Origin::Flag("--config".to_owned()),
        }),
        ..Overrides::default()
    })
}

/// The same for a file with this text, which is called `silenced.yaml` where it
/// is complained about.
pub(crate) fn resolve_text(text: &str) -> Result<Configuration, String> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("silenced.yaml");
    std::fs::write(&file, text).unwrap();
    let directory = format!("{}/", directory.path().display());
    resolve(&file).map_err(|problems| problems.to_string().replace(&directory, ""))
}
