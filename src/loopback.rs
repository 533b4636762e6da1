//! Is that host this machine itself? What is asked of it stays here: no proxy
//! leads to it, and a page that came from it is of somebody who is here already.

use std::net::IpAddr;

/// Whether the host of a URL is `localhost` or an address of the loopback,
/// `127.0.0.0/8` or `[::1]`. It is not resolved.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    host.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn it_is_told_by_its_name_and_addresses() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.9.8.7", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "localhost.example.org", "128.0.0.1", "[::2]", "0.0.0.0"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
