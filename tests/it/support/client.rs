//! How does a test itself ask a server? Straight, whatever proxies the caller's
//! environment names.

use reqwest::Client;

/// Without TLS: to read the machine's authorities takes longer than a list.
pub(crate) fn client() -> Client {
    let client = Client::builder().no_proxy().tls_certs_only([]);
    client.build().unwrap()
}
