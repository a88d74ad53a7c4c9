//! What runs next: a pure function of the tasks, what has run, and the time.
//!
//! A line carries one loading run at a time, and no idle-delay run beside it; a loading run that waits holds back
//! later starts on its line, so that it is not put off for ever. A slot whose run has not begun within its
//! tolerance (five minutes, or until the task's next slot) is missed: a night's test is not made up for by day.
//! Every slot is booked: as run, run late, or missed.

mod slots;

pub use slots::{cron, seed_of};

use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::task::{Schedule, Suppression, Task};
use croner::errors::CronError;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use slots::Slots;

/// A run that begins later than this after its slot is booked as late.
pub const LATE_AFTER: Span = Span::secs(1);
const TOLERANCE: Span = Span::secs(300);
/// Calendar time set back by more than this is believed; by less, no slot is repeated.
const STEPPED_BACK: Span = Span::secs(60);
/// Beyond this many slots at once, the rest of a long absence is booked as one.
const MOST_AT_ONCE: u64 = 1_000_000;

/// A task as the planner sees it.
#[derive(Clone, Debug)]
pub struct Timed {
    name: String,
    line: String,
    loads_the_line: bool,
    zone: TimeZone,
    bytes_per_day: Option<u64>,
    slots: Slots,
    once: bool,
}

impl Timed {
    /// Draws the seeds of a task. Tasks whose names are alike up to the `@` share them.
    pub fn new(task: &Task, loads_the_line: bool, zone: &TimeZone, seed: u64) -> Result<Self, CronError> {
        let shared = task.name.split('@').next().unwrap_or_default();
        Ok(Self {
            name: task.name.clone(),
            line: task.line.clone(),
            loads_the_line,
            zone: zone.clone(),
            bytes_per_day: task.bytes_per_day,
            slots: Slots::new(&task.schedule, zone, seed_of(seed, shared))?,
            once: task.schedule == Schedule::Once,
        })
    }

    fn local_day(&self, at: Wall) -> i32 {
        let secs = at.secs();
        let offset =
            jiff::Timestamp::from_second(secs).map_or(0, |at| i64::from(self.zone.to_offset(at).seconds()));
        (secs + offset).div_euclid(86_400) as i32
    }
}

/// What is known of a task's runs. All but `running` outlives a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// The last slot that was booked, or when the task was first seen.
    pub booked: Wall,
    /// The local day that `bytes` counts for.
    pub day: i32,
    /// Bytes moved on that day.
    pub bytes: u64,
    /// The most that one run moved.
    pub largest_run: u64,
    /// Whether it runs now.
    #[serde(skip)]
    pub running: bool,
}

impl Past {
    /// Of a task that is first seen now: slots from now on count.
    pub const fn none(now: Wall) -> Self {
        Self { booked: Wall(now.0 - 1), day: 0, bytes: 0, largest_run: 0, running: false }
    }

    /// Books a start or a miss.
    pub fn book(&mut self, slot: Wall) {
        self.booked = slot;
    }

    /// Books the end of a run.
    pub fn finish(&mut self, task: &Timed, now: Wall, bytes_moved: u64) {
        let day = task.local_day(now);
        if self.day != day {
            (self.day, self.bytes) = (day, 0);
        }
        self.bytes = self.bytes.saturating_add(bytes_moved);
        self.largest_run = self.largest_run.max(bytes_moved);
        self.running = false;
    }

    fn bytes_on(&self, day: i32) -> u64 {
        if self.day == day { self.bytes } else { 0 }
    }
}

/// Why a run never took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its tolerance was over: the agent was down, or the line was busy.
    TooLate,
    /// The collector asked for a pause.
    Suppressed,
    /// The day's bytes were used up.
    OverBudget,
}

/// A run to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Index of the task.
    pub task: usize,
    /// When it should have begun.
    pub slot: Wall,
    /// Whether it is booked as late.
    pub late: bool,
}

/// Slots to book as missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed {
    /// Index of the task.
    pub task: usize,
    /// The last of the slots.
    pub slot: Wall,
    /// How many.
    pub count: u64,
    /// Why.
    pub why: Why,
}

/// What to do now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Runs to begin, in order.
    pub start: Vec<Start>,
    /// Slots to book as missed.
    pub missed: Vec<Missed>,
    /// Tasks whose last slot lies in the future, because the clock was set back: they begin again now.
    pub set_back: Vec<usize>,
    /// When to ask again, unless a run ends first.
    pub wake: Option<Wall>,
}

/// The slots of one task that are due.
struct Due {
    earlier: u64,
    before_latest: Wall,
    latest: Wall,
    next: Option<Wall>,
}

