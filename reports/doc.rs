//! What a report says, in order, and nothing of how it looks.
//!
//! A [`Document`] holds every language at once: its prose is [`Prose`], its charts are made once per language from the
//! same data. A renderer takes the document and a language and gives bytes. Numbers keep their raw values beside
//! their words, so that a table, a JSON file and a sentence cannot disagree.

pub mod actions;
pub mod complaints;
pub mod expectation;
pub mod operator;
pub mod satisfaction;
mod told;

use crate::chart::table::Table as ChartTable;
use crate::chart::{Chart, Figure as ChartFigure};
use crate::text::Prose;
use crate::text::number::{self, Style};
use broadgauge_model::panel::{Period, SourceKind};
use broadgauge_model::text::{Lang, Phrase};

/// A report.
#[derive(Debug)]
pub struct Document {
    /// Which report: `operator`.
    pub name: &'static str,
    /// What kind of report it is, above the title: "Operator report".
    pub kind: Phrase,
    /// Its title.
    pub title: Prose,
    /// One line below the title.
    pub subtitle: Prose,
    /// What it speaks of.
    pub meta: Meta,
    /// In reading order. The first is the page for those who read one page.
    pub sections: Vec<Section>,
}

/// What a report speaks of.
#[derive(Clone, Debug)]
pub struct Meta {
    /// The time covered, and its zone.
    pub period: Period,
    /// Whose report it is.
    pub own: String,
    /// Whom it is compared with.
    pub peers: Vec<String>,
    /// How many observations were measured, imported and made.
    pub origins: Vec<Origin>,
    /// Fixes all that is drawn at random.
    pub seed: u64,
    /// The version of this software.
    pub software: String,
}

/// Observations of one kind of source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Measured, imported or made.
    pub kind: SourceKind,
    /// How many agents or files.
    pub sources: u64,
    /// How many observations they gave.
    pub observations: u64,
}

/// A part of a report.
#[derive(Debug)]
pub struct Section {
    /// Its anchor: `peers`.
    pub id: &'static str,
    /// Its heading.
    pub heading: Prose,
    /// The question it answers, in the reader's words.
    pub question: Prose,
    /// What it says.
    pub blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Debug)]
pub enum Block {
    /// A heading inside the section.
    Heading(Prose),
    /// Plain prose.
    Paragraph(Prose),
    /// The answer in a few labelled sentences.
    Answers(Vec<Answer>),
    /// Findings, one a line, each with its verdict.
    Findings(Vec<Finding>),
    /// The few numbers that matter.
    Keys(Vec<KeyNumber>),
    /// A chart with its data.
    Figure(Figure),
    /// A table.
    Table(Table),
    /// Terms and what they mean, or methods and what they did.
    Definitions(Vec<(Prose, Prose)>),
    /// Something to keep in mind while reading.
    Note(Prose),
    /// Where a number or a chart would stand, and why it does not.
    Declined {
        /// What is missing.
        what: Prose,
        /// Why.
        reason: Prose,
    },
}

/// A labelled sentence of the first page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// "What is wrong".
    pub label: Prose,
    /// The sentence.
    pub text: Prose,
    /// What supports it, in smaller type; may be empty.
    pub detail: Prose,
}

/// How a figure stands, for the word and the colour beside it; never for the colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Behind the peer group, or an alarm.
    Worse,
    /// Ahead.
    Better,
    /// The same within the margin.
    AtPar,
    /// Too little data to say.
    CannotTell,
    /// A number without a verdict.
    Plain,
}

impl Tone {
    /// The word for readers.
    pub const fn phrase(self) -> Phrase {
        match self {
            Self::Worse => Phrase { en: "Worse", zh: "落后" },
            Self::Better => Phrase { en: "Better", zh: "领先" },
            Self::AtPar => Phrase { en: "At par", zh: "持平" },
            Self::CannotTell => Phrase { en: "Cannot tell", zh: "无法判断" },
            Self::Plain => Phrase { en: "", zh: "" },
        }
    }

    /// A sign beside the word, for those who see no colour.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Worse => "▼",
            Self::Better => "▲",
            Self::AtPar => "＝",
            Self::CannotTell => "?",
            Self::Plain => "",
        }
    }

    /// The word in JSON and in style sheets.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Better => "better",
            Self::AtPar => "at_par",
            Self::CannotTell => "cannot_tell",
            Self::Plain => "plain",
        }
    }
}

/// A finding with its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The verdict.
    pub tone: Tone,
    /// The verdict in a word or two.
    pub word: Prose,
    /// The finding as a sentence.
    pub text: Prose,
}

/// A number that a reader may act on, or the reason why there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Number {
    /// With its interval and `n`.
    Known {
        /// The estimate.
        value: f64,
        /// Its interval, 95 % unless something else is said.
        interval: (f64, f64),
        /// How many units of inference it rests on.
        n: usize,
    },
    /// Too little data to say.
    Declined(Prose),
}

