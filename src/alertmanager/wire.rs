//! What does the API's JSON say? Strict in what is sent, lenient in what is
//! read, after `api/v2/openapi.yaml` of Alertmanager and what its relatives do.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::excerpt::excerpt;
use super::{Listing, Members};
use crate::matcher::{MatchOperator, Matcher, Matchers};
use crate::silence::{Annotations, Silence, SilenceDraft, SilenceId, SilenceState};
use crate::timestamp::Timestamp;

/// With this in its comment an expired silence may be one of ours.
const MARKER: &str = "[silenced ";

/// The body of a POST: a `postableSilence`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PostableSilence<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a SilenceId>,
    matchers: Vec<PostableMatcher<'a>>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    created_by: &'a str,
    comment: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a Annotations,
}

/// Both flags are always sent: `isRegex` is required, and an absent `isEqual`
/// is not the same to every relative.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PostableMatcher<'a> {
    name: &'a str,
    value: &'a str,
    is_regex: bool,
    is_equal: bool,
}

impl<'a> From<&'a Matcher> for PostableMatcher<'a> {
    fn from(matcher: &'a Matcher) -> Self {
        Self {
            name: &matcher.name,
            value: &matcher.value,
            is_regex: matcher.operator.is_regex(),
            is_equal: matcher.operator.is_equal(),
        }
    }
}

#[derive(Deserialize)]
struct ServerStatus {
    cluster: ClusterStatus,
}

#[derive(Deserialize)]
struct ClusterStatus {
    status: String,
    #[serde(default)]
    peers: Vec<Peer>,
}

#[derive(Deserialize)]
struct Peer {
    name: String,
}

/// What the answer to `GET /api/v2/status` says of the cluster.
pub(super) fn members(body: &[u8]) -> Option<Members> {
    let ServerStatus { cluster } = serde_json::from_slice(body).ok()?;
    Some(Members {
        is_complete: ["ready", "disabled"].contains(&cluster.status.as_str()),
        names: cluster.peers.into_iter().map(|peer| peer.name).collect(),
    })
}

/// The version in the answer to `GET /api/v2/status`.
pub(super) fn version(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Versioned {
        version_info: VersionInfo,
    }
    #[derive(Deserialize)]
    struct VersionInfo {
        version: String,
    }
    let versioned: Versioned = serde_json::from_slice(body).ok()?;
    Some(excerpt(&versioned.version_info.version))
}

/// Whether the answer to `GET /api/v2/silence/{id}` shows it pending or active.
pub(super) fn is_live(body: &[u8]) -> serde_json::Result<bool> {
    #[derive(Deserialize)]
    struct One<'a> {
        #[serde(borrow)]
        status: Status<'a>,
    }
    let one: One<'_> = serde_json::from_slice(body)?;
    Ok(one.status.state != "expired")
}

/// The body that creates or updates `draft`.
pub(super) fn postable(draft: &SilenceDraft) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&PostableSilence {
        id: draft.id.as_ref(),
        matchers: draft
            .matchers
            .as_slice()
            .iter()
            .map(PostableMatcher::from)
            .collect(),
        starts_at: draft.starts_at,
        ends_at: draft.ends_at,
        created_by: &draft.created_by,
        comment: &draft.comment,
        annotations: &draft.annotations,
    })
}

/// A `gettableSilence`, borrowed from the body where it has no escapes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GettableSilence<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    /// Alertmanager 0.32.0 to 0.33.0 may say `null`.
    #[serde(borrow, default)]
    matchers: Option<Vec<GettableMatcher<'a>>>,
    #[serde(borrow)]
    starts_at: Cow<'a, str>,
    #[serde(borrow)]
    ends_at: Cow<'a, str>,
    #[serde(borrow, default)]
    created_by: Cow<'a, str>,
    #[serde(borrow, default)]
    comment: Cow<'a, str>,
    /// Absent when there are none.
    #[serde(default)]
    annotations: Option<Annotations>,
    #[serde(borrow, default)]
    status: Option<Status<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GettableMatcher<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    value: Cow<'a, str>,
    #[serde(default)]
    is_regex: bool,
    /// Unknown to Alertmanager before 0.22, and `null` means true as well.
    #[serde(default)]
    is_equal: Option<bool>,
}

#[derive(Deserialize)]
struct Status<'a> {
    #[serde(borrow, default)]
    state: Cow<'a, str>,
}

/// Reads a list of silences. One that cannot be read does not hide the others:
/// then each is read by itself, which takes longer because it is looked at twice.
pub(super) fn listing(body: &str, server_time: Option<Timestamp>) -> serde_json::Result<Listing> {
    let at_once = entries(
        body,
        server_time,
        |listing, silence: GettableSilence<'_>| {
            listing.add(silence.read(server_time)?);
            Ok(())
        },
    );
    at_once.or_else(|_| {
        entries(body, server_time, |listing, entry: &RawValue| {
            let read = serde_json::from_str::<GettableSilence<'_>>(entry.get())
                .map_err(|error| error.to_string())
                .and_then(|silence| silence.read(server_time));
            match read {
                Ok(silence) => listing.add(silence),
                Err(reason) => listing.skip(entry.get(), &reason),
            }
            Ok(())
        })
    })
}

