//! A server that answers prepared bytes, whatever it is asked: the way to be
//! answered as no honest HTTP library would.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// What every connection gets once its request was read.
#[derive(Clone)]
pub(crate) struct Reply {
    bytes: Vec<u8>,
    hang: bool,
}

impl Reply {
    /// These bytes, then the end of the connection.
    pub(crate) fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: bytes.into(),
            hang: false,
        }
    }

    /// These bytes, then nothing more on an open connection.
    pub(crate) fn then_hang(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: bytes.into(),
            hang: true,
        }
    }

    /// A complete answer. `head` is what follows `HTTP/1.1`: the status, and
    /// more header lines if any, each after `\r\n`. It says that the connection
    /// ends with it, or a client could send its next request just before it sees
    /// that, and would be right to report a broken connection.
    pub(crate) fn http(head: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let length = body.len();
        let headers = format!("Content-Length: {length}\r\nConnection: close");
        let mut bytes = format!("HTTP/1.1 {head}\r\n{headers}\r\n\r\n").into_bytes();
        bytes.extend_from_slice(body);
        Self::bytes(bytes)
    }

    /// A complete answer of JSON.
    pub(crate) fn json(status: &str, body: impl AsRef<[u8]>) -> Self {
        Self::http(&format!("{status}\r\nContent-Type: application/json"), body)
    }
}

/// Listens on a free port of the loopback interface until it is dropped.
pub(crate) struct RawServer {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl RawServer {
    /// Answers every connection with `reply`.
    pub(crate) async fn start(reply: Reply) -> Self {
        Self::answering(move |_| reply.clone()).await
    }

    /// Answers every connection with what `reply` makes of its request.
    pub(crate) async fn answering(mut reply: impl FnMut(&str) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            // Held open here, and closed with the task.
            let mut hanging = Vec::new();
            while let Ok((mut connection, _)) = listener.accept().await {
                let request = read_request(&mut connection).await;
                let reply = reply(&request);
                seen.lock().unwrap().push(request);
                // The client may hang up first: that is its right.
                let _ = connection.write_all(&reply.bytes).await;
                if reply.hang {
                    hanging.push(connection);
                }
            }
        });
        Self {
            address,
            requests,
            task,
        }
    }

    /// Host and port, as in a URL.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// The requests so far, heads and bodies as they came.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A port at which connections are refused until it is dropped: one that is only
/// free may be another test's by now.
pub(crate) struct Refusing(TcpSocket);

impl Refusing {
    /// Some port of the loopback interface, bound and not listened at.
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        Self(socket)
    }

    /// Host and port, as in a URL.
    pub(crate) fn address(&self) -> String {
        self.0.local_addr().unwrap().to_string()
    }
}

/// Up to the end of an HTTP request, or what came first if it is none (a TLS
/// handshake, for example, which begins with the byte 0x16).
async fn read_request(connection: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let count = connection.read(&mut buffer).await.unwrap_or(0);
        request.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&request);
        if count == 0 || request.first() == Some(&0x16) {
            return text.into_owned();
        }
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.parse().unwrap());
            if body.len() >= length {
                return text.into_owned();
            }
        }
    }
}
