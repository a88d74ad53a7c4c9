//! Classes of network performance, and what applications need of it.
//!
//! ITU-T Y.1541 bounds the mean one-way delay, the delay variation (the 99.9% quantile less the minimum) and the loss
//! between user-network interfaces: a round trip is not held against them. Applications follow the draft
//! draft-ietf-ippm-qoo: each percentile of the delay scores 100 at the requirement for perfect use and 0 where the
//! application is unusable; latency is the worst percentile, loss the same, and the outcome the smallest of latency, loss
//! and throughput.

use super::{Evidence, Verdict};
use broadgauge_model::text::{Phrase, Words};
use serde::{Deserialize, Serialize};

/// Classes, best first or not: each is judged alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classes {
    /// The classes.
    pub classes: Vec<Class>,
    /// Packets below which nothing is said of the 99.9% quantile.
    pub fewest_packets: u64,
}

/// One class; what is absent is unbounded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Its number.
    pub class: u8,
    /// The upper bound of the mean delay, ms.
    pub delay_ms: Option<f64>,
    /// The upper bound of the delay variation, ms.
    pub variation_ms: Option<f64>,
    /// The upper bound of the loss ratio.
    pub loss_ratio: Option<f64>,
    /// Whether the objective is provisional.
    #[serde(default)]
    pub provisional: bool,
}

/// What a path showed one way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneWay {
    /// The mean, ms.
    pub mean_ms: f64,
    /// The smallest, ms.
    pub least_ms: f64,
    /// The 99.9% quantile, ms.
    pub p999_ms: f64,
    /// The loss ratio; `None` where unknown.
    pub loss_ratio: Option<f64>,
    /// Packets.
    pub packets: u64,
}

impl Classes {
    /// Whether a path keeps one class.
    pub fn judge(&self, class: &Class, path: &OneWay) -> Verdict {
        if path.packets < self.fewest_packets {
            return Verdict::insufficient(Words::with(
                Phrase {
                    en: "needs {needed} packets; there are {have}",
                    zh: "需要 {needed} 个包；现有 {have} 个",
                },
                &[("needed", &self.fewest_packets), ("have", &path.packets)],
            ));
        }
        let n = path.packets as usize;
        let (mut evidence, mut missing) = (Vec::new(), Vec::new());
        if let Some(bound) = class.delay_ms {
            let part = Phrase { en: "mean one-way delay, ms", zh: "平均单向时延（ms）" };
            evidence.push(Evidence::at_most(part, path.mean_ms, bound, n));
        }
        if let Some(bound) = class.variation_ms {
            let part = Phrase {
                en: "99.9% quantile less the minimum, ms", zh: "99.9% 分位数减最小值（ms）"
            };
            evidence.push(Evidence::at_most(part, path.p999_ms - path.least_ms, bound, n));
        }
        match (class.loss_ratio, path.loss_ratio) {
            (Some(bound), Some(loss)) => {
                let part = Phrase { en: "loss ratio", zh: "丢包率" };
                evidence.push(Evidence::at_most(part, loss, bound, n));
            }
            (Some(_), None) => {
                missing
                    .push(Words::plain(Phrase { en: "no loss was measured", zh: "没有测得丢包率" }));
            }
            (None, _) => {}
        }
        Verdict::of(evidence, missing)
    }
}

/// What applications need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Applications {
    /// The score from which an application is well served.
    pub good_from: f64,
    /// The applications.
    pub applications: Vec<Application>,
}

/// What one application needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// Its name.
    pub name: String,
    /// The rate that it takes, Mbit/s.
    pub rate_mbps: f64,
    /// Percentile, delay for perfect use, delay at which it is unusable (ms, round trip).
    pub delays: Vec<(f64, f64, f64)>,
    /// Loss for perfect use, and at which it is unusable.
    pub loss: (f64, f64),
}

