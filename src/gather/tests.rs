use super::*;
use crate::store::{Complaints as _, Entry, Fleet as _, Memory, Results as _, SourceKind, Sqlite, Window};
use broadgauge_model::clock::Span;
use broadgauge_model::complaint::Class;
use broadgauge_model::place::Target;
use broadgauge_model::result::{Batch, Counts, Health, Numbered as Sent, Reason as Cause, Sample, Values};
use broadgauge_model::wire::registration::Registration;
use broadgauge_probes::codec::ntp::ErrorEstimate;
use broadgauge_probes::codec::stamp::Mode;
use broadgauge_probes::net::sim::{Path, Scenario, SimNet};
use broadgauge_probes::packets::Settings;
use broadgauge_probes::probe::{Context, Probe as _};
use broadgauge_probes::stamp::Stamp;
use broadgauge_probes::stamp::peer::{Limits, Reflector};
use broadgauge_reports::study::peers::{self, Key as By, Query};
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

fn at(text: &str) -> Wall {
    Wall::parse_rfc3339(text).unwrap()
}

fn sample(line: &str, started_at: &str, values: Values) -> Sample {
    Sample {
        metric: MetricId::ROUND_TRIP_DELAY,
        method: "stamp".into(),
        method_version: 1,
        line_id: line.into(),
        target: None,
        load: Load::Idle,
        direction: Direction::RoundTrip,
        started_at: at(started_at),
        lasted: Span::secs(10),
        statistic: Statistic::Singleton,
        values,
        counts: Counts { sent: 4, lost: 1, ..Counts::default() },
        details: serde_json::Map::new(),
    }
}

fn line(id: &str, operator: &str, zone: &str) -> AccessLine {
    AccessLine {
        line_id: id.into(),
        operator: operator.into(),
        zone: Some(zone.into()),
        ..AccessLine::default()
    }
}

fn batch(samples: Vec<Sample>) -> Batch {
    let samples = samples.into_iter().enumerate();
    let samples = samples.map(|(i, sample)| Sent { number: i as u64 + 1, sample }).collect();
    Batch { agent: "agent".into(), health: Health::default(), samples }
}

fn of(own: &str) -> Request {
    Request { own: own.into(), ..Request::default() }
}

#[test]
fn an_evening_stays_an_evening_when_the_clocks_change() {
    let store = Memory::default();
    store.put_lines(&[line("l1", "A", "Europe/London")]).unwrap();
    let before = sample("l1", "2026-03-28T20:30:00Z", Values::Number(10.0)); // GMT
    let after = sample("l1", "2026-03-29T19:30:00Z", Values::Number(11.0)); // BST: 20:30 on the wall
    store.put_batch(&batch(vec![before, after])).unwrap();
    let panel = panel(&store, &of("A")).unwrap();
    let hours: Vec<_> = panel.cells.iter().map(|cell| cell.hours).collect();
    assert_eq!(hours, [Hours::At { day: 20_540, hour: 20 }, Hours::At { day: 20_541, hour: 20 }]);
    assert_eq!(panel.period.zone, "Europe/London");
    assert_eq!(panel.period.from, at("2026-03-28T00:00:00Z"));
    assert_eq!(panel.period.to, at("2026-03-29T23:00:00Z"));
}

#[test]
fn histograms_of_one_hour_are_merged_and_numbers_are_not() {
    let store = Memory::default();
    store.put_lines(&[line("l1", "A", "UTC")]).unwrap();
    let histogram = |ticks: [i64; 3]| Values::Histogram(Histogram::of(ticks));
    let rows = vec![
        sample("l1", "2026-06-01T12:00:00Z", histogram([10, 20, 30])),
        sample("l1", "2026-06-01T12:30:00Z", histogram([40, 50, 60])),
        sample("l1", "2026-06-01T13:00:00Z", Values::Number(1.5)),
        sample("l1", "2026-06-01T13:10:00Z", Values::Number(2.5)),
    ];
    store.put_batch(&batch(rows)).unwrap();
    let cells = panel(&store, &of("A")).unwrap().cells;
    assert_eq!(cells.len(), 3);
    assert_eq!(cells[0].values, CellValues::Histogram(Histogram::of([10, 20, 30, 40, 50, 60])));
    assert_eq!((cells[0].sent, cells[0].lost), (8, 2));
    assert_eq!([&cells[1].values, &cells[2].values], [&CellValues::Number(1.5), &CellValues::Number(2.5)]);
}

