//! How is it started, and what did it see? The flags of a server, and its
//! request counters.

use std::time::Duration;

use super::version::Version;

/// What a server is started with; the default is a newest Alertmanager without
/// flags.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose behaviour is imitated.
    pub version: Version,
    /// Whether annotations are kept, if the version has them.
    pub annotations: bool,
    /// Which label names and filters are read, if the version has a choice.
    pub names: LabelNames,
    /// How long a silence is kept after its end (`--data.retention`).
    pub retention: Duration,
    /// How often garbage is collected (`--data.maintenance-interval`).
    pub maintenance_interval: Duration,
    /// The most silences, expired ones included; `None` is no limit
    /// (`--silences.max-silences`).
    pub max_silences: Option<usize>,
    /// The largest silence in bytes of its protobuf message; `None` is no limit
    /// (`--silences.max-silence-size-bytes`).
    pub max_silence_size_bytes: Option<usize>,
    /// Servers of different seeds give different ids.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: Version::default(),
            annotations: true,
            names: LabelNames::default(),
            retention: Duration::from_hours(120),
            maintenance_interval: Duration::from_mins(15),
            max_silences: None,
            max_silence_size_bytes: None,
            seed: 0,
        }
    }
}

impl Settings {
    /// Whether annotations come back.
    #[must_use]
    pub fn keeps_annotations(&self) -> bool {
        self.annotations && self.version.keeps_annotations()
    }

    /// Whether a label name may be any text; otherwise `[a-zA-Z_][a-zA-Z0-9_]*`.
    #[must_use]
    pub fn has_utf8_names(&self) -> bool {
        self.names == LabelNames::Utf8 && self.version.has_utf8_names()
    }
}

/// Which label names are there?
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LabelNames {
    /// `[a-zA-Z_][a-zA-Z0-9_]*`, what `--enable-feature=classic-mode` asks for
    /// and Mimir has unless it is told `-alertmanager.utf8-strict-mode-enabled`.
    Classic,
    /// Any text, in the versions that can.
    #[default]
    Utf8,
}

/// How often was each request made? What the client paid.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RequestCounts {
    /// Lists of silences.
    pub lists: u64,
    /// Single silences asked for.
    pub gets: u64,
    /// Silences sent, accepted or not.
    pub posts: u64,
    /// Silences expired by id, known or not.
    pub deletes: u64,
    /// Requests that HTTP refused before they reached the silences: malformed,
    /// of another type, to an unknown path.
    pub refused: u64,
}
