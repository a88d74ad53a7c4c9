//! The page for those who read one page: what is wrong, how sure that is, what to do; and the four numbers behind it.

use super::basis::Basis;
use super::complaints::{answered_controls, exposure, failed_controls, ratio, strongest};
use super::peers::{nothing, tally};
use super::promise::Promised;
use super::times::{SHARE, Times, shares};
use super::{health, words};
use crate::doc::{Answer as Sentence, Block, KeyNumber, Number, Section, Tone};
use crate::study::Estimate;
use crate::study::describe::Series;
use crate::study::peers::{Row, Verdict};
use crate::text::Prose;
use crate::text::number::{self, Style};
use broadgauge_model::panel::{Cell, Panel, SourceKind};
use broadgauge_model::text::Phrase;

pub(super) fn section(basis: &Basis<'_>, times: &Times, promise: &Promised) -> Section {
    let mut blocks = vec![
        Block::Answers(vec![
            Sentence {
                label: Phrase { en: "What is wrong", zh: "问题在哪" }.into(),
                text: wrong(basis),
                detail: wrong_detail(basis),
            },
            Sentence {
                label: Phrase { en: "How sure that is", zh: "把握多大" }.into(),
                text: sure(basis),
                detail: sure_detail(basis),
            },
            Sentence {
                label: Phrase { en: "What to do", zh: "怎么办" }.into(),
                text: todo(basis),
                detail: todo_detail(basis, times),
            },
        ]),
        Block::Keys(vec![
            gap_key(basis),
            promise_key(basis, promise),
            busy_key(basis, times),
            complaint_key(basis),
        ]),
    ];
    blocks.splice(0..0, made_up(basis.panel));
    Section {
        id: "verdict",
        heading: Phrase { en: "In short", zh: "结论" }.into(),
        question: Prose::default(),
        blocks,
    }
}

/// That some of the data were made up, where they were.
pub(in crate::doc) fn made_up(panel: &Panel) -> Option<Block> {
    const SOME: Phrase = Phrase {
        en: "{n} of the {all} observations in this report were made up to show the method; where they appear, the text says “made-up data”. They say nothing about any real operator.",
        zh: "本报告的 {all} 条观测中有 {n} 条是为演示方法而合成的，出现之处均注明“合成数据”，不代表任何真实运营商。",
    };
    const ALL: Phrase = Phrase {
        en: "The data of this report were made up to show the method: all {n} observations, and the complaints with them. They say nothing about any real operator.",
        zh: "本报告的数据全部为演示方法而合成：{n} 条观测及相应的投诉，不代表任何真实运营商。",
    };
    let is_made = |cell: &Cell| {
        let source = panel.sources.get(usize::from(cell.source));
        source.is_some_and(|source| source.kind == SourceKind::Made)
    };
    let (mut made, mut all) = (0, 0);
    for cell in &panel.cells {
        let n = cell.values.len();
        all += n;
        made += if is_made(cell) { n } else { 0 };
    }
    let phrase = if made == all { &ALL } else { &SOME };
    let gaps = [("n", number::count(made)), ("all", number::count(all))];
    (made > 0).then(|| Block::Note(Prose::say(phrase, &gaps)))
}

