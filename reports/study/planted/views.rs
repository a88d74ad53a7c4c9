//! A town whose complaints rise with a delay that varies smoothly, at a slope and from a knee that are known; and what
//! the views of the study of complaints must find in it.

use super::{Finding, normal};
use crate::stats::{Purpose, Stream};
use crate::study::Answer;
use crate::study::complaints::{self, Complaints, Control};
use broadgauge_model::clock::Wall;
use broadgauge_model::complaint::{Class, Complaint};
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{
    Cell, CellValues, Hours, MethodUse, Panel, PanelComplaint, Period, Source, SourceKind, weekday,
};
use broadgauge_model::place::AccessLine;
use broadgauge_model::result::{Direction, Load, Statistic};
use rayon::prelude::*;

/// 2024-01-01, a Monday.
const START: i32 = 19_723;

/// The town.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slope {
    /// Lines.
    pub(crate) lines: usize,
    /// Days.
    pub(crate) days: i32,
    /// Complaints of a line at 60 ms a day.
    pub(crate) rate: f64,
    /// By how much the logarithm of the rate rises per ms.
    pub(crate) rise: f64,
    /// From which delay on it does; from everywhere where there is none.
    pub(crate) knee: Option<f64>,
    /// Whether copper lines are slower by 20 ms and complain twice as much whatever the delay.
    pub(crate) copper: bool,
    /// How strongly days that all lines of an area share move the delay, as a share of it.
    pub(crate) shared: f64,
    /// Areas.
    pub(crate) areas: usize,
    /// By how many days a complaint follows the delay that caused it.
    pub(crate) after: i32,
    /// Whether complaints name their line; else their area.
    pub(crate) named: bool,
}

/// The usual town: about 1,000 complaints in 12 weeks.
pub(crate) const SLOPE: Slope = Slope {
    lines: 300,
    days: 84,
    rate: 0.02,
    rise: 0.02,
    knee: None,
    copper: false,
    shared: 0.0,
    areas: 10,
    after: 0,
    named: true,
};

impl Slope {
    /// The panel; `run` fixes every number.
    pub(crate) fn panel(self, run: u64) -> Panel {
        let stream = &mut Stream::new(23, Purpose::Simulation, run);
        let second = |day: i32| Wall::from_secs(i64::from(day) * 86_400);
        let mut panel = Panel {
            period: Period { from: second(START), to: second(START + self.days), zone: "UTC".into() },
            methods: vec![MethodUse { name: "stamp".into(), version: 1, target_class: None }],
            sources: vec![Source { kind: SourceKind::Made, name: "slope".into() }],
            ..Panel::default()
        };
        // Days that the lines of an area share: each leans on the day before.
        let mut shocks = vec![vec![0.0; (self.days + 8) as usize]; self.areas];
        for shock in &mut shocks {
            for day in 1..shock.len() {
                shock[day] = 0.3 * shock[day - 1] + normal(stream);
            }
        }
        for line in 0..self.lines {
            let copper = line % 2 == 1;
            let slower = if copper && self.copper { 20.0 } else { 0.0 };
            let prone = if copper && self.copper { 2.0 } else { 1.0 };
            let area = line % self.areas;
            panel.lines.push(AccessLine {
                line_id: format!("l{line:05}"),
                operator: "A".into(),
                technology: Some(if copper { "adsl" } else { "fttp" }.into()),
                area: Some(format!("area {area:02}")),
                ..AccessLine::default()
            });
            let level = (60.0 + slower) * (0.2 * normal(stream)).exp();
            let delays: Vec<f64> = (0..self.days + 8)
                .map(|day| level * (0.25 * normal(stream) + self.shared * shocks[area][day as usize]).exp())
                .collect();
            for day in 0..self.days {
                // What a customer sees on a day is told by the test of the evening before.
                panel.cells.push(cell(line as u32, START + day - 1, delays[day as usize]));
                let cause = delays[(day - self.after).max(0) as usize];
                let effect = match self.knee {
                    Some(knee) => self.rise * (cause - knee).max(0.0),
                    None => self.rise * (cause - 60.0),
                };
                let monday = if weekday(START + day) == 0 { 1.3 } else { 1.0 };
                let base = self.rate * prone * monday;
                for (class, rate) in [(Class::Network, base * effect.exp()), (Class::Billing, base)] {
                    if stream.uniform() < rate {
                        let id = panel.complaints.len();
                        let area = panel.lines[line].area.clone();
                        let named = self.named.then_some(line as u32);
                        panel.complaints.push(complaint(id, named, area, START + day, class));
                    }
                }
            }
        }
        panel
    }
}

