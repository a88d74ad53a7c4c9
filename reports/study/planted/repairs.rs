//! Nodes, some of which are repaired, with or without an effect, and picked for being bad or not.

use super::habits::complain;
use super::normal;
use crate::stats::{Purpose, Stream};
use broadgauge_model::action::Action;
use broadgauge_model::clock::Wall;
use broadgauge_model::complaint::Class;
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{
    Cell, CellValues, Hours, MethodUse, Panel, PanelAction, Period, Source, SourceKind,
};
use broadgauge_model::place::AccessLine;
use broadgauge_model::result::{Direction, Load, Statistic};

/// 2024-01-01, a Monday.
const START: i32 = 19_723;
/// The day on which work is done.
const DONE: i32 = START + 42;

/// What is planted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Repairs {
    /// Nodes in all.
    pub(crate) nodes: usize,
    /// Nodes that are repaired.
    pub(crate) treated: usize,
    /// What a repair multiplies delay by; 1 where it does nothing.
    pub(crate) ratio: f64,
    /// Whether the worst of the four weeks before are repaired, every second of them.
    pub(crate) worst: bool,
    /// How much nodes differ for good, as a logarithm.
    pub(crate) between: f64,
    /// From how many days after the work on its effect is gone; never where none.
    pub(crate) fades_after: Option<i32>,
    /// The target of each action.
    pub(crate) target: Option<f64>,
}

impl Repairs {
    /// 60 nodes, 12 of them repaired without regard to how they were.
    pub(crate) const fn of(ratio: f64) -> Self {
        Self { nodes: 60, treated: 12, ratio, worst: false, between: 0.15, fades_after: None, target: None }
    }

    /// The panel over twelve weeks; `run` fixes every number.
    pub(crate) fn panel(self, run: u64) -> Panel {
        let stream = &mut Stream::new(41, Purpose::Simulation, run);
        let days = 84;
        let second = |day: i32| Wall::from_secs(i64::from(day) * 86_400);
        let mut panel = Panel {
            period: Period { from: second(START), to: second(START + days), zone: "UTC".into() },
            methods: vec![MethodUse { name: "throughput".into(), version: 1, target_class: None }],
            sources: vec![Source { kind: SourceKind::Made, name: "repairs".into() }],
            ..Panel::default()
        };
        let mut levels: Vec<Vec<f64>> = Vec::new();
        for _ in 0..self.nodes {
            let own = 4.0 + self.between * normal(stream);
            let mut state = normal(stream);
            let evening = |_| {
                state = 0.6 * state + 0.8 * normal(stream);
                own + 0.2 * state
            };
            levels.push((0..days).map(evening).collect());
        }
        let before = |node: usize| levels[node][14..42].iter().sum::<f64>() / 28.0;
        let mut order: Vec<usize> = (0..self.nodes).collect();
        if self.worst {
            order.sort_by(|&a, &b| before(b).total_cmp(&before(a)));
            let worst: Vec<usize> = order[..2 * self.treated].iter().copied().step_by(2).collect();
            order = worst;
        }
        let treated: Vec<usize> = order[..self.treated].to_vec();
        for (node, levels) in levels.iter().enumerate() {
            let name = format!("n{node:03}");
            for line in 0..2 {
                panel.lines.push(AccessLine {
                    line_id: format!("{name}-{line}"),
                    operator: "A".into(),
                    technology: Some("fttc".into()),
                    node: Some(name.clone()),
                    ..AccessLine::default()
                });
                for day in 0..days {
                    let since = START + day - DONE;
                    let holds = since > 0 && self.fades_after.is_none_or(|fades| since <= fades);
                    let effect = if treated.contains(&node) && holds { self.ratio.ln() } else { 0.0 };
                    let level = levels[day as usize] + effect + 0.05 * normal(stream);
                    let at = panel.lines.len() as u32 - 1;
                    panel.cells.push(cell(at, START + day, level.exp()));
                }
            }
        }
        for (number, node) in treated.iter().enumerate() {
            let action = Action {
                action_id: format!("a{number:02}"),
                kind: "repair".into(),
                owner: "field".into(),
                due_at: second(DONE + 5),
                node: Some(format!("n{node:03}")),
                metric: Some(MetricId::LOADED_ROUND_TRIP_DELAY),
                target_value: self.target,
                started_at: Some(second(DONE)),
                done_at: Some(second(DONE)),
                cost: Some(1_000.0),
                ..Action::default()
            };
            panel.actions.push(PanelAction {
                action,
                due: DONE + 5,
                started: Some(DONE),
                done: Some(DONE),
                verify_by: self.fades_after.map(|fades| DONE + fades),
            });
        }
        panel
    }
}

/// Lines without tests that each repaired node has beside the others, where complaints are planted.
const MORE_LINES: usize = 60;

/// Complaints of the repaired nodes' lines: one on a share of the days, repeats and all; after the work on that share
/// multiplied by `ratio`.
pub(crate) fn with_complaints(mut panel: Panel, daily: f64, ratio: f64, run: u64) -> Panel {
    let stream = &mut Stream::new(42, Purpose::Simulation, run);
    let treated: Vec<String> = panel.actions.iter().filter_map(|a| a.action.node.clone()).collect();
    for node in &treated {
        for line in 0..MORE_LINES {
            panel.lines.push(AccessLine {
                line_id: format!("{node}-more-{line:02}"),
                operator: "A".into(),
                technology: Some("fttc".into()),
                node: Some(node.clone()),
                ..AccessLine::default()
            });
        }
    }
    for line in 0..panel.lines.len() {
        if panel.lines[line].node.as_ref().is_some_and(|node| treated.contains(node)) {
            for day in START..START + 84 {
                let chance = if day > DONE { daily * ratio } else { daily };
                if stream.uniform() < chance {
                    complain(&mut panel, line, day, Class::Network);
                }
            }
        }
    }
    panel
}

/// An evening's test.
pub(crate) fn cell(line: u32, day: i32, value: f64) -> Cell {
    Cell {
        line,
        metric: MetricId::LOADED_ROUND_TRIP_DELAY,
        load: Load::Down,
        direction: Direction::RoundTrip,
        statistic: Statistic::Singleton,
        method: 0,
        source: 0,
        hours: Hours::At { day, hour: 20 },
        values: CellValues::Number(value),
        sent: 0,
        lost: 0,
    }
}
