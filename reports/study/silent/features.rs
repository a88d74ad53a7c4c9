//! What is known of a line on a Monday, from that day and before, and nothing after.

use super::query::{Extra, Query};
use super::row::Refused;
use crate::stats::rows::Rows;
use crate::stats::{Answer as Stat, classifier};
use crate::study::expectation::{LineWeek, line_weeks, note_norm};
use crate::study::experience::{Daily, Risk, Scale};
use crate::study::{Note, Words};
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::Panel;
use broadgauge_model::text::Phrase;
use std::collections::{BTreeMap, BTreeSet};

/// Metrics looked at where none are named.
const MOST_METRICS: usize = 3;
/// Days of which those worse than usual are counted.
const LOOK_BACK: i32 = 28;
/// Fewer outcomes than this show no leak.
const LEAST_OUTCOMES: usize = 10;
/// Words of a header that tell of what comes of a complaint, or with it.
const AFTERWARDS: [&str; 11] = [
    "ticket", "complain", "visit", "repair", "credit", "refund", "callback", "call_", "churn", "cancel",
    "outreach",
];

/// What a column says, so that a reason can be given in words.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Says {
    /// How far short of its expectation the line is.
    Short(MetricId),
    /// How much worse it is than its region.
    Behind(MetricId),
    /// The share of days worse than it was used to.
    Days(MetricId),
    /// Complaints about other things before.
    Before,
    /// A column of the operator's own.
    Extra(String),
}

impl Says {
    pub(super) fn name(&self) -> Words {
        const SHORT: Phrase = Phrase { en: "{metric}: short of expectation", zh: "{metric}：低于期望" };
        const BEHIND: Phrase =
            Phrase { en: "{metric}: worse than the region", zh: "{metric}：差于本地区" };
        const DAYS: Phrase =
            Phrase { en: "{metric}: days worse than usual", zh: "{metric}：差于往常的天数" };
        const BEFORE: Phrase = Phrase { en: "Other complaints before", zh: "此前的其他投诉" };
        const EXTRA: Phrase = Phrase { en: "{name}", zh: "{name}" };
        match self {
            Self::Short(metric) => Words::plain(SHORT).and("metric", metric.label),
            Self::Behind(metric) => Words::plain(BEHIND).and("metric", metric.label),
            Self::Days(metric) => Words::plain(DAYS).and("metric", metric.label),
            Self::Before => Words::plain(BEFORE),
            Self::Extra(name) => Words::with(EXTRA, &[("name", name)]),
        }
    }

    /// A reason in words, from the column's value.
    pub(super) fn reason(&self, value: f64) -> Words {
        const SHORT: Phrase = Phrase {
            en: "{metric}: {n}% short of what this customer had come to expect",
            zh: "{metric}：比该用户的期望差 {n}%",
        };
        const BEHIND: Phrase =
            Phrase { en: "{metric}: {n}% worse than in the region", zh: "{metric}：比本地区差 {n}%" };
        const DAYS: Phrase = Phrase {
            en: "{metric}: {n} of the last 28 evenings worse than this line was used to",
            zh: "{metric}：近 28 晚中有 {n} 晚差于该线路的往常水平",
        };
        const BEFORE: Phrase =
            Phrase { en: "has complained about something else before", zh: "此前曾就其他问题投诉" };
        const EXTRA: Phrase = Phrase { en: "{name} is {n}", zh: "{name} 为 {n}" };
        let percent = |metric: MetricId| format!("{:.0}", 100.0 * Scale::of(metric).share_worse(value));
        match self {
            Self::Short(m) => Words::with(SHORT, &[("n", &percent(*m))]).and("metric", m.label),
            Self::Behind(m) => Words::with(BEHIND, &[("n", &percent(*m))]).and("metric", m.label),
            Self::Days(m) => {
                let days = format!("{:.0}", f64::from(LOOK_BACK) * value);
                Words::with(DAYS, &[("n", &days)]).and("metric", m.label)
            }
            Self::Before => Words::plain(BEFORE),
            Self::Extra(name) => Words::with(EXTRA, &[("name", name), ("n", &format!("{value:.3}"))]),
        }
    }
}

/// A line on a Monday.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    /// Index into the panel.
    pub(super) line: usize,
    pub(super) day: i32,
    pub(super) values: Vec<f64>,
    /// Short of expectation in at least one metric.
    pub(super) short: bool,
    /// Days worse than usual, of all metrics: the plain rule.
    pub(super) rule: f64,
    /// Whether an episode could begin.
    pub(super) at_risk: bool,
}

/// The columns and their rows.
pub(super) struct Features {
    pub(super) columns: Vec<Says>,
    pub(super) snapshots: Vec<Snapshot>,
    pub(super) refused: Vec<Refused>,
    /// The metric known of most lines, and what each line had of it in the seven days before each Monday, on the scale.
    pub(super) metric: Option<MetricId>,
    pub(super) had: Vec<(usize, i32, f64)>,
}

