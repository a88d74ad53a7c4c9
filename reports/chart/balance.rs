//! Balance point: how full may a node run before customers notice?
//!
//! Above, delay against utilisation: groups of days with their interval, the fitted curve, and the limit. Below, on the
//! same axis, complaints. The shaded part on the left is where a node may run with 95% confidence, the one on the right
//! where customers begin to notice. At the foot, what each further split brings for its cost, the best first: the area
//! under the steps is what all of them bring together.

use super::axis::{SMALL, Ticks, span};
use super::legend::{self, Swatch};
use super::number;
use super::page::Page;
use super::palette::{GREEN, OWN, SKY, TEXT, VERMILION, WARN};
use super::panel::{Mesh, Panel, marker, middle, upright};
use super::scene::{Label, MarkerShape, Rect, Scene, Shape, Stroke};
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
    /// Nodes to relieve, the best for its cost first.
    pub splits: Vec<Split>,
    /// Complaints in 30 days that 1,000 spent on relief must avoid to be worth it.
    pub worth: Option<f64>,
}

/// The relief of one node.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// The node.
    pub node: String,
    /// What it costs.
    pub cost: Option<f64>,
    /// Complaints that it avoids in 30 days.
    pub avoided: Figure,
}

/// A step of the line: from where to where on the axis, and its height with the interval.
struct Step<'a> {
    node: &'a str,
    from: f64,
    to: f64,
    height: Figure,
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
const STEPS: f64 = 110.0;
/// Between the axis above and the steps: two lines of text.
const STEPS_HEAD: f64 = 30.0;
const PER_COST: Phrase = Phrase {
    en: "Complaints that a further split avoids in 30 days, per 1000 of its cost",
    zh: "再扩容一个节点 30 天内可避免的投诉（每 1000 单位成本）",
};
const PER_NODE: Phrase = Phrase {
    en: "Complaints that a further split avoids in 30 days",
    zh: "再扩容一个节点 30 天内可避免的投诉",
};
const SPENT: Phrase = Phrase { en: "Cost of all splits so far", zh: "累计扩容成本" };
const NODES: Phrase = Phrase { en: "Nodes split so far", zh: "累计扩容节点数" };
const RATE: Phrase = Phrase { en: "Complaints per 1000 line-days", zh: "每千线路·日投诉件数" };
const SHORT: Phrase = Phrase { en: "Lines short of what they expect", zh: "低于期望的线路占比" };
const UTILISATION: Phrase =
    Phrase { en: "Utilisation of the busiest hour (%)", zh: "最忙小时利用率（%）" };

impl BalanceChart {
    fn items(&self, lang: Lang) -> Vec<(Swatch, String)> {
        const SAFE: Phrase = Phrase { en: "may run (95% sure)", zh: "可运行范围（95% 把握）" };
        const CURVE: Phrase = Phrase { en: "fitted curve", zh: "拟合曲线" };
        const LIMIT: Phrase = Phrase { en: "limit", zh: "限值" };
        const NOTICED: Phrase =
            Phrase { en: "customers begin to notice (95%)", zh: "用户开始察觉（95% 区间）" };
        const WORTH: Phrase = Phrase { en: "worth its cost above this", zh: "高于此线则值得" };
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
        if self.noticed().is_some() {
            items.push((Swatch::Fill(WARN.tint(0.25)), NOTICED.get(lang).to_owned()));
        }
        if self.worth.is_some() && self.has_costs() && !self.steps().is_empty() {
            let line = Stroke::new(GREEN, 1.4).dashed(&[2.0, 2.5]);
            items.push((Swatch::Line(line), WORTH.get(lang).to_owned()));
        }
        items
    }

    /// Where customers begin to notice, with 95% confidence, on the axis.
    fn noticed(&self) -> Option<(f64, f64)> {
        match &self.point {
            Figure::Known { interval, .. } if interval.0 < 1.0 => Some((interval.0, interval.1.min(1.0))),
            _ => None,
        }
    }

    fn has_costs(&self) -> bool {
        self.splits.iter().all(|split| split.cost.is_some_and(|cost| cost > 0.0))
    }

