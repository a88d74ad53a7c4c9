//! The promises of a store, as tests that every backend passes: `store_contract!(open)`, where `open` gives a
//! guard and an empty store.

use super::{
    Entry, Filter, HistogramRow, LocalHours, Ready, Receipt, Row, RowValues, Source, SourceKind, Store,
    Tally, Window, fold_by_operator_metric_hour,
};
use broadgauge_model::action::Action;
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::complaint::{Class, Complaint};
use broadgauge_model::histogram::Histogram;
use broadgauge_model::metric::MetricId;
use broadgauge_model::place::{AccessLine, Promise};
use broadgauge_model::result::{
    Batch, Counts, Direction, Health, Load, Numbered, Reason, Sample, Statistic, Values,
};
use broadgauge_model::surroundings::{Reputation, Utilisation};
use broadgauge_model::survey::Response;
use broadgauge_model::wire::registration::Registration;

/// Runs every promise against a backend.
macro_rules! store_contract {
    ($open:path) => {
        store_contract!($open;
            a_sample_comes_out_as_it_went_in,
            a_batch_sent_twice_is_stored_once,
            an_identity_taken_by_another_payload_is_rejected_and_the_first_stays,
            two_agents_may_use_the_same_numbers,
            the_highest_number_of_each_agent_is_known,
            a_sample_without_a_line_is_rejected_and_its_neighbours_stay,
            receipts_of_several_batches_are_told_apart,
            a_table_imported_again_under_another_name_changes_nothing,
            a_second_value_for_the_same_content_key_is_rejected_by_its_place,
            summaries_of_peak_and_of_all_hours_are_told_apart,
            windows_of_time_are_half_open,
            a_filter_by_operator_leaves_out_lines_that_nobody_described,
            lines_are_brought_up_to_date_and_counted,
            an_agent_only_fills_gaps_of_a_line_that_came_with_a_table,
            complaints_are_brought_up_to_date_and_listed_by_time,
            the_newest_books_of_an_agent_stay,
            folding_equals_recording_once,
            what_surrounds_the_lines_is_brought_up_to_date_and_listed,
            answers_to_a_survey_are_brought_up_to_date_and_listed_by_time,
        );
    };
    ($open:path; $($promise:ident),* $(,)?) => {
        $(#[test]
        fn $promise() {
            let (_guard, store) = $open();
            crate::store::contract::$promise(&store);
        })*
    };
}
pub(crate) use store_contract;

const NOON: Wall = Wall::from_secs(1_780_315_200); // 2026-06-01T12:00:00Z

fn sample(line: &str, second: i64, values: Values) -> Sample {
    Sample {
        metric: MetricId::ROUND_TRIP_DELAY,
        method: "stamp".into(),
        method_version: 1,
        line_id: line.into(),
        target: Some("exchange".into()),
        load: Load::Idle,
        direction: Direction::RoundTrip,
        started_at: NOON + Span::secs(second),
        lasted: Span::secs(10),
        statistic: Statistic::Singleton,
        values,
        counts: Counts { planned: 3, sent: 3, received: 3, ..Counts::default() },
        details: serde_json::Map::new(),
    }
}

fn batch(agent: &str, samples: impl IntoIterator<Item = (u64, Sample)>) -> Batch {
    let samples = samples.into_iter().map(|(number, sample)| Numbered { number, sample }).collect();
    Batch { agent: agent.into(), health: Health::default(), samples }
}

fn number(value: f64) -> Values {
    Values::Number(value)
}

fn line(id: &str, operator: &str) -> AccessLine {
    AccessLine { line_id: id.into(), operator: operator.into(), ..AccessLine::default() }
}

