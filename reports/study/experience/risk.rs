//! Who was in service on which days, and when an episode of network complaints began.

use crate::study::Note;
use crate::study::complaints::{self, episodes};
use broadgauge_model::complaint::Class;
use broadgauge_model::panel::Panel;
use std::ops::Range;

/// Lines by index into the panel.
#[derive(Clone, Debug)]
pub(in crate::study) struct Risk {
    /// The own operator's lines, by line id.
    pub(in crate::study) own: Vec<usize>,
    /// Days in service within the period.
    pub(in crate::study) days: Vec<Range<i32>>,
    /// The days on which network episodes began, ascending.
    pub(in crate::study) network: Vec<Vec<i32>>,
    /// The days on which episodes of any other class began, ascending.
    pub(in crate::study) other: Vec<Vec<i32>>,
    /// First whole day of the period and first day after it.
    pub(in crate::study) period: Range<i32>,
    /// Complaints of one line within so many days are one episode.
    pub(in crate::study) repeat_days: i32,
}

impl Risk {
    /// Reads the panel.
    pub(in crate::study) fn of(panel: &Panel, own: &str, repeat_days: i32, notes: &mut Vec<Note>) -> Self {
        let query = complaints::Query { repeat_days, ..complaints::Query::of(own) };
        let at_risk = episodes::at_risk(panel, &query, notes);
        let mut risk = Self {
            own: at_risk.index.iter().map(|&line| line as usize).collect(),
            days: vec![0..0; panel.lines.len()],
            network: vec![Vec::new(); panel.lines.len()],
            other: vec![Vec::new(); panel.lines.len()],
            period: at_risk.first_day..at_risk.end_day,
            repeat_days,
        };
        for (&line, at) in risk.own.iter().zip(&at_risk.lines) {
            risk.days[line] = at.days.clone();
        }
        for (class, episodes) in &at_risk.episodes {
            for episode in episodes {
                let line = risk.own[episode.line as usize];
                match class {
                    Class::Network => risk.network[line].push(episode.day),
                    _ => risk.other[line].push(episode.day),
                }
            }
        }
        risk.other.iter_mut().for_each(|days| days.sort_unstable());
        risk
    }

    /// How many network episodes of a line began on these days.
    pub(in crate::study) fn episodes(&self, line: usize, days: &Range<i32>) -> usize {
        let all = &self.network[line];
        all.partition_point(|d| *d < days.end) - all.partition_point(|d| *d < days.start)
    }

    /// Whether a new episode of a line could begin on a day: none began shortly before, to which a complaint would be
    /// counted.
    pub(in crate::study) fn may_begin(&self, line: usize, day: i32) -> bool {
        self.days[line].contains(&day) && self.episodes(line, &(day - self.repeat_days..day)) == 0
    }
}
