//! How near does the line come to what an application needs? Quality of Outcome (draft-ietf-ippm-qoo-10 section 3.3).
//!
//! For each percentile that the application cares for, the measured delay is placed between the conditions of optimal
//! and of unacceptable performance; the worst place counts. Loss in the same way, throughput as reached or not. The
//! score is the least of the three, 0 to 100.
//!
//! What it cannot tell: what happens between two probes. Fewer than one probe a second, and short tests, miss rare
//! spikes and read too well; the interval says what the number of probes leaves open. A score without a throughput
//! part is another variant (draft -06, LibreQoS) and says so.

use super::{Declined, Estimate, interval};
use broadgauge_model::clock::Span;
use broadgauge_model::text::Lang;
use broadgauge_model::unit::{Rate, Ratio};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// A bound on a percentile of the round-trip delay.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DelayNeed {
    /// Which percentile, 0 to 100.
    pub percentile: f64,
    /// Nothing is gained below.
    pub optimal_ms: f64,
    /// Nothing is left above.
    pub unacceptable_ms: f64,
}

/// A bound on the loss, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LossNeed {
    /// Nothing is gained below.
    pub optimal: f64,
    /// Nothing is left above.
    pub unacceptable: f64,
}

/// What an application needs.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The name in results.
    pub id: String,
    /// The name for readers.
    pub name: Name,
    /// Whether scores by it are stored.
    pub stored: bool,
    /// Who says so.
    pub source: String,
    /// When that was read.
    pub read: String,
    /// Of the delay.
    pub delay: Vec<DelayNeed>,
    /// Of the loss.
    pub loss_percent: LossNeed,
    /// Of the download.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download_mbps: Option<f64>,
    /// Of the upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_mbps: Option<f64>,
}

/// A name in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    en: String,
    zh: String,
}

impl Name {
    /// In this language.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "about")]
    _about: String,
    profiles: Vec<Profile>,
}

static FILE: LazyLock<File> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "part of the program, read by a test")]
    serde_json::from_str(include_str!("data/applications.json")).expect("data/applications.json")
});

/// The applications that are known by name.
pub fn profiles() -> &'static [Profile] {
    &FILE.profiles
}

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Round-trip delays, sorted.
    pub delays: Vec<Span>,
    /// Probes that were sent.
    pub sent: u64,
    /// Of those, lost.
    pub lost: u64,
    /// How losses of neighbouring probes are correlated.
    pub correlation: f64,
    /// Probes a second.
    pub per_second: f64,
    /// Received from the peer, where that was measured.
    pub download: Option<Rate>,
    /// Received by the peer, where that was measured.
    pub upload: Option<Rate>,
}

/// A score and its parts, all 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// The least of the parts.
    pub score: Estimate,
    /// Of the delay.
    pub delay: f64,
    /// Of the loss.
    pub loss: f64,
    /// Of the throughput; `None` where it is not part of the score.
    pub throughput: Option<f64>,
}

/// The score for an application.
pub fn outcome(seen: &Seen, profile: &Profile) -> Result<Outcome, Declined> {
    if seen.per_second < 1.0 {
        return Err(Declined::because(format!(
            "{:.2} probes a second miss short spikes; 1 or more do not",
            seen.per_second
        )));
    }
    let n = seen.delays.len() as u64;
    let mut delay = (1.0_f64, 1.0_f64, 1.0_f64); // measured, worst, best
    for need in &profile.delay {
        let q = need.percentile / 100.0;
        let score = |ms: f64| place(ms, need.optimal_ms, need.unacceptable_ms);
        let ranked = |rank: u64| seen.delays[(rank.clamp(1, n) - 1) as usize].as_millis_f64();
        let (least, most) = interval::ranks(q, n);
        let Some(most) = most.or((q >= 1.0 && n > 0).then_some(n)) else {
            let (p, fewest) = (need.percentile, interval::fewest(q));
            return Err(Declined::because(format!("{n} answers do not bound a P{p}; {fewest} do")));
        };
        let measured = score(ranked((q * n as f64 - 1e-9).ceil() as u64));
        let best = score(ranked(least.unwrap_or(1)));
        delay = (delay.0.min(measured), delay.1.min(score(ranked(most))), delay.2.min(best));
    }
    let Some(ratio) = Ratio::of(seen.lost, seen.sent) else {
        return Err(Declined::because("no probe was sent"));
    };
    let need = profile.loss_percent;
    let score = |ratio: f64| place(100.0 * ratio, need.optimal, need.unacceptable);
    let (least, most) = interval::share(seen.lost, seen.sent, seen.correlation);
    let loss = (score(ratio.0), score(most), score(least));
    let throughput = throughput(seen, profile)?;
    let all = |delay: f64, loss: f64| 100.0 * delay.min(loss).min(throughput.unwrap_or(1.0));
    Ok(Outcome {
        score: Estimate {
            value: all(delay.0, loss.0),
            interval: (all(delay.1, loss.1), all(delay.2, loss.2)),
            n: seen.sent,
        },
        delay: 100.0 * delay.0,
        loss: 100.0 * loss.0,
        throughput: throughput.map(|part| 100.0 * part),
    })
}

/// `1 - (measured - optimal) / (unacceptable - optimal)`, within 0 and 1.
fn place(measured: f64, optimal: f64, unacceptable: f64) -> f64 {
    (1.0 - (measured - optimal) / (unacceptable - optimal)).clamp(0.0, 1.0)
}

