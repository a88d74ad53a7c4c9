//! When must one look: the week by hour, and the course of the whole period.

use super::basis::Basis;
use super::words;
use crate::chart::Caption;
use crate::chart::heatmap::{HeatCell, HeatPanel, HeatRow, TimeOfDayHeatmap};
use crate::chart::smoke::{Bucket, Seen, SmokeGraph, SmokePanel, Spread as Band};
use crate::doc::{Block, Figure, Section};
use crate::study::Answer;
use crate::study::describe::course::{Stretch, course};
use crate::study::describe::hours::{HourCell, Week, busy_share, week};
use crate::study::describe::spread::{Spread, spread};
use crate::study::describe::worst_hours::{WorstHours, worst_hours};
use crate::study::describe::{Series, promise::LEAST_LINES};
use crate::text::number::{self, Style};
use crate::text::{Prose, date};
use broadgauge_model::clock::Wall;
use broadgauge_model::metric::Better;
use broadgauge_model::text::{Lang, Phrase};
use broadgauge_model::unit::Unit;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Cells with fewer tests are hatched.
const LEAST_TESTS: u64 = 30;

/// What the first page and two sections know of time.
pub(super) struct Times {
    focus: Option<Focus>,
}

pub(super) struct Focus {
    /// What the pictures show.
    pub(super) series: Series,
    /// The own operator's values, and the peer operator's.
    pub(super) own: Spread,
    pub(super) peer: Option<(String, Spread)>,
    /// What nine of ten tests of the peer operator (or of the own lines, where there is none) stay within.
    pub(super) limit: f64,
    own_week: Option<Week>,
    peer_week: Option<Week>,
    busy: Answer,
    /// The same of the peer operator.
    peer_busy: Option<Answer>,
    worst: Option<WorstHours>,
    /// Whether so few own lines were tested that nothing of them may be shown.
    hidden: bool,
}

impl Times {
    pub(super) fn of(basis: &Basis<'_>) -> Self {
        Self { focus: basis.selection.focus.clone().and_then(|series| Focus::of(basis, series)) }
    }

    /// What the pictures show, where anything was observed.
    pub(super) fn focus(&self) -> Option<&Focus> {
        self.focus.as_ref()
    }

    /// The share of tests beyond the limit in the busy hours, with the words for the limit.
    pub(super) fn busy(&self) -> Option<(&Answer, Prose)> {
        let focus = self.shown()?;
        Some((&focus.busy, focus.limit_words()))
    }

    /// Whether results tell their hour; a summary only says that it is of the busy ones.
    pub(super) fn tells_hours(&self) -> bool {
        self.focus.as_ref().is_none_or(|focus| focus.own_week.is_some())
    }

    /// What one value is.
    pub(super) fn value(&self) -> words::Value {
        self.focus.as_ref().map_or(words::Value::Test, Focus::value)
    }

    /// Whether too few own lines were tested to show anything of them.
    pub(super) fn hidden(&self) -> bool {
        self.focus.as_ref().is_some_and(|focus| focus.hidden)
    }

    fn shown(&self) -> Option<&Focus> {
        self.focus.as_ref().filter(|focus| !focus.hidden)
    }

    /// The peer operator, and its share of tests beyond the limit in the same hours.
    pub(super) fn peer_busy(&self) -> Option<(&str, &Answer)> {
        let focus = self.shown()?;
        focus.peer.as_ref().map(|(name, _)| name.as_str()).zip(focus.peer_busy.as_ref())
    }

    /// The hours that stand out in the own operator's week.
    pub(super) fn worst_hours(&self) -> Option<WorstHours> {
        self.shown().and_then(|focus| focus.worst)
    }

    pub(super) fn section(&self, basis: &Basis<'_>) -> Section {
        let blocks = match &self.focus {
            None => vec![Block::Declined {
                what: Prose::from(&HEATMAP),
                reason: Phrase {
                    en: "nothing was observed on the own lines", zh: "本网线路没有任何观测"
                }
                .into(),
            }],
            Some(focus) => vec![focus.heatmap(basis), focus.smoke(basis)],
        };
        Section {
            id: "when",
            heading: Phrase { en: "When it is bad", zh: "什么时候变差" }.into(),
            question: Phrase {
                en: "At which hours must one look, and since when?",
                zh: "该看哪些时段？问题从何时开始？",
            }
            .into(),
            blocks,
        }
    }
}

