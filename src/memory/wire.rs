//! What goes over the wire? The JSON of the API, read as leniently as Go reads
//! it and written as Alertmanager writes it (`api/v2/openapi.yaml`).

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::matcher::{MatchOperator, Matcher, Matchers};
use crate::silence::{SilenceId, SilenceState};

use super::settings::Settings;
use super::silence::{PostedSilence, StoredSilence};
use super::time;
use super::version::Version;

/// Why a body is not a silence.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// Not JSON, or a value of another type: 400.
    #[error("parsing silence body from \"\" failed, because {0}")]
    Malformed(String),
    /// A key is absent or null: 422.
    #[error("{0} in body is required")]
    Required(String),
    /// `matchers` is empty: 422.
    #[error("matchers in body should have at least 1 items")]
    NoMatchers,
    /// A matcher is null, over which Alertmanager's handler falls: the
    /// connection closes without an answer.
    #[error("a matcher is null")]
    NullMatcher,
}

/// A posted silence as it is written; null is the same as absent.
#[derive(Deserialize)]
struct PostedWire {
    id: Option<String>,
    matchers: Option<Vec<Option<MatcherWire>>>,
    #[serde(rename = "startsAt")]
    starts_at: Option<String>,
    #[serde(rename = "endsAt")]
    ends_at: Option<String>,
    #[serde(rename = "createdBy")]
    created_by: Option<String>,
    comment: Option<String>,
    annotations: Option<BTreeMap<String, Option<String>>>,
}

#[derive(Deserialize)]
struct MatcherWire {
    name: Option<String>,
    value: Option<String>,
    #[serde(rename = "isRegex")]
    is_regex: Option<bool>,
    #[serde(rename = "isEqual")]
    is_equal: Option<bool>,
}

const SILENCE_KEYS: [&str; 7] = [
    "id",
    "matchers",
    "startsAt",
    "endsAt",
    "createdBy",
    "comment",
    "annotations",
];
const MATCHER_KEYS: [&str; 4] = ["name", "value", "isRegex", "isEqual"];

/// Reads the body of a POST. Types and times are judged before what is missing,
/// and of what is missing the first in the order of the alphabet is named.
pub(super) fn read_silence(body: &[u8], settings: &Settings) -> Result<PostedSilence, BodyError> {
    let text = replace_lone_surrogates(&decode_utf8(body));
    let malformed = |error: serde_json::Error| BodyError::Malformed(error.to_string());
    // Whatever follows the first value is never read.
    let value = serde_json::Deserializer::from_str(&text)
        .into_iter::<Value>()
        .next()
        .ok_or_else(|| BodyError::Required("silence".to_owned()))?
        .map_err(malformed)?;
    let value = with_exact_keys(value, settings)?;
    let wire: PostedWire = serde_json::from_value(value).map_err(malformed)?;

    let version = settings.version;
    let starts_at = read_time(wire.starts_at, version)?;
    let ends_at = read_time(wire.ends_at, version)?;
    let comment = required(wire.comment, || "comment".to_owned())?;
    let created_by = required(wire.created_by, || "createdBy".to_owned())?;
    let ends_at = required(ends_at, || "endsAt".to_owned())?;
    let matchers = required(wire.matchers, || "matchers".to_owned())?;
    if matchers.is_empty() {
        return Err(BodyError::NoMatchers);
    }
    let matchers = matchers
        .into_iter()
        .enumerate()
        .map(|(index, matcher)| read_matcher(index, matcher.ok_or(BodyError::NullMatcher)?))
        .collect::<Result<_, _>>()?;
    let starts_at = required(starts_at, || "startsAt".to_owned())?;
    Ok(PostedSilence {
        id: wire.id.filter(|id| !id.is_empty()).map(SilenceId::new),
        matchers: Matchers::new(matchers),
        starts_at,
        ends_at,
        created_by,
        comment,
        annotations: wire
            .annotations
            .unwrap_or_default()
            .into_iter()
            .map(|(key, value)| (key, value.unwrap_or_default()))
            .collect(),
    })
}

/// A silence as a server without annotations reads it and writes it again, which
/// knows no other keys than those of a silence. `None` if the body is none by its
/// types; what is missing stays so, and times come out in one form.
pub(super) fn without_annotations(body: &[u8]) -> Option<Value> {
    let settings = Settings {
        annotations: false,
        ..Settings::default()
    };
    if let Err(BodyError::Malformed(_)) = read_silence(body, &settings) {
        return None;
    }
    let text = replace_lone_surrogates(&decode_utf8(body));
    let mut values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
    let value = values.next().and_then(Result::ok).unwrap_or_default();
    let mut value = with_exact_keys(value, &settings).ok()?;
    if let Some(silence) = value.as_object_mut() {
        silence.retain(|key, _| SILENCE_KEYS.contains(&key.as_str()));
        for key in ["startsAt", "endsAt"] {
            let written = silence.get(key).and_then(Value::as_str);
            if let Some(time) = written.and_then(|text| time::parse(text, settings.version)) {
                silence.insert(key.to_owned(), Value::from(time::print(time)));
            }
        }
    }
    Some(value)
}

