//! Which complaints does the network explain, and which does it not?

use super::basis::Basis;
use super::words;
use crate::chart::Caption;
use crate::chart::dose_response::{DoseBin, DoseResponse, Fit};
use crate::chart::forest::{Forest, ForestGroup, ForestRow};
use crate::doc::{Block, Figure, Finding, Number, Section, Tone};
use crate::study::Answer;
use crate::study::complaints::{
    Band, CaseCrossover, Contrast, Control, DoseResponse as Regression, Exposure,
};
use crate::study::describe::Series;
use crate::text::Prose;
use crate::text::number::{self, Style};
use broadgauge_model::complaint::Class;
use broadgauge_model::metric::Better;
use broadgauge_model::text::{Lang, Phrase};

/// Dose-response charts in one report.
const MOST_DOSES: usize = 2;
/// Below this, a q-value counts as a find.
pub(in crate::doc) const ALPHA: f64 = 0.05;

/// What the study of complaints shows in pictures: findings, rates by band, each line against itself.
pub(in crate::doc) fn blocks(basis: &Basis<'_>) -> Vec<Block> {
    let mut blocks = Vec::new();
    if let Some(declined) = &basis.complaints.declined {
        let what = Phrase { en: "Complaints against measurements", zh: "投诉与测量的关联" }.into();
        blocks.push(Block::Declined { what, reason: words::said(&declined.reason) });
    } else {
        blocks.extend(findings(basis));
        blocks.extend(doses(basis));
        blocks.push(forest(basis));
    }
    blocks
}

pub(in crate::doc) fn section(basis: &Basis<'_>) -> Section {
    Section {
        id: "complaints",
        heading: Phrase { en: "What customers complain about", zh: "用户投诉" }.into(),
        question: Phrase {
            en: "Which complaints does the network explain, and which does it not?",
            zh: "哪些投诉可以由网络解释，哪些不能？",
        }
        .into(),
        blocks: blocks(basis),
    }
}

/// The exposure as a reader knows it: "round-trip delay under load (during a download)".
pub(in crate::doc) fn exposure(exposure: &Exposure, inside: bool) -> Prose {
    let series = Series::of_exposure(exposure);
    if inside { words::series_inside(&series) } else { words::series(&series) }
}

/// How a window's values become one number, for readers.
fn summary(summary: &str) -> Prose {
    match summary {
        "mean" => Phrase { en: "mean of the window", zh: "窗口内均值" }.into(),
        "pooled_ratio" => Phrase { en: "lost of sent in the window", zh: "窗口内丢失占发送之比" }.into(),
        other => {
            const OF: Phrase = Phrase { en: "{q} of the window", zh: "窗口内 {q}" };
            Prose::say(&OF, &[("q", Prose::plain(other.to_uppercase()))])
        }
    }
}

/// The strongest association that may be real: the smallest q below [`ALPHA`] above which the controls stay quiet.
pub(in crate::doc) fn strongest<'a>(basis: &Basis<'a>) -> Option<&'a CaseCrossover> {
    rows(basis, Class::Network, None)
        .filter(|row| row.q.is_some_and(|q| q < ALPHA) && !basis.hides(row.lines))
        .filter(|row| goes_with_worse(row))
        .min_by(|a, b| a.q.unwrap_or(1.0).total_cmp(&b.q.unwrap_or(1.0)))
}

/// Whether the interval of the ratio says: the worse the quality, the more complaints. The ratio is for one step more
/// of the metric, so for a rate, of which more is better, it is below 1.
fn goes_with_worse(row: &CaseCrossover) -> bool {
    row.rate_ratio.as_estimate().is_some_and(|e| match row.exposure.metric.better {
        Better::Lower => e.interval().0 > 1.0,
        Better::Higher => e.interval().1 < 1.0,
    })
}

/// Negative controls of the same exposure and window that show something: they should not.
pub(in crate::doc) fn failed_controls<'a>(basis: &Basis<'a>, of: &CaseCrossover) -> Vec<&'a CaseCrossover> {
    let same = |row: &&CaseCrossover| {
        row.exposure == of.exposure && row.window == of.window && row.control.is_some()
    };
    let shows = |row: &&CaseCrossover| {
        row.rate_ratio.as_estimate().is_some_and(|e| e.interval().0 > 1.0 || e.interval().1 < 1.0)
    };
    basis.complaints.case_crossover.iter().filter(same).filter(shows).collect()
}

