//! Who else does it? curl, amtool and wrk with the same silences, and the
//! request patterns of other reconcilers.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::alertmanager::{Alertmanager, Release};
use crate::http::Connection;

/// Where the API has its silences.
pub const SILENCES: &str = "/api/v2/silences";

/// Silences as a server listed them, in the forms that the rivals want.
pub struct Silences {
    directory: TempDir,
    list: Vec<Value>,
}

impl Silences {
    /// What `server` holds.
    pub fn of(server: &Alertmanager) -> Self {
        let body = Connection::open(&server.base_url(), "").get(SILENCES);
        let silences = Self {
            directory: tempfile::tempdir().unwrap(),
            list: serde_json::from_slice(&body).unwrap(),
        };
        fs::write(silences.file("list.json"), body).unwrap();
        let posts = silences
            .list
            .iter()
            .fold(String::new(), |mut text, silence| {
                writeln!(text, "{}", postable(silence, None)).unwrap();
                text
            });
        fs::write(silences.file("bodies"), posts).unwrap();
        fs::write(silences.file("post.lua"), POST_LUA).unwrap();
        silences
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// `amtool silence import` with eight workers, from start to end.
    pub fn import(&self, release: Release, server: &Alertmanager) {
        let url = format!("--alertmanager.url={}", server.base_url());
        let mut amtool = Command::new(release.amtool());
        amtool.args(["silence", "import", "--force", "-w", "8"]);
        run(amtool.arg(self.file("list.json")).arg(url));
    }

    /// How long wrk needs for as many posts as there are silences: from its
    /// rate over a second.
    pub fn wrk(&self, server: &Alertmanager, connections: usize) -> Duration {
        let output = Command::new("wrk")
            .args(["-t", "1", "-d", "1s", "-c", &connections.to_string()])
            .arg("-s")
            .arg(self.file("post.lua"))
            .arg(server.base_url())
            .arg("--")
            .arg(self.file("bodies"))
            .output()
            .unwrap_or_else(|error| panic!("wrk: {error}: run `make bench-passes`"));
        let text = String::from_utf8(output.stdout).unwrap();
        let rate = text
            .lines()
            .find_map(|line| line.strip_prefix("Requests/sec:"))
            .filter(|_| !text.contains("Non-2xx"))
            .unwrap_or_else(|| panic!("wrk said: {text}"));
        let rate: f64 = rate.trim().parse().unwrap();
        Duration::from_secs_f64(self.list.len() as f64 / rate)
    }

    /// One list and one post by curl, as two processes.
    pub fn curl_list_and_post(&self, server: &Alertmanager) {
        curl_list(server, self.directory.path());
        let body = postable(&self.list[0], Some(&self.list[0]["id"]));
        let url = format!("{}{SILENCES}", server.base_url());
        run(Command::new("curl")
            .args(["-sf", "-H", "Content-Type: application/json", "-d"])
            .args([&body.to_string(), &url]));
    }
}

/// One list by curl, into a file.
pub fn curl_list(server: &Alertmanager, directory: &Path) {
    run(Command::new("curl")
        .args(["-sf", "-o"])
        .arg(directory.join("curl.json"))
        .arg(format!("{}{SILENCES}", server.base_url())));
}

fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).status();
    let status = status.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}

/// What is sent to create a silence like this one, or to update it.
fn postable(silence: &Value, id: Option<&Value>) -> Value {
    let mut postable = json!({
        "matchers": silence["matchers"],
        "startsAt": silence["startsAt"],
        "endsAt": silence["endsAt"],
        "createdBy": silence["createdBy"],
        "comment": silence["comment"],
    });
    if let Some(id) = id {
        postable["id"] = id.clone();
    }
    postable
}

/// Posts the lines of a file in turn.
const POST_LUA: &str = r#"
local requests, next = {}, 0
function init(arguments)
  local headers = {["Content-Type"] = "application/json"}
  for body in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("POST", "/api/v2/silences", headers, body)
  end
end
function request()
  next = next % #requests + 1
  return requests[next]
end
"#;

/// What other reconcilers ask for each silence in a pass that changes nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    List,
    Get,
    GetAndPost,
}

impl Pattern {
    /// One pass in this pattern over one connection: its time, and the bytes
    /// of the bodies received. Nothing is decoded, which flatters it.
    pub fn replay(self, server: &Alertmanager, silences: &Silences) -> (Duration, usize) {
        let mut connection = Connection::open(&server.base_url(), "");
        let posts: Vec<Vec<u8>> = silences
            .list
            .iter()
            .map(|silence| {
                postable(silence, Some(&silence["id"]))
                    .to_string()
                    .into_bytes()
            })
            .collect();
        let began = Instant::now();
        for (silence, post) in silences.list.iter().zip(posts) {
            if self == Self::List {
                connection.get(SILENCES);
                continue;
            }
            let id = silence["id"].as_str().unwrap();
            connection.get(&format!("/api/v2/silence/{id}"));
            if self == Self::GetAndPost {
                connection.post(SILENCES, &post);
            }
        }
        (began.elapsed(), connection.received)
    }
}
