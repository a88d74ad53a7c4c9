//! Time-of-day heatmap: when must one look?
//!
//! One row per weekday (or any other group), one column per hour, fill for the share of tests beyond a limit.
//! A cell of fewer than `least_n` tests, or of too few lines to be shown, is hatched; one without any test is hatched on
//! grey: none of them is zero.

use super::axis::SMALL;
use super::legend::{self, Swatch};
use super::page::{Page, shorten};
use super::palette::{AXIS, BLACK, EXCESS, TEXT, UNMEASURED};
use super::panel::{hatch, middle};
use super::scene::{Anchor, Label, Rect, Scene, Shape, Stroke, WHITE};
use super::table::{Cell, Table};
use super::{Caption, Chart, Frame, number, words};
use crate::font::{self, Weight};
use broadgauge_model::text::{Lang, Phrase};

/// The chart.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeOfDayHeatmap {
    /// Its words.
    pub caption: Caption,
    /// What the colour says: "share of tests above 60 ms".
    pub measure: String,
    /// Cells with fewer tests are hatched.
    pub least_n: u64,
    /// The busy hours that the report speaks of, as first hour and hour after the last: (19, 23).
    pub peak: Option<(u8, u8)>,
    /// Own and peer, one below the other, in one colour scale; a single one may go without a heading.
    pub panels: Vec<HeatPanel>,
}

/// A block of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatPanel {
    /// Whose or where.
    pub heading: String,
    /// Mostly Monday to Sunday.
    pub rows: Vec<HeatRow>,
}

/// One weekday.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatRow {
    /// "Mon".
    pub label: String,
    /// Local hours 0 to 23.
    pub cells: [HeatCell; 24],
}

/// One hour.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HeatCell {
    /// The share, 0 to 1; `None` where nothing was measured.
    pub share: Option<f64>,
    /// Tests in the cell; 0 where they are not shown.
    pub n: u64,
    /// Whether so few lines were tested that nothing of the cell is shown.
    pub few_lines: bool,
}

/// Why a cell has no share: too few tests, too few lines, neither of them measured.
const FEW: Phrase = Phrase { en: "fewer than {n} tests", zh: "测试不足 {n} 次" };
const FEW_LINES: Phrase = Phrase { en: "too few lines to be shown", zh: "线路过少，不予显示" };
const NONE: Phrase = Phrase { en: "not measured", zh: "未测" };

const ROW: f64 = 23.0;
const HEADING: f64 = 30.0;
const HOURS: f64 = 22.0;
/// What the busy hours need above the cells where there is no heading beside them.
const PEAK: f64 = 26.0;

impl TimeOfDayHeatmap {
    /// The width of one class of colour: six of them reach the greatest share.
    fn class(&self) -> f64 {
        let cells = self.panels.iter().flat_map(|p| &p.rows).flat_map(|r| &r.cells);
        let most = cells.filter(|c| c.n >= self.least_n).filter_map(|c| c.share).fold(0.0, f64::max);
        let steps = [0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.15];
        steps.into_iter().find(|step| step * EXCESS.len() as f64 >= most).unwrap_or(1.0 / 6.0)
    }

    fn legend(&self, lang: Lang) -> Vec<(Swatch, String)> {
        let class = self.class();
        let print = |share: f64| number::tick((share * 1e5).round() / 1e3);
        let mut items: Vec<_> = EXCESS
            .iter()
            .enumerate()
            .map(|(i, &ink)| {
                let (low, high) = (print(class * i as f64), print(class * (i + 1) as f64));
                (Swatch::Fill(ink), format!("{}%", number::range(&low, &high, lang)))
            })
            .collect();
        let cells = || self.panels.iter().flat_map(|p| &p.rows).flat_map(|r| &r.cells);
        let mut few: Vec<String> = Vec::new();
        if cells().any(|cell| cell.n > 0 && cell.n < self.least_n) {
            few.push(FEW.fill(lang, &[("n", &self.least_n.to_string())]));
        }
        if cells().any(|cell| cell.few_lines) {
            few.push(FEW_LINES.get(lang).to_owned());
        }
        if !few.is_empty() {
            const OR: Phrase = Phrase { en: ", or ", zh: "，或" };
            items.push((Swatch::Hatch(WHITE), few.join(OR.get(lang))));
        }
        if cells().any(|cell| cell.n == 0 && !cell.few_lines) {
            items.push((Swatch::Hatch(UNMEASURED), NONE.get(lang).to_owned()));
        }
        items
    }

