//! Is the calendar one that calendars can read? A parser that is not ours says
//! what it found.

use std::collections::BTreeMap;
use std::fs;

use expect_test::expect;
use serde_json::Value;
use silenced::declaration::icalendar::calendar;
use silenced::interval::Interval;
use silenced::schedule::occurrences;
use silenced::timestamp::Timestamp;

use super::{read, shown};
use crate::support::tool::tool;

const SILENCES: &str = r#"
owner: automation, "night shift"
timezone: Europe/Berlin
silences:
  - name: nightly-info
    ticket: OPS-1412
    comment: |
      Nächtliche Meldungen warten; wer sie früher lesen will, öffnet C:\alerts, ungefähr um 06:00 Uhr.

      Ruhe 静かに 🔕 bis zum Morgen.
    matchers: ['severity="info"', 'path=~"C:\\\\.+;,"', {name: odd, value: "a\tb\u0007c\nd"}]
    schedule: {times: [{start_time: "22:00", end_time: "06:00"}]}
  - name: defect
    comment: Until it is mended.
    matchers: [alertname=Slow]
    suspend: true
    schedule: always
  - name: global
    comment: The policy holds this one.
    matchers: [alertname=~".+"]
    schedule: {starts_at: 2026-03-28T12:00, duration: 90m}
  - name: old
    comment: Nobody wants this any more.
    matchers: [env=prod]
    enabled: false
    schedule: always
"#;

/// What the parser sees, as JSON; any complaint of its own ends it.
const PARSER: &str = r#"
import icalendar, json, sys
parsed = icalendar.Calendar.from_ical(open(sys.argv[1], "rb").read())
assert not parsed.errors, parsed.errors
events = []
for event in parsed.walk("VEVENT"):
    assert not event.errors, event.errors
    events.append({key.lower(): str(event[key]) for key in ("UID", "SUMMARY", "DESCRIPTION", "STATUS", "TRANSP")}
        | {key.lower(): event[key].dt.isoformat().replace("+00:00", "Z") for key in ("DTSTAMP", "DTSTART", "DTEND")}
        | {"categories": [str(category) for category in event["CATEGORIES"].cats]})
print(json.dumps({"name": str(parsed["X-WR-CALNAME"]), "version": str(parsed["VERSION"]), "events": events}))
"#;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn rendered(from: &str, to: &str) -> String {
    let declarations = read(&[("a.yaml", SILENCES)]);
    let range = Interval::new(at(from), at(to)).unwrap();
    let stamp = at("2026-03-01T12:00:00Z");
    calendar(&declarations.silences, range, "Ruhe für alle", stamp)
}

fn parsed(calendar: &str) -> Value {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("silences.ics");
    fs::write(&file, calendar).unwrap();
    let arguments = ["-c", PARSER, file.to_str().unwrap()];
    serde_json::from_str(&tool("python/bin/python", &arguments)).unwrap()
}

