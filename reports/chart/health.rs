//! Measurement-health strip: can this report be trusted?
//!
//! One row per agent over the period of the report: runs on time, late and missing, and beside them the clock's
//! offset, the timer's error and the load that measuring put on the line.

use super::axis::SMALL;
use super::legend::{self, Swatch};
use super::page::{Page, shorten};
use super::palette::{BLACK, GREY, OWN, TEXT, UNMEASURED, WARN};
use super::panel::{hatch, middle};
use super::scene::{Anchor, Ink, Label, Rect, Scene, Shape, Stroke};
use super::table::{Cell, Table};
use super::time;
use super::{Caption, Chart, Frame, number, words};
use crate::font::{self, Weight};
use broadgauge_model::text::{Lang, Phrase};
use jiff::Timestamp;

/// The chart.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthStrip {
    /// Its words.
    pub caption: Caption,
    /// The IANA name of the reader's zone.
    pub zone: String,
    /// Start of the strip.
    pub from: Timestamp,
    /// End of the strip.
    pub to: Timestamp,
    /// The worst first.
    pub rows: Vec<HealthRow>,
}

/// One agent.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthRow {
    /// Its name.
    pub name: String,
    /// Equal parts of the period, in order.
    pub slots: Vec<HealthSlot>,
    /// Whether its clock is kept; `None` where it did not say.
    pub clock_synchronised: Option<bool>,
    /// How far its clock may be off, in ms.
    pub clock_error_ms: Option<f64>,
    /// How late its timers were at p99, in ms.
    pub timer_error_ms: Option<f64>,
    /// The share of the line's capacity that measuring took.
    pub self_load: Option<f64>,
}

/// One part of the period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HealthSlot {
    /// Runs that the schedule asked for.
    pub planned: u64,
    /// Done on time.
    pub on_time: u64,
    /// Done, but late.
    pub late: u64,
}

impl HealthSlot {
    /// Runs that never came.
    pub const fn missing(self) -> u64 {
        self.planned.saturating_sub(self.on_time + self.late)
    }
}

const ROW: f64 = 28.0;
const HEAD: f64 = 36.0;
const AXIS_ROOM: f64 = 46.0;
const NONE_PLANNED: Stroke = Stroke::new(Ink::solid(0xB8_B8B8), 1.2);

const ON_TIME: Phrase = Phrase { en: "on time", zh: "按时" };
const LATE: Phrase = Phrase { en: "late", zh: "迟到" };
const MISSING: Phrase = Phrase { en: "missing", zh: "缺失" };
const NOT_PLANNED: Phrase = Phrase { en: "none planned", zh: "无计划" };

/// A column of numbers at the right: its two lines of heading, and what it prints.
type Column = (Phrase, Phrase, fn(&HealthRow, Lang) -> String);

const COLUMNS: [Column; 6] = [
    (Phrase { en: "on", zh: "" }, Phrase { en: "time", zh: "按时" }, |row, _| row.share(|s| s.on_time)),
    (Phrase { en: "", zh: "" }, LATE, |row, _| row.share(|s| s.late)),
    (Phrase { en: "", zh: "" }, MISSING, |row, _| row.share(HealthSlot::missing)),
    (Phrase { en: "clock", zh: "时钟" }, Phrase { en: "error, ms", zh: "误差，毫秒" }, |row, lang| {
        row.clock(lang)
    }),
    (
        Phrase { en: "sent late", zh: "发送迟到" },
        Phrase { en: "P99, ms", zh: "P99，毫秒" },
        |row, _| brief(row.timer_error_ms),
    ),
    (Phrase { en: "own", zh: "自身" }, Phrase { en: "load", zh: "负载" }, |row, _| {
        row.self_load.map_or_else(|| "–".to_owned(), number::percent)
    }),
];

fn brief(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), number::brief)
}

