//! What may be done, how often and how fast? The same keys at the top of the
//! file, for every target, and below a target, for that one.

use std::num::NonZeroU32;
use std::time::Duration;

use super::file::{ConfigurationFile, GuardKeys, TargetKeys};
use super::problem::Given;
use super::{DEFAULT_INTERVAL, Resolver};
use crate::duration;
use crate::name::InstanceName;
use crate::plan::{Guard, HandExpired, Mode, Settings};
use crate::reconcile::Target;

/// From a pass a second, which one Alertmanager still answers easily, to one a
/// day, below which it is no reconciler.
const INTERVAL: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(24));

/// Up to a year, as far as any schedule is looked at.
const HORIZON: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(366 * 24));

/// Up to 30 days: a lease that outlives its daemon for longer is none.
const LEASE: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(30 * 24));

/// From a server that is alone to replicas that meet every few minutes.
const SETTLE: (Duration, Duration) = (Duration::ZERO, Duration::from_mins(15));

/// No Alertmanager takes more than some thousand writes a second.
const MOST_WRITES_PER_SECOND: usize = 10_000;

/// All settings but the instance, every one of them checked.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) interval: Duration,
    horizon: Duration,
    lease: Duration,
    settle: Duration,
    guard: Guard,
    mode: Mode,
    hand_expired: HandExpired,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            interval: DEFAULT_INTERVAL,
            horizon: Settings::HORIZON,
            lease: Settings::LEASE,
            settle: Settings::SETTLE,
            guard: Guard::default(),
            mode: Mode::default(),
            hand_expired: HandExpired::default(),
        }
    }
}

impl Limits {
    pub(super) fn settings(&self, instance: InstanceName) -> Settings {
        Settings {
            instance,
            horizon: self.horizon,
            lease: self.lease,
            settle: self.settle,
            guard: self.guard.clone(),
            mode: self.mode,
            hand_expired: self.hand_expired,
        }
    }
}

/// What was written about limits, at the top or below one target.
#[derive(Debug, Default, PartialEq)]
pub(super) struct GivenLimits {
    pub(super) interval: Option<Given>,
    pub(super) horizon: Option<Given>,
    pub(super) lease: Option<Given>,
    pub(super) settle: Option<Given>,
    pub(super) mode: Option<Given>,
    pub(super) hand_expired: Option<Given>,
    pub(super) max_expire: Option<Given>,
    pub(super) max_expire_percent: Option<Given>,
    pub(super) max_create: Option<Given>,
}

impl GivenLimits {
    /// Below the target at `key`.
    fn of_target(file: &ConfigurationFile, key: &str, keys: &TargetKeys) -> Self {
        let given = |name: &str, text| file.given(&format!("{key}.{name}"), text);
        Self {
            interval: given("interval", keys.interval.as_ref()),
            horizon: given("horizon", keys.horizon.as_ref()),
            lease: given("lease", keys.lease.as_ref()),
            settle: given("settle", keys.settle.as_ref()),
            mode: given("mode", keys.mode.as_ref()),
            hand_expired: given("hand_expired", keys.hand_expired.as_ref()),
            ..Self::default()
        }
        .with_guard(file, &format!("{key}.guard"), &keys.guard)
    }

    pub(super) fn with_guard(self, file: &ConfigurationFile, key: &str, guard: &GuardKeys) -> Self {
        let given = |name: &str, text| file.given(&format!("{key}.{name}"), text);
        Self {
            max_expire: given("max_expire", guard.max_expire.as_ref()),
            max_expire_percent: given("max_expire_percent", guard.max_expire_percent.as_ref()),
            max_create: given("max_create", guard.max_create.as_ref()),
            ..self
        }
    }
}