/// What is wrong, in one or two sentences.
fn wrong(basis: &Basis<'_>) -> Prose {
    const BEHIND: Phrase = Phrase {
        en: "{own} is behind {peer} on {metric} {within}. {seen} The gap is {size}.",
        zh: "{stratum}：{own}的{metric}落后于{peer}。{seen}差距为 {size}。",
    };
    const SLIGHT: Phrase = Phrase {
        en: "{own} is slightly behind {peer} on {metric} {within}: {gap}, which is real but no more than counts as at par.",
        zh: "{own}的{metric}略逊于{peer}（{stratum}）：{gap}，差异真实，但未超过视为持平的幅度。",
    };
    const SLIGHTLY_AHEAD: Phrase = Phrase {
        en: "Nothing was found in which {own} is behind. It is slightly ahead of {peer} on {metric} {within}: {gap}, which is real but no more than counts as at par.",
        zh: "没有发现{own}落后之处。{metric}略优于{peer}（{stratum}）：{gap}，差异真实，但未超过视为持平的幅度。",
    };
    const AHEAD: Phrase = Phrase {
        en: "Nothing was found in which {own} is behind. It is ahead of {peer} on {metric} {within}: {gap}.",
        zh: "没有发现{own}落后之处。{metric}优于{peer}（{stratum}）：{gap}。",
    };
    const PAR: Phrase = Phrase {
        en: "Nothing was found in which {own} is behind. On {metric} it is at par with {peer} {within}.",
        zh: "没有发现{own}落后之处。{metric}与{peer}持平（{stratum}）。",
    };
    const UNKNOWN: Phrase = Phrase {
        en: "These data cannot tell whether {own} is behind {peer}.",
        zh: "现有数据无法判断{own}是否落后于{peer}。",
    };
    const NO_COMPARISON: Phrase = Phrase {
        en: "{own} could not be compared with a peer operator: {reason}.",
        zh: "{own}未能与对标运营商比较：{reason}。",
    };
    let Some(row) = telling(basis) else {
        let declined = basis.peers.declined.as_ref().map(|declined| words::said(&declined.reason));
        let reason = declined.unwrap_or_else(|| nothing(basis));
        return Prose::say(&NO_COMPARISON, &[("own", basis.own()), ("reason", reason)]);
    };
    let gaps = [
        ("own", basis.own()),
        ("peer", Prose::plain(&row.peer.operator)),
        ("metric", words::series_inside(&Series::of_row(row))),
        ("stratum", words::stratum(&row.stratum)),
        ("within", words::within(&row.stratum)),
        ("seen", words::seen_at(row, &basis.own())),
        ("gap", words::gap(row)),
        ("size", words::size(row)),
    ];
    let phrase = match row.verdict {
        Verdict::Worse if row.beyond_margin == Some(false) => &SLIGHT,
        Verdict::Worse => &BEHIND,
        Verdict::Better if row.beyond_margin == Some(false) => &SLIGHTLY_AHEAD,
        Verdict::Better => &AHEAD,
        Verdict::AtPar => &PAR,
        Verdict::CannotTell => &UNKNOWN,
    };
    Prose::say(phrase, &gaps)
}

/// The row that the first page is about.
fn telling<'a>(basis: &Basis<'a>) -> Option<&'a Row> {
    basis.selection.headline.or_else(|| basis.selection.main.first().copied())
}

fn wrong_detail(basis: &Basis<'_>) -> Prose {
    const TALLY: Phrase = Phrase {
        en: "Of {all} comparisons over all groups of like lines taken together, {own} is worse in {worse}, better in {better}, at par in {par}; in {open} the data cannot tell.",
        zh: "同类线路各组合并的 {all} 项对比中，{own}落后 {worse} 项，领先 {better} 项，持平 {par} 项；{open} 项数据无法判断。",
    };
    const SLIGHT: Phrase = Phrase {
        en: "In {n} of the worse or better ones the difference is real but smaller than the margin.",
        zh: "落后或领先的对比中有 {n} 项差异真实，但小于界限。",
    };
    const PART: Phrase = Phrase {
        en: "What is said above shows in one group of like lines or hours, not over all of them together.",
        zh: "上述落后出现在某一组同类线路或时段，而非合并后的整体。",
    };
    let [worse, better, par, open] = tally(&basis.selection.main);
    let slight = basis.selection.main.iter().filter(|row| words::within_margin(row).is_some()).count();
    if basis.selection.main.is_empty() {
        return Prose::default();
    }
    let gaps = [
        ("all", number::count(worse + better + par + open)),
        ("own", basis.own()),
        ("worse", number::count(worse)),
        ("better", number::count(better)),
        ("par", number::count(par)),
        ("open", number::count(open)),
    ];
    let mut said = Prose::say(&TALLY, &gaps);
    if worse == 0 && basis.selection.headline.is_some_and(|row| row.verdict == Verdict::Worse) {
        said = said.then(PART.into());
    }
    if slight == 0 { said } else { said.then(Prose::say(&SLIGHT, &[("n", number::count(slight as u64))])) }
}

