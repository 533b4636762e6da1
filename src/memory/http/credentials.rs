//! Who asks? Credentials as requests carry them.

use axum::Router;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};

/// A name and a password, as basic authentication sends them.
#[derive(Clone, PartialEq, Eq)]
pub struct Password {
    header: String,
}

impl Password {
    /// `name` must not contain a colon.
    #[must_use]
    pub fn new(name: &str, password: &str) -> Self {
        Self {
            header: format!("Basic {}", base64(format!("{name}:{password}").as_bytes())),
        }
    }

    /// Whether a request carries it.
    pub(in crate::memory) fn is_in(&self, headers: &HeaderMap) -> bool {
        headers
            .get(AUTHORIZATION)
            .is_some_and(|value| value.as_bytes() == self.header.as_bytes())
    }

    /// `router` for those who know the password: everybody else gets what
    /// `--web.config.file` makes Alertmanager answer (Prometheus'
    /// `exporter-toolkit`), on every path.
    pub fn protect(self, router: Router) -> Router {
        router.layer(from_fn(move |request: Request, next: Next| {
            let password = self.clone();
            async move {
                if password.is_in(request.headers()) {
                    next.run(request).await
                } else {
                    unauthorized()
                }
            }
        }))
    }
}

fn unauthorized() -> Response {
    let challenge = [(WWW_AUTHENTICATE, "Basic")];
    (StatusCode::UNAUTHORIZED, challenge, "Unauthorized\n").into_response()
}

/// The token of `Authorization: Bearer`.
pub(in crate::memory) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let whole = (0..3).fold(0, |whole: u32, place| {
            whole << 8 | u32::from(chunk.get(place).copied().unwrap_or_default())
        });
        for place in 0..4 {
            let digit = whole >> (18 - 6 * place) & 0b11_1111;
            let digit = usize::try_from(digit)
                .ok()
                .and_then(|digit| ALPHABET.get(digit));
            text.push(match digit {
                Some(&digit) if place <= chunk.len() => char::from(digit),
                _ => '=',
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    /// RFC 4648, section 10.
    #[test]
    fn base64_is_the_standard_one() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("\u{ff}", "w78="),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
