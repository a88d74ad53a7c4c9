//! What stands beside the pictures of complaints: regressions, the days before, series, areas.

use super::super::operator::basis::Basis;
use super::super::operator::complaints::exposure;
use super::super::operator::words;
use crate::chart::Caption;
use crate::chart::ribbon::{Course, Ribbon};
use crate::doc::told::Refusals;
use crate::doc::{Align, Block, Figure, Section, Table, TableCell};
use crate::study::Answer;
use crate::study::complaints::{Around, Control, DoseResponse, LeadLag};
use crate::study::describe::Series;
use crate::text::Prose;
use crate::text::number::{self, Style};
use broadgauge_model::complaint::Class;
use broadgauge_model::metric::Better;
use broadgauge_model::text::{Lang, Phrase};

/// Ribbons in one report.
const MOST_RIBBONS: usize = 2;

/// An estimate with its interval below it, or the reason why there is none.
pub(in crate::doc) fn cell(answer: &Answer, style: Style) -> TableCell {
    match answer.as_estimate() {
        Some(e) => {
            let (text, detail) = number::estimate_parts(e.value(), e.interval(), style);
            TableCell { text, detail, tone: None }
        }
        None => words::answer(answer).words(style).into(),
    }
}

fn q(value: Option<f64>) -> TableCell {
    value.map(number::probability).unwrap_or_default().into()
}

pub(in crate::doc) fn columns(heads: &[(Phrase, Align)]) -> Vec<(Prose, Align)> {
    heads.iter().map(|(name, align)| (name.into(), *align)).collect()
}

const METRIC: (Phrase, Align) = (Phrase { en: "Metric", zh: "指标" }, Align::Left);
const STEP: (Phrase, Align) = (Phrase { en: "Per", zh: "每增加" }, Align::Right);
const Q: (Phrase, Align) = (Phrase { en: "q", zh: "q" }, Align::Right);

/// Crude, like with like, all else alike, side by side; threshold and explained share.
pub(super) fn regressions(basis: &Basis<'_>) -> Vec<Block> {
    let shown: Vec<&DoseResponse> =
        basis.complaints.dose_response.iter().filter(|row| !basis.hides(row.lines)).collect();
    if shown.is_empty() {
        return Vec::new();
    }
    let heads = [
        METRIC,
        STEP,
        (Phrase { en: "Crude", zh: "粗比" }, Align::Right),
        (Phrase { en: "All else alike", zh: "其他条件相同" }, Align::Right),
        Q,
        (Phrase { en: "Complaints begin at", zh: "开始投诉的水平" }, Align::Right),
        (Phrase { en: "p if only rising", zh: "“只升不降”的 p" }, Align::Right),
    ];
    let mut refusals = Refusals::default();
    let rows = shown.iter().map(|row| {
        let metric = row.exposure.metric;
        vec![
            exposure(&row.exposure, false).into(),
            words::step(metric, row.increment).into(),
            refusals.cell(&row.crude, Style::Bare),
            refusals.cell(&row.adjusted, Style::Bare),
            q(row.q),
            refusals.cell(&row.knee, words::value_style(metric)),
            q(row.monotone.departure_p),
        ]
    });
    let all_alike = Table {
        caption: Phrase {
            en: "Rate of network complaints, all else alike (a ratio above 1: more complaints)",
            zh: "网络类投诉率，其他条件相同（大于 1 表示投诉更多）",
        }
        .into(),
        columns: columns(&heads),
        rows: rows.collect(),
    };
    let alike_refused = refusals.below();
    let mut refusals = Refusals::default();
    let heads = [
        METRIC,
        (Phrase { en: "Worst fifth begins at", zh: "最差五分之一起点" }, Align::Right),
        (Phrase { en: "Crude", zh: "粗比" }, Align::Right),
        (Phrase { en: "Like with like", zh: "同类相比" }, Align::Right),
        Q,
        (Phrase { en: "Explained, if causal", zh: "可解释（若为因果）" }, Align::Right),
    ];
    let contrasts =
        basis.complaints.contrasts.iter().filter(|c| c.class == Class::Network && !basis.hides(c.lines));
    let rows = contrasts.map(|row| {
        let style = words::value_style(row.exposure.metric);
        vec![
            exposure(&row.exposure, false).into(),
            number::value(row.threshold, style).into(),
            refusals.cell(&row.crude, Style::Bare),
            refusals.cell(&row.stratified, Style::Bare),
            q(row.q),
            refusals.cell(&row.explained_if_causal, Style::Share),
        ]
    });
    let side_by_side = Table {
        caption: Phrase {
            en: "The worst fifth of line-days against the others: how many times as many network complaints",
            zh: "最差五分之一线路日与其余相比：网络类投诉的倍数",
        }
        .into(),
        columns: columns(&heads),
        rows: rows.collect(),
    };
    let sides = std::iter::once(Block::Table(side_by_side)).chain(refusals.below());
    sides.chain([Block::Table(all_alike)]).chain(alike_refused).collect()
}

