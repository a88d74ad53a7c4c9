//! How are complaints handled: how soon answered, how soon resolved, how often again, and what lies about?
//!
//! Times run by the calendar from the moment a complaint was opened (ETSI EG 202 057-1 counts so, and gives the times within
//! which 80% and 95% are done). What is still open counts for as long as it has been open (Kaplan and Meier 1958): leaving
//! it out would flatter, because the slow ones are open longest. A repeat is a complaint of the same line and class within
//! 28 days; a case is resolved at first contact where it was resolved with the first answer, never opened again, and not
//! repeated.
//!
//! It knows when a case was closed, not whether the customer agreed. Intervals take cases as independent, which one fault
//! that makes forty people call is not.

mod escalate;
mod measure;
pub mod query;
pub mod row;

pub use query::{About, DEADLINES, Deadline, Query};
pub use row::{Case, Escalations, Group, Handling, Times, Within};

use super::{Declined, Head, Method, Note, Words};
use broadgauge_model::panel::{Panel, PanelComplaint};
use broadgauge_model::text::Phrase;
use measure::{Known, Open};
use serde_json::json;
use std::collections::BTreeMap;

/// The study's version: raised when its numbers may move.
const VERSION: u32 = 1;

/// What a case is grouped by; none where it does not say.
type Key = fn(&PanelComplaint) -> Option<String>;

/// Looks at the operator's complaints as cases.
pub fn study(panel: &Panel, query: &Query) -> Handling {
    let mut head = head(panel, query);
    let mut cases: Vec<&PanelComplaint> =
        panel.complaints.iter().filter(|c| is_own(panel, c, query)).collect();
    cases.sort_by(|a, b| {
        (a.complaint.opened_at, &a.complaint.complaint_id)
            .cmp(&(b.complaint.opened_at, &b.complaint.complaint_id))
    });
    let end = panel.period.to;
    let odd = cases.iter().filter(|c| c.complaint.opened_at >= end).count();
    cases.retain(|c| c.complaint.opened_at < end);
    let say = |notes: &mut Vec<Note>, en, zh, count: usize| {
        Note::push(notes, Words::plain(Phrase { en, zh }), count as u64);
    };
    say(&mut head.notes, "complaints opened after the end of the period", "统计期结束后受理的投诉", odd);
    let known = Known::of(&cases, end, query);
    say(
        &mut head.notes,
        "cases whose state says closed, without a time: left out of the times",
        "状态为已关闭但没有时间的工单：不计入时长",
        known.closed_without_time,
    );
    let mut out = Handling {
        declined: None,
        head,
        groups: Vec::new(),
        escalations: None,
        overdue: Vec::new(),
        unowned: Vec::new(),
        overdue_in_all: 0,
        unowned_in_all: 0,
    };
    if cases.is_empty() {
        let phrase = Phrase {
            en: "no complaint about {own} in the period",
            zh: "统计期内没有关于 {own} 的投诉",
        };
        out.declined = Some(Declined::because(Words::with(phrase, &[("own", &query.own)])));
        return out;
    }
    let earlier: Vec<&PanelComplaint> =
        panel.earlier_complaints.iter().filter(|c| is_own(panel, c, query)).collect();
    out.escalations = escalate::escalations(panel, &cases, &earlier, &known, query);
    let all: Vec<usize> = (0..cases.len()).collect();
    out.groups.push(measure::group("all", "all", &all, &known, query));
    let keys: [(&'static str, Key); 3] = [
        ("class", |c| c.complaint.class.map(|class| class.word().to_owned())),
        ("channel", |c| c.complaint.channel.clone()),
        ("owner", |c| c.complaint.owner.clone()),
    ];
    for (by, key) in keys {
        let mut groups = BTreeMap::<String, Vec<usize>>::new();
        for (at, case) in cases.iter().enumerate() {
            groups.entry(key(case).unwrap_or_else(|| "-".into())).or_default().push(at);
        }
        // One group alone is the whole again.
        if groups.len() > 1 {
            let rows = groups.iter().map(|(value, at)| measure::group(by, value, at, &known, query));
            out.groups.extend(rows);
        }
    }
    let list = |pick: &dyn Fn(&Open) -> bool, late_first: bool| {
        let mut picked: Vec<Case> =
            known.open.iter().filter(|open| pick(open)).map(|open| open.case(cases[open.at])).collect();
        picked.sort_by(|a, b| {
            let by = |c: &Case| if late_first { c.overdue_hours.unwrap_or(0.0) } else { c.age_hours };
            by(b).total_cmp(&by(a)).then(a.complaint_id.cmp(&b.complaint_id))
        });
        let all = picked.len();
        picked.truncate(query.longest_list);
        (picked, all)
    };
    (out.overdue, out.overdue_in_all) = list(&|open: &Open| open.overdue_hours.is_some(), true);
    (out.unowned, out.unowned_in_all) = list(&|open: &Open| cases[open.at].complaint.owner.is_none(), false);
    out
}

/// Complaints about the own operator, by name or by line; those that name neither are taken to be its own.
fn is_own(panel: &Panel, complaint: &PanelComplaint, query: &Query) -> bool {
    let of_line = complaint.line.and_then(|line| panel.lines.get(line as usize)).map(|l| l.operator.as_str());
    complaint.complaint.operator.as_deref().or(of_line).is_none_or(|operator| operator == query.own)
}

fn head(panel: &Panel, query: &Query) -> Head {
    let deadlines: BTreeMap<&str, f64> = query.deadlines.iter().map(|d| (d.id, d.days)).collect();
    Head {
        study: "handling",
        version: VERSION,
        period: panel.period.clone(),
        filters: BTreeMap::from([
            ("own", json!(query.own)),
            ("repeat_days", json!(query.repeat_days)),
            ("deadlines_days", json!(deadlines)),
        ]),
        seed: 0,
        method: Method {
            name: "times to first response and resolution with open cases censored",
            version: VERSION,
            source: "ETSI EG 202 057-1; Kaplan and Meier 1958; Brookmeyer and Crowley 1982; Wilson 1927; Little 1961",
        },
        notes: super::head::from_panel(&panel.left_out),
    }
}

#[cfg(test)]
mod tests;