/// Reads a JSON array, and adds each element to a listing as `add` says.
fn entries<'de, E: Deserialize<'de>>(
    body: &'de str,
    server_time: Option<Timestamp>,
    add: impl FnMut(&mut Listing, E) -> Result<(), String>,
) -> serde_json::Result<Listing> {
    let listing = Listing {
        server_time,
        ..Listing::default()
    };
    let mut deserializer = serde_json::Deserializer::from_str(body);
    let entries = Entries(listing, add, PhantomData);
    let mut listing = deserializer.deserialize_seq(entries)?;
    deserializer.end()?;
    listing.silences.shrink_to_fit();
    Ok(listing)
}

/// Takes the elements of an array one by one, without keeping them all.
struct Entries<E, F>(Listing, F, PhantomData<E>);

impl<'de, E, F> Visitor<'de> for Entries<E, F>
where
    E: Deserialize<'de>,
    F: FnMut(&mut Listing, E) -> Result<(), String>,
{
    type Value = Listing;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of silences")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Listing, A::Error> {
        let Self(mut listing, mut add, _) = self;
        while let Some(entry) = entries.next_element()? {
            add(&mut listing, entry).map_err(A::Error::custom)?;
        }
        Ok(listing)
    }
}

impl Listing {
    fn add(&mut self, silence: Option<Silence>) {
        match silence {
            Some(silence) => self.silences.push(silence),
            None => self.expired += 1,
        }
    }

    fn skip(&mut self, entry: &str, reason: &str) {
        self.skipped.count += 1;
        self.skipped
            .first
            .get_or_insert_with(|| format!("`{}`: {reason}", excerpt(entry)));
    }
}

impl GettableSilence<'_> {
    /// `None` for an expired silence that cannot be ours.
    fn read(self, server_time: Option<Timestamp>) -> Result<Option<Silence>, String> {
        let id = usable_id(self.id).ok_or("its id cannot be part of a URL")?;
        let starts_at = read_time(&self.starts_at)?;
        let ends_at = read_time(&self.ends_at)?;
        let state = match self.status.as_ref().map(|status| &*status.state) {
            Some("pending") => SilenceState::Pending,
            Some("active") => SilenceState::Active,
            Some("expired") => SilenceState::Expired,
            // A state of the future, or none: its times tell as well. Without the
            // server's clock it counts as live, so that it is not forgotten.
            _ => match server_time {
                Some(now) if now >= ends_at => SilenceState::Expired,
                Some(now) if now < starts_at => SilenceState::Pending,
                _ => SilenceState::Active,
            },
        };
        if state == SilenceState::Expired && !self.comment.contains(MARKER) {
            return Ok(None);
        }
        let matchers = self.matchers.unwrap_or_default();
        Ok(Some(Silence {
            id,
            matchers: Matchers::new(matchers.into_iter().map(read_matcher).collect()),
            starts_at,
            ends_at,
            created_by: self.created_by.into_owned(),
            comment: self.comment.into_owned(),
            annotations: self.annotations.unwrap_or_default(),
            state,
        }))
    }
}

fn read_matcher(matcher: GettableMatcher<'_>) -> Matcher {
    Matcher {
        name: matcher.name.into_owned(),
        operator: MatchOperator::from_flags(matcher.is_regex, matcher.is_equal.unwrap_or(true)),
        value: matcher.value.into_owned(),
    }
}

fn read_time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|error| error.to_string())
}

/// Nothing but an id that stays one segment of a path: `..` would climb out of
/// it, and an empty one would name the collection.
fn usable_id(id: Cow<'_, str>) -> Option<SilenceId> {
    (!matches!(&*id, "" | "." | "..")).then(|| SilenceId::new(id))
}

/// The id in the answer to a POST: `silenceID`, or `id` after the swagger text
/// of Grafana.
pub(super) fn posted_id(body: &[u8]) -> Option<SilenceId> {
    #[derive(Deserialize)]
    struct Posted {
        #[serde(rename = "silenceID")]
        silence_id: Option<String>,
        id: Option<String>,
    }
    let posted: Posted = serde_json::from_slice(body).ok()?;
    usable_id(posted.silence_id.or(posted.id)?.into())
}

/// What a server says about an error, whichever of its three ways it uses: a
/// JSON string, a JSON object with `message`, or plain text.
#[derive(Default, Debug, PartialEq, Eq)]
pub(super) struct ErrorMessage {
    pub(super) text: String,
    /// Grafana's name for the error.
    pub(super) id: String,
}

impl ErrorMessage {
    pub(super) fn read(body: &str) -> Self {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Body {
            Text(String),
            Object {
                message: String,
                #[serde(rename = "messageId", default)]
                id: String,
            },
        }
        match serde_json::from_str(body) {
            Ok(Body::Text(text)) => Self {
                text,
                id: String::new(),
            },
            Ok(Body::Object { message, id }) => Self { text: message, id },
            Err(_) => Self {
                text: body.to_owned(),
                id: String::new(),
            },
        }
    }

    /// Whether the server looked for the silence and has none of that id. Other
    /// words mean another 404, such as Mimir's "the Alertmanager is not configured".
    pub(super) fn says_no_such_silence(&self) -> bool {
        self.id.contains("silences.notFound") || self.says("silence not found")
    }

    /// Whether `part`, written in lower case, occurs in the text.
    pub(super) fn says(&self, part: &str) -> bool {
        self.text.to_lowercase().contains(part)
    }
}
