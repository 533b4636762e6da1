//! Who writes the declarations? Somebody who draws entries, and the changes to
//! them that are merged every day.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;

use super::calendar::{Minute, NAMED, When};
use super::repository::{Entry, File};

/// Draws entries and changes to files.
pub(super) struct Author {
    pub(super) rng: Rng,
    /// How many different names there may be.
    pub(super) names: usize,
    /// One-off windows lie around here.
    pub(super) from: Minute,
    pub(super) to: Minute,
}

impl Author {
    pub(super) fn entry(&mut self, name: String) -> Entry {
        // Some share their alerts with another one.
        let subject = if self.rng.u8(..8) == 0 {
            "shared"
        } else {
            &name
        };
        let alertname = format!("alertname=\"{subject}\"");
        let mut entry = Entry {
            matchers: vec![alertname, self.matcher()],
            name,
            comment: format!("Known defect {}.", self.rng.u8(..)),
            owner: "dba".to_owned(),
            when: self.when(),
            enabled: self.rng.u8(..16) > 0,
            suspended: self.rng.u8(..24) == 0,
        };
        self.rng.shuffle(&mut entry.matchers);
        entry
    }

    fn matcher(&mut self) -> String {
        let value = self.rng.u8(..6);
        let matchers = [
            format!("env=\"stage-{value}\""),
            format!("env=~\"prod|x{value}\""),
            format!("env!=\"dev-{value}\""),
        ];
        self.rng.choice(matchers).unwrap()
    }

    fn when(&mut self) -> When {
        match self.rng.u8(..12) {
            0 => When::Always,
            10 | 11 => When::Named(self.rng.usize(..NAMED.len())),
            1 | 2 => {
                let start = self.rng.i64(self.from..self.to);
                When::Once(start, start + self.rng.i64(1..3000))
            }
            _ => {
                let count = self.rng.usize(1..=2);
                let ranges = (0..count).map(|_| {
                    let start = self.rng.i64(0..96) * 15;
                    (start, (start + self.rng.i64(1..40) * 15) % 1440)
                });
                let ranges = ranges.collect();
                let mut weekdays: Vec<u32> = (0..7).collect();
                if self.rng.bool() {
                    weekdays = self.rng.choose_multiple(0..7, 4);
                    weekdays.sort_unstable();
                }
                When::Daily {
                    zone: self.rng.choice(super::calendar::ZONES).unwrap(),
                    ranges,
                    weekdays,
                }
            }
        }
    }

    /// Fills three files up to two thirds of the names.
    pub(super) fn refill(&mut self, files: &mut BTreeMap<String, File>) {
        for index in 0..self.names * 2 / 3 {
            let Some(name) = self.unused_name(files) else {
                return;
            };
            let entry = self.entry(name);
            let file = files.entry(format!("team-{}.yaml", index % 3)).or_default();
            file.entries.push(entry);
        }
    }

    fn unused_name(&mut self, files: &BTreeMap<String, File>) -> Option<String> {
        let used: BTreeSet<&str> = files
            .values()
            .flat_map(|file| &file.entries)
            .map(|entry| entry.name.as_str())
            .collect();
        let names = (0..self.names).map(|index| format!("job-{index}"));
        let free = names.filter(|name| !used.contains(name.as_str()));
        self.rng.choice(free.collect::<Vec<_>>())
    }

    /// A change that ends what is silent for that name.
    pub(super) fn take_away(&mut self, files: &mut BTreeMap<String, File>, name: &str) {
        let choice = self.rng.u8(..4);
        for file in files.values_mut() {
            if choice == 0 {
                file.entries.retain(|entry| entry.name != name);
            }
            for entry in file.entries.iter_mut().filter(|entry| entry.name == name) {
                match choice {
                    1 => entry.enabled = false,
                    _ => entry.matchers.push("mistaken=\"yes\"".to_owned()),
                }
            }
        }
    }

    /// A change of the kind that is merged every day.
    pub(super) fn change(&mut self, files: &mut BTreeMap<String, File>) -> &'static str {
        let new = self.unused_name(files);
        let paths: Vec<String> = files
            .iter()
            .filter(|(_, file)| file.damage.is_none())
            .map(|(path, _)| path.clone())
            .collect();
        let Some(path) = self.rng.choice(paths) else {
            let entries = new.map(|name| self.entry(name)).into_iter().collect();
            let file = File {
                entries,
                ..File::default()
            };
            files
                .entry(format!("begun-{}.yaml", self.rng.u8(..)))
                .or_insert(file);
            return "began again";
        };
        let other = format!("team-{}/{}.yaml", self.rng.u8(..4), self.rng.u8(..));
        let when = self.when();
        let matcher = self.matcher();
        let comment = format!("Known defect {}.", self.rng.u8(..));
        let choice = self.rng.u8(..14);
        let file = files.get_mut(&path).unwrap();
        let index = self.rng.usize(..file.entries.len().max(1));
        let Some(entry) = file.entries.get_mut(index).filter(|_| choice < 11) else {
            if choice == 13 && !files.contains_key(&other) {
                let file = files.remove(&path).unwrap();
                files.insert(other, file);
                return "renamed a file";
            }
            let Some(name) = new else { return "nothing" };
            let entry = self.entry(name);
            files.get_mut(&path).unwrap().entries.push(entry);
            return "added an entry";
        };
        match choice {
            0 => {
                entry.comment = comment;
                "changed a comment"
            }
            1 => {
                let other = if entry.owner == "dba" { "sre" } else { "dba" };
                other.clone_into(&mut entry.owner);
                "changed an owner"
            }
            2 => {
                entry.matchers.reverse();
                "reordered matchers"
            }
            3 | 4 => {
                entry.matchers.retain(|matcher| !matcher.starts_with("env"));
                entry.matchers.push(matcher);
                "changed matchers"
            }
            5 | 6 => {
                entry.when = when;
                "changed a schedule"
            }
            7 => {
                entry.enabled ^= true;
                "enabled or disabled"
            }
            8 => {
                entry.suspended ^= true;
                "suspended or resumed"
            }
            9 => {
                let entry = file.entries.remove(index);
                // Twice in one file, a name would break that file.
                let target = files.values_mut().find(|file| {
                    let mut names = file.entries.iter().map(|other| &other.name);
                    file.damage.is_none() && names.all(|name| *name != entry.name)
                });
                target.unwrap().entries.push(entry);
                "moved an entry"
            }
            _ => {
                file.entries.remove(index);
                "removed an entry"
            }
        }
    }
}
