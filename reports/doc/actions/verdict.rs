//! The page for those who read one page.

use super::basis::Basis;
use super::first::standing_out;
use crate::doc::operator::verdict::made_up;
use crate::doc::operator::words;
use crate::doc::told::{key, say};
use crate::doc::{Answer as Sentence, Block, Section};
use crate::stats::proportion;
use crate::study::balance::Point;
use crate::study::closed_loop::{ActionRow, State};
use crate::study::{Answer, Estimate};
use crate::text::number::{self, Style};
use crate::text::{Prose, date};
use broadgauge_model::text::Phrase;

pub(super) fn section(report: &Basis<'_>) -> Section {
    let mut blocks: Vec<Block> = made_up(report.panel).into_iter().collect();
    blocks.push(Block::Answers(vec![
        Sentence {
            label: Phrase { en: "What is wrong", zh: "问题在哪" }.into(),
            text: wrong(report),
            detail: fullness(report),
        },
        Sentence {
            label: Phrase { en: "How sure that is", zh: "把握多大" }.into(),
            text: sure(report),
            detail: fixes(report),
        },
        Sentence {
            label: Phrase { en: "What to do", zh: "怎么办" }.into(),
            text: todo(report),
            detail: open(report),
        },
    ]));
    blocks.push(keys(report));
    Section {
        id: "verdict",
        heading: Phrase { en: "In short", zh: "结论" }.into(),
        question: Prose::default(),
        blocks,
    }
}

fn wrong(report: &Basis<'_>) -> Prose {
    const OUT: Phrase = Phrase {
        en: "{n} nodes of {own} have more complaints than other nodes of their kind and region. The worst is {node}: {episodes} complaints where {expected} would be usual.",
        zh: "{own}有 {n} 个节点的投诉多于同类同地区的其他节点。最差的是 {node}：投诉 {episodes} 件，通常为 {expected} 件。",
    };
    const NONE: Phrase = Phrase {
        en: "No node of {own} is shown to have more complaints than others of its kind and region.",
        zh: "没有证据表明{own}的某个节点投诉多于同类同地区的其他节点。",
    };
    const FULL: Phrase = Phrase {
        en: "{n} nodes of {own} run fuller in their busiest hour than is safe for customers: their delay comes near to where customers begin to complain, or beyond. Complaints alone do not single out any node yet.",
        zh: "{own}有 {n} 个节点的忙时利用率超过安全线：时延已接近或超过客户开始投诉的水平。但仅凭投诉还不能断定哪个节点更差。",
    };
    let out = standing_out(report);
    let Some(worst) = out.first() else {
        let full: usize = report.studies.balance.points.iter().map(|point| point.above_safe).sum();
        let gaps = [("own", Prose::plain(report.own)), ("n", number::count(full as u64))];
        return Prose::say(if full > 0 { &FULL } else { &NONE }, &gaps);
    };
    let gaps = [
        ("n", number::count(out.len() as u64)),
        ("own", Prose::plain(report.own)),
        ("node", Prose::plain(&worst.node)),
        ("episodes", number::count(worst.episodes)),
        ("expected", Prose::plain(number::short(worst.expected))),
    ];
    Prose::say(&OUT, &gaps)
}

/// The technology with most nodes above what is safe.
fn tightest<'a>(report: &Basis<'a>) -> Option<&'a Point> {
    report.studies.balance.points.iter().filter(|p| p.safe.is_some()).max_by_key(|p| p.above_safe)
}

fn fullness(report: &Basis<'_>) -> Prose {
    const FULL: Phrase = Phrase {
        en: "{technology}: complaints begin at about {point} in the busiest hour, so {safe} is the safe line (95% confidence); {n} of {all} nodes run fuller.",
        zh: "{technology}：投诉约从忙时利用率 {point} 起增多，安全线取 {safe}（95% 把握）；{all} 个节点中有 {n} 个超过。",
    };
    const UNKNOWN: Phrase = Phrase {
        en: "{technology}: no such line was found for its {all} nodes.",
        zh: "{technology}：其 {all} 个节点未找到这样的安全线。",
    };
    let told = report.studies.balance.points.iter().map(|point| {
        let known = point.utilisation.as_estimate().filter(|_| point.safe.is_some());
        let gaps = [
            ("n", number::count(point.above_safe as u64)),
            ("all", number::count(point.nodes as u64)),
            ("technology", words::technology(&point.technology)),
            ("point", Prose::plain(known.map_or_else(String::new, |e| number::percent(e.value())))),
            ("safe", Prose::plain(number::percent(round(point.safe)))),
        ];
        Prose::say(if known.is_some() { &FULL } else { &UNKNOWN }, &gaps)
    });
    told.fold(Prose::default(), Prose::then)
}

