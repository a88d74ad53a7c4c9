//! The report on satisfaction: how satisfied are customers, what makes them so, and what should be improved first?
//!
//! The first page is for those who read one page. Every sentence is made from the same numbers as the chart or the table
//! beside it; where the study declined, its reason stands in the place of the number.

use super::complaints::{cell, columns};
use super::operator::{method, words};
use super::{
    Align, Answer as Sentence, Block, Document, Figure, KeyNumber, Meta, Number, Section, Table, TableCell,
    Tone,
};
use crate::chart::Caption;
use crate::chart::importance::{ImportancePerformance, ImportancePoint};
use crate::study::Answer;
use crate::study::satisfaction::{ConstructRow, Importance, Name, Satisfaction};
use crate::text::number::{self, Style};
use crate::text::{Prose, date};
use broadgauge_model::text::{Lang, Phrase};

/// What a report is asked to be.
#[derive(Clone, Debug)]
pub struct Query {
    /// Whose customers answered.
    pub own: String,
    /// The construct that importance is about.
    pub target: String,
    /// The segments that it is narrowed to.
    pub segments: Vec<String>,
    /// The version of this software.
    pub software: String,
}

impl Query {
    /// Of this operator's customers, on the standard model.
    pub fn of(own: impl Into<String>) -> Self {
        let software = env!("CARGO_PKG_VERSION").to_owned();
        Self { own: own.into(), target: "satisfaction".into(), segments: Vec::new(), software }
    }
}

/// Writes the report.
pub fn write(study: &Satisfaction, query: &Query) -> Document {
    const TITLE: Phrase = Phrase {
        en: "{own}: how satisfied customers are, and what would change it",
        zh: "{own}：用户满意度，以及什么能改变它",
    };
    const SUBTITLE: Phrase =
        Phrase { en: "{period} · {n} respondents", zh: "{period} · 受访者 {n} 人" };
    const NARROWED: Phrase = Phrase {
        en: "{period} · {n} respondents · only {segments}",
        zh: "{period} · 受访者 {n} 人 · 仅限 {segments}",
    };
    let gaps = [
        ("own", Prose::plain(&query.own)),
        ("period", date::period(&study.head.period)),
        ("n", number::count(study.respondents as u64)),
        ("segments", Prose::list(&query.segments.iter().map(Prose::plain).collect::<Vec<_>>())),
    ];
    let subtitle = if query.segments.is_empty() { &SUBTITLE } else { &NARROWED };
    let report = Report { study, query };
    let sections =
        vec![report.verdict(), report.indices(), report.priorities(), report.paths(), report.method()];
    Document {
        name: "satisfaction",
        kind: Phrase { en: "Satisfaction report", zh: "用户满意度报告" },
        title: Prose::say(&TITLE, &gaps),
        subtitle: Prose::say(subtitle, &gaps),
        meta: Meta {
            period: study.head.period.clone(),
            own: query.own.clone(),
            peers: Vec::new(),
            origins: Vec::new(),
            seed: study.head.seed,
            software: query.software.clone(),
        },
        sections: sections.into_iter().filter(|section| !section.blocks.is_empty()).collect(),
    }
}

struct Report<'a> {
    study: &'a Satisfaction,
    query: &'a Query,
}

fn name(name: &Name) -> Prose {
    Prose::of(|lang| match lang {
        Lang::En => name.en.clone(),
        Lang::Zh => name.zh.clone(),
    })
}

