//! Which share of tests is worse than a value?

use super::basis::Basis;
use super::promise::party;
use super::times::{Focus, Times};
use super::words;
use crate::chart::Caption;
use crate::chart::distribution::{Band, Curve, DistributionOverlay};
use crate::doc::{Block, Figure, Section};
use crate::study::describe::spread::{Spread, band, spread, window};
use crate::text::{Prose, number};
use broadgauge_model::metric::Better;
use broadgauge_model::panel::Hours;
use broadgauge_model::text::{Lang, Phrase};

/// Peer operators in one picture.
const MOST_PEERS: usize = 3;
/// Steps of a curve.
const STEPS: usize = 240;

pub(super) fn section(basis: &Basis<'_>, times: &Times) -> Section {
    const QUESTION: Phrase = Phrase {
        en: "Which share of {values} is worse than a value that matters to you?",
        zh: "有多大比例的{values}差于您关心的数值？",
    };
    Section {
        id: "spread",
        heading: Phrase { en: "How values are spread", zh: "数值分布" }.into(),
        question: Prose::say(&QUESTION, &times.value().gaps()),
        blocks: vec![chart(basis, times)],
    }
}

fn chart(basis: &Basis<'_>, times: &Times) -> Block {
    const WHAT: Phrase = Phrase { en: "Distribution", zh: "分布" };
    const TITLE: Phrase = Phrase { en: "{metric}: the whole distribution", zh: "{metric}的完整分布" };
    const ABOVE: Phrase = Phrase {
        en: "{metric}: {a} of the {values} on {own}'s lines are above {limit}, {b} of those on {peer}'s",
        zh: "{metric}：{own}有 {a} 的{values}高于 {limit}，{peer}为 {b}",
    };
    const BELOW: Phrase = Phrase {
        en: "{metric}: {a} of the {values} on {own}'s lines are below {limit}, {b} of those on {peer}'s",
        zh: "{metric}：{own}有 {a} 的{values}低于 {limit}，{peer}为 {b}",
    };
    const CAPTION: Phrase = Phrase {
        en: "Read a value on the horizontal axis; the height of the curve is the share of {values} at or below it. Every line counts the same. The band holds 95% (pointwise, over lines). All lines and hours as they are: unlike the ladder above, this picture matches nothing.",
        zh: "横轴取一个数值，曲线高度即不超过该值的{values}所占比例。每条线路权重相同。色带为逐点 95% 区间（按线路）。此图为全部线路和时段的原貌，未像上面的分位阶梯那样作同类匹配。",
    };
    const OF_ALL_DAY: Phrase = Phrase {
        en: "Only summaries of the whole day are in it; those of the source's peak hours are not.",
        zh: "仅含全天汇总值，不含来源所定忙时的汇总值。",
    };
    const OF_PEAK: Phrase = Phrase {
        en: "Only summaries of the source's peak hours are in it.",
        zh: "仅含来源所定忙时的汇总值。",
    };
    const LINES: Phrase = Phrase { en: "{name}: {n} lines", zh: "{name} {n} 条线路" };
    let Some(Focus { series, own, peer, limit, .. }) = times.focus() else {
        return Block::Declined {
            what: WHAT.into(),
            reason: Phrase {
                en: "nothing was observed on the own lines", zh: "本网线路没有任何观测"
            }
            .into(),
        };
    };
    if basis.hides(own.lines) {
        return Block::Declined { what: WHAT.into(), reason: words::suppressed() };
    }
    let mut spreads: Vec<(String, Spread)> = vec![(basis.query.own.clone(), own.clone())];
    let others = basis.parties.iter().map(|name| (name.clone(), spread(basis.panel, series, name)));
    spreads
        .extend(others.filter(|(_, spread)| spread.lines > 0 && !basis.hides(spread.lines)).take(MOST_PEERS));
    let limit = *limit;
    let lower = series.metric.better == Better::Lower;
    let beyond = |spread: &Spread| {
        let share = if lower { 1.0 - spread.share(limit) } else { spread.share_below(limit) };
        Prose::plain(number::percent(share))
    };
    let title = match peer {
        Some((name, spread)) => Prose::say(
            if lower { &ABOVE } else { &BELOW },
            &[
                &[
                    ("metric", words::series(series)),
                    ("limit", number::value(limit, words::value_style(series.metric))),
                    ("a", beyond(own)),
                    ("own", basis.own()),
                    ("b", beyond(spread)),
                    ("peer", Prose::plain(name)),
                ][..],
                &times.value().gaps(),
            ]
            .concat(),
        ),
        None => Prose::say(&TITLE, &[("metric", words::series(series))]),
    };
    let counted = spreads.iter().map(|(name, spread)| {
        Prose::say(&LINES, &[("name", Prose::plain(name)), ("n", number::count(spread.lines as u64))])
    });
    let subtitle = words::subtitle(counted.collect(), basis.panel);
    let at: Vec<f64> = own.thinned(STEPS / 2).into_iter().map(|(value, _)| value).collect();
    let limits = band(basis.panel, series, &basis.query.own, &at, basis.query.seed);
    let make = |lang: Lang| DistributionOverlay {
        caption: Caption {
            title: title.get(lang).to_owned(),
            subtitle: subtitle.get(lang).to_owned(),
            note: String::new(),
        },
        metric: series.metric,
        tail: false,
        curves: spreads
            .iter()
            .enumerate()
            .map(|(i, (name, spread))| Curve {
                party: party(basis, name),
                steps: spread.thinned(STEPS),
                // One band is read, three are a fog: the own operator's.
                band: if i == 0 { Band::Given(limits.clone()) } else { Band::None },
                n: spread.lines,
            })
            .collect(),
        landmarks: vec![(
            limit,
            number::value(limit, words::value_style(series.metric)).get(lang).to_owned(),
        )],
    };
    let caption = Prose::say(&CAPTION, &times.value().gaps()).then(match window(basis.panel, series) {
        Some(Hours::Peak) => OF_PEAK.into(),
        Some(_) => OF_ALL_DAY.into(),
        None => Prose::default(),
    });
    Block::Figure(Figure::new("distribution", title.clone(), caption, make))
}
