//! What does the configuration file say? Its keys, with the place of each value.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_saphyr::{Error, Spanned};

use super::access_keys::{BasicAuthKeys, HeaderKeys, OAuth2Keys, TlsKeys};
use super::generate::Item;
use super::problem::{Given, Origin, Place, Problems};
use crate::nearest::nearest;

/// The largest configuration file: 1 MiB, room for thousands of targets.
const LARGEST_FILE: u64 = 1 << 20;

/// The keys at the top. Every value is read as text, so that a wrong one is
/// reported with its place beside all others.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keys {
    pub(super) instance: Option<Text>,
    #[serde(default)]
    pub(super) source: SourceKeys,
    pub(super) interval: Option<Text>,
    pub(super) horizon: Option<Text>,
    pub(super) lease: Option<Text>,
    pub(super) settle: Option<Text>,
    pub(super) mode: Option<Text>,
    pub(super) hand_expired: Option<Text>,
    pub(super) listen: Option<Text>,
    pub(super) sync_token_file: Option<Text>,
    pub(super) cache_directory: Option<Text>,
    #[serde(default)]
    pub(super) guard: GuardKeys,
    #[serde(default)]
    pub(super) targets: Vec<Spanned<TargetKeys>>,
}

pub(super) type Text = Spanned<String>;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceKeys {
    pub(super) url: Option<Text>,
    pub(super) directory: Option<Text>,
    pub(super) path: Option<Text>,
    #[serde(rename = "ref")]
    pub(super) reference: Option<Text>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the keys of the file")]
pub(super) struct GuardKeys {
    pub(super) max_expire: Option<Text>,
    pub(super) max_expire_percent: Option<Text>,
    pub(super) max_create: Option<Text>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TargetKeys {
    pub(super) name: Option<Text>,
    pub(super) kind: Option<Text>,
    pub(super) url: Option<Text>,
    #[serde(default)]
    pub(super) urls: Vec<Text>,
    pub(super) datasource_uid: Option<Text>,
    pub(super) organisation: Option<Text>,
    pub(super) tenant: Option<Text>,
    pub(super) prefix: Option<Text>,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    pub(super) bearer_token_file: Option<Text>,
    pub(super) basic_auth: Option<BasicAuthKeys>,
    pub(super) oauth2: Option<OAuth2Keys>,
    #[serde(default)]
    pub(super) http_headers: BTreeMap<String, Spanned<HeaderKeys>>,
    #[serde(default)]
    pub(super) tls: TlsKeys,
    pub(super) proxy_url: Option<Text>,
    pub(super) no_proxy: Option<Text>,
    pub(super) proxy_from_environment: Option<Text>,
    pub(super) timeout: Option<Text>,
    pub(super) for_each: Option<Vec<Item>>,
    pub(super) for_each_file: Option<Text>,
    pub(super) instance: Option<Text>,
    pub(super) interval: Option<Text>,
    pub(super) horizon: Option<Text>,
    pub(super) lease: Option<Text>,
    pub(super) settle: Option<Text>,
    pub(super) mode: Option<Text>,
    pub(super) hand_expired: Option<Text>,
    #[serde(default)]
    pub(super) guard: GuardKeys,
    pub(super) max_writes_per_second: Option<Text>,
}

/// A file that was read, or the absence of one: then no key is set.
#[derive(Debug)]
pub(super) struct ConfigurationFile {
    path: Arc<Path>,
    pub(super) keys: Keys,
}

impl ConfigurationFile {
    /// What is the case without `--config`.
    pub(super) fn absent() -> Self {
        Self {
            path: Path::new("").into(),
            keys: Keys::default(),
        }
    }

    /// Reads the file; `None` once its problem is noted.
    pub(super) fn read(given: &Given, problems: &mut Problems) -> Option<Self> {
        let path: Arc<Path> = Path::new(&given.value).into();
        let text = problems.take(&given.origin, read_text(&path))?;
        // Nothing but comments is a file without keys.
        match serde_saphyr::from_str::<Option<Keys>>(&text) {
            Ok(keys) => Some(Self {
                path,
                keys: keys.unwrap_or_default(),
            }),
            Err(error) => {
                problems.add_general(explain(&path, &error));
                None
            }
        }
    }

    /// The value of a key with its place.
    pub(super) fn given(&self, key: &str, text: Option<&Text>) -> Option<Given> {
        text.map(|text| Given {
            value: text.value.clone(),
            origin: self.origin(key, text),
        })
    }

    /// Where a value stands.
    pub(super) fn origin<T>(&self, key: &str, value: &Spanned<T>) -> Origin {
        Origin::File(Place {
            path: Arc::clone(&self.path),
            key: key.to_owned(),
            line: value.referenced.line(),
            column: value.referenced.column(),
        })
    }
}

pub(super) fn read_text(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST_FILE + 1).read_to_string(&mut text))
        .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    if text.len() as u64 > LARGEST_FILE {
        return Err(format!("`{}` is larger than 1 MiB", path.display()));
    }
    Ok(text)
}

/// The place and what is wrong there, in words that do not assume Rust.
fn explain(path: &Path, error: &Error) -> String {
    let error = error.without_snippet();
    let problem = match error {
        Error::SerdeUnknownField { field, .. } if field == "insecure_skip_verify" => {
            "there is no `insecure_skip_verify`, for whoever answers could read the credentials: \
             name the authority of the server's certificate, or the certificate itself if it is \
             self-signed, in `ca_file`"
                .to_owned()
        }
        Error::SerdeUnknownField {
            field, expected, ..
        } => match nearest(field, expected.iter().copied()).first() {
            Some(nearest) => format!("unknown key `{field}`; did you mean `{nearest}`?"),
            None => format!(
                "unknown key `{field}`; the keys here are {}",
                backticked(expected)
            ),
        },
        Error::SerdeMissingField { field, .. } => format!("the key `{field}` is missing"),
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("the key `{key}` stands here for the second time")
        }
        Error::Unexpected { expected, .. } => match *expected {
            "string scalar" => "expected a text here".to_owned(),
            "mapping start" => "expected keys with values here".to_owned(),
            "sequence start" => "expected a list here".to_owned(),
            other => format!("expected {other}"),
        },
        Error::MultipleDocuments { .. } => {
            "expected one YAML document, a second one begins here".to_owned()
        }
        _ => {
            let text = error.render_with_formatter(&serde_saphyr::UserMessageFormatter);
            let line = text.lines().next().unwrap_or_default();
            // The place is named already.
            line.split(" at line ").next().unwrap_or(line).to_owned()
        }
    };
    match error.location() {
        Some(at) => format!(
            "{}:{}:{}: {problem}",
            path.display(),
            at.line(),
            at.column()
        ),
        None => format!("{}: {problem}", path.display()),
    }
}

fn backticked(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}
