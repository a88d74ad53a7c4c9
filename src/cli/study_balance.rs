//! `broadgauge study balance`: how full nodes may run, and what to fix first.

use super::study_text::{Form, Reasons, columns, foot, probability};
use super::{Ended, Failure, Outcome, out, pick};
use crate::{gather, store};
use broadgauge_reports::study::balance;
use std::fmt::Write as _;

/// Rows of a list at a terminal.
const MOST: usize = 20;

/// The flags.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    ground: pick::Ground,
    #[command(flatten)]
    ask: Ask,
    #[command(flatten)]
    repeats: pick::Repeats,
    /// One JSON document rather than tables
    #[arg(long)]
    json: bool,
}

/// What is asked of the balance.
#[derive(clap::Args, Clone, Debug, Default)]
pub(super) struct Ask {
    /// The delay that must not be passed, in ms; where customers begin to complain where left out
    #[arg(long, value_name = "MS")]
    limit: Option<f64>,
    /// What relieving a node costs; the middle cost of actions on nodes where left out
    #[arg(long, value_name = "AMOUNT")]
    cost_per_node: Option<f64>,
    /// What an avoided complaint is worth, in the same currency
    #[arg(long, value_name = "AMOUNT")]
    worth_per_complaint: Option<f64>,
}

impl Ask {
    /// As the study understands it.
    pub(super) fn query(&self, ground: &pick::Ground) -> balance::Query {
        balance::Query {
            metric: ground.metric.first().copied(),
            limit: self.limit,
            cost_per_node: self.cost_per_node,
            worth_per_complaint: self.worth_per_complaint,
            seed: ground.seed,
            ..balance::Query::of(ground.own.as_str())
        }
    }
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let store = store::open_existing(&args.ground.store).map_err(Failure::input)?;
    let panel = gather::panel(store.as_ref(), &args.ground.request()).map_err(Failure::input)?;
    let query = balance::Query { repeat_days: args.repeats.repeat_days, ..args.ask.query(&args.ground) };
    let study = balance::study(&panel, &query);
    if args.json {
        out::json(&study);
    } else {
        out::data(&text(&study));
    }
    Ok(Ended::Done)
}

fn seen(study: &balance::Balance, reasons: &mut Reasons) -> Vec<Vec<String>> {
    let metric = study.metric.map_or_else(String::new, |m| format!("{} ({})", m.id(), m.unit.code()));
    let header =
        ["technology", "utilisation %", &metric, "short of what they expect %", "complaints of 1,000"];
    let mut rows = vec![header.map(String::from).to_vec()];
    for point in &study.points {
        rows.extend(point.seen.iter().map(|group| {
            vec![
                point.technology.clone(),
                format!("{:.1}", 100.0 * group.utilisation),
                reasons.answer(&group.value, Form::plain(1)),
                reasons.answer(&group.short_of_expectation_ratio, Form::of("ratio")),
                reasons.answer(&group.complaints_per_1000_line_days, Form::plain(2)),
            ]
        }));
    }
    rows
}

fn text(study: &balance::Balance) -> String {
    let mut reasons = Reasons::default();
    let mut text = String::new();
    let percent = Form::of("ratio");
    let share = |value: Option<f64>| value.map_or_else(|| "-".into(), |v| format!("{:.1}", 100.0 * v));
    if !study.points.is_empty() {
        let _ = writeln!(
            text,
            "limit {} ({}); odds of a complaint per 10 beyond it {}",
            reasons.answer(&study.limit, Form::plain(1)),
            if study.limit_given { "given" } else { "where complaints begin" },
            reasons.answer(&study.odds_ratio_per_10, Form::plain(2))
        );
        let header =
            ["technology", "nodes", "node-days", "fullest %", "safe %", "nodes above it", "R squared"];
        let mut rows = vec![header.map(String::from).to_vec()];
        for point in &study.points {
            rows.push(vec![
                point.technology.clone(),
                point.nodes.to_string(),
                point.node_days.to_string(),
                reasons.answer(&point.utilisation, percent),
                share(point.safe),
                point.above_safe.to_string(),
                point.r_squared.map_or_else(|| "-".into(), |v| format!("{v:.2}")),
            ]);
        }
        let _ = writeln!(text, "{}", columns(&rows));
        let _ =
            writeln!(text, "What was seen, in groups of node-days\n{}", columns(&seen(study, &mut reasons)));
    }
    if !study.worst.is_empty() {
        let header =
            ["node", "ground", "lines", "complaints", "expected", "beyond", "q-value", "busy hour %"];
        let mut rows = vec![header.map(String::from).to_vec()];
        for link in study.worst.iter().take(MOST) {
            rows.push(vec![
                link.node.clone(),
                link.ground.clone(),
                link.lines.to_string(),
                link.episodes.to_string(),
                format!("{:.1}", link.expected),
                reasons.answer(&link.excess, Form::plain(1)),
                probability(link.q),
                share(link.busy_hour),
            ]);
        }
        let _ =
            writeln!(text, "What to fix first, by complaints beyond those of the ground\n{}", columns(&rows));
    }
    if !study.relief.is_empty() {
        let header = [
            "node",
            "lines",
            "busy hour %",
            "to %",
            "avoided in 30 days",
            "per 1,000 spent",
            "all so far",
            "pays",
        ];
        let mut rows = vec![header.map(String::from).to_vec()];
        for one in study.relief.iter().take(MOST) {
            rows.push(vec![
                one.node.clone(),
                one.lines.to_string(),
                share(Some(one.busy_hour)),
                share(Some(one.to)),
                reasons.answer(&one.avoided_in_30_days, Form::plain(2)),
                one.avoided_per_1000.map_or_else(|| "-".into(), |v| format!("{v:.3}")),
                format!("{:.1}", one.avoided_so_far),
                match one.pays {
                    None => "-".into(),
                    Some(pays) => if pays { "yes" } else { "no" }.into(),
                },
            ]);
        }
        let _ = writeln!(text, "What relieving a node brings\n{}", columns(&rows));
    }
    let returns = &study.returns;
    if let Some(shape) = returns.shape {
        let _ = writeln!(
            text,
            "headroom against complaints: {shape}; nothing gained from {} %, nine tenths at {} %",
            reasons.answer(&returns.plateau_from, percent),
            share(returns.nine_tenths_at)
        );
    }
    text + &reasons.told() + &foot(&study.head, study.declined.as_ref())
}
