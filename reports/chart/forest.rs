//! Case-crossover forest: did the network get worse before this customer's complaint?
//!
//! Rate ratios on a log axis about 1, one row per KPI and window, q and n in the margin. Negative controls, in which
//! nothing may be found, stand apart: a control that leaves 1 casts doubt on everything above it.

use super::axis::{SMALL, Scale, Ticks, span};
use super::page::{Page, balanced, shorten};
use super::palette::{AXIS, BLACK, GREY, GRID, OWN, SHADE, TEXT};
use super::panel::{Mesh, Panel, hollow, marker, whisker};
use super::scene::{Anchor, Ink, Label, MarkerShape, Rect, Scene, Shape, Stroke};
use super::table::{Cell, Table};
use super::{Caption, Chart, Figure, Frame, number, words};
use crate::font::{self, Weight};
use broadgauge_model::text::{Lang, Phrase};

/// The chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Forest {
    /// Its words.
    pub caption: Caption,
    /// What the ratios are of, as ready text: "complaint rate ratio".
    pub measure: String,
    /// In reading order; controls last.
    pub groups: Vec<ForestGroup>,
}

/// Rows that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct ForestGroup {
    /// "Network complaints", "Control: billing complaints".
    pub heading: String,
    /// Whether nothing may be found here.
    pub control: bool,
    /// One per KPI and window.
    pub rows: Vec<ForestRow>,
}

/// One ratio.
#[derive(Clone, Debug, PartialEq)]
pub struct ForestRow {
    /// KPI and step: "Delay under load, per 10 ms".
    pub label: String,
    /// The time before the complaint: "24 h".
    pub window: String,
    /// The ratio; its `n` counts episodes.
    pub ratio: Figure,
    /// The p-value after adjustment for the family of tests.
    pub q: Option<f64>,
}

const ROW: f64 = 28.0;
/// The same where a label takes two lines.
const TALL_ROW: f64 = 38.0;
/// The share of the width that labels may take.
const LABELS: f64 = 0.27;
const HEADING: f64 = 30.0;
const HEAD: f64 = 26.0;
const AXIS_ROOM: f64 = 64.0;
const LEAD: f64 = 15.0;

const WINDOW: Phrase = Phrase { en: "Before", zh: "此前" };
const RATIO: Phrase = Phrase { en: "Ratio (95% CI)", zh: "率比（95% 区间）" };
const EPISODES: Phrase = Phrase { en: "n", zh: "n" };

/// Where the columns stand.
struct Columns {
    label: Rect,
    window: f64,
    plot: (f64, f64),
    ratio: f64,
    n: f64,
    q: f64,
}

impl Forest {
    fn rows(&self) -> impl Iterator<Item = &ForestRow> {
        self.groups.iter().flat_map(|group| &group.rows)
    }

    fn row_height(&self, width: f64) -> f64 {
        let wide = |row: &ForestRow| font::width(&row.label, SMALL, Weight::Regular);
        let room = LABELS * (width - 32.0);
        if self.rows().any(|row| wide(row) > room) { TALL_ROW } else { ROW }
    }

    fn columns(&self, body: Rect, lang: Lang) -> Columns {
        let wide = |texts: &mut dyn Iterator<Item = String>| {
            texts.map(|text| font::width(&text, SMALL, Weight::Regular)).fold(0.0, f64::max)
        };
        let heads = |phrase: Phrase| std::iter::once(phrase.get(lang).to_owned());
        let window = wide(&mut self.rows().map(|row| row.window.clone()).chain(heads(WINDOW)));
        let known = self.rows().filter(|row| row.ratio.value().is_some());
        let ratio = wide(&mut known.map(|row| told(&row.ratio, lang)).chain(heads(RATIO)));
        let n = wide(&mut self.rows().map(|row| count(&row.ratio)).chain(heads(EPISODES)));
        let q = wide(&mut self.rows().map(|row| chance(row.q)).chain(["q".to_owned()]));
        let labels = wide(&mut self.rows().map(|row| row.label.clone()));
        let label = labels.min(LABELS * body.width);
        let gap = 14.0;
        let right = body.right() - 6.0;
        let (q_left, n_left) = (right - q, right - q - gap - n);
        let ratio_left = n_left - gap - ratio;
        let window_left = body.x + 6.0 + label + gap;
        Columns {
            label: Rect::new(body.x + 6.0, 0.0, label, 0.0),
            window: window_left,
            plot: (window_left + window + gap, ratio_left - gap),
            ratio: ratio_left,
            n: q_left - gap,
            q: right,
        }
    }