fn round(share: Option<f64>) -> f64 {
    (share.unwrap_or(0.0) * 100.0).floor() / 100.0
}

fn sure(report: &Basis<'_>) -> Prose {
    const LIMIT: Phrase = Phrase {
        en: "Customers begin to complain at {limit} of {metric}; a {technology} node comes there when its busiest hour is {point} full. The safe line is lower, so as to stay below with 95% confidence.",
        zh: "{metric}超过 {limit} 后投诉开始增多；{technology}节点的忙时利用率达 {point} 时即达到这一水平。安全线取得更低，以保有 95% 的把握。",
    };
    let balance = report.studies.balance;
    let metric = balance.metric;
    let limit = match (tightest(report), metric) {
        (Some(point), Some(metric)) => Prose::say(
            &LIMIT,
            &[
                ("limit", say(&balance.limit, words::value_style(metric))),
                ("metric", words::metric_inside(metric)),
                ("technology", words::technology(&point.technology)),
                ("point", say(&point.utilisation, Style::Share)),
            ],
        ),
        _ => Prose::default(),
    };
    nodes(report).then(limit)
}

/// How sure it is that a node is bad, or that none is.
fn nodes(report: &Basis<'_>) -> Prose {
    const NAMED: Phrase = Phrase {
        en: "Of the {n} nodes named, fewer than {share} are expected to be named by chance alone; at the worst one the excess is {excess} complaints.",
        zh: "列出的 {n} 个节点中，预计纯属偶然的少于 {share}；最差者多出投诉 {excess} 件。",
    };
    const ONE: Phrase = Phrase {
        en: "Among {tried} nodes, chance alone is a poor explanation of what {node} has beyond the usual: {excess} complaints (q {q}).",
        zh: "在 {tried} 个节点中，{node} 多出投诉 {excess} 件难以用偶然解释（q 为 {q}）。",
    };
    const CLEAR: Phrase = Phrase {
        en: "The node furthest above the usual, {node}, had {excess} complaints too many in {days} days. The highest of {tried} nodes is often as high by chance (q {q}; a node is named below 0.05), and a node may be bad without being named.",
        zh: "超出最多的 {node} 在 {days} 天内多出投诉 {excess} 件。从 {tried} 个节点里挑最高的，本就容易偏高，不足以断定它更差（q 为 {q}，低于 0.05 才列出）；未列出也不代表没有问题。",
    };
    let worst = &report.studies.balance.worst;
    let out = standing_out(report);
    let Some(first) = out.first().copied().or_else(|| worst.first()) else { return Prose::default() };
    let q = out.iter().filter_map(|link| link.q).fold(0.0, f64::max);
    let gaps = [
        ("n", number::count(out.len() as u64)),
        ("share", Prose::plain(number::percent(if q < 0.01 { 0.01 } else { 0.05 }))),
        ("node", Prose::plain(&first.node)),
        ("excess", say(&first.excess, Style::Events)),
        ("days", number::count(date::days(&report.panel.period))),
        ("tried", number::count(worst.len() as u64)),
        ("q", first.q.map(number::probability).unwrap_or_default()),
    ];
    let phrase = match out.len() {
        0 => &CLEAR,
        1 => &ONE,
        _ => &NAMED,
    };
    Prose::say(phrase, &gaps)
}

