//! `broadgauge report chart NAME`: one chart of any report as a file.

use super::report_ask::{AskOperator, of_the_loop};
use super::study_satisfaction::ReadSurvey;
use super::{Ended, Failure, Outcome, out, study_balance};
use crate::publish::{self, PublishError, ReportName};
use crate::store;
use anyhow::anyhow;
use broadgauge_reports::doc::Document;
use broadgauge_reports::render::chart::{self, ChartFormat};
use broadgauge_reports::study::handling;
use std::path::PathBuf;

/// The flags.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The chart; a wrong name lists those there are, by report
    name: String,
    /// The table of survey answers, for the charts of the report on satisfaction
    survey: Option<PathBuf>,
    /// The report that the chart stands in; the first that has one of this name where left out
    #[arg(long, value_enum)]
    report: Option<ReportName>,
    #[command(flatten)]
    ask: AskOperator,
    #[command(flatten)]
    balance: study_balance::Ask,
    #[command(flatten)]
    reading: ReadSurvey,
    /// Pixels of a PNG to one of the layout
    #[arg(long, default_value_t = 2.0)]
    scale: f32,
    /// The file to write; its ending is the format
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl Args {
    fn format(&self) -> Result<ChartFormat, Failure> {
        match self.output.extension().and_then(|ending| ending.to_str()) {
            Some("png") => Ok(ChartFormat::Png(self.scale)),
            Some("svg") => Ok(ChartFormat::Svg),
            Some("csv") => Ok(ChartFormat::Csv),
            _ => Err(Failure::input(anyhow!("{} must end in .png, .svg or .csv", self.output.display()))),
        }
    }

    /// The reports to look in. One that is made from a survey comes first where there is a survey: it needs no store.
    fn reports(&self) -> Vec<ReportName> {
        const OF_A_STORE: [ReportName; 4] =
            [ReportName::Operator, ReportName::Complaints, ReportName::Expectation, ReportName::Actions];
        match (self.report, &self.survey) {
            (Some(report), _) => vec![report],
            (None, Some(_)) => [&[ReportName::Satisfaction][..], &OF_A_STORE].concat(),
            (None, None) => OF_A_STORE.to_vec(),
        }
    }

    fn document(&self, report: ReportName) -> Result<Document, PublishError> {
        let ground = &self.ask.ground;
        let store = || store::open_existing(&ground.store);
        match report {
            ReportName::Operator => publish::operator(store()?.as_ref(), &self.ask.request()),
            ReportName::Complaints => {
                let handling = handling::Query::of(ground.own.as_str());
                publish::complaints(store()?.as_ref(), &self.ask.request(), &handling)
            }
            ReportName::Expectation => {
                publish::expectation(store()?.as_ref(), &of_the_loop(ground, &self.balance))
            }
            ReportName::Actions => publish::actions(store()?.as_ref(), &of_the_loop(ground, &self.balance)),
            ReportName::Satisfaction => {
                let table = self.survey.as_deref().ok_or(PublishError::NoSurvey)?;
                let asked = self.reading.asked(table, ground.seed, ground.replicates);
                publish::satisfaction(&ground.own, &asked)
            }
        }
    }
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let format = args.format()?;
    let bar = out::progress("looking for the chart in the reports");
    let document = publish::with_chart(&args.name, &args.reports(), |report| args.document(report));
    bar.finish_and_clear();
    let document = document.map_err(Failure::input)?;
    let bytes = chart::chart(&document, &args.name, format, args.ask.lang).map_err(Failure::input)?;
    publish::put(&args.output, &bytes).map_err(Failure::input)?;
    out::line(&args.output.display().to_string());
    Ok(Ended::Done)
}
