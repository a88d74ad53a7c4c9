//! Coverage and consistency: how many lines get what was promised?
//!
//! The share of lines that reach a high and a low mark of their yardstick, as one bar of three parts, with the
//! interval of Wilson (1927) at each cut.

use super::axis::{SMALL, Scale, Ticks};
use super::legend::{self, Swatch};
use super::number::{self, Style};
use super::page::{Page, shorten};
use super::palette::{AXIS, BLACK, GREY, Look, OWN, VERMILION, text_on};
use super::panel::{Mesh, Panel, hatch, marker, middle, whisker};
use super::scene::{Anchor, Ink, Label, Rect, Scene, Shape, Stroke, WHITE};
use super::table::{Cell, Table};
use super::{Caption, Chart, Figure, Frame, Party, words};
use crate::font::{self, Weight};
use broadgauge_model::text::{Lang, Phrase};

/// The chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Coverage {
    /// Its words.
    pub caption: Caption,
    /// What is reached, as ready text: "the promised rate".
    pub yardstick: String,
    /// The high and the low mark: (0.95, 0.80).
    pub marks: (f64, f64),
    /// Operators, or operators by tier.
    pub groups: Vec<CoverageGroup>,
}

/// Bars that are compared with each other.
#[derive(Clone, Debug, PartialEq)]
pub struct CoverageGroup {
    /// "Download, FTTC"; may be empty.
    pub heading: String,
    /// One per operator.
    pub bars: Vec<CoverageBar>,
}

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub struct CoverageBar {
    /// Whose.
    pub party: Party,
    /// Share of lines at or above the high mark; `n` counts lines.
    pub high: Figure,
    /// Share of lines at or above the low mark, so never less than `high`.
    pub low: Figure,
    /// The consistent speed (what 80 % of lines get 80 % of the time) in Mbit/s, where it is known.
    pub consistent_mbps: Option<Figure>,
}

const ROW: f64 = 42.0;
const BAR: f64 = 20.0;
const HEADING: f64 = 28.0;
const HEAD: f64 = 24.0;
const AXIS_ROOM: f64 = 28.0;
/// Reached, nearly, missed.
const PARTS: [Ink; 3] = [OWN, Ink::solid(0xA6_CEE8), VERMILION];

const LINES: Phrase = Phrase { en: "Lines", zh: "线路" };
const CONSISTENT: Phrase = Phrase { en: "80/80, Mbit/s", zh: "80/80（Mbit/s）" };

impl Coverage {
    fn bars(&self) -> impl Iterator<Item = &CoverageBar> {
        self.groups.iter().flat_map(|group| &group.bars)
    }

    fn legend(&self, lang: Lang) -> Vec<(Swatch, String)> {
        const HIGH: Phrase =
            Phrase { en: "at least {high} of {yardstick}", zh: "达到{yardstick}的 {high} 以上" };
        const BETWEEN: Phrase = Phrase { en: "{low} to {high}", zh: "{low} 至 {high}" };
        const LOW: Phrase = Phrase { en: "less than {low}", zh: "不足 {low}" };
        let (high, low) = (number::percent(self.marks.0), number::percent(self.marks.1));
        let values = [("high", high.as_str()), ("low", low.as_str()), ("yardstick", self.yardstick.as_str())];
        let items = PARTS.into_iter().zip([HIGH, BETWEEN, LOW]);
        items.map(|(ink, phrase)| (Swatch::Fill(ink), phrase.fill(lang, &values))).collect()
    }

    fn consistent(figure: Option<&Figure>, lang: Lang) -> String {
        let known = figure.filter(|figure| figure.value().is_some());
        known.map_or_else(|| "–".to_owned(), |figure| number::told(figure, Style::Bare, lang))
    }

