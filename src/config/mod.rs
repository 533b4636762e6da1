//! How is this installation set up? Settings from flags, the environment and
//! the configuration file, in that order of precedence, checked together.

mod access;
mod access_keys;
mod file;
mod generate;
mod kind;
mod problem;
mod target;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use problem::{Given, Origin, Place, Problems};

use crate::alertmanager::{Client, Cluster};
use crate::duration;
use crate::name::InstanceName;
use crate::plan::{Guard, HandExpired, Mode, Settings};
use crate::reconcile::Target;
use crate::source::{SourceSettings, SourceSettingsError};
use file::ConfigurationFile;

/// How often to look when nobody asks. A pass without changes is one list.
pub const DEFAULT_INTERVAL: Duration = Duration::from_mins(1);

/// Where the page is: on this machine alone unless somebody says otherwise.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

/// From a pass a second, which one Alertmanager still answers easily, to one a
/// day, below which it is no reconciler.
const INTERVAL: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(24));

/// Up to a year, as far as any schedule is looked at.
const HORIZON: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(366 * 24));

/// Up to 30 days: a lease that outlives its daemon for longer is none.
const LEASE: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(30 * 24));

/// From a server that is alone to replicas that meet every few minutes.
const SETTLE: (Duration, Duration) = (Duration::ZERO, Duration::from_mins(15));

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
    /// What holds for every pass.
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
        };
        let instance = resolver.instance();
        let source = resolver.source();
        let targets = resolver.targets();
        let (interval, horizon, lease) = resolver.durations();
        let listen = resolver.listen();
        let settle = resolver.settle();
        let guard = resolver.guard();
        let (mode, hand_expired) = (resolver.mode(), resolver.hand_expired());
        match (instance, source, listen) {
            (Some(instance), Some(source), Some(listen)) if resolver.problems.is_empty() => {
                Ok(Self {
                    reconcile: Settings {
                        instance,
                        horizon,
                        lease,
                        settle,
                        guard,
                        mode,
                        hand_expired,
                    },
                    source,
                    targets,
                    interval,
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

    fn durations(&mut self) -> (Duration, Duration, Duration) {
        let interval = layered!(self, interval);
        let interval = self.duration(interval.as_ref(), DEFAULT_INTERVAL, INTERVAL);
        // A lease is renewed in its second half, and one pass in there may fail.
        let (least_horizon, least_lease) = (interval * 2, interval * 4);
        // Whoever only says how often to look gets defaults that go with it.
        let horizon = layered!(self, horizon);
        let default = Settings::HORIZON.max(least_horizon);
        let horizon = self.duration(horizon.as_ref(), default, HORIZON);
        let lease = layered!(self, lease);
        let lease = self.duration(lease.as_ref(), Settings::LEASE.max(least_lease), LEASE);
        let shown = duration::format;
        if horizon < least_horizon {
            self.problems.add_general(format!(
                "the horizon ({}) must be at least twice the interval ({}), or windows open late",
                shown(horizon),
                shown(interval)
            ));
        }
        if lease < least_lease {
            self.problems.add_general(format!(
                "the lease ({}) must be at least four times the interval ({}), \
                 or it lapses before it is renewed",
                shown(lease),
                shown(interval)
            ));
        }
        (interval, horizon, lease)
    }

    /// The default stands in for what is wrong and noted.
    fn duration(
        &mut self,
        given: Option<&Given>,
        default: Duration,
        (least, most): (Duration, Duration),
    ) -> Duration {
        let read = |text: &str| {
            let read = duration::parse(text).map_err(|error| error.to_string())?;
            if (least..=most).contains(&read) {
                return Ok(read);
            }
            let (least, most) = (duration::format(least), duration::format(most));
            Err(format!("`{text}` must be between `{least}` and `{most}`"))
        };
        given
            .and_then(|given| given.read(&mut self.problems, read))
            .unwrap_or(default)
    }

    fn listen(&mut self) -> Option<SocketAddr> {
        match layered!(self, listen) {
            Some(given) => given.read(&mut self.problems, listen_address),
            None => listen_address(DEFAULT_LISTEN).ok(),
        }
    }

    fn settle(&mut self) -> Duration {
        let given = self.file.given("settle", self.file.keys.settle.as_ref());
        self.duration(given.as_ref(), Settings::SETTLE, SETTLE)
    }

    fn mode(&mut self) -> Mode {
        let given = layered!(self, mode);
        let read = |text: &str| {
            let mode = Mode::ALL.into_iter().find(|mode| mode.word() == text);
            mode.ok_or_else(|| {
                format!(
                    "unknown mode `{text}`; write {}",
                    Mode::ALL.map(Mode::word).join(", ")
                )
            })
        };
        given
            .and_then(|given| given.read(&mut self.problems, read))
            .unwrap_or_default()
    }

    fn hand_expired(&mut self) -> HandExpired {
        let keys = &self.file.keys;
        let given = self.file.given("hand_expired", keys.hand_expired.as_ref());
        let read = |text: &str| match text {
            "recreate" => Ok(HandExpired::Recreate),
            "respect" => Ok(HandExpired::Respect),
            _ => Err(format!(
                "unknown choice `{text}`; write recreate or respect"
            )),
        };
        given
            .and_then(|given| given.read(&mut self.problems, read))
            .unwrap_or_default()
    }

    fn guard(&mut self) -> Guard {
        let default = Guard::default();
        let keys = &self.file.keys.guard;
        let max_expire = self
            .file
            .given("guard.max_expire", keys.max_expire.as_ref());
        let max_create = self
            .file
            .given("guard.max_create", keys.max_create.as_ref());
        let percent = self
            .file
            .given("guard.max_expire_percent", keys.max_expire_percent.as_ref());
        Guard {
            max_expire: self
                .number(max_expire.as_ref(), usize::MAX)
                .unwrap_or(default.max_expire),
            max_expire_percent: self
                .number(percent.as_ref(), 100)
                .unwrap_or(default.max_expire_percent),
            max_create: self
                .number(max_create.as_ref(), usize::MAX)
                .unwrap_or(default.max_create),
        }
    }

    fn number(&mut self, given: Option<&Given>, most: usize) -> Option<usize> {
        let read = |text: &str| match text.parse() {
            Ok(number) if number <= most => Ok(number),
            Ok(_) => Err(format!("`{text}` is more than {most}")),
            Err(_) => Err(format!("`{text}` is not a whole number")),
        };
        given.and_then(|given| given.read(&mut self.problems, read))
    }

    fn sync_token_file(&self) -> Option<Given> {
        layered!(self, sync_token_file)
    }

    fn cache_directory(&self) -> Option<Given> {
        layered!(self, cache_directory)
    }
}
