//! Which windows, as it is written? The forms of a schedule that have no others
//! inside, decoded.

use super::fields::{Fields, did_you_mean, line, parsed, quoted};
use super::form::{Decoder, Surroundings};
use super::names::Context;
use super::recurring::{self, End, end_or_duration};
use super::review::{Check, Rule};
use super::scalar::{self, Mismatch, Stated};
use super::yaml::Node;
use crate::schedule::{CronWindows, Form, Moment, Once, Recurring, Turn};
use crate::timestamp::Timestamp;

/// Longest duration of a one-off, in seconds: a hundred years, which is beyond
/// the end of all schedules.
const LONGEST_ONCE: u32 = 36_525 * 86_400;

impl Decoder<'_> {
    pub(super) fn once(&self, fields: &Fields<'_>, around: &Surroundings) -> Option<Form> {
        let report = self.context.report;
        let moment = |node: &Node| {
            let stated = parsed(
                node,
                "a date with a time of day",
                "invalid-time",
                report,
                scalar::moment,
            )?;
            Some(match stated {
                Stated::Absolute(instant) => Moment::Absolute(instant),
                Stated::Local(local) => {
                    Moment::Local(local, around.zone.needed(node.at, self.context)?)
                }
            })
        };
        let starts_at = fields.required("starts_at", "write `starts_at: 2026-12-24T18:00`", report);
        let starts_at = starts_at.and_then(moment);
        let (end, end_at) = match once_end(fields, self.context)? {
            End::At(node) => (Ok(moment(node)?), node.at),
            End::Duration(seconds) => (Err(seconds), fields.at),
        };
        let starts_at = starts_at?;
        let start = starts_at.as_start();
        let end = match &end {
            Ok(end) => {
                let backwards = match (&starts_at, end) {
                    // What a gap of the clocks swallows is no fault of the writer.
                    (Moment::Local(start, _), Moment::Local(end, _)) => end <= start,
                    _ => end.as_end() <= start,
                };
                if backwards {
                    report.error(
                        end_at,
                        "empty-window",
                        "`ends_at` is not after `starts_at`",
                        "",
                    );
                    return None;
                }
                end.as_end()
            }
            Err(seconds) => {
                Timestamp::from_seconds(start.seconds().saturating_add(i64::from(*seconds)))
            }
        };
        let date = match &starts_at {
            Moment::Local(local, _) => local.date(),
            Moment::Absolute(instant) => {
                let zone = around.zone.known();
                instant
                    .civil(zone.map_or(0, |zone| zone.timeline().offset_at(*instant)))
                    .date()
            }
        };
        let once = Once::new(start, end, date, around.except_dates.clone());
        self.rule(fields.at, Check::Once { start, end });
        Some(Form::Once(once))
    }

    pub(super) fn recurring(&self, fields: &Fields<'_>, around: &Surroundings) -> Option<Form> {
        let report = self.context.report;
        let dates = recurring::dates(fields, around.except_dates.clone(), report);
        let times = recurring::times(fields, report);
        let zone = around.zone.needed(fields.at, self.context);
        let recurring = Recurring {
            zone: zone?,
            dates: dates?,
            times: times?,
        };
        self.count(fields.at, 0, recurring.times.len())?;
        self.rule(fields.at, Check::Recurring(Box::new(recurring.clone())));
        Some(Form::Recurring(recurring))
    }

    pub(super) fn cron(&self, fields: &Fields<'_>, around: &Surroundings) -> Option<Form> {
        let report = self.context.report;
        let duration = fields
            .required(
                "duration",
                "write how long each window lasts, such as `duration: 2h`",
                report,
            )
            .and_then(|node| recurring::duration(node, report));
        let zone = around.zone.needed(fields.at, self.context);
        let node = fields.get("cron")?;
        // Without the rest the expression is still worth a look.
        let checked = zone
            .clone()
            .or_else(|| self.context.zones.get("UTC").ok())?;
        let cron = parsed(node, "a cron expression", "invalid-cron", report, |text| {
            CronWindows::parse(
                text,
                duration.unwrap_or(1),
                checked,
                around.except_dates.clone(),
            )
            .map_err(|error| Mismatch {
                message: format!("`{text}`: {error}"),
                hint: String::new(),
            })
        })?;
        let (_, duration) = (zone?, duration?);
        if cron.joins_days_with_or() {
            report.warning(
                node.at,
                "cron-days",
                "both the day of the month and the day of the week are set, and cron opens a window when either fits",
                "write `*` in one of them, or use `weekdays` with `days_of_month`, which must both fit",
            );
        }
        self.count(fields.at, 0, cron.starts_a_day())?;
        self.rule(
            fields.at,
            Check::Cron {
                cron: Box::new(cron.clone()),
                duration,
            },
        );
        Some(Form::Cron(cron))
    }

    pub(super) fn reference(&self, fields: &Fields<'_>, around: &Surroundings) -> Option<Form> {
        self.warn_of_unused_zone(fields);
        let node = fields.get("time_interval")?;
        let name = line(node, "the name of a time interval", self.context.report)?;
        let interval = self
            .context
            .named
            .intervals
            .look_up(name, node.at, self.context)?;
        let mut parts = Vec::with_capacity(interval.rules.len());
        for (rule, place) in &interval.rules {
            self.count(node.at, 1, rule.times.len())?;
            let mut rule = rule.clone();
            if !around.except_dates.is_empty() {
                rule.dates
                    .except_dates
                    .extend_from_slice(&around.except_dates);
                rule.dates.except_dates = recurring::merged(rule.dates.except_dates);
            }
            self.rules.borrow_mut().push(Rule::new(
                place.clone(),
                Check::Recurring(Box::new(rule.clone())),
            ));
            parts.push(Form::Recurring(rule).into());
        }
        Some(Form::AnyOf(parts))
    }

    pub(super) fn turn(&self, fields: &Fields<'_>, around: &Surroundings) -> Option<Form> {
        let report = self.context.report;
        self.warn_of_unused_zone(fields);
        let hint = "write `rotation: NAME` with `on_call: MEMBER` or `off_call: MEMBER`";
        let node = fields.required("rotation", hint, report)?;
        let name = line(node, "the name of a rotation", report);
        let rotation = name.and_then(|name| {
            self.context
                .named
                .rotations
                .look_up(name, node.at, self.context)
        });
        let (member, on_call) = match (fields.get("on_call"), fields.get("off_call")) {
            (Some(member), None) => (member, true),
            (None, Some(member)) => (member, false),
            (None, None) => {
                report.error(
                    fields.at,
                    "missing-key",
                    "a turn needs `on_call` or `off_call`",
                    hint,
                );
                return None;
            }
            (Some(_), Some(off)) => {
                report.error(
                    off.at,
                    "mixed-forms",
                    "both `on_call` and `off_call` are said",
                    "write two forms",
                );
                return None;
            }
        };
        let member_at = member.at;
        let member = line(member, "the name of a member", report)?;
        let rotation = rotation?;
        if !rotation.members.iter().any(|known| known == member) {
            let near = did_you_mean(member, rotation.members.iter().map(String::as_str));
            report.error(
                member_at,
                "unknown-name",
                format!("the rotation has no member `{member}`"),
                if near.is_empty() {
                    format!(
                        "its members are {}",
                        quoted(rotation.members.iter().map(String::as_str))
                    )
                } else {
                    near
                },
            );
            return None;
        }
        Some(Form::Turn(Turn {
            rotation: rotation.clone(),
            member: member.to_owned(),
            on_call,
            except_dates: around.except_dates.clone(),
        }))
    }
}

/// The end of a one-off, whose duration may be longer than that of others.
fn once_end<'n>(fields: &Fields<'n>, context: &Context<'_>) -> Option<End<'n>> {
    match (fields.get("ends_at"), fields.get("duration")) {
        (None, Some(node)) => parsed(
            node,
            "a duration such as `2h`",
            "invalid-duration",
            context.report,
            |text| scalar::duration(text, LONGEST_ONCE),
        )
        .map(End::Duration),
        _ => end_or_duration(fields, "ends_at", context.report),
    }
}
