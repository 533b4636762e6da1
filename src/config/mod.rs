//! How is this installation set up? Settings from flags, the environment and
//! the configuration file, in that order of precedence, checked together.

mod access;
mod access_keys;
mod file;
mod generate;
mod kind;
mod limits;
mod problem;
mod servers;
mod target;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use problem::{Given, Origin, Place, Problems};

use crate::alertmanager::{Client, Cluster};
use crate::name::InstanceName;
use crate::plan::Settings;
use crate::reconcile::Target;
use crate::source::{SourceSettings, SourceSettingsError};
use file::ConfigurationFile;
use limits::{GivenLimits, Limits};

/// How often to look when nobody asks. A pass without changes is one list.
pub const DEFAULT_INTERVAL: Duration = Duration::from_mins(1);

/// Where the page is: on this machine alone unless somebody says otherwise.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

/// What flags and environment say, as text: it is checked together with what
/// the file says, so that one attempt tells everything that is wrong.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// The configuration file.
    pub config: Option<Given>,
    /// The id of this installation.
    pub instance: Option<Given>,
    /// A directory or a Git URL; the file's whole source is then void.
    pub source: Option<Given>,
    /// The directory inside the repository.
    pub path: Option<Given>,
    /// Branch, tag or commit.
    pub reference: Option<Given>,
    /// The URL of a target named `default`; the file's targets are then void.
    pub alertmanager: Option<Given>,
    /// Labels of that target, `key=value` each.
    pub target_labels: Vec<Given>,
    /// The time between two passes.
    pub interval: Option<Given>,
    /// How far ahead windows become silences.
    pub horizon: Option<Given>,
    /// How long a rolling lease lasts.
    pub lease: Option<Given>,
    /// Which kinds of changes are made.
    pub mode: Option<Given>,
    /// Address and port to serve.
    pub listen: Option<Given>,
    /// A file with the token for whoever changes something.
    pub sync_token_file: Option<Given>,
    /// A directory for mirrors of Git repositories.
    pub cache_directory: Option<Given>,
}

/// A complete configuration, every part of it checked.
#[derive(Debug)]
pub struct Configuration {
    /// What holds for the targets that say nothing else.
    pub reconcile: Settings,
    /// Where the declarations are.
    pub source: SourceSettings,
    /// Where the silences are; at least one.
    pub targets: Vec<Target<Cluster<Client>>>,
    /// The time between two passes.
    pub interval: Duration,
    /// What to serve on.
    pub listen: SocketAddr,
    /// Without one, requests that change something are refused.
    pub sync_token_file: Option<PathBuf>,
    /// Without one, a Git repository is fetched anew by every process.
    pub cache_directory: Option<PathBuf>,
}

impl Configuration {
    /// Reads the file that the overrides name, and joins both.
    pub fn resolve(overrides: &Overrides) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let file = match &overrides.config {
            Some(path) => ConfigurationFile::read(path, &mut problems),
            None => Some(ConfigurationFile::absent()),
        };
        // What may stand in an unreadable file is not reported as missing.
        let file_is_known = file.is_some();
        let file = file.unwrap_or_else(ConfigurationFile::absent);
        let mut resolver = Resolver {
            overrides,
            file: &file,
            file_is_known,
            problems,
            instance: None,
            limits: Limits::default(),
        };
        resolver.instance = resolver.instance();
        let source = resolver.source();
        resolver.limits = resolver.limits_at_the_top();
        let targets = resolver.targets();
        let listen = resolver.listen();
        match (resolver.instance.clone(), source, listen) {
            (Some(instance), Some(source), Some(listen)) if resolver.problems.is_empty() => {
                Ok(Self {
                    reconcile: resolver.limits.settings(instance),
                    source,
                    targets,
                    interval: resolver.limits.interval,
                    listen,
                    sync_token_file: resolver.sync_token_file().map(|given| given.path()),
                    cache_directory: resolver.cache_directory().map(|given| given.path()),
                })
            }
            _ => Err(resolver.problems),
        }
    }
}

/// Reads an address and a port; `localhost` is the only name.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let numeric = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    numeric
        .parse()
        .map_err(|_| format!("`{text}` is not an address with a port such as `{DEFAULT_LISTEN}`"))
}

/// The layers, and what was found wrong in them so far.
struct Resolver<'a> {
    overrides: &'a Overrides,
    file: &'a ConfigurationFile,
    file_is_known: bool,
    problems: Problems,
    /// Of the installation, once it is known.
    instance: Option<InstanceName>,
    /// At the top, once they are known.
    limits: Limits,
}

