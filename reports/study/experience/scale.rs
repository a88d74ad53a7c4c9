//! The scale on which differences count alike, turned so that higher is worse.

use broadgauge_model::metric::{Better, MetricId};
use broadgauge_model::unit::Unit;

/// What is added to a loss ratio before its logarithm is taken, so that no loss has one.
const NO_LOSS: f64 = 1e-4;

/// The scale of one metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::study) struct Scale {
    metric: MetricId,
}

impl Scale {
    pub(in crate::study) const fn of(metric: MetricId) -> Self {
        Self { metric }
    }

    fn shift(self) -> f64 {
        match self.metric.unit {
            Unit::Ratio => NO_LOSS,
            Unit::Count => 1.0,
            _ => 0.0,
        }
    }

    /// The logarithm, higher is worse; none for what has no logarithm.
    pub(in crate::study) fn to(self, value: f64) -> Option<f64> {
        let log = (value + self.shift()).ln();
        log.is_finite().then_some(-self.metric.better.sign() * log)
    }

    /// Back to the metric's unit.
    pub(in crate::study) fn back(self, level: f64) -> f64 {
        ((-self.metric.better.sign() * level).exp() - self.shift()).max(0.0)
    }

    /// A distance on this scale as a share of what was expected: 0.2 is a delay a fifth above, or a rate a fifth below.
    pub(in crate::study) fn share_worse(self, distance: f64) -> f64 {
        match self.metric.better {
            Better::Lower => distance.exp() - 1.0,
            Better::Higher => 1.0 - (-distance).exp(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worse_is_higher_and_comes_back_as_it_went_in() {
        let (delay, rate) = (Scale::of(MetricId::ROUND_TRIP_DELAY), Scale::of(MetricId::DOWNLOAD_GOODPUT));
        assert!(delay.to(30.0) > delay.to(20.0) && rate.to(30.0) < rate.to(20.0));
        for scale in [delay, rate, Scale::of(MetricId::LOSS_RATIO)] {
            assert!((scale.back(scale.to(0.25).unwrap()) - 0.25).abs() < 1e-12);
        }
        assert_eq!(delay.to(0.0), None);
        assert!(Scale::of(MetricId::LOSS_RATIO).to(0.0).is_some());
        assert!((delay.share_worse(1.2_f64.ln()) - 0.2).abs() < 1e-12);
        assert!((rate.share_worse(-0.8_f64.ln()) - 0.2).abs() < 1e-12);
    }
}
