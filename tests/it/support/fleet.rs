//! What is declared, and is it there? Some hundreds of declarations that change
//! at random, and the silences that a server must hold for them.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};
use silenced::clock::Clock;
use silenced::plan::Ownership;
use silenced::timestamp::Timestamp;
use tempfile::TempDir;

use super::client::client;

/// The instance that the declarations are for.
pub(crate) const INSTANCE: &str = "lab";

/// Declarations in a directory that is exchanged as a whole.
pub(crate) struct Fleet {
    directory: TempDir,
    began: Timestamp,
    entries: Vec<Entry>,
    editions: usize,
}

/// One declaration: what may change of it. Its windows keep their starts, by
/// which they are recognised.
#[derive(Clone, Default)]
struct Entry {
    is_absent: bool,
    comment: usize,
    matchers: usize,
    are_reversed: bool,
    longer: u64,
}

/// A live silence, or one that ought to be: name and the window's start first,
/// which identify it, then what it says.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Held {
    /// Name and start, as in the marker.
    pub(crate) window: (String, String),
    ends_at: String,
    matchers: Vec<String>,
    comment: String,
}

impl Fleet {
    /// That many declarations, a third of which have two windows.
    pub(crate) fn new(size: usize) -> Self {
        let mut fleet = Self {
            directory: tempfile::tempdir().unwrap(),
            began: Clock::System.now(),
            entries: vec![Entry::default(); size],
            editions: 0,
        };
        fleet.publish();
        fleet
    }

    /// What to give to `--source`.
    pub(crate) fn source(&self) -> PathBuf {
        self.directory.path().join("silences")
    }

    /// Changes two in five of the declarations, each in one respect.
    pub(crate) fn change(&mut self, random: &mut Rng) {
        for entry in &mut self.entries {
            match random.u8(..100) {
                0..10 => entry.is_absent = !entry.is_absent,
                10..20 => entry.comment += 1,
                20..30 => entry.matchers += 1,
                30..35 => entry.are_reversed = !entry.are_reversed,
                35..40 => entry.longer = random.u64(0..5),
                _ => {}
            }
        }
        self.publish();
    }

    /// No declaration is there any more, but for the first.
    pub(crate) fn empty(&mut self) {
        for entry in &mut self.entries[1..] {
            entry.is_absent = true;
        }
        self.publish();
    }

    /// Writes another directory and lets the link point there, as Kubernetes
    /// exchanges a mounted `ConfigMap`.
    fn publish(&mut self) {
        self.editions += 1;
        let edition = self
            .directory
            .path()
            .join(format!("edition-{}", self.editions));
        fs::create_dir(&edition).unwrap();
        for (part, first) in ["a.yaml", "b.yaml", "c.yaml"].into_iter().zip(0..) {
            let indices = (first..self.entries.len()).step_by(3);
            fs::write(edition.join(part), self.text(indices)).unwrap();
        }
        let link = self.directory.path().join("next");
        symlink(&edition, &link).unwrap();
        fs::rename(link, self.source()).unwrap();
    }

    fn text(&self, indices: impl Iterator<Item = usize>) -> String {
        let mut text = "owner: chaos\nsilences:\n".to_owned();
        for index in indices.filter(|&index| !self.entries[index].is_absent) {
            let windows = self.windows(index);
            let windows = windows
                .iter()
                .map(|(start, end)| format!("{{starts_at: \"{start}\", ends_at: \"{end}\"}}"));
            let windows: Vec<_> = windows.collect();
            let mut matchers = self.matchers(index);
            if self.entries[index].are_reversed {
                matchers.reverse();
            }
            let _ = writeln!(
                text,
                "  - {{name: s-{index}, comment: {}, matchers: ['{}'], schedule: [{}]}}",
                self.comment(index),
                matchers.join("', '"),
                windows.join(", ")
            );
        }
        if text.ends_with("silences:\n") {
            text.push_str("  []\n");
        }
        text
    }

    fn comment(&self, index: usize) -> String {
        format!("Comment {} of {index}.", self.entries[index].comment)
    }

    /// In the order of their texts.
    fn matchers(&self, index: usize) -> Vec<String> {
        vec![
            format!("alertname=\"A{}\"", self.entries[index].matchers),
            format!("index=\"{index}\""),
        ]
    }

    /// By turns one that is running, one that is yet to come, and both.
    fn windows(&self, index: usize) -> Vec<(Timestamp, Timestamp)> {
        let longer = Duration::from_hours(self.entries[index].longer);
        let (hour, whole) = (Duration::from_hours(1), self.began);
        let running = (
            Timestamp::from_seconds(whole.seconds() - 600),
            whole.plus(2 * hour + longer),
        );
        let pending = (whole.plus(10 * hour), whole.plus(12 * hour + longer));
        match index % 3 {
            0 => vec![running],
            1 => vec![pending],
            _ => vec![running, pending],
        }
    }

