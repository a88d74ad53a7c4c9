//! Lines against what was advertised, as the FCC's programme Measuring Broadband America tells it.
//!
//! The programme draws no line between kept and not kept. It sorts customers into three bands, by a line's median at peak
//! over the advertised rate and by what it loses at peak, and tells the consistent rate and the latency. The finding is
//! ours: the band of the weighted mean, met in the upper one, not met in the lower one, and neither in between.

use super::program::{Line, few, median};
use super::{Evidence, Finding, Test, Verdict};
use broadgauge_model::text::{Phrase, Words};
use serde::{Deserialize, Serialize};

/// Lines against what was advertised (FCC, Measuring Broadband America).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advertised {
    /// Peak hours: first hour, first hour after.
    pub peak: (u8, u8),
    /// Only days that are worked: Monday to Friday, but for weekends that a calendar has worked.
    pub weeknights: bool,
    /// Shares of the advertised rate that bound the middle band.
    pub bands: (f64, f64),
    /// Loss ratios that bound the middle band.
    pub loss_bands: (f64, f64),
    /// The share of lines and of tests of the consistent rate.
    pub consistency: f64,
    /// Lines below which nothing is said.
    pub fewest_lines: usize,
    /// Tests at peak below which a line is left out.
    pub fewest_tests: usize,
    /// Packets at peak below which a line's loss is in no band.
    pub fewest_packets: u64,
}

/// A line's figure with how many lines it stands for.
type Weighted = (f64, f64);

/// The rate that `share` of the lines reach in `share` of their tests: of each line the ceil(share n)-th largest, of those
/// the ceil(share L)-th largest.
pub fn consistent(lines: &[Vec<f64>], share: f64) -> Option<f64> {
    let largest = |mut values: Vec<f64>| {
        values.sort_unstable_by(|a, b| b.total_cmp(a));
        let rank = ((share * values.len() as f64 - 1e-9).ceil() as usize).max(1);
        values.get(rank - 1).copied()
    };
    let reached = lines.iter().map(|line| largest(line.clone())).collect::<Option<Vec<_>>>()?;
    largest(reached)
}

/// 0 below the bounds, 1 between them, both counted in, 2 above.
fn band(value: f64, (low, high): (f64, f64)) -> usize {
    usize::from(value >= low) + usize::from(value > high)
}

/// The share of all weight in each band, the lowest first.
fn shares(values: &[Weighted], bounds: (f64, f64)) -> [f64; 3] {
    let mut shares = [0.0; 3];
    for &(value, weight) in values {
        shares[band(value, bounds)] += weight;
    }
    let all: f64 = shares.iter().sum();
    shares.map(|share| share / all)
}

fn mean(values: &[Weighted]) -> f64 {
    let weight: f64 = values.iter().map(|(_, weight)| weight).sum();
    values.iter().map(|(value, weight)| value * weight).sum::<f64>() / weight
}

impl Advertised {
    fn at_peak(&self, hour: u8, worked: bool) -> bool {
        (self.peak.0..self.peak.1).contains(&hour) && (!self.weeknights || worked)
    }

    /// The values at peak of a line with enough of them.
    fn peak_values(&self, tests: &[Test]) -> Option<Vec<f64>> {
        let values: Vec<f64> =
            tests.iter().filter(|t| self.at_peak(t.hour, t.worked)).map(|t| t.value).collect();
        (values.len() >= self.fewest_tests && values.iter().all(|v| v.is_finite())).then_some(values)
    }

