//! `broadgauge study NAME`: one question to a store, answered with intervals or declined with a reason.

use super::{Ended, Failure, Outcome, out, pick, study_text};
use crate::{gather, store};
use broadgauge_reports::study::{complaints, peers};

/// Ask one question of the stored figures
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    question: Question,
}

#[derive(clap::Subcommand)]
enum Question {
    /// Where are we behind the peer operators, by how much, and is it real?
    Peers(Peers),
    /// Which complaints go with the network, and which do not?
    Complaints(Complaints),
}

#[derive(clap::Args)]
struct Peers {
    #[command(flatten)]
    ground: pick::Ground,
    #[command(flatten)]
    ask: pick::AskPeers,
    /// Exit with 1 where a row has this verdict: better, worse, at_par or cannot_tell
    #[arg(long, value_name = "VERDICT", value_delimiter = ',', value_parser = pick::verdict)]
    fail_on: Vec<peers::Verdict>,
    /// One JSON document rather than a table
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Complaints {
    #[command(flatten)]
    ground: pick::Ground,
    #[command(flatten)]
    ask: pick::AskComplaints,
    /// One JSON document rather than a table
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Outcome {
    match args.question {
        Question::Peers(args) => {
            let panel = panel(&args.ground)?;
            let study = peers::study(&panel, &args.ask.query(&args.ground));
            if args.json {
                out::json(&study);
            } else {
                out::data(&study_text::peers(&study));
            }
            let found = study.rows.iter().any(|row| args.fail_on.contains(&row.verdict));
            Ok(if found { Ended::Findings } else { Ended::Done })
        }
        Question::Complaints(args) => {
            let panel = panel(&args.ground)?;
            let study = complaints::study(&panel, &args.ask.query(&args.ground));
            if args.json {
                out::json(&study);
            } else {
                out::data(&study_text::complaints(&study));
            }
            Ok(Ended::Done)
        }
    }
}

fn panel(ground: &pick::Ground) -> Result<broadgauge_model::panel::Panel, Failure> {
    let store = store::open_existing(&ground.store).map_err(Failure::input)?;
    gather::panel(store.as_ref(), &ground.request()).map_err(Failure::input)
}
