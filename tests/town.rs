//! The town whose truth is known, from its tables on disk to the studies: what `truth.json` says was planted lies in the
//! intervals that the studies give, and nothing is found where nothing was planted.
//!
//! Two towns are asked. In the small one complaints rise from the first millisecond on, so a rate ratio per 10 ms is
//! what was planted; in the whole one they rise from a knee on.
#![expect(clippy::unwrap_used, reason = "a test")]

use broadgauge::demo::{take_in, town};
use broadgauge::gather;
use broadgauge::store::Memory;
use broadgauge_model::complaint::Class;
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::Panel;
use broadgauge_reports::study::closed_loop::State;
use broadgauge_reports::study::complaints::row::Control;
use broadgauge_reports::study::peers::{Key, Verdict};
use broadgauge_reports::study::satisfaction::{self, Satisfaction};
use broadgauge_reports::study::{
    Answer, balance, closed_loop, complaints, expectation, handling, peers, silent,
};
use jiff::civil::Date;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const LAST_DAY: Date = Date::constant(2026, 11, 22);
const DELAY: MetricId = MetricId::LOADED_ROUND_TRIP_DELAY;

/// A town as the studies see it, beside its truth.
struct Town {
    panel: Panel,
    truth: Value,
    /// What its survey says; the small town has none.
    survey: Option<Satisfaction>,
}

static SMALL: LazyLock<Town> = LazyLock::new(|| Town::of(&town::Plan::of(1, LAST_DAY)));
static WHOLE: LazyLock<Town> = LazyLock::new(|| Town::of(&town::Plan::whole(1, LAST_DAY)));

impl Town {
    fn of(plan: &town::Plan) -> Self {
        let folder = tempfile::tempdir().unwrap();
        town::write(plan, folder.path()).unwrap();
        let store = Memory::default();
        take_in(plan, folder.path(), &store).unwrap();
        let own = gather::Request { own: town::OWN.to_owned(), ..gather::Request::default() };
        let truth = std::fs::read(folder.path().join(town::TRUTH)).unwrap();
        let asked = satisfaction::Query { replicates: 200, ..satisfaction::Query::of(town::OWN) };
        let survey = || satisfaction::study(&gather::survey(&store, &own, &asked).unwrap(), &asked);
        Self {
            panel: gather::panel(&store, &own).unwrap(),
            truth: serde_json::from_slice(&truth).unwrap(),
            survey: plan.whole.then(survey),
        }
    }

    fn planted(&self, what: &str) -> f64 {
        self.truth["planted"][what].as_f64().unwrap()
    }
}

fn interval(answer: &Answer) -> (f64, f64) {
    answer.as_estimate().unwrap_or_else(|| panic!("{answer:?}")).interval()
}

fn holds(answer: &Answer, truth: f64) -> bool {
    let (low, high) = interval(answer);
    (low..=high).contains(&truth)
}

#[test]
fn everything_that_was_written_is_in_the_store() {
    for town in [&*SMALL, &*WHOLE] {
        assert_eq!(town.truth["lines"], town.panel.lines.len());
        assert_eq!(town.truth["results"], town.panel.cells.len());
        let study = handling::study(&town.panel, &handling::Query::of(town::OWN));
        let cases = |by: &str, value: &str| {
            study.groups.iter().find(|group| group.by == by && group.value == value).unwrap().cases
        };
        let written = |class: &str| town.truth[format!("{class}_complaints")].as_u64().unwrap() as usize;
        let classes = ["network", "billing", "service"];
        for class in classes {
            assert_eq!(cases("class", class), written(class), "{class}");
        }
        assert_eq!(cases("all", "all"), classes.map(written).iter().sum::<usize>());
        assert!(study.overdue_in_all > 0 && study.unowned_in_all > 0);
    }
}

#[test]
fn the_planted_gap_to_the_peers_is_found_and_no_other() {
    let town = &*SMALL;
    let query = peers::Query {
        metrics: vec![DELAY],
        by: vec![Key::Technology, Key::Hours],
        quantiles: vec![0.5],
        replicates: 400,
        ..peers::Query::of(town::OWN)
    };
    let study = peers::study(&town.panel, &query);
    let (mut behind, mut level, mut held) = (0, 0, 0);
    for row in study.rows.iter().filter(|row| !row.stratum.is_combined()) {
        let at = (row.stratum.get(Key::Technology), row.stratum.get(Key::Hours));
        if at == (Some("fttc"), Some("peak")) {
            assert!(holds(&row.ratio, town.planted("fttc_peak_ratio")), "{at:?} {:?}", row.ratio);
            assert_eq!(row.verdict, Verdict::Worse, "{at:?}");
            behind += 1;
        } else {
            assert_ne!(row.verdict, Verdict::Worse, "{at:?} {:?}", row.ratio);
            level += 1;
            held += usize::from(holds(&row.ratio, town.planted("ratio_elsewhere")));
        }
    }
    assert_eq!((behind, level), (2, 10), "two peers, three technologies, two kinds of hours");
    assert!(held >= 8, "{held} of ten 95% intervals hold the truth");
}

