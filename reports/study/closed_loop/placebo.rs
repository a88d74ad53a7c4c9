//! What chance alone would have shown: the same comparison at dates and units where nothing was done.
//!
//! For each placebo a date is drawn, and as many units that were left alone around it as were treated in truth, each as
//! bad among its own kind as a treated one was; they are held against others as bad by the very rule of the real
//! comparison. Whatever makes units drift, recover or move together makes these differences too.

use super::query::Query;
use super::units::{Course, Technology, UnitId, UnitKind, Windows};
use crate::stats::did::{Picked, Unit, difference_given_before};
use crate::stats::{Purpose, Refusal, Stream};
use crate::study::Declined;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Dates and units drawn.
const DRAWS: u64 = 199;
/// With fewer that could be compared, the histogram says nothing.
const FEWEST: usize = 100;

/// Units of one kind and technology at one date, by their level before: (level before, level after, unit).
type Levels<'a> = BTreeMap<(UnitKind, Technology<'a>), Vec<(f64, f64, &'a UnitId)>>;

/// Where a treated unit stood among its own kind: 0 the best, 1 the worst.
struct Standing<'a> {
    kind: (UnitKind, Technology<'a>),
    rank: f64,
}

/// The differences found at placebo dates, on the scale, ascending.
pub(super) fn placebo(
    course: &Course<'_>,
    treated: &[(&UnitId, &Windows)],
    period: &Range<i32>,
    query: &Query,
    seed: u64,
) -> Result<Vec<f64>, Declined> {
    let middle = |of: &dyn Fn(&Windows) -> i32| {
        let mut all: Vec<i32> = treated.iter().map(|(_, windows)| of(windows)).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or_default()
    };
    let before = middle(&|w| w.before.end - w.before.start);
    let gap = middle(&|w| w.after.start - w.before.end);
    let after = middle(&|w| w.after.end - w.after.start);
    let dates: Vec<i32> = (period.start + before..=period.end - gap - after).collect();
    if dates.is_empty() {
        return Err(Refusal::TooFew { what: "placebo dates", have: 0, need: 1 }.into());
    }
    let standings: Vec<Standing<'_>> =
        treated.iter().filter_map(|(unit, windows)| standing(course, unit, windows)).collect();
    let mut tables: BTreeMap<i32, Levels<'_>> = BTreeMap::new();
    let mut found = Vec::new();
    for number in 0..DRAWS {
        let mut stream = Stream::new(seed, Purpose::Permutation, number);
        let date = dates[stream.below(dates.len())];
        let windows = Windows { before: date - before..date, after: date + gap..date + gap + after };
        let table = tables.entry(date).or_insert_with(|| left_alone(course, &windows, &standings));
        let units = drawn(table, &standings, query.matched, &mut stream);
        let pretended = units.iter().filter(|unit| unit.treated).count();
        // With far fewer units than were treated, chance would look larger than it is.
        if 2 * pretended >= treated.len()
            && let Ok(effect) = difference_given_before(&units, Picked::SameRule, 0.95)
        {
            found.push(effect.effect);
        }
    }
    if found.len() < FEWEST {
        let what = "placebo dates with enough units left alone";
        return Err(Refusal::TooFew { what, have: found.len(), need: FEWEST }.into());
    }
    found.sort_by(f64::total_cmp);
    Ok(found)
}

fn standing<'a>(course: &Course<'a>, unit: &UnitId, windows: &Windows) -> Option<Standing<'a>> {
    let own = course.mean(unit, &windows.before)?;
    let technology = course.technology_of(unit)?;
    let kind = (unit.0, technology);
    let levels: Vec<f64> = course
        .all()
        .filter(|(other, of)| (other.0, *of) == kind)
        .filter_map(|(other, _)| course.mean(other, &windows.before))
        .collect();
    let better = levels.iter().filter(|level| **level < own).count();
    Some(Standing { kind, rank: better as f64 / levels.len().saturating_sub(1).max(1) as f64 })
}

/// The units around a date to which nothing was done.
fn left_alone<'a>(course: &Course<'a>, windows: &Windows, standings: &[Standing<'a>]) -> Levels<'a> {
    let kinds: BTreeSet<_> = standings.iter().map(|s| s.kind).collect();
    let whole = windows.before.start..windows.after.end;
    let mut levels: Levels<'a> = BTreeMap::new();
    for (unit, technology) in course.all() {
        let kind = (unit.0, technology);
        if kinds.contains(&kind)
            && course.left_alone(unit, &whole)
            && let (Some(before), Some(after)) =
                (course.mean(unit, &windows.before), course.mean(unit, &windows.after))
        {
            levels.entry(kind).or_default().push((before, after, unit));
        }
    }
    for all in levels.values_mut() {
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(b.2)));
    }
    levels
}

/// One placebo: for each treated unit one about as bad, and for each of these the nearest others, none used twice.
fn drawn(levels: &Levels<'_>, standings: &[Standing<'_>], matched: usize, stream: &mut Stream) -> Vec<Unit> {
    let mut order: Vec<&Standing<'_>> = standings.iter().collect();
    stream.shuffle(&mut order);
    let mut taken: BTreeSet<&UnitId> = BTreeSet::new();
    let mut pretended = Vec::new();
    for standing in order {
        let Some(all) = levels.get(&standing.kind) else { continue };
        let at = (standing.rank * (all.len() - 1) as f64).round() as usize;
        let near = 0.5 * spread(all);
        let choice: Vec<_> =
            all.iter().filter(|one| (one.0 - all[at].0).abs() <= near && !taken.contains(one.2)).collect();
        if choice.is_empty() {
            continue;
        }
        let one = choice[stream.below(choice.len())];
        taken.insert(one.2);
        pretended.push((one, all, near));
    }
    let mut units = Vec::new();
    for (one, all, near) in pretended {
        let mut others: Vec<_> =
            all.iter().filter(|other| (other.0 - one.0).abs() <= near && !taken.contains(other.2)).collect();
        others.sort_by(|a, b| (a.0 - one.0).abs().total_cmp(&(b.0 - one.0).abs()).then(a.2.cmp(b.2)));
        others.truncate(matched);
        if others.is_empty() {
            continue;
        }
        units.push(Unit { treated: true, before: one.0, after: one.1 });
        for other in others {
            taken.insert(other.2);
            units.push(Unit { treated: false, before: other.0, after: other.1 });
        }
    }
    units
}

fn spread(all: &[(f64, f64, &UnitId)]) -> f64 {
    let n = all.len() as f64;
    let mean = all.iter().map(|one| one.0).sum::<f64>() / n;
    (all.iter().map(|one| (one.0 - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0)).sqrt()
}