impl Features {
    /// Notes by what lines are judged, where that is not a promise.
    pub(super) fn of(panel: &Panel, risk: &Risk, query: &Query, notes: &mut Vec<Note>) -> Self {
        let mut dailies = Daily::of_panel(panel, &query.own, &query.metrics, query.expectation.peak);
        let known = |daily: &Daily| risk.own.iter().map(|line| daily.lines[*line].len()).sum::<usize>();
        dailies.sort_by_key(|daily| (std::cmp::Reverse(known(daily)), daily.series.metric));
        dailies.truncate(if query.metrics.is_empty() { MOST_METRICS } else { usize::MAX });
        let mut columns = Vec::new();
        let mut weeks: BTreeMap<(usize, i32), Vec<Option<LineWeek>>> = BTreeMap::new();
        for (number, daily) in dailies.iter().enumerate() {
            let metric = daily.series.metric;
            columns.extend([Says::Short(metric), Says::Behind(metric), Says::Days(metric)]);
            let mut by_norm = BTreeSet::new();
            for week in line_weeks(panel, daily, risk, &query.expectation) {
                by_norm.extend(week.norm().map(|_| week.line));
                let slot = weeks.entry((week.line, week.day)).or_insert_with(|| vec![None; dailies.len()]);
                slot[number] = Some(week);
            }
            note_norm(notes, metric, by_norm.len());
        }
        columns.push(Says::Before);
        let (extra, refused) = accepted(&query.extra);
        columns.extend(extra.iter().map(|e| Says::Extra(e.name.clone())));
        let mut snapshots = Vec::new();
        let metric = dailies.first().map(|daily| daily.series.metric);
        let first = |((line, day), known): (&(usize, i32), &Vec<Option<LineWeek>>)| {
            Some((*line, *day, known.first()?.as_ref()?.value))
        };
        let had = weeks.iter().filter_map(first).collect();
        for ((line, day), known) in weeks {
            // The metric known of most lines must be known of this one.
            if known.first().is_none_or(Option::is_none) {
                continue;
            }
            let mut values = Vec::with_capacity(columns.len());
            let (mut short, mut rule) = (false, 0.0);
            for (week, daily) in known.iter().zip(&dailies) {
                let told = week.as_ref().map_or([0.0; 3], |week| told(week, daily));
                short |= told[0] > 0.0;
                rule += told[2];
                values.extend(told);
            }
            let before = risk.other[line].iter().filter(|d| **d < day).count();
            values.push((1.0 + before as f64).ln());
            let id = &panel.lines[line].line_id;
            values.extend(extra.iter().map(|e| e.values.get(id).copied().unwrap_or(0.0)));
            let at_risk = risk.may_begin(line, day);
            snapshots.push(Snapshot { line, day, values, short, rule, at_risk });
        }
        Self { columns, snapshots, refused, metric, had }
    }

    /// The rows of some snapshots.
    pub(super) fn rows(&self, chosen: &[&Snapshot]) -> Stat<Rows> {
        let mut rows = Rows::new(self.columns.len());
        chosen.iter().try_for_each(|snapshot| rows.push(&snapshot.values))?;
        Ok(rows)
    }

    /// Takes out columns that foretell the outcome too well to be honest, and those that do not vary.
    pub(super) fn without_leaks(
        &mut self,
        chosen: impl Fn(&Snapshot) -> bool,
        outcome: &dyn Fn(&Snapshot) -> bool,
    ) {
        const LEAKS: Phrase = Phrase {
            en: "alone it ranks the outcomes almost without error ({area}): it was probably written after the complaint",
            zh: "单独即可几乎无误地排出结果（{area}）：很可能是投诉之后写入的",
        };
        loop {
            let rows: Vec<&Snapshot> = self.snapshots.iter().filter(|s| chosen(s)).collect();
            let known: Vec<bool> = rows.iter().map(|s| outcome(s)).collect();
            // Of a few, any column may put the right ones first.
            if known.iter().filter(|y| **y).count() < LEAST_OUTCOMES {
                return;
            }
            let Ok(table) = self.rows(&rows) else { return };
            let Ok(Some((column, area))) = classifier::leak(&table, &known) else { return };
            let reason = Words::with(LEAKS, &[("area", &format!("{area:.3}"))]);
            self.refused.push(Refused { feature: self.columns[column].name().to_string(), reason });
            self.drop_column(column);
        }
    }

    /// Takes out columns that do not vary in some rows: nothing can be learnt of them.
    pub(super) fn without_constants(&mut self, chosen: impl Fn(&Snapshot) -> bool) {
        for column in (0..self.columns.len()).rev() {
            let mut values = self.snapshots.iter().filter(|s| chosen(s)).map(|s| s.values[column]);
            let first = values.next();
            if values.all(|value| Some(value) == first) {
                self.drop_column(column);
            }
        }
    }

    fn drop_column(&mut self, column: usize) {
        self.columns.remove(column);
        for snapshot in &mut self.snapshots {
            snapshot.values.remove(column);
        }
    }
}

/// Short of the plain mean of what it may be judged by; worse than the region; share of days worse than usual.
fn told(week: &LineWeek, daily: &Daily) -> [f64; 3] {
    let short = week.expected().map_or(0.0, |expected| (week.value - expected).max(0.0));
    let behind = week.factors[2].map_or(0.0, |region| week.value - region);
    let days = daily.between(week.line, week.day - LOOK_BACK, week.day);
    let worse = week.factors[1].map_or(0, |usual| days.iter().filter(|d| d.1 > usual).count());
    [short, behind, if days.is_empty() { 0.0 } else { worse as f64 / days.len() as f64 }]
}

/// Columns whose names do not tell of what comes of a complaint.
fn accepted(extra: &[Extra]) -> (Vec<&Extra>, Vec<Refused>) {
    const NAMED: Phrase = Phrase {
        en: "its name says that it comes of a complaint (“{word}”): it would foretell what has happened already",
        zh: "其名称表明它产生于投诉（“{word}”）：预测的是已经发生的事",
    };
    let (mut kept, mut refused) = (Vec::new(), Vec::new());
    for column in extra {
        let name = column.name.to_lowercase();
        match AFTERWARDS.iter().find(|word| name.contains(**word)) {
            None => kept.push(column),
            Some(word) => {
                let reason = Words::with(NAMED, &[("word", word)]);
                refused.push(Refused { feature: column.name.clone(), reason });
            }
        }
    }
    (kept, refused)
}