    fn draw_bar(scene: &mut Scene, panel: &Panel, y: f64, bar: &CoverageBar) {
        let (left, right) = (panel.area.x, panel.area.right());
        let top = y - ROW / 2.0 + 5.0;
        let (
            Figure::Known { value: high, interval: high_interval, .. },
            Figure::Known { value: low, interval: low_interval, .. },
        ) = (&bar.high, &bar.low)
        else {
            let area = Rect::new(left, top, right - left, BAR);
            let edge = Some(Stroke::new(AXIS, 0.6));
            scene.push(Shape::Rect { area, fill: Some(WHITE), stroke: edge });
            scene.push(hatch(area));
            let reason = [&bar.high, &bar.low].into_iter().find_map(|figure| match figure {
                Figure::Declined(reason) => Some(reason.as_str()),
                Figure::Known { .. } => None,
            });
            let text = shorten(reason.unwrap_or_default(), right - left - 24.0, SMALL, Weight::Regular);
            let label = middle(text, (f64::midpoint(left, right), top + BAR / 2.0), BLACK);
            // A field behind the words, or the hatch would run through them.
            let bounds = label.bounds();
            scene.fill(Rect::new(bounds.x - 6.0, top + 1.0, bounds.width + 12.0, BAR - 2.0), WHITE);
            scene.text(label);
            return;
        };
        let cuts = [0.0, *high, low.max(*high), 1.0];
        for (part, ink) in PARTS.into_iter().enumerate() {
            let (from, to) = (panel.x(cuts[part]), panel.x(cuts[part + 1]));
            let share = number::whole_percent(cuts[part + 1] - cuts[part]);
            let fill =
                Shape::Rect { area: Rect::new(from, top, to - from, BAR), fill: Some(ink), stroke: None };
            scene.push_with(fill, format!("{}: {share}", bar.party.name));
            let label = middle(share, (f64::midpoint(from, to), top + BAR / 2.0), text_on(ink));
            if label.width() + 6.0 <= to - from {
                scene.text(label);
            }
        }
        for cut in &cuts[1..3] {
            let x = panel.x(*cut);
            scene.line((x, top), (x, top + BAR), Stroke::new(WHITE, 1.2));
        }
        // Below the bar, where they hide no number; one above the other, so that they never touch.
        for (interval, drop, ink) in [(high_interval, 5.0, OWN), (low_interval, 11.0, VERMILION)] {
            let ends = (panel.x(interval.0), panel.x(interval.1));
            whisker(scene, ends, top + BAR + drop, &Stroke::new(ink, 1.4));
        }
    }
}

impl Chart for Coverage {
    fn height(&self, width: f64) -> f64 {
        let legend = Lang::ALL.map(|lang| legend::height(&self.legend(lang), width - 32.0));
        let headings = self.groups.iter().filter(|group| !group.heading.is_empty()).count();
        Page::overhead(&self.caption, width)
            + legend[0].max(legend[1])
            + HEAD
            + headings as f64 * HEADING
            + self.bars().count() as f64 * ROW
            + AXIS_ROOM
    }

