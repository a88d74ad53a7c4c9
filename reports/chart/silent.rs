//! Who suffers but does not call? Groups by what is foretold beside what came, and a funnel of what is ordinary.
//!
//! Above, a row per group: complaints so far, each drawn towards the mean by as much as it is uncertain, what the lines' own
//! figures foretell, and what the lines had week by week, all on one range. Below, complaints by the number of lines, with
//! the limits between which ordinary groups of that size lie.

use super::axis::{SMALL, Scale, Ticks, apart, span};
use super::legend::{self, Swatch};
use super::number::{self, Style};
use super::page::{Page, shorten};
use super::palette::{AXIS, BLACK, GREY, OWN, TEXT, VERMILION, WARN};
use super::panel::{Mesh, Panel, hatch, hollow, marker, whisker};
use super::scene::{Anchor, Ink, Label, MarkerShape, Rect, Scene, Shape, Stroke};
use super::table::{Cell, Table};
use super::{Caption, Chart, Figure, Frame, words};
use crate::font::{self, Weight};
use broadgauge_model::metric::MetricId;
use broadgauge_model::text::{Lang, Phrase};

/// The chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Silent {
    /// Its words.
    pub caption: Caption,
    /// What is counted, ready: names both axes.
    pub axis: String,
    /// The metric of the courses.
    pub metric: Option<MetricId>,
    /// From top to bottom.
    pub rows: Vec<SilentRow>,
    /// The rate of all together.
    pub centre: Option<f64>,
    /// The limits of ordinary groups, by lines.
    pub curve: Vec<Limits>,
    /// Why there is no funnel.
    pub declined: Option<String>,
}

/// A group.
#[derive(Clone, Debug, PartialEq)]
pub struct SilentRow {
    /// Which.
    pub label: String,
    /// How many lines.
    pub lines: usize,
    /// What came.
    pub came: Figure,
    /// The same, drawn towards the mean of all.
    pub drawn: Figure,
    /// What is foretold.
    pub foretold: f64,
    /// Whether more is foretold than may well have come.
    pub marked: bool,
    /// Where 95 of 100 ordinary groups of this size lie.
    pub limits_95: Option<(f64, f64)>,
    /// Where 998 of 1,000 lie.
    pub limits_998: Option<(f64, f64)>,
    /// Lines that suffer and do not call.
    pub silent: usize,
    /// A few words at the right.
    pub note: String,
    /// The Monday of each week and what its lines had.
    pub course: Vec<(String, Option<f64>)>,
}

/// The funnel at a number of lines.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Lines.
    pub lines: f64,
    /// Where 95 of 100 ordinary groups lie.
    pub limits_95: (f64, f64),
    /// Where 998 of 1,000 lie.
    pub limits_998: (f64, f64),
}

const ROW: f64 = 30.0;
const HEAD: f64 = 20.0;
const AXIS_ROOM: f64 = 52.0;
const FUNNEL: f64 = 190.0;
const SPARK: f64 = 96.0;
const LINES: Phrase = Phrase { en: "Lines", zh: "线路数" };
const INNER: Stroke = Stroke::new(AXIS, 1.2).dashed(&[5.0, 3.0]);
const OUTER: Stroke = Stroke::new(TEXT, 1.2).dashed(&[2.0, 2.0]);

/// An end of the funnel and its line.
type End = (fn(&Limits) -> f64, Stroke);

