//! Words that several sections share: what was measured, where, at which quantile, and how far apart.

use crate::doc::{Number, Tone};
use crate::study::describe::Series;
use crate::study::peers::query::{DAYS_OF_WEEK, Key};
use crate::study::peers::{Row, Stratum, Verdict};
use crate::study::{Answer, Estimate, Words};
use crate::text::number::{self, Style};
use crate::text::{Prose, date};
use broadgauge_model::metric::{Better, MetricId};
use broadgauge_model::result::{Direction, Load, Statistic};
use broadgauge_model::text::{Lang, Phrase};

/// Prose from a study's words.
pub(in crate::doc) fn said(words: &Words) -> Prose {
    Prose::of(|lang| words.get(lang))
}

/// A study's answer as a number of the document.
pub(in crate::doc) fn answer(answer: &Answer) -> Number {
    match answer {
        Answer::Estimate(e) => Number::Known { value: e.value(), interval: e.interval(), n: e.n() as usize },
        Answer::Declined(declined) => Number::Declined(said(&declined.reason)),
    }
}

/// The reason for a number that is not shown because too few lines stand behind it.
pub(in crate::doc) fn suppressed() -> Prose {
    Prose::from(Phrase {
        en: "fewer than 10 lines: not shown, so that nobody can be recognised",
        zh: "线路不足 10 条：为避免识别出个人，不予显示",
    })
}

/// The name of a metric.
pub(in crate::doc) fn metric(metric: MetricId) -> Prose {
    Prose::from(metric.label)
}

/// The name of a metric inside a sentence: no capital, unless it begins with an acronym.
pub(in crate::doc) fn metric_inside(id: MetricId) -> Prose {
    let label = id.label;
    let acronym = label.en.chars().nth(1).is_some_and(char::is_uppercase);
    Prose::of(|lang| {
        let text = label.get(lang);
        let mut letters = text.chars();
        match letters.next() {
            Some(first) if !acronym => first.to_lowercase().to_string() + letters.as_str(),
            _ => text.to_owned(),
        }
    })
}

/// Load, direction and statistic, where they say more than the metric's name does.
pub(in crate::doc) fn manner(series: &Series) -> Vec<Prose> {
    let mut parts = Vec::new();
    match series.load {
        // Delay under load is taken during a download unless something else is said.
        Load::Down if series.metric == MetricId::LOADED_ROUND_TRIP_DELAY => {}
        Load::Idle => {}
        Load::Down => parts.push(Phrase { en: "during a download", zh: "下载期间" }),
        Load::Up => parts.push(Phrase { en: "during an upload", zh: "上传期间" }),
        Load::Both => {
            parts.push(Phrase { en: "during a download and an upload", zh: "同时下载和上传期间" });
        }
    }
    let rate = [MetricId::DOWNLOAD_GOODPUT, MetricId::UPLOAD_GOODPUT].contains(&series.metric);
    match series.direction {
        _ if rate => {}
        Direction::RoundTrip => {}
        Direction::Down => parts.push(Phrase { en: "towards the line", zh: "下行方向" }),
        Direction::Up => parts.push(Phrase { en: "from the line", zh: "上行方向" }),
    }
    if series.statistic != Statistic::Singleton {
        parts.push(statistic(series.statistic));
    }
    let mut parts: Vec<Prose> = parts.into_iter().map(Prose::from).collect();
    if let Some(class) = &series.method.target_class {
        const CLASS: Phrase = Phrase { en: "to {class} targets", zh: "目标类别 {class}" };
        parts.push(Prose::say(&CLASS, &[("class", Prose::plain(class))]));
    }
    parts
}

fn statistic(statistic: Statistic) -> Phrase {
    match statistic {
        Statistic::Singleton => Phrase { en: "single tests", zh: "单次观测" },
        Statistic::Mean => Phrase { en: "means", zh: "均值" },
        Statistic::Median => Phrase { en: "medians", zh: "中位数" },
        Statistic::P01 => Phrase { en: "1% points", zh: "1% 分位数" },
        Statistic::P05 => Phrase { en: "5% points", zh: "5% 分位数" },
        Statistic::P10 => Phrase { en: "10% points", zh: "10% 分位数" },
        Statistic::P25 => Phrase { en: "25% points", zh: "25% 分位数" },
        Statistic::P75 => Phrase { en: "75% points", zh: "75% 分位数" },
        Statistic::P90 => Phrase { en: "90% points", zh: "90% 分位数" },
        Statistic::P95 => Phrase { en: "95% points", zh: "95% 分位数" },
        Statistic::P99 => Phrase { en: "99% points", zh: "99% 分位数" },
        Statistic::Min => Phrase { en: "minima", zh: "最小值" },
        Statistic::Max => Phrase { en: "maxima", zh: "最大值" },
    }
}