    /// The band of the weighted mean of the lines' peak medians over the advertised rate, with the share of customers in
    /// each band, the consistent rate, latency and the bands of loss.
    pub fn judge(&self, lines: &[Line]) -> Verdict {
        let mut medians: Vec<Weighted> = Vec::new();
        let mut ratios: Vec<Vec<f64>> = Vec::new();
        for line in lines {
            let Some(values) = self.peak_values(&line.tests) else { continue };
            let values: Vec<f64> = values.iter().map(|v| v / line.advertised).collect();
            let Some(median) = median(&values) else { continue };
            medians.push((median, line.weight));
            ratios.push(values);
        }
        if medians.len() < self.fewest_lines {
            return few(medians.len(), self.fewest_lines);
        }
        let mean = mean(&medians);
        let finding = [Finding::Breached, Finding::MiddleBand, Finding::Met][band(mean, self.bands)];
        let (mut evidence, mut missing) = (self.of_rates(mean, &medians, &ratios), Vec::new());
        match self.of_delays(lines) {
            Ok(told) => evidence.push(told),
            Err(lack) => missing.push(lack),
        }
        match self.of_losses(lines) {
            Ok(told) => evidence.extend(told),
            Err(lack) => missing.push(lack),
        }
        Verdict { finding, evidence, missing }
    }

    fn of_rates(&self, mean: f64, medians: &[Weighted], ratios: &[Vec<f64>]) -> Vec<Evidence> {
        let (low, high) = self.bands;
        let n = medians.len();
        let part = Phrase {
            en: "mean of the lines' medians at peak over advertised: lower band below {low}, upper band above {high}",
            zh: "各线路忙时中位数与宣传速率之比的均值：低于 {low} 为下档，高于 {high} 为上档",
        };
        let part = Words::with(part, &[("low", &low), ("high", &high)]);
        let mut evidence = vec![Evidence { part, seen: mean, needed: Some(low), n, holds: mean >= low }];
        let parts = [
            Phrase {
                en: "share of customers below {low} of the advertised rate at peak",
                zh: "忙时低于宣传速率 {low} 的客户占比",
            },
            Phrase {
                en: "share of customers from {low} to {high} of it",
                zh: "其 {low} 至 {high} 的客户占比",
            },
            Phrase { en: "share of customers above {high} of it", zh: "高于其 {high} 的客户占比" },
        ];
        evidence.extend(told(parts, shares(medians, self.bands), self.bands, n));
        let part = Phrase {
            en: "consistent rate over advertised: what {share} of lines reach in {share} of their tests at peak",
            zh: "稳定速率与宣传速率之比：{share} 的线路在 {share} 的忙时测试中达到的速率",
        };
        let part = Words::with(part, &[("share", &self.consistency)]);
        evidence.extend(consistent(ratios, self.consistency).map(|seen| Evidence::told(part, seen, n)));
        evidence
    }

    /// The weighted mean of the lines' median round trips at peak, or what is missing.
    fn of_delays(&self, lines: &[Line]) -> Result<Evidence, Words> {
        let of = |line: &Line| Some((median(&self.peak_values(&line.delays)?)?, line.weight));
        let medians: Vec<Weighted> = lines.iter().filter_map(of).collect();
        let n = self.enough(
            medians.len(),
            Phrase {
                en: "round trips at peak: needs {needed} lines with enough of them; there are {lines}",
                zh: "忙时往返时延：需要 {needed} 条测试足够的线路；现有 {lines} 条",
            },
        )?;
        let part = Phrase {
            en: "mean of the lines' median round trips at peak, ms",
            zh: "各线路忙时往返时延中位数的均值（ms）",
        };
        Ok(Evidence::told(Words::plain(part), mean(&medians), n))
    }