/// How sure the verdicts on single actions are.
fn fixes(report: &Basis<'_>) -> Prose {
    const VERIFIED: Phrase = Phrase {
        en: "Of {verified} verified actions, {alone} are shown to have helped by themselves: what they were for did better than where it was as bad and left alone (if an action did nothing, luck would still make it look so once in forty times). {kind} are verified by their kind only: actions like them help on the whole.",
        zh: "验证有效的 {verified} 项中，{alone} 项单独验证：改善明显多于条件相近而未处理的线路或节点（若措施无效，每项仍约有 1/40 的机会碰巧显得有效）；{kind} 项按同类推定：同类措施总体有效。",
    };
    const MISSED: Phrase = Phrase {
        en: "On a single line or node, an improvement by less than about {size} of what the action was for can be missed: not verified does not mean useless.",
        zh: "单条线路或单个节点上，所针对指标的改善小于约 {size} 时可能测不出：未验证不等于无用。",
    };
    let judged = |a: &&ActionRow| matches!(a.state, State::Verified | State::NotVerified | State::Recurred);
    let actions = &report.studies.closed_loop.actions;
    let intervals = |a: &ActionRow| a.change.as_estimate().map(Estimate::interval);
    let verified = actions.iter().filter(|a| a.state == State::Verified).count();
    let alone = actions
        .iter()
        .filter(|a| a.state == State::Verified && intervals(a).is_some_and(|(_, high)| high < 0.0))
        .count();
    let mut halves: Vec<f64> =
        actions.iter().filter(judged).filter_map(intervals).map(|(low, high)| (high - low) / 2.0).collect();
    halves.sort_by(f64::total_cmp);
    let mut told = Prose::default();
    if verified > 0 {
        let gaps = [
            ("verified", number::count(verified as u64)),
            ("alone", number::count(alone as u64)),
            ("kind", number::count((verified - alone) as u64)),
        ];
        told = Prose::say(&VERIFIED, &gaps);
    }
    match halves.get(halves.len() / 2) {
        Some(half) => {
            let size = Prose::plain(number::percent((half * 100.0).round() / 100.0));
            told.then(Prose::say(&MISSED, &[("size", size)]))
        }
        None => told,
    }
}

fn todo(report: &Basis<'_>) -> Prose {
    const RELIEVE: Phrase = Phrase {
        en: "Relieve {node} first (more capacity, or fewer lines on it): its busiest hour runs at {busy}, and {safe} is safe. That is expected to avoid {avoided} network complaints in 30 days; relieving all {n} nodes that run too full, about {all} of the {usual} that all nodes have in that time.",
        zh: "优先为 {node} 扩容或分流：其忙时利用率为 {busy}，安全线为 {safe}。预计 30 天可减少网络类投诉 {avoided} 件；{n} 个超过安全线的节点全部疏解，可在全部节点同期约 {usual} 件网络类投诉中减少约 {all} 件。",
    };
    const LOOK: Phrase = Phrase { en: "Look at {node} first.", zh: "先检查 {node}。" };
    const NOTHING: Phrase =
        Phrase { en: "Nothing stands out: keep watching.", zh: "无突出问题：继续观察。" };
    let relief = &report.studies.balance.relief;
    if let Some(first) = relief.first().filter(|r| r.avoided_in_30_days.as_estimate().is_some()) {
        let all = relief.last().map_or(0.0, |r| r.avoided_so_far);
        let episodes: u64 = report.studies.balance.worst.iter().map(|link| link.episodes).sum();
        let usual = 30.0 * episodes as f64 / date::days(&report.panel.period) as f64;
        let gaps = [
            ("node", Prose::plain(&first.node)),
            ("busy", Prose::plain(number::percent(first.busy_hour))),
            ("safe", Prose::plain(number::percent(round(Some(first.to))))),
            ("avoided", say(&first.avoided_in_30_days, Style::Events)),
            ("usual", Prose::plain(number::events(usual))),
            ("n", number::count(relief.len() as u64)),
            ("all", Prose::plain(number::events(all))),
        ];
        return Prose::say(&RELIEVE, &gaps);
    }
    match standing_out(report).first() {
        Some(worst) => Prose::say(&LOOK, &[("node", Prose::plain(&worst.node))]),
        None => NOTHING.into(),
    }
}

