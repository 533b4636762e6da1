//! How is HTTP spoken here? One connection, one request at a time, and every
//! byte counted.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A connection that is kept open.
pub struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
    /// What every request sends along: lines with their ends.
    headers: String,
    /// Bytes of the bodies received.
    pub received: usize,
}

impl Connection {
    /// `address` is a host with a port, or a URL of them; `headers` are lines
    /// with their ends, such as an authorisation.
    pub fn open(address: &str, headers: &str) -> Self {
        let host = address.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&host).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream: BufReader::with_capacity(1 << 16, stream),
            host,
            headers: headers.to_owned(),
            received: 0,
        }
    }

    /// The body of the answer, which must be a 200.
    pub fn get(&mut self, path: &str) -> Vec<u8> {
        self.request("GET", path, &[])
    }

    /// The same, with a body of JSON.
    pub fn post(&mut self, path: &str, body: &[u8]) -> Vec<u8> {
        self.request("POST", path, body)
    }

    fn request(&mut self, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.host, self.headers, body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.stream.get_mut().write_all(&request).unwrap();

        let status = self.line();
        let mut length = None;
        loop {
            let header = self.line().to_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length: ") {
                length = value.parse().ok();
            }
        }
        let answer = match length {
            Some(length) => self.exactly(length),
            None => self.chunks(),
        };
        assert!(
            status.contains(" 200 "),
            "{method} {path}: {status}: {}",
            String::from_utf8_lossy(&answer)
        );
        self.received += answer.len();
        answer
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn exactly(&mut self, length: usize) -> Vec<u8> {
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        body
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let length = usize::from_str_radix(&self.line(), 16).unwrap();
            body.append(&mut self.exactly(length));
            self.line();
            if length == 0 {
                return body;
            }
        }
    }
}
