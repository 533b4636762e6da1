//! How does it look in a calendar? Windows as iCalendar (RFC 5545), for people
//! to subscribe to.

use std::fmt::Write;
use std::sync::Arc;

use super::{Declaration, expansion};
use crate::interval::Interval;
use crate::schedule::{Occurrence, OccurrenceStart, occurrences};
use crate::timestamp::Timestamp;

/// Octets of a line without its end (RFC 5545, section 3.1).
const LINE: usize = 75;

/// The calendar `title` with an event for every window of `declarations` that
/// overlaps `range`.
///
/// Events have the window's own start and end, also where these lie outside of
/// `range`, and an identifier that follows from the declaration and the start,
/// so that a calendar which reads it again tomorrow finds the same events. A
/// window without an end in sight has one identifier and goes on to the end of
/// `range`. What is disabled becomes no silence, and no event. `stamp` is when
/// the calendar is made.
pub fn calendar<'a>(
    declarations: impl IntoIterator<Item = &'a Arc<Declaration>>,
    range: Interval,
    title: &str,
    stamp: Timestamp,
) -> String {
    let mut lines = Lines::default();
    lines.add("BEGIN", "VCALENDAR");
    lines.add("VERSION", "2.0");
    lines.add("PRODID", "-//silenced//silenced//EN");
    lines.add("CALSCALE", "GREGORIAN");
    lines.add("METHOD", "PUBLISH");
    // Of no standard, but the name that calendars show.
    lines.add("X-WR-CALNAME", &escaped(title));
    for declaration in declarations.into_iter().filter(|it| it.enabled) {
        for occurrence in occurrences(&declaration.schedule, range.start(), range.end()) {
            event(declaration, occurrence, range, stamp, &mut lines);
        }
    }
    lines.add("END", "VCALENDAR");
    lines.0
}

fn event(
    declaration: &Declaration,
    occurrence: Occurrence,
    range: Interval,
    stamp: Timestamp,
    lines: &mut Lines,
) {
    let name = &declaration.name;
    let (identifier, end) = match occurrence.marker_start() {
        OccurrenceStart::At(start) => (basic(start), occurrence.end),
        OccurrenceStart::Lease => ("lease".to_owned(), occurrence.end.min(range.end())),
    };
    let state = expansion::state(declaration);
    lines.add("BEGIN", "VEVENT");
    lines.add("UID", &format!("{name}-{identifier}@silenced"));
    lines.add("DTSTAMP", &basic(stamp));
    lines.add("DTSTART", &basic(occurrence.start));
    lines.add("DTEND", &basic(end));
    lines.add("SUMMARY", name.as_str());
    lines.add("DESCRIPTION", &escaped(&description(declaration, state)));
    if !declaration.owner.is_empty() {
        lines.add("CATEGORIES", &escaped(&declaration.owner));
    }
    lines.add(
        "STATUS",
        if state.is_none() {
            "CONFIRMED"
        } else {
            "TENTATIVE"
        },
    );
    // Nobody is busy because an alert is silent.
    lines.add("TRANSP", "TRANSPARENT");
    lines.add("END", "VEVENT");
}

/// What people want to know when they click on an event.
fn description(declaration: &Declaration, state: Option<&str>) -> String {
    let mut text = format!("{}\n\n", declaration.comment);
    // Writing to a `String` cannot fail.
    if let Some(state) = state {
        let _ = writeln!(text, "State: {state}");
    }
    let _ = writeln!(text, "Owner: {}", declaration.owner);
    if let Some(ticket) = &declaration.ticket {
        let _ = writeln!(text, "Ticket: {ticket}");
    }
    for matcher in declaration.matchers.as_slice() {
        let _ = writeln!(text, "Matcher: {matcher}");
    }
    let _ = write!(
        text,
        "Declared in: {}, line {}",
        declaration.source, declaration.line
    );
    text
}

/// A UTC time in the basic format of ISO 8601: `20260328T210000Z`.
fn basic(instant: Timestamp) -> String {
    let civil = instant.to_datetime();
    civil.format("%Y%m%dT%H%M%SZ").to_string()
}

/// A value of the type TEXT (section 3.3.11), which has no control characters
/// but the tab.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | ';' | ',' => escaped.extend(['\\', character]),
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push('\t'),
            control if control.is_control() => escaped.push('\u{fffd}'),
            plain => escaped.push(plain),
        }
    }
    escaped
}

/// Content lines, folded.
#[derive(Default)]
struct Lines(String);

impl Lines {
    /// Adds a property whose value is escaped already, in as many lines as it
    /// needs; those after the first begin with a blank, which counts.
    fn add(&mut self, name: &str, value: &str) {
        let mut length = 0;
        for character in name.chars().chain([':']).chain(value.chars()) {
            if length + character.len_utf8() > LINE {
                self.0.push_str("\r\n ");
                length = 1;
            }
            self.0.push(character);
            length += character.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(value: &str) -> String {
        let mut lines = Lines::default();
        lines.add("SUMMARY", value);
        lines.0
    }

    #[test]
    fn lines_have_at_most_75_octets_and_whole_characters() {
        for length in 0..300 {
            for character in ['a', 'ß', '静', '🔕'] {
                let value: String = std::iter::repeat_n(character, length).collect();
                let text = folded(&value);
                assert!(text.split("\r\n").all(|line| line.len() <= LINE), "{text}");
                let unfolded = text.replace("\r\n ", "");
                assert_eq!(unfolded, format!("SUMMARY:{value}\r\n"));
            }
        }
        assert_eq!(folded(&"a".repeat(67)).matches("\r\n").count(), 1);
        assert_eq!(folded(&"a".repeat(68)).matches("\r\n").count(), 2);
    }

    #[test]
    fn texts_are_escaped() {
        assert_eq!(
            escaped("a=\"b\\c\"; d, e\nf\tg\u{7}"),
            "a=\"b\\\\c\"\\; d\\, e\\nf\tg\u{fffd}"
        );
    }
}