/// What became of the actions.
fn open(report: &Basis<'_>) -> Prose {
    const STATES: Phrase = Phrase {
        en: "Of {n} actions that were done, {verified} are verified, {failed} are open again because they were not shown to help, {recurred} had helped and the trouble came back, {waiting} cannot be judged yet. Of all {all}, {late} are overdue: the table of actions names them with their owners.",
        zh: "已完成的 {n} 项措施中，{verified} 项验证有效，{failed} 项未检出改善而重新打开，{recurred} 项曾有效后反弹，{waiting} 项尚无法判定。全部 {all} 项中有 {late} 项逾期，名单与责任人见措施表。",
    };
    let actions = &report.studies.closed_loop.actions;
    if actions.is_empty() {
        return Prose::default();
    }
    let count = |state: State| actions.iter().filter(|a| a.state == state).count() as u64;
    let done = actions.iter().filter(|a| !matches!(a.state, State::Proposed | State::InProgress)).count();
    let late = actions.iter().filter(|a| a.overdue_days.is_some()).count();
    let gaps = [
        ("n", number::count(done as u64)),
        ("verified", number::count(count(State::Verified))),
        ("failed", number::count(count(State::NotVerified))),
        ("recurred", number::count(count(State::Recurred))),
        ("waiting", number::count(count(State::Done))),
        ("late", number::count(late as u64)),
        ("all", number::count(actions.len() as u64)),
    ];
    Prose::say(&STATES, &gaps)
}

fn keys(report: &Basis<'_>) -> Block {
    const FULLEST: Phrase = Phrase {
        en: "utilisation of the busiest hour at which the usual delay of a node comes to where complaints begin; up to {safe} is safe with 95% confidence",
        zh: "节点的典型时延达到客户开始投诉的水平时的忙时利用率；{safe} 以内有 95% 把握是安全的",
    };
    const BEGIN: Phrase = Phrase {
        en: "Load at which {technology} customers notice",
        zh: "{technology}节点投诉开始增多时的利用率",
    };
    const NODES: Phrase = Phrase { en: "{n} nodes", zh: "{n} 个节点" };
    const JUDGED: Phrase = Phrase { en: "{n} actions judged", zh: "已判定措施 {n} 项" };
    const COMPLAINTS: Phrase = Phrase { en: "{n} complaints", zh: "投诉 {n} 件" };
    let mut keys = Vec::new();
    if let Some(point) = tightest(report) {
        let technology = words::technology(&point.technology);
        keys.push(key(
            "balance_point_ratio",
            Prose::say(&BEGIN, &[("technology", technology)]),
            &point.utilisation,
            Style::Share,
            Prose::say(&NODES, &[("n", number::count(point.nodes as u64))]),
            Prose::say(&FULLEST, &[("safe", Prose::plain(number::percent(round(point.safe))))]),
        ));
    }
    if let Some(worst) = standing_out(report).first() {
        keys.push(key(
            "worst_excess_complaints",
            Phrase { en: "Complaints too many at the worst node", zh: "最差节点多出的投诉" },
            &worst.excess,
            Style::Events,
            Prose::say(&COMPLAINTS, &[("n", number::count(worst.episodes))]),
            Phrase { en: "beyond what the others on its ground have", zh: "超出同类同地区水平" }.into(),
        ));
    }
    let actions = &report.studies.closed_loop.actions;
    let verified = actions.iter().filter(|a| a.state == State::Verified).count() as u64;
    let judged = actions
        .iter()
        .filter(|a| matches!(a.state, State::Verified | State::NotVerified | State::Recurred))
        .count() as u64;
    let share = match proportion::wilson(verified, judged, 0.95) {
        Ok(interval) => Answer::estimate(verified as f64 / judged as f64, interval.pair(), judged),
        Err(_) => {
            Answer::declined(Phrase { en: "no action could be judged yet", zh: "尚无措施可判定" })
        }
    };
    keys.push(key(
        "verified_ratio",
        Phrase { en: "Actions verified", zh: "验证有效的措施" },
        &share,
        Style::Share,
        Prose::say(&JUDGED, &[("n", number::count(judged))]),
        Phrase { en: "of those old enough to be judged", zh: "占已判定措施" }.into(),
    ));
    Block::Keys(keys)
}