/// How sure the headline is.
fn sure(basis: &Basis<'_>) -> Prose {
    const REAL: Phrase = Phrase {
        en: "Chance is a poor explanation: the 95% interval of the gap leaves out zero, and of 100 findings as clear as this one fewer than {share} are expected to be false alarms. It rests on {own_lines} lines of {own} and {peer_lines} of {peer}.",
        zh: "难以用偶然解释：差距的 95% 区间不含零；每 100 个同样明确的发现中，预计误报少于 {share} 个。依据为{own} {own_lines} 条线路、{peer} {peer_lines} 条线路。",
    };
    const PAR: Phrase = Phrase {
        en: "Being at par was tested, not assumed: the 90% interval of the difference lies inside the margin of {margin}. It rests on {own_lines} lines of {own} and {peer_lines} of {peer}.",
        zh: "“持平”经过检验而非假定：差值的 90% 区间落在 {margin} 的界限之内。依据为{own} {own_lines} 条线路、{peer} {peer_lines} 条线路。",
    };
    const OPEN: Phrase = Phrase {
        en: "Not sure at all: the interval of the difference, {difference}, holds zero. With {own_lines} lines of {own} and {peer_lines} of {peer}, a gap smaller than about {detectable} would often be missed. “Cannot tell” does not mean “the same”.",
        zh: "没有把握：差值 {difference} 的区间包含零。以{own} {own_lines} 条、{peer} {peer_lines} 条线路，小于约 {detectable} 的差距常会漏掉。“无法判断”不等于“没有差异”。",
    };
    const UNDECIDED: Phrase = Phrase {
        en: "Not sure: the difference is {difference}, which neither shows a gap nor rules one out. It rests on {own_lines} lines of {own} and {peer_lines} of {peer}.",
        zh: "没有把握：差值为 {difference}，既不能证明有差距，也不能排除。依据为{own} {own_lines} 条线路、{peer} {peer_lines} 条线路。",
    };
    const DECLINED: Phrase =
        Phrase { en: "No answer can be given: {reason}.", zh: "不能给出答案：{reason}。" };
    let Some(row) = telling(basis) else {
        let declined = basis.peers.declined.as_ref().map(|declined| words::said(&declined.reason));
        return Prose::say(&DECLINED, &[("reason", declined.unwrap_or_else(|| nothing(basis)))]);
    };
    let difference_style = words::difference_style(row.metric);
    let amount =
        |value: Option<f64>| value.map(|value| number::value(value, difference_style)).unwrap_or_default();
    // A q-value of 0.0004 promises no more than "fewer than 1 in 100".
    let share = if row.q.is_some_and(|q| q < 0.01) { "1" } else { "5" };
    let gaps = [
        ("own", basis.own()),
        ("peer", Prose::plain(&row.peer.operator)),
        ("own_lines", number::count(row.own.lines as u64)),
        ("peer_lines", number::count(row.peer.lines as u64)),
        ("share", Prose::plain(share)),
        ("margin", amount(row.margin_absolute)),
        ("detectable", amount(row.detectable_difference)),
        ("difference", words::answer(&row.difference).words(difference_style)),
        ("reason", row.difference.as_declined().map(|d| words::said(&d.reason)).unwrap_or_default()),
    ];
    let phrase = match (row.verdict, row.difference.as_estimate()) {
        (_, None) => &DECLINED,
        (Verdict::Worse | Verdict::Better, _) => &REAL,
        (Verdict::AtPar, _) => &PAR,
        (Verdict::CannotTell, Some(e)) => {
            let zero = e.interval().0 <= 0.0 && e.interval().1 >= 0.0;
            if zero && row.detectable_difference.is_some() { &OPEN } else { &UNDECIDED }
        }
    };
    Prose::say(phrase, &gaps)
}

