//! Which servers hold the silences? Targets from `--alertmanager` or the file.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Resolver;
use super::file::TargetKeys;
use super::generate::{Entry, MOST_TARGETS};
use super::problem::{Given, Origin};
use super::servers::Servers;
use crate::alertmanager::{Client, ClientSettings, Cluster, Connections, InvalidSettings};
use crate::name::TargetName;
use crate::reconcile::Target;

/// Alertmanager's documentation knows clusters of three; gossip to more than a
/// dozen would take longer than it helps.
const MOST_MEMBERS: usize = 16;

/// A list of 50,000 silences takes a second; what takes minutes is broken.
const TIMEOUT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(10));

impl Resolver<'_> {
    /// Those that could be understood.
    pub(super) fn targets(&mut self) -> Vec<Target<Cluster<Client>>> {
        if let Some(url) = &self.overrides.alertmanager {
            return self.target_of_flags(url).into_iter().collect();
        }
        if let Some(label) = self.overrides.target_labels.first() {
            let problem = "labels the target of --alertmanager, which is missing; \
                           in a configuration file write `labels` below the target";
            self.problems.add(&label.origin, problem);
        }
        if self.file.keys.targets.is_empty() {
            self.missing(
                "there is no target: give the URL of an Alertmanager with --alertmanager or \
                 SILENCED_ALERTMANAGER, or `targets: [{name: ..., url: ...}]` in the \
                 configuration file",
            );
        }
        let entries = self.entries();
        if let Some(beyond) = entries.get(MOST_TARGETS) {
            let problem = format!("more than {MOST_TARGETS} targets");
            self.problems.add(&beyond.origin, problem);
            return Vec::new();
        }
        let written = entries.iter().map(|entry| &entry.keys);
        let urls = written.flat_map(|keys| keys.url.iter().chain(&keys.urls));
        let connections = Connections::new(urls.map(|url| url.value.as_str()));
        let mut names = BTreeSet::new();
        let mut servers = Servers::default();
        let mut targets = Vec::with_capacity(entries.len());
        for entry in &entries {
            let before = self.problems.count();
            let Some((target, addresses)) = self.target_of_file(entry, &connections) else {
                continue;
            };
            let target = self.limited(&entry.key, &entry.keys, target);
            if !names.insert(target.name().clone()) {
                let problem = format!("another target is called `{}` too", target.name());
                self.problems.add(&entry.origin, problem);
                continue;
            }
            // What is wrong with it may be what makes it another.
            let is_sound = self.problems.count() == before;
            let own = target.settings().map(|settings| &settings.instance);
            let instance = own.or(self.instance.as_ref());
            if is_sound && let Some(other) = servers.add(target.name(), instance, addresses) {
                let problem = format!(
                    "`{}` is the server of `{other}` too: each would expire what is declared \
                     for the other; make them one target, or give them an `instance` each",
                    target.name()
                );
                self.problems.add(&entry.origin, problem);
            }
            targets.push(target);
        }
        targets
    }

    fn target_of_flags(&mut self, url: &Given) -> Option<Target<Cluster<Client>>> {
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
        let cluster = Cluster::of_one(&url.value, client);
        Some(Target::new(name, labels, cluster))
    }

    /// A target, with how each of its servers is reached.
    fn target_of_file(
        &mut self,
        Entry { key, origin, keys }: &Entry,
        connections: &Connections,
    ) -> Option<(Target<Cluster<Client>>, Vec<ClientSettings>)> {
        let file = self.file;
        let given = |name: &str, text| file.given(&format!("{key}.{name}"), text);
        let name = given("name", keys.name.as_ref());
        if name.is_none() {
            self.problems.add(origin, "the key `name` is missing");
        }
        let urls = self.urls(key, origin, keys);
        let kind = self.kind(key, origin, keys);
        let timeout = given("timeout", keys.timeout.as_ref());
        let timeout = self.duration(timeout.as_ref(), ClientSettings::TIMEOUT, TIMEOUT);
        let credentials = self.credentials(origin, key, keys);
        let tls = self.tls(&format!("{key}.tls"), origin, &keys.tls);
        let proxy = self.proxy(key, keys);
        let name = name.and_then(|name| name.read(&mut self.problems, TargetName::new));
        let mut settings = ClientSettings {
            kind: kind.unwrap_or_default(),
            timeout,
            credentials,
            headers: self.headers(key, keys),
            tls: tls.unwrap_or_default(),
            proxy: proxy.unwrap_or_default(),
            ..ClientSettings::new("")
        };
        let mut members = Vec::with_capacity(urls.len());
        let mut addresses = Vec::with_capacity(urls.len());
        for url in &urls {
            settings.url.clone_from(&url.value);
            match Client::sharing(connections, &settings) {
                Ok(client) => {
                    members.push((url.value.clone(), client));
                    addresses.push(settings.clone());
                }
                Err(error) => self.add_invalid(key, keys, &url.origin, error),
            }
        }
        if members.len() < urls.len() {
            return None;
        }
        let mut members = members.into_iter();
        let cluster = Cluster::new(members.next()?, members.collect());
        let target = Target::new(name?, keys.labels.clone(), cluster);
        Some((target, addresses))
    }

    /// The addresses of a target: one, or those of the members of a cluster.
    fn urls(&mut self, key: &str, origin: &Origin, keys: &TargetKeys) -> Vec<Given> {
        let named = |name: String, text| self.file.given(&format!("{key}.{name}"), Some(text));
        let url = keys
            .url
            .iter()
            .filter_map(|url| named("url".to_owned(), url));
        let numbered = keys.urls.iter().enumerate();
        let urls = numbered.filter_map(|(index, url)| named(format!("urls[{index}]"), url));
        let urls: Vec<Given> = url.chain(urls).collect();
        if urls.is_empty() {
            let problem = "the key `url` is missing, or `urls` for the members of a cluster";
            self.problems.add(origin, problem);
        }
        if keys.url.is_some() && !keys.urls.is_empty() {
            let problem = "write either `url` or `urls`, not both";
            self.problems.add(origin, problem);
        }
        let mut seen = BTreeSet::new();
        for url in &urls {
            if !seen.insert(url.value.trim_end_matches('/')) {
                let problem = format!("`{}` stands there twice", url.value);
                self.problems.add(&url.origin, problem);
            }
        }
        if let Some(beyond) = urls.get(MOST_MEMBERS) {
            let problem = format!("more than {MOST_MEMBERS} members of a cluster");
            self.problems.add(&beyond.origin, problem);
        }
        urls
    }

    /// What is wrong with a target, at the key that it is about.
    fn add_invalid(&mut self, key: &str, keys: &TargetKeys, url: &Origin, error: InvalidSettings) {
        let file = self.file;
        let at = |name: &str, text| file.origin(&format!("{key}.{name}"), text);
        match error {
            InvalidSettings::Nested { key: name, problem } => {
                let text = match name {
                    "proxy_url" => keys.proxy_url.as_ref(),
                    _ => keys.oauth2.as_ref().map(|oauth2| &oauth2.token_url),
                };
                let origin = text.map_or(url.clone(), |text| at(name, text));
                self.problems.add(&origin, problem);
            }
            InvalidSettings::Header { ref name, .. } => {
                let header = keys.http_headers.get(name);
                let name = format!("{key}.http_headers.{name}");
                let origin = header.map_or(url.clone(), |header| file.origin(&name, header));
                self.problems.add(&origin, error);
            }
            _ => self.problems.add(url, error),
        }
    }
}
