//! What a study answers with: an estimate with its interval and its n, or the reason why there is none.

use broadgauge_model::text::Phrase;
pub use broadgauge_model::text::Words;
use serde::Serialize;

/// A number that a reader may act on: finite, with the 95% interval it may lie in, and how many it stands on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    value: f64,
    interval: (f64, f64),
    n: u64,
}

impl Estimate {
    /// The value.
    pub const fn value(&self) -> f64 {
        self.value
    }

    /// The interval: 95%, unless its key says otherwise.
    pub const fn interval(&self) -> (f64, f64) {
        self.interval
    }

    /// How many lines (or episodes, or complaints: the key beside it says which) it stands on.
    pub const fn n(&self) -> u64 {
        self.n
    }
}

/// The most that the ends of a ratio's interval may differ by, as a factor.
const WIDEST_RATIO: f64 = 1_000.0;
pub(super) const TOO_WIDE: Phrase = Phrase {
    en: "too little information: the ends of the interval would lie more than a thousandfold apart",
    zh: "信息太少：区间两端会相差一千倍以上",
};

/// Too little is known to give a number, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Declined {
    /// The reason.
    #[serde(rename = "declined")]
    pub reason: Words,
}

impl Declined {
    /// With a reason.
    pub const fn because(reason: Words) -> Self {
        Self { reason }
    }
}

/// An estimate, or the reason why there is none, in the same place.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// A number with its interval.
    Estimate(Estimate),
    /// A refusal.
    Declined(Declined),
}

impl Answer {
    /// An estimate, or a refusal where one of the numbers is not finite or the interval is turned round. Numbers keep
    /// seven digits: more than any measurement has, and none of the noise of subtraction.
    pub fn estimate(value: f64, interval: (f64, f64), n: u64) -> Self {
        let finite = value.is_finite() && interval.0.is_finite() && interval.1.is_finite();
        if finite && interval.0 <= interval.1 {
            let interval = (seven_digits(interval.0), seven_digits(interval.1));
            Self::Estimate(Estimate { value: seven_digits(value), interval, n })
        } else {
            Self::declined(Phrase { en: "the number is not finite", zh: "结果不是有限数" })
        }
    }

    /// An estimate of a ratio, or a refusal where the data say next to nothing about it: where the interval's upper end
    /// is more than a thousand times its lower end. That comes of cases and controls that are all but told apart, and of
    /// steps far larger than anything in the data.
    pub fn ratio(value: f64, interval: (f64, f64), n: u64) -> Self {
        if interval.0 > 0.0 && interval.1 <= WIDEST_RATIO * interval.0 {
            Self::estimate(value, interval, n)
        } else {
            Self::declined(TOO_WIDE)
        }
    }

    /// A refusal for a fixed reason.
    pub const fn declined(reason: Phrase) -> Self {
        Self::Declined(Declined { reason: Words::plain(reason) })
    }

    /// The estimate, where there is one.
    pub const fn as_estimate(&self) -> Option<&Estimate> {
        match self {
            Self::Estimate(estimate) => Some(estimate),
            Self::Declined(_) => None,
        }
    }

    /// The reason, where there is no estimate.
    pub const fn as_declined(&self) -> Option<&Declined> {
        match self {
            Self::Estimate(_) => None,
            Self::Declined(declined) => Some(declined),
        }
    }
}

/// The number with seven significant digits, and a plain 0 for -0.
fn seven_digits(value: f64) -> f64 {
    format!("{value:.6e}").parse().unwrap_or(value) + 0.0
}

impl From<Declined> for Answer {
    fn from(declined: Declined) -> Self {
        Self::Declined(declined)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use broadgauge_model::text::Lang;

    #[test]
    fn an_estimate_and_a_refusal_have_the_form_of_the_contract() {
        let json = |answer: Answer| serde_json::to_string(&answer).unwrap();
        assert_eq!(
            json(Answer::estimate(1.25, (1.1, 1.41), 40)),
            r#"{"value":1.25,"interval":[1.1,1.41],"n":40}"#
        );
        let words = Words::with(
            Phrase { en: "fewer than {n} lines on one side", zh: "一方线路不足 {n} 条" },
            &[("n", &6)],
        );
        assert_eq!(words.get(Lang::Zh), "一方线路不足 6 条");
        assert_eq!(json(Declined::because(words).into()), r#"{"declined":"fewer than 6 lines on one side"}"#);
    }

    #[test]
    fn a_number_keeps_seven_digits_and_no_noise() {
        let noisy = Answer::estimate(26.92 - 34.949, (-0.0, 1.0 / 3.0), 1);
        assert_eq!(
            serde_json::to_string(&noisy).unwrap(),
            r#"{"value":-8.029,"interval":[0.0,0.3333333],"n":1}"#
        );
    }

    #[test]
    fn a_ratio_whose_interval_spans_more_than_a_thousandfold_is_declined_and_a_wide_one_stays() {
        assert!(Answer::ratio(3.0, (0.1, 99.0), 12).as_estimate().is_some());
        for interval in [(0.1, 101.0), (0.0, 2.0), (1.0, f64::INFINITY), (f64::NAN, 2.0)] {
            let declined = Answer::ratio(1.0, interval, 12);
            let reason = declined.as_declined().unwrap().reason.to_string();
            assert!(reason.contains("more than a thousandfold apart"), "{reason}");
        }
    }

    #[test]
    fn what_is_not_a_number_is_declined() {
        for (value, interval) in [
            (f64::NAN, (0.0, 1.0)),
            (1.0, (f64::NEG_INFINITY, 2.0)),
            (1.0, (0.0, f64::NAN)),
            (1.0, (2.0, 0.0)),
        ] {
            assert!(Answer::estimate(value, interval, 9).as_declined().is_some());
        }
    }
}