    fn axis(&self, room: f64) -> Ticks {
        let values = || self.rows().flat_map(|row| row.ratio.extent()).filter(|v| *v > 0.0);
        // An interval without end may not squeeze the rest: it ends in an arrow at a tenfold.
        let (low, high) = span(values().map(|v| v.clamp(0.1, 10.0)).chain([0.95, 1.05]));
        Ticks::log(low, high, room, number::tick)
    }
}

impl ForestRow {
    fn draw(&self, scene: &mut Scene, panel: &Panel, columns: &Columns, y: f64, ink: Ink, lang: Lang) {
        let lines = balanced(&self.label, columns.label.width + 1.0, SMALL, Weight::Regular);
        let above = y - LEAD * (lines.len().min(2) as f64 - 1.0) / 2.0;
        for (i, line) in lines.into_iter().take(2).enumerate() {
            let label = Label::new(line, columns.label.x, above + LEAD * i as f64, SMALL, BLACK);
            scene.text(label.centred());
        }
        scene.text(Label::new(&self.window, columns.window, y, SMALL, TEXT).centred());
        let (left, right) = (panel.area.x, panel.area.right());
        match &self.ratio {
            Figure::Known { value, interval, .. } => {
                let stroke = Stroke::new(ink, 1.8);
                let ends = (panel.x(interval.0), panel.x(interval.1));
                whisker(scene, ends, y, &stroke);
                for (beyond, tip, back) in
                    [(interval.0 < panel.x.from(), left, 7.0), (interval.1 > panel.x.to(), right, -7.0)]
                {
                    if beyond {
                        let points = vec![(tip, y), (tip + back, y - 4.0), (tip + back, y + 4.0)];
                        scene.push(Shape::Polygon { points, fill: ink });
                    }
                }
                let tip = format!("{}, {}: {}", self.label, self.window, told(&self.ratio, lang));
                if panel.x.holds(*value) {
                    scene.push_with(marker((panel.x(*value), y), MarkerShape::Circle, ink), tip);
                }
                scene.text(Label::new(told(&self.ratio, lang), columns.ratio, y, SMALL, BLACK).centred());
                let column = |text, x| Label::new(text, x, y, SMALL, BLACK).anchor(Anchor::End).centred();
                scene.text(column(count(&self.ratio), columns.n));
                scene.text(column(chance(self.q), columns.q));
            }
            Figure::Declined(reason) => {
                // At the edge: a marker at 1 would look like an answer.
                let at = (left + 8.0, y);
                scene.push_with(hollow(at, MarkerShape::Circle, ink), reason.as_str());
                let x = at.0 + 12.0;
                let text = shorten(reason, columns.q - x, SMALL, Weight::Regular);
                scene.text(Label::new(text, x, y, SMALL, GREY.readable()).centred().halo());
            }
        }
    }
}

/// 1.31 (1.18 to 1.45).
fn told(figure: &Figure, lang: Lang) -> String {
    const TOLD: Phrase = Phrase { en: "{value} ({low} to {high})", zh: "{value}（{low}～{high}）" };
    let Figure::Known { value, interval, .. } = figure else { return String::new() };
    // Two decimals in every row: a column is read from above.
    let [value, low, high] =
        [*value, interval.0, interval.1].map(|v| number::fixed(v, if v < 9.995 { 2 } else { 0 }));
    TOLD.fill(lang, &[("value", &value), ("low", &low), ("high", &high)])
}

fn count(figure: &Figure) -> String {
    match figure {
        Figure::Known { n, .. } => number::fixed(*n as f64, 0),
        Figure::Declined(_) => String::new(),
    }
}

/// A p- or q-value: three decimals, and never zero.
fn chance(q: Option<f64>) -> String {
    match q {
        None => String::new(),
        Some(q) if q < 0.001 => "<0.001".to_owned(),
        Some(q) if q < 0.1 => format!("{q:.3}"),
        Some(q) => format!("{q:.2}"),
    }
}

impl Chart for Forest {
    fn height(&self, width: f64) -> f64 {
        let rows = self.rows().count() as f64;
        Page::overhead(&self.caption, width)
            + HEAD
            + rows * self.row_height(width)
            + self.groups.len() as f64 * HEADING
            + AXIS_ROOM
    }

