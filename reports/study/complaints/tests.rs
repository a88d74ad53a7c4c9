use super::*;
use crate::stats::{Purpose, Stream};
use crate::study::Answer;
use broadgauge_model::clock::Wall;
use broadgauge_model::complaint::Complaint;
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{
    Cell, CellValues, Hours, MethodUse, PanelComplaint, Period, Source, SourceKind, weekday,
};
use broadgauge_model::place::AccessLine;
use broadgauge_model::result::{Direction, Load, Statistic};
use rayon::prelude::*;

/// A town in which a bad day (10 ms more) multiplies the rate of network complaints by `ratio`. Bad days come in
/// spells; Mondays, a trend and the line itself drive both bad days and complaints of any kind.
#[derive(Clone, Copy)]
struct Town {
    lines: usize,
    days: i32,
    rate: f64,
    ratio: f64,
    /// How many times more copper lines have bad days, and complain, than fibre lines; 1 where all are alike.
    copper: f64,
    /// Whether Mondays, a trend and the line itself drive both bad days and complaints.
    other_causes: bool,
}

const TOWN: Town = Town { lines: 400, days: 168, rate: 0.0036, ratio: 2.5, copper: 1.0, other_causes: true };
/// 2024-01-01, a Monday.
const START: i32 = 19_723;

fn normal(stream: &mut Stream) -> f64 {
    (-2.0 * (1.0 - stream.uniform()).ln()).sqrt() * (std::f64::consts::TAU * stream.uniform()).cos()
}

impl Town {
    fn panel(self, run: u64) -> Panel {
        let stream = &mut Stream::new(9, Purpose::Simulation, run);
        let second = |day: i32| Wall::from_secs(i64::from(day) * 86_400);
        let mut panel = Panel {
            period: Period { from: second(START), to: second(START + self.days), zone: "UTC".into() },
            methods: vec![MethodUse { name: "stamp".into(), version: 1 }],
            sources: vec![Source { kind: SourceKind::Made, name: "town".into() }],
            ..Panel::default()
        };
        for line in 0..self.lines {
            let fibre = line % 2 == 0;
            let worse = if fibre { 1.0 } else { self.copper };
            panel.lines.push(AccessLine {
                line_id: format!("l{line:05}"),
                operator: "A".into(),
                technology: Some(if fibre { "fttp" } else { "adsl" }.into()),
                ..AccessLine::default()
            });
            let others = f64::from(u8::from(self.other_causes));
            let prone = others * 0.4 * normal(stream);
            let frailty = (1.5 * prone + others * 0.4 * normal(stream)).exp() * worse;
            let mut bad = false;
            for day in START..START + self.days {
                let share = others * f64::from(day - START) / f64::from(self.days);
                let monday = if weekday(day) == 0 { 1.0 + 0.6 * others } else { 1.0 };
                let onset = 0.12 * monday * (1.0 + 0.8 * share) * prone.exp() * worse;
                bad = stream.uniform() < (onset + if bad { 0.35 } else { 0.0 }).min(0.9);
                let value = if bad { 50.0 } else { 40.0 };
                panel.cells.push(cell(line as u32, day - 1, value));
                let base = self.rate * monday * (1.0 + share) * frailty;
                for (class, rate) in
                    [(Class::Network, base * if bad { self.ratio } else { 1.0 }), (Class::Billing, base)]
                {
                    if stream.uniform() < rate {
                        let hour = 8 + stream.below(12) as u8;
                        let id = panel.complaints.len();
                        panel.complaints.push(complaint(id, line as u32, day, hour, class));
                    }
                }
            }
        }
        panel
    }
}

/// What customers see on a day is told by the test of the evening before.
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

fn complaint(id: usize, line: u32, day: i32, hour: u8, class: Class) -> PanelComplaint {
    let opened_at = Wall::from_secs(i64::from(day) * 86_400 + i64::from(hour) * 3_600);
    let complaint = Complaint {
        complaint_id: format!("c{id:06}"),
        opened_at,
        class: Some(class),
        ..Complaint::default()
    };
    PanelComplaint { line: Some(line), day, hour, complaint }
}

fn query() -> Query {
    Query { replicates: 60, windows_hours: vec![24], repeat_days: 0, ..Query::of("A") }
}

fn row(study: &Complaints, control: Option<Control>) -> &CaseCrossover {
    study.case_crossover.iter().find(|r| r.control == control).unwrap()
}

fn covers(answer: &Answer, value: f64) -> bool {
    let (low, high) = answer.as_estimate().unwrap_or_else(|| panic!("{answer:?}")).interval();
    low <= value && value <= high
}

fn share(hits: &[bool]) -> f64 {
    hits.iter().filter(|h| **h).count() as f64 / hits.len() as f64
}

/// 150 runs: a true rate of .05 is seen between .02 and .09, a coverage of .95 above .91, 95 times of 100.
#[test]
fn a_planted_rate_ratio_is_found_and_both_controls_are_silent() {
    let runs: Vec<_> = (0..150_u64)
        .into_par_iter()
        .map(|run| {
            let study = study(&TOWN.panel(run), &query());
            let network = row(&study, None);
            let ratio = network.rate_ratio.as_estimate().unwrap().value();
            let silent = |control| row(&study, Some(control)).p.unwrap() <= 0.05;
            assert!(network.episodes > 250, "{}", network.episodes);
            (ratio, covers(&network.rate_ratio, 2.5), silent(Control::Billing), silent(Control::Future))
        })
        .collect();
    let mean = runs.iter().map(|r| r.0).sum::<f64>() / runs.len() as f64;
    let of = |pick: fn(&(f64, bool, bool, bool)) -> bool| share(&runs.iter().map(pick).collect::<Vec<_>>());
    assert!((2.4..=2.65).contains(&mean), "mean rate ratio {mean}");
    assert!(of(|r| r.1) >= 0.91, "coverage {}", of(|r| r.1));
    assert!(of(|r| r.2) <= 0.09, "billing found {}", of(|r| r.2));
    assert!(of(|r| r.3) <= 0.09, "future found {}", of(|r| r.3));
}

#[test]
fn where_bad_days_do_no_harm_nothing_is_found() {
    let found: Vec<bool> = (0..150_u64)
        .into_par_iter()
        .map(|run| row(&study(&Town { ratio: 1.0, ..TOWN }.panel(run), &query()), None).p.unwrap() <= 0.05)
        .collect();
    assert!((0.01..=0.09).contains(&share(&found)), "false positives {}", share(&found));
}

/// Copper lines have more bad days and complain more, and bad days do no harm.
#[test]
fn what_the_technology_explains_is_not_blamed_on_the_metric() {
    let runs: Vec<_> = (0..100_u64)
        .into_par_iter()
        .map(|run| {
            let town = Town { ratio: 1.0, copper: 4.0, rate: 0.0016, other_causes: false, ..TOWN };
            let study = study(&town.panel(run), &Query { replicates: 200, ..query() });
            let contrast = &study.contrasts[0];
            let crossover = &row(&study, None).rate_ratio;
            (covers(&contrast.crude, 1.0), covers(&contrast.stratified, 1.0), covers(crossover, 1.0))
        })
        .collect();
    let of = |pick: fn(&(bool, bool, bool)) -> bool| share(&runs.iter().map(pick).collect::<Vec<_>>());
    assert!(of(|r| r.0) <= 0.2, "crude covers 1 in {}", of(|r| r.0));
    assert!(of(|r| r.1) >= 0.88, "stratified covers 1 in {}", of(|r| r.1));
    assert!(of(|r| r.2) >= 0.9, "case-crossover covers 1 in {}", of(|r| r.2));
}