fn required<T>(value: Option<T>, key: impl FnOnce() -> String) -> Result<T, BodyError> {
    value.ok_or_else(|| BodyError::Required(key()))
}

fn read_time(
    text: Option<String>,
    version: Version,
) -> Result<Option<DateTime<FixedOffset>>, BodyError> {
    text.map(|text| {
        time::parse(&text, version)
            .ok_or_else(|| BodyError::Malformed(format!("parsing time {text:?}: not a date-time")))
    })
    .transpose()
}

fn read_matcher(index: usize, wire: MatcherWire) -> Result<Matcher, BodyError> {
    let key = |key| move || format!("matchers.{index}.{key}");
    let is_regex = required(wire.is_regex, key("isRegex"))?;
    Ok(Matcher {
        name: required(wire.name, key("name"))?,
        value: required(wire.value, key("value"))?,
        operator: MatchOperator::from_flags(is_regex, wire.is_equal.unwrap_or(true)),
    })
}

/// Go finds keys in any case, takes null for an empty object, and never an
/// array for one, as serde does. Versions without annotations do not look at
/// them at all.
fn with_exact_keys(value: Value, settings: &Settings) -> Result<Value, BodyError> {
    let mut silence = match value {
        Value::Null => Map::new(),
        Value::Object(object) => fold_case(object, &SILENCE_KEYS),
        _ => return Err(BodyError::Malformed("it is not an object".to_owned())),
    };
    if !settings.keeps_annotations() {
        silence.remove("annotations");
    }
    if let Some(Value::Array(matchers)) = silence.get_mut("matchers") {
        for matcher in matchers {
            *matcher = match matcher.take() {
                Value::Object(object) => Value::Object(fold_case(object, &MATCHER_KEYS)),
                Value::Null => Value::Null,
                _ => {
                    let reason = "a matcher is not an object".to_owned();
                    return Err(BodyError::Malformed(reason));
                }
            };
        }
    }
    Ok(Value::Object(silence))
}

fn fold_case(object: Map<String, Value>, keys: &[&str]) -> Map<String, Value> {
    let exact = |written: String| {
        let known = keys.iter().find(|key| key.eq_ignore_ascii_case(&written));
        known.map_or(written, |&key| key.to_owned())
    };
    object
        .into_iter()
        .map(|(key, value)| (exact(key), value))
        .collect()
}

/// Each byte that is not UTF-8 becomes U+FFFD.
fn decode_utf8(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

/// Each half of a surrogate pair that stands alone, as in `"\ud800"`, becomes
/// U+FFFD; serde would refuse it. A backslash occurs only inside strings.
fn replace_lone_surrogates(text: &str) -> String {
    let code = |escape: &str| {
        let digits = escape.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let follower = || escape.get(6..).and_then(code);
        let (kept, length) = match code(escape) {
            Some(0xd800..=0xdbff) if matches!(follower(), Some(0xdc00..=0xdfff)) => (None, 12),
            Some(0xd800..=0xdfff) => (Some("\\ufffd"), 6),
            // An escape of one character, which may be a second backslash.
            _ => (None, 1 + escape.chars().nth(1).map_or(0, char::len_utf8)),
        };
        let (escape, after) = escape.split_at(length);
        out.push_str(kept.unwrap_or(escape));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A silence as the API returns it, its keys in Alertmanager's order.
#[derive(Serialize)]
pub(super) struct GettableSilence<'a> {
    id: &'a str,
    status: Status,
    #[serde(rename = "updatedAt", serialize_with = "write_time")]
    updated_at: DateTime<FixedOffset>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
    comment: &'a str,
    #[serde(rename = "createdBy")]
    created_by: &'a str,
    #[serde(rename = "endsAt", serialize_with = "write_time")]
    ends_at: DateTime<FixedOffset>,
    #[serde(serialize_with = "write_matchers")]
    matchers: &'a Matchers,
    #[serde(rename = "startsAt", serialize_with = "write_time")]
    starts_at: DateTime<FixedOffset>,
}

#[derive(Serialize)]
struct Status {
    state: SilenceState,
}

impl<'a> GettableSilence<'a> {
    /// `silence` as it is at `now`.
    pub(super) fn new(silence: &'a StoredSilence, now: DateTime<Utc>) -> Self {
        Self {
            id: silence.id.as_str(),
            status: Status {
                state: silence.state(now),
            },
            updated_at: silence.updated_at,
            annotations: &silence.annotations,
            comment: &silence.comment,
            created_by: &silence.created_by,
            ends_at: silence.ends_at,
            matchers: &silence.matchers,
            starts_at: silence.starts_at,
        }
    }
}

fn write_time<S: Serializer>(
    time: &DateTime<FixedOffset>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time::print(*time))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn write_matchers<S: Serializer>(matchers: &&Matchers, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct GettableMatcher<'a> {
        #[serde(rename = "isEqual")]
        is_equal: bool,
        #[serde(rename = "isRegex")]
        is_regex: bool,
        name: &'a str,
        value: &'a str,
    }
    serializer.collect_seq(matchers.as_slice().iter().map(|matcher| GettableMatcher {
        is_equal: matcher.operator.is_equal(),
        is_regex: matcher.operator.is_regex(),
        name: &matcher.name,
        value: &matcher.value,
    }))
}
