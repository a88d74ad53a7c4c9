use super::*;
use crate::chart::table::Cell as TableCell;
use crate::doc::{Block, Figure, Tone};
use crate::render::Renderer;
use crate::render::html::Html;
use crate::study::{complaints, peers};
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::complaint::{Class, Complaint};
use broadgauge_model::histogram::Histogram;
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{
    Cell, CellValues, Hours, MethodUse, PanelComplaint, Period, Source, SourceKind,
};
use broadgauge_model::place::{AccessLine, Promise};
use broadgauge_model::result::{Direction, Health, Load, Statistic};
use broadgauge_model::text::Lang;

const FIRST_DAY: i32 = 20_544; // 2026-04-01
const DAYS: i32 = 28;

/// A wave without chance: the same on every machine.
fn wave(a: i32, b: i32) -> f64 {
    (f64::from(a * 31 + b * 17) * 0.7).sin()
}

/// Twelve lines on each ground of two operators for four weeks; the first is slower by 40% in the evening.
fn town(own: &str) -> Panel {
    let mut panel = Panel {
        period: Period {
            from: Wall::from_secs(i64::from(FIRST_DAY) * 86_400),
            to: Wall::from_secs(i64::from(FIRST_DAY + DAYS) * 86_400),
            zone: "UTC".into(),
        },
        methods: vec![MethodUse { name: "stamp".into(), version: 1, target_class: None }],
        sources: vec![Source { kind: SourceKind::Made, name: "town".into() }],
        ..Panel::default()
    };
    for (operator, slower) in [(own, 1.4), ("Southbank", 1.0)] {
        for i in 0..24_i32 {
            let line = panel.lines.len() as u32;
            panel.lines.push(AccessLine {
                line_id: format!("{operator}-{i:02}"),
                operator: operator.into(),
                technology: Some(if i < 12 { "fttc" } else { "fttp" }.into()),
                promise: Promise { promised_down_mbps: Some(80.0), ..Promise::default() },
                ..AccessLine::default()
            });
            for day in FIRST_DAY..FIRST_DAY + DAYS {
                let bad = if (day + i * 5) % 11 == 0 { 1.8 } else { 1.0 };
                for hour in [3_u8, 12, 20, 21] {
                    let busy = if hour >= 20 { slower } else { 1.0 };
                    let base = 20.0 * bad * busy * (1.0 + 0.2 * wave(i, 3));
                    let ticks =
                        (0..6).map(|k| ((base + 2.0 * wave(day * 24 + i32::from(hour), k)) * 1e3) as i64);
                    let values = CellValues::Histogram(Histogram::of(ticks));
                    push(&mut panel, line, MetricId::ROUND_TRIP_DELAY, (day, hour), values);
                }
                let rate = CellValues::Number(76.0 + 8.0 * wave(i, 9) + wave(day, i));
                push(&mut panel, line, MetricId::DOWNLOAD_GOODPUT, (day, 4), rate);
                if bad > 1.0 && operator == own && (i + day) % 4 == 0 && day + 1 < FIRST_DAY + DAYS {
                    complain(&mut panel, line, day + 1);
                    // Some say it twice.
                    if i % 3 == 0 && day + 5 < FIRST_DAY + DAYS {
                        complain(&mut panel, line, day + 5);
                    }
                }
            }
        }
    }
    panel.lines.sort_by(|a, b| a.line_id.cmp(&b.line_id));
    panel.cells.sort_by_key(|cell| (cell.line, cell.metric, cell.hours));
    panel.complaints.sort_by_key(|c| (c.complaint.opened_at, c.complaint.complaint_id.clone()));
    panel
}

fn push(panel: &mut Panel, line: u32, metric: MetricId, (day, hour): (i32, u8), values: CellValues) {
    panel.cells.push(Cell {
        line,
        metric,
        load: Load::Idle,
        direction: Direction::RoundTrip,
        statistic: Statistic::Singleton,
        method: 0,
        source: 0,
        hours: Hours::At { day, hour },
        values,
        sent: 6,
        lost: 0,
    });
}

