//! One self-contained page: no script, no fetch, readable on screen and on paper.
//!
//! The template stands beside this file; askama checks it at build time and escapes every text. The charts' SVG is the
//! only thing that goes in unescaped: it comes from our own painter, which escapes its labels.

use super::chart::{csv, paint};
use super::{RenderError, Renderer};
use crate::chart::table::Cell;
use crate::doc::{Block, Document, Figure};
use crate::paint::svg::SvgPainter;
use crate::text::{Prose, date, number};
use askama::Template;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use broadgauge_model::panel::SourceKind;
use broadgauge_model::text::{Lang, Phrase};

/// Rows of a chart's data that are shown in the page; the file has all of them.
const SHOWN_ROWS: usize = 200;

/// Renders HTML.
#[derive(Clone, Copy, Debug, Default)]
pub struct Html;

impl Renderer for Html {
    fn render(&self, document: &Document, lang: Lang) -> Result<Vec<u8>, RenderError> {
        let mut figures = Vec::new();
        for (i, figure) in document.figures().enumerate() {
            figures.push(FigureView::new(figure, i + 1, lang)?);
        }
        let page = Page { document, lang, figures, words: Words { lang } };
        Ok(page.render()?.into_bytes())
    }
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    document: &'a Document,
    lang: Lang,
    figures: Vec<FigureView>,
    words: Words,
}

impl Page<'_> {
    /// The view of a chart: the template meets them in the same order as [`Document::figures`].
    fn view(&self, figure: &Figure) -> &FigureView {
        let at = self.figures.iter().position(|view| view.name == figure.name);
        &self.figures[at.expect("every figure of the document was prepared")]
    }

    fn made_with(&self) -> String {
        const MADE_WITH: Phrase = Phrase {
            en: "Made with Broadgauge {version}, seed {seed}",
            zh: "由 Broadgauge {version} 生成，随机种子 {seed}",
        };
        let meta = &self.document.meta;
        MADE_WITH.fill(self.lang, &[("version", &meta.software), ("seed", &meta.seed.to_string())])
    }

    fn period(&self) -> String {
        date::period(&self.document.meta.period).get(self.lang).to_owned()
    }

    /// "Measured: 1,234 observations from 2 agents".
    fn origins(&self) -> Vec<(SourceKind, String)> {
        let words = |origin: &crate::doc::Origin| {
            let phrase = match origin.kind {
                SourceKind::Measured => &MEASURED,
                SourceKind::Imported => &IMPORTED,
                SourceKind::Made => &MADE,
            };
            let gaps =
                [("n", number::count(origin.observations)), ("sources", number::count(origin.sources))];
            Prose::say(phrase, &gaps).get(self.lang).to_owned()
        };
        self.document.meta.origins.iter().map(|origin| (origin.kind, words(origin))).collect()
    }
}

const MEASURED: Phrase = Phrase {
    en: "Measured: {n} observations (agents: {sources})",
    zh: "实测：{n} 条观测（测量代理 {sources} 个）",
};
const IMPORTED: Phrase = Phrase {
    en: "Imported: {n} observations (tables: {sources})",
    zh: "导入：{n} 条观测（数据表 {sources} 份）",
};
const MADE: Phrase = Phrase {
    en: "Made up to show the method: {n} observations (sets: {sources})",
    zh: "为演示方法而合成：{n} 条观测（数据集 {sources} 份）",
};

struct FigureView {
    name: String,
    label: String,
    svg: String,
    csv_uri: String,
    columns: Vec<(String, bool)>,
    rows: Vec<Vec<String>>,
    more: Option<String>,
}

impl FigureView {
    fn new(figure: &Figure, number: usize, lang: Lang) -> Result<Self, RenderError> {
        let words = Words { lang };
        let svg = String::from_utf8_lossy(&paint(figure, &SvgPainter, lang)?).into_owned();
        let csv_uri =
            format!("data:text/csv;charset=utf-8;base64,{}", BASE64_STANDARD.encode(csv(figure, lang)));
        let table = figure.table(lang);
        let numeric = |i: usize| !table.rows.iter().any(|row| matches!(row.get(i), Some(Cell::Text(_))));
        let columns = table.columns.iter().enumerate().map(|(i, c)| (c.label.clone(), numeric(i))).collect();
        let shown = table.rows.len().min(SHOWN_ROWS);
        let rows = table.rows[..shown].iter().map(|row| row.iter().map(cell_text).collect()).collect();
        let hidden = table.rows.len() - shown;
        let more = (hidden > 0).then(|| words.hidden(hidden));
        let label = words.figure(number);
        Ok(Self { name: figure.name.clone(), label, svg, csv_uri, columns, rows, more })
    }
}

/// A cell for readers; the file beside the chart has every digit.
fn cell_text(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Number(value) if value.abs() >= 1e5 => number::fixed(*value, 0),
        Cell::Number(value) => number::four(*value),
        Cell::Count(count) => number::fixed(*count as f64, 0),
        Cell::Blank => "–".to_owned(),
    }
}

/// The words of the page itself.
#[derive(Clone, Copy)]
struct Words {
    lang: Lang,
}

macro_rules! words {
    ($($name:ident: $en:literal, $zh:literal;)*) => {
        impl Words {
            $(fn $name(self) -> &'static str {
                const PHRASE: Phrase = Phrase { en: $en, zh: $zh };
                PHRASE.get(self.lang)
            })*
        }
    };
}

words! {
    contents: "Contents", "目录";
    skip: "Skip to the findings", "跳到结论";
    data: "Show the numbers behind this figure", "查看本图数据";
    download: "Download as CSV", "下载 CSV";
    interval: "95% interval", "95% 区间";
    declined: "No number is given", "未给出数值";
    note: "Note", "说明";
    period: "Period", "统计时段";
    zone: "Time zone", "时区";
    own: "Operator", "本网";
    peers: "Compared with", "对标运营商";
    origins: "Where the data come from", "数据来源";
}

impl Words {
    fn figure(self, n: usize) -> String {
        const FIGURE: Phrase = Phrase { en: "Figure {n}", zh: "图 {n}" };
        FIGURE.fill(self.lang, &[("n", &n.to_string())])
    }

    fn hidden(self, hidden: usize) -> String {
        const HIDDEN: Phrase =
            Phrase { en: "{n} more rows are in the CSV file.", zh: "其余 {n} 行见 CSV 文件。" };
        Prose::say(&HIDDEN, &[("n", number::count(hidden as u64))]).get(self.lang).to_owned()
    }
}
