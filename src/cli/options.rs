//! Which installation? The flags that `plan`, `apply` and `run` share.

use clap::parser::ValueSource;
use clap::{ArgMatches, Args};

use super::CommandError;
use crate::config::{Configuration, Given, Origin, Overrides};

// Values are read as text: the configuration module checks them together with
// the file's, and reports everything that is wrong at once.
#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub(super) struct Options {
    /// Configuration file (YAML); paths in it are relative to its directory
    #[arg(long, value_name = "FILE", env = "SILENCED_CONFIG")]
    config: Option<String>,

    /// Id of this installation, part of every marker; it has no default
    #[arg(long, value_name = "NAME", env = "SILENCED_INSTANCE")]
    instance: Option<String>,

    /// Directory or Git URL (https://, http://, file://) of the declarations
    #[arg(long, value_name = "DIRECTORY|URL", env = "SILENCED_SOURCE")]
    source: Option<String>,

    /// Directory inside the Git repository [default: silences]
    #[arg(long, value_name = "PATH", env = "SILENCED_PATH")]
    path: Option<String>,

    /// Branch, tag or commit of the Git repository [default: the remote's HEAD]
    #[arg(long = "ref", value_name = "REF", env = "SILENCED_REF")]
    reference: Option<String>,

    /// Alertmanager to keep in step, as a target named `default`; replaces the file's targets
    #[arg(long, value_name = "URL", env = "SILENCED_ALERTMANAGER")]
    alertmanager: Option<String>,

    /// Label of that target, for `targets:` in declarations; repeat it for several, or write commas
    #[arg(
        long = "target-label",
        value_name = "NAME=VALUE",
        env = "SILENCED_TARGET_LABEL",
        value_delimiter = ','
    )]
    target_labels: Vec<String>,

    /// Time between two passes [default: 60s]
    #[arg(long, value_name = "DURATION", env = "SILENCED_INTERVAL")]
    interval: Option<String>,

    /// How far ahead windows become silences [default: 24h]
    #[arg(long, value_name = "DURATION", env = "SILENCED_HORIZON")]
    horizon: Option<String>,

    /// How long a silence without an end in sight lasts unless it is renewed [default: 1h]
    #[arg(long, value_name = "DURATION", env = "SILENCED_LEASE")]
    lease: Option<String>,

    /// Which changes to make: sync, upsert-only, create-only or observe [default: sync]
    #[arg(long, value_name = "MODE", env = "SILENCED_MODE")]
    mode: Option<String>,

    /// Address of the status page and the API of `run` [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT", env = "SILENCED_LISTEN")]
    listen: Option<String>,

    /// File with the bearer token for POST /sync, /suspend and /resume of `run`
    #[arg(long, value_name = "FILE", env = "SILENCED_SYNC_TOKEN_FILE")]
    sync_token_file: Option<String>,

    /// Directory for mirrors of Git repositories, so that only news is fetched
    #[arg(long, value_name = "DIRECTORY", env = "SILENCED_CACHE_DIRECTORY")]
    cache_directory: Option<String>,

    /// Log filter, such as `info` or `silenced=debug` [default: info for `run`, else warn]
    #[arg(long, value_name = "FILTER", env = "SILENCED_LOG")]
    log: Option<String>,
}

impl Options {
    /// The configuration that flags, environment and file make together.
    pub(super) fn configuration(
        &self,
        matches: &ArgMatches,
    ) -> Result<Configuration, CommandError> {
        let given = |id: &str, flag: &str, value: Option<&str>| {
            let from_environment = matches.value_source(id) == Some(ValueSource::EnvVariable);
            let origin = if from_environment {
                let variable = flag.to_uppercase().replace('-', "_");
                Origin::Environment(format!("SILENCED_{variable}"))
            } else {
                Origin::Flag(format!("--{flag}"))
            };
            // An empty variable is one that somebody took away.
            value
                .filter(|value| !(from_environment && value.is_empty()))
                .map(|value| Given {
                    value: value.to_owned(),
                    origin,
                })
        };
        let named =
            |id: &str, value: &Option<String>| given(id, &id.replace('_', "-"), value.as_deref());
        Configuration::resolve(&Overrides {
            config: named("config", &self.config),
            instance: named("instance", &self.instance),
            source: named("source", &self.source),
            path: named("path", &self.path),
            reference: given("reference", "ref", self.reference.as_deref()),
            alertmanager: named("alertmanager", &self.alertmanager),
            target_labels: self
                .target_labels
                .iter()
                .filter_map(|label| given("target_labels", "target-label", Some(label)))
                .collect(),
            interval: named("interval", &self.interval),
            horizon: named("horizon", &self.horizon),
            lease: named("lease", &self.lease),
            mode: named("mode", &self.mode),
            listen: named("listen", &self.listen),
            sync_token_file: named("sync_token_file", &self.sync_token_file),
            cache_directory: named("cache_directory", &self.cache_directory),
        })
        .map_err(|problems| CommandError::Usage(problems.to_string()))
    }

    /// What to log, unless nothing is said.
    pub(super) fn log_filter<'a>(&'a self, default: &'a str) -> &'a str {
        self.log.as_deref().unwrap_or(default)
    }
}
