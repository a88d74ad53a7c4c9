//! One line against its contract.
//!
//! A campaign (Bundesnetzagentur, Allgemeinverfuegung 2017 and since 13 December 2021) takes so many tests on so many
//! days. From standing measurements the first days that fulfil its conditions are taken, and the first tests of each:
//! chosen by the calendar, never by their values. Of a test's time its hour is known: a pause within a day is kept where
//! the hours leave no doubt, and where an hour has more tests than are taken, they are spread over its values. The maximum, the normally available and the minimum rate (Regulation
//! (EU) 2015/2120, article 4(1)(d); BoR (20) 112) are judged on all tests.

use super::{Evidence, Test, Verdict};
use broadgauge_model::text::{Phrase, Words};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What the contract names, in Mbit/s.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Promised {
    /// The maximum rate.
    pub maximum: Option<f64>,
    /// The rate that is normally available.
    pub normal: Option<f64>,
    /// The minimum rate.
    pub minimum: Option<f64>,
}

/// A campaign of tests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    /// Days with tests.
    pub days: usize,
    /// Tests on each.
    pub tests_a_day: usize,
    /// Days from the first to the last, both counted.
    pub within_days: i32,
    /// Days without tests between two days of tests.
    pub free_days_between: i32,
    /// The pause within a day, where the rule has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
    /// The share of the maximum that must be reached once on enough days.
    pub share_of_maximum: f64,
    /// On how many days it must be reached.
    pub days_at_maximum: usize,
    /// The share of tests that must reach the normal rate.
    pub share_at_normal: f64,
    /// On how many days the minimum must be undershot for a breach.
    pub days_below_minimum: usize,
}

/// A pause within a day of tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// After so many tests.
    pub after: usize,
    /// Its hours.
    pub hours: u8,
}

/// What is missing where a rate is not known.
const NO_MAXIMUM: Phrase =
    Phrase { en: "no maximum rate of the contract is known", zh: "不知道合同的最高速率" };
const NO_NORMAL: Phrase = Phrase {
    en: "no normally available rate of the contract is known",
    zh: "不知道合同的通常可用速率",
};
const NO_MINIMUM: Phrase =
    Phrase { en: "no minimum rate of the contract is known", zh: "不知道合同的最低速率" };

/// Standing tests against the rates of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Available {
    /// Peak hours: first hour, first hour after.
    pub peak: (u8, u8),
    /// The share of tests at peak that must reach the normal rate.
    pub share_at_peak: f64,
    /// The share of all tests that must reach it.
    pub share_of_day: f64,
    /// The share of days with tests on which the maximum must be reached at least once.
    pub share_of_days_at_maximum: f64,
    /// Tests at peak, and in all, below which nothing is said.
    pub fewest_tests: usize,
    /// Days below which nothing is said.
    pub fewest_days: usize,
}

impl Campaign {
    /// Whether the line keeps its contract. Tests in any order.
    pub fn judge(&self, tests: &[Test], promised: Promised) -> Verdict {
        let Some(chosen) = self.chosen(tests) else {
            return self.no_campaign();
        };
        let all = self.days * self.tests_a_day;
        let days_with = |holds: &dyn Fn(f64) -> bool| {
            chosen.iter().filter(|day| day.iter().any(|value| holds(*value))).count()
        };
        let (mut evidence, mut missing) = (Vec::new(), Vec::new());
        match promised.maximum {
            Some(maximum) => evidence.push(Evidence::at_least(
                Phrase {
                    en: "days on which the share of the maximum was reached once",
                    zh: "至少一次达到最高速率规定比例的天数",
                },
                days_with(&|v| v >= self.share_of_maximum * maximum) as f64,
                self.days_at_maximum as f64,
                all,
            )),
            None => missing.push(Words::plain(NO_MAXIMUM)),
        }
        match promised.normal {
            Some(normal) => {
                let reached = chosen.iter().flatten().filter(|v| **v >= normal).count();
                // Whole numbers: 27 of 30 is nine tenths, whatever 0.9 is in binary.
                let needed = (self.share_at_normal * all as f64 - 1e-9).ceil();
                evidence.push(Evidence::at_least(
                    Phrase {
                        en: "tests that reached the normally available rate",
                        zh: "达到通常可用速率的测试次数",
                    },
                    reached as f64,
                    needed,
                    all,
                ));
            }
            None => missing.push(Words::plain(NO_NORMAL)),
        }
        match promised.minimum {
            Some(minimum) => evidence.push(Evidence::at_most(
                Phrase { en: "days on which the minimum was undershot", zh: "低于最低速率的天数" },
                days_with(&|v| v < minimum) as f64,
                self.days_below_minimum as f64 - 1.0,
                all,
            )),
            None => missing.push(Words::plain(NO_MINIMUM)),
        }
        Verdict::of(evidence, missing)
    }

