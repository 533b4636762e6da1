//! Code that several tests share.

pub(crate) mod raw_server;
