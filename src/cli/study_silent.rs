//! `broadgauge study silent`: who suffers in silence, and a list for those who call on them.

use super::study_text::{Form, Reasons, columns, foot};
use super::{Ended, Failure, Outcome, out, pick, study_expectation};
use crate::{gather, store};
use anyhow::{Context as _, anyhow};
use broadgauge_model::text::Lang;
use broadgauge_reports::chart::table::{Cell, Table};
use broadgauge_reports::study::Estimate;
use broadgauge_reports::study::silent::{self, Extra};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The flags.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    ground: pick::Ground,
    /// How many customers can be called on
    #[arg(long, value_name = "N", default_value_t = 50)]
    capacity: usize,
    /// The share of the list left alone, to tell what calling brings; 0.1 or more
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    control_share: f64,
    /// A table of further columns by line_id (CSV); columns that come of complaints are refused
    #[arg(long, value_name = "FILE")]
    features: Option<PathBuf>,
    /// Write the list for the care team here (CSV, with reasons in both languages)
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// One JSON document rather than tables
    #[arg(long)]
    json: bool,
}

/// What is asked, from the ground alone.
pub(super) fn query(ground: &pick::Ground) -> silent::Query {
    silent::Query {
        metrics: ground.metric.clone(),
        expectation: study_expectation::query(ground),
        seed: ground.seed,
        ..silent::Query::of(ground.own.as_str())
    }
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let extra = args.features.as_deref().map_or_else(|| Ok(Vec::new()), features)?;
    let store = store::open_existing(&args.ground.store).map_err(Failure::input)?;
    let panel = gather::panel(store.as_ref(), &args.ground.request()).map_err(Failure::input)?;
    let query = silent::Query {
        capacity: args.capacity,
        control_share: args.control_share,
        extra,
        ..query(&args.ground)
    };
    let study = silent::study(&panel, &query);
    if let Some(path) = &args.export {
        let csv = list(&study).to_csv();
        std::fs::write(path, csv)
            .with_context(|| format!("cannot write {}", path.display()))
            .map_err(Failure::input)?;
        out::talk(&format!("{} lines in {}", study.list.len(), path.display()));
    }
    if args.json {
        out::json(&study);
    } else {
        out::data(&text(&study));
    }
    Ok(Ended::Done)
}

/// Columns of numbers by line.
fn features(path: &Path) -> Result<Vec<Extra>, Failure> {
    let wrong = |text: String| Failure::input(anyhow!("{}: {text}", path.display()));
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read {}", path.display()))
        .map_err(Failure::input)?;
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let headers: Vec<&str> = lines.next().unwrap_or("").split(',').map(str::trim).collect();
    let Some(id) = headers.iter().position(|h| *h == "line_id") else {
        return Err(wrong("has no column line_id".into()));
    };
    let mut columns: Vec<Extra> =
        headers.iter().map(|name| Extra { name: (*name).to_owned(), ..Extra::default() }).collect();
    for (number, line) in lines.enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let Some(line_id) = cells.get(id) else { continue };
        for (column, cell) in columns.iter_mut().zip(&cells).filter(|(column, _)| column.name != "line_id") {
            if cell.is_empty() {
                continue;
            }
            let value: f64 = cell.parse().ok().filter(|v: &f64| v.is_finite()).ok_or_else(|| {
                wrong(format!("line {}, column {}: {cell:?} is not a number", number + 2, column.name))
            })?;
            column.values.insert((*line_id).to_owned(), value);
        }
    }
    columns.retain(|column| column.name != "line_id");
    Ok(columns)
}

/// The list as a table.
fn list(study: &silent::Silent) -> Table {
    let mut table = Table::new([
        ("rank", "Rank"),
        ("line_id", "Line"),
        ("group", "Group"),
        ("risk", "Risk"),
        ("risk_lower", "Lower bound"),
        ("risk_upper", "Upper bound"),
        ("region", "Region"),
        ("node", "Node"),
        ("segment", "Segment"),
        ("reason_en", "Reason"),
        ("reason_zh", "原因"),
    ]);
    for one in &study.list {
        let told = one.risk.as_estimate();
        let text = |value: &Option<String>| value.as_deref().map_or(Cell::Blank, Cell::from);
        let reason = |lang: Lang, mark: &str| {
            let all: Vec<String> = one.reasons.iter().map(|reason| reason.get(lang)).collect();
            Cell::from(all.join(mark).as_str())
        };
        table.push([
            Cell::Count(one.rank as u64),
            one.line_id.as_str().into(),
            one.group.into(),
            Cell::maybe(told.map(Estimate::value)),
            Cell::maybe(told.map(|e| e.interval().0)),
            Cell::maybe(told.map(|e| e.interval().1)),
            text(&one.region),
            text(&one.node),
            text(&one.segment),
            reason(Lang::En, "; "),
            reason(Lang::Zh, "；"),
        ]);
    }
    table
}

fn text(study: &silent::Silent) -> String {
    let mut reasons = Reasons::default();
    let mut text = String::new();
    let number = |value: Option<f64>| value.map_or_else(|| "-".into(), |v| format!("{v:.2}"));
    let share = Form::of("ratio");
    if let Some(judged) = &study.judged {
        let _ = writeln!(
            text,
            "judged on {} lines on {}: {} complained within the horizon",
            judged.lines, judged.day, judged.complained
        );
        let _ = writeln!(
            text,
            "average precision {}; of the {} at highest risk {} % complained, lift {} (by days worse than usual {}), \
             recall {}",
            reasons.answer(&judged.average_precision, Form::plain(3)),
            judged.capacity,
            reasons.answer(&judged.precision, share),
            number(judged.lift),
            number(judged.lift_of_rule),
            number(judged.recall)
        );
        let _ = writeln!(
            text,
            "calibration: slope {}, intercept {}; Brier {}\n",
            reasons.answer(&judged.calibration_slope, Form::plain(2)),
            reasons.answer(&judged.calibration_intercept, Form::plain(2)),
            judged.brier.map_or_else(|| "-".into(), |v| format!("{v:.4}"))
        );
    }
    if !study.features.is_empty() {
        let mut rows = vec![["told by", "odds ratio per standard deviation"].map(String::from).to_vec()];
        for feature in &study.features {
            rows.push(vec![
                feature.feature.to_string(),
                reasons.answer(&feature.odds_ratio_per_sd, Form::plain(2)),
            ]);
        }
        let _ = writeln!(text, "{}", columns(&rows));
    }
    for refused in &study.refused {
        let _ = writeln!(text, "refused: {}: {}", refused.feature, refused.reason.get(Lang::En));
    }
    if !study.list.is_empty() {
        let _ = writeln!(
            text,
            "as of {}: {} silent lines with less than they expect, of {}",
            study.as_of.as_deref().unwrap_or("-"),
            study.silent,
            study.lines
        );
        let mut rows = vec![["", "line", "group", "risk %", "reasons"].map(String::from).to_vec()];
        for one in &study.list {
            let why: Vec<String> = one.reasons.iter().map(|reason| reason.get(Lang::En)).collect();
            rows.push(vec![
                one.rank.to_string(),
                one.line_id.clone(),
                one.group.into(),
                reasons.answer(&one.risk, share),
                why.join("; "),
            ]);
        }
        text += &columns(&rows);
    }
    text + &reasons.told() + &foot(&study.head, study.declined.as_ref())
}
