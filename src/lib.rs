//! silenced keeps the silences of Prometheus Alertmanager in step with a Git
//! repository of YAML.
//!
//! Data flows one way, and the modules are listed in that order:
//!
//! ```text
//! source -> snapshot -> declarations -> occurrences -> plan -> apply -> status
//! ```

// Vocabulary: values.
pub mod interval;
pub mod matcher;
pub mod name;
pub mod silence;
pub mod snapshot;
pub mod timestamp;

// The functional core: no IO, no clock, no async.
// pub mod schedule;
// pub mod declaration;
// pub mod plan;

// An Alertmanager in memory: pure, but for the HTTP around it.
pub mod memory;

// The imperative shell.