    fn label_room(&self) -> f64 {
        let labels = self.panels.iter().flat_map(|panel| &panel.rows);
        labels.map(|row| font::width(&row.label, SMALL, Weight::Regular)).fold(0.0, f64::max) + 10.0
    }

    fn draw_cell(&self, scene: &mut Scene, area: Rect, row: &HeatRow, hour: usize) {
        let HeatCell { share, n, few_lines } = row.cells[hour];
        let place = format!("{} {hour:02}:00", row.label);
        let place = if few_lines { place } else { format!("{place}, n = {n}") };
        match share {
            Some(share) if n >= self.least_n => {
                let class = ((share / self.class()) as usize).min(EXCESS.len() - 1);
                let fill = Shape::Rect { area, fill: Some(EXCESS[class]), stroke: None };
                scene.push_with(fill, format!("{place}: {}", number::percent(share)));
            }
            _ => {
                let ground = if n == 0 && !few_lines { UNMEASURED } else { WHITE };
                let edge = Some(Stroke::new(AXIS.tint(0.5), 0.5));
                scene.push_with(Shape::Rect { area, fill: Some(ground), stroke: edge }, place);
                scene.push(hatch(area));
            }
        }
    }

    /// What the busy hours need above the first panel: nothing where they stand beside its heading.
    fn peak_room(&self) -> f64 {
        let beside = self.panels.first().is_some_and(|panel| !panel.heading.is_empty());
        if self.peak.is_none() || beside { 0.0 } else { PEAK }
    }

    fn draw_peak(&self, scene: &mut Scene, left: f64, cell: f64, y: f64, lang: Lang) {
        const BUSY: Phrase = Phrase { en: "busy hours", zh: "忙时" };
        let Some((from, to)) = self.peak else { return };
        let (from, to) = (left + cell * f64::from(from), left + cell * f64::from(to));
        let stroke = Stroke::new(TEXT, 1.2);
        let points = vec![(from + 1.0, y + 6.0), (from + 1.0, y), (to - 1.0, y), (to - 1.0, y + 6.0)];
        scene.push(Shape::Polyline { points, stroke });
        let mut label =
            Label::new(BUSY.get(lang), f64::midpoint(from, to), y - 5.0, SMALL, TEXT).anchor(Anchor::Middle);
        label.x = label.x.min(left + 24.0 * cell - label.width() / 2.0);
        scene.text(label);
    }
}

impl Chart for TimeOfDayHeatmap {
    fn height(&self, width: f64) -> f64 {
        let rows: usize = self.panels.iter().map(|panel| panel.rows.len()).sum();
        let headings = self.panels.iter().filter(|panel| !panel.heading.is_empty()).count();
        // Languages differ by a line of legend at most.
        let legend = Lang::ALL.map(|lang| legend::height(&self.legend(lang), width - 32.0));
        Page::overhead(&self.caption, width)
            + (rows as f64 * ROW + headings as f64 * HEADING + self.panels.len() as f64 * HOURS)
            + legend[0].max(legend[1])
            + 22.0
            + self.peak_room()
    }

