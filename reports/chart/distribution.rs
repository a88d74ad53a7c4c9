//! Distribution overlay: which share of tests is worse than a value?
//!
//! Empirical distribution functions as steps, with the band of Dvoretzky, Kiefer and Wolfowitz (constant
//! sqrt(ln(2/alpha) / 2n), Massart 1990) or a band that was computed elsewhere (bootstrap over lines).

use super::axis::{SMALL, Scale, Ticks, span, wants_log};
use super::page::Page;
use super::palette::{GREY, Look};
use super::panel::{Mesh, Panel, marker};
use super::place::Placer;
use super::scene::{Anchor, Label, Rect, Scene, Stroke};
use super::table::{Cell, Table};
use super::{Caption, Chart, Frame, Party, number, words};
use broadgauge_model::metric::MetricId;
use broadgauge_model::text::{Lang, Phrase};

/// The chart.
#[derive(Clone, Debug, PartialEq)]
pub struct DistributionOverlay {
    /// Its words.
    pub caption: Caption,
    /// What is measured: names the axis.
    pub metric: MetricId,
    /// Whether y is the share above a value instead of the share at or below it.
    pub tail: bool,
    /// One per operator.
    pub curves: Vec<Curve>,
    /// Values that matter to a reader, with a few words: "40 ms: calls suffer".
    pub landmarks: Vec<(f64, String)>,
}

/// An empirical distribution.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Whose.
    pub party: Party,
    /// Values in rising order, and the share of observations at or below each.
    pub steps: Vec<(f64, f64)>,
    /// How sure it is.
    pub band: Band,
    /// How many units of inference (lines) it rests on.
    pub n: usize,
}

/// The band about a curve.
#[derive(Clone, Debug, PartialEq)]
pub enum Band {
    /// None is drawn.
    None,
    /// The same half-width everywhere, cut at 0 and 1.
    Constant(f64),
    /// (value, lower share, upper share), in rising order of value.
    Given(Vec<(f64, f64, f64)>),
}

impl Band {
    /// The Dvoretzky–Kiefer–Wolfowitz band for `n` independent units at level 1 - `alpha`.
    pub fn dkw(n: usize, alpha: f64) -> Self {
        if n == 0 { Self::None } else { Self::Constant(((2.0 / alpha).ln() / (2.0 * n as f64)).sqrt()) }
    }
}

const HEIGHT: f64 = 350.0;
/// Where markers stand on a curve, as shares at or below.
const MARKED: [f64; 5] = [0.1, 0.25, 0.5, 0.75, 0.9];
/// The same where the tail is looked at.
const MARKED_TAIL: [f64; 4] = [0.5, 0.9, 0.99, 0.999];
/// Where a curve may be labelled, best first.
const LABELLED: [f64; 14] =
    [0.82, 0.68, 0.6, 0.4, 0.32, 0.18, 0.55, 0.88, 0.93, 0.95, 0.97, 0.985, 0.12, 0.06];

impl Curve {
    /// The value at a share.
    fn quantile(&self, share: f64) -> Option<f64> {
        self.steps.iter().find(|step| step.1 >= share).map(|step| step.0)
    }

    /// The corners of the steps between two values.
    fn corners(&self, from: f64, to: f64) -> Vec<(f64, f64)> {
        let mut share = 0.0;
        let mut corners = Vec::new();
        for &(value, next) in &self.steps {
            if (from..=to).contains(&value) {
                corners.extend([(value, share), (value, next)]);
            }
            share = next;
        }
        corners
    }
}

impl DistributionOverlay {
    fn height_of(&self, share: f64) -> f64 {
        if self.tail { 1.0 - share } else { share }
    }

    fn x_axis(&self, room: f64) -> Ticks {
        // The last thousandth would push everything else together; it is in the table.
        let ends = [0.001, 0.01, 0.5, 0.99, if self.tail { 1.0 } else { 0.995 }];
        let values = || {
            let curves = self.curves.iter().flat_map(move |c| ends.into_iter().filter_map(|q| c.quantile(q)));
            curves.chain(self.landmarks.iter().map(|mark| mark.0))
        };
        let (low, high) = span(values());
        let label = |v| words::tick(v, self.metric.unit);
        if low > high {
            Ticks::new(Scale::Linear, 0.0, 1.0, Vec::new())
        } else if wants_log(values()) {
            Ticks::log(low, high, room, label)
        } else {
            Ticks::linear(low, high, (room / 80.0) as usize, label)
        }
    }

