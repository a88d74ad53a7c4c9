//! What surrounds the lines, on the panel's calendar.

use crate::store::{LocalHours, Store, StoreError};
use broadgauge_model::clock::Wall;
use broadgauge_model::panel::{NodeLoad, PanelAction, Period};
use std::collections::BTreeMap;

/// Nodes with how full they ran, and what was done.
#[derive(Default)]
pub(super) struct Surroundings {
    pub(super) nodes: Vec<String>,
    pub(super) loads: Vec<NodeLoad>,
    pub(super) actions: Vec<PanelAction>,
}

/// Reads them. A panel's period names a zone that is known; were it not, there would be no local day to speak of.
pub(super) fn gather(store: &dyn Store, period: &Period) -> Result<Surroundings, StoreError> {
    let Some(mut hours) = LocalHours::new(&period.zone) else { return Ok(Surroundings::default()) };
    let mut fullest: BTreeMap<(String, i32, u8), f64> = BTreeMap::new();
    for reading in store.utilisation(Some(period.from), Some(period.to))? {
        let (day, hour) = hours.of(None, reading.started_at);
        let known = fullest.entry((reading.node, day, hour)).or_insert(reading.ratio);
        *known = known.max(reading.ratio);
    }
    let mut around = Surroundings::default();
    for ((node, day, hour), ratio) in fullest {
        if around.nodes.last() != Some(&node) {
            around.nodes.push(node);
        }
        let node = around.nodes.len() as u32 - 1;
        around.loads.push(NodeLoad { node, day, hour, ratio });
    }
    let mut day = |at: Wall| hours.of(None, at).0;
    for action in store.actions()? {
        let due = day(action.due_at);
        let (started, done) = (action.started_at.map(&mut day), action.done_at.map(&mut day));
        let verify_by = action.verify_by.map(&mut day);
        around.actions.push(PanelAction { action, due, started, done, verify_by });
    }
    Ok(around)
}
