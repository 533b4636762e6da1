//! The integration tests, in one binary.

#![allow(
    clippy::needless_raw_string_hashes,
    reason = "expect-test writes them when it updates a snapshot"
)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod declaration;
mod matcher;
mod matcher_differential;
mod matcher_strings;
mod time_cases;
