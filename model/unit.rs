//! Quantities as types: no bare `f64` crosses a seam.

use crate::text::Phrase;
use serde::{Deserialize, Serialize};

/// A rate in bits per second. A megabit is 10^6 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rate(pub f64);

impl Rate {
    /// From Mbit/s.
    pub const fn mbps(mbps: f64) -> Self {
        Self(mbps * 1e6)
    }

    /// From an amount of payload and the time in which it was received; `None` for an empty interval.
    pub fn of(bytes: u64, span: crate::clock::Span) -> Option<Self> {
        (span.0 > 0).then(|| Self(bytes as f64 * 8.0 / span.as_secs_f64()))
    }

    /// As Mbit/s.
    pub const fn as_mbps(self) -> f64 {
        self.0 / 1e6
    }
}

/// A share between 0 and 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ratio(pub f64);

impl Ratio {
    /// `part` of `whole`; `None` where nothing was tried, because nothing lost of nothing is not zero loss.
    pub fn of(part: u64, whole: u64) -> Option<Self> {
        (whole > 0).then(|| Self(part as f64 / whole as f64))
    }
}

/// The unit a metric is published in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Milliseconds.
    Milliseconds,
    /// 10^6 bits per second.
    MegabitsPerSecond,
    /// A share between 0 and 1.
    Ratio,
    /// Round trips per minute.
    RoundTripsPerMinute,
    /// Mean opinion score, 1 to 5.
    OpinionScore,
    /// A score between 0 and 100.
    Score,
    /// A plain count.
    Count,
}

impl Unit {
    /// The symbol printed behind a number, and the suffix of a JSON key.
    pub const fn symbol(self) -> Phrase {
        match self {
            Self::Milliseconds => Phrase { en: "ms", zh: "毫秒" },
            Self::MegabitsPerSecond => Phrase { en: "Mbit/s", zh: "Mbit/s" },
            Self::Ratio => Phrase { en: "ratio", zh: "比率" },
            Self::RoundTripsPerMinute => Phrase { en: "RPM", zh: "次/分" },
            Self::OpinionScore => Phrase { en: "MOS", zh: "MOS 分" },
            Self::Score => Phrase { en: "points", zh: "分" },
            Self::Count => Phrase { en: "count", zh: "次" },
        }
    }

    /// The code that JSON carries in `unit`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::MegabitsPerSecond => "mbps",
            Self::Ratio => "ratio",
            Self::RoundTripsPerMinute => "rpm",
            Self::OpinionScore => "mos",
            Self::Score => "score",
            Self::Count => "count",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Span;

    #[test]
    fn nothing_of_nothing_is_unknown() {
        assert_eq!(Ratio::of(0, 0), None);
        assert_eq!(Ratio::of(1, 4), Some(Ratio(0.25)));
        assert_eq!(Rate::of(1_000, Span::ZERO), None);
        assert_eq!(Rate::of(1_250_000, Span::secs(1)).map(Rate::as_mbps), Some(10.0));
    }
}
