//! What is said of a pass over one target? One line, with the first thing that went
//! wrong and how many more there are.

use crate::apply::ApplyReport;
use crate::plan::{HoldCause, Plan};

/// Why something is not written again that the server accepted without doing it.
pub(super) fn held_without_effect(plan: &Plan) -> Option<String> {
    let mut holds = plan
        .holds
        .iter()
        .filter(|hold| hold.cause == HoldCause::Ineffective);
    let first = holds.next()?;
    let others = more(holds.count());
    Some(format!("{}: {}{others}", first.silence, first.reason))
}

/// What went wrong, in one line: the first failure, and how many there are.
pub(super) fn summary(report: &ApplyReport) -> Option<String> {
    let left = report.not_attempted;
    match report.failures.split_first() {
        Some((first, rest)) => {
            let others = more(rest.len() + left);
            Some(format!("{}: {}{others}", first.silence, first.message))
        }
        None if report.ran_out_of_time => Some(format!(
            "there was no time for {left} more actions; the next pass goes on with them at once"
        )),
        None if left > 0 => Some(format!("stopped before {left} actions were begun")),
        None => None,
    }
}

/// Why duplicates were left.
pub(super) fn waiting(unproved: usize) -> Option<String> {
    (unproved > 0).then(|| {
        format!(
            "{unproved} duplicates stay until the server's list shows that what they duplicate \
             was updated; the next pass looks again"
        )
    })
}

/// How many more there are, if there are any.
pub(super) fn more(others: usize) -> String {
    match others {
        0 => String::new(),
        others => format!(" (and {others} more)"),
    }
}