#[test]
fn what_is_not_used_is_counted_with_its_reason() {
    let store = Memory::default();
    store.put_lines(&[line("l1", "A", "UTC"), line("l2", "B", "UTC")]).unwrap();
    let rows = vec![
        sample("l1", "2026-06-01T12:00:00Z", Values::Number(1.0)),
        sample("nobody", "2026-06-01T12:00:00Z", Values::Number(1.0)),
        sample("l2", "2026-06-01T12:00:00Z", Values::Unmeasured(Cause("no route to host".into()))),
    ];
    store.put_batch(&batch(rows)).unwrap();
    let complaint = |id: &str, opened: &str, line: Option<&str>| Complaint {
        complaint_id: id.into(),
        opened_at: at(opened),
        line_id: line.map(str::to_owned),
        class: Some(Class::Network),
        ..Complaint::default()
    };
    let complaints = [
        complaint("c2", "2026-06-01T23:00:00Z", Some("l1")),
        complaint("c1", "2026-06-01T09:00:00Z", None),
        complaint("c3", "2026-08-01T09:00:00Z", Some("l1")),
        Complaint { operator: Some("C".into()), ..complaint("c4", "2026-06-01T10:00:00Z", None) },
    ];
    store.put_complaints(&complaints).unwrap();
    let panel = panel(&store, &Request { peers: vec!["B".into()], ..of("A") }).unwrap();
    let ids: Vec<_> =
        panel.complaints.iter().map(|c| (c.complaint.complaint_id.as_str(), c.line, c.hour)).collect();
    assert_eq!(ids, [("c1", None, 9), ("c2", Some(0), 23)]);
    let left_out: Vec<_> = panel.left_out.iter().map(|l| (l.reason.to_string(), l.count)).collect();
    assert_eq!(
        left_out,
        [
            ("could not be measured: no route to host".to_owned(), 1),
            ("complaints about lines or operators that this report does not speak of".to_owned(), 1),
            ("complaints outside the measured period".to_owned(), 1),
        ]
    );
}

#[test]
fn a_summary_of_a_month_makes_a_period_of_a_month() {
    let store = Memory::default();
    store.put_lines(&[line("l1", "A", "UTC")]).unwrap();
    let month = Sample {
        lasted: Span::secs(31 * 86_400),
        statistic: Statistic::Median,
        ..sample("l1", "2026-05-01T00:00:00Z", Values::Number(1.0))
    };
    let entry = Entry { sample: month, window: Window::AllDay };
    store.put_entries(&Source { kind: SourceKind::Imported, name: "t".into() }, &[entry]).unwrap();
    let complaint = Complaint {
        complaint_id: "c".into(),
        opened_at: at("2026-05-20T12:00:00Z"),
        line_id: Some("l1".into()),
        ..Complaint::default()
    };
    store.put_complaints(&[complaint]).unwrap();
    let panel = panel(&store, &of("A")).unwrap();
    assert_eq!(
        (panel.period.from, panel.period.to),
        (at("2026-05-01T00:00:00Z"), at("2026-06-01T00:00:00Z"))
    );
    assert_eq!((panel.complaints.len(), panel.left_out.len()), (1, 0));
}

#[test]
fn a_complaint_about_a_line_that_is_not_asked_for_is_told_as_such() {
    let store = Memory::default();
    store.put_lines(&[line("l1", "A", "UTC"), line("l3", "C", "UTC")]).unwrap();
    store.put_batch(&batch(vec![sample("l1", "2026-06-01T12:00:00Z", Values::Number(1.0))])).unwrap();
    let complaint = |line: &str| Complaint {
        complaint_id: line.into(),
        opened_at: at("2026-06-01T12:00:00Z"),
        line_id: Some(line.into()),
        ..Complaint::default()
    };
    store.put_complaints(&[complaint("l3"), complaint("nobody")]).unwrap();
    let panel = panel(&store, &Request { peers: vec!["A".into()], ..of("A") }).unwrap();
    let kept: Vec<_> = panel.complaints.iter().map(|c| c.complaint.complaint_id.as_str()).collect();
    assert_eq!((kept, panel.left_out.len()), (vec!["nobody"], 1));
}

