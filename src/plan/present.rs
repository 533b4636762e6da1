//! What time is it at the server? What its answer says, unless its own list shows
//! that this is past: proxies write `Date` by clocks of their own.

use std::time::Duration;

use crate::schedule::LAST;
use crate::silence::{Silence, SilenceState};
use crate::timestamp::Timestamp;

/// What a server calls pending may have begun by the time that the answer is here,
/// and clocks that are set by NTP agree to less than this.
const TOLERANCE: Duration = Duration::from_mins(1);

/// The present instant by the server's clock: `date`, the time of its answer, or `ours`
/// without one. A silence that it calls pending has not begun, an active one has and
/// has not ended, and an expired one has ended. Where a `date` contradicts that, it is
/// `ours`; where that does too, the nearest instant that does not.
#[must_use]
pub fn present(silences: &[Silence], date: Option<Timestamp>, ours: Timestamp) -> Timestamp {
    let said = date.unwrap_or(ours);
    let shown = Shown::by(silences);
    [said, ours]
        .into_iter()
        .find(|instant| shown.allows(*instant))
        .unwrap_or_else(|| shown.nearest(said))
}

/// Between which instants a list was made, as far as its states tell.
struct Shown {
    earliest: Timestamp,
    latest: Timestamp,
}

impl Shown {
    fn by(silences: &[Silence]) -> Self {
        let mut shown = Self {
            earliest: Timestamp::EPOCH,
            latest: LAST,
        };
        for silence in silences {
            let (starts_at, ends_at) = (silence.starts_at, silence.ends_at);
            let (from, until) = match silence.state {
                SilenceState::Pending => (Timestamp::EPOCH, starts_at),
                SilenceState::Active => (starts_at, ends_at),
                SilenceState::Expired => (ends_at, LAST),
            };
            shown.earliest = shown.earliest.max(from);
            shown.latest = shown.latest.min(until);
        }
        shown
    }

    fn allows(&self, instant: Timestamp) -> bool {
        self.earliest <= instant && instant <= self.latest.plus(TOLERANCE)
    }

    /// The earliest counts if the states contradict each other.
    fn nearest(&self, instant: Timestamp) -> Timestamp {
        instant.min(self.latest).max(self.earliest)
    }
}
