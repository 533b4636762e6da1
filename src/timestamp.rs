//! When is it? An instant, as the silence APIs and this program agree on it.
//!
//! Everything that silenced sends is in whole seconds: Alertmanager prints
//! milliseconds and compares the start of an active silence to the whole
//! second, so a finer unit would only make equal things differ.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant in whole seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// A text that is not an RFC 3339 instant within the years 1970 to 9999.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an RFC 3339 time such as 2026-01-08T21:00:00Z")]
pub struct InvalidTimestamp(String);

impl Timestamp {
    /// 1970-01-01T00:00:00Z, the earliest instant of any schedule.
    pub const EPOCH: Self = Self(0);

    /// The instant `seconds` after the epoch.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339, with `Z` or an offset; fractions of a second are cut off.
    pub fn parse(text: &str) -> Result<Self, InvalidTimestamp> {
        let parsed =
            DateTime::parse_from_rfc3339(text).map_err(|_| InvalidTimestamp(text.to_owned()))?;
        Ok(Self(parsed.timestamp()))
    }

    /// Reads what [`Self::parse`] reads, or a date such as `2026-01-08`, which
    /// is its midnight in UTC: the ends of a range, as people type them.
    pub fn parse_or_midnight(text: &str) -> Result<Self, InvalidTimestamp> {
        match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            Ok(date) => Ok(date.and_time(NaiveTime::MIN).and_utc().into()),
            Err(_) => Self::parse(text),
        }
    }

    /// The instant as chrono's type; outside chrono's range, the nearest end of it.
    #[must_use]
    pub fn to_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0, 0).unwrap_or(if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        })
    }

    /// The civil date and time that a clock running `offset_seconds` ahead of UTC shows.
    #[must_use]
    pub fn civil(self, offset_seconds: i32) -> NaiveDateTime {
        Self(self.0.saturating_add(i64::from(offset_seconds)))
            .to_datetime()
            .naive_utc()
    }

    /// `duration` later, in whole seconds.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(duration.as_secs()))
    }

    /// `duration` earlier, in whole seconds.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(duration.as_secs()))
    }

    /// The time from `earlier` to `self`, zero when `self` comes first.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(datetime: DateTime<Utc>) -> Self {
        Self(datetime.timestamp())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            &self
                .to_datetime()
                .to_rfc3339_opts(SecondsFormat::Secs, true),
        )
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_cut_off_and_offsets_applied() {
        let parsed = Timestamp::parse("2026-01-08T22:00:00.999+01:00");
        assert_eq!(
            parsed.map(|at| at.to_string()),
            Ok("2026-01-08T21:00:00Z".to_owned())
        );
    }

    #[test]
    fn nonsense_is_named_in_the_error() {
        let message = Timestamp::parse("yesterday").map_err(|error| error.to_string());
        assert_eq!(
            message,
            Err("`yesterday` is not an RFC 3339 time such as 2026-01-08T21:00:00Z".to_owned())
        );
    }
}
