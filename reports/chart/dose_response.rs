//! Complaint dose–response: from which level on do customers complain?
//!
//! The complaint rate in each band of a KPI with its interval, an optional fitted curve with its band, and the knee
//! where one was found. Below, how many line-days stand behind each band: a rate from little ground is seen as such.

use super::axis::{SMALL, Scale, Ticks, span};
use super::legend::{self, Swatch};
use super::number::{self, Style};
use super::page::Page;
use super::palette::{AXIS, BLACK, GREY, OWN, SKY, TEXT, WARN};
use super::panel::{Mesh, Panel, hatch, hollow, marker, middle, upright};
use super::place::Placer;
use super::scene::{Anchor, Label, MarkerShape, Rect, Scene, Shape, Stroke, WHITE};
use super::table::{Cell, Table};
use super::{Caption, Chart, Figure, Frame, words};
use crate::font::{self, Weight};
use broadgauge_model::metric::MetricId;
use broadgauge_model::text::{Lang, Phrase};

/// The chart.
#[derive(Clone, Debug, PartialEq)]
pub struct DoseResponse {
    /// Its words.
    pub caption: Caption,
    /// The KPI: names the x axis.
    pub metric: MetricId,
    /// What the KPI is of, as ready text, where the metric's own name is not enough: "daily P95 at peak"; may be empty.
    pub statistic: String,
    /// Bands of the KPI in rising order.
    pub bins: Vec<DoseBin>,
    /// A fitted curve.
    pub fit: Option<Fit>,
    /// Where the curve bends upwards, with its interval.
    pub knee: Option<Figure>,
}

/// One band of the KPI.
#[derive(Clone, Debug, PartialEq)]
pub struct DoseBin {
    /// Lower edge.
    pub from: f64,
    /// Upper edge; infinite for the last, open band.
    pub to: f64,
    /// Complaints per 1000 line-days.
    pub rate: Figure,
    /// Line-days at risk; `None` where they are not shown, for the reason that the rate gives.
    pub line_days: Option<f64>,
    /// Complaints counted.
    pub complaints: Option<u64>,
}

/// A fitted curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// What was fitted, for the label: "segmented Poisson".
    pub name: String,
    /// (KPI, rate, lower, upper), in rising order of the KPI.
    pub points: Vec<(f64, f64, f64, f64)>,
}

const HEIGHT: f64 = 380.0;
/// Below the axis: how much ground each band stands on.
const GROUND: f64 = 74.0;
const AXIS_ROOM: f64 = 48.0;

const LINE_DAYS: Phrase = Phrase { en: "Line-days", zh: "线路·日" };
const COMPLAINTS: Phrase = Phrase { en: "Complaints", zh: "投诉件数" };
const RATE: Phrase = Phrase { en: "Complaints per 1000 line-days", zh: "每千线路·日投诉件数" };

impl DoseResponse {
    /// The right edge of a band as it is drawn: an open one is as wide as its neighbour.
    fn right_edge(&self, i: usize) -> f64 {
        let bin = &self.bins[i];
        if bin.to.is_finite() {
            return bin.to;
        }
        let before = i.checked_sub(1).map(|j| bin.from - self.bins[j].from);
        bin.from + before.filter(|width| *width > 0.0).unwrap_or(bin.from.abs().max(1.0))
    }