const HEATMAP: Phrase = Phrase { en: "Hours of the week", zh: "时段热力图" };
const SMOKE: Phrase = Phrase { en: "Course over the period", zh: "时段走势（烟雾图）" };

impl Focus {
    fn of(basis: &Basis<'_>, series: Series) -> Option<Self> {
        let own = spread(basis.panel, &series, &basis.query.own);
        if own.lines == 0 {
            return None;
        }
        let compared = basis.selection.headline.map(|row| row.peer.operator.clone());
        let candidates = compared.iter().chain(&basis.parties);
        let peer = candidates
            .map(|name| (name.clone(), spread(basis.panel, &series, name)))
            .find(|(_, spread)| spread.lines > 0 && !basis.hides(spread.lines));
        let nine_of_ten = match series.metric.better {
            Better::Lower => 0.9,
            Better::Higher => 0.1,
        };
        let limit = peer.as_ref().map_or(&own, |(_, spread)| spread).quantile(nine_of_ten)?;
        let of = |name: &str| week(basis.panel, &series, name, limit);
        let share =
            |name: &str| busy_share(basis.panel, &series, name, limit, basis.query.peak, basis.query.seed);
        let busy = share(&basis.query.own);
        let peer_busy = peer.as_ref().map(|(name, _)| share(name));
        let (own_week, peer_week) = (of(&basis.query.own), peer.as_ref().and_then(|(name, _)| of(name)));
        let worst = worst_hours(basis.panel, &series, &basis.query.own, limit, basis.query.seed);
        let hidden = basis.hides(own.lines);
        Some(Self { series, own, peer, limit, own_week, peer_week, busy, peer_busy, worst, hidden })
    }

    pub(super) fn value(&self) -> words::Value {
        words::Value::of(self.series.statistic, self.own_week.is_some())
    }

    fn limit_value(&self) -> Prose {
        number::value(self.limit, words::value_style(self.series.metric))
    }

    /// On which side of the limit it is bad.
    fn beyond(&self) -> Prose {
        let phrase = match self.series.metric.better {
            Better::Lower => Phrase { en: "above {limit}", zh: "高于 {limit}" },
            Better::Higher => Phrase { en: "below {limit}", zh: "低于 {limit}" },
        };
        Prose::say(&phrase, &[("limit", self.limit_value())])
    }

    /// The same, and where the limit comes from: "above 61 ms, which 9 of 10 tests of B stay below".
    fn limit_words(&self) -> Prose {
        let phrase = match (self.series.metric.better, &self.peer) {
            (Better::Lower, Some(_)) => Phrase {
                en: "{beyond}, which 9 of 10 {counted} of {peer} stay below",
                zh: "{beyond}（{peer}每 10 {counted}有 9 {counter}低于此值）",
            },
            (Better::Higher, Some(_)) => Phrase {
                en: "{beyond}, which 9 of 10 {counted} of {peer} exceed",
                zh: "{beyond}（{peer}每 10 {counted}有 9 {counter}高于此值）",
            },
            (Better::Lower, None) => Phrase {
                en: "{beyond}, which 9 of 10 {counted} of all hours stay below",
                zh: "{beyond}（全部时段每 10 {counted}有 9 {counter}低于此值）",
            },
            (Better::Higher, None) => Phrase {
                en: "{beyond}, which 9 of 10 {counted} of all hours exceed",
                zh: "{beyond}（全部时段每 10 {counted}有 9 {counter}高于此值）",
            },
        };
        let peer = self.peer.as_ref().map(|(name, _)| Prose::plain(name)).unwrap_or_default();
        let gaps = [("beyond", self.beyond()), ("peer", peer)];
        Prose::say(&phrase, &[&gaps[..], &self.value().gaps()].concat())
    }

