//! Whose fault is it? Tells failures of the network and the server from damage
//! of the mirror, and sorts the former by what helps.
//!
//! libgit2 reports an HTTP status only in the text of its error, so texts are
//! compared; each has a test that meets it for real or repeats it.

use std::path::Path;

use git2::{Error, ErrorClass, ErrorCode};

use crate::source::error::{RemoteFailure, SourceError};

/// The mirror failed us.
pub(super) fn local(path: &Path, error: &Error) -> SourceError {
    SourceError::local(path, &error.message().trim_end_matches([' ', ':']))
}

/// Whether an error of a download comes from the other side. The mirror is
/// written in the same call, so it may be either.
pub(super) fn is_remote(error: &Error) -> bool {
    matches!(
        error.class(),
        ErrorClass::Net | ErrorClass::Http | ErrorClass::Ssl | ErrorClass::Callback
    ) || error.code() == ErrorCode::Timeout
        // A timeout under TLS has the class of the operating system
        // (https://github.com/libgit2/libgit2/issues/7301).
        || error.message().starts_with("SSL error")
}

/// What an error of the other side means.
pub(super) fn classify(error: &Error) -> RemoteFailure {
    let message = error.message();
    let reason = message.to_owned();
    let says = |text: &str| message.contains(text);
    if let Some(status) = http_status(message) {
        return match status {
            401 | 403 => RemoteFailure::Authentication(format!("HTTP {status}")),
            404 | 410 => RemoteFailure::NotFound(format!("HTTP {status}")),
            _ => RemoteFailure::Status(status),
        };
    }
    if says("authentication required") || says("authentication replays") {
        return RemoteFailure::Authentication("HTTP 401".to_owned());
    }
    if let Some((_, content_type)) = message.split_once("invalid content-type: ") {
        return RemoteFailure::NotGit(content_type.trim_matches('\'').to_owned());
    }
    if error.code() == ErrorCode::Timeout || says("timed out") {
        return RemoteFailure::TimedOut(reason);
    }
    // Under TLS libgit2 does not tell silence from a lost connection; the rest
    // of its text is whichever error the operating system had last.
    if says("SSL error: syscall failure") {
        return RemoteFailure::Interrupted(
            "no answer under TLS; the server hung up, was silent for too long, \
             or does not speak TLS"
                .to_owned(),
        );
    }
    // Of a file:// URL: nothing is there, or no repository.
    if says("failed to resolve path") || says("could not find repository") {
        return RemoteFailure::NotFound(reason);
    }
    match (error.class(), error.code()) {
        (_, ErrorCode::Certificate) | (ErrorClass::Ssl, _) => RemoteFailure::Tls(reason),
        (_, ErrorCode::Auth) => RemoteFailure::Authentication(reason),
        _ if says("failed to resolve address") || says("failed to connect") => {
            RemoteFailure::Unreachable(reason)
        }
        _ => RemoteFailure::Interrupted(reason),
    }
}

fn http_status(message: &str) -> Option<u16> {
    let (_, rest) = message.split_once("unexpected http status code: ")?;
    rest.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::needless_raw_string_hashes)]

    use expect_test::expect;
    use git2::{Error, ErrorClass, ErrorCode};

    use super::{classify, is_remote};

    /// Texts that libgit2 1.9.7 was seen to give and that need a silent or a
    /// strange server. The others are met for real in `tests/it/source`.
    #[test]
    fn knows_the_texts_of_libgit2() {
        let cases = [
            (
                ErrorCode::Timeout,
                ErrorClass::Net,
                "could not read from socket: timed out",
            ),
            (
                ErrorCode::GenericError,
                ErrorClass::Os,
                "SSL error: syscall failure: Resource temporarily unavailable",
            ),
            (
                ErrorCode::Certificate,
                ErrorClass::Ssl,
                "the SSL certificate is invalid",
            ),
            (
                ErrorCode::GenericError,
                ErrorClass::Net,
                "failed to resolve address for git.invalid: Name or service not known",
            ),
            (
                ErrorCode::GenericError,
                ErrorClass::Http,
                "unexpected http status code: 429",
            ),
            (
                ErrorCode::GenericError,
                ErrorClass::Http,
                "too many redirects or authentication replays",
            ),
        ];
        let seen: Vec<_> = cases
            .iter()
            .map(|(code, class, text)| {
                let error = Error::new(*code, *class, text);
                assert!(is_remote(&error), "{text}");
                format!("{:?}\n", classify(&error))
            })
            .collect();
        expect![[r#"
            TimedOut("could not read from socket: timed out")
            Interrupted("no answer under TLS; the server hung up, was silent for too long, or does not speak TLS")
            Tls("the SSL certificate is invalid")
            Unreachable("failed to resolve address for git.invalid: Name or service not known")
            Status(429)
            Authentication("HTTP 401")
        "#]]
        .assert_eq(&seen.concat());
    }

    #[test]
    fn damage_of_the_mirror_is_not_the_networks_fault() {
        for (code, class, text) in [
            (ErrorCode::NotFound, ErrorClass::Odb, "object not found"),
            (
                ErrorCode::Locked,
                ErrorClass::Os,
                "failed to lock file 'shallow.lock'",
            ),
            (
                ErrorCode::GenericError,
                ErrorClass::Reference,
                "corrupted HEAD",
            ),
        ] {
            assert!(!is_remote(&Error::new(code, class, text)), "{text}");
        }
    }
}