    fn x_axis(&self, room: f64) -> Ticks {
        let edges = (0..self.bins.len()).flat_map(|i| [self.bins[i].from, self.right_edge(i)]);
        let (low, high) = span(edges);
        if low > high {
            return Ticks::linear(0.0, 1.0, 2, |_| String::new());
        }
        // The edges of the bands are the ticks, as many as can be read.
        let mut edges: Vec<f64> = self.bins.iter().map(|bin| bin.from).collect();
        edges.extend(self.bins.last().map(|bin| bin.to).filter(|to| to.is_finite()));
        let open = self.bins.last().is_some_and(|bin| bin.to.is_infinite());
        let label = |v: f64| words::tick(v, self.metric.unit);
        let last = edges.len() - 1;
        let text = |i: usize, v: f64| if open && i == last { format!("{}+", label(v)) } else { label(v) };
        // Bands are of unequal width: from both ends inwards, an edge is named where its label has room.
        let mut named: Vec<(f64, f64, String)> = Vec::new();
        for i in [0, last].into_iter().chain(1..last) {
            let name = text(i, edges[i]);
            let half = font::width(&name, SMALL, Weight::Regular) / 2.0 + 6.0;
            let at = (edges[i] - low) / (high - low).max(f64::MIN_POSITIVE) * room;
            if named.iter().all(|(other, wide, _)| (at - other).abs() >= half + wide) {
                named.push((at, half, name));
            }
        }
        let value = |at: f64| low + at / room * (high - low);
        named.sort_by(|a, b| a.0.total_cmp(&b.0));
        let ticks = named.into_iter().map(|(at, _, name)| (value(at), name)).collect();
        Ticks::new(Scale::Linear, low, high, ticks)
    }

    fn y_axis(&self, room: f64) -> Ticks {
        let bars = self.bins.iter().flat_map(|bin| bin.rate.extent());
        // A fit that runs off may not squeeze the data: at most a quarter above the highest bar.
        let (_, top) = span(bars);
        let top = if top.is_finite() && top > 0.0 { top } else { 1.0 };
        let fitted = self.fit.iter().flat_map(|fit| &fit.points).map(|p| p.3).fold(top, f64::max);
        Ticks::linear(0.0, fitted.min(1.25 * top), (room / 50.0) as usize, number::tick)
    }

    fn legend(&self, lang: Lang) -> Vec<(Swatch, String)> {
        const NO_KNEE: Phrase = Phrase { en: "no knee told: {reason}", zh: "未给出拐点：{reason}" };
        let mut reasons: Vec<&String> = Vec::new();
        for bin in &self.bins {
            if let Figure::Declined(reason) = &bin.rate
                && !reasons.contains(&reason)
            {
                reasons.push(reason);
            }
        }
        let mut items: Vec<_> =
            reasons.into_iter().map(|reason| (Swatch::Hatch(WHITE), reason.clone())).collect();
        if let Some(Figure::Declined(reason)) = &self.knee {
            items.push((Swatch::Fill(WARN.tint(0.28)), NO_KNEE.fill(lang, &[("reason", reason)])));
        }
        items
    }

    fn draw_knee(&self, scene: &mut Scene, panel: &Panel, placer: &mut Placer, lang: Lang) {
        const KNEE: Phrase = Phrase { en: "knee: {knee}", zh: "拐点：{knee}" };
        let Some(knee) = &self.knee else { return };
        let Figure::Known { value, interval, .. } = knee else { return };
        let (left, right) = (panel.x(interval.0), panel.x(interval.1));
        let band = Rect::new(left, panel.area.y, (right - left).max(1.0), panel.area.height);
        scene.fill(band, WARN.at(0.28));
        let x = panel.x(*value);
        let ends = [(x, panel.area.y), (x, panel.area.bottom())];
        scene.line(ends[0], ends[1], Stroke::new(WARN, 1.4).dashed(&[4.0, 3.0]));
        placer.take_line(&ends);
        let text = KNEE.fill(lang, &[("knee", &number::told(knee, Style::Value(self.metric.unit), lang))]);
        let places = (0..5).flat_map(|row| {
            let label = Label::new(
                &text,
                left - 6.0,
                panel.area.y + 12.0 + 18.0 * f64::from(row),
                SMALL,
                WARN.readable(),
            );
            let label = label.bold().anchor(Anchor::End).centred();
            [label.clone(), Label { x: right + 6.0, ..label }.anchor(Anchor::Start)]
        });
        if let Some(label) = placer.first_free(&panel.area, places) {
            scene.text(label.halo());
        }
    }

    fn draw_fit(&self, scene: &mut Scene, panel: &Panel, placer: &mut Placer) {
        let Some(fit) = &self.fit else { return };
        let inside: Vec<_> = fit.points.iter().filter(|p| panel.x.holds(p.0)).collect();
        let band: Vec<_> = inside.iter().map(|p| (p.0, p.2, p.3)).collect();
        panel.band(scene, &band, SKY.at(0.25));
        let curve: Vec<_> = inside.iter().filter(|p| panel.y.holds(p.1)).map(|p| (p.0, p.1)).collect();
        panel.line(scene, &curve, Stroke::new(OWN, 2.0));
        let places: Vec<_> = curve.iter().map(|&point| panel.at(point)).collect();
        placer.take_line(&places);
    }

