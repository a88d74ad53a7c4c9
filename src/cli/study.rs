//! `broadgauge study NAME`: one question to a store, answered with intervals or declined with a reason.

use super::{
    Ended, Outcome, out, pick, study_balance, study_closed_loop, study_complaints, study_expectation,
    study_handling, study_satisfaction, study_silent, study_text,
};
use broadgauge_reports::study::{change, complaints, coverage, league, peers, profile};

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
    /// Which operators, regions or nodes stand out, and which ranks may each hold?
    League(League),
    /// When did a figure change for good, and which retest would confirm it?
    Change(Change),
    /// Are the rules of a regulator, a standard or an application kept, and on which evidence?
    Profile(Box<Profile>),
    /// For what can the data speak, for what not, and what should be measured next?
    Coverage(Coverage),
    /// What have customers come to expect, and where do we fall short of it?
    Expectation(study_expectation::Args),
    /// Who suffers in silence?
    Silent(study_silent::Args),
    /// How full may a node run before customers notice, and what should be fixed first?
    Balance(study_balance::Args),
    /// Did the fix work?
    ClosedLoop(study_closed_loop::Args),
    /// How soon are complaints answered and resolved, and what lies about?
    Handling(study_handling::Args),
    /// What makes customers satisfied, and how satisfied are they? From the answers to a survey
    Satisfaction(study_satisfaction::Args),
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
struct League {
    #[command(flatten)]
    ground: pick::Ground,
    #[command(flatten)]
    ask: pick::AskLeague,
    /// One JSON document rather than a table
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Change {
    #[command(flatten)]
    ground: pick::Ground,
    #[command(flatten)]
    ask: pick::AskChange,
    /// Exit with 1 where a series has this finding: regression, improvement, watch
    #[arg(long, value_name = "FINDING", value_delimiter = ',', value_parser = pick::finding)]
    fail_on: Vec<change::Finding>,
    /// One JSON document rather than a table
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Profile {
    #[command(flatten)]
    ground: pick::Ground,
    #[command(flatten)]
    ask: pick::AskProfile,
    /// Exit with 1 where some rule is not met
    #[arg(long)]
    fail_on_breach: bool,
    /// One JSON document rather than a table
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Coverage {
    #[command(flatten)]
    ground: pick::Ground,
    #[command(flatten)]
    ask: pick::AskPeers,
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
    #[command(flatten)]
    repeats: pick::Repeats,
    /// One JSON document rather than a table
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Outcome {
    match args.question {
        Question::Peers(args) => {
            let panel = args.ground.panel()?;
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
            let panel = args.ground.panel()?;
            let query =
                complaints::Query { repeat_days: args.repeats.repeat_days, ..args.ask.query(&args.ground) };
            let study = complaints::study(&panel, &query);
            if args.json {
                out::json(&study);
            } else {
                out::data(&study_complaints::text(&study));
            }
            Ok(Ended::Done)
        }
        Question::League(args) => {
            let panel = args.ground.panel()?;
            let study = league::study(&panel, &args.ask.query(&args.ground));
            if args.json {
                out::json(&study);
            } else {
                out::data(&study_text::league(&study));
            }
            Ok(Ended::Done)
        }
        Question::Change(args) => {
            let panel = args.ground.panel()?;
            let study = change::study(&panel, &args.ask.query(&args.ground));
            if args.json {
                out::json(&study);
            } else {
                out::data(&study_text::changes(&study));
            }
            let found = study.rows.iter().any(|row| args.fail_on.contains(&row.finding));
            Ok(if found { Ended::Findings } else { Ended::Done })
        }
        Question::Profile(args) => {
            let panel = args.ground.panel()?;
            let study = profile::study(&panel, &args.ask.query(&args.ground));
            if args.json {
                out::json(&study);
            } else {
                out::data(&study_text::profile(&study));
            }
            let breached = study.counts.contains_key(&broadgauge_reports::profile::Finding::Breached);
            Ok(if args.fail_on_breach && breached { Ended::Findings } else { Ended::Done })
        }
        Question::Expectation(args) => study_expectation::run(&args),
        Question::Silent(args) => study_silent::run(&args),
        Question::Balance(args) => study_balance::run(&args),
        Question::ClosedLoop(args) => study_closed_loop::run(&args),
        Question::Coverage(args) => {
            let panel = args.ground.panel()?;
            let query = coverage::Query { peers: args.ask.query(&args.ground) };
            let study = coverage::study(&panel, &query);
            if args.json {
                out::json(&study);
            } else {
                out::data(&study_text::coverage(&study));
            }
            Ok(Ended::Done)
        }
        Question::Handling(args) => study_handling::run(&args),
        Question::Satisfaction(args) => study_satisfaction::run(&args),
    }
}
