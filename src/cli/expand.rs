//! When will what be silent? Tables and JSON: `silenced expand`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::terminal::Terminal;
use super::{CommandError, Exit, diagnostics, validate};
use crate::clock::Clock;
use crate::declaration::{Declaration, expansion, icalendar};
use crate::duration;
use crate::interval::Interval;
use crate::name::SilenceName;
use crate::nearest::nearest;
use crate::schedule;
use crate::timestamp::Timestamp;
use crate::zone::Zone;
use crate::zoneinfo::ZoneSource;

/// What is shown without `--to`.
const DEFAULT_RANGE: Duration = Duration::from_hours(7 * 24);

/// What calendars call it.
const CALENDAR: &str = "Silences";

/// Print the intervals that declarations come to
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  silenced expand silences                                     the next seven days
  silenced expand silences --name nightly-info --from 2026-03-28 --to 2026-03-30
  silenced expand silences --from 2026-03-28T12:00:00+01:00 --format json
  silenced expand silences --to 2027-01-01 --format ics > silences.ics

A time is RFC 3339, or a date, which is its midnight in UTC. Intervals are cut off where the range
begins and ends; DST marks where the clocks change in between: how much longer or shorter it is
than the clock on the wall says. Events of a calendar are whole; what is disabled has none.

Exit codes: 0, or 1 when a file has errors; valid declarations are printed all the same.")]
pub(super) struct Arguments {
    /// The directory of the declarations
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// Only this silence; may be repeated [default: all]
    #[arg(
        long = "name",
        value_name = "NAME",
        env = "SILENCED_NAME",
        value_delimiter = ',',
        value_parser = SilenceName::new
    )]
    names: Vec<SilenceName>,

    /// Beginning of the range [default: now]
    #[arg(long, value_name = "TIME", env = "SILENCED_FROM", value_parser = read_time)]
    from: Option<Timestamp>,

    /// End of the range [default: seven days after the beginning]
    #[arg(long, value_name = "TIME", env = "SILENCED_TO", value_parser = read_time)]
    to: Option<Timestamp>,

    /// How to print the intervals
    #[arg(long, value_enum, default_value_t = Format::Table, env = "SILENCED_FORMAT")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    // For people: UTC and local time.
    Table,
    // For machines.
    Json,
    // For calendars to subscribe to.
    Ics,
}

fn read_time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_or_midnight(text).map_err(|_| {
        "write a date such as 2026-03-28, or a time such as 2026-03-28T21:00:00Z".to_owned()
    })
}

impl Arguments {
    pub(super) fn run(
        self,
        terminal: &Terminal,
        mut zones: ZoneSource,
    ) -> Result<Exit, CommandError> {
        let now = Clock::System.now();
        let range = self.range(now)?;
        let zones = zones.load();
        let declarations = validate::read(&self.directory, &zones)?;
        terminal.message(&diagnostics::text(
            &declarations.diagnostics,
            terminal.message_style(),
        ));
        let mut unknown: BTreeSet<&SilenceName> = self.names.iter().collect();
        let chosen: Vec<&Arc<Declaration>> = declarations
            .silences
            .iter()
            .filter(|declaration| self.names.is_empty() || self.names.contains(&declaration.name))
            .inspect(|declaration| {
                unknown.remove(&declaration.name);
            })
            .collect();
        let text = match self.format {
            Format::Table => table(&chosen, range),
            Format::Json => {
                let value = expansion::to_json(
                    chosen,
                    range,
                    (zones.version(), &zones.origin().to_string()),
                    usize::MAX,
                )
                .map_err(CommandError::failed)?;
                format!("{value:#}\n")
            }
            Format::Ics => icalendar::calendar(chosen, range, CALENDAR, now),
        };
        terminal.print(&text)?;
        for name in &unknown {
            let names = declarations
                .silences
                .iter()
                .map(|known| known.name.as_str());
            let hint = match nearest(name.as_str(), names).first() {
                Some(nearest) => format!("; did you mean `{nearest}`?"),
                None => String::new(),
            };
            terminal.error(&format!("no valid silence is called `{name}`{hint}"));
        }
        let failed = diagnostics::has_errors(&declarations.diagnostics) || !unknown.is_empty();
        Ok(if failed { Exit::Failure } else { Exit::Success })
    }