    /// The steps of those splits of which it is known what they avoid.
    fn steps(&self) -> Vec<Step<'_>> {
        let has_costs = self.has_costs();
        let mut at = 0.0;
        let mut steps = Vec::new();
        for split in &self.splits {
            let Figure::Known { value, interval, n } = &split.avoided else { continue };
            let cost = split.cost.filter(|_| has_costs);
            let per = cost.map_or(1.0, |cost| 1_000.0 / cost);
            let interval = (interval.0 * per, interval.1 * per);
            let height = Figure::Known { value: value * per, interval, n: *n };
            let to = at + cost.unwrap_or(1.0);
            steps.push(Step { node: &split.node, from: at, to, height });
            at = to;
        }
        steps
    }

    /// The room that the steps take, with their axis.
    fn steps_room(&self) -> f64 {
        if self.steps().is_empty() { 0.0 } else { STEPS_HEAD + STEPS + AXIS_ROOM }
    }

    fn draw_steps(&self, scene: &mut Scene, area: Rect, lang: Lang) {
        let steps = self.steps();
        let Some(last) = steps.last() else { return };
        let (title, axis) = if self.has_costs() { (PER_COST, SPENT) } else { (PER_NODE, NODES) };
        let (low, high) =
            span(steps.iter().flat_map(|step| step.height.extent()).chain(self.worth).chain([0.0]));
        // Names stand above the intervals.
        let y = Ticks::linear(low, low + 1.2 * (high - low), (area.height / 35.0) as usize, number::tick);
        let x = if self.has_costs() {
            Ticks::linear(0.0, last.to, (area.width / 90.0) as usize, |v| number::fixed(v, 0))
        } else {
            let every = steps.len().div_ceil((area.width / 40.0) as usize).max(1);
            let ticks = (0..=steps.len()).step_by(every).map(|i| (i as f64, i.to_string())).collect();
            Ticks::new(super::axis::Scale::Linear, 0.0, last.to, ticks)
        };
        let panel = Panel::draw(scene, area, x, y, Mesh::Rows);
        scene.text(Label::new(title.get(lang), 16.0, area.y - 10.0, SMALL, TEXT));
        let mut line = Vec::new();
        for step in &steps {
            let Figure::Known { value, interval, .. } = &step.height else { continue };
            let (left, right) = (panel.x(step.from), panel.x(step.to));
            let (top, zero) = (panel.y(*value), panel.y(0.0));
            scene.fill(
                Rect::new(left, top.min(zero), (right - left).max(0.0), (top - zero).abs()),
                SKY.tint(0.3),
            );
            line.extend([(left, top), (right, top)]);
            let ends = (panel.y(interval.0), panel.y(interval.1));
            upright(scene, f64::midpoint(left, right), ends, &Stroke::new(TEXT, 1.2));
            let tip = format!("{}: {}", step.node, number::told(&step.height, number::Style::Bare, lang));
            scene.push_with(marker((f64::midpoint(left, right), top), MarkerShape::Circle, OWN), tip);
        }
        scene.push(Shape::Polyline { points: line, stroke: Stroke::new(OWN, 2.0) });
        if let Some(worth) = self.worth.filter(|_| self.has_costs()) {
            let at = panel.y(worth);
            let line = Stroke::new(GREEN, 1.4).dashed(&[2.0, 2.5]);
            scene.line((area.x, at), (area.right(), at), line);
        }
        for step in &steps {
            let Figure::Known { value, interval, .. } = &step.height else { continue };
            let (left, right) = (panel.x(step.from), panel.x(step.to));
            let top = panel.y(interval.1.max(*value)) - 12.0;
            let name = middle(step.node, (f64::midpoint(left, right), top), TEXT).halo();
            if name.width() + 8.0 < right - left {
                scene.text(name);
            }
        }
        panel.base_line(scene);
        panel.x_title(scene, axis.get(lang));
    }
}

impl Chart for BalanceChart {
    fn height(&self, width: f64) -> f64 {
        let legend = Lang::ALL.map(|lang| legend::height(&self.items(lang), width - 32.0));
        let panels = UPPER + BETWEEN + LOWER + AXIS_ROOM + 22.0 + self.steps_room();
        Page::overhead(&self.caption, width) + legend[0].max(legend[1]) + panels
    }

