//! One axis for every chart: explicit ticks with their labels, linear or logarithmic.
//!
//! plotters' own ranged types give key points only on log axes and no label of one's own on linear ones; this type
//! gives both, and knows how wide its labels are, so that they never touch.

use super::number;
use crate::font::{self, Weight};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use std::ops::Range;

/// The size of tick labels and of every other small text, in pixels: 9 pt on paper.
pub const SMALL: f64 = 12.0;

/// How a value becomes a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal steps.
    Linear,
    /// Equal ratios; every value is above zero.
    Log,
}

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticks {
    scale: Scale,
    from: f64,
    to: f64,
    marks: Vec<(f64, String)>,
}

impl Ticks {
    /// An axis with given ticks.
    pub fn new(scale: Scale, from: f64, to: f64, ticks: Vec<(f64, String)>) -> Self {
        debug_assert!(from < to && (scale == Scale::Linear || from > 0.0));
        Self { scale, from, to, marks: ticks }
    }

    /// A linear axis over at least `low..high` whose ends are ticks, with at most `most` ticks.
    pub fn linear(low: f64, high: f64, most: usize, label: impl Fn(f64) -> String) -> Self {
        let high = if high > low { high } else { low + low.abs().max(1.0) };
        let step = nice_step((high - low) / most.max(2) as f64);
        let first = (low / step + 1e-9).floor();
        let last = (high / step - 1e-9).ceil();
        let at = |i: f64| if i == 0.0 { 0.0 } else { i * step };
        let count = (last - first) as usize;
        let ticks = (0..=count).map(|i| at(first + i as f64)).map(|v| (v, label(v))).collect();
        Self::new(Scale::Linear, at(first), at(last), ticks)
    }

    /// A log axis from left to right over `low..high`, with a little space at both ends, whose labels fit into `room`
    /// pixels.
    pub fn log(low: f64, high: f64, room: f64, label: impl Fn(f64) -> String) -> Self {
        Self::log_apart(low, high, room, label, apart)
    }

    /// The same from bottom to top.
    pub fn log_upright(low: f64, high: f64, room: f64, label: impl Fn(f64) -> String) -> Self {
        Self::log_apart(low, high, room, label, |_, _| 2.2 * SMALL)
    }

    fn log_apart(
        low: f64,
        high: f64,
        room: f64,
        label: impl Fn(f64) -> String,
        apart: impl Fn(&str, &str) -> f64,
    ) -> Self {
        const SERIES: [&[f64]; 6] = [
            &[1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0],
            &[1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
            &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0],
            &[1.0, 2.0, 3.0, 5.0],
            &[1.0, 2.0, 5.0],
            &[1.0],
        ];
        let low = if low > 0.0 { low } else { 1e-3 };
        let high = if high > low { high } else { low };
        let pad = (high / low).powf(0.04).max(1.04);
        let (from, to) = (low / pad, high * pad);
        let decades = from.log10().floor() as i32..=to.log10().ceil() as i32;
        let in_series = |series: &[f64]| -> Vec<(f64, String)> {
            let all = decades.clone().flat_map(|d| series.iter().map(move |m| m * 10_f64.powi(d)));
            // 3 * 10^-1 is not quite 0.3: take the number that its shortest decimal names.
            let clean = |v: f64| format!("{v:.9}").parse().unwrap_or(v);
            all.map(clean).filter(|v| (from..=to).contains(v)).map(|v| (v, label(v))).collect()
        };
        // More than about eight ticks tire the eye, whatever the room.
        let fits = |ticks: &[(f64, String)]| {
            let place = |v: f64| (v / from).ln() / (to / from).ln() * room;
            ticks.len() <= 9
                && ticks.windows(2).all(|w| place(w[1].0) - place(w[0].0) > apart(&w[0].1, &w[1].1))
        };
        let ticks = SERIES.map(in_series).into_iter().find(|t| fits(t)).unwrap_or_default();
        Self::new(Scale::Log, from, to, ticks)
    }

    /// The place of a value as a share of the axis; values outside stay at its ends.
    pub fn place(&self, value: f64) -> f64 {
        let value = value.clamp(self.from, self.to);
        match self.scale {
            Scale::Linear => (value - self.from) / (self.to - self.from),
            Scale::Log => (value / self.from).ln() / (self.to / self.from).ln(),
        }
    }

    /// Whether a value lies on the axis.
    pub fn holds(&self, value: f64) -> bool {
        (self.from..=self.to).contains(&value)
    }

    /// The width of the widest label.
    pub fn label_width(&self) -> f64 {
        self.marks.iter().map(|(_, text)| font::width(text, SMALL, Weight::Regular)).fold(0.0, f64::max)
    }

    /// Linear or log.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// The lower end.
    pub fn from(&self) -> f64 {
        self.from
    }

    /// The upper end.
    pub fn to(&self) -> f64 {
        self.to
    }

    /// Its ticks.
    pub fn ticks(&self) -> &[(f64, String)] {
        &self.marks
    }

    /// The same axis without ticks.
    #[must_use]
    pub fn bare(self) -> Self {
        Self { marks: Vec::new(), ..self }
    }
}

/// How far apart two neighbours' centres must be so that a gap stays between them.
pub(super) fn apart(left: &str, right: &str) -> f64 {
    let half = |text| font::width(text, SMALL, Weight::Regular) / 2.0;
    half(left) + half(right) + 8.0
}

/// The next step of 1, 2, 2.5, 5 times a power of ten.
fn nice_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let lead = [1.0, 2.0, 2.5, 5.0].into_iter().find(|m| m * power >= least * (1.0 - 1e-9));
    lead.unwrap_or(10.0) * power
}

/// Whether values are told apart better by ratio than by difference: all above zero, and far apart.
pub(super) fn wants_log(values: impl Iterator<Item = f64>) -> bool {
    let (low, high) = span(values);
    low > 0.0 && high / low > 2.0
}

/// Least and greatest; an empty set spans nothing.
pub(super) fn span(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
}

impl Ranged for Ticks {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        limit.0 + (self.place(*value) * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() {
            return Vec::new();
        }
        self.marks.iter().map(|(value, _)| *value).collect()
    }

    fn range(&self) -> Range<f64> {
        self.from..self.to
    }
}

impl ValueFormatter<f64> for Ticks {
    fn format_ext(&self, value: &f64) -> String {
        let label = self.marks.iter().find(|(tick, _)| tick == value).map(|(_, text)| text.clone());
        label.unwrap_or_else(|| number::tick(*value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_axis_ends_on_ticks() {
        let axis = Ticks::linear(0.0, 0.93, 5, number::tick);
        let labels: Vec<_> = axis.ticks().iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(labels, ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(axis.place(0.5), 0.5);
        assert_eq!(axis.place(7.0), 1.0);
    }

    #[test]
    fn a_log_axis_takes_as_many_ticks_as_fit() {
        let labels = |room| {
            let axis = Ticks::log(10.0, 200.0, room, number::tick);
            axis.ticks().iter().map(|(_, text)| text.clone()).collect::<Vec<_>>()
        };
        assert_eq!(labels(500.0), ["10", "20", "30", "50", "100", "200"]);
        assert_eq!(labels(150.0), ["10", "20", "50", "100", "200"]);
        assert_eq!(labels(60.0), ["10", "100"]);
        let narrow = Ticks::log(0.9, 1.4, 400.0, number::tick);
        assert!(narrow.ticks().len() >= 2, "{narrow:?}");
    }
}
