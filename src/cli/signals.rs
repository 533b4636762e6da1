//! Who tells us to stop? SIGINT and SIGTERM: the first asks, the second does
//! not wait any longer.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::Exit;

/// Everything must have ended this long after the first signal: less than the
/// 30 s after which Kubernetes kills.
const GRACE: Duration = Duration::from_secs(20);

/// What a shell reports of a program that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// Turns true at the first signal. The process ends at the second one, or
/// [`GRACE`] later, whatever it still does. Needs a running runtime.
pub(super) fn stop_on_signal() -> io::Result<watch::Receiver<bool>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (stop, receiver) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping: requests under way end, no others begin");
        stop.send_replace(true);
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = tokio::time::sleep(GRACE) => {
                tracing::error!("not everything ended within {} s", GRACE.as_secs());
                std::process::exit(Exit::Failure as i32);
            }
        }
        std::process::exit(INTERRUPTED);
    });
    Ok(receiver)
}
