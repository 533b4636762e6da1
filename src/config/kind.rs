//! What kind of server is a target, and which of its keys belong to that kind?

use super::Resolver;
use super::file::TargetKeys;
use super::problem::Origin;
use crate::alertmanager::Kind;
use crate::nearest::nearest;

/// The longest that Grafana lets a UID become.
const LONGEST_UID: usize = 40;

/// The keys that only some kinds have, with those kinds.
const KEYS: [(&str, &[&str]); 4] = [
    ("datasource_uid", &["grafana-datasource"]),
    ("organisation", &["grafana", "grafana-datasource"]),
    ("tenant", &["mimir"]),
    ("prefix", &["mimir"]),
];

impl Resolver<'_> {
    /// `None` once a problem is noted.
    pub(super) fn kind(&mut self, key: &str, origin: &Origin, keys: &TargetKeys) -> Option<Kind> {
        let file = self.file;
        let given = |name: &str, text| file.given(&format!("{key}.{name}"), text);
        let word = match given("kind", keys.kind.as_ref()) {
            Some(given) => given.read(&mut self.problems, known)?,
            None => Kind::Alertmanager.word(),
        };
        let uid = given("datasource_uid", keys.datasource_uid.as_ref());
        let organisation = given("organisation", keys.organisation.as_ref());
        let tenant = given("tenant", keys.tenant.as_ref());
        let prefix = given("prefix", keys.prefix.as_ref());
        let values = [&uid, &organisation, &tenant, &prefix];
        let mut is_consistent = true;
        for ((name, kinds), value) in KEYS.iter().zip(values) {
            if let Some(value) = value
                && !kinds.contains(&word)
            {
                let kinds: Vec<_> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
                let problem = format!(
                    "`{name}` belongs to targets of kind {}, and this one is of kind `{word}`",
                    kinds.join(" and ")
                );
                self.problems.add(&value.origin, problem);
                is_consistent = false;
            }
        }
        if !is_consistent {
            return None;
        }
        let organisation = match organisation {
            Some(given) if keys.basic_auth.is_none() => {
                let problem = "only with `basic_auth`: a token of a service account belongs to \
                               one organisation already";
                self.problems.add(&given.origin, problem);
                return None;
            }
            Some(given) => Some(given.read(&mut self.problems, organisation_id)?),
            None => None,
        };
        match word {
            "grafana" => Some(Kind::Grafana { organisation }),
            "grafana-datasource" => {
                let Some(uid) = uid else {
                    let problem = "the key `datasource_uid` is missing: it stands in the address \
                                   of the data source's page of settings";
                    self.problems.add(origin, problem);
                    return None;
                };
                let uid = uid.read(&mut self.problems, datasource_uid)?;
                Some(Kind::GrafanaDatasource { uid, organisation })
            }
            "mimir" => {
                let tenant = match tenant {
                    Some(given) => Some(given.read(&mut self.problems, not_empty)?),
                    None => None,
                };
                let prefix = prefix.map(|given| given.value);
                Some(Kind::Mimir {
                    prefix: prefix.unwrap_or_else(|| Kind::MIMIR_PREFIX.to_owned()),
                    tenant,
                })
            }
            _ => Some(Kind::Alertmanager),
        }
    }
}

fn known(text: &str) -> Result<&'static str, String> {
    if let Some(word) = Kind::WORDS.into_iter().find(|word| *word == text) {
        return Ok(word);
    }
    match nearest(text, Kind::WORDS).first() {
        Some(nearest) => Err(format!("unknown kind `{text}`; did you mean `{nearest}`?")),
        None => Err(format!(
            "unknown kind `{text}`; write {}",
            Kind::WORDS.join(", ")
        )),
    }
}

fn organisation_id(text: &str) -> Result<u64, String> {
    let id = text.parse().ok().filter(|id| *id > 0);
    id.ok_or_else(|| format!("`{text}` is not the number of an organisation, such as 1"))
}

/// As Grafana's `util.IsValidShortUID`.
fn datasource_uid(text: &str) -> Result<String, String> {
    let is_part = |part: char| part.is_ascii_alphanumeric() || matches!(part, '-' | '_');
    if text == "grafana" {
        return Err("that is Grafana's own Alertmanager: write `kind: grafana`".to_owned());
    }
    if (1..=LONGEST_UID).contains(&text.len()) && text.chars().all(is_part) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` is not the UID of a data source: 1 to {LONGEST_UID} characters of a-z, A-Z, \
             0-9, `-` and `_`"
        ))
    }
}

fn not_empty(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        Err("it is empty; leave it away where there is only one tenant")
    } else {
        Ok(text.to_owned())
    }
}
