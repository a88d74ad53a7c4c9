//! Quantile ladder: at which quantile does an operator fall behind, and is it real?
//!
//! One rung per quantile, one point per operator with its interval. Rungs of several strata stand below each other
//! on one axis. A quantile that cannot be told from the data is a hollow marker with the reason.

use super::axis::{SMALL, Scale, Ticks, span, wants_log};
use super::number::{self, Style};
use super::page::{Page, shorten, wrap};
use super::palette::{BLACK, GREY, GRID, Look, SHADE, TEXT};
use super::panel::{Mesh, Panel, hollow, marker, whisker};
use super::scene::{Anchor, Label, Rect, Scene, Stroke, WHITE};
use super::table::{Cell, Table};
use super::{Caption, Chart, Figure, Frame, Party, words};
use crate::font::{self, Weight};
use broadgauge_model::metric::MetricId;
use broadgauge_model::text::{Lang, Phrase};

/// The chart.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantileLadder {
    /// Its words.
    pub caption: Caption,
    /// What is measured: names the axis.
    pub metric: MetricId,
    /// Own first, then peers; every rung has a figure for each.
    pub parties: Vec<Party>,
    /// Strata, one below the other; a single one may go without a heading.
    pub panels: Vec<LadderPanel>,
}

/// The ladder of one stratum.
#[derive(Clone, Debug, PartialEq)]
pub struct LadderPanel {
    /// What sets it apart: "FTTC, north, peak".
    pub heading: String,
    /// From the median outwards.
    pub rungs: Vec<Rung>,
}

/// One quantile.
#[derive(Clone, Debug, PartialEq)]
pub struct Rung {
    /// 0.5 for the median.
    pub quantile: f64,
    /// One figure per party, in their order.
    pub figures: Vec<Figure>,
    /// The verdict, at the right: its first line is set in bold, the rest below it; may be empty.
    pub remark: String,
}

const ROW: f64 = 19.0;
const RUNG_GAP: f64 = 10.0;
const HEADING: f64 = 24.0;
const STRATUM_GAP: f64 = 10.0;
const AXIS_ROOM: f64 = 48.0;
const REMARK_SHARE: f64 = 0.26;
/// Between the points and their remarks.
const REMARK_GAP: f64 = 20.0;
/// From line to line of a remark.
const REMARK_LEAD: f64 = 16.5;

impl QuantileLadder {
    /// As high as its points and the longest remark need, in a body of this width.
    fn rung_height(&self, width: f64) -> f64 {
        let room = REMARK_SHARE * width - REMARK_GAP;
        let rungs = self.panels.iter().flat_map(|panel| &panel.rungs);
        let lines = rungs.map(|rung| {
            let (verdict, rest) = remark_lines(&rung.remark, room);
            verdict.len() + rest.len()
        });
        let remark = REMARK_LEAD * lines.max().unwrap_or(0) as f64 + 6.0;
        remark.max(ROW * self.parties.len().max(2) as f64 + RUNG_GAP)
    }

    fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.panels.iter().flat_map(|panel| &panel.rungs).flat_map(|rung| &rung.figures)
    }

    fn axis(&self, room: f64) -> Ticks {
        let values = || self.figures().flat_map(Figure::extent);
        let (low, high) = span(values());
        let label = |v| words::tick(v, self.metric.unit);
        if low > high {
            Ticks::new(Scale::Linear, 0.0, 1.0, Vec::new())
        } else if wants_log(values()) {
            Ticks::log(low, high, room, label)
        } else {
            let low = if low > 0.0 && low < 0.6 * high { 0.0 } else { low };
            Ticks::linear(low, high, (room / 80.0) as usize, label)
        }
    }

    /// The name and the number beside a point.
    fn beside(&self, party: usize, figure: &Figure, first: bool, lang: Lang) -> String {
        let name = &self.parties[party].name;
        let what = number::point(figure, number::bare(self.metric.unit), lang);
        if first { format!("{name}  {what}") } else { what }
    }

    fn draw_rung(
        &self,
        scene: &mut Scene,
        panel: &Panel,
        (top, height): (f64, f64),
        rung: &Rung,
        first: bool,
        lang: Lang,
    ) {
        let slack = (height - ROW * self.parties.len() as f64) / 2.0;
        for (i, (party, figure)) in self.parties.iter().zip(&rung.figures).enumerate() {
            let look = Look::of(party);
            let y = top + slack + ROW * (i as f64 + 0.5);
            let text = self.beside(i, figure, first, lang);
            let told = number::told(figure, Style::Value(self.metric.unit), lang);
            let tip = format!("{} {}: {}", party.name, words::rank(rung.quantile), told);
            let (left, right) = match figure {
                Figure::Known { value, interval, .. } => {
                    let ends = (panel.x(interval.0), panel.x(interval.1));
                    whisker(scene, ends, y, &Stroke::new(look.ink, 1.6));
                    let at = (panel.x(*value), y);
                    scene.push_with(marker(at, look.marker, look.ink), tip);
                    (ends.0.min(at.0 - 5.0), ends.1.max(at.0 + 5.0))
                }
                Figure::Declined(_) => {
                    let at = (panel.area.x + 8.0, y);
                    scene.push_with(hollow(at, look.marker, look.ink), tip);
                    (at.0 - 5.0, at.0 + 5.0)
                }
            };
            let room_right = panel.area.right() - right - 7.0;
            let room_left = left - 7.0 - panel.area.x;
            let wide = font::width(&text, SMALL, Weight::Regular);
            let label = if wide <= room_right || room_right >= room_left {
                Label::new(
                    shorten(&text, room_right, SMALL, Weight::Regular),
                    right + 7.0,
                    y,
                    SMALL,
                    look.text(),
                )
            } else {
                let text = shorten(&text, room_left, SMALL, Weight::Regular);
                Label::new(text, left - 7.0, y, SMALL, look.text()).anchor(Anchor::End)
            };
            scene.text(label.centred().halo());
        }
    }
}

/// The lines of a verdict, and of what stands below it.
fn remark_lines(remark: &str, room: f64) -> (Vec<String>, Vec<String>) {
    let (verdict, rest) = remark.split_once('\n').unwrap_or((remark, ""));
    (wrap(verdict, room, SMALL, Weight::Bold), wrap(rest, room, SMALL, Weight::Regular))
}

/// A verdict: its first line in bold, all of it about a height.
fn draw_remark(scene: &mut Scene, remark: &str, x: f64, centre: f64, room: f64) {
    let (verdict, rest) = remark_lines(remark, room);
    let above = centre - REMARK_LEAD * ((verdict.len() + rest.len()) as f64 - 1.0) / 2.0;
    let label =
        |line: &String, i: usize| Label::new(line, x, above + REMARK_LEAD * i as f64, SMALL, TEXT).centred();
    for (i, line) in verdict.iter().enumerate() {
        scene.text(label(line, i).bold());
    }
    for (i, line) in rest.iter().enumerate() {
        scene.text(label(line, verdict.len() + i));
    }
}

impl Chart for QuantileLadder {
    fn height(&self, width: f64) -> f64 {
        let rungs: usize = self.panels.iter().map(|panel| panel.rungs.len()).sum();
        let headings = self.panels.iter().filter(|panel| !panel.heading.is_empty()).count();
        Page::overhead(&self.caption, width)
            + rungs as f64 * self.rung_height(Page::body_width(width))
            + headings as f64 * HEADING
            + headings.saturating_sub(1) as f64 * STRATUM_GAP
            + AXIS_ROOM
    }

