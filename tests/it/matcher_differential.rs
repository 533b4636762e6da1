//! Do we read regular expressions and matcher strings as a real Alertmanager
//! does? Every pattern here goes to both.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use silenced::matcher::regex::{GoRegex, GoRegexErrorKind};
use silenced::matcher::{MatchOperator, Matcher};
use tokio::process::Command;

use crate::support::alertmanager::{Alertmanager, Options, Release};
use crate::support::client::client;
use crate::support::program::program;
use crate::support::random::seeded;

/// Patterns that are worth their own line: each is a rule of Go's parser.
const PATTERNS: &str = include_str!("matcher_differential/patterns.txt");

/// Pieces that random patterns are made of, separated by blanks.
const PIECES: &str = include_str!("matcher_differential/pieces.txt");

/// Label values that patterns are tried on, as JSON strings, one a line.
const VALUES: &str = include_str!("matcher_differential/values.txt");

#[tokio::test]
async fn accepts_and_refuses_the_patterns_that_alertmanager_does() {
    let server = Server::start();
    let mut patterns: Vec<String> = PATTERNS.lines().map(str::to_owned).collect();
    patterns.extend(deep_and_large());
    patterns.extend(random_patterns(1500));
    let mut accepted = 0;
    let mut surprises = Vec::new();
    for pattern in &patterns {
        let theirs = server.judge(pattern).await;
        let ours = GoRegex::parse(pattern);
        accepted += usize::from(theirs.is_ok());
        let agree = match (&theirs, &ours) {
            (Ok(()), Ok(_)) => true,
            (Err(theirs), Err(ours)) => theirs.ends_with(&ours.go_message()),
            // The server takes the silence and then cannot apply it.
            (Ok(()), Err(ours)) if ours.kind == GoRegexErrorKind::OpenQuotation => server
                .firing(&regex_matcher(pattern).to_string())
                .await
                .is_err(),
            _ => false,
        };
        if !agree {
            surprises.push(format!(
                "`{pattern}`\n  server: {theirs:?}\n  ours: {ours:?}"
            ));
        }
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
    println!("{} patterns, {accepted} of them accepted", patterns.len());
    assert!(accepted * 10 > patterns.len(), "hardly any pattern is good");
    assert!(accepted * 10 < patterns.len() * 9, "hardly any is bad");
}

#[tokio::test]
async fn matches_the_values_that_alertmanager_does() {
    let server = Server::start();
    let values: Vec<String> = VALUES
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    server.fire(&values).await;
    let patterns = PATTERNS
        .lines()
        .map(str::to_owned)
        .chain(random_patterns(600));
    let (mut tried, mut matched) = (0, 0);
    let mut surprises = Vec::new();
    for pattern in patterns {
        let Ok(regex) = GoRegex::parse(&pattern) else {
            continue;
        };
        let filter = regex_matcher(&pattern).to_string();
        let theirs = server.firing(&filter).await.unwrap();
        let ours: BTreeSet<usize> = (0..values.len())
            .filter(|index| regex.is_match_anchored(&values[*index]))
            .collect();
        let only = |left: &BTreeSet<usize>, right: &BTreeSet<usize>| {
            let difference = left.difference(right);
            difference
                .map(|index| values[*index].clone())
                .collect::<Vec<_>>()
        };
        if theirs != ours {
            let (server, we) = (only(&theirs, &ours), only(&ours, &theirs));
            surprises.push(format!(
                "`{pattern}`: only the server {server:?}, only we {we:?}"
            ));
        }
        tried += 1;
        matched += usize::from(!ours.is_empty() && ours.len() < values.len());
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
    println!("{tried} patterns, {matched} of them match some values and not all");
    assert!(matched > 100, "the patterns hardly tell values apart");
}

fn regex_matcher(pattern: &str) -> Matcher {
    Matcher {
        name: "value".to_owned(),
        operator: MatchOperator::Regex,
        value: pattern.to_owned(),
    }
}

/// `amtool` parses a string as the server's configuration does and sends what
/// it found as an object, which the server then shows. We must have found the
/// same, for every string that we accept.
#[tokio::test]
async fn reads_the_strings_that_amtool_does() {
    let server = Server::start();
    let pieces = [
        "foo", "b9", "_", ":", "a.b", "é", "1", "=", "=~", "!=", "!~", "=", "!", "~", "\"", "\"",
        "\"", "\\", "\\\\", "\\\"", "\\n", "\\t", "\\d", "\\x41", " ", "\t", ",", "{", "}", "'",
        "|", ".*", "+", "/", "-", "\n",
    ];
    let mut random = seeded();
    let mut strings = vec![
        "foo=bar".to_owned(),
        " foo =~ \"bar\\d+\" ".to_owned(),
        "foo=~\"bar\\\\d+\"".to_owned(),
        "foo.bar=\"a\\tb\"".to_owned(),
        "\"foo bar\"=\"\\u00e9\"".to_owned(),
    ];
    // Strings that begin well, since of others hardly any is accepted.
    let quotes = ["", "\""];
    while strings.len() < 120 {
        let quote = quotes[random.usize(..2)];
        let mut text = |most: usize| -> String {
            (0..random.usize(..=most))
                .map(|_| pieces[random.usize(..pieces.len())])
                .collect()
        };
        let candidate = format!(
            "{}foo{}={}{quote}{}{quote}",
            text(1),
            text(1),
            text(1),
            text(5)
        );
        if Matcher::parse(&candidate).is_ok() {
            strings.push(candidate);
        }
    }
    for string in strings {
        let ours = Matcher::parse(&string).unwrap().matcher;
        assert_eq!(server.amtool(&string).await, Ok(ours), "`{string}`");
    }
}

/// Patterns at Go's limits, which are too long for a file.
fn deep_and_large() -> Vec<String> {
    let nested = |open: &str, close: &str, levels: usize| {
        format!("{}a{}", open.repeat(levels), close.repeat(levels))
    };
    vec![
        nested("(", ")", 998),
        nested("(", ")", 1000),
        nested("(?:", ")", 3000),
        nested("(?:", ")*", 98),
        nested("(?:", ")*", 1000),
        nested("(?:a|b", ")", 48),
        nested("(", "b)", 501),
        format!("({}){{1000}}", "a".repeat(3400)),
        "(".repeat(5000),
        "[".repeat(5000),
        ")".repeat(10),
        "a|".repeat(5000),
        r"\pL\pN".repeat(20),
        "(a{10}){100}".repeat(20),
    ]
}

fn random_patterns(count: usize) -> impl Iterator<Item = String> {
    let mut random = seeded();
    let pieces: Vec<&str> = PIECES.split_whitespace().collect();
    (0..count).map(move |_| {
        let length = random.usize(1..=8);
        (0..length)
            .map(|_| pieces[random.usize(..pieces.len())])
            .collect()
    })
}

/// A real server, and a connection to it.
struct Server {
    url: String,
    client: reqwest::Client,
    _process: Alertmanager,
}

impl Server {
    fn start() -> Self {
        let process = Alertmanager::start(Release::Newest, &Options::default());
        Self {
            url: format!("{}/api/v2", process.base_url()),
            client: client(),
            _process: process,
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Result<(), String> {
        let answer = self
            .client
            .post(format!("{}/{path}", self.url))
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        if status.is_success() {
            return Ok(());
        }
        let message: String = serde_json::from_str(&text).unwrap_or(text);
        Err(message.trim_end().to_owned())
    }

    /// What the server says to a silence with this pattern.
    async fn judge(&self, pattern: &str) -> Result<(), String> {
        let silence = json!({
            "matchers": [
                {"name": "alertname", "value": "x", "isRegex": false},
                {"name": "value", "value": pattern, "isRegex": true},
            ],
            "startsAt": "2100-01-01T00:00:00Z",
            "endsAt": "2100-01-02T00:00:00Z",
            "createdBy": "test",
            "comment": "test",
        });
        self.post("silences", &silence).await
    }

    /// Makes one alert for each value.
    async fn fire(&self, values: &[String]) {
        let alerts = values.iter().enumerate().map(|(index, value)| {
            json!({"labels": {"alertname": "x", "index": index.to_string(), "value": value}})
        });
        let alerts = Value::Array(alerts.collect());
        self.post("alerts", &alerts).await.unwrap();
    }

    /// Which of the alerts a filter finds, or what the server says to it.
    async fn firing(&self, filter: &str) -> Result<BTreeSet<usize>, String> {
        let mut url = reqwest::Url::parse(&format!("{}/alerts", self.url)).unwrap();
        url.query_pairs_mut().append_pair("filter", filter);
        let answer = self.client.get(url).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        if !status.is_success() {
            return Err(text);
        }
        let alerts: Vec<Value> = serde_json::from_str(&text).unwrap();
        let index = |alert: &Value| alert["labels"]["index"].as_str().unwrap().parse().unwrap();
        Ok(alerts.iter().map(index).collect())
    }

    /// What `amtool` makes of a matcher's string.
    async fn amtool(&self, string: &str) -> Result<Matcher, String> {
        let output = Command::from(program(Release::Newest.amtool()))
            .arg(format!(
                "--alertmanager.url={}",
                self.url.trim_end_matches("/api/v2")
            ))
            .args(["silence", "add", "--author=test", "--comment=test", "--"])
            .args(["alertname=x", string])
            .output()
            .await
            .unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        // It logs to the same stream, before the id.
        let stdout = String::from_utf8(output.stdout).unwrap();
        let id = stdout.lines().last().unwrap_or_default();
        let answer = self.client.get(format!("{}/silence/{id}", self.url));
        let text = answer.send().await.unwrap().text().await.unwrap();
        let silence: Value = serde_json::from_str(&text).unwrap();
        let matcher = silence["matchers"].get(1).ok_or(text)?;
        Ok(Matcher {
            name: matcher["name"].as_str().unwrap().to_owned(),
            operator: MatchOperator::from_flags(
                matcher["isRegex"].as_bool().unwrap(),
                matcher["isEqual"].as_bool().unwrap(),
            ),
            value: matcher["value"].as_str().unwrap().to_owned(),
        })
    }
}
