//! What is declared now? What was read of the source, with its windows, from one pass
//! to the next.

use std::sync::Arc;
use std::time::Duration;

use super::Reconciler;
use super::past::Past;
use crate::alertmanager::SilenceApi;
use crate::declaration::Declarations;
use crate::plan::Lineage;
use crate::schedule::Forecast;
use crate::snapshot::{Revision, Snapshot};
use crate::timestamp::Timestamp;

/// The last good declarations.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) revision: Revision,
    /// Whether reading the same revision again would show the same: not while
    /// nobody could look back for its broken files.
    pub(super) is_settled: bool,
    pub(super) declarations: Arc<Declarations>,
    /// Of each declaration, in their order.
    pub(super) forecasts: Arc<Vec<Forecast>>,
    /// What this process knows of how they came about, and what others do.
    pub(super) lineage: Lineage,
    pub(super) past: Arc<Past>,
}

impl<A: SilenceApi + 'static> Reconciler<A> {
    /// Reads the files again only when they, or the zones, are others.
    pub(super) async fn declare(&mut self, snapshot: Snapshot) {
        let known = self.declared.as_ref().filter(|_| !self.zones_are_new);
        self.zones_are_new = false;
        if known.is_some_and(|known| known.is_settled && known.revision == snapshot.revision) {
            return;
        }
        let mut declarations = match known {
            Some(Declared { declarations, .. }) => declarations.read_after(&snapshot, &self.zones),
            None => Declarations::read(&snapshot, &self.zones),
        };
        let is_settled = self.recover(&mut declarations, &snapshot).await;
        tracing::info!(
            revision = %snapshot.revision,
            files = declarations.paths.len(),
            silences = declarations.silences.len(),
            broken_files = declarations.broken.len(),
            stand_ins = declarations.stand_ins.len(),
            "read the declarations"
        );
        let revision = snapshot.revision.clone();
        let nothing = (&Lineage::default(), &Declarations::default());
        let (lineage, before) = self.declared.as_ref().map_or(nothing, |declared| {
            (&declared.lineage, declared.declarations.as_ref())
        });
        let lineage = lineage.read(before, &revision, &declarations);
        let past = Past::before(
            revision.clone(),
            self.read_past.clone(),
            Arc::clone(&self.zones),
        );
        self.history.keep(snapshot, &declarations);
        self.declared = Some(Declared {
            revision,
            is_settled,
            declarations: Arc::new(declarations),
            forecasts: Arc::default(),
            lineage,
            past: Arc::new(past),
        });

        for silence in self.untargeted() {
            tracing::warn!(%silence, "its `targets` match none of the targets");
        }
    }

    /// Lets broken files go on as earlier versions; false if somebody has to look
    /// back for these again. Until then what was declared before stays declared.
    async fn recover(&self, declarations: &mut Declarations, snapshot: &Snapshot) -> bool {
        if declarations.broken.is_empty() {
            return true;
        }
        match self.history.before(&snapshot.revision, declarations).await {
            Ok(earlier) => {
                declarations.recover(snapshot, &earlier, &self.zones);
                true
            }
            Err(error) => {
                tracing::warn!(
                    revision = %snapshot.revision,
                    "cannot look for earlier versions of broken files, which is tried again in the next pass: {error}"
                );
                if let Some(before) = &self.declared {
                    declarations.carry_on(&before.declarations, &before.revision);
                }
                false
            }
        }
    }

    /// Computes the windows of the declarations, unless they are known for long
    /// enough. A pass over unchanged declarations computes nothing.
    pub(super) fn forecast(&mut self, now: Timestamp) {
        let slots = self.fleet.slots().iter();
        let horizon = slots.map(|slot| slot.settings.horizon).max();
        let horizon = horizon.unwrap_or(self.settings.horizon);
        let Some(declared) = &mut self.declared else {
            return;
        };
        let until = now.plus(horizon).plus(Duration::from_secs(1));
        let silences = &declared.declarations.silences;
        let are_known = declared.forecasts.len() == silences.len()
            && declared
                .forecasts
                .iter()
                .all(|forecast| forecast.covers(now, until));
        if !are_known {
            let forecasts = silences
                .iter()
                .map(|declaration| Forecast::new(&declaration.schedule, now, horizon));
            declared.forecasts = Arc::new(forecasts.collect());
            self.forecasts_made += 1;
        }
    }
}
