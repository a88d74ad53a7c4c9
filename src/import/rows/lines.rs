//! A row of the `lines` table.

use crate::import::draft::{Draft, Fault};
use crate::import::unit::zone_named;
use broadgauge_model::place::{AccessLine, Promise};

pub(super) fn read(draft: &mut Draft<'_>) -> Result<AccessLine, Fault> {
    let zone = draft.text("zone")?;
    if let Some(zone) = &zone {
        zone_named(zone).map_err(|e| draft.fault("zone", e))?;
    }
    let line = AccessLine {
        line_id: draft.needed("line_id")?,
        operator: draft.needed("operator")?,
        region: draft.text("region")?,
        area: draft.text("area")?,
        node: draft.text("node")?,
        technology: draft.text("technology")?,
        plan: draft.text("plan")?,
        segment: draft.text("segment")?,
        promise: Promise {
            promised_down_mbps: draft.number("promised_down_mbps")?,
            normal_down_mbps: draft.number("normal_down_mbps")?,
            minimum_down_mbps: draft.number("minimum_down_mbps")?,
            promised_up_mbps: draft.number("promised_up_mbps")?,
            promised_delay_ms: draft.number("promised_delay_ms")?,
        },
        zone,
        weight: draft.number("weight")?,
        active_from: draft.time("active_from")?,
        active_to: draft.time("active_to")?,
    };
    if let (Some(from), Some(to)) = (line.active_from, line.active_to)
        && to <= from
    {
        let reason = format!("{} is not after active_from, {}", to.rfc3339(), from.rfc3339());
        return Err(draft.fault("active_to", reason));
    }
    Ok(line)
}
