//! How far the weights of a segment would move with other lines: the cluster bootstrap, whole lines within their segment.
//!
//! Each resample is fitted like the data, everybody first and then each segment, but without a pull towards everybody: an
//! interval around a weight that is drawn to another misses it more often than it says. A fit begins at the top of the data and takes a few steps, which is enough where that top is near (the k-step
//! bootstrap: Davidson and MacKinnon, International Economic Review 40, 1999).

use super::Judged;
use super::segments::{Segments, on_its_own};
use super::weights::{Fixed, WIDEST, refit};
use crate::stats::Interval;
use crate::stats::bootstrap::{Design, expanded_level, percentile};
use crate::stats::refusal::{Answer, Refusal, at_least, same_length};
use crate::stats::rows::Rows;
use std::collections::BTreeMap;

/// Steps of a fit.
const STEPS: usize = 3;
/// Fewer clusters than this carry no interval.
const LEAST_CLUSTERS: usize = 20;
/// Fewer outcomes of the rarer kind than this say nothing about weights.
const LEAST_OUTCOMES: usize = 20;

/// What is known about the weights of one segment: an interval for each.
pub type Known = Answer<Vec<Interval>>;

/// The intervals of the weights of each segment, in the order of `found`.
pub fn intervals(
    data: &Judged<'_>,
    labels: &[usize],
    found: &Segments,
    (replicates, seed, level): (usize, u64, f64),
) -> Answer<Vec<Known>> {
    data.check()?;
    same_length(data.values.len(), labels.len(), "the values and the segments")?;
    let mut lines: BTreeMap<(usize, u64), Vec<usize>> = BTreeMap::new();
    for (i, (&label, &cluster)) in labels.iter().zip(data.lines).enumerate() {
        lines.entry((label, cluster)).or_default().push(i);
    }
    let enough: BTreeMap<usize, Answer<usize>> =
        found.segments.iter().map(|s| (s.segment, enough(&lines, s.segment, s.rows, s.events))).collect();
    let drawn = |label: usize| enough.get(&label).is_some_and(Result::is_ok);
    // Lines of segments that are too small stay as they are.
    let (moved, fixed): (Vec<_>, Vec<_>) = lines.into_iter().partition(|((label, _), _)| drawn(*label));
    if moved.is_empty() {
        return Ok(enough.into_values().map(|refused| refused.map(|_| Vec::new())).collect());
    }
    let strata: Vec<usize> = moved.iter().map(|((label, _), _)| *label).collect();
    let fixed: Vec<usize> = fixed.into_iter().flat_map(|(_, rows)| rows).collect();
    let design = Design::stratified(&strata)?;
    let resampled = design.replicate(replicates, seed, |counts| -> Answer<Vec<Vec<f64>>> {
        let mut own: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (((label, _), rows), &count) in moved.iter().zip(counts) {
            let own = own.entry(*label).or_default();
            (0..count).for_each(|_| own.extend_from_slice(rows));
        }
        let all: Vec<usize> = own.values().flatten().chain(&fixed).copied().collect();
        let everybody = refit(&Resample::of(data, &all)?.judged(), &Fixed::default(), &found.all, STEPS);
        let segments = found.segments.iter().map(|segment| {
            let Some(rows) = own.get(&segment.segment) else { return Ok(Vec::new()) };
            let fixed = on_its_own(&everybody);
            Ok(refit(&Resample::of(data, rows)?.judged(), &fixed, &segment.own, STEPS).weights)
        });
        segments.collect()
    });
    let resampled = resampled.into_iter().collect::<Answer<Vec<_>>>()?;
    let each = found.segments.iter().enumerate().map(|(at, segment)| {
        let clusters = enough[&segment.segment].clone()?;
        let level = expanded_level(level, clusters)?;
        let each = (0..segment.weights.len()).map(|k| {
            let values: Vec<f64> = resampled.iter().map(|weights| weights[at][k]).collect();
            interval(segment.weights[k], &values, level)
        });
        let each: Vec<Interval> = each.collect::<Answer<_>>()?;
        if each.iter().any(|interval| interval.width() > WIDEST) {
            return Err(Refusal::NotSeparable { what: "the weights of the factors" });
        }
        Ok(each)
    });
    Ok(each.collect())
}

/// How many clusters a segment has, where they and its outcomes suffice.
fn enough(
    lines: &BTreeMap<(usize, u64), Vec<usize>>,
    segment: usize,
    rows: usize,
    events: usize,
) -> Answer<usize> {
    let clusters = lines.range((segment, 0)..=(segment, u64::MAX)).count();
    at_least(clusters, LEAST_CLUSTERS, "clusters of the segment")?;
    at_least(events.min(rows - events), LEAST_OUTCOMES, "outcomes of the rarer kind in the segment")?;
    Ok(clusters)
}

/// The interval of a weight, which holds the weight itself; a weight that no resample moves is where it is.
fn interval(weight: f64, resampled: &[f64], level: f64) -> Answer<Interval> {
    let found = match percentile(resampled, level) {
        Ok(found) => found,
        Err(Refusal::NoVariation { .. }) => Interval::new(resampled[0], resampled[0]),
        Err(refusal) => return Err(refusal),
    };
    Ok(Interval::new(found.low.min(weight), found.high.max(weight)))
}

/// Rows of a table, some of them more than once.
struct Resample {
    values: Vec<f64>,
    factors: Rows,
    outcome: Vec<f64>,
    controls: Rows,
    lines: Vec<u64>,
}

