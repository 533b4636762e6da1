//! What does the program ask for? A relay in front of a server that counts
//! requests and bytes.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What went through a relay so far.
#[derive(Default)]
pub struct Traffic {
    pub requests: AtomicUsize,
    /// Bytes of the answers, headers included.
    pub received: AtomicUsize,
}

impl Traffic {
    /// Requests and bytes since the last call.
    pub fn take(&self) -> (usize, usize) {
        let take = |count: &AtomicUsize| count.swap(0, Ordering::SeqCst);
        (take(&self.requests), take(&self.received))
    }
}

/// Relays to `server` as long as this process runs; returns the URL to use instead.
pub fn relay(server: &str) -> (String, Arc<Traffic>) {
    let server = server.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let traffic = Arc::new(Traffic::default());
    let counted = Arc::clone(&traffic);
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let Ok(server) = TcpStream::connect(&server) else {
                continue;
            };
            let (from_client, from_server) =
                (client.try_clone().unwrap(), server.try_clone().unwrap());
            let (requests, received) = (Arc::clone(&counted), Arc::clone(&counted));
            thread::spawn(move || {
                pass_on(from_client, server, |bytes| {
                    // A request line is never cut in two: requests are small.
                    let lines = bytes
                        .windows(11)
                        .filter(|window| window == b" HTTP/1.1\r\n");
                    requests.requests.fetch_add(lines.count(), Ordering::SeqCst);
                });
            });
            thread::spawn(move || {
                pass_on(from_server, client, |bytes| {
                    received.received.fetch_add(bytes.len(), Ordering::SeqCst);
                });
            });
        }
    });
    (url, traffic)
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, count: impl Fn(&[u8])) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        count(&buffer[..length]);
        if to.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}
