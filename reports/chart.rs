//! Data to marks: each chart knows its data and how a reader should see them, and nothing of files.
//!
//! A chart is laid out into a [`scene::Scene`], which a painter turns into bytes. plotters maps coordinates and draws
//! axes, meshes and series; what it cannot draw well goes onto the scene directly. Numbers arrive computed, with
//! their interval and `n`, or with the reason why there is none; prose arrives as ready text in the language of the
//! chart. Rules that every chart keeps:
//!
//! - the title states the finding; the subtitle names metric, unit, period, zone and n;
//! - every point has its interval, or is hollow or hatched with the reason: missing is never zero;
//! - delays stand on log axes; small multiples share one range;
//! - operators differ by colour, marker and dash (palette of Okabe and Ito, 2008, safe for colour-blind readers), and
//!   are labelled where they are drawn;
//! - a series that is thinned shows the worst of what it hides.

pub mod axis;
pub mod scene;
pub mod table;

pub mod balance;
pub mod control;
pub mod course;
pub mod coverage;
pub mod distribution;
pub mod dose_response;
pub mod dots;
pub mod forest;
pub mod health;
pub mod heatmap;
pub mod importance;
pub mod ladder;
pub mod ribbon;
pub mod silent;
pub mod smoke;
pub mod treated;
pub mod waterfall;

mod backend;
mod legend;
mod number;
mod page;
mod palette;
mod panel;
mod place;
mod time;
mod words;

use broadgauge_model::text::Lang;
use scene::Scene;
use table::Table;

/// The room that a chart is given, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Charts read well from 600 to 1000.
    pub width: f64,
    /// [`Chart::height`] tells how much a chart wants.
    pub height: f64,
}

/// A chart: data that can be laid out as marks, and told as a table.
pub trait Chart {
    /// The height at which the chart reads well in a given width.
    fn height(&self, width: f64) -> f64;

    /// The marks.
    fn lay_out(&self, frame: Frame, lang: Lang) -> Scene;

    /// The data, for the file beside the chart.
    fn table(&self, lang: Lang) -> Table;

    /// The marks in the height that the chart wants.
    fn scene(&self, width: f64, lang: Lang) -> Scene {
        self.lay_out(Frame { width, height: self.height(width) }, lang)
    }
}

/// The prose of a chart, ready in its language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caption {
    /// The finding, as a sentence.
    pub title: String,
    /// Metric, unit, period, zone, n.
    pub subtitle: String,
    /// Method and reservations, below the chart; may be empty.
    pub note: String,
}

/// Whose data they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The operator whose report this is.
    Own,
    /// The first, second, third peer operator, counted from 0.
    Peer(usize),
}

/// An operator in a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// For readers.
    pub name: String,
    /// Decides colour, marker and dash.
    pub role: Role,
}

/// A number that a reader may act on, or the reason why there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Figure {
    /// With its interval and `n`.
    Known {
        /// The estimate.
        value: f64,
        /// Its interval, 95 % unless the note says otherwise.
        interval: (f64, f64),
        /// How many units of inference it rests on.
        n: usize,
    },
    /// Too little data to say; the reason is ready text.
    Declined(String),
}

impl Figure {
    /// The estimate, where there is one.
    pub fn value(&self) -> Option<f64> {
        match self {
            Self::Known { value, .. } => Some(*value),
            Self::Declined(_) => None,
        }
    }

    /// Every number that must find room on an axis.
    fn extent(&self) -> impl Iterator<Item = f64> {
        let all = match self {
            Self::Known { value, interval, .. } => vec![*value, interval.0, interval.1],
            Self::Declined(_) => Vec::new(),
        };
        all.into_iter().filter(|v| v.is_finite())
    }

    /// Value, lower, upper, n and reason, as the cells of a table.
    fn cells(&self) -> [table::Cell; 5] {
        use table::Cell;
        match self {
            Self::Known { value, interval, n } => [
                Cell::maybe(Some(*value)),
                Cell::maybe(Some(interval.0)),
                Cell::maybe(Some(interval.1)),
                Cell::Count(*n as u64),
                Cell::Blank,
            ],
            Self::Declined(reason) => {
                [Cell::Blank, Cell::Blank, Cell::Blank, Cell::Blank, reason.as_str().into()]
            }
        }
    }
}
