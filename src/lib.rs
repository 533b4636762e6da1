//! silenced keeps the silences of Prometheus Alertmanager in step with a Git
//! repository of YAML.
//!
//! Data flows one way, and the modules are listed in that order:
//!
//! ```text
//! source -> snapshot -> declarations -> occurrences -> plan -> apply -> status
//! ```

// Vocabulary: values.
pub mod duration;
pub mod interval;
pub mod matcher;
pub mod name;
pub mod nearest;
pub mod silence;
pub mod snapshot;
pub mod timestamp;
pub mod uptime;

// The functional core: no IO, no clock, no async.
pub mod declaration;
pub mod plan;
pub mod schedule;
pub mod zone;

// An Alertmanager in memory: pure, but for the HTTP around it.
pub mod memory;

// The imperative shell.
#[cfg(feature = "daemon")]
pub mod alertmanager;
#[cfg(feature = "daemon")]
pub mod apply;
#[cfg(feature = "daemon")]
pub mod cli;
#[cfg(feature = "daemon")]
pub mod clock;
#[cfg(feature = "daemon")]
pub mod config;
#[cfg(feature = "daemon")]
pub mod daemon;
#[cfg(feature = "daemon")]
pub mod loopback;
#[cfg(feature = "daemon")]
pub mod reconcile;
#[cfg(feature = "daemon")]
pub mod server;
#[cfg(feature = "daemon")]
pub mod source;
#[cfg(feature = "daemon")]
pub mod stop;
#[cfg(feature = "daemon")]
pub mod telemetry;
#[cfg(feature = "daemon")]
pub mod zoneinfo;