impl Resample {
    fn of(data: &Judged<'_>, rows: &[usize]) -> Answer<Self> {
        let mut resample = Self {
            values: rows.iter().map(|&i| data.values[i]).collect(),
            factors: Rows::new(data.factors.width()),
            outcome: rows.iter().map(|&i| data.outcome[i]).collect(),
            controls: Rows::new(data.controls.width()),
            lines: rows.iter().map(|&i| data.lines[i]).collect(),
        };
        for &i in rows {
            resample.factors.push(data.factors.row(i))?;
            resample.controls.push(data.controls.row(i))?;
        }
        Ok(resample)
    }

    fn judged(&self) -> Judged<'_> {
        Judged {
            values: &self.values,
            factors: &self.factors,
            outcome: &self.outcome,
            controls: &self.controls,
            lines: &self.lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::segments::by_segment;
    use super::*;
    use crate::stats::glm::logistic;
    use crate::stats::{Purpose, Stream};

    /// Two segments of lines with four weeks each, whose weights are these; what a line is used to stays its own.
    struct Town {
        values: Vec<f64>,
        factors: Rows,
        outcome: Vec<f64>,
        controls: Rows,
        labels: Vec<usize>,
        clusters: Vec<u64>,
    }

    fn normal(stream: &mut Stream) -> f64 {
        (0..12).map(|_| stream.uniform()).sum::<f64>() - 6.0
    }

    fn town(run: u64, lines: [usize; 2], truth: [[f64; 3]; 2]) -> Town {
        let mut stream = Stream::new(71, Purpose::Simulation, run);
        let mut town = Town {
            values: Vec::new(),
            factors: Rows::new(3),
            outcome: Vec::new(),
            controls: Rows::new(0),
            labels: Vec::new(),
            clusters: Vec::new(),
        };
        for (label, (&lines, weights)) in lines.iter().zip(&truth).enumerate() {
            for line in 0..lines {
                let own = [(); 3].map(|()| 0.4 * normal(&mut stream));
                for _ in 0..4 {
                    let row = own.map(|level| level + 0.3 * normal(&mut stream));
                    let reference: f64 = row.iter().zip(weights).map(|(f, w)| f * w).sum();
                    let value = 0.5 * normal(&mut stream);
                    let p = logistic(-3.0 + 3.0 * (value - reference).max(0.0));
                    town.values.push(value);
                    town.factors.push(&row).unwrap();
                    town.controls.push(&[]).unwrap();
                    town.outcome.push(f64::from(u8::from(stream.uniform() < p)));
                    town.labels.push(label);
                    town.clusters.push((label * 100_000 + line) as u64);
                }
            }
        }
        town
    }

    fn asked(town: &Town) -> (Segments, Vec<Known>) {
        let data = Judged {
            values: &town.values,
            factors: &town.factors,
            outcome: &town.outcome,
            controls: &town.controls,
            lines: &town.clusters,
        };
        let found = by_segment(&data, &town.labels).unwrap();
        let known = intervals(&data, &town.labels, &found, (200, 5, 0.95)).unwrap();
        (found, known)
    }

    #[test]
    fn planted_weights_of_segments_lie_within_their_intervals_nearly_always() {
        for truth in [[[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]], [[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]] {
            let (mut held, mut all) = (0, 0);
            for run in 0..8 {
                let (found, known) = asked(&town(run, [900, 500], truth));
                for (segment, known) in known.iter().enumerate() {
                    let known = known.as_ref().unwrap();
                    for (k, interval) in known.iter().enumerate() {
                        assert!(interval.contains(found.segments[segment].weights[k]));
                        assert!(interval.width() > 0.01, "{known:?}");
                        held += usize::from(interval.contains(truth[segment][k]));
                        all += 1;
                    }
                }
            }
            assert!(held * 100 >= all * 85, "{held} of {all} for {truth:?}");
        }
    }

    #[test]
    fn a_segment_of_a_few_lines_is_declined_and_the_other_is_not() {
        let (_, known) = asked(&town(1, [900, 12], [[0.5, 0.3, 0.2]; 2]));
        assert!(known[0].is_ok(), "{known:?}");
        assert!(matches!(known[1], Err(Refusal::TooFew { have: 12, need: 20, .. })), "{known:?}");
    }

    #[test]
    fn segments_that_are_all_small_are_declined_one_by_one_though_everybody_is_fitted() {
        let mut town = town(1, [150, 0], [[0.5, 0.3, 0.2]; 2]);
        town.labels = town.clusters.iter().map(|cluster| (cluster / 15) as usize).collect();
        let (found, known) = asked(&town);
        assert_eq!((found.segments.len(), known.len()), (10, 10));
        let small = |known: &Known| matches!(known, Err(Refusal::TooFew { have: 15, need: 20, .. }));
        assert!(known.iter().all(small), "{known:?}");
    }

    #[test]
    fn a_whole_town_of_a_few_outcomes_is_declined_before_any_segment_is_asked() {
        let town = town(1, [12, 12], [[0.5, 0.3, 0.2]; 2]);
        let data = Judged {
            values: &town.values,
            factors: &town.factors,
            outcome: &town.outcome,
            controls: &town.controls,
            lines: &town.clusters,
        };
        let refused = by_segment(&data, &town.labels);
        let what = "outcomes of the rarer kind";
        assert!(
            matches!(refused, Err(Refusal::TooFew { what: w, need: 20, .. }) if w == what),
            "{refused:?}"
        );
    }
}