    /// What a server must hold for these declarations, sorted.
    pub(crate) fn expected(&self) -> Vec<Held> {
        let declared = (0..self.entries.len()).filter(|&index| !self.entries[index].is_absent);
        let mut held: Vec<Held> = declared
            .flat_map(|index| {
                self.windows(index)
                    .into_iter()
                    .map(move |(start, end)| Held {
                        window: (format!("s-{index}"), start.to_string()),
                        ends_at: end.to_string(),
                        matchers: self.matchers(index),
                        comment: self.comment(index),
                    })
            })
            .collect();
        held.sort();
        held
    }

    /// Neither a loss nor a duplicate nor anything else that should not be.
    #[track_caller]
    pub(crate) fn assert_held(&self, listed: &[Value]) {
        let (expected, held) = (self.expected(), held(listed));
        let lost: Vec<_> = expected.iter().filter(|one| !held.contains(one)).collect();
        let surplus: Vec<_> = held.iter().filter(|one| !expected.contains(one)).collect();
        assert!(
            lost.is_empty() && surplus.is_empty(),
            "lost: {lost:#?}\nsurplus: {surplus:#?}"
        );
        assert_eq!(expected.len(), held.len(), "duplicates");
    }
}

/// Every silence of a server.
pub(crate) async fn list(url: &str) -> Vec<Value> {
    let request = client().get(format!("{url}/api/v2/silences"));
    let answer = request.send().await.unwrap();
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

/// Has a server make a silence, and returns its id.
pub(crate) async fn post(url: &str, silence: &Value) -> String {
    let request = client().post(format!("{url}/api/v2/silences"));
    let request = request.header("content-type", "application/json");
    let answer = request.body(silence.to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let made: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    made["silenceID"].as_str().unwrap().to_owned()
}

/// Those of a list that are ours, expired ones too.
pub(crate) fn silences_of(listed: &[Value]) -> impl Iterator<Item = (&Value, Held)> {
    let ours = |silence| owned(silence).map(|held| (silence, held));
    listed.iter().filter_map(ours)
}

/// Those of a list that are live and ours, sorted.
pub(crate) fn held(listed: &[Value]) -> Vec<Held> {
    let live = silences_of(listed).filter(|(silence, _)| silence["status"]["state"] != "expired");
    let mut held: Vec<Held> = live.map(|(_, held)| held).collect();
    held.sort();
    held
}

fn owned(silence: &Value) -> Option<Held> {
    let text = |key: &str| silence[key].as_str().unwrap();
    let Ownership::Marked(marker, comment) = Ownership::of(text("comment")) else {
        return None;
    };
    let mut matchers: Vec<String> = silence["matchers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|matcher| {
            let part = |key: &str| matcher[key].as_str().unwrap();
            format!("{}=\"{}\"", part("name"), part("value"))
        })
        .collect();
    matchers.sort();
    (marker.instance.as_str() == INSTANCE).then(|| Held {
        window: (marker.silence.to_string(), marker.start.to_string()),
        ends_at: text("endsAt").replace(".000Z", "Z"),
        matchers,
        comment,
    })
}

/// Makes silences that are not ours, however near they come, and returns them as
/// the server shows them.
pub(crate) async fn make_foreign(url: &str) -> Vec<Value> {
    let began = Clock::System.now();
    let marker = |instance: &str| format!("[silenced instance={instance} silence=s-0 start=lease]");
    let ours = marker(INSTANCE);
    for comment in [
        "Comment 0 of 0.".to_owned(),
        format!("Comment 0 of 0.\n{}", marker("other")),
        format!("Comment 0 of 0.\n{ours}\n{ours}"),
        format!("Comment 0 of 0.\n{}", ours.replace("silence=", "silences=")),
    ] {
        let body = json!({
            "matchers": [
                {"name": "alertname", "value": "A0", "isRegex": false},
                {"name": "index", "value": "0", "isRegex": false},
            ],
            "startsAt": began.to_string(),
            "endsAt": began.plus(Duration::from_hours(2)).to_string(),
            "createdBy": "chaos",
            "comment": comment,
        });
        post(url, &body).await;
    }
    let foreign = list(url).await;
    assert_eq!(foreign.len(), 4);
    foreign
}

/// Every one of `foreign` is there as it was, to the last byte.
#[track_caller]
pub(crate) fn assert_untouched(foreign: &[Value], listed: &[Value]) {
    for silence in foreign {
        assert!(listed.contains(silence), "{silence} was touched");
    }
}
