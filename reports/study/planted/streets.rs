//! A whole town's evenings: nodes that fill up, lines that differ, and customers who complain from a known delay on,
//! some of them by far more readily than others, and again whenever they have cause.

use super::habits::complain;
use super::normal;
use super::repairs::cell;
use crate::stats::{Purpose, Stream};
use broadgauge_model::clock::Wall;
use broadgauge_model::complaint::Class;
use broadgauge_model::panel::{MethodUse, NodeLoad, Panel, Period, Source, SourceKind, weekday};
use broadgauge_model::place::AccessLine;

/// 2024-01-01, a Monday.
const START: i32 = 19_723;
/// Technologies with what a usual line has in busy hours, in ms, on a node that is half full.
const TECHNOLOGIES: [(&str, f64); 3] = [("fttp", 18.2), ("cable", 44.2), ("fttc", 52.65)];
/// Lines on a node.
const LINES: usize = 10;

/// What is planted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Streets {
    /// Nodes of each technology.
    pub(crate) nodes: usize,
    /// Days.
    pub(crate) days: i32,
    /// Complaints of a usual line a day below the knee.
    pub(crate) rate: f64,
    /// The delay from which on complaints become more frequent.
    pub(crate) knee: f64,
    /// The factor on their rate per 10 ms beyond it.
    pub(crate) ratio: f64,
    /// How much customers differ in their readiness to complain: standard deviation of the logarithm.
    pub(crate) readiness: f64,
    /// Whether the download rate is a second reason, which some lines have for weeks.
    pub(crate) second: bool,
}

impl Streets {
    /// 1,440 lines over eighteen weeks, who complain from 80 ms on.
    pub(crate) const PLANTED: Self =
        Self { nodes: 48, days: 126, rate: 0.001, knee: 80.0, ratio: 1.25, readiness: 0.5, second: true };

    /// The panel; `run` fixes every number.
    pub(crate) fn panel(self, run: u64) -> Panel {
        let stream = &mut Stream::new(71, Purpose::Simulation, run);
        let second = |day: i32| Wall::from_secs(i64::from(day) * 86_400);
        let mut panel = Panel {
            period: Period { from: second(START), to: second(START + self.days), zone: "UTC".into() },
            methods: vec![MethodUse { name: "throughput".into(), version: 1, target_class: None }],
            sources: vec![Source { kind: SourceKind::Made, name: "streets".into() }],
            ..Panel::default()
        };
        for (technology, usual_ms) in TECHNOLOGIES {
            for number in 0..self.nodes {
                let node = panel.nodes.len();
                let name = format!("{technology}-{number:02}");
                panel.nodes.push(name.clone());
                let usual = 0.3 + 0.4 * stream.uniform();
                let state = drifting(stream, 0.6, self.days);
                let ratios: Vec<f64> = state
                    .iter()
                    .map(|s| (usual + 0.07 * s + 0.03 * normal(stream)).clamp(0.1, 0.9))
                    .collect();
                for (day, &ratio) in ratios.iter().enumerate() {
                    panel.loads.push(NodeLoad {
                        node: node as u32,
                        day: START + day as i32,
                        hour: 20,
                        ratio,
                    });
                }
                for line in 0..LINES {
                    panel.lines.push(AccessLine {
                        line_id: format!("{name}-{line:02}"),
                        operator: "A".into(),
                        technology: Some(technology.into()),
                        region: Some(format!("r{}", number % 6)),
                        node: Some(name.clone()),
                        ..AccessLine::default()
                    });
                    self.live(&mut panel, usual_ms, &ratios, stream);
                }
            }
        }
        panel
    }

    /// The days of the last line.
    fn live(self, panel: &mut Panel, usual_ms: f64, ratios: &[f64], stream: &mut Stream) {
        let at = panel.lines.len() - 1;
        let level = usual_ms * (0.22 * normal(stream)).exp();
        let ready = (self.readiness * normal(stream)).exp();
        let short = 0.5 * (-[0.95_f64, 0.60, 0.75, 0.88, 0.52, 0.68][at % 6].ln() + 0.25 * normal(stream))
            + if at % 2 == 1 { 0.235 } else { 0.0 };
        let drift = drifting(stream, 0.97, self.days);
        let mut yesterday = None;
        for (number, ratio) in ratios.iter().enumerate() {
            let day = START + number as i32;
            let week = number / 7 * 7;
            if let Some(value) = yesterday {
                let weekday = match weekday(day) {
                    0 => 1.3,
                    6 => 0.7,
                    _ => 1.0,
                };
                let trend = 1.0 + 0.3 * number as f64 / f64::from(self.days);
                let habit = if self.second && number >= 21 {
                    (3.0 * (short - 0.2 * drift[week]).max(0.0)).exp()
                } else {
                    1.0
                };
                let beyond: f64 = value - self.knee;
                let rate =
                    self.rate * ready * weekday * trend * habit * self.ratio.powf(beyond.max(0.0) / 10.0);
                if stream.uniform() < rate.min(0.5) {
                    complain(panel, at, day, Class::Network);
                }
            }
            let value = level * (0.18 * normal(stream)).exp() * 0.5 / (1.0 - ratio);
            panel.cells.push(cell(at as u32, day, value));
            yesterday = Some(value);
        }
    }
}

/// A series that remembers: its standard deviation is 1, and `memory` of each value stays until the next.
fn drifting(stream: &mut Stream, memory: f64, days: i32) -> Vec<f64> {
    let mut state = normal(stream);
    let step = |_| {
        state = memory * state + (1.0 - memory * memory).sqrt() * normal(stream);
        state
    };
    (0..days).map(step).collect()
}