    /// The share of customers in each band of loss at peak, or what is missing.
    fn of_losses(&self, lines: &[Line]) -> Result<Vec<Evidence>, Words> {
        let of = |line: &Line| {
            let at_peak = line.packets.iter().filter(|p| self.at_peak(p.hour, p.worked));
            let (lost, sent) = at_peak.fold((0, 0), |(lost, sent), p| (lost + p.lost, sent + p.sent));
            (sent >= self.fewest_packets).then(|| (lost as f64 / sent as f64, line.weight))
        };
        let losses: Vec<Weighted> = lines.iter().filter_map(of).collect();
        let n = self.enough(
            losses.len(),
            Phrase {
                en: "loss at peak: needs {needed} lines with enough packets; there are {lines}",
                zh: "忙时丢包：需要 {needed} 条包数足够的线路；现有 {lines} 条",
            },
        )?;
        let parts = [
            Phrase {
                en: "share of customers whose loss ratio at peak is below {low}",
                zh: "忙时丢包率低于 {low} 的客户占比",
            },
            Phrase {
                en: "share of customers whose loss ratio is from {low} to {high}",
                zh: "丢包率为 {low} 至 {high} 的客户占比",
            },
            Phrase {
                en: "share of customers whose loss ratio is above {high}",
                zh: "丢包率高于 {high} 的客户占比",
            },
        ];
        Ok(told(parts, shares(&losses, self.loss_bands), self.loss_bands, n))
    }

    fn enough(&self, lines: usize, lack: Phrase) -> Result<usize, Words> {
        let needed = self.fewest_lines;
        if lines >= needed {
            Ok(lines)
        } else {
            Err(Words::with(lack, &[("needed", &needed), ("lines", &lines)]))
        }
    }
}

