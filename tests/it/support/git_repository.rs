//! A Git repository of a test, made with the `git` command line.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::program::program;

/// A repository with a work tree in a directory of its own.
pub(crate) struct GitRepository {
    directory: TempDir,
}

impl GitRepository {
    /// No commits; the branch is `main`.
    pub(crate) fn empty() -> Self {
        let repository = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        repository.git(&["init", "-q", "-b", "main"]);
        repository
    }

    /// One commit with one declaration, `silences/a.yaml`.
    pub(crate) fn with_one_file() -> Self {
        let repository = Self::empty();
        repository.write("silences/a.yaml", b"a: 1\n");
        repository.commit("first");
        repository
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn git_directory(&self) -> PathBuf {
        self.path().join(".git")
    }

    pub(crate) fn file_url(&self) -> String {
        file_url(self.path())
    }

    pub(crate) fn write(&self, path: &str, content: &[u8]) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Commits everything and returns the commit.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs git in the repository and returns what it printed.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.git_with_input(arguments, b"")
    }

    pub(crate) fn git_with_input(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut child = git_command()
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("git is needed: run `make tools`");
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// A directory as `--source` takes it for a repository.
pub(crate) fn file_url(directory: &Path) -> String {
    format!("file://{}", directory.display()).replace(' ', "%20")
}

/// git without the configuration of this machine, as somebody whose commits
/// have the same ids everywhere and always.
pub(crate) fn git_command() -> Command {
    let mut command = program("git");
    command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "Test")
        .env("GIT_AUTHOR_EMAIL", "test@example.com")
        .env("GIT_AUTHOR_DATE", "2026-01-05T12:00:00Z")
        .env("GIT_COMMITTER_NAME", "Test")
        .env("GIT_COMMITTER_EMAIL", "test@example.com")
        .env("GIT_COMMITTER_DATE", "2026-01-05T12:00:00Z");
    command
}
