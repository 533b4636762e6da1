//! How are many targets written as one? An entry with `for_each` stands for one
//! target per item of a list, or of files, and `${word}` in its texts for what
//! the item says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::Resolver;
use super::access_keys::TlsKeys;
use super::file::{TargetKeys, Text, read_text};
use super::problem::Origin;
use crate::nearest::nearest;

/// Each target has a list to be read in every pass, at 10 ms or more.
pub(super) const MOST_TARGETS: usize = 5000;

/// What an item says: any words, each with a value.
pub(super) type Item = BTreeMap<String, String>;

/// A target as it is written, or as it follows from an item.
pub(super) struct Entry {
    /// What problems call it: `targets[3]`, or `targets[3] for item 2`.
    pub(super) key: String,
    pub(super) origin: Origin,
    pub(super) keys: TargetKeys,
}

impl Resolver<'_> {
    /// Every target of the file, those of items in full.
    pub(super) fn entries(&mut self) -> Vec<Entry> {
        let file = self.file;
        let mut entries = Vec::new();
        for (index, written) in file.keys.targets.iter().enumerate() {
            let key = format!("targets[{index}]");
            let origin = file.origin(&key, written);
            let keys = &written.value;
            if keys.for_each.is_none() && keys.for_each_file.is_none() {
                entries.push(Entry {
                    key,
                    origin,
                    keys: keys.clone(),
                });
                continue;
            }
            let Some(items) = self.items(&key, keys) else {
                continue;
            };
            if items.is_empty() {
                let problem =
                    "there are no items in `for_each`, or in the files of `for_each_file`";
                self.problems.add(&origin, problem);
            }
            for (number, item) in items {
                let mut keys = keys.clone();
                let key = format!("{key} for {number}");
                let filled = keys.texts().into_iter().try_for_each(|text| {
                    *text = filled(text, &item)?;
                    Ok::<_, String>(())
                });
                if let Err(problem) = filled {
                    self.problems
                        .add(&origin, format!("for {number}: {problem}"));
                    continue;
                }
                entries.push(Entry {
                    key,
                    origin: origin.clone(),
                    keys,
                });
            }
        }
        entries
    }

    /// The items of an entry, each with what people call it; `None` once a
    /// problem is noted.
    fn items(&mut self, key: &str, keys: &TargetKeys) -> Option<Vec<(String, Item)>> {
        let listed = keys.for_each.iter().flatten().enumerate();
        let mut items: Vec<_> = listed
            .map(|(index, item)| (format!("item {}", index + 1), item.clone()))
            .collect();
        if let Some(path) = &keys.for_each_file {
            let given = self.text(key, "for_each_file", path);
            let read = items_below(&given.path());
            items.extend(self.problems.take(&given.origin, read)?);
        }
        Some(items)
    }
}

/// The items of a file, or of every YAML file of a directory in the order of
/// their names: each holds one item or a list of them.
fn items_below(path: &Path) -> Result<Vec<(String, Item)>, String> {
    let files = if path.is_dir() {
        files_of(path)?
    } else {
        vec![path.to_owned()]
    };
    let mut items = Vec::new();
    for file in files {
        let shown = file.display();
        let text = read_text(&file)?;
        let read = serde_saphyr::from_str::<Vec<Item>>(&text)
            .or_else(|_| serde_saphyr::from_str::<Item>(&text).map(|item| vec![item]))
            .map_err(|error| {
                let error = error.without_snippet();
                format!("`{shown}` is neither an item such as `{{tenant: a}}` nor a list of them: {error}")
            })?;
        let numbered = read.into_iter().enumerate();
        items.extend(
            numbered.map(|(index, item)| (format!("item {} of `{shown}`", index + 1), item)),
        );
        if items.len() > MOST_TARGETS {
            return Err(format!("more than {MOST_TARGETS} items"));
        }
    }
    Ok(items)
}

/// Mounted volumes have hidden directories beside their files.
fn files_of(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let cannot_read = |error| format!("cannot read `{}`: {error}", directory.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(cannot_read)? {
        let path = entry.map_err(cannot_read)?.path();
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let is_yaml = path
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml");
        if is_yaml && !is_hidden {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// `text` with what `item` says in place of each `${word}`; `$${` is `${` itself.
fn filled(text: &str, item: &Item) -> Result<String, String> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            result.extend([before, "${"]);
            rest = after;
            continue;
        }
        let (word, after) = after
            .split_once('}')
            .ok_or_else(|| format!("`${{` in `{text}` is not closed"))?;
        let value = item.get(word).ok_or_else(|| {
            let hint = match nearest(word, item.keys().map(String::as_str)).first() {
                Some(nearest) => format!("; did you mean `${{{nearest}}}`?"),
                None => String::new(),
            };
            format!("it says nothing for `${{{word}}}`{hint}")
        })?;
        result.extend([before, value]);
        rest = after;
    }
    result.push_str(rest);
    Ok(result)
}

impl TargetKeys {
    /// Every text in it that may speak of an item.
    fn texts(&mut self) -> Vec<&mut String> {
        let Self {
            name,
            kind,
            url,
            urls,
            datasource_uid,
            organisation,
            tenant,
            prefix,
            labels,
            bearer_token_file,
            basic_auth,
            oauth2,
            http_headers,
            tls,
            proxy_url,
            no_proxy,
            proxy_from_environment,
            timeout,
            instance,
            interval,
            horizon,
            lease,
            settle,
            mode,
            hand_expired,
            guard,
            max_writes_per_second,
            for_each: _,
            for_each_file: _,
        } = self;
        let mut texts: Vec<&mut Text> = Vec::new();
        texts.extend(
            [
                name,
                kind,
                url,
                datasource_uid,
                organisation,
                tenant,
                prefix,
            ]
            .into_iter()
            .flatten(),
        );
        texts.extend(urls);
        texts.extend(
            [
                bearer_token_file,
                proxy_url,
                no_proxy,
                proxy_from_environment,
                timeout,
            ]
            .into_iter()
            .flatten(),
        );
        if let Some(basic) = basic_auth {
            texts.extend([&mut basic.username, &mut basic.password_file]);
        }
        texts.extend(
            [
                instance,
                interval,
                horizon,
                lease,
                settle,
                mode,
                hand_expired,
                max_writes_per_second,
                &mut guard.max_expire,
                &mut guard.max_expire_percent,
                &mut guard.max_create,
            ]
            .into_iter()
            .flatten(),
        );
        let mut plain: Vec<&mut String> = labels.values_mut().collect();
        if let Some(oauth2) = oauth2 {
            texts.extend([
                &mut oauth2.client_id,
                &mut oauth2.client_secret_file,
                &mut oauth2.token_url,
            ]);
            texts.extend(oauth2.tls.texts());
            plain.extend(&mut oauth2.scopes);
            plain.extend(oauth2.endpoint_params.values_mut());
        }
        for header in http_headers.values_mut() {
            texts.extend(&mut header.value.files);
            plain.extend(&mut header.value.values);
        }
        texts.extend(tls.texts());
        plain.extend(texts.into_iter().map(|text| &mut text.value));
        plain
    }
}

impl TlsKeys {
    fn texts(&mut self) -> impl Iterator<Item = &mut Text> {
        [&mut self.ca_file, &mut self.cert_file, &mut self.key_file]
            .into_iter()
            .flatten()
    }
}
