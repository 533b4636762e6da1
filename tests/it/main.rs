//! The integration tests: one binary, so that they link once.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod deploy;
mod tidy;
