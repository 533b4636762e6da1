//! What several integration tests share.

pub(crate) mod alertmanager;
pub(crate) mod certificates;
pub(crate) mod changes;
pub(crate) mod client;
pub(crate) mod configuration;
pub(crate) mod daemon;
pub(crate) mod fleet;
pub(crate) mod git_repository;
pub(crate) mod git_server;
pub(crate) mod nginx;
pub(crate) mod passes;
pub(crate) mod program;
pub(crate) mod random;
pub(crate) mod raw_server;
pub(crate) mod reconciler;
pub(crate) mod round_robin;
pub(crate) mod tool;
pub(crate) mod world;
