//! Smoke graph: when did it start, and was it delay or loss? After Oetiker's SmokePing.
//!
//! The median as a line, coloured by loss; bands from p5 to p95, p10 to p90 and p25 to p75 about it. Where there are
//! more intervals than pixels, each column shows the worst of the intervals it stands for. A stretch in which nothing
//! could be measured is hatched; one in which every packet was lost is marked as lost. Neither is drawn as a value.

use super::axis::{SMALL, Scale, Ticks, span, wants_log};
use super::legend::{self, Swatch};
use super::page::{Page, shorten};
use super::palette::{AXIS, BLACK, GREY, OWN, TEXT, UNMEASURED, VERMILION, WARN};
use super::panel::{Mesh, Panel, hatch, middle};
use super::scene::{Anchor, Ink, Label, Rect, Scene, Stroke};
use super::table::{Cell, Table};
use super::time::{self, seconds};
use super::{Caption, Chart, Frame, words};
use crate::font::{self, Weight};
use broadgauge_model::metric::{Better, MetricId};
use broadgauge_model::text::{Lang, Phrase};
use jiff::Timestamp;

/// The chart.
#[derive(Clone, Debug, PartialEq)]
pub struct SmokeGraph {
    /// Its words.
    pub caption: Caption,
    /// What is measured: names the axis.
    pub metric: MetricId,
    /// The IANA name of the reader's zone.
    pub zone: String,
    /// Start of the time axis.
    pub from: Timestamp,
    /// End of the time axis.
    pub to: Timestamp,
    /// Lines or operators, one below the other, on one time axis and one range of y.
    pub panels: Vec<SmokePanel>,
}

/// One line or operator.
#[derive(Clone, Debug, PartialEq)]
pub struct SmokePanel {
    /// Which.
    pub heading: String,
    /// In rising order of time; a stretch between two buckets counts as not measured.
    pub buckets: Vec<Bucket>,
}

/// What is known of one interval of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// Its start.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// What was seen in it.
    pub seen: Seen,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// Some answers.
    Answers {
        /// The distribution of the answers.
        spread: Spread,
        /// Packets sent; 0 where they were not counted, so that nothing is known of loss.
        sent: u64,
        /// Packets without an answer.
        lost: u64,
    },
    /// Asked, and no answer at all.
    AllLost {
        /// Packets sent.
        sent: u64,
    },
    /// Could not ask: says nothing about the network. The reason is ready text.
    Unmeasured(String),
}

/// Quantiles of the answers, in the unit of the metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// 5 %.
    pub p5: f64,
    /// 10 %.
    pub p10: f64,
    /// 25 %.
    pub p25: f64,
    /// The median.
    pub p50: f64,
    /// 75 %.
    pub p75: f64,
    /// 90 %.
    pub p90: f64,
    /// 95 %.
    pub p95: f64,
}

const PANEL: f64 = 150.0;
const HEADING: f64 = 28.0;
/// The strip of loss below each panel.
const RUG: f64 = 16.0;
const AXIS_ROOM: f64 = 46.0;
/// No column is narrower.
const COLUMN: f64 = 1.6;
/// The bands, from the widest to the narrowest, and how dark they are.
const BANDS: [(Edges, f64); 3] =
    [(|s| (s.p5, s.p95), 0.22), (|s| (s.p10, s.p90), 0.38), (|s| (s.p25, s.p75), 0.60)];

/// The lower and the upper edge of a band.
type Edges = fn(&Spread) -> (f64, f64);

/// How much was lost: one colour each.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loss {
    Unknown,
    None,
    Some,
    Much,
}

impl Loss {
    /// Beyond this share it is much.
    const MUCH: f64 = 0.01;

    fn of(ratio: Option<f64>) -> Self {
        match ratio {
            None => Self::Unknown,
            Some(r) if r <= 0.0 => Self::None,
            Some(r) if r <= Self::MUCH => Self::Some,
            Some(_) => Self::Much,
        }
    }

    const fn ink(self) -> Ink {
        match self {
            Self::Unknown => BLACK,
            Self::None => OWN,
            Self::Some => WARN,
            Self::Much => VERMILION,
        }
    }
}