#[test]
fn a_date_is_a_day_where_the_lines_are() {
    let store = Memory::default();
    store.put_lines(&[line("l1", "A", "Asia/Shanghai")]).unwrap();
    let rows =
        ["2026-05-31T15:59:00Z", "2026-05-31T16:00:00Z", "2026-06-01T15:59:00Z", "2026-06-01T16:00:00Z"];
    let rows = rows.iter().zip([1.0, 2.0, 3.0, 4.0]).map(|(at, v)| sample("l1", at, Values::Number(v)));
    store.put_batch(&batch(rows.collect())).unwrap();
    let day = |d| Some(Bound::Day(jiff::civil::date(2026, 6, d)));
    let panel = panel(&store, &Request { from: day(1), to: day(2), ..of("A") }).unwrap();
    let values: Vec<_> = panel.cells.iter().map(|cell| cell.values.clone()).collect();
    assert_eq!(values, [CellValues::Number(2.0), CellValues::Number(3.0)]);
    assert_eq!(panel.period.from, at("2026-05-31T16:00:00Z"));
}

#[test]
fn results_against_targets_of_different_classes_are_kept_apart() {
    let store = Memory::default();
    store.put_lines(&[line("l1", "A", "UTC")]).unwrap();
    let target = |name: &str, class: Option<&str>| Target {
        name: name.into(),
        address: "192.0.2.1".into(),
        class: class.map(str::to_owned),
    };
    let targets =
        vec![target("near", Some("on-net")), target("far", Some("exchange")), target("other", None)];
    let registration = Registration { version: 1, agent: "agent".into(), targets, ..Registration::default() };
    store.register(&registration).unwrap();
    let rows: Vec<_> = [Some("near"), Some("far"), Some("other"), None, Some("near")]
        .into_iter()
        .map(|target| Sample {
            target: target.map(str::to_owned),
            ..sample("l1", "2026-06-01T12:00:00Z", Values::Histogram(Histogram::of([10])))
        })
        .collect();
    store.put_batch(&batch(rows.clone())).unwrap();
    // A table may use the same names for something else.
    let entry = Entry { sample: rows[0].clone(), window: Window::At };
    store.put_entries(&Source { kind: SourceKind::Imported, name: "agent".into() }, &[entry]).unwrap();
    let panel = panel(&store, &of("A")).unwrap();
    let mut found: Vec<_> =
        panel.cells.iter().map(|cell| (panel.method_of(cell).target_class, cell.values.len())).collect();
    found.sort();
    let class = |name: &str| Some(name.to_owned());
    assert_eq!(found, [(None, 1), (None, 2), (class("exchange"), 1), (class("on-net"), 2)]);
}

#[test]
fn targets_of_imported_results_are_of_the_class_that_the_request_names_or_a_note_says_that_nobody_does() {
    let store = Memory::default();
    store.put_lines(&[line("l1", "A", "UTC")]).unwrap();
    let of_target = |target: &str, at: &str| Entry {
        sample: Sample {
            target: Some(target.to_owned()),
            statistic: Statistic::Singleton,
            ..sample("l1", at, Values::Number(12.0))
        },
        window: Window::At,
    };
    let entries = [
        of_target("192.0.2.1", "2026-06-01T12:00:00Z"),
        of_target("192.0.2.2", "2026-06-01T12:10:00Z"),
        of_target("far.example", "2026-06-01T12:20:00Z"),
    ];
    store.put_entries(&Source { kind: SourceKind::Imported, name: "table.csv".into() }, &entries).unwrap();
    let classes = |panel: &Panel| {
        let mut found: Vec<_> = panel.cells.iter().map(|cell| panel.method_of(cell).target_class).collect();
        found.sort();
        found
    };
    let plain = panel(&store, &of("A")).unwrap();
    assert_eq!(classes(&plain), [None, None, None]);
    assert_eq!(plain.left_out.iter().map(|l| l.count).collect::<Vec<_>>(), [3]);

    let asked = ["near=192.0.2.*", "far=far.example", "other=*"].map(|c| c.parse().unwrap()).to_vec();
    let told = panel(&store, &Request { classes: asked, ..of("A") }).unwrap();
    assert_eq!(classes(&told), [Some("far".to_owned()), Some("near".into()), Some("near".into())]);
    assert!(told.left_out.is_empty(), "{:?}", told.left_out);
}