fn sure_detail(basis: &Basis<'_>) -> Prose {
    const MATCHED: Phrase = Phrase {
        en: "Only like was compared with like ({keys}), every line counts the same, and results of different methods were not mixed.",
        zh: "只作同类相比（{keys}），每条线路权重相同，不同方法的结果不混用。",
    };
    const RUNS: Phrase = Phrase {
        en: "The agents made {share} of their planned runs.",
        zh: "测量代理完成了计划测量的 {share}。",
    };
    const MADE: Phrase = Phrase { en: "It comes from made-up data.", zh: "该结论来自合成数据。" };
    let mut said = Prose::default();
    if let Some(row) = telling(basis) {
        let keys: Vec<Prose> = row.stratum.0.iter().map(|(key, _)| super::method::key(*key)).collect();
        if !keys.is_empty() {
            said = said.then(Prose::say(&MATCHED, &[("keys", Prose::list(&keys))]));
        }
        if row.made {
            said = said.then(MADE.into());
        }
    }
    let (planned, done) = health::runs(basis);
    if planned > 0 {
        let share = Prose::plain(number::percent(done as f64 / planned as f64));
        said = said.then(Prose::say(&RUNS, &[("share", share)]));
    }
    said
}

/// What to do, from the same rows.
fn todo(basis: &Basis<'_>) -> Prose {
    const START: Phrase = Phrase {
        en: "Start with {stratum}: there the gap to {peer} is clearest, {size} at {quantile}.",
        zh: "先从{stratum}入手：此处与{peer}的差距最明确，{quantile} 相差 {size}。",
    };
    const EVERYWHERE: Phrase = Phrase {
        en: "Look for a cause that all lines share: the gap to {peer} on {metric} does not come from one group alone, such as a technology or a region.",
        zh: "从全网共同的原因查起：与{peer}在{metric}上的差距不能归于某一组线路（如某种技术或某个地区）。",
    };
    const NOTHING: Phrase = Phrase {
        en: "No repair follows from the comparison with peer operators. Keep measuring, and repeat this report after the next change in the network.",
        zh: "与对标运营商的对比没有指出需要整改之处。请继续测量，并在下次网络变更后重做本报告。",
    };
    const MEASURE: Phrase = Phrase {
        en: "Measure more before acting: more lines on both sides, on the same technologies and in the same regions, narrow the interval; more tests on the same lines hardly do.",
        zh: "先多测再行动：增加双方同技术、同地区的线路可缩小区间；在同样的线路上多测几次作用不大。",
    };
    let Some(row) = telling(basis).filter(|row| row.verdict != Verdict::CannotTell) else {
        return MEASURE.into();
    };
    if row.verdict != Verdict::Worse {
        return NOTHING.into();
    }
    let series = Series::of_row(row);
    let worst = basis.selection.worst_strata(&series, &row.peer.operator).first().copied();
    let worst = worst.or_else(|| (!row.stratum.is_combined() && !row.stratum.0.is_empty()).then_some(row));
    let shown = worst.unwrap_or(row);
    let gaps = [
        ("stratum", words::stratum(&shown.stratum)),
        ("peer", Prose::plain(&row.peer.operator)),
        ("metric", words::series_inside(&series)),
        ("size", words::size(shown)),
        ("quantile", Prose::plain(words::quantile(shown.quantile))),
    ];
    Prose::say(if worst.is_some() { &START } else { &EVERYWHERE }, &gaps)
}

