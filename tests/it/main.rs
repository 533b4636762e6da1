//! The integration tests, in one binary so that they link once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints its seed"
)]
#![allow(
    clippy::needless_raw_string_hashes,
    reason = "expect-test writes its literals so"
)]

mod client;
mod contract;
mod deploy;
mod matcher;
mod matcher_differential;
mod matcher_strings;
mod source;
mod support;
mod tidy;