impl HealthRow {
    /// The clock's own estimate of its error. Of a clock that nobody sets, the system only gives the largest number it
    /// has, which estimates nothing.
    fn clock(&self, lang: Lang) -> String {
        const UNSYNCHRONISED: Phrase = Phrase { en: "unsynchronised", zh: "未同步" };
        match self.clock_synchronised {
            Some(false) => UNSYNCHRONISED.get(lang).to_owned(),
            _ => brief(self.clock_error_ms),
        }
    }

    fn sum(&self, part: impl Fn(HealthSlot) -> u64) -> u64 {
        self.slots.iter().map(|&slot| part(slot)).sum()
    }

    fn share(&self, part: impl Fn(HealthSlot) -> u64) -> String {
        let planned = self.sum(|slot| slot.planned.max(slot.on_time + slot.late));
        if planned == 0 { "–".to_owned() } else { number::percent(self.sum(part) as f64 / planned as f64) }
    }

    /// The strip: each slot a small stacked column.
    fn draw(&self, scene: &mut Scene, area: Rect) {
        let width = area.width / self.slots.len().max(1) as f64;
        let gap = if width > 4.0 { 0.8 } else { 0.0 };
        for (i, slot) in self.slots.iter().enumerate() {
            let all = slot.planned.max(slot.on_time + slot.late);
            let x = area.x + width * i as f64;
            let part = |from: u64, count: u64| {
                let share = |runs: u64| runs as f64 / all.max(1) as f64 * area.height;
                Rect::new(x, area.bottom() - share(from + count), width - gap, share(count))
            };
            if all == 0 {
                let y = area.y + area.height / 2.0;
                scene.line((x, y), (x + width, y), NONE_PLANNED);
                continue;
            }
            let tip = format!("{}/{all}", slot.on_time + slot.late);
            let done = Shape::Rect { area: part(0, slot.on_time), fill: Some(OWN), stroke: None };
            scene.push_with(done, tip);
            if slot.late > 0 {
                scene.fill(part(slot.on_time, slot.late), WARN);
            }
            if slot.missing() > 0 {
                let rest = part(slot.on_time + slot.late, slot.missing());
                scene.fill(rest, UNMEASURED);
                scene.push(hatch(rest));
            }
        }
    }
}

impl HealthStrip {
    fn legend(&self, lang: Lang) -> Vec<(Swatch, String)> {
        let slots = || self.rows.iter().flat_map(|row| &row.slots);
        let mut items = vec![
            (Swatch::Fill(OWN), ON_TIME.get(lang).to_owned()),
            (Swatch::Fill(WARN), LATE.get(lang).to_owned()),
            (Swatch::Hatch(UNMEASURED), MISSING.get(lang).to_owned()),
        ];
        if slots().any(|slot| slot.planned == 0) {
            items.push((Swatch::Line(NONE_PLANNED), NOT_PLANNED.get(lang).to_owned()));
        }
        items
    }
}

impl Chart for HealthStrip {
    fn height(&self, width: f64) -> f64 {
        let legend = Lang::ALL.map(|lang| legend::height(&self.legend(lang), width - 32.0));
        let rows = self.rows.len() as f64 * ROW;
        Page::overhead(&self.caption, width) + legend[0].max(legend[1]) + HEAD + rows + AXIS_ROOM
    }

