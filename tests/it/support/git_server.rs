//! A Git server over smart HTTP on the loopback: `git http-backend` behind a
//! small CGI server, which can also misbehave.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread;

use super::git_repository::git_command;

/// How the server answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Behaviour {
    /// As Git.
    Serve,
    /// With this status and nothing else.
    Status(u16),
    /// With a page for people, status 200.
    LoginPage,
    /// Hangs up without a word.
    HangUp,
    /// Answers the advertisement, and hangs up half-way through the pack.
    CutPack,
}

/// The server; it stops when it is dropped.
pub(crate) struct GitServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    behaviour: Behaviour,
    stopped: bool,
    requests: Vec<String>,
}

impl GitServer {
    /// Serves the repository whose `.git` (or bare) directory this is.
    pub(crate) fn start(git_directory: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            behaviour: Behaviour::Serve,
            stopped: false,
            requests: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.lock().unwrap().stopped {
                    return;
                }
                let (shared, git_directory) = (Arc::clone(&shared), git_directory.clone());
                // A client that hangs up is its own affair.
                thread::spawn(move || drop(answer(stream.unwrap(), &git_directory, &shared)));
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/repository.git", self.address)
    }

    pub(crate) fn behave(&self, behaviour: Behaviour) {
        self.state.lock().unwrap().behaviour = behaviour;
    }

    /// Method and path of every request since the last call.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.state.lock().unwrap().stopped = true;
        // Wakes the thread that waits for a connection.
        drop(TcpStream::connect(self.address));
    }
}

struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn read(reader: &mut impl BufRead) -> std::io::Result<Self> {
        let line = read_line(reader)?;
        let mut words = line.split(' ').map(str::to_owned);
        let (method, target) = (words.next().unwrap(), words.next().unwrap_or_default());
        let mut headers = Vec::new();
        while let Some((name, value)) = read_line(reader)?.split_once(": ") {
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let mut request = Self {
            method,
            target,
            headers,
            body: Vec::new(),
        };
        if request.header("transfer-encoding") == Some("chunked") {
            loop {
                let size = usize::from_str_radix(&read_line(reader)?, 16).unwrap();
                let mut chunk = vec![0; size];
                reader.read_exact(&mut chunk)?;
                read_line(reader)?;
                request.body.extend(chunk);
                if size == 0 {
                    break;
                }
            }
        } else if let Some(length) = request.header("content-length") {
            let mut body = vec![0; length.parse().unwrap()];
            reader.read_exact(&mut body)?;
            request.body = body;
        }
        Ok(request)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(other, _)| other == name)?;
        Some(value)
    }
}

fn read_line(reader: &mut impl BufRead) -> std::io::Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

fn answer(
    mut stream: TcpStream,
    git_directory: &Path,
    state: &Mutex<State>,
) -> std::io::Result<()> {
    let request = Request::read(&mut BufReader::new(stream.try_clone()?))?;
    let behaviour = {
        let mut state = state.lock().unwrap();
        let seen = format!("{} {}", request.method, request.target);
        state.requests.push(seen);
        state.behaviour
    };
    let page = "<html><body>Please log in</body></html>";
    let response = match behaviour {
        Behaviour::HangUp => Vec::new(),
        Behaviour::Status(status) => {
            let challenge = "WWW-Authenticate: Basic realm=\"git\"\r\n";
            let challenge = if status == 401 { challenge } else { "" };
            format!(
                "HTTP/1.1 {status} No\r\n{challenge}Content-Length: 0\r\nConnection: close\r\n\r\n"
            )
            .into_bytes()
        }
        Behaviour::LoginPage => format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{page}",
            page.len()
        )
        .into_bytes(),
        Behaviour::Serve => run_backend(&request, git_directory)?,
        Behaviour::CutPack => {
            let mut response = run_backend(&request, git_directory)?;
            if request.method == "POST" {
                response.truncate(response.len() / 2);
            }
            response
        }
    };
    stream.write_all(&response)?;
    stream.shutdown(Shutdown::Both)
}

/// Runs `git http-backend` as CGI (RFC 3875) and turns what it says into HTTP.
fn run_backend(request: &Request, git_directory: &Path) -> std::io::Result<Vec<u8>> {
    let (path, query) = request
        .target
        .split_once('?')
        .unwrap_or((&request.target, ""));
    let path = path.strip_prefix("/repository.git").unwrap_or(path);
    let mut child = git_command()
        .arg("http-backend")
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_PROJECT_ROOT", git_directory)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", &request.method)
        .env("CONTENT_TYPE", request.header("content-type").unwrap_or(""))
        .env(
            "HTTP_CONTENT_ENCODING",
            request.header("content-encoding").unwrap_or(""),
        )
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    child.stdin.take().unwrap().write_all(&request.body)?;
    let mut output = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut output)?;
    child.wait()?;
    let end = output
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let (head, body) = (&output[..end], &output[end + 4..]);
    let head = String::from_utf8_lossy(head);
    let status = head
        .lines()
        .find_map(|line| line.strip_prefix("Status: "))
        .unwrap_or("200 OK");
    let length = body.len();
    let start = format!(
        "HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    Ok([start.as_bytes(), body].concat())
}