fn complain(panel: &mut Panel, line: u32, day: i32) {
    let complaint = Complaint {
        complaint_id: format!("c{:04}", panel.complaints.len()),
        opened_at: Wall::from_secs(i64::from(day) * 86_400) + Span::secs(9 * 3600),
        line_id: Some(panel.lines[line as usize].line_id.clone()),
        class: Some(Class::Network),
        ..Complaint::default()
    };
    panel.complaints.push(PanelComplaint { line: Some(line), day, hour: 9, complaint });
}

fn report(panel: &Panel, own: &str) -> Document {
    report_for(panel, &Query::of(own))
}

fn report_for(panel: &Panel, query: &Query) -> Document {
    let peers = peers::study(panel, &peers::Query { replicates: 200, ..peers::Query::of(&*query.own) });
    let complaints = complaints::study(
        panel,
        &complaints::Query { replicates: 100, ..complaints::Query::of(&*query.own) },
    );
    write(panel, Studies { peers: &peers, complaints: &complaints }, query)
}

/// The report of the town, made once for all tests that only look at it.
fn usual() -> &'static Document {
    static DOCUMENT: std::sync::OnceLock<Document> = std::sync::OnceLock::new();
    DOCUMENT.get_or_init(|| report(&town("Northwind"), "Northwind"))
}

fn html(document: &Document, lang: Lang) -> String {
    String::from_utf8(Html.render(document, lang).unwrap()).unwrap()
}

/// What stands between two marks, taken out wherever it stands.
fn without(mut text: String, open: &str, close: &str) -> String {
    while let Some(from) = text.find(open) {
        let to = text[from..].find(close).map_or(text.len(), |at| from + at + close.len());
        text.replace_range(from..to, " ");
    }
    text
}

/// Every word and number that a reader sees in the page, without the charts.
fn read(document: &Document, lang: Lang) -> String {
    let page = without(html(document, lang), "<style>", "</style>");
    let page = without(page, "<svg", "</svg>");
    let titles: Vec<_> = document.figures().map(|figure| figure.title.get(lang)).collect();
    without(page, "<", ">").replace("&#39;", "'").replace("&#34;", "\"") + &titles.join(" ")
}

/// The numbers of a text, sorted: months are numbers, 万 and million are factors.
fn numbers(text: &str) -> Vec<String> {
    let months = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let mut text = text.to_owned();
    for (i, month) in months.iter().enumerate() {
        text = text.replace(&format!(" {month} "), &format!(" {} ", i + 1));
    }
    let text = text.replace("每千", "每 1000 ");
    let mut found = Vec::new();
    let mut rest = text.as_str();
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let negative = rest[..start].ends_with('−');
        rest = &rest[start..];
        let end = rest
            .char_indices()
            .find(|&(at, c)| {
                let digit_next = rest[at + c.len_utf8()..].starts_with(|c: char| c.is_ascii_digit());
                !(c.is_ascii_digit() || ((c == '.' || c == ',') && digit_next))
            })
            .map_or(rest.len(), |(at, _)| at);
        let (numeral, after) = rest.split_at(end);
        let factor = [("million", 1e6), ("billion", 1e9), ("万", 1e4), ("亿", 1e8)];
        let factor =
            factor.iter().find(|(word, _)| after.trim_start().starts_with(word)).map_or(1.0, |f| f.1);
        let value: f64 = numeral.replace(',', "").parse().unwrap_or(f64::NAN);
        // As many decimals as were printed: 2.0 is not 2.
        let decimals = numeral.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let decimals = if factor > 1.0 { 0 } else { decimals };
        let sign = if negative { "-" } else { "" };
        found.push(format!("{sign}{:.decimals$}", value * factor));
        rest = after;
    }
    found.sort();
    found
}

