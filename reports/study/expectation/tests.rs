use super::*;
use crate::stats::{Purpose, Stream};
use crate::study::Answer;
use crate::study::planted::habits::{Habits, complain};
use broadgauge_model::complaint::Class;
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::CellValues;
use broadgauge_model::place::Promise;
use broadgauge_model::result::{Direction, Load};

fn quick() -> Query {
    Query { swaps: 19, ..Query::of("A") }
}

#[test]
fn planted_weights_come_back_through_the_whole_study_and_the_placebo_loses() {
    let study = study(&Habits::PLANTED.town(1), &Query { levels: true, ..quick() });
    let row = &study.rows[0];
    assert_eq!(row.factors, Factor::ALL);
    assert!(row.matters.p.unwrap() < 1e-4, "{:?}", row.matters);
    assert!(row.weights.separable, "{:?} {:?}", row.weights, row.correlations);
    for (weight, truth) in row.weights.pooled.iter().zip([0.5, 0.3, 0.15, 0.05]) {
        let e = weight.weight.as_estimate().unwrap();
        assert!(e.interval().0 <= truth + 0.02 && truth - 0.02 <= e.interval().1, "{weight:?} {truth}");
    }
    for segment in &row.weights.segments {
        for (weight, truth) in segment.weights.iter().zip([0.5, 0.3, 0.15, 0.05]) {
            let Some(e) = weight.weight.as_estimate() else { continue };
            assert!(e.interval().0 <= truth + 0.03 && truth - 0.03 <= e.interval().1, "{segment:?}");
            assert!(e.interval().1 - e.interval().0 <= 0.5, "{segment:?}");
        }
    }
    let home = row.weights.segments.iter().find(|s| s.segment == "home").unwrap();
    assert!(home.weights.iter().all(|w| w.weight.as_estimate().is_some()), "{home:?}");
    let short = row.odds_ratio_per_tenth_short.as_estimate().unwrap();
    assert!((short.value().ln() / 0.0953 - 3.0).abs() < 0.8, "{short:?}");
    assert!((row.placebo.p.unwrap() - 0.05).abs() < 1e-12, "{:?}", row.placebo);
    let held_out = row.held_out.unwrap();
    assert!(held_out.auc_shortfall > held_out.auc_value && held_out.deviance_gain > 0.0, "{held_out:?}");
    let all = &row.months[0];
    assert_eq!((all.segment.as_deref(), all.month.as_deref()), (None, None));
    let (below, inside, above) = (&all.zone.below, &all.zone.inside, &all.zone.above);
    let share = |a: &Answer| a.as_estimate().unwrap().value();
    assert!((share(below) + share(inside) + share(above) - 1.0).abs() < 1e-5);
    // More is promised than plans deliver: marketing's gap is to the customers' disadvantage.
    let promise = all.gaps[0].value.as_estimate().unwrap();
    assert!(promise.interval().0 > 0.0 && all.gaps[0].owner == "marketing", "{promise:?}");
    assert!(row.months.iter().any(|m| m.segment.as_deref() == Some("business") && m.month.is_some()));
    assert!(!row.levels.is_empty());
    assert!(!serde_json::to_string(&study).unwrap().contains("NaN"));
}

#[test]
fn a_segment_of_a_few_lines_has_no_weights_of_its_own_and_says_why() {
    let mut panel = Habits::PLANTED.town(1);
    panel.lines.iter_mut().take(9).for_each(|line| line.segment = Some("pilot".into()));
    let study = study(&panel, &Query { replicates: 60, ..quick() });
    let segments = &study.rows[0].weights.segments;
    let pilot = segments.iter().find(|s| s.segment == "pilot").unwrap();
    for weight in &pilot.weights {
        let reason = weight.weight.as_declined().unwrap().reason.to_string();
        assert!(reason.contains("clusters of the segment, and at least 20 are needed"), "{reason}");
    }
    assert!(segments.iter().any(|s| s.weights.iter().all(|w| w.weight.as_estimate().is_some())));
}

