//! The integration tests, in one binary.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]
#![allow(clippy::print_stdout, reason = "seeds and measurements are printed")]
#![allow(
    clippy::needless_pass_by_value,
    clippy::needless_raw_string_hashes,
    clippy::too_many_lines,
    reason = "expected messages are written in place, by expect-test"
)]

mod declaration;
mod matcher;
mod matcher_differential;
mod matcher_strings;
mod time_cases;