fn throughput(seen: &Seen, profile: &Profile) -> Result<Option<f64>, Declined> {
    let mut part = None;
    for (need, measured, way) in
        [(profile.download_mbps, seen.download, "download"), (profile.upload_mbps, seen.upload, "upload")]
    {
        let Some(need) = need else { continue };
        let Some(measured) = measured else {
            return Err(Declined::because(format!("the profile needs a {way} rate, and none was measured")));
        };
        let reached = if measured.as_mbps() >= need { 1.0 } else { 0.0 };
        part = Some(part.map_or(reached, |before: f64| before.min(reached)));
    }
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example of draft-ietf-ippm-qoo-10 section 3.4.
    fn example() -> Profile {
        let delay =
            |percentile, optimal_ms, unacceptable_ms| DelayNeed { percentile, optimal_ms, unacceptable_ms };
        Profile {
            id: String::from("example"),
            name: Name { en: "Example".into(), zh: "示例".into() },
            stored: false,
            source: String::from("draft-ietf-ippm-qoo-10 section 3.4"),
            read: String::from("2026-11-22"),
            delay: vec![delay(99.0, 200.0, 500.0), delay(99.9, 300.0, 600.0)],
            loss_percent: LossNeed { optimal: 1.0, unacceptable: 5.0 },
            download_mbps: Some(4.0),
            upload_mbps: None,
        }
    }

    /// 4,000 delays with a P99 of 350 ms and a P99.9 of 375 ms; 2 % lost; 28 Mbit/s.
    fn measured() -> Seen {
        let mut delays = vec![Span::millis(20); 3_950];
        delays.extend([Span::millis(350); 40]);
        delays.extend([Span::millis(375); 10]);
        Seen {
            delays,
            sent: 4_000,
            lost: 80,
            correlation: 0.0,
            per_second: 10.0,
            download: Some(Rate::mbps(28.0)),
            upload: None,
        }
    }

    #[test]
    fn the_example_of_the_draft_scores_fifty() {
        // draft-ietf-ippm-qoo-10 section 3.4: 50 for delay, 75 for loss, 100 for throughput, and so 50.
        let got = outcome(&measured(), &example()).unwrap();
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(near(got.delay, 50.0) && near(got.loss, 75.0) && got.throughput == Some(100.0));
        assert!(near(got.score.value, 50.0) && got.score.n == 4_000);
        let (worst, best) = got.score.interval;
        assert!(worst <= 50.0 && best >= 50.0, "{:?}", got.score);
    }

    #[test]
    fn a_rate_that_falls_short_or_is_unknown_is_told_apart() {
        let slow = Seen { download: Some(Rate::mbps(3.9)), ..measured() };
        assert_eq!(outcome(&slow, &example()).unwrap().score.value, 0.0);
        let unknown = Seen { download: None, ..measured() };
        assert!(outcome(&unknown, &example()).unwrap_err().0.contains("download rate"));
    }

    #[test]
    fn percentiles_that_the_data_do_not_hold_are_declined() {
        let mut short = measured();
        short.delays.truncate(3_600);
        assert_eq!(outcome(&short, &example()).unwrap_err().0, "3600 answers do not bound a P99.9; 3688 do");
        let sparse = Seen { per_second: 0.5, ..measured() };
        assert!(outcome(&sparse, &example()).unwrap_err().0.contains("probes a second"));
    }

    #[test]
    fn few_probes_leave_the_score_open() {
        let even = |n: usize| Seen {
            delays: vec![Span::millis(10); n],
            sent: n as u64,
            per_second: 10.0,
            ..Seen::default()
        };
        let web = &profiles()[0];
        assert_eq!(outcome(&even(71), web).unwrap_err().0, "71 answers do not bound a P95; 72 do");
        let few = outcome(&even(100), web).unwrap().score;
        assert_eq!((few.value, few.interval), (100.0, (0.0, 100.0)), "none lost of 100 may be 3.7 %");
        let many = outcome(&even(2_000), web).unwrap().score;
        assert_eq!((many.value, many.interval), (100.0, (100.0, 100.0)));
    }

    #[test]
    fn every_profile_is_sound() {
        assert!(profiles().len() >= 6 && profiles().iter().any(|profile| profile.stored));
        for profile in profiles() {
            assert!(!profile.source.is_empty() && profile.read.len() == 10, "{}", profile.id);
            assert!(profile.loss_percent.optimal < profile.loss_percent.unacceptable);
            for need in &profile.delay {
                assert!(need.optimal_ms < need.unacceptable_ms && (0.0..=100.0).contains(&need.percentile));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]
        #[test]
        fn a_slower_or_lost_probe_never_improves_the_score(
            delays in prop::collection::vec(1_i64..300, 100..200), at in 0_usize..100, slower in 0_i64..300, lost in 0_u64..10,
        ) {
            let seen = |delays: &[i64], lost: u64| {
                let mut delays: Vec<Span> = delays.iter().copied().map(Span::millis).collect();
                delays.sort_unstable();
                let sent = delays.len() as u64 + lost;
                Seen { delays, sent, lost, per_second: 10.0, ..Seen::default() }
            };
            let mut slow = delays.clone();
            slow[at] += slower;
            for profile in profiles() {
                let before = outcome(&seen(&delays, lost), profile).unwrap().score.value;
                prop_assert!(outcome(&seen(&slow, lost), profile).unwrap().score.value <= before);
                prop_assert!(outcome(&seen(&delays, lost + 1), profile).unwrap().score.value <= before);
            }
        }
    }
}
