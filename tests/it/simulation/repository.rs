//! What is declared? Files that change at random, as text for the program and
//! as a second opinion on what must be silent when.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Deserialize;
use silenced::declaration::EarlierVersion;
use silenced::snapshot::{Revision, Snapshot, SnapshotFile};
use silenced::timestamp::Timestamp;

use super::calendar::{self, Minute, When};

/// How certain it is that something is silent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Truth {
    /// It must not be.
    Off,
    /// Both are right: somebody holds it, or nobody can know.
    Free,
    /// It must be.
    On,
}

/// One declaration.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) matchers: Vec<String>,
    pub(super) comment: String,
    pub(super) owner: String,
    pub(super) when: When,
    pub(super) enabled: bool,
    pub(super) suspended: bool,
}

impl Entry {
    /// Which alerts: the matchers, whatever their order.
    pub(super) fn alerts(&self) -> String {
        alerts(self.matchers.iter().map(String::as_str))
    }

    fn yaml(&self, text: &mut String) {
        let matchers: Vec<String> = self.matchers.iter().map(|m| format!("'{m}'")).collect();
        let Self {
            name,
            comment,
            owner,
            ..
        } = self;
        write!(
            text,
            "  - name: {name}\n    owner: {owner}\n    comment: {comment}\n    matchers: [{}]\n    schedule: {}\n",
            matchers.join(", "),
            self.when.yaml()
        )
        .unwrap();
        if !self.enabled {
            text.push_str("    enabled: false\n");
        }
        if self.suspended {
            text.push_str("    suspend: true\n");
        }
    }
}

/// Names a set of matchers.
pub(super) fn alerts<'m>(matchers: impl Iterator<Item = &'m str>) -> String {
    let sorted: BTreeSet<&str> = matchers.collect();
    sorted.into_iter().collect::<Vec<_>>().join(",")
}

/// One file.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct File {
    pub(super) entries: Vec<Entry>,
    /// Whether it gives names to schedules of other files.
    pub(super) defines: bool,
    /// What is wrong with its present version, whose readable predecessor had `entries`.
    pub(super) damage: Option<Damage>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub(super) enum Damage {
    UnknownKey,
    Truncated,
    Garbage,
    Unreadable,
}

impl File {
    fn text(&self) -> String {
        let mut text = if self.defines {
            calendar::definitions()
        } else {
            String::new()
        };
        if self.entries.is_empty() {
            return text + "silences: []\n";
        }
        text.push_str("silences:\n");
        for entry in &self.entries {
            entry.yaml(&mut text);
        }
        text
    }

    fn content(&self) -> Result<Vec<u8>, String> {
        let text = self.text();
        match self.damage {
            None => Ok(text.into_bytes()),
            Some(Damage::UnknownKey) => {
                let text = text.replace("matchers:", "matcher:");
                Ok(text.replace("time_intervals:", "time_interval:").into())
            }
            Some(Damage::Truncated) => Ok(format!("{}\n   - [", &text[..text.len() / 2]).into()),
            Some(Damage::Garbage) => Ok(vec![0xff, 0xfe, b'{', b'[']),
            Some(Damage::Unreadable) => Err("input/output error".to_owned()),
        }
    }
}

/// One commit.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Commit {
    pub(super) number: u64,
    pub(super) files: BTreeMap<String, File>,
    /// Names whose silences somebody ended by hand, where that counts.
    ended: BTreeSet<String>,
    /// About every entry, in their order.
    facts: Vec<Fact>,
}

/// What follows from an entry and from its place in the commit.
#[derive(Clone, PartialEq, Debug)]
struct Fact {
    alerts: String,
    windows: Vec<(Minute, Minute)>,
    /// Whether nothing holds it.
    is_certain: bool,
}

