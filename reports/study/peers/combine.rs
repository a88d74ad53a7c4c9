//! The rows of one series and one peer operator: every stratum and quantile, and those over several strata.
//!
//! Rows over several strata weigh each by the lines that the standard operator has in it, so that both sides answer
//! for the same customers: D = sum of w D over the strata in which both sides are known well enough.

use super::clock;
use super::curve;
use super::draws::{Cell, Draws, hours_apart};
use super::query::{Key, Query};
use super::resample::{Resampled, Shuffler, resample};
use super::row::{Curve, Equivalence, Row, Side, Stratum, Verdict};
use super::sides::{Counts, Sides, enough, few_lines, tally, turned, with_deciles};
use super::strata::{Group, Matched, Part, Strata};
use super::verdict::{equivalence, margin_between};
use crate::study::seed::seed_of;
use crate::study::{Answer, Series};
use broadgauge_model::text::Phrase;
use std::collections::{BTreeMap, BTreeSet};

/// A row on the way, with what its p-value needs.
pub(super) struct Pending {
    pub(super) row: Row,
    /// Which pair it belongs to.
    pub(super) pair: usize,
    /// Which quantile.
    pub(super) quantile: usize,
    pub(super) cells: Vec<Cell>,
    /// The difference in the fixed order of the pair, where there is one.
    pub(super) observed: Option<f64>,
}

/// A side of a pair, put in order by its lines rather than by its name.
fn first_line<'a>(matched: &'a Matched, operator: &str) -> &'a str {
    let groups = matched.grounds.values().filter_map(|groups| groups.get(operator));
    groups.filter_map(|g| g.first()).map(|l| l.line_id.as_str()).min().unwrap_or("")
}

/// z for 80% power at a two-sided 5% level: 1.960 + 0.842.
const POWER: f64 = 2.801_585;

/// The resamples of every operator on every ground of one series.
pub(super) struct Resamples<'a> {
    grounds: Vec<&'a Stratum>,
    by_operator: BTreeMap<&'a str, Vec<Option<Resampled>>>,
}

impl<'a> Resamples<'a> {
    pub(super) fn of(series: &Series, matched: &'a Matched, query: &Query) -> Self {
        let grounds: Vec<&Stratum> = matched.grounds.keys().collect();
        let quantiles = with_deciles(&query.quantiles);
        let mut by_operator: BTreeMap<&str, Vec<Option<Resampled>>> = BTreeMap::new();
        for (place, (ground, groups)) in matched.grounds.iter().enumerate() {
            // Without a counterpart there is nothing to compare, so nothing to resample.
            for (operator, group) in groups.iter().filter(|_| groups.len() > 1) {
                let line = group.first().map_or("", |l| l.line_id.as_str());
                let seed = seed_of(query.seed, &[&series_words(series), &stratum_words(ground), line]);
                let column = by_operator
                    .entry(operator)
                    .or_insert_with(|| std::iter::repeat_with(|| None).take(grounds.len()).collect());
                column[place] = resample(group, &quantiles, query.replicates, query.minimum_lines, seed);
            }
        }
        Self { grounds, by_operator }
    }

    fn side(&self, operator: &str) -> Vec<Option<&Resampled>> {
        self.by_operator.get(operator).map_or_else(
            || vec![None; self.grounds.len()],
            |column| column.iter().map(Option::as_ref).collect(),
        )
    }
}

fn series_words(s: &Series) -> String {
    format!(
        "{} {} {} {} {} {}",
        s.metric,
        s.load.word(),
        s.direction.word(),
        s.statistic.word(),
        s.method,
        s.made
    )
}

fn stratum_words(stratum: &Stratum) -> String {
    let mut words = String::new();
    for (key, value) in &stratum.0 {
        words.push_str(key.word());
        words.push('=');
        words.push_str(value);
        words.push('\u{1f}');
    }
    words
}

/// Lines and observations of one side in one part of the week on one ground.
fn counts(group: Option<&Group>, part: Part) -> (usize, u64) {
    let parts = group.into_iter().flatten().filter_map(|l| l.points(part));
    parts.fold((0, 0), |(lines, observations), points| {
        (lines + 1, observations + points.iter().map(|p| p.1).sum::<u64>())
    })
}