#[test]
fn an_unknown_operator_is_refused_with_the_known_ones() {
    let store = Memory::default();
    let error = panel(&store, &of("A")).unwrap_err().to_string();
    assert_eq!(
        error,
        "no line of operator \"A\", and no complaint about it; operators in the store: none; import lines first"
    );
    store.put_lines(&[line("l1", "B", "UTC"), line("l2", "C", "UTC")]).unwrap();
    let error = panel(&store, &of("A")).unwrap_err().to_string();
    assert_eq!(error, "no line of operator \"A\", and no complaint about it; operators in the store: B, C");
}

#[test]
fn the_order_of_arrival_does_not_show() {
    let mut rows: Vec<_> = (0..200)
        .map(|i| {
            let at = format!("2026-06-01T{:02}:{:02}:00Z", i % 24, i / 24);
            let line = if i % 3 == 0 { "l1" } else { "l2" };
            let values = match i % 5 {
                0 => Values::Histogram(Histogram::of([i64::from(i) * 100, 7_000])),
                _ => Values::Number(f64::from(i % 7)),
            };
            sample(line, &at, values)
        })
        .collect();
    let gathered = |rows: &[Sample]| {
        let store = Memory::default();
        store.put_lines(&[line("l2", "A", "UTC"), line("l1", "B", "Asia/Shanghai")]).unwrap();
        for sample in rows {
            let kind = if sample.line_id == "l1" { SourceKind::Made } else { SourceKind::Imported };
            let entry = Entry { sample: sample.clone(), window: Window::At };
            store.put_entries(&Source { kind, name: "t".into() }, &[entry]).unwrap();
        }
        format!("{:?}", panel(&store, &of("A")).unwrap())
    };
    let first = gathered(&rows);
    rows.shuffle(&mut ChaCha8Rng::seed_from_u64(1));
    assert!(gathered(&rows) == first);
}

#[test]
fn many_rows_are_gathered_from_sqlite() {
    let rows = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("many.db")).unwrap();
    let lines: Vec<_> =
        (0..50).map(|i| line(&format!("l{i:02}"), if i % 2 == 0 { "A" } else { "B" }, "UTC")).collect();
    store.put_lines(&lines).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let start = at("2026-06-01T00:00:00Z");
    for chunk in 0..rows / 1000 {
        let samples = (0..1000).map(|i| {
            let n = chunk * 1000 + i;
            let values = if n % 2 == 0 {
                Values::Histogram(Histogram::of((0..20).map(|_| rng.random_range(5_000..60_000))))
            } else {
                Values::Number(rng.random_range(5.0..60.0))
            };
            let started_at = start + Span::secs(i64::from(n) * 60);
            Sample { started_at, ..sample(&format!("l{:02}", n % 50), "2026-06-01T00:00:00Z", values) }
        });
        let samples = samples.enumerate();
        let samples = samples
            .map(|(i, sample)| Sent { number: (chunk * 1000) as u64 + i as u64 + 1, sample })
            .collect();
        store.put_batch(&Batch { agent: "a".into(), health: Health::default(), samples }).unwrap();
    }
    let panel = panel(&store, &of("A")).unwrap();
    let counted: u64 = panel.cells.iter().map(|cell| cell.values.len()).sum();
    assert_eq!(counted, (rows as u64 / 2) * 20 + rows as u64 / 2);
    assert!(panel.cells.is_sorted_by_key(|cell| (cell.line, cell.metric, cell.hours)));
}

