//! A line as a row.

use crate::store::StoreError;
use broadgauge_model::clock::Wall;
use broadgauge_model::place::{AccessLine, Promise};
use rusqlite::Row;

/// Every line that anything names.
pub(super) const ALL_LINES: &str = "SELECT id, line_id, told_by, operator, region, area, node, technology, plan, \
    segment, promised_down_mbps, normal_down_mbps, minimum_down_mbps, promised_up_mbps, promised_delay_ms, zone, \
    weight, active_from, active_to FROM line";

/// The line's name and, where somebody described it, the line.
pub(super) fn read_line(row: &Row<'_>) -> Result<(String, Option<AccessLine>), StoreError> {
    let line_id: String = row.get(1)?;
    let line = if row.get::<_, i64>(2)? == 0 { None } else { Some(described(row)?) };
    Ok((line_id, line))
}

pub(super) fn described(row: &Row<'_>) -> rusqlite::Result<AccessLine> {
    Ok(AccessLine {
        line_id: row.get(1)?,
        operator: row.get(3)?,
        region: row.get(4)?,
        area: row.get(5)?,
        node: row.get(6)?,
        technology: row.get(7)?,
        plan: row.get(8)?,
        segment: row.get(9)?,
        promise: Promise {
            promised_down_mbps: row.get(10)?,
            normal_down_mbps: row.get(11)?,
            minimum_down_mbps: row.get(12)?,
            promised_up_mbps: row.get(13)?,
            promised_delay_ms: row.get(14)?,
        },
        zone: row.get(15)?,
        weight: row.get(16)?,
        active_from: row.get::<_, Option<i64>>(17)?.map(Wall),
        active_to: row.get::<_, Option<i64>>(18)?.map(Wall),
    })
}
