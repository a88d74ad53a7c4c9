//! Plausible data of a network that does not exist, for every chart.

#[path = "more.rs"]
pub(crate) mod more;

use broadgauge_model::metric::MetricId;
use broadgauge_model::text::{Lang, Phrase};
use broadgauge_reports::chart::coverage::{Coverage, CoverageBar, CoverageGroup};
use broadgauge_reports::chart::distribution::{Band, Curve, DistributionOverlay};
use broadgauge_reports::chart::dose_response::{DoseBin, DoseResponse, Fit};
use broadgauge_reports::chart::forest::{Forest, ForestGroup, ForestRow};
use broadgauge_reports::chart::health::{HealthRow, HealthSlot, HealthStrip};
use broadgauge_reports::chart::heatmap::{HeatCell, HeatPanel, HeatRow, TimeOfDayHeatmap};
use broadgauge_reports::chart::importance::{ImportancePerformance, ImportancePoint};
use broadgauge_reports::chart::ladder::{LadderPanel, QuantileLadder, Rung};
use broadgauge_reports::chart::ribbon::{Course, Ribbon};
use broadgauge_reports::chart::smoke::{Bucket, Seen, SmokeGraph, SmokePanel, Spread};
use broadgauge_reports::chart::{Caption, Chart, Figure, Party, Role};
use jiff::{Timestamp, ToSpan};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Every chart, with the name of its file.
pub(crate) fn all(lang: Lang) -> [(&'static str, Box<dyn Chart>); 16] {
    [
        ("ladder", Box::new(ladder(lang))),
        ("distribution", Box::new(distribution(lang, false))),
        ("tail", Box::new(distribution(lang, true))),
        ("heatmap", Box::new(heatmap(lang))),
        ("smoke", Box::new(smoke(lang))),
        ("dose", Box::new(dose_response(lang))),
        ("forest", Box::new(forest(lang))),
        ("coverage", Box::new(coverage(lang))),
        ("health", Box::new(health(lang))),
        ("ribbon", Box::new(ribbon(lang))),
        ("importance", Box::new(importance(lang))),
        ("balance", Box::new(more::balance(lang))),
        ("waterfall", Box::new(more::waterfall(lang))),
        ("treated", Box::new(more::treated(lang))),
        ("control", Box::new(more::control(lang))),
        ("silence", Box::new(more::silent(lang))),
    ]
}

const MADE: Phrase = Phrase { en: "Made-up data.", zh: "数据为虚构，仅作示例。" };

fn caption(lang: Lang, title: Phrase, subtitle: Phrase, note: Phrase) -> Caption {
    Caption {
        title: title.get(lang).into(),
        subtitle: subtitle.get(lang).into(),
        note: format!("{} {}", note.get(lang), MADE.get(lang)).trim().into(),
    }
}

fn parties(lang: Lang, count: usize) -> Vec<Party> {
    const NAMES: [Phrase; 4] = [
        Phrase { en: "Our network", zh: "本网" },
        Phrase { en: "Peer A", zh: "对标甲" },
        Phrase { en: "Peer B", zh: "对标乙" },
        Phrase { en: "Peer C", zh: "对标丙" },
    ];
    let role = |i: usize| if i == 0 { Role::Own } else { Role::Peer(i - 1) };
    let party = |(i, name): (usize, &Phrase)| Party { name: name.get(lang).into(), role: role(i) };
    NAMES.iter().enumerate().take(count).map(party).collect()
}

fn known(value: f64, low: f64, high: f64, n: usize) -> Figure {
    Figure::Known { value, interval: (low, high), n }
}

pub(crate) fn ladder(lang: Lang) -> QuantileLadder {
    const FEW: Phrase =
        Phrase { en: "declined: fewer than 6 lines", zh: "不作估计：不足 6 条线路" };
    const WORSE: Phrase =
        Phrase { en: "Worse\n{ms} ms slower than Peer A", zh: "落后\n比对标甲慢 {ms} 毫秒" };
    const PAR: Phrase =
        Phrase { en: "At par\n0.4 ms (−0.6 to 1.3)", zh: "持平\n差 0.4 毫秒（−0.6～1.3）" };
    const HEADINGS: [Phrase; 2] = [
        Phrase { en: "FTTC, north, busy hours", zh: "FTTC，北区，忙时" },
        Phrase { en: "FTTP, north, busy hours", zh: "FTTP，北区，忙时" },
    ];
    let parties = parties(lang, 4);
    let panel = |p: usize| {
        let scale = if p == 0 { 1.0 } else { 0.55 };
        let rung = |(i, quantile): (usize, f64)| {
            let base = [21.0, 38.0, 52.0, 118.0][i] * scale;
            let figures = (0..4)
                .map(|j| {
                    let value = base * [1.0, 0.76, 1.08, 1.28][j];
                    if j == 3 && i == 3 {
                        return Figure::Declined(FEW.get(lang).into());
                    }
                    let half = 1.0 + 0.03 * (i + 1) as f64 * (1.0 + 0.2 * j as f64);
                    known(value, value / half, value * half, 40 - 3 * j)
                })
                .collect();
            let remark = if i == 0 {
                PAR.get(lang).into()
            } else {
                WORSE.fill(lang, &[("ms", &format!("{:.0}", base * 0.24))])
            };
            Rung { quantile, figures, remark }
        };
        LadderPanel {
            heading: HEADINGS[p].get(lang).into(),
            rungs: [0.5, 0.9, 0.95, 0.99].into_iter().enumerate().map(rung).collect(),
        }
    };
    QuantileLadder {
        caption: caption(
            lang,
            Phrase {
                en: "From P90 up we are slower than Peer A, on both technologies",
                zh: "从 P90 起，本网在两种接入上都比对标甲慢",
            },
            Phrase {
                en: "Round-trip delay under load, ms; 1–31 March 2026, 19–23 h local time; 40 lines of ours, 31–37 of each peer",
                zh: "负载下的往返时延（毫秒）；2026 年 3 月 1–31 日，当地时间 19–23 时；本网 40 条线路，各对标 31–37 条",
            },
            Phrase {
                en: "Bars: 95% bootstrap intervals over lines.",
                zh: "横线为按线路自助法得到的 95% 区间。",
            },
        ),
        metric: MetricId::LOADED_ROUND_TRIP_DELAY,
        parties,
        panels: (0..2).map(panel).collect(),
    }
}

pub(crate) fn distribution(lang: Lang, tail: bool) -> DistributionOverlay {
    const LANDMARK: Phrase =
        Phrase { en: "40 ms: calls begin to suffer", zh: "40 毫秒：通话开始受影响" };
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let curves = parties(lang, 3)
        .into_iter()
        .enumerate()
        .map(|(i, party)| {
            let mut values: Vec<f64> = (0..1500)
                .map(|_| {
                    let normal: f64 = (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
                    let slow = if rng.random::<f64>() < [0.14, 0.05, 0.08][i] { 3.5 } else { 1.0 };
                    12.0 * [1.12, 1.0, 1.35][i] * slow * (0.22 * normal).exp()
                })
                .collect();
            values.sort_by(f64::total_cmp);
            let n = values.len() as f64;
            let steps = values.iter().enumerate().map(|(k, &v)| (v, (k + 1) as f64 / n)).collect();
            let lines = [140, 132, 96][i];
            Curve { party, steps, band: if i == 0 { Band::dkw(lines, 0.05) } else { Band::None }, n: lines }
        })
        .collect();
    DistributionOverlay {
        caption: caption(
            lang,
            Phrase {
                en: "One test in seven of ours takes more than 30 ms; one in twenty of Peer A’s",
                zh: "本网每 7 次测试有 1 次超过 30 毫秒，对标甲 20 次才有 1 次",
            },
            Phrase {
                en: "Round-trip delay, ms; March 2026, all hours (Europe/London); Kolmogorov–Smirnov D = 0.21, p < 0.001",
                zh: "往返时延（毫秒）；2026 年 3 月全天（北京时间）；K–S 检验 D = 0.21，p < 0.001",
            },
            Phrase {
                en: "Band: Dvoretzky–Kiefer–Wolfowitz, 95%, over lines.",
                zh: "色带为 95% DKW 区间，按线路数计。",
            },
        ),
        metric: MetricId::ROUND_TRIP_DELAY,
        tail,
        curves,
        landmarks: vec![(40.0, LANDMARK.get(lang).into())],
    }
}

pub(crate) fn heatmap(lang: Lang) -> TimeOfDayHeatmap {
    const DAYS: [Phrase; 7] = [
        Phrase { en: "Mon", zh: "周一" },
        Phrase { en: "Tue", zh: "周二" },
        Phrase { en: "Wed", zh: "周三" },
        Phrase { en: "Thu", zh: "周四" },
        Phrase { en: "Fri", zh: "周五" },
        Phrase { en: "Sat", zh: "周六" },
        Phrase { en: "Sun", zh: "周日" },
    ];
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut panel = |heading: &str, most: f64| {
        let row = |(day, label): (usize, &Phrase)| {
            let cell = |hour: usize| {
                let n = if hour < 5 { rng.random_range(12..60) } else { rng.random_range(80..240) };
                let n = if day == 2 && (9..12).contains(&hour) { 0 } else { n };
                let evening = (-((hour as f64 - 20.8) / 2.0).powi(2)).exp();
                let share =
                    0.02 + most * evening * (1.0 + 0.15 * (day / 5) as f64) + 0.02 * rng.random::<f64>();
                HeatCell { share: (n > 0).then_some(share), n, few_lines: false }
            };
            HeatRow { label: label.get(lang).into(), cells: std::array::from_fn(cell) }
        };
        HeatPanel { heading: heading.into(), rows: DAYS.iter().enumerate().map(row).collect() }
    };
    let names = parties(lang, 2);
    TimeOfDayHeatmap {
        caption: caption(
            lang,
            Phrase {
                en: "Our evenings are the trouble: 8 to 10 pm, every day of the week",
                zh: "问题集中在晚间：每天 20 至 22 时",
            },
            Phrase {
                en: "Round-trip delay under load; March 2026, local time (Europe/London); 38,214 tests on 140 lines",
                zh: "负载下的往返时延；2026 年 3 月，当地时间（北京）；140 条线路共 38,214 次测试",
            },
            Phrase { en: "", zh: "" },
        ),
        measure: Phrase { en: "Share of tests above 60 ms", zh: "超过 60 毫秒的测试占比" }.get(lang).into(),
        least_n: 30,
        peak: Some((19, 23)),
        panels: vec![panel(&names[0].name, 0.45), panel(&names[1].name, 0.16)],
    }
}

pub(crate) fn smoke(lang: Lang) -> SmokeGraph {
    let from: Timestamp = "2026-03-03T00:00:00Z".parse().expect("a time");
    let to = from + 72.hours();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut panel = |heading: &str, rise: f64| {
        let bucket = |i: i64| {
            let start = from + (5 * i).minutes();
            let hour = (i as f64 / 12.0) % 24.0;
            let evening = (-((hour - 20.8) / 1.8).powi(2)).exp();
            let p50 = 14.0 + rise * evening * (0.8 + 0.4 * rng.random::<f64>()) + 0.4 * rng.random::<f64>();
            let jitter = 1.5 + 0.5 * rise * evening * rng.random::<f64>() + rng.random::<f64>();
            let lost = if rng.random::<f64>() < 0.02 + 0.3 * evening { rng.random_range(1..6) } else { 0 };
            let seen = match i {
                300..=330 => Seen::Unmeasured("agent was off".into()),
                600..=606 if rise > 20.0 => Seen::AllLost { sent: 300 },
                _ => Seen::Answers {
                    spread: Spread {
                        p5: p50 - 0.6,
                        p10: p50 - 0.5,
                        p25: p50 - 0.3,
                        p50,
                        p75: p50 + 0.4 * jitter,
                        p90: p50 + jitter,
                        p95: p50 + 1.8 * jitter,
                    },
                    sent: 300,
                    lost,
                },
            };
            Bucket { from: start, to: start + 5.minutes(), seen }
        };
        SmokePanel { heading: heading.into(), buckets: (0..864).map(bucket).collect() }
    };
    let names = parties(lang, 2);
    SmokeGraph {
        caption: caption(
            lang,
            Phrase {
                en: "Delay doubles every evening and loss comes with it; Peer A’s line next door stays flat",
                zh: "每晚时延翻倍并伴随丢包，相邻的对标甲线路保持平稳",
            },
            Phrase {
                en: "Round-trip delay, ms; 3–5 March 2026 (UTC); two lines in one street, 300 packets every 5 minutes",
                zh: "往返时延（毫秒）；2026 年 3 月 3–5 日（UTC）；同一条街的两条线路，每 5 分钟 300 个包",
            },
            Phrase {
                en: "Each column shows the worst of the intervals that it stands for.",
                zh: "每一列取其所含各时段中最差者。",
            },
        ),
        metric: MetricId::ROUND_TRIP_DELAY,
        zone: "UTC".into(),
        from,
        to,
        panels: vec![panel(&names[0].name, 26.0), panel(&names[1].name, 3.0)],
    }
}

pub(crate) fn dose_response(lang: Lang) -> DoseResponse {
    const FEW: Phrase = Phrase { en: "fewer than 5 complaints expected", zh: "预期投诉不足 5 件" };
    let rate_at = |x: f64| 0.42 + 0.021 * (x - 45.0).max(0.0);
    let bins = (0..10)
        .map(|i| {
            let from = 10.0 + 10.0 * f64::from(i);
            let to = if i == 9 { f64::INFINITY } else { from + 10.0 };
            let line_days = 92_000.0 * (-0.42 * f64::from(i)).exp() * if i == 0 { 0.6 } else { 1.0 };
            let wobble = [1.1, 0.9, 1.02, 0.95, 1.06, 0.93, 1.12, 0.9, 1.08, 1.0][i as usize];
            let rate = rate_at(from + 5.0) * wobble;
            let complaints = (rate * line_days / 1000.0).round();
            let half = 1.96 / complaints.max(1.0).sqrt();
            let rate = if complaints < 5.0 {
                Figure::Declined(FEW.get(lang).into())
            } else {
                known(rate, rate * (-half).exp(), rate * half.exp(), complaints as usize)
            };
            DoseBin { from, to, rate, line_days: Some(line_days), complaints: Some(complaints as u64) }
        })
        .collect();
    let points = (0..=42)
        .map(|i| {
            let x = 10.0 + 2.0 * f64::from(i);
            let y = rate_at(x);
            let half = 1.12 + 0.004 * (x - 45.0).abs();
            (x, y, y / half, y * half)
        })
        .collect();
    DoseResponse {
        caption: caption(
            lang,
            Phrase {
                en: "From about 45 ms on, complaints rise with every millisecond",
                zh: "超过约 45 毫秒后，时延每升高一点，投诉就多一些",
            },
            Phrase {
                en: "Network complaints by delay under load on the day before; January–March 2026; 2,140 lines, 138 complaints",
                zh: "网络类投诉与前一日负载下的时延；2026 年 1–3 月；2140 条线路，138 件投诉",
            },
            Phrase {
                en: "Bars: exact 95% Poisson intervals. Line: segmented Poisson fit with its 95% band.",
                zh: "竖线为精确 95% 泊松区间；曲线为分段泊松拟合及其 95% 区间。",
            },
        ),
        metric: MetricId::LOADED_ROUND_TRIP_DELAY,
        statistic: Phrase { en: "daily P95", zh: "日 P95" }.get(lang).into(),
        bins,
        fit: Some(Fit { name: Phrase { en: "segmented fit", zh: "分段拟合" }.get(lang).into(), points }),
        knee: Some(known(45.0, 41.0, 50.0, 138)),
    }
}

pub(crate) fn forest(lang: Lang) -> Forest {
    const LABELS: [Phrase; 4] = [
        Phrase { en: "Delay under load, per 10 ms", zh: "负载下的时延，每 10 毫秒" },
        Phrase { en: "Packet loss, per 1%", zh: "丢包率，每 1%" },
        Phrase { en: "Download goodput, per −10 Mbit/s", zh: "下行吞吐，每降 10 Mbit/s" },
        Phrase { en: "Disconnections, per one a day", zh: "断线，每日每 1 次" },
    ];
    const FEW: Phrase = Phrase { en: "declined: fewer than 20 episodes", zh: "不作估计：不足 20 次" };
    let row = |i: usize, window: Phrase, value: f64, half: f64, n: usize, q: f64| ForestRow {
        label: LABELS[i].get(lang).into(),
        window: window.get(lang).into(),
        ratio: known(value, value / half, value * half, n),
        q: Some(q),
    };
    let day = Phrase { en: "24 h", zh: "24 小时" };
    let days = Phrase { en: "72 h", zh: "72 小时" };
    let groups = vec![
        ForestGroup {
            heading: Phrase { en: "Network complaints", zh: "网络类投诉" }.get(lang).into(),
            control: false,
            rows: vec![
                row(0, day, 1.31, 1.11, 312, 0.000_2),
                row(0, days, 1.18, 1.10, 312, 0.003),
                row(1, day, 1.52, 1.28, 298, 0.001),
                row(2, day, 1.07, 1.09, 276, 0.21),
                ForestRow {
                    label: LABELS[3].get(lang).into(),
                    window: day.get(lang).into(),
                    ratio: Figure::Declined(FEW.get(lang).into()),
                    q: None,
                },
            ],
        },
        ForestGroup {
            heading: Phrase { en: "Control: billing complaints", zh: "对照：账务类投诉" }.get(lang).into(),
            control: true,
            rows: vec![row(0, day, 0.98, 1.12, 188, 0.81), row(1, day, 1.04, 1.25, 180, 0.81)],
        },
        ForestGroup {
            heading: Phrase {
                en: "Control: the day after the complaint", zh: "对照：投诉之后的一天"
            }
            .get(lang)
            .into(),
            control: true,
            rows: vec![row(0, day, 1.02, 1.10, 312, 0.77)],
        },
    ];
    Forest {
        caption: caption(
            lang,
            Phrase {
                en: "Before a network complaint, delay and loss had risen on that very line",
                zh: "网络类投诉之前，同一线路的时延和丢包确已升高",
            },
            Phrase {
                en: "Case-crossover, time-stratified, each line its own control; January–March 2026; 312 episodes on 287 lines",
                zh: "时间分层病例交叉，每条线路自身对照；2026 年 1–3 月；287 条线路共 312 次",
            },
            Phrase {
                en: "Bars: 95% intervals. q: Benjamini–Hochberg over all rows.",
                zh: "横线为 95% 区间；q 为全部行的 Benjamini–Hochberg 校正值。",
            },
        ),
        measure: Phrase { en: "Complaint rate ratio", zh: "投诉率比" }.get(lang).into(),
        groups,
    }
}

pub(crate) fn coverage(lang: Lang) -> Coverage {
    const FEW: Phrase = Phrase {
        en: "declined: 4 lines, at least 6 are needed",
        zh: "不作估计：仅 4 条线路，至少需 6 条",
    };
    let names = parties(lang, 4);
    let group = |heading: Phrase, shares: [(f64, f64); 4], thin: bool| CoverageGroup {
        heading: heading.get(lang).into(),
        bars: names
            .iter()
            .zip(shares)
            .enumerate()
            .map(|(i, (party, (high, low)))| {
                let n = [140, 132, 96, 40][i];
                let half = |p: f64| 1.96 * (p * (1.0 - p) / n as f64).sqrt();
                let figure = |p: f64| known(p, p - half(p), (p + half(p)).min(1.0), n);
                let few = || Figure::Declined(FEW.get(lang).into());
                let declined = thin && i == 3;
                CoverageBar {
                    party: party.clone(),
                    high: if declined { few() } else { figure(high) },
                    low: if declined { few() } else { figure(low) },
                    consistent_mbps: (!declined).then(|| known(60.0 * low, 57.0 * low, 62.0 * low, n)),
                }
            })
            .collect(),
    };
    Coverage {
        caption: caption(
            lang,
            Phrase {
                en: "Three of our lines in ten miss 95% of the promised rate; at Peer A it is one in eight",
                zh: "本网每 10 条线路有 3 条达不到承诺速率的 95%，对标甲每 8 条才有 1 条",
            },
            Phrase {
                en: "Download goodput in busy hours against the promised rate; March 2026; 408 lines",
                zh: "忙时下行有效吞吐与承诺速率之比；2026 年 3 月；408 条线路",
            },
            Phrase {
                en: "Whiskers: 95% Wilson intervals at each cut. 80/80: the rate that 80% of lines get 80% of the time.",
                zh: "横线为各分界处的 95% Wilson 区间。80/80：80% 的线路在 80% 的时间达到的速率。",
            },
        ),
        yardstick: Phrase { en: "the promised rate", zh: "承诺速率" }.get(lang).into(),
        marks: (0.95, 0.80),
        groups: vec![
            group(
                Phrase { en: "FTTC, up to 80 Mbit/s", zh: "FTTC，80 Mbit/s 档" },
                [(0.71, 0.86), (0.88, 0.95), (0.80, 0.93), (0.6, 0.7)],
                true,
            ),
            group(
                Phrase { en: "FTTP, 500 Mbit/s", zh: "FTTP，500 Mbit/s 档" },
                [(0.93, 0.985), (0.95, 0.99), (0.91, 0.97), (0.94, 0.99)],
                false,
            ),
        ],
    }
}

pub(crate) fn health(lang: Lang) -> HealthStrip {
    let from: Timestamp = "2026-03-01T00:00:00Z".parse().expect("a time");
    let mut rng = ChaCha8Rng::seed_from_u64(16);
    let rows = (0..8)
        .map(|i| {
            let slot = |k: usize| {
                if i == 0 && (20..29).contains(&k) || i == 5 && k > 52 {
                    return HealthSlot { planned: 48, on_time: 0, late: 0 };
                }
                if i == 7 && k < 12 {
                    return HealthSlot::default();
                }
                let late = if rng.random::<f64>() < 0.1 { rng.random_range(1..16) } else { 0 };
                let missing = if rng.random::<f64>() < 0.06 { rng.random_range(1..20) } else { 0 };
                HealthSlot { planned: 48, on_time: 48 - late - missing, late }
            };
            HealthRow {
                name: format!("agent-{}-{:02}", ["north", "south"][i % 2], i + 1),
                slots: (0..62).map(slot).collect(),
                clock_synchronised: Some(i != 3),
                clock_error_ms: (i != 3).then_some(0.3 + 0.4 * i as f64),
                timer_error_ms: Some(0.06 + 0.01 * i as f64),
                self_load: Some(0.004 + 0.002 * i as f64),
            }
        })
        .collect();
    HealthStrip {
        caption: caption(
            lang,
            Phrase {
                en: "Measuring was in order: 96% of planned runs came, one agent was silent for four days",
                zh: "测量总体正常：计划任务完成 96%，一个代理静默四天",
            },
            Phrase {
                en: "Runs per half day; March 2026 (Europe/London); 8 agents, 23,808 planned runs",
                zh: "每半天的测量任务；2026 年 3 月（北京时间）；8 个代理，计划 23,808 次",
            },
            Phrase { en: "", zh: "" },
        ),
        zone: if lang == Lang::En { "Europe/London" } else { "Asia/Shanghai" }.into(),
        from,
        to: from + (31 * 24).hours(),
        rows,
    }
}

pub(crate) fn ribbon(lang: Lang) -> Ribbon {
    let course = |name: Phrase, height: f64| Course {
        name: name.get(lang).into(),
        days: (-14..=7)
            .map(|day| {
                let near = (-f64::from((day + 1) * (day + 1)) / 6.0).exp();
                let value = height * near + 0.3 * f64::from((day * 7) % 5 - 2) / 2.0;
                if day == 5 {
                    return (day, Figure::Declined("too few measurements on this day".into()));
                }
                (day, known(value, value - 1.1, value + 1.1, 640))
            })
            .collect(),
    };
    Ribbon {
        caption: caption(
            lang,
            Phrase {
                en: "Delay under load was worse than usual from 3 days before the complaint on",
                zh: "投诉前 3 天起，负载下的时延已比平常差",
            },
            Phrase {
                en: "Loaded round-trip delay; January–March 2026; 640 complaint episodes",
                zh: "负载下的往返时延；2026 年 1–3 月；投诉事件 640 起",
            },
            Phrase { en: "", zh: "" },
        ),
        metric: MetricId::LOADED_ROUND_TRIP_DELAY,
        courses: vec![
            course(Phrase { en: "network complaints", zh: "网络类投诉" }, 9.0),
            course(Phrase { en: "control: billing complaints", zh: "对照：账单类投诉" }, 0.0),
        ],
    }
}

pub(crate) fn importance(lang: Lang) -> ImportancePerformance {
    const POINTS: [(Phrase, f64, f64, bool); 4] = [
        (Phrase { en: "perceived quality", zh: "感知质量" }, 0.61, 58.0, true),
        (Phrase { en: "image", zh: "企业形象" }, 0.44, 71.0, false),
        (Phrase { en: "perceived value", zh: "感知价值" }, 0.31, 63.0, false),
        (Phrase { en: "expected quality", zh: "预期质量" }, 0.12, 76.0, false),
    ];
    let point = |(name, importance, index, first): (Phrase, f64, f64, bool)| ImportancePoint {
        name: name.get(lang).into(),
        importance,
        index: known(index, index - 1.6, index + 1.6, 900),
        first,
    };
    ImportancePerformance {
        caption: caption(
            lang,
            Phrase {
                en: "Perceived quality matters more than most and stands lower than most",
                zh: "感知质量影响大而得分低，应优先改进",
            },
            Phrase { en: "900 respondents; March 2026", zh: "受访者 900 人；2026 年 3 月" },
            Phrase { en: "", zh: "" },
        ),
        target: Phrase { en: "satisfaction", zh: "用户满意度" }.get(lang).into(),
        points: POINTS.map(point).to_vec(),
    }
}
