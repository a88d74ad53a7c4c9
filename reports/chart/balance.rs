//! Balance point: how full may a node run before customers notice?
//!
//! Above, delay against utilisation: groups of days with their interval, the fitted curve, and the limit. Below, on the
//! same axis, complaints. The shaded part is where a node may run with 95% confidence.

use super::axis::{SMALL, Ticks, span};
use super::legend::{self, Swatch};
use super::number;
use super::page::Page;
use super::palette::{GREEN, OWN, TEXT, VERMILION};
use super::panel::{Mesh, Panel, marker, upright};
use super::scene::{Label, MarkerShape, Rect, Scene, Stroke};
use super::table::{Cell, Table};
use super::{Caption, Chart, Figure, Frame, words};
use broadgauge_model::metric::MetricId;
use broadgauge_model::text::{Lang, Phrase};

/// The chart.
#[derive(Clone, Debug, PartialEq)]
pub struct BalanceChart {
    /// Its words.
    pub caption: Caption,
    /// The delay: names an axis.
    pub metric: MetricId,
    /// Groups of days in rising order.
    pub groups: Vec<BalanceGroup>,
    /// The curve: (utilisation, value).
    pub curve: Vec<(f64, f64)>,
    /// The value that must not be passed.
    pub limit: Option<f64>,
    /// Where the curve comes to it.
    pub point: Figure,
    /// The fullest that is safe.
    pub safe: Option<f64>,
}

/// Days of about the same utilisation.
#[derive(Clone, Debug, PartialEq)]
pub struct BalanceGroup {
    /// Their mean utilisation.
    pub utilisation: f64,
    /// What was seen.
    pub value: Figure,
    /// The share of lines that had less than they expect; in the chart's data only.
    pub short: Figure,
    /// Complaints per 1,000 line-days.
    pub complaints: Figure,
}

const UPPER: f64 = 230.0;
const LOWER: f64 = 130.0;
const BETWEEN: f64 = 34.0;
const AXIS_ROOM: f64 = 52.0;
const RATE: Phrase = Phrase { en: "Complaints per 1000 line-days", zh: "每千线路·日投诉件数" };
const SHORT: Phrase = Phrase { en: "Lines short of what they expect", zh: "低于期望的线路占比" };
const UTILISATION: Phrase =
    Phrase { en: "Utilisation of the busiest hour (%)", zh: "最忙小时利用率（%）" };

impl BalanceChart {
    fn items(&self, lang: Lang) -> Vec<(Swatch, String)> {
        const SAFE: Phrase = Phrase { en: "may run (95% sure)", zh: "可运行范围（95% 把握）" };
        const CURVE: Phrase = Phrase { en: "fitted curve", zh: "拟合曲线" };
        const LIMIT: Phrase = Phrase { en: "limit", zh: "限值" };
        let mut items = Vec::new();
        if !self.curve.is_empty() {
            items.push((Swatch::Line(Stroke::new(OWN, 2.0)), CURVE.get(lang).to_owned()));
        }
        if self.limit.is_some() {
            let line = Stroke::new(VERMILION, 1.4).dashed(&[4.0, 3.0]);
            items.push((Swatch::Line(line), LIMIT.get(lang).to_owned()));
        }
        if self.safe.is_some() {
            items.push((Swatch::Fill(GREEN.tint(0.2)), SAFE.get(lang).to_owned()));
        }
        items
    }
}

impl Chart for BalanceChart {
    fn height(&self, width: f64) -> f64 {
        let legend = Lang::ALL.map(|lang| legend::height(&self.items(lang), width - 32.0));
        let panels = UPPER + BETWEEN + LOWER + AXIS_ROOM + 22.0;
        Page::overhead(&self.caption, width) + legend[0].max(legend[1]) + panels
    }