    fn lay_out(&self, frame: Frame, lang: Lang) -> Scene {
        let Page { mut scene, body } = Page::open(frame, lang, &self.caption);
        let wide = |text: &str| font::width(text, SMALL, Weight::Regular);
        let names = self.rows.iter().map(|row| wide(&row.name)).fold(0.0, f64::max).min(0.22 * body.width);
        let left = body.x + names + 12.0;
        // Columns from the right: each as wide as its heading or its widest number.
        let mut right = body.right();
        let mut ends = [0.0; COLUMNS.len()];
        for (i, (upper, lower, print)) in COLUMNS.iter().enumerate().rev() {
            let cells = self.rows.iter().map(|row| wide(&print(row, lang))).fold(0.0, f64::max);
            ends[i] = right;
            right -= cells.max(wide(upper.get(lang))).max(wide(lower.get(lang))) + 12.0;
        }
        let items = self.legend(lang);
        legend::draw(&mut scene, (body.x, body.y), body.width, &items);
        let top = body.y + legend::height(&items, body.width);
        let area = Rect::new(left, top + HEAD, right - 4.0 - left, body.bottom() - top - HEAD - AXIS_ROOM);
        for ((upper, lower, _), x) in COLUMNS.iter().zip(ends) {
            let (upper, lower) = (upper.get(lang), lower.get(lang));
            let label = |text, y| Label::new(text, x, y, SMALL, GREY).anchor(Anchor::End);
            let base = area.y - 8.0;
            scene.text(label(upper, base - 15.0));
            scene.text(label(lower, base));
        }
        let height = area.height / self.rows.len().max(1) as f64;
        for (i, row) in self.rows.iter().enumerate() {
            let y = area.y + height * i as f64;
            let centre = y + height / 2.0;
            let name = shorten(&row.name, names + 1.0, SMALL, Weight::Regular);
            scene.text(Label::new(name, body.x, centre, SMALL, BLACK).centred());
            row.draw(&mut scene, Rect::new(area.x, y + 3.0, area.width, (height - 6.0).max(1.0)));
            for ((_, _, print), x) in COLUMNS.iter().zip(ends) {
                scene.text(
                    Label::new(print(row, lang), x, centre, SMALL, BLACK).anchor(Anchor::End).centred(),
                );
            }
        }
        let zone = time::zone(&self.zone);
        let axis = time::axis(self.from, self.to, &zone, area.width, lang);
        time::draw(&mut scene, &axis, Rect::new(area.x, area.bottom() + 2.0, area.width, 0.0));
        let title = time::axis_title(&zone, lang);
        scene.text(middle(title, (area.x + area.width / 2.0, area.bottom() + 36.0), TEXT));
        scene
    }

    fn table(&self, lang: Lang) -> Table {
        const AGENT: Phrase = Phrase { en: "Agent", zh: "测量代理" };
        const PLANNED: Phrase = Phrase { en: "Planned", zh: "计划" };
        const SYNCHRONISED: Phrase = Phrase { en: "Clock synchronised", zh: "时钟已同步" };
        const CLOCK: Phrase = Phrase { en: "Clock error (ms)", zh: "时钟误差（毫秒）" };
        const TIMER: Phrase = Phrase { en: "Sent late, P99 (ms)", zh: "发送迟到 P99（毫秒）" };
        const LOAD: Phrase = Phrase { en: "Own load", zh: "自身负载" };
        let mut table = Table::new([
            ("agent", AGENT.get(lang)),
            ("from", words::FROM.get(lang)),
            ("to", words::TO.get(lang)),
            ("planned", PLANNED.get(lang)),
            ("on_time", ON_TIME.get(lang)),
            ("late", LATE.get(lang)),
            ("missing", MISSING.get(lang)),
            ("clock_synchronised", SYNCHRONISED.get(lang)),
            ("clock_error_ms", CLOCK.get(lang)),
            ("timer_error_ms", TIMER.get(lang)),
            ("self_load_ratio", LOAD.get(lang)),
        ]);
        let span = self.to.duration_since(self.from);
        for row in &self.rows {
            for (i, slot) in row.slots.iter().enumerate() {
                let part = span / row.slots.len() as i32;
                table.push([
                    row.name.as_str().into(),
                    Cell::Text((self.from + part * i as i32).to_string()),
                    Cell::Text((self.from + part * (i as i32 + 1)).to_string()),
                    Cell::Count(slot.planned),
                    Cell::Count(slot.on_time),
                    Cell::Count(slot.late),
                    Cell::Count(slot.missing()),
                    row.clock_synchronised.map_or(Cell::Blank, |is| Cell::Text(is.to_string())),
                    Cell::maybe(row.clock_error_ms.filter(|_| row.clock_synchronised != Some(false))),
                    Cell::maybe(row.timer_error_ms),
                    Cell::maybe(row.self_load),
                ]);
            }
        }
        table
    }
}