fn due(task: &Timed, booked: Wall, now: Wall, agent_started: Wall) -> Result<Due, Option<Wall>> {
    let mut latest = match task.slots.after(booked, agent_started) {
        Some(slot) if slot <= now => slot,
        next => return Err(next),
    };
    let (mut earlier, mut before_latest) = (0, booked);
    loop {
        let next = task.slots.after(latest, agent_started);
        match next {
            Some(slot) if slot <= now && earlier < MOST_AT_ONCE => {
                (before_latest, latest) = (latest, slot);
                earlier += 1;
            }
            Some(slot) if slot <= now => {
                let from_now = task.slots.after(now, agent_started);
                return Ok(Due { earlier: earlier + 1, before_latest: now, latest: now, next: from_now });
            }
            _ => return Ok(Due { earlier, before_latest, latest, next }),
        }
    }
}

/// What to do now. Whoever calls books every start, every miss and every task set back in `past`, which has one entry per
/// task.
pub fn plan(
    tasks: &[Timed],
    past: &[Past],
    suppression: Option<&Suppression>,
    now: Wall,
    agent_started: Wall,
) -> Plan {
    let mut plan = Plan::default();
    let mut waiting: Vec<(Wall, usize, Option<Wall>)> = Vec::new();
    let wake_at = |plan: &mut Plan, at: Option<Wall>| {
        plan.wake = match (plan.wake, at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    };
    let suppressed = |task: &Timed| {
        suppression.is_some_and(|pause| {
            pause.until.is_none_or(|until| now < until)
                && (pause.tasks.is_empty()
                    || pause
                        .tasks
                        .iter()
                        .any(|name| task.name.split('@').next() == Some(name) || *name == task.name))
        })
    };
    for (index, (task, past)) in tasks.iter().zip(past).enumerate() {
        if past.running {
            continue;
        }
        let stepped_back = past.booked.since(now) > STEPPED_BACK;
        let booked = if stepped_back { now } else { past.booked };
        if stepped_back {
            plan.set_back.push(index);
        }
        let due = match due(task, booked, now, agent_started) {
            Ok(due) => due,
            Err(next) => {
                wake_at(&mut plan, next);
                continue;
            }
        };
        let mut miss = |slot, count, why| plan.missed.push(Missed { task: index, slot, count, why });
        let ends = due.next.unwrap_or(Wall(i64::MAX)).min(due.latest + TOLERANCE);
        let too_late = !task.once && now >= ends;
        let over_budget = task
            .bytes_per_day
            .is_some_and(|most| past.bytes_on(task.local_day(now)).saturating_add(past.largest_run) > most);
        if suppressed(task) {
            miss(due.latest, due.earlier + 1, Why::Suppressed);
        } else if too_late {
            miss(due.latest, due.earlier + 1, Why::TooLate);
        } else {
            if due.earlier > 0 {
                miss(due.before_latest, due.earlier, Why::TooLate);
            }
            if over_budget {
                miss(due.latest, 1, Why::OverBudget);
            } else {
                waiting.push((due.latest, index, (!task.once).then_some(ends)));
                continue;
            }
        }
        wake_at(&mut plan, due.next);
    }
    waiting.sort_unstable_by_key(|&(slot, index, _)| (slot, index));
    let mut lines = Lines::of(tasks, past);
    for (slot, index, ends) in waiting {
        let task = &tasks[index];
        if lines.take(&task.line, task.loads_the_line) {
            plan.start.push(Start { task: index, slot, late: now.since(slot) > LATE_AFTER });
        } else {
            wake_at(&mut plan, ends);
        }
    }
    plan
}

/// Which lines are in use, and how.
struct Lines<'a>(Vec<(&'a str, Use)>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Light,
    /// Loaded, or held back for a load that waits.
    Load,
}

impl<'a> Lines<'a> {
    fn of(tasks: &'a [Timed], past: &[Past]) -> Self {
        let running = tasks.iter().zip(past).filter(|(_, past)| past.running);
        Self(
            running
                .map(|(task, _)| {
                    (task.line.as_str(), if task.loads_the_line { Use::Load } else { Use::Light })
                })
                .collect(),
        )
    }

    fn take(&mut self, line: &'a str, load: bool) -> bool {
        let mut used = self.0.iter().filter(|(name, _)| *name == line).map(|(_, how)| *how);
        let free = if load { used.next().is_none() } else { !used.any(|how| how == Use::Load) };
        if free || load {
            self.0.push((line, if load { Use::Load } else { Use::Light }));
        }
        free
    }
}

#[cfg(test)]
mod tests;
