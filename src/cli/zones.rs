//! Which time zone data? What `--version` says about it.

use std::sync::LazyLock;

use crate::zoneinfo::ZoneSource;

/// The variable that names a directory of compiled zones.
pub(super) const DIRECTORY: &str = "SILENCED_ZONEINFO_DIRECTORY";

/// What `--version` says after the program's name. It is asked before flags are
/// read, so only the environment can name a directory.
pub(super) fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let directory = std::env::var_os(DIRECTORY).map(Into::into);
        let zones = ZoneSource::new(directory).load();
        let (tzdata, origin) = (zones.version(), zones.origin());
        format!("{} (tzdata {tzdata}, {origin})", env!("CARGO_PKG_VERSION"))
    });
    &VERSION
}