/// How early could one have known?
pub(super) fn before(basis: &Basis<'_>) -> Section {
    let mut blocks = Vec::new();
    let mut names = words::Names::default();
    let mut network: Vec<&Around> = basis
        .complaints
        .around
        .iter()
        .filter(|row| row.class == Class::Network && row.declined.is_none() && !basis.hides(row.lines))
        .collect();
    // Those first that go with complaints most surely.
    let sure = |row: &Around| {
        let of = basis.complaints.case_crossover.iter();
        let of = of.filter(|c| c.control.is_none() && c.exposure == row.exposure && !basis.hides(c.lines));
        of.filter_map(|c| c.q).fold(1.0, f64::min)
    };
    network.sort_by(|a, b| sure(a).total_cmp(&sure(b)));
    for row in network.iter().take(MOST_RIBBONS) {
        let name = names.of(format!("lead-lag-{}", words::series_file(&Series::of_exposure(&row.exposure))));
        blocks.push(ribbon(basis, row, name));
    }
    if network.is_empty() && !basis.complaints.around.is_empty() {
        let reason = basis.complaints.around.iter().find_map(|row| row.declined.as_ref());
        blocks.push(Block::Declined {
            what: Phrase { en: "The days before a complaint", zh: "投诉前的日子" }.into(),
            reason: reason.map_or_else(words::suppressed, |declined| words::said(&declined.reason)),
        });
    }
    blocks.extend(series(basis));
    Section {
        id: "before",
        heading: Phrase { en: "Before the complaint", zh: "投诉之前" }.into(),
        question: Phrase { en: "How early could we have known?", zh: "我们能提前多久知道？" }.into(),
        blocks,
    }
}

/// The first of the days before the complaint from which on, without a break, the line is worse than usual.
fn first_worse_day(row: &Around) -> Option<i32> {
    let lower = row.exposure.metric.better == Better::Lower;
    let worse = |answer: &Answer| {
        answer.as_estimate().is_some_and(|e| if lower { e.interval().0 > 0.0 } else { e.interval().1 < 0.0 })
    };
    let before: Vec<_> = row.days.iter().filter(|d| d.day < 0).collect();
    before.iter().rev().take_while(|d| worse(&d.difference)).map(|d| d.day).last()
}

