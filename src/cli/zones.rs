//! Which time zone data? Decided here for every command.

use std::sync::LazyLock;

use crate::zone::ZoneDatabase;

/// The zones that schedules are computed with.
pub(super) fn database() -> ZoneDatabase {
    ZoneDatabase::bundled()
}

/// What `--version` says after the program's name.
pub(super) fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let zones = database();
        let (tzdata, origin) = (zones.version(), zones.origin());
        format!("{} (tzdata {tzdata}, {origin})", env!("CARGO_PKG_VERSION"))
    });
    &VERSION
}
