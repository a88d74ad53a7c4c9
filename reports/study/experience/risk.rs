//! Who was in service on which days, and when an episode of network complaints began.

use crate::study::Note;
use crate::study::complaints::episodes::{may_begin, within};
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
    /// The days of all network complaints, ascending: repeats too, and those before the period.
    complaints: Vec<Vec<i32>>,
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
            complaints: vec![Vec::new(); panel.lines.len()],
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
        for (at, days) in at_risk.complaints.get(&Class::Network).into_iter().flatten().enumerate() {
            risk.complaints[risk.own[at]].clone_from(days);
        }
        risk.other.iter_mut().for_each(|days| days.sort_unstable());
        risk
    }

    /// How many network episodes of a line began on these days.
    pub(in crate::study) fn episodes(&self, line: usize, days: &Range<i32>) -> usize {
        within(&self.network[line], days)
    }

    /// How many network complaints a line had on these days, repeats and all.
    pub(in crate::study) fn complaints(&self, line: usize, days: &Range<i32>) -> usize {
        within(&self.complaints[line], days)
    }

    /// On how many of these days a new episode of a line could begin.
    pub(in crate::study) fn at_risk(&self, line: usize, days: &Range<i32>) -> u64 {
        days.clone().filter(|day| self.may_begin(line, *day)).count() as u64
    }

    /// Whether a new episode of a line could begin on a day.
    pub(in crate::study) fn may_begin(&self, line: usize, day: i32) -> bool {
        self.days[line].contains(&day) && may_begin(&self.complaints[line], day, self.repeat_days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::planted::habits::complain;
    use crate::study::planted::queues::Queues;

    #[test]
    fn an_episode_begins_only_on_a_day_on_which_one_may() {
        let panel = Queues::PLANTED.panel(1);
        let risk = Risk::of(&panel, "A", 28, &mut Vec::new());
        let (mut begun, mut repeats) = (0, 0);
        for &line in &risk.own {
            assert!(risk.network[line].iter().all(|&day| risk.may_begin(line, day)));
            begun += risk.network[line].len();
            repeats += risk.complaints[line].len() - risk.network[line].len();
        }
        assert!(begun > 500 && repeats > 100, "{begun} {repeats}");
    }

    #[test]
    fn on_a_day_on_which_a_complaint_would_be_a_repeat_no_episode_may_begin() {
        let mut panel = Queues::PLANTED.panel(1);
        panel.complaints.clear();
        let first = Risk::of(&panel, "A", 28, &mut Vec::new()).period.start;
        // A complaint, its repeat twenty days later, and what is said of the days after both.
        for day in [first + 2, first + 22] {
            complain(&mut panel, 0, day, Class::Network);
        }
        let risk = Risk::of(&panel, "A", 28, &mut Vec::new());
        assert_eq!((risk.network[0].as_slice(), risk.complaints[0].len()), ([first + 2].as_slice(), 2));
        let may: Vec<i32> = (0..60).filter(|day| risk.may_begin(0, first + day)).collect();
        assert_eq!(may, [0, 1, 2].into_iter().chain(51..60).collect::<Vec<_>>());
        assert_eq!(
            (risk.at_risk(0, &(first - 9..first + 60)), risk.at_risk(0, &(first + 3..first + 51))),
            (12, 0)
        );
        // Day 31 is more than 28 days after the first complaint, and still within the same episode.
        let mut again = panel.clone();
        complain(&mut again, 0, first + 31, Class::Network);
        assert_eq!(Risk::of(&again, "A", 28, &mut Vec::new()).network[0], [first + 2]);
    }
}