    fn lay_out(&self, frame: Frame, lang: Lang) -> Scene {
        let Page { mut scene, body } = Page::open(frame, lang, &self.caption);
        let items = self.legend(lang);
        legend::draw(&mut scene, (body.x, body.y), body.width, &items);
        let wide = |texts: &mut dyn Iterator<Item = String>| {
            texts.map(|text| font::width(&text, SMALL, Weight::Regular)).fold(0.0, f64::max)
        };
        let names = wide(&mut self.bars().map(|bar| bar.party.name.clone())).min(0.25 * body.width);
        let speeds = self.bars().any(|bar| bar.consistent_mbps.is_some());
        let speed = |bar: &CoverageBar| Self::consistent(bar.consistent_mbps.as_ref(), lang);
        let speed_width = wide(&mut self.bars().map(speed).chain([CONSISTENT.get(lang).to_owned()]));
        let count_width = wide(&mut [LINES.get(lang).to_owned(), "9999".to_owned()].into_iter());
        let left = body.x + names + 32.0;
        let right = body.right() - count_width - 14.0 - if speeds { speed_width + 18.0 } else { 0.0 };
        let top = body.y + legend::height(&items, body.width);
        let area = Rect::new(left, top + HEAD, right - left, body.bottom() - AXIS_ROOM - top - HEAD);
        let shares = (0..=4).map(|i| f64::from(i) / 4.0).map(|v| (v, number::percent(v))).collect();
        let none = Ticks::new(Scale::Linear, 0.0, 1.0, Vec::new());
        let x = Ticks::new(Scale::Linear, 0.0, 1.0, shares);
        let panel = Panel::draw(&mut scene, area, x, none, Mesh::Columns);
        let (lines_at, speed_at) = (right + 14.0 + count_width, body.right());
        let head =
            |text: &str, x| Label::new(text, x, top + HEAD / 2.0, SMALL, GREY).anchor(Anchor::End).centred();
        scene.text(head(LINES.get(lang), lines_at));
        if speeds {
            scene.text(head(CONSISTENT.get(lang), speed_at));
        }
        let mut y = area.y;
        for group in &self.groups {
            if !group.heading.is_empty() {
                let text = shorten(&group.heading, body.width, SMALL, Weight::Bold);
                scene.text(Label::new(text, body.x, y + HEADING - 9.0, SMALL, BLACK).bold().halo());
                y += HEADING;
            }
            for bar in &group.bars {
                let centre = y + ROW / 2.0;
                let middle_of_bar = y + 5.0 + BAR / 2.0;
                let look = Look::of(&bar.party);
                scene.push(marker((body.x + 7.0, middle_of_bar), look.marker, look.ink));
                let name = shorten(&bar.party.name, names + 1.0, SMALL, Weight::Regular);
                scene.text(Label::new(name, body.x + 19.0, middle_of_bar, SMALL, BLACK).centred());
                Self::draw_bar(&mut scene, &panel, centre, bar);
                let column =
                    |text, x| Label::new(text, x, middle_of_bar, SMALL, BLACK).anchor(Anchor::End).centred();
                if let Figure::Known { n, .. } = &bar.high {
                    scene.text(column(number::fixed(*n as f64, 0), lines_at));
                }
                if speeds {
                    scene.text(column(speed(bar), speed_at));
                }
                y += ROW;
            }
        }
        scene
    }

    fn table(&self, lang: Lang) -> Table {
        const MARK: Phrase = Phrase { en: "Mark", zh: "分界" };
        const SHARE: Phrase = Phrase { en: "Share of lines at or above", zh: "达到分界的线路占比" };
        const SPEED: Phrase =
            Phrase { en: "80/80 consistent rate (Mbit/s)", zh: "80/80 稳定速率（Mbit/s）" };
        let mut table = Table::new([
            ("group", words::STRATUM.get(lang)),
            ("operator", words::OPERATOR.get(lang)),
            ("mark", MARK.get(lang)),
            ("share", SHARE.get(lang)),
            ("lower", words::LOWER.get(lang)),
            ("upper", words::UPPER.get(lang)),
            ("n", LINES.get(lang)),
            ("declined", words::DECLINED.get(lang)),
            ("consistent_mbps", SPEED.get(lang)),
        ]);
        for group in &self.groups {
            for bar in &group.bars {
                for (mark, figure) in [(self.marks.0, &bar.high), (self.marks.1, &bar.low)] {
                    let [value, lower, upper, n, declined] = figure.cells();
                    table.push([
                        group.heading.as_str().into(),
                        bar.party.name.as_str().into(),
                        Cell::Number(mark),
                        value,
                        lower,
                        upper,
                        n,
                        declined,
                        Cell::maybe(bar.consistent_mbps.as_ref().and_then(Figure::value)),
                    ]);
                }
            }
        }
        table
    }
}
