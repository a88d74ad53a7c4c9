//! What a study answers, as an engineer reads it at a terminal.

use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::MethodUse;
use broadgauge_model::result::{Direction, Load, Statistic};
use broadgauge_model::text::Lang;
use broadgauge_reports::study::{Answer, Declined, Head, Series, change, coverage, league, peers, profile};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Reasons for refusals, told once below the table and named in it by their number.
#[derive(Default)]
pub(super) struct Reasons(Vec<String>);

/// How a number is written: shares in percent, because most losses are far below a hundredth.
#[derive(Clone, Copy)]
pub(super) struct Form {
    factor: f64,
    decimals: usize,
}

impl Form {
    pub(super) const fn plain(decimals: usize) -> Self {
        Self { factor: 1.0, decimals }
    }

    /// A share, in percent.
    pub(super) const fn percent(decimals: usize) -> Self {
        Self { factor: 100.0, decimals }
    }

    pub(super) fn of(unit: &str) -> Self {
        if unit == "ratio" { Self { factor: 100.0, decimals: 3 } } else { Self::plain(2) }
    }

    pub(super) fn write(self, value: f64) -> String {
        let text = format!("{:.*}", self.decimals, self.factor * value);
        // What rounds to nothing has no sign.
        match text.strip_prefix('-') {
            Some(zero) if zero.bytes().all(|b| matches!(b, b'0' | b'.')) => zero.to_owned(),
            _ => text,
        }
    }
}

/// What was observed, and by which method.
fn series(series: &Series) -> [String; 3] {
    let observed = observed(series.metric, series.unit(), series.direction, series.statistic.word());
    [observed, series.load.word().into(), series.method.to_string()]
}

/// A stratum's values. A summary is of all days, and of the hours that its source took for the busy ones, which need not
/// be those of `--peak`.
fn stratum(of: &peers::Stratum) -> String {
    let is_summary = of.is_summary();
    let word = |(key, value): &(peers::Key, String)| match key {
        peers::Key::Days if is_summary => None,
        peers::Key::Hours if is_summary && value == "peak" => Some("peak (of the source)".into()),
        _ => Some(value.clone()),
    };
    of.0.iter().filter_map(word).collect::<Vec<_>>().join(" / ")
}

/// How a metric was observed, but for the method.
type Manner = (MetricId, Load, Direction, Statistic);

/// The manner of any study's row.
macro_rules! manner {
    ($row:expr) => {
        ($row.metric, $row.load, $row.direction, $row.statistic)
    };
}

/// Names of rows: the method stands with a metric that was observed by several.
struct Names<'a>(BTreeMap<Manner, BTreeSet<&'a MethodUse>>);

impl<'a> Names<'a> {
    fn of(rows: impl Iterator<Item = (Manner, &'a MethodUse)>) -> Self {
        let mut methods: BTreeMap<Manner, BTreeSet<&MethodUse>> = BTreeMap::new();
        for (manner, method) in rows {
            methods.entry(manner).or_default().insert(method);
        }
        Self(methods)
    }

    fn name(&self, manner: Manner, method: &MethodUse) -> String {
        let (metric, _, direction, statistic) = manner;
        let name = observed(metric, metric.unit.code(), direction, statistic.word());
        let is_one_of_several = self.0.get(&manner).is_some_and(|methods| methods.len() > 1);
        if is_one_of_several { format!("{name}, {method}") } else { name }
    }
}

/// What was observed, with what tells it from the metric's other rows: `delay_variation (ms), up, mean`.
pub(super) fn observed(metric: MetricId, unit: &str, direction: Direction, more: &str) -> String {
    let unit = if unit == "ratio" { "%" } else { unit };
    let direction = if direction == Direction::RoundTrip { "" } else { direction.word() };
    let more = if more == Statistic::Singleton.word() { "" } else { more };
    let words = [format!("{metric} ({unit})"), direction.to_owned(), more.to_owned()];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ")
}

impl Reasons {
    pub(super) fn answer(&mut self, answer: &Answer, form: Form) -> String {
        match answer {
            Answer::Estimate(e) => {
                let (low, high) = e.interval();
                format!("{} [{}, {}]", form.write(e.value()), form.write(low), form.write(high))
            }
            Answer::Declined(declined) => {
                let reason = declined.reason.get(Lang::En);
                let known = self.0.iter().position(|r| *r == reason).unwrap_or_else(|| {
                    self.0.push(reason);
                    self.0.len() - 1
                });
                format!("declined ({})", known + 1)
            }
        }
    }

