//! Lines whose customers judge by what they have come to expect, with weights that are known.
//!
//! The levels a customer judges by are those that the study itself defines; what is planted is how they are weighed, and
//! what comes of falling short.

use super::normal;
use crate::stats::{Purpose, Stream};
use crate::study::expectation::{self, Query};
use broadgauge_model::clock::Wall;
use broadgauge_model::complaint::{Class, Complaint};
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{
    Cell, CellValues, Hours, MethodUse, Panel, PanelComplaint, Period, Source, SourceKind,
};
use broadgauge_model::place::{AccessLine, Promise};
use broadgauge_model::result::{Direction, Load, Statistic};
use broadgauge_model::surroundings::Reputation;

/// 2024-01-01, a Monday.
pub(crate) const START: i32 = 19_723;
const REGIONS: [(&str, f64, f64); 6] = [
    ("r0", -0.55, 40.0),
    ("r1", -0.30, 80.0),
    ("r2", -0.10, 55.0),
    ("r3", 0.05, 90.0),
    ("r4", 0.25, 45.0),
    ("r5", 0.45, 70.0),
];
const PROMISES: [f64; 4] = [50.0, 80.0, 120.0, 200.0];

/// What is planted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habits {
    /// Lines.
    pub(crate) lines: usize,
    /// Weeks.
    pub(crate) weeks: i32,
    /// Promise, history, region, word of mouth; none where one level is the threshold of all.
    pub(crate) weights: Option<[f64; 4]>,
    /// Change of the log odds of a complaint per unit short.
    pub(crate) slope: f64,
    /// The log odds without a shortfall.
    pub(crate) start: f64,
    /// How much lines differ in the log odds, for reasons of their own.
    pub(crate) readiness: f64,
}

impl Habits {
    /// 1,000 lines over 14 weeks, judged as everybody is taken to judge.
    pub(crate) const PLANTED: Self = Self {
        lines: 1_000,
        weeks: 14,
        weights: Some([0.5, 0.3, 0.15, 0.05]),
        slope: 3.0,
        start: -4.4,
        readiness: 0.0,
    };

    /// The panel without complaints; `run` fixes every number.
    pub(crate) fn panel(self, run: u64) -> Panel {
        let stream = &mut Stream::new(31, Purpose::Simulation, run);
        let days = self.weeks * 7;
        let second = |day: i32| Wall::from_secs(i64::from(day) * 86_400);
        let mut panel = Panel {
            period: Period { from: second(START), to: second(START + days), zone: "UTC".into() },
            methods: vec![MethodUse { name: "throughput".into(), version: 1, target_class: None }],
            sources: vec![Source { kind: SourceKind::Made, name: "habits".into() }],
            ..Panel::default()
        };
        for (region, _, score) in REGIONS {
            for month in ["2023-12", "2024-01", "2024-02", "2024-03", "2024-04"] {
                panel.reputation.push(Reputation {
                    region: region.into(),
                    month: month.into(),
                    operator: "A".into(),
                    score: score + 6.0 * normal(stream),
                    source: None,
                });
            }
        }
        for line in 0..self.lines {
            let (region, better, _) = REGIONS[line % REGIONS.len()];
            let promised = PROMISES[line / REGIONS.len() % PROMISES.len()];
            panel.lines.push(AccessLine {
                line_id: format!("l{line:05}"),
                operator: "A".into(),
                region: Some(region.into()),
                technology: Some("fttc".into()),
                segment: Some(if line % 5 == 0 { "business" } else { "home" }.into()),
                promise: Promise {
                    promised_down_mbps: Some(promised),
                    minimum_down_mbps: Some(0.45 * promised),
                    ..Promise::default()
                },
                ..AccessLine::default()
            });
            // What a plan delivers of its promise differs from plan to plan, and a line's own level drifts for weeks.
            let plan = [0.0, -0.35, -0.1, -0.5][line / REGIONS.len() % PROMISES.len()];
            let own = 0.3 * normal(stream);
            let mut drift = 0.3 * normal(stream);
            for day in START..START + days {
                drift = 0.97 * drift + 0.3 * (1.0_f64 - 0.97 * 0.97).sqrt() * normal(stream);
                let level = promised.ln() + plan + better + own + drift + 0.05 * normal(stream);
                panel.cells.push(cell(line as u32, day, level.exp()));
            }
        }
        panel
    }

    /// The panel with complaints: a customer takes stock on Monday, and complains in the week after, at most once in
    /// four weeks.
    pub(crate) fn town(self, run: u64) -> Panel {
        let mut panel = self.panel(run);
        let query = Query { levels: true, swaps: 19, ..Query::of("A") };
        let study = expectation::study(&panel, &query);
        let mut levels = study.rows.into_iter().next().map_or_else(Vec::new, |row| row.levels);
        levels.sort_by(|a, b| (&a.line_id, &a.week).cmp(&(&b.line_id, &b.week)));
        let mut stream = Stream::new(32, Purpose::Simulation, run);
        let mut free = vec![i32::MIN; panel.lines.len()];
        let mut readiness = Stream::new(33, Purpose::Simulation, run);
        let own: Vec<f64> = panel.lines.iter().map(|_| self.readiness * normal(&mut readiness)).collect();
        for level in levels {
            let known: Option<Vec<f64>> = level.factors.iter().map(|f| f.map(|f| -f.ln())).collect();
            let reference = match self.weights {
                Some(weights) => known.map(|f| f.iter().zip(weights).map(|(f, w)| f * w).sum()),
                None => Some(-4.2),
            };
            let line = panel.lines.binary_search_by(|line| line.line_id.cmp(&level.line_id));
            let (Some(reference), Ok(line)) = (reference, line) else { continue };
            let short = (-level.observed.ln() - reference).max(0.0);
            let monday = level.week.parse::<jiff::civil::Date>().map_or(0, |date| {
                (date.to_zoned(jiff::tz::TimeZone::UTC).map_or(0, |z| z.timestamp().as_second()) / 86_400)
                    as i32
            });
            let day = monday + stream.below(7) as i32;
            let happens =
                stream.uniform() < 1.0 / (1.0 + (-self.start - own[line] - self.slope * short).exp());
            if happens && day > free[line] {
                free[line] = day + 28;
                complain(&mut panel, line, day, Class::Network);
            }
        }
        panel
    }
}

/// An evening's test.
pub(crate) fn cell(line: u32, day: i32, value: f64) -> Cell {
    Cell {
        line,
        metric: MetricId::DOWNLOAD_GOODPUT,
        load: Load::Down,
        direction: Direction::Down,
        statistic: Statistic::Singleton,
        method: 0,
        source: 0,
        hours: Hours::At { day, hour: 20 },
        values: CellValues::Number(value),
        sent: 0,
        lost: 0,
    }
}

/// A complaint of a line on a day at noon.
pub(crate) fn complain(panel: &mut Panel, line: usize, day: i32, class: Class) {
    let opened_at = Wall::from_secs(i64::from(day) * 86_400 + 43_200);
    let complaint_id = format!("c{:06}", panel.complaints.len());
    let complaint = Complaint { complaint_id, opened_at, class: Some(class), ..Complaint::default() };
    panel.complaints.push(PanelComplaint { line: Some(line as u32), day, hour: 12, complaint });
}