fn todo_detail(basis: &Basis<'_>, times: &Times) -> Prose {
    const WHEN: Phrase = Phrase {
        en: "Look from {hours}: then {inside} of a line's tests are {limit}; at other hours {outside} are: {gap} more at {lines} lines.",
        zh: "重点看 {hours}：该时段线路平均 {inside} 的测试{limit}，其余时段为 {outside}；{lines} 条线路相差 {gap}。",
    };
    const EXPECT: Phrase = Phrase {
        en: "Fewer complaints may be expected from it: for each {step} more {exposure}, network complaints become {ratio} times as frequent on the same line, and comparisons that must show nothing, such as with complaints about bills, show nothing ({controls} such negative controls could be computed).",
        zh: "改善后投诉有望减少：同一线路上{exposure}每增加 {step}，网络类投诉频度变为 {ratio} 倍；本不应有关联的对照（如账单投诉，即阴性对照）可计算 {controls} 项，均无关联。",
    };
    const UNCHECKED: Phrase = Phrase {
        en: "Complaints go with {exposure} ({ratio} per {step} more on the same line), but it could not be checked against what the network cannot cause, such as complaints about bills (negative controls).",
        zh: "投诉与{exposure}相关（同一线路每增加 {step} 为 {ratio} 倍），但无法与网络不可能引起的事（如账单投诉，即阴性对照）核对。",
    };
    const DOUBT: Phrase = Phrase {
        en: "Do not yet count on fewer complaints: {exposure} goes with them ({ratio} per {step} more), but a comparison that must show nothing, such as with complaints about bills (a negative control), is not clean.",
        zh: "暂勿指望投诉减少：{exposure}与投诉相关（每增加 {step} 为 {ratio} 倍），但本不应有关联的对照（如账单投诉，即阴性对照）也出现关联。",
    };
    let mut said = Prose::default();
    if let (Some(worst), Some((_, limit))) = (times.worst_hours(), times.busy()) {
        said = said.then(Prose::say(&WHEN, &[&shares(&worst)[..], &[("limit", limit)]].concat()));
    }
    if let Some(row) = strongest(basis) {
        let controls = answered_controls(basis, row);
        let gaps = [
            ("step", words::step(row.exposure.metric, row.increment)),
            ("exposure", exposure(&row.exposure, true)),
            ("ratio", ratio(basis, row).words(Style::Bare)),
            ("controls", number::count(controls as u64)),
        ];
        let phrase = match (failed_controls(basis, row).is_empty(), controls) {
            (false, _) => &DOUBT,
            (true, 0) => &UNCHECKED,
            (true, _) => &EXPECT,
        };
        said = said.then(Prose::say(phrase, &gaps).capital());
    }
    said
}

fn basis_of(n: u64, phrase: &Phrase) -> Prose {
    Prose::say(phrase, &[("n", number::count(n))])
}

const LINES: Phrase = Phrase { en: "{n} lines", zh: "{n} 条线路" };

fn gap_key(basis: &Basis<'_>) -> KeyNumber {
    const GAP: Phrase =
        Phrase { en: "Gap to {peer}: {metric}, {stratum}", zh: "与{peer}的差距：{metric}，{stratum}" };
    const DIFFERENCE: Phrase = Phrase {
        en: "Difference to {peer}: {metric}, {stratum}",
        zh: "与{peer}的差值：{metric}，{stratum}",
    };
    const NONE: Phrase = Phrase { en: "Gap to the peer operators", zh: "与对标运营商的差距" };
    const OWN_AND: Phrase =
        Phrase { en: "{own} {a}, {peer} {b} at {quantile}", zh: "{quantile}：{own} {a}，{peer} {b}" };
    const WITHIN: Phrase =
        Phrase { en: "{meaning}; {verdict} {within}", zh: "{meaning}；{verdict}，{within}" };
    let Some(row) = telling(basis) else {
        let declined = basis.peers.declined.as_ref().map(|declined| words::said(&declined.reason));
        return KeyNumber {
            key: "gap".into(),
            label: NONE.into(),
            number: Number::Declined(declined.unwrap_or_else(|| nothing(basis))),
            style: Style::Bare,
            basis: Prose::default(),
            meaning: Prose::default(),
            tone: Tone::CannotTell,
        };
    };
    let values = words::values_of(row);
    let gaps = [
        ("own", basis.own()),
        ("peer", Prose::plain(&row.peer.operator)),
        ("metric", words::series_inside(&Series::of_row(row))),
        ("stratum", words::stratum(&row.stratum)),
        ("a", values.0),
        ("b", values.1),
        ("quantile", words::quantile_told(row)),
    ];
    // A gap has no sign: it is how much worse, whichever way is better.
    let (phrase, gap) = match (row.verdict, words::answer(&row.difference)) {
        (Verdict::Worse, Number::Known { value, interval: (low, high), n }) if value < 0.0 => {
            (&GAP, Number::Known { value: -value, interval: (-high, -low), n })
        }
        (Verdict::Worse, gap) => (&GAP, gap),
        (_, difference) => (&DIFFERENCE, difference),
    };
    let meaning = Prose::say(&OWN_AND, &gaps);
    let meaning = match words::within_margin(row) {
        Some(within) => {
            let verdict = Prose::from(row.verdict.label());
            Prose::say(&WITHIN, &[("meaning", meaning), ("verdict", verdict), ("within", within)])
        }
        None => meaning,
    };
    let lines = row.own.lines + row.peer.lines;
    KeyNumber {
        key: format!("gap_{}_{}", row.metric.id(), row.metric.unit.code()),
        label: Prose::say(phrase, &gaps),
        number: gap,
        style: words::difference_style(row.metric),
        basis: basis_of(lines as u64, &LINES),
        meaning,
        tone: words::tone(row.verdict),
    }
}

