//! A row of the `survey` table. The respondent's name becomes a pseudonym here, before anything else sees it.

use crate::import::draft::{Draft, Fault};
use crate::import::pseudonym::Pseudonyms;
use broadgauge_model::survey::Response;
use std::collections::BTreeMap;

pub(super) fn read(draft: &mut Draft<'_>, pseudonyms: Option<&Pseudonyms>) -> Result<Response, Fault> {
    let respondent = draft.needed("respondent_id")?;
    let Some(pseudonyms) = pseudonyms else {
        return Err(Fault::row("no key for pseudonyms was given"));
    };
    let mut response = Response {
        respondent_id: pseudonyms.of("respondent", &respondent),
        answered_at: draft.time("answered_at")?.ok_or_else(|| draft.empty("answered_at"))?,
        line_id: draft.text("line_id")?,
        segment: draft.text("segment")?,
        operator: draft.text("operator")?,
        answers: BTreeMap::new(),
    };
    let plan = draft.plan;
    for item in &plan.items {
        if let Some(answer) = draft.answer(item)? {
            response.answers.insert(item.name.clone(), answer);
        }
    }
    Ok(response)
}
