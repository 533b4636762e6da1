//! What stands around the API that a test tries? A reconciler that asks it, the
//! files that the source gives, and a pass over them.

use std::collections::BTreeMap;

use silenced::alertmanager::SilenceApi;
use silenced::name::{InstanceName, TargetName};
use silenced::plan::{Lineage, Plan, PlanInput, RecentWrites, Settings, plan};
use silenced::reconcile::{Mode, Pass, PassOptions, Reconciler, Target};
use silenced::silence::Silence;
use silenced::snapshot::{Revision, Snapshot, SnapshotFile};
use silenced::timestamp::Timestamp;
use silenced::uptime::Uptime;
use silenced::zone::ZoneDatabase;
use silenced::zoneinfo::ZoneSource;
use tokio::sync::watch;

use crate::declaration::read;

/// The instance `lab`, which says nothing else.
pub(crate) fn lab() -> Settings {
    Settings::new(InstanceName::new("lab").unwrap())
}

pub(crate) fn target<A: SilenceApi + 'static>(name: &str, api: A) -> Target<A> {
    Target::new(TargetName::new(name).unwrap(), BTreeMap::new(), api)
}

pub(crate) fn reconciler_of<A: SilenceApi + 'static>(
    settings: Settings,
    targets: Vec<Target<A>>,
) -> Reconciler<A> {
    Reconciler::new(settings, ZoneDatabase::bundled(), targets)
}

/// Files by path, all of which could be read.
pub(crate) fn snapshot<Path: Into<String>, Content: Into<Vec<u8>>>(
    revision: Revision,
    files: impl IntoIterator<Item = (Path, Content)>,
) -> Snapshot {
    let files = files.into_iter().map(|(path, content)| SnapshotFile {
        path: path.into(),
        content: Ok(content.into()),
    });
    Snapshot {
        revision,
        files: files.collect(),
        skipped: Vec::new(),
    }
}

/// The zones in the program, whichever this machine has.
pub(crate) fn bundled_zones() -> ZoneSource {
    ZoneSource::new(Some("/nonexistent".into()))
}

/// The plan that a file comes to for a target of that name and with these labels,
/// which holds `silences` and whose clock shows `now`.
pub(crate) fn plan_over(
    (name, labels): (&str, &BTreeMap<String, String>),
    yaml: &str,
    silences: &[Silence],
    now: Timestamp,
) -> Plan {
    plan(&PlanInput {
        settings: &lab(),
        target: &TargetName::new(name).unwrap(),
        labels,
        declarations: &read(&[("declared.yaml", yaml)]),
        forecasts: &[],
        revision: &Revision::Commit("0".repeat(40)),
        lineage: &Lineage::default(),
        silences,
        recent: &RecentWrites::new(),
        full: None,
        confirmed: &[],
        now,
        uptime: Uptime::default(),
    })
}

/// A pass that somebody waits for and nobody stops.
pub(crate) async fn pass<A: SilenceApi + 'static>(
    reconciler: &mut Reconciler<A>,
    snapshot: Snapshot,
    now: Timestamp,
) -> Pass {
    let (_keep, stop) = watch::channel(false);
    let options = PassOptions {
        mode: Mode::Apply,
        insist: true,
        confirmed: &[],
        now,
        stop: &stop,
    };
    reconciler.pass(Ok(snapshot), options).await
}
