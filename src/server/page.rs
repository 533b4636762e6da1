//! How are we doing, for people? The status page: one document, no scripts,
//! made anew for every request.

use std::fmt::{self, Write as _};
use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse, Response};

use super::AppState;
use crate::daemon::Status;
use crate::declaration::{Declaration, Severity};
use crate::interval::Interval;
use crate::reconcile::{Outcome, Pass, TargetPass, TargetState};
use crate::timestamp::Timestamp;

/// Rows of one table; the rest is counted. The JSON routes have everything.
const MOST_ROWS: usize = 500;

/// How far ahead the next window of a declaration is looked for.
const LOOK_AHEAD: Duration = Duration::from_hours(168);

const STYLE: &str = include_str!("page.css");

pub(super) async fn page(State(state): State<AppState>) -> Response {
    let status = state.0.handle.status.borrow().clone();
    let html = render(&status, state.0.clock.now());
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    ([(CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response()
}

fn render(status: &Status, now: Timestamp) -> String {
    let mut html = String::new();
    // Writing to a string does not fail.
    let _ = write_page(&mut html, status, now);
    html
}

fn write_page(html: &mut String, status: &Status, now: Timestamp) -> fmt::Result {
    let (word, class) = headline(status);
    write!(
        html,
        "<!doctype html><html lang=en><head><meta charset=utf-8>\
         <meta name=viewport content='width=device-width'><meta http-equiv=refresh content=10>\
         <title>silenced: {word}</title><style>{STYLE}</style></head><body>\
         <header><h1>silenced <small>{instance}</small></h1><p class='state {class}'>{word}</p></header><main>",
        instance = Escaped(status.instance.as_str()),
    )?;
    let Some(pass) = status.pass.as_deref() else {
        return html.write_str("<p>The first pass has not ended yet.</p></main></body></html>");
    };
    write_facts(html, status, pass)?;
    write_targets(html, pass)?;
    write_holds(html, pass)?;
    write_diagnostics(html, pass)?;
    write_silences(html, pass, now)?;
    write!(
        html,
        "</main><footer>silenced {} · zone data {} ({}) · <a href=/api/v1/status>status</a> · \
         <a href=/api/v1/plan>plan</a> · <a href=/api/v1/timeline>timeline</a> · \
         <a href=/metrics>metrics</a></footer></body></html>",
        env!("CARGO_PKG_VERSION"),
        Escaped(&status.tzdata.0),
        Escaped(&status.tzdata.1),
    )
}

fn headline(status: &Status) -> (&'static str, &'static str) {
    match status.pass.as_deref().map(Pass::outcome) {
        _ if status.suspended => ("suspended", "held"),
        None => ("starting", "held"),
        Some(Outcome::Converged) => ("converged", "converged"),
        Some(Outcome::Held) => ("held", "held"),
        Some(Outcome::Failed) => ("failed", "failed"),
    }
}

fn write_facts(html: &mut String, status: &Status, pass: &Pass) -> fmt::Result {
    html.write_str("<dl>")?;
    let never = || "never".to_owned();
    let unknown = || "unknown".to_owned();
    for (term, text) in [
        (
            "Revision",
            pass.revision
                .as_ref()
                .map_or_else(unknown, ToString::to_string),
        ),
        ("Last pass", pass.started.to_string()),
        (
            "Last success",
            status.last_success.map_or_else(never, |at| at.to_string()),
        ),
        (
            "Covered until",
            pass.covered_until()
                .map_or_else(unknown, |at| at.to_string()),
        ),
        ("Declarations", pass.declarations.silences.len().to_string()),
    ] {
        write!(
            html,
            "<div><dt>{term}</dt><dd>{}</dd></div>",
            Escaped(&text)
        )?;
    }
    html.write_str("</dl>")?;
    if let Some(error) = &pass.source_error {
        write!(
            html,
            "<p class='notice failed'>{} The last good declarations stay in force.</p>",
            Escaped(error)
        )?;
    }
    Ok(())
}

fn write_targets(html: &mut String, pass: &Pass) -> fmt::Result {
    html.write_str("<h2>Targets</h2>")?;
    let mut targets: Vec<&TargetPass> = pass.targets.iter().map(AsRef::as_ref).collect();
    if targets.len() > 1 {
        write_states(html, &targets)?;
    }
    // Among a thousand, those that need somebody come first.
    targets.sort_by_key(|target| target.state());
    html.write_str(
        "<table><thead><tr><th>Name<th>State<th>Ours<th>Foreign<th>Asked<th>Last time\
         </thead><tbody>",
    )?;
    for target in targets.iter().take(MOST_ROWS) {
        let state = target.state();
        let class = match state {
            TargetState::Failing => "failed",
            TargetState::Busy | TargetState::Held => "held",
            TargetState::Ok => "converged",
        };
        write!(
            html,
            "<tr><td>{}<td class={class}>{}",
            Escaped(target.name.as_str()),
            state.word(),
        )?;
        if let Some(error) = &target.error {
            write!(html, "<br>{}", Escaped(error))?;
        }
        if let Some(since) = target.failing_since {
            write!(html, "<br><small>since {since}")?;
            if let Some(next_try) = target.next_try {
                write!(html, ", next try at {next_try}")?;
            }
            html.write_str("</small>")?;
        }
        write!(
            html,
            "<td>{}<td>{}<td>{}<td>{}",
            target.owned(),
            target.plan.as_ref().map_or(0, |plan| plan.foreign),
            target.started,
            work_done(target),
        )?;
    }
    close_table(html, targets.len())
}

/// `1000 targets: 2 failing, 1 busy, 997 ok`
fn write_states(html: &mut String, targets: &[&TargetPass]) -> fmt::Result {
    let counts = TargetState::ALL.map(|state| {
        let those = targets.iter().filter(|target| target.state() == state);
        (those.count(), state.word())
    });
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> = counts
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    write!(
        html,
        "<p>{} targets: {}</p>",
        targets.len(),
        words.join(", ")
    )
}

/// `2 created, 1 failed, 3 held`
fn work_done(target: &TargetPass) -> String {
    if target.plan.is_none() {
        return String::new();
    }
    let report = &target.report;
    let counts = [
        (report.created, "created"),
        (report.updated, "updated"),
        (report.replaced, "replaced"),
        (report.expired, "expired"),
        (report.failures.len(), "failed"),
        (report.not_attempted, "not attempted"),
        (target.held(), "held"),
    ];
    let words: Vec<String> = counts
        .into_iter()
        .filter(|&(count, _)| count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if words.is_empty() {
        return "nothing to do".to_owned();
    }
    words.join(", ")
}

fn write_holds(html: &mut String, pass: &Pass) -> fmt::Result {
    let holds: Vec<_> = pass
        .targets
        .iter()
        .filter_map(|target| Some((target, target.plan.as_ref()?)))
        .flat_map(|(target, plan)| plan.holds.iter().map(move |hold| (&target.name, hold)))
        .collect();
    if holds.is_empty() {
        return Ok(());
    }
    html.write_str(
        "<h2>Held</h2><table><thead><tr><th>Silence<th>Target<th>Cause<th>Reason</thead><tbody>",
    )?;
    for (target, hold) in holds.iter().take(MOST_ROWS) {
        write!(
            html,
            "<tr><td>{}<td>{}<td class=held>{}<td>{}",
            Escaped(hold.silence.as_str()),
            Escaped(target.as_str()),
            hold.cause.word(),
            Escaped(&hold.reason),
        )?;
    }
    close_table(html, holds.len())
}

fn write_diagnostics(html: &mut String, pass: &Pass) -> fmt::Result {
    let diagnostics = &pass.declarations.diagnostics;
    if diagnostics.is_empty() {
        return Ok(());
    }
    html.write_str("<h2>Diagnostics</h2><table><thead><tr><th>Where<th>What</thead><tbody>")?;
    for found in diagnostics.iter().take(MOST_ROWS) {
        let class = if found.severity == Severity::Error {
            "failed"
        } else {
            "held"
        };
        write!(
            html,
            "<tr><td>{}:{}:{}<td class={class}>{}",
            Escaped(&found.file),
            found.line,
            found.column,
            Escaped(&found.message),
        )?;
        if let Some(hint) = &found.hint {
            write!(html, "<br><small>{}</small>", Escaped(hint))?;
        }
    }
    close_table(html, diagnostics.len())
}

fn write_silences(html: &mut String, pass: &Pass, now: Timestamp) -> fmt::Result {
    html.write_str(
        "<h2>Silences</h2><table><thead><tr><th>Name<th>Owner<th>Matchers<th>Window</thead><tbody>",
    )?;
    let silences = &pass.declarations.silences;
    for declaration in silences.iter().take(MOST_ROWS) {
        let matchers: Vec<String> = declaration
            .matchers
            .as_slice()
            .iter()
            .map(ToString::to_string)
            .collect();
        let (class, window) = next_window(declaration, now);
        write!(
            html,
            "<tr><td>{}<br><small>{}</small><td>{}<td><code>{}</code><td class={class}>{window}",
            Escaped(declaration.name.as_str()),
            Escaped(declaration.comment.trim()),
            Escaped(&declaration.owner),
            Escaped(&matchers.join(", ")),
        )?;
    }
    close_table(html, silences.len())
}

/// The window that is open, or the next one.
fn next_window(declaration: &Declaration, now: Timestamp) -> (&'static str, String) {
    if !declaration.enabled {
        return ("quiet", "disabled".to_owned());
    }
    let ahead = Interval::new(now, now.plus(LOOK_AHEAD));
    let windows = ahead
        .map(|range| declaration.schedule.expand(range))
        .unwrap_or_default();
    match windows.as_slice().first() {
        None => ("quiet", "none in the next 7 days".to_owned()),
        Some(window) if window.start() <= now && ahead.is_some_and(|a| window.end() >= a.end()) => {
            ("converged", "open".to_owned())
        }
        Some(window) if window.start() <= now => {
            ("converged", format!("open until {}", window.end()))
        }
        Some(window) => ("quiet", format!("{} to {}", window.start(), window.end())),
    }
}

fn close_table(html: &mut String, rows: usize) -> fmt::Result {
    html.write_str("</tbody></table>")?;
    match rows.checked_sub(MOST_ROWS) {
        Some(more) if more > 0 => write!(html, "<p>and {more} more</p>"),
        _ => Ok(()),
    }
}

/// Text made safe to stand in HTML, also inside a quoted attribute.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => formatter.write_str("&amp;"),
            '<' => formatter.write_str("&lt;"),
            '>' => formatter.write_str("&gt;"),
            '"' => formatter.write_str("&quot;"),
            '\'' => formatter.write_str("&#39;"),
            other => formatter.write_char(other),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(
            Escaped("<script a='b'>\"&</script>").to_string(),
            "&lt;script a=&#39;b&#39;&gt;&quot;&amp;&lt;/script&gt;"
        );
    }
}