    fn no_campaign(&self) -> Verdict {
        let values: [(&'static str, &dyn ToString); 4] = [
            ("days", &self.days),
            ("tests", &self.tests_a_day),
            ("within", &self.within_days),
            ("free", &self.free_days_between),
        ];
        let Some(pause) = self.pause else {
            let phrase = Phrase {
                en: "needs {days} days of {tests} tests within {within} days, {free} or more days apart",
                zh: "需要在 {within} 天内有 {days} 个测试日、每日 {tests} 次，测试日之间至少间隔 {free} 天",
            };
            return Verdict::insufficient(Words::with(phrase, &values));
        };
        let phrase = Phrase {
            en: "needs {days} days of {tests} tests within {within} days, {free} or more days apart, with a pause of {hours} hours after {after} tests of a day",
            zh: "需要在 {within} 天内有 {days} 个测试日、每日 {tests} 次，测试日之间至少间隔 {free} 天，当日 {after} 次测试后须间隔 {hours} 小时",
        };
        let pause: [(&'static str, &dyn ToString); 2] = [("hours", &pause.hours), ("after", &pause.after)];
        Verdict::insufficient(Words::with(phrase, &[&values[..], &pause].concat()))
    }

    /// The tests of a day that count, in no order; none where they are too few or too close.
    fn of_day(&self, tests: &[Test]) -> Option<Vec<f64>> {
        let mut tests = tests.to_vec();
        tests.sort_unstable_by(|a, b| a.hour.cmp(&b.hour).then(a.value.total_cmp(&b.value)));
        let Some(pause) = self.pause else { return Some(first(&tests, self.tests_a_day)?.0) };
        let (mut values, last) = first(&tests, pause.after)?;
        // From the end of one hour to the start of another lie all hours between them, and no more is sure.
        let later = tests.partition_point(|test| test.hour <= last + pause.hours);
        values.extend(first(&tests[later..], self.tests_a_day.checked_sub(pause.after)?)?.0);
        Some(values)
    }

    /// The first days that fulfil the conditions, with the first tests of each.
    fn chosen(&self, tests: &[Test]) -> Option<Vec<Vec<f64>>> {
        let mut all: BTreeMap<i32, Vec<Test>> = BTreeMap::new();
        for test in tests {
            all.entry(test.day).or_default().push(*test);
        }
        let days: BTreeMap<i32, Vec<f64>> =
            all.into_iter().filter_map(|(day, tests)| Some((day, self.of_day(&tests)?))).collect();
        let known: Vec<i32> = days.keys().copied().collect();
        for (place, &first) in known.iter().enumerate() {
            let mut taken = vec![first];
            for &day in &known[place + 1..] {
                let apart = day - taken[taken.len() - 1] > self.free_days_between;
                if taken.len() < self.days && apart && day - first < self.within_days {
                    taken.push(day);
                }
            }
            if taken.len() == self.days {
                return Some(taken.iter().map(|day| days[day].clone()).collect());
            }
        }
        None
    }
}

/// The values of the first tests, which stand by hour and value, and the hour of the last one. Of an hour that has more than
/// are wanted they are its quantiles, by nearest rank, because their order in the hour is not known.
fn first(tests: &[Test], count: usize) -> Option<(Vec<f64>, u8)> {
    let last = tests.get(count.checked_sub(1)?)?.hour;
    let before = tests.partition_point(|test| test.hour < last);
    let (within, wanted) = (tests.partition_point(|test| test.hour <= last) - before, count - before);
    let spread = (0..wanted).map(|k| before + ((2 * k + 1) * within).div_ceil(2 * wanted) - 1);
    Some(((0..before).chain(spread).map(|at| tests[at].value).collect(), last))
}

impl Available {
    /// Whether the maximum is reached day by day, the normally available rate normally available, and the minimum kept.
    pub fn judge(&self, tests: &[Test], promised: Promised) -> Verdict {
        let peak: Vec<&Test> =
            tests.iter().filter(|t| (self.peak.0..self.peak.1).contains(&t.hour)).collect();
        let days: BTreeSet<i32> = tests.iter().map(|t| t.day).collect();
        if peak.len() < self.fewest_tests || days.len() < self.fewest_days {
            return Verdict::insufficient(Words::with(
                Phrase {
                    en: "needs {tests} tests at peak on {days} days; there are {have} on {on}",
                    zh: "需要 {days} 天内忙时测试 {tests} 次；现有 {on} 天 {have} 次",
                },
                &[
                    ("tests", &self.fewest_tests),
                    ("days", &self.fewest_days),
                    ("have", &peak.len()),
                    ("on", &days.len()),
                ],
            ));
        }
        let share = |reached: usize, all: usize| reached as f64 / all as f64;
        let (mut evidence, mut missing) = (Vec::new(), Vec::new());
        match promised.maximum {
            Some(maximum) => {
                let reached: BTreeSet<i32> =
                    tests.iter().filter(|t| t.value >= maximum).map(|t| t.day).collect();
                evidence.push(Evidence::at_least(
                    Phrase {
                        en: "share of days on which the maximum was reached once",
                        zh: "至少一次达到最高速率的天数占比",
                    },
                    share(reached.len(), days.len()),
                    self.share_of_days_at_maximum,
                    days.len(),
                ));
            }
            None => missing.push(Words::plain(NO_MAXIMUM)),
        }
        match promised.normal {
            Some(normal) => evidence.extend([
                Evidence::at_least(
                    Phrase {
                        en: "share of tests at peak that reached the normal rate",
                        zh: "忙时达到通常可用速率的比例",
                    },
                    share(peak.iter().filter(|t| t.value >= normal).count(), peak.len()),
                    self.share_at_peak,
                    peak.len(),
                ),
                Evidence::at_least(
                    Phrase {
                        en: "share of all tests that reached the normal rate",
                        zh: "全天达到通常可用速率的比例",
                    },
                    share(tests.iter().filter(|t| t.value >= normal).count(), tests.len()),
                    self.share_of_day,
                    tests.len(),
                ),
            ]),
            None => missing.push(Words::plain(NO_NORMAL)),
        }
        match promised.minimum {
            Some(minimum) => evidence.push(Evidence::at_most(
                Phrase { en: "tests below the minimum rate", zh: "低于最低速率的测试次数" },
                tests.iter().filter(|t| t.value < minimum).count() as f64,
                0.0,
                tests.len(),
            )),
            None => missing.push(Words::plain(NO_MINIMUM)),
        }
        Verdict::of(evidence, missing)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Finding, Rule, find};
    use super::*;

    const PROMISED: Promised = Promised { maximum: Some(100.0), normal: Some(80.0), minimum: Some(50.0) };

    fn campaign(id: &str) -> Campaign {
        match find(id).unwrap().rule {
            Rule::Campaign(campaign) => campaign,
            other => panic!("{id} is {other:?}"),
        }
    }

    /// Three days of ten tests, all at 85 but for those that are set.
    fn days(set: &[(usize, usize, f64)]) -> Vec<Test> {
        let mut tests = Vec::new();
        for day in 0..3 {
            for n in 0..10 {
                let special = set.iter().find(|(d, k, _)| (*d, *k) == (day, n)).map(|s| s.2);
                // From 8 to 12, and from 16 to 20.
                let hour = 8 + n as u8 + if n < 5 { 0 } else { 3 };
                tests.push(Test::new(20_000 + 2 * day as i32, hour, special.unwrap_or(85.0)));
            }
        }
        tests
    }

    fn finding(set: &[(usize, usize, f64)]) -> Finding {
        campaign("bnetza-2021").judge(&days(set), PROMISED).finding
    }

    /// Ninety on two days, so that part (a) holds.
    const PEAKS: [(usize, usize, f64); 2] = [(0, 0, 90.0), (1, 0, 90.0)];

    fn with(more: &[(usize, usize, f64)]) -> Finding {
        finding(&[&PEAKS, more].concat())
    }

    #[test]
    fn twenty_seven_of_thirty_reach_the_normal_rate_and_twenty_six_do_not() {
        let low = |n: usize| (1..=n).map(|k| (2, k, 79.9)).collect::<Vec<_>>();
        assert_eq!(with(&low(3)), Finding::Met);
        assert_eq!(with(&low(4)), Finding::Breached);
    }

    #[test]
    fn ninety_percent_of_the_maximum_is_needed_on_two_of_three_days() {
        assert_eq!(finding(&PEAKS), Finding::Met);
        assert_eq!(finding(&PEAKS[..1]), Finding::Breached);
    }

    #[test]
    fn the_minimum_may_be_undershot_on_one_day_and_not_on_two() {
        assert_eq!(with(&[(0, 1, 49.0), (0, 2, 49.0), (0, 3, 49.0)]), Finding::Met);
        assert_eq!(with(&[(0, 1, 49.0), (1, 1, 49.0)]), Finding::Breached);
    }

    #[test]
    fn too_few_tests_too_close_or_too_far_apart_are_no_campaign() {
        let campaign = campaign("bnetza-2021");
        let mut tests = days(&PEAKS);
        tests.pop();
        assert_eq!(campaign.judge(&tests, PROMISED).finding, Finding::InsufficientData);
        let moved = |step: i32| {
            days(&PEAKS)
                .into_iter()
                .map(|t| Test { day: 20_000 + (t.day - 20_000) / 2 * step, ..t })
                .collect::<Vec<_>>()
        };
        assert_eq!(campaign.judge(&moved(1), PROMISED).finding, Finding::InsufficientData);
        assert_eq!(campaign.judge(&moved(8), PROMISED).finding, Finding::InsufficientData);
        let verdict = campaign.judge(&moved(6), PROMISED);
        assert_eq!((verdict.finding, verdict.evidence.len()), (Finding::Met, 3));
        let told = campaign.judge(&[], PROMISED).missing[0].to_string();
        assert_eq!(
            told,
            "needs 3 days of 10 tests within 14 days, 1 or more days apart, with a pause of 3 hours after 5 tests of a day"
        );
        let told = self::campaign("bnetza-2017").judge(&[], PROMISED).missing[0].to_string();
        assert_eq!(told, "needs 2 days of 10 tests within 14 days, 0 or more days apart");
    }

    /// From 12:59 to 15:00 are two hours and a minute, to 16:00 three hours and a minute.
    #[test]
    fn a_pause_counts_where_the_hours_leave_no_doubt() {
        let campaign = campaign("bnetza-2021");
        let finding = |later: u8| {
            let moved = |t: Test| Test { hour: if t.hour >= 16 { t.hour - 16 + later } else { t.hour }, ..t };
            let tests: Vec<Test> = days(&PEAKS).into_iter().map(moved).collect();
            campaign.judge(&tests, PROMISED).finding
        };
        assert_eq!(finding(16), Finding::Met);
        assert_eq!(finding(15), Finding::InsufficientData);
        // Tests in the pause are left out, and do no harm.
        let mut more = days(&PEAKS);
        more.extend((0..3).map(|day| Test::new(20_000 + 2 * day, 14, 10.0)));
        assert_eq!(campaign.judge(&more, PROMISED).finding, Finding::Met);
    }

    /// By hand: the quantiles 1/6, 3/6 and 5/6 of six values are the first, the third and the fifth; the median is the third.
    #[test]
    fn of_an_hour_with_more_tests_than_count_those_spread_over_its_values_are_taken() {
        let mut tests = vec![Test::new(0, 8, 70.0)];
        tests.extend([10.0, 20.0, 30.0, 40.0, 50.0, 60.0].map(|value| Test::new(0, 9, value)));
        assert_eq!(first(&tests, 4), Some((vec![70.0, 10.0, 30.0, 50.0], 9)));
        assert_eq!(first(&tests, 2), Some((vec![70.0, 30.0], 9)));
        assert_eq!(first(&tests, 7).map(|(values, _)| values.len()), Some(7));
        assert_eq!((first(&tests, 8), first(&tests, 0)), (None, None));
    }

    #[test]
    fn parts_the_contract_does_not_name_are_missing_and_not_met() {
        let verdict = campaign("bnetza-2021").judge(&days(&[]), Promised::default());
        assert_eq!((verdict.finding, verdict.missing.len()), (Finding::InsufficientData, 3));
        let maximum = Promised { normal: None, minimum: None, ..PROMISED };
        let verdict = campaign("bnetza-2021").judge(&days(&PEAKS), maximum);
        assert_eq!((verdict.finding, verdict.evidence.len()), (Finding::InsufficientData, 1));
        let verdict = campaign("bnetza-2021").judge(&days(&[]), maximum);
        assert_eq!((verdict.finding, verdict.missing.len()), (Finding::Breached, 2));
    }

    #[test]
    fn the_older_rule_asks_for_the_maximum_on_each_day() {
        let campaign = campaign("bnetza-2017");
        let two = |set: &[(usize, usize, f64)]| {
            days(set).into_iter().filter(|t| t.day < 20_004).collect::<Vec<_>>()
        };
        assert_eq!(campaign.judge(&two(&PEAKS), PROMISED).finding, Finding::Met);
        assert_eq!(campaign.judge(&two(&PEAKS[..1]), PROMISED).finding, Finding::Breached);
    }

    /// By hand: the maximum of 100 on 9 of 10 days is a share of 0.9, and a day without it is one too many.
    #[test]
    fn the_maximum_is_to_be_reached_once_a_day() {
        let Rule::Available(rule) = find("eu-2015-2120").unwrap().rule else { panic!("another rule") };
        let judge = |days_at_maximum: i32, promised: Promised| {
            let rate = |day: i32, hour: u8| if hour == 23 && day < days_at_maximum { 100.0 } else { 85.0 };
            let tests: Vec<Test> = (0..10)
                .flat_map(|day| (14..24).map(move |hour| Test::new(20_000 + day, hour, rate(day, hour))))
                .collect();
            rule.judge(&tests, promised)
        };
        assert_eq!(judge(10, PROMISED).finding, Finding::Met);
        let verdict = judge(9, PROMISED);
        let first = &verdict.evidence[0];
        assert_eq!((verdict.finding, first.seen, first.n, first.holds), (Finding::Breached, 0.9, 10, false));
        let without = judge(9, Promised { maximum: None, ..PROMISED });
        assert_eq!((without.finding, without.evidence.len()), (Finding::InsufficientData, 3));
        let alone = judge(10, Promised { maximum: Some(100.0), ..Promised::default() });
        assert_eq!(
            (alone.finding, alone.evidence.len(), alone.missing.len()),
            (Finding::InsufficientData, 1, 2)
        );
        let alone = judge(9, Promised { maximum: Some(100.0), ..Promised::default() });
        assert_eq!(alone.finding, Finding::Breached);
    }

    #[test]
    fn a_slower_test_never_makes_a_contract_kept() {
        let campaign = campaign("bnetza-2021");
        let mut state = 7_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as f64 / f64::from(1_u32 << 31)
        };
        for _ in 0..10_000 {
            let mut tests = days(&[]);
            for test in &mut tests {
                test.value = 40.0 + 60.0 * next().sqrt();
            }
            let before = campaign.judge(&tests, PROMISED).finding;
            let at = (next() * 30.0) as usize;
            tests[at].value *= next();
            let after = campaign.judge(&tests, PROMISED).finding;
            assert!(before == Finding::Met || after == Finding::Breached);
        }
    }
}
