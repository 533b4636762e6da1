//! Whose certificates are trusted, and which one is ours? What the files of a
//! TLS connection hold now.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::x509::X509;
use reqwest::{Certificate, Identity};

use super::settings::TlsSettings;

/// A whole Debian's authorities are 220 KB.
const LARGEST_FILE: u64 = 1 << 20;

/// Contents of the files, by which connections are told apart. Not `Debug`, on
/// purpose: one of them is a private key.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct TlsContents {
    authorities: Option<Vec<u8>>,
    /// Certificate and private key.
    identity: Option<(Vec<u8>, Vec<u8>)>,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnusableTls {
    #[error("`{}` cannot be read", .0.display())]
    File(PathBuf, #[source] std::io::Error),
    #[error("`{}` is larger than 1 MiB", .0.display())]
    TooLarge(PathBuf),
    #[error("`{}` holds no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)", .0.display())]
    NoCertificate(PathBuf),
    #[error("`{}` holds a certificate that cannot be used", .0.display())]
    Certificate(PathBuf, #[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("`{}` holds no private key in PEM form (`-----BEGIN PRIVATE KEY-----`)", .0.display())]
    Key(PathBuf, #[source] ErrorStack),
    #[error(
        "`{}` holds an encrypted private key, and nobody is there to type its password: \
         decrypt it with `openssl pkey -in {} -out FILE`",
        .0.display(),
        .0.display()
    )]
    EncryptedKey(PathBuf),
    #[error("`{}` holds the private key of another certificate than `{}`", .0.display(), .1.display())]
    ForeignKey(PathBuf, PathBuf),
    #[error("no TLS connection can be set up on this machine")]
    Setup(#[source] reqwest::Error),
}

impl TlsSettings {
    /// Whether there are any.
    pub(super) const fn is_default(&self) -> bool {
        self.ca_file.is_none() && self.client_certificate.is_none()
    }

    /// Reads without `await`, as secrets are read.
    pub(super) fn read(&self) -> Result<TlsContents, UnusableTls> {
        Ok(TlsContents {
            authorities: self.ca_file.as_deref().map(read).transpose()?,
            identity: match &self.client_certificate {
                Some(files) => Some((read(&files.cert_file)?, read(&files.key_file)?)),
                None => None,
            },
        })
    }

    /// The certificates that `contents`, read from these files, tell to trust;
    /// none for those of the machine.
    pub(super) fn authorities(
        &self,
        contents: &TlsContents,
    ) -> Result<Option<Vec<Certificate>>, UnusableTls> {
        let (Some(file), Some(pem)) = (&self.ca_file, &contents.authorities) else {
            return Ok(None);
        };
        let unusable = |error: reqwest::Error| UnusableTls::Certificate(file.clone(), error.into());
        let certificates = Certificate::from_pem_bundle(pem).map_err(unusable)?;
        if certificates.is_empty() {
            return Err(UnusableTls::NoCertificate(file.clone()));
        }
        Ok(Some(certificates))
    }

    /// Who `contents`, read from these files, say that we are.
    pub(super) fn identity(&self, contents: &TlsContents) -> Result<Option<Identity>, UnusableTls> {
        let (Some(files), Some((certificate, key))) =
            (&self.client_certificate, &contents.identity)
        else {
            return Ok(None);
        };
        let (cert_file, key_file) = (&files.cert_file, &files.key_file);
        let unusable =
            |error: ErrorStack| UnusableTls::Certificate(cert_file.clone(), error.into());
        let chain = X509::stack_from_pem(certificate).map_err(unusable)?;
        let Some(leaf) = chain.first() else {
            return Err(UnusableTls::NoCertificate(cert_file.clone()));
        };
        // All its forms (PKCS #1, SEC 1, PKCS #8) become the one that reqwest
        // takes: cert-manager writes the first unless it is told otherwise.
        if contains(key, b"ENCRYPTED") {
            return Err(UnusableTls::EncryptedKey(key_file.clone()));
        }
        let unusable_key = |error| UnusableTls::Key(key_file.clone(), error);
        // Without the callback OpenSSL would ask on the terminal.
        let key = PKey::private_key_from_pem_callback(key, |_| Ok(0)).map_err(unusable_key)?;
        if !leaf.public_key().map_err(unusable)?.public_eq(&key) {
            return Err(UnusableTls::ForeignKey(key_file.clone(), cert_file.clone()));
        }
        let key = key.private_key_to_pem_pkcs8().map_err(unusable_key)?;
        let identity = Identity::from_pkcs8_pem(certificate, &key)
            .map_err(|error| UnusableTls::Certificate(cert_file.clone(), error.into()))?;
        Ok(Some(identity))
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn read(path: &Path) -> Result<Vec<u8>, UnusableTls> {
    let mut pem = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut pem))
        .map_err(|error| UnusableTls::File(path.to_owned(), error))?;
    if pem.len() as u64 > LARGEST_FILE {
        return Err(UnusableTls::TooLarge(path.to_owned()));
    }
    Ok(pem)
}