/// Negative controls of the same exposure and window that could be computed.
pub(in crate::doc) fn answered_controls(basis: &Basis<'_>, of: &CaseCrossover) -> usize {
    let same = |row: &&CaseCrossover| {
        row.exposure == of.exposure && row.window == of.window && row.control.is_some()
    };
    let told = |row: &&CaseCrossover| row.rate_ratio.as_estimate().is_some();
    basis.complaints.case_crossover.iter().filter(same).filter(told).count()
}

fn rows<'a>(
    basis: &Basis<'a>,
    class: Class,
    control: Option<Control>,
) -> impl Iterator<Item = &'a CaseCrossover> {
    let rows = &basis.complaints.case_crossover;
    rows.iter().filter(move |row| row.control == control && (control.is_some() || row.class == class))
}

/// The rate ratio of a comparison, unless so few lines stand behind it that it must not be shown.
pub(in crate::doc) fn ratio(basis: &Basis<'_>, row: &CaseCrossover) -> Number {
    if basis.hides(row.lines) {
        Number::Declined(words::suppressed())
    } else {
        words::answer(&row.rate_ratio)
    }
}

fn findings(basis: &Basis<'_>) -> Option<Block> {
    const HIGHER: Phrase = Phrase {
        en: "On the worst fifth of line-days by {exposure}, network complaints are {ratio} times as frequent as on the others, like with like. Without matching, the ratio is {crude}.",
        zh: "按{exposure}最差的五分之一线路日，网络类投诉频度为其余的 {ratio} 倍（同类相比）。未匹配时为 {crude} 倍。",
    };
    const OPEN: Phrase = Phrase {
        en: "By {exposure}, the data cannot tell whether complaints are more frequent on the worst fifth of line-days: the ratio is {ratio}, without matching {crude}.",
        zh: "按{exposure}，数据无法判断最差的五分之一线路日投诉是否更多：比值 {ratio}，未匹配时 {crude}。",
    };
    const TRIED: Phrase = Phrase {
        en: "By {exposure}, network complaints are {ratio} times as frequent on the worst fifth of line-days, like with like ({crude} without matching); among {tried} metrics tried, chance alone may show as much (q {q}).",
        zh: "按{exposure}最差的五分之一线路日，网络类投诉频度为其余的 {ratio} 倍（同类相比；未匹配时 {crude} 倍）；共试 {tried} 项指标，偶然也可能如此（q 为 {q}）。",
    };
    const LINKED: Phrase = Phrase { en: "Linked", zh: "有关联" };
    let tried =
        basis.complaints.contrasts.iter().filter(|c| c.class == Class::Network && c.q.is_some()).count();
    let words = |contrast: &Contrast| {
        let say = |answer: &Answer| words::answer(answer).words(Style::Bare);
        let apart = contrast.stratified.as_estimate().is_some_and(|e| e.interval().0 > 1.0);
        let above = apart && contrast.q.is_some_and(|q| q < ALPHA);
        let phrase = match (above, apart && contrast.q.is_some()) {
            (true, _) => &HIGHER,
            (false, true) => &TRIED,
            (false, false) => &OPEN,
        };
        let gaps = [
            ("exposure", exposure(&contrast.exposure, true)),
            ("ratio", say(&contrast.stratified)),
            ("crude", say(&contrast.crude)),
            ("tried", number::count(tried as u64)),
            ("q", contrast.q.map(number::probability).unwrap_or_default()),
        ];
        Finding {
            tone: if above { Tone::Plain } else { Tone::CannotTell },
            word: if above { LINKED.into() } else { Prose::from(Tone::CannotTell.phrase()) },
            text: Prose::say(phrase, &gaps),
        }
    };
    let shown = |contrast: &&Contrast| contrast.class == Class::Network && !basis.hides(contrast.lines);
    let contrasts = basis.complaints.contrasts.iter().filter(shown);
    let findings: Vec<Finding> = contrasts.map(words).collect();
    (!findings.is_empty()).then_some(Block::Findings(findings))
}