impl Silent {
    fn items(&self, lang: Lang) -> Vec<(Swatch, String)> {
        const CAME: Phrase = Phrase { en: "complaints so far", zh: "已有投诉" };
        const DRAWN: Phrase = Phrase { en: "the same, less chance", zh: "去除偶然后" };
        const FORETOLD: Phrase = Phrase { en: "foretold", zh: "预测" };
        const LIMITS_95: Phrase = Phrase { en: "95% of ordinary groups", zh: "95% 正常群体" };
        const LIMITS_998: Phrase = Phrase { en: "99.8% of them", zh: "99.8% 正常群体" };
        let mut items = vec![
            (Swatch::Line(Stroke::new(GREY, 1.6)), CAME.get(lang).to_owned()),
            (Swatch::Line(Stroke::new(OWN, 2.4)), DRAWN.get(lang).to_owned()),
            (Swatch::Line(Stroke::new(WARN, 3.0)), FORETOLD.get(lang).to_owned()),
        ];
        if !self.curve.is_empty() {
            items.push((Swatch::Line(INNER), LIMITS_95.get(lang).to_owned()));
            items.push((Swatch::Line(OUTER), LIMITS_998.get(lang).to_owned()));
        }
        items
    }

    fn widest(&self, of: impl Fn(&SilentRow) -> &str, most: f64) -> f64 {
        let widths = self.rows.iter().map(|row| font::width(of(row), SMALL, Weight::Regular));
        widths.fold(0.0, f64::max).min(most)
    }

    fn has_courses(&self) -> bool {
        self.metric.is_some() && self.rows.iter().any(|row| row.course.iter().any(|week| week.1.is_some()))
    }

    /// The inks of a group: what came less chance, and its name.
    fn ink(row: &SilentRow) -> Ink {
        if row.marked { VERMILION } else { OWN }
    }
}

impl Chart for Silent {
    fn height(&self, width: f64) -> f64 {
        let legend = Lang::ALL.map(|lang| legend::height(&self.items(lang), width - 32.0));
        let rows = ROW * self.rows.len().max(1) as f64;
        let strip = HEAD + rows + AXIS_ROOM;
        Page::overhead(&self.caption, width) + legend[0].max(legend[1]) + strip + HEAD + FUNNEL + AXIS_ROOM
    }

    fn lay_out(&self, frame: Frame, lang: Lang) -> Scene {
        let Page { mut scene, body } = Page::open(frame, lang, &self.caption);
        let items = self.items(lang);
        legend::draw(&mut scene, (body.x, body.y), body.width, &items);
        let top = body.y + legend::height(&items, body.width);
        let rows = ROW * self.rows.len().max(1) as f64;
        self.strip(&mut scene, Rect::new(body.x, top + HEAD, body.width, rows), lang);
        let below = top + HEAD + rows + AXIS_ROOM + HEAD;
        let height = (body.bottom() - AXIS_ROOM - below).max(60.0);
        self.funnel(&mut scene, Rect::new(body.x, below, body.width, height), lang);
        scene
    }

