//! Lead–lag ribbon: how early before a complaint was the line worse than usual?
//!
//! The days before and after complaints, and on each how far the KPI was from the line's usual level and from what all
//! other lines saw that day. The band holds at all days at once: where it leaves zero, the line was worse. A control
//! (complaints about bills) runs beside it and should lie at zero.

use super::axis::{SMALL, Scale, Ticks, span};
use super::legend::{self, Swatch};
use super::number;
use super::page::Page;
use super::palette::{AXIS, BLACK, GREY, OWN, TEXT, WARN};
use super::panel::{Mesh, Panel, hatch, marker};
use super::scene::{Label, MarkerShape, Rect, Scene, Stroke, WHITE};
use super::table::{Cell, Table};
use super::{Caption, Chart, Figure, Frame, words};
use broadgauge_model::metric::MetricId;
use broadgauge_model::text::{Lang, Phrase};

/// The chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Ribbon {
    /// Its words.
    pub caption: Caption,
    /// The KPI.
    pub metric: MetricId,
    /// The first is drawn with its band in colour, others as controls in grey.
    pub courses: Vec<Course>,
}

/// The days around one kind of complaints.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// For the legend: "network complaints".
    pub name: String,
    /// The days in order, counted from the complaint, each with its difference.
    pub days: Vec<(i32, Figure)>,
}

const HEIGHT: f64 = 320.0;
const AXIS_ROOM: f64 = 52.0;

const DAYS: Phrase = Phrase { en: "Days before and after the complaint", zh: "投诉前后天数" };
const DIFFERENCE: Phrase =
    Phrase { en: "Difference from the usual ({unit})", zh: "与平常水平之差（{unit}）" };

fn look(at: usize) -> (Stroke, f64) {
    match at {
        0 => (Stroke::new(OWN, 2.2), 0.22),
        _ => (Stroke::new(GREY, 1.6).dashed(&[6.0, 3.0]), 0.14),
    }
}

impl Course {
    /// Runs of days that are known one after the other.
    fn runs(&self) -> Vec<Vec<(f64, f64, f64, f64)>> {
        let mut runs: Vec<Vec<(f64, f64, f64, f64)>> = vec![Vec::new()];
        for (day, figure) in &self.days {
            match figure {
                Figure::Known { value, interval, .. } => {
                    let point = (f64::from(*day), *value, interval.0, interval.1);
                    if let Some(run) = runs.last_mut() {
                        run.push(point);
                    }
                }
                Figure::Declined(_) => runs.push(Vec::new()),
            }
        }
        runs.retain(|run| !run.is_empty());
        runs
    }
}

impl Ribbon {
    fn legend(&self, lang: Lang) -> Vec<(Swatch, String)> {
        const BAND: Phrase =
            Phrase { en: "band: 95% at all days at once", zh: "阴影：各日同时成立的 95% 区间" };
        let mut items: Vec<(Swatch, String)> = self
            .courses
            .iter()
            .enumerate()
            .map(|(at, course)| (Swatch::Line(look(at).0), course.name.clone()))
            .collect();
        let declined = self.courses.iter().take(1).flat_map(|c| &c.days).find_map(|(_, f)| match f {
            Figure::Declined(reason) => Some(reason.clone()),
            Figure::Known { .. } => None,
        });
        items.extend(declined.map(|reason| (Swatch::Hatch(WHITE), reason)));
        items.push((Swatch::Fill(OWN.tint(0.22)), BAND.get(lang).to_owned()));
        items
    }

    fn axes(&self, room: f64) -> (Ticks, Ticks) {
        let days = self.courses.iter().flat_map(|c| &c.days).map(|(day, _)| f64::from(*day));
        let (first, last) = span(days);
        let (first, last) = if first <= last { (first, last) } else { (-14.0, 7.0) };
        let weeks = ((first / 7.0).ceil() as i32..=(last / 7.0).floor() as i32).map(|w| f64::from(7 * w));
        let name = |v: f64| if v > 0.0 { format!("+{}", number::fixed(v, 0)) } else { number::fixed(v, 0) };
        let ticks = weeks.map(|v| (v, name(v))).collect();
        let x = Ticks::new(Scale::Linear, first - 0.5, last + 0.5, ticks);
        let extents = self.courses.iter().flat_map(|c| &c.days).flat_map(|(_, figure)| figure.extent());
        let (low, high) = span(extents.chain([0.0]));
        let unit = self.metric.unit;
        let y = Ticks::linear(low, high, (room / 45.0) as usize, |v| words::tick(v, unit));
        (x, y)
    }

