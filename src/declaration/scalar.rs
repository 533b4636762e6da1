//! What does this text mean? Dates, times of day and durations, as people
//! write them in a declaration.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

use crate::duration;
use crate::schedule::DateRange;
use crate::timestamp::Timestamp;

/// Longest window of a repeating rule, in seconds: 366 days, a leap year. How
/// far back an expansion must look is bounded by it.
pub(super) const LONGEST_WINDOW: u32 = 366 * 86_400;

/// Why a text is not what was expected: what it lacks, and what to write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Mismatch {
    pub(super) message: String,
    pub(super) hint: String,
}

pub(super) fn mismatch(message: impl Into<String>, hint: impl Into<String>) -> Mismatch {
    Mismatch {
        message: message.into(),
        hint: hint.into(),
    }
}

/// The number in exactly `count` digits.
fn digits(text: &str, count: usize) -> Option<u32> {
    let numeric = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    numeric.then(|| text.parse().ok()).flatten()
}

/// `HH:MM` in seconds after midnight, up to and including 24:00.
pub(super) fn clock(text: &str) -> Result<u32, Mismatch> {
    let parsed = text
        .split_once(':')
        .and_then(|(hour, minute)| Some((digits(hour, 2)?, digits(minute, 2)?)));
    match parsed {
        Some((hour, minute)) if hour < 24 && minute < 60 || (hour, minute) == (24, 0) => {
            Ok(hour * 3600 + minute * 60)
        }
        Some(_) => Err(mismatch(
            format!("no clock shows `{text}`, expected 00:00 to 24:00"),
            "",
        )),
        None => {
            let padded = format!("0{text}");
            let hint = if clock_like(&padded) {
                format!("write `{padded}`")
            } else {
                String::new()
            };
            Err(mismatch(
                format!("expected a time of day as `HH:MM`, but found `{text}`"),
                hint,
            ))
        }
    }
}

fn clock_like(text: &str) -> bool {
    text.len() == 5 && clock(text).is_ok()
}

/// Whether a text is meant as a date, and not as a name.
pub(super) fn is_date_like(text: &str) -> bool {
    text.get(..5)
        .and_then(|head| head.strip_suffix('-'))
        .is_some_and(|year| digits(year, 4).is_some())
}

/// `YYYY-MM-DD`.
pub(super) fn date(text: &str) -> Result<NaiveDate, Mismatch> {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return Err(no_date(text));
    };
    let (Some(year), Some(month), Some(day)) = (digits(year, 4), digits(month, 2), digits(day, 2))
    else {
        return Err(no_date(text));
    };
    i32::try_from(year)
        .ok()
        .and_then(|year| NaiveDate::from_ymd_opt(year, month, day))
        .ok_or_else(|| mismatch(format!("the calendar has no date `{text}`"), ""))
}

fn no_date(text: &str) -> Mismatch {
    mismatch(
        format!("expected a date as `YYYY-MM-DD`, but found `{text}`"),
        "",
    )
}

/// `YYYY-MM-DD` or `YYYY-MM-DD:YYYY-MM-DD`, both ends included.
pub(super) fn date_range(text: &str) -> Result<DateRange, Mismatch> {
    let (first, last) = text.split_once(':').unwrap_or((text, text));
    let (first, last) = (date(first.trim())?, date(last.trim())?);
    if last < first {
        return Err(mismatch(
            format!("the range `{text}` runs backwards"),
            "put the earlier date first",
        ));
    }
    Ok(DateRange { first, last })
}

/// A point in time with an offset, or on some wall clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stated {
    Absolute(Timestamp),
    Local(NaiveDateTime),
}