/// One column of pixels: the worst of the buckets that it stands for.
#[derive(Clone, Debug)]
struct Column {
    from: f64,
    to: f64,
    spread: Option<Spread>,
    /// `None` where packets were not counted.
    loss: Option<f64>,
}

impl Column {
    fn of(bucket: &Bucket) -> Option<Self> {
        let (from, to) = (seconds(bucket.from), seconds(bucket.to));
        match &bucket.seen {
            Seen::Answers { spread, sent, lost } => {
                let loss = (*sent > 0).then(|| *lost as f64 / *sent as f64);
                Some(Self { from, to, spread: Some(*spread), loss })
            }
            Seen::AllLost { .. } => Some(Self { from, to, spread: None, loss: Some(1.0) }),
            Seen::Unmeasured(_) => None,
        }
    }

    /// Both in one column: the bands take in both, median and loss are the worse of the two.
    fn join(&mut self, other: &Self, better: Better) {
        let worse = if better == Better::Lower { f64::max } else { f64::min };
        self.to = other.to;
        self.loss = self.loss.into_iter().chain(other.loss).reduce(f64::max);
        self.spread = match (self.spread, other.spread) {
            (Some(a), Some(b)) => Some(Spread {
                p5: a.p5.min(b.p5),
                p10: a.p10.min(b.p10),
                p25: a.p25.min(b.p25),
                p50: worse(a.p50, b.p50),
                p75: a.p75.max(b.p75),
                p90: a.p90.max(b.p90),
                p95: a.p95.max(b.p95),
            }),
            (a, b) => a.or(b),
        };
    }
}

/// Stretches without a gap, in columns at least `least` seconds wide.
fn runs(buckets: &[Bucket], least: f64, better: Better) -> Vec<Vec<Column>> {
    let mut runs: Vec<Vec<Column>> = Vec::new();
    for column in buckets.iter().filter_map(Column::of) {
        let adjoining = |last: &Column| column.from - last.to < 0.5;
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(adjoining) => match run.last_mut() {
                Some(last) if last.to - last.from < least => last.join(&column, better),
                _ => run.push(column),
            },
            _ => runs.push(vec![column]),
        }
    }
    runs
}

impl SmokeGraph {
    fn y_axis(&self, room: f64) -> Ticks {
        let values = || {
            let buckets = self.panels.iter().flat_map(|panel| &panel.buckets);
            buckets.flat_map(|bucket| match &bucket.seen {
                Seen::Answers { spread, .. } => vec![spread.p5, spread.p95],
                _ => Vec::new(),
            })
        };
        let (low, high) = span(values());
        let label = |v| words::tick(v, self.metric.unit);
        if low > high {
            Ticks::new(Scale::Linear, 0.0, 1.0, Vec::new())
        } else if wants_log(values()) {
            Ticks::log_upright(low, high, room, label)
        } else {
            Ticks::linear(low, high, (room / 36.0) as usize, label)
        }
    }

