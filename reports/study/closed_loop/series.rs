//! What treated units had week by week, beside those matched to them: as two series, and as a jump and a turn.

use super::row::{KindRow, SeriesWeek};
use super::units::{Course, UnitId, Windows};
use crate::stats::interrupted::interrupted;
use crate::study::experience::mean_of_lines;
use crate::study::{Answer, Declined};

/// Weeks before an action that are looked at, where they are known.
const MOST_BEFORE: i32 = 8;

/// One treated unit beside the mean of those matched to it, from `-before` to `after` weeks; the days of the work, and
/// those in which it settles, are in none of the weeks.
struct Pair {
    treated: Vec<f64>,
    left_alone: Vec<f64>,
}

/// Fills the series, and the jump and turn between them, over the pairs of which the same weeks are known.
pub(super) fn fill(
    out: &mut KindRow,
    course: &Course<'_>,
    pairs: &[(UnitId, Windows, Vec<&UnitId>)],
    weeks: i32,
) {
    // Weeks further back are shown where that costs no pair: else the line would move because units come and go.
    let known = |before: i32| -> Vec<Pair> {
        pairs.iter().filter_map(|pair| of_pair(course, pair, before, weeks)).collect()
    };
    let mut all = known(weeks);
    let mut before = weeks;
    for longer in weeks + 1..=MOST_BEFORE {
        let more = known(longer);
        if more.len() < all.len() {
            break;
        }
        (all, before) = (more, longer);
    }
    if all.is_empty() {
        return;
    }
    let scale = course.daily.scale;
    let at = |side: &dyn Fn(&Pair) -> f64| {
        mean_of_lines(all.iter().map(side).enumerate(), |level| scale.back(level))
    };
    out.series = (-before..weeks)
        .zip(0..)
        .map(|(since, place): (i32, usize)| SeriesWeek {
            since,
            treated: at(&|pair| pair.treated[place]),
            left_alone: at(&|pair| pair.left_alone[place]),
        })
        .collect();
    let times: Vec<f64> = (-before..weeks).map(f64::from).collect();
    let differences: Vec<Vec<f64>> = all
        .iter()
        .map(|pair| pair.treated.iter().zip(&pair.left_alone).map(|(t, c)| t - c).collect())
        .collect();
    let share = |(value, interval): (f64, crate::stats::Interval)| {
        let per = |distance: f64| scale.share_worse(distance);
        Answer::estimate(per(value), (per(interval.low), per(interval.high)), all.len() as u64)
    };
    (out.jump, out.turn) = match interrupted(&times, &differences, 0.95) {
        Ok(found) => (share(found.level), share(found.slope)),
        Err(refusal) => {
            let declined = Declined::from(refusal);
            (declined.clone().into(), declined.into())
        }
    };
}

fn of_pair(
    course: &Course<'_>,
    (unit, windows, others): &(UnitId, Windows, Vec<&UnitId>),
    before: i32,
    after: i32,
) -> Option<Pair> {
    let week = |unit: &UnitId, since: i32| {
        let first = if since < 0 { windows.before.end } else { windows.after.start } + 7 * since;
        course.mean(unit, &(first..first + 7))
    };
    let weeks = |unit: &UnitId| (-before..after).map(|since| week(unit, since)).collect::<Option<Vec<f64>>>();
    let treated = weeks(unit)?;
    let known: Vec<Vec<f64>> = others.iter().filter_map(|other| weeks(other)).collect();
    if known.is_empty() {
        return None;
    }
    let mean = |place: usize| known.iter().map(|one| one[place]).sum::<f64>() / known.len() as f64;
    Some(Pair { left_alone: (0..treated.len()).map(mean).collect(), treated })
}
