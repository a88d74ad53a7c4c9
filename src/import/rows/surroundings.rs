//! Rows of the tables `utilisation`, `actions` and `reputation`.

use crate::import::draft::{Draft, Fault};
use broadgauge_model::action::Action;
use broadgauge_model::result::Direction;
use broadgauge_model::surroundings::{Reputation, Utilisation};

pub(super) fn utilisation(draft: &mut Draft<'_>) -> Result<Utilisation, Fault> {
    let ratio = draft.number("ratio")?.ok_or_else(|| draft.empty("ratio"))?;
    if ratio > 1.0 {
        let reason = format!("{ratio} is above 1: if it is a percentage, say unit = \"percent\" in the map");
        return Err(draft.fault("ratio", reason));
    }
    Ok(Utilisation {
        node: draft.needed("node")?,
        started_at: draft.time("started_at")?.ok_or_else(|| draft.empty("started_at"))?,
        direction: draft.word("direction")?.unwrap_or(Direction::Down),
        ratio,
        capacity_mbps: draft.number("capacity_mbps")?,
    })
}

pub(super) fn action(draft: &mut Draft<'_>) -> Result<Action, Fault> {
    let action = Action {
        action_id: draft.needed("action_id")?,
        kind: draft.needed("kind")?,
        owner: draft.needed("owner")?,
        due_at: draft.time("due_at")?.ok_or_else(|| draft.empty("due_at"))?,
        line_id: draft.text("line_id")?,
        node: draft.text("node")?,
        area: draft.text("area")?,
        metric: draft.word("metric")?,
        target_value: draft.number("target_value")?,
        started_at: draft.time("started_at")?,
        done_at: draft.time("done_at")?,
        verify_by: draft.time("verify_by")?,
        cost: draft.number("cost")?,
        status: draft.text("status")?,
    };
    if let (Some(started), Some(done)) = (action.started_at, action.done_at)
        && done < started
    {
        let reason = format!("is before started_at, {}: are day and month exchanged?", started.rfc3339());
        return Err(draft.fault("done_at", reason));
    }
    Ok(action)
}

pub(super) fn reputation(draft: &mut Draft<'_>) -> Result<Reputation, Fault> {
    let month = draft.needed("month")?;
    if !is_month(&month) {
        return Err(draft.fault("month", format!("{month:?} is not a month such as 2026-03")));
    }
    Ok(Reputation {
        region: draft.needed("region")?,
        month,
        operator: draft.needed("operator")?,
        score: draft.number("score")?.ok_or_else(|| draft.empty("score"))?,
        source: draft.text("source")?,
    })
}

fn is_month(text: &str) -> bool {
    let number = |part: &str, digits: usize| {
        part.parse::<u32>().ok().filter(|_| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))
    };
    text.split_once('-').is_some_and(|(year, month)| {
        number(year, 4).is_some() && number(month, 2).is_some_and(|m| (1..=12).contains(&m))
    })
}