fn cell(line: u32, day: i32, value: f64) -> Cell {
    Cell {
        line,
        metric: MetricId::LOADED_ROUND_TRIP_DELAY,
        load: Load::Down,
        direction: Direction::RoundTrip,
        statistic: Statistic::Mean,
        method: 0,
        source: 0,
        hours: Hours::At { day, hour: 23 },
        values: CellValues::Number(value),
        sent: 0,
        lost: 0,
    }
}

fn complaint(id: usize, line: Option<u32>, area: Option<String>, day: i32, class: Class) -> PanelComplaint {
    let complaint = Complaint {
        complaint_id: format!("c{id:06}"),
        opened_at: Wall::from_secs(i64::from(day) * 86_400 + 36_000),
        class: Some(class),
        area,
        operator: Some("A".into()),
        ..Complaint::default()
    };
    PanelComplaint { line, day, hour: 10, complaint }
}

/// The question of these experiments: one window, every complaint an episode of its own.
pub(crate) fn query() -> complaints::Query {
    let windows_hours = vec![24];
    complaints::Query {
        replicates: 200,
        windows_hours,
        repeat_days: 0,
        most_line_days: 8_000,
        ..complaints::Query::of("A")
    }
}

fn each(runs: u64, town: Slope) -> Vec<Complaints> {
    (0..runs).into_par_iter().map(|run| complaints::study(&town.panel(run), &query())).collect()
}

fn share(
    what: &'static str,
    runs: &[Complaints],
    bar: (f64, f64),
    holds: impl Fn(&Complaints) -> bool,
) -> Finding {
    let got = runs.iter().filter(|run| holds(run)).count() as f64 / runs.len() as f64;
    Finding { what, runs: runs.len() as u64, got, bar }
}

fn covers(answer: &Answer, value: f64) -> bool {
    answer.as_estimate().is_some_and(|e| e.interval().0 <= value && value <= e.interval().1)
}

/// A knee at 80 ms, and a straight logit.
pub(crate) fn a_threshold_is_found_where_there_is_one(runs: u64) -> Vec<Finding> {
    let knee = |study: &Complaints| study.dose_response[0].knee.clone();
    let bent = each(runs, Slope { knee: Some(80.0), rise: 0.04, rate: 0.015, ..SLOPE });
    let straight = each(runs, SLOPE);
    let episodes = complaints::Query { repeat_days: 28, ..query() };
    let once: Vec<Complaints> =
        (0..runs).into_par_iter().map(|run| complaints::study(&SLOPE.panel(run), &episodes)).collect();
    let mut found: Vec<f64> = bent.iter().filter_map(|s| Some(knee(s).as_estimate()?.value())).collect();
    found.sort_by(f64::total_cmp);
    let median = found.get(found.len() / 2).copied().unwrap_or(0.0);
    vec![
        Finding { what: "median knee where 80 ms is planted", runs, got: median, bar: (75.0, 85.0) },
        share("coverage of a knee at 80 ms", &bent, (0.90, 1.0), |s| covers(&knee(s), 80.0)),
        share("a straight logit: a knee is told", &straight, (0.0, 0.05), |s| {
            knee(s).as_estimate().is_some()
        }),
        share("a straight logit: coverage of the slope", &straight, (0.92, 1.0), |s| {
            covers(&s.dose_response[0].adjusted, (0.02_f64 * 10.0).exp())
        }),
        share("the same where repeats are one: coverage of the slope", &once, (0.90, 1.0), |s| {
            covers(&s.dose_response[0].adjusted, (0.02_f64 * 10.0).exp())
        }),
        share("a rising rate: said to fall somewhere", &straight, (0.0, 0.08), |s| {
            s.dose_response[0].monotone.departure_p.is_some_and(|p| p <= 0.05)
        }),
    ]
}

/// Copper lines are slower and complain more, and delay does no harm: crude and adjusted side by side.
pub(crate) fn a_regression_allows_for_technology(runs: u64) -> Vec<Finding> {
    let none = each(runs, Slope { rise: 0.0, copper: true, ..SLOPE });
    vec![
        share("copper: crude slope covers 1 (known fault)", &none, (0.0, 0.10), |s| {
            covers(&s.dose_response[0].crude, 1.0)
        }),
        share("copper: adjusted slope covers 1", &none, (0.92, 1.0), |s| {
            covers(&s.dose_response[0].adjusted, 1.0)
        }),
        share("copper: adjusted slope found at 5%", &none, (0.0, 0.08), |s| {
            s.dose_response[0].p.is_some_and(|p| p <= 0.05)
        }),
    ]
}

