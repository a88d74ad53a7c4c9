//! Whose word counts when a table and an agent both describe a line.

use broadgauge_model::place::AccessLine;

/// Who described a line last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Teller {
    /// An agent, of its own vantage point.
    Agent,
    /// A table: its word is not overruled by an agent's.
    Table,
}

impl Teller {
    pub(super) const fn code(self) -> i64 {
        match self {
            Self::Agent => 1,
            Self::Table => 2,
        }
    }

    pub(super) const fn from_code(code: i64) -> Self {
        if code == 2 { Self::Table } else { Self::Agent }
    }
}

/// What is to be kept of a line after somebody described it, given what was known.
pub(super) fn settle(
    known: Option<(&AccessLine, Teller)>,
    told: &AccessLine,
    teller: Teller,
) -> (AccessLine, Teller) {
    match known {
        Some((line, Teller::Table)) if teller == Teller::Agent => (fill_gaps(line, told), Teller::Table),
        _ => (told.clone(), teller),
    }
}

fn fill_gaps(line: &AccessLine, told: &AccessLine) -> AccessLine {
    let text = |known: &Option<String>, told: &Option<String>| known.clone().or_else(|| told.clone());
    let (p, q) = (&line.promise, &told.promise);
    AccessLine {
        line_id: line.line_id.clone(),
        operator: line.operator.clone(),
        region: text(&line.region, &told.region),
        area: text(&line.area, &told.area),
        node: text(&line.node, &told.node),
        technology: text(&line.technology, &told.technology),
        plan: text(&line.plan, &told.plan),
        segment: text(&line.segment, &told.segment),
        promise: broadgauge_model::place::Promise {
            promised_down_mbps: p.promised_down_mbps.or(q.promised_down_mbps),
            normal_down_mbps: p.normal_down_mbps.or(q.normal_down_mbps),
            minimum_down_mbps: p.minimum_down_mbps.or(q.minimum_down_mbps),
            promised_up_mbps: p.promised_up_mbps.or(q.promised_up_mbps),
            promised_delay_ms: p.promised_delay_ms.or(q.promised_delay_ms),
        },
        zone: text(&line.zone, &told.zone),
        weight: line.weight.or(told.weight),
        active_from: line.active_from.or(told.active_from),
        active_to: line.active_to.or(told.active_to),
    }
}
