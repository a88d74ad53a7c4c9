//! A row of the `complaints` table. The ticket number becomes a pseudonym and free text is masked here, before
//! anything else sees them.

use crate::complaints::{Model, classify};
use crate::import::draft::{Draft, Fault};
use crate::import::mask::{Masked, mask};
use crate::import::pseudonym::Pseudonyms;
use broadgauge_model::complaint::Complaint;

pub(super) fn read(
    draft: &mut Draft<'_>,
    pseudonyms: Option<&Pseudonyms>,
    model: Option<&Model>,
) -> Result<(Complaint, Masked), Fault> {
    let mut masked = Masked::default();
    let ticket = draft.needed("complaint_id")?;
    let Some(pseudonyms) = pseudonyms else {
        return Err(Fault::row("no key for pseudonyms was given"));
    };
    let opened_at = draft.time("opened_at")?.ok_or_else(|| draft.empty("opened_at"))?;
    let mut free = |draft: &mut Draft<'_>, name| -> Result<Option<String>, Fault> {
        Ok(draft.text(name)?.map(|text| {
            let (text, count) = mask(&text);
            masked.add(count);
            text
        }))
    };
    let channel = free(draft, "channel")?;
    let text = free(draft, "text")?;
    let mut complaint = Complaint {
        complaint_id: pseudonyms.of("complaint", &ticket),
        opened_at,
        channel,
        text,
        status: free(draft, "status")?,
        owner: free(draft, "owner")?,
        line_id: draft.text("line_id")?,
        area: draft.text("area")?,
        operator: draft.text("operator")?,
        class: draft.word("class")?,
        first_response_at: draft.time("first_response_at")?,
        resolved_at: draft.time("resolved_at")?,
        reopened_at: draft.time("reopened_at")?,
        escalated_at: draft.time("escalated_at")?,
        due_at: draft.time("due_at")?,
        city: draft.text("city")?,
        postcode: draft.text("postcode")?,
        ..Complaint::default()
    };
    if complaint.line_id.is_none() && complaint.area.is_none() {
        return Err(Fault::row("names neither a line_id nor an area: one of the two is needed"));
    }
    for (name, at) in [
        ("first_response_at", complaint.first_response_at),
        ("resolved_at", complaint.resolved_at),
        ("escalated_at", complaint.escalated_at),
    ] {
        if at.is_some_and(|at| at < opened_at) {
            let reason =
                format!("is before opened_at, {}: are day and month exchanged?", opened_at.rfc3339());
            return Err(draft.fault(name, reason));
        }
    }
    // Where the operator has not said what it is about, its words may.
    classify(&mut complaint, model);
    Ok((complaint, masked))
}
