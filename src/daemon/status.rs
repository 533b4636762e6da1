//! How are we doing? What the daemon publishes after every pass, and what the
//! status page, the API and the probes are made of.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::trigger::RequestId;
use crate::name::InstanceName;
use crate::reconcile::{Outcome, Pass};
use crate::timestamp::Timestamp;

/// A consistent picture of the daemon.
#[derive(Clone, Debug)]
pub struct Status {
    /// Who we are.
    pub instance: InstanceName,
    /// The release of the zone data in use, and where it came from.
    pub tzdata: (String, String),
    /// Whether somebody stopped writing.
    pub suspended: bool,
    /// The last pass that ended, if one has.
    pub pass: Option<Arc<Pass>>,
    /// Requests up to this one are answered by `pass`.
    pub answered: RequestId,
    /// When a pass last ended without an error.
    pub last_success: Option<Timestamp>,
    /// When the loop was last seen to go on, by no clock that anybody sets.
    pub heartbeat: Instant,
    /// Passes in a row that failed.
    pub failures: u32,
    /// The time between two passes.
    pub interval: Duration,
}

impl Status {
    /// Takes in a pass that has just ended.
    pub(super) fn record(&mut self, pass: Pass, answered: RequestId, now: Timestamp) {
        if pass.outcome() == Outcome::Failed {
            self.failures = self.failures.saturating_add(1);
        } else {
            self.failures = 0;
            self.last_success = Some(now);
        }
        self.pass = Some(Arc::new(pass));
        self.answered = answered;
        self.beat();
    }

    /// The loop goes on.
    pub(super) fn beat(&mut self) {
        self.heartbeat = Instant::now();
    }

    /// Whether the loop goes round. A remote that does not answer is no reason
    /// to restart us, so this looks at nothing but the loop.
    ///
    /// It waits a minute for the source, an interval at most from pass to pass, and
    /// five minutes for a target. Three intervals and ten minutes are more than any
    /// of these.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.heartbeat.elapsed() <= self.interval * 3 + Duration::from_mins(10)
    }

    /// Whether the first pass has ended, however it ended.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        self.pass.is_some()
    }

    /// The body of `/api/v1/status`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let pass = self.pass.as_deref();
        json!({
            "instance": self.instance,
            "version": env!("CARGO_PKG_VERSION"),
            "revision": pass.and_then(|pass| pass.revision.as_ref()).map(ToString::to_string),
            "tzdata": self.tzdata.0,
            "tzdata_origin": self.tzdata.1,
            "suspended": self.suspended,
            "last_success": self.last_success,
            "consecutive_failures": self.failures,
            "last_pass": pass.map(|pass| pass.to_json(self.answered)),
            "declarations": pass.map_or(0, |pass| pass.declarations.silences.len()),
            "diagnostics": pass.map_or(&[][..], |pass| &pass.declarations.diagnostics),
            "stand_ins": pass.map_or(&[][..], |pass| &pass.declarations.stand_ins).iter().map(
                |stand_in| json!({
                    "file": stand_in.path,
                    "revision": stand_in.revision.to_string(),
                    "silences": stand_in.silences,
                    "names": stand_in.names.iter().map(|(file, revision)| json!({
                        "file": file,
                        "revision": revision.to_string(),
                    })).collect::<Vec<_>>(),
                }),
            ).collect::<Vec<_>>(),
            "covered_until": pass.and_then(Pass::covered_until),
        })
    }
}
