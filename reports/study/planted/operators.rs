//! Operators whose lines have lognormal round-trip delays: lines differ from each other, tests of one line less so.

use super::normal;
use crate::stats::{Purpose, Stream};
use broadgauge_model::histogram::Histogram;
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{Cell, CellValues, Hours, MethodUse, Panel, Source, SourceKind};
use broadgauge_model::place::AccessLine;
use broadgauge_model::result::{Direction, Load, Statistic};

/// How one operator's lines are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lines {
    /// Who sells them.
    pub(crate) operator: &'static str,
    /// How many.
    pub(crate) count: usize,
    /// Tests on each.
    pub(crate) tests: usize,
    /// The median of the typical line, in ms.
    pub(crate) median: f64,
    /// Spread between lines, and of the tests of one line: standard deviations of the logarithm.
    pub(crate) spread: (f64, f64),
    /// Share of the tests in off-peak hours.
    pub(crate) off_peak: f64,
    /// How many times longer a delay is at peak.
    pub(crate) peak_factor: f64,
    /// The region.
    pub(crate) region: &'static str,
}

impl Lines {
    /// Forty lines of sixty tests at peak, around 20 ms.
    pub(crate) const fn of(operator: &'static str) -> Self {
        Self {
            operator,
            count: 40,
            tests: 60,
            median: 20.0,
            spread: (0.35, 0.30),
            off_peak: 0.0,
            peak_factor: 1.0,
            region: "north",
        }
    }
}

/// The panel of several operators; `run` fixes every number.
pub(crate) fn panel(operators: &[Lines], run: u64) -> Panel {
    let mut panel = Panel {
        methods: vec![MethodUse { name: "stamp".into(), version: 1, target_class: None }],
        sources: vec![Source { kind: SourceKind::Imported, name: "planted".into() }],
        ..Panel::default()
    };
    for (number, made) in operators.iter().enumerate() {
        let mut stream = Stream::new(run, Purpose::Simulation, number as u64);
        for place in 0..made.count {
            let line = panel.lines.len() as u32;
            panel.lines.push(AccessLine {
                line_id: format!("{}-{}-{place:05}", made.operator, made.region),
                operator: made.operator.into(),
                technology: Some("fttc".into()),
                region: Some(made.region.into()),
                ..AccessLine::default()
            });
            let level = made.median * (made.spread.0 * normal(&mut stream)).exp();
            let off = (made.off_peak * made.tests as f64).round() as usize;
            for (hour, tests, factor) in [(20, made.tests - off, made.peak_factor), (4, off, 1.0)] {
                let micros = |_| (level * factor * (made.spread.1 * normal(&mut stream)).exp() * 1e3) as i64;
                let histogram = Histogram::of((0..tests).map(micros));
                if !histogram.is_empty() {
                    panel.cells.push(cell(line, hour, CellValues::Histogram(histogram)));
                }
            }
        }
    }
    panel
}

/// A cell of round-trip delay at an hour.
pub(crate) fn cell(line: u32, hour: u8, values: CellValues) -> Cell {
    Cell {
        line,
        metric: MetricId::ROUND_TRIP_DELAY,
        load: Load::Idle,
        direction: Direction::RoundTrip,
        statistic: Statistic::Singleton,
        method: 0,
        source: 0,
        hours: Hours::At { day: 20_000, hour },
        values,
        sent: 0,
        lost: 0,
    }
}
