//! Levels, gaps and the zone of tolerance, by segment and month.

use super::fit::{Used, segment};
use super::row::{Gap, GapKind, Level, Month, Zone};
use super::weeks::{Factor, LineWeek, date, month};
use crate::study::Answer;
use crate::study::experience::{Scale, mean_of_lines};
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::Panel;
use broadgauge_model::text::Phrase;
use std::collections::{BTreeMap, BTreeSet};

/// A week with what is expected of it and where it stands.
pub(super) struct Placed<'a> {
    pub(super) week: &'a LineWeek,
    pub(super) expected: f64,
    /// Below 0: worse than adequate; 0: inside; above 0: as desired. None where an end is not known.
    standing: Option<i8>,
}

/// What the places of weeks need.
pub(super) struct Ground<'a> {
    pub(super) panel: &'a Panel,
    pub(super) scale: Scale,
    pub(super) metric: MetricId,
    pub(super) factors: &'a [Factor],
    pub(super) used: &'a Used,
    /// On the scale.
    pub(super) knee: Option<f64>,
}

impl Ground<'_> {
    pub(super) fn place<'a>(&self, weeks: &'a [LineWeek]) -> Vec<Placed<'a>> {
        let placed = weeks.iter().filter_map(|week| {
            let expected = self.used.level(segment(self.panel, week.line), self.factors, week)?;
            Some(Placed { week, expected, standing: self.standing(week) })
        });
        placed.collect()
    }

    /// On the scale, higher is worse: the stricter of two ends is the lower one.
    fn standing(&self, week: &LineWeek) -> Option<i8> {
        let least = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let contract = &self.panel.lines[week.line].promise;
        let minimum = contract.minimum_down_mbps.filter(|_| self.metric == MetricId::DOWNLOAD_GOODPUT);
        let adequate = least(minimum.and_then(|m| self.scale.to(m)), self.knee)?;
        // What is desired is never worse than what is adequate, and a norm is no promise.
        let desired = least(week.promise(), week.region_good)?.min(adequate);
        Some(match week.value {
            value if value > adequate => -1,
            value if value <= desired => 1,
            _ => 0,
        })
    }

    /// All weeks, each month, each segment, and each segment in each month.
    pub(super) fn months(&self, placed: &[Placed<'_>]) -> Vec<Month> {
        let mut groups: BTreeMap<(Option<&str>, Option<String>), Vec<&Placed<'_>>> = BTreeMap::new();
        let segments: BTreeSet<&str> = placed.iter().map(|p| segment(self.panel, p.week.line)).collect();
        for one in placed {
            let own = segment(self.panel, one.week.line);
            let month = month(one.week.day);
            let mut add = |segment: Option<&'_ str>, month: Option<String>| {
                let segment = segment.and_then(|name| segments.get(name).copied());
                groups.entry((segment, month)).or_default().push(one);
            };
            add(None, None);
            add(None, month.clone());
            if segments.len() > 1 {
                add(Some(own), None);
                add(Some(own), month);
            }
        }
        groups.into_iter().map(|((segment, month), group)| self.told(segment, month, &group)).collect()
    }

    fn told(&self, segment: Option<&str>, month: Option<String>, group: &[&Placed<'_>]) -> Month {
        let back = |level: f64| self.scale.back(level);
        let share = |distance: f64| self.scale.share_worse(distance);
        let over = |value: &dyn Fn(&Placed<'_>) -> Option<f64>, map: &dyn Fn(f64) -> f64| {
            mean_of_lines(group.iter().filter_map(|p| Some((p.week.line, value(p)?))), map)
        };
        let factor = |f: usize| over(&|p| p.week.factors[f], &back);
        let between = |a: &dyn Fn(&Placed<'_>) -> Option<f64>, b: usize| {
            over(&|p| Some(a(p)? - p.week.factors[b]?), &share)
        };
        let value = |p: &Placed<'_>| Some(p.week.value);
        let region = |p: &Placed<'_>| p.week.factors[2];
        let gap = |kind: GapKind| Gap {
            gap: kind,
            value: match kind {
                GapKind::Promise => over(&|p| Some(region(p)? - p.week.promise()?), &share),
                GapKind::History => between(&value, 1),
                GapKind::Peer => between(&value, 2),
                GapKind::WordOfMouth => between(&region, 3),
            },
            owner: kind.owner(),
        };
        let known = group.iter().any(|p| p.standing.is_some());
        let standing = |which: i8| {
            if known {
                let within = |p: &Placed<'_>| p.standing.map(|s| f64::from(u8::from(s == which)));
                over(&within, &|share: f64| share.clamp(0.0, 1.0))
            } else {
                Answer::declined(Phrase {
                    en: "neither a contract's minimum nor a threshold says what is adequate",
                    zh: "既无合同最低值也无阈值，无法判断何为可接受",
                })
            }
        };
        Month {
            segment: segment.map(str::to_owned),
            month,
            lines: group.iter().map(|p| p.week.line).collect::<BTreeSet<_>>().len(),
            observed: over(&value, &back),
            expected: over(&|p| Some(p.expected), &back),
            promise: over(&|p| p.week.promise(), &back),
            norm: over(&|p| p.week.norm(), &back),
            history: factor(1),
            region: factor(2),
            word_of_mouth: factor(3),
            expectation_gap: over(&|p| Some(p.week.value - p.expected), &share),
            gaps: GapKind::ALL.map(gap).into(),
            zone: Zone { below: standing(-1), inside: standing(0), above: standing(1) },
        }
    }

    pub(super) fn levels(&self, placed: &[Placed<'_>]) -> Vec<Level> {
        let level = |p: &Placed<'_>| Level {
            line_id: self.panel.lines[p.week.line].line_id.clone(),
            week: date(p.week.day).map_or_else(String::new, |date| date.to_string()),
            observed: self.scale.back(p.week.value),
            expected: self.scale.back(p.expected),
            factors: p.week.factors.map(|factor| factor.map(|level| self.scale.back(level))),
            by_norm: p.week.norm().is_some(),
            zone: p.standing.map(|standing| match standing {
                -1 => "below",
                0 => "inside",
                _ => "above",
            }),
        };
        placed.iter().map(level).collect()
    }
}
