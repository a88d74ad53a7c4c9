//! `broadgauge study expectation`: what customers expect, and where we fall short of it.

use super::study_text::{Form, Reasons, columns, foot, probability};
use super::{Ended, Failure, Outcome, out, pick};
use crate::{gather, store};
use broadgauge_reports::study::expectation::{self, Factor, Month};
use std::fmt::Write as _;

/// The flags.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    ground: pick::Ground,
    /// Times that references are dealt out anew as a placebo
    #[arg(long, value_name = "N", default_value_t = 99, value_parser = clap::value_parser!(u16).range(19..))]
    swaps: u16,
    /// List the level of every line and week (JSON only)
    #[arg(long, requires = "json")]
    levels: bool,
    /// One JSON document rather than tables
    #[arg(long)]
    json: bool,
}

/// What is asked, from the ground alone.
pub(super) fn query(ground: &pick::Ground) -> expectation::Query {
    expectation::Query {
        metrics: ground.metric.clone(),
        seed: ground.seed,
        replicates: ground.replicates as usize,
        ..expectation::Query::of(ground.own.as_str())
    }
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let store = store::open_existing(&args.ground.store).map_err(Failure::input)?;
    let panel = gather::panel(store.as_ref(), &args.ground.request()).map_err(Failure::input)?;
    let query = expectation::Query { swaps: args.swaps.into(), levels: args.levels, ..query(&args.ground) };
    let study = expectation::study(&panel, &query);
    if args.json {
        out::json(&study);
    } else {
        out::data(&text(&study));
    }
    Ok(Ended::Done)
}

fn text(study: &expectation::Expectation) -> String {
    let mut reasons = Reasons::default();
    let mut text = String::new();
    for row in &study.rows {
        let unit = if row.unit == "ratio" { "%" } else { row.unit };
        let _ = writeln!(
            text,
            "{} ({unit}), {}: {} lines, {} line-weeks, {} episodes",
            row.metric,
            row.load.word(),
            row.lines,
            row.line_weeks,
            row.episodes
        );
        let _ = writeln!(
            text,
            "does expectation matter beside the value itself? p {}, q {}, slope {}",
            probability(row.matters.p),
            probability(row.matters.q),
            reasons.answer(&row.matters.slope, Form::plain(2))
        );
        let mut table = vec![["weights", "all", ""].map(String::from).to_vec()];
        table[0].extend(row.weights.segments.iter().map(|segment| segment.segment.clone()));
        for (at, weight) in row.weights.pooled.iter().enumerate() {
            let word = match (weight.factor, row.promise_is) {
                (Factor::Promise, Some(promised)) => promised.word(),
                (factor, _) => factor.word(),
            };
            let mut cells =
                vec![word.to_owned(), reasons.answer(&weight.weight, Form::plain(2)), String::new()];
            let segments = row.weights.segments.iter();
            cells.extend(segments.map(|s| reasons.answer(&s.weights[at].weight, Form::plain(2))));
            table.push(cells);
        }
        text += &columns(&table);
        let _ = writeln!(text, "weights used: {}", row.weights.used);
        let _ = writeln!(
            text,
            "odds of a complaint per tenth short {}, per tenth to spare {}; placebo p {}; held out: {}",
            reasons.answer(&row.odds_ratio_per_tenth_short, Form::plain(2)),
            reasons.answer(&row.odds_ratio_per_tenth_spare, Form::plain(2)),
            probability(row.placebo.p),
            row.held_out.map_or_else(
                || "-".into(),
                |h| format!("AUC {:.3} by shortfall, {:.3} by value", h.auc_shortfall, h.auc_value)
            )
        );
        let _ = writeln!(text, "threshold: {}\n", reasons.answer(&row.knee, Form::of(row.unit)));
        text += &months(&row.months, Form::of(row.unit), &mut reasons);
        text.push('\n');
    }
    text + &reasons.told() + &foot(&study.head, study.declined.as_ref())
}

fn months(months: &[Month], form: Form, reasons: &mut Reasons) -> String {
    let share = Form::of("ratio");
    let mut header =
        ["segment", "month", "lines", "observed", "expected", "short %"].map(String::from).to_vec();
    if let Some(first) = months.first() {
        header.extend(first.gaps.iter().map(|gap| format!("{} gap % ({})", gap.gap.word(), gap.owner)));
    }
    header.push("below zone %".into());
    let mut rows = vec![header];
    for month in months {
        let mut row = vec![
            month.segment.clone().unwrap_or_else(|| "all".into()),
            month.month.clone().unwrap_or_else(|| "all".into()),
            month.lines.to_string(),
            reasons.answer(&month.observed, form),
            reasons.answer(&month.expected, form),
            reasons.answer(&month.expectation_gap, share),
        ];
        row.extend(month.gaps.iter().map(|gap| reasons.answer(&gap.value, share)));
        row.push(reasons.answer(&month.zone.below, share));
        rows.push(row);
    }
    columns(&rows)
}