    fn lay_out(&self, frame: Frame, lang: Lang) -> Scene {
        const MEDIAN: Phrase = Phrase { en: "median", zh: "中位数" };
        let Page { mut scene, body } = Page::open(frame, lang, &self.caption);
        let gutter = font::width("P99.9", 14.0, Weight::Bold).max(font::width(
            MEDIAN.get(lang),
            SMALL,
            Weight::Regular,
        ));
        let remarks = self.panels.iter().flat_map(|p| &p.rungs).any(|rung| !rung.remark.is_empty());
        let margin = if remarks { REMARK_SHARE * body.width } else { 0.0 };
        let area = Rect::new(
            body.x + gutter + 14.0,
            body.y,
            body.width - gutter - 14.0 - margin,
            body.height - AXIS_ROOM,
        );
        let x = self.axis(area.width);
        let scale = x.scale();
        let y = Ticks::new(Scale::Linear, 0.0, 1.0, Vec::new());
        let panel = Panel::draw(&mut scene, area, x, y, Mesh::Columns);
        panel.base_line(&mut scene);
        panel.x_title(&mut scene, words::directed_title(self.metric, scale, lang));
        let rung_height = self.rung_height(body.width);
        let mut top = area.y;
        for (p, stratum) in self.panels.iter().enumerate() {
            if !stratum.heading.is_empty() {
                // The mesh ends where a stratum ends.
                let gap = if p == 0 { 0.0 } else { STRATUM_GAP };
                scene.fill(Rect::new(body.x, top - 1.0, body.width, gap + 1.0), WHITE);
                let band = Rect::new(body.x, top + gap, body.width, HEADING);
                scene.fill(band, SHADE);
                top += gap;
                let text = shorten(&stratum.heading, body.width - 12.0, SMALL, Weight::Bold);
                scene.text(
                    Label::new(text, body.x + 6.0, band.y + band.height / 2.0, SMALL, BLACK).bold().centred(),
                );
                top += HEADING;
            }
            for (i, rung) in stratum.rungs.iter().enumerate() {
                if i > 0 {
                    scene.line((body.x, top), (body.right(), top), Stroke::new(GRID, 1.0));
                }
                let centre = top + rung_height / 2.0;
                let label = Label::new(words::rank(rung.quantile), body.x, centre, 14.0, BLACK).bold();
                if rung.quantile == 0.5 {
                    scene.text(Label { y: centre - 2.0, ..label });
                    scene.text(Label::new(MEDIAN.get(lang), body.x, centre + 13.0, SMALL, GREY));
                } else {
                    scene.text(label.centred());
                }
                self.draw_rung(&mut scene, &panel, (top, rung_height), rung, p == 0 && i == 0, lang);
                draw_remark(&mut scene, &rung.remark, area.right() + REMARK_GAP, centre, margin - REMARK_GAP);
                top += rung_height;
            }
        }
        scene
    }

    fn table(&self, lang: Lang) -> Table {
        const QUANTILE: Phrase = Phrase { en: "Quantile", zh: "分位" };
        let mut table = Table::new([
            ("stratum", words::STRATUM.get(lang)),
            ("quantile", QUANTILE.get(lang)),
            ("operator", words::OPERATOR.get(lang)),
            ("metric", words::METRIC.get(lang)),
            ("unit", words::UNIT.get(lang)),
            ("value", words::VALUE.get(lang)),
            ("lower", words::LOWER.get(lang)),
            ("upper", words::UPPER.get(lang)),
            ("n", "n"),
            ("declined", words::DECLINED.get(lang)),
        ]);
        for panel in &self.panels {
            for rung in &panel.rungs {
                for (party, figure) in self.parties.iter().zip(&rung.figures) {
                    let [value, lower, upper, n, declined] = figure.cells();
                    table.push([
                        panel.heading.as_str().into(),
                        Cell::Number(rung.quantile),
                        party.name.as_str().into(),
                        self.metric.id().into(),
                        self.metric.unit.code().into(),
                        value,
                        lower,
                        upper,
                        n,
                        declined,
                    ]);
                }
            }
        }
        table
    }
}
