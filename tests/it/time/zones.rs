//! Which zones do the tests use? Compiled ones of a known release, and the
//! transitions of every distinct timeline.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use silenced::timestamp::Timestamp;
use silenced::zone::{Timeline, Zone, ZoneDatabase};

/// The compiled zones of one release below `.tools`.
pub(super) fn directory(release: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = root.join(format!(".tools/zones-{release}/tzdata/zoneinfo"));
    let first_line = fs::read_to_string(directory.join("tzdata.zi")).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; run `make tools`, and when the release is new, \
             pin it in tests/install-tools.sh first",
            directory.display()
        )
    });
    assert!(
        first_line.starts_with(&format!("# version {release}\n")),
        "{} is of another release",
        directory.display()
    );
    directory
}

/// The compiled zones in a directory, by name.
pub(super) fn read(directory: &Path) -> ZoneDatabase {
    let mut files = BTreeMap::new();
    let mut pending = vec![(directory.to_path_buf(), String::new())];
    while let Some((path, prefix)) = pending.pop() {
        for entry in fs::read_dir(&path).expect("a directory: run `make tools`") {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                if !["posix", "right"].contains(&name.as_str()) {
                    pending.push((entry.path(), format!("{name}/")));
                }
                continue;
            }
            let bytes = fs::read(entry.path()).unwrap();
            if bytes.starts_with(b"TZif") {
                files.insert(name, bytes);
            }
        }
    }
    ZoneDatabase::from_files("any".into(), directory.display().to_string(), files)
}

/// Every zone of a database.
pub(super) fn all(database: &ZoneDatabase) -> Vec<Zone> {
    let zone = |name| {
        database
            .zone(name)
            .unwrap_or_else(|error| panic!("{error}"))
    };
    database.names().into_iter().map(zone).collect()
}

/// The zones of chrono-tz's release, but read by us: what our code says about
/// them can be held against chrono-tz.
pub(super) static COMPARABLE: LazyLock<Vec<Zone>> = LazyLock::new(|| {
    let zones = all(&read(&directory(chrono_tz::IANA_TZDB_VERSION)));
    let known = |zone: &Zone| zone.name().parse::<chrono_tz::Tz>().is_ok();
    let zones: Vec<Zone> = zones.into_iter().filter(known).collect();
    assert!(zones.len() >= 590, "only {} zones", zones.len());
    zones
});

/// The changes of a timeline in seconds.
pub(super) fn changes(timeline: &Timeline) -> Vec<i64> {
    timeline.changes().map(Timestamp::seconds).collect()
}

/// One zone of each distinct timeline of the bundled data.
pub(super) static DISTINCT: LazyLock<Vec<Zone>> = LazyLock::new(|| {
    let zones = all(&ZoneDatabase::bundled());
    let mut distinct: HashMap<&Timeline, &Zone> = HashMap::new();
    for zone in &zones {
        distinct.entry(zone.timeline()).or_insert(zone);
    }
    let mut distinct: Vec<Zone> = distinct.into_values().cloned().collect();
    distinct.sort_by(|left, right| left.name().cmp(right.name()));
    distinct
});

/// One zone for each course of offsets within `[from, to)`, with its changes.
pub(super) fn distinct_changes(from: i64, to: i64) -> Vec<(&'static Zone, Vec<i64>)> {
    let mut found: HashMap<Vec<(i64, i32)>, &Zone> = HashMap::new();
    for zone in DISTINCT.iter() {
        let timeline = zone.timeline();
        let course = std::iter::once(from)
            .chain(
                changes(timeline)
                    .into_iter()
                    .filter(|change| (from + 1..to).contains(change)),
            )
            .map(|instant| {
                (
                    instant,
                    timeline.offset_at(Timestamp::from_seconds(instant)),
                )
            });
        found.entry(course.collect()).or_insert(zone);
    }
    let mut found: Vec<_> = found
        .into_iter()
        .map(|(course, zone)| (zone, course.into_iter().skip(1).map(|(at, _)| at).collect()))
        .collect();
    found.sort_by(|(left, _): &(&Zone, Vec<i64>), (right, _)| left.name().cmp(right.name()));
    found
}
