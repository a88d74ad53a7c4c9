//! `broadgauge report chart NAME`: one chart of any report as a file.

use super::report_ask::{AskOperator, of_the_loop};
use super::study_satisfaction::ReadSurvey;
use super::{Ended, Failure, Outcome, out, study_balance};
use crate::publish::{self, PublishError, ReportName};
use crate::store::{self, Store};
use anyhow::anyhow;
use broadgauge_reports::doc::Document;
use broadgauge_reports::render::chart::{self, ChartFormat};
use broadgauge_reports::study::{handling, satisfaction};
use clap::ValueEnum as _;
use std::path::PathBuf;

/// The flags.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The chart; a wrong name lists those there are, by report
    name: String,
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

    fn document(
        &self,
        report: ReportName,
        store: &dyn Store,
        asked: &satisfaction::Query,
    ) -> Result<Document, PublishError> {
        let ground = &self.ask.ground;
        match report {
            ReportName::Operator => publish::operator(store, &self.ask.request()),
            ReportName::Complaints => {
                let handling = handling::Query::of(ground.own.as_str());
                publish::complaints(store, &self.ask.request(), &handling)
            }
            ReportName::Expectation => publish::expectation(store, &of_the_loop(ground, &self.balance)),
            ReportName::Actions => publish::actions(store, &of_the_loop(ground, &self.balance)),
            ReportName::Satisfaction => publish::satisfaction(store, &ground.request(), asked),
        }
    }
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let format = args.format()?;
    let asked = args.reading.query(&args.ask.ground)?;
    let store = store::open_existing(&args.ask.ground.store).map_err(Failure::input)?;
    let all = ReportName::value_variants();
    let reports = args.report.as_ref().map_or(all, std::slice::from_ref);
    let bar = out::progress("looking for the chart in the reports");
    let make = |report| args.document(report, store.as_ref(), &asked);
    let document = publish::with_chart(&args.name, reports, make);
    bar.finish_and_clear();
    let document = document.map_err(Failure::input)?;
    let bytes = chart::chart(&document, &args.name, format, args.ask.lang).map_err(Failure::input)?;
    publish::put(&args.output, &bytes).map_err(Failure::input)?;
    out::line(&args.output.display().to_string());
    Ok(Ended::Done)
}
