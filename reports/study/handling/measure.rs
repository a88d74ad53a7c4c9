//! Cases to figures.

use super::query::{About, Deadline, Query};
use super::row::{Case, Group, Times, Within};
use crate::stats::Refusal;
use crate::stats::proportion::wilson;
use crate::stats::survival::{Curve, Spell, kaplan_meier};
use crate::study::{Answer, Declined, Words};
use broadgauge_model::clock::Wall;
use broadgauge_model::complaint::Class;
use broadgauge_model::panel::PanelComplaint;
use broadgauge_model::text::Phrase;
use std::collections::BTreeMap;

const LEVEL: f64 = 0.95;
const HOUR: f64 = 3.6e12;

/// States that say a case is over.
const CLOSED: &[&str] = &[
    "closed",
    "solved",
    "resolved",
    "done",
    "completed",
    "已关闭",
    "关闭",
    "已办结",
    "办结",
    "已解决",
    "已处理",
];

/// What is known of each case, in the order of the cases.
pub(super) struct Known {
    /// Hours to the first response, and whether there was one.
    response: Vec<Option<Spell>>,
    /// Hours to resolution, and whether there was one.
    resolution: Vec<Option<Spell>>,
    /// Hours from an escalation to resolution, and whether there was one.
    appeal: Vec<Option<Spell>>,
    opened: Vec<Wall>,
    reopened: Vec<Option<bool>>,
    /// Whether it was repeated; none where it cannot be told.
    repeated: Vec<Option<bool>>,
    first_contact: Vec<Option<bool>>,
    /// Cases open at the end.
    pub(super) open: Vec<Open>,
    pub(super) closed_without_time: usize,
    /// Days from the first case to the end.
    days: f64,
}

/// A case that is open at the end.
pub(super) struct Open {
    pub(super) at: usize,
    pub(super) age_hours: f64,
    pub(super) overdue_hours: Option<f64>,
    owned: bool,
}

impl Open {
    pub(super) fn case(&self, complaint: &PanelComplaint) -> Case {
        let case = &complaint.complaint;
        Case {
            complaint_id: case.complaint_id.clone(),
            opened_at: case.opened_at,
            age_hours: self.age_hours,
            overdue_hours: self.overdue_hours,
            class: case.class,
            owner: case.owner.clone(),
            channel: case.channel.clone(),
        }
    }
}

fn hours(from: Wall, to: Wall) -> f64 {
    to.since(from).0 as f64 / HOUR
}

/// The time to something: ended where it happened before the end of the period, open until then otherwise.
fn spell(opened: Wall, happened: Option<Wall>, end: Wall) -> Spell {
    match happened.filter(|at| *at < end) {
        Some(at) => Spell { time: hours(opened, at).max(0.0), ended: true },
        None => Spell { time: hours(opened, end), ended: false },
    }
}

impl Known {
    pub(super) fn of(cases: &[&PanelComplaint], end: Wall, query: &Query) -> Self {
        let repeated = repeats(cases, end, query);
        let mut known = Self {
            response: Vec::new(),
            resolution: Vec::new(),
            appeal: Vec::new(),
            opened: cases.iter().map(|case| case.complaint.opened_at).collect(),
            reopened: Vec::new(),
            first_contact: Vec::new(),
            open: Vec::new(),
            closed_without_time: 0,
            days: cases.first().map_or(0.0, |c| hours(c.complaint.opened_at, end) / 24.0),
            repeated,
        };
        for (at, case) in cases.iter().enumerate() {
            let case = &case.complaint;
            let before_end = |at: Option<Wall>| at.filter(|at| *at < end);
            let reopened = before_end(case.reopened_at);
            let resolved = before_end(case.resolved_at);
            // A case opened again after it was resolved is open until it is resolved anew.
            let again = matches!((reopened, resolved), (Some(again), Some(done)) if again >= done);
            let status = case.status.as_deref().map(str::to_lowercase);
            let said_closed = status.is_some_and(|s| CLOSED.contains(&s.trim()));
            let timeless = resolved.is_none() && said_closed;
            known.closed_without_time += usize::from(timeless);
            let is_open = (resolved.is_none() && !timeless) || again;
            let resolution = if again { None } else { resolved };
            known.resolution.push((!timeless).then(|| spell(case.opened_at, resolution, end)));
            // What was settled before a customer took it further does not say when that was settled.
            let escalated = before_end(case.escalated_at)
                .filter(|at| !timeless && resolution.is_none_or(|settled| settled >= *at));
            known.appeal.push(escalated.map(|at| spell(at, resolution, end)));
            // A resolution without an answer before it was the answer.
            let answered = before_end(case.first_response_at).or(resolved);
            let unknown = timeless && answered.is_none();
            known.response.push((!unknown).then(|| spell(case.opened_at, answered, end)));
            known.reopened.push((resolved.is_some() || reopened.is_some()).then_some(reopened.is_some()));
            let at_once = match (answered, resolved) {
                (Some(answered), Some(resolved)) => Some(resolved <= answered),
                (_, None) if timeless => None,
                _ => Some(false),
            };
            known.first_contact.push(match (at_once, known.repeated[at]) {
                (Some(at_once), Some(repeated)) => Some(at_once && !repeated && reopened.is_none()),
                _ => None,
            });
            if is_open {
                let late = case.due_at.filter(|due| *due < end).map(|due| hours(due, end));
                let age_hours = hours(case.opened_at, end);
                known.open.push(Open { at, age_hours, overdue_hours: late, owned: case.owner.is_some() });
            }
        }
        known
    }
}

