//! What do names stand for, and what do files say with them? First every name of
//! every file, then the declarations, file by file.

use std::collections::BTreeMap;

use super::definition::{self, Definitions};
use super::entry::{self, Defaults};
use super::fields::line;
use super::file::{File, get, silences};
use super::known::Content;
use super::names::{Context, Definition, Named, Names, Unread, Zones};
use super::timezone::{self, ZoneChoice};
use super::yaml::{Kind, Node};

/// Where named time intervals stand: an `alertmanager.yml` has them under
/// either key, the second being the name of the first until 0.24, or under both.
const INTERVAL_KEYS: [&str; 2] = ["mute_time_intervals", "time_intervals"];

/// The files while their parts are decoded.
pub(super) struct Reading<'a> {
    paths: Vec<&'a str>,
    /// How many of them say what is so now.
    present: usize,
    unread: Vec<Unread<'a>>,
    zones: &'a Zones<'a>,
    named: Named,
    /// Those that may define names. Of the others only the trees that are being
    /// decoded are in memory.
    definers: BTreeMap<usize, Opened>,
}

/// A file that is read as YAML.
struct Opened {
    tree: Option<Node>,
    zone: ZoneChoice,
}

impl<'a> Reading<'a> {
    /// Decodes all names, each kind in all files, so that what is referred to is
    /// known before who refers to it. The first `present` files say what is so
    /// now, the others what was so before, the newest first; see
    /// [`Names::look_up`].
    pub(super) fn new(files: &[File<'a>], present: usize, zones: &'a Zones<'a>) -> Self {
        let mut reading = Self {
            paths: files.iter().map(|file| file.source.path.as_str()).collect(),
            present,
            unread: Vec::new(),
            zones,
            named: Named::new(),
            definers: BTreeMap::new(),
        };
        for (index, file) in (0..).zip(files).filter(|(_, file)| file.may_define_names) {
            let opened = reading.open(index, file);
            if opened.tree.is_none() && file.report.is_broken() {
                reading.unread.push(Unread {
                    path: &file.source.path,
                    content: file.source.content.as_deref().ok(),
                });
            }
            reading.definers.insert(index, opened);
        }
        let dates = reading.definitions(files, &["dates"], |nodes, _, context| {
            definition::dates(nodes, context)
        });
        add(dates, &mut reading.named.dates);
        let rotations = reading.definitions(files, &["rotations"], definition::rotations);
        add(rotations, &mut reading.named.rotations);
        let intervals = reading.definitions(files, &INTERVAL_KEYS, |nodes, _, context| {
            definition::time_intervals(nodes, context)
        });
        add(intervals, &mut reading.named.intervals);
        reading
    }

    fn open(&self, index: usize, file: &File<'_>) -> Opened {
        let tree = file.compose();
        let zone = get(tree.as_ref(), "timezone").map_or(ZoneChoice::Unsaid, |node| {
            timezone::read(node, &self.context(index, file))
        });
        Opened { tree, zone }
    }

    /// Decodes the declarations of a file. One that is not among those whose
    /// names were decoded, and defines none, has an index after theirs.
    pub(super) fn content(&self, index: usize, file: &File<'_>) -> Content {
        let just_opened;
        let Opened { tree, zone } = if let Some(opened) = self.definers.get(&index) {
            opened
        } else {
            just_opened = self.open(index, file);
            &just_opened
        };
        let tree = tree.as_ref();
        let context = self.context(index, file);
        let defaults = Defaults {
            owner: get(tree, "owner")
                .and_then(|node| line(node, "an owner", &file.report))
                .map(str::to_owned),
            zone: zone.clone(),
            targets: get(tree, "targets")
                .and_then(|node| entry::targets(node, &context))
                .unwrap_or_default(),
        };
        let entries = silences(tree, &file.report)
            .iter()
            .take_while(|_| !file.report.is_full())
            .map(|node| entry::entry(node, &defaults, &context))
            .collect();
        Content {
            entries,
            findings: file.report.findings(),
        }
    }

    fn context<'s>(&'s self, index: usize, file: &'s File<'_>) -> Context<'s> {
        Context {
            file: index,
            report: &file.report,
            uses: &file.uses,
            named: &self.named,
            zones: self.zones,
            paths: &self.paths,
            present: self.present,
            unread: &self.unread,
        }
    }

    /// What all files define under `keys`, each with the index of its file. A
    /// key with nothing below it, as in a skeleton, defines nothing.
    fn definitions<T>(
        &self,
        files: &[File<'a>],
        keys: &[&str],
        read: impl Fn(&[&Node], &ZoneChoice, &Context<'_>) -> Definitions<T>,
    ) -> Vec<(usize, Definitions<T>)> {
        self.definers
            .iter()
            .filter_map(|(&index, opened)| {
                let nodes: Vec<&Node> = keys
                    .iter()
                    .filter_map(|key| get(opened.tree.as_ref(), key))
                    .filter(|node| !matches!(node.kind, Kind::Null))
                    .collect();
                let context = self.context(index, files.get(index)?);
                Some((index, read(&nodes, &opened.zone, &context)))
            })
            .collect()
    }
}

fn add<T>(found: Vec<(usize, Definitions<T>)>, names: &mut Names<T>) {
    for (file, definitions) in found {
        for (name, value) in definitions {
            names.add(&name, Definition { file, value });
        }
    }
}
