//! `broadgauge study closed-loop`: did the fix work?

use super::study_text::{Form, Reasons, columns, foot, probability};
use super::{Ended, Failure, Outcome, out, pick};
use crate::{gather, store};
use broadgauge_model::text::Lang;
use broadgauge_reports::study::closed_loop::{self, State};
use std::fmt::Write as _;

/// The flags.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    ground: pick::Ground,
    /// Days before an action that it is held against
    #[arg(long, value_name = "DAYS", default_value_t = 28, value_parser = clap::value_parser!(i32).range(14..))]
    before: i32,
    /// Days after it after which its effect is verified, where it names no day
    #[arg(long, value_name = "DAYS", default_value_t = 28, value_parser = clap::value_parser!(i32).range(14..))]
    after: i32,
    /// Exit with 1 where an action is not verified, recurred or overdue
    #[arg(long)]
    fail_on_open: bool,
    /// One JSON document rather than tables
    #[arg(long)]
    json: bool,
}

/// What is asked, from the ground alone.
pub(super) fn query(ground: &pick::Ground) -> closed_loop::Query {
    closed_loop::Query { seed: ground.seed, ..closed_loop::Query::of(ground.own.as_str()) }
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let store = store::open_existing(&args.ground.store).map_err(Failure::input)?;
    let panel = gather::panel(store.as_ref(), &args.ground.request()).map_err(Failure::input)?;
    let query =
        closed_loop::Query { before_days: args.before, after_days: args.after, ..query(&args.ground) };
    let study = closed_loop::study(&panel, &query);
    if args.json {
        out::json(&study);
    } else {
        out::data(&text(&study));
    }
    let open = study.actions.iter().any(|action| {
        matches!(action.state, State::NotVerified | State::Recurred) || action.overdue_days.is_some()
    });
    Ok(if args.fail_on_open && open { Ended::Findings } else { Ended::Done })
}

fn text(study: &closed_loop::ClosedLoop) -> String {
    let mut reasons = Reasons::default();
    let mut text = String::new();
    let share = Form::of("ratio");
    if !study.kinds.is_empty() {
        let header = [
            "kind",
            "metric",
            "actions",
            "treated",
            "left alone",
            "change %",
            "q-value",
            "leads p",
            "placebo p",
            "helps",
        ];
        let mut rows = vec![header.map(String::from).to_vec()];
        for kind in &study.kinds {
            rows.push(vec![
                kind.kind.clone(),
                kind.metric.to_string(),
                kind.actions.to_string(),
                kind.treated.to_string(),
                kind.controls.to_string(),
                reasons.answer(&kind.change, share),
                probability(kind.q),
                probability(kind.leads_p),
                probability(kind.placebo.p),
                match kind.helps {
                    None => "-".into(),
                    Some(true) => "yes".into(),
                    Some(false) => "not shown".into(),
                },
            ]);
        }
        let _ = writeln!(text, "Kinds of actions (above 0 worse, below 0 better)\n{}", columns(&rows));
    }
    if !study.actions.is_empty() {
        let header = ["action", "owner", "due", "unit", "state", "change %", "target", "why"];
        let mut rows = vec![header.map(String::from).to_vec()];
        for action in &study.actions {
            let due = action.overdue_days.map_or_else(
                || action.due.clone(),
                |days| format!("{} (overdue by {days} days)", action.due),
            );
            rows.push(vec![
                action.action_id.clone(),
                action.owner.clone(),
                due,
                action.unit.clone().unwrap_or_else(|| "-".into()),
                action.state.word().into(),
                reasons.answer(&action.change, share),
                match action.target_met {
                    None => "-".into(),
                    Some(met) => if met { "met" } else { "missed" }.into(),
                },
                action.why.get(Lang::En),
            ]);
        }
        let _ = writeln!(text, "Actions\n{}", columns(&rows));
    }
    let outside: Vec<&str> =
        study.complaints.iter().filter(|week| week.outside).map(|week| week.week.as_str()).collect();
    if !study.complaints.is_empty() {
        let told = if outside.is_empty() { "none".to_owned() } else { outside.join(", ") };
        let _ = writeln!(text, "weeks with unusually many or few complaints: {told}");
    }
    text + &reasons.told() + &foot(&study.head, study.declined.as_ref())
}