    fn y_axis(&self) -> Ticks {
        let label = |share: f64| format!("{}%", number::tick((share * 1e6).round() / 1e4));
        if !self.tail {
            return Ticks::linear(0.0, 1.0, 5, label);
        }
        let tails = self.curves.iter().flat_map(|curve| &curve.steps).map(|step| 1.0 - step.1);
        let least = tails.filter(|&tail| tail > 1e-9).fold(0.1, f64::min).max(1e-4);
        let decades = (-4..=0).map(|d| 10_f64.powi(d)).filter(|&v| v >= least);
        Ticks::new(Scale::Log, 0.8 * least, 1.0, decades.map(|v| (v, label(v))).collect())
    }

    fn draw_band(&self, scene: &mut Scene, panel: &Panel, curve: &Curve) {
        let (from, to) = (panel.x.from(), panel.x.to());
        let points: Vec<(f64, f64, f64)> = match &curve.band {
            Band::None => return,
            Band::Constant(half) => {
                let around = |(x, y): (f64, f64)| (x, (y - half).max(0.0), (y + half).min(1.0));
                curve.corners(from, to).into_iter().map(around).collect()
            }
            Band::Given(points) => points.iter().copied().filter(|p| (from..=to).contains(&p.0)).collect(),
        };
        let turned: Vec<_> = points
            .into_iter()
            .map(|(x, low, high)| {
                let (a, b) = (self.height_of(low), self.height_of(high));
                (x, a.min(b), a.max(b))
            })
            .collect();
        panel.band(scene, &turned, Look::of(&curve.party).ink.at(0.16));
    }

    fn draw_landmarks(&self, scene: &mut Scene, panel: &Panel, placer: &mut Placer) {
        // Curves leave the lower right free, and tails the upper right.
        let (first, step) =
            if self.tail { (panel.area.y + 10.0, 17.0) } else { (panel.area.bottom() - 12.0, -17.0) };
        for (value, text) in self.landmarks.iter().filter(|mark| panel.x.holds(mark.0)) {
            let x = panel.x(*value);
            let line = [(x, panel.area.y), (x, panel.area.bottom())];
            scene.line(line[0], line[1], Stroke::new(GREY, 1.0).dashed(&[3.0, 3.0]));
            let places = (0..12).flat_map(|row| {
                let label = Label::new(text, x + 6.0, first + step * f64::from(row), SMALL, GREY).centred();
                let other = Label { x: x - 6.0, ..label.clone() }.anchor(Anchor::End);
                [label, other]
            });
            if let Some(label) = placer.first_free(&panel.area, places) {
                scene.text(label.halo());
            }
            placer.take_line(&line);
        }
    }

    /// The names of the curves beside them, where nothing is crossed; above the chart where there is no such place.
    fn draw_names(&self, scene: &mut Scene, panel: &Panel, placer: &mut Placer, lang: Lang) {
        const NAME: Phrase = Phrase { en: "{name} (n = {n})", zh: "{name}（n = {n}）" };
        let mut right = panel.area.right();
        for curve in &self.curves {
            let n = number::fixed(curve.n as f64, 0);
            let text = NAME.fill(lang, &[("name", &curve.party.name), ("n", &n)]);
            let look = Look::of(&curve.party);
            let label = |x, y| Label::new(&text, x, y, SMALL, look.text()).bold().centred();
            let beside = [9.0, 16.0, 26.0].into_iter().flat_map(|dx| {
                LABELLED.into_iter().flat_map(move |share| [(share, dx, 0.0), (share, -dx, 0.0)])
            });
            let off = LABELLED.into_iter().flat_map(|share| [(share, 4.0, 15.0), (share, -4.0, -15.0)]);
            let places = beside.chain(off).filter_map(|(share, dx, dy)| {
                let (x, y) = panel.at((curve.quantile(share)?, self.height_of(share)));
                let anchor = if dx > 0.0 { Anchor::Start } else { Anchor::End };
                Some(label(x + dx, y + dy).anchor(anchor))
            });
            if let Some(found) = placer.first_free(&panel.area, places) {
                scene.text(found.halo());
                continue;
            }
            let named = label(right, panel.area.y - 18.0).anchor(Anchor::End);
            right -= named.width() + 8.0;
            let y = panel.area.y - 18.0;
            scene.line((right - 18.0, y), (right, y), look.line());
            right -= 34.0;
            scene.text(named);
        }
    }
}

impl Chart for DistributionOverlay {
    fn height(&self, width: f64) -> f64 {
        Page::overhead(&self.caption, width) + HEIGHT
    }