    fn table(&self, lang: Lang) -> Table {
        const ROW_NAME: Phrase = Phrase { en: "Row", zh: "行" };
        const GROUP: Phrase = Phrase { en: "Group", zh: "群体" };
        const DRAWN: Phrase = Phrase { en: "Less chance", zh: "去除偶然后" };
        const FORETOLD: Phrase = Phrase { en: "Foretold", zh: "预测" };
        const SILENT: Phrase = Phrase { en: "Silent lines", zh: "沉默线路" };
        const WEEK: Phrase = Phrase { en: "Week", zh: "周" };
        const HAD: Phrase = Phrase { en: "Had", zh: "实际" };
        let mut table = Table::new([
            ("row", ROW_NAME.get(lang)),
            ("unit", GROUP.get(lang)),
            ("lines", LINES.get(lang)),
            ("value", words::VALUE.get(lang)),
            ("lower", words::LOWER.get(lang)),
            ("upper", words::UPPER.get(lang)),
            ("n", "n"),
            ("declined", words::DECLINED.get(lang)),
            ("drawn", DRAWN.get(lang)),
            ("drawn_lower", words::LOWER.get(lang)),
            ("drawn_upper", words::UPPER.get(lang)),
            ("foretold", FORETOLD.get(lang)),
            ("limit_95_lower", words::LOWER.get(lang)),
            ("limit_95_upper", words::UPPER.get(lang)),
            ("limit_998_lower", words::LOWER.get(lang)),
            ("limit_998_upper", words::UPPER.get(lang)),
            ("silent_lines", SILENT.get(lang)),
            ("week", WEEK.get(lang)),
            ("had", HAD.get(lang)),
        ]);
        let blank = |row: &str| {
            let mut cells = std::array::from_fn::<Cell, 19, _>(|_| Cell::Blank);
            cells[0] = row.into();
            cells
        };
        for row in &self.rows {
            let mut cells = blank("group");
            (cells[1], cells[2]) = (row.label.as_str().into(), Cell::Count(row.lines as u64));
            cells[3..8].clone_from_slice(&row.came.cells());
            cells[8..11].clone_from_slice(&row.drawn.cells()[..3]);
            cells[11] = Cell::Number(row.foretold);
            for (at, limits) in [(12, row.limits_95), (14, row.limits_998)] {
                cells[at] = Cell::maybe(limits.map(|l| l.0));
                cells[at + 1] = Cell::maybe(limits.map(|l| l.1));
            }
            cells[16] = Cell::Count(row.silent as u64);
            table.push(cells);
        }
        for point in &self.curve {
            let mut cells = blank("funnel");
            cells[2] = Cell::Number(point.lines);
            (cells[12], cells[13]) = (Cell::Number(point.limits_95.0), Cell::Number(point.limits_95.1));
            (cells[14], cells[15]) = (Cell::Number(point.limits_998.0), Cell::Number(point.limits_998.1));
            table.push(cells);
        }
        for row in &self.rows {
            for (week, had) in &row.course {
                let mut cells = blank("week");
                (cells[1], cells[17]) = (row.label.as_str().into(), week.as_str().into());
                cells[18] = Cell::maybe(*had);
                table.push(cells);
            }
        }
        table
    }
}

impl Silent {
    fn strip(&self, scene: &mut Scene, room: Rect, lang: Lang) {
        let left = self.widest(|row| &row.label, 0.22 * room.width) + 12.0;
        let note = self.widest(|row| &row.note, 0.24 * room.width) + 8.0;
        let spark = if self.has_courses() { SPARK + 54.0 } else { 0.0 };
        let area = Rect::new(
            room.x + left,
            room.y,
            (room.width - left - note - spark - 12.0).max(60.0),
            room.height,
        );
        let all = self
            .rows
            .iter()
            .flat_map(|row| row.came.extent().chain(row.drawn.extent()).chain([row.foretold]));
        let (_, high) = span(all);
        let high = if high.is_finite() && high > 0.0 { high } else { 1.0 };
        let x = Ticks::linear(0.0, high, (area.width / 60.0) as usize, number::tick);
        let count = self.rows.len().max(1) as f64;
        let y = Ticks::linear(0.0, count, 2, |_| String::new()).bare();
        let panel = Panel::draw(scene, area, x, y, Mesh::Columns);
        let sparks = Rect::new(area.right() + 12.0, room.y, SPARK, room.height);
        if let Some(metric) = self.metric.filter(|_| self.has_courses()) {
            let title = words::axis_title(metric, Scale::Linear, lang);
            let title = shorten(&title, room.width, SMALL, Weight::Regular);
            scene.text(
                Label::new(title, sparks.right() + 48.0, room.y - 8.0, SMALL, TEXT).anchor(Anchor::End),
            );
        }
        let values = self.rows.iter().flat_map(|row| row.course.iter().filter_map(|week| week.1));
        let range = span(values);
        for (i, row) in self.rows.iter().enumerate() {
            let at = area.y + area.height * (i as f64 + 0.5) / count;
            let name = shorten(&row.label, left - 10.0, SMALL, Weight::Regular);
            scene.text(Label::new(name, area.x - 8.0, at, SMALL, BLACK).anchor(Anchor::End).centred());
            let text = shorten(&row.note, note - 4.0, SMALL, Weight::Regular);
            scene.text(Label::new(text, room.right(), at, SMALL, TEXT).anchor(Anchor::End).centred());
            let x = panel.x(row.foretold);
            scene.line((x, at - 9.0), (x, at + 9.0), Stroke::new(WARN, 3.0));
            let tip = |figure: &Figure| format!("{}: {}", row.label, number::told(figure, Style::Bare, lang));
            match &row.came {
                Figure::Known { value, interval, .. } => {
                    let ends = (panel.x(interval.0), panel.x(interval.1));
                    whisker(scene, ends, at - 5.0, &Stroke::new(GREY, 1.2));
                    let place = (panel.x(*value), at - 5.0);
                    scene.push_with(hollow(place, MarkerShape::Circle, GREY), tip(&row.came));
                }
                Figure::Declined(_) => {
                    let place = (area.x + 10.0, at - 5.0);
                    scene.push_with(hollow(place, MarkerShape::Square, GREY), tip(&row.came));
                }
            }
            if let Figure::Known { value, interval, .. } = &row.drawn {
                let ends = (panel.x(interval.0), panel.x(interval.1));
                whisker(scene, ends, at + 5.0, &Stroke::new(Self::ink(row), 1.6));
                let place = (panel.x(*value), at + 5.0);
                scene.push_with(marker(place, MarkerShape::Circle, Self::ink(row)), tip(&row.drawn));
            }
            if self.has_courses() {
                let field = Rect::new(sparks.x, at - 0.42 * ROW, SPARK, 0.84 * ROW);
                self.spark(scene, field, row, range);
            }
        }
        panel.base_line(scene);
        panel.x_title(scene, self.axis.as_str());
    }