/// Adds the rows of one peer operator, and answers with what shuffles its lines, by ground.
pub(super) fn compare(
    strata: &Strata,
    (series, matched): (&Series, &Matched),
    resampled: &Resamples<'_>,
    query: &Query,
    peer: &str,
    pair: usize,
    (pending, curves): (&mut Vec<Pending>, &mut Vec<Curve>),
) -> Vec<Option<Shuffler>> {
    let own = query.own.as_str();
    let own_first = first_line(matched, own) < first_line(matched, peer);
    let sides = (resampled.side(own), resampled.side(peer));
    let mut shufflers = Vec::new();
    let mut eligible: Vec<Cell> = Vec::new();
    for (place, (ground, groups)) in matched.grounds.iter().enumerate() {
        let (Some(a), Some(b)) = (groups.get(own), groups.get(peer)) else {
            shufflers.push(None);
            continue;
        };
        let parts: BTreeSet<Part> = a.iter().chain(b).flat_map(|l| l.parts.iter().map(|(p, _)| *p)).collect();
        let mut enough = Vec::new();
        for part in parts {
            let (own_counts, peer_counts) = (counts(Some(a), part), counts(Some(b), part));
            if own_counts.0 == 0 || peer_counts.0 == 0 {
                continue;
            }
            let standard = match &query.standard {
                Some(operator) => counts(groups.get(operator), part).0,
                None => own_counts.0 + peer_counts.0,
            };
            let hours_apart = matched.hours_apart(ground, (own, peer), part);
            let cell = Cell { ground: place, part, weight: standard as f64, hours_apart };
            let same_hours = clock::refused(hours_apart).is_none();
            if same_hours && own_counts.0.min(peer_counts.0) >= query.minimum_lines {
                enough.push(part);
                eligible.push(cell);
            }
            for q in 0..query.quantiles.len() {
                let cells = [Cell { weight: 1.0, ..cell }];
                let stratum = labelled(strata, ground, Some(part));
                let head = (series, peer, stratum);
                let known = Some((own_counts, peer_counts));
                pending.push(row(query, head, (&sides, own_first), &cells, q, pair, known));
            }
            if enough.last() == Some(&part) {
                let stratum = labelled(strata, ground, Some(part));
                let seed = seed_of(
                    query.seed,
                    &["curve", &series_words(series), &stratum_words(ground), &part.words()],
                );
                let groups = if own_first { (a, b) } else { (b, a) };
                let of = curve::Pair { groups, sides: &sides, own_first, cell };
                curves.push(curve::curve(series, stratum, (own, peer), &of, query, seed));
            }
        }
        // Which of the two is the own operator must not move a p-value: the pair is put in order.
        let (x, y) = if own_first { (a, b) } else { (b, a) };
        let name = |group: &Group| group.first().map_or(String::new(), |l| l.line_id.clone());
        let words = [&*series_words(series), &stratum_words(ground), &name(x), &name(y)];
        let seed = seed_of(query.seed, &words);
        shufflers.push((!enough.is_empty()).then(|| Shuffler::new(x, y, enough.into_iter(), seed)));
    }
    combined(strata, (series, peer), query, (&sides, own_first), &eligible, pair, pending);
    shufflers
}

