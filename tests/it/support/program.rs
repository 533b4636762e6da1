//! In which environment does a test run a program? In an empty one, so that the
//! caller's proxies, configuration, hooks and language change nothing.

use std::env;
use std::ffi::OsStr;
use std::process::{Command, Stdio};

/// What says where things are on this machine, and nothing about what is wanted.
const KEPT: [&str; 2] = ["PATH", "TMPDIR"];

/// A program without the caller's environment and with an empty standard input.
pub(crate) fn program(path: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(path);
    let kept = KEPT.map(|name| Some((name, env::var_os(name)?)));
    command
        .env_clear()
        .envs(kept.into_iter().flatten())
        .stdin(Stdio::null());
    command
}