impl Number {
    /// `2.2 ms (0.9 to 3.5)`, or the reason.
    pub fn words(&self, style: Style) -> Prose {
        match self {
            Self::Known { value, interval, .. } => number::estimate(*value, *interval, style),
            Self::Declined(reason) => reason.clone(),
        }
    }

    /// As a chart takes it.
    pub fn figure(&self, lang: Lang) -> ChartFigure {
        match self {
            Self::Known { value, interval, n } => {
                ChartFigure::Known { value: *value, interval: *interval, n: *n }
            }
            Self::Declined(reason) => ChartFigure::Declined(reason.get(lang).to_owned()),
        }
    }

    /// The estimate, where there is one.
    pub const fn value(&self) -> Option<f64> {
        match self {
            Self::Known { value, .. } => Some(*value),
            Self::Declined(_) => None,
        }
    }
}

impl KeyNumber {
    /// The big numeral and the range below it, where there is a number.
    pub fn parts(&self) -> Option<(Prose, Prose)> {
        match &self.number {
            Number::Known { value, interval, .. } => {
                Some(number::estimate_parts(*value, *interval, self.style))
            }
            Number::Declined(_) => None,
        }
    }

    /// The number, or the reason why there is none.
    pub fn words(&self) -> Prose {
        self.number.words(self.style)
    }
}

/// One of the few numbers that matter.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyNumber {
    /// The name in JSON, with its unit: `largest_gap_ms`.
    pub key: String,
    /// What it is.
    pub label: Prose,
    /// How much.
    pub number: Number,
    /// How it is printed.
    pub style: Style,
    /// What `n` counts: "78 lines"; empty where the number is declined.
    pub basis: Prose,
    /// What it means to the reader.
    pub meaning: Prose,
    /// How it stands.
    pub tone: Tone,
}

/// A chart in every language, with its data.
pub struct Figure {
    /// The name of its files: `quantile-ladder-round_trip_delay`.
    pub name: String,
    /// The finding: the title inside the chart.
    pub title: Prose,
    /// How to read it, below the chart.
    pub caption: Prose,
    editions: Vec<(Lang, Box<dyn Chart + Send + Sync>)>,
}

impl std::fmt::Debug for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Figure").field("name", &self.name).field("title", &self.title).finish_non_exhaustive()
    }
}

impl Figure {
    /// Makes the chart in every language.
    pub fn new<C: Chart + Send + Sync + 'static>(
        name: impl Into<String>,
        title: Prose,
        caption: Prose,
        make: impl Fn(Lang) -> C,
    ) -> Self {
        let editions = Lang::ALL
            .into_iter()
            .map(|lang| (lang, Box::new(make(lang)) as Box<dyn Chart + Send + Sync>))
            .collect();
        Self { name: name.into(), title, caption, editions }
    }

    /// The chart in one language.
    pub fn chart(&self, lang: Lang) -> &dyn Chart {
        let edition = self.editions.iter().find(|(of, _)| *of == lang);
        &*edition.expect("every language was made").1
    }

    /// The data in one language.
    pub fn table(&self, lang: Lang) -> ChartTable {
        self.chart(lang).table(lang)
    }
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// What it shows.
    pub caption: Prose,
    /// Headings; a column of numbers is set to the right.
    pub columns: Vec<(Prose, Align)>,
    /// Each as long as `columns`.
    pub rows: Vec<Vec<TableCell>>,
}

impl Table {
    /// Whether it is longer than a screen: a page lets it scroll, paper shows all of it.
    pub const fn is_long(&self) -> bool {
        self.rows.len() > 24
    }
}

/// A field of a table: its words, and how it stands where it is a verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableCell {
    /// The words.
    pub text: Prose,
    /// More of it, below in smaller type: the interval of a number; may be empty.
    pub detail: Prose,
    /// How it stands.
    pub tone: Option<Tone>,
}

impl From<Prose> for TableCell {
    fn from(text: Prose) -> Self {
        Self { text, ..Self::default() }
    }
}

/// How a column is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Align {
    /// Words.
    #[default]
    Left,
    /// Numbers.
    Right,
}

impl Align {
    /// Whether it is set to the right.
    pub fn is_right(self) -> bool {
        self == Self::Right
    }
}

impl Document {
    /// Every chart, in reading order.
    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.sections.iter().flat_map(|section| &section.blocks).filter_map(|block| match block {
            Block::Figure(figure) => Some(figure),
            _ => None,
        })
    }

    /// A chart by its name.
    pub fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures().find(|figure| figure.name == name)
    }

    /// The names of all charts, in reading order.
    pub fn figure_names(&self) -> Vec<&str> {
        self.figures().map(|figure| figure.name.as_str()).collect()
    }
}