#[test]
fn lines_are_folded_and_end_as_the_standard_says() {
    let text = rendered("2026-03-28T21:30:00Z", "2026-03-29T12:00:00Z");
    assert!(
        text.split_inclusive('\n')
            .all(|line| line.ends_with("\r\n"))
    );
    assert!(text.split("\r\n").all(|line| line.len() <= 75));
    expect![[r#"
        BEGIN:VCALENDAR
        VERSION:2.0
        PRODID:-//silenced//silenced//EN
        CALSCALE:GREGORIAN
        METHOD:PUBLISH
        X-WR-CALNAME:Ruhe für alle
        BEGIN:VEVENT
        UID:defect-lease@silenced
        DTSTAMP:20260301T120000Z
        DTSTART:20260328T213000Z
        DTEND:20260329T120000Z
        SUMMARY:defect
        DESCRIPTION:Until it is mended.\n\nState: suspended\nOwner: automation\, "n
         ight shift"\nMatcher: alertname="Slow"\nDeclared in: a.yaml\, line 13
        CATEGORIES:automation\, "night shift"
        STATUS:TENTATIVE
        TRANSP:TRANSPARENT
        END:VEVENT
        BEGIN:VEVENT
        UID:nightly-info-20260328T210000Z@silenced
        DTSTAMP:20260301T120000Z
        DTSTART:20260328T210000Z
        DTEND:20260329T040000Z
        SUMMARY:nightly-info
        DESCRIPTION:Nächtliche Meldungen warten\; wer sie früher lesen will\, öf
         fnet C:\\alerts\, ungefähr um 06:00 Uhr.\n\nRuhe 静かに 🔕 bis zum M
         orgen.\n\nOwner: automation\, "night shift"\nTicket: OPS-1412\nMatcher: se
         verity="info"\nMatcher: path=~"C:\\\\\\\\.+\;\,"\nMatcher: odd="a	b�c\\n
         d"\nDeclared in: a.yaml\, line 5
        CATEGORIES:automation\, "night shift"
        STATUS:CONFIRMED
        TRANSP:TRANSPARENT
        END:VEVENT
        END:VCALENDAR
    "#]]
    .assert_eq(&text.replace("\r\n", "\n"));
}

#[test]
fn another_parser_reads_what_was_written() {
    let (from, to) = ("2026-03-27T12:00:00Z", "2026-04-10T12:00:00Z");
    let calendar = parsed(&rendered(from, to));
    assert_eq!(calendar["name"], "Ruhe für alle");
    let declarations = read(&[("a.yaml", SILENCES)]);
    assert!(
        shown(&declarations.diagnostics).contains("policy-global"),
        "one is to be held"
    );
    let mut events = calendar["events"].as_array().unwrap().iter();
    for declaration in declarations.silences.iter().filter(|it| it.enabled) {
        for window in occurrences(&declaration.schedule, at(from), at(to)) {
            let event = events.next().unwrap();
            assert_eq!(event["summary"], declaration.name.as_str());
            assert_eq!(event["dtstart"], window.start.to_string());
            assert_eq!(event["dtend"], window.end.min(at(to)).to_string());
            assert_eq!(event["dtstamp"], "2026-03-01T12:00:00Z");
            assert_eq!(event["categories"][0], declaration.owner);
            assert_eq!(event["transp"], "TRANSPARENT");
            let held = declaration.name.as_str() != "nightly-info";
            assert_eq!(
                event["status"],
                if held { "TENTATIVE" } else { "CONFIRMED" }
            );
            let description = event["description"].as_str().unwrap();
            assert!(
                description.starts_with(&format!("{}\n\n", declaration.comment)),
                "{description}"
            );
            for matcher in declaration.matchers.as_slice() {
                let matcher = matcher.to_string().replace('\u{7}', "\u{fffd}");
                assert!(
                    description.contains(&format!("\nMatcher: {matcher}\n")),
                    "{matcher} in {description}"
                );
            }
        }
    }
    assert_eq!(events.next(), None);
}

/// A calendar that is read again, with a range that has moved on, must not
/// show an event twice or move it.
#[test]
fn events_keep_their_identifiers() {
    let identified = |from, to| -> BTreeMap<String, String> {
        let calendar = parsed(&rendered(from, to));
        let events = calendar["events"].as_array().unwrap();
        let found: BTreeMap<_, _> = events
            .iter()
            .filter(|event| event["summary"] != "defect")
            .map(|event| {
                let when = format!("{} {}", event["dtstart"], event["dtend"]);
                (event["uid"].as_str().unwrap().to_owned(), when)
            })
            .collect();
        let leases = events
            .iter()
            .filter(|it| it["uid"] == "defect-lease@silenced");
        assert_eq!(leases.count() + found.len(), events.len(), "unique");
        found
    };
    let today = identified("2026-03-27T12:00:00Z", "2026-04-03T12:00:00Z");
    let tomorrow = identified("2026-03-29T01:00:00Z", "2026-04-05T12:00:00Z");
    let common: Vec<_> = today
        .keys()
        .filter(|uid| tomorrow.contains_key(*uid))
        .collect();
    assert_eq!(common.len(), 6, "{today:?} {tomorrow:?}");
    for uid in common {
        assert_eq!(today[uid], tomorrow[uid], "{uid}");
    }
}