/// Rows over several strata: over the grounds for each part of the week, and over everything.
fn combined(
    strata: &Strata,
    (series, peer): (&Series, &str),
    query: &Query,
    (sides, own_first): (&Sides<'_>, bool),
    eligible: &[Cell],
    pair: usize,
    pending: &mut Vec<Pending>,
) {
    let parts: BTreeSet<Part> = eligible.iter().map(|c| c.part).collect();
    let mut wanted: Vec<Option<Part>> = Vec::new();
    if strata.by.iter().any(|k| !k.is_of_time()) {
        wanted.extend(parts.iter().copied().map(Some));
    }
    // A summary of many hours holds its parts already: it is never averaged with them.
    if parts.iter().filter(|p| !p.is_summary()).count() > 1 {
        wanted.push(None);
    }
    for part in wanted {
        for (q, &p) in query.quantiles.iter().enumerate() {
            let known = |side: &[Option<&Resampled>], cell: &Cell| {
                let found = side[cell.ground].and_then(|r| r.parts.get(&cell.part));
                // A quantile that is the largest value of a few lines is not the quantile of many.
                found.is_some_and(|f| f.effective[q] >= 1.0 / p.min(1.0 - p))
            };
            let mut cells: Vec<Cell> = eligible
                .iter()
                .filter(|c| part.map_or(!c.part.is_summary(), |p| p == c.part) && c.weight > 0.0)
                .filter(|c| known(&sides.0, c) && known(&sides.1, c))
                .copied()
                .collect();
            if cells.len() < 2 {
                continue;
            }
            let total: f64 = cells.iter().map(|c| c.weight).sum();
            for cell in &mut cells {
                cell.weight /= total;
            }
            let stratum = labelled(strata, &Stratum::default(), part);
            pending.push(row(query, (series, peer, stratum), (sides, own_first), &cells, q, pair, None));
        }
    }
}

/// A stratum in the order of the keys asked for; what is not said is `all`.
fn labelled(strata: &Strata, ground: &Stratum, part: Option<Part>) -> Stratum {
    let mut out: Vec<(Key, String)> = Vec::new();
    // A summary of many hours has no hour of its own, which is not all of them.
    let is_summary = part.is_some_and(Part::is_summary);
    let has_none = |key: Key| is_summary && matches!(key, Key::Hour | Key::HourOfWeek);
    for &key in strata.by.iter().filter(|key| !has_none(**key)) {
        let of_time = || part.and_then(|p| p.get(key));
        let value = if key.is_of_time() { of_time() } else { ground.get(key).map(str::to_owned) };
        out.push((key, value.unwrap_or_else(|| Stratum::ALL.to_owned())));
    }
    // Summaries say of which hours they are, asked or not.
    out.extend(part.into_iter().flat_map(Part::labels).filter(|(key, _)| !strata.by.contains(key)));
    Stratum(out)
}

/// One row without p, q and verdict.
fn row(
    query: &Query,
    (series, peer, stratum): (&Series, &str, Stratum),
    (sides, own_first): (&Sides<'_>, bool),
    cells: &[Cell],
    q: usize,
    pair: usize,
    known: Option<(Counts, Counts)>,
) -> Pending {
    let p = query.quantiles[q];
    let side = |operator: &str, resampled: &[Option<&Resampled>], known: Option<Counts>| {
        let (lines, observations) = known.unwrap_or_else(|| tally(resampled, cells));
        let draws = enough(query, resampled, cells, q);
        let value = draws.as_ref().map_or_else(|d| d.clone().into(), |d| d.answer(p, lines as u64));
        (Side { operator: operator.to_owned(), lines, observations, value }, draws)
    };
    let (own, own_draws) = side(&query.own, &sides.0, known.map(|k| k.0));
    let (other, other_draws) = side(peer, &sides.1, known.map(|k| k.1));
    let declined: Answer = few_lines(query).into();
    let mut row = Row {
        metric: series.metric,
        unit: series.metric.unit.code(),
        load: series.load,
        direction: series.direction,
        statistic: series.statistic,
        method: series.method.clone(),
        made: series.made,
        quantile: p,
        stratum,
        strata: cells.len(),
        hours_apart: hours_apart(cells),
        own,
        peer: other,
        difference: declined.clone(),
        ratio: declined,
        p: None,
        q: None,
        margin: query.margins.get(&series.metric).copied().unwrap_or(series.metric.margin),
        margin_absolute: None,
        beyond_margin: None,
        equivalence: None,
        detectable_difference: None,
        verdict: Verdict::CannotTell,
    };
    let draws = match (own_draws, other_draws) {
        (Ok(own), Ok(other)) => clock::refused(row.hours_apart).map_or(Ok((own, other)), Err),
        // Of two refusals the pair's first is told, whichever of the two is the own operator.
        (Err(own), Err(other)) => Err(if own_first { own } else { other }),
        (Err(declined), Ok(_)) | (Ok(_), Err(declined)) => Err(declined),
    };
    let observed = match draws {
        Ok((own, other)) => Some(fill(&mut row, &own, &other, p, own_first)),
        Err(declined) => {
            row.difference = declined.clone().into();
            row.ratio = declined.into();
            None
        }
    };
    Pending { row, pair, quantile: q, cells: cells.to_vec(), observed }
}

/// Differences and ratio; answers with the difference in the fixed order of the pair.
fn fill(row: &mut Row, own: &Draws, other: &Draws, p: f64, own_first: bool) -> f64 {
    let n = (row.own.lines + row.peer.lines) as u64;
    // The pair is put in order, so that exchanging the operators turns signs and nothing else.
    let (a, b) = if own_first { (own, other) } else { (other, own) };
    let difference = Draws::both(a, b, |x, y| x - y);
    row.difference = turned(difference.answer(p, n), own_first);
    let ratio = Draws::both(own, other, |x, y| if y > 0.0 { x / y } else { f64::NAN });
    row.ratio = if ratio.observed.is_finite() {
        ratio.answer(p, n)
    } else {
        Answer::declined(Phrase {
            en: "the peer operator's value is 0, so there is no ratio",
            zh: "对比方的数值为 0，没有比值",
        })
    };
    let margin = margin_between(row.margin, a.observed, b.observed);
    row.margin_absolute = Some(margin);
    row.beyond_margin = Some(difference.observed.abs() > margin);
    row.equivalence = equivalence(a, b, &difference, row.margin, p).map(|e| {
        let (low, high) = e.interval_90;
        Equivalence { interval_90: if own_first { (low, high) } else { (0.0 - high, 0.0 - low) }, ..e }
    });
    // Taken back where something is found.
    row.detectable_difference = Some(POWER * difference.spread()).filter(|d| d.is_finite());
    difference.observed
}