impl Commit {
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.files.values().flat_map(|file| &file.entries)
    }

    fn facts(&self, from: Minute, to: Minute) -> Vec<Fact> {
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        for entry in self.entries() {
            *names.entry(&entry.name).or_default() += 1;
        }
        // A broken file goes on as its newest readable version.
        let facts = self.entries().map(|entry| Fact {
            alerts: entry.alerts(),
            windows: entry.when.windows(from, to),
            is_certain: !entry.suspended
                && names[entry.name.as_str()] == 1
                && !self.ended.contains(&entry.name),
        });
        facts.collect()
    }

    pub(super) fn is_broken(&self) -> bool {
        self.files.values().any(|file| file.damage.is_some())
    }

    /// Whether a silence of that name may be whatever it is: it is held, or a
    /// broken file may declare it.
    pub(super) fn may_stay(&self, name: &str) -> bool {
        let mut facts = self.entries().zip(&self.facts);
        match facts.find(|(entry, _)| entry.name == name) {
            Some((_, fact)) => !fact.is_certain,
            None => self.is_broken(),
        }
    }

    /// Whether somebody ended a silence of that name, where that counts.
    pub(super) fn was_ended_by_hand(&self, name: &str) -> bool {
        self.ended.contains(name)
    }

    /// The entries with their windows around the present, and whether they are certain.
    pub(super) fn declared(&self) -> impl Iterator<Item = (&Entry, &[(Minute, Minute)], bool)> {
        self.entries()
            .zip(&self.facts)
            .map(|(entry, fact)| (entry, fact.windows.as_slice(), fact.is_certain))
    }

    /// What must be silent at that minute; what is not named must not be. What
    /// only leases cover is free unless they are renewed.
    pub(super) fn truth(&self, minute: Minute, renewed: bool) -> BTreeMap<&str, Truth> {
        let mut truth = BTreeMap::new();
        for (entry, fact) in self.entries().zip(&self.facts) {
            let mut windows = fact.windows.iter();
            let applies = windows.any(|&(start, end)| (start..end).contains(&minute));
            let is = match (fact.is_certain, entry.enabled && applies) {
                (true, true) if renewed || entry.when != When::Always => Truth::On,
                (true, false) => Truth::Off,
                // A suspended or broken one stays as it was, whatever that is.
                _ => Truth::Free,
            };
            let known = truth.entry(fact.alerts.as_str()).or_insert(Truth::Off);
            *known = is.max(*known);
        }
        truth
    }

    /// Whether the silence of that name is wanted for those alerts.
    pub(super) fn wants(&self, name: &str, alerts: &str, minute: Minute) -> bool {
        let mut facts = self.entries().zip(&self.facts);
        facts.any(|(entry, fact)| {
            entry.name == name && fact.alerts == alerts && is_wanted(entry, fact, minute)
        })
    }

    /// The names in readable files of which something must be silent at that minute.
    pub(super) fn wanted_at(&self, minute: Minute) -> impl Iterator<Item = String> {
        let entries = self.files.values().flat_map(|file| {
            let is_readable = file.damage.is_none();
            file.entries.iter().map(move |entry| (entry, is_readable))
        });
        let facts = entries.zip(&self.facts);
        facts
            .filter(move |((entry, is_readable), fact)| {
                *is_readable && is_wanted(entry, fact, minute)
            })
            .map(|((entry, _), _)| entry.name.clone())
    }

    pub(super) fn revision(&self) -> Revision {
        Revision::Commit(format!("{:07x}{:033x}", self.number, 0))
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let files = self.files.iter().map(|(path, file)| SnapshotFile {
            path: path.clone(),
            content: file.content(),
        });
        Snapshot {
            revision: self.revision(),
            files: files.collect(),
            skipped: Vec::new(),
        }
    }
}

fn is_wanted(entry: &Entry, fact: &Fact, minute: Minute) -> bool {
    let mut windows = fact.windows.iter();
    let applies = windows.any(|&(start, end)| (start..end).contains(&minute));
    entry.enabled && fact.is_certain && applies
}

/// The commits so far, the last of which is the head.
#[derive(Debug)]
pub(super) struct Repository {
    pub(super) head: Commit,
    /// Since when each commit was the head, oldest first.
    pub(super) history: Vec<(Timestamp, Commit)>,
    from: Minute,
    to: Minute,
}

/// More commits than an episode has; files may stay broken for long.
const HISTORY: usize = 2000;

/// As many as the program looks through.
const LOOK_BACK: usize = 100;

