//! Are we to end? How everything that waits hears of it.

use tokio::sync::watch;

/// Waits until `stop` turns true. When nobody is left who could turn it, that
/// is a stop too.
pub async fn stopped(stop: &watch::Receiver<bool>) {
    let _ = stop.clone().wait_for(|stopped| *stopped).await;
}
