//! Who suffers in silence, by region, and how good the list is.

use super::basis::Basis;
use crate::chart::Caption;
use crate::chart::silent::{Limits, Silent, SilentRow};
use crate::doc::operator::words;
use crate::doc::told::{cell, say, table};
use crate::doc::{Align, Block, Figure, Finding, Section, Tone};
use crate::study::Estimate;
use crate::study::silent::{Judged, Region};
use crate::text::Prose;
use crate::text::number::{self, Style};
use broadgauge_model::text::{Lang, Phrase};

/// Fewer lines than this are not shown.
const LEAST_LINES: usize = 10;

pub(super) fn section(report: &Basis<'_>) -> Section {
    let silent = report.studies.silent;
    let mut blocks = Vec::new();
    if let Some(judged) = &silent.judged {
        blocks.push(Block::Findings(findings(judged)));
    }
    if let Some(declined) = &silent.declined {
        let what = Phrase { en: "Silent lines at risk", zh: "有风险的沉默线路" }.into();
        blocks.push(Block::Declined { what, reason: words::said(&declined.reason) });
    }
    let shown: Vec<&Region> = silent.regions.iter().filter(|r| r.lines >= LEAST_LINES).collect();
    if !shown.is_empty() {
        blocks.push(regions(report, &shown));
    }
    if !silent.features.is_empty() {
        blocks.push(features(report));
    }
    Section {
        id: "silence",
        heading: Phrase { en: "Who suffers in silence", zh: "谁在沉默中忍受" }.into(),
        question: Phrase {
            en: "Who gets less than they expect, and does not call?",
            zh: "谁得到的低于期望，却不投诉？",
        }
        .into(),
        blocks,
    }
}

fn findings(judged: &Judged) -> Vec<Finding> {
    const LIFT: Phrase = Phrase {
        en: "Tried on {lines} lines that had no part in making it: of the {k} at highest risk, {precision} complained within four weeks: {lift} times the {base} of all of them. By a plain count of bad evenings it would be {rule} times.",
        zh: "以未参与建模的 {lines} 条线路检验：风险最高的 {k} 条中，{precision} 在四周内投诉：为全部线路 {base} 的 {lift} 倍。若只数差的晚上，为 {rule} 倍。",
    };
    const MEANS: Phrase = Phrase {
        en: "The risk means what it says: where it tells 10%, about 10% complain (slope {slope}, 1 is right).",
        zh: "风险值名副其实：标为 10% 的约有 10% 投诉（斜率 {slope}，1 为准确）。",
    };
    const EXTREME: Phrase = Phrase {
        en: "The risk ranks, and its size is not to be taken at its word (slope {slope}, 1 is right).",
        zh: "风险可用于排序，但数值不宜照用（斜率 {slope}，1 为准确）。",
    };
    let base = judged.complained as f64 / judged.lines.max(1) as f64;
    let bare = |value: Option<f64>| Prose::plain(value.map_or_else(|| "–".into(), number::short));
    let gaps = [
        ("k", number::count(judged.capacity as u64)),
        ("lines", number::count(judged.lines as u64)),
        ("precision", say(&judged.precision, Style::Share)),
        ("lift", bare(judged.lift)),
        ("base", Prose::plain(number::percent(base))),
        ("rule", bare(judged.lift_of_rule)),
    ];
    let finds = judged.precision.as_estimate().is_some_and(|e| e.interval().0 > base);
    let means = judged
        .calibration_slope
        .as_estimate()
        .is_some_and(|e| e.interval().0 <= 1.0 && 1.0 <= e.interval().1);
    let told = |tone: Tone, word: Phrase, text: Prose| Finding { tone, word: word.into(), text };
    vec![
        told(
            if finds { Tone::Better } else { Tone::CannotTell },
            if finds { Phrase { en: "Finds them", zh: "能发现" } } else { Tone::CannotTell.phrase() },
            Prose::say(&LIFT, &gaps),
        ),
        told(
            Tone::Plain,
            Phrase { en: "Calibration", zh: "校准" },
            Prose::say(
                if means { &MEANS } else { &EXTREME },
                &[("slope", say(&judged.calibration_slope, Style::Bare))],
            ),
        ),
    ]
}

