//! The operator's report in every language, from data that are made up: to look at.
//!
//! `cargo run -p broadgauge-reports --example operator_report -- FOLDER`

use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::complaint::{Class, Complaint};
use broadgauge_model::histogram::Histogram;
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{
    Cell, CellValues, Hours, LeftOut, MethodUse, Panel, PanelComplaint, Period, Source, SourceKind, weekday,
};
use broadgauge_model::place::{AccessLine, Promise};
use broadgauge_model::result::{Direction, Health, Load, Statistic};
use broadgauge_model::text::{Lang, Phrase, Words};
use broadgauge_reports::doc::operator::{self, Studies};
use broadgauge_reports::render::html::Html;
use broadgauge_reports::render::json::Json;
use broadgauge_reports::render::{Renderer, chart};
use broadgauge_reports::study::{complaints, peers};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;

const FIRST_DAY: i32 = 20_544; // 2026-04-01, a Wednesday
const DAYS: i32 = 28;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("give a folder to write to")?;
    let folder = Path::new(&folder);
    let panel = panel();
    let peers = peers::study(&panel, &peers::Query { replicates: 500, ..peers::Query::of("Northwind") });
    let complaints = complaints::study(
        &panel,
        &complaints::Query { replicates: 200, ..complaints::Query::of("Northwind") },
    );
    let query = operator::Query::of("Northwind");
    let document = operator::write(&panel, Studies { peers: &peers, complaints: &complaints }, &query);
    for lang in Lang::ALL {
        let tag = &lang.tag()[..2];
        let data = folder.join(format!("report-{tag}-data"));
        std::fs::create_dir_all(&data)?;
        std::fs::write(folder.join(format!("report-{tag}.html")), Html.render(&document, lang)?)?;
        std::fs::write(folder.join(format!("report-{tag}.json")), Json.render(&document, lang)?)?;
        for (name, bytes) in chart::data_files(&document, lang) {
            std::fs::write(data.join(name), bytes)?;
        }
    }
    Ok(())
}

/// A normal deviate, by the sum of twelve uniform ones.
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| rng.random_range(0.0..1.0)).sum::<f64>() - 6.0
}

fn panel() -> Panel {
    let mut rng = ChaCha8Rng::seed_from_u64(2026);
    let mut panel = Panel {
        period: Period {
            from: Wall::from_secs(i64::from(FIRST_DAY) * 86_400 - 8 * 3600),
            to: Wall::from_secs(i64::from(FIRST_DAY + DAYS) * 86_400 - 8 * 3600),
            zone: "Asia/Shanghai".into(),
        },
        methods: vec![
            MethodUse { name: "stamp".into(), version: 1, target_class: None },
            MethodUse { name: "throughput".into(), version: 1, target_class: None },
        ],
        sources: vec![Source { kind: SourceKind::Made, name: "examples/operator_report".into() }],
        ..Panel::default()
    };
    for (operator, lines, behind) in [("Northwind", 120, 1.0), ("Southbank", 96, 0.0), ("Eastline", 48, 0.4)]
    {
        for i in 0..lines {
            let (technology, promised) = if i % 3 == 0 { ("fttp", 500.0) } else { ("fttc", 80.0) };
            let region = if i % 2 == 0 { "north" } else { "south" };
            let behind = behind * if region == "north" && technology == "fttc" { 2.0 } else { 0.6 };
            let number = panel.lines.len() as u32;
            panel.lines.push(AccessLine {
                line_id: format!("{number:04}"),
                operator: operator.into(),
                region: Some(region.into()),
                technology: Some(technology.into()),
                promise: Promise { promised_down_mbps: Some(promised), ..Promise::default() },
                zone: Some("Asia/Shanghai".into()),
                ..AccessLine::default()
            });
            observe(&mut panel, number, (technology, promised, behind), &mut rng);
        }
    }
    let agents =
        [("probe-01", 2_688, 2_688, 3), ("probe-02", 2_688, 2_641, 12), ("probe-03", 2_688, 2_105, 160)];
    panel.health = agents
        .map(|(name, planned, done, late)| {
            let books = Health {
                runs_planned: planned,
                runs_done: done,
                runs_late: late,
                runs_missed: planned - done,
                send_lateness_p99_ms: Some(0.08),
                clock_synchronised: Some(true),
                clock_error_ms: Some(1.4),
                ..Health::default()
            };
            (name.to_owned(), books)
        })
        .to_vec();
    let reason = Words::plain(Phrase {
        en: "could not be measured: no route to host",
        zh: "未能测得：no route to host",
    });
    panel.left_out = vec![LeftOut { reason, count: 412 }];
    panel.complaints.sort_by_key(|c| (c.complaint.opened_at, c.complaint.complaint_id.clone()));
    panel
}

