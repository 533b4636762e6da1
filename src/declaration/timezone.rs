//! Whose wall clock? The zone of a file, a declaration, or one form.

use super::fields::{Fields, line, quoted};
use super::names::Context;
use super::report::Position;
use super::yaml::{Node, shortened};
use crate::zone::{Zone, ZoneError};

/// Zones that have only the offset in their name, whatever the season says
/// elsewhere, or that are kept for old data: they are accepted with a warning.
const ABBREVIATIONS: [&str; 11] = [
    "CET", "CST6CDT", "EET", "EST", "EST5EDT", "HST", "MET", "MST", "MST7MDT", "PST8PDT", "WET",
];

/// What is known about the zone where a form stands.
#[derive(Clone, Debug)]
pub(super) enum ZoneChoice {
    /// Nobody has said one.
    Unsaid,
    /// One was said and reported as wrong.
    Unusable,
    /// This one.
    Known(Zone),
}

impl ZoneChoice {
    /// The zone, where one is needed; reports that there is none.
    pub(super) fn needed(&self, at: Position, context: &Context<'_>) -> Option<Zone> {
        match self {
            Self::Known(zone) => Some(zone.clone()),
            Self::Unusable => None,
            Self::Unsaid => {
                context.report.error(
                    at,
                    "no-timezone",
                    "these are local times, and no time zone is said",
                    "write `timezone: Europe/Berlin` (or `UTC`) here, in the declaration, or at the top of the file",
                );
                None
            }
        }
    }

    /// The zone, if it is known.
    pub(super) const fn known(&self) -> Option<&Zone> {
        match self {
            Self::Known(zone) => Some(zone),
            Self::Unsaid | Self::Unusable => None,
        }
    }
}

/// The zone named by `timezone` or by its alias `location`; else `inherited`.
pub(super) fn of_form(
    fields: &Fields<'_>,
    inherited: &ZoneChoice,
    context: &Context<'_>,
) -> ZoneChoice {
    match (fields.get("timezone"), fields.get("location")) {
        (Some(_), Some(location)) => {
            context.report.error(
                location.at,
                "two-timezones",
                "both `timezone` and `location` are said, and they mean the same",
                "remove one of them",
            );
            ZoneChoice::Unusable
        }
        (Some(node), None) | (None, Some(node)) => read(node, context),
        (None, None) => inherited.clone(),
    }
}

/// The zone that a node names.
pub(super) fn read(node: &Node, context: &Context<'_>) -> ZoneChoice {
    let report = context.report;
    let Some(name) = line(node, "the name of a time zone", report) else {
        return ZoneChoice::Unusable;
    };
    let error = match context.zones.get(name) {
        Ok(zone) => {
            if ABBREVIATIONS.contains(&name) {
                report.warning(
                    node.at,
                    "zone-abbreviation",
                    format!("`{name}` is an abbreviation, and may not change with the seasons of any place"),
                    "write a place, such as `Europe/Berlin` or `America/New_York`, or `UTC`",
                );
            }
            return ZoneChoice::Known(zone);
        }
        Err(error) => error,
    };
    let name = shortened(name);
    let (message, hint) = match error {
        ZoneError::Unknown { .. } if name == "Local" => (
            "`Local` would be the zone of whichever machine reads it".to_owned(),
            "write a place, such as `Europe/Berlin`, or `UTC`".to_owned(),
        ),
        ZoneError::Unknown { nearest, .. } if nearest.is_empty() => (
            format!("unknown time zone `{name}`"),
            "names are as IANA writes them, such as `Europe/Berlin` or `UTC`".to_owned(),
        ),
        ZoneError::Unknown { nearest, .. } => (
            format!("unknown time zone `{name}`"),
            format!(
                "did you mean {}?",
                quoted(nearest.iter().map(String::as_str))
            ),
        ),
        error @ ZoneError::Unreadable { .. } => (error.to_string(), String::new()),
    };
    report.error(node.at, "unknown-timezone", message, hint);
    ZoneChoice::Unusable
}