/// Shares of customers as figures that are told.
fn told(parts: [Phrase; 3], shares: [f64; 3], (low, high): (f64, f64), n: usize) -> Vec<Evidence> {
    let named = parts.map(|part| Words::with(part, &[("low", &low), ("high", &high)]));
    named.into_iter().zip(shares).map(|(part, share)| Evidence::told(part, share, n)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Packets, Rule, find};
    use super::*;
    use broadgauge_model::panel::weekday;

    // Oracle: numpy 2.4.6, sort and index by the definition.
    #[test]
    fn four_in_five_lines_reach_seventy_eight_percent_four_times_in_five() {
        let lines: Vec<Vec<f64>> = [
            [1.02, 0.99, 0.97, 0.98, 1.0],
            [0.95, 0.60, 0.97, 0.94, 0.96],
            [0.90, 0.85, 0.40, 0.35, 0.88],
            [1.1, 1.08, 1.05, 1.07, 1.09],
            [0.80, 0.79, 0.81, 0.78, 0.50],
        ]
        .map(|l| l.to_vec())
        .to_vec();
        assert_eq!(consistent(&lines, 0.8), Some(0.78));
        let each: Vec<f64> =
            lines.iter().map(|l| consistent(std::slice::from_ref(l), 0.8).unwrap()).collect();
        assert_eq!(each, [0.98, 0.94, 0.40, 1.07, 0.78]);
        assert_eq!(consistent(&[], 0.8), None);
    }

    fn rule() -> Advertised {
        let Rule::Advertised(rule) = find("fcc-mba").unwrap().rule else { panic!("another rule") };
        rule
    }

    /// Twenty days of one test a day, from a Monday on.
    fn tests(hour: u8, value: f64) -> Vec<Test> {
        (0..20).map(|d| Test::new(20_003 + d, hour, value)).collect()
    }

    fn line(share: f64, hour: u8) -> Line {
        Line { tests: tests(hour, 100.0 * share), ..Line::of(100.0) }
    }

    fn lines(count: usize, share: f64, hour: u8) -> Vec<Line> {
        (0..count).map(|_| line(share, hour)).collect()
    }

    fn seen(verdict: &Verdict) -> Vec<f64> {
        verdict.evidence.iter().map(|e| (e.seen * 1e6).round() / 1e6).collect()
    }

    #[test]
    fn weekends_and_mornings_are_not_peak() {
        assert_eq!(rule().judge(&lines(30, 0.97, 20)).finding, Finding::Met);
        assert_eq!(rule().judge(&lines(30, 0.97, 9)).finding, Finding::InsufficientData);
        assert_eq!(rule().judge(&lines(29, 0.97, 20)).finding, Finding::InsufficientData);
        // Day 20,003 is a Monday.
        let mut weekend = lines(30, 0.97, 20);
        for line in &mut weekend {
            line.tests.retain(|t| weekday(t.day) >= 5);
        }
        assert_eq!(rule().judge(&weekend).finding, Finding::InsufficientData);
    }

    #[test]
    fn a_mean_between_the_bounds_is_neither_met_nor_breached() {
        let finding = |share: f64| rule().judge(&lines(32, share, 20)).finding;
        assert_eq!(finding(0.96), Finding::Met);
        assert_eq!(finding(0.94), Finding::MiddleBand);
        assert_eq!(finding(0.81), Finding::MiddleBand);
        assert_eq!(finding(0.79), Finding::Breached);
        assert_eq!([0.79, 0.80, 0.95, 0.951].map(|v| band(v, rule().bands)), [0, 1, 1, 2]);
    }

    /// By hand: 15, 9 and 6 lines of 30 are 0.5, 0.3 and 0.2; (15 x 0.97 + 9 x 0.90 + 6 x 0.70) / 30 = 0.895; the 24th
    /// largest is 0.90. With a weight of 4 on the six: 24 + 24 lines, and (14.55 + 8.1 + 16.8) / 48 = 0.821875.
    #[test]
    fn customers_are_counted_in_bands_by_what_their_line_stands_for() {
        let mut mixed = [lines(15, 0.97, 20), lines(9, 0.90, 20), lines(6, 0.70, 20)].concat();
        let verdict = rule().judge(&mixed);
        assert_eq!(verdict.finding, Finding::MiddleBand);
        assert_eq!(seen(&verdict), [0.895, 0.2, 0.3, 0.5, 0.9]);
        assert!(verdict.evidence.iter().all(|e| e.holds && e.n == 30));
        assert_eq!(verdict.missing.len(), 2);
        for line in &mut mixed[24..] {
            line.weight = 4.0;
        }
        assert_eq!(seen(&rule().judge(&mixed)), [0.821_875, 0.5, 0.1875, 0.3125, 0.9]);
        let told = verdict.evidence[1].part.to_string();
        assert_eq!(told, "share of customers below 0.8 of the advertised rate at peak");
    }

    /// By hand: 3 of 1,000 packets on 12 lines, 4 on 9, 10 on 6 and 11 on 3 are shares of 0.4, 0.5 and 0.1; a median of 20
    /// ms on 15 lines and of 40 ms on 15 has the mean 30.
    #[test]
    fn loss_and_latency_are_those_at_peak() {
        let at_peak = |lost: u64| Packets { hour: 20, worked: true, sent: 1_000, lost };
        let mut all = lines(30, 0.97, 20);
        for (i, line) in all.iter_mut().enumerate() {
            let lost = if i < 12 {
                3
            } else if i < 21 {
                4
            } else if i < 27 {
                10
            } else {
                11
            };
            let elsewhere = [(9, true), (20, false)].map(|(hour, worked)| Packets {
                hour,
                worked,
                sent: 1_000,
                lost: 1_000,
            });
            line.packets = [&elsewhere[..], &[at_peak(lost)]].concat();
            line.delays = [tests(20, if i < 15 { 20.0 } else { 40.0 }), tests(9, 500.0)].concat();
        }
        let verdict = rule().judge(&all);
        assert_eq!((verdict.finding, verdict.missing.len()), (Finding::Met, 0));
        assert_eq!(seen(&verdict)[5..], [30.0, 0.4, 0.5, 0.1]);
        all[0].packets = vec![Packets { sent: 249, ..at_peak(1) }];
        let verdict = rule().judge(&all);
        assert_eq!((verdict.finding, verdict.evidence.len()), (Finding::Met, 6));
        let told = verdict.missing[0].to_string();
        assert_eq!(told, "loss at peak: needs 30 lines with enough packets; there are 29");
    }
}