#[test]
fn both_editions_say_the_same_numbers() {
    let document = usual();
    let [en, zh] = Lang::ALL.map(|lang| numbers(&read(document, lang)));
    assert!(en.len() > 400, "{}", en.len());
    let only = |a: &[String], b: &[String]| {
        let mut b = b.to_vec();
        let mut left = a.to_vec();
        left.retain(|n| b.iter().position(|m| m == n).map(|at| b.swap_remove(at)).is_none());
        left
    };
    assert_eq!(only(&en, &zh), Vec::<String>::new(), "in English only");
    assert_eq!(only(&zh, &en), Vec::<String>::new(), "in Chinese only");
}

#[test]
fn both_editions_of_a_chart_hold_the_same_data() {
    let numbers = |figure: &Figure, lang| {
        let cells = figure.table(lang).rows.into_iter().flatten();
        cells
            .filter(|cell| !matches!(cell, TableCell::Text(_)))
            .map(|cell| format!("{cell:?}"))
            .collect::<Vec<_>>()
    };
    let document = usual();
    for figure in document.figures() {
        assert_eq!(numbers(figure, Lang::En), numbers(figure, Lang::Zh), "{}", figure.name);
        assert!(!numbers(figure, Lang::En).is_empty(), "{} has no data", figure.name);
    }
}

#[test]
fn every_chart_has_its_data_below_and_beside_it() {
    let document = usual();
    let names = document.figure_names();
    for wanted in [
        "peer-ladder-round_trip_delay-made",
        "promised-rate",
        "distribution",
        "hours-of-the-week",
        "course",
        "case-crossover",
    ] {
        assert!(names.contains(&wanted), "{wanted} is not among {names:?}");
    }
    for lang in Lang::ALL {
        let page = html(document, lang);
        let count = |what: &str| page.matches(what).count();
        assert_eq!(count("<figure "), names.len());
        assert_eq!([count("<svg "), count("<details>"), count("href=\"data:text/csv")], [names.len(); 3]);
        let files = crate::render::chart::data_files(document, lang);
        assert_eq!(files.len(), names.len());
        for (name, bytes) in files {
            let lines = bytes.split(|byte| *byte == b'\n').count();
            assert!(lines > 2, "{name} has {lines} lines");
        }
    }
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), names.len(), "{names:?}");
}

#[test]
fn the_page_fetches_nothing_and_runs_nothing() {
    let page = html(usual(), Lang::En).replace("http://www.w3.org/2000/svg", "");
    for banned in ["<script", "http://", "https://", "src=", "url(", "@import", "<link", "<iframe"] {
        assert!(!page.contains(banned), "{banned}");
    }
    assert!(page.contains("<html lang=\"en\">"));
}

#[test]
fn a_name_from_outside_cannot_become_markup() {
    let own = "<b onload='x()'>&\"Evil\"</b>";
    let document = report(&town(own), own);
    for lang in Lang::ALL {
        assert!(!html(&document, lang).contains("<b onload"));
    }
}

#[test]
fn the_first_page_says_what_is_wrong_and_where() {
    let document = usual();
    let first = &document.sections[0];
    let Some(Block::Answers(answers)) = first.blocks.iter().find(|block| matches!(block, Block::Answers(_)))
    else {
        panic!("the first page answers")
    };
    let wrong = answers[0].text.get(Lang::En);
    assert!(
        wrong.starts_with("Northwind is behind Southbank on round-trip delay in peak hours. "),
        "{wrong}"
    );
    let Some(Block::Keys(keys)) = first.blocks.iter().find(|block| matches!(block, Block::Keys(_))) else {
        panic!("the first page has its numbers")
    };
    assert_eq!(keys.len(), 4);
    assert_eq!(keys[0].tone, Tone::Worse);
    let gap = keys[0].number.value().unwrap();
    assert!((4.0..20.0).contains(&gap), "{gap}");
}

#[test]
fn without_peers_and_complaints_the_report_says_so_in_the_place_of_the_numbers() {
    let mut panel = town("Northwind");
    let keep: Vec<bool> = panel.lines.iter().map(|line| line.operator == "Northwind").collect();
    panel.cells.retain(|cell| keep[cell.line as usize]);
    panel.lines.retain(|line| line.operator == "Northwind");
    panel.complaints.clear();
    let document = report(&panel, "Northwind");
    let page = read(&document, Lang::En);
    assert!(
        page.contains("could not be compared with a peer operator: only one operator, Northwind"),
        "{page}"
    );
    let declined = |id: &str| {
        let section = document.sections.iter().find(|section| section.id == id).unwrap();
        section.blocks.iter().any(|block| matches!(block, Block::Declined { .. }))
    };
    assert!(declined("peers") && declined("complaints") && declined("health"));
    assert!(!declined("when"));
}