fn all(store: &dyn Store, filter: &Filter) -> Vec<Sample> {
    let mut found = Vec::new();
    store.scan(filter, &mut |row: &Row<'_>| found.push(row.to_sample().unwrap())).unwrap();
    found
}

pub(crate) fn a_sample_comes_out_as_it_went_in(store: &dyn Store) {
    let mut full = sample("line-1", 0, Values::Histogram(Histogram::of([900, 1_200, 60_000_000])));
    full.load = Load::Up;
    full.direction = Direction::Down;
    full.counts = Counts {
        planned: 10,
        sent: 9,
        missed: 1,
        received: 3,
        lost: 6,
        late: 2,
        duplicate: 1,
        reordered: 4,
        lost_forward: Some(5),
        lost_backward: None,
    };
    full.details.insert("stamps".into(), "kernel".into());
    let mut bare = sample("线路", 1, Values::Unmeasured(Reason("no route".into())));
    bare.target = None;
    bare.statistic = Statistic::P95;
    let value = sample("line-1", 2, number(0.0));
    let samples = [full, bare, value];
    store.put_batch(&batch("a", (7..).zip(samples.clone()))).unwrap();
    assert_eq!(all(store, &Filter::default()), samples);
    store
        .scan(&Filter::default(), &mut |row| {
            assert_eq!((row.source.kind, row.source.name.as_str()), (SourceKind::Measured, "a"));
            assert!(matches!(row.number, Some(7..=9)));
            assert!(row.line.is_none());
        })
        .unwrap();
}

fn ready(batches: &[Batch]) -> Vec<Ready> {
    batches.iter().map(Ready::from).collect()
}

pub(crate) fn a_batch_sent_twice_is_stored_once(store: &dyn Store) {
    let sent = batch("a", (0..20).map(|n| (n, sample("l", n as i64, number(n as f64)))));
    assert_eq!(store.put_batch(&sent).unwrap(), Receipt { stored: 20, ..Receipt::default() });
    assert_eq!(store.put_batch(&sent).unwrap(), Receipt { already: 20, ..Receipt::default() });
    let twice = [sent.clone(), sent];
    assert!(store.put_batches(&ready(&twice)).unwrap().iter().all(|receipt| receipt.already == 20));
    assert_eq!(all(store, &Filter::default()).len(), 20);
}

pub(crate) fn an_identity_taken_by_another_payload_is_rejected_and_the_first_stays(store: &dyn Store) {
    store.put_batch(&batch("a", [(1, sample("l", 0, number(1.0)))])).unwrap();
    let receipt = store
        .put_batch(&batch("a", [(1, sample("l", 0, number(2.0))), (2, sample("l", 1, number(3.0)))]))
        .unwrap();
    assert_eq!((receipt.stored, receipt.already, receipt.rejected.len()), (1, 0, 1));
    assert_eq!(receipt.rejected[0].number, 1);
    assert!(receipt.rejected[0].reason.contains("number 1"), "{}", receipt.rejected[0].reason);
    assert_eq!(all(store, &Filter::default())[0].values, number(1.0));
}

pub(crate) fn two_agents_may_use_the_same_numbers(store: &dyn Store) {
    for agent in ["a", "b"] {
        let receipt = store.put_batch(&batch(agent, [(1, sample(agent, 0, number(1.0)))])).unwrap();
        assert_eq!(receipt.stored, 1);
    }
    assert_eq!(all(store, &Filter::default()).len(), 2);
}

pub(crate) fn the_highest_number_of_each_agent_is_known(store: &dyn Store) {
    let value = |n: u64| (n, sample("l", n as i64, number(1.0)));
    store.put_batch(&batch("a", [value(70_000), value(3)])).unwrap();
    store.put_batch(&batch("b", [value(5), value(90_000)])).unwrap();
    store.put_entries(&table("may.csv"), &entries()).unwrap();
    let registration = Registration { version: 1, agent: "c".into(), ..Registration::default() };
    store.register(&registration).unwrap();
    let highest = ["a", "b", "c", "d"].map(|agent| store.highest_number(agent).unwrap());
    assert_eq!(highest, [Some(70_000), Some(90_000), None, None]);
}

pub(crate) fn a_sample_without_a_line_is_rejected_and_its_neighbours_stay(store: &dyn Store) {
    let samples =
        [(1, sample("l", 0, number(1.0))), (2, sample("", 0, number(1.0))), (3, sample("l", 1, number(1.0)))];
    let receipt = store.put_batch(&batch("a", samples)).unwrap();
    assert_eq!((receipt.stored, receipt.rejected.len(), receipt.rejected[0].number), (2, 1, 2));
    let beyond = store.put_batch(&batch("a", [(u64::MAX, sample("l", 0, number(1.0)))])).unwrap();
    assert_eq!(beyond.rejected.len(), 1);
    let infinite = store.put_batch(&batch("a", [(4, sample("l", 0, number(f64::INFINITY)))])).unwrap();
    assert_eq!(infinite.rejected.len(), 1);
}

pub(crate) fn receipts_of_several_batches_are_told_apart(store: &dyn Store) {
    let one = batch("a", [(1, sample("l", 0, number(1.0)))]);
    let other = batch("b", (1..=2).map(|n| (n, sample("l", n as i64, number(1.0)))));
    let receipts = store.put_batches(&ready(&[one.clone(), other, one])).unwrap();
    let counts: Vec<_> = receipts.iter().map(|r| (r.stored, r.already)).collect();
    assert_eq!(counts, [(1, 0), (2, 0), (0, 1)]);
}

fn table(name: &str) -> Source {
    Source { kind: SourceKind::Imported, name: name.into() }
}

fn entries() -> Vec<Entry> {
    (0..10).map(|n| Entry { sample: sample("l", n, number(n as f64)), window: Window::At }).collect()
}

pub(crate) fn a_table_imported_again_under_another_name_changes_nothing(store: &dyn Store) {
    assert_eq!(store.put_entries(&table("may.csv"), &entries()).unwrap().stored, 10);
    assert_eq!(store.put_entries(&table("copy of may.csv"), &entries()).unwrap().already, 10);
    let mut rows = 0;
    let mut count = |row: &Row<'_>| {
        rows += 1;
        assert_eq!((row.source.name.as_str(), row.number), ("may.csv", None));
    };
    store.scan(&Filter::default(), &mut count).unwrap();
    assert_eq!(rows, 10);
}

