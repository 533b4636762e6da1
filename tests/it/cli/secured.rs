//! A server that is all that a configuration file can describe: below a prefix,
//! behind a password, under TLS with an authority of its own.

use std::fs;

use super::{NIGHTLY, directory, finish, silenced};
use crate::support::alertmanager::{Alertmanager, Options, PASSWORDS, Release};
use crate::support::certificates::Certificates;

const CONFIGURATION: &str = "\
instance: lab
source: {directory: silences}
targets:
  - name: main
    url: URL
    basic_auth: {username: a, password_file: password}
    tls: {ca_file: ca.pem}
";

#[test]
fn apply_reaches_it_and_converges() {
    let certificates = Certificates::new();
    let server = Alertmanager::start(
        Release::Newest,
        &Options {
            route_prefix: "/team/alertmanager",
            web_config: Some(&format!("{}{PASSWORDS}", certificates.web_config())),
            ..Options::default()
        },
    );
    let installation = directory(&[
        (
            "silenced.yaml",
            &CONFIGURATION.replace("URL", &server.base_url()),
        ),
        ("silences/nightly.yaml", NIGHTLY),
        ("password", "secret\n"),
    ]);
    let file = |name: &str| installation.path().join(name);
    fs::copy(certificates.ca_file(), file("ca.pem")).unwrap();
    let run = |command: &str| {
        finish(
            silenced()
                .args([command, "--config"])
                .arg(file("silenced.yaml")),
        )
    };
    assert_eq!(run("plan").code, Some(2));
    assert_eq!(run("apply").code, Some(0));
    assert_eq!(run("plan").code, Some(0), "nothing is left to do");

    fs::write(file("password"), "guess\n").unwrap();
    let refused = run("plan");
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("401 Unauthorized"));

    // The authorities of the file alone, whomever the machine trusts.
    fs::copy(Certificates::new().ca_file(), file("ca.pem")).unwrap();
    let distrusted = finish(
        silenced()
            .env("SSL_CERT_FILE", certificates.ca_file())
            .args(["plan", "--config"])
            .arg(file("silenced.yaml")),
    );
    assert_eq!(distrusted.code, Some(1));
    assert!(distrusted.stderr.contains("is not trusted"));
}
