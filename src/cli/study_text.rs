//! What a study answers, as an engineer reads it at a terminal.

use broadgauge_model::text::Lang;
use broadgauge_reports::study::{Answer, Declined, Head, complaints, peers};
use std::fmt::Write as _;

/// Reasons for refusals, told once below the table and named in it by their number.
#[derive(Default)]
struct Reasons(Vec<String>);

impl Reasons {
    fn answer(&mut self, answer: &Answer, decimals: usize) -> String {
        match answer {
            Answer::Estimate(e) => {
                let (low, high) = e.interval();
                format!("{:.decimals$} [{low:.decimals$}, {high:.decimals$}]", e.value())
            }
            Answer::Declined(declined) => {
                let reason = declined.reason.get(Lang::En);
                let known = self.0.iter().position(|r| *r == reason).unwrap_or_else(|| {
                    self.0.push(reason);
                    self.0.len() - 1
                });
                format!("declined ({})", known + 1)
            }
        }
    }

    fn told(&self) -> String {
        self.0.iter().zip(1..).fold(String::new(), |mut text, (reason, number)| {
            let _ = writeln!(text, "({number}) {reason}");
            text
        })
    }
}

fn probability(value: Option<f64>) -> String {
    value.map_or_else(|| "-".into(), |v| if v < 0.001 { "<0.001".into() } else { format!("{v:.3}") })
}

/// Lays cells out in columns as wide as their widest cell.
fn columns(rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (i, cell) in row.iter().enumerate() {
            let width = cell.chars().count();
            match widths.get_mut(i) {
                Some(widest) => *widest = (*widest).max(width),
                None => widths.push(width),
            }
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn foot(head: &Head, declined: Option<&Declined>) -> String {
    let mut text = String::new();
    if let Some(declined) = declined {
        let _ = writeln!(text, "declined: {}", declined.reason.get(Lang::En));
    }
    for note in &head.notes {
        let _ = writeln!(text, "note: {} ({})", note.reason.get(Lang::En), note.count);
    }
    text
}

/// The comparison with peer operators.
pub(super) fn peers(study: &peers::Peers) -> String {
    let mut reasons = Reasons::default();
    let header = ["metric", "load", "q", "stratum", "own", "peer", "", "difference", "q-value", "verdict"]
        .map(String::from);
    let mut rows = vec![header.to_vec()];
    for row in &study.rows {
        let stratum: Vec<&str> = row.stratum.0.iter().map(|(_, value)| value.as_str()).collect();
        rows.push(vec![
            format!("{} ({})", row.metric, row.unit),
            row.load.word().into(),
            format!("p{}", row.quantile * 100.0),
            stratum.join(" / "),
            reasons.answer(&row.own.value, 2),
            row.peer.operator.clone(),
            reasons.answer(&row.peer.value, 2),
            reasons.answer(&row.difference, 2),
            probability(row.q),
            row.verdict.label().get(Lang::En).into(),
        ]);
    }
    let table = if study.rows.is_empty() { String::new() } else { columns(&rows) };
    table + &reasons.told() + &foot(&study.head, study.declined.as_ref())
}

/// Complaints beside the network.
pub(super) fn complaints(study: &complaints::Complaints) -> String {
    let mut reasons = Reasons::default();
    let mut text = String::new();
    if !study.bands.is_empty() {
        let mut rows = vec![
            ["metric", "load", "from", "to", "line-days", "complaints", "per 1,000 line-days"]
                .map(String::from)
                .to_vec(),
        ];
        for band in &study.bands {
            rows.push(vec![
                format!("{} ({}, {})", band.exposure.metric, band.exposure.unit, band.exposure.summary),
                band.exposure.load.word().into(),
                format!("{:.2}", band.from),
                format!("{:.2}", band.to),
                band.line_days.to_string(),
                band.complaints.to_string(),
                reasons.answer(&band.rate_per_1000_line_days, 2),
            ]);
        }
        let _ = writeln!(text, "Complaints by band of the day before\n{}", columns(&rows));
    }
    if !study.case_crossover.is_empty() {
        let mut rows = vec![
            ["metric", "window", "per", "class", "control", "episodes", "rate ratio", "q-value"]
                .map(String::from)
                .to_vec(),
        ];
        for row in &study.case_crossover {
            rows.push(vec![
                row.exposure.metric.to_string(),
                row.window.clone(),
                row.per.clone(),
                row.class.word().into(),
                match row.control {
                    None => "-".into(),
                    Some(complaints::Control::Billing) => "billing".into(),
                    Some(complaints::Control::Future) => "future".into(),
                },
                row.episodes.to_string(),
                reasons.answer(&row.rate_ratio, 3),
                probability(row.q),
            ]);
        }
        let _ =
            writeln!(text, "Each line against itself (time-stratified case-crossover)\n{}", columns(&rows));
    }
    text + &reasons.told() + &foot(&study.head, study.declined.as_ref())
}
