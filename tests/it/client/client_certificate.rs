//! A server that asks for a client certificate.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect;
use silenced::alertmanager::{
    ApiErrorKind, Client, ClientCertificate, ClientSettings, SilenceApi, TlsSettings,
};

use crate::support::alertmanager::{Alertmanager, Release};
use crate::support::certificates::Certificates;

/// A server that lets in who has a certificate of its authority.
struct Installation {
    certificates: Certificates,
    server: Alertmanager,
}

impl Installation {
    fn new() -> Self {
        let certificates = Certificates::new();
        let demand = format!(
            "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: {}\n",
            certificates.ca_file().display()
        );
        let server = certificates.alertmanager(Release::Newest, &demand);
        Self {
            certificates,
            server,
        }
    }

    fn client(&self, client_certificate: Option<ClientCertificate>) -> Client {
        let settings = ClientSettings {
            tls: TlsSettings {
                ca_file: Some(self.certificates.ca_file()),
                client_certificate,
            },
            ..ClientSettings::new(self.server.base_url())
        };
        Client::new(&settings).unwrap()
    }

    fn client_with(&self, (cert_file, key_file): (PathBuf, PathBuf)) -> Client {
        self.client(Some(ClientCertificate {
            cert_file,
            key_file,
        }))
    }

    /// A key in another form, in a file of its own.
    fn converted(&self, key: &Path, how: &[&str]) -> PathBuf {
        let original = key.file_stem().unwrap().to_str().unwrap();
        let name = format!("{original}{}.key", how.concat());
        let paths = ["-in", key.to_str().unwrap(), "-out", &name];
        self.certificates
            .openssl(&["pkey"], &[&paths, how].concat());
        self.certificates.file(&name)
    }
}

#[tokio::test]
async fn keys_in_every_form_are_understood() {
    let installation = Installation::new();
    let certificates = &installation.certificates;
    let (elliptic, key) = (certificates.file("leaf.pem"), certificates.file("leaf.key"));
    let (rsa, rsa_key) = certificates.sign("rsa", &["-newkey", "rsa:2048"]);
    let forms = [
        (elliptic.clone(), key.clone(), "BEGIN PRIVATE KEY"),
        (
            elliptic,
            installation.converted(&key, &["-traditional"]),
            "BEGIN EC PRIVATE KEY",
        ),
        (rsa.clone(), rsa_key.clone(), "BEGIN PRIVATE KEY"),
        (
            rsa,
            installation.converted(&rsa_key, &["-traditional"]),
            "BEGIN RSA PRIVATE KEY",
        ),
    ];
    for (cert_file, key_file, begin) in forms {
        let text = fs::read_to_string(&key_file).unwrap();
        assert!(text.contains(begin), "{text}");
        let client = installation.client_with((cert_file, key_file));
        client.list().await.unwrap();
    }
}

