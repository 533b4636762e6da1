//! When, as it is written? The forms of a schedule, decoded.

use std::cell::{Cell, RefCell};

use super::fields::{Fields, did_you_mean, line, list, parsed, quoted, wrong_type};
use super::names::Context;
use super::recurring::{self, End, end_or_duration};
use super::report::{Place, Position};
use super::review::{Check, Rule};
use super::scalar::{self, Mismatch, Stated};
use super::timezone::{self, ZoneChoice};
use super::yaml::{Entry, Kind, Node};
use crate::schedule::{CronWindows, DateRange, Form, Moment, Once, Recurring, Schedule, Turn};
use crate::timestamp::Timestamp;

/// Forms of one declaration, those of its named time intervals included.
const FORMS: usize = 256;

/// Sets inside sets.
const DEPTH: usize = 16;

/// Windows that all forms of one declaration may open on one day: as many as
/// two cron expressions that fire every minute. A year of that is a million
/// windows, about a tenth of a second of expansion; no declaration costs more.
const WINDOWS_A_DAY: usize = 2 * 24 * 60;

/// Longest duration of a one-off, in seconds: a hundred years, which is beyond
/// the end of all schedules.
const LONGEST_ONCE: u32 = 36_525 * 86_400;

/// The forms with the keys that belong to each alone.
const FORM_KEYS: [(&str, &[&str]); 9] = [
    ("once", &["starts_at", "ends_at"]),
    ("recurring", &recurring::KEYS),
    ("cron", &["cron"]),
    ("reference", &["time_interval"]),
    ("rotation", &["rotation", "on_call", "off_call"]),
    ("any_of", &["any_of"]),
    ("all_of", &["all_of"]),
    ("not", &["not"]),
    ("always", &["always"]),
];

/// Keys that go with more than one form.
const COMMON_KEYS: [&str; 5] = ["duration", "timezone", "location", "except", "except_dates"];

/// What the forms around say about the ones inside.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) zone: ZoneChoice,
    except_dates: Vec<DateRange>,
    depth: usize,
}

impl Surroundings {
    pub(super) const fn new(zone: ZoneChoice) -> Self {
        Self {
            zone,
            except_dates: Vec::new(),
            depth: 0,
        }
    }
}

/// Decodes the schedule of one declaration, within the bounds of one.
pub(super) struct Decoder<'a> {
    context: &'a Context<'a>,
    forms: Cell<usize>,
    windows: Cell<usize>,
    rules: RefCell<Vec<Rule>>,
}

impl<'a> Decoder<'a> {
    pub(super) const fn new(context: &'a Context<'a>) -> Self {
        Self {
            context,
            forms: Cell::new(0),
            windows: Cell::new(0),
            rules: RefCell::new(Vec::new()),
        }
    }

    /// The rules that were met, for [`super::review`], after one for the whole
    /// declaration, whose name stands at `name`.
    pub(super) fn into_rules(self, name: Place) -> Vec<Rule> {
        let mut rules = self.rules.into_inner();
        rules.insert(0, Rule::new(name, Check::Declaration));
        rules
    }

    /// One form, or a list of them, which is their union.
    pub(super) fn schedule(&self, node: &Node, around: &Surroundings) -> Option<Schedule> {
        if !matches!(node.kind, Kind::Sequence(_)) {
            return self.form(node, around);
        }
        self.several(node, around)
            .map(|parts| match <[Schedule; 1]>::try_from(parts) {
                Ok([only]) => only,
                Err(parts) => Form::AnyOf(parts).into(),
            })
    }

    /// Every form of a list.
    fn several(&self, node: &Node, around: &Surroundings) -> Option<Vec<Schedule>> {
        let items = list(node, "a list of schedules", FORMS, self.context.report)?;
        let mut parts = Vec::with_capacity(items.len());
        for item in items {
            parts.extend(self.form(item, around));
        }
        (parts.len() == items.len()).then_some(parts)
    }

    fn form(&self, node: &Node, around: &Surroundings) -> Option<Schedule> {
        let report = self.context.report;
        self.count(node.at, 1, 0)?;
        if around.depth >= DEPTH {
            report.error(
                node.at,
                "too-deep",
                format!("schedules inside one another more than {DEPTH} deep"),
                "name a part of it in `time_intervals`",
            );
            return None;
        }
        if node.scalar() == Some("always") {
            return Some(Form::Always.into());
        }
        let known: Vec<&str> = FORM_KEYS
            .iter()
            .flat_map(|(_, keys)| keys.iter().copied())
            .chain(COMMON_KEYS)
            .collect();
        let fields = Fields::read(node, "a schedule", &known, report)?;
        let form = self.which(&fields);
        let zone = timezone::of_form(&fields, &around.zone, self.context);
        let except = fields.get("except").map(|node| {
            let around = Surroundings {
                depth: around.depth + 1,
                ..Surroundings::new(zone.clone())
            };
            match node.kind {
                Kind::Sequence(_) => self.several(node, &around),
                _ => self.form(node, &around).map(|one| vec![one]),
            }
        });
        let except_dates = recurring::except_dates(&fields, &around.except_dates, self.context);
        let inside = Surroundings {
            zone,
            // The fault is reported; the rest is read as if they were not there.
            except_dates: except_dates.clone().unwrap_or_default(),
            depth: around.depth + 1,
        };
        let form = self.decode(form?, &fields, &inside);
        except_dates?;
        let except = except.unwrap_or(Some(Vec::new()))?;
        Some(Schedule {
            form: form?,
            except,
        })
    }

