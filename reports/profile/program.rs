//! Many lines together: the programmes of regulators.

use super::{Evidence, Packets, Test, Verdict};
use crate::stats::quantile::{nearest_rank, sorted};
use broadgauge_model::text::{Phrase, Words};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A line with what was advertised for it and how many it stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The advertised rate, in Mbit/s.
    pub advertised: f64,
    /// The normally available rate that its customer was told, in Mbit/s.
    pub normal: Option<f64>,
    /// The minimum rate that its customer was told, in Mbit/s.
    pub minimum: Option<f64>,
    /// How many lines it stands for.
    pub weight: f64,
    /// Its tests.
    pub tests: Vec<Test>,
    /// Its round trips, in ms.
    pub delays: Vec<Test>,
    /// Its packets.
    pub packets: Vec<Packets>,
}

impl Line {
    /// A line of which nothing is known but its advertised rate.
    pub const fn of(advertised: f64) -> Self {
        Self {
            advertised,
            normal: None,
            minimum: None,
            weight: 1.0,
            tests: Vec::new(),
            delays: Vec::new(),
            packets: Vec::new(),
        }
    }
}

/// Shares of all tests (FCC DA 18-710).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Required {
    /// Test hours: first hour, first hour after.
    pub hours: (u8, u8),
    /// The share of the required rate that a test must reach.
    pub share_of_rate: f64,
    /// The share of tests that must.
    pub share_of_tests: f64,
    /// The longest round trip, in ms.
    pub delay_ms: f64,
    /// The share of round trips that must stay within it.
    pub share_of_delays: f64,
    /// Days in a row with tests below which nothing is said.
    pub fewest_days: usize,
    /// How many lines are to be tested.
    pub locations: Locations,
}

/// How many lines are to be tested, by how many subscribers there are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locations {
    /// So many at least.
    pub fewest: usize,
    /// Of all subscribers.
    pub share: f64,
    /// So many suffice.
    pub most: usize,
}

impl Locations {
    /// The number for so many subscribers.
    pub fn needed(&self, subscribers: f64) -> usize {
        ((self.share * subscribers - 1e-9).ceil().max(0.0) as usize).clamp(self.fewest, self.most)
    }
}

/// The range of similar customers at peak (Ofcom, Broadband Speeds Codes of Practice).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// Peak hours: first hour, first hour after.
    pub peak: (u8, u8),
    /// The quantiles that bound the range of similar lines.
    pub range: (f64, f64),
    /// The quantile that is guaranteed as the minimum.
    pub minimum: f64,
    /// Lines below which nothing is said.
    pub fewest_lines: usize,
}

/// Too few lines.
pub(super) fn few(lines: usize, needed: usize) -> Verdict {
    Verdict::insufficient(Words::with(
        Phrase {
            en: "needs {needed} lines with enough tests; there are {lines}",
            zh: "需要 {needed} 条测试足够的线路；现有 {lines} 条",
        },
        &[("needed", &needed), ("lines", &lines)],
    ))
}

pub(super) fn median(values: &[f64]) -> Option<f64> {
    nearest_rank(&sorted(values.to_vec()).ok()?, 0.5).ok()
}

/// The most days that follow each other.
fn longest_run(days: &BTreeSet<i32>) -> usize {
    let (mut longest, mut run, mut before) = (0, 0, None);
    for &day in days {
        run = if before == Some(day - 1) { run + 1 } else { 1 };
        longest = longest.max(run);
        before = Some(day);
    }
    longest
}

