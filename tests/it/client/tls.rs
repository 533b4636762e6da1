//! A server whose certificate an authority of its own has signed.

use std::fs;
use std::path::Path;

use expect_test::expect;
use silenced::alertmanager::{
    ApiErrorKind, Client, ClientSettings, Expired, InvalidSettings, SilenceApi, TlsSettings,
};

use super::draft;
use crate::support::alertmanager::{Alertmanager, Release};
use crate::support::certificates::Certificates;

/// A server under TLS, and a file in which its authority may be named.
struct Installation {
    certificates: Certificates,
    server: Alertmanager,
}

impl Installation {
    fn new() -> Self {
        let certificates = Certificates::new();
        let server = certificates.alertmanager(Release::V0_28, "");
        Self {
            certificates,
            server,
        }
    }

    /// Why `client` cannot list, the same for every machine.
    async fn story(&self, client: &Client, file: &Path) -> String {
        let error = client.list().await.unwrap_err();
        assert_eq!(error.kind(), ApiErrorKind::NotSent);
        let story = error.with_causes();
        story
            .replace(self.server.address(), "SERVER")
            .replace(file.to_str().unwrap(), "FILE")
    }

    /// The same without OpenSSL's own words, which change with its version.
    async fn distrust(&self, client: &Client) -> String {
        let error = client.list().await.unwrap_err();
        assert_eq!(error.kind(), ApiErrorKind::NotSent);
        error.to_string().replace(self.server.address(), "SERVER")
    }
}

fn trusting(url: String, file: &Path) -> Result<Client, InvalidSettings> {
    Client::new(&ClientSettings {
        tls: TlsSettings {
            ca_file: Some(file.to_owned()),
            ..TlsSettings::default()
        },
        ..ClientSettings::new(url)
    })
}

#[tokio::test]
async fn with_its_authority_every_call_works() {
    let installation = Installation::new();
    let file = installation.certificates.ca_file();
    let client = trusting(installation.server.base_url(), &file).unwrap();
    let id = client.set(&draft()).await.unwrap();
    assert_eq!(client.list().await.unwrap().silences[0].id, id);
    assert!(client.members().await.unwrap().is_alone());
    assert_eq!(client.expire(&id).await.unwrap(), Expired::Done);
}

#[tokio::test]
async fn authorities_are_read_for_every_request() {
    let installation = Installation::new();
    let authority = fs::read(installation.certificates.ca_file()).unwrap();
    let stranger = fs::read(Certificates::new().ca_file()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ca.pem");
    let client = trusting(installation.server.base_url(), &file).unwrap();
    expect!["`GET https://SERVER/api/v2/silences`: the files of `tls` cannot be used: `FILE` cannot be read: No such file or directory (os error 2); nothing was sent: check the file and its permissions"].assert_eq(&installation.story(&client, &file).await);

    fs::write(&file, &stranger).unwrap();
    let untrusted = installation.distrust(&client).await;
    expect!["`GET https://SERVER/api/v2/silences`: the server's certificate is not trusted; nothing was sent: the name in the URL must be one of the certificate's, and its authority one of those in `tls.ca_file`"].assert_eq(&untrusted);

    let both = [stranger.clone(), authority].concat();
    fs::write(&file, &both).unwrap();
    client.list().await.unwrap();
    client.list().await.unwrap();

    // An open connection to whom nobody trusts any more is not used again.
    fs::write(&file, &stranger).unwrap();
    assert_eq!(installation.distrust(&client).await, untrusted);
}

#[tokio::test]
async fn what_no_authority_can_be() {
    let installation = Installation::new();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ca.pem");
    let client = trusting(installation.server.base_url(), &file).unwrap();
    let mut stories = String::new();
    for content in [
        String::new(),
        "no certificate".to_owned(),
        "-----BEGIN CERTIFICATE-----\n".to_owned(),
        "x".repeat((1 << 20) + 1),
    ] {
        fs::write(&file, content).unwrap();
        stories.push_str(&installation.story(&client, &file).await);
        stories.push('\n');
    }
    expect![[r#"
        `GET https://SERVER/api/v2/silences`: the files of `tls` cannot be used: `FILE` holds no certificate in PEM form (`-----BEGIN CERTIFICATE-----`); nothing was sent: check the file and its permissions
        `GET https://SERVER/api/v2/silences`: the files of `tls` cannot be used: `FILE` holds no certificate in PEM form (`-----BEGIN CERTIFICATE-----`); nothing was sent: check the file and its permissions
        `GET https://SERVER/api/v2/silences`: the files of `tls` cannot be used: `FILE` holds a certificate that cannot be used: builder error: invalid certificate encoding; nothing was sent: check the file and its permissions
        `GET https://SERVER/api/v2/silences`: the files of `tls` cannot be used: `FILE` is larger than 1 MiB; nothing was sent: check the file and its permissions
    "#]].assert_eq(&stories);
}

#[tokio::test]
async fn machines_do_not_trust_it() {
    let installation = Installation::new();
    let client = Client::new(&ClientSettings::new(installation.server.base_url())).unwrap();
    expect!["`GET https://SERVER/api/v2/silences`: the server's certificate is not trusted; nothing was sent: the name in the URL must be one of the certificate's, and its authority one that this machine trusts, or the one in `tls.ca_file`"].assert_eq(&installation.distrust(&client).await);
}

#[test]
fn an_authority_without_tls() {
    let error = trusting("http://host".to_owned(), "ca.pem".as_ref()).unwrap_err();
    expect!["`http://host/` begins with `http://`, so that `tls` would not be used: write `https://`, or leave `tls` away"].assert_eq(&error.to_string());
}

#[tokio::test]
async fn a_self_signed_certificate_is_its_own_authority() {
    let certificates = Certificates::new();
    certificates.openssl(
        &["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=self"],
        &[
            "-newkey",
            "rsa:2048",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            "leaf.key",
            "-out",
            "leaf.pem",
        ],
    );
    let server = certificates.alertmanager(Release::V0_28, "");
    let client = trusting(server.base_url(), &certificates.file("leaf.pem")).unwrap();
    client.list().await.unwrap();
}