pub(crate) fn a_second_value_for_the_same_content_key_is_rejected_by_its_place(store: &dyn Store) {
    let mut changed = entries();
    store.put_entries(&table("may.csv"), &changed).unwrap();
    changed[4].sample.values = number(99.0);
    let receipt = store.put_entries(&table("may.csv"), &changed).unwrap();
    assert_eq!((receipt.stored, receipt.already), (0, 9));
    assert_eq!(receipt.rejected[0].number, 4);
}

pub(crate) fn summaries_of_peak_and_of_all_hours_are_told_apart(store: &dyn Store) {
    let entry = |window| Entry { sample: sample("l", 0, number(5.0)), window };
    let made = [Window::At, Window::Peak, Window::AllDay].map(entry);
    assert_eq!(store.put_entries(&table("t"), &made).unwrap().stored, 3);
    let mut windows = Vec::new();
    store.scan(&Filter::default(), &mut |row| windows.push(row.window)).unwrap();
    assert_eq!(windows, [Window::At, Window::Peak, Window::AllDay]);
}

pub(crate) fn windows_of_time_are_half_open(store: &dyn Store) {
    store.put_batch(&batch("a", (0..10).map(|n| (n, sample("l", n as i64, number(n as f64)))))).unwrap();
    let filter =
        Filter { from: Some(NOON + Span::secs(3)), to: Some(NOON + Span::secs(6)), ..Filter::default() };
    let values: Vec<_> = all(store, &filter).into_iter().map(|s| s.values).collect();
    assert_eq!(values, [number(3.0), number(4.0), number(5.0)]);
    let other = Filter { metrics: vec![MetricId::LOSS_RATIO], ..Filter::default() };
    assert!(all(store, &other).is_empty());
}