#[test]
fn the_planted_rate_ratio_is_found_and_both_negative_controls_are_silent() {
    let town = &*SMALL;
    let query = complaints::Query {
        metrics: vec![DELAY],
        windows_hours: vec![24],
        replicates: 100,
        all_views: false,
        ..complaints::Query::of(town::OWN)
    };
    let study = complaints::study(&town.panel, &query);
    let ratio = |control: Option<Control>| {
        let row = study.case_crossover.iter().find(|row| row.control == control).unwrap();
        assert_eq!(row.increment, 10.0);
        &row.rate_ratio
    };
    assert!(holds(ratio(None), town.planted("complaint_rate_ratio_per_10_ms")));
    assert!(holds(ratio(Some(Control::Billing)), town.planted("other_complaint_rate_ratio_per_10_ms")));
    assert!(holds(ratio(Some(Control::Future)), 1.0));
}

#[test]
fn customers_complain_from_the_planted_delay_on() {
    let town = &*WHOLE;
    let query = complaints::Query {
        metrics: vec![DELAY],
        windows_hours: vec![24],
        replicates: 100,
        ..complaints::Query::of(town::OWN)
    };
    let study = complaints::study(&town.panel, &query);
    let row = study.dose_response.iter().find(|row| row.class == Class::Network).unwrap();
    assert!(holds(&row.knee, town.planted("knee_ms")), "{:?}", row.knee);
    let beyond = row.beyond_knee.as_ref().unwrap();
    assert!(holds(beyond, town.planted("complaint_rate_ratio_per_10_ms")), "{beyond:?}");
}

#[test]
fn what_customers_judge_by_is_found_and_it_matters() {
    let town = &*WHOLE;
    let query = expectation::Query {
        metrics: vec![MetricId::DOWNLOAD_GOODPUT],
        swaps: 19,
        replicates: 100,
        ..expectation::Query::of(town::OWN)
    };
    let study = expectation::study(&town.panel, &query);
    let row = &study.rows[0];
    assert!(row.matters.p.unwrap() < 1e-4, "{:?}", row.matters);
    assert!(row.placebo.p.unwrap() < 0.051, "none of 19 swaps does as well: {:?}", row.placebo);
    let slope = town.truth["expectation"]["slope"].as_f64().unwrap();
    assert!(
        holds(&row.odds_ratio_per_tenth_short, 1.1_f64.powf(slope)),
        "{:?}",
        row.odds_ratio_per_tenth_short
    );
    assert!(row.weights.separable, "{:?}", row.weights);
    let planted = |segment: &str, factor: usize| {
        let word = ["promise", "history", "region", "word_of_mouth"][factor];
        town.truth["expectation"][segment][word].as_f64().unwrap()
    };
    let home = row.weights.segments.iter().find(|segment| segment.segment == "home").unwrap();
    for (factor, weight) in home.weights.iter().enumerate() {
        assert!(holds(&weight.weight, planted("home", factor)), "{weight:?}");
    }
    // The weights of all customers lie between those of the two segments.
    for (factor, weight) in row.weights.pooled.iter().enumerate() {
        let (home, business) = (planted("home", factor), planted("business", factor));
        let (low, high) = interval(&weight.weight);
        assert!(low <= home.max(business) && home.min(business) <= high, "{weight:?}");
    }
}

#[test]
fn those_who_will_complain_are_found_before_they_do() {
    let study =
        silent::study(&WHOLE.panel, &silent::Query { replicates: 99, ..silent::Query::of(town::OWN) });
    let judged = study.judged.unwrap();
    let by_chance = judged.complained as f64 / judged.lines as f64;
    assert!(judged.lift.unwrap() > 1.0 && interval(&judged.precision).0 > by_chance, "{judged:?}");
    assert!(holds(&judged.calibration_slope, 1.0), "{judged:?}");
}

