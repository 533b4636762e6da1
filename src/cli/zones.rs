//! Which time zone data? Decided here for every command.

use crate::zone::ZoneDatabase;

/// The zones that schedules are computed with.
pub(super) fn database() -> ZoneDatabase {
    ZoneDatabase::bundled()
}

/// What `--version` says after the program's name.
pub(super) fn version() -> String {
    let zones = database();
    format!(
        "{} (tzdata {}, {})",
        env!("CARGO_PKG_VERSION"),
        zones.version(),
        zones.origin()
    )
}
