//! `broadgauge study satisfaction`: what makes customers satisfied, from the answers to a survey.

use super::study_text::{Form, Reasons, columns, foot};
use super::{Ended, Failure, Outcome, out, pick};
use crate::{gather, store, survey};
use broadgauge_reports::study::satisfaction;
use std::fmt::Write as _;
use std::path::PathBuf;

/// The flags.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    ground: pick::Ground,
    #[command(flatten)]
    reading: ReadSurvey,
    /// One JSON document rather than tables
    #[arg(long)]
    json: bool,
}

/// How a survey is read.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct ReadSurvey {
    /// Constructs, items and arrows of the survey; the index of seven constructs where left out
    #[arg(long, value_name = "MODEL.toml")]
    model: Option<PathBuf>,
    /// Only respondents of these segments
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    segment: Vec<String>,
    /// How neighbours count in the search for weights: path, factorial or centroid
    #[arg(long, value_name = "SCHEME", default_value = "path", value_parser = survey::scheme)]
    scheme: satisfaction::Scheme,
}

impl ReadSurvey {
    /// As the study understands it.
    pub(super) fn query(&self, ground: &pick::Ground) -> Result<satisfaction::Query, Failure> {
        Ok(satisfaction::Query {
            segments: self.segment.clone(),
            model: survey::model(self.model.as_deref()).map_err(Failure::input)?,
            scheme: self.scheme,
            seed: ground.seed,
            replicates: ground.replicates as usize,
            ..satisfaction::Query::of(ground.own.as_str())
        })
    }
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let query = args.reading.query(&args.ground)?;
    let store = store::open_existing(&args.ground.store).map_err(Failure::input)?;
    let survey = gather::survey(store.as_ref(), &args.ground.request(), &query).map_err(Failure::input)?;
    let study = satisfaction::study(&survey, &query);
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
    text + &reasons.told() + &foot(&study.head, study.declined.as_ref())
}