impl Required {
    /// Whether enough tests reach the required rate, and enough round trips stay within the delay. The lines are those
    /// that were tested of so many subscribers.
    pub fn judge(&self, lines: &[Line], subscribers: f64) -> Verdict {
        let inside = |t: &&Test| (self.hours.0..self.hours.1).contains(&t.hour);
        let mut days = BTreeSet::new();
        let (mut reached, mut all, mut tested) = (0, 0, 0);
        for line in lines {
            let tests: Vec<&Test> = line.tests.iter().filter(inside).collect();
            tested += usize::from(!tests.is_empty());
            days.extend(tests.iter().map(|t| t.day));
            all += tests.len();
            reached += tests.iter().filter(|t| t.value >= self.share_of_rate * line.advertised).count();
        }
        let needed = self.locations.needed(subscribers);
        if tested < needed {
            return Verdict::insufficient(Words::with(
                Phrase {
                    en: "needs {needed} tested lines of the {known} known; there are {lines}",
                    zh: "已知 {known} 条线路，需要测试 {needed} 条；现有 {lines} 条",
                },
                &[("needed", &needed), ("known", &subscribers), ("lines", &tested)],
            ));
        }
        let days = longest_run(&days);
        if days < self.fewest_days {
            return Verdict::insufficient(Words::with(
                Phrase {
                    en: "needs tests on {needed} days in a row; there are {days}",
                    zh: "需要连续 {needed} 天的测试；现有连续 {days} 天",
                },
                &[("needed", &self.fewest_days), ("days", &days)],
            ));
        }
        let mut evidence = vec![Evidence::at_least(
            Phrase {
                en: "share of tests at the required share of the rate",
                zh: "达到要求速率比例的测试占比",
            },
            f64::from(reached as u32) / all as f64,
            self.share_of_tests,
            all,
        )];
        let mut missing = Vec::new();
        let delays: Vec<&Test> = lines.iter().flat_map(|line| &line.delays).filter(inside).collect();
        if delays.is_empty() {
            missing.push(Words::plain(Phrase {
                en: "no round-trip delay was measured",
                zh: "没有测得往返时延",
            }));
        } else {
            let within = delays.iter().filter(|t| t.value <= self.delay_ms).count();
            evidence.push(Evidence::at_least(
                Phrase {
                    en: "share of round trips within the longest allowed",
                    zh: "不超过时延上限的往返占比",
                },
                within as f64 / delays.len() as f64,
                self.share_of_delays,
                delays.len(),
            ));
        }
        Verdict::of(evidence, missing)
    }
}

impl Range {
    /// The range and the minimum of similar lines at peak, in Mbit/s; `None` below the fewest lines.
    pub fn range_of(&self, lines: &[Line]) -> Option<(f64, f64, f64, usize)> {
        let at_peak = |line: &Line| {
            let tests = line.tests.iter().filter(|t| (self.peak.0..self.peak.1).contains(&t.hour));
            median(&tests.map(|t| t.value).collect::<Vec<_>>())
        };
        let medians = sorted(lines.iter().filter_map(at_peak).collect()).ok()?;
        if medians.len() < self.fewest_lines {
            return None;
        }
        let at = |p| nearest_rank(&medians, p).ok();
        Some((at(self.range.0)?, at(self.range.1)?, at(self.minimum)?, medians.len()))
    }

