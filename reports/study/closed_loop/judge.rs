//! How far each action has come.

use super::query::Query;
use super::row::{ActionRow, ChartWeek, ControlChart, State};
use super::units::{Course, UnitId, Windows, unit_of};
use crate::stats::did::{Picked, Unit, single_case, single_case_by_level};
use crate::stats::{Refusal, control, poisson};
use crate::study::expectation::date;
use crate::study::experience::Risk;
use crate::study::{Answer, Declined, Words};
use broadgauge_model::panel::{PanelAction, weekday};
use broadgauge_model::text::Phrase;
use std::collections::BTreeMap;
use std::ops::Range;

/// Fewer weeks before an action say nothing of what is usual.
const FEWEST_WEEKS: usize = 4;

/// What is known of all actions.
pub(super) struct Judge<'a> {
    pub(super) query: &'a Query,
    pub(super) risk: &'a Risk,
    pub(super) units: &'a BTreeMap<UnitId, Vec<usize>>,
    /// By metric id.
    pub(super) courses: &'a BTreeMap<&'static str, Course<'a>>,
    /// Whether actions of this kind and metric were shown to help together.
    pub(super) helps: &'a BTreeMap<(String, &'static str), bool>,
}

struct Verdict {
    state: State,
    why: Words,
}

const fn verdict(state: State, en: &'static str, zh: &'static str) -> Verdict {
    Verdict { state, why: Words::plain(Phrase { en, zh }) }
}

