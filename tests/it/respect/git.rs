//! What does Git tell about a declaration since it was written?

use std::time::Duration;

use silenced::clock::Clock;
use tempfile::TempDir;

use crate::cli::{Finished, directory, finish, silenced};
use crate::support::alertmanager::{Alertmanager, Options, Release};
use crate::support::git_repository::GitRepository;
use crate::support::passes::ONCE;

const HOUR: Duration = Duration::from_hours(1);

/// A real repository and server; every run is a process of its own.
struct Installation {
    repository: GitRepository,
    alertmanager: Alertmanager,
    directory: TempDir,
    file: String,
}

impl Installation {
    /// One silence, which somebody has just ended.
    fn with_ended_silence() -> Self {
        let repository = GitRepository::empty();
        let alertmanager = Alertmanager::start(Release::Newest, &Options::default());
        let configuration = format!(
            "instance: lab\nhand_expired: respect\nsource: {{url: '{}'}}\n\
             targets: [{{name: default, url: '{}'}}]\n",
            repository.file_url(),
            alertmanager.base_url()
        );
        let now = Clock::System.now();
        let file = ONCE
            .replace("2026-01-08T12:00:00Z", &now.minus(HOUR).to_string())
            .replace("2026-01-15T12:00:00Z", &now.plus(24 * HOUR).to_string());
        let installation = Self {
            repository,
            alertmanager,
            directory: directory(&[("silenced.yaml", &configuration)]),
            file,
        };
        installation.commit("silences/once.yaml", &installation.file);
        assert_eq!(installation.run("apply").code, Some(0));
        let ids = installation.amtool(&["query", "-q"]);
        installation.amtool(&["expire", ids.trim()]);
        installation
    }

    fn commit(&self, path: &str, text: &str) {
        self.repository.write(path, text.as_bytes());
        self.repository.commit(path);
    }

    fn run(&self, command: &str) -> Finished {
        let mut silenced = silenced();
        silenced.args([command, "--config", "silenced.yaml"]);
        finish(silenced.current_dir(self.directory.path()))
    }

    fn amtool(&self, arguments: &[&str]) -> String {
        let silence = [&["silence"], arguments].concat();
        self.alertmanager.amtool(&silence)
    }

    fn assert_it_stays_ended(&self) {
        let Finished { stdout, stderr, .. } = self.run("apply");
        assert!(stdout.contains("held (hand-expired)"), "{stdout}{stderr}");
        assert_eq!(self.amtool(&["query", "-q"]), "", "{stdout}{stderr}");
    }

    /// What `apply` says of it.
    fn assert_it_is_made_again(&self) -> String {
        let Finished { stdout, stderr, .. } = self.run("apply");
        assert!(stdout.contains("1 to create"), "{stdout}{stderr}");
        assert_ne!(self.amtool(&["query", "-q"]), "", "{stdout}{stderr}");
        stdout
    }
}

#[test]
fn git_tells_that_nothing_happened_to_the_declaration() {
    let installation = Installation::with_ended_silence();
    installation.assert_it_stays_ended();
    installation.commit("README.md", "Unrelated.\n");
    installation.commit("silences/other.yaml", "silences: []\n");
    installation.assert_it_stays_ended();
    let commented = format!("# For the database.\n{}", installation.file);
    installation.commit("silences/once.yaml", &commented);
    installation.assert_it_stays_ended();
}

#[test]
fn git_tells_that_the_declaration_was_another_in_between() {
    let installation = Installation::with_ended_silence();
    let changed = installation.file.replace("Known defect", "Known fault");
    installation.commit("silences/once.yaml", &changed);
    installation.commit("silences/once.yaml", &installation.file);
    installation.assert_it_is_made_again();
}

#[test]
fn git_tells_that_the_declaration_was_absent_in_between() {
    let installation = Installation::with_ended_silence();
    installation
        .repository
        .git(&["rm", "-q", "silences/once.yaml"]);
    installation.commit("README.md", "Removed.\n");
    installation.commit("silences/once.yaml", &installation.file);
    installation.assert_it_is_made_again();
}

/// The commit of the silence is no longer part of the branch.
#[test]
fn a_rewritten_history_tells_nothing() {
    let installation = Installation::with_ended_silence();
    let amend = ["commit", "-q", "--amend", "-m", "Better message."];
    installation.repository.git(&amend);
    let told = installation.assert_it_is_made_again();
    let remark = "by hand or by an earlier process, and is created again";
    assert!(told.contains(remark), "{told}");
}