    fn range(&self, now: Timestamp) -> Result<Interval, CommandError> {
        let from = self.from.unwrap_or(now);
        let to = self.to.unwrap_or(from.plus(DEFAULT_RANGE));
        let range = Interval::new(from, to).ok_or_else(|| {
            CommandError::Usage(format!("--to ({to}) must be after --from ({from})"))
        })?;
        if from < schedule::FIRST || to > schedule::LAST {
            let (first, last) = (schedule::FIRST, schedule::LAST);
            let problem = format!("schedules are known from {first} to {last} only");
            return Err(CommandError::Usage(problem));
        }
        Ok(range)
    }
}

const COLUMNS: [&str; 7] = [
    "NAME",
    "START",
    "END",
    "LOCAL START",
    "LOCAL END",
    "LENGTH",
    "NOTES",
];

/// A row for every interval, and one for every declaration without any.
fn table(declarations: &[&Arc<Declaration>], range: Interval) -> String {
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    for declaration in declarations {
        rows.extend(rows_of(declaration, range));
    }
    let mut widths = [0; COLUMNS.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    text
}

fn rows_of(declaration: &Declaration, range: Interval) -> Vec<[String; COLUMNS.len()]> {
    // A second more on both sides tells what is cut off.
    let second = Duration::from_secs(1);
    let wider = Interval::new(range.start().minus(second), range.end().plus(second));
    let around = declaration.schedule.expand(wider.unwrap_or(range));
    let zone = declaration.zone.as_ref();
    let zone = zone.or_else(|| declaration.schedule.zone());
    let rows: Vec<_> = around
        .clip(range)
        .iter()
        .map(|interval| {
            let (start, end) = (interval.start(), interval.end());
            let mut notes = Vec::new();
            if around.at(start) != Some(interval) {
                notes.push("cut off".to_owned());
            }
            notes.extend(zone.and_then(|zone| clock_change(zone, interval)));
            notes.extend(expansion::state(declaration).map(str::to_owned));
            [
                declaration.name.to_string(),
                start.to_string(),
                end.to_string(),
                local(zone, start),
                local(zone, end),
                duration::format(end.since(start)),
                notes.join(", "),
            ]
        })
        .collect();
    if !rows.is_empty() {
        return rows;
    }
    let mut notes = vec!["no interval in this range".to_owned()];
    notes.extend(expansion::state(declaration).map(str::to_owned));
    let mut row = [const { String::new() }; COLUMNS.len()];
    let [name, .., last] = &mut row;
    *name = declaration.name.to_string();
    *last = notes.join(", ");
    vec![row]
}

/// On the wall clock of the zone, with weekday and offset.
fn local(zone: Option<&Zone>, instant: Timestamp) -> String {
    let Some(zone) = zone else {
        return "-".to_owned();
    };
    let offset = zone.timeline().offset_at(instant);
    let civil = instant.civil(offset).format("%a %Y-%m-%d %H:%M:%S");
    let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.abs() / 60);
    format!("{civil} {sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// `DST -1h` where the window is an hour shorter than the wall clock says.
fn clock_change(zone: &Zone, interval: Interval) -> Option<String> {
    let offset_at = |instant| zone.timeline().offset_at(instant);
    let change = offset_at(interval.start()) - offset_at(interval.end());
    let sign = if change < 0 { '-' } else { '+' };
    let length = duration::format(Duration::from_secs(change.unsigned_abs().into()));
    (change != 0).then(|| format!("DST {sign}{length}"))
}
