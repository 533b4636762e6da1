//! Is every zone's timeline what its data says? Each change of each name
//! against Python's zoneinfo, which reads the same files with other code, and
//! against chrono-tz, which was compiled from the sources of its release.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{Offset, TimeZone};
use silenced::zone::ZoneDatabase;

use super::{at, zones};
use crate::support::program::program;

/// 2100-01-01T00:00:00Z, where chrono-tz ends.
const CHRONO_TZ_END: i64 = 4_102_444_800;

/// What Python is asked: per zone the first offset and every change after it.
/// It looks every six days and halves those in which the offset differs; a
/// change and back in between would be on our list alone and fail the test.
const DUMP: &str = r#"
import sys, zoneinfo
from datetime import datetime, timedelta
directory, names = sys.argv[1], sys.stdin.read().split()
# As long as the timelines are: Timeline::LAST_YEAR.
LAST, STEP = int((datetime(2102, 1, 1) - datetime(1970, 1, 1)).total_seconds()), 6 * 86400
known = {}
for name in names:
    data = open(f"{directory}/{name}", "rb").read()
    if data not in known:
        zone = zoneinfo.ZoneInfo(name)
        epoch = datetime(1970, 1, 1, tzinfo=zone)
        def offset(seconds):
            utc = epoch + timedelta(seconds=seconds)
            ahead = zone.fromutc(utc) - utc
            return ahead.days * 86400 + ahead.seconds
        before = offset(0)
        found = [f"{before}"]
        for start in range(0, LAST, STEP):
            end = min(start + STEP, LAST)
            while before != offset(end):
                low, high = start, end
                while high - low > 1:
                    middle = (low + high) // 2
                    if offset(middle) == before:
                        low = middle
                    else:
                        high = middle
                start, before = high, offset(high)
                found.append(f"{high},{before}")
        known[data] = " ".join(found)
    print(name, known[data])
"#;

/// The same from us.
fn dump(database: &ZoneDatabase, name: &str) -> String {
    let zone = database
        .zone(name)
        .unwrap_or_else(|error| panic!("{error}"));
    let timeline = zone.timeline();
    let mut found = vec![timeline.offset_at(at(0)).to_string()];
    for change in zones::changes(timeline)
        .into_iter()
        .filter(|change| *change > 0)
    {
        found.push(format!("{change},{}", timeline.offset_at(at(change))));
    }
    found.join(" ")
}

fn compare_with_python(database: &ZoneDatabase, directory: &Path) {
    // Only the zones themselves: a directory has also links such as `localtime`.
    let bundled = ZoneDatabase::bundled();
    let names: Vec<&str> = bundled
        .names()
        .into_iter()
        .filter(|name| directory.join(name).is_file())
        .collect();
    assert!(names.len() > 590, "only {} names", names.len());

    let list = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(list.path(), names.join("\n")).unwrap();
    let python = program("/usr/bin/python3")
        .args(["-c", DUMP])
        .arg(directory)
        .env("PYTHONTZPATH", directory)
        .stdin(list.reopen().unwrap())
        .output()
        .expect("python3 is missing: run `make tools`");
    assert!(
        python.status.success(),
        "{}",
        String::from_utf8_lossy(&python.stderr)
    );
    let answer = String::from_utf8(python.stdout).unwrap();
    let expected: BTreeMap<&str, &str> = answer
        .lines()
        .filter_map(|line| line.split_once(' '))
        .collect();
    assert_eq!(expected.len(), names.len());
    for name in names {
        assert_eq!(dump(database, name), expected[name], "{name}");
    }
}

#[test]
fn bundled_zones_agree_with_python() {
    let database = ZoneDatabase::bundled();
    compare_with_python(&database, &zones::directory(database.version()));
}

/// Distributions compile "fat" files, which list every change up to 2037.
#[test]
fn installed_zones_agree_with_python() {
    let directory = Path::new("/usr/share/zoneinfo");
    compare_with_python(&zones::read(directory), directory);
}

#[test]
fn zones_of_its_release_agree_with_chrono_tz() {
    let mut looks = 0;
    for zone in zones::COMPARABLE.iter() {
        let reference: chrono_tz::Tz = zone.name().parse().unwrap();
        let timeline = zone.timeline();
        let check = |instant: i64| {
            let utc = at(instant).to_datetime().naive_utc();
            let expected = reference.offset_from_utc_datetime(&utc).fix();
            let found = timeline.offset_at(at(instant));
            assert_eq!(
                found,
                expected.local_minus_utc(),
                "{zone:?} at {}",
                at(instant)
            );
        };
        let within = |instant: &i64| (0..CHRONO_TZ_END).contains(instant);
        for change in zones::changes(timeline).into_iter().filter(within) {
            check(change - 1);
            check(change);
            looks += 2;
        }
        for instant in (0..CHRONO_TZ_END).step_by(10 * 86_400) {
            check(instant);
            looks += 1;
        }
    }
    assert!(looks > 2_500_000, "only {looks} looks");
}
