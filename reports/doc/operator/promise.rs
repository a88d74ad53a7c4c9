//! Do customers get what they were promised?

use super::basis::Basis;
use super::words;
use crate::chart::coverage::{Coverage, CoverageBar, CoverageGroup};
use crate::chart::{Caption, Party, Role};
use crate::doc::{Block, Figure, Number, Section};
use crate::study::Answer;
use crate::study::describe::Series;
use crate::study::describe::promise::{Kept, MARKS, kept};
use crate::text::Prose;
use crate::text::number::{self, Style};
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::Statistic;
use broadgauge_model::text::{Lang, Phrase};

/// How the operators stand to their promises.
pub(super) struct Promised {
    series: Option<Series>,
    kept: Vec<Kept>,
}

impl Promised {
    pub(super) fn of(basis: &Basis<'_>) -> Self {
        let own = &basis.query.own;
        let promised = basis.panel.lines.iter().any(|line| {
            line.operator == *own && line.promise.promised_down_mbps.is_some_and(|promised| promised > 0.0)
        });
        // The kind of test that most of the own lines' rates come from.
        let rates = basis.series.iter().filter(|(series, _)| series.metric == MetricId::DOWNLOAD_GOODPUT);
        let own_cells = |series: &Series| series.cells(basis.panel, own).count();
        let middling = |series: &Series| {
            matches!(series.statistic, Statistic::Singleton | Statistic::Median | Statistic::Mean)
        };
        let series = rates
            .map(|(series, _)| series)
            .filter(|series| promised && middling(series))
            .max_by_key(|series| own_cells(series))
            .cloned();
        let operators: Vec<&str> =
            std::iter::once(own.as_str()).chain(basis.parties.iter().map(String::as_str)).collect();
        let kept = series.as_ref().map_or_else(Vec::new, |series| kept(basis.panel, series, &operators));
        Self { series, kept }
    }

    /// The own operator over all its lines.
    pub(super) fn own(&self, basis: &Basis<'_>) -> Option<&Kept> {
        self.kept.iter().find(|kept| kept.technology.is_none() && kept.operator == basis.query.own)
    }

    pub(super) fn section(&self, basis: &Basis<'_>) -> Section {
        Section {
            id: "promise",
            heading: Phrase { en: "What was promised", zh: "承诺兑现" }.into(),
            question: Phrase {
                en: "How many lines get the download rate that was promised to them?",
                zh: "有多少线路达到了承诺的下载速率？",
            }
            .into(),
            blocks: vec![self.chart(basis)],
        }
    }

    fn chart(&self, basis: &Basis<'_>) -> Block {
        const TITLE: Phrase = Phrase {
            en: "{high} of {own}'s lines reach 95% of the promised rate; {low} reach 80%",
            zh: "{own}有 {high} 的线路达到承诺速率的 95%；{low} 达到 80%",
        };
        const CAPTION: Phrase = Phrase {
            en: "A line counts with the median of its tests (or with the one number that the data hold of it), set against the download rate promised for that line. Whiskers: 95% interval (Wilson). The consistent rate is what 80% of lines reach in 80% of their tests.",
            zh: "每条线路取其测试中位数（数据中每线只有一个数值时取该值），与该线路承诺的下载速率相比。误差线为 95% 区间（Wilson）。稳定速率指 80% 的线路在 80% 的测试中达到的速率。",
        };
        const WHAT: Phrase =
            Phrase { en: "Lines that get what was promised", zh: "达到承诺速率的线路比例" };
        let declined = |reason: Prose| Block::Declined { what: Prose::from(&WHAT), reason };
        let (Some(series), Some(own)) = (&self.series, self.own(basis)) else {
            return declined(
                Phrase {
                    en: "no line of the own operator has both a promised download rate and a download test",
                    zh: "本网没有同时具备承诺下载速率和下载测试的线路",
                }
                .into(),
            );
        };
        if basis.hides(own.lines) {
            return declined(words::suppressed());
        }
        let share = |answer: &Answer| match answer {
            Answer::Estimate(e) => number::estimate_parts(e.value(), e.interval(), Style::Share).0,
            Answer::Declined(declined) => words::said(&declined.reason),
        };
        let gaps = [("high", share(&own.high)), ("own", basis.own()), ("low", share(&own.low))];
        let title = Prose::say(&TITLE, &gaps);
        let subtitle = words::subtitle(vec![words::series(series)], basis.panel);
        let shown: Vec<&Kept> = self.kept.iter().filter(|kept| !basis.hides(kept.lines)).collect();
        let make = |lang: Lang| {
            let mut groups: Vec<(Option<&str>, CoverageGroup)> = Vec::new();
            for kept in &shown {
                let technology = kept.technology.as_deref();
                if groups.last().is_none_or(|(known, _)| *known != technology) {
                    let heading = heading(technology, self.kept.iter().any(|kept| kept.technology.is_some()));
                    groups.push((
                        technology,
                        CoverageGroup { heading: heading.get(lang).to_owned(), bars: Vec::new() },
                    ));
                }
                if let Some((_, group)) = groups.last_mut() {
                    group.bars.push(bar(basis, kept, lang));
                }
            }
            Coverage {
                caption: Caption {
                    title: title.get(lang).to_owned(),
                    subtitle: subtitle.get(lang).to_owned(),
                    note: String::new(),
                },
                yardstick: Phrase { en: "the promised download rate", zh: "承诺下载速率" }
                    .get(lang)
                    .to_owned(),
                marks: MARKS,
                groups: groups.into_iter().map(|(_, group)| group).collect(),
            }
        };
        Block::Figure(Figure::new("promised-rate", title.clone(), CAPTION.into(), make))
    }
}

fn heading(technology: Option<&str>, several: bool) -> Prose {
    match technology {
        None if several => Phrase { en: "All technologies", zh: "全部接入技术" }.into(),
        None => Prose::default(),
        Some("") => Phrase { en: "Technology not known", zh: "接入技术未知" }.into(),
        Some(name) => words::technology(name),
    }
}

fn bar(basis: &Basis<'_>, kept: &Kept, lang: Lang) -> CoverageBar {
    let figure = |answer: &Answer| words::answer(answer).figure(lang);
    let consistent = match words::answer(&kept.consistent) {
        known @ Number::Known { .. } => Some(known.figure(lang)),
        Number::Declined(_) => None,
    };
    CoverageBar {
        party: party(basis, &kept.operator),
        high: figure(&kept.high),
        low: figure(&kept.low),
        consistent_mbps: consistent,
    }
}

/// An operator with its colour: peers are numbered by how many lines they have.
pub(super) fn party(basis: &Basis<'_>, operator: &str) -> Party {
    let role = basis.parties.iter().position(|name| name == operator).map_or(Role::Own, Role::Peer);
    Party { name: operator.to_owned(), role }
}