    fn lay_out(&self, frame: Frame, lang: Lang) -> Scene {
        const BELOW: Phrase = Phrase { en: "Share of values at or below", zh: "不高于该值的占比" };
        const ABOVE: Phrase =
            Phrase { en: "Share of values above (log scale)", zh: "高于该值的占比（对数刻度）" };
        let Page { mut scene, body } = Page::open(frame, lang, &self.caption);
        let y = self.y_axis();
        let left = y.label_width() + 10.0;
        let area =
            Rect::new(body.x + left, body.y + 26.0, body.width - left - 8.0, body.height - 26.0 - 48.0);
        let panel = Panel::draw(&mut scene, area, self.x_axis(area.width), y, Mesh::Rows);
        panel.base_line(&mut scene);
        let scale = panel.x.scale();
        panel.x_title(&mut scene, words::directed_title(self.metric, scale, lang));
        panel.y_title(&mut scene, if self.tail { ABOVE } else { BELOW }.get(lang));
        let mut placer = Placer::default();
        for curve in self.curves.iter().rev() {
            self.draw_band(&mut scene, &panel, curve);
        }
        for curve in self.curves.iter().rev() {
            let look = Look::of(&curve.party);
            let corners: Vec<_> = curve
                .corners(panel.x.from(), panel.x.to())
                .into_iter()
                .map(|(value, share)| (value, self.height_of(share)))
                .filter(|point| panel.y.scale() == Scale::Linear || point.1 > 0.0)
                .collect();
            let corners = thin(&panel, corners);
            panel.line(&mut scene, &corners, look.line());
            let places: Vec<_> = corners.iter().map(|&point| panel.at(point)).collect();
            placer.take_line(&places);
            let marked: &[f64] = if self.tail { &MARKED_TAIL } else { &MARKED };
            for &share in marked {
                let Some(value) = curve.quantile(share).filter(|&v| panel.x.holds(v)) else { continue };
                let at = panel.at((value, self.height_of(share)));
                let told = number::value(value, self.metric.unit);
                let tip = format!("{} {}: {told}", curve.party.name, words::rank(share));
                scene.push_with(marker(at, look.marker, look.ink), tip);
                placer.take(Rect::new(at.0 - 6.0, at.1 - 6.0, 12.0, 12.0));
            }
        }
        self.draw_landmarks(&mut scene, &panel, &mut placer);
        self.draw_names(&mut scene, &panel, &mut placer, lang);
        scene
    }

    fn table(&self, lang: Lang) -> Table {
        const SHARE: Phrase = Phrase { en: "Share at or below", zh: "不高于该值的占比" };
        let mut table = Table::new([
            ("operator", words::OPERATOR.get(lang)),
            ("metric", words::METRIC.get(lang)),
            ("unit", words::UNIT.get(lang)),
            ("value", words::VALUE.get(lang)),
            ("share", SHARE.get(lang)),
            ("lower", words::LOWER.get(lang)),
            ("upper", words::UPPER.get(lang)),
            ("n", "n"),
        ]);
        for curve in &self.curves {
            for &(value, share) in &curve.steps {
                let (lower, upper) = match &curve.band {
                    Band::None => (Cell::Blank, Cell::Blank),
                    Band::Constant(half) => {
                        (Cell::Number((share - half).max(0.0)), Cell::Number((share + half).min(1.0)))
                    }
                    Band::Given(points) => {
                        let at = points.iter().take_while(|p| p.0 <= value).last();
                        (Cell::maybe(at.map(|p| p.1)), Cell::maybe(at.map(|p| p.2)))
                    }
                };
                table.push([
                    curve.party.name.as_str().into(),
                    self.metric.id().into(),
                    self.metric.unit.code().into(),
                    Cell::Number(value),
                    Cell::Number(share),
                    lower,
                    upper,
                    Cell::Count(curve.n as u64),
                ]);
            }
        }
        table
    }
}

/// Leaves out corners that no reader could see: nearer than a third of a pixel to the one before.
fn thin(panel: &Panel, corners: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let last = corners.last().copied();
    let mut kept: Vec<(f64, f64)> = Vec::new();
    let mut before: Option<(f64, f64)> = None;
    for corner in corners {
        let at = panel.at(corner);
        if before.is_none_or(|b| (at.0 - b.0).abs() + (at.1 - b.1).abs() > 0.34) {
            kept.push(corner);
            before = Some(at);
        }
    }
    if kept.last() != last.as_ref() {
        kept.extend(last);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_band_has_the_width_of_massart() {
        // sqrt(ln(2 / 0.05) / 200), by hand: ln 40 = 3.688879, / 200 = 0.018444, root 0.135810.
        let Band::Constant(half) = Band::dkw(100, 0.05) else { panic!("a band") };
        assert!((half - 0.135_810).abs() < 1e-6, "{half}");
        assert_eq!(Band::dkw(0, 0.05), Band::None);
    }
}