/// The metric with its manner: "round-trip delay under load (during a download)".
pub(in crate::doc) fn series_inside(series: &Series) -> Prose {
    with_manner(metric_inside(series.metric), series)
}

/// The same, as a heading.
pub(in crate::doc) fn series(series: &Series) -> Prose {
    with_manner(metric(series.metric), series)
}

fn with_manner(name: Prose, series: &Series) -> Prose {
    const MANNER: Phrase = Phrase { en: "{name} ({manner})", zh: "{name}（{manner}）" };
    let manner = manner(series);
    if manner.is_empty() {
        return name;
    }
    let manner = Prose::commas(manner);
    Prose::say(&MANNER, &[("name", name), ("manner", manner)])
}

/// The part of a file name that tells one series from another.
pub(in crate::doc) fn series_file(series: &Series) -> String {
    let mut name = series.metric.id().to_owned();
    if series.load != Load::Idle {
        name = format!("{name}-{}", series.load.word());
    }
    if series.direction != Direction::RoundTrip && series.metric != MetricId::DOWNLOAD_GOODPUT {
        name = format!("{name}-{}", series.direction.word());
    }
    if series.statistic != Statistic::Singleton {
        name = format!("{name}-{}", series.statistic.word());
    }
    if let Some(class) = &series.method.target_class {
        let plain = |c: char| if c.is_alphanumeric() { c } else { '-' };
        name = format!("{name}-{}", class.chars().map(plain).collect::<String>());
    }
    if series.made { name + "-made" } else { name }
}

/// File names that are never given twice.
#[derive(Default)]
pub(in crate::doc) struct Names(Vec<String>);

impl Names {
    /// The name, with a number behind it where it is taken.
    pub(in crate::doc) fn of(&mut self, name: String) -> String {
        let free = |name: &String| !self.0.contains(name);
        let numbered = (2..).map(|i| format!("{name}-{i}"));
        let found = std::iter::once(name.clone()).chain(numbered).find(free).unwrap_or(name);
        self.0.push(found.clone());
        found
    }
}

/// What one value is to a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::doc) enum Value {
    /// One of the tests of a line.
    Test,
    /// The one number that the data hold of a line and some of its hours, made elsewhere.
    Summary(Statistic),
}

impl Value {
    /// Of a series, which tells the hours of its tests or does not.
    pub(in crate::doc) fn of(statistic: Statistic, tells_hours: bool) -> Self {
        if tells_hours || statistic == Statistic::Singleton { Self::Test } else { Self::Summary(statistic) }
    }

    /// Of a comparison.
    pub(in crate::doc) fn of_row(row: &Row) -> Self {
        Self::of(row.statistic, !row.stratum.is_summary())
    }