    /// Whether similar lines' range reaches what customers were told: the advertised rate against its upper end, the
    /// normally available rate against its lower end, and the minimum against what could be guaranteed.
    pub fn judge(&self, lines: &[Line]) -> Verdict {
        let Some((low, high, minimum, n)) = self.range_of(lines) else {
            return few(lines.len(), self.fewest_lines);
        };
        // What a few customers were told is not what these lines were sold as.
        let told = |rate: &dyn Fn(&Line) -> Option<f64>| {
            let rates: Vec<f64> = lines.iter().filter_map(rate).collect();
            median(&rates).filter(|_| rates.len() >= self.fewest_lines)
        };
        let Some(advertised) = told(&|l| Some(l.advertised)) else { return few(0, self.fewest_lines) };
        Verdict::of(
            vec![
                Evidence::at_least(
                    Phrase {
                        en: "upper end of the range of similar lines at peak, Mbit/s",
                        zh: "忙时同类线路速率区间上端（Mbit/s）",
                    },
                    high,
                    advertised,
                    n,
                ),
                Evidence::as_told(
                    Phrase {
                        en: "lower end of that range, Mbit/s (to be told to customers)",
                        zh: "该区间下端（Mbit/s，须告知客户）",
                    },
                    low,
                    told(&|l| l.normal),
                    n,
                ),
                Evidence::as_told(
                    Phrase {
                        en: "minimum that could be guaranteed, Mbit/s",
                        zh: "可保证的最低速率（Mbit/s）",
                    },
                    minimum,
                    told(&|l| l.minimum),
                    n,
                ),
            ],
            Vec::new(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Finding, Rule, find};
    use super::*;

    fn lines(count: usize, share: f64, hour: u8) -> Vec<Line> {
        let tests = |line: usize| {
            (0..20).map(|d| Test::new(20_003 + d, hour, 100.0 * share + (line % 3) as f64)).collect()
        };
        (0..count).map(|line| Line { tests: tests(line), ..Line::of(100.0) }).collect()
    }

    #[test]
    fn four_fifths_of_the_tests_and_nineteen_twentieths_of_the_delays() {
        let Rule::Required(rule) = find("fcc-high-cost").unwrap().rule else { panic!("another rule") };
        // Ten lines, each with ten round trips of a hundred in all.
        let finding = |share: f64, slow: usize| {
            let mut lines = lines(10, share, 20);
            for k in 0..100 {
                lines[k / 10].delays.push(Test::new(20_003, 20, if k < slow { 150.0 } else { 40.0 }));
            }
            rule.judge(&lines, 50.0).finding
        };
        assert_eq!(finding(0.8, 5), Finding::Met);
        assert_eq!(finding(0.8, 6), Finding::Breached);
        assert_eq!(finding(0.7, 0), Finding::Breached);
        assert_eq!(rule.judge(&lines(4, 0.9, 20), 4.0).finding, Finding::InsufficientData);
        assert_eq!(rule.judge(&lines(10, 0.8, 20), 50.0).missing.len(), 1);
    }

    // By hand, from 5 locations of 50 subscribers or fewer, 10% of 51 to 500, and 50 of more.
    #[test]
    fn the_more_subscribers_there_are_the_more_lines_are_to_be_tested() {
        let Rule::Required(rule) = find("fcc-high-cost").unwrap().rule else { panic!("another rule") };
        let needed = [3.0, 50.0, 51.0, 120.0, 500.0, 501.0, 90_000.0].map(|n| rule.locations.needed(n));
        assert_eq!(needed, [5, 5, 6, 12, 50, 50, 50]);
        let verdict = rule.judge(&lines(11, 0.9, 20), 120.0);
        assert_eq!(verdict.finding, Finding::InsufficientData);
        let told = verdict.missing[0].to_string();
        assert_eq!(told, "needs 12 tested lines of the 120 known; there are 11");
        // With enough lines, only the round trips are missing.
        assert_eq!(rule.judge(&lines(12, 0.9, 20), 120.0).evidence.len(), 1);
    }

    #[test]
    fn a_week_is_of_days_in_a_row() {
        let Rule::Required(rule) = find("fcc-high-cost").unwrap().rule else { panic!("another rule") };
        let without = |gap: i32| {
            let mut lines = lines(5, 0.9, 20);
            for line in &mut lines {
                line.tests.retain(|t| t.day < 20_003 + 13 && t.day != 20_003 + gap);
            }
            rule.judge(&lines, 5.0).missing[0].to_string()
        };
        // Of thirteen days: six and six, and seven and five.
        assert_eq!(without(6), "needs tests on 7 days in a row; there are 6");
        assert_eq!(without(7), "no round-trip delay was measured");
    }

    #[test]
    fn the_range_is_that_of_similar_lines_at_peak() {
        let Rule::Range(rule) = find("ofcom-speeds-code").unwrap().rule else { panic!("another rule") };
        let similar: Vec<Line> = (1..=100)
            .map(|k| Line { tests: vec![Test::new(20_003, 21, f64::from(k))], ..Line::of(60.0) })
            .collect();
        assert_eq!(rule.range_of(&similar), Some((20.0, 80.0, 10.0, 100)));
        assert_eq!(rule.judge(&similar).finding, Finding::Met);
        // What customers were not told is not held against anything.
        let needed: Vec<_> = rule.judge(&similar).evidence.iter().map(|e| e.needed).collect();
        assert_eq!(needed, [Some(60.0), None, None]);
        let with = |normal: f64, minimum: f64| -> Vec<Line> {
            let of = |l: &Line| Line { normal: Some(normal), minimum: Some(minimum), ..l.clone() };
            similar.iter().map(of).collect()
        };
        assert_eq!(rule.judge(&with(20.0, 10.0)).finding, Finding::Met);
        assert_eq!(rule.judge(&with(21.0, 10.0)).finding, Finding::Breached);
        assert_eq!(rule.judge(&with(20.0, 11.0)).finding, Finding::Breached);
        let mut one = similar.clone();
        one[0].minimum = Some(50.0);
        assert_eq!(rule.judge(&one).finding, Finding::Met);
        assert_eq!(rule.judge(&similar[..9]).finding, Finding::InsufficientData);
    }
}
