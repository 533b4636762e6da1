//! Which plans may go past their guards? Those that somebody confirmed, until they
//! are carried out.

use super::target_pass::TargetPass;
use crate::plan::{Fingerprint, Guard};

/// Confirmations that are kept for one pass: one for each of a thousand targets.
/// Of more the newest stay.
pub const MOST_CONFIRMED: usize = 1000;

/// The plans that were confirmed and not looked at yet.
#[derive(Debug, Default)]
pub struct Confirmed(Vec<Fingerprint>);

impl Confirmed {
    /// More of them.
    pub fn add(&mut self, fingerprints: impl IntoIterator<Item = Fingerprint>) {
        for fingerprint in fingerprints {
            if !self.0.contains(&fingerprint) {
                self.0.push(fingerprint);
            }
        }
        let surplus = self.0.len().saturating_sub(MOST_CONFIRMED);
        self.0.drain(..surplus);
    }

    /// For the pass that begins now.
    #[must_use]
    pub fn take(&mut self) -> Vec<Fingerprint> {
        std::mem::take(&mut self.0)
    }

    /// Keeps, of what was taken for `pass`, what it did not come to: all of it if the
    /// target could not be listed, and what is left of a plan that it began.
    pub(super) fn keep(&mut self, taken: &[Fingerprint], pass: &TargetPass, guard: &Guard) {
        let Some(plan) = &pass.plan else {
            return self.add(taken.iter().cloned());
        };
        if taken.contains(&plan.fingerprint) && pass.has_outstanding() {
            self.add([Fingerprint::of(pass.outstanding(), guard)]);
        }
    }
}
