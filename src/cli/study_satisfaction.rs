//! `broadgauge study satisfaction`: what makes customers satisfied, from a table of survey answers.

use super::study_text::{Form, Reasons, columns};
use super::{Ended, Failure, Outcome, out};
use crate::survey;
use broadgauge_model::text::Lang;
use broadgauge_reports::study::satisfaction;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The flags.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    ask: AskSatisfaction,
    /// One JSON document rather than tables
    #[arg(long)]
    json: bool,
}

/// A survey and what is asked of it.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct AskSatisfaction {
    /// The survey: a row per respondent, a column per item (CSV or a spreadsheet)
    file: PathBuf,
    #[command(flatten)]
    reading: ReadSurvey,
    /// Fixes everything that is random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Resamples behind an interval
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(100..))]
    replicates: u32,
}

impl AskSatisfaction {
    /// The question.
    pub(super) fn asked(&self) -> survey::Asked {
        self.reading.asked(&self.file, self.seed, self.replicates)
    }
}

/// How a survey is read.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct ReadSurvey {
    /// Constructs, items and arrows; the index of seven constructs where left out
    #[arg(long, value_name = "MODEL.toml")]
    model: Option<PathBuf>,
    /// A column whose values are segments
    #[arg(long, value_name = "COLUMN")]
    segment: Option<String>,
    /// How neighbours count in the search for weights: path, factorial or centroid
    #[arg(long, value_name = "SCHEME", default_value = "path", value_parser = survey::scheme)]
    scheme: satisfaction::Scheme,
}

impl ReadSurvey {
    /// The question to a survey.
    pub(super) fn asked(&self, table: &Path, seed: u64, replicates: u32) -> survey::Asked {
        survey::Asked {
            table: table.to_owned(),
            model: self.model.clone(),
            segment: self.segment.clone(),
            scheme: self.scheme,
            seed,
            replicates: replicates as usize,
        }
    }
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let study = args.ask.asked().study().map_err(Failure::input)?;
    if args.json {
        out::json(&study);
    } else {
        out::data(&text(&study));
    }
    Ok(Ended::Done)
}

fn text(study: &satisfaction::Satisfaction) -> String {
    let mut reasons = Reasons::default();
    let mut text = String::new();
    let number = |value: Option<f64>| value.map_or_else(|| "-".into(), |v| format!("{v:.2}"));
    if !study.constructs.is_empty() {
        let header = ["construct", "index 0-100", "R squared", "alpha", "rho", "AVE"];
        let mut rows = vec![header.map(String::from).to_vec()];
        for row in &study.constructs {
            rows.push(vec![
                row.name.en.clone(),
                reasons.answer(&row.index, Form::plain(1)),
                row.r_squared.as_ref().map_or_else(|| "-".into(), |r| reasons.answer(r, Form::plain(2))),
                number(row.alpha),
                number(row.rho),
                number(row.ave),
            ]);
            for segment in &row.segments {
                rows.push(vec![
                    format!("  {}", segment.segment),
                    reasons.answer(&segment.index, Form::plain(1)),
                ]);
            }
        }
        let _ = writeln!(text, "{} respondents\n{}", study.respondents, columns(&rows));
        let mut rows = vec![["from", "to", "path"].map(String::from).to_vec()];
        for path in &study.paths {
            rows.push(vec![
                path.from.clone(),
                path.to.clone(),
                reasons.answer(&path.coefficient, Form::plain(3)),
            ]);
        }
        let _ = writeln!(text, "Paths\n{}", columns(&rows));
        let mut rows = vec![["construct", "importance", "index", ""].map(String::from).to_vec()];
        for row in &study.importance {
            rows.push(vec![
                row.construct.clone(),
                format!("{:.3}", row.importance),
                format!("{:.1}", row.performance),
                if row.first { "first" } else { "" }.into(),
            ]);
        }
        let _ = writeln!(text, "What matters, and how it stands\n{}", columns(&rows));
    }
    text += &reasons.told();
    if let Some(declined) = &study.declined {
        let _ = writeln!(text, "declined: {}", declined.reason.get(Lang::En));
    }
    for note in &study.notes {
        let _ = writeln!(text, "note: {} ({})", note.reason.get(Lang::En), note.count);
    }
    text
}
