//! The program as people and scripts use it: arguments and environment in,
//! standard output, standard error and an exit code out.

mod access;
mod configuration;
mod expand;
mod help;
mod lifecycle;
mod reconcile;
mod secured;
mod targets;
mod validate;

use std::path::Path;
use std::process::Command;

use expect_test::Expect;
use tempfile::TempDir;

use crate::support::program::program;

/// The program, whatever the caller's environment says.
pub(crate) fn silenced() -> Command {
    program(env!("CARGO_BIN_EXE_silenced"))
}

/// What a run left behind.
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn finish(command: &mut Command) -> Finished {
    let output = command.output().unwrap();
    Finished {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Finished {
    /// Everything in one text, with `replaced` names in place of what differs
    /// from run to run.
    pub(crate) fn shown(&self, replaced: &[(&str, &str)]) -> String {
        let code = match self.code {
            Some(code) => code.to_string(),
            None => "none".to_owned(),
        };
        let mut text = format!("{}{}exit {code}\n", self.stdout, self.stderr);
        for (from, to) in replaced {
            text = text.replace(from, to);
        }
        text
    }
}

/// What running with `arguments` in `directory` comes to.
fn check(directory: &TempDir, arguments: &[&str], expected: &Expect) {
    let finished = finish(silenced().args(arguments).current_dir(directory.path()));
    expected.assert_eq(&finished.shown(&[]));
}

/// A directory with these files.
pub(crate) fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (path, content) in files {
        write(directory.path(), path, content);
    }
    directory
}

fn write(directory: &Path, path: &str, content: &str) {
    let path = directory.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// Two silences without a mistake.
pub(crate) const NIGHTLY: &str = "\
owner: automation
timezone: Europe/Berlin
silences:
  - name: nightly-info
    comment: Low-severity noise waits for the morning.
    matchers: [severity=\"info\"]
    schedule:
      times: [{start_time: \"22:00\", end_time: \"06:00\"}]
  - name: over
    comment: This is over.
    matchers: [env=\"test\"]
    schedule: {starts_at: 2025-12-24T18:00, duration: 2h}
";

/// A file with an error in line 6.
const BROKEN: &str = "\
owner: automation
silences:
  - name: broken
    comment: Something is wrong here.
    matchers: [severity=\"info\"]
    shedule: always
";