/// Whether each complaint was followed by another of the same line and class; none without a line or a class, and for
/// those after which too few days are known.
fn repeats(cases: &[&PanelComplaint], end: Wall, query: &Query) -> Vec<Option<bool>> {
    let window = f64::from(query.repeat_days) * 24.0;
    let mut next = BTreeMap::<(u32, Class), Wall>::new();
    let mut repeated = vec![None; cases.len()];
    for (at, case) in cases.iter().enumerate().rev() {
        let class = case.complaint.class.filter(|class| *class != Class::Unsure);
        let (Some(line), Some(class)) = (case.line, class) else { continue };
        let opened = case.complaint.opened_at;
        let followed = next.insert((line, class), opened).is_some_and(|later| hours(opened, later) <= window);
        // Of those too late to tell, the ones already repeated would be all that counts.
        repeated[at] = (hours(opened, end) >= window).then_some(followed);
    }
    repeated
}

pub(super) fn group(by: &'static str, value: &str, cases: &[usize], known: &Known, query: &Query) -> Group {
    let inside: std::collections::BTreeSet<usize> = cases.iter().copied().collect();
    let open: Vec<&Open> = known.open.iter().filter(|open| inside.contains(&open.at)).collect();
    let mut ages: Vec<f64> = open.iter().map(|open| open.age_hours).collect();
    ages.sort_by(f64::total_cmp);
    let few = cases.len() < query.fewest_cases;
    let share = |list: &[Option<bool>]| {
        let told: Vec<bool> = cases.iter().filter_map(|&at| list[at]).collect();
        let hits = told.iter().filter(|hit| **hit).count() as u64;
        ratio(hits, told.len(), query)
    };
    Group {
        by,
        value: value.to_owned(),
        cases: cases.len(),
        open: open.len(),
        overdue: open.iter().filter(|open| open.overdue_hours.is_some()).count(),
        unowned: open.iter().filter(|open| !open.owned).count(),
        first_response: times(cases, About::FirstResponse, known, query),
        resolution: times(cases, About::Resolution, known, query),
        reopened_ratio: share(&known.reopened),
        repeated_ratio: share(&known.repeated),
        first_contact_ratio: share(&known.first_contact),
        open_age_p50_hours: ages.get(ages.len().saturating_sub(1) / 2).copied(),
        expected_open: if few { None } else { expected_open(cases, known) },
    }
}

fn too_few(have: usize, query: &Query) -> Answer {
    let phrase = Phrase { en: "{have} cases, fewer than {need}", zh: "仅 {have} 件，不足 {need} 件" };
    Declined::because(Words::with(phrase, &[("have", &have), ("need", &query.fewest_cases)])).into()
}

fn ratio(hits: u64, of: usize, query: &Query) -> Answer {
    if of < query.fewest_cases {
        return too_few(of, query);
    }
    match wilson(hits, of as u64, LEVEL) {
        Ok(interval) => Answer::estimate(hits as f64 / of as f64, interval.pair(), of as u64),
        Err(refusal) => Declined::from(refusal).into(),
    }
}

/// Most of the cases are over and nobody says since when: those with a time are the odd ones.
fn mostly_timeless(spells: usize, cases: usize) -> Option<Answer> {
    const TIMELESS: Phrase = Phrase {
        en: "{n} of {all} cases are closed without a time, so the others would not speak for them",
        zh: "{all} 件中有 {n} 件已关闭但无时间记录，其余个案不具代表性",
    };
    let timeless = cases - spells;
    (2 * timeless > cases)
        .then(|| Declined::because(Words::with(TIMELESS, &[("n", &timeless), ("all", &cases)])).into())
}

/// How long some cases took, with the curve that open ones are counted in.
struct Sample {
    spells: Vec<Spell>,
    done: usize,
    curve: Option<crate::stats::Answer<Curve>>,
    timeless: Option<Answer>,
}

impl Sample {
    fn of(cases: &[usize], list: &[Option<Spell>], query: &Query) -> Self {
        let spells: Vec<Spell> = cases.iter().filter_map(|&at| list[at]).collect();
        Self {
            done: spells.iter().filter(|spell| spell.ended).count(),
            curve: (spells.len() >= query.fewest_cases).then(|| kaplan_meier(&spells, LEVEL)),
            timeless: mostly_timeless(spells.len(), cases.len()),
            spells,
        }
    }