/// The setting of that name: from flag or environment, else from the file.
macro_rules! layered {
    ($resolver:expr, $name:ident) => {
        $resolver.overrides.$name.clone().or_else(|| {
            let text = $resolver.file.keys.$name.as_ref();
            $resolver.file.given(stringify!($name), text)
        })
    };
}

impl Resolver<'_> {
    fn missing(&mut self, problem: &str) {
        if self.file_is_known {
            self.problems.add_general(problem);
        }
    }

    fn instance(&mut self) -> Option<InstanceName> {
        let Some(given) = layered!(self, instance) else {
            self.missing(
                "`instance` is missing: give this installation an id with --instance, \
                 SILENCED_INSTANCE or the key `instance`. It has no default because silences belong \
                 to the instance that their marker names: two installations with the same id would \
                 expire each other's silences",
            );
            return None;
        };
        given.read(&mut self.problems, InstanceName::new)
    }

    fn source(&mut self) -> Option<SourceSettings> {
        let file = self.file;
        let keys = &file.keys.source;
        let overrides = self.overrides;
        let (mut path, mut reference) = (overrides.path.clone(), overrides.reference.clone());
        let source = if overrides.source.is_some() {
            overrides.source.clone()
        } else {
            path = path.or_else(|| file.given("source.path", keys.path.as_ref()));
            reference = reference.or_else(|| file.given("source.ref", keys.reference.as_ref()));
            self.source_of_file()
        };
        let Some(source) = source else {
            self.missing(
                "there is no source of declarations: give a directory or a Git URL with --source or \
                 SILENCED_SOURCE, or `source: {directory: ...}` or `source: {url: ...}` in the \
                 configuration file",
            );
            return None;
        };
        let settings = source.read(&mut self.problems, |text| {
            SourceSettings::parse(text, None, None)
        })?;
        match settings {
            SourceSettings::Directory(directory) => {
                for (setting, given) in [("path", path), ("ref", reference)] {
                    if let Some(given) = given {
                        let directory = directory.display().to_string();
                        let problem = SourceSettingsError::GitOnly { setting, directory };
                        self.problems.add(&given.origin, problem);
                    }
                }
                Some(SourceSettings::Directory(directory))
            }
            SourceSettings::Git(mut git) => {
                if let Some(path) = path {
                    git.path =
                        path.read(&mut self.problems, crate::source::DeclarationsPath::new)?;
                }
                if let Some(reference) = reference {
                    git.reference =
                        reference.read(&mut self.problems, crate::source::GitReference::new)?;
                }
                Some(SourceSettings::Git(git))
            }
        }
    }

    /// `url` or `directory`, the latter seen from the current directory.
    fn source_of_file(&mut self) -> Option<Given> {
        let keys = &self.file.keys.source;
        let url = self.file.given("source.url", keys.url.as_ref());
        let directory = self.file.given("source.directory", keys.directory.as_ref());
        match (url, directory) {
            (Some(url), Some(directory)) => {
                let problem = "write either `directory` or `url`, not both";
                self.problems.add(&directory.origin, problem);
                Some(url)
            }
            (Some(url), None) => {
                let is_path = !url.value.contains("://") && !url.value.contains(':');
                if is_path {
                    let problem = format!(
                        "`{}` is not a URL; write a directory as `directory`",
                        url.value
                    );
                    self.problems.add(&url.origin, problem);
                }
                Some(url)
            }
            (None, Some(directory)) => Some(Given {
                value: directory.path().to_string_lossy().into_owned(),
                origin: directory.origin,
            }),
            (None, None) => None,
        }
    }

    fn listen(&mut self) -> Option<SocketAddr> {
        match layered!(self, listen) {
            Some(given) => given.read(&mut self.problems, listen_address),
            None => listen_address(DEFAULT_LISTEN).ok(),
        }
    }

    /// What holds for every target that says nothing else.
    fn limits_at_the_top(&mut self) -> Limits {
        let file = self.file;
        let keys = &file.keys;
        let given = GivenLimits {
            interval: layered!(self, interval),
            horizon: layered!(self, horizon),
            lease: layered!(self, lease),
            settle: file.given("settle", keys.settle.as_ref()),
            mode: layered!(self, mode),
            hand_expired: file.given("hand_expired", keys.hand_expired.as_ref()),
            ..GivenLimits::default()
        }
        .with_guard(file, "guard", &keys.guard);
        self.limits("", &given, &Limits::default())
    }

    fn sync_token_file(&self) -> Option<Given> {
        layered!(self, sync_token_file)
    }

    fn cache_directory(&self) -> Option<Given> {
        layered!(self, cache_directory)
    }
}