impl Repository {
    /// Windows are known from one time to the other.
    pub(super) fn new(from: Minute, to: Minute) -> Self {
        Self {
            head: Commit::default(),
            history: Vec::new(),
            from,
            to,
        }
    }

    /// Makes `files` the head, with the definitions that they need.
    pub(super) fn commit(&mut self, now: Timestamp, mut files: BTreeMap<String, File>) {
        let mut entries = files.values().flat_map(|file| &file.entries);
        let needs_names = entries.any(|entry| matches!(entry.when, When::Named(_)));
        if needs_names && !files.values().any(|file| file.defines) {
            let file = File {
                defines: true,
                ..File::default()
            };
            files.insert("calendars.yaml".to_owned(), file);
        }
        let mut next = Commit {
            number: self.head.number + 1,
            files,
            ended: self.head.ended.clone(),
            facts: Vec::new(),
        };
        let (from, to) = (self.from, self.to);
        next.facts = next.facts(from, to);
        self.head = next.clone();
        self.history.push((now, next));
        if self.history.len() > HISTORY {
            self.history.remove(0);
        }
    }

    /// Somebody ended a silence of that name by hand, which stays so.
    pub(super) fn end_by_hand(&mut self, name: &str) {
        self.head.ended.insert(name.to_owned());
    }

    /// Whether every commit declares nothing that was the head at some time since `since`.
    pub(super) fn was_empty_since(&self, since: Timestamp) -> bool {
        let mut commits = self.since(since);
        commits.all(|commit| commit.entries().next().is_none())
    }

    /// The commits that were the head at some time since `since`.
    fn since(&self, since: Timestamp) -> impl Iterator<Item = &Commit> {
        let first = self.history.iter().rposition(|&(from, _)| from < since);
        self.history[first.unwrap_or(0)..]
            .iter()
            .map(|(_, commit)| commit)
    }

    /// Whether any commit declares that name that was the head at some time since `since`.
    pub(super) fn declares(&self, since: Timestamp, name: &str) -> bool {
        self.since(since)
            .any(|commit| commit.entries().any(|entry| entry.name == name))
    }

    /// What the broken files, and the files that are gone, said before that
    /// revision; the newest first.
    pub(super) fn earlier(&self, revision: &Revision, broken: &[String]) -> Vec<EarlierVersion> {
        let commits: Vec<&Commit> = self.history.iter().map(|(_, commit)| commit).collect();
        let Some(head) = commits
            .iter()
            .rposition(|commit| commit.revision() == *revision)
        else {
            return Vec::new();
        };
        let mut versions: Vec<EarlierVersion> = Vec::new();
        for commit in commits[..head].iter().rev().take(LOOK_BACK) {
            for (path, file) in &commit.files {
                let wanted = broken.contains(path) || !commits[head].files.contains_key(path);
                let known = versions.iter().any(|version| version.path == *path);
                if let (true, false, None) = (wanted, known, file.damage) {
                    versions.push(EarlierVersion {
                        path: path.clone(),
                        content: file.text().into_bytes(),
                        revision: commit.revision(),
                    });
                }
            }
        }
        versions
    }

    /// What some files said at each commit from that one on; the newest first.
    pub(super) fn states(
        &self,
        revision: &Revision,
        since: &str,
        paths: &BTreeSet<String>,
    ) -> Option<Vec<Snapshot>> {
        let commits = self.history.iter().map(|(_, commit)| commit);
        let mut states: Vec<Snapshot> = commits.map(Commit::snapshot).collect();
        let is_of = |state: &Snapshot| state.revision.short_commit() == Some(since);
        let first = states.iter().position(is_of)?;
        let last = states
            .iter()
            .position(|state| state.revision == *revision)?;
        states.truncate(last + 1);
        states.drain(..first);
        for state in &mut states {
            state.files.retain(|file| paths.contains(&file.path));
        }
        states.reverse();
        Some(states)
    }

    /// Whether every commit wants the silence of that name for those alerts at
    /// that minute that was the head at some time since `since`.
    pub(super) fn wanted(
        &self,
        since: Timestamp,
        name: &str,
        alerts: &str,
        minute: Minute,
    ) -> bool {
        self.since(since)
            .all(|commit| commit.wants(name, alerts, minute))
    }
}
