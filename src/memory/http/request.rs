//! What does a request ask for? Headers, query and path as Go reads them.

use axum::http::header;
use axum::http::request::Parts;

use super::refusal::Refusal;
use crate::memory::Version;

/// A request with a body must say that it is JSON; a parameter such as the
/// charset is passed over.
pub(super) fn check_content_type(parts: &Parts) -> Result<(), Refusal> {
    let written = header_text(parts, &header::CONTENT_TYPE).filter(|written| !written.is_empty());
    let media = written.unwrap_or("application/octet-stream");
    let media = media.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Refusal::ContentType(media.to_owned()))
}

/// Whether the client takes JSON, as far as it says.
pub(super) fn check_accept(parts: &Parts, version: Version) -> Result<(), Refusal> {
    let accepts_json = |range: &str| {
        let mut parameters = range.split(';').map(str::trim);
        let media = parameters.next().unwrap_or_default();
        let refused = parameters.any(|parameter| {
            parameter
                .strip_prefix("q=")
                .and_then(|quality| quality.parse::<f32>().ok())
                .is_some_and(|quality| quality <= 0.0)
        });
        matches!(media, "*/*" | "application/*" | "application/json") && !refused
    };
    match header_text(parts, &header::ACCEPT) {
        None => Ok(()),
        Some("") if !version.refuses_empty_accept() => Ok(()),
        Some(accept) if accept.split(',').any(accepts_json) => Ok(()),
        Some(_) => Err(Refusal::Accept),
    }
}

fn header_text<'a>(parts: &'a Parts, name: &header::HeaderName) -> Option<&'a str> {
    parts.headers.get(name)?.to_str().ok()
}

/// 32 hexadecimal digits, with dashes in the usual places or without.
pub(super) fn is_uuid(text: &str) -> bool {
    let dashed = text.len() == 36;
    (dashed || text.len() == 32)
        && text.bytes().enumerate().all(|(index, byte)| {
            if dashed && matches!(index, 8 | 13 | 18 | 23) {
                byte == b'-'
            } else {
                byte.is_ascii_hexdigit()
            }
        })
}

/// Every value of `key`, as Go reads a query: a pair that is not well formed, or
/// holds a semicolon, is passed over.
pub(in crate::memory) fn query_values(query: &str, key: &str) -> impl Iterator<Item = String> {
    query
        .split('&')
        .filter(|pair| !pair.contains(';'))
        .filter_map(move |pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |text: &str| percent_decode(&text.replace('+', " "));
            (decode(name)? == key).then(|| decode(value))?
        })
}

pub(super) fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