impl Application {
    /// 0 to 100: the smallest of latency, loss and throughput. `delays` are measured at the application's percentiles.
    pub fn outcome(&self, delays: &[f64], loss: f64, rate_mbps: f64) -> Option<f64> {
        if delays.len() != self.delays.len() {
            return None;
        }
        let score = |seen: f64, perfect: f64, useless: f64| {
            100.0 * (1.0 - (seen - perfect) / (useless - perfect)).clamp(0.0, 1.0)
        };
        let latency = self
            .delays
            .iter()
            .zip(delays)
            .map(|(&(_, perfect, useless), &seen)| score(seen, perfect, useless));
        let rate = if rate_mbps >= self.rate_mbps { 100.0 } else { 0.0 };
        let outcome = latency.fold(100.0, f64::min).min(score(loss, self.loss.0, self.loss.1)).min(rate);
        outcome.is_finite().then_some(outcome)
    }
}

impl Applications {
    /// Whether an application is well served.
    pub fn judge(&self, outcome: Option<f64>, packets: u64) -> Verdict {
        match outcome {
            Some(outcome) => {
                let part =
                    Phrase { en: "quality of outcome, 0 to 100", zh: "业务体验质量（0–100）" };
                Verdict::of(
                    vec![Evidence::at_least(part, outcome, self.good_from, packets as usize)],
                    Vec::new(),
                )
            }
            None => Verdict::insufficient(Words::plain(Phrase {
                en: "needs delay at the application's percentiles, loss and a rate",
                zh: "需要该应用各分位数的时延、丢包率和速率",
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Finding, Rule, find};
    use super::*;

    fn classes() -> Classes {
        match find("y1541").unwrap().rule {
            Rule::Classes(classes) => classes,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_path_keeps_the_classes_whose_bounds_it_stays_within() {
        let path = OneWay {
            mean_ms: 90.0,
            least_ms: 80.0,
            p999_ms: 145.0,
            loss_ratio: Some(0.000_5),
            packets: 10_000,
        };
        let classes = classes();
        let kept: Vec<u8> = classes
            .classes
            .iter()
            .filter(|c| classes.judge(c, &path).finding == Finding::Met)
            .map(|c| c.class)
            .collect();
        // Variation 65 ms: classes 0, 1, 6 and 7 bound it by 50; class 5 promises nothing that could be judged.
        assert_eq!(kept, [2, 3, 4]);
        let few = OneWay { packets: 500, ..path };
        assert_eq!(classes.judge(&classes.classes[0], &few).finding, Finding::InsufficientData);
        let unknown = OneWay { loss_ratio: None, ..path };
        assert_eq!(classes.judge(&classes.classes[2], &unknown).missing.len(), 1);
    }

    // Oracle: the worked example of draft-ietf-ippm-qoo.
    #[test]
    fn the_example_of_the_draft_scores_fifty() {
        let application = Application {
            name: "example".into(),
            rate_mbps: 4.0,
            delays: vec![(0.99, 200.0, 500.0), (0.999, 300.0, 600.0)],
            loss: (0.01, 0.05),
        };
        assert_eq!(application.outcome(&[350.0, 375.0], 0.02, 28.0), Some(50.0));
        assert_eq!(application.outcome(&[350.0, 375.0], 0.02, 3.0), Some(0.0));
        assert_eq!(application.outcome(&[350.0], 0.02, 28.0), None);
    }

    #[test]
    fn a_worse_path_never_scores_higher() {
        let Rule::Applications(rule) = find("applications").unwrap().rule else { panic!("another rule") };
        for application in &rule.applications {
            for k in 0..200 {
                let at = |k: i32| {
                    application.delays.iter().map(|d| d.1 + f64::from(k) * d.2 / 100.0).collect::<Vec<_>>()
                };
                let score = |k| application.outcome(&at(k), 0.0, 1e4).unwrap();
                assert!(score(k + 1) <= score(k));
            }
        }
    }
}