/// The exposures with bands of network complaints: that of the pictures above first, then by complaints.
fn doses(basis: &Basis<'_>) -> Vec<Block> {
    let mut groups: Vec<(&Exposure, Vec<&Band>)> = Vec::new();
    for band in basis.complaints.bands.iter().filter(|band| band.class == Class::Network) {
        match groups.iter_mut().find(|(exposure, _)| **exposure == band.exposure) {
            Some((_, bands)) => bands.push(band),
            None => groups.push((&band.exposure, vec![band])),
        }
    }
    let focus = |exposure: &Exposure| {
        basis.selection.focus.as_ref().is_some_and(|f| f.metric == exposure.metric && f.load == exposure.load)
    };
    let strongest = strongest(basis).map(|row| &row.exposure);
    let complaints = |bands: &[&Band]| bands.iter().map(|band| band.complaints).sum::<u64>();
    groups.sort_by_key(|(exposure, bands)| {
        (Some(*exposure) != strongest, !focus(exposure), std::cmp::Reverse(complaints(bands)), *exposure)
    });
    if groups.is_empty() {
        const WHAT: Phrase = Phrase { en: "Complaint rate by quality", zh: "投诉率与质量的关系" };
        let reason = Phrase {
            en: "no line-day of the own operator has both a measurement and a known complaint history",
            zh: "本网没有同时具备测量和投诉记录的线路日",
        };
        return vec![Block::Declined { what: WHAT.into(), reason: reason.into() }];
    }
    let mut names = words::Names::default();
    let mut draw = |(exposure, bands): &(&Exposure, Vec<&Band>)| {
        let name = names.of(format!("complaint-rate-{}", words::series_file(&Series::of_exposure(exposure))));
        dose(basis, exposure, bands, name)
    };
    groups.iter().take(MOST_DOSES).map(&mut draw).collect()
}

fn dose(basis: &Basis<'_>, of: &Exposure, bands: &[&Band], name: String) -> Block {
    const RISING: Phrase = Phrase {
        en: "Complaints rise with {exposure}: {first} per 1000 line-days in the best band, {last} in the worst",
        zh: "投诉随{exposure}变差而增多：最好一档每 1000 线路日 {first} 件，最差一档 {last} 件",
    };
    const FALLING: Phrase = Phrase {
        en: "Complaints rise as {exposure} falls: {first} per 1000 line-days in the best band, {last} in the worst",
        ..RISING
    };
    const FLAT: Phrase = Phrase {
        en: "Complaints by {exposure}: {first} per 1000 line-days in the best band, {last} in the worst; the intervals overlap",
        zh: "投诉与{exposure}：最好一档每 1000 线路日 {first} 件，最差一档 {last} 件；区间重叠",
    };
    const PLAIN: Phrase = Phrase { en: "Complaints by {exposure}", zh: "投诉与{exposure}" };
    const CAPTION: Phrase = Phrase {
        en: "Each point is a band of line-days by the quality in the {window} before the day ({summary}); whiskers are exact Poisson intervals (Garwood), the bars below count line-days at risk: those on which a complaint would only be the repeat of another are left out. Lines are compared with other lines here, so technology, region and plan still play a part; the case-crossover compares each line with itself.",
        zh: "每点为按当日之前 {window} 质量（{summary}）划分的一档线路日；误差线为精确泊松区间（Garwood），下方条形为计入的线路日数，再次投诉只算重复的日子不计入。此图是线路之间相比，技术、地区、套餐仍有影响；病例交叉图才是线路与自身相比。",
    };
    const COUNTED: Phrase = Phrase {
        en: "{complaints} complaints on {days} line-days at risk in the bands shown; not measured: {unmeasured} line-days",
        zh: "图示各档计入 {days} 个线路日，投诉 {complaints} 件；未测线路日 {unmeasured} 个",
    };
    let mut bands = bands.to_vec();
    bands.sort_by(|a, b| a.from.total_cmp(&b.from));
    // Totals are those of the bands that are shown, or a hidden one could be found by subtraction.
    let shown: Vec<&Band> = bands.iter().copied().filter(|band| !basis.hides(band.lines)).collect();
    let ends = match of.metric.better {
        Better::Lower => (shown.first(), shown.last()),
        Better::Higher => (shown.last(), shown.first()),
    };
    let rate =
        |band: Option<&&Band>| band.and_then(|band| band.rate_per_1000_line_days.as_estimate().copied());
    let say = |e: &crate::study::Estimate| number::estimate(e.value(), e.interval(), Style::Bare);
    let inside = exposure(of, true);
    let title = match (rate(ends.0), rate(ends.1)) {
        (Some(first), Some(last)) => {
            let apart = last.interval().0 > first.interval().1;
            let gaps = [("exposure", inside), ("first", say(&first)), ("last", say(&last))];
            let phrase = match (apart, of.metric.better) {
                (true, Better::Lower) => &RISING,
                (true, Better::Higher) => &FALLING,
                (false, _) => &FLAT,
            };
            Prose::say(phrase, &gaps)
        }
        _ => Prose::say(&PLAIN, &[("exposure", inside)]),
    };
    let window = bands.first().map(|band| words::window(&band.window)).unwrap_or_default();
    let caption = Prose::say(&CAPTION, &[("window", window), ("summary", summary(&of.summary))]);
    let unmeasured = basis
        .complaints
        .unmeasured
        .iter()
        .find(|u| u.exposure == *of && u.class == Class::Network)
        .map_or(0, |u| u.line_days);
    let counted = Prose::say(
        &COUNTED,
        &[
            ("complaints", number::count(shown.iter().map(|band| band.complaints).sum())),
            ("days", number::count(shown.iter().map(|band| band.line_days).sum())),
            ("unmeasured", number::count(unmeasured)),
        ],
    );
    let subtitle = words::subtitle(vec![counted], basis.panel);
    let regression =
        basis.complaints.dose_response.iter().find(|d| d.exposure == *of && !basis.hides(d.lines));
    let curve = regression.filter(|study| !study.curve.is_empty());
    let make = |lang: Lang| DoseResponse {
        caption: Caption {
            title: title.get(lang).to_owned(),
            subtitle: subtitle.get(lang).to_owned(),
            note: String::new(),
        },
        metric: of.metric,
        statistic: summary(&of.summary).get(lang).to_owned(),
        bins: bands
            .iter()
            .map(|band| {
                let hidden = basis.hides(band.lines);
                let rate = if hidden {
                    Number::Declined(words::suppressed())
                } else {
                    words::answer(&band.rate_per_1000_line_days)
                };
                DoseBin {
                    // The study's edges to three digits; the outermost ones never cut a value off.
                    from: number::rounded(band.from, false),
                    to: number::rounded(band.to, true),
                    rate: rate.figure(lang),
                    line_days: (!hidden).then_some(band.line_days as f64),
                    complaints: (!hidden).then_some(band.complaints),
                }
            })
            .collect(),
        fit: curve.map(|study| fit(study, &shown, lang)),
        knee: regression.map(|study| words::answer(&study.knee).figure(lang)),
    };
    Block::Figure(Figure::new(name, title.clone(), caption, make))
}

