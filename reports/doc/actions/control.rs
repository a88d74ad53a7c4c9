//! Which weeks are not like the weeks before: of the units that something was done to, and of all complaints.

use super::basis::Basis;
use crate::chart::Caption;
use crate::chart::control::{Control, ControlPanel, ControlWeek};
use crate::doc::operator::words;
use crate::doc::{Block, Figure};
use crate::study::closed_loop::{ActionRow, ControlChart, State};
use crate::text::Prose;
use crate::text::number;
use broadgauge_model::metric::MetricId;
use broadgauge_model::text::{Lang, Phrase};
use broadgauge_model::unit::Unit;
use std::collections::BTreeMap;

/// More panels than this are not looked at.
const MOST: usize = 12;

/// The control charts of actions, a figure per metric: those that need somebody first.
pub(super) fn of_actions(report: &Basis<'_>) -> Vec<Block> {
    let mut metrics: BTreeMap<MetricId, Vec<(&ActionRow, &ControlChart)>> = BTreeMap::new();
    for action in &report.studies.closed_loop.actions {
        if let (Some(metric), Some(chart)) = (action.metric, &action.chart) {
            metrics.entry(metric).or_default().push((action, chart));
        }
    }
    metrics.into_iter().map(|(metric, charts)| figure(report, metric, charts)).collect()
}

/// What is open, gone again or not shown comes before what is done.
const fn urgency(state: State) -> u8 {
    match state {
        State::Recurred => 0,
        State::NotVerified => 1,
        State::Done => 2,
        State::InProgress => 3,
        State::Verified => 4,
        State::Proposed => 5,
    }
}

/// The state in as little room as can be.
const fn short(state: State) -> Phrase {
    match state {
        State::NotVerified => Phrase { en: "not verified", zh: "未验证" },
        State::Done => Phrase { en: "not judged", zh: "尚未判定" },
        State::Verified => Phrase { en: "verified", zh: "已验证" },
        other => other.label(),
    }
}

fn figure(report: &Basis<'_>, metric: MetricId, mut charts: Vec<(&ActionRow, &ControlChart)>) -> Block {
    const TITLE: Phrase = Phrase {
        en: "{metric} of the units that work was done on: {n} of {all} have weeks outside what was usual before",
        zh: "{metric}（已施工单元）：{all} 个中 {n} 个有周超出此前通常范围",
    };
    const CAPTION: Phrase = Phrase {
        en: "Each panel is an action: the weekly means of its unit, the usual value of the weeks before work began, and where ordinary weeks lie (individuals chart, 2.66 times the mean moving range). A week outside is not like the weeks before, for whatever reason: whether the work did it is told by the comparison with units left alone. Shown are {shown} of {all}, those that came back or are not shown to help first.",
        zh: "每格为一项措施：其单元的周均值、动工前各周的通常水平及正常范围（单值图，移动极差均值的 2.66 倍）。超出范围说明与此前不同，原因不限：是否为施工所致须看与未处理单元的对比。共 {all} 项，显示 {shown} 项，复发或未证明有效者在前。",
    };
    charts.sort_by_key(|(action, _)| (urgency(action.state), action.action_id.clone()));
    let all = charts.len();
    let outside = charts.iter().filter(|(_, chart)| chart.weeks.iter().any(|week| week.outside)).count();
    charts.truncate(MOST);
    let gaps = [
        ("metric", words::metric(metric)),
        ("n", number::count(outside as u64)),
        ("all", number::count(all as u64)),
        ("shown", number::count(charts.len() as u64)),
    ];
    let title = Prose::say(&TITLE, &gaps);
    let subtitle = words::subtitle(Vec::new(), report.panel);
    let make = |lang: Lang| {
        const HEADING: Phrase = Phrase { en: "{unit}: {state}", zh: "{unit}：{state}" };
        let panel = |(action, chart): &(&ActionRow, &ControlChart)| {
            let unit = action.unit.as_deref().unwrap_or(&action.action_id);
            let limits = chart.limits;
            ControlPanel {
                heading: HEADING.fill(lang, &[("unit", unit), ("state", short(action.state).get(lang))]),
                centre: chart.centre,
                weeks: chart
                    .weeks
                    .iter()
                    .filter_map(|week| point(&week.week, week.value, limits, week.outside))
                    .collect(),
                began: action.started.as_deref().and_then(day),
            }
        };
        Control {
            caption: Caption {
                title: title.get(lang).to_owned(),
                subtitle: subtitle.get(lang).to_owned(),
                note: String::new(),
            },
            axis: axis(metric, lang),
            unit: metric.unit,
            panels: charts.iter().map(panel).collect(),
        }
    };
    let caption = Prose::say(&CAPTION, &gaps);
    Block::Figure(Figure::new(format!("control-{}", metric.id()), title.clone(), caption, make))
}

