//! Which comparisons a report speaks of first.
//!
//! A comparison exists for many strata and quantiles; a reader wants the broadest of each, and among them the one that
//! is furthest behind. Far is measured in margins (how many times the difference that would still count as at par), and
//! by the end of the interval that is nearer to zero: a wide gap that hardly anything is known of does not lead.

use super::query::Query;
use crate::study::describe::Series;
use crate::study::describe::promise::LEAST_LINES;
use crate::study::peers::{Peers, Row, Stratum, Verdict};
use broadgauge_model::metric::{Better, MetricId};
use broadgauge_model::result::Statistic;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The rows in the order in which a reader wants them.
pub(in crate::doc) struct Selection<'a> {
    /// Rows that may be shown.
    pub(super) rows: Vec<&'a Row>,
    /// Of each series, peer operator and quantile, the row over the most strata: worst first.
    pub(super) main: Vec<&'a Row>,
    /// The row that the first page is about: the furthest behind, where one is behind.
    pub(super) headline: Option<&'a Row>,
    /// What the pictures show.
    pub(super) focus: Option<Series>,
    /// Rows that are not shown because too few lines stand behind them.
    pub(super) hidden: usize,
}

impl<'a> Selection<'a> {
    pub(super) fn of(peers: &'a Peers, series: &BTreeMap<Series, u64>, query: &Query) -> Self {
        let hidden = |row: &Row| query.shared && row.own.lines.min(row.peer.lines) < LEAST_LINES;
        let rows: Vec<&Row> = peers.rows.iter().filter(|row| !hidden(row)).collect();
        let mut broadest: BTreeMap<(Series, &str, u64), &Row> = BTreeMap::new();
        for row in &rows {
            let key = (Series::of_row(row), row.peer.operator.as_str(), row.quantile.to_bits());
            let known = broadest.entry(key).or_insert(row);
            if breadth(row) > breadth(known) {
                *known = row;
            }
        }
        let mut main: Vec<&Row> = broadest.into_values().collect();
        main.sort_by(|a, b| severity(a).cmp(&severity(b)).then(effect(b).total_cmp(&effect(a))));
        // The busy hours are what customers feel: a row over all strata of them may lead as well.
        let may_lead =
            |row: &&&Row| row.stratum.is_combined() || main.iter().any(|m| std::ptr::eq(*m, **row));
        let headline = rows
            .iter()
            .filter(may_lead)
            .filter(|row| row.verdict == Verdict::Worse)
            .max_by(|a, b| {
                // What the best or the worst moment was says least about how a line usually is.
                let usual = |row: &Row| !matches!(row.statistic, Statistic::Min | Statistic::Max);
                (usual(a), felt(a))
                    .cmp(&(usual(b), felt(b)))
                    .then(effect(a).total_cmp(&effect(b)))
                    .then(b.quantile.total_cmp(&a.quantile))
            })
            .copied();
        let most_told = main.first().filter(|row| row.verdict != Verdict::CannotTell);
        let focus = headline.or(most_told.copied()).map(Series::of_row).or_else(|| most_observed(series));
        Self { hidden: peers.rows.len() - rows.len(), rows, main, headline, focus }
    }

    /// The main rows of one series and peer operator, by quantile.
    pub(super) fn quantiles(&self, series: &Series, peer: &str) -> Vec<&'a Row> {
        let mut rows: Vec<&Row> = self
            .main
            .iter()
            .filter(|row| row.peer.operator == peer && Series::of_row(row) == *series)
            .copied()
            .collect();
        rows.sort_by(|a, b| a.quantile.total_cmp(&b.quantile));
        rows
    }

    /// The main rows, and the one that the first page is about.
    pub(super) fn told(&self) -> Vec<&'a Row> {
        let leads = self.headline.filter(|led| !self.main.iter().any(|row| std::ptr::eq(*row, *led)));
        leads.into_iter().chain(self.main.iter().copied()).collect()
    }

    /// One row for each series and peer operator: the most telling of its quantiles.
    pub(super) fn findings(&self) -> Vec<&'a Row> {
        let mut found: Vec<&Row> = Vec::new();
        for row in self.told() {
            let known = found.iter().any(|known| {
                known.peer.operator == row.peer.operator && Series::of_row(known) == Series::of_row(row)
            });
            if !known {
                found.push(row);
            }
        }
        found
    }

    /// Single strata in which the own operator is worse, the furthest behind first.
    pub(super) fn worst_strata(&self, series: &Series, peer: &str) -> Vec<&'a Row> {
        let mut rows: Vec<&Row> = self
            .rows
            .iter()
            .filter(|row| !row.stratum.is_combined() && row.verdict == Verdict::Worse)
            .filter(|row| row.peer.operator == peer && Series::of_row(row) == *series)
            .copied()
            .collect();
        rows.sort_by(|a, b| effect(b).total_cmp(&effect(a)));
        rows
    }
}

/// Whether a quantile is about the lines and hours that somebody complains of, or about the best ones.
fn felt(row: &Row) -> bool {
    match row.metric.better {
        Better::Lower => row.quantile >= 0.5,
        Better::Higher => row.quantile <= 0.5,
    }
}

/// Over how much a row speaks.
fn breadth(row: &Row) -> (usize, usize, usize) {
    let all = row.stratum.0.iter().filter(|(_, value)| value == Stratum::ALL).count();
    (all, row.strata, row.own.lines)
}

/// Worse first, cannot tell last.
pub(super) const fn severity(row: &Row) -> u8 {
    match row.verdict {
        Verdict::Worse => 0,
        Verdict::Better => 1,
        Verdict::AtPar => 2,
        Verdict::CannotTell => 3,
    }
}

/// The difference in margins, at the end of its interval that is nearer to zero; 0 where the interval holds zero.
pub(super) fn effect(row: &Row) -> f64 {
    let Some(difference) = row.difference.as_estimate() else { return 0.0 };
    let margin = row.margin_absolute.filter(|margin| *margin > 0.0).unwrap_or(1.0);
    let (low, high) = difference.interval();
    low.max(-high).max(0.0) / margin
}

/// Without a comparison: what was observed most, delays under load before all others.
fn most_observed(series: &BTreeMap<Series, u64>) -> Option<Series> {
    let wanted = [MetricId::LOADED_ROUND_TRIP_DELAY, MetricId::ROUND_TRIP_DELAY, MetricId::DOWNLOAD_GOODPUT];
    let rank =
        |series: &Series| wanted.iter().position(|metric| *metric == series.metric).unwrap_or(wanted.len());
    series.iter().max_by_key(|(series, n)| (Reverse(rank(series)), **n)).map(|(series, _)| series.clone())
}