    /// `values`, `counted` (behind a number, which Chinese counts with a word of its own) and `counter` (that word).
    pub(in crate::doc) fn gaps(self) -> [(&'static str, Prose); 3] {
        const SUMMARIES: Phrase = Phrase { en: "line summaries ({what})", zh: "线路汇总值（{what}）" };
        const COUNTED: Phrase =
            Phrase { en: "line summaries ({what})", zh: "个线路汇总值（{what}）" };
        match self {
            Self::Test => [
                ("values", Phrase { en: "tests", zh: "测试" }.into()),
                ("counted", Phrase { en: "tests", zh: "次测试" }.into()),
                ("counter", Phrase { en: "", zh: "次" }.into()),
            ],
            Self::Summary(of) => {
                let what = [("what", Prose::from(statistic(of)))];
                [
                    ("values", Prose::say(&SUMMARIES, &what)),
                    ("counted", Prose::say(&COUNTED, &what)),
                    ("counter", Phrase { en: "", zh: "个" }.into()),
                ]
            }
        }
    }
}

/// Whether a key's value says less than all.
fn is_narrower(value: &str) -> bool {
    ![Stratum::ALL, Stratum::ALL_DAYS].contains(&value)
}

/// What both sides have in common, in words: "fttc, north, peak hours".
pub(in crate::doc) fn stratum(stratum: &Stratum) -> Prose {
    let mut parts: Vec<Prose> = Vec::new();
    let is_summary = stratum.is_summary();
    for (key, value) in stratum.0.iter().filter(|(_, value)| is_narrower(value)) {
        parts.push(match (key, value.as_str()) {
            // Which hours are the busy ones of a summary is for its source to say.
            (Key::Hours, "peak") if is_summary => {
                Phrase { en: "the source's peak hours", zh: "数据源所称忙时" }.into()
            }
            (Key::Hours, "peak") => Phrase { en: "peak hours", zh: "忙时" }.into(),
            (Key::Hours, "off_peak" | "off-peak" | "offpeak") => {
                Phrase { en: "off-peak hours", zh: "非忙时" }.into()
            }
            (Key::Hours, "all_day" | "all-day" | "day") => Phrase { en: "whole day", zh: "全天" }.into(),
            (Key::Hour, hour) => Prose::say(
                &Phrase { en: "the hour from {hour}:00", zh: "{hour} 时" },
                &[("hour", Prose::plain(hour))],
            ),
            (Key::HourOfWeek, hour) => hour_of_week(hour),
            (Key::Days, "weekday") => Phrase { en: "weekdays", zh: "工作日" }.into(),
            (Key::Days, "weekend") => Phrase { en: "weekends", zh: "周末" }.into(),
            (Key::Technology, value) => technology(value),
            (_, value) => Prose::plain(value),
        });
    }
    if parts.is_empty() {
        let matched = stratum.0.iter().any(|(key, _)| !key.is_of_time());
        return if matched {
            Phrase { en: "all lines and hours, like with like", zh: "全部线路和时段，同类相比" }.into()
        } else {
            Phrase { en: "all lines and hours", zh: "全部线路和时段" }.into()
        };
    }
    Prose::commas(parts)
}

/// `mon-19` for readers: "the Monday hour from 19:00".
fn hour_of_week(word: &str) -> Prose {
    const HOUR: Phrase = Phrase { en: "the {day} hour from {hour}:00", zh: "{day} {hour} 时" };
    let days = || DAYS_OF_WEEK.into_iter().zip(date::WEEKDAYS);
    let said = word.split_once('-').and_then(|(day, hour)| {
        let (_, day) = days().find(|(short, _)| *short == day)?;
        Some(Prose::say(&HOUR, &[("day", day.into()), ("hour", Prose::plain(hour))]))
    });
    said.unwrap_or_else(|| Prose::plain(word))
}

/// The stratum at the end of a sentence: "in peak hours", "(FTTC, north)".
pub(in crate::doc) fn within(of: &Stratum) -> Prose {
    const OVER: Phrase = Phrase { en: "over {stratum}", zh: "{stratum}" };
    const IN: Phrase = Phrase { en: "in {stratum}", zh: "{stratum}" };
    const NAMED: Phrase = Phrase { en: "({stratum})", zh: "{stratum}" };
    let said = || of.0.iter().filter(|(_, value)| is_narrower(value));
    let phrase = match said().next() {
        None => &OVER,
        Some((Key::Hours | Key::Hour | Key::HourOfWeek, value))
            if said().count() == 1 && value != "all_day" =>
        {
            &IN
        }
        Some(_) => &NAMED,
    };
    Prose::say(phrase, &[("stratum", stratum(of))])
}

/// Access technologies are acronyms to most readers' eyes; those that are words have one in each language.
pub(in crate::doc) fn technology(name: &str) -> Prose {
    const WORDS: [Phrase; 5] = [
        Phrase { en: "cable", zh: "同轴电缆" },
        Phrase { en: "fibre", zh: "光纤" },
        Phrase { en: "fiber", zh: "光纤" },
        Phrase { en: "satellite", zh: "卫星" },
        Phrase { en: "fixed wireless", zh: "固定无线" },
    ];
    if let Some(word) = WORDS.iter().find(|word| word.en == name.to_lowercase().replace(['_', '-'], " ")) {
        return Prose::of(|lang| if lang == Lang::En { name.to_owned() } else { word.get(lang).to_owned() });
    }
    let acronyms =
        ["ftt", "adsl", "vdsl", "sdsl", "dsl", "gpon", "xgs", "pon", "hfc", "fwa", "lte", "docsis"];
    if acronyms.iter().any(|acronym| name.starts_with(acronym)) {
        Prose::plain(name.to_uppercase())
    } else {
        Prose::plain(name)
    }
}

/// `P95`.
pub(in crate::doc) fn quantile(q: f64) -> String {
    format!("P{}", number::trimmed((q * 1e6).round() / 1e4))
}

/// `P95` with its meaning, for where a reader first meets it.
pub(in crate::doc) fn quantile_told(row: &Row) -> Prose {
    const TOLD: Phrase = Phrase {
        en: "{q}, which {n} of 100 {counted} do not exceed",
        zh: "{q}（每 100 {counted}有 {n} {counter}不超过此值）",
    };
    let n = number::trimmed((row.quantile * 1e6).round() / 1e4);
    let gaps = [("q", Prose::plain(quantile(row.quantile))), ("n", Prose::plain(n))];
    Prose::say(&TOLD, &[&gaps[..], &Value::of_row(row).gaps()].concat())
}

/// How the values of a metric are printed.
pub(in crate::doc) fn value_style(metric: MetricId) -> Style {
    Style::Value(metric.unit)
}

/// How differences of a metric are printed.
pub(in crate::doc) fn difference_style(metric: MetricId) -> Style {
    Style::Difference(metric.unit)
}

/// The verdict's tone.
pub(in crate::doc) const fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Worse => Tone::Worse,
        Verdict::Better => Tone::Better,
        Verdict::AtPar => Tone::AtPar,
        Verdict::CannotTell => Tone::CannotTell,
    }
}

