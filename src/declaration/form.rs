//! When, as it is written? The forms of a schedule, decoded.

use std::cell::{Cell, RefCell};

use super::fields::{Fields, list, quoted, wrong_type};
use super::names::Context;
use super::recurring;
use super::report::{Place, Position};
use super::review::{Check, Rule};
use super::timezone::{self, ZoneChoice};
use super::yaml::{Entry, Kind, Node};
use crate::schedule::{DateRange, Form, Schedule};

/// Forms of one declaration, those of its named time intervals included.
const FORMS: usize = 256;

/// Sets inside sets.
const DEPTH: usize = 16;

/// Windows that all forms of one declaration may open on one day: as many as
/// two cron expressions that fire every minute. A year of that is a million
/// windows, about a tenth of a second of expansion; no declaration costs more.
const WINDOWS_A_DAY: usize = 2 * 24 * 60;

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
    pub(super) except_dates: Vec<DateRange>,
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
    pub(super) context: &'a Context<'a>,
    forms: Cell<usize>,
    windows: Cell<usize>,
    pub(super) rules: RefCell<Vec<Rule>>,
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

    /// The rules that were met, for [`super::review()`], after one for the whole
    /// declaration, whose name stands at `name`.
    pub(super) fn into_rules(self, name: Place) -> Vec<Rule> {
        let mut rules = self.rules.into_inner();
        rules.insert(0, Rule::new(name, Check::Declaration));
        // Kept as long as the declaration, and mostly one or two.
        rules.shrink_to_fit();
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
                let entry = fields.entry(form)?;
                let all = Form::AllOf(self.several(&entry.value, around)?);
                self.rule(entry.key_at, Check::AllOf(Box::new(all.clone().into())));
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

    pub(super) fn rule(&self, at: Position, check: Check) {
        self.rules
            .borrow_mut()
            .push(Rule::new(self.context.report.place(at), check));
    }

    /// Counts towards the bounds of a declaration.
    pub(super) fn count(&self, at: Position, forms: usize, windows: usize) -> Option<()> {
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

    pub(super) fn warn_of_unused_zone(&self, fields: &Fields<'_>) {
        for key in ["timezone", "location"] {
            if let Some(Entry { key_at, .. }) = fields.entry(key) {
                self.context.report.warning(
                    *key_at,
                    "unused-timezone",
                    format!("`{key}` changes nothing here"),
                    "remove it; a named thing has the time zone of its definition",
                );
            }
        }
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