impl Resolver<'_> {
    /// What was given, and `base` where nothing was; `place` begins a message
    /// about how they go together.
    pub(super) fn limits(&mut self, place: &str, given: &GivenLimits, base: &Limits) -> Limits {
        let interval = self.duration(given.interval.as_ref(), base.interval, INTERVAL);
        // A lease is renewed in its second half, and one pass in there may fail.
        let (least_horizon, least_lease) = (interval * 2, interval * 4);
        // Whoever only says how often to look gets defaults that go with it.
        let horizon = base.horizon.max(least_horizon);
        let horizon = self.duration(given.horizon.as_ref(), horizon, HORIZON);
        let lease = base.lease.max(least_lease);
        let lease = self.duration(given.lease.as_ref(), lease, LEASE);
        let shown = duration::format;
        if horizon < least_horizon {
            self.problems.add_general(format!(
                "{place}the horizon ({}) must be at least twice the interval ({}), or windows open \
                 late",
                shown(horizon),
                shown(interval)
            ));
        }
        if lease < least_lease {
            self.problems.add_general(format!(
                "{place}the lease ({}) must be at least four times the interval ({}), \
                 or it lapses before it is renewed",
                shown(lease),
                shown(interval)
            ));
        }
        Limits {
            interval,
            horizon,
            lease,
            settle: self.duration(given.settle.as_ref(), base.settle, SETTLE),
            guard: self.guard(given, &base.guard),
            mode: self.mode(given.mode.as_ref()).unwrap_or(base.mode),
            hand_expired: self
                .hand_expired(given.hand_expired.as_ref())
                .unwrap_or(base.hand_expired),
        }
    }

    /// A target with what the file says for it alone.
    pub(super) fn limited<A>(
        &mut self,
        key: &str,
        keys: &TargetKeys,
        target: Target<A>,
    ) -> Target<A> {
        let file = self.file;
        let given = |name: &str, text| file.given(&format!("{key}.{name}"), text);
        let instance = given("instance", keys.instance.as_ref());
        let instance = instance.and_then(|given| given.read(&mut self.problems, InstanceName::new));
        let writes = given("max_writes_per_second", keys.max_writes_per_second.as_ref());
        let writes = self
            .number(writes.as_ref(), MOST_WRITES_PER_SECOND)
            .map(|number| u32::try_from(number).ok().and_then(NonZeroU32::new));
        let own = GivenLimits::of_target(file, key, keys);
        let (base, top) = (self.limits.clone(), self.instance.clone());
        let limits = self.limits(&format!("{key}: "), &own, &base);
        let is_own = own != GivenLimits::default() || instance.is_some();
        let mut target = match instance.or(top).filter(|_| is_own) {
            Some(instance) => target.with_settings(limits.settings(instance)),
            None => target,
        };
        if own.interval.is_some() {
            target = target.with_interval(limits.interval);
        }
        match writes {
            Some(Some(writes)) => target.with_writes_per_second(writes),
            Some(None) => {
                let problem = format!("{key}.max_writes_per_second: write at least 1");
                self.problems.add_general(problem);
                target
            }
            None => target,
        }
    }

    /// The default stands in for what is wrong and noted.
    pub(super) fn duration(
        &mut self,
        given: Option<&Given>,
        default: Duration,
        (least, most): (Duration, Duration),
    ) -> Duration {
        let read = |text: &str| {
            let read = duration::parse(text).map_err(|error| error.to_string())?;
            if (least..=most).contains(&read) {
                return Ok(read);
            }
            let (least, most) = (duration::format(least), duration::format(most));
            Err(format!("`{text}` must be between `{least}` and `{most}`"))
        };
        given
            .and_then(|given| given.read(&mut self.problems, read))
            .unwrap_or(default)
    }

    fn mode(&mut self, given: Option<&Given>) -> Option<Mode> {
        given?.read(&mut self.problems, |text| {
            let mode = Mode::ALL.into_iter().find(|mode| mode.word() == text);
            mode.ok_or_else(|| {
                format!(
                    "unknown mode `{text}`; write {}",
                    Mode::ALL.map(Mode::word).join(", ")
                )
            })
        })
    }

    fn hand_expired(&mut self, given: Option<&Given>) -> Option<HandExpired> {
        given?.read(&mut self.problems, |text| match text {
            "recreate" => Ok(HandExpired::Recreate),
            "respect" => Ok(HandExpired::Respect),
            _ => Err(format!(
                "unknown choice `{text}`; write recreate or respect"
            )),
        })
    }

    fn guard(&mut self, given: &GivenLimits, base: &Guard) -> Guard {
        Guard {
            max_expire: self
                .number(given.max_expire.as_ref(), usize::MAX)
                .unwrap_or(base.max_expire),
            max_expire_percent: self
                .number(given.max_expire_percent.as_ref(), 100)
                .unwrap_or(base.max_expire_percent),
            max_create: self
                .number(given.max_create.as_ref(), usize::MAX)
                .unwrap_or(base.max_create),
        }
    }

    fn number(&mut self, given: Option<&Given>, most: usize) -> Option<usize> {
        let read = |text: &str| match text.parse() {
            Ok(number) if number <= most => Ok(number),
            Ok(_) => Err(format!("`{text}` is more than {most}")),
            Err(_) => Err(format!("`{text}` is not a whole number")),
        };
        given.and_then(|given| given.read(&mut self.problems, read))
    }
}