pub(crate) fn a_filter_by_operator_leaves_out_lines_that_nobody_described(store: &dyn Store) {
    store.put_lines(&[line("l1", "A"), line("l2", "B")]).unwrap();
    let samples = ["l1", "l2", "l3"].map(|l| sample(l, 0, number(1.0)));
    store.put_batch(&batch("a", (1..).zip(samples))).unwrap();
    let mut met = Vec::new();
    store
        .scan(&Filter::default(), &mut |row| met.push((row.line_id.to_owned(), row.line.is_some())))
        .unwrap();
    assert_eq!(met, [("l1".into(), true), ("l2".into(), true), ("l3".into(), false)]);
    let only = Filter { operators: vec!["B".into()], ..Filter::default() };
    assert_eq!(all(store, &only).iter().map(|s| s.line_id.as_str()).collect::<Vec<_>>(), ["l2"]);
}

pub(crate) fn lines_are_brought_up_to_date_and_counted(store: &dyn Store) {
    let mut lines = vec![line("l2", "B"), line("l1", "A")];
    lines[0].promise = Promise { promised_down_mbps: Some(50.0), ..Promise::default() };
    lines[0].active_from = Some(NOON);
    assert_eq!(store.put_lines(&lines).unwrap(), Tally { added: 2, ..Tally::default() });
    lines[1].plan = Some("Fibre 100".into());
    let again = store.put_lines(&lines).unwrap();
    assert_eq!(again, Tally { changed: 1, unchanged: 1, ..Tally::default() });
    lines.reverse();
    assert_eq!(store.lines().unwrap(), lines);
}

pub(crate) fn an_agent_only_fills_gaps_of_a_line_that_came_with_a_table(store: &dyn Store) {
    let mut known = line("l1", "A");
    known.region = Some("north".into());
    store.put_lines(&[known]).unwrap();
    let mut told = line("l1", "B");
    told.region = Some("south".into());
    told.technology = Some("fttp".into());
    let mut own = line("l2", "B");
    let mut registration = Registration {
        version: 1,
        agent: "a".into(),
        lines: vec![told, own.clone()],
        ..Registration::default()
    };
    assert_eq!(store.register(&registration).unwrap(), Tally { added: 1, changed: 1, unchanged: 0 });
    assert_eq!(store.register(&registration).unwrap(), Tally { unchanged: 2, ..Tally::default() });
    own.operator = "C".into();
    registration.lines[1] = own.clone();
    assert_eq!(store.register(&registration).unwrap().changed, 1);
    let lines = store.lines().unwrap();
    assert_eq!((lines[0].operator.as_str(), lines[0].region.as_deref()), ("A", Some("north")));
    assert_eq!(lines[0].technology.as_deref(), Some("fttp"));
    assert_eq!(lines[1], own);
    assert_eq!(store.agents().unwrap(), [registration]);
}

pub(crate) fn complaints_are_brought_up_to_date_and_listed_by_time(store: &dyn Store) {
    let complaint = |id: &str, second: i64| Complaint {
        complaint_id: id.into(),
        opened_at: NOON + Span::secs(second),
        line_id: Some("l1".into()),
        class: Some(Class::Network),
        kind: Some("slow".into()),
        class_by: Some("rules 2026-11-22".into()),
        class_confidence: Some(0.75),
        class_reason: Some("慢, slow".into()),
        text: Some("慢 and slow".into()),
        ..Complaint::default()
    };
    let mut complaints = vec![complaint("c1", 5), complaint("c2", 1)];
    assert_eq!(store.put_complaints(&complaints).unwrap().added, 2);
    complaints[0].resolved_at = Some(NOON + Span::secs(50));
    complaints[0].escalated_at = Some(NOON + Span::secs(40));
    let again = store.put_complaints(&complaints).unwrap();
    assert_eq!(again, Tally { changed: 1, unchanged: 1, ..Tally::default() });
    complaints.reverse();
    assert_eq!(store.complaints(None, None).unwrap(), complaints);
    let early = store.complaints(Some(NOON + Span::secs(1)), Some(NOON + Span::secs(5))).unwrap();
    assert_eq!(early, complaints[..1]);
}

