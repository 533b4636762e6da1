//! What does every request carry besides the credentials? Headers that a proxy
//! or gateway before the server asks for, in the shape of Prometheus'
//! `http_headers`.

use std::path::PathBuf;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::excerpt::excerpt;
use super::secret::{self, Redaction, UnreadableSecret};
use super::settings::InvalidSettings;

/// One header of that name for each value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExtraHeader {
    /// Its name, in any case.
    pub name: String,
    /// What it says, in this order.
    pub values: Vec<HeaderSource>,
}

/// Where the value of a header stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HeaderSource {
    /// Here; it is no secret.
    Value(String),
    /// In a file, which is read for every request. Line ends after it are not
    /// part of it.
    File(PathBuf),
}

/// Names that cannot be set, and what to write instead.
const RESERVED: [(&str, &str); 15] = [
    ("authorization", CREDENTIALS),
    (
        "proxy-authorization",
        "a proxy's user name and password can be in `HTTPS_PROXY`",
    ),
    ("host", "it comes from `url`"),
    ("accept", OURS),
    ("accept-encoding", OURS),
    ("connection", OURS),
    ("content-encoding", OURS),
    ("content-length", OURS),
    ("content-type", OURS),
    ("expect", OURS),
    ("keep-alive", OURS),
    ("te", OURS),
    ("trailer", OURS),
    ("transfer-encoding", OURS),
    ("upgrade", OURS),
];
const CREDENTIALS: &str = "write `bearer_token_file`, `basic_auth` or `oauth2`";
const OURS: &str = "it belongs to the request itself";

/// One header of a request, and where each of its values comes from.
#[derive(Debug)]
pub(super) struct Header {
    name: HeaderName,
    values: Vec<Value>,
}

#[derive(Debug)]
enum Value {
    Here(HeaderValue),
    File(PathBuf),
}

/// `header`, if it can be set by whoever configures a target.
pub(super) fn read(header: &ExtraHeader) -> Result<Header, InvalidSettings> {
    let invalid = |reason| InvalidSettings::Header {
        name: header.name.clone(),
        reason,
    };
    let name = HeaderName::from_bytes(header.name.as_bytes())
        .map_err(|_| invalid("no header can have such a name"))?;
    let reserved = RESERVED.iter().find(|(reserved, _)| name == *reserved);
    if let Some((_, reason)) = reserved {
        return Err(invalid(reason));
    }
    if header.values.is_empty() {
        return Err(invalid("it has neither `values` nor `files`"));
    }
    let values = header.values.iter().map(|source| match source {
        HeaderSource::Value(value) => read_value(value).map(Value::Here),
        HeaderSource::File(file) => Ok(Value::File(file.clone())),
    });
    Ok(Header {
        name,
        values: values.collect::<Result<_, _>>()?,
    })
}

/// The header whose value is a part of the configuration.
pub(super) fn fixed(name: HeaderName, value: &str) -> Result<Header, InvalidSettings> {
    let values = vec![Value::Here(read_value(value)?)];
    Ok(Header { name, values })
}

fn read_value(value: &str) -> Result<HeaderValue, InvalidSettings> {
    HeaderValue::from_str(value).map_err(|_| InvalidSettings::HeaderValue(excerpt(value)))
}

impl Header {
    /// Adds it, as its files hold it now, to those of a request.
    pub(super) fn add_to(
        &self,
        headers: &mut HeaderMap,
        redaction: &mut Redaction,
    ) -> Result<(), UnreadableSecret> {
        for value in &self.values {
            let value = match value {
                Value::Here(value) => value.clone(),
                Value::File(file) => {
                    let secret = secret::read(file)?;
                    let mut value = HeaderValue::from_str(&secret)
                        .map_err(|_| UnreadableSecret::NotAHeader(file.clone()))?;
                    value.set_sensitive(true);
                    redaction.add(secret);
                    value
                }
            };
            headers.append(&self.name, value);
        }
        Ok(())
    }
}