    fn legend(&self, lang: Lang) -> Vec<(Swatch, String)> {
        const NONE: Phrase = Phrase { en: "median, no loss", zh: "中位数，无丢包" };
        const SOME: Phrase = Phrase { en: "loss up to 1%", zh: "丢包 1% 以内" };
        const MUCH: Phrase = Phrase { en: "loss above 1%", zh: "丢包超过 1%" };
        const UNKNOWN: Phrase = Phrase { en: "median, loss not counted", zh: "中位数，未统计丢包" };
        const ALL: Phrase = Phrase { en: "no answer at all", zh: "全部无应答" };
        const GAP: Phrase = Phrase { en: "not measured", zh: "未测" };
        let line = |loss: Loss, phrase: Phrase| {
            (Swatch::Line(Stroke::new(loss.ink(), 3.0)), phrase.get(lang).to_owned())
        };
        let sent = |bucket: &Bucket| match bucket.seen {
            Seen::Answers { sent, .. } | Seen::AllLost { sent } => Some(sent),
            Seen::Unmeasured(_) => None,
        };
        let buckets = || self.panels.iter().flat_map(|panel| &panel.buckets);
        let mut items = Vec::new();
        if buckets().filter_map(sent).any(|sent| sent > 0) {
            items.extend([line(Loss::None, NONE), line(Loss::Some, SOME), line(Loss::Much, MUCH)]);
        }
        if buckets().filter_map(sent).any(|sent| sent == 0) {
            items.push(line(Loss::Unknown, UNKNOWN));
        }
        for ((_, dark), name) in BANDS.into_iter().zip(["p5–p95", "p10–p90", "p25–p75"]) {
            items.push((Swatch::Fill(GREY.tint(dark)), name.to_owned()));
        }
        if buckets().any(|b| matches!(b.seen, Seen::AllLost { .. })) {
            items.push((Swatch::Fill(VERMILION.tint(0.45)), ALL.get(lang).to_owned()));
        }
        if self.panels.iter().any(|panel| !self.gaps(panel).is_empty()) {
            items.push((Swatch::Hatch(UNMEASURED), GAP.get(lang).to_owned()));
        }
        items
    }

    /// Stretches in which nothing was measured, from the start of the axis to its end.
    fn gaps(&self, panel: &SmokePanel) -> Vec<(f64, f64)> {
        let mut gaps = Vec::new();
        let mut known_to = seconds(self.from);
        for column in panel.buckets.iter().filter_map(Column::of) {
            if column.from - known_to >= 1.0 {
                gaps.push((known_to, column.from));
            }
            known_to = known_to.max(column.to);
        }
        if seconds(self.to) - known_to >= 1.0 {
            gaps.push((known_to, seconds(self.to)));
        }
        gaps
    }

    fn draw_panel(&self, scene: &mut Scene, panel: &Panel, data: &SmokePanel) {
        for (from, to) in self.gaps(data) {
            let (left, right) = (panel.x(from), panel.x(to));
            let area = Rect::new(left, panel.area.y, right - left, panel.area.height);
            scene.fill(area, UNMEASURED);
            scene.push(hatch(area));
        }
        let pixel = (panel.x.to() - panel.x.from()) / panel.area.width;
        let runs = runs(&data.buckets, COLUMN * pixel, self.metric.better);
        for run in &runs {
            for silent in run.chunk_by(|a, b| a.spread.is_none() == b.spread.is_none()) {
                let (first, last) = (&silent[0], &silent[silent.len() - 1]);
                if first.spread.is_none() {
                    let (left, right) = (panel.x(first.from), panel.x(last.to));
                    let area = Rect::new(left, panel.area.y, (right - left).max(1.0), panel.area.height);
                    scene.fill(area, VERMILION.tint(0.45));
                }
            }
        }
        for run in &runs {
            for answered in run.split(|column| column.spread.is_none()).filter(|part| !part.is_empty()) {
                draw_run(scene, panel, answered);
            }
        }
        draw_rug(scene, panel, runs.iter().flatten());
    }
}

/// Bands and median of a stretch in which some packets were answered throughout.
fn draw_run(scene: &mut Scene, panel: &Panel, run: &[Column]) {
    let corners = |edge: Edges| -> Vec<(f64, f64, f64)> {
        let step = |column: &Column| {
            let (low, high) = column.spread.as_ref().map_or((0.0, 0.0), edge);
            [(column.from, low, high), (column.to, low, high)]
        };
        run.iter().flat_map(step).collect()
    };
    for (edge, dark) in BANDS {
        panel.band(scene, &corners(edge), GREY.tint(dark));
    }
    let median = corners(|s| (s.p50, s.p50));
    let mut first = 0;
    while first < run.len() {
        let class = Loss::of(run[first].loss);
        let count = run[first..].iter().take_while(|column| Loss::of(column.loss) == class).count();
        // From the end of the part before, so that the line has no gap where its colour changes.
        let begin = (2 * first).saturating_sub(1);
        let part: Vec<_> = median[begin..2 * (first + count)].iter().map(|&(x, y, _)| (x, y)).collect();
        panel.line(scene, &part, Stroke::new(class.ink(), 1.8));
        first += count;
    }
}