    fn lay_out(&self, frame: Frame, lang: Lang) -> Scene {
        let Page { mut scene, body } = Page::open(frame, lang, &self.caption);
        let items = self.legend(lang);
        scene.text(Label::new(&self.measure, body.x, body.y + 12.0, SMALL, BLACK).bold());
        legend::draw(&mut scene, (body.x, body.y + 20.0), body.width, &items);
        let left = body.x + self.label_room();
        let cell = (body.right() - left) / 24.0;
        let mut y = body.y + 22.0 + legend::height(&items, body.width);
        let rows: usize = self.panels.iter().map(|panel| panel.rows.len()).sum();
        let fixed = self.panels.len() as f64 * HOURS
            + self.panels.iter().filter(|panel| !panel.heading.is_empty()).count() as f64 * HEADING;
        let row_height =
            ((body.bottom() - y - self.peak_room() - fixed) / rows.max(1) as f64).clamp(4.0, 1.5 * ROW);
        for (i, panel) in self.panels.iter().enumerate() {
            if i == 0 {
                y += self.peak_room();
                let heading = if panel.heading.is_empty() { 0.0 } else { HEADING };
                self.draw_peak(&mut scene, left, cell, y + heading - 7.0, lang);
            }
            if !panel.heading.is_empty() {
                let text = shorten(&panel.heading, body.width, SMALL, Weight::Bold);
                scene.text(Label::new(text, body.x, y + HEADING - 10.0, SMALL, BLACK).bold());
                y += HEADING;
            }
            for row in &panel.rows {
                let label = Label::new(&row.label, left - 8.0, y + row_height / 2.0, SMALL, TEXT);
                scene.text(label.anchor(Anchor::End).centred());
                for hour in 0..24 {
                    let x = left + cell * hour as f64;
                    self.draw_cell(
                        &mut scene,
                        Rect::new(x + 0.75, y + 0.75, cell - 1.5, row_height - 1.5),
                        row,
                        hour,
                    );
                }
                y += row_height;
            }
            for hour in (0..=24).step_by(3) {
                let x = left + cell * f64::from(hour);
                scene.line((x, y + 1.0), (x, y + 4.0), Stroke::new(AXIS, 1.0));
                let mut label = middle(format!("{hour}:00"), (x, y + 12.0), TEXT);
                label.x = x.min(frame.width - 4.0 - label.width() / 2.0);
                scene.text(label);
            }
            y += HOURS;
        }
        scene
    }

    fn table(&self, lang: Lang) -> Table {
        const PANEL: Phrase = Phrase { en: "Panel", zh: "分组" };
        const ROWS: Phrase = Phrase { en: "Row", zh: "行" };
        const HOUR: Phrase = Phrase { en: "Local hour", zh: "当地小时" };
        const SHARE: Phrase = Phrase { en: "Share", zh: "占比" };
        const TESTS: Phrase = Phrase { en: "Tests", zh: "测试次数" };
        let mut table = Table::new([
            ("panel", PANEL.get(lang)),
            ("row", ROWS.get(lang)),
            ("local_hour", HOUR.get(lang)),
            ("share", SHARE.get(lang)),
            ("n", TESTS.get(lang)),
            ("declined", words::DECLINED.get(lang)),
        ]);
        for panel in &self.panels {
            for row in &panel.rows {
                for (hour, cell) in row.cells.iter().enumerate() {
                    let enough = cell.n >= self.least_n && cell.share.is_some();
                    let reason = match cell {
                        HeatCell { few_lines: true, .. } => FEW_LINES.get(lang).to_owned(),
                        HeatCell { n: 0, .. } => NONE.get(lang).to_owned(),
                        _ => FEW.fill(lang, &[("n", &self.least_n.to_string())]),
                    };
                    table.push([
                        panel.heading.as_str().into(),
                        row.label.as_str().into(),
                        Cell::Count(hour as u64),
                        if enough { Cell::maybe(cell.share) } else { Cell::Blank },
                        if cell.few_lines { Cell::Blank } else { Cell::Count(cell.n) },
                        if enough { Cell::Blank } else { Cell::Text(reason) },
                    ]);
                }
            }
        }
        table
    }
}