    /// What a group's lines had, week by week; a week that is not known is a gap.
    fn spark(&self, scene: &mut Scene, field: Rect, row: &SilentRow, (low, high): (f64, f64)) {
        let Some(metric) = self.metric else { return };
        let weeks = row.course.len().saturating_sub(1).max(1) as f64;
        let height = if high > low { high - low } else { 1.0 };
        let place = |i: usize, value: f64| {
            let share = if high > low { (value - low) / height } else { 0.5 };
            (field.x + field.width * i as f64 / weeks, field.bottom() - field.height * share)
        };
        let known: Vec<(usize, f64)> =
            row.course.iter().enumerate().filter_map(|(i, week)| Some((i, week.1?))).collect();
        for run in known.chunk_by(|a, b| b.0 == a.0 + 1).filter(|run| run.len() > 1) {
            let points = run.iter().map(|&(i, value)| place(i, value)).collect();
            scene.push(Shape::Polyline { points, stroke: Stroke::new(OWN, 1.4) });
        }
        if let Some(&(i, value)) = known.last() {
            let at = place(i, value);
            let text = number::value(value, metric.unit);
            scene.push_with(
                Shape::Marker { at, shape: MarkerShape::Circle, radius: 2.4, fill: OWN, stroke: None },
                format!("{}: {text}", row.label),
            );
            let middle = field.y + field.height / 2.0;
            scene.text(Label::new(text, field.right() + 8.0, middle, SMALL, TEXT).centred());
        }
    }