/// Four weeks of one line: delays under load every hour, a download every evening, complaints after bad days.
fn observe(
    panel: &mut Panel,
    line: u32,
    (technology, promised, behind): (&str, f64, f64),
    rng: &mut ChaCha8Rng,
) {
    let own = panel.lines[line as usize].operator == "Northwind";
    let base = if technology == "fttp" { 9.0 } else { 17.0 } * (0.25 * normal(rng)).exp();
    let quality = 0.93 + 0.05 * normal(rng);
    for day in FIRST_DAY..FIRST_DAY + DAYS {
        let bad_day = if rng.random_range(0.0..1.0) < 0.08 { 2.2 } else { 1.0 };
        for hour in 0..24_u8 {
            // One probe was down for a day and a half.
            if rng.random_range(0.0..1.0) < 0.25 || (day == FIRST_DAY + 11 && line.is_multiple_of(2)) {
                continue;
            }
            let weekend = weekday(day) >= 5;
            let busy = match hour {
                20..22 => 1.0,
                19 | 22 => 0.7,
                14..19 if weekend => 0.35,
                18 | 23 => 0.25,
                _ => 0.0,
            };
            let load = base * (1.0 + busy * (0.5 + 0.9 * behind)) * bad_day;
            let ticks = (0..8).map(|_| ((load + 4.0 * normal(rng).abs() * (1.0 + 3.0 * busy)) * 1e3) as i64);
            let values = CellValues::Histogram(Histogram::of(ticks.collect::<Vec<_>>()));
            let lost = u64::from(rng.random_range(0.0..1.0) < 0.02 + 0.10 * busy * behind);
            let cell = Cell {
                line,
                metric: MetricId::LOADED_ROUND_TRIP_DELAY,
                load: Load::Down,
                direction: Direction::RoundTrip,
                statistic: Statistic::Singleton,
                method: 0,
                source: 0,
                hours: Hours::At { day, hour },
                values,
                sent: 8,
                lost,
            };
            panel.cells.push(cell);
        }
        for hour in [4, 20] {
            let rate = promised
                * (quality - if hour == 20 { 0.05 * (1.0 + behind) } else { 0.0 } + 0.03 * normal(rng));
            panel.cells.push(Cell {
                line,
                metric: MetricId::DOWNLOAD_GOODPUT,
                load: Load::Idle,
                direction: Direction::Down,
                statistic: Statistic::Singleton,
                method: 1,
                source: 0,
                hours: Hours::At { day, hour },
                values: CellValues::Number(rate.max(0.5)),
                sent: 0,
                lost: 0,
            });
        }
        let chance = if bad_day > 1.0 { 0.16 } else { 0.012 };
        if own && rng.random_range(0.0..1.0) < chance {
            complain(panel, line, day + 1, Class::Network, rng);
        }
        if own && rng.random_range(0.0..1.0) < 0.015 {
            complain(panel, line, day, Class::Billing, rng);
        }
    }
    let from = panel.cells.iter().rposition(|cell| cell.line != line).map_or(0, |at| at + 1);
    panel.cells[from..].sort_by_key(|cell| (cell.metric, cell.hours));
}

fn complain(panel: &mut Panel, line: u32, day: i32, class: Class, rng: &mut ChaCha8Rng) {
    if day >= FIRST_DAY + DAYS {
        return;
    }
    let hour = rng.random_range(9..21_u8);
    let midnight = Wall::from_secs(i64::from(day) * 86_400 - 8 * 3600);
    let complaint = Complaint {
        complaint_id: format!("c{:05}", panel.complaints.len()),
        opened_at: midnight + Span::secs(i64::from(hour) * 3600),
        line_id: Some(panel.lines[line as usize].line_id.clone()),
        operator: Some("Northwind".into()),
        class: Some(class),
        ..Complaint::default()
    };
    panel.complaints.push(PanelComplaint { line: Some(line), day, hour, complaint });
}
