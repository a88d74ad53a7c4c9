//! What the reports on expectation and on actions share: cells, tables, and how the numbers were made.

use super::operator::{self, words};
use super::{Align, Block, KeyNumber, Meta, Number, Section, Table, TableCell, Tone};
use crate::study::{Answer, Head};
use crate::text::number::Style;
use crate::text::{Prose, number};
use broadgauge_model::panel::Panel;
use broadgauge_model::text::Phrase;

/// A cell of an estimate: the value, and below it the interval; a dash where there is none.
pub(super) fn cell(answer: &Answer, style: Style) -> TableCell {
    match answer.as_estimate() {
        None => Prose::plain("–").into(),
        Some(e) => {
            let (text, detail) = number::estimate_parts(e.value(), e.interval(), style);
            TableCell { text, detail, tone: None }
        }
    }
}

/// The refusals of one table: a cell carries a mark, and each reason stands once, below the table.
#[derive(Debug, Default)]
pub(super) struct Refusals(Vec<Prose>);

impl Refusals {
    /// A cell of an estimate, or a dash with the mark of the reason why there is none.
    pub(super) fn cell(&mut self, answer: &Answer, style: Style) -> TableCell {
        let Number::Declined(reason) = words::answer(answer) else { return cell(answer, style) };
        let at = self.0.iter().position(|known| *known == reason).unwrap_or_else(|| {
            self.0.push(reason);
            self.0.len() - 1
        });
        Prose::plain(format!("– [{}]", at + 1)).into()
    }

    /// What the marks mean; nothing where nothing was refused.
    pub(super) fn below(self) -> Option<Block> {
        const MARK: Phrase =
            Phrase { en: "[{mark}] No number: {reason}.", zh: "[{mark}] 无数值：{reason}。" };
        let said = self.0.into_iter().enumerate().map(|(at, reason)| {
            Prose::say(&MARK, &[("mark", Prose::plain((at + 1).to_string())), ("reason", reason)])
        });
        let said = said.fold(Prose::default(), Prose::then);
        (!said.is_empty()).then_some(Block::Paragraph(said))
    }
}

/// A cell of plain words.
pub(super) fn plain(text: impl Into<String>) -> TableCell {
    Prose::plain(text).into()
}

/// A cell with a verdict.
pub(super) fn toned(text: Prose, tone: Tone) -> TableCell {
    TableCell { text, detail: Prose::default(), tone: Some(tone) }
}

/// A table.
pub(super) fn table(
    caption: impl Into<Prose>,
    columns: &[(Phrase, Align)],
    rows: Vec<Vec<TableCell>>,
) -> Block {
    Block::Table(Table {
        caption: caption.into(),
        columns: columns.iter().map(|(name, align)| (Prose::from(name), *align)).collect(),
        rows,
    })
}

/// One of the few numbers that matter.
pub(super) fn key(
    key: &str,
    label: impl Into<Prose>,
    answer: &Answer,
    style: Style,
    basis: Prose,
    meaning: Prose,
) -> KeyNumber {
    let number = words::answer(answer);
    let known = matches!(number, Number::Known { .. });
    KeyNumber {
        key: key.to_owned(),
        label: label.into(),
        number,
        style,
        basis: if known { basis } else { Prose::default() },
        meaning,
        tone: Tone::Plain,
    }
}

/// An estimate in a sentence, or why there is none.
pub(super) fn say(answer: &Answer, style: Style) -> Prose {
    words::answer(answer).words(style)
}

const SOFTWARE: &str = env!("CARGO_PKG_VERSION");

/// What the document is about, of one operator alone.
pub(super) fn meta(panel: &Panel, own: &str, head: &Head) -> Meta {
    Meta {
        period: panel.period.clone(),
        own: own.to_owned(),
        peers: Vec::new(),
        origins: operator::origins(panel),
        seed: head.seed,
        software: SOFTWARE.to_owned(),
    }
}

/// How the numbers were made, study by study, and what was left out.
pub(super) fn method(heads: &[(&Head, Phrase)]) -> Section {
    const SOURCE: Phrase = Phrase {
        en: "{method}, version {version} ({source}); seed {seed}",
        zh: "{method}，版本 {version}（{source}）；随机种子 {seed}",
    };
    const LEFT: Phrase = Phrase { en: "{reason}: {n}", zh: "{reason}：{n}" };
    let mut definitions = Vec::new();
    let mut left_out: Vec<Prose> = Vec::new();
    for (head, about) in heads {
        let method = Prose::of(|lang| match lang {
            broadgauge_model::text::Lang::En => head.method.name.to_owned(),
            broadgauge_model::text::Lang::Zh => chinese(head).to_owned(),
        });
        let gaps = [
            ("method", method),
            ("version", Prose::plain(head.method.version.to_string())),
            ("source", Prose::plain(head.method.source)),
            ("seed", Prose::plain(head.seed.to_string())),
        ];
        definitions.push((Prose::from(about), Prose::say(&SOURCE, &gaps).capital()));
        for note in &head.notes {
            let gaps = [("reason", words::said(&note.reason)), ("n", number::count(note.count))];
            let told = Prose::say(&LEFT, &gaps);
            if !left_out.contains(&told) {
                left_out.push(told);
            }
        }
    }
    definitions
        .push((Phrase { en: "Software", zh: "软件" }.into(), Prose::plain(format!("Broadgauge {SOFTWARE}"))));
    let mut blocks = vec![Block::Definitions(definitions)];
    if !left_out.is_empty() {
        blocks.push(Block::Heading(Phrase { en: "What was left out", zh: "未使用的数据" }.into()));
        blocks.extend(left_out.into_iter().map(|told| Block::Paragraph(told.capital())));
    }
    Section {
        id: "method",
        heading: Phrase { en: "How the numbers were made", zh: "数据与方法" }.into(),
        question: Prose::default(),
        blocks,
    }
}

/// Studies name their methods in English; the Chinese stands here.
fn chinese(head: &Head) -> &'static str {
    match head.study {
        "expectation" => "相对加权参照水平的差距之逻辑回归",
        "silent" => "带惩罚的逻辑回归，在其他线路和之后的周上检验",
        "balance" => "排队曲线到投诉拐点；超出同类的投诉",
        "closed_loop" => "与同样差而未处理单元的双重差分",
        _ => head.method.name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use broadgauge_model::text::Lang;

    #[test]
    fn the_same_refusal_is_said_once_below_its_table_and_marked_in_each_cell() {
        let few = || Answer::declined(Phrase { en: "too few cases", zh: "工单太少" });
        let other = Answer::declined(Phrase { en: "none was done", zh: "均未办结" });
        let mut refusals = Refusals::default();
        let cells = [few(), other, few(), Answer::estimate(2.0, (1.0, 3.0), 40)];
        let cells = cells.map(|answer| refusals.cell(&answer, Style::Bare).text.get(Lang::En).to_owned());
        assert_eq!(cells[..3], ["– [1]", "– [2]", "– [1]"]);
        assert!(cells[3].starts_with('2'), "{cells:?}");
        let Some(Block::Paragraph(below)) = refusals.below() else { panic!("nothing below") };
        assert_eq!(below.get(Lang::En), "[1] No number: too few cases. [2] No number: none was done.");
        assert_eq!(below.get(Lang::Zh), "[1] 无数值：工单太少。[2] 无数值：均未办结。");
        assert!(Refusals::default().below().is_none());
    }
}