    fn lay_out(&self, frame: Frame, lang: Lang) -> Scene {
        let Page { mut scene, body } = Page::open(frame, lang, &self.caption);
        let items = self.items(lang);
        legend::draw(&mut scene, (body.x, body.y), body.width, &items);
        let top = body.y + legend::height(&items, body.width) + 22.0;
        let room = (body.bottom() - top - AXIS_ROOM - BETWEEN - self.steps_room()).max(40.0);
        let (upper, lower) = (room * UPPER / (UPPER + LOWER), room * LOWER / (UPPER + LOWER));
        let noticed = self.noticed().into_iter().flat_map(|(low, high)| [low, high]);
        let seen = self.groups.iter().map(|g| g.utilisation).chain(self.curve.iter().map(|p| p.0));
        let (low, high) = span(seen.chain(noticed));
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
        if let Some((from, to)) = self.noticed() {
            let ends = (x().place(from) * area.width, x().place(to) * area.width);
            let band =
                Rect::new(area.x + ends.0, area.y, (ends.1 - ends.0).max(2.0), upper + BETWEEN + lower);
            scene.push_with(
                Shape::Rect { area: band, fill: Some(WARN.tint(0.25)), stroke: None },
                number::told(&self.point, number::Style::Share, lang),
            );
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
        let foot = below.bottom() + AXIS_ROOM + STEPS_HEAD;
        let left = area.x.max(body.x + 48.0);
        self.draw_steps(&mut scene, Rect::new(left, foot, area.right() - left, STEPS), lang);
        scene
    }

    fn table(&self, lang: Lang) -> Table {
        const ROW: Phrase = Phrase { en: "Row", zh: "行" };
        const SPLIT: Phrase = Phrase { en: "Node to split", zh: "待扩容节点" };
        const COST: Phrase = Phrase { en: "Its cost", zh: "成本" };
        let mut table = Table::new([
            ("row", ROW.get(lang)),
            ("utilisation", UTILISATION.get(lang)),
            ("utilisation_lower", words::LOWER.get(lang)),
            ("utilisation_upper", words::UPPER.get(lang)),
            ("value", self.metric.label.get(lang)),
            ("lower", words::LOWER.get(lang)),
            ("upper", words::UPPER.get(lang)),
            ("short_of_expectation_ratio", SHORT.get(lang)),
            ("short_lower", words::LOWER.get(lang)),
            ("short_upper", words::UPPER.get(lang)),
            ("complaints_per_1000_line_days", RATE.get(lang)),
            ("complaints_lower", words::LOWER.get(lang)),
            ("complaints_upper", words::UPPER.get(lang)),
            ("node", SPLIT.get(lang)),
            ("cost", COST.get(lang)),
            ("avoided_in_30_days", PER_NODE.get(lang)),
            ("avoided_lower", words::LOWER.get(lang)),
            ("avoided_upper", words::UPPER.get(lang)),
            ("declined", words::DECLINED.get(lang)),
        ]);
        let blank = || std::array::from_fn::<Cell, 19, _>(|_| Cell::Blank);
        for group in &self.groups {
            let [value, lower, upper, ..] = group.value.cells();
            let [short, fewest, largest, ..] = group.short.cells();
            let [rate, least, most, ..] = group.complaints.cells();
            let mut row = blank();
            (row[0], row[1]) = ("days".into(), Cell::Number(group.utilisation));
            let told = [value, lower, upper, short, fewest, largest, rate, least, most];
            row[4..13].clone_from_slice(&told);
            table.push(row);
        }
        let [at, lower, upper, _, declined] = self.point.cells();
        let mut row = blank();
        (row[0], row[1], row[2], row[3], row[18]) = ("balance_point".into(), at, lower, upper, declined);
        table.push(row);
        if let Some(safe) = self.safe {
            let mut row = blank();
            (row[0], row[1]) = ("safe_up_to".into(), Cell::Number(safe));
            table.push(row);
        }
        for split in &self.splits {
            let [avoided, lower, upper, _, declined] = split.avoided.cells();
            let mut row = blank();
            (row[0], row[13], row[14]) =
                ("split".into(), split.node.as_str().into(), Cell::maybe(split.cost));
            (row[15], row[16], row[17], row[18]) = (avoided, lower, upper, declined);
            table.push(row);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(costs: [Option<f64>; 3]) -> BalanceChart {
        let avoided = [6.0, 2.0, 1.0];
        let split = |i: usize| Split {
            node: format!("n{i}"),
            cost: costs[i],
            avoided: Figure::Known {
                value: avoided[i],
                interval: (0.5 * avoided[i], 2.0 * avoided[i]),
                n: 9,
            },
        };
        BalanceChart {
            caption: Caption::default(),
            metric: MetricId::LOADED_ROUND_TRIP_DELAY,
            groups: Vec::new(),
            curve: Vec::new(),
            limit: None,
            point: Figure::Declined("not asked".into()),
            safe: None,
            splits: (0..3).map(split).collect(),
            worth: None,
        }
    }

    #[test]
    fn the_area_under_the_steps_is_what_all_splits_avoid() {
        let area = |chart: &BalanceChart| -> f64 {
            let steps = chart.steps();
            steps.iter().map(|step| (step.to - step.from) * step.height.value().unwrap()).sum()
        };
        let priced = chart([Some(2_000.0), Some(1_000.0), Some(4_000.0)]);
        // Complaints per 1,000 of cost, over the cost.
        assert!((area(&priced) / 1_000.0 - 9.0).abs() < 1e-12);
        assert_eq!(priced.steps()[1].height.value(), Some(2.0), "2 complaints for 1,000");
        assert_eq!((priced.steps()[2].from, priced.steps()[2].to), (3_000.0, 7_000.0));
        // Where one has no price, all stand by their number.
        let unpriced = chart([Some(2_000.0), None, Some(4_000.0)]);
        assert!((area(&unpriced) - 9.0).abs() < 1e-12 && unpriced.steps()[2].to == 3.0);
    }
}
