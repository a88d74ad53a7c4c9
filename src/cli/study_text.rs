//! What a study answers, as an engineer reads it at a terminal.

use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Direction, Statistic};
use broadgauge_model::text::Lang;
use broadgauge_reports::study::{Answer, Declined, Head, complaints, peers};
use std::fmt::Write as _;

/// Reasons for refusals, told once below the table and named in it by their number.
#[derive(Default)]
struct Reasons(Vec<String>);

/// How a number is written: shares in percent, because most losses are far below a hundredth.
#[derive(Clone, Copy)]
struct Form {
    factor: f64,
    decimals: usize,
}

impl Form {
    const fn plain(decimals: usize) -> Self {
        Self { factor: 1.0, decimals }
    }

    fn of(unit: &str) -> Self {
        if unit == "ratio" { Self { factor: 100.0, decimals: 3 } } else { Self::plain(2) }
    }

    fn write(self, value: f64) -> String {
        let text = format!("{:.*}", self.decimals, self.factor * value);
        // What rounds to nothing has no sign.
        match text.strip_prefix('-') {
            Some(zero) if zero.bytes().all(|b| matches!(b, b'0' | b'.')) => zero.to_owned(),
            _ => text,
        }
    }
}

/// What was observed, with what tells it from the metric's other rows: `delay_variation (ms), up, mean`.
fn observed(metric: MetricId, unit: &str, direction: Direction, more: &str) -> String {
    let unit = if unit == "ratio" { "%" } else { unit };
    let direction = if direction == Direction::RoundTrip { "" } else { direction.word() };
    let more = if more == Statistic::Singleton.word() { "" } else { more };
    let words = [format!("{metric} ({unit})"), direction.to_owned(), more.to_owned()];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ")
}

impl Reasons {
    fn answer(&mut self, answer: &Answer, form: Form) -> String {
        match answer {
            Answer::Estimate(e) => {
                let (low, high) = e.interval();
                format!("{} [{}, {}]", form.write(e.value()), form.write(low), form.write(high))
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
        let form = Form::of(row.unit);
        let stratum: Vec<&str> = row.stratum.0.iter().map(|(_, value)| value.as_str()).collect();
        rows.push(vec![
            observed(row.metric, row.unit, row.direction, row.statistic.word()),
            row.load.word().into(),
            format!("p{}", row.quantile * 100.0),
            stratum.join(" / "),
            reasons.answer(&row.own.value, form),
            row.peer.operator.clone(),
            reasons.answer(&row.peer.value, form),
            reasons.answer(&row.difference, form),
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
            let exposure = &band.exposure;
            let form = Form::of(exposure.unit);
            rows.push(vec![
                observed(exposure.metric, exposure.unit, exposure.direction, &exposure.summary),
                exposure.load.word().into(),
                form.write(band.from),
                form.write(band.to),
                band.line_days.to_string(),
                band.complaints.to_string(),
                reasons.answer(&band.rate_per_1000_line_days, Form::plain(2)),
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
                observed(
                    row.exposure.metric,
                    row.exposure.unit,
                    row.exposure.direction,
                    &row.exposure.summary,
                ),
                row.window.clone(),
                row.per.clone(),
                row.class.word().into(),
                match row.control {
                    None => "-".into(),
                    Some(complaints::Control::Billing) => "billing".into(),
                    Some(complaints::Control::Future) => "future".into(),
                },
                row.episodes.to_string(),
                reasons.answer(&row.rate_ratio, Form::plain(3)),
                probability(row.q),
            ]);
        }
        let _ =
            writeln!(text, "Each line against itself (time-stratified case-crossover)\n{}", columns(&rows));
    }
    text + &reasons.told() + &foot(&study.head, study.declined.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_written_in_percent_and_nothing_has_no_sign() {
        let loss = Form::of("ratio");
        assert_eq!(
            [loss.write(0.000_12), loss.write(-0.000_001), loss.write(0.25)],
            ["0.012", "0.000", "25.000"]
        );
        assert_eq!([Form::of("ms").write(-0.004), Form::of("ms").write(-1.5)], ["0.00", "-1.50"]);
    }

    #[test]
    fn rows_of_one_metric_are_told_apart() {
        let write = |direction, statistic: Statistic| {
            observed(MetricId::DELAY_VARIATION, "ms", direction, statistic.word())
        };
        assert_eq!(write(Direction::RoundTrip, Statistic::Singleton), "delay_variation (ms)");
        assert_eq!(write(Direction::Up, Statistic::Mean), "delay_variation (ms), up, mean");
    }
}