/// What a reader sees at a quantile: "Of 100 tests on A's lines, 5 are above 82 ms; on B's lines, 5 are above 61 ms."
pub(in crate::doc) fn seen_at(row: &Row, own: &Prose) -> Prose {
    let values = values_of(row);
    let gaps = [
        ("own", own.clone()),
        ("peer", Prose::plain(&row.peer.operator)),
        ("share", Prose::plain(number::trimmed(share_beyond(row)))),
        ("a", values.0),
        ("b", values.1),
    ];
    let tests = Value::of_row(row) == Value::Test;
    let phrase = match (row.metric.better, row.quantile == 0.5, tests) {
        (Better::Lower, true, true) => Phrase {
            en: "Half of the tests on {own}'s lines are above {a}; on {peer}'s, half are above {b}.",
            zh: "{own}的线路上一半的测试高于 {a}，{peer}为 {b}。",
        },
        (Better::Lower, true, false) => Phrase {
            en: "Half of {own}'s lines are above {a}; half of {peer}'s are above {b}.",
            zh: "{own}有一半线路高于 {a}，{peer}为 {b}。",
        },
        (Better::Lower, false, true) => Phrase {
            en: "Of 100 tests on {own}'s lines, {share} are above {a}; on {peer}'s, as many are above {b}.",
            zh: "{own}的线路上每 100 次测试有 {share} 次高于 {a}，{peer}为 {b}。",
        },
        (Better::Lower, false, false) => Phrase {
            en: "Of 100 lines of {own}, {share} are above {a}; of {peer}'s, as many are above {b}.",
            zh: "{own}每 100 条线路有 {share} 条高于 {a}，{peer}为 {b}。",
        },
        (Better::Higher, true, true) => Phrase {
            en: "Half of the tests on {own}'s lines are below {a}; on {peer}'s, half are below {b}.",
            zh: "{own}的线路上一半的测试低于 {a}，{peer}为 {b}。",
        },
        (Better::Higher, true, false) => Phrase {
            en: "Half of {own}'s lines are below {a}; half of {peer}'s are below {b}.",
            zh: "{own}有一半线路低于 {a}，{peer}为 {b}。",
        },
        (Better::Higher, false, true) => Phrase {
            en: "Of 100 tests on {own}'s lines, {share} are below {a}; on {peer}'s, as many are below {b}.",
            zh: "{own}的线路上每 100 次测试有 {share} 次低于 {a}，{peer}为 {b}。",
        },
        (Better::Higher, false, false) => Phrase {
            en: "Of 100 lines of {own}, {share} are below {a}; of {peer}'s, as many are below {b}.",
            zh: "{own}每 100 条线路有 {share} 条低于 {a}，{peer}为 {b}。",
        },
    };
    Prose::say(&phrase, &gaps)
}

/// Of 100, how many lie beyond the quantile on the side that is worse for the customer.
fn share_beyond(row: &Row) -> f64 {
    let share = match row.metric.better {
        Better::Lower => 1.0 - row.quantile,
        Better::Higher => row.quantile,
    };
    (share * 1e6).round() / 1e4
}

/// Both sides' values without their intervals, with the same decimals, for a sentence whose gap carries one.
pub(in crate::doc) fn values_of(row: &Row) -> (Prose, Prose) {
    const NOT_GIVEN: Phrase = Phrase { en: "not given", zh: "未给出" };
    let style = value_style(row.metric);
    match (row.own.value.as_estimate(), row.peer.value.as_estimate()) {
        (Some(a), Some(b)) => number::pair((a.value(), a.interval()), (b.value(), b.interval()), style),
        (a, b) => {
            let one = |side: Option<&Estimate>| match side {
                Some(e) => number::estimate_parts(e.value(), e.interval(), style).0,
                None => NOT_GIVEN.into(),
            };
            (one(a), one(b))
        }
    }
}