    fn name_fit(&self, scene: &mut Scene, panel: &Panel, placer: &mut Placer) {
        let Some(fit) = self.fit.as_ref().filter(|fit| !fit.name.is_empty()) else { return };
        let at = |share: f64| fit.points.get((share * (fit.points.len() as f64 - 1.0)) as usize);
        let places = [0.9, 0.8, 0.7, 0.6, 0.3, 0.2, 0.1].into_iter().filter_map(at).flat_map(|p| {
            let (x, y) = panel.at((p.0, p.1));
            let label = Label::new(&fit.name, x, y, SMALL, OWN).bold().centred();
            let above = Label { y: label.y - 16.0, x: x - 8.0, ..label.clone() }.anchor(Anchor::End);
            let below = Label { y: label.y + 18.0, x: x + 8.0, ..label };
            let far = Label { y: above.y - 22.0, ..above.clone() };
            [above, below, far]
        });
        if let Some(label) = placer.first_free(&panel.area, places) {
            scene.text(label.halo());
        }
    }

    fn draw_bins(&self, scene: &mut Scene, panel: &Panel, placer: &mut Placer, lang: Lang) {
        for (i, bin) in self.bins.iter().enumerate() {
            let (left, right) = (panel.x(bin.from), panel.x(self.right_edge(i)));
            let x = f64::midpoint(left, right);
            let tip = format!("{}: {}", self.band_name(i, lang), number::told(&bin.rate, Style::Bare, lang));
            match &bin.rate {
                Figure::Known { value, interval, .. } => {
                    let y = panel.y(*value);
                    let ends = (panel.y(interval.0), panel.y(interval.1));
                    scene.line((left + 2.0, y), (right - 2.0, y), Stroke::new(TEXT.at(0.45), 1.0));
                    upright(scene, x, ends, &Stroke::new(BLACK, 1.4));
                    scene.push_with(marker((x, y), MarkerShape::Circle, BLACK), tip);
                    placer.take(Rect::new(x - 6.0, ends.1 - 2.0, 12.0, ends.0 - ends.1 + 4.0));
                }
                Figure::Declined(_) => {
                    let area = Rect::new(left + 1.0, panel.area.y, right - left - 2.0, panel.area.height);
                    scene.push_with(hatch(area), tip.clone());
                    let at = (x, panel.area.bottom() - 9.0);
                    scene.push_with(hollow(at, MarkerShape::Circle, BLACK), tip);
                    placer.take(area);
                }
            }
        }
    }

    /// The ground: bars of line-days, their number, and the complaints counted.
    fn draw_ground(&self, scene: &mut Scene, panel: &Panel, top: f64, lang: Lang) {
        let most = self.bins.iter().filter_map(|bin| bin.line_days).fold(0.0, f64::max).max(1e-9);
        let bar = 24.0;
        for (i, bin) in self.bins.iter().enumerate() {
            let (Some(line_days), Some(complaints)) = (bin.line_days, bin.complaints) else { continue };
            let (left, right) = (panel.x(bin.from), panel.x(self.right_edge(i)));
            let height = (line_days / most * bar).max(if line_days > 0.0 { 1.0 } else { 0.0 });
            let area = Rect::new(left + 1.0, top + 16.0 + bar - height, right - left - 2.0, height);
            scene.fill(area, GREY.tint(0.4));
            let x = f64::midpoint(left, right);
            let days = middle(number::compact(line_days, lang), (x, area.y - 8.0), TEXT);
            let count = middle(number::fixed(complaints as f64, 0), (x, top + 16.0 + bar + 12.0), TEXT);
            if days.width().max(count.width()) <= right - left - 2.0 {
                scene.text(days);
                scene.text(count);
            }
        }
        let left = panel.area.x - 8.0;
        let label = |phrase: Phrase, y| {
            Label::new(phrase.get(lang), left, y, SMALL, GREY).anchor(Anchor::End).centred()
        };
        scene.text(label(LINE_DAYS, top + 16.0 + bar / 2.0));
        scene.text(label(COMPLAINTS, top + 16.0 + bar + 12.0));
    }