fn ribbon(basis: &Basis<'_>, row: &Around, name: String) -> Block {
    const EARLY: Phrase = Phrase {
        en: "{exposure} was worse than usual from {days} days before the complaint on",
        zh: "投诉前 {days} 天起，{exposure}已比平常差",
    };
    const EVE: Phrase = Phrase {
        en: "{exposure} was worse than usual on the day before the complaint",
        zh: "投诉前一天，{exposure}比平常差",
    };
    const LATE: Phrase = Phrase {
        en: "{exposure}: no day before the complaint stands out from the line's usual level",
        zh: "{exposure}：投诉之前没有哪天明显偏离平常水平",
    };
    const CAPTION: Phrase = Phrase {
        en: "What lines saw on the days around a complaint, less their own usual level and less what all other lines saw on the same day. The band holds at all days at once; where it leaves zero, the line was worse (or better) than usual. After the complaint, repairs and extra tests play a part.",
        zh: "投诉前后各日线路的质量，减去自身平常水平和同日其他线路的变化。阴影对各日同时成立；离开零线即比平常差（或好）。投诉之后受修复和额外测试影响。",
    };
    const EPISODES: Phrase = Phrase { en: "{n} complaint episodes", zh: "投诉事件 {n} 起" };
    let title = match first_worse_day(row) {
        Some(-1) => Prose::say(&EVE, &[("exposure", exposure(&row.exposure, false))]),
        Some(day) => Prose::say(
            &EARLY,
            &[
                ("exposure", exposure(&row.exposure, false)),
                ("days", Prose::plain(day.unsigned_abs().to_string())),
            ],
        ),
        None => Prose::say(&LATE, &[("exposure", exposure(&row.exposure, false))]),
    };
    let counted = Prose::say(&EPISODES, &[("n", number::count(row.episodes))]);
    let subtitle = words::subtitle(vec![exposure(&row.exposure, false), counted], basis.panel);
    let billing = basis.complaints.around.iter().find(|other| {
        other.class == Class::Billing && other.exposure == row.exposure && !basis.hides(other.lines)
    });
    let courses = |lang: Lang| {
        const NETWORK: Phrase = Phrase { en: "network complaints", zh: "网络类投诉" };
        const CONTROL: Phrase = Phrase { en: "control: billing complaints", zh: "对照：账单类投诉" };
        let course = |name: Phrase, row: &Around| Course {
            name: name.get(lang).to_owned(),
            days: row.days.iter().map(|d| (d.day, words::answer(&d.difference).figure(lang))).collect(),
        };
        let control = billing.filter(|b| b.declined.is_none()).map(|b| course(CONTROL, b));
        std::iter::once(course(NETWORK, row)).chain(control).collect()
    };
    let make = |lang: Lang| Ribbon {
        caption: Caption {
            title: title.get(lang).to_owned(),
            subtitle: subtitle.get(lang).to_owned(),
            note: String::new(),
        },
        metric: row.exposure.metric,
        courses: courses(lang),
    };
    Block::Figure(Figure::new(name, title.clone(), CAPTION.into(), make))
}

fn series(basis: &Basis<'_>) -> Vec<Block> {
    const LEFT: Phrase = Phrase {
        en: "Left out, as complaints and days in a row with measurements are too few: {n} of {all} series.",
        zh: "因投诉或连续有测量的日子太少而未列出：{all} 个序列中的 {n} 个。",
    };
    let heads = [
        METRIC,
        (Phrase { en: "Where", zh: "范围" }, Align::Left),
        (Phrase { en: "Days", zh: "天数" }, Align::Right),
        (Phrase { en: "Complaints", zh: "投诉" }, Align::Right),
        (Phrase { en: "Days ahead", zh: "提前天数" }, Align::Right),
        (Phrase { en: "Correlation", zh: "相关系数" }, Align::Right),
        Q,
        STEP,
        (Phrase { en: "Complaints, 8 days", zh: "8 天合计倍数" }, Align::Right),
    ];
    let mut refusals = Refusals::default();
    let told = |row: &&LeadLag| {
        row.correlation.as_estimate().is_some() || row.total_rate_ratio.as_estimate().is_some()
    };
    let all = basis.complaints.lead_lag.len();
    let rows: Vec<Vec<TableCell>> = basis
        .complaints
        .lead_lag
        .iter()
        .filter(told)
        .map(|row| {
            let all: Prose = Phrase { en: "all lines", zh: "全部线路" }.into();
            let sign = if row.exposure.metric.better == Better::Lower { 1.0 } else { -1.0 };
            let worse = row.correlation.as_estimate().is_some_and(|e| sign * e.value() > 0.0);
            let lag = row.lag_days.filter(|_| worse && row.q.is_some_and(|q| q <= 0.05));
            vec![
                exposure(&row.exposure, false).into(),
                row.area.as_ref().map_or(all, Prose::plain).into(),
                number::count(row.days as u64).into(),
                number::count(row.complaints).into(),
                lag.map_or_else(Prose::default, |lag| number::count(lag as u64)).into(),
                refusals.cell(&row.correlation, Style::Bare),
                q(row.q),
                words::step(row.exposure.metric, row.increment).into(),
                refusals.cell(&row.total_rate_ratio, Style::Bare),
            ]
        })
        .collect();
    let left = all - rows.len();
    let mut blocks = Vec::new();
    if !rows.is_empty() {
        let caption = Phrase {
            en: "Day by day, both series cleared of weekdays and of their own past; days ahead are named where complaints follow a worse value and it is no chance find. The last column: how many times as many complaints, on that day and the seven after it together",
            zh: "逐日序列，均已去除星期几和自身惯性；投诉随质量变差而来且并非偶然时给出提前天数。末列：当日及之后七天合计的投诉倍数",
        };
        blocks.push(Block::Table(Table { caption: caption.into(), columns: columns(&heads), rows }));
    }
    blocks.extend(refusals.below());
    if left > 0 {
        let gaps = [("n", number::count(left as u64)), ("all", number::count(all as u64))];
        blocks.push(Block::Paragraph(Prose::say(&LEFT, &gaps)));
    }
    blocks
}

