//! How does a plan read? Like a diff for people, as JSON for machines.

use std::fmt::{self, Write as _};

use serde_json::{Value, json};

use super::{Action, Change, HoldCause, Plan};
use crate::matcher::Matchers;
use crate::name::TargetName;
use crate::silence::SilenceDraft;

/// Whether to use colour. The symbols say everything that the colours say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// Text alone.
    Plain,
    /// With the terminal's colours.
    Colour,
}

impl Style {
    fn paint(self, code: u8, text: &dyn fmt::Display) -> impl fmt::Display {
        fmt::from_fn(move |formatter| match self {
            Self::Plain => write!(formatter, "{text}"),
            Self::Colour => write!(formatter, "\u{1b}[{code}m{text}\u{1b}[0m"),
        })
    }
}

const RED: u8 = 31;
const GREEN: u8 = 32;
const YELLOW: u8 = 33;
const BOLD: u8 = 1;
const DIM: u8 = 2;

/// Of an action, in bytes.
const USUAL_LENGTH: usize = 200;

/// The plan of one target as a diff, with a line that sums it up first.
#[must_use]
pub fn render(target: &TargetName, plan: &Plan, style: Style) -> String {
    let mut text = String::with_capacity(plan.actions.len() * USUAL_LENGTH);
    let heading = format_args!("{target}: {}", summary(plan));
    let _ = writeln!(text, "{}", style.paint(BOLD, &heading));
    for action in &plan.actions {
        push_action(&mut text, action, style);
    }
    for hold in &plan.holds {
        let (silence, cause, reason) = (&hold.silence, hold.cause.word(), &hold.reason);
        let line = format_args!("  ! {silence} held ({cause}): {reason}");
        let _ = writeln!(text, "{}", style.paint(YELLOW, &line));
    }
    for remark in &plan.remarks {
        let line = format_args!("  ! {remark}");
        let _ = writeln!(text, "{}", style.paint(YELLOW, &line));
    }
    text
}

/// `2 to create, 1 held (fingerprint 0123456789abcdef)`, or that nothing is to do. The
/// fingerprint is for whoever wants to confirm what a guard holds.
fn summary(plan: &Plan) -> String {
    let counts: Vec<String> = ["create", "update", "replace", "expire"]
        .into_iter()
        .map(|word| {
            (
                word,
                plan.actions
                    .iter()
                    .filter(|a| a.change.word() == word)
                    .count(),
            )
        })
        .filter(|&(_, count)| count > 0)
        .map(|(word, count)| format!("{count} to {word}"))
        .collect();
    let mut summary = if counts.is_empty() {
        format!("nothing to do, {} in place", plan.owned)
    } else {
        counts.join(", ")
    };
    if !plan.holds.is_empty() {
        let _ = write!(summary, ", {} held", plan.holds.len());
    }
    if plan.holds.iter().any(|hold| hold.cause == HoldCause::Guard) {
        let _ = write!(summary, " (fingerprint {})", plan.fingerprint);
    }
    summary
}

fn push_action(text: &mut String, action: &Action, style: Style) {
    let (symbol, colour) = match action.change {
        Change::Create(_) => ("+", GREEN),
        Change::Update(_) => ("~", YELLOW),
        Change::Replace(..) => ("±", YELLOW),
        Change::Expire(..) => ("-", RED),
    };
    let name = format_args!("  {symbol} {}", action.silence);
    let (name, reason) = (style.paint(colour, &name), style.paint(DIM, &action.reason));
    let _ = writeln!(text, "{name}  {reason}");
    match &action.change {
        Change::Create(draft) => {
            push_matchers(text, ' ', &draft.matchers);
            push_window(text, draft);
        }
        Change::Update(draft) => push_window(text, draft),
        Change::Replace(draft, old) => {
            if draft.matchers.same_set(&old.matchers) {
                push_matchers(text, ' ', &draft.matchers);
            } else {
                push_matchers(text, '-', &old.matchers);
                push_matchers(text, '+', &draft.matchers);
            }
            push_window(text, draft);
        }
        Change::Expire(silence, _) => {
            push_matchers(text, ' ', &silence.matchers);
            let _ = writeln!(text, "      until now instead of {}", silence.ends_at);
        }
    }
    if let Some(id) = action.change.id() {
        let _ = writeln!(text, "      id {id}");
    }
}

fn push_matchers(text: &mut String, sign: char, matchers: &Matchers) {
    let _ = write!(text, "    {sign} {{");
    for (index, matcher) in matchers.as_slice().iter().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        let _ = write!(text, "{comma}{matcher}");
    }
    text.push_str("}\n");
}

fn push_window(text: &mut String, draft: &SilenceDraft) {
    let _ = writeln!(text, "      {} .. {}", draft.starts_at, draft.ends_at);
}

fn matcher_strings(matchers: &Matchers) -> Vec<String> {
    matchers
        .as_slice()
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// One element of `targets` in the plan's JSON, with those of its actions that are
/// given and so many holds at most; without a plan, the error.
#[must_use]
pub fn to_json<'a>(
    target: &TargetName,
    plan: Result<(&Plan, impl Iterator<Item = &'a Action>), &str>,
    most_holds: usize,
) -> Value {
    match plan {
        Ok((plan, actions)) => json!({
            "name": target,
            "actions": actions.map(action_to_json).collect::<Vec<_>>(),
            "holds": plan.holds.iter().take(most_holds).map(|hold| json!({
                "silence": hold.silence,
                "cause": hold.cause.word(),
                "reason": hold.reason,
            })).collect::<Vec<_>>(),
            "remarks": plan.remarks,
            "foreign": plan.foreign,
            "owned": plan.owned,
            "error": null,
            "fingerprint": plan.fingerprint.as_str(),
        }),
        Err(error) => json!({
            "name": target,
            "actions": [],
            "holds": [],
            "remarks": [],
            "foreign": 0,
            "owned": 0,
            "error": error,
            "fingerprint": null,
        }),
    }
}

fn action_to_json(action: &Action) -> Value {
    let (starts_at, ends_at, matchers, comment) = match &action.change {
        Change::Create(draft) | Change::Update(draft) | Change::Replace(draft, _) => (
            draft.starts_at,
            draft.ends_at,
            &draft.matchers,
            &draft.comment,
        ),
        Change::Expire(silence, _) => (
            silence.starts_at,
            silence.ends_at,
            &silence.matchers,
            &silence.comment,
        ),
    };
    json!({
        "action": action.change.word(),
        "silence": action.silence,
        "id": action.change.id(),
        "starts_at": starts_at,
        "ends_at": ends_at,
        "matchers": matcher_strings(matchers),
        "comment": comment,
        "reason": action.reason,
    })
}
