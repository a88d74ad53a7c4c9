//! What the study of complaints answers, as an engineer reads it at a terminal.

use super::study_text::{Form, Reasons, columns, foot, observed, probability};
use broadgauge_model::text::Lang;
use broadgauge_reports::study::complaints::{Complaints, Control, Exposure};
use std::fmt::Write as _;

/// All views, one below the other.
pub(super) fn text(study: &Complaints) -> String {
    let mut reasons = Reasons::default();
    let parts = [
        bands(study, &mut reasons),
        contrasts(study, &mut reasons),
        regressions(study, &mut reasons),
        crossover(study, &mut reasons),
        areas(study, &mut reasons),
        around(study, &mut reasons),
        series(study, &mut reasons),
    ];
    let text: String = parts.into_iter().filter(|part| !part.is_empty()).collect();
    text + &reasons.told() + &foot(&study.head, study.declined.as_ref())
}

fn named(exposure: &Exposure) -> String {
    observed(exposure.metric, exposure.unit, exposure.direction, &exposure.summary)
}

const fn control(control: Option<Control>) -> &'static str {
    match control {
        None => "-",
        Some(Control::Billing) => "billing",
        Some(Control::Future) => "future",
    }
}

/// A heading and a table; nothing where there is no row.
fn table(title: &str, header: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let head = header.iter().map(|h| (*h).to_owned()).collect();
    let all: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    format!("{title}\n{}\n", columns(&all))
}

fn bands(study: &Complaints, reasons: &mut Reasons) -> String {
    let rows = study.bands.iter().map(|band| {
        let form = Form::of(band.exposure.unit);
        vec![
            named(&band.exposure),
            band.exposure.load.word().into(),
            form.write(band.from),
            form.write(band.to),
            band.line_days.to_string(),
            band.complaints.to_string(),
            reasons.answer(&band.rate_per_1000_line_days, Form::plain(2)),
        ]
    });
    let header = ["metric", "load", "from", "to", "line-days", "complaints", "per 1,000 line-days"];
    table("Complaints by band of the day before, on line-days at risk", &header, rows.collect())
}

fn contrasts(study: &Complaints, reasons: &mut Reasons) -> String {
    let rows = study.contrasts.iter().map(|row| {
        let form = Form::of(row.exposure.unit);
        vec![
            named(&row.exposure),
            row.exposure.load.word().into(),
            form.write(row.threshold),
            reasons.answer(&row.crude, Form::plain(2)),
            reasons.answer(&row.stratified, Form::plain(2)),
            row.strata.to_string(),
            probability(row.q),
            reasons.answer(&row.explained_if_causal, SHARE),
        ]
    });
    let header =
        ["metric", "load", "from", "crude", "like with like", "strata", "q-value", "explained %, if causal"];
    table("The worst fifth of line-days against the others", &header, rows.collect())
}

const SHARE: Form = Form::percent(1);

fn regressions(study: &Complaints, reasons: &mut Reasons) -> String {
    let mut rows = Vec::new();
    let mut told = String::new();
    for row in &study.dose_response {
        let form = Form::of(row.exposure.unit);
        rows.push(vec![
            named(&row.exposure),
            row.exposure.load.word().into(),
            row.per.clone(),
            row.complaints.to_string(),
            reasons.answer(&row.crude, Form::plain(3)),
            reasons.answer(&row.adjusted, Form::plain(3)),
            probability(row.q),
            reasons.answer(&row.knee, form),
            row.beyond_knee.as_ref().map_or_else(|| "-".into(), |r| reasons.answer(r, Form::plain(3))),
            probability(row.monotone.departure_p),
        ]);
        if !row.adjusted_for.is_empty() {
            let words = row.adjusted_for.join(", ");
            let _ = writeln!(told, "{}: adjusted for {words}", named(&row.exposure));
        }
    }
    let header = [
        "metric",
        "load",
        "per",
        "complaints",
        "crude",
        "adjusted",
        "q-value",
        "complaints begin at",
        "beyond it",
        "p if only rising",
    ];
    let text = table("Everything else alike (rate ratios)", &header, rows);
    if told.is_empty() { text } else { text + &told + "\n" }
}

fn crossover(study: &Complaints, reasons: &mut Reasons) -> String {
    let rows = study.case_crossover.iter().map(|row| {
        vec![
            named(&row.exposure),
            row.exposure.load.word().into(),
            row.window.clone(),
            row.per.clone(),
            row.class.word().into(),
            control(row.control).into(),
            row.episodes.to_string(),
            reasons.answer(&row.rate_ratio, Form::plain(3)),
            probability(row.q),
        ]
    });
    let header = ["metric", "load", "window", "per", "class", "control", "episodes", "rate ratio", "q-value"];
    table("Each line against itself (time-stratified case-crossover)", &header, rows.collect())
}

fn areas(study: &Complaints, reasons: &mut Reasons) -> String {
    let rows = study.area_case_crossover.iter().map(|row| {
        vec![
            named(&row.exposure),
            row.window.clone(),
            row.per.clone(),
            row.class.word().into(),
            control(row.control).into(),
            row.complaints.to_string(),
            row.areas.to_string(),
            reasons.answer(&row.rate_ratio, Form::plain(3)),
            probability(row.q),
        ]
    });
    let header =
        ["metric", "window", "per", "class", "control", "complaints", "areas", "rate ratio", "q-value"];
    table("Each area against itself, by complaints that name no line", &header, rows.collect())
}

fn around(study: &Complaints, reasons: &mut Reasons) -> String {
    let mut rows = Vec::new();
    for row in &study.around {
        let form = Form::of(row.exposure.unit);
        let at = |day: i32| row.days.iter().find(|d| d.day == day);
        let mut cells = vec![named(&row.exposure), row.class.word().into(), row.episodes.to_string()];
        if let Some(declined) = &row.declined {
            cells.push(format!("declined: {}", declined.reason.get(Lang::En)));
        } else {
            for day in [-7, -3, -1, 0, 1, 3] {
                cells.push(at(day).map_or_else(|| "-".into(), |d| reasons.answer(&d.difference, form)));
            }
        }
        rows.push(cells);
    }
    let header = ["metric", "class", "episodes", "day -7", "-3", "-1", "0", "+1", "+3"];
    table("Days around a complaint, against the line's usual and all other lines", &header, rows)
}

fn series(study: &Complaints, reasons: &mut Reasons) -> String {
    let rows = study.lead_lag.iter().map(|row| {
        vec![
            named(&row.exposure),
            row.area.clone().unwrap_or_else(|| "all".into()),
            row.days.to_string(),
            row.complaints.to_string(),
            row.lag_days.map_or_else(|| "-".into(), |lag| lag.to_string()),
            reasons.answer(&row.correlation, Form::plain(2)),
            probability(row.q),
            row.per.clone(),
            reasons.answer(&row.total_rate_ratio, Form::plain(3)),
        ]
    });
    let header = [
        "metric",
        "area",
        "days",
        "complaints",
        "days ahead",
        "correlation",
        "q-value",
        "per",
        "rate ratio, 8 days together",
    ];
    table("Daily series, each cleared of its own past", &header, rows.collect())
}
