//! The integration tests, in one binary so that they link once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and prints its seed"
)]
#![allow(
    clippy::needless_raw_string_hashes,
    reason = "expect-test writes its literals so"
)]
#![allow(
    clippy::too_many_lines,
    reason = "a table of cases reads best in one piece"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "real servers are waited for on the real clock"
)]
#![allow(
    clippy::result_large_err,
    reason = "a test passes errors on, it does not make many"
)]
#![allow(
    clippy::needless_pass_by_value,
    reason = "expected messages are passed on from where they are written"
)]

mod behind_nginx;
mod boundaries;
mod cli;
mod client;
mod cluster;
mod contract;
mod covered;
mod daemon;
mod declaration;
mod deploy;
mod documentation;
mod effects;
mod grafana;
mod holds;
mod kill;
mod kinds;
mod limits;
mod lineage;
mod many;
mod matcher;
mod matcher_differential;
mod matcher_strings;
mod pacing;
mod placeholders;
mod prior_art;
mod promises;
mod requests;
mod respect;
mod server;
mod simulation;
mod source;
mod support;
mod tidy;
mod time;
mod time_cases;
mod whole_path;