fn promise_key(basis: &Basis<'_>, promise: &Promised) -> KeyNumber {
    const MEANING: Phrase = Phrase {
        en: "reach at least 95% of the download rate promised to them",
        zh: "的线路达到承诺下载速率的 95% 以上",
    };
    let own = promise.own(basis);
    let number = match own {
        Some(own) if basis.hides(own.lines) => Number::Declined(words::suppressed()),
        Some(own) => words::answer(&own.high),
        None => Number::Declined(
            Phrase {
                en: "no line has both a promised rate and a download test",
                zh: "没有同时具备承诺速率和下载测试的线路",
            }
            .into(),
        ),
    };
    let known = matches!(number, Number::Known { .. });
    KeyNumber {
        key: "lines_at_promise_ratio".into(),
        label: Phrase {
            en: "Lines that get 95% of what was promised", zh: "达到承诺速率 95% 的线路"
        }
        .into(),
        number,
        style: SHARE,
        basis: own.filter(|_| known).map(|own| basis_of(own.lines as u64, &LINES)).unwrap_or_default(),
        meaning: if known { MEANING.into() } else { Prose::default() },
        tone: if known { Tone::Plain } else { Tone::CannotTell },
    }
}

fn busy_key(basis: &Basis<'_>, times: &Times) -> KeyNumber {
    const FROM: Phrase = Phrase { en: "Tests beyond the limit from {hours}", zh: "{hours} 越限的测试" };
    const BUSY: Phrase = Phrase {
        en: "{values} of the source's busy hours beyond the limit",
        zh: "数据源所称忙时越限的{values}",
    };
    const OF: Phrase = Phrase { en: "{label}: {metric}", zh: "{label}：{metric}" };
    const BESIDE: Phrase = Phrase {
        en: "{limit} over all hours; of {peer}'s in these hours, {share} are beyond it",
        zh: "{limit}，按全时段计；{peer}在该时段为 {share}",
    };
    let hours = words::hours(basis.query.peak.from, basis.query.peak.to);
    let phrase = if times.tells_hours() { &FROM } else { &BUSY };
    let label = Prose::say(phrase, &[&[("hours", hours)][..], &times.value().gaps()].concat()).capital();
    let metric = times.focus().map(|focus| words::series_inside(&focus.series));
    let label =
        metric.map_or(label.clone(), |metric| Prose::say(&OF, &[("label", label), ("metric", metric)]));
    let Some((answer, limit)) = times.busy() else {
        const NOTHING: Phrase =
            Phrase { en: "nothing was observed on the own lines", zh: "本网线路没有任何观测" };
        let reason = if times.hidden() { words::suppressed() } else { NOTHING.into() };
        return KeyNumber {
            key: "busy_beyond_limit_ratio".into(),
            label,
            number: Number::Declined(reason),
            style: SHARE,
            basis: Prose::default(),
            meaning: Prose::default(),
            tone: Tone::CannotTell,
        };
    };
    let peer = times.peer_busy().and_then(|(name, answer)| Some((name, answer.as_estimate()?)));
    let meaning = match peer {
        None => limit,
        Some((name, share)) => {
            let share = Prose::plain(number::percent(share.value()));
            Prose::say(&BESIDE, &[("limit", limit), ("peer", Prose::plain(name)), ("share", share)])
        }
    }
    .capital();
    let n = answer.as_estimate().map(Estimate::n);
    let tone = match (answer.as_estimate(), peer) {
        (None, _) => Tone::CannotTell,
        (Some(own), Some((_, peer))) if own.interval().0 > peer.interval().1 => Tone::Worse,
        (Some(own), Some((_, peer))) if own.interval().1 < peer.interval().0 => Tone::Better,
        _ => Tone::Plain,
    };
    KeyNumber {
        key: "busy_beyond_limit_ratio".into(),
        label,
        number: words::answer(answer),
        style: SHARE,
        basis: n.map(|n| basis_of(n, &LINES)).unwrap_or_default(),
        meaning: if n.is_some() { meaning } else { Prose::default() },
        tone,
    }
}