    pub(super) fn told(&self) -> String {
        self.0.iter().zip(1..).fold(String::new(), |mut text, (reason, number)| {
            let _ = writeln!(text, "({number}) {reason}");
            text
        })
    }
}

pub(super) fn probability(value: Option<f64>) -> String {
    value.map_or_else(|| "-".into(), |v| if v < 0.001 { "<0.001".into() } else { format!("{v:.3}") })
}

/// Lays cells out in columns as wide as their widest cell.
pub(super) fn columns(rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (i, cell) in row.iter().enumerate() {
            let width = cell.chars().count();
            match widths.get_mut(i) {
                Some(widest) => *widest = (*widest).max(width),
                None => widths.push(width),
            }
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

pub(super) fn foot(head: &Head, declined: Option<&Declined>) -> String {
    let mut text = String::new();
    if let Some(declined) = declined {
        let _ = writeln!(text, "declined: {}", declined.reason.get(Lang::En));
    }
    for note in &head.notes {
        let _ = writeln!(text, "note: {} ({})", note.reason.get(Lang::En), note.count);
    }
    text
}

/// The comparison with peer operators.
pub(super) fn peers(study: &peers::Peers) -> String {
    let mut reasons = Reasons::default();
    let names = Names::of(study.rows.iter().map(|row| (manner!(row), &row.method)));
    let header = ["metric", "load", "q", "stratum", "own", "peer", "", "difference", "q-value", "verdict"]
        .map(String::from);
    let mut rows = vec![header.to_vec()];
    for row in &study.rows {
        let form = Form::of(row.unit);
        rows.push(vec![
            names.name(manner!(row), &row.method),
            row.load.word().into(),
            format!("p{}", row.quantile * 100.0),
            stratum(&row.stratum),
            reasons.answer(&row.own.value, form),
            row.peer.operator.clone(),
            reasons.answer(&row.peer.value, form),
            reasons.answer(&row.difference, form),
            probability(row.q),
            finding(row.verdict, &row.difference, row.margin_absolute, row.detectable_difference, form),
        ]);
    }
    let mut text = if study.rows.is_empty() { String::new() } else { columns(&rows) + VERDICTS };
    text += &curves(study, &names, &mut reasons);
    text += &paired(study, &names, &mut reasons);
    text + &reasons.told() + &foot(&study.head, study.declined.as_ref())
}

/// What the verdicts ask for.
const VERDICTS: &str = "\
better, worse: the interval of the difference leaves out 0, and the q-value (from shuffled lines, which need not agree
with the interval where a quantile rests on few lines) is at most 0.05; a difference that is real but smaller than the
margin is said to be so. at par: neither, and shown to lie within the margin. cannot tell: none of
these.
";

/// The verdict, and whether the gap is smaller than what would count as at par; where there is none, the difference
/// that the data would have shown in 80 of 100 cases.
fn finding(
    verdict: peers::Verdict,
    difference: &Answer,
    margin: Option<f64>,
    detectable: Option<f64>,
    form: Form,
) -> String {
    let word = verdict.label().get(Lang::En);
    let differs = matches!(verdict, peers::Verdict::Better | peers::Verdict::Worse);
    let within =
        difference.as_estimate().zip(margin).filter(|(e, margin)| differs && e.value().abs() < *margin);
    match (within, detectable) {
        (Some((_, margin)), _) => format!("{word}, by less than the margin of {}", form.write(margin)),
        (None, Some(difference)) => format!("{word} (would find {})", form.write(difference)),
        (None, None) => word.into(),
    }
}

/// The shift functions, at three of their points.
fn curves(study: &peers::Peers, names: &Names<'_>, reasons: &mut Reasons) -> String {
    if study.curves.is_empty() {
        return String::new();
    }
    let header =
        ["metric", "load", "stratum", "peer", "shift at p10", "p50", "p90", "Cliff's delta", "KS distance"]
            .map(String::from);
    let mut rows = vec![header.to_vec()];
    for curve in &study.curves {
        let form = Form::of(curve.unit);
        let name = names.name(manner!(curve), &curve.method);
        let mut row = vec![name, curve.load.word().into(), stratum(&curve.stratum), curve.peer.clone()];
        for wanted in [0.1, 0.5, 0.9] {
            let point = curve.shift.iter().find(|s| s.quantile == wanted);
            row.push(point.map_or_else(|| "-".into(), |s| reasons.answer(&s.difference, form)));
        }
        row.push(reasons.answer(&curve.cliffs_delta, Form::plain(2)));
        row.push(reasons.answer(&curve.ks_distance, Form::plain(2)));
        rows.push(row);
    }
    format!(
        "\nWhole distributions, own less peer (intervals hold at all deciles at once)\n{}",
        columns(&rows)
    )
}

/// Sites that measure both.
fn paired(study: &peers::Peers, names: &Names<'_>, reasons: &mut Reasons) -> String {
    if study.paired.is_empty() {
        return String::new();
    }
    let header = ["metric", "load", "q", "peer", "sites", "hours", "difference", "q-value", "verdict"]
        .map(String::from);
    let mut rows = vec![header.to_vec()];
    for row in &study.paired {
        let form = Form::of(row.unit);
        rows.push(vec![
            names.name(manner!(row), &row.method),
            row.load.word().into(),
            format!("p{}", row.quantile * 100.0),
            row.peer.clone(),
            row.sites.to_string(),
            row.hours.to_string(),
            reasons.answer(&row.difference, form),
            probability(row.q),
            finding(row.verdict, &row.difference, row.margin_absolute, row.detectable_difference, form),
        ]);
    }
    format!("\nSites that measure both operators\n{}", columns(&rows))
}

/// Units beside each other, by name.
pub(super) fn league(study: &league::League) -> String {
    let mut reasons = Reasons::default();
    let mut text = String::new();
    for row in &study.rows {
        let header = ["", "lines", "mean of lines", "ranks", "ordinary (95%)", "q-value", "standing"]
            .map(String::from);
        let mut rows = vec![header.to_vec()];
        let form = Form::of(row.unit);
        let range = |limits: Option<(f64, f64)>| {
            limits.map_or_else(
                || "-".into(),
                |(low, high)| format!("{} to {}", form.write(low), form.write(high)),
            )
        };
        for unit in &row.units {
            rows.push(vec![
                unit.name.clone(),
                unit.lines.to_string(),
                reasons.answer(&unit.value, form),
                unit.rank.map_or_else(|| "-".into(), |(from, to)| format!("{from} to {to}")),
                range(unit.limits_95),
                probability(unit.q),
                unit.standing.label().get(Lang::En).into(),
            ]);
        }
        let _ = writeln!(
            text,
            "{}, {}, p{}, {}: ordinary {}\n{}",
            observed(row.metric, row.unit, row.direction, row.statistic.word()),
            row.load.word(),
            row.quantile * 100.0,
            stratum(&row.stratum),
            reasons.answer(&row.centre, form),
            columns(&rows)
        );
        if let Some(declined) = &row.funnel_declined {
            let _ = writeln!(text, "no funnel: {}\n", declined.reason.get(Lang::En));
        }
    }
    text + &reasons.told() + &foot(&study.head, study.declined.as_ref())
}

/// Changes, with what an alarm lacks and the retest.
pub(super) fn changes(study: &change::Changes) -> String {
    let mut reasons = Reasons::default();
    let header = [
        "metric",
        "load",
        "",
        "days",
        "since",
        "lasted",
        "before",
        "after",
        "difference",
        "q-value",
        "finding",
    ]
    .map(String::from);
    let names = Names::of(study.rows.iter().map(|row| (manner!(row), &row.method)));
    let mut rows = vec![header.to_vec()];
    let mut told = String::new();
    for row in &study.rows {
        let form = Form::of(row.unit);
        let number = |value: Option<f64>| value.map_or_else(|| "-".into(), |v| form.write(v));
        rows.push(vec![
            names.name(manner!(row), &row.method),
            row.load.word().into(),
            row.name.clone(),
            row.days.to_string(),
            row.since.clone().unwrap_or_else(|| "-".into()),
            row.lasted_days.map_or_else(|| "-".into(), |d| d.to_string()),
            number(row.before),
            number(row.after),
            reasons.answer(&row.difference, form),
            probability(row.q),
            row.finding.label().get(Lang::En).into(),
        ]);
        let since = row.since.as_deref().unwrap_or("");
        for lack in &row.lacks {
            let _ =
                writeln!(told, "{} {} since {since}: no alarm, {}", row.name, row.metric, lack.get(Lang::En));
        }
        if let Some(retest) = &row.retest {
            let _ = writeln!(told, "{} {} since {since}: {}", row.name, row.metric, retest.get(Lang::En));
        }
    }
    let table = if study.rows.is_empty() { String::new() } else { columns(&rows) };
    table + &told + &reasons.told() + &foot(&study.head, study.declined.as_ref())
}

/// What the data can speak for.
pub(super) fn coverage(study: &coverage::Coverage) -> String {
    let mut text = String::new();
    let header =
        ["metric", "load", "method", "stratum", "operator", "lines", "observations", "speaks for", "not for"]
            .map(String::from);
    let mut rows = vec![header.to_vec()];
    for row in &study.rows {
        let mut cells = series(&row.series).to_vec();
        cells.extend([
            stratum(&row.stratum),
            row.operator.clone(),
            row.lines.to_string(),
            row.observations.to_string(),
            row.speaks_for.iter().map(|p| format!("p{}", p * 100.0)).collect::<Vec<_>>().join(" "),
            lacking(&row.silent_on),
        ]);
        rows.push(cells);
    }
    text += &columns(&rows);
    let header =
        ["operator", "region", "lines", "unobserved", "days", "hours of the week (of 168)"].map(String::from);
    let mut rows = vec![header.to_vec()];
    for row in &study.silent {
        rows.push(vec![
            row.operator.clone(),
            row.region.clone().unwrap_or_else(|| "-".into()),
            row.lines.to_string(),
            row.unobserved.to_string(),
            row.days.to_string(),
            row.hours_of_week.to_string(),
        ]);
    }
    let _ = writeln!(text, "\nLines and hours\n{}", columns(&rows));
    let header =
        ["metric", "load", "method", "peer", "strata with both", "own lines there", "peer lines there"]
            .map(String::from);
    let mut rows = vec![header.to_vec()];
    for row in &study.overlap {
        let mut cells = series(&row.series).to_vec();
        cells.extend([
            row.peer.clone(),
            format!("{} of {}", row.strata_both, row.strata_either),
            format!("{} of {}", row.own_lines_common, row.own_lines),
            format!("{} of {}", row.peer_lines_common, row.peer_lines),
        ]);
        rows.push(cells);
    }
    let _ = writeln!(text, "Common ground\n{}", columns(&rows));
    for next in &study.next {
        let _ = writeln!(
            text,
            "open: {}, p{}, {} against {} ({} and {} lines now): {}",
            series(&next.series).join(", "),
            next.quantile * 100.0,
            stratum(&next.stratum),
            next.peer,
            next.lines.0,
            next.lines.1,
            next.advice.get(Lang::En)
        );
    }
    text + &foot(&study.head, study.declined.as_ref())
}

/// The quantiles that cannot be spoken of, with the independent observations that they have and need; too few lines
/// stand before all others.
fn lacking(gaps: &[coverage::Gap]) -> String {
    match gaps.first() {
        Some(gap) if gap.lines < gap.needs_lines => {
            format!("any: {} of {} lines", gap.lines, gap.needs_lines)
        }
        _ => {
            let one = |g: &coverage::Gap| format!("p{} ({} of {})", g.quantile * 100.0, g.effective, g.needs);
            gaps.iter().map(one).collect::<Vec<_>>().join(", ")
        }
    }
}

/// Verdicts with their evidence.
pub(super) fn profile(study: &profile::Profiled) -> String {
    let about = &study.profile;
    let mut text = format!("{}, version {}\n{}\n", about.title, about.version, about.source);
    if let Some(caveat) = &about.caveat {
        let _ = writeln!(text, "mind: {caveat}");
    }
    let counts: Vec<String> = study
        .counts
        .iter()
        .map(|(finding, count)| format!("{count} {}", finding.label().get(Lang::En)))
        .collect();
    let _ = writeln!(text, "{}\n", counts.join(", "));
    let header = ["operator", "subject", "method", "lines", "tests", "finding", "part", "seen", "needed", ""]
        .map(String::from);
    let mut rows = vec![header.to_vec()];
    for row in &study.rows {
        let mut head = vec![
            row.operator.clone(),
            row.subject.clone(),
            row.method.to_string(),
            row.lines.to_string(),
            row.tests.to_string(),
            row.verdict.finding.label().get(Lang::En).to_owned(),
        ];
        for part in &row.verdict.evidence {
            head.extend([
                part.part.get(Lang::En),
                format!("{:.3}", part.seen),
                part.needed.map_or_else(|| "-".into(), |needed| format!("{needed:.3}")),
                match part.needed {
                    None => "no bound",
                    Some(_) if part.holds => "holds",
                    Some(_) => "does not hold",
                }
                .into(),
            ]);
            rows.push(std::mem::replace(&mut head, vec![String::new(); 6]));
        }
        for missing in &row.verdict.missing {
            head.push(missing.get(Lang::En));
            rows.push(std::mem::replace(&mut head, vec![String::new(); 6]));
        }
    }
    if !study.rows.is_empty() {
        text += &columns(&rows);
    }
    text + &foot(&study.head, study.declined.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_written_in_percent_and_nothing_has_no_sign() {
        let loss = Form::of("ratio");
        assert_eq!(
            [loss.write(0.000_12), loss.write(-0.000_001), loss.write(0.25)],
            ["0.012", "0.000", "25.000"]
        );
        assert_eq!([Form::of("ms").write(-0.004), Form::of("ms").write(-1.5)], ["0.00", "-1.50"]);
    }

    #[test]
    fn a_gap_within_the_margin_is_said_to_be_within_it() {
        let write = |verdict, value: f64| {
            let gap = Answer::estimate(value, (value - 1.0, value + 1.0), 80);
            finding(verdict, &gap, Some(5.0), None, Form::of("ms"))
        };
        assert_eq!(write(peers::Verdict::Worse, 2.0), "worse, by less than the margin of 5.00");
        assert_eq!(write(peers::Verdict::Better, -2.0), "better, by less than the margin of 5.00");
        assert_eq!(write(peers::Verdict::Worse, 9.0), "worse");
        assert_eq!(write(peers::Verdict::AtPar, 0.5), "at par");
    }

    #[test]
    fn the_hours_of_a_summary_are_those_of_its_source() {
        use peers::{Key, Stratum};
        let summary = vec![
            (Key::Technology, "adsl".into()),
            (Key::Hours, "peak".into()),
            (Key::Days, "all_days".into()),
        ];
        assert_eq!(stratum(&Stratum(summary)), "adsl / peak (of the source)");
        let tests = vec![(Key::Hours, "peak".into()), (Key::Days, "weekday".into())];
        assert_eq!(stratum(&Stratum(tests)), "peak / weekday");
    }

    #[test]
    fn rows_of_one_metric_are_told_apart() {
        let write = |direction, statistic: Statistic| {
            observed(MetricId::DELAY_VARIATION, "ms", direction, statistic.word())
        };
        assert_eq!(write(Direction::RoundTrip, Statistic::Singleton), "delay_variation (ms)");
        assert_eq!(write(Direction::Up, Statistic::Mean), "delay_variation (ms), up, mean");
    }
}