    fn band_name(&self, i: usize, lang: Lang) -> String {
        let bin = &self.bins[i];
        let print = |v: f64| words::tick(v, self.metric.unit);
        if bin.to.is_finite() {
            number::range(&print(bin.from), &print(bin.to), lang)
        } else {
            format!("≥{}", print(bin.from))
        }
    }
}

impl Chart for DoseResponse {
    fn height(&self, width: f64) -> f64 {
        let legend = Lang::ALL.map(|lang| legend::height(&self.legend(lang), width - 32.0));
        Page::overhead(&self.caption, width) + legend[0].max(legend[1]) + HEIGHT
    }

    fn lay_out(&self, frame: Frame, lang: Lang) -> Scene {
        const STATISTIC: Phrase = Phrase { en: "{title}, {statistic}", zh: "{title}，{statistic}" };
        let Page { mut scene, body } = Page::open(frame, lang, &self.caption);
        let items = self.legend(lang);
        legend::draw(&mut scene, (body.x, body.y), body.width, &items);
        let top = body.y + legend::height(&items, body.width) + 26.0;
        let names =
            [LINE_DAYS, COMPLAINTS].map(|phrase| font::width(phrase.get(lang), SMALL, Weight::Regular));
        let left = names[0].max(names[1]) + 10.0;
        let height = (body.bottom() - top - AXIS_ROOM - GROUND).max(20.0);
        let area = Rect::new(body.x + left, top, body.width - left - 12.0, height);
        let panel = Panel::draw(&mut scene, area, self.x_axis(area.width), self.y_axis(height), Mesh::Rows);
        let title = words::axis_title(self.metric, panel.x.scale(), lang);
        let title = if self.statistic.is_empty() {
            title
        } else {
            STATISTIC.fill(lang, &[("title", &title), ("statistic", &self.statistic)])
        };
        panel.x_title(&mut scene, title);
        scene.text(Label::new(RATE.get(lang), body.x, top - 14.0, SMALL, TEXT));
        let mut placer = Placer::default();
        self.draw_fit(&mut scene, &panel, &mut placer);
        let first = scene.marks.len();
        self.draw_bins(&mut scene, &panel, &mut placer, lang);
        let bins = scene.marks.split_off(first);
        self.draw_knee(&mut scene, &panel, &mut placer, lang);
        scene.marks.extend(bins);
        self.name_fit(&mut scene, &panel, &mut placer);
        panel.base_line(&mut scene);
        for (value, _) in panel.x.ticks() {
            let x = panel.x(*value);
            let points = vec![(x, area.bottom()), (x, area.bottom() + 4.0)];
            scene.push(Shape::Polyline { points, stroke: Stroke::new(AXIS, 1.0) });
        }
        self.draw_ground(&mut scene, &panel, area.bottom() + AXIS_ROOM, lang);
        scene
    }

    fn table(&self, lang: Lang) -> Table {
        let mut table = Table::new([
            ("metric", words::METRIC.get(lang)),
            ("unit", words::UNIT.get(lang)),
            ("from", words::FROM.get(lang)),
            ("to", words::TO.get(lang)),
            ("line_days", LINE_DAYS.get(lang)),
            ("complaints", COMPLAINTS.get(lang)),
            ("rate_per_1000_line_days", RATE.get(lang)),
            ("lower", words::LOWER.get(lang)),
            ("upper", words::UPPER.get(lang)),
            ("declined", words::DECLINED.get(lang)),
        ]);
        for bin in &self.bins {
            let [value, lower, upper, _, declined] = bin.rate.cells();
            table.push([
                self.metric.id().into(),
                self.metric.unit.code().into(),
                Cell::Number(bin.from),
                Cell::maybe(Some(bin.to)),
                Cell::maybe(bin.line_days),
                bin.complaints.map_or(Cell::Blank, Cell::Count),
                value,
                lower,
                upper,
                declined,
            ]);
        }
        table
    }
}