pub(crate) fn the_newest_books_of_an_agent_stay(store: &dyn Store) {
    let books = |second: i64, done: u64| Batch {
        agent: "a".into(),
        health: Health { runs_done: done, at: NOON + Span::secs(second), ..Health::default() },
        samples: Vec::new(),
    };
    let done = || {
        let health = store.health().unwrap();
        assert_eq!((health.len(), health[0].0.as_str()), (1, "a"));
        health[0].1.runs_done
    };
    store.put_batches(&ready(&[books(0, 1), books(10, 2), books(5, 9)])).unwrap();
    assert_eq!(done(), 2);
    // A day back is a clock that was set right, not a batch that was late.
    store.put_batch(&books(-86_400, 3)).unwrap();
    assert_eq!(done(), 3);
    // A batch that brings none.
    store.put_batch(&Batch { agent: "a".into(), health: Health::default(), samples: Vec::new() }).unwrap();
    assert_eq!(done(), 3);
}

pub(crate) fn folding_equals_recording_once(store: &dyn Store) {
    let mut kolkata = line("east", "A");
    kolkata.zone = Some("Asia/Kolkata".into());
    store.put_lines(&[line("west", "A"), kolkata]).unwrap();
    let ticks = |n: i64| (1..=50).map(move |k| 300 + (n * 7_919 + k * k * 37) % 90_000);
    let make = |l: &str, n: i64| sample(l, n * 60, Values::Histogram(Histogram::of(ticks(n))));
    let west = (0..40).map(|n| (n as u64, make("west", n)));
    let east = (40..60).map(|n| (n as u64, make("east", n - 40)));
    store.put_batch(&batch("a", west.chain(east))).unwrap();
    let mut hours = LocalHours::new("UTC").unwrap();
    let folded = fold_by_operator_metric_hour(store, &Filter::default(), &mut hours).unwrap();
    let groups: Vec<_> = folded.iter().map(|(key, h)| (key.operator.as_str(), key.hour, h.clone())).collect();
    // 12:00 UTC is 17:30 in India.
    let expected = [
        ("A", 12, Histogram::of((0..40).flat_map(ticks))),
        ("A", 17, Histogram::of((0..20).flat_map(ticks))),
    ];
    assert_eq!(groups, expected);
    // Only what the filter lets through, and nothing but histograms that have a moment.
    store.put_batch(&batch("b", [(0, sample("west", 0, number(1.0)))])).unwrap();
    let source = Source { kind: SourceKind::Imported, name: "table".into() };
    let peak = Entry { sample: make("west", 1), window: Window::Peak };
    store.put_entries(&source, &[peak]).unwrap();
    let filter = Filter { to: Some(NOON + Span::secs(60 * 20)), ..Filter::default() };
    let (mut scanned, mut merged) = (0, Vec::new());
    store
        .scan(&filter, &mut |row| {
            scanned += usize::from(matches!((row.values, row.window), (RowValues::Histogram(_), Window::At)));
        })
        .unwrap();
    let mut each = |row: &HistogramRow<'_>| {
        let operator = row.line.map(|line| line.operator.clone());
        merged.push((operator, row.metric, row.started_at, Histogram::from_rest(row.at_rest).unwrap()));
    };
    store.scan_histograms(&filter, &mut each).unwrap();
    assert_eq!((scanned, merged.len()), (40, 40));
    let first = (Some("A".to_owned()), MetricId::ROUND_TRIP_DELAY, NOON, Histogram::of(ticks(0)));
    assert_eq!(merged[0], first);
}