/// The adjusted curve, at the height at which it foresees as many complaints as there were.
fn fit(study: &Regression, bands: &[&Band], lang: Lang) -> Fit {
    const NAME: Phrase = Phrase { en: "all else alike", zh: "其他条件相同" };
    let known: Vec<(f64, f64, (f64, f64))> = study
        .curve
        .iter()
        .filter_map(|point| point.ratio.as_estimate().map(|e| (point.at, e.value(), e.interval())))
        .collect();
    let ratio = |x: f64| {
        let nearest = known.iter().min_by(|a, b| (a.0 - x).abs().total_cmp(&(b.0 - x).abs()));
        nearest.map_or(1.0, |point| point.1)
    };
    let complaints: f64 = bands.iter().map(|band| band.complaints as f64).sum();
    let foreseen: f64 = bands.iter().map(|band| band.line_days as f64 * ratio(band.median)).sum();
    let base = 1_000.0 * complaints / foreseen.max(f64::MIN_POSITIVE);
    let points = known.iter().map(|&(x, r, (low, high))| (x, base * r, base * low, base * high)).collect();
    Fit { name: NAME.get(lang).to_owned(), points }
}

fn forest(basis: &Basis<'_>) -> Block {
    const WHAT: Phrase = Phrase { en: "Each line against itself", zh: "线路与自身相比" };
    const FOUND: Phrase = Phrase {
        en: "Before network complaints, {exposure} was worse: complaints become {ratio} times as frequent per {step} more",
        zh: "网络类投诉之前，{exposure}更差：每增加 {step}，投诉频度变为 {ratio} 倍",
    };
    const DOUBT: Phrase = Phrase {
        en: "{exposure} goes with complaints ({ratio} per {step} more), but a negative control is not clean: do not act on it yet",
        zh: "{exposure}与投诉相关（每增加 {step} 为 {ratio} 倍），但阴性对照也出现关联：暂勿据此行动",
    };
    const NONE: Phrase = Phrase {
        en: "No metric was shown to be worse before network complaints than on the same line's other days",
        zh: "没有指标被证明在网络类投诉之前比同一线路其他日子更差",
    };
    const CAPTION: Phrase = Phrase {
        en: "Each line is its own control: the window before a complaint against the same weekdays of the same four weeks on the same line (time-stratified case-crossover). Away from 1: higher (right) or lower (left) values before complaints. The controls at the bottom must lie at 1: bills cannot be caused by delay, and what comes after a complaint cannot have caused it.",
        zh: "每条线路以自身为对照：投诉前的窗口与同一线路同一四周内相同星期几相比（时间分层病例交叉）。1 的右侧（左侧）：投诉前数值更高（更低）。下方阴性对照应落在 1：账单投诉不由时延引起，投诉之后的质量也不可能引起投诉。",
    };
    const EPISODES: Phrase = Phrase { en: "{n} complaint episodes", zh: "投诉事件 {n} 起" };
    const FROM_TO: Phrase = Phrase {
        en: "{fewest} to {most} complaint episodes, by row",
        zh: "各行投诉事件 {fewest} 至 {most} 起",
    };
    if basis.complaints.case_crossover.is_empty() {
        let reason = Phrase {
            en: "no complaint has measurements on its own line both before it and on comparable days",
            zh: "没有投诉在其线路上同时具备投诉前与可比日的测量",
        };
        return Block::Declined { what: WHAT.into(), reason: reason.into() };
    }
    let title = match strongest(basis) {
        None => Prose::from(NONE),
        Some(row) => {
            let doubt = !failed_controls(basis, row).is_empty();
            let gaps = [
                ("exposure", exposure(&row.exposure, !doubt)),
                ("ratio", ratio(basis, row).words(Style::Bare)),
                ("step", words::step(row.exposure.metric, row.increment)),
            ];
            Prose::say(if doubt { &DOUBT } else { &FOUND }, &gaps)
        }
    };
    let episodes = || basis.complaints.case_crossover.iter().map(|row| row.episodes);
    let (fewest, most) = (episodes().min().unwrap_or(0), episodes().max().unwrap_or(0));
    let counted = if fewest == most {
        Prose::say(&EPISODES, &[("n", number::count(most))])
    } else {
        Prose::say(&FROM_TO, &[("fewest", number::count(fewest)), ("most", number::count(most))])
    };
    let subtitle = words::subtitle(vec![counted], basis.panel);
    let make = |lang: Lang| Forest {
        caption: Caption {
            title: title.get(lang).to_owned(),
            subtitle: subtitle.get(lang).to_owned(),
            note: String::new(),
        },
        measure: Phrase { en: "Complaint rate ratio", zh: "投诉率比" }.get(lang).to_owned(),
        groups: forest_groups(basis, lang),
    };
    Block::Figure(Figure::new("case-crossover", title.clone(), CAPTION.into(), make))
}