    fn funnel(&self, scene: &mut Scene, room: Rect, lang: Lang) {
        let rates = self.rows.iter().flat_map(|row| row.came.value().into_iter().chain(row.drawn.value()));
        let limits = self.curve.iter().flat_map(|point| [point.limits_95.1, point.limits_998.1]);
        let (_, high) = span(rates.chain(limits).chain(self.centre));
        let high = if high.is_finite() && high > 0.0 { high } else { 1.0 };
        let y = Ticks::linear(0.0, high, (room.height / 40.0) as usize, number::tick);
        let lines = self.rows.iter().map(|row| row.lines as f64);
        let (least, most) = span(self.curve.iter().map(|point| point.lines).chain(lines));
        let (least, most) = if least < most { (least, most) } else { (0.0, most.max(1.0)) };
        let left = y.label_width() + 14.0;
        let area = Rect::new(room.x + left, room.y, room.width - left - 14.0, room.height);
        let x = rounded_ticks(least, most, area.width);
        let panel = Panel::draw(scene, area, x, y, Mesh::Rows);
        scene.text(Label::new(&self.axis, room.x, room.y - 10.0, SMALL, TEXT));
        if self.curve.is_empty() {
            scene.push(hatch(area));
            let reason = self.declined.as_deref().unwrap_or_default();
            let reason = shorten(reason, area.width - 20.0, SMALL, Weight::Regular);
            let middle = (area.x + area.width / 2.0, area.y + area.height / 2.0);
            scene.text(super::panel::middle(reason, middle, TEXT).halo());
        }
        let ends: [End; 4] = [
            (|p| p.limits_95.0, INNER),
            (|p| p.limits_95.1, INNER),
            (|p| p.limits_998.0, OUTER),
            (|p| p.limits_998.1, OUTER),
        ];
        for (of, stroke) in ends {
            let points: Vec<(f64, f64)> = self.curve.iter().map(|point| (point.lines, of(point))).collect();
            panel.line(scene, &points, stroke);
        }
        if let Some(centre) = self.centre {
            let at = panel.y(centre);
            scene.line((area.x, at), (area.right(), at), Stroke::new(AXIS, 1.0));
        }
        let mut named: Vec<Rect> = Vec::new();
        for row in &self.rows {
            let Some(came) = row.came.value() else { continue };
            let x = panel.x(row.lines as f64);
            if let Some(drawn) = row.drawn.value() {
                scene.line((x, panel.y(came)), (x, panel.y(drawn)), Stroke::new(GREY, 1.0));
                let tip = format!("{}: {}", row.label, number::told(&row.drawn, Style::Bare, lang));
                scene.push_with(marker((x, panel.y(drawn)), MarkerShape::Circle, Self::ink(row)), tip);
            }
            let tip = format!("{}: {}", row.label, number::told(&row.came, Style::Bare, lang));
            scene.push_with(hollow((x, panel.y(came)), MarkerShape::Circle, GREY), tip);
        }
        // Those furthest out are named first; who finds no room is named above.
        let mut order: Vec<&SilentRow> = self.rows.iter().collect();
        let out = |row: &SilentRow| {
            let came = row.came.value().unwrap_or_default();
            self.centre.map_or(0.0, |centre| (came - centre).abs() * (row.lines as f64).sqrt())
        };
        order.sort_by(|a, b| out(b).total_cmp(&out(a)));
        for row in order {
            let Some(came) = row.came.value() else { continue };
            let at = (panel.x(row.lines as f64), panel.y(came));
            let right = Label::new(&row.label, at.0 + 9.0, at.1, SMALL, TEXT).centred().halo();
            let left = Label { x: at.0 - 9.0, ..right.clone() }.anchor(Anchor::End);
            let free = |label: &Label| {
                let bounds = label.bounds();
                area.holds(&bounds) && named.iter().all(|other| !other.overlaps(&bounds))
            };
            if let Some(label) = [right, left].into_iter().find(free) {
                named.push(label.bounds());
                scene.text(label);
            }
        }
        panel.base_line(scene);
        panel.x_title(scene, LINES.get(lang));
    }
}

/// Whole numbers between two ends that need not be ticks.
fn rounded_ticks(from: f64, to: f64, room: f64) -> Ticks {
    let label = |v: f64| number::fixed(v, 0);
    let most = (room / (apart(&label(to), &label(to)) + 30.0)) as usize;
    let ticks = Ticks::linear(from, to, most.clamp(2, 7), label);
    let inside = ticks.ticks().iter().filter(|(v, _)| (from..=to).contains(v) && v.fract() == 0.0);
    let inside = inside.cloned().collect();
    Ticks::new(Scale::Linear, from, to, inside)
}