    fn heatmap(&self, basis: &Basis<'_>) -> Block {
        const FINDING: Phrase = Phrase {
            en: "{metric} is worst from {hours}: {inside} of a line's tests {limit}, {outside} at other hours",
            zh: "{metric}在 {hours} 最差：线路平均 {inside} 的测试{limit}，其余时段 {outside}",
        };
        const EVEN: Phrase = Phrase {
            en: "{metric}: no hour of the day stands out",
            zh: "{metric}：没有哪个时段明显偏差",
        };
        const SURE: Phrase = Phrase {
            en: "{gap} more at {lines} lines, with all hours looked at together",
            zh: "同时考察全部时段，{lines} 条线路相差 {gap}",
        };
        const SHARE: Phrase = Phrase { en: "share of tests {limit}", zh: "测试{limit}的比例" };
        const CAPTION: Phrase = Phrase {
            en: "Each field is one hour of one weekday, in the local time of the line; the darker, the more tests {limit}. Hatched: too few tests (fewer than {least}), or too few lines to be shown. Fields count tests, and match nothing: the comparison of like with like is in the section on peer operators.",
            zh: "每格为一周中某天的某个小时（线路当地时间）；颜色越深，{limit}的测试越多。斜纹：测试过少（不足 {least} 次），或线路过少不予显示。各格按测试次数计，未作同类匹配；同类对比见对标一节。",
        };
        if self.hidden {
            return Block::Declined { what: Prose::from(&HEATMAP), reason: words::suppressed() };
        }
        let Some(own_week) = &self.own_week else {
            return declined_without_hours(&HEATMAP);
        };
        let metric = words::series(&self.series);
        let title = match &self.worst {
            Some(worst) => {
                let gaps = [("metric", metric), ("limit", self.beyond())];
                Prose::say(&FINDING, &[&gaps[..], &shares(worst)].concat())
            }
            None => Prose::say(&EVEN, &[("metric", metric)]),
        };
        let limit = self.limit_words();
        let mut subtitle = self.subtitle(basis);
        if let Some(worst) = &self.worst {
            subtitle = Prose::parts(&[subtitle, Prose::say(&SURE, &shares(worst))]);
        }
        let caption = Prose::say(
            &CAPTION,
            &[("limit", limit.clone()), ("least", Prose::plain(LEAST_TESTS.to_string()))],
        );
        let peak = basis.query.peak;
        let make = |lang: Lang| {
            let panel = |name: &str, week: &Week| HeatPanel {
                heading: name.to_owned(),
                rows: rows(week, basis.query.shared, lang),
            };
            let mut panels = vec![panel(&basis.query.own, own_week)];
            if let (Some((name, _)), Some(week)) = (&self.peer, &self.peer_week) {
                panels.push(panel(name, week));
            }
            TimeOfDayHeatmap {
                caption: Caption {
                    title: title.get(lang).to_owned(),
                    subtitle: subtitle.get(lang).to_owned(),
                    note: String::new(),
                },
                measure: Prose::say(&SHARE, &[("limit", limit.clone())]).get(lang).to_owned(),
                least_n: LEAST_TESTS,
                peak: Some((peak.from, peak.to)),
                panels,
            }
        };
        Block::Figure(Figure::new("hours-of-the-week", title.clone(), caption, make))
    }

    fn smoke(&self, basis: &Basis<'_>) -> Block {
        const TITLE: Phrase =
            Phrase { en: "{metric} over the period: {own}", zh: "{metric}的走势：{own}" };
        const TITLES: Phrase = Phrase {
            en: "{metric} over the period: {own} and {peer}",
            zh: "{metric}的走势：{own}与{peer}",
        };
        const CAPTION: Phrase = Phrase {
            en: "The line is the median of all tests in a stretch of {hours} h, coloured by loss; the grey bands hold the middle 50, 80 and 90 of 100 tests. Where several stretches share a pixel, the worst is drawn. Gaps: nothing was measured.",
            zh: "线为每 {hours} 小时内全部测试的中位数，颜色表示丢包；灰带为每 100 次测试中间的 50、80、90 次。多个时段落在同一像素时画最差的一个。空缺处没有测量。",
        };
        if self.hidden {
            return Block::Declined { what: Prose::from(&SMOKE), reason: words::suppressed() };
        }
        let hours: u8 = if date::days(&basis.panel.period) > 45 { 3 } else { 1 };
        let of = |name: &str| course(basis.panel, &self.series, name, hours);
        let mut courses = vec![(basis.query.own.clone(), of(&basis.query.own))];
        courses.extend(self.peer.iter().map(|(name, _)| (name.clone(), of(name))));
        courses.retain(|(_, course)| !course.is_empty());
        if courses.is_empty() {
            return declined_without_hours(&SMOKE);
        }
        let gaps = [
            ("metric", words::series(&self.series)),
            ("own", basis.own()),
            ("peer", courses.get(1).map(|(name, _)| Prose::plain(name)).unwrap_or_default()),
        ];
        let title = Prose::say(if courses.len() > 1 { &TITLES } else { &TITLE }, &gaps);
        let subtitle = self.subtitle(basis);
        let caption = Prose::say(&CAPTION, &[("hours", Prose::plain(hours.to_string()))]);
        let (zone, zone_name) = date::zone(&basis.panel.period.zone);
        let make = |lang: Lang| SmokeGraph {
            caption: Caption {
                title: title.get(lang).to_owned(),
                subtitle: subtitle.get(lang).to_owned(),
                note: String::new(),
            },
            metric: self.series.metric,
            zone: zone_name.to_owned(),
            from: instant(basis.panel.period.from),
            to: instant(basis.panel.period.to),
            panels: courses
                .iter()
                .map(|(name, course)| SmokePanel {
                    heading: name.clone(),
                    buckets: course.iter().filter_map(|stretch| bucket(stretch, &zone)).collect(),
                })
                .collect(),
        };
        Block::Figure(Figure::new("course", title.clone(), caption, make))
    }

