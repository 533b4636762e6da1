//! How long? Prometheus' notation for durations, as people write it: `1h30m`.

use std::fmt::Write as _;
use std::time::Duration;

/// The units, largest first. A day has 24 hours and a year 365 days, as in
/// Prometheus.
const UNITS: [(&str, u64); 6] = [
    ("y", 365 * 86_400),
    ("w", 7 * 86_400),
    ("d", 86_400),
    ("h", 3600),
    ("m", 60),
    ("s", 1),
];

/// A text that is not a duration.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{text}` is not a duration such as `90s`, `1h30m` or `2d`{}{hint}", if hint.is_empty() { "" } else { ": " })]
pub struct InvalidDuration {
    text: String,
    hint: &'static str,
}

impl InvalidDuration {
    /// What to write instead; empty when there is nothing to add.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        self.hint
    }
}

/// Reads whole numbers with the units y, w, d, h, m and s, each at most once,
/// the larger before the smaller, as `model.ParseDuration` of Prometheus does.
/// Milliseconds are refused: silences have whole seconds.
pub fn parse(text: &str) -> Result<Duration, InvalidDuration> {
    let invalid = |hint| InvalidDuration {
        text: text.to_owned(),
        hint,
    };
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut units = UNITS.as_slice();
    let mut rest = text;
    let mut seconds = 0_u64;
    while !rest.is_empty() {
        let (number, tail) = split(rest, |character| !character.is_ascii_digit());
        let (unit, tail) = split(tail, |character| character.is_ascii_digit());
        if number.is_empty() {
            return Err(invalid(""));
        }
        if unit.is_empty() {
            return Err(invalid("write a unit after each number (y, w, d, h, m, s)"));
        }
        if unit == "ms" {
            return Err(invalid(
                "silences have whole seconds, so `ms` is not accepted",
            ));
        }
        let Some(position) = units.iter().position(|(name, _)| *name == unit) else {
            let is_unit = UNITS.iter().any(|(name, _)| *name == unit);
            return Err(invalid(if is_unit {
                "write each unit once, the larger before the smaller"
            } else {
                "the units are y, w, d, h, m and s"
            }));
        };
        let (known, smaller) = units.split_at(position + 1);
        let unit_seconds = known.last().map_or(0, |(_, seconds)| *seconds);
        units = smaller;
        seconds = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(unit_seconds))
            .and_then(|part| seconds.checked_add(part))
            .ok_or_else(|| invalid("it is too long"))?;
        rest = tail;
    }
    match text {
        "" => Err(invalid("")),
        _ => Ok(Duration::from_secs(seconds)),
    }
}

fn split(text: &str, at: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(at).unwrap_or(text.len()))
}

/// The shortest way to write it; fractions of a second are cut off.
#[must_use]
pub fn format(duration: Duration) -> String {
    let mut rest = duration.as_secs();
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    // Weeks and years are for people who write them; `9d` reads better than `1w2d`.
    for (unit, seconds) in UNITS.into_iter().skip(2) {
        if rest >= seconds {
            let _ = write!(text, "{}{unit}", rest / seconds);
            rest %= seconds;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prometheus_durations_are_read() {
        for (text, seconds) in [
            ("0", 0),
            ("0s", 0),
            ("90s", 90),
            ("1h30m", 5400),
            ("1w2d", 9 * 86_400),
            ("1y", 365 * 86_400),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused_with_what_to_write() {
        let message = |text| parse(text).expect_err(text).to_string();
        assert_eq!(
            message("60"),
            "`60` is not a duration such as `90s`, `1h30m` or `2d`: \
             write a unit after each number (y, w, d, h, m, s)"
        );
        assert_eq!(
            message("1m1h"),
            "`1m1h` is not a duration such as `90s`, `1h30m` or `2d`: \
             write each unit once, the larger before the smaller"
        );
        for wrong in [
            "",
            "-1s",
            "1.5h",
            "500ms",
            "h",
            "1 h",
            "soon",
            "99999999999999999999y",
            "٢h",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_formatted_reads_as_the_same() {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..1000 {
            let duration = Duration::from_secs(random.u64(0..10_000_000));
            assert_eq!(parse(&format(duration)), Ok(duration));
        }
        assert_eq!(format(Duration::from_mins(90)), "1h30m");
        assert_eq!(format(Duration::from_hours(240)), "10d");
    }
}
