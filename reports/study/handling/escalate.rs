//! Cases that customers took further, by the lines that could have.
//!
//! Regulators count appeals by the million users in a quarter. A case on a line that is not known is not in the rate, because
//! its line is not among those that are counted.

use super::measure::Known;
use super::query::{About, Query};
use super::row::Escalations;
use crate::stats::poisson;
use crate::study::{Answer, Declined};
use broadgauge_model::panel::{Panel, PanelComplaint};

/// Days of a quarter of a year.
const QUARTER: f64 = 365.25 / 4.0;
const DAY: f64 = 86_400e9;

/// `cases` are those opened in the period, `earlier` those opened before; none where no case was ever taken further.
pub(super) fn escalations(
    panel: &Panel,
    cases: &[&PanelComplaint],
    earlier: &[&PanelComplaint],
    known: &Known,
    query: &Query,
) -> Option<Escalations> {
    let all = cases.iter().chain(earlier);
    if all.clone().all(|case| case.complaint.escalated_at.is_none()) {
        return None;
    }
    let (from, to) = (panel.period.from, panel.period.to);
    let inside: Vec<_> =
        all.filter(|case| case.complaint.escalated_at.is_some_and(|at| at >= from && at < to)).collect();
    let on_known_lines = inside.iter().filter(|case| case.line.is_some()).count();
    let service = panel.lines.iter().filter(|line| line.operator == query.own).filter_map(|line| {
        let (start, end) =
            (line.active_from.map_or(from, |at| at.max(from)), line.active_to.map_or(to, |at| at.min(to)));
        (start < end).then(|| end.since(start).0 as f64 / DAY)
    });
    let days: Vec<f64> = service.collect();
    let line_days: f64 = days.iter().sum();
    let rate = poisson::rate(on_known_lines as u64, line_days / QUARTER / 1e6, 0.95);
    Some(Escalations {
        cases: inside.len(),
        on_known_lines,
        lines: days.len(),
        line_days,
        per_million_line_quarters: match rate {
            Ok(rate) => Answer::estimate(rate.rate, rate.interval.pair(), on_known_lines as u64),
            Err(refusal) => Declined::from(refusal).into(),
        },
        within: known.within(&known.appealed(), About::Appeal, query),
    })
}