/// Loss as upright strokes below the panel: the longer, the more; so that it does not hang on colour alone.
fn draw_rug<'a>(scene: &mut Scene, panel: &Panel, columns: impl Iterator<Item = &'a Column>) {
    let base = panel.area.bottom() + RUG;
    for (column, loss) in columns.filter_map(|c| Some((c, c.loss.filter(|loss| *loss > 0.0)?))) {
        // 0.1 % is a short stroke, 100 % the full height.
        let share = (1.0 + loss.max(1e-3).log10() / 3.0).clamp(0.0, 1.0);
        let height = (RUG - 3.0) * (0.25 + 0.75 * share);
        let (left, right) = (panel.x(column.from), panel.x(column.to));
        let area = Rect::new(left, base - height, (right - left).max(1.2), height);
        scene.fill(area, Loss::of(column.loss).ink());
    }
    let ends = [(panel.area.x, base), (panel.area.right(), base)];
    scene.line(ends[0], ends[1], Stroke::new(AXIS, 0.8));
}

impl Chart for SmokeGraph {
    fn height(&self, width: f64) -> f64 {
        let legend = Lang::ALL.map(|lang| legend::height(&self.legend(lang), width - 32.0));
        Page::overhead(&self.caption, width)
            + legend[0].max(legend[1])
            + self.panels.len() as f64 * (HEADING + PANEL + RUG)
            + AXIS_ROOM
    }

    fn lay_out(&self, frame: Frame, lang: Lang) -> Scene {
        const LOSS: Phrase = Phrase { en: "loss", zh: "丢包" };
        let Page { mut scene, body } = Page::open(frame, lang, &self.caption);
        let items = self.legend(lang);
        legend::draw(&mut scene, (body.x, body.y), body.width, &items);
        let top = body.y + legend::height(&items, body.width);
        let count = self.panels.len().max(1) as f64;
        let height = ((body.bottom() - AXIS_ROOM - top) / count - HEADING - RUG).max(20.0);
        let y = self.y_axis(height);
        let loss = LOSS.get(lang);
        let left = y.label_width().max(font::width(loss, SMALL, Weight::Regular)) + 10.0;
        let width = body.width - left - 8.0;
        let zone = time::zone(&self.zone);
        let x = time::axis(self.from, self.to, &zone, width, lang);
        for (i, data) in self.panels.iter().enumerate() {
            let above = top + i as f64 * (HEADING + height + RUG);
            let area = Rect::new(body.x + left, above + HEADING, width, height);
            let panel = Panel::draw(&mut scene, area, x.clone().bare(), y.clone(), Mesh::Rows);
            self.draw_panel(&mut scene, &panel, data);
            let text = shorten(&data.heading, body.width * 0.6, SMALL, Weight::Bold);
            let heading = Label::new(text, area.x, above + HEADING - 8.0, SMALL, BLACK).bold();
            let unit = Label::new(
                words::axis_title(self.metric, y.scale(), lang),
                area.x + heading.width() + 12.0,
                heading.y,
                SMALL,
                GREY,
            );
            scene.text(heading);
            if i == 0 {
                scene.text(unit);
            }
            let label = Label::new(loss, area.x - 7.0, area.bottom() + RUG - 5.0, SMALL, GREY);
            scene.text(label.anchor(Anchor::End).centred());
        }
        let base = top + count * (HEADING + height + RUG);
        time::draw(&mut scene, &x, Rect::new(body.x + left, base, width, 0.0));
        let title = time::axis_title(&zone, lang);
        scene.text(middle(title, (body.x + left + width / 2.0, base + 36.0), TEXT));
        scene
    }

