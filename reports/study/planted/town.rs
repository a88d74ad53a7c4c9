//! A town in which bad days make people complain, at a rate ratio that is known.

use super::normal;
use crate::stats::{Purpose, Stream};
use broadgauge_model::clock::Wall;
use broadgauge_model::complaint::{Class, Complaint};
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{
    Cell, CellValues, Hours, MethodUse, Panel, PanelComplaint, Period, Source, SourceKind, weekday,
};
use broadgauge_model::place::AccessLine;
use broadgauge_model::result::{Direction, Load, Statistic};

/// A town in which a bad day (10 ms more) multiplies the rate of network complaints by `ratio`. Bad days come in
/// spells; Mondays, a trend and the line itself drive both bad days and complaints of any kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Town {
    /// Lines.
    pub(crate) lines: usize,
    /// Days.
    pub(crate) days: i32,
    /// Complaints of a typical line a day.
    pub(crate) rate: f64,
    /// What a bad day multiplies them by.
    pub(crate) ratio: f64,
    /// How many times more copper lines have bad days, and complain, than fibre lines; 1 where all are alike.
    pub(crate) copper: f64,
    /// Whether Mondays, a trend and the line itself drive both bad days and complaints.
    pub(crate) other_causes: bool,
}

/// The town of the experiments: some 600 network complaints in 24 weeks.
pub(crate) const TOWN: Town =
    Town { lines: 400, days: 168, rate: 0.0036, ratio: 2.5, copper: 1.0, other_causes: true };
/// 2024-01-01, a Monday.
const START: i32 = 19_723;

impl Town {
    /// The panel; `run` fixes every number.
    pub(crate) fn panel(self, run: u64) -> Panel {
        let stream = &mut Stream::new(9, Purpose::Simulation, run);
        let second = |day: i32| Wall::from_secs(i64::from(day) * 86_400);
        let mut panel = Panel {
            period: Period { from: second(START), to: second(START + self.days), zone: "UTC".into() },
            methods: vec![MethodUse { name: "stamp".into(), version: 1, target_class: None }],
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
