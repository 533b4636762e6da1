//! What is declared? A directory of any number of declarations, all in force
//! now, so that each of them is one silence.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use tempfile::TempDir;

/// As a team's file may be. 1 MiB, the most that is read of one, is some 4,000.
const PER_FILE: usize = 100;

const ZONES: [&str; 5] = [
    "Europe/Berlin",
    "America/New_York",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Asia/Kolkata",
];

/// A directory of declarations that goes with its owner.
pub struct Repository {
    directory: TempDir,
    now: DateTime<Utc>,
    changes: usize,
    /// Of the second and third matcher, the operator, and what the third ends in.
    matchers: (&'static str, &'static str),
    /// Of every matcher list, a further line.
    further: &'static str,
}

impl Repository {
    pub fn of(declarations: usize) -> Self {
        let repository = Self {
            directory: tempfile::tempdir().unwrap(),
            now: Utc::now(),
            changes: 0,
            matchers: ("=~", "[0-9]+"),
            further: "",
        };
        repository.fill(declarations);
        repository
    }

    /// The same without regular expressions, of which the others have two each.
    /// Servers spend much of their time on those.
    pub fn without_regular_expressions(declarations: usize) -> Self {
        let repository = Self {
            matchers: ("=", "1"),
            ..Self::of(0)
        };
        repository.fill(declarations);
        repository
    }

    /// None yet; those that [`fill`](Self::fill) adds differ by target.
    pub fn for_targets() -> Self {
        Self {
            further: "\n      - region=\"${target.region}\"",
            ..Self::of(0)
        }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Adds the files of so many declarations.
    pub fn fill(&self, declarations: usize) {
        for first in (0..declarations).step_by(PER_FILE) {
            let last = declarations.min(first + PER_FILE);
            fs::write(self.file(first), self.text(first..last)).unwrap();
        }
    }

    /// Gives the first declaration another matcher, as a merge would.
    pub fn change_one(&mut self) {
        self.replace("env=~\"prod", "|test-", "\"");
    }

    /// Gives the first declaration another comment, which its silence can take on.
    pub fn reword_one(&mut self) {
        self.replace(
            "comment: Service 0 is being moved",
            " to new hosts, week ",
            "\n",
        );
    }

    /// Puts text that was never there between the first `before` and the `after`
    /// that follows.
    fn replace(&mut self, before: &str, text: &str, after: &str) {
        self.changes += 1;
        let file = self.file(0);
        let whole = fs::read_to_string(&file).unwrap();
        let (start, rest) = whole.split_once(before).unwrap();
        let (_, end) = rest.split_once(after).unwrap();
        let changed = format!("{start}{before}{text}{}{after}{end}", self.changes);
        fs::write(file, changed).unwrap();
    }

    fn file(&self, declaration: usize) -> PathBuf {
        let name = format!("team-{}.yaml", declaration / PER_FILE);
        self.path().join(name)
    }

    fn text(&self, declarations: std::ops::Range<usize>) -> String {
        let team = declarations.start / PER_FILE;
        let zone = ZONES[team % ZONES.len()];
        let (operator, ending) = self.matchers;
        let mut text = format!("owner: team-{team}\ntimezone: {zone}\nsilences:\n");
        for number in declarations {
            write!(
                text,
                "  - name: service-{number}-maintenance
    comment: Service {number} is being moved to new hosts.
    ticket: OPS-{number}
    matchers:
      - service=\"service-{number}\"
      - env{operator}\"prod\"
      - instance{operator}\"host-{number}-{ending}\"{}
    schedule: {}
",
                self.further,
                self.schedule(number)
            )
            .unwrap();
        }
        text
    }

    /// Of four declarations one has no end, one is a single window, and two are
    /// windows of three days that come every week; all are open in every zone.
    fn schedule(&self, number: usize) -> String {
        let day = |offset| self.now + TimeDelta::days(offset);
        match number % 4 {
            0 => "always".to_owned(),
            1 => {
                let date = |offset| day(offset).format("%Y-%m-%d");
                format!(
                    "{{starts_at: {}T00:00, ends_at: {}T00:00}}",
                    date(-2),
                    date(20)
                )
            }
            _ => {
                let weekday = |offset| format!("{:?}", day(offset).weekday()).to_lowercase();
                format!("{{weekdays: ['{}:{}']}}", weekday(-1), weekday(1))
            }
        }
    }
}