#[tokio::test]
async fn who_has_none_or_a_foreign_one_is_turned_away() {
    let installation = Installation::new();
    let mut stories = String::new();
    for client in [
        installation.client(None),
        installation.client_with(Certificates::new().sign("stranger", &["-newkey", "rsa:2048"])),
    ] {
        let error = client.list().await.unwrap_err();
        let story = error.to_string();
        let story = story.replace(installation.server.address(), "SERVER");
        writeln!(stories, "{:?} {story}", error.kind()).unwrap();
    }
    expect![[r#"
        NotSent `GET https://SERVER/api/v2/silences`: the server asks for a client certificate; nothing was handled: name one in `tls.cert_file`, and its private key in `tls.key_file`
        NotSent `GET https://SERVER/api/v2/silences`: the server does not accept the client certificate; nothing was handled: check that the certificate in `tls.cert_file` has not expired, and that the server trusts its authority
    "#]].assert_eq(&stories);
}

#[tokio::test]
async fn rotated_files_work_at_once() {
    let installation = Installation::new();
    let certificates = &installation.certificates;
    let directory = tempfile::tempdir().unwrap();
    let files = ["tls.crt", "tls.key"].map(|name| directory.path().join(name));
    let [cert_file, key_file] = files.clone();
    let client = installation.client_with((cert_file, key_file));
    for name in ["first", "second"] {
        let (certificate, key) = certificates.sign(name, &["-newkey", "rsa:2048"]);
        fs::copy(certificate, &files[0]).unwrap();
        fs::copy(key, &files[1]).unwrap();
        client.list().await.unwrap();
    }
    // An open connection of who is not trusted any more is not used again.
    let strangers = Certificates::new();
    let (certificate, key) = strangers.sign("stranger", &["-newkey", "rsa:2048"]);
    fs::copy(certificate, &files[0]).unwrap();
    fs::copy(key, &files[1]).unwrap();
    client.list().await.unwrap_err();
}

#[tokio::test]
async fn files_that_cannot_be_used() {
    let installation = Installation::new();
    let certificates = &installation.certificates;
    let (cert_file, key_file) = (certificates.file("leaf.pem"), certificates.file("leaf.key"));
    let encrypt = ["-aes256", "-passout", "pass:secret"];
    let encrypted = installation.converted(&key_file, &encrypt);
    let legacy = installation.converted(&key_file, &[&encrypt[..], &["-traditional"]].concat());
    let directory = certificates.file("");
    let mut stories = String::new();
    for (cert_file, key_file) in [
        (certificates.file("absent.pem"), key_file.clone()),
        (key_file.clone(), key_file.clone()),
        (cert_file.clone(), cert_file.clone()),
        (cert_file.clone(), certificates.file("ca.key")),
        (cert_file.clone(), encrypted),
        (cert_file.clone(), legacy),
    ] {
        let client = installation.client_with((cert_file, key_file));
        let error = client.list().await.unwrap_err();
        assert_eq!(error.kind(), ApiErrorKind::NotSent);
        let story = error.to_string() + " <- " + &causes(&error);
        let story = story.replace(installation.server.address(), "SERVER");
        stories.push_str(&story.replace(directory.to_str().unwrap(), "DIRECTORY/"));
        stories.push('\n');
    }
    expect![[r#"
        `GET https://SERVER/api/v2/silences`: the files of `tls` cannot be used; nothing was sent: check the file and its permissions <- `DIRECTORY/absent.pem` cannot be read
        `GET https://SERVER/api/v2/silences`: the files of `tls` cannot be used; nothing was sent: check the file and its permissions <- `DIRECTORY/leaf.key` holds no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)
        `GET https://SERVER/api/v2/silences`: the files of `tls` cannot be used; nothing was sent: check the file and its permissions <- `DIRECTORY/leaf.pem` holds no private key in PEM form (`-----BEGIN PRIVATE KEY-----`)
        `GET https://SERVER/api/v2/silences`: the files of `tls` cannot be used; nothing was sent: check the file and its permissions <- `DIRECTORY/ca.key` holds the private key of another certificate than `DIRECTORY/leaf.pem`
        `GET https://SERVER/api/v2/silences`: the files of `tls` cannot be used; nothing was sent: check the file and its permissions <- `DIRECTORY/leaf-aes256-passoutpass:secret.key` holds an encrypted private key, and nobody is there to type its password: decrypt it with `openssl pkey -in DIRECTORY/leaf-aes256-passoutpass:secret.key -out FILE`
        `GET https://SERVER/api/v2/silences`: the files of `tls` cannot be used; nothing was sent: check the file and its permissions <- `DIRECTORY/leaf-aes256-passoutpass:secret-traditional.key` holds an encrypted private key, and nobody is there to type its password: decrypt it with `openssl pkey -in DIRECTORY/leaf-aes256-passoutpass:secret-traditional.key -out FILE`
    "#]].assert_eq(&stories);
}

/// The first cause, without OpenSSL's own words, which change with its version.
fn causes(error: &dyn std::error::Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}