/// Complaints week by week with the limits of a u-chart.
pub(super) fn of_complaints(report: &Basis<'_>) -> Option<Block> {
    const TITLE: Phrase = Phrase {
        en: "Complaints week by week: {n} of {all} weeks are not like the others",
        zh: "逐周投诉：{all} 周中有 {n} 周异于其他周",
    };
    const CAPTION: Phrase = Phrase {
        en: "Episodes of network complaints per 1,000 line-days on which one could begin, with the limits of a u-chart around the rate of all weeks: wider where fewer lines could complain.",
        zh: "每千条可投诉线路·日的网络投诉事件数，及以全期比率为中心的 u 图界限：可投诉线路越少，界限越宽。",
    };
    let weeks = &report.studies.closed_loop.complaints;
    if weeks.is_empty() {
        return None;
    }
    let outside = weeks.iter().filter(|week| week.outside).count();
    let gaps = [("n", number::count(outside as u64)), ("all", number::count(weeks.len() as u64))];
    let title = Prose::say(&TITLE, &gaps);
    let subtitle = words::subtitle(Vec::new(), report.panel);
    let episodes: u64 = weeks.iter().map(|week| week.episodes).sum();
    let line_days: u64 = weeks.iter().map(|week| week.line_days).sum();
    let centre = 1_000.0 * episodes as f64 / line_days.max(1) as f64;
    let make = |lang: Lang| Control {
        caption: Caption {
            title: title.get(lang).to_owned(),
            subtitle: subtitle.get(lang).to_owned(),
            note: String::new(),
        },
        axis: Phrase { en: "Network complaints per 1000 line-days", zh: "每千线路·日网络投诉" }
            .get(lang)
            .to_owned(),
        unit: Unit::Count,
        panels: vec![ControlPanel {
            heading: report.own.to_owned(),
            centre,
            weeks: weeks
                .iter()
                .filter_map(|week| point(&week.week, week.rate_per_1000_line_days, week.limits, week.outside))
                .collect(),
            began: None,
        }],
    };
    Some(Block::Figure(Figure::new("control-complaints", title.clone(), CAPTION.into(), make)))
}

fn point(date: &str, value: f64, limits: (f64, f64), outside: bool) -> Option<ControlWeek> {
    Some(ControlWeek { day: day(date)?, date: date.to_owned(), value, limits, outside })
}

/// A date as days since 1970-01-01.
fn day(date: &str) -> Option<i32> {
    let date: jiff::civil::Date = date.parse().ok()?;
    let start = jiff::civil::Date::constant(1970, 1, 1);
    Some(start.until(date).ok()?.get_days())
}

fn axis(metric: MetricId, lang: Lang) -> String {
    const AXIS: Phrase = Phrase { en: "{metric} ({unit})", zh: "{metric}（{unit}）" };
    let unit = if metric.unit == Unit::Ratio { "%" } else { metric.unit.symbol().get(lang) };
    AXIS.fill(lang, &[("metric", metric.label.get(lang)), ("unit", unit)])
}
