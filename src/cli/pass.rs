//! How is one pass made for people who wait for it? The same pass as the
//! daemon's, with its progress on the terminal.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use super::history::SharedSource;
use super::signals::stop_on_signal;
use super::terminal::Terminal;
use super::{CommandError, diagnostics, open_files};
use crate::apply::gather_answers;
use crate::clock::Clock;
use crate::config::Configuration;
use crate::name::TargetName;
use crate::plan::Fingerprint;
use crate::reconcile::{Mode, Pass, PassOptions, Reconciler};
use crate::snapshot::Snapshot;
use crate::source::{Progress, Source};
use crate::stop::stopped;
use crate::zoneinfo::ZoneSource;

/// Below this, an apply is over before anybody could read a line about it.
const WORTH_PROGRESS: usize = 20;

/// A first clone of some gigabytes over a slow line, and then some: a server that
/// drips would be waited for in vain.
const LONGEST_READ: Duration = Duration::from_hours(1);

/// Does `work` on this thread, in a runtime of its own.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> Result<T, CommandError> {
    Ok(block_in(runtime()?, work))
}

/// A runtime for [`block_in`]; it takes open files.
///
/// One thread, because nothing here keeps two busy, and with several every
/// request is handed from one to the other and back.
pub(super) fn runtime() -> Result<Runtime, CommandError> {
    Builder::new_current_thread()
        .enable_all()
        .on_thread_park(gather_answers)
        .build()
        .map_err(|error| CommandError::Failed(format!("cannot wait for requests: {error}")))
}

/// Does `work` on this thread, and ends without waiting for blocking reads that
/// nobody needs any more.
pub(super) fn block_in<T>(runtime: Runtime, work: impl Future<Output = T>) -> T {
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}

/// Makes one pass, and tells people what is wrong with files, source and targets.
pub(super) fn make(
    configuration: Configuration,
    mode: Mode,
    confirmed: &[Fingerprint],
    terminal: &Arc<Terminal>,
    mut zones: ZoneSource,
) -> Result<&'static Pass, CommandError> {
    if let Some(warning) = open_files::raise_limit(configuration.targets.len()) {
        terminal.warn(&warning);
    }
    let cache = configuration.cache_directory.as_deref();
    let source = Source::open(configuration.source, cache).map_err(CommandError::failed)?;
    let source = SharedSource::new(source);
    let watching = Arc::clone(terminal);
    let progress = move |target: &TargetName, ended: usize, total: usize| {
        if total >= WORTH_PROGRESS {
            watching.progress(&format!("{target}: {ended} of {total}"));
        }
    };
    let mut reconciler =
        Reconciler::new(configuration.reconcile, zones.load(), configuration.targets)
            .with_history(source.read_history())
            .with_past(source.read_past())
            .with_progress(Arc::new(progress))
            .thorough();
    let pass = block_on(async {
        let stop = stop_on_signal().map_err(CommandError::failed)?;
        let read = read(source, Arc::clone(terminal), stop.clone()).await?;
        let options = PassOptions {
            mode,
            insist: true,
            confirmed,
            now: Clock::System.now(),
            stop: &stop,
        };
        let pass = reconciler.pass(read, options);
        match mode {
            // What is being written is seen through; `pass` watches `stop` itself.
            Mode::Apply => Ok(pass.await),
            Mode::Observe => tokio::select! {
                pass = pass => Ok(pass),
                () = stopped(&stop) => Err(interrupted()),
            },
        }
    })??;
    terminal.clear_progress();
    terminal.message(&diagnostics::text(
        &pass.declarations.diagnostics,
        terminal.message_style(),
    ));
    terminal.error(pass.source_error.as_deref().unwrap_or_default());
    for name in reconciler.untargeted() {
        terminal.warn(&format!(
            "`{name}`: its `targets` match none of the targets"
        ));
    }
    for target in &pass.targets {
        if let Some(error) = &target.error
            && target.report.failures.is_empty()
        {
            terminal.error(&format!("{}: {error}", target.name));
        }
        for failure in &target.report.failures {
            let (silence, operation) = (&failure.silence, failure.operation);
            terminal.error(&format!(
                "{}: cannot {operation} `{silence}`: {}",
                target.name, failure.message
            ));
        }
        if target.report.not_attempted > 0 {
            terminal.error(&format!(
                "{}: {} more actions were not attempted",
                target.name, target.report.not_attempted
            ));
        }
    }
    // The process is about to end, and to take ten thousand declarations apart
    // piece by piece before that takes a tenth of the time that reading them does.
    Ok(Box::leak(Box::new(pass)))
}

/// Reads the source on a thread of its own, until somebody stops us.
async fn read(
    source: SharedSource,
    terminal: Arc<Terminal>,
    stop: watch::Receiver<bool>,
) -> Result<Result<Snapshot, String>, CommandError> {
    let reading = tokio::task::spawn_blocking(move || {
        let mut show = |progress| match progress {
            Progress::Receiving {
                objects,
                total_objects,
                bytes,
            } => terminal.progress(&format!(
                "fetching: {objects} of {total_objects} objects, {} KiB",
                bytes >> 10
            )),
            Progress::Note(note) => terminal.warn(&note.to_string()),
        };
        let read = source.with(|source| source.read_with_progress(&mut show));
        terminal.clear_progress();
        read.map_err(|error| error.to_string())
    });
    tokio::select! {
        read = reading => read.map_err(CommandError::failed),
        () = stopped(&stop) => Err(interrupted()),
        () = tokio::time::sleep(LONGEST_READ) => Err(CommandError::Failed(format!(
            "the source was read for {} minutes and is not done; nothing was changed: check the \
             connection to it, or keep a mirror with `cache_directory`",
            LONGEST_READ.as_secs() / 60
        ))),
    }
}

fn interrupted() -> CommandError {
    CommandError::Failed("interrupted; nothing was changed".to_owned())
}
