//! Lines whose customers complain with the same probability on every day, whatever their line does.

use super::habits::complain;
use crate::stats::{Purpose, Stream};
use broadgauge_model::clock::Wall;
use broadgauge_model::complaint::Class;
use broadgauge_model::panel::{Panel, Period};
use broadgauge_model::place::AccessLine;

/// 2024-01-01, a Monday.
const START: i32 = 19_723;
const DAYS: i32 = 26 * 7;
const LINES: usize = 500;

/// Half a year of such lines; `run` fixes every number.
pub(crate) fn panel(daily: f64, run: u64) -> Panel {
    let stream = &mut Stream::new(61, Purpose::Simulation, run);
    let second = |day: i32| Wall::from_secs(i64::from(day) * 86_400);
    let mut panel = Panel {
        period: Period { from: second(START), to: second(START + DAYS), zone: "UTC".into() },
        ..Panel::default()
    };
    for line in 0..LINES {
        panel.lines.push(AccessLine {
            line_id: format!("{line:03}"),
            operator: "A".into(),
            ..AccessLine::default()
        });
        for day in START..START + DAYS {
            if stream.uniform() < daily {
                complain(&mut panel, line, day, Class::Network);
            }
        }
    }
    panel
}
