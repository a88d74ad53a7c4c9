//! `broadgauge study handling`: how soon complaints are answered and resolved, and what lies about.

use super::study_text::{Form, Reasons, columns, foot};
use super::{Ended, Outcome, out, pick};
use broadgauge_reports::study::handling;
use std::fmt::Write as _;

/// The flags.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    ground: pick::Ground,
    #[command(flatten)]
    ask: pick::AskHandling,
    /// Exit with 1 where a case is overdue or nobody's
    #[arg(long)]
    fail_on_overdue: bool,
    /// One JSON document rather than tables
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let panel = args.ground.panel()?;
    let study = handling::study(&panel, &args.ask.query(&args.ground));
    if args.json {
        out::json(&study);
    } else {
        out::data(&text(&study));
    }
    let late = study.overdue_in_all + study.unowned_in_all > 0;
    Ok(if late && args.fail_on_overdue { Ended::Findings } else { Ended::Done })
}

fn text(study: &handling::Handling) -> String {
    let mut reasons = Reasons::default();
    let mut text = String::new();
    if !study.groups.is_empty() {
        let header = [
            "by",
            "",
            "cases",
            "open",
            "overdue",
            "first response p50 h",
            "p95 h",
            "resolution p50 h",
            "p80 h",
            "p95 h",
            "reopened",
            "repeated",
            "first contact",
        ];
        let mut rows = vec![header.map(String::from).to_vec()];
        for group in &study.groups {
            rows.push(vec![
                group.by.into(),
                group.value.clone(),
                group.cases.to_string(),
                group.open.to_string(),
                group.overdue.to_string(),
                reasons.answer(&group.first_response.p50_hours, Form::plain(1)),
                reasons.answer(&group.first_response.p95_hours, Form::plain(1)),
                reasons.answer(&group.resolution.p50_hours, Form::plain(1)),
                reasons.answer(&group.resolution.p80_hours, Form::plain(1)),
                reasons.answer(&group.resolution.p95_hours, Form::plain(1)),
                reasons.answer(&group.reopened_ratio, Form::plain(3)),
                reasons.answer(&group.repeated_ratio, Form::plain(3)),
                reasons.answer(&group.first_contact_ratio, Form::plain(3)),
            ]);
        }
        let _ = writeln!(text, "{}", columns(&rows));
        let mut rows = vec![["deadline", "days", "done in time"].map(String::from).to_vec()];
        let all = &study.groups[0];
        let appeals = study.escalations.iter().flat_map(|escalations| &escalations.within);
        for within in all.first_response.within.iter().chain(&all.resolution.within).chain(appeals) {
            let days = format!("{}", within.days);
            rows.push(vec![within.deadline.into(), days, reasons.answer(&within.ratio, Form::plain(3))]);
        }
        let _ = writeln!(text, "All cases against deadlines\n{}", columns(&rows));
    }
    if let Some(escalations) = &study.escalations {
        let _ = writeln!(
            text,
            "Taken further by the customer: {} cases, on known lines {} per million lines and quarter\n",
            escalations.cases,
            reasons.answer(&escalations.per_million_line_quarters, Form::plain(1))
        );
    }
    for (title, list, all) in [
        ("Overdue", &study.overdue, study.overdue_in_all),
        ("Nobody's", &study.unowned, study.unowned_in_all),
    ] {
        if list.is_empty() {
            continue;
        }
        let header = ["case", "opened", "open for h", "overdue by h", "class", "owner"];
        let mut rows = vec![header.map(String::from).to_vec()];
        for case in list {
            rows.push(vec![
                case.complaint_id.clone(),
                case.opened_at.rfc3339(),
                format!("{:.0}", case.age_hours),
                case.overdue_hours.map_or_else(|| "-".into(), |h| format!("{h:.0}")),
                case.class.map_or("-", |class| class.word()).into(),
                case.owner.clone().unwrap_or_else(|| "-".into()),
            ]);
        }
        let _ = writeln!(text, "{title}: {} of {all}\n{}", list.len(), columns(&rows));
    }
    text + &reasons.told() + &foot(&study.head, study.declined.as_ref())
}