/// Complaints that name an area and no line.
pub(super) fn areas(basis: &Basis<'_>) -> Section {
    const NOTE: Phrase = Phrase {
        en: "These complaints name an area and no line. What holds for areas need not hold for lines: those who complained may not be those who were served worst.",
        zh: "这些投诉只有地区没有线路。地区层面的关系不一定适用于线路：投诉的人未必是质量最差的人。",
    };
    let heads = [
        METRIC,
        (Phrase { en: "Before", zh: "此前" }, Align::Right),
        (Phrase { en: "Control", zh: "对照" }, Align::Left),
        (Phrase { en: "Complaints", zh: "投诉" }, Align::Right),
        (Phrase { en: "Areas", zh: "地区" }, Align::Right),
        STEP,
        (Phrase { en: "Rate ratio", zh: "率比" }, Align::Right),
        Q,
    ];
    let control = |control: Option<Control>| match control {
        None => Prose::plain("–"),
        Some(Control::Billing) => Phrase { en: "billing complaints", zh: "账单类投诉" }.into(),
        Some(Control::Future) => Phrase { en: "quality after the complaint", zh: "投诉之后的质量" }.into(),
    };
    let rows: Vec<Vec<TableCell>> = basis
        .complaints
        .area_case_crossover
        .iter()
        .map(|row| {
            let ratio = if basis.hides(row.fewest_lines) {
                words::suppressed().into()
            } else {
                cell(&row.rate_ratio, Style::Bare)
            };
            vec![
                exposure(&row.exposure, false).into(),
                words::window(&row.window).into(),
                control(row.control).into(),
                number::count(row.complaints).into(),
                number::count(row.areas as u64).into(),
                words::step(row.exposure.metric, row.increment).into(),
                ratio,
                q(row.q),
            ]
        })
        .collect();
    let blocks = if rows.is_empty() {
        Vec::new()
    } else {
        let caption = Phrase {
            en: "Each area against itself on other days", zh: "各地区与自身其他日子相比"
        };
        let table = Table { caption: caption.into(), columns: columns(&heads), rows };
        vec![Block::Table(table), Block::Note(NOTE.into())]
    };
    Section {
        id: "areas",
        heading: Phrase { en: "Area by area", zh: "按地区" }.into(),
        question: Phrase {
            en: "Was an area worse before people there complained?",
            zh: "某地区的用户投诉之前，该地区是否变差？",
        }
        .into(),
        blocks,
    }
}