fn complaint_key(basis: &Basis<'_>) -> KeyNumber {
    const LABEL: Phrase = Phrase {
        en: "Network complaints, per {step} more {exposure}",
        zh: "{exposure}每增加 {step}，网络类投诉",
    };
    const TIMES: Phrase = Phrase {
        en: "times as frequent, on the same line, in the {window} before",
        zh: "倍（同一线路，投诉前 {window}）",
    };
    const CHANCE: Phrase = Phrase {
        en: "times as frequent on the same line; after all comparisons, this may be chance",
        zh: "倍（同一线路）；考虑全部对比后，可能出于偶然",
    };
    const CONTROL: Phrase = Phrase {
        en: "times as frequent on the same line, but a comparison that must show nothing (a negative control) is not clean",
        zh: "倍（同一线路），但本不应有关联的阴性对照也出现关联",
    };
    const NONE: Phrase =
        Phrase { en: "Complaints that the network explains", zh: "网络能解释的投诉" };
    const EPISODES: Phrase = Phrase { en: "{n} complaints", zh: "投诉 {n} 件" };
    let shown = strongest(basis).or_else(|| first_association(basis));
    let Some(row) = shown else {
        let declined = basis.complaints.declined.as_ref().map(|declined| words::said(&declined.reason));
        let reason = declined.unwrap_or_else(|| {
            Phrase {
                en: "no complaint can be set against measurements on its own line",
                zh: "没有可与本线路测量对照的投诉",
            }
            .into()
        });
        return KeyNumber {
            key: "complaint_rate_ratio".into(),
            label: NONE.into(),
            number: Number::Declined(reason),
            style: Style::Bare,
            basis: Prose::default(),
            meaning: Prose::default(),
            tone: Tone::CannotTell,
        };
    };
    let gaps = [
        ("step", words::step(row.exposure.metric, row.increment)),
        ("exposure", exposure(&row.exposure, true)),
        ("window", words::window(&row.window)),
    ];
    let number = ratio(basis, row);
    let known = number.value().is_some();
    // One rule for the number and for the sentence: found, and no control found the same.
    let found = strongest(basis).is_some() && failed_controls(basis, row).is_empty();
    let tone = if found { Tone::Worse } else { Tone::CannotTell };
    KeyNumber {
        key: format!("complaint_rate_ratio_{}", row.exposure.metric.id()),
        label: Prose::say(&LABEL, &gaps),
        number,
        style: Style::Bare,
        basis: if known { basis_of(row.episodes, &EPISODES) } else { Prose::default() },
        meaning: match (known, found, strongest(basis).is_some()) {
            (false, ..) => Prose::default(),
            (true, true, _) => Prose::say(&TIMES, &gaps),
            (true, false, true) => CONTROL.into(),
            (true, false, false) => CHANCE.into(),
        },
        tone,
    }
}

/// Without a find: the association of the metric that the pictures show, or the first that was computed.
fn first_association<'a>(basis: &Basis<'a>) -> Option<&'a crate::study::complaints::CaseCrossover> {
    let mut rows: Vec<_> =
        basis.complaints.case_crossover.iter().filter(|row| row.control.is_none()).collect();
    let focus = basis.selection.focus.as_ref().map(|focus| focus.metric);
    rows.sort_by_key(|row| (row.rate_ratio.as_estimate().is_none(), Some(row.exposure.metric) != focus));
    rows.first().copied()
}