pub(crate) fn what_surrounds_the_lines_is_brought_up_to_date_and_listed(store: &dyn Store) {
    let reading = |node: &str, second: i64, ratio: f64| Utilisation {
        node: node.into(),
        started_at: NOON + Span::secs(second),
        direction: Direction::Down,
        ratio,
        capacity_mbps: Some(1_000.0),
    };
    let mut rows = vec![reading("b", 0, 0.5), reading("a", 3_600, 0.7), reading("a", 0, 0.6)];
    assert_eq!(store.put_utilisation(&rows).unwrap().added, 3);
    rows[0].ratio = 0.55;
    let again = store.put_utilisation(&rows).unwrap();
    assert_eq!(again, Tally { changed: 1, unchanged: 2, ..Tally::default() });
    rows.reverse();
    assert_eq!(store.utilisation(None, None).unwrap(), rows);
    assert_eq!(store.utilisation(Some(NOON + Span::secs(1)), None).unwrap(), rows[1..2]);

    let full = Action {
        action_id: "x1".into(),
        kind: "split".into(),
        owner: "planning".into(),
        due_at: NOON,
        node: Some("a".into()),
        metric: Some(MetricId::LOADED_ROUND_TRIP_DELAY),
        target_value: Some(50.0),
        started_at: Some(NOON),
        done_at: Some(NOON + Span::secs(60)),
        verify_by: None,
        cost: Some(900.0),
        ..Action::default()
    };
    let bare = Action { action_id: "x0".into(), kind: "其他".into(), ..Action::default() };
    assert_eq!(store.put_actions(&[full.clone(), bare.clone()]).unwrap().added, 2);
    assert_eq!(store.put_actions(std::slice::from_ref(&full)).unwrap().unchanged, 1);
    assert_eq!(store.actions().unwrap(), [bare, full]);

    let said = |source: Option<&str>, score: f64| Reputation {
        region: "north".into(),
        month: "2026-05".into(),
        operator: "A".into(),
        score,
        source: source.map(str::to_owned),
    };
    let mut rows = vec![said(None, 61.0), said(Some("survey"), 70.0)];
    assert_eq!(store.put_reputation(&rows).unwrap().added, 2);
    rows[0].score = 62.0;
    assert_eq!(store.put_reputation(&rows).unwrap().changed, 1);
    assert_eq!(store.reputation().unwrap(), rows);
}

pub(crate) fn answers_to_a_survey_are_brought_up_to_date_and_listed_by_time(store: &dyn Store) {
    let response = |respondent: &str, second: i64, answers: &[(&str, f64)]| Response {
        respondent_id: respondent.into(),
        answered_at: NOON + Span::secs(second),
        line_id: (respondent == "b").then(|| "线路".into()),
        segment: Some("home".into()),
        operator: (respondent == "a").then(|| "A".into()),
        answers: answers.iter().map(|(item, value)| ((*item).to_owned(), *value)).collect(),
    };
    let third = 10.0 / 3.0;
    let mut rows = vec![
        response("b", 60, &[("quality_1", 7.0), ("质量", third)]),
        response("a", 60, &[]),
        // Who is asked again answers again.
        response("b", 0, &[("quality_1", 5.0)]),
    ];
    assert_eq!(store.put_responses(&rows).unwrap().added, 3);
    rows[0].answers.remove("quality_1");
    rows[0].segment = None;
    let again = store.put_responses(&rows).unwrap();
    assert_eq!(again, Tally { changed: 1, unchanged: 2, ..Tally::default() });
    rows.reverse();
    assert_eq!(store.responses(None, None).unwrap(), rows);
    assert_eq!(store.responses(Some(NOON), Some(NOON + Span::secs(60))).unwrap(), rows[..1]);
    assert_eq!(store.responses(Some(NOON + Span::secs(60)), None).unwrap(), rows[1..]);
}
