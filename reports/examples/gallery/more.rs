//! Plausible data for the charts of expectation, silence, balance and actions.

use super::{caption, known};
use broadgauge_model::metric::MetricId;
use broadgauge_model::text::{Lang, Phrase};
use broadgauge_model::unit::Unit;
use broadgauge_reports::chart::Figure;
use broadgauge_reports::chart::balance::{BalanceChart, BalanceGroup, Split};
use broadgauge_reports::chart::control::{Control, ControlPanel, ControlWeek};
use broadgauge_reports::chart::silent::{Limits, Silent, SilentRow};
use broadgauge_reports::chart::treated::{Treated, TreatedPanel, TreatedWeek};
use broadgauge_reports::chart::waterfall::{Waterfall, WaterfallRow};

const NONE: Phrase = Phrase { en: "", zh: "" };
const WHEN: Phrase = Phrase { en: "March to May 2026", zh: "2026 年 3 月至 5 月" };

pub(crate) fn balance(lang: Lang) -> BalanceChart {
    const TITLE: Phrase = Phrase {
        en: "Customers begin to notice at 76% in the busiest hour",
        zh: "最忙小时达 76% 时用户开始察觉",
    };
    let group = |i: u32| {
        let u = 0.3 + 0.08 * f64::from(i);
        let value = 18.0 / (1.0 - u);
        BalanceGroup {
            utilisation: u,
            value: known(value, 0.95 * value, 1.06 * value, 40),
            short: known(u - 0.2, u - 0.24, u - 0.16, 40),
            complaints: known(3.0 + (value - 60.0).max(0.0) / 8.0, 2.0, 6.0 + value / 12.0, 30),
        }
    };
    let split = |node: &str, cost: f64, avoided: f64| Split {
        node: node.into(),
        cost: Some(cost),
        avoided: known(avoided, 0.4 * avoided, 1.8 * avoided, 12),
    };
    BalanceChart {
        caption: caption(lang, TITLE, WHEN, NONE),
        metric: MetricId::LOADED_ROUND_TRIP_DELAY,
        groups: (0..8).map(group).collect(),
        curve: (0..60).map(|i| 0.28 + 0.011 * f64::from(i)).map(|u| (u, 18.0 / (1.0 - u))).collect(),
        limit: Some(75.0),
        point: known(0.76, 0.72, 0.80, 80),
        safe: Some(0.71),
        splits: vec![
            split("olt-17", 4_000.0, 6.0),
            split("olt-03", 8_000.0, 7.2),
            split("olt-22", 6_000.0, 2.5),
            Split { avoided: Figure::Declined("too few".into()), node: "olt-08".into(), cost: Some(5_000.0) },
            split("olt-11", 9_000.0, 1.1),
        ],
        worth: Some(0.5),
    }
}

pub(crate) fn waterfall(lang: Lang) -> Waterfall {
    const TITLE: Phrase = Phrase {
        en: "Promised 200 Mbit/s, had 110 in busy hours; the largest step to the bad is time of day, 25%",
        zh: "承诺 200 Mbit/s，忙时实际 110；最大的不利差距来自忙时，25%",
    };
    const NAMES: [Phrase; 4] = [
        Phrase { en: "time of day", zh: "忙时" },
        Phrase { en: "access technology", zh: "接入技术" },
        Phrase { en: "region", zh: "地区" },
        Phrase { en: "unexplained", zh: "未能解释" },
    ];
    let reason = Phrase {
        en: "no groups side by side in one stratum were seen",
        zh: "没有观测到同层可比的群体",
    };
    let group = |name: Phrase, shares: [Option<f64>; 4]| {
        let mut at = 200.0;
        let level = |label: Phrase, value: f64, had: bool| WaterfallRow::Level {
            label: label.get(lang).into(),
            value: known(value, 0.95 * value, 1.05 * value, 400),
            had,
        };
        let mut rows = vec![
            WaterfallRow::Group(name.get(lang).into()),
            level(Phrase { en: "Promised", zh: "承诺" }, at, false),
        ];
        for (label, share) in NAMES.iter().zip(shares) {
            let from = at;
            at *= 1.0 - share.unwrap_or(0.0);
            rows.push(WaterfallRow::Step {
                label: label.get(lang).into(),
                from,
                to: at,
                ends: share.map(|share| (from * (1.0 - share - 0.04), from * (1.0 - share + 0.04))),
                unexplained: label.en == "unexplained",
                owner: Phrase { en: "network planning", zh: "网络规划" }.get(lang).into(),
                share: share.map_or_else(
                    || Figure::Declined(reason.get(lang).into()),
                    |share| known(share, share - 0.04, share + 0.04, 400),
                ),
            });
        }
        rows.push(level(Phrase { en: "Had", zh: "实际" }, at, true));
        rows
    };
    let all = Phrase { en: "All customers (400 lines)", zh: "全部用户（400 条线路）" };
    let business = Phrase { en: "business (90 lines)", zh: "商企（90 条线路）" };
    let mut rows = group(all, [Some(0.25), Some(0.12), Some(-0.05), Some(0.20)]);
    rows.extend(group(business, [Some(0.18), None, Some(0.06), Some(0.30)]));
    Waterfall { caption: caption(lang, TITLE, WHEN, NONE), metric: MetricId::DOWNLOAD_GOODPUT, rows }
}