    /// The one form whose keys are there.
    fn which(&self, fields: &Fields<'_>) -> Option<&'static str> {
        let report = self.context.report;
        let mut present = FORM_KEYS.iter().filter_map(|(form, keys)| {
            keys.iter()
                .find_map(|key| fields.entry(key))
                .map(|entry| (*form, entry))
        });
        let first = present.next();
        let second = present.next();
        match (first, second, fields.entry("duration")) {
            (Some((form, entry)), Some((other, another)), _) => {
                report.error(
                    entry.key_at.max(another.key_at),
                    "mixed-forms",
                    format!(
                        "this schedule mixes two forms, {form} (`{}`) and {other} (`{}`)",
                        entry.key, another.key
                    ),
                    "write each as an item of `any_of` (either) or `all_of` (both at once)",
                );
                None
            }
            (None, _, Some(_)) => {
                report.error(
                    fields.at,
                    "no-form",
                    "this schedule has a duration and no start",
                    "add `cron`, `starts_at`, or `times` with `start_time` and `duration` inside",
                );
                None
            }
            (None, _, None) => {
                let keys = [
                    "times",
                    "weekdays",
                    "cron",
                    "starts_at",
                    "time_interval",
                    "rotation",
                    "any_of",
                    "all_of",
                    "not",
                    "always",
                ];
                report.error(
                    fields.at,
                    "no-form",
                    "this schedule does not say when",
                    format!("add one of {}", quoted(keys)),
                );
                None
            }
            (Some((form, _)), None, Some(duration)) if !matches!(form, "once" | "cron") => {
                misplaced_duration(form, duration, self.context);
                None
            }
            (Some((form, _)), None, _) => Some(form),
        }
    }

    fn decode(&self, form: &str, fields: &Fields<'_>, around: &Surroundings) -> Option<Form> {
        match form {
            "once" => self.once(fields, around),
            "recurring" => self.recurring(fields, around),
            "cron" => self.cron(fields, around),
            "reference" => self.reference(fields, around),
            "rotation" => self.turn(fields, around),
            "any_of" => self.several(fields.get(form)?, around).map(Form::AnyOf),
            "all_of" => {
                let node = fields.get(form)?;
                let all = Form::AllOf(self.several(node, around)?);
                self.rule(node.at, Check::AllOf(all.clone().into()));
                Some(all)
            }
            "not" => self
                .schedule(fields.get(form)?, around)
                .map(|part| Form::Not(Box::new(part))),
            _ => {
                let node = fields.get(form)?;
                if node.boolean() == Some(true) {
                    self.warn_of_unused_zone(fields);
                    return Some(Form::Always);
                }
                wrong_type(node, "`always: true`", self.context.report);
                None
            }
        }
    }

    fn once(&self, fields: &Fields<'_>, around: &Surroundings) -> Option<Form> {
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

    fn recurring(&self, fields: &Fields<'_>, around: &Surroundings) -> Option<Form> {
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
        self.rule(fields.at, Check::Recurring(recurring.clone()));
        Some(Form::Recurring(recurring))
    }

    fn cron(&self, fields: &Fields<'_>, around: &Surroundings) -> Option<Form> {
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
                cron: cron.clone(),
                duration,
            },
        );
        Some(Form::Cron(cron))
    }

    fn reference(&self, fields: &Fields<'_>, around: &Surroundings) -> Option<Form> {
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
            self.rules
                .borrow_mut()
                .push(Rule::new(place.clone(), Check::Recurring(rule.clone())));
            parts.push(Form::Recurring(rule).into());
        }
        Some(Form::AnyOf(parts))
    }

    fn turn(&self, fields: &Fields<'_>, around: &Surroundings) -> Option<Form> {
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

    fn rule(&self, at: Position, check: Check) {
        self.rules
            .borrow_mut()
            .push(Rule::new(self.context.report.place(at), check));
    }

    /// Counts towards the bounds of a declaration.
    fn count(&self, at: Position, forms: usize, windows: usize) -> Option<()> {
        let before = (self.forms.get(), self.windows.get());
        let after = (before.0 + forms, before.1 + windows);
        self.forms.set(after.0);
        self.windows.set(after.1);
        if after.0 > FORMS || after.1 > WINDOWS_A_DAY {
            // Said once, where the bound is passed.
            if before.0 <= FORMS && before.1 <= WINDOWS_A_DAY {
                self.context.report.error(
                    at,
                    "too-many",
                    format!(
                        "this schedule has more than {FORMS} forms, or more than {WINDOWS_A_DAY} windows a day"
                    ),
                    "write several declarations",
                );
            }
            return None;
        }
        Some(())
    }

    fn warn_of_unused_zone(&self, fields: &Fields<'_>) {
        for key in ["timezone", "location"] {
            if let Some(Entry { key_at, .. }) = fields.entry(key) {
                self.context.report.warning(
                    *key_at,
                    "unused-timezone",
                    format!("`{key}` changes nothing here: what is named has its own time zone"),
                    "remove it, or set the time zone where the named thing is defined",
                );
            }
        }
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

fn misplaced_duration(form: &str, duration: &Entry, context: &Context<'_>) {
    context.report.error(
        duration.key_at,
        "misplaced-key",
        format!("`duration` does not go with a schedule of the form {form}"),
        if form == "recurring" {
            "write it inside the items of `times`, in the place of `end_time`"
        } else {
            "remove it"
        },
    );
}