    fn subtitle(&self, basis: &Basis<'_>) -> Prose {
        const LINES: Phrase = Phrase { en: "{own}: {n} lines", zh: "{own} {n} 条线路" };
        let count = |name: &str, spread: &Spread| {
            let n = number::count(spread.lines as u64);
            Prose::say(&LINES, &[("own", Prose::plain(name)), ("n", n)])
        };
        let mut parts = vec![words::series(&self.series), count(&basis.query.own, &self.own)];
        parts.extend(self.peer.iter().map(|(name, spread)| count(name, spread)));
        words::subtitle(parts, basis.panel)
    }
}

/// What is said of the hours that stand out.
pub(super) fn shares(worst: &WorstHours) -> [(&'static str, Prose); 5] {
    [
        ("hours", words::hours(worst.from, worst.to)),
        ("inside", Prose::plain(number::percent(worst.inside))),
        ("outside", Prose::plain(number::percent(worst.outside))),
        (
            "gap",
            number::estimate(worst.inside - worst.outside, worst.interval, Style::Difference(Unit::Ratio)),
        ),
        ("lines", number::count(worst.lines as u64)),
    ]
}

fn declined_without_hours(what: &Phrase) -> Block {
    Block::Declined {
        what: Prose::from(what),
        reason: Phrase {
            en: "the data are summaries made elsewhere and do not say at which hour anything was observed",
            zh: "数据为外部汇总值，未说明观测的具体时刻",
        }
        .into(),
    }
}

fn instant(at: Wall) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(at.0)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A stretch of local time on the axis of the report's zone. The hour that a clock change skips has no tests.
fn bucket(stretch: &Stretch, zone: &TimeZone) -> Option<Bucket> {
    let at = |hour: u8| {
        let date = date::date_of_day(stretch.day + i32::from(hour / 24));
        date.at((hour % 24) as i8, 0, 0, 0).to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp())
    };
    let seen = match stretch.values {
        Some([p5, p10, p25, p50, p75, p90, p95]) => Seen::Answers {
            spread: Band { p5, p10, p25, p50, p75, p90, p95 },
            sent: stretch.sent,
            lost: stretch.lost,
        },
        None => Seen::AllLost { sent: stretch.sent },
    };
    let (from, to) = (at(stretch.hour)?, at(stretch.hour + stretch.hours)?);
    (from < to).then_some(Bucket { from, to, seen })
}

fn rows(week: &Week, shared: bool, lang: Lang) -> Vec<HeatRow> {
    let cell = |cell: &HourCell| {
        let hidden = shared && (cell.lines as usize) < LEAST_LINES;
        HeatCell {
            share: cell.share().filter(|_| !hidden),
            n: if hidden { 0 } else { cell.tests },
            few_lines: hidden && cell.tests > 0,
        }
    };
    let row = |(day, hours): (&Phrase, &[HourCell; 24])| HeatRow {
        label: day.get(lang).to_owned(),
        cells: std::array::from_fn(|hour| cell(&hours[hour])),
    };
    date::WEEKDAYS.iter().zip(week).map(row).collect()
}

/// Styles of shares on this page.
pub(super) const SHARE: Style = Style::Share;
