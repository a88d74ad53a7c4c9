//! `broadgauge report NAME`: what the store says, for people.

use super::report_ask::{AskOperator, of_the_loop};
use super::study_satisfaction::ReadSurvey;
use super::{Ended, Failure, Outcome, out, pick, report_chart, study_balance};
use crate::publish::{self, Format};
use crate::store;
use broadgauge_model::text::Lang;
use broadgauge_reports::doc::Document;
use std::path::PathBuf;

/// Write a report for people: verdict, charts, method, and the data of each chart
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    report: Report,
}

#[derive(clap::Subcommand)]
enum Report {
    /// Where the own operator stands beside its peers, and what its customers say
    Operator {
        #[command(flatten)]
        ask: AskOperator,
        /// The form
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        /// The file to write
        #[arg(short, long, value_name = "FILE", default_value = "report.html")]
        output: PathBuf,
    },
    /// What customers expect, where we fall short of it, and who suffers in silence
    Expectation(LoopArgs),
    /// What to fix first, how full nodes may run, and whether the fixes worked
    Actions(LoopArgs),
    /// What customers complain about, what the network explains of it, and how complaints are handled
    Complaints {
        #[command(flatten)]
        ground: pick::Ground,
        #[command(flatten)]
        complaints: pick::AskComplaints,
        #[command(flatten)]
        handling: pick::AskHandling,
        #[command(flatten)]
        paper: Paper,
        /// For the team alone: groups of fewer than ten lines are shown, and single cases
        #[arg(long)]
        internal: bool,
    },
    /// How satisfied customers are, and what would change it, from the answers to a survey
    Satisfaction {
        #[command(flatten)]
        ground: pick::Ground,
        #[command(flatten)]
        reading: ReadSurvey,
        #[command(flatten)]
        paper: Paper,
    },
    /// One chart of any of these reports, as .png, .svg or .csv
    Chart(report_chart::Args),
}

/// The language, the form and the file.
#[derive(clap::Args)]
struct Paper {
    /// The language: en or zh
    #[arg(long, default_value = "en")]
    lang: Lang,
    /// The form
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The file to write
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    output: PathBuf,
}

/// A report that has no peers to compare with.
#[derive(clap::Args)]
struct LoopArgs {
    #[command(flatten)]
    ground: pick::Ground,
    #[command(flatten)]
    balance: study_balance::Ask,
    #[command(flatten)]
    paper: Paper,
}

impl LoopArgs {
    fn write(
        &self,
        make: fn(&dyn store::Store, &publish::LoopRequest) -> Result<Document, publish::PublishError>,
    ) -> Outcome {
        let store = store::open_existing(&self.ground.store).map_err(Failure::input)?;
        let bar = out::progress("reading the store and asking it");
        let document = make(store.as_ref(), &of_the_loop(&self.ground, &self.balance));
        bar.finish_and_clear();
        write(&document.map_err(Failure::input)?, &self.paper)?;
        Ok(Ended::Done)
    }
}

/// Runs the command.
pub fn run(args: Args) -> Outcome {
    match args.report {
        Report::Expectation(args) => return args.write(publish::expectation),
        Report::Actions(args) => return args.write(publish::actions),
        Report::Chart(args) => return report_chart::run(&args),
        Report::Operator { ask, format, output } => {
            let bar = out::progress("reading the store and asking it");
            let document = on_operator(&ask);
            bar.finish_and_clear();
            write(&document?, &Paper { lang: ask.lang, format, output })?;
        }
        Report::Complaints { ground, complaints, handling, paper, internal } => {
            let bar = out::progress("reading the store and asking it");
            let document = on_complaints(&ground, &complaints, &handling, !internal);
            bar.finish_and_clear();
            write(&document?, &paper)?;
        }
        Report::Satisfaction { ground, reading, paper } => {
            let asked = reading.query(&ground)?;
            let store = store::open_existing(&ground.store).map_err(Failure::input)?;
            let document = publish::satisfaction(store.as_ref(), &ground.request(), &asked);
            write(&document.map_err(Failure::input)?, &paper)?;
        }
    }
    Ok(Ended::Done)
}

fn write(document: &Document, paper: &Paper) -> Result<(), Failure> {
    let written =
        publish::write(document, paper.lang, paper.format, &paper.output).map_err(Failure::input)?;
    out::line(&paper.output.display().to_string());
    if written.len() > 1 {
        out::talk(&format!("and beside it the data of each chart (files: {})", written.len() - 1));
    }
    Ok(())
}

fn on_complaints(
    ground: &pick::Ground,
    complaints: &pick::AskComplaints,
    handling: &pick::AskHandling,
    shared: bool,
) -> Result<Document, Failure> {
    let store = store::open_existing(&ground.store).map_err(Failure::input)?;
    let request = publish::Request {
        gather: ground.request(),
        complaints: complaints.query(ground),
        shared,
        ..publish::Request::of(&ground.own)
    };
    publish::complaints(store.as_ref(), &request, &handling.query(ground)).map_err(Failure::input)
}

fn on_operator(ask: &AskOperator) -> Result<Document, Failure> {
    let store = store::open_existing(&ask.ground.store).map_err(Failure::input)?;
    publish::operator(store.as_ref(), &ask.request()).map_err(Failure::input)
}
