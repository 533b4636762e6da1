//! Which Alertmanager? Every difference in behaviour between its releases that
//! a client of the silences API can see, as one question each.
//!
//! Each was seen on the released servers; the contract suite asks them again.

use crate::matcher::regex::RecentSyntax;

/// A release of Alertmanager that is imitated.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Version {
    /// 0.25, of Debian 12.
    V0_25,
    /// 0.28, of Debian 13; the same holds up to 0.31.
    V0_28,
    /// 0.33; the same holds from 0.32.
    #[default]
    V0_33,
}

impl Version {
    /// Every release, oldest first.
    pub const ALL: [Self; 3] = [Self::V0_25, Self::V0_28, Self::V0_33];

    /// As `/api/v2/status` shows it.
    #[must_use]
    pub const fn number(self) -> &'static str {
        match self {
            Self::V0_25 => "0.25.0",
            Self::V0_28 => "0.28.1",
            Self::V0_33 => "0.33.1",
        }
    }

    /// Whether the Go that it was built with reads this in a pattern.
    #[must_use]
    pub fn reads(self, recent: RecentSyntax) -> bool {
        match recent {
            RecentSyntax::ShortGroupName => self >= Self::V0_28,
            RecentSyntax::UnicodeName => self >= Self::V0_33,
        }
    }

    /// Whether annotations are stored; before, they are dropped without a word.
    #[must_use]
    pub fn keeps_annotations(self) -> bool {
        self >= Self::V0_33
    }

    /// Whether a label name may be any text; before, `[a-zA-Z_][a-zA-Z0-9_]*`.
    /// Filters follow: names and values in quotes, no closing brace at the end.
    #[must_use]
    pub fn has_utf8_names(self) -> bool {
        self >= Self::V0_28
    }

    /// Whether a silence is validated before its id is looked up and before it
    /// replaces another. Where not, a refused replacement has already expired
    /// the old one. The same releases read a zero start as now.
    #[must_use]
    pub fn validates_first(self) -> bool {
        self >= Self::V0_28
    }

    /// Whether the limits on number and size exist.
    #[must_use]
    pub fn has_limits(self) -> bool {
        self >= Self::V0_28
    }

    /// Whether DELETE of an unknown id is a 404; before, a 500.
    #[must_use]
    pub fn deletes_unknown_as_not_found(self) -> bool {
        self >= Self::V0_28
    }

    /// Whether times are printed in UTC; before, with the offset that was sent.
    #[must_use]
    pub fn prints_utc(self) -> bool {
        self >= Self::V0_33
    }

    /// Whether any end is stored; before, the end and the retention after it
    /// must lie within the year 9999.
    #[must_use]
    pub fn stores_any_year(self) -> bool {
        self >= Self::V0_33
    }

    /// Whether a date without a time is midnight; before, it is refused.
    #[must_use]
    pub fn reads_dates(self) -> bool {
        self >= Self::V0_28
    }

    /// Whether an offset may have at most 24 hours and 60 minutes.
    #[must_use]
    pub fn bounds_offsets(self) -> bool {
        self >= Self::V0_28
    }

    /// Whether ids in the path may be in braces or begin with `urn:uuid:`.
    #[must_use]
    pub fn reads_decorated_ids(self) -> bool {
        self >= Self::V0_28
    }

    /// Whether API v1 is gone; before, it was there, which is not imitated.
    #[must_use]
    pub fn has_only_api_v2(self) -> bool {
        self >= Self::V0_28
    }

    /// Whether answers of the API forbid caching.
    #[must_use]
    pub fn forbids_caching(self) -> bool {
        self >= Self::V0_28
    }

    /// Whether an empty `Accept` accepts nothing; before, everything.
    #[must_use]
    pub fn refuses_empty_accept(self) -> bool {
        self >= Self::V0_33
    }

    /// What a refused silence's message begins with.
    #[must_use]
    pub const fn invalid_silence(self) -> &'static str {
        match self {
            Self::V0_25 => "silence invalid",
            Self::V0_28 | Self::V0_33 => "invalid silence",
        }
    }
}
