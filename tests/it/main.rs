//! Integration tests: the library and its program from outside.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![allow(
    clippy::needless_raw_string_hashes,
    reason = "expect-test writes its literals so"
)]

mod client;
mod support;
