//! Whom does a test's client trust? A certificate authority of the test, and a
//! server's certificate that it signed, both made by openssl.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::alertmanager::{Alertmanager, Options, Release};
use super::program::program;

/// A key of the usual elliptic curve.
const ELLIPTIC: [&str; 4] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

/// An authority and a certificate for 127.0.0.1, in a directory of their own.
pub(crate) struct Certificates {
    directory: TempDir,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let certificates = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        let extensions = "basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1\n";
        fs::write(certificates.file("leaf.ext"), extensions).unwrap();
        certificates.openssl(
            &[
                "req",
                "-x509",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=authority",
            ],
            &[&ELLIPTIC[..], &["-keyout", "ca.key", "-out", "ca.pem"]].concat(),
        );
        certificates.sign("leaf", &ELLIPTIC);
        certificates
    }

    /// A certificate for 127.0.0.1, and its key of that algorithm, in files of
    /// that name.
    pub(crate) fn sign(&self, name: &str, algorithm: &[&str]) -> (PathBuf, PathBuf) {
        let [key, request, certificate] = ["key", "csr", "pem"].map(|end| format!("{name}.{end}"));
        self.openssl(
            &["req", "-nodes", "-subj", "/CN=server"],
            &[algorithm, &["-keyout", &key, "-out", &request]].concat(),
        );
        self.openssl(
            &[
                "x509",
                "-req",
                "-days",
                "2",
                "-CAcreateserial",
                "-in",
                &request,
            ],
            &[
                "-CA",
                "ca.pem",
                "-CAkey",
                "ca.key",
                "-extfile",
                "leaf.ext",
                "-out",
                &certificate,
            ],
        );
        (self.file(&certificate), self.file(&key))
    }

    pub(crate) fn openssl(&self, what: &[&str], how: &[&str]) {
        let output = program("openssl")
            .args(what)
            .args(how)
            .current_dir(self.directory.path())
            .output()
            .expect("openssl is needed: run `make tools`");
        assert!(output.status.success(), "{output:?}");
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The authority's certificate.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// The part of Alertmanager's `--web.config.file` that names the server's.
    pub(crate) fn web_config(&self) -> String {
        format!(
            "tls_server_config:\n  cert_file: {}\n  key_file: {}\n",
            self.file("leaf.pem").display(),
            self.file("leaf.key").display()
        )
    }

    /// An Alertmanager that shows the server's certificate; `more` is added to its
    /// `tls_server_config`.
    pub(crate) fn alertmanager(&self, release: Release, more: &str) -> Alertmanager {
        let options = Options {
            web_config: Some(&format!("{}{more}", self.web_config())),
            ..Options::default()
        };
        Alertmanager::start(release, &options)
    }

    /// What [`Self::web_config`] says, for nginx.
    pub(crate) fn nginx(&self) -> String {
        format!(
            "ssl_certificate \"{}\";\nssl_certificate_key \"{}\";\n",
            self.file("leaf.pem").display(),
            self.file("leaf.key").display()
        )
    }
}