fn regions(report: &Basis<'_>, regions: &[&Region]) -> Block {
    const TITLE: Phrase = Phrase {
        en: "Where most complaints are still to come: {region}",
        zh: "最可能出现投诉的地区：{region}",
    };
    const NOWHERE: Phrase = Phrase {
        en: "In no region are clearly more complaints foretold than there have been",
        zh: "没有哪个地区的预测投诉明显多于已有投诉",
    };
    const CAPTION: Phrase = Phrase {
        en: "Hollow: complaints in the last four weeks per 100 lines, with exact intervals (Garwood). Full: the same drawn towards all regions by as much as it is uncertain (gamma-Poisson, 95%). Upright bars: what the lines' own figures foretell for the next four weeks. Red, where the bar lies right of the whole hollow interval: there, customers suffer and do not call yet. Beside it, what the lines had in busy hours, week by week, on one range; then the lines that get less than they expect and have not complained for 90 days. Below, the limits between which 95% and 99.8% of ordinary regions with as many lines lie. Regions and weeks with fewer than ten lines are left out.",
        zh: "空心：近四周每百条线路投诉数及精确区间（Garwood）。实心：按不确定程度向全部地区收缩后的值（伽马-泊松，95%）。竖条：按线路自身指标预测的未来四周。红色表示竖条在空心区间右侧：用户在忍受而尚未投诉。其右为线路忙时逐周水平（同一刻度），以及低于期望且 90 天未投诉的线路数。下图：同等线路数的正常地区有 95% 和 99.8% 落在界限之内。不足十条线路的地区和周不予显示。",
    };
    const SILENT: Phrase = Phrase { en: "{n} silent", zh: "沉默 {n} 条" };
    let study = report.studies.silent;
    let mut order = regions.to_vec();
    let more = |r: &Region| {
        r.predicted_per_100_lines - r.complaints_per_100_lines.as_estimate().map_or(0.0, Estimate::value)
    };
    order.sort_by(|a, b| more(b).total_cmp(&more(a)).then(a.region.cmp(&b.region)));
    let beyond = |r: &Region| {
        let had = r.complaints_per_100_lines.as_estimate();
        had.is_some_and(|e| r.predicted_per_100_lines > e.interval().1)
    };
    let title = match order.iter().find(|region| beyond(region)) {
        Some(region) => Prose::say(&TITLE, &[("region", Prose::plain(&region.region))]),
        None => NOWHERE.into(),
    };
    let subtitle = words::subtitle(Vec::new(), report.panel);
    let make = |lang: Lang| Silent {
        caption: Caption {
            title: title.get(lang).to_owned(),
            subtitle: subtitle.get(lang).to_owned(),
            note: String::new(),
        },
        axis: Phrase { en: "Complaints per 100 lines in four weeks", zh: "每百条线路四周内投诉" }
            .get(lang)
            .to_owned(),
        metric: study.metric,
        rows: order
            .iter()
            .map(|region| SilentRow {
                label: region.region.clone(),
                lines: region.lines,
                came: words::answer(&region.complaints_per_100_lines).figure(lang),
                drawn: words::answer(&region.drawn_per_100_lines).figure(lang),
                foretold: region.predicted_per_100_lines,
                marked: beyond(region),
                limits_95: region.limits_95,
                limits_998: region.limits_998,
                silent: region.silent,
                note: SILENT.fill(lang, &[("n", &region.silent.to_string())]),
                course: region.course.iter().map(|week| (week.week.clone(), week.value)).collect(),
            })
            .collect(),
        centre: study.funnel.centre,
        curve: study
            .funnel
            .curve
            .iter()
            .map(|point| Limits {
                lines: point.lines,
                limits_95: point.limits_95,
                limits_998: point.limits_998,
            })
            .collect(),
        declined: study.funnel.declined.as_ref().map(|d| words::said(&d.reason).get(lang).to_owned()),
    };
    Block::Figure(Figure::new("silent-regions", title.clone(), CAPTION.into(), make))
}

fn features(report: &Basis<'_>) -> Block {
    const CAPTION: Phrase = Phrase {
        en: "What the risk is told by: the odds ratio for one standard deviation more. The list itself, with a reason in words for each line, is exported by `broadgauge study silent --export`.",
        zh: "风险依据：增加一个标准差的优势比。名单及每条线路的原因由 `broadgauge study silent --export` 导出。",
    };
    let columns = [
        (Phrase { en: "Told by", zh: "依据" }, Align::Left),
        (Phrase { en: "Odds ratio", zh: "优势比" }, Align::Right),
    ];
    let rows = report.studies.silent.features.iter();
    let rows = rows.map(|f| vec![words::said(&f.feature).into(), cell(&f.odds_ratio_per_sd, Style::Bare)]);
    table(CAPTION, &columns, rows.collect())
}