    fn table(&self, lang: Lang) -> Table {
        const PANEL: Phrase = Phrase { en: "Line", zh: "线路" };
        const SENT: Phrase = Phrase { en: "Packets sent", zh: "发包数" };
        const LOST: Phrase = Phrase { en: "Packets lost", zh: "丢包数" };
        const WHY: Phrase = Phrase { en: "Why not measured", zh: "未测原因" };
        let mut table = Table::new([
            ("line", PANEL.get(lang)),
            ("from", words::FROM.get(lang)),
            ("to", words::TO.get(lang)),
            ("metric", words::METRIC.get(lang)),
            ("unit", words::UNIT.get(lang)),
            ("p5", "P5"),
            ("p10", "P10"),
            ("p25", "P25"),
            ("p50", "P50"),
            ("p75", "P75"),
            ("p90", "P90"),
            ("p95", "P95"),
            ("sent", SENT.get(lang)),
            ("lost", LOST.get(lang)),
            ("unmeasured", WHY.get(lang)),
        ]);
        for panel in &self.panels {
            for bucket in &panel.buckets {
                let (spread, sent, lost, why) = match &bucket.seen {
                    Seen::Answers { spread, sent: 0, .. } => {
                        (Some(spread), Cell::Blank, Cell::Blank, Cell::Blank)
                    }
                    Seen::Answers { spread, sent, lost } => {
                        (Some(spread), Cell::Count(*sent), Cell::Count(*lost), Cell::Blank)
                    }
                    Seen::AllLost { sent } => (None, Cell::Count(*sent), Cell::Count(*sent), Cell::Blank),
                    Seen::Unmeasured(why) => (None, Cell::Blank, Cell::Blank, why.as_str().into()),
                };
                let quantile = |f: fn(&Spread) -> f64| Cell::maybe(spread.map(f));
                table.push([
                    panel.heading.as_str().into(),
                    Cell::Text(bucket.from.to_string()),
                    Cell::Text(bucket.to.to_string()),
                    self.metric.id().into(),
                    self.metric.unit.code().into(),
                    quantile(|s| s.p5),
                    quantile(|s| s.p10),
                    quantile(|s| s.p25),
                    quantile(|s| s.p50),
                    quantile(|s| s.p75),
                    quantile(|s| s.p90),
                    quantile(|s| s.p95),
                    sent,
                    lost,
                    why,
                ]);
            }
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(p50: f64, lost: u64) -> Seen {
        let spread = Spread {
            p5: p50 - 3.0,
            p10: p50 - 2.0,
            p25: p50 - 1.0,
            p50,
            p75: p50 + 1.0,
            p90: p50 + 2.0,
            p95: p50 + 3.0,
        };
        Seen::Answers { spread, sent: 100, lost }
    }

    fn bucket(minute: i64, seen: Seen) -> Bucket {
        let at = |m: i64| Timestamp::from_second(60 * m).unwrap();
        Bucket { from: at(minute), to: at(minute + 1), seen }
    }

    #[test]
    fn a_column_shows_the_worst_of_what_it_hides() {
        let buckets = [bucket(0, answers(10.0, 0)), bucket(1, answers(40.0, 3)), bucket(2, answers(12.0, 0))];
        let runs = runs(&buckets, 180.0, Better::Lower);
        let [run] = &runs[..] else { panic!("one stretch: {runs:?}") };
        let [column] = &run[..] else { panic!("one column: {run:?}") };
        let spread = column.spread.unwrap();
        assert_eq!((spread.p5, spread.p50, spread.p95, column.loss), (7.0, 40.0, 43.0, Some(0.03)));
        let rates = super::runs(&buckets, 180.0, Better::Higher);
        assert_eq!(rates[0][0].spread.unwrap().p50, 10.0, "of rates the lowest is the worst");
    }

    #[test]
    fn what_was_not_measured_is_a_gap_and_what_was_lost_is_not() {
        let buckets = [
            bucket(0, answers(10.0, 0)),
            bucket(1, Seen::Unmeasured("agent was off".into())),
            bucket(2, Seen::AllLost { sent: 100 }),
            bucket(3, answers(10.0, 0)),
            // Minutes 4 and 5 are not told of at all.
            bucket(6, answers(10.0, 0)),
        ];
        let runs = runs(&buckets, 0.0, Better::Lower);
        assert_eq!(runs.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2, 1]);
        assert!(runs[1][0].spread.is_none() && runs[1][0].loss == Some(1.0));
    }
}
