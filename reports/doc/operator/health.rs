//! Can this report be trusted? The agents' own books.

use super::basis::Basis;
use super::words;
use crate::chart::Caption;
use crate::chart::health::{HealthRow, HealthSlot, HealthStrip};
use crate::doc::{Block, Figure, Section};
use crate::text::{Prose, number};
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::panel::SourceKind;
use broadgauge_model::result::Health;
use broadgauge_model::text::{Lang, Phrase};
use jiff::Timestamp;

/// Agents in one strip; the worst come first.
const MOST: usize = 24;

pub(in crate::doc) fn section(basis: &Basis<'_>) -> Section {
    Section {
        id: "health",
        heading: Phrase { en: "Can this report be trusted?", zh: "这份报告可信吗？" }.into(),
        question: Phrase {
            en: "Did the agents measure what they were asked to, on time, with good clocks?",
            zh: "测量代理是否按计划、按时、以可靠的时钟完成了测量？",
        }
        .into(),
        blocks: blocks(basis),
    }
}

/// An agent that has said nothing for so long at the end of the period is out of date.
const OUT_OF_DATE: Span = Span::secs(86_400);

/// An agent's name and books.
type Agent = (String, Health);

/// The agents whose measurements are in this report: those whose books are up to date, and the others.
fn agents<'a>(basis: &Basis<'a>) -> (Vec<&'a Agent>, Vec<&'a Agent>) {
    let measured = |name: &str| {
        basis.panel.sources.iter().any(|source| source.kind == SourceKind::Measured && source.name == name)
    };
    let to = basis.panel.period.to;
    let known = basis.panel.health.iter();
    known
        .filter(|(name, health)| health.runs_planned > 0 && measured(name))
        .partition(|(_, health)| to.since(health.at) <= OUT_OF_DATE)
}

/// Runs planned and done by all agents whose books are up to date.
pub(super) fn runs(basis: &Basis<'_>) -> (u64, u64) {
    agents(basis).0.iter().fold((0, 0), |(planned, done), (_, health)| {
        (planned + health.runs_planned, done + health.runs_done.min(health.runs_planned))
    })
}

fn missing(health: &Health) -> f64 {
    1.0 - health.runs_done as f64 / health.runs_planned.max(1) as f64
}

fn blocks(basis: &Basis<'_>) -> Vec<Block> {
    const WHAT: Phrase = Phrase { en: "Runs, clocks and timers", zh: "任务、时钟与定时" };
    const TITLE: Phrase = Phrase {
        en: "{done} of {planned} planned runs were made ({share})",
        zh: "计划 {planned} 次测量，完成 {done} 次（{share}）",
    };
    const AGENT: Phrase = Phrase { en: "{n} agent", zh: "测量代理 {n} 个" };
    const AGENTS: Phrase = Phrase { en: "{n} agents", zh: "测量代理 {n} 个" };
    const CAPTION: Phrase = Phrase {
        en: "One row per agent, the worst first, over the life of its books: the bar divides all its runs and says nothing of when they were, so an agent that ran for one day has as long a bar as one that ran all along. Late: made after its tolerance. Missing: never made; it says nothing about the network. A clock's own estimate of its error matters for one-way delay only.",
        zh: "每个测量代理一行，最差的在前，为其账本建立以来的累计：色条只表示各类次数的占比，不表示时间，只运行一天的代理与全程运行的代理色条等长。迟到：超出容差后才执行。缺失：未执行，不说明网络状况。时钟误差估计只影响单向时延。",
    };
    const UNTOLD: Phrase = Phrase {
        en: "no agent of ours reported its books for these lines; how carefully the imported values were measured is not known to this report",
        zh: "没有测量代理上报账本；导入数据的测量质量，本报告无从得知",
    };
    const DROPPED: Phrase = Phrase {
        en: "Samples dropped because an agent's spool was full: {n}. They are missing from every figure.",
        zh: "因测量代理缓存已满，丢弃样本 {n} 个：它们不在任何图表中。",
    };
    const SILENT: Phrase = Phrase {
        en: "{name} was last heard of at {at}. Its books say nothing of the time since, and are left out here.",
        zh: "{name} 最后一次上报为 {at}；此后情况不明，其账本未计入。",
    };
    let (mut agents, silent) = agents(basis);
    let silent: Vec<Block> = silent
        .iter()
        .map(|(name, health)| {
            let at = Prose::plain(health.at.rfc3339());
            Block::Note(Prose::say(&SILENT, &[("name", Prose::plain(name)), ("at", at)]))
        })
        .collect();
    if agents.is_empty() {
        let untold = Block::Declined { what: WHAT.into(), reason: UNTOLD.into() };
        return std::iter::once(untold).chain(silent).collect();
    }
    agents.sort_by(|a, b| missing(&b.1).total_cmp(&missing(&a.1)).then(a.0.cmp(&b.0)));
    let all = agents.len();
    agents.truncate(MOST);
    let (planned, done) = runs(basis);
    let title = Prose::say(
        &TITLE,
        &[
            ("done", number::count(done)),
            ("planned", number::count(planned)),
            ("share", Prose::plain(number::percent(done as f64 / planned as f64))),
        ],
    );
    let phrase = if all == 1 { &AGENT } else { &AGENTS };
    let agents_word = Prose::say(phrase, &[("n", number::count(all as u64))]);
    let subtitle = words::subtitle(vec![agents_word], basis.panel);
    let period = &basis.panel.period;
    let make = |lang: Lang| HealthStrip {
        caption: Caption {
            title: title.get(lang).to_owned(),
            subtitle: subtitle.get(lang).to_owned(),
            note: String::new(),
        },
        zone: period.zone.clone(),
        from: instant(period.from),
        to: instant(period.to),
        rows: agents.iter().map(|(name, health)| row(name, health)).collect(),
    };
    let mut blocks =
        vec![Block::Figure(Figure::new("measurement-health", title.clone(), CAPTION.into(), make))];
    blocks.extend(silent);
    let dropped: u64 = basis.panel.health.iter().map(|(_, health)| health.samples_dropped).sum();
    if dropped > 0 {
        blocks.push(Block::Note(Prose::say(&DROPPED, &[("n", number::count(dropped))])));
    }
    blocks
}

fn row(name: &str, health: &Health) -> HealthRow {
    let done = health.runs_done.min(health.runs_planned);
    let late = health.runs_late.min(done);
    HealthRow {
        name: name.to_owned(),
        slots: vec![HealthSlot { planned: health.runs_planned, on_time: done - late, late }],
        clock_synchronised: health.clock_synchronised,
        clock_error_ms: health.clock_error_ms,
        timer_error_ms: health.send_lateness_p99_ms,
        self_load: None,
    }
}

fn instant(at: Wall) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(at.0)).unwrap_or(Timestamp::UNIX_EPOCH)
}