impl Report<'_> {
    fn construct(&self, id: &str) -> Option<&ConstructRow> {
        self.study.constructs.iter().find(|row| row.construct == id)
    }

    fn named(&self, id: &str) -> Prose {
        self.construct(id).map_or_else(|| Prose::plain(id), |row| name(&row.name))
    }

    fn first(&self) -> Option<&Importance> {
        self.study.importance.iter().find(|row| row.first)
    }

    /// Segments of the target that lie below the whole, the lowest first.
    fn behind(&self) -> Vec<(&str, &Answer)> {
        let Some(target) = self.construct(&self.query.target) else { return Vec::new() };
        let Some(all) = target.index.as_estimate() else { return Vec::new() };
        let mut low: Vec<(&str, &Answer, f64)> = target
            .segments
            .iter()
            .filter_map(|s| {
                let e = s.index.as_estimate()?;
                (e.interval().1 < all.interval().0).then_some((s.segment.as_str(), &s.index, e.value()))
            })
            .collect();
        low.sort_by(|a, b| a.2.total_cmp(&b.2));
        low.into_iter().map(|(segment, answer, _)| (segment, answer)).collect()
    }

    fn verdict(&self) -> Section {
        let mut blocks = vec![Block::Answers(vec![
            Sentence {
                label: Phrase { en: "What is wrong", zh: "问题在哪" }.into(),
                text: self.wrong(),
                detail: self.segments_behind(),
            },
            Sentence {
                label: Phrase { en: "How sure that is", zh: "把握多大" }.into(),
                text: self.sure(),
                detail: LIMITS.into(),
            },
            Sentence {
                label: Phrase { en: "What to do", zh: "怎么办" }.into(),
                text: self.todo(),
                detail: Prose::default(),
            },
        ])];
        let keys: Vec<KeyNumber> = ["satisfaction", "quality", "expectation", "loyalty"]
            .iter()
            .filter_map(|id| self.construct(id))
            .map(|row| self.key(row))
            .collect();
        if !keys.is_empty() {
            blocks.push(Block::Keys(keys));
        }
        Section {
            id: "verdict",
            heading: Phrase { en: "In short", zh: "结论" }.into(),
            question: Prose::default(),
            blocks,
        }
    }

    fn key(&self, row: &ConstructRow) -> KeyNumber {
        const LABEL: Phrase = Phrase { en: "Index of {name}", zh: "{name}指数" };
        const BASIS: Phrase = Phrase { en: "{n} respondents", zh: "受访者 {n} 人" };
        let number = words::answer(&row.index);
        let known = number.value().is_some();
        let n = Prose::say(&BASIS, &[("n", number::count(self.study.respondents as u64))]);
        KeyNumber {
            key: format!("{}_index", row.construct),
            label: Prose::say(&LABEL, &[("name", name(&row.name))]),
            number,
            style: Style::Bare,
            basis: if known { n } else { Prose::default() },
            meaning: if known {
                Phrase { en: "of 100", zh: "（满分 100）" }.into()
            } else {
                Prose::default()
            },
            tone: if known { Tone::Plain } else { Tone::CannotTell },
        }
    }

    fn wrong(&self) -> Prose {
        const FIRST: Phrase = Phrase {
            en: "Customers rate {target} at {index} of 100. {weak} holds it back: it matters more than most (one standard deviation of it moves {target} by {effect}) and stands lower than most, at {level}.",
            zh: "{target}指数为 {index}（满分 100）。{weak}拖后腿：其影响高于平均（每变动 1 个标准差，{target}变动 {effect} 个标准差），得分却低于平均，为 {level}。",
        };
        const EVEN: Phrase = Phrase {
            en: "Customers rate {target} at {index} of 100. Nothing that matters more than most stands lower than most.",
            zh: "{target}指数为 {index}（满分 100）。没有影响大而得分低的方面。",
        };
        const DECLINED: Phrase = Phrase {
            en: "The survey gives no index: {reason}.",
            zh: "该调查无法给出指数：{reason}。",
        };
        if let Some(declined) = &self.study.declined {
            return Prose::say(&DECLINED, &[("reason", words::said(&declined.reason))]);
        }
        let target = self.construct(&self.query.target);
        let index = target.map(|row| words::answer(&row.index).words(Style::Bare)).unwrap_or_default();
        let mut gaps = vec![("target", self.named(&self.query.target)), ("index", index)];
        let Some(first) = self.first() else { return Prose::say(&EVEN, &gaps) };
        let level = self.construct(&first.construct);
        gaps.push(("weak", self.named(&first.construct).capital()));
        gaps.push(("effect", Prose::plain(number::fixed(first.importance, 2))));
        gaps.push((
            "level",
            level.map(|row| words::answer(&row.index).words(Style::Bare)).unwrap_or_default(),
        ));
        Prose::say(&FIRST, &gaps)
    }

    fn segments_behind(&self) -> Prose {
        const BEHIND: Phrase =
            Phrase { en: "Behind the others: {segments}.", zh: "落后的客群：{segments}。" };
        const ONE: Phrase = Phrase { en: "{segment} at {index}", zh: "{segment}（{index}）" };
        let behind: Vec<Prose> = self
            .behind()
            .into_iter()
            .map(|(segment, index)| {
                let index = words::answer(index).words(Style::Bare);
                Prose::say(&ONE, &[("segment", Prose::plain(segment)), ("index", index)])
            })
            .collect();
        if behind.is_empty() {
            Prose::default()
        } else {
            Prose::say(&BEHIND, &[("segments", Prose::list(&behind))])
        }
    }

    fn sure(&self) -> Prose {
        const TOLD: Phrase = Phrase {
            en: "The numbers rest on {n} respondents who answered every item; intervals show what another sample of them might have said. The model explains {share} of the differences in {target}.",
            zh: "依据为 {n} 名答完全部题目的受访者；区间反映换一批受访者可能的结果。模型解释了{target}差异的 {share}。",
        };
        const NONE: Phrase = Phrase {
            en: "No number can be given, so there is nothing to be sure of.",
            zh: "没有给出数值，也就谈不上把握。",
        };
        let r = self.construct(&self.query.target).and_then(|row| row.r_squared.as_ref());
        let Some(e) = r.and_then(Answer::as_estimate) else { return NONE.into() };
        let gaps = [
            ("n", number::count(self.study.respondents as u64)),
            ("share", number::estimate(e.value(), e.interval(), Style::Share)),
            ("target", self.named(&self.query.target)),
        ];
        Prose::say(&TOLD, &gaps)
    }

    fn todo(&self) -> Prose {
        const FIRST: Phrase = Phrase {
            en: "Improve {first} first: of what stands lower than most, it moves {target} furthest.",
            zh: "先改进{first}：在得分低于平均的方面中，提升它对{target}的带动最大。",
        };
        const STRONGEST: Phrase = Phrase {
            en: "Keep {strongest} where it is, which matters most for {target}, and ask again after the next change.",
            zh: "保持{strongest}，它对{target}影响最大；下次改动后再调查。",
        };
        const ASK: Phrase = Phrase {
            en: "Ask more customers: the reason above says what is missing.",
            zh: "扩大调查：缺什么见上述原因。",
        };
        let target = self.named(&self.query.target);
        if let Some(first) = self.first() {
            return Prose::say(&FIRST, &[("first", self.named(&first.construct)), ("target", target)]);
        }
        match self.study.importance.first() {
            Some(most) => {
                Prose::say(&STRONGEST, &[("strongest", self.named(&most.construct)), ("target", target)])
            }
            None => ASK.into(),
        }
    }

    fn indices(&self) -> Section {
        let heads = [
            (Phrase { en: "Construct", zh: "构念" }, Align::Left),
            (Phrase { en: "Segment", zh: "客群" }, Align::Left),
            (Phrase { en: "Index (0 to 100)", zh: "指数（0～100）" }, Align::Right),
            (Phrase { en: "Explained (R²)", zh: "被解释程度（R²）" }, Align::Right),
            (Phrase { en: "Reliability (rho)", zh: "信度（rho）" }, Align::Right),
        ];
        let mut rows: Vec<Vec<TableCell>> = Vec::new();
        for row in &self.study.constructs {
            let all: Prose = Phrase { en: "all", zh: "全部" }.into();
            rows.push(vec![
                name(&row.name).capital().into(),
                all.into(),
                cell(&row.index, Style::Bare),
                row.r_squared.as_ref().map_or_else(TableCell::default, |r| cell(r, Style::Bare)),
                row.rho.map(|rho| Prose::plain(number::fixed(rho, 2))).unwrap_or_default().into(),
            ]);
            for segment in &row.segments {
                rows.push(vec![
                    TableCell::default(),
                    Prose::plain(&segment.segment).into(),
                    cell(&segment.index, Style::Bare),
                    TableCell::default(),
                    TableCell::default(),
                ]);
            }
        }
        let caption = Phrase { en: "Indices, whole and by segment", zh: "各项指数，总体与分客群" }.into();
        let table = Table { caption, columns: columns(&heads), rows };
        Section {
            id: "indices",
            heading: Phrase { en: "How it stands", zh: "现状" }.into(),
            question: Phrase {
                en: "How satisfied are customers, and which of them less?",
                zh: "用户有多满意，哪些人较低？",
            }
            .into(),
            blocks: if self.study.constructs.is_empty() { Vec::new() } else { vec![Block::Table(table)] },
        }
    }

    fn priorities(&self) -> Section {
        const TITLE: Phrase = Phrase {
            en: "{first} matters more than most and stands lower than most",
            zh: "{first}影响大而得分低，应优先改进",
        };
        const EVEN: Phrase = Phrase {
            en: "Nothing that matters more than most stands lower than most",
            zh: "没有影响大而得分低的方面",
        };
        const CAPTION: Phrase = Phrase {
            en: "One point per construct: how it stands (with its 95% interval) against how far {target} moves with it over all ways. The arrows of the model are assumed, so the effect is one only as far as they are right.",
            zh: "每点为一个构念：横轴为得分（含 95% 区间），纵轴为其对{target}的总影响。模型的箭头是假定的，箭头成立时影响才成立。",
        };
        if self.study.importance.is_empty() {
            return Section {
                id: "priorities",
                heading: Prose::default(),
                question: Prose::default(),
                blocks: Vec::new(),
            };
        }
        let title = match self.first() {
            Some(first) => Prose::say(&TITLE, &[("first", self.named(&first.construct).capital())]),
            None => EVEN.into(),
        };
        let target = self.named(&self.query.target);
        let parts = [
            Prose::say(
                &Phrase { en: "{n} respondents", zh: "受访者 {n} 人" },
                &[("n", number::count(self.study.respondents as u64))],
            ),
            date::period(&self.study.head.period),
        ];
        let subtitle = Prose::parts(&parts);
        let make = |lang: Lang| ImportancePerformance {
            caption: Caption {
                title: title.get(lang).to_owned(),
                subtitle: subtitle.get(lang).to_owned(),
                note: String::new(),
            },
            target: target.get(lang).to_owned(),
            points: self
                .study
                .importance
                .iter()
                .map(|row| {
                    let index = self.construct(&row.construct).map(|c| words::answer(&c.index));
                    let index = index.unwrap_or_else(|| Number::Declined(Prose::default()));
                    ImportancePoint {
                        name: self.named(&row.construct).get(lang).to_owned(),
                        importance: row.importance,
                        index: index.figure(lang),
                        first: row.first,
                    }
                })
                .collect(),
        };
        let caption = Prose::say(&CAPTION, &[("target", target.clone())]);
        let figure = Figure::new("importance-performance", title.clone(), caption, make);
        Section {
            id: "priorities",
            heading: Phrase { en: "What to improve first", zh: "先改进什么" }.into(),
            question: Phrase {
                en: "What matters much and stands low?", zh: "什么影响大而得分低？"
            }
            .into(),
            blocks: vec![Block::Figure(figure)],
        }
    }

    fn paths(&self) -> Section {
        let heads = [
            (Phrase { en: "From", zh: "从" }, Align::Left),
            (Phrase { en: "To", zh: "到" }, Align::Left),
            (Phrase { en: "Path", zh: "路径系数" }, Align::Right),
            (Phrase { en: "Over all ways", zh: "总效应" }, Align::Right),
        ];
        let rows = self.study.total_effects.iter().map(|effect| {
            let direct = self.study.paths.iter().find(|p| p.from == effect.from && p.to == effect.to);
            vec![
                self.named(&effect.from).capital().into(),
                self.named(&effect.to).into(),
                direct.map_or_else(TableCell::default, |p| cell(&p.coefficient, Style::Bare)),
                cell(&effect.coefficient, Style::Bare),
            ]
        });
        let arrows = Table {
            caption: Phrase { en: "In standard deviations", zh: "以标准差为单位" }.into(),
            columns: columns(&heads),
            rows: rows.collect(),
        };
        let heads = [
            (Phrase { en: "Item", zh: "题项" }, Align::Left),
            (Phrase { en: "Construct", zh: "构念" }, Align::Left),
            (Phrase { en: "Mean answer", zh: "平均分" }, Align::Right),
            (Phrase { en: "Loading", zh: "载荷" }, Align::Right),
            (Phrase { en: "Weight", zh: "权重" }, Align::Right),
        ];
        let rows = self.study.constructs.iter().flat_map(|row| {
            row.items.iter().map(|item| {
                vec![
                    Prose::plain(&item.item).into(),
                    name(&row.name).into(),
                    Prose::plain(number::fixed(item.mean, 2)).into(),
                    cell(&item.loading, Style::Bare),
                    cell(&item.weight, Style::Bare),
                ]
            })
        });
        let items = Table {
            caption: Phrase {
                en: "Items; weak ones are printed and not dropped",
                zh: "题项；较弱的也列出，不剔除",
            }
            .into(),
            columns: columns(&heads),
            rows: rows.collect(),
        };
        Section {
            id: "paths",
            heading: Phrase { en: "How it hangs together", zh: "相互关系" }.into(),
            question: Phrase { en: "What goes with what?", zh: "哪些因素相互关联？" }.into(),
            blocks: if self.study.paths.is_empty() {
                Vec::new()
            } else {
                vec![Block::Table(arrows), Block::Table(items)]
            },
        }
    }

    fn method(&self) -> Section {
        const METHOD: Phrase = Phrase {
            en: "{name}, version {version}. Source: {source}. Seed {seed}.",
            zh: "偏最小二乘路径模型，按受访者重抽样，版本 {version}。来源：{source}。随机种子 {seed}。",
        };
        let method = &self.study.head.method;
        let gaps = [
            ("name", Prose::plain(method.name).capital()),
            ("version", Prose::plain(method.version.to_string())),
            ("source", Prose::plain(method.source)),
            ("seed", Prose::plain(self.study.head.seed.to_string())),
        ];
        let mut terms = vec![
            (Phrase { en: "Path model", zh: "路径模型" }.into(), Prose::say(&METHOD, &gaps)),
            (
                Phrase { en: "Index", zh: "指数" }.into(),
                Phrase {
                    en: "The weighted mean of a construct's items, stretched from the scale of the answers to 0 to 100 (Fornell et al. 1996).",
                    zh: "构念各题项加权平均，由答案量表换算到 0～100（Fornell 等 1996）。",
                }
                .into(),
            ),
        ];
        let rules = method::RULES.iter().filter(|(name, _)| name.en == "Interval");
        terms.extend(rules.map(|(name, rule)| (Prose::from(name), Prose::from(rule))));
        for note in &self.study.head.notes {
            const COUNT: Phrase = Phrase { en: "In number: {n}.", zh: "共 {n}。" };
            let n = Prose::say(&COUNT, &[("n", number::count(note.count))]);
            terms.push((words::said(&note.reason).capital(), n));
        }
        Section {
            id: "method",
            heading: Phrase { en: "How it was done", zh: "方法" }.into(),
            question: Prose::default(),
            blocks: vec![Block::Definitions(terms)],
        }
    }
}

const LIMITS: Phrase = Phrase {
    en: "Who answers a survey is not everybody, and the arrows between constructs are the model's assumption.",
    zh: "答卷者不代表所有用户；构念之间的箭头是模型的假定。",
};

#[cfg(test)]
mod tests;