    fn draw(&self, scene: &mut Scene, panel: &Panel, lang: Lang) {
        for (day, figure) in self.courses.iter().take(1).flat_map(|c| &c.days) {
            if let Figure::Declined(reason) = figure {
                let (left, right) = (panel.x(f64::from(*day) - 0.5), panel.x(f64::from(*day) + 0.5));
                let area = Rect::new(left, panel.area.y, right - left, panel.area.height);
                scene.push_with(hatch(area), reason.as_str());
            }
        }
        let zero = panel.y(0.0);
        scene.line((panel.area.x, zero), (panel.area.right(), zero), Stroke::new(AXIS, 1.4));
        let at = panel.x(0.0);
        let dash = Stroke::new(WARN, 1.4).dashed(&[4.0, 3.0]);
        scene.line((at, panel.area.y), (at, panel.area.bottom()), dash);
        for (number, course) in self.courses.iter().enumerate().rev() {
            let (stroke, opacity) = look(number);
            for run in course.runs() {
                let band: Vec<_> = run.iter().map(|p| (p.0, p.2, p.3)).collect();
                panel.band(scene, &band, stroke.ink.at(opacity));
                let line: Vec<_> = run.iter().map(|p| (p.0, p.1)).collect();
                panel.line(scene, &line, stroke.clone());
            }
            for (day, figure) in &course.days {
                if let Some(value) = figure.value().filter(|_| number == 0) {
                    let style = number::Style::Difference(self.metric.unit);
                    let tip = format!("{day}: {}", number::told(figure, style, lang));
                    let at = panel.at((f64::from(*day), value));
                    scene.push_with(marker(at, MarkerShape::Circle, OWN), tip);
                }
            }
        }
    }
}

impl Chart for Ribbon {
    fn height(&self, width: f64) -> f64 {
        let legend = Lang::ALL.map(|lang| legend::height(&self.legend(lang), width - 32.0));
        Page::overhead(&self.caption, width) + legend[0].max(legend[1]) + HEIGHT
    }

    fn lay_out(&self, frame: Frame, lang: Lang) -> Scene {
        const COMPLAINT: Phrase = Phrase { en: "complaint", zh: "投诉" };
        let Page { mut scene, body } = Page::open(frame, lang, &self.caption);
        let items = self.legend(lang);
        legend::draw(&mut scene, (body.x, body.y), body.width, &items);
        let top = body.y + legend::height(&items, body.width) + 42.0;
        let height = (body.bottom() - top - AXIS_ROOM).max(20.0);
        let (x, y) = self.axes(height);
        let left = y.label_width() + 14.0;
        let area = Rect::new(body.x + left, top, body.width - left - 12.0, height);
        let panel = Panel::draw(&mut scene, area, x, y, Mesh::Rows);
        panel.x_title(&mut scene, DAYS.get(lang));
        let unit = number::symbol(self.metric.unit, lang);
        scene.text(Label::new(DIFFERENCE.fill(lang, &[("unit", unit)]), body.x, top - 26.0, SMALL, TEXT));
        self.draw(&mut scene, &panel, lang);
        panel.base_line(&mut scene);
        let label = Label::new(COMPLAINT.get(lang), panel.x(0.0), top - 8.0, SMALL, BLACK);
        scene.text(label.anchor(super::scene::Anchor::Middle));
        scene
    }

    fn table(&self, lang: Lang) -> Table {
        const COURSE: Phrase = Phrase { en: "Complaints", zh: "投诉" };
        const DAY: Phrase = Phrase { en: "Day after the complaint", zh: "投诉后天数" };
        let mut table = Table::new([
            ("metric", words::METRIC.get(lang)),
            ("unit", words::UNIT.get(lang)),
            ("complaints", COURSE.get(lang)),
            ("day", DAY.get(lang)),
            ("value", words::VALUE.get(lang)),
            ("lower", words::LOWER.get(lang)),
            ("upper", words::UPPER.get(lang)),
            ("n", "n"),
            ("declined", words::DECLINED.get(lang)),
        ]);
        for course in &self.courses {
            for (day, figure) in &course.days {
                let [value, lower, upper, n, declined] = figure.cells();
                table.push([
                    self.metric.id().into(),
                    self.metric.unit.code().into(),
                    course.name.as_str().into(),
                    Cell::Number(f64::from(*day)),
                    value,
                    lower,
                    upper,
                    n,
                    declined,
                ]);
            }
        }
        table
    }
}