#[test]
fn history_that_only_repeats_the_region_is_not_weighed() {
    let mut panel = Habits { lines: 400, weeks: 10, ..Habits::PLANTED }.town(2);
    // Every line of a region and plan has the same value every evening: its own history is the region's.
    for cell in &mut panel.cells {
        let (region, plan) = (cell.line % 6, cell.line / 6 % 4);
        cell.values = CellValues::Number(20.0 + 7.0 * f64::from(region) + 15.0 * f64::from(plan));
    }
    let study = study(&panel, &quick());
    let row = &study.rows[0];
    assert!(!row.weights.separable && row.weights.used == "equal", "{:?}", row.weights);
    let reason = row.weights.pooled[0].weight.as_declined().unwrap().reason.to_string();
    assert!(reason.contains("cannot be separated from each other"), "{reason}");
}

#[test]
fn without_reputation_and_promise_their_weight_goes_to_the_others() {
    let mut panel = Habits { lines: 300, weeks: 10, ..Habits::PLANTED }.town(3);
    panel.reputation.clear();
    panel.lines.iter_mut().for_each(|line| line.promise = Promise::default());
    let study = study(&panel, &quick());
    let row = &study.rows[0];
    assert_eq!(row.factors_missing, [Factor::Promise, Factor::WordOfMouth]);
    let all = &row.months[0];
    assert!(all.promise.as_declined().is_some() && all.expected.as_estimate().is_some());
    assert!(all.zone.below.as_declined().is_some() || row.knee.as_estimate().is_some());
}

#[test]
fn too_little_is_refused_by_name() {
    let mut panel = Habits { lines: 120, weeks: 8, ..Habits::PLANTED }.town(4);
    panel.complaints.truncate(8);
    let row = &study(&panel, &quick()).rows[0];
    let reason = row.matters.slope.as_declined().unwrap().reason.to_string();
    assert!(reason.contains("at least 20 are needed"), "{reason}");
    assert_eq!(row.weights.used, "equal");
    panel.cells.clear();
    let none = study(&panel, &quick());
    assert!(none.declined.unwrap().reason.to_string().contains("no metric was measured"));
}

#[test]
fn neither_threads_nor_the_order_of_rows_change_a_byte() {
    let panel = Habits { lines: 200, weeks: 9, ..Habits::PLANTED }.town(5);
    let json = |panel: &Panel| serde_json::to_string(&study(panel, &quick())).unwrap();
    let expected = json(&panel);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(pool.install(|| json(&panel)), expected);
    let mut shuffled = panel.clone();
    shuffled.cells.reverse();
    shuffled.complaints.reverse();
    assert_eq!(json(&shuffled), expected);
}

/// The lines of the planted habits with round trips instead of rates, none of them promised, and complaints of those who
/// are short of the norm of their class, their own history, the region and the talk, with these weights.
fn delays(weights: [f64; 4]) -> Panel {
    let mut panel = Habits::PLANTED.panel(7);
    for cell in &mut panel.cells {
        let CellValues::Number(rate) = cell.values else { continue };
        cell.metric = MetricId::ROUND_TRIP_DELAY;
        (cell.load, cell.direction) = (Load::Idle, Direction::RoundTrip);
        cell.values = CellValues::Number(2_000.0 / rate);
    }
    let levels = study(&panel, &Query { levels: true, replicates: 20, ..quick() }).rows.remove(0).levels;
    let stream = &mut Stream::new(34, Purpose::Simulation, 1);
    let mut free = vec![i32::MIN; panel.lines.len()];
    for level in &levels {
        let known: Option<Vec<f64>> = level.factors.iter().map(|f| f.map(f64::ln)).collect();
        let Some(known) = known else { continue };
        let expected: f64 = known.iter().zip(weights).map(|(f, w)| f * w).sum();
        let short = (level.observed.ln() - expected).max(0.0);
        let line = panel.lines.iter().position(|line| line.line_id == level.line_id).unwrap();
        let week: jiff::civil::Date = level.week.parse().unwrap();
        let days = week.since(jiff::civil::date(1970, 1, 1)).unwrap().get_days();
        let day = days + stream.below(7) as i32;
        if stream.uniform() < 1.0 / (1.0 + (3.8 - 3.0 * short).exp()) && day > free[line] {
            free[line] = day + 28;
            complain(&mut panel, line, day, Class::Network);
        }
    }
    panel
}

