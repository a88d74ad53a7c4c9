//! How a town is laid out, and what is planted in it.

use crate::import::Kind;
use jiff::civil::Date;
use serde::Serialize;

/// The town's time zone.
pub const ZONE: &str = "Europe/Paris";
/// The operator whose customers' complaints are known.
pub const OWN: &str = "Aster";
/// The others.
pub const PEERS: [&str; 2] = ["Birch", "Cedar"];
/// The busy hours.
pub(super) const PEAK: std::ops::Range<i8> = 19..23;

/// The tables of the small town, in the order in which they are imported; each has a map of the same name beside it.
const SMALL: [Kind; 3] = [Kind::Lines, Kind::Results, Kind::Complaints];
/// Those of the whole one.
const WHOLE: [Kind; 7] = Kind::ALL;

/// How a town is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Decides everything that is random.
    pub seed: u64,
    /// The last day with figures, on the town's calendar.
    pub last_day: Date,
    /// How many days there are.
    pub days: i32,
    /// Lines of the own operator.
    pub own_lines: usize,
    /// Lines of each peer operator.
    pub peer_lines: usize,
    /// Whether the town has everything: utilisation, expectations, talk, actions and a survey.
    pub whole: bool,
}

impl Plan {
    /// The town of the demo: 600 lines, ninety days.
    pub const fn of(seed: u64, last_day: Date) -> Self {
        Self { seed, last_day, days: 90, own_lines: 400, peer_lines: 100, whole: false }
    }

    /// The whole town: 1,440 own lines over eighteen weeks, and all that surrounds them.
    pub const fn whole(seed: u64, last_day: Date) -> Self {
        Self { seed, last_day, days: 126, own_lines: 1_440, peer_lines: 144, whole: true }
    }

    /// How many lines there are in all.
    pub const fn lines(&self) -> usize {
        self.own_lines + PEERS.len() * self.peer_lines
    }

    /// Its tables, in the order in which they are imported.
    pub const fn tables(&self) -> &'static [Kind] {
        if self.whole { &WHOLE } else { &SMALL }
    }

    /// What is planted in it.
    pub const fn planted(&self) -> Planted {
        if self.whole {
            Planted { knee_ms: Some(80.0), complaint_rate_ratio_per_10_ms: 1.25, ..PLANTED }
        } else {
            PLANTED
        }
    }
}

/// The planted effects.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Planted {
    /// Own through peer, loaded round-trip delay at peak, on FTTC.
    pub fttc_peak_ratio: f64,
    /// The same everywhere else.
    pub ratio_elsewhere: f64,
    /// Factor on the rate of network complaints for each 10 ms of the day before's worst loaded delay (beyond the knee,
    /// where there is one).
    pub complaint_rate_ratio_per_10_ms: f64,
    /// The same for billing and service complaints.
    pub other_complaint_rate_ratio_per_10_ms: f64,
    /// The delay from which on it acts; from none on where absent.
    pub knee_ms: Option<f64>,
}

/// The effects of the small town.
pub const PLANTED: Planted = Planted {
    fttc_peak_ratio: 1.35,
    ratio_elsewhere: 1.0,
    complaint_rate_ratio_per_10_ms: 1.30,
    other_complaint_rate_ratio_per_10_ms: 1.0,
    knee_ms: None,
};