    fn lay_out(&self, frame: Frame, lang: Lang) -> Scene {
        const AXIS_TITLE: Phrase = Phrase { en: "{measure} (log scale)", zh: "{measure}（对数刻度）" };
        const FEWER: Phrase = Phrase { en: "← fewer", zh: "← 更少" };
        const MORE: Phrase = Phrase { en: "more →", zh: "更多 →" };
        let Page { mut scene, body } = Page::open(frame, lang, &self.caption);
        let columns = self.columns(body, lang);
        let row_height = self.row_height(frame.width);
        let (left, right) = columns.plot;
        let area = Rect::new(left, body.y + HEAD, (right - left).max(40.0), body.height - HEAD - AXIS_ROOM);
        let mut y = area.y;
        for group in &self.groups {
            let height = HEADING + row_height * group.rows.len() as f64;
            if group.control {
                scene.fill(Rect::new(body.x, y + 3.0, body.width, height - 6.0), SHADE);
            }
            y += height;
        }
        let none = Ticks::new(Scale::Linear, 0.0, 1.0, Vec::new());
        let panel = Panel::draw(&mut scene, area, self.axis(area.width), none, Mesh::Columns);
        let one = panel.x(1.0);
        scene.line((one, area.y), (one, area.bottom()), Stroke::new(AXIS, 1.4));
        let head = |text: &str, x: f64, anchor| {
            Label::new(text, x, body.y + HEAD / 2.0, SMALL, GREY).anchor(anchor).centred()
        };
        scene.text(head(WINDOW.get(lang), columns.window, Anchor::Start));
        scene.text(head(RATIO.get(lang), columns.ratio, Anchor::Start));
        scene.text(head(EPISODES.get(lang), columns.n, Anchor::End));
        scene.text(head("q", columns.q, Anchor::End));
        let mut y = area.y;
        for group in &self.groups {
            scene.line((body.x, y), (body.right(), y), Stroke::new(GRID, 1.0));
            let room = left - body.x - 12.0;
            let heading = shorten(&group.heading, room.max(0.45 * body.width), SMALL, Weight::Bold);
            scene.text(
                Label::new(heading, body.x + 6.0, y + HEADING / 2.0 + 2.0, SMALL, BLACK)
                    .bold()
                    .centred()
                    .halo(),
            );
            y += HEADING;
            for row in &group.rows {
                let ink = if group.control { GREY } else { OWN };
                row.draw(&mut scene, &panel, &columns, y + row_height / 2.0 - 2.0, ink, lang);
                y += row_height;
            }
        }
        panel.base_line(&mut scene);
        let below = area.bottom() + 34.0;
        let (fewer, more) = (FEWER.get(lang), MORE.get(lang));
        scene.text(Label::new(fewer, (one - 12.0).max(left), below, SMALL, GREY).anchor(Anchor::End));
        scene.text(Label::new(more, one + 12.0, below, SMALL, GREY));
        let title = AXIS_TITLE.fill(lang, &[("measure", &self.measure)]);
        let mut title =
            Label::new(title, f64::midpoint(left, right), below + 19.0, SMALL, TEXT).anchor(Anchor::Middle);
        title.x = title.x.min(body.right() - title.width() / 2.0);
        scene.text(title);
        scene
    }

    fn table(&self, lang: Lang) -> Table {
        const GROUP: Phrase = Phrase { en: "Group", zh: "分组" };
        const CONTROL: Phrase = Phrase { en: "Negative control", zh: "阴性对照" };
        const EXPOSURE: Phrase = Phrase { en: "Exposure", zh: "暴露" };
        const YES: Phrase = Phrase { en: "yes", zh: "是" };
        const NO: Phrase = Phrase { en: "no", zh: "否" };
        let mut table = Table::new([
            ("group", GROUP.get(lang)),
            ("control", CONTROL.get(lang)),
            ("exposure", EXPOSURE.get(lang)),
            ("window", WINDOW.get(lang)),
            ("rate_ratio", words::VALUE.get(lang)),
            ("lower", words::LOWER.get(lang)),
            ("upper", words::UPPER.get(lang)),
            ("n", "n"),
            ("q", "q"),
            ("declined", words::DECLINED.get(lang)),
        ]);
        for group in &self.groups {
            for row in &group.rows {
                let [value, lower, upper, n, declined] = row.ratio.cells();
                table.push([
                    group.heading.as_str().into(),
                    if group.control { YES } else { NO }.get(lang).into(),
                    row.label.as_str().into(),
                    row.window.as_str().into(),
                    value,
                    lower,
                    upper,
                    n,
                    Cell::maybe(row.q),
                    declined,
                ]);
            }
        }
        table
    }
}