    fn lay_out(&self, frame: Frame, lang: Lang) -> Scene {
        let Page { mut scene, body } = Page::open(frame, lang, &self.caption);
        let items = self.items(lang);
        legend::draw(&mut scene, (body.x, body.y), body.width, &items);
        let top = body.y + legend::height(&items, body.width) + 22.0;
        let room = (body.bottom() - top - AXIS_ROOM - BETWEEN).max(40.0);
        let (upper, lower) = (room * UPPER / (UPPER + LOWER), room * LOWER / (UPPER + LOWER));
        let (low, high) =
            span(self.groups.iter().map(|g| g.utilisation).chain(self.curve.iter().map(|p| p.0)));
        let (low, high) = if low < high { (low, high) } else { (0.0, 1.0) };
        let x = || {
            let percent = |v: f64| number::tick((v * 1e6).round() / 1e4);
            Ticks::linear(low, high, (body.width / 80.0) as usize, percent)
        };
        let values = self.groups.iter().flat_map(|g| g.value.extent());
        let (_, most) = span(values.chain(self.curve.iter().map(|p| p.1)).chain(self.limit));
        let top_value = if most.is_finite() && most > 0.0 { most } else { 1.0 };
        let y = Ticks::linear(0.0, top_value, (upper / 45.0) as usize, number::tick);
        let (_, rate) = span(self.groups.iter().flat_map(|g| g.complaints.extent()));
        let rate = if rate.is_finite() && rate > 0.0 { rate } else { 1.0 };
        let y_rate = Ticks::linear(0.0, rate, (lower / 40.0) as usize, number::tick);
        let left = y.label_width().max(y_rate.label_width()) + 14.0;
        let area = Rect::new(body.x + left, top, body.width - left - 14.0, upper);
        if let Some(safe) = self.safe {
            let end = x().place(safe) * area.width;
            scene.fill(Rect::new(area.x, area.y, end.max(1.0), upper + BETWEEN + lower), GREEN.tint(0.2));
        }
        let panel = Panel::draw(&mut scene, area, x().bare(), y, Mesh::Rows);
        scene.text(Label::new(
            words::axis_title(self.metric, panel.y.scale(), lang),
            body.x,
            area.y - 10.0,
            SMALL,
            TEXT,
        ));
        panel.line(&mut scene, &self.curve, Stroke::new(OWN, 2.0));
        if let Some(limit) = self.limit {
            let at = panel.y(limit);
            let line = Stroke::new(VERMILION, 1.4).dashed(&[4.0, 3.0]);
            scene.line((area.x, at), (area.right(), at), line);
        }
        self.draw(&mut scene, &panel, |group| &group.value, lang);
        panel.base_line(&mut scene);
        let below = Rect::new(area.x, area.bottom() + BETWEEN, area.width, lower);
        let rates = Panel::draw(&mut scene, below, x(), y_rate, Mesh::Rows);
        scene.text(Label::new(RATE.get(lang), body.x, below.y - 10.0, SMALL, TEXT));
        self.draw(&mut scene, &rates, |group| &group.complaints, lang);
        rates.base_line(&mut scene);
        rates.x_title(&mut scene, UTILISATION.get(lang));
        scene
    }

    fn table(&self, lang: Lang) -> Table {
        let mut table = Table::new([
            ("utilisation", UTILISATION.get(lang)),
            ("value", self.metric.label.get(lang)),
            ("lower", words::LOWER.get(lang)),
            ("upper", words::UPPER.get(lang)),
            ("short_of_expectation_ratio", SHORT.get(lang)),
            ("short_lower", words::LOWER.get(lang)),
            ("short_upper", words::UPPER.get(lang)),
            ("complaints_per_1000_line_days", RATE.get(lang)),
            ("complaints_lower", words::LOWER.get(lang)),
            ("complaints_upper", words::UPPER.get(lang)),
        ]);
        for group in &self.groups {
            let [value, lower, upper, ..] = group.value.cells();
            let [short, fewest, largest, ..] = group.short.cells();
            let [rate, least, most, ..] = group.complaints.cells();
            let at = Cell::Number(group.utilisation);
            table.push([at, value, lower, upper, short, fewest, largest, rate, least, most]);
        }
        table
    }
}

impl BalanceChart {
    fn draw(&self, scene: &mut Scene, panel: &Panel, of: impl Fn(&BalanceGroup) -> &Figure, lang: Lang) {
        for group in &self.groups {
            if let Figure::Known { value, interval, .. } = of(group) {
                let x = panel.x(group.utilisation);
                let ends = (panel.y(interval.0), panel.y(interval.1));
                upright(scene, x, ends, &Stroke::new(TEXT, 1.2));
                let tip = number::told(of(group), number::Style::Bare, lang);
                scene.push_with(marker((x, panel.y(*value)), MarkerShape::Circle, OWN), tip);
            }
        }
    }
}
