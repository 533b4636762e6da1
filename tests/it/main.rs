//! The integration tests, in one binary.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod declaration;
mod matcher;
mod matcher_differential;
mod time_cases;
