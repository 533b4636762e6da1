//! Which servers hold the silences? Targets from `--alertmanager` or the file.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Resolver;
use super::file::{ConfigurationFile, TargetKeys};
use super::problem::{Given, Origin};
use crate::alertmanager::{Client, ClientSettings, Credentials};
use crate::name::TargetName;
use crate::reconcile::Target;

/// Each target has a client with up to eight idle connections: 8,000 sockets at
/// most, and 32 targets are worked on at a time.
const MOST_TARGETS: usize = 1000;

/// A list of 50,000 silences takes a second; what takes minutes is broken.
const TIMEOUT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(10));

impl Resolver<'_> {
    /// Those that could be understood.
    pub(super) fn targets(&mut self) -> Vec<Target<Client>> {
        if let Some(url) = &self.overrides.alertmanager {
            return self.target_of_flags(url).into_iter().collect();
        }
        if let Some(label) = self.overrides.target_labels.first() {
            let problem = "labels the target of --alertmanager, which is missing; \
                           in a configuration file write `labels` below the target";
            self.problems.add(&label.origin, problem);
        }
        let file = self.file;
        let entries = &file.keys.targets;
        if entries.is_empty() {
            self.missing(
                "there is no target: give the URL of an Alertmanager with --alertmanager or \
                 SILENCED_ALERTMANAGER, or `targets: [{name: ..., url: ...}]` in the \
                 configuration file",
            );
        }
        if let Some(beyond) = entries.get(MOST_TARGETS) {
            let origin = file.origin("targets", beyond);
            let problem = format!("more than {MOST_TARGETS} targets");
            self.problems.add(&origin, problem);
            return Vec::new();
        }
        let mut names = BTreeSet::new();
        let mut targets = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            let key = format!("targets[{index}]");
            let origin = file.origin(&key, entry);
            let Some(target) = self.target_of_file(&key, &origin, &entry.value) else {
                continue;
            };
            let target = self.limited(&key, &entry.value, target);
            if names.insert(target.name().clone()) {
                targets.push(target);
            } else {
                let problem = format!("another target is called `{}` too", target.name());
                self.problems.add(&origin, problem);
            }
        }
        targets
    }

    fn target_of_flags(&mut self, url: &Given) -> Option<Target<Client>> {
        let mut labels = BTreeMap::new();
        for given in &self.overrides.target_labels {
            let label = given.read(&mut self.problems, |text| {
                text.split_once('=')
                    .filter(|(name, _)| !name.is_empty())
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .ok_or_else(|| format!("`{text}` is not of the form `name=value`"))
            });
            if let Some((name, value)) = label
                && labels.insert(name.clone(), value).is_some()
            {
                let problem = format!("the label `{name}` is given twice");
                self.problems.add(&given.origin, problem);
            }
        }
        let name = url.read(&mut self.problems, |_| TargetName::new("default"))?;
        let client = url.read(&mut self.problems, |url| {
            Client::new(&ClientSettings::new(url))
        })?;
        Some(Target::new(name, labels, client))
    }

    fn target_of_file(
        &mut self,
        key: &str,
        origin: &Origin,
        keys: &TargetKeys,
    ) -> Option<Target<Client>> {
        let file = self.file;
        let given = |name: &str, text| file.given(&format!("{key}.{name}"), text);
        let name = given("name", keys.name.as_ref());
        let url = given("url", keys.url.as_ref());
        for (word, value) in [("name", &name), ("url", &url)] {
            if value.is_none() {
                self.problems
                    .add(origin, format!("the key `{word}` is missing"));
            }
        }
        if let Some(kind) = given("kind", keys.kind.as_ref())
            && kind.value != "alertmanager"
        {
            let problem = format!("unknown kind `{}`; write `alertmanager`", kind.value);
            self.problems.add(&kind.origin, problem);
        }
        let timeout = given("timeout", keys.timeout.as_ref());
        let timeout = self.duration(timeout.as_ref(), ClientSettings::TIMEOUT, TIMEOUT);
        let credentials = self.credentials(origin, file, key, keys);
        let ca_file = given("tls.ca_file", keys.tls.ca_file.as_ref());
        let name = name.and_then(|name| name.read(&mut self.problems, TargetName::new));
        let client = url?.read(&mut self.problems, |url| {
            Client::new(&ClientSettings {
                timeout,
                credentials,
                ca_file: ca_file.map(|given| given.path()),
                ..ClientSettings::new(url)
            })
        });
        Some(Target::new(name?, keys.labels.clone(), client?))
    }

    fn credentials(
        &mut self,
        origin: &Origin,
        file: &ConfigurationFile,
        key: &str,
        keys: &TargetKeys,
    ) -> Credentials {
        let token = keys.bearer_token_file.as_ref();
        let token = file.given(&format!("{key}.bearer_token_file"), token);
        match (token, &keys.basic_auth) {
            (None, None) => Credentials::None,
            (Some(token), None) => Credentials::Bearer {
                token_file: token.path(),
            },
            (token, Some(basic)) => {
                if token.is_some() {
                    let problem = "write either `bearer_token_file` or `basic_auth`, not both";
                    self.problems.add(origin, problem);
                }
                let password = Given {
                    value: basic.password_file.value.clone(),
                    origin: file.origin("password_file", &basic.password_file),
                };
                Credentials::Basic {
                    username: basic.username.value.clone(),
                    password_file: password.path(),
                }
            }
        }
    }
}
