//! How many bytes does a silence have? The size of its protobuf message, which
//! is what Alertmanager compares with its limit.
//!
//! The message is `MeshSilence` of its `silence/silencepb/silence.proto`. All
//! field numbers are below 16, so that every key is one byte.

use chrono::{DateTime, FixedOffset};

use crate::matcher::{MatchOperator, Matcher};

use super::silence::StoredSilence;
use super::version::Version;

/// The size of the message `MeshSilence`.
pub(super) fn encoded_size(silence: &StoredSilence, version: Version) -> usize {
    let matchers: usize = silence
        .matchers
        .as_slice()
        .iter()
        .map(|matcher| message(matcher_size(matcher)))
        .sum();
    // From 0.32 the matchers are wrapped in the first of several possible sets.
    let matchers = if version >= Version::V0_33 {
        message(matchers)
    } else {
        matchers
    };
    let annotations: usize = silence
        .annotations
        .iter()
        .map(|(key, value)| message(message(key.len()) + message(value.len())))
        .sum();
    let body = text(silence.id.as_str())
        + matchers
        + timestamp(silence.starts_at)
        + timestamp(silence.ends_at)
        + timestamp(silence.updated_at)
        + text(&silence.created_by)
        + text(&silence.comment)
        + annotations;
    message(body) + timestamp(silence.forgotten_at)
}

fn matcher_size(matcher: &Matcher) -> usize {
    let operator = match matcher.operator {
        MatchOperator::Equal => 0, // the default value, which is not written
        _ => 2,
    };
    operator + text(&matcher.name) + text(&matcher.value)
}

/// A key, a length and so many bytes.
fn message(length: usize) -> usize {
    1 + varint(u64::try_from(length).unwrap_or(u64::MAX)) + length
}

/// The empty text is the default and not written.
fn text(text: &str) -> usize {
    if text.is_empty() {
        0
    } else {
        message(text.len())
    }
}

fn timestamp(time: DateTime<FixedOffset>) -> usize {
    let field = |value: u64| if value == 0 { 0 } else { 1 + varint(value) };
    // Negative numbers are written in two's complement.
    message(
        field(time.timestamp().cast_unsigned()) + field(u64::from(time.timestamp_subsec_nanos())),
    )
}

/// Seven bits a byte.
const fn varint(value: u64) -> usize {
    let bits = (u64::BITS - value.leading_zeros()) as usize;
    if bits == 0 { 1 } else { bits.div_ceil(7) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_varint_has_seven_bits_a_byte() {
        assert_eq!(
            [0, 1, 127, 128, 16_383, 16_384, u64::MAX].map(varint),
            [1, 1, 1, 2, 2, 3, 10]
        );
    }
}