/// The size of a difference without its sign: "21 ms (14 to 28)".
pub(in crate::doc) fn size(row: &Row) -> Prose {
    match &row.difference {
        Answer::Declined(declined) => said(&declined.reason),
        Answer::Estimate(e) => {
            let (low, high) = e.interval();
            let style = difference_style(row.metric);
            if e.value() >= 0.0 {
                number::estimate(e.value(), (low, high), style)
            } else {
                number::estimate(-e.value(), (-high, -low), style)
            }
        }
    }
}

/// The size of a difference and which way it goes: "21 ms (14 to 28) more".
pub(in crate::doc) fn gap(row: &Row) -> Prose {
    const MORE: Phrase = Phrase { en: "{gap} more", zh: "高 {gap}" };
    const LESS: Phrase = Phrase { en: "{gap} less", zh: "低 {gap}" };
    match &row.difference {
        Answer::Declined(declined) => said(&declined.reason),
        Answer::Estimate(e) => {
            Prose::say(if e.value() >= 0.0 { &MORE } else { &LESS }, &[("gap", size(row))])
        }
    }
}

/// That a gap is real and smaller than what counts as at par; `None` where it is larger, or where there is none.
pub(in crate::doc) fn within_margin(row: &Row) -> Option<Prose> {
    const WITHIN: Phrase =
        Phrase { en: "by less than the margin of {margin}", zh: "差值小于 {margin} 的界限" };
    let differs = matches!(row.verdict, Verdict::Worse | Verdict::Better);
    let margin = row.margin_absolute.filter(|_| differs && row.beyond_margin == Some(false))?;
    Some(Prose::say(&WITHIN, &[("margin", number::value(margin, difference_style(row.metric)))]))
}

/// `24h` as a study writes it, for readers.
pub(in crate::doc) fn window(window: &str) -> Prose {
    const HOURS: Phrase = Phrase { en: "{n} h", zh: "{n} 小时" };
    const DAYS: Phrase = Phrase { en: "{n} days", zh: "{n} 天" };
    let amount = |unit: char| window.strip_suffix(unit).and_then(|n| n.trim().parse::<u32>().ok());
    match (amount('h'), amount('d')) {
        (Some(hours), _) => Prose::say(&HOURS, &[("n", Prose::plain(hours.to_string()))]),
        (_, Some(days)) => Prose::say(&DAYS, &[("n", Prose::plain(days.to_string()))]),
        _ => Prose::plain(window),
    }
}

/// An amount of a metric: "10 ms", "1 percentage point".
pub(in crate::doc) fn step(metric: MetricId, increment: f64) -> Prose {
    const POINTS: Phrase = Phrase { en: "{n} percentage points", zh: "{n} 个百分点" };
    const POINT: Phrase = Phrase { en: "{n} percentage point", zh: "{n} 个百分点" };
    const UNIT: Phrase = Phrase { en: "{n} {unit}", zh: "{n} {unit}" };
    if metric.unit == broadgauge_model::unit::Unit::Ratio {
        let n = number::trimmed(increment * 100.0);
        return Prose::say(if n == "1" { &POINT } else { &POINTS }, &[("n", Prose::plain(n))]);
    }
    let unit = Prose::from(metric.unit.symbol());
    Prose::say(&UNIT, &[("n", Prose::plain(number::trimmed(increment))), ("unit", unit)])
}

/// `19:00 to 23:00`.
pub(in crate::doc) fn hours(from: u8, to: u8) -> Prose {
    const HOURS: Phrase = Phrase { en: "{from} to {to}", zh: "{from}～{to}" };
    Prose::say(&HOURS, &[("from", Prose::plain(date::hour(from))), ("to", Prose::plain(date::hour(to)))])
}

/// The subtitle of a chart: metric and unit, period, zone.
pub(in crate::doc) fn subtitle(parts: Vec<Prose>, panel: &broadgauge_model::panel::Panel) -> Prose {
    const ZONE: Phrase = Phrase { en: "{period} ({zone})", zh: "{period}（{zone}）" };
    let zone = Prose::plain(&panel.period.zone);
    let period = Prose::say(&ZONE, &[("period", date::period(&panel.period)), ("zone", zone)]);
    let parts: Vec<_> = parts.into_iter().chain([period]).collect();
    Prose::parts(&parts)
}
