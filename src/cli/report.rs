//! `broadgauge report NAME`: what the store says, for people.

use super::study_satisfaction::AskSatisfaction;
use super::{
    Ended, Failure, Outcome, out, pick, study_balance, study_closed_loop, study_expectation, study_silent,
};
use crate::publish::{self, Format};
use crate::store;
use broadgauge_model::text::Lang;
use broadgauge_reports::doc::Document;
use broadgauge_reports::render::chart::{self, ChartFormat};
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
        what: What,
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
    /// How satisfied customers are, and what would change it, from a table of survey answers
    Satisfaction {
        /// The own operator
        #[arg(long, value_name = "NAME")]
        own: String,
        #[command(flatten)]
        ask: AskSatisfaction,
        #[command(flatten)]
        paper: Paper,
    },
    /// One chart of the operator's report, as .png, .svg or .csv
    Chart {
        /// The chart; a wrong name lists those there are
        name: String,
        #[command(flatten)]
        what: What,
        /// Pixels of a PNG to one of the layout
        #[arg(long, default_value_t = 2.0)]
        scale: f32,
        /// The file to write; its ending is the format
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
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

#[derive(clap::Args)]
struct What {
    #[command(flatten)]
    ground: pick::Ground,
    #[command(flatten)]
    peers: pick::AskPeers,
    #[command(flatten)]
    complaints: pick::AskComplaints,
    /// The language: en or zh
    #[arg(long, default_value = "en")]
    lang: Lang,
    /// For the team alone: groups of fewer than ten lines are shown
    #[arg(long)]
    internal: bool,
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
    fn request(&self) -> publish::LoopRequest {
        publish::LoopRequest {
            gather: self.ground.request(),
            expectation: study_expectation::query(&self.ground),
            silent: study_silent::query(&self.ground),
            balance: self.balance.query(&self.ground),
            closed_loop: study_closed_loop::query(&self.ground),
        }
    }

    fn write(
        &self,
        make: fn(&dyn store::Store, &publish::LoopRequest) -> Result<Document, publish::PublishError>,
    ) -> Outcome {
        let store = store::open_existing(&self.ground.store).map_err(Failure::input)?;
        let bar = out::progress("reading the store and asking it");
        let document = make(store.as_ref(), &self.request());
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
        Report::Operator { what, format, output } => {
            let bar = out::progress("reading the store and asking it");
            let document = document(&what);
            bar.finish_and_clear();
            write(&document?, &Paper { lang: what.lang, format, output })?;
        }
        Report::Complaints { ground, complaints, handling, paper, internal } => {
            let bar = out::progress("reading the store and asking it");
            let document = on_complaints(&ground, &complaints, &handling, !internal);
            bar.finish_and_clear();
            write(&document?, &paper)?;
        }
        Report::Satisfaction { own, ask, paper } => {
            let document = publish::satisfaction(&own, &ask.asked()).map_err(Failure::input)?;
            write(&document, &paper)?;
        }
        Report::Chart { name, what, scale, output } => {
            let format = match output.extension().and_then(|e| e.to_str()) {
                Some("png") => ChartFormat::Png(scale),
                Some("svg") => ChartFormat::Svg,
                Some("csv") => ChartFormat::Csv,
                _ => {
                    return Err(Failure::input(anyhow::anyhow!(
                        "{} must end in .png, .svg or .csv",
                        output.display()
                    )));
                }
            };
            let bytes = chart::chart(&document(&what)?, &name, format, what.lang).map_err(Failure::input)?;
            publish::put(&output, &bytes).map_err(Failure::input)?;
            out::line(&output.display().to_string());
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

fn document(what: &What) -> Result<Document, Failure> {
    let store = store::open_existing(&what.ground.store).map_err(Failure::input)?;
    let request = publish::Request {
        gather: what.ground.request(),
        peers: what.peers.query(&what.ground),
        complaints: what.complaints.query(&what.ground),
        shared: !what.internal,
    };
    publish::operator(store.as_ref(), &request).map_err(Failure::input)
}
