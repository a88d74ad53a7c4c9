//! What to measure next, so that an open verdict is decided: first the lines without which nothing is compared, then the
//! power calculation turned round.

use super::carried::{effective, pool};
use crate::stats::plan::{Aim, Plan, Side, plan};
use crate::stats::standing::{Pool, Standing};
use crate::study::Series;
use crate::study::answer::Words;
use crate::study::peers::clock::refused;
use crate::study::peers::query::Key;
use crate::study::peers::strata::{Part, Strata};
use crate::study::peers::{self, Stratum, Verdict, verdict_margin};
use crate::text::number;
use broadgauge_model::text::Phrase;
use broadgauge_model::unit::Unit;
use serde::Serialize;

/// What would decide an open verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Next {
    /// What was observed.
    #[serde(flatten)]
    pub series: Series,
    /// The quantile.
    pub quantile: f64,
    /// The stratum.
    pub stratum: Stratum,
    /// The own operator.
    pub own: String,
    /// The peer operator.
    pub peer: String,
    /// Lines now: own, peer.
    pub lines: (usize, usize),
    /// The smallest difference that matters, in the metric's unit.
    pub margin_absolute: f64,
    /// Before anything can be compared; absent where it can.
    pub to_compare: Option<Compare>,
    /// To find a difference of that size in 80 of 100 cases; absent where nothing can be compared yet.
    pub to_find: Option<Need>,
    /// To show that there is none, in 80 of 100 cases, if there is none.
    pub to_show_par: Option<Need>,
    /// In words.
    pub advice: Words,
}

/// What it takes before the comparison says anything at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Compare {
    /// Own lines, at least.
    pub own_lines: usize,
    /// Peer lines, at least.
    pub peer_lines: usize,
    /// Independent observations that the quantile stands on now: own, peer.
    pub effective: (usize, usize),
    /// Independent observations that the quantile takes on each side.
    pub needs: usize,
}

/// How much it takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Need {
    /// Own lines, the fewest in all.
    pub own_lines: usize,
    /// Peer lines.
    pub peer_lines: usize,
    /// Own lines if the peer's stay as they are; null where no number will do.
    pub own_lines_alone: Option<usize>,
    /// How many times as many tests on the same lines; null where no number will do.
    pub tests_factor: Option<f64>,
}

impl Need {
    fn of(plan: Plan) -> Self {
        Self {
            own_lines: plan.both.0,
            peer_lines: plan.both.1,
            own_lines_alone: plan.first_alone,
            tests_factor: plan.values_factor,
        }
    }
}

/// For each verdict that the comparison leaves open, stratum by stratum.
pub(super) fn next(matched: &Strata, compared: &peers::Peers, ask: &peers::Query) -> Vec<Next> {
    let open = compared.rows.iter().filter(|r| r.verdict == Verdict::CannotTell && !r.stratum.is_combined());
    open.filter_map(|row| {
        let series = matched.series.get(&Series::of_row(row))?;
        let here = |key: Key| row.stratum.get(key);
        let (_, groups) = series
            .grounds
            .iter()
            .find(|(ground, _)| ground.0.iter().all(|(k, v)| here(*k) == Some(v.as_str())))?;
        let of_time = || Key::ALL.into_iter().filter(|k| k.is_of_time());
        let is_part = |part: &Part| of_time().all(|k| part.get(k).as_deref() == here(k));
        let side = |operator: &str| {
            let group = groups.get(operator)?;
            let part = group.iter().flat_map(|line| &line.parts).map(|(part, _)| *part).find(is_part)?;
            pool(group, part)
        };
        planned(row, &side(&row.own.operator)?, &side(&row.peer.operator)?, ask)
    })
    .collect()
}

fn planned(row: &peers::Row, own: &Pool, peer: &Pool, ask: &peers::Query) -> Option<Next> {
    let p = row.quantile;
    let (a, b) = (own.at(p).ok()?, peer.at(p).ok()?);
    let margin = row.margin_absolute.unwrap_or_else(|| verdict_margin(row.margin, a.value, b.value));
    let other_hours = refused(row.hours_apart);
    let to_compare = lacking((own, peer), p, ask.minimum_lines);
    let need = |aim| {
        let sides = (side(own, a), side(peer, b));
        (to_compare.is_none() && other_hours.is_none())
            .then(|| plan(sides.0, sides.1, aim, 0.05, 0.8).ok().map(Need::of))
            .flatten()
    };
    let to_find = need(Aim::Find(margin));
    let to_show_par = need(Aim::ShowEqual { margin, difference: 0.0 });
    let lines = (own.clusters(), peer.clusters());
    let advice = match (to_compare, to_find.zip(to_show_par)) {
        _ if other_hours.is_some() => other_hours?.reason,
        (Some(compare), _) => first(row, lines, compare, ask.minimum_lines),
        (None, Some((find, par))) => sizes(row, margin, find, par),
        (None, None) => Words::plain(Phrase {
            en: "no size can be named: values are all but equal, or no margin is set",
            zh: "无法给出规模：数值几乎全部相等，或未设容差",
        }),
    };
    Some(Next {
        series: Series::of_row(row),
        quantile: p,
        stratum: row.stratum.clone(),
        own: row.own.operator.clone(),
        peer: row.peer.operator.clone(),
        lines,
        margin_absolute: margin,
        to_compare,
        to_find,
        to_show_par,
        advice,
    })
}

/// A side of the power calculation: the variance of the quantile, as that of a mean over its lines.
fn side(pool: &Pool, standing: Standing) -> Side {
    let each = pool.clusters() as f64 * standing.error.powi(2);
    Side {
        clusters: pool.clusters(),
        between: each * (1.0 - standing.within),
        within: each * standing.within,
    }
}