/// Complaints that name areas only; days that areas share.
pub(crate) fn areas_stand_in_for_lines(runs: u64) -> Vec<Finding> {
    let town = Slope { shared: 0.15, areas: 20, named: false, lines: 400, ..SLOPE };
    let row = |s: &Complaints, control| s.area_case_crossover.iter().find(|r| r.control == control).cloned();
    let planted = each(runs, town);
    let none = each(runs, Slope { rise: 0.0, ..town });
    let found = |s: &Complaints, control| row(s, control).is_some_and(|r| r.p.is_some_and(|p| p <= 0.05));
    vec![
        // A mean over lines loses a little of a curved effect.
        share("areas: ratio covers 1.22 or lies near it", &planted, (0.90, 1.0), |s| {
            row(s, None).is_some_and(|r| (1.18..=1.27).any_in(&r.rate_ratio))
        }),
        share("areas: an effect is found at 5%", &planted, (0.90, 1.0), |s| found(s, None)),
        share("areas: no effect, found at 5%", &none, (0.0, 0.08), |s| found(s, None)),
        share("areas: billing found at 5%", &planted, (0.0, 0.08), |s| found(s, Some(Control::Billing))),
        share("areas: the future found at 5%", &planted, (0.0, 0.08), |s| found(s, Some(Control::Future))),
    ]
}

/// Whether an interval reaches into a range.
trait AnyIn {
    fn any_in(&self, answer: &Answer) -> bool;
}

impl AnyIn for std::ops::RangeInclusive<f64> {
    fn any_in(&self, answer: &Answer) -> bool {
        answer.as_estimate().is_some_and(|e| e.interval().0 <= *self.end() && e.interval().1 >= *self.start())
    }
}

/// Complaints three days after the delay that caused them, on days that the whole town shares; and none at all.
pub(crate) fn a_lag_is_named(runs: u64) -> Vec<Finding> {
    let town = Slope { shared: 0.25, areas: 1, after: 3, days: 168, lines: 150, ..SLOPE };
    let planted = each(runs, town);
    let none = each(runs, Slope { rise: 0.0, ..town });
    let found = |s: &Complaints| s.lead_lag[0].p.is_some_and(|p| p <= 0.05);
    vec![
        share("series: an effect after three days is found", &planted, (0.85, 1.0), found),
        // A day is told by the test of the evening before it: one day more.
        share("series: its lag is named", &planted, (0.90, 1.0), |s| s.lead_lag[0].lag_days == Some(4)),
        share("series: no effect, found at 5%", &none, (0.0, 0.08), found),
    ]
}

/// The days before complaints stand out, and those before billing complaints do not.
pub(crate) fn the_day_before_stands_out(runs: u64) -> Vec<Finding> {
    let planted = each(runs, Slope { rise: 0.03, ..SLOPE });
    let at = |s: &Complaints, class, day| -> Option<(f64, f64)> {
        let around = s.around.iter().find(|a| a.class == class)?;
        Some(around.days.iter().find(|d| d.day == day)?.difference.as_estimate()?.interval())
    };
    let apart = |interval: Option<(f64, f64)>| interval.is_some_and(|(low, high)| low > 0.0 || high < 0.0);
    vec![
        share("around: the evening before stands out", &planted, (0.95, 1.0), |s| {
            at(s, Class::Network, -1).is_some_and(|(low, _)| low > 0.0)
        }),
        share("around: any other day stands out", &planted, (0.0, 0.09), |s| {
            (-14..=7).filter(|d| *d != -1).any(|d| apart(at(s, Class::Network, d)))
        }),
        share("around: billing stands out on any day", &planted, (0.0, 0.09), |s| {
            (-14..=7).any(|d| apart(at(s, Class::Billing, d)))
        }),
    ]
}

/// The worst fifth of line-days with a rate of its own: a share that can be computed by hand.
pub(crate) fn the_explained_share_is_right(runs: u64) -> Vec<Finding> {
    use super::town::{TOWN, Town};
    // A bad day in .12 / (1 - .35) of all: .1846 (2.5 - 1) / (1 + .1846 (2.5 - 1)) = .2169.
    let truth = {
        let bad = 0.12 / 0.65;
        bad * 1.5 / (1.0 + bad * 1.5)
    };
    let town = Town { other_causes: false, ..TOWN };
    let query = complaints::Query { all_views: false, replicates: 400, ..query() };
    let studies: Vec<Complaints> =
        (0..runs).into_par_iter().map(|run| complaints::study(&town.panel(run), &query)).collect();
    let share_of = |s: &Complaints| s.contrasts[0].explained_if_causal.clone();
    let values: Vec<f64> = studies.iter().filter_map(|s| Some(share_of(s).as_estimate()?.value())).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    vec![
        Finding {
            what: "mean explained share, less its truth",
            runs,
            got: mean - truth,
            bar: (-0.01 - 0.12 / (runs as f64).sqrt(), 0.01 + 0.12 / (runs as f64).sqrt()),
        },
        share("coverage of the explained share", &studies, (0.91, 1.0), |s| covers(&share_of(s), truth)),
    ]
}