/// What STAMP makes of a line that loses every tenth packet on its way up, and none on its way down.
async fn measured(line: &str, seed: u64) -> Vec<Sample> {
    let forward = Path { delay_ms: 5.0, loss: 0.1, ..Path::default() };
    let backward = Path { delay_ms: 5.0, ..Path::default() };
    let scenario = Scenario { seed, forward, backward, ..Scenario::default() };
    let reflector = Reflector::new(Mode::Open, Limits::default(), 862, ErrorEstimate::default());
    let net = SimNet::new(scenario, Box::new(reflector));
    let context = Context { line_id: line.into(), ..Context::over(&net, &"192.0.2.9", seed) };
    let settings = Settings { per_second: 200.0, ..Settings::default() };
    Stamp::new(settings).run(&context).await.unwrap().samples
}

#[tokio::test(start_paused = true)]
async fn what_is_lost_on_the_way_up_is_not_lost_on_the_way_down_in_a_study() {
    let store = Memory::default();
    let mut samples = Vec::new();
    for n in 0..14_u64 {
        let id = format!("l{n:02}");
        store.put_lines(&[line(&id, if n % 2 == 0 { "A" } else { "B" }, "UTC")]).unwrap();
        samples.extend(measured(&id, n + 1).await);
    }
    store.put_batch(&batch(samples)).unwrap();
    let panel = panel(&store, &Request { metrics: vec![MetricId::LOSS_RATIO], ..of("A") }).unwrap();
    let query = Query { by: vec![By::Hours], quantiles: vec![0.5], replicates: 50, ..Query::of("A") };
    let rows = peers::study(&panel, &query).rows;
    for (direction, from, to) in
        [(Direction::RoundTrip, 0.08, 0.12), (Direction::Up, 0.08, 0.12), (Direction::Down, 0.0, 0.0)]
    {
        let mut found = 0;
        for row in rows.iter().filter(|row| row.direction == direction) {
            let value = row.own.value.as_estimate().unwrap().value();
            assert!((from..=to).contains(&value), "{direction:?}: {value}");
            found += 1;
        }
        assert!(found > 0, "no row for {direction:?}");
    }
}

#[test]
fn what_was_said_before_the_period_is_at_hand_to_tell_repeats() {
    let store = Memory::default();
    store.put_lines(&[line("l1", "A", "UTC")]).unwrap();
    store.put_batch(&batch(vec![sample("l1", "2026-06-01T12:00:00Z", Values::Number(1.0))])).unwrap();
    let complaint = |id: &str, opened: &str, operator: &str| Complaint {
        complaint_id: id.into(),
        opened_at: at(opened),
        operator: Some(operator.into()),
        ..Complaint::default()
    };
    let complaints = [
        complaint("early", "2026-05-30T09:00:00Z", "A"),
        complaint("in time", "2026-06-01T09:00:00Z", "A"),
        complaint("of others", "2026-05-30T09:00:00Z", "B"),
    ];
    store.put_complaints(&complaints).unwrap();
    let request =
        Request { peers: vec!["A".into()], from: Some(Bound::Day(jiff::civil::date(2026, 6, 1))), ..of("A") };
    let panel = panel(&store, &request).unwrap();
    let ids = |list: &[PanelComplaint]| -> Vec<String> {
        list.iter().map(|c| c.complaint.complaint_id.clone()).collect()
    };
    assert_eq!(ids(&panel.earlier_complaints), ["early"]);
    assert_eq!(ids(&panel.complaints), ["in time"]);
    assert!(panel.left_out.is_empty(), "nothing that was asked for is left out: {:?}", panel.left_out);
}

#[test]
fn an_operator_without_lines_is_known_from_complaints_about_it() {
    let store = Memory::default();
    let complaint = Complaint {
        complaint_id: "c".into(),
        opened_at: at("2026-06-01T12:00:00Z"),
        operator: Some("A".into()),
        ..Complaint::default()
    };
    store.put_complaints(&[complaint]).unwrap();
    assert_eq!(panel(&store, &of("A")).unwrap().complaints.len(), 1);
    let unknown = panel(&store, &of("B")).unwrap_err().to_string();
    assert!(unknown.ends_with("operators in the store: A"), "{unknown}");
}
