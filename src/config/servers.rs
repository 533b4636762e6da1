//! Is it a server that another target has too? Both would take each other's
//! silences for their own, and expire what is declared for the other alone.
//!
//! Alertmanagers that know each other are found out when they are asked who they
//! are; this is what can be told from the configuration, for every kind.

use std::collections::HashMap;

use reqwest::Url;

use crate::alertmanager::ClientSettings;
use crate::name::{InstanceName, TargetName};

/// The servers of the targets so far, by where they are.
#[derive(Default)]
pub(super) struct Servers(HashMap<String, Vec<Server>>);

/// Whose silences a target sees and owns there.
struct Server {
    target: TargetName,
    instance: Option<InstanceName>,
    settings: ClientSettings,
}

impl Servers {
    /// Takes in the servers of a target, whose silences are those of `instance`.
    /// Returns the target that sees and owns the same ones, if there is one.
    ///
    /// Tenants and organisations may be told by credentials or headers alone, so
    /// those that differ lead to other silences.
    pub(super) fn add(
        &mut self,
        target: &TargetName,
        instance: Option<&InstanceName>,
        addresses: Vec<ClientSettings>,
    ) -> Option<TargetName> {
        let mut same = None;
        for settings in addresses {
            let at = Url::parse(&settings.url).map_or(settings.url.clone(), String::from);
            let servers = self
                .0
                .entry(at.trim_end_matches('/').to_owned())
                .or_default();
            let server = Server {
                target: target.clone(),
                instance: instance.cloned(),
                settings,
            };
            let twin = servers.iter().find(|other| other.is_twin_of(&server));
            same = same.or_else(|| twin.map(|twin| twin.target.clone()));
            servers.push(server);
        }
        same
    }
}

impl Server {
    fn is_twin_of(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.settings, &other.settings);
        self.target != other.target
            && self.instance == other.instance
            && ours.kind == theirs.kind
            && ours.credentials == theirs.credentials
            && ours.headers == theirs.headers
            && ours.tls == theirs.tls
    }
}
