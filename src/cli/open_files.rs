//! Are there enough files to open? Every connection takes one, and the customary
//! limit of 1,024 is of a time when programs asked for more by themselves.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::server::MOST_CONNECTIONS;

/// Targets that are worked on at a time, over so many connections each. As many may
/// still be open to those before them.
const AT_WORK: u64 = 32;
const CONNECTIONS_AT_WORK: u64 = 2 * 24;

/// Raises the limit as far as we may. Returns what to tell people if that may
/// be too low for so many targets.
pub(super) fn raise_limit(targets: usize) -> Option<String> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        // The old one may do.
        Err(_) => limit.current,
    };
    warning(limit, targets)
}

/// One that hangs keeps its connection while others are asked, and all may hang.
fn warning(limit: Option<u64>, targets: usize) -> Option<String> {
    let targets = u64::try_from(targets).unwrap_or(u64::MAX);
    let working = targets.min(AT_WORK) * CONNECTIONS_AT_WORK;
    // And what connects to us.
    let needed = targets.saturating_add(working + MOST_CONNECTIONS as u64);
    let limit = limit.filter(|limit| *limit < needed)?;
    let plural = if targets == 1 { "" } else { "s" };
    Some(format!(
        "only {limit} files may be open at once, and {targets} target{plural} can take {needed} \
         connections when many are slow; those beyond fail: raise the hard limit \
         (`ulimit -Hn`, `LimitNOFILE=` of systemd) to {needed} or more"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_enough_for_all_targets_or_is_warned_about() {
        assert_eq!(warning(None, 5000), None);
        assert_eq!(warning(Some(4096), 1000), None);
        assert_eq!(warning(Some(256), 1), None);
        assert_eq!(
            warning(Some(1024), 1000).expect("too low"),
            "only 1024 files may be open at once, and 1000 targets can take 2664 connections \
             when many are slow; those beyond fail: raise the hard limit (`ulimit -Hn`, \
             `LimitNOFILE=` of systemd) to 2664 or more"
        );
    }
}