impl Judge<'_> {
    pub(super) fn row(&self, action: &PanelAction) -> ActionRow {
        let unit = unit_of(action);
        let day = |day: i32| date(day).map_or_else(String::new, |date| date.to_string());
        let late = self.risk.period.end - 1 - action.due;
        let about = &action.action;
        let not_asked = Phrase { en: "not judged yet", zh: "尚未判定" };
        let mut row = ActionRow {
            action_id: about.action_id.clone(),
            kind: about.kind.clone(),
            owner: about.owner.clone(),
            due: day(action.due),
            overdue_days: (action.done.is_none() && late > 0).then_some(late),
            unit: unit.as_ref().map(|(_, name)| name.clone()),
            metric: about.metric,
            cost: about.cost,
            state: State::Proposed,
            why: Words::plain(Phrase { en: "work has not begun", zh: "尚未开工" }),
            before: None,
            after: None,
            change: Answer::declined(not_asked),
            controls: 0,
            target: about.target_value,
            target_met: None,
            complaints_ratio: Answer::declined(not_asked),
            chart: None,
        };
        let course = about.metric.and_then(|metric| self.courses.get(metric.id()));
        if let (Some(course), Some(unit)) = (course, &unit) {
            row.chart = self.chart(course, unit, action.started.unwrap_or(self.risk.period.end));
        }
        let verdict = match (action.started, action.done) {
            (None, None) => return row,
            (_, None) => verdict(State::InProgress, "work has begun and not ended", "已开工，尚未完成"),
            (_, Some(_)) => self.done(action, unit.as_ref(), course, &mut row),
        };
        row.state = verdict.state;
        row.why = verdict.why;
        row
    }

    fn done(
        &self,
        action: &PanelAction,
        unit: Option<&UnitId>,
        course: Option<&Course<'_>>,
        row: &mut ActionRow,
    ) -> Verdict {
        let Some(unit) = unit.filter(|unit| self.units.contains_key(*unit)) else {
            return verdict(
                State::Done,
                "it names no line, node or area of the own operator: nothing to look at",
                "未指明本网的线路、节点或片区：无从观察",
            );
        };
        let Some(course) = course else {
            return verdict(
                State::Done,
                "it names no metric that was measured: nothing to look at",
                "未指明有测量的指标：无从观察",
            );
        };
        let Some(windows) = Windows::of(action, &self.risk.period, self.query) else {
            return verdict(
                State::Done,
                "too few days before it, or since it was done",
                "之前或完成以来的天数太少",
            );
        };
        self.measured(action, unit, course, &windows, row)
    }

    fn measured(
        &self,
        action: &PanelAction,
        unit: &UnitId,
        course: &Course<'_>,
        windows: &Windows,
        row: &mut ActionRow,
    ) -> Verdict {
        let scale = course.daily.scale;
        row.before = course.mean(unit, &windows.before).map(|level| scale.back(level));
        row.after = course.mean(unit, &windows.after).map(|level| scale.back(level));
        let others = course.as_bad(unit, windows);
        let ends = |unit: &UnitId, treated: bool| {
            let (before, after) = (course.mean(unit, &windows.before)?, course.mean(unit, &windows.after)?);
            Some(Unit { treated, before, after })
        };
        let controls: Vec<Unit> =
            others.iter().take(self.query.controls).filter_map(|(other, _)| ends(other, false)).collect();
        row.controls = controls.len();
        let Some(own) = ends(unit, true) else {
            return verdict(State::Done, "too few of its days were measured", "测量天数太少");
        };
        let effect = match single_case_by_level(&own, &controls, Picked::SameRule, 0.95) {
            Ok(effect) => effect,
            Err(refusal) => {
                row.change = Declined::from(refusal).into();
                return verdict(
                    State::Done,
                    "too few units as bad were left alone: what is bad gets better by itself, so it is not judged",
                    "同样差而未处理的单元太少：差的会自行回升，故不予判定",
                );
            }
        };
        let share = |distance: f64| scale.share_worse(distance);
        row.change = Answer::estimate(
            share(effect.effect),
            (share(effect.interval.low), share(effect.interval.high)),
            effect.controls as u64 + 1,
        );
        row.target_met = self.target_met(action, unit, course, windows);
        row.complaints_ratio = self.complaints(unit, windows);
        let alone = effect.interval.high < 0.0;
        let kind = self.helps.get(&(action.action.kind.clone(), course.daily.series.metric.id()));
        let together = kind == Some(&true) && effect.effect < 0.0;
        if !(alone || together) {
            return verdict(
                State::NotVerified,
                "it did no better than units as bad that were left alone",
                "与同样差而未处理的单元相比没有更好",
            );
        }
        if row.target_met == Some(false) {
            return verdict(
                State::NotVerified,
                "it got better, and its target is not met",
                "有改善，但未达目标",
            );
        }
        if row.complaints_ratio.as_estimate().is_some_and(|e| e.interval().0 > 1.0) {
            return verdict(State::NotVerified, "it got better, and complaints rose", "有改善，但投诉上升");
        }
        if self.recurred(unit, course, windows, &others) {
            return verdict(
                State::Recurred,
                "it had helped, and within four weeks was worse again than units left alone",
                "曾经有效，四周内相对未处理单元又变差",
            );
        }
        verdict(
            State::Verified,
            "better than units as bad that were left alone, target met, complaints not up",
            "优于同样差而未处理的单元，达到目标，投诉未上升",
        )
    }

    fn target_met(
        &self,
        action: &PanelAction,
        unit: &UnitId,
        course: &Course<'_>,
        windows: &Windows,
    ) -> Option<bool> {
        let target = course.daily.scale.to(action.action.target_value?)?;
        let last = (windows.after.end - self.query.target_days).max(windows.after.start)..windows.after.end;
        Some(course.mean(unit, &last)? <= target)
    }

    fn complaints(&self, unit: &UnitId, windows: &Windows) -> Answer {
        let count = |days: &Range<i32>| {
            let lines = &self.units[unit];
            let episodes: usize = lines.iter().map(|&line| self.risk.episodes(line, days)).sum();
            let line_days: u64 = lines.iter().map(|&line| self.risk.at_risk(line, days)).sum();
            (episodes as u64, line_days as f64)
        };
        let (after, before) = (count(&windows.after), count(&windows.before));
        match poisson::rate_ratio(after, before, 0.95) {
            Ok(found) if found.ratio.is_finite() => {
                Answer::estimate(found.ratio, found.interval.pair(), after.0 + before.0)
            }
            Ok(_) => Declined::from(Refusal::NoEvents { what: "complaints before" }).into(),
            Err(refusal) => Declined::from(refusal).into(),
        }
    }

    /// Whether the four weeks after it was verified are worse again, beside the same units left alone.
    fn recurred(
        &self,
        unit: &UnitId,
        course: &Course<'_>,
        windows: &Windows,
        others: &[(&UnitId, f64)],
    ) -> bool {
        let end = (windows.after.end + self.query.after_days).min(self.risk.period.end);
        if end - windows.after.end < self.query.least_after_days / 2 {
            return false;
        }
        let later = Windows { before: windows.after.clone(), after: windows.after.end..end };
        let Some(change) = course.change(unit, &later) else { return false };
        let changes: Vec<f64> = others
            .iter()
            .take(self.query.controls)
            .filter_map(|(other, _)| course.change(other, &later))
            .collect();
        single_case(change, &changes, Picked::SameRule, 0.95).is_ok_and(|effect| effect.interval.low > 0.0)
    }

    /// The unit's weeks against those before the action.
    fn chart(&self, course: &Course<'_>, unit: &UnitId, started: i32) -> Option<ControlChart> {
        let scale = course.daily.scale;
        let period = &self.risk.period;
        let first = (period.start..period.end).find(|day| weekday(*day) == 0)?;
        let weeks: Vec<(i32, f64)> = (first..period.end - 6)
            .step_by(7)
            .filter_map(|monday| Some((monday, course.mean(unit, &(monday..monday + 7))?)))
            .collect();
        let before: Vec<f64> = weeks.iter().filter(|(day, _)| day + 7 <= started).map(|w| w.1).collect();
        if before.len() < FEWEST_WEEKS {
            return None;
        }
        let usual = control::xmr(&before).ok()?;
        let ends = (scale.back(usual.limits.low), scale.back(usual.limits.high));
        Some(ControlChart {
            centre: scale.back(usual.centre),
            limits: (ends.0.min(ends.1), ends.0.max(ends.1)),
            weeks: weeks
                .into_iter()
                .map(|(monday, level)| ChartWeek {
                    week: date(monday).map_or_else(String::new, |date| date.to_string()),
                    value: scale.back(level),
                    outside: !usual.limits.contains(level),
                })
                .collect(),
        })
    }
}
