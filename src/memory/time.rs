//! Which texts are times? What Alertmanager reads, and how it prints.
//!
//! It tries eleven layouts in turn (go-openapi's `strfmt.DateTimeFormats`) with
//! Go's lenient parser. This reads the union of what they accept, as tried on
//! the released servers.

use chrono::{DateTime, FixedOffset, NaiveDate, SecondsFormat};

use super::version::Version;

/// Prints milliseconds, cut off and not rounded.
pub(super) fn print(time: DateTime<FixedOffset>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Reads a time of a posted silence. The empty text is the epoch; a text without
/// zone is UTC.
pub(super) fn parse(text: &str, version: Version) -> Option<DateTime<FixedOffset>> {
    let mut rest = Scanner(text.as_bytes());
    if rest.is_empty() {
        return Some(DateTime::UNIX_EPOCH.fixed_offset());
    }
    let year = i32::try_from(rest.number(4)?).ok()?;
    rest.literal(b'-')?;
    let month = rest.number(2)?;
    rest.literal(b'-')?;
    let day = rest.number(2)?;
    let date = NaiveDate::from_ymd_opt(year, month, day)?;
    if rest.is_empty() {
        return version
            .reads_dates()
            .then(|| date.and_hms_opt(0, 0, 0))?
            .map(|midnight| midnight.and_utc().fixed_offset());
    }

    // With a blank between date and time no zone may follow.
    let zoned = rest.literal(b'T').is_some();
    if !zoned {
        rest.literal(b' ')?;
    }
    let hour = rest.number(2).or_else(|| rest.number(1))?;
    rest.literal(b':')?;
    let minute = rest.number(2)?;
    if zoned && matches!(rest.0, b"" | b"Z") {
        let at = date.and_hms_opt(hour, minute, 0)?;
        return Some(at.and_utc().fixed_offset());
    }
    rest.literal(b':')?;
    let second = rest.number(2)?;
    let fraction = rest.fraction()?;
    let at = date.and_hms_nano_opt(hour, minute, second, fraction.nanoseconds)?;
    let offset = match rest.0 {
        b"" => 0,
        b"Z" if zoned => 0,
        _ if zoned => rest.offset(matches!(fraction.digits, 3 | 6), version)?,
        _ => return None,
    };
    let utc = at
        .and_utc()
        .checked_sub_signed(chrono::TimeDelta::seconds(i64::from(offset)))?;
    // Go prints an offset of a whole day; chrono has none, so that becomes UTC.
    let shown = FixedOffset::east_opt(offset).filter(|_| !version.prints_utc());
    Some(shown.map_or_else(|| utc.fixed_offset(), |offset| utc.with_timezone(&offset)))
}

struct Fraction {
    nanoseconds: u32,
    digits: usize,
}

/// What is left of the text. Each method takes what it names off the front, or
/// takes nothing and returns `None`.
struct Scanner<'a>(&'a [u8]);

impl Scanner<'_> {
    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn literal(&mut self, expected: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[expected])?;
        Some(())
    }

    /// Exactly so many digits.
    fn number(&mut self, digits: usize) -> Option<u32> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        let mut value = 0;
        for byte in number {
            value = value * 10 + char::from(*byte).to_digit(10)?;
        }
        self.0 = rest;
        Some(value)
    }

    /// Nothing, or a point or comma and at least one digit; what is finer than
    /// a nanosecond is cut off.
    fn fraction(&mut self) -> Option<Fraction> {
        if self.literal(b'.').or_else(|| self.literal(b',')).is_none() {
            return Some(Fraction {
                nanoseconds: 0,
                digits: 0,
            });
        }
        let mut nanoseconds = 0;
        let mut digits = 0;
        let mut unit = 100_000_000;
        while let Some(digit) = self.number(1) {
            nanoseconds += digit * unit;
            unit /= 10;
            digits += 1;
        }
        (digits > 0).then_some(Fraction {
            nanoseconds,
            digits,
        })
    }

    /// `+02:00` as seconds; `+0200` only where `colon_optional`, for two of the
    /// layouts are written so. Nothing may follow.
    fn offset(&mut self, colon_optional: bool, version: Version) -> Option<i32> {
        let sign = match (self.literal(b'+'), self.literal(b'-')) {
            (Some(()), None) => 1,
            (None, Some(())) => -1,
            _ => return None,
        };
        let hours = self.number(2)?;
        if self.literal(b':').is_none() && !colon_optional {
            return None;
        }
        let minutes = self.number(2)?;
        if version.bounds_offsets() && (hours > 24 || minutes > 60) {
            return None;
        }
        let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
        self.is_empty().then_some(sign * seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, version: Version) -> Option<String> {
        parse(text, version).map(print)
    }

    #[test]
    fn milliseconds_are_cut_off_and_the_offset_depends_on_the_version() {
        let text = "2029-01-01T00:00:00.999999999+02:00";
        assert_eq!(
            read(text, Version::V0_33).as_deref(),
            Some("2028-12-31T22:00:00.999Z")
        );
        assert_eq!(
            read(text, Version::V0_28).as_deref(),
            Some("2029-01-01T00:00:00.999+02:00")
        );
    }

    /// The accepted and refused texts, as every server answered, are in the
    /// contract suite; here only what a scanner gets wrong.
    #[test]
    fn a_refused_part_does_not_swallow_the_text() {
        for refused in [
            "2029-01-01T00:00:00+-02:00",
            "2029-01-01T00:00:00+02:00x",
            "2029-01-01T00:00:0",
            "2029-01-01T:00:00Z",
            "2029",
            "ä",
        ] {
            assert_eq!(read(refused, Version::V0_33), None, "{refused}");
        }
    }
}