#[test]
fn an_empty_panel_makes_a_report_of_refusals() {
    let document = report(&Panel::default(), "Northwind");
    assert_eq!(document.figures().count(), 0);
    for lang in Lang::ALL {
        assert!(!read(&document, lang).contains("NaN"));
    }
}

#[test]
fn a_shared_report_shows_no_group_of_fewer_than_ten_lines() {
    let mut panel = town("Northwind");
    // Nine of Northwind's 24 lines remain.
    let keep: Vec<u32> = (0..9).chain(24..48).collect();
    panel.cells.retain(|cell| keep.contains(&cell.line));
    let shared = report(&panel, "Northwind");
    for pictures in ["distribution", "course", "hours-of-the-week"] {
        assert!(shared.figure(pictures).is_none(), "{pictures}");
    }
    let ladders =
        |document: &Document| document.figure_names().iter().filter(|n| n.starts_with("peer-ladder")).count();
    assert_eq!(ladders(&shared), 0);
    assert!(read(&shared, Lang::Zh).contains("线路不足 10 条"));
    let inside = report_for(&panel, &Query { shared: false, ..Query::of("Northwind") });
    assert!(inside.figure("distribution").is_some() && ladders(&inside) > 0);
}

/// Per band of each complaint-rate figure: its complaints, its line-days, its rate and why there is none.
fn bands(document: &Document) -> Vec<[TableCell; 4]> {
    let figures = document.figures().filter(|figure| figure.name.starts_with("complaint-rate-"));
    figures
        .flat_map(|figure| {
            let table = figure.table(Lang::En);
            let at = |key: &str| table.columns.iter().position(|column| column.key == key).unwrap();
            let keys = ["complaints", "line_days", "rate_per_1000_line_days", "declined"].map(at);
            table.rows.into_iter().map(move |row| keys.map(|key| row[key].clone())).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn a_band_of_complaints_on_fewer_than_ten_lines_is_not_shown_in_a_shared_report() {
    let panel = town("Northwind");
    let study = complaints::study(
        &panel,
        &complaints::Query { replicates: 100, ..complaints::Query::of("Northwind") },
    );
    let small = |lines: usize| lines < 10;
    let few = study.bands.iter().filter(|band| small(band.lines)).count();
    assert!(few > 0 && study.bands.iter().any(|band| !small(band.lines)));
    let shared = bands(usual());
    let hidden: Vec<_> = shared.iter().filter(|[complaints, ..]| *complaints == TableCell::Blank).collect();
    assert_eq!(hidden.len(), few);
    for [_, line_days, rate, declined] in hidden {
        assert_eq!([line_days, rate], [&TableCell::Blank; 2]);
        assert!(matches!(declined, TableCell::Text(text) if text.starts_with("fewer than 10 lines")));
    }
    let inside = bands(&report_for(&panel, &Query { shared: false, ..Query::of("Northwind") }));
    assert_eq!(inside.len(), shared.len());
    assert!(inside.iter().all(|[complaints, ..]| matches!(complaints, TableCell::Count(_))));
}

#[test]
fn an_agent_without_a_kept_clock_is_called_so_and_one_agent_is_one() {
    let mut panel = town("Northwind");
    let books = |synchronised| Health {
        runs_planned: 10,
        runs_done: 10,
        clock_synchronised: Some(synchronised),
        clock_error_ms: Some(16_000.0),
        at: panel.period.to,
        ..Health::default()
    };
    let measured = |n: &str| Source { kind: SourceKind::Measured, name: format!("site-{n}") };
    panel.sources.extend(["1", "2", "3"].map(measured));
    panel.health = vec![("site-1".into(), books(false))];
    let alone = report(&panel, "Northwind");
    let table = alone.figure("measurement-health").unwrap().table(Lang::En);
    let error = table.columns.iter().position(|column| column.key == "clock_error_ms").unwrap();
    assert_eq!(table.rows[0][error], TableCell::Blank);
    let page = html(&alone, Lang::En);
    assert!(page.contains("unsynchronised") && page.contains("1 agent") && !page.contains("1 agents"));
    panel.health.push(("site-2".into(), books(true)));
    // Books that ended weeks ago, and those of an agent that measured other lines.
    let ended = Health { at: Wall::from_secs(1_767_225_600), ..books(true) };
    panel.health.push(("site-3".into(), ended));
    panel.health.push(("elsewhere".into(), books(true)));
    let page = html(&report(&panel, "Northwind"), Lang::En);
    assert!(page.contains("2 agents") && page.contains("20 of 20 planned runs"));
    assert!(
        page.contains("site-3 was last heard of at 2026-01-01T00:00:00Z") && !page.contains("elsewhere was")
    );
}

#[test]
fn the_same_data_and_seed_give_the_same_page() {
    let again = report(&town("Northwind"), "Northwind");
    assert!(html(&again, Lang::Zh) == html(usual(), Lang::Zh));
}

/// One mean of all hours and one of the source's busy ones a line, in which the own operator's is so much longer; lines
/// are as far from each other as `apart_ms`.
fn summaries(more_ms: f64, apart_ms: f64) -> Panel {
    let mut panel = town("Northwind");
    panel.cells.clear();
    for line in 0..panel.lines.len() as i32 {
        let more = if panel.lines[line as usize].operator == "Northwind" { more_ms } else { 0.0 };
        for (hours, longer) in [(Hours::AllDay, 0.0), (Hours::Peak, more)] {
            let values = CellValues::Number(20.0 + longer + apart_ms * wave(line, 3));
            push(&mut panel, line as u32, MetricId::ROUND_TRIP_DELAY, (FIRST_DAY, 0), values);
            if let Some(cell) = panel.cells.last_mut() {
                (cell.hours, cell.statistic) = (hours, Statistic::Mean);
            }
        }
    }
    panel
}

#[test]
fn summaries_of_lines_are_not_called_tests_and_their_hours_are_those_of_the_source() {
    let document = report(&summaries(6.0, 4.0), "Northwind");
    let said = read(&document, Lang::En);
    for wanted in [
        "(means) in the source's peak hours",
        "which 50 of 100 line summaries (means) do not exceed",
        "9 of 10 line summaries (means) of Southbank stay below",
        "Line summaries (means) of the source's busy hours beyond the limit",
        "its source has chosen",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    for banned in ["Busy hours: ", "19:00", "100 tests", "10 tests", "of the tests", "share of tests"] {
        assert!(!said.contains(banned), "{banned}: {said}");
    }
    assert!(read(&document, Lang::Zh).contains("数据源所称忙时"));
    let tests = read(usual(), Lang::En);
    assert!(tests.contains("Busy hours: 19:00 to 23:00") && !tests.contains("its source has chosen"));
}

#[test]
fn a_gap_smaller_than_the_margin_is_said_to_be_so_wherever_it_is_called_worse() {
    let document = report(&summaries(1.5, 0.5), "Northwind");
    let said = read(&document, Lang::En);
    for wanted in [
        "Northwind is slightly behind Southbank",
        "worse by less than the margin of 5.00 ms",
        "at P50, by less than the margin of 5.00 ms",
        "smaller than the margin is said to be so",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert!(html(&document, Lang::En).contains("Worse, within"), "beside the ladder");
    let far = report(&summaries(12.0, 0.5), "Northwind");
    assert!(!read(&far, Lang::En).contains("by less than the margin"));
}

#[test]
fn a_report_says_how_many_complaints_were_repeats() {
    let said = read(usual(), Lang::En);
    assert!(said.contains("Repeats of an earlier complaint, counted as one episode"), "{said}");
    assert!(said.contains("another would be its repeat"), "{said}");
}
