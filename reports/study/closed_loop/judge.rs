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

/// It helped; whether that shows at this unit, or by its kind only, and whether there was a target.
const fn verified(alone: bool, had_target: bool) -> Verdict {
    let (en, zh) = match (alone, had_target) {
        (true, true) => (
            "better than units as bad that were left alone, target met, complaints not shown to be up",
            "优于同样差而未处理的单元，达到目标，未见投诉上升",
        ),
        (true, false) => (
            "better than units as bad that were left alone, complaints not shown to be up; it had no target",
            "优于同样差而未处理的单元，未见投诉上升；未设目标",
        ),
        (false, true) => (
            "better, as its kind of work was shown to make it; by itself too small to tell. Target met, complaints not shown to \
             be up",
            "有改善，且此类措施已证实有效；单看本处尚不能断定。达到目标，未见投诉上升",
        ),
        (false, false) => (
            "better, as its kind of work was shown to make it; by itself too small to tell. Complaints not shown to be up; it \
             had no target",
            "有改善，且此类措施已证实有效；单看本处尚不能断定。未见投诉上升；未设目标",
        ),
    };
    verdict(State::Verified, en, zh)
}

/// A unit's complaints, with line-days at risk.
struct Complaints {
    before: (u64, f64),
    after: (u64, f64),
}

impl Complaints {
    fn of(judge: &Judge<'_>, unit: &UnitId, windows: &Windows) -> Self {
        let count = |days: &Range<i32>| {
            let lines = &judge.units[unit];
            let episodes: usize = lines.iter().map(|&line| judge.risk.episodes(line, days)).sum();
            let line_days: u64 = lines.iter().map(|&line| judge.risk.at_risk(line, days)).sum();
            (episodes as u64, line_days as f64)
        };
        Self { before: count(&windows.before), after: count(&windows.after) }
    }

    /// After over before.
    fn ratio(&self) -> Answer {
        match poisson::rate_ratio(self.after, self.before, 0.95) {
            Ok(found) if found.ratio.is_finite() => {
                Answer::estimate(found.ratio, found.interval.pair(), self.after.0 + self.before.0)
            }
            Ok(_) => Declined::from(Refusal::NoEvents { what: "complaints before" }).into(),
            Err(refusal) => Declined::from(refusal).into(),
        }
    }

    /// Whether that is shown to be above 1, which it can be where there were none before, too.
    fn rose(&self) -> bool {
        poisson::rate_ratio_at_least(self.after, self.before, 0.95).is_ok_and(|ratio| ratio > 1.0)
    }
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
            started: action.started.map(day),
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
        let complaints = Complaints::of(self, unit, windows);
        row.complaints_ratio = complaints.ratio();
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
        if complaints.rose() {
            return verdict(State::NotVerified, "it got better, and complaints rose", "有改善，但投诉上升");
        }
        if self.recurred(unit, course, windows, &others) {
            return verdict(
                State::Recurred,
                "it had helped, and within four weeks was worse again than units left alone",
                "曾经有效，四周内相对未处理单元又变差",
            );
        }
        if action.action.target_value.is_some() && row.target_met.is_none() {
            return verdict(
                State::Done,
                "it got better, and too few of its last days were measured to say whether its target is met",
                "有改善，但最后几天测量太少，无法判断是否达到目标",
            );
        }
        verified(alone, row.target_met.is_some())
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

    /// Whether the four weeks after it was verified are worse again, beside those of the same units that are left alone still.
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
            .filter(|(other, _)| course.left_alone(other, &(windows.before.start..end)))
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
