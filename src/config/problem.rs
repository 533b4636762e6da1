//! What is wrong with the configuration, and where was it written?

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a setting was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// On the command line: the flag.
    Flag(String),
    /// In the environment: the variable.
    Environment(String),
    /// In the configuration file.
    File(Place),
}

/// A place in the configuration file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// As it was given.
    pub path: Arc<Path>,
    /// The key, with those around it: `guard.max_expire`.
    pub key: String,
    /// From 1.
    pub line: u64,
    /// From 1, in characters.
    pub column: u64,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(formatter, "{flag}"),
            Self::Environment(variable) => write!(formatter, "{variable}"),
            Self::File(place) => write!(
                formatter,
                "{}:{}:{}: {}",
                place.path.display(),
                place.line,
                place.column,
                place.key
            ),
        }
    }
}

/// A value with the place where it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Given<T = String> {
    /// What was written.
    pub value: T,
    /// Where.
    pub origin: Origin,
}

impl Given {
    /// What `read` makes of it, or a problem at its place.
    pub(super) fn read<T, E: fmt::Display>(
        &self,
        problems: &mut Problems,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        problems.take(&self.origin, read(&self.value))
    }

    /// The path, which in a file is relative to the directory of that file.
    pub(super) fn path(&self) -> PathBuf {
        let directory = match &self.origin {
            Origin::File(place) => place.path.parent(),
            Origin::Flag(_) | Origin::Environment(_) => None,
        };
        directory.unwrap_or(Path::new("")).join(&self.value)
    }
}

/// Everything that is wrong with a configuration, so that one attempt tells it all.
#[derive(Clone, PartialEq, Eq, Debug, Default, thiserror::Error)]
pub struct Problems(Vec<String>);

impl Problems {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Something that was written is wrong.
    pub(super) fn add(&mut self, origin: &Origin, problem: impl fmt::Display) {
        self.0.push(format!("{origin}: {problem}"));
    }

    /// Something is missing, or concerns no single place.
    pub(super) fn add_general(&mut self, problem: impl Into<String>) {
        self.0.push(problem.into());
    }

    /// The value, or `None` once its problem is noted.
    pub(super) fn take<T, E: fmt::Display>(
        &mut self,
        origin: &Origin,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|problem| self.add(origin, problem)).ok()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Problems {
    /// One line for each; no line end after the last.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join("\n"))
    }
}
