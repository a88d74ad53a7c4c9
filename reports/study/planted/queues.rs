//! Nodes that fill up like the simplest queue, and customers who complain from a known delay on.

use super::habits::complain;
use super::normal;
use super::repairs::cell;
use crate::stats::{Purpose, Stream};
use broadgauge_model::clock::Wall;
use broadgauge_model::complaint::Class;
use broadgauge_model::panel::{MethodUse, NodeLoad, Panel, Period, Source, SourceKind};
use broadgauge_model::place::AccessLine;

/// 2024-01-01, a Monday.
const START: i32 = 19_723;
/// The service time: at three quarters, delay is four of them.
const SERVICE: f64 = 10.0;

/// What is planted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queues {
    /// Nodes.
    pub(crate) nodes: usize,
    /// Days.
    pub(crate) days: i32,
    /// Whether complaints begin at four service times; else they do not depend on delay.
    pub(crate) knee: bool,
    /// Whether node 7, with twice as many lines as others, has complaints that no delay explains, and node 0 six times as
    /// many lines as others; both are as full as most.
    pub(crate) bad_node: bool,
}

impl Queues {
    /// 40 nodes of 20 lines over ten weeks, customers complain from 40 ms on: some 1,000 episodes, because with a fifth
    /// of them a knee is known to 12 of its units and no better.
    pub(crate) const PLANTED: Self = Self { nodes: 40, days: 70, knee: true, bad_node: false };

    /// The panel; `run` fixes every number.
    pub(crate) fn panel(self, run: u64) -> Panel {
        let stream = &mut Stream::new(51, Purpose::Simulation, run);
        let second = |day: i32| Wall::from_secs(i64::from(day) * 86_400);
        let mut panel = Panel {
            period: Period { from: second(START), to: second(START + self.days), zone: "UTC".into() },
            methods: vec![MethodUse { name: "throughput".into(), version: 1, target_class: None }],
            sources: vec![Source { kind: SourceKind::Made, name: "queues".into() }],
            ..Panel::default()
        };
        for node in 0..self.nodes {
            let name = format!("n{node:03}");
            panel.nodes.push(name.clone());
            // Where one node is the worst for reasons of its own, no other is full on most days.
            let drawn = 0.35 + if self.bad_node { 0.3 } else { 0.4 } * stream.uniform();
            let special = self.bad_node && (node == 0 || node == 7);
            let usual = if special { 0.5 } else { drawn };
            let own = (0.05 * normal(stream)).exp();
            let ratios: Vec<f64> =
                (0..self.days).map(|_| (usual + 0.12 * normal(stream)).clamp(0.1, 0.92)).collect();
            for (day, &ratio) in ratios.iter().enumerate() {
                panel.loads.push(NodeLoad { node: node as u32, day: START + day as i32, hour: 20, ratio });
            }
            let lines = match node {
                0 if self.bad_node => 120,
                7 if self.bad_node => 40,
                _ => 20,
            };
            for line in 0..lines {
                panel.lines.push(AccessLine {
                    line_id: format!("{name}-{line:02}"),
                    operator: "A".into(),
                    technology: Some("fttc".into()),
                    region: Some("north".into()),
                    node: Some(name.clone()),
                    ..AccessLine::default()
                });
                let at = panel.lines.len() - 1;
                for (day, ratio) in ratios.iter().enumerate() {
                    let value = own * SERVICE / (1.0 - ratio) * (0.15 * normal(stream)).exp();
                    panel.cells.push(cell(at as u32, START + day as i32, value));
                    let beyond = if self.knee { (value - 4.0 * SERVICE).max(0.0) } else { 0.0 };
                    let extra = if self.bad_node && node == 7 { 5.0 } else { 1.0 };
                    let next = START + day as i32 + 1;
                    let odds = 0.006 * extra * (0.06 * beyond).exp();
                    if next < START + self.days && stream.uniform() < odds / (1.0 + odds) {
                        complain(&mut panel, at, next, Class::Network);
                    }
                }
            }
        }
        panel
    }
}