#[test]
fn nodes_may_run_as_full_as_was_planted() {
    let town = &*WHOLE;
    let knee = town.planted("knee_ms");
    // The town's customers complain again whenever they have cause, so every complaint counts here. Where repeats are
    // left out, those who complain soonest are missing from the worst days, and the knee is told a little late: 82 ms in the
    // mean of six such towns. With this seed it is 100, in an interval that begins at 85.
    let found = balance::Query { repeat_days: 0, replicates: 199, ..balance::Query::of(town::OWN) };
    let given = balance::Query { limit: Some(knee), ..found.clone() };
    for query in [found, given] {
        let study = balance::study(&town.panel, &query);
        assert!(holds(&study.limit, knee), "{:?}", study.limit);
        let rise = town.planted("complaint_rate_ratio_per_10_ms");
        assert!(
            query.limit.is_some() || holds(&study.odds_ratio_per_10, rise),
            "{:?}",
            study.odds_ratio_per_10
        );
        // Not fibre: where traffic was rerouted for a month, delay did not follow utilisation.
        for technology in ["cable", "fttc"] {
            let point = study.points.iter().find(|point| point.technology == technology).unwrap();
            let planted = town.truth["balance_point"][technology].as_f64().unwrap();
            assert!(holds(&point.utilisation, planted), "{technology}: {:?}", point.utilisation);
        }
    }
}

/// The share by which splitting its nodes changed their delay, as their utilisation says: delay goes with
/// 1 / (1 - utilisation).
fn split_brought(town: &Town, ratio: f64) -> f64 {
    let mut fullest = BTreeMap::new();
    for load in &town.panel.loads {
        let known: &mut f64 = fullest.entry((load.node, load.day)).or_default();
        *known = known.max(load.ratio);
    }
    let mut changes = Vec::new();
    for action in town.panel.actions.iter().filter(|action| action.action.kind == "node_split") {
        let (node, done) = (action.action.node.as_ref().unwrap(), action.done.unwrap());
        let node = town.panel.nodes.iter().position(|name| name == node).unwrap() as u32;
        for day in done + 1..=done + 28 {
            let with = fullest[&(node, day)];
            changes.push(((1.0 - with / ratio) / (1.0 - with)).ln());
        }
    }
    (changes.iter().sum::<f64>() / changes.len() as f64).exp() - 1.0
}

#[test]
fn work_that_helps_is_told_from_work_that_does_nothing() {
    let town = &*WHOLE;
    let query = closed_loop::Query { replicates: 1_199, ..closed_loop::Query::of(town::OWN) };
    let study = closed_loop::study(&town.panel, &query);
    let kind = |kind: &str| study.kinds.iter().find(|row| row.kind == kind).unwrap();
    let effects = &town.truth["action_effects"];
    let split = split_brought(town, effects["node_split_utilisation_ratio"].as_f64().unwrap());
    let reroute = effects["reroute_delay_ratio"].as_f64().unwrap() - 1.0;
    for (word, helps, change) in
        [("node_split", true, split), ("reroute", true, reroute), ("card_reset", false, 0.0)]
    {
        let row = kind(word);
        assert!(row.helps == Some(helps) && holds(&row.change, change), "{word} {change}: {row:?}");
    }
    let mut verified = 0;
    for planted in town.truth["actions"].as_array().unwrap() {
        let row = study.actions.iter().find(|row| planted["action_id"] == row.action_id.as_str()).unwrap();
        let may_be = match planted["truth"].as_str().unwrap() {
            "helps" => &[State::Verified, State::NotVerified, State::Done][..],
            "fades" => &[State::Recurred, State::NotVerified, State::Done],
            "nothing" => &[State::NotVerified, State::Done],
            _ => &[State::Proposed, State::InProgress],
        };
        assert!(may_be.contains(&row.state), "{planted}: {row:?}");
        verified += usize::from(row.state == State::Verified);
    }
    assert!(verified >= 3, "{verified}");
}

#[test]
fn the_planted_arrows_of_the_survey_are_found_and_no_others() {
    let town = &*WHOLE;
    let study = town.survey.as_ref().unwrap();
    let planted: BTreeMap<(&str, &str), f64> = town.truth["survey_paths"]
        .as_array()
        .unwrap()
        .iter()
        .map(|path| {
            let word = |key: &str| path[key].as_str().unwrap();
            ((word("from"), word("to")), path["between_what_is_felt"].as_f64().unwrap())
        })
        .collect();
    let mut found = 0;
    for path in &study.paths {
        let (low, high) = interval(&path.coefficient);
        match planted.get(&(path.from.as_str(), path.to.as_str())) {
            // Answers tell what is felt with error, and what is felt varies more than by one where several arrows
            // meet: a path between standardised scores is somewhat smaller than the planted one.
            Some(size) => {
                assert!(low > 0.0 && low <= *size && high >= 0.85 * size, "{path:?}, planted {size}");
                found += 1;
            }
            None => assert!(low <= 0.0 && 0.0 <= high, "{path:?}, none planted"),
        }
    }
    assert_eq!(found, planted.len());
}