/// RFC 3339, or the same without the offset; seconds may be left out.
pub(super) fn moment(text: &str) -> Result<Stated, Mismatch> {
    // The minute is where seconds may be missing: `2026-12-24T18:00`.
    let seconds_missing = text.get(16..).is_some_and(|rest| !rest.starts_with(':'));
    let full = match (text.get(..16), text.get(16..)) {
        (Some(minute), Some(rest)) if seconds_missing => format!("{minute}:00{rest}"),
        _ => text.to_owned(),
    };
    if let Ok(absolute) = DateTime::parse_from_rfc3339(&full) {
        // chrono counts a leap second as 1,000,000,000 more of them.
        if absolute.timestamp_subsec_nanos() % 1_000_000_000 != 0 {
            return Err(mismatch(
                format!("windows begin and end on whole seconds, and `{text}` is between two"),
                "leave the fraction out",
            ));
        }
        return Ok(Stated::Absolute(absolute.to_utc().into()));
    }
    for format in ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"] {
        if let Ok(local) = NaiveDateTime::parse_from_str(&full, format)
            && full.len() == "2026-12-24T18:00:00".len()
        {
            return Ok(Stated::Local(local));
        }
    }
    // A well-formed date that the calendar does not have is the fault to name.
    if let Some((day, _)) = text.split_once(['T', ' '])
        && is_date_like(day)
        && let Err(mismatch) = date(day)
    {
        return Err(mismatch);
    }
    let hint = if date(text).is_ok() {
        format!("write `{text}T00:00`, if midnight is meant")
    } else {
        "write `2026-12-24T18:00` for the time zone of the schedule, or `2026-12-24T18:00:00+01:00`"
            .to_owned()
    };
    Err(mismatch(
        format!("expected a date with a time of day, but found `{text}`"),
        hint,
    ))
}

/// A Prometheus duration in whole seconds, longer than zero: `1h30m`.
pub(super) fn duration(text: &str, longest: u32) -> Result<u32, Mismatch> {
    let total = duration::parse(text)
        .map_err(|error| {
            let message =
                format!("expected a duration such as `1h30m` or `2d`, but found `{text}`");
            mismatch(message, error.hint())
        })?
        .as_secs();
    if total == 0 {
        return Err(mismatch(
            format!("the duration `{text}` is zero, expected a longer one"),
            "",
        ));
    }
    u32::try_from(total)
        .ok()
        .filter(|seconds| *seconds <= longest)
        .ok_or_else(|| {
            mismatch(
                format!(
                    "the duration `{text}` is longer than {} days",
                    longest / 86_400
                ),
                "",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_prometheus_durations() {
        let seconds = |text| duration(text, LONGEST_WINDOW).map_err(|mismatch| mismatch.hint);
        assert_eq!(seconds("1h30m"), Ok(5400));
        assert_eq!(seconds("1w2d"), Ok(9 * 86_400));
        assert_eq!(seconds("366d"), Ok(LONGEST_WINDOW));
        for wrong in [
            "",
            "0",
            "0s",
            "90",
            "h",
            "1m1h",
            "1h1h",
            "1.5h",
            "500ms",
            "367d",
            "-1h",
            "1 h",
            "99999999999999999999h",
            "1y1y",
            "٢h",
        ] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_of_day_have_two_digits_each() {
        assert_eq!(clock("24:00"), Ok(86_400));
        assert_eq!(
            clock("9:30").map_err(|mismatch| mismatch.hint),
            Err("write `09:30`".to_owned())
        );
        for wrong in ["24:01", "12:60", "12", "12:00:00", "", ":", "é2:00"] {
            assert!(clock(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn moments_with_and_without_offset() {
        let local = |text: &str| {
            NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").unwrap_or_default()
        };
        assert_eq!(
            moment("2026-12-24T18:00"),
            Ok(Stated::Local(local("2026-12-24T18:00:00")))
        );
        assert_eq!(
            moment("2026-12-24 18:00:30"),
            Ok(Stated::Local(local("2026-12-24T18:00:30")))
        );
        let absolute = Timestamp::parse("2026-12-24T17:00:00Z")
            .map(Stated::Absolute)
            .ok();
        assert_eq!(moment("2026-12-24T18:00:00+01:00").ok(), absolute);
        assert_eq!(moment("2026-12-24T17:00Z").ok(), absolute);
        assert_eq!(moment("2026-12-24T17:00:00.000Z").ok(), absolute);
        for wrong in [
            "2026-12-24",
            "18:00",
            "2026-02-30T18:00",
            "2026-12-24T25:00",
            "2026-12-24T18:00:00.5Z",
            "2026-12-24T18:00:00.5",
            "tomorrow",
            "ééééééééééé",
        ] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
