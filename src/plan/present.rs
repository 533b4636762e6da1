//! What time is it at the server? What its answer says, unless its own list shows
//! that this is past: proxies write `Date` by clocks of their own.

use std::time::Duration;

use crate::silence::{Silence, SilenceState};
use crate::timestamp::Timestamp;

/// What a server calls pending may have begun by the time that the answer is here,
/// and clocks that are set by NTP agree to less than this.
const TOLERANCE: Duration = Duration::from_mins(1);

/// The present instant by the server's clock: `date`, the time of its answer. A
/// silence that it calls active has begun, and one that it calls expired has ended;
/// where these lie ahead of `date`, it is `ours` if the list does not speak against
/// that too, or else as late as the list shows. Without a `date` it is `ours`.
#[must_use]
pub fn present(silences: &[Silence], date: Option<Timestamp>, ours: Timestamp) -> Timestamp {
    let said = date.unwrap_or(ours);
    let reached = silences.iter().filter_map(|silence| match silence.state {
        SilenceState::Pending => None,
        SilenceState::Active => Some(silence.starts_at),
        SilenceState::Expired => Some(silence.ends_at),
    });
    let Some(reached) = reached.max().filter(|reached| *reached > said) else {
        return said;
    };
    let is_ahead = |silence: &Silence| match silence.state {
        SilenceState::Pending => silence.starts_at.plus(TOLERANCE) < ours,
        SilenceState::Active => silence.ends_at.plus(TOLERANCE) < ours,
        SilenceState::Expired => false,
    };
    if ours >= reached && !silences.iter().any(is_ahead) {
        ours
    } else {
        reached
    }
}