    fn answer(&self, query: &Query, of: impl Fn(&Curve) -> Answer) -> Answer {
        const NONE: Phrase = Phrase {
            en: "none of {n} cases was done in the time observed",
            zh: "观测期内 {n} 件无一完成",
        };
        match &self.curve {
            _ if let Some(declined) = &self.timeless => declined.clone(),
            None => too_few(self.spells.len(), query),
            // A curve that never falls has no spread of its own.
            Some(_) if self.done == 0 => {
                Declined::because(Words::with(NONE, &[("n", &self.spells.len())])).into()
            }
            Some(Ok(curve)) => of(curve),
            Some(Err(refusal)) => Declined::from(refusal.clone()).into(),
        }
    }

    fn within(&self, hours: f64, query: &Query) -> Answer {
        // Where every case was seen until the deadline, or done before, the share is a plain one.
        let seen = self.spells.iter().all(|spell| spell.ended || spell.time >= hours);
        if seen && self.timeless.is_none() {
            let hits = self.spells.iter().filter(|spell| spell.ended && spell.time <= hours).count();
            return ratio(hits as u64, self.spells.len(), query);
        }
        self.answer(query, |curve| match curve.ended_by(hours) {
            Ok((share, interval)) => Answer::estimate(share, interval.pair(), curve.spells as u64),
            Err(refusal) => Declined::from(refusal).into(),
        })
    }
}

impl Known {
    fn list(&self, about: About) -> &[Option<Spell>] {
        match about {
            About::FirstResponse => &self.response,
            About::Resolution => &self.resolution,
            About::Appeal => &self.appeal,
        }
    }

    /// The share done within each deadline of this kind. One that no case falls under is left out.
    pub(super) fn within(&self, cases: &[usize], about: About, query: &Query) -> Vec<Within> {
        let under = |deadline: &Deadline, at: usize| {
            let opened = self.opened[at];
            deadline.opened_from.is_none_or(|from| opened >= from)
                && deadline.opened_before.is_none_or(|before| opened < before)
        };
        let deadlines = query.deadlines.iter().filter(|deadline| deadline.about == about);
        let told = deadlines.filter_map(|deadline| {
            let cases: Vec<usize> = cases.iter().copied().filter(|&at| under(deadline, at)).collect();
            if cases.is_empty() {
                return None;
            }
            let ratio = Sample::of(&cases, self.list(about), query).within(deadline.days * 24.0, query);
            Some(Within { deadline: deadline.id, days: deadline.days, ratio })
        });
        told.collect()
    }

    /// The cases of which it is known how long they were with somebody else.
    pub(super) fn appealed(&self) -> Vec<usize> {
        (0..self.appeal.len()).filter(|&at| self.appeal[at].is_some()).collect()
    }
}

fn times(cases: &[usize], about: About, known: &Known, query: &Query) -> Times {
    let sample = Sample::of(cases, known.list(about), query);
    let quantile = |p: f64| sample.answer(query, |curve| quantile(curve, p));
    Times {
        cases: sample.spells.len(),
        done: sample.done,
        p50_hours: quantile(0.5),
        p80_hours: quantile(0.8),
        p95_hours: quantile(0.95),
        within: known.within(cases, about, query),
    }
}

fn quantile(curve: &Curve, p: f64) -> Answer {
    let share = (p * 100.0).round();
    match curve.quantile(p) {
        Ok(at) => {
            let Some(high) = at.high else {
                let phrase = Phrase {
                    en: "at least {low} hours: too few cases are done to say more",
                    zh: "至少 {low} 小时：办结的工单太少，无法进一步估计",
                };
                return Declined::because(Words::with(phrase, &[("low", &format!("{:.1}", at.low))])).into();
            };
            Answer::estimate(at.value, (at.low, high), curve.spells as u64)
        }
        Err(Refusal::NotReached { .. }) => {
            let phrase = Phrase { en: "fewer than {share}% are done", zh: "办结的不足 {share}%" };
            Declined::because(Words::with(phrase, &[("share", &share)])).into()
        }
        Err(refusal) => Declined::from(refusal).into(),
    }
}

/// Little's law (Oper. Res. 9, 1961): the rate of arrival times the mean time, here the area below the curve.
fn expected_open(cases: &[usize], known: &Known) -> Option<f64> {
    let spells: Vec<Spell> = cases.iter().filter_map(|&at| known.resolution[at]).collect();
    let curve = kaplan_meier(&spells, LEVEL).ok()?;
    let longest = spells.iter().map(|s| s.time).fold(0.0, f64::max);
    let (mut area, mut before, mut open) = (0.0, 0.0, 1.0);
    for step in curve.steps() {
        area += open * (step.time - before);
        (before, open) = (step.time, step.open);
    }
    area += open * (longest - before);
    (known.days > 0.0).then(|| cases.len() as f64 / known.days * area / 24.0)
}