/// What keeps the comparison from saying anything, by its own two rules: lines on a side, and independent observations,
/// which grow with the lines.
fn lacking((own, peer): (&Pool, &Pool), p: f64, minimum: usize) -> Option<Compare> {
    let ((a, needs), (b, _)) = (effective(own, p)?, effective(peer, p)?);
    let lines = |pool: &Pool, effective: usize| {
        let grown = (pool.clusters() * needs).div_ceil(effective.clamp(1, needs));
        grown.max(minimum)
    };
    let compare = Compare { own_lines: lines(own, a), peer_lines: lines(peer, b), effective: (a, b), needs };
    let lacks = compare.own_lines > own.clusters() || compare.peer_lines > peer.clusters();
    lacks.then_some(compare)
}

/// What to measure before anything else.
fn first(row: &peers::Row, lines: (usize, usize), compare: Compare, minimum: usize) -> Words {
    let more = (compare.own_lines - lines.0, compare.peer_lines - lines.1);
    let few = lines.0.min(lines.1) < minimum;
    let phrase = match (more, few) {
        ((1.., 1..), true) => Phrase {
            en: "measure at least {own_more} more lines of {own} and {peer_more} of {peer}: below {minimum} lines on a side nothing is compared",
            zh: "先至少再测 {own} {own_more} 条、{peer} {peer_more} 条线路：任一方不足 {minimum} 条线路时不作对比",
        },
        ((1.., _), true) => Phrase {
            en: "measure at least {own_more} more lines of {own}: below {minimum} lines on a side nothing is compared",
            zh: "先至少再测 {own} {own_more} 条线路：任一方不足 {minimum} 条线路时不作对比",
        },
        (_, true) => Phrase {
            en: "measure at least {peer_more} more lines of {peer}: below {minimum} lines on a side nothing is compared",
            zh: "先至少再测 {peer} {peer_more} 条线路：任一方不足 {minimum} 条线路时不作对比",
        },
        ((1.., 1..), false) => Phrase {
            en: "measure at least {own_more} more lines of {own} and {peer_more} of {peer}: {q} needs {needs} independent observations on each side, and now stands on about {a} and {b}",
            zh: "先至少再测 {own} {own_more} 条、{peer} {peer_more} 条线路：{q} 每方需要 {needs} 个独立观测，目前约为 {a} 个和 {b} 个",
        },
        ((1.., _), false) => Phrase {
            en: "measure at least {own_more} more lines of {own}: {q} needs {needs} independent observations on each side, and now stands on about {a} and {b}",
            zh: "先至少再测 {own} {own_more} 条线路：{q} 每方需要 {needs} 个独立观测，目前约为 {a} 个和 {b} 个",
        },
        (_, false) => Phrase {
            en: "measure at least {peer_more} more lines of {peer}: {q} needs {needs} independent observations on each side, and now stands on about {a} and {b}",
            zh: "先至少再测 {peer} {peer_more} 条线路：{q} 每方需要 {needs} 个独立观测，目前约为 {a} 个和 {b} 个",
        },
    };
    Words::with(
        phrase,
        &[
            ("own_more", &more.0),
            ("own", &row.own.operator),
            ("peer_more", &more.1),
            ("peer", &row.peer.operator),
            ("minimum", &minimum),
            ("q", &format!("p{}", number::trimmed(row.quantile * 100.0))),
            ("needs", &compare.needs),
            ("a", &compare.effective.0),
            ("b", &compare.effective.1),
        ],
    )
}

/// How much a gap of the margin, and its absence, take.
fn sizes(row: &peers::Row, margin: f64, find: Need, par: Need) -> Words {
    let phrase = match find.tests_factor {
        Some(factor) if factor <= 1.0 => Phrase {
            en: "a gap of {margin} {unit} would be found in 80 of 100 cases as it is; to show that there is none: {own_par} lines of {own} and {peer_par} of {peer}",
            zh: "按现有数据，100 次中有 80 次能发现 {margin} {unit} 的差距；要证明没有差距：{own} {own_par} 条线路、{peer} {peer_par} 条",
        },
        Some(_) => Phrase {
            en: "to find a gap of {margin} {unit} in 80 of 100 cases: {own_find} lines of {own} and {peer_find} of {peer}, or {factor} times as many tests on the same lines; to show that there is none: {own_par} and {peer_par}",
            zh: "要在 100 次中有 80 次发现 {margin} {unit} 的差距：{own} {own_find} 条线路、{peer} {peer_find} 条，或在同样的线路上测 {factor} 倍的次数；要证明没有差距：{own_par} 条和 {peer_par} 条",
        },
        None => Phrase {
            en: "to find a gap of {margin} {unit} in 80 of 100 cases: {own_find} lines of {own} and {peer_find} of {peer}; more tests on the same lines will not do; to show that there is none: {own_par} and {peer_par}",
            zh: "要在 100 次中有 80 次发现 {margin} {unit} 的差距：{own} {own_find} 条线路、{peer} {peer_find} 条；在同样的线路上多测无济于事；要证明没有差距：{own_par} 条和 {peer_par} 条",
        },
    };
    let (scale, unit) = match row.metric.unit {
        Unit::Ratio => (100.0, Phrase { en: "percentage points", zh: "个百分点" }),
        unit => (1.0, unit.symbol()),
    };
    Words::with(
        phrase,
        &[
            ("margin", &number::four(scale * margin)),
            ("own_find", &find.own_lines),
            ("own_par", &par.own_lines),
            ("own", &row.own.operator),
            ("peer_find", &find.peer_lines),
            ("peer_par", &par.peer_lines),
            ("peer", &row.peer.operator),
            ("factor", &find.tests_factor.map(number::short).unwrap_or_default()),
        ],
    )
    .and("unit", unit)
}