fn forest_groups(basis: &Basis<'_>, lang: Lang) -> Vec<ForestGroup> {
    const PER: Phrase = Phrase { en: "{exposure}, per {step} more", zh: "{exposure}，每增加 {step}" };
    let groups = [
        (Phrase { en: "Network complaints", zh: "网络类投诉" }, None),
        (Phrase { en: "Control: billing complaints", zh: "对照：账单类投诉" }, Some(Control::Billing)),
        (
            Phrase { en: "Control: quality after the complaint", zh: "对照：投诉之后的质量" },
            Some(Control::Future),
        ),
    ];
    let group = |(heading, control): (Phrase, Option<Control>)| {
        let row = |row: &CaseCrossover| ForestRow {
            label: Prose::say(
                &PER,
                &[
                    ("exposure", exposure(&row.exposure, false)),
                    ("step", words::step(row.exposure.metric, row.increment)),
                ],
            )
            .get(lang)
            .to_owned(),
            window: words::window(&row.window).get(lang).to_owned(),
            ratio: ratio(basis, row).figure(lang),
            q: row.q.filter(|_| !basis.hides(row.lines)),
        };
        let rows: Vec<_> = rows(basis, Class::Network, control).map(row).collect();
        ForestGroup { heading: heading.get(lang).to_owned(), control: control.is_some(), rows }
    };
    groups.into_iter().map(group).filter(|group| !group.rows.is_empty()).collect()
}