#[test]
fn a_delay_that_nobody_promised_is_judged_by_the_norm_of_its_class() {
    let planted = [0.5, 0.3, 0.15, 0.05];
    let mut panel = delays(planted);
    let asked = Query { levels: true, replicates: 100, ..quick() };
    let got = study(&panel, &asked);
    let row = &got.rows[0];
    assert!(row.factors_missing.is_empty() && row.judged_by_norm == 1_000, "{:?}", row.factors_missing);
    let is_norm = |note: &&Note| note.reason.to_string().contains("norm of their technology");
    assert_eq!(got.head.notes.iter().find(is_norm).unwrap().count, 1_000);
    assert!(row.matters.p.unwrap() < 0.01, "{:?}", row.matters);
    // A norm is one for a whole class, so its weight is known less well than that of promises that differ.
    for (weight, truth) in row.weights.pooled.iter().zip(planted) {
        let Some(e) = weight.weight.as_estimate() else { continue };
        assert!(e.interval().0 <= truth + 0.02 && truth - 0.02 <= e.interval().1, "{weight:?} {truth}");
    }
    // The norm is the median of the class: half of its lines are better.
    let last = row.levels.iter().map(|level| level.week.clone()).max().unwrap();
    for tier in [50.0, 200.0] {
        let of_tier = |level: &&Level| {
            let line = panel.lines.iter().find(|line| line.line_id == level.line_id).unwrap();
            level.week == last && line.promise.promised_down_mbps == Some(tier)
        };
        let inside: Vec<&Level> = row.levels.iter().filter(of_tier).collect();
        let norms: Vec<f64> = inside.iter().map(|level| level.factors[0].unwrap()).collect();
        let (low, high) = norms.iter().fold((f64::MAX, f64::MIN), |(l, h), n| (n.min(l), n.max(h)));
        assert!(high / low < 1.05, "one norm for a class: {low} to {high}");
        let better = inside.iter().filter(|level| level.observed < low).count() as f64;
        assert!((0.4..0.6).contains(&(better / inside.len() as f64)), "{tier}: {better}");
    }
    // Nobody promised it, so nobody promised too much, and no norm is told as a promise.
    let gap = |study: &Expectation| study.rows[0].months[0].gaps[0].value.as_estimate().is_some();
    let all = &row.months[0];
    assert!(!gap(&got) && all.promise.as_declined().is_some() && all.norm.as_estimate().is_some());
    assert!(row.promise_is == Some(Promised::Norm) && row.levels.iter().all(|level| level.by_norm));
    // Of those to whom something is promised, the promise is told, and of the others the norm.
    let mut some = panel.clone();
    some.lines.iter_mut().step_by(2).for_each(|line| line.promise.promised_delay_ms = Some(15.0));
    let some = study(&some, &Query { levels: true, replicates: 20, ..quick() });
    let row = &some.rows[0];
    assert!(row.judged_by_norm == 500 && row.promise_is == Some(Promised::ContractOrNorm));
    assert!((row.months[0].promise.as_estimate().unwrap().value() - 15.0).abs() < 1e-6);
    assert_eq!(row.months[0].norm.as_estimate().unwrap().n(), 500);
    assert!(row.levels.iter().all(|l| l.by_norm != l.factors[0].is_some_and(|p| (p - 15.0).abs() < 1e-9)));
    // Where it is promised, the promise counts.
    panel.lines.iter_mut().for_each(|line| line.promise.promised_delay_ms = Some(15.0));
    let promised = study(&panel, &asked);
    let row = &promised.rows[0];
    assert!(row.judged_by_norm == 0 && row.promise_is == Some(Promised::Contract) && gap(&promised));
    assert!(promised.head.notes.iter().all(|note| !is_norm(&note)));
    assert!(row.levels.iter().all(|level| (level.factors[0].unwrap() - 15.0).abs() < 1e-9));
    // Nor has a class that nobody knows a norm.
    panel.lines.iter_mut().for_each(|line| {
        line.promise = Promise::default();
        line.technology = None;
    });
    assert_eq!(study(&panel, &asked).rows[0].factors_missing, [Factor::Promise]);
}