pub(crate) fn treated(lang: Lang) -> Treated {
    const TITLE: Phrase = Phrase {
        en: "Node split: treated units got better, those left alone did not",
        zh: "节点分裂：处理单元改善，未处理单元没有",
    };
    const VERDICT: Phrase = Phrase {
        en: "Node split helps: loaded round-trip delay is 24% (18 to 30) better than on units as bad that were left alone. Of 199 placebo dates, at which nothing was done, 0 show a change as good.",
        zh: "节点分裂有效：负载时延比同样差而未处理的单元好 24%（18 至 30）。在 199 个未做任何处理的安慰剂日期中，0 个出现同样好的变化。",
    };
    let week = |since: i32| {
        let wave = 4.0 * f64::from(since).sin();
        let treated = if since < 0 { 82.0 } else { 61.0 } + wave;
        let alone = 80.0 - wave;
        TreatedWeek {
            since,
            treated: known(treated, treated - 6.0, treated + 6.0, 9),
            left_alone: known(alone, alone - 5.0, alone + 5.0, 9),
        }
    };
    let panel = |change: Figure, placebo: Vec<f64>| TreatedPanel {
        heading: Phrase { en: "node split: Helps", zh: "node split：有效" }.get(lang).into(),
        verdict: VERDICT.get(lang).into(),
        metric: MetricId::LOADED_ROUND_TRIP_DELAY,
        weeks: (-8..4).map(week).collect(),
        change,
        placebo,
    };
    let chance = (0..199).map(|i| 0.05 * (f64::from(i) * 0.77).sin() * (f64::from(i) * 0.31).cos()).collect();
    Treated {
        caption: caption(lang, TITLE, WHEN, NONE),
        panels: vec![
            panel(known(-0.24, -0.30, -0.18, 27), chance),
            panel(Figure::Declined("too few".into()), Vec::new()),
        ],
    }
}

pub(crate) fn control(lang: Lang) -> Control {
    const TITLE: Phrase = Phrase {
        en: "3 of 5 units have weeks outside what was usual before",
        zh: "5 个单元中 3 个有周超出此前通常范围",
    };
    let panel = |i: i32| ControlPanel {
        heading: format!("olt-{i:02}"),
        centre: 70.0,
        weeks: (0..18)
            .filter(|week| (week + i) % 11 != 5)
            .map(|week| {
                let drop = if week > 9 && i % 2 == 0 { 18.0 } else { 0.0 };
                let value = 70.0 + 5.0 * f64::from(week * (i + 2)).sin() - drop;
                ControlWeek {
                    day: 20_514 + 7 * week,
                    date: format!("2026-{:02}-{:02}", 3 + week / 4, 1 + 7 * (week % 4)),
                    value,
                    limits: (59.0, 81.0),
                    outside: !(59.0..=81.0).contains(&value),
                }
            })
            .collect(),
        began: (i != 3).then_some(20_514 + 66),
    };
    Control {
        caption: caption(lang, TITLE, WHEN, NONE),
        axis: Phrase { en: "Loaded round-trip delay (ms)", zh: "负载时延（毫秒）" }.get(lang).into(),
        unit: Unit::Milliseconds,
        panels: (0..5).map(panel).collect(),
    }
}

pub(crate) fn silent(lang: Lang) -> Silent {
    const TITLE: Phrase = Phrase {
        en: "Where most complaints are still to come: harbour",
        zh: "最可能出现投诉的地区：港区",
    };
    const REGIONS: [(Phrase, usize, f64, f64); 7] = [
        (Phrase { en: "harbour", zh: "港区" }, 240, 9.0, 17.5),
        (Phrase { en: "hillside", zh: "山麓" }, 61, 4.5, 9.0),
        (Phrase { en: "meadows", zh: "草地" }, 410, 12.0, 12.5),
        (Phrase { en: "old town", zh: "老城" }, 150, 13.5, 12.0),
        (Phrase { en: "station", zh: "车站" }, 95, 21.0, 15.0),
        (Phrase { en: "university", zh: "大学城" }, 320, 17.0, 11.5),
        (Phrase { en: "quay", zh: "码头" }, 30, 6.5, 11.0),
    ];
    let limits = |lines: f64, z: f64| {
        let half = z * (12.0 * 100.0 / lines).sqrt();
        ((12.0 - half).max(0.0), 12.0 + half)
    };
    let row = |(label, lines, came, foretold): (Phrase, usize, f64, f64)| {
        let half = 1.96 * (came * 100.0 / lines as f64).sqrt();
        let kept = lines as f64 / (lines as f64 + 90.0);
        let drawn = 12.0 + kept * (came - 12.0);
        let gap = |week: i32| label.en == "quay" && week % 5 == 0;
        let had = |week: i32| 40.0 + foretold + 3.0 * f64::from(week).sin() + 0.4 * f64::from(week);
        SilentRow {
            label: label.get(lang).into(),
            lines,
            came: known(came, (came - half).max(0.0), came + half, 20),
            drawn: known(drawn, drawn - 0.8 * half, drawn + 0.8 * half, 20),
            foretold,
            marked: foretold > came + half,
            limits_95: Some(limits(lines as f64, 1.96)),
            limits_998: Some(limits(lines as f64, 3.09)),
            silent: lines / 3,
            note: Phrase { en: "{n} silent", zh: "沉默 {n} 条" }
                .fill(lang, &[("n", &(lines / 3).to_string())]),
            course: (0..16).map(|week| (format!("w{week:02}"), (!gap(week)).then(|| had(week)))).collect(),
        }
    };
    let point = |i: i32| {
        let lines = 24.0 * 1.075_f64.powi(i);
        Limits { lines, limits_95: limits(lines, 1.96), limits_998: limits(lines, 3.09) }
    };
    Silent {
        caption: caption(lang, TITLE, WHEN, NONE),
        axis: Phrase { en: "Complaints per 100 lines in four weeks", zh: "每百条线路四周内投诉" }
            .get(lang)
            .into(),
        metric: Some(MetricId::LOADED_ROUND_TRIP_DELAY),
        rows: REGIONS.map(row).into(),
        centre: Some(12.0),
        curve: (0..40).map(point).collect(),
        declined: None,
    }
}
