//! The integration tests, in one binary.

mod matcher;
mod matcher_differential;
