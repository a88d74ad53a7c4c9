//! What reports are asked: flags that a report shares with its charts.

use super::{pick, study_balance, study_closed_loop, study_expectation, study_silent};
use crate::publish;
use broadgauge_model::text::Lang;

/// What the operator's report is asked.
#[derive(clap::Args)]
pub(super) struct AskOperator {
    #[command(flatten)]
    pub(super) ground: pick::Ground,
    #[command(flatten)]
    peers: pick::AskPeers,
    #[command(flatten)]
    complaints: pick::AskComplaints,
    /// The language: en or zh
    #[arg(long, default_value = "en")]
    pub(super) lang: Lang,
    /// For the team alone: groups of fewer than ten lines are shown
    #[arg(long)]
    internal: bool,
}

impl AskOperator {
    /// The question.
    pub(super) fn request(&self) -> publish::Request {
        publish::Request {
            gather: self.ground.request(),
            peers: self.peers.query(&self.ground),
            complaints: self.complaints.query(&self.ground),
            shared: !self.internal,
        }
    }
}

/// What the reports on expectation and on actions are asked.
pub(super) fn of_the_loop(ground: &pick::Ground, balance: &study_balance::Ask) -> publish::LoopRequest {
    publish::LoopRequest {
        gather: ground.request(),
        expectation: study_expectation::query(ground),
        silent: study_silent::query(ground),
        balance: balance.query(ground),
        closed_loop: study_closed_loop::query(ground),
    }
}
