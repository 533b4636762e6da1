//! The integration tests, in one binary so that they link once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// `UPDATE_EXPECT=1` writes them.
#![allow(clippy::needless_raw_string_hashes)]

mod source;
mod support;
